"""What the values of X are, and how many counts a cell has.

Counts may stand there as they are, times a factor of each cell (normalised), or behind the logarithm of 1 + either, to
any base. Fractional counts, such as those less what is ambient, have their sum as depth and are left as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse as sp

from pysces._csr import as_csr
from pysces._matrix._read import CELLS_PER_BLOCK
from pysces._parallel import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR

TOLERANCE, RELATIVE_TOLERANCE = 0.03, 0.002
"""How far from a whole number a count may come back where values were stored with few digits."""
BELOW, LEAST_BELOW = 25.0, 0.5
"""Counts that much larger than the smallest of their cell are not looked at; they must be fewer than the others."""
ROUNDING = 2e-5
"""Of logarithms in float32, as a share of the count."""
MOST_LOG = 30.0
"""No count per cell has a larger logarithm."""
MOST_SMALLEST = 10
"""The smallest count of a cell may be up to this."""
NAMED_BASES = {1.0: "e", float(np.log(2)): "2", float(np.log(10)): "10"}
"""By their natural logarithm."""
CELLS_FOR_BASE = 100
LEAST_GAP = 1e-3
"""Values that are closer, relatively, are one."""
WHOLE_BASE = 0.02
"""A base that comes out so close to a whole number, relatively, is it."""
MOST_FALL = -0.4
"""Correlation with the number of genes detected below which values were divided by the depth: -0.6 and less on real
cells; 0.05 and more for counts of any kind."""
MANY_DETECTED, LEAST_RISE = 200, 0.6
"""With fewer genes detected in the median cell, such as those of a panel, the correlation of values divided by the
depth is between -0.9 and 0.6 on real cells, that of counts between -0.9 and 0.9."""
LEAST_SPREAD = 1e-3
"""Relative standard deviation of sums that were not made the same."""
FRACTIONAL, UNKNOWN = "sum of values", "unknown"


class Scale(NamedTuple):
    """What values are, and how counts come back: a value over the unit of its cell, after the logarithm is undone."""

    source: str
    log_base: float = 0.0
    """Natural logarithm of the base, 0 of values that are no logarithms."""
    units: NDArray[np.float64] | None = None
    """None where no counts come back."""


class Counts(NamedTuple):
    """Counts of the same cells and genes as some values, if they hold any, and what the values are."""

    values: CSR | None
    source: str


def counts_of(columns: CSR, n_cells: int) -> Counts:
    """Counts of genes, given as columns; of fractional counts the values as they are.

    What the values are is ``"counts"``; ``"normalised counts"``, ``"log of counts, base 2"``, ``"log of normalised
    counts, base e"`` and the like where counts come back; ``"sum of values"`` of fractional counts, whose sum is the
    depth of a cell; or ``"unknown"``.
    """
    if columns.data.min(initial=0.0) < 0:
        return Counts(None, UNKNOWN)
    if (columns.data == np.rint(columns.data)).all():
        return Counts(columns, "counts")
    scale = _scale_of(columns, n_cells)
    if scale.units is None:
        return Counts(columns if scale.source == FRACTIONAL else None, scale.source)
    counts = unlogged(columns.data, scale.log_base) / scale.units[columns.indices]
    return Counts(columns._replace(data=np.rint(counts, out=counts)), scale.source)


def _scale_of(columns: CSR, n_cells: int) -> Scale:
    """What values that are not all whole numbers are, from blocks of cells."""
    by_cell = sp.csc_array((columns.data, columns.indices, columns.indptr), shape=(n_cells, columns.n_rows)).tocsr()
    rows = as_csr(by_cell)
    sums, mean_logs = np.empty(n_cells), np.empty(n_cells)
    detected = np.diff(rows.indptr).astype(np.float64)
    forms: list[_Form] | None = None
    before: list[_Cells] = []
    for block in blocks(n_cells, CELLS_PER_BLOCK):
        part = rows.rows(block)
        cells = _Cells.of(part)
        sums[block] = cells.sums(part.data)
        mean_logs[block] = cells.sums(np.log(part.data)) / np.maximum(detected[block], 1.0)
        if forms is None and not part.data.size:
            before.append(cells)
            continue
        if forms is None:
            forms = _forms(part.data, cells)
            for form in forms:
                for empty in before:
                    form.add(part.data[:0], empty)
        forms = [form for form in forms if form.add(part.data, cells)]
    for form in forms or []:
        if form.holds():
            return Scale(form.name, form.log_base, np.concatenate(form.units))
    return Scale(FRACTIONAL if _are_fractional(sums, detected, mean_logs) else UNKNOWN)


class _Cells(NamedTuple):
    """Where the values of cells begin, of those that have any."""

    n: int
    detected: NDArray[np.intp]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, block: CSR) -> _Cells:
        """Those of a block."""
        lengths = np.diff(block.indptr)
        detected = np.flatnonzero(lengths)
        return cls(block.n_rows, detected, block.indptr[detected], lengths[detected])

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of each."""
        total = np.zeros(self.n)
        if len(values):
            total[self.detected] = np.add.reduceat(values, self.starts)
        return total

    def spread[T: np.generic](self, numbers: NDArray[T]) -> NDArray[T]:
        """A number of each that has values, for every value."""
        return np.repeat(numbers, self.lengths)


