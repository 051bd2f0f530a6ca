"""Mutual information of regulators with genes, tile by tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import xlogy

from pysces._infer import _information_kernels as kernels
from pysces._infer.partition import FIXED_POINT, code
from pysces._parallel import blocks, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.partition import Coded, Convention, Ties
    from pysces._infer.ranks import Ranks

GENES_PER_TILE = 512
GENES_PER_TASK = 8


def pairwise(x: Coded, y: Coded, n_threads: int) -> NDArray[np.float64]:
    """Mutual information of every gene of ``x`` with every gene of ``y``, in nats: (n_x, n_y)."""
    n_y = len(y.genes.root)
    mi = np.empty((len(x.genes.root), n_y))
    share = np.arange(x.n_cells + 1) / x.n_cells
    count_term = np.rint(xlogy(share, share) * FIXED_POINT).astype(np.int64)
    x_tree, y_tree = x.kernel_tree, y.kernel_tree

    def fill(block: slice) -> None:
        columns = np.arange(block.start, block.stop)
        kernels.pairwise_information(
            x.genes, x_tree, y.genes, y_tree, columns, x.n_cells, x.smallest, count_term, 1 / FIXED_POINT, mi
        )

    run(fill, n_y, GENES_PER_TASK, n_threads)
    return mi


def gene_seeds(seed: int, n_genes: int) -> NDArray[np.uint64]:
    """One word per gene, for the random order of its ties."""
    return np.asarray(np.random.SeedSequence(seed).generate_state(n_genes, np.uint64), np.uint64)


def mutual_information(
    ranks: Ranks,
    regulators: NDArray[np.intp],
    *,
    convention: Convention,
    ties: Ties,
    seed: int,
    n_threads: int,
) -> NDArray[np.float64]:
    """Mutual information (n_regulators, n_genes) in nats, NaN on self."""
    seeds = gene_seeds(seed, ranks.n_genes)
    mi = np.empty((len(regulators), ranks.n_genes))
    coded_regulators = code(ranks.genes(regulators), convention, ties, seeds[regulators])
    for tile in blocks(ranks.n_genes, GENES_PER_TILE):
        coded = code(ranks.genes(tile), convention, ties, seeds[tile])
        mi[:, tile] = pairwise(coded_regulators, coded, n_threads)
    mi[np.arange(len(regulators)), regulators] = np.nan
    return mi
