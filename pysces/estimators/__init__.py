"""ARACNe and VIPER on arrays and gene names; what :mod:`pysces.tl` drives."""

from __future__ import annotations

from pysces._enrich.pleiotropy import Pleiotropy
from pysces._infer.subnetworks import SUBSAMPLE
from pysces.estimators._aracne import ARACNe, ConstantRegulatorsError
from pysces.estimators._checkpoint import checkpoint_folder
from pysces.estimators._fitting import NotScorableError
from pysces.estimators._genes import gene_positions, named_genes
from pysces.estimators._pairs import PairScores
from pysces.estimators._viper import VIPER

__all__ = [
    "SUBSAMPLE",
    "VIPER",
    "ARACNe",
    "ConstantRegulatorsError",
    "NotScorableError",
    "PairScores",
    "Pleiotropy",
    "checkpoint_folder",
    "gene_positions",
    "named_genes",
]
