"""Signatures: how far a gene of a cell is from what is usual for the gene. Functions of single entries of X.

A signature is known by what it makes of zero, one constant per gene, and of a non-zero entry. So X stays sparse: the
entries are transformed where they are, and all zeros of a gene share the constant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import scipy.sparse as sp

from pysces._csr import CSR, as_csc, as_csr
from pysces._enrich import _moment_kernels as kernels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from pysces._enrich.moments import Moments

type SignatureName = Literal["none", "mean", "scale", "rank", "mad", "ttest", "doublerank"]

FROM_MOMENTS = ("none", "mean", "scale", "ttest")
FROM_COLUMNS = ("rank", "mad")
FROM_RANKS = ("doublerank",)
NORMAL_MAD = 1.4826


def without_rounding(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """``x`` to 33 bits, so that values are tied which only rounding makes differ.

    Such are the z-scores at zero of all genes that are found in one cell, whatever their height there.
    """
    bits = np.ascontiguousarray(x, np.float64).view(np.int64)
    return ((bits + (1 << 19)) & ~np.int64((1 << 20) - 1)).view(np.float64)


class Signature(Protocol):
    """What turns entries of X into a signature."""

    missing: NDArray[np.bool_]
    """Genes without a signature: constant, or without spread."""

    def __call__(self, values: NDArray[np.float64], genes: NDArray[np.int32]) -> NDArray[np.float64]:
        """Signature of ``values[i]``, an entry of gene ``genes[i]``."""
        ...

    def of_cells(self, block: CSR, genes: NDArray[np.int32]) -> CSR:
        """Signature of cells of which the columns are ``genes``, where it is not what zeros have."""
        return block._replace(data=self(block.data, genes[block.indices]))


class Unchanged(Signature):
    """The values of X."""

    def __init__(self, n_genes: int) -> None:
        self.missing = np.zeros(n_genes, np.bool_)

    def __call__(self, values: NDArray[np.float64], genes: NDArray[np.int32]) -> NDArray[np.float64]:
        return values


class Centred(Signature):
    """(x - centre) / spread; genes with no spread are missing."""

    def __init__(self, centre: NDArray[np.float64], spread: NDArray[np.float64]) -> None:
        self.missing = ~(spread > 0)
        self.centre, self.spread = centre, spread

    def __call__(self, values: NDArray[np.float64], genes: NDArray[np.int32]) -> NDArray[np.float64]:
        return without_rounding((values - self.centre[genes]) / self.spread[genes])


class LeaveOneOut(Signature):
    """t of one cell against all others: (x - mean_others) / (sd_others / sqrt(n - 1)).

    With c = x - mean and C the sum of c squared over all cells, x - mean_others = c n / (n - 1) and the others'
    variance is (C - c^2 - c^2 / (n - 1)) / (n - 2). A cell that alone differs from all others is infinitely far.
    """

    def __init__(self, moments: Moments) -> None:
        self.mean, self.deviance, self.n = moments.mean, moments.deviance, moments.n_cells
        self.missing = ~(self.deviance > 0)

    def __call__(self, values: NDArray[np.float64], genes: NDArray[np.int32]) -> NDArray[np.float64]:
        n, deviance = self.n, self.deviance[genes]
        centred = values - self.mean[genes]
        left = deviance - centred**2 * (n / (n - 1))
        left = np.where(left <= 1e-12 * deviance, 0.0, left)
        with np.errstate(divide="ignore", invalid="ignore"):
            return without_rounding(centred * (n / (n - 1)) / np.sqrt(left / (n - 2) / (n - 1)))


class RankWithin(Signature):
    """Average rank of the cell within the gene."""

    def __init__(self, columns: CSR) -> None:
        self.n_cells, self.indptr = columns.n_columns, columns.indptr
        self.sorted = columns.data.copy()
        for start, stop in zip(columns.indptr[:-1], columns.indptr[1:], strict=True):
            self.sorted[start:stop].sort()
        self.missing = np.zeros(columns.n_rows, np.bool_)

    def __call__(self, values: NDArray[np.float64], genes: NDArray[np.int32]) -> NDArray[np.float64]:
        ranks = np.empty(len(values))
        kernels.average_ranks(values, genes, self.sorted, self.indptr, self.n_cells, ranks)
        return ranks


class DoubleRank(Signature):
    """Rank of the gene within the cell, less its median over cells, over its MAD; genes with a MAD of 0 are missing.

    What a zero has depends on how many zeros its cell has, so every gene of a cell is an entry.
    """

    def __init__(self, blocks: Iterable[CSR], n_genes: int) -> None:
        cells = [sp.csr_array(block[:3], shape=(block.n_rows, block.n_columns)) for block in blocks]
        kept = np.arange(n_genes)
        while True:  # genes without spread are no part of the ranks
            ranks, of_zero = zip(*(_ranks_within_cells(as_csr(part[:, kept])) for part in cells), strict=True)
            pieces = [sp.csr_array(block[:3], shape=(block.n_rows, len(kept))) for block in ranks]
            self._median, self._mad = _median_and_mad(as_csc(sp.vstack(pieces)), np.concatenate(of_zero))
            if not len(kept) or (self._mad > 0).all():
                break
            kept = kept[self._mad > 0]
        self.missing = np.ones(n_genes, np.bool_)
        self.missing[kept] = False

    def __call__(self, values: NDArray[np.float64], genes: NDArray[np.int32]) -> NDArray[np.float64]:
        return np.zeros(len(values))

    def of_cells(self, block: CSR, genes: NDArray[np.int32]) -> CSR:
        ranks, of_zero = _ranks_within_cells(block)
        dense = np.repeat(of_zero[:, np.newaxis], block.n_columns, axis=1)
        dense[np.repeat(np.arange(block.n_rows), np.diff(block.indptr)), block.indices] = ranks.data
        values = without_rounding((dense - self._median) / self._mad).ravel()
        indptr = np.arange(block.n_rows + 1, dtype=np.int64) * block.n_columns
        return CSR(values, np.tile(np.arange(block.n_columns, dtype=np.int32), block.n_rows), indptr, block.n_columns)


def _ranks_within_cells(block: CSR) -> tuple[CSR, NDArray[np.float64]]:
    """Average ranks of the entries of each cell among all its genes, and that of its zeros."""
    rows = np.arange(block.n_rows, dtype=np.int32)
    ordered = block.data[np.lexsort((block.data, np.repeat(rows, np.diff(block.indptr))))]
    ranks, of_zero = np.empty(len(block.data)), np.empty(block.n_rows)
    for values, cells, out in (
        (block.data, np.repeat(rows, np.diff(block.indptr)), ranks),
        (np.zeros(block.n_rows), rows, of_zero),
    ):
        kernels.average_ranks(values, cells, ordered, block.indptr, block.n_columns, out)
    return block._replace(data=ranks), of_zero


def from_moments(name: str, moments: Moments, *, against_reference: bool) -> Signature:
    """``none``, ``mean``, ``scale`` or ``ttest``; the moments are of the reference cells, by default all."""
    ones = np.ones(moments.n_genes)
    match name:
        case "none":
            return Unchanged(moments.n_genes)
        case "mean":
            return Centred(moments.mean, ones)
        case "ttest" if not against_reference:
            return LeaveOneOut(moments)
        case "ttest":
            return Centred(moments.mean, moments.sd / np.sqrt(moments.n_cells))
        case _:
            return Centred(moments.mean, moments.sd)


def from_columns(name: str, columns: CSR) -> Signature:
    """``rank`` or ``mad``; the columns are of the reference cells, by default all."""
    if name == "rank":
        return RankWithin(columns)
    return Centred(*_median_and_mad(columns, np.zeros(columns.n_columns)))


def _median_and_mad(columns: CSR, of_zero: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median and scaled median absolute deviation of every gene; cells without an entry have ``of_zero``.

    One gene is dense at a time.
    """
    median, mad = np.empty(columns.n_rows), np.empty(columns.n_rows)
    for gene in range(columns.n_rows):
        entries = slice(columns.indptr[gene], columns.indptr[gene + 1])
        dense = of_zero.copy()
        dense[columns.indices[entries]] = columns.data[entries]
        median[gene] = np.median(dense)
        mad[gene] = NORMAL_MAD * np.median(np.abs(dense - median[gene]))
    return median, mad
