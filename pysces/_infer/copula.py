"""Mutual information of a Gaussian copula within strata of depth: from the correlation of normal scores.

Normal scores are rounded to multiples of a power of two, so small that rho moves by less than 1e-7 (1e-6 for genes of
a few cells), and so large that all sums of products are whole numbers below 2^53: exact in any order, in sparse loops
and in BLAS, on any machine.
"""

from __future__ import annotations

from functools import lru_cache
from threading import local
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.special import ndtri

from pysces._infer import _copula_kernels as kernels
from pysces._infer.correlation import LEAST_WITHIN, Scores, rank_scores, sums_within
from pysces._infer.information import genes_per_task
from pysces._parallel import one_blas_thread, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pysces._infer.depth import Depth, Strata
    from pysces._infer.ranks import Ranks

MOST_CORRECTION = 0.2
LEAST_CELLS = 4
"""Fewer have no kurtosis; no permutation of them would be rare."""
DENSE_PAIRS = 1 / 16
"""A product of densities above which a dense product is faster than a sparse one."""
MOST_DENSE = 2**26
"""Values of ``x`` that may be made dense: 512 MB."""
LEAST_UNEXPLAINED = 2.0**-52
"""1 - rho^2 of genes that are the same, so that their information is finite: 18 nats."""


@lru_cache(maxsize=4)
def normal_scores(n_cells: int) -> NDArray[np.float64]:
    """Normal quantile of rank / (n + 1) in whole steps, by twice the rank."""
    most = n_cells * (1 + ndtri(1 / (n_cells + 1)) ** 2)  # sum of squared offsets from the score of zero, in steps of 1
    steps = 2.0 ** ((53 - int(np.ceil(np.log2(most + 1)))) // 2)
    twice = np.arange(2 * n_cells + 1)
    return np.rint(ndtri(np.maximum(twice, 1) / (2 * (n_cells + 1))) * steps)


def code_scores(ranks: Ranks) -> Scores:
    """Normal scores of genes."""
    return rank_scores(ranks, normal_scores(ranks.n_cells))


class Moments(NamedTuple):
    """What the cumulants of products need of each gene, strata x genes; see the kernel of this name."""

    spread: NDArray[np.float64]
    third: NDArray[np.float64]
    fourth: NDArray[np.float64]
    less: NDArray[np.float64]


def moments_within(scores: Scores, strata: Strata) -> tuple[NDArray[np.float64], Moments]:
    """Sums of scores within strata, and their moments, less the share of the squares that goes with trends."""
    total, squares = sums_within(scores, strata)
    moments = Moments(*(np.empty((strata.n, scores.n_genes)) for _ in Moments._fields))
    kernels.moments(
        scores.cells, scores.offsets, scores.indptr, total[: strata.n],
        strata.labels, strata.sizes(), LEAST_WITHIN, *moments,
    )  # fmt: skip
    of_trends = (total[strata.n :] ** 2).sum(axis=0)
    left = squares / np.maximum(squares + of_trends, np.finfo(float).tiny)
    spread, third, fourth, less = moments
    return total, Moments(spread * left, third * (left * np.sqrt(left)), fourth * left**2, less * left**2)


def signed_information(
    ranks: Ranks, strata: Strata, regulators: NDArray[np.intp], n_threads: int
) -> NDArray[np.float64]:
    """Signed information (n_regulators, n_genes) in nats within strata, NaN on self."""
    x = code_scores(ranks.genes(regulators))
    factor, x_sums, room = _Factor.of(x), sums_within(x, strata), _Room()
    mi = np.empty((len(regulators), ranks.n_genes))

    def fill(tile: slice) -> None:
        y = code_scores(ranks.genes(tile))
        kernels.signed_information(
            factor.products(y, room), x_sums, sums_within(y, strata), LEAST_UNEXPLAINED, tile.start, mi
        )

    _sweep(fill, ranks, len(regulators), n_threads)
    mi[np.arange(len(regulators)), regulators] = np.nan
    return mi


def score(
    ranks: Ranks, depth: Depth, regulators: NDArray[np.intp], n_threads: int, *, at_most: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Information (n_regulators, n_genes) and two-sided natural log of p; p above ``at_most`` may be given as 1.

    Over all permutations of the cells within strata of depth, the sum of products of the scores of two genes, less its
    mean and over its standard deviation, is :math:`T` with a skewness :math:`g` and an excess kurtosis :math:`k` that
    follow from the scores (Pitman 1937, doi:10.2307/2983647). With :math:`u = gT`, its tails fall about as
    :math:`e^{-d}`,

    .. math:: d = \frac{(1 + u) \ln(1 + u) - u}{g^2} + \frac{(g^2 - k) T^4}{24 (1 + |u|)}.

    The first term is that of a normal for genes without skewness, of a Poisson where rare genes meet by chance, and
    ends where they never meet; the second brings in the kurtosis, at most a fifth of the first. p is that of a normal
    beyond :math:`\sqrt{2d}`, doubled unless the other side does not reach as far. Fewer than 4 cells give p = 1.
    """
    x = code_scores(ranks.genes(regulators))
    factor, x_sums, room = _Factor.of(x), sums_within(x, depth.technical), _Room()
    x_total, x_moments = moments_within(x, depth.whole)
    mi, log_p = (np.empty((len(regulators), ranks.n_genes)) for _ in range(2))
    least = float(ndtri(min(at_most, 0.5))) ** 2 / 2 if ranks.n_cells >= LEAST_CELLS else np.inf

    def fill(tile: slice) -> None:
        y = code_scores(ranks.genes(tile))
        products = factor.products(y, room)
        y_total, y_moments = moments_within(y, depth.whole)
        y_sums = sums_within(y, depth.technical)
        kernels.signed_information(products, x_sums, y_sums, LEAST_UNEXPLAINED, tile.start, mi)
        kernels.permutation_log_pvalues(
            products, x_total, x_moments, y_total, y_moments, MOST_CORRECTION, least, tile.start, log_p
        )

    _sweep(fill, ranks, len(regulators), n_threads)
    mi[np.arange(len(regulators)), regulators] = np.nan
    log_p[np.isnan(mi)] = np.nan
    return np.abs(mi, out=mi), log_p


def _sweep(fill: Callable[[slice], None], ranks: Ranks, n_regulators: int, n_threads: int) -> None:
    """Call ``fill`` on tiles of genes."""
    with one_blas_thread():
        run(fill, ranks.n_genes, genes_per_task(n_regulators, ranks.n_cells), n_threads)


def _density(scores: Scores) -> float:
    return len(scores.cells) / max(scores.n_genes * scores.n_cells, 1)


def _by_gene(scores: Scores) -> sp.csr_array:
    return sp.csr_array((scores.offsets, scores.cells, scores.indptr), shape=(scores.n_genes, scores.n_cells))


class _Room(local):
    """An array of each thread: one for every tile would be new pages from the system each time."""

    def __init__(self) -> None:
        self._values = np.empty(0)

    def of(self, n_rows: int, n_columns: int) -> NDArray[np.float64]:
        """Room for so many values."""
        if self._values.size < n_rows * n_columns:
            self._values = np.empty(n_rows * n_columns)
        return self._values[: n_rows * n_columns].reshape(n_rows, n_columns)


class _Factor(NamedTuple):
    """Genes laid out for products with others: by cell, and dense where that may be faster."""

    scores: Scores
    genes: NDArray[np.int32]
    offsets: NDArray[np.float64]
    indptr: NDArray[np.int64]
    dense: NDArray[np.float64] | None

    @classmethod
    def of(cls, scores: Scores) -> _Factor:
        """Lay out genes."""
        by_gene = _by_gene(scores)
        by_cell = by_gene.tocsc()
        dense = scores.n_genes * scores.n_cells <= MOST_DENSE and _density(scores) > DENSE_PAIRS
        return cls(
            scores, by_cell.indices.astype(np.int32), by_cell.data, by_cell.indptr.astype(np.int64),
            by_gene.toarray() if dense else None,
        )  # fmt: skip

    def products(self, y: Scores, room: _Room) -> NDArray[np.float64]:
        """Sums over cells of the products of scores: (y, x), in room that is used again by the next call."""
        if self.dense is not None and _density(self.scores) * _density(y) > DENSE_PAIRS:
            return np.asarray(_by_gene(y).toarray() @ self.dense.T)
        products = room.of(y.n_genes, self.scores.n_genes)
        kernels.sparse_products(self.genes, self.offsets, self.indptr, y.cells, y.offsets, y.indptr, products)
        return products
