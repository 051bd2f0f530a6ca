"""Scores of average ranks, kept sparse, their sums within strata of cells, and the Spearman correlation of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer import _correlation_kernels as kernels
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.depth import Strata
    from pysces._infer.ranks import Ranks

EDGES_PER_TASK = 4096
LEAST_WITHIN = 1e-12


class Scores(NamedTuple):
    """Scores of ranked genes less that of zero, stored like :class:`Ranks`."""

    cells: NDArray[np.int32]
    offsets: NDArray[np.float64]
    indptr: NDArray[np.int64]
    n_cells: int

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return len(self.indptr) - 1


class Sums(NamedTuple):
    """Sums of scores, from which a covariance within strata follows: that of products less those of ``total``."""

    total: NDArray[np.float64]  # strata and trends x genes, over the root of the number of cells
    squares: NDArray[np.float64]  # genes: what is left of the squares


def rank_scores(ranks: Ranks, score: NDArray[np.float64]) -> Scores:
    """Scores of average ranks; ``score`` is indexed by twice the rank, from 1."""
    offsets = np.empty(len(ranks.levels))
    kernels.rank_scores(ranks.levels, ranks.indptr, ranks.zero_level, ranks.n_levels, ranks.n_cells, score, offsets)
    return Scores(ranks.cells, offsets, ranks.indptr, ranks.n_cells)


def sums_within(scores: Scores, strata: Strata) -> Sums:
    """Sums of the scores of each gene within strata."""
    total, squares = np.empty((strata.n + len(strata.trends), scores.n_genes)), np.empty(scores.n_genes)
    kernels.sums_within(
        scores.cells, scores.offsets, scores.indptr,
        strata.labels, strata.sizes(), strata.trends, LEAST_WITHIN, total, squares,
    )  # fmt: skip
    return Sums(total, squares)


def spearman(
    ranks: Ranks, strata: Strata, sources: NDArray[np.intp], targets: NDArray[np.intp], n_threads: int
) -> NDArray[np.float64]:
    """Correlation of the average ranks of ``sources[i]`` and ``targets[i]`` within strata; neither may be constant."""
    scores = rank_scores(ranks, np.arange(2 * ranks.n_cells + 1) / 2)
    total, squares = sums_within(scores, strata)
    correlation = np.empty(len(sources))

    def correlate(block: slice) -> None:
        kernels.edge_correlations(
            scores.cells, scores.offsets, scores.indptr, total, squares,
            sources[block], targets[block], correlation[block],
        )  # fmt: skip

    run(correlate, len(sources), EDGES_PER_TASK, n_threads)
    return correlation
