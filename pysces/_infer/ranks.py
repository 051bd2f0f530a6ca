"""Ranked genes: what ARACNe needs of X, kept sparse, subset without sorting again."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer import _rank_kernels as kernels
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR

GENES_PER_BLOCK = 64


class Ranks(NamedTuple):
    """Dense value ranks, one compressed column per gene; cells that are zero are not listed.

    ``levels`` ranks a value among the distinct values of its gene, ``zero_level`` is the rank of zero, and ``n_levels``
    the number of ranks; in a subset of the cells some ranks do not occur.
    """

    cells: NDArray[np.int32]
    levels: NDArray[np.int32]
    indptr: NDArray[np.int64]
    zero_level: NDArray[np.int32]
    n_levels: NDArray[np.int32]
    n_cells: int

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return len(self.zero_level)

    def genes(self, columns: slice | NDArray[np.intp]) -> Ranks:
        """Only some genes, in the order given."""
        if isinstance(columns, slice):
            indptr = self.indptr[columns.start : columns.stop + 1]
            entries: slice | NDArray[np.int64] = slice(indptr[0], indptr[-1])
            indptr = indptr - indptr[0]
        else:
            counts = np.diff(self.indptr)[columns]
            indptr = np.concatenate([[0], np.cumsum(counts)])
            entries = np.repeat(self.indptr[columns] - indptr[:-1], counts) + np.arange(indptr[-1])
        zero_level, n_levels = self.zero_level[columns], self.n_levels[columns]
        return Ranks(self.cells[entries], self.levels[entries], indptr, zero_level, n_levels, self.n_cells)


def rank_genes(columns: CSR, n_threads: int) -> Ranks:
    """Rank every gene over all cells; ``columns`` are genes."""
    n_genes, n_cells = columns.n_rows, columns.n_columns
    levels = np.empty(len(columns.indices), np.int32)
    zero_level, n_levels = np.empty(n_genes, np.int32), np.empty(n_genes, np.int32)

    def rank(block: slice) -> None:
        indptr = columns.indptr[block.start : block.stop + 1]
        order = np.concatenate([np.argsort(columns.data[i:j]) for i, j in pairwise(indptr)])
        kernels.rank_columns(columns.data, indptr, order, levels, zero_level[block], n_levels[block])

    run(rank, n_genes, GENES_PER_BLOCK, n_threads)
    return Ranks(columns.indices, levels, columns.indptr, zero_level, n_levels, n_cells)


def take_cells(ranks: Ranks, cells: NDArray[np.intp], n_threads: int) -> Ranks:
    """The same genes in some of the cells, given in ascending order, perhaps repeatedly; nothing is sorted."""
    starts = np.searchsorted(cells, np.arange(ranks.n_cells + 1)).astype(np.int32)  # of the copies of each cell
    counts = np.empty(ranks.n_genes, np.int64)

    def count(block: slice) -> None:
        kernels.count_taken(ranks.cells, ranks.indptr[block.start : block.stop + 1], starts, counts[block])

    run(count, ranks.n_genes, GENES_PER_BLOCK, n_threads)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    out_cells, out_levels = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.int32)

    def take(block: slice) -> None:
        within = slice(block.start, block.stop + 1)
        source = ranks.indptr[within]
        kernels.take_cells(ranks.cells, ranks.levels, source, starts, out_cells, out_levels, indptr[within])

    run(take, ranks.n_genes, GENES_PER_BLOCK, n_threads)
    return Ranks(out_cells, out_levels, indptr, ranks.zero_level, ranks.n_levels, len(cells))


def permute_cells(
    ranks: Ranks, genes: NDArray[np.intp], n_cells: int, seeds: NDArray[np.uint64], n_threads: int
) -> Ranks:
    """Each of ``genes`` with its cells put in random order, cut to the first ``n_cells``: a draw from independence."""
    pieces: dict[int, tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]] = {}

    def permute(block: slice) -> None:
        some = genes[block]
        room = int(np.diff(ranks.indptr)[some].max())
        cells, levels = np.empty((len(some), room), np.int32), np.empty((len(some), room), np.int32)
        counts = np.empty(len(some), np.int64)
        kernels.permute_cells(
            ranks.cells, ranks.levels, ranks.indptr, some, ranks.n_cells, n_cells, seeds[block], cells, levels, counts
        )
        filled = np.arange(room) < counts[:, None]
        pieces[block.start] = cells[filled], levels[filled], counts

    run(permute, len(genes), GENES_PER_BLOCK, n_threads)
    ordered = [pieces[start] for start in sorted(pieces)]
    cells, levels, counts = (np.concatenate([piece[i] for piece in ordered]) for i in range(3))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return Ranks(cells, levels, indptr, ranks.zero_level[genes], ranks.n_levels[genes], n_cells)
