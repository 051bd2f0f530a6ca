"""Correlation of the edges of a network that is given, on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pysces._infer.correlation import spearman
from pysces._infer.depth import Depth
from pysces._infer.partition import first_splits
from pysces._infer.ranks import rank_genes
from pysces._matrix import columns, n_rows
from pysces._parallel import resolve_threads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def edge_correlations(
    X: Any, genes: NDArray[np.object_], source: ArrayLike, target: ArrayLike, *, n_threads: int
) -> NDArray[np.float64]:
    """Spearman correlation (average ranks, all cells) of every edge; NaN where a gene is absent or constant."""
    n_threads = resolve_threads(n_threads)
    n_cells = n_rows(X)
    ends = np.stack([pd.Index(genes).get_indexer(pd.Index(np.asarray(end, dtype=object))) for end in (source, target)])
    used = np.unique(ends[ends >= 0])
    correlation = np.full(ends.shape[1], np.nan)
    if not len(used) or not n_cells:
        return correlation
    ranks = rank_genes(columns(X, np.arange(n_cells), used), n_threads)
    varies = np.isin(ends, used[first_splits(ranks)[0] > 0]).all(axis=0)
    sources, targets = np.searchsorted(used, ends[:, varies])
    correlation[varies] = spearman(ranks, Depth.none(n_cells).technical, sources, targets, n_threads)
    return correlation
