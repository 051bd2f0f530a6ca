"""Mutual information of regulators with genes, tile by tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import xlogy

from pysces._infer import _information_kernels as kernels
from pysces._infer.partition import FIXED_POINT, code
from pysces._parallel import block_size, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.partition import Coded, Convention, Ties
    from pysces._infer.ranks import Ranks

STEPS_PER_PAIR, STEPS_PER_CELL = 50, 0.1
"""Nanoseconds that a pair takes at least, and for every cell."""
CRITICAL = np.array([np.inf, 3.841, 7.815])
"""0.95 quantiles of chi-square where no, one or both axes can be split: 1 and 3 degrees of freedom."""


def pairwise(x: Coded, y: Coded, n_threads: int, *, triangle: bool = False) -> NDArray[np.float64]:
    """Mutual information of every gene of ``x`` with every gene of ``y``, in nats: (n_x, n_y).

    With ``triangle`` (``x`` and ``y`` the same) only what is above the diagonal is filled.
    """
    mi = np.empty((x.n_genes, y.n_genes))
    count_term = _count_term(x.n_cells)

    def fill(block: slice) -> None:
        _fill(x, y, block, 0, count_term, mi, triangle=triangle)

    run(fill, y.n_genes, genes_per_task(x.n_genes, x.n_cells), n_threads)
    return mi


def mutual_information(
    ranks: Ranks,
    regulators: NDArray[np.intp],
    *,
    convention: Convention,
    ties: Ties,
    seed: int,
    n_threads: int,
) -> NDArray[np.float64]:
    """Mutual information (n_regulators, n_genes) in nats, NaN on self; targets are coded a few at a time."""
    seeds = gene_seeds(seed, ranks.n_genes)
    mi = np.empty((len(regulators), ranks.n_genes))
    coded = code(ranks.genes(regulators), convention, ties, seeds[regulators])
    count_term = _count_term(ranks.n_cells)

    def fill(tile: slice) -> None:
        targets = code(ranks.genes(tile), convention, ties, seeds[tile])
        _fill(coded, targets, slice(0, targets.n_genes), tile.start, count_term, mi, triangle=False)

    run(fill, ranks.n_genes, genes_per_task(len(regulators), ranks.n_cells), n_threads)
    mi[np.arange(len(regulators)), regulators] = np.nan
    return mi


def genes_per_task(n_regulators: int, n_cells: int) -> int:
    """Genes that are coded and compared with all regulators at once."""
    return block_size(int(n_regulators * (STEPS_PER_PAIR + STEPS_PER_CELL * n_cells)))


def gene_seeds(seed: int | list[int], n_genes: int) -> NDArray[np.uint64]:
    """One word per gene, for the random order of its ties."""
    return np.asarray(np.random.SeedSequence(seed).generate_state(n_genes, np.uint64), np.uint64)


def _count_term(n_cells: int) -> NDArray[np.int64]:
    """(k / n) ln(k / n) for k = 0 .. n, in fixed point."""
    share = np.arange(n_cells + 1) / n_cells
    return np.rint(xlogy(share, share) * FIXED_POINT).astype(np.int64)


def _fill(
    x: Coded,
    y: Coded,
    columns: slice,
    offset: int,
    count_term: NDArray[np.int64],
    mi: NDArray[np.float64],
    *,
    triangle: bool,
) -> None:
    kernels.pairwise_information(
        x.genes, x.trees, y.genes, y.trees, columns.start, columns.stop, offset, triangle,
        x.n_cells, CRITICAL, x.smallest, count_term, 1 / FIXED_POINT, mi,
    )  # fmt: skip
