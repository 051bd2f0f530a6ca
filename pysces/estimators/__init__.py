"""ARACNe and VIPER on arrays and gene names; what :mod:`pysces.tl` drives."""

from __future__ import annotations

from pysces._infer.subnetworks import SUBSAMPLE
from pysces.estimators._aracne import ARACNe
from pysces.estimators._genes import gene_positions
from pysces.estimators._viper import VIPER, NotScorableError

__all__ = ["SUBSAMPLE", "VIPER", "ARACNe", "NotScorableError", "gene_positions"]