class _Form:
    """A way in which values may follow from counts; ``unit`` 1, or None: that of each cell is found.

    A cell's unit is its smallest value, which is a count of 1, or of a few if the others are not whole multiples of it.
    """

    def __init__(self, name: str, log_base: float, unit: float | None) -> None:
        self.name, self.log_base, self.unit = name, log_base, unit
        self.units: list[NDArray[np.float64]] = []
        self._n_values = self._n_looked_at = self._n_cells = self._n_with_one = 0

    def add(self, values: NDArray[np.float64], cells: _Cells) -> bool:
        """Whether the values of more cells are of this form."""
        if self.log_base and values.max(initial=0.0) * self.log_base > MOST_LOG:
            return False
        values = unlogged(values, self.log_base)
        unit = np.minimum.reduceat(values, cells.starts) if len(values) else np.empty(0)
        if self.unit is not None:
            unit = np.full_like(unit, self.unit)
        counts = values / cells.spread(unit)
        looked_at = counts < (BELOW if self.unit is None else np.inf)
        relative = RELATIVE_TOLERANCE if self.unit is None else ROUNDING
        tolerance = np.where(looked_at, np.maximum(TOLERANCE, relative * counts), 1.0)
        broken = _broken(counts, tolerance, cells)
        for times in range(2, MOST_SMALLEST + 1 if self.unit is None else 2):
            if not broken.any():
                break
            counts[cells.spread(broken)] *= times / (times - 1)
            unit[broken] *= (times - 1) / times
            broken = _broken(counts, tolerance, cells)
        if broken.any():
            return False
        self._n_values, self._n_cells = self._n_values + len(values), self._n_cells + len(unit)
        self._n_looked_at += int(looked_at.sum())
        self._n_with_one += int((np.minimum.reduceat(counts, cells.starts) < 1 + TOLERANCE).sum()) if len(values) else 0
        units = np.ones(cells.n)
        units[cells.detected] = unit
        self.units.append(units)
        return True

    def holds(self) -> bool:
        """Whether enough was looked at; with one value in a cell, any would do."""
        enough = self._n_looked_at >= 2 * self._n_cells
        if self.unit is None:
            return enough and self._n_looked_at >= LEAST_BELOW * self._n_values
        return enough and 2 * self._n_with_one > self._n_cells


def unlogged(values: NDArray[np.float64], log_base: float) -> NDArray[np.float64]:
    """What the logarithm of 1 + was taken of."""
    return np.expm1(values * log_base) if log_base else values


def _forms(values: NDArray[np.float64], cells: _Cells) -> list[_Form]:
    """What the values may be, the likeliest first."""
    bases = dict(NAMED_BASES)
    if found := _base(values, cells):
        bases.setdefault(found, f"{np.exp(found):.4g}")
    logs = [_Form(f"log of counts, base {name}", base, 1.0) for base, name in bases.items()]
    logs += [_Form(f"log of normalised counts, base {name}", base, None) for base, name in bases.items()]
    return [*logs, _Form("normalised counts", 0.0, None)]


def _broken(counts: NDArray[np.float64], tolerance: NDArray[np.float64], cells: _Cells) -> NDArray[np.bool_]:
    """Cells in which a count is below 1, or further from a whole number than it may be."""
    far = (np.abs(counts - np.rint(counts)) > tolerance) | (counts < 1 - TOLERANCE)
    return np.logical_or.reduceat(far, cells.starts) if len(far) else np.empty(0, np.bool_)


def _base(values: NDArray[np.float64], cells: _Cells) -> float | None:
    """Natural logarithm of the base if values are logarithms and the smallest two of most cells are counts of 1 and 2.

    Then v1 = log(1 + f) and v2 = log(1 + 2 f), and y = 1 + f solves y^(v2 / v1) = 2 y - 1.
    """
    found = []
    for start, length in zip(cells.starts[:CELLS_FOR_BASE], cells.lengths, strict=False):
        own = np.sort(values[start : start + length])
        larger = own[own > own[0] * (1 + LEAST_GAP)]
        if len(larger) and larger[0] < 2 * own[0]:
            found.append((own[0], larger[0] / own[0]))
    if not found:
        return None
    smallest, ratio = np.array(found).T
    low, high = np.full(len(ratio), 1e-9), np.full(len(ratio), MOST_LOG)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.expm1(middle * ratio) > 2 * np.expm1(middle)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    log_base = float(np.median(low / smallest))
    if log_base * np.median(smallest) < LEAST_GAP:
        return None  # as good as no logarithms
    base = np.exp(min(log_base, MOST_LOG))
    if base > 1.5 and abs(base - np.rint(base)) < WHOLE_BASE * base:
        return float(np.log(np.rint(base)))
    return log_base


def _are_fractional(sums: NDArray[np.float64], n_detected: NDArray[np.float64], mean_logs: NDArray[np.float64]) -> bool:
    """Whether values that are no whole numbers are on the scale of counts, so that their sum is the depth.

    In cells with more counts more genes are detected. Counts of any kind are as large or larger there; values divided
    by the depth, and logarithms of such, are smaller, and their sums tell nothing.
    """
    cells = n_detected > 1
    if cells.sum() < 3 or np.std(sums[cells]) < LEAST_SPREAD * np.mean(sums[cells]):
        return False
    detected, mean_logs = np.log(n_detected[cells]), mean_logs[cells]
    if np.ptp(detected) == 0 or np.ptp(mean_logs) == 0:
        return False
    least = MOST_FALL if np.median(n_detected[cells]) >= MANY_DETECTED else LEAST_RISE
    return bool(np.corrcoef(detected, mean_logs)[0, 1] > least)
