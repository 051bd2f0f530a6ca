"""Which regulators depend differently on the other genes in two groups of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from pysces._csr import CSR, as_csr
from pysces._infer import _rewiring_kernels as kernels
from pysces._infer.copula import code_scores
from pysces._infer.correlation import sums_within
from pysces._infer.ranks import rank_genes
from pysces._parallel import blocks, run
from pysces._random import child

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pysces._infer.depth import Strata

NOISE = 4.0
"""A square of t up to this counts nothing. In simulated cells 1 to 4 told rewired regulators apart best, of 0 to 16."""
LEAST_DETECTED = 20
"""Cells. Scores of genes of fewer depend on how few there are in each group, which shuffled cells do not keep."""
REGULATORS_PER_BLOCK = 64
"""Their scores are dense: 512 bytes per cell."""


def equally_expressed(a: CSR, b: CSR, seed: np.random.SeedSequence) -> tuple[CSR, CSR]:
    """Counts of two groups, genes as rows, each gene thinned to its mean in the group where that is lower.

    The fewer the counts, the less closely they follow expression, and the weaker the same dependence looks. Counts of
    which each is kept with the same probability are distributed like those of less expression.
    """
    mean_a, mean_b = (_matrix(x).sum(axis=1) / x.n_columns for x in (a, b))
    lower = np.minimum(mean_a, mean_b)
    return _thinned(a, lower, mean_a, child(seed, 0)), _thinned(b, lower, mean_b, child(seed, 1))


class Residuals(NamedTuple):
    """Normal scores of genes within strata, with variance 1: ``offsets`` (genes x cells) less ``centres``.

    ``centres`` is genes x strata, and ``labels`` has the stratum of every cell. Genes that do not vary within strata or
    are detected in too few cells are 0.
    """

    offsets: CSR
    centres: NDArray[np.float64]
    labels: NDArray[np.int32]
    varies: NDArray[np.bool_]

    @classmethod
    def of(cls, genes: CSR, strata: Strata, n_threads: int) -> Self:
        """Residuals of values, genes as rows."""
        scores = code_scores(rank_genes(genes, n_threads))
        total, squares = sums_within(scores, strata)
        varies = (squares > 0) & (np.diff(scores.indptr) >= LEAST_DETECTED)
        scale = np.sqrt(np.divide(scores.n_cells, squares, out=np.zeros_like(squares), where=varies))
        centres = total / np.sqrt(np.maximum(strata.sizes(), 1))[:, None] * scale
        offsets = scores.offsets * np.repeat(scale, np.diff(scores.indptr))
        return cls(
            CSR(offsets, scores.cells, scores.indptr, scores.n_cells), np.ascontiguousarray(centres.T), strata.labels,
            varies,
        )  # fmt: skip

    def beside(self, other: Residuals) -> Residuals:
        """The same genes in these cells and then in the others; those that vary on one side only are 0."""
        varies = self.varies & other.varies
        offsets = sp.hstack([sp.diags_array(varies * 1.0) @ _matrix(x.offsets) for x in (self, other)], format="csr")
        offsets.sort_indices()
        offsets.eliminate_zeros()
        return Residuals(
            CSR(offsets.data, offsets.indices.astype(np.int32), offsets.indptr.astype(np.int64), offsets.shape[1]),
            np.hstack([self.centres, other.centres]) * varies[:, None],
            np.concatenate([self.labels, other.labels + np.int32(self.centres.shape[1])]),
            varies,
        )

    def dense(self, genes: NDArray[np.intp]) -> NDArray[np.float64]:
        """Some genes, cells x genes."""
        return np.ascontiguousarray((_matrix(self.offsets)[genes].toarray() - self.centres[genes][:, self.labels]).T)


class Pairs(NamedTuple):
    """All genes with some regulators, ``e`` of which is dense; sums over the cells: genes x regulators."""

    residuals: Residuals
    regulators: NDArray[np.intp]
    e: NDArray[np.float64]
    products: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, residuals: Residuals, regulators: NDArray[np.intp]) -> Self:
        """Pairs of all genes with ``regulators``."""
        offsets, centres, labels, varies = residuals
        e = residuals.dense(regulators)
        sums = np.empty((2, len(varies), len(regulators)))
        kernels.all_product_sums(offsets.indices, offsets.data, offsets.indptr, centres, labels, e, *sums)
        return cls(residuals, regulators, e, *sums)

    def t(self, inside: NDArray[np.bool_], *, whole_groups: bool = False) -> NDArray[np.float64]:
        """Welch's t of the products in the cells inside against those in the others: genes x regulators.

        In ``whole_groups`` the means of all strata are taken out, each of which costs a degree of freedom. Shuffled
        cells keep what the others had.
        """
        offsets, centres, labels, _ = self.residuals
        t = np.empty_like(self.products)
        taken = [len(np.unique(labels[of])) if whole_groups else 1 for of in (inside, ~inside)]
        free = np.array([inside.sum(), (~inside).sum()]) - np.array(taken, dtype=np.float64)
        kernels.differences(
            offsets.indices, offsets.data, offsets.indptr, centres, labels, self.e, self.regulators,
            inside, self.products, self.squares, free, t,
        )  # fmt: skip
        return t


class Rewiring(NamedTuple):
    """Statistics and log p-values of regulators."""

    statistic: NDArray[np.float64]
    log_p: NDArray[np.float64]


def differences(
    a: Residuals, b: Residuals, sources: NDArray[np.intp], targets: NDArray[np.intp], n_threads: int
) -> NDArray[np.float64]:
    """Welch's t of the products of each source and target in the cells of ``a`` against those of ``b``."""
    both, (inside, sign) = a.beside(b), _smaller(len(a.labels), len(b.labels))
    regulators, source = np.unique(sources, return_inverse=True)
    t = np.empty(len(sources))

    def fill(block: slice) -> None:
        own = np.flatnonzero((source >= block.start) & (source < block.stop))
        of_block = Pairs.of(both, regulators[block]).t(inside, whole_groups=True)
        t[own] = sign * of_block[targets[own], source[own] - block.start]

    run(fill, len(regulators), REGULATORS_PER_BLOCK, n_threads)
    return t


