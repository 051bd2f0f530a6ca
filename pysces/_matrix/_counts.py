"""Counts, as they are or behind log1p of values normalised by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR

TOLERANCE, RELATIVE_TOLERANCE = 0.03, 0.002
"""How far from a whole number a count may come back where values were stored with few digits."""
BELOW, LEAST_BELOW = 25.0, 0.5
"""Counts that much larger than the smallest of their cell are not looked at; they must be fewer than the others."""
MOST_LOG = 30.0
"""No count per cell has a larger logarithm."""
MOST_SMALLEST = 10
"""The smallest count of a cell may be up to this."""


def counts_of(columns: CSR, n_cells: int) -> CSR | None:
    """Counts of the same cells and genes, if the values are counts or log1p of counts times a factor of each cell.

    A cell's factor is found from its smallest value, which is a count of 1, or of a few if the others are not whole
    multiples of it.
    """
    values = columns.data
    if values.size and values.min() < 0:
        return None
    if (values == np.rint(values)).all():
        return columns
    if values.max() > MOST_LOG or len(values) < 2 * len(np.unique(columns.indices)):
        return None  # with one value in a cell, any would do
    scaled = np.expm1(values)
    smallest = np.full(n_cells, np.inf)
    np.minimum.at(smallest, columns.indices, scaled)
    counts = scaled / smallest[columns.indices]
    looked_at = counts < BELOW
    if looked_at.mean() < LEAST_BELOW:
        return None
    tolerance = np.where(looked_at, np.maximum(TOLERANCE, RELATIVE_TOLERANCE * counts), 1.0)
    broken = _broken(counts, tolerance, columns, n_cells)
    for times in range(2, MOST_SMALLEST + 1):
        if not broken.any():
            break
        counts[broken[columns.indices]] *= times / (times - 1)
        broken = _broken(counts, tolerance, columns, n_cells)
    return None if broken.any() else columns._replace(data=np.rint(counts))


def _broken(
    counts: NDArray[np.float64], tolerance: NDArray[np.float64], columns: CSR, n_cells: int
) -> NDArray[np.bool_]:
    """Cells in which a count is further from a whole number than it may be."""
    far = np.abs(counts - np.rint(counts)) > tolerance
    return np.bincount(columns.indices[far], minlength=n_cells) > 0
