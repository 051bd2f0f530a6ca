"""Means and standard deviations of genes over resampled reference cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR

NO_SPREAD = 1e-12
"""A variance that is a smaller share of the mean square is rounding."""


def drawn_with_replacement(n_cells: int, n_samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each cell is in each of the samples of as many cells, samples x cells."""
    return rng.multinomial(n_cells, np.full(n_cells, 1 / n_cells), n_samples).astype(np.float64)


def left_out(n_cells: int, n_samples: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """One cell of each sample, each as often as any other, and how often the others are drawn, with replacement."""
    cells = np.concatenate([rng.permutation(n_cells) for _ in range(-(-n_samples // n_cells))])[:n_samples]
    drawn = drawn_with_replacement(n_cells - 1, n_samples, rng)
    counts = np.zeros((n_samples, n_cells))
    for sample, cell in enumerate(cells):
        counts[sample, np.delete(np.arange(n_cells), cell)] = drawn[sample]
    return cells, counts


class ResampledMoments:
    """Sums over blocks of cells of x and x squared, each cell as often as it is in the sample."""

    def __init__(self, counts: NDArray[np.float64], n_genes: int) -> None:
        self._counts, self._seen = counts, 0
        self._sums, self._squares = (np.zeros((len(counts), n_genes)) for _ in range(2))

    def add(self, block: CSR) -> None:
        """Take in the next cells."""
        counts = self._counts[:, self._seen : self._seen + block.n_rows].T
        shape = block.n_rows, block.n_columns
        self._sums += (sp.csr_array((block.data, block.indices, block.indptr), shape=shape).T @ counts).T
        self._squares += (sp.csr_array((block.data**2, block.indices, block.indptr), shape=shape).T @ counts).T
        self._seen += block.n_rows

    def mean_and_sd(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of each gene in each sample, with n - 1 degrees of freedom; the sd of a constant gene is NaN."""
        n = self._counts.sum(axis=1, keepdims=True)
        mean = self._sums / n
        deviance = self._squares - self._sums * mean
        deviance[deviance <= NO_SPREAD * self._squares] = np.nan
        return mean, np.sqrt(deviance / (n - 1))
