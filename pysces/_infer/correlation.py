"""Scores of average ranks, kept sparse, and the Spearman correlation of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer import _correlation_kernels as kernels
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.ranks import Ranks

EDGES_PER_TASK = 4096


class Scores(NamedTuple):
    """Scores of ranked genes less that of zero, stored like :class:`Ranks`, and their sums over all cells."""

    cells: NDArray[np.int32]
    offsets: NDArray[np.float64]
    indptr: NDArray[np.int64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    n_cells: int

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return len(self.total)


def rank_scores(ranks: Ranks, score: NDArray[np.float64]) -> Scores:
    """Scores of average ranks; ``score`` is indexed by twice the rank, from 1."""
    offsets = np.empty(len(ranks.levels))
    total, squares = np.empty(ranks.n_genes), np.empty(ranks.n_genes)
    kernels.rank_scores(
        ranks.levels, ranks.indptr, ranks.zero_level, ranks.n_levels, ranks.n_cells, score, offsets, total, squares
    )
    return Scores(ranks.cells, offsets, ranks.indptr, total, squares, ranks.n_cells)


def spearman(ranks: Ranks, sources: NDArray[np.intp], targets: NDArray[np.intp], n_threads: int) -> NDArray[np.float64]:
    """Spearman correlation of the genes ``sources[i]`` and ``targets[i]``; neither may be constant."""
    scores = rank_scores(ranks, np.arange(2 * ranks.n_cells + 1) / 2)
    correlation = np.empty(len(sources))

    def correlate(block: slice) -> None:
        kernels.edge_correlations(
            scores.cells, scores.offsets, scores.indptr, scores.total, scores.squares, ranks.n_cells,
            sources[block], targets[block], correlation[block],
        )  # fmt: skip

    run(correlate, len(sources), EDGES_PER_TASK, n_threads)
    return correlation
