"""Signatures of a group of cells against a reference, with labels shuffled and with cells drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.special import betainc, erfinv, ndtri_exp

from pysces._csr import as_csc
from pysces._enrich import _contrast_kernels as kernels
from pysces._enrich.labellings import labellings
from pysces._enrich.moments import Moments
from pysces._enrich.signatures import without_rounding
from pysces._enrich.tails import log_p_of_t
from pysces._parallel import blocks, run
from pysces._random import child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from pysces._csr import CSR

    type Reader = Callable[[], Iterable[CSR]]

DRAWS_PER_PASS, GENES_PER_TASK = 256, 256
LEAST_WITHIN = 1e-12
"""The variance within groups, as a share of all, is known to this; so t stays finite where groups do not overlap."""


class Contrast:
    """Two-sample t of every gene that varies, with pooled variance, as a normal score.

    The readers give the cells of the group and of the reference in blocks, as often as they are called.
    """

    def __init__(self, group: Reader, reference: Reader, n_genes: int) -> None:
        pooled, own = Moments(n_genes), Moments(n_genes)
        for block in group():
            pooled.add(block)
            own.add(block)
        for block in reference():
            pooled.add(block)
        self._group, self._reference, self._n_genes = group, reference, n_genes
        self.n_group, self.n_reference = own.n_cells, pooled.n_cells - own.n_cells
        self.freedom = pooled.n_cells - 2
        deviance = pooled.deviance
        self.genes = np.flatnonzero(deviance > 0)
        """Genes that have a signature, among those read."""
        self._mean, self._deviance = pooled.mean[self.genes], deviance[self.genes]
        shift = own.mean[self.genes] - self._mean
        between = shift**2 * (self.n_group * (self.n_group + self.n_reference) / self.n_reference)
        within = np.maximum(self._deviance - between, LEAST_WITHIN * self._deviance)
        self.z = normal_score(self._t(shift, between, within), self.freedom)
        """Normal score of each of these genes, positive where the group is higher."""

    def shuffled(self, n_draws: int, seed: np.random.SeedSequence, n_threads: int) -> Iterator[NDArray[np.float64]]:
        """Signatures with shuffled labels, draws x genes; correlations, which are ordered as t is."""
        n_cells = self.n_group + self.n_reference

        def drawn() -> Iterator[NDArray[np.int32]]:
            for draws in blocks(n_draws, DRAWS_PER_PASS):
                weights = np.zeros((n_cells, draws.stop - draws.start), np.int32)
                for column, draw in enumerate(range(draws.start, draws.stop)):
                    order = np.random.default_rng(child(seed, draw)).permutation(n_cells)
                    weights[order[: self.n_group], column] = 1
                yield weights

        return self._labelled(drawn(), n_threads)

    def every_labelling(self, n_threads: int) -> Iterator[NDArray[np.float64]]:
        """Signatures with all labellings, the observed one first, as :meth:`shuffled` gives them."""
        members = labellings(self.n_group, self.n_reference)
        parts = (members[part] for part in blocks(len(members), DRAWS_PER_PASS))
        return self._labelled((np.ascontiguousarray(part.T, np.int32) for part in parts), n_threads)

    def _labelled(self, labels: Iterable[NDArray[np.int32]], n_threads: int) -> Iterator[NDArray[np.float64]]:
        """Signatures with other labels, each a column that is 1 in the cells of the group."""
        scale = np.sqrt(self._deviance)
        for weights in labels:
            sums = np.zeros((self._n_genes, weights.shape[1]))
            first = 0
            for reader in (self._group, self._reference):
                for block in reader():
                    _add(_genes_of(block), weights[first : first + block.n_rows], sums, n_threads)
                    first += block.n_rows
            yield without_rounding(((sums[self.genes].T / self.n_group) - self._mean) / scale)

    def resampled(self, n_draws: int, seed: np.random.SeedSequence, n_threads: int) -> Iterator[NDArray[np.float64]]:
        """Signatures (t) of cells drawn with replacement within groups, draws x genes; 0 where a gene is constant."""
        for draws in blocks(n_draws, DRAWS_PER_PASS):
            rngs = [np.random.default_rng(child(seed, draw)) for draw in range(draws.start, draws.stop)]
            mean, squares = self._resampled_means(self._group, self.n_group, rngs, n_threads)
            other_mean, other_squares = self._resampled_means(self._reference, self.n_reference, rngs, n_threads)
            within = squares - self.n_group * mean**2 + other_squares - self.n_reference * other_mean**2
            share = self.n_reference / (self.n_group + self.n_reference)
            shift = (mean - other_mean) * share
            between = shift**2 * (self.n_group / share)
            total = np.maximum(within, 0.0) + between
            constant = total <= LEAST_WITHIN * (squares + other_squares)
            within = np.maximum(within, LEAST_WITHIN * total)
            with np.errstate(invalid="ignore"):
                yield np.where(constant, 0.0, self._t(shift, between, within))

    def _t(
        self, shift: NDArray[np.float64], between: NDArray[np.float64], within: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Student's t from the distance of the group to the mean and the squared deviations between and within."""
        return without_rounding(np.sign(shift) * np.sqrt(self.freedom * between / within))

    def _resampled_means(
        self, reader: Reader, n_cells: int, rngs: list[np.random.Generator], n_threads: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and sum of squares of each gene in each draw, draws x genes."""
        draws = [np.bincount(rng.integers(n_cells, size=n_cells), minlength=n_cells) for rng in rngs]
        weights = np.stack(draws, axis=1).astype(np.int32)
        sums, squares = np.zeros((2, self._n_genes, len(rngs)))
        first = 0
        for block in reader():
            own, genes = weights[first : first + block.n_rows], _genes_of(block)
            _add(genes, own, sums, n_threads)
            _add(genes._replace(data=genes.data**2), own, squares, n_threads)
            first += block.n_rows
        return sums[self.genes].T / n_cells, squares[self.genes].T


def _genes_of(block: CSR) -> CSR:
    """The block with genes as rows."""
    return as_csc(sp.csr_array((block.data, block.indices, block.indptr), shape=(block.n_rows, block.n_columns)))


def _add(genes: CSR, weights: NDArray[np.int32], sums: NDArray[np.float64], n_threads: int) -> None:
    def add(some: slice) -> None:
        indptr = genes.indptr[some.start : some.stop + 1]
        kernels.add_weighted(genes.data, genes.indices, indptr, weights, sums[some])

    run(add, genes.n_rows, GENES_PER_TASK, n_threads)


def normal_score(t: NDArray[np.float64], freedom: int) -> NDArray[np.float64]:
    """Standard normal values with the tail probabilities of Student's t; finite and in order however large t is."""
    size, square = np.abs(t), t**2
    log_p = log_p_of_t(t, np.full(t.shape, float(freedom))) - np.log(2)
    near = np.sqrt(2) * erfinv(betainc(0.5, freedom / 2, square / (freedom + square)))  # keeps its digits close to 0
    score: NDArray[np.float64] = np.copysign(np.where(size < 1, near, -ndtri_exp(log_p)), t)
    return score
