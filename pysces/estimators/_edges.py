"""Correlation of the edges of a network that is given, on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pysces._infer.correlation import spearman
from pysces._infer.partition import first_splits
from pysces._matrix import n_rows
from pysces._parallel import resolve_threads
from pysces.estimators._cells import UNUSED, ranked_cells

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def edge_correlations(
    X: Any,
    genes: NDArray[np.object_],
    source: ArrayLike,
    target: ArrayLike,
    depth: ArrayLike | Literal["auto"] | None,
    *,
    n_threads: int,
) -> tuple[NDArray[np.float64], str]:
    """Spearman correlation (average ranks, within strata of technical depth) of every edge, and where depth is from.

    It is NaN where a gene is absent or constant.
    """
    n_threads = resolve_threads(n_threads)
    n_cells = n_rows(X)
    ends = np.stack([pd.Index(genes).get_indexer(pd.Index(np.asarray(end, dtype=object))) for end in (source, target)])
    used = np.unique(ends[ends >= 0])
    correlation = np.full(ends.shape[1], np.nan)
    if not len(used) or not n_cells:
        return correlation, UNUSED
    cells = ranked_cells(X, np.arange(n_cells), used, depth, uses_depth=True, allow_negative=True, n_threads=n_threads)
    varies = np.isin(ends, used[first_splits(cells.ranks)[0] > 0]).all(axis=0)
    sources, targets = np.searchsorted(used, ends[:, varies])
    correlation[varies] = spearman(cells.ranks, cells.depth.technical, sources, targets, n_threads)
    return correlation, cells.source
