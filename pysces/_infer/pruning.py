"""Data processing inequality: of three genes that all inform on each other, the weakest link is taken as indirect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from pysces._infer import _pruning_kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Pruning = Literal["all", "target"] | None


def prune(
    edges: NDArray[np.bool_],
    mi: NDArray[np.float64],
    regulators: NDArray[np.intp],
    *,
    dpi: Pruning,
    tolerance: float,
) -> NDArray[np.bool_]:
    """Edges (regulators x genes) that survive; every triangle is judged on the unpruned network.

    A triangle is two regulators that share an edge and a common target. Its strictly weakest edge goes, with a
    tolerance e only if it is below (1 - e) times both others. ``"target"`` removes regulator-target edges only.
    ``"all"`` also removes the edge between the regulators, in both directions; without tolerance it goes whenever no
    target edge is strictly the weakest, as in ARACNe3.
    """
    if dpi is None:
        return edges
    row, target = np.nonzero(edges)
    indptr = np.concatenate([[0], np.cumsum(edges.sum(axis=1))])
    removed = np.zeros(len(row), np.bool_)
    kernels.prune_triangles(
        indptr,
        target,
        mi[row, target],
        _regulator_pairs(edges, regulators, indptr),
        dpi == "all",
        1.0 - tolerance,
        removed,
    )
    kept = np.zeros_like(edges)
    kept[row[~removed], target[~removed]] = True
    return kept


def _regulator_pairs(
    edges: NDArray[np.bool_], regulators: NDArray[np.intp], indptr: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Rows (r1, r2, index of the edge r1-r2, index of the edge r2-r1), -1 for an edge that is not there."""
    between = edges[:, regulators]
    first, second = np.nonzero(np.triu(between | between.T, 1))
    index = np.cumsum(edges, axis=1) - 1 + indptr[:-1, None]
    forward = np.where(between[first, second], index[first, regulators[second]], -1)
    backward = np.where(between[second, first], index[second, regulators[first]], -1)
    return np.column_stack([first, second, forward, backward]).astype(np.int64)
