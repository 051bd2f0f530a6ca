"""Mutual information of a Gaussian copula: from the correlation of normal scores, with its sign.

Normal scores are rounded to multiples of a power of two, so small that rho moves by less than 1e-7 (1e-6 for genes of
a few cells), and so large that all sums of products are whole numbers below 2^53: exact in any order, in sparse loops
and in BLAS, on any machine.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.special import ndtri

from pysces._infer import _copula_kernels as kernels
from pysces._infer.correlation import Scores, rank_scores
from pysces._infer.information import genes_per_task
from pysces._infer.ranks import GENES_PER_BLOCK
from pysces._parallel import one_blas_thread, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.ranks import Ranks

ROWS_PER_TASK = 16
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


def signed_information(ranks: Ranks, regulators: NDArray[np.intp], n_threads: int) -> NDArray[np.float64]:
    """Signed information (n_regulators, n_genes) in nats, NaN on self."""
    factor = _Factor.of(code_scores(ranks.genes(regulators)))
    mi = np.empty((len(regulators), ranks.n_genes))

    def fill(tile: slice) -> None:
        factor.fill(code_scores(ranks.genes(tile)), tile.start, mi)

    with one_blas_thread():
        run(fill, ranks.n_genes, genes_per_task(len(regulators), ranks.n_cells), n_threads)
    mi[np.arange(len(regulators)), regulators] = np.nan
    return mi


def moments(ranks: Ranks, n_threads: int) -> NDArray[np.float64]:
    """What the distribution of a gene's correlations over permutations needs of its scores: (2, n_genes)."""
    found = np.zeros((2, ranks.n_genes))
    if ranks.n_cells < LEAST_CELLS:
        return found

    def fill(block: slice) -> None:
        scores = code_scores(ranks.genes(block))
        kernels.moments(
            scores.offsets, scores.indptr, scores.total, scores.squares, scores.n_cells,
            found[0, block], found[1, block],
        )  # fmt: skip

    run(fill, ranks.n_genes, GENES_PER_BLOCK, n_threads)
    return found


def log_pvalues(
    mi: NDArray[np.float64],
    x_moments: NDArray[np.float64],
    y_moments: NDArray[np.float64],
    n_cells: int,
    n_threads: int,
    *,
    at_most: float = 1.0,
) -> NDArray[np.float64]:
    r"""Two-sided natural log of p of signed information; p above ``at_most`` may be given as 1.

    Over all permutations of the cells, :math:`T = \rho \sqrt{n - 1}` has mean 0, variance 1 and a skewness
    :math:`g` and excess kurtosis :math:`k` that follow from the scores of the two genes (Pitman 1937,
    doi:10.2307/2983647). With :math:`u = gT`, its tails fall about as :math:`e^{-d}`,

    .. math:: d = \frac{(1 + u) \ln(1 + u) - u}{g^2} + \frac{(g^2 - k) T^4}{24 (1 + |u|)}.

    The first term is that of a normal for genes without skewness, of a Poisson where rare genes meet by chance, and
    ends where they never meet; the second brings in the kurtosis, at most a fifth of the first. p is that of a normal
    beyond :math:`\sqrt{2d}`, doubled unless the other side does not reach as far. Fewer than 4 cells give p = 1.
    """
    if n_cells < LEAST_CELLS:
        return np.where(np.isnan(mi), np.nan, 0.0)
    log_p = np.empty_like(mi)
    least = float(ndtri(min(at_most, 0.5))) ** 2 / 2

    def fill(block: slice) -> None:
        of_rows = np.ascontiguousarray(x_moments[:, block])
        kernels.permutation_log_pvalues(mi[block], of_rows, y_moments, n_cells, MOST_CORRECTION, least, log_p[block])

    run(fill, len(mi), ROWS_PER_TASK, n_threads)
    return log_p


def _density(scores: Scores) -> float:
    return len(scores.cells) / max(scores.n_genes * scores.n_cells, 1)


def _by_gene(scores: Scores) -> sp.csr_array:
    return sp.csr_array((scores.offsets, scores.cells, scores.indptr), shape=(scores.n_genes, scores.n_cells))


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

    def fill(self, y: Scores, offset: int, mi: NDArray[np.float64]) -> None:
        """Write the information with ``y`` to the columns of ``mi`` from ``offset`` on."""
        x = self.scores
        if self.dense is not None and _density(x) * _density(y) > DENSE_PAIRS:
            products = _by_gene(y).toarray() @ self.dense.T
        else:
            products = np.empty((y.n_genes, x.n_genes))
            kernels.sparse_products(self.genes, self.offsets, self.indptr, y.cells, y.offsets, y.indptr, products)
        kernels.signed_information(
            products, x.n_cells, x.total, x.squares, y.total, y.squares, LEAST_UNEXPLAINED, offset, mi
        )
