"""Strata of cells of about the same sequencing depth, within which genes are compared.

A cell with more counts has more of every gene, so that in counts unrelated genes look related. Part of the differences
in depth is biology, as some types of cell hold more RNA; it goes with the composition of the counts, and what is
technical does not. The mutual information is that within strata of the technical part, the part that the leading axes
of a correspondence analysis do not explain; p-values are those within strata of the depth itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from scipy.special import ndtri

from pysces._parallel import one_blas_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse.linalg import LinearOperator

    from pysces._csr import CSR

CELLS_PER_STRATUM = 30
FEW_STRATA, FEW_CELLS = 5, 15
"""Small groups are cut into up to 5 strata of at least 15 cells: one for all would leave much of the depth."""
SOME_STRATA, MANY_CELLS = 16, 125
"""Beyond 16 strata, those of at least 125 cells: the more cells, the less depth may be left in a stratum."""
MOST_TECHNICAL, MOST_WHOLE = 6, 100
N_AXES = 10
LEAST_AXIS = 1e-6
"""An axis that much shorter than the longest is rounding: the cells differ in fewer than ten ways."""
MOST_CELLS = 20_000
"""Cells that axes are found in; others are projected."""
TINY = 1e-300
"""Instead of the share of a gene without counts."""
NO_TRENDS = np.empty((0, 0))
LEAST_TREND = 1e-9
"""A shorter one is rounding."""
DECIMALS = 9
"""Differences below are rounding, which must not tell cells apart."""


class Strata(NamedTuple):
    """A stratum from 0 for every cell, and scores whose trend within strata is taken out: trends x cells.

    The scores are centred in their strata and have length 1.
    """

    labels: NDArray[np.int32]
    n: int
    trends: NDArray[np.float64] = NO_TRENDS

    @classmethod
    def of(cls, values: NDArray[np.float64], most: int, *, trend: bool = False) -> Self:
        """At most ``most`` strata of about as many cells, by ``values``; equal values are not torn apart.

        With ``trend``, what normal scores of the values explain within strata goes too.
        """
        n_cells = len(values)
        few, some = min(n_cells // FEW_CELLS, FEW_STRATA), min(n_cells // CELLS_PER_STRATUM, SOME_STRATA)
        n = int(np.clip(max(few, some, n_cells // MANY_CELLS), 1, most))
        rank = np.searchsorted(np.sort(values), values)  # of equal values, the lowest
        scores = ndtri((rank + 0.5) / n_cells)[None, :] if trend else NO_TRENDS
        return cls((rank * n // n_cells).astype(np.int32), n, scores)._centred()

    def sizes(self) -> NDArray[np.float64]:
        """Number of cells of each."""
        return np.bincount(self.labels, minlength=self.n).astype(np.float64)

    def take(self, cells: NDArray[np.intp]) -> Self:
        """The strata of some cells."""
        trends = self.trends[:, cells] if len(self.trends) else NO_TRENDS
        return self._replace(labels=self.labels[cells], trends=trends)._centred()

    def _centred(self) -> Self:
        sizes = np.maximum(self.sizes(), 1)
        trends = np.empty_like(self.trends)
        for trend, scores in zip(trends, self.trends, strict=True):
            trend[:] = scores - (np.bincount(self.labels, scores, self.n) / sizes)[self.labels]
            length = np.sqrt((trend * trend).sum())  # in the same order on any CPU, which BLAS is not
            trend[:] = trend / length if length > LEAST_TREND else 0.0
        return self._replace(trends=trends)


class Depth(NamedTuple):
    """Strata in which mutual information is measured, and those in which it is tested."""

    technical: Strata
    whole: Strata

    @classmethod
    def none(cls, n_cells: int) -> Self:
        """All cells in one stratum."""
        one = Strata(np.zeros(n_cells, np.int32), 1)
        return cls(one, one)

    @classmethod
    def given(cls, depth: NDArray[np.float64]) -> Self:
        """Strata of a depth that is known, all of it technical."""
        return cls(Strata.of(depth, MOST_TECHNICAL), Strata.of(depth, MOST_WHOLE, trend=True))

    @classmethod
    def of_counts(cls, counts: CSR, n_cells: int) -> Self:
        """Strata by the counts of all genes, given as columns."""
        depth, technical = technical_depth(counts, n_cells)
        return cls(Strata.of(technical, MOST_TECHNICAL), Strata.of(depth, MOST_WHOLE, trend=True))

    def take(self, cells: NDArray[np.intp]) -> Self:
        """The strata of some cells."""
        return type(self)(self.technical.take(cells), self.whole.take(cells))


def technical_depth(counts: CSR, n_cells: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depth of cells, and the part of its log that composition does not explain; counts are given as columns."""
    by_gene = sp.csc_array((counts.data, counts.indices, counts.indptr), shape=(n_cells, counts.n_rows))
    with one_blas_thread():
        depth = np.maximum(by_gene.sum(axis=1), 1.0)
        return depth, np.round(np.log(depth) - _explained(by_gene, np.log(depth)), DECIMALS)


def _explained(counts: sp.csc_array, log_depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Regression of the log depth on the leading axes of the composition of the cells."""
    from scipy.sparse.linalg import svds  # not at import, which would take twice as long over that of anndata

    n_cells = len(log_depth)
    n_axes = min(N_AXES, n_cells // CELLS_PER_STRATUM)
    if not 1 <= n_axes < min(counts.shape) - 1:
        return np.full(n_cells, log_depth.mean())
    of_genes = np.sqrt(np.maximum(counts.sum(axis=0) / counts.sum(), TINY))
    rng = np.random.default_rng(0)
    few = np.sort(rng.choice(n_cells, MOST_CELLS, replace=False)) if n_cells > MOST_CELLS else np.arange(n_cells)
    sample = _residuals(counts[few] if n_cells > MOST_CELLS else counts, log_depth[few], of_genes)
    start = rng.normal(size=min(sample.shape))
    _, _, axes = svds(sample, n_axes, v0=start, tol=1e-4, solver="arpack")
    design = np.column_stack([np.ones(n_cells), _residuals(counts, log_depth, of_genes) @ axes.T])
    return np.asarray(design @ np.linalg.lstsq(design, log_depth, rcond=LEAST_AXIS)[0])


def _residuals(counts: sp.csc_array, log_depth: NDArray[np.float64], of_genes: NDArray[np.float64]) -> LinearOperator:
    """Counts over the roots of the depth of the cell and the share of the gene, less what independence predicts."""
    from scipy.sparse.linalg import LinearOperator

    of_cells = np.exp(log_depth / 2)

    def times(x: NDArray[np.float64]) -> NDArray[np.float64]:
        product = (counts @ (x.T / of_genes).T).T / of_cells
        return np.asarray((product - np.multiply.outer(of_genes @ x, of_cells)).T)

    def transposed_times(x: NDArray[np.float64]) -> NDArray[np.float64]:
        product = (counts.T @ (x.T / of_cells).T).T / of_genes
        return np.asarray((product - np.multiply.outer(of_cells @ x, of_genes)).T)

    return LinearOperator(
        counts.shape, matvec=times, rmatvec=transposed_times, matmat=times, rmatmat=transposed_times, dtype=np.float64
    )
