"""Data processing inequality: of three genes that all inform on each other, the weakest link is taken as indirect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from pysces._infer import _pruning_kernels as kernels
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

GENES_PER_TASK = 512
PAIRS_PER_TASK = 256
ROWS_IN_CACHE = 16
"""Twice as many rows of a task's genes fit in 128 KB."""

type Pruning = Literal["all", "target"] | None


def prune(
    edges: NDArray[np.bool_],
    mi: NDArray[np.float64],
    regulators: NDArray[np.intp],
    *,
    dpi: Pruning,
    tolerance: float,
    n_threads: int,
) -> NDArray[np.bool_]:
    """Edges (regulators x genes) that survive; every triangle is judged on the unpruned network.

    A triangle is two regulators that share an edge and a common target. Its strictly weakest edge goes, with a
    tolerance e only if it is below (1 - e) times both others. ``"target"`` removes regulator-target edges only.
    ``"all"`` also removes the edge between the regulators, in both directions; without tolerance it goes whenever no
    target edge is strictly the weakest, as in ARACNe3.
    """
    if dpi is None:
        return edges
    strength = np.where(edges, mi, -np.inf)
    first, second, between = _linked_regulators(strength, regulators)
    factor = 1.0 - tolerance
    removed = np.zeros_like(edges)

    def mark(genes: slice) -> None:
        kernels.mark_weakest_targets(strength, first, second, between, genes.start, genes.stop, factor, removed)

    run(mark, edges.shape[1], GENES_PER_TASK, n_threads)
    kept = edges & ~removed
    if dpi == "all":
        indirect = np.zeros(len(between), np.bool_)

        def find(pairs: slice) -> None:
            kernels.find_indirect_links(strength, first[pairs], second[pairs], between[pairs], factor, indirect[pairs])

        run(find, len(between), PAIRS_PER_TASK, n_threads)
        kept[first[indirect], regulators[second[indirect]]] = False
        kept[second[indirect], regulators[first[indirect]]] = False
    return kept


def _linked_regulators(
    strength: NDArray[np.float64], regulators: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Pairs of regulators with an edge in either direction, and its strength, ordered for rows to stay in the cache."""
    between = strength[:, regulators]
    between = np.maximum(between, between.T)
    first, second = np.nonzero(np.triu(between > -np.inf, 1))
    order = np.lexsort((second, first, second // ROWS_IN_CACHE, first // ROWS_IN_CACHE))
    first, second = first[order], second[order]
    return first, second, between[first, second]
