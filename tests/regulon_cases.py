"""Regulons of the oracles, tables of gene, weight and likelihood, as the kernels take them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pysces._regulons import Regulons


def coded(regulons: list[pd.DataFrame]) -> Regulons:
    edges = pd.concat(regulons) if regulons else pd.DataFrame({"gene": [], "weight": [], "likelihood": []})
    return Regulons(
        np.concatenate([[0], np.cumsum([len(regulon) for regulon in regulons])]).astype(np.int64),
        edges["gene"].to_numpy(np.int32),
        edges["weight"].to_numpy(np.float64),
        edges["likelihood"].to_numpy(np.float64),
    )


def regulon(genes, weight=1.0, likelihood=1.0) -> pd.DataFrame:
    return pd.DataFrame({"gene": genes, "weight": weight, "likelihood": likelihood})
