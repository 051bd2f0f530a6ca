"""Spearman correlation of edges, average ranks for ties, on sparse ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces._infer import _correlation_kernels as kernels
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.ranks import Ranks

EDGES_PER_TASK = 4096


def spearman(ranks: Ranks, sources: NDArray[np.intp], targets: NDArray[np.intp], n_threads: int) -> NDArray[np.float64]:
    """Spearman correlation of the genes ``sources[i]`` and ``targets[i]``; neither may be constant."""
    offsets = np.empty(len(ranks.levels))
    total, squares = np.empty(ranks.n_genes), np.empty(ranks.n_genes)
    kernels.centred_ranks(
        ranks.levels, ranks.indptr, ranks.zero_level, ranks.n_levels, ranks.n_cells, offsets, total, squares
    )
    correlation = np.empty(len(sources))

    def correlate(block: slice) -> None:
        kernels.edge_correlations(
            ranks.cells, offsets, ranks.indptr, total, squares, ranks.n_cells,
            sources[block], targets[block], correlation[block],
        )  # fmt: skip

    run(correlate, len(sources), EDGES_PER_TASK, n_threads)
    return correlation