def rewiring(
    a: Residuals,
    b: Residuals,
    regulators: NDArray[np.intp],
    n_permutations: int,
    seed: np.random.SeedSequence,
    n_threads: int,
    on_done: Callable[[int], object] | None = None,
) -> Rewiring:
    """Sum over all other genes of the squares of t beyond ``NOISE``, against cells of both groups that are shuffled.

    ``on_done`` is called with every number of regulators that was compared in shuffled cells, from several threads.
    """
    both, (inside, _) = a.beside(b), _smaller(len(a.labels), len(b.labels))
    statistics = np.empty((n_permutations + 1, len(regulators)))
    for block in blocks(len(regulators), REGULATORS_PER_BLOCK):
        pairs = Pairs.of(both, regulators[block])
        statistics[0, block] = _beyond_noise(pairs.t(inside, whole_groups=True))

        def permute(draws: slice, pairs: Pairs = pairs, block: slice = block) -> None:
            for draw in range(draws.start, draws.stop):
                shuffled = np.random.default_rng(child(seed, draw)).permutation(inside)
                statistics[1 + draw, block] = _beyond_noise(pairs.t(shuffled))
                if on_done is not None:
                    on_done(block.stop - block.start)

        run(permute, n_permutations, 1, n_threads)
    return Rewiring(statistics[0], log_pvalues(statistics))


def _smaller(n_a: int, n_b: int) -> tuple[NDArray[np.bool_], int]:
    """Cells of the smaller group, which are summed over, and the sign that makes a difference one of a less b."""
    in_a = np.arange(n_a + n_b) < n_a
    return (in_a, 1) if n_a <= n_b else (~in_a, -1)


def _beyond_noise(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.maximum(t * t - NOISE, 0).sum(axis=0))


def log_pvalues(statistics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log p-values of the first row, observed, among all rows; columns are regulators.

    Each value counts in standard deviations of its column, and p is the share of all values of the table that are as
    large. The observed row is treated like every other: it takes part in the means, the deviations and the pool. Rows
    that are exchangeable therefore have p-values that hold, over all regulators, to the last one in the table.
    """
    spread = statistics.std(axis=0)
    spread[spread == 0] = 1
    z = (statistics - statistics.mean(axis=0)) / spread
    pool = np.sort(z, axis=None)
    n_as_large = len(pool) - np.searchsorted(pool, z[0])
    return np.asarray(np.log(n_as_large / len(pool)))


def _matrix(x: CSR) -> sp.csr_array:
    return sp.csr_array((x.data, x.indices, x.indptr), shape=(x.n_rows, x.n_columns))


def _thinned(counts: CSR, lower: NDArray[np.float64], mean: NDArray[np.float64], seed: np.random.SeedSequence) -> CSR:
    kept = np.divide(lower, mean, out=np.ones_like(mean), where=mean > 0)
    each = np.repeat(kept, np.diff(counts.indptr))
    left = np.random.default_rng(seed).binomial(counts.data.astype(np.int64), each)
    return as_csr(_matrix(counts._replace(data=left.astype(np.float64))))
