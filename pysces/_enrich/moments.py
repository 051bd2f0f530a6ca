"""Mean and standard deviation of genes, from sparse blocks of cells, to the last bit the same in any order of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces._enrich import _moment_kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR


class Moments:
    """Running sums of x and x squared per gene, in doubled precision."""

    def __init__(self, n_genes: int) -> None:
        self.n_genes, self.n_cells = n_genes, 0
        self._sums = np.zeros((n_genes, 2))
        self._squares = np.zeros((n_genes, 2))

    def add(self, block: CSR) -> None:
        """Take in the cells of a block."""
        kernels.add_moments(block.data, block.indices, block.indptr[0], block.indptr[-1], self._sums, self._squares)
        self.n_cells += block.n_rows

    def merge(self, other: Moments) -> None:
        """Take in the cells of other moments."""
        for own, more in ((self._sums, other._sums), (self._squares, other._squares)):
            own[:, 0], error = _two_sum(own[:, 0], more[:, 0])
            own[:, 1] += error + more[:, 1]
        self.n_cells += other.n_cells

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of each gene."""
        return (self._sums[:, 0] + self._sums[:, 1]) / self.n_cells

    @property
    def deviance(self) -> NDArray[np.float64]:
        """Sum of squared deviations from the mean; 0 for a constant gene, whose sums leave a residue below 1e-24."""
        total, low = _two_sum(self._sums[:, 0], self._sums[:, 1])
        squares, squares_low = _two_sum(self._squares[:, 0], self._squares[:, 1])
        square, error = _two_product(total, total)
        error = error + 2.0 * total * low
        quotient = square / self.n_cells
        back, back_error = _two_product(quotient, np.float64(self.n_cells))
        rest = ((square - back) - back_error + error) / self.n_cells
        high, rounding = _two_sum(squares, -quotient)
        deviance = high + (rounding + (squares_low - rest))
        return np.where(deviance <= 1e-24 * squares, 0.0, deviance)

    @property
    def sd(self) -> NDArray[np.float64]:
        """Standard deviation with n - 1 degrees of freedom."""
        return np.sqrt(self.deviance / (self.n_cells - 1))


def _two_sum(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and its rounding error (Knuth)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _two_product(
    a: NDArray[np.float64], b: NDArray[np.float64] | np.float64
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Product and its rounding error (Dekker)."""
    product = a * b
    a_high, b_high = (134217729.0 * v - (134217729.0 * v - v) for v in (a, b))
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error
