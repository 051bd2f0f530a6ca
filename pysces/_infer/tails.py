"""Tails of null distributions: p-values of mutual information by counting, by a line beyond that, or by Student's t."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

EXTRAPOLATE_BELOW = 1e-3
TAIL_SHARE = 0.01
SMALLEST_P = 1e-290
"""Below this, an incomplete beta function is close to the smallest float."""


class Tail(NamedTuple):
    """One null distribution, ascending, and a line of ln p in its tail.

    ln p = ln((1 + #{null >= mi}) / (N + 1)), and below :data:`EXTRAPOLATE_BELOW` the line, or that limit if it is less.
    The line runs over the mutual information, or over the correlation where its sign is known.
    """

    values: NDArray[np.float64]
    intercept: float
    slope: float

    def threshold(self, p: float) -> float:
        """A mutual information that no value with a smaller p-value than ``p`` falls below."""
        size = len(self.values)
        above = int(max(p, EXTRAPOLATE_BELOW) * (size + 1))
        return float(self.values[size - above]) if 0 < above <= size else -np.inf


def fit_tail(values: NDArray[np.float64], n_cells: int) -> Tail:
    """Sort a null sample of mutual information and fit its tail.

    A likelihood ratio of ``n_cells`` cells is exceeded with a probability that falls by at most ``n_cells`` per nat. A
    line through few, nearly equal values, as between rare genes, would be steeper.
    """
    return _fit_line(np.sort(values), lambda top: top, lambda _: n_cells)


def fit_signed_tail(values: NDArray[np.float64], n_cells: int) -> Tail:
    """The same for values with the sign of a correlation rho, with a line over rho.

    The information of rare genes that meet by chance grows without bounds, their correlation does not. The bound is
    that of the normal distribution, ``n_cells`` rho.
    """
    return _fit_line(np.sort(values), correlation_of, lambda largest: n_cells * max(largest, 0.0))


def correlation_of(mi: NDArray[np.float64]) -> NDArray[np.float64]:
    """The correlation with a signed information of -ln(1 - rho^2) / 2."""
    return np.sign(mi) * np.sqrt(-np.expm1(-2 * np.abs(mi)))


def _fit_line(
    values: NDArray[np.float64],
    position: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    steepest: Callable[[float], float],
) -> Tail:
    """Least-squares line of ln p through the largest values, no steeper than allowed at the largest."""
    size = len(values)
    top = position(values[-max(int(size * TAIL_SHARE), 2) :])
    log_p = np.log(np.arange(len(top), 0, -1) / (size + 1))
    centred = top - top.mean()
    if top[-1] - top[0] <= 1e-12 * abs(top[-1]):  # no line through one value: p stays at its smallest
        return Tail(values, float(log_p[-1]), 0.0)
    slope = max(float(centred @ log_p) / float(centred @ centred), -steepest(float(top[-1])))
    return Tail(values, float(log_p.mean() - slope * top.mean()), slope)


def student_log_pvalues(mi: NDArray[np.float64], n_cells: int) -> NDArray[np.float64]:
    r"""Natural log of the two-sided p of a correlation with :math:`I = -\ln(1 - \rho^2) / 2`, by Student's t.

    That is :math:`I_x((n - 2) / 2, 1 / 2)`, the regularised incomplete beta function at :math:`x = 1 - \rho^2`; where
    it underflows, its integral by Laplace's method at the upper end.
    """
    a, x = (n_cells - 2) / 2, np.exp(-2 * mi)
    p = special.betainc(a, 0.5, x)
    log_p = np.log(np.maximum(p, SMALLEST_P))
    deep = p < SMALLEST_P
    of_deep, rest = -2 * mi[deep], -np.expm1(-2 * mi[deep])
    log_p[deep] = a * of_deep - np.log(rest) / 2 - np.log(a + x[deep] / (2 * rest)) - special.betaln(a, 0.5)
    return log_p


def student_threshold(p: float, n_cells: int) -> float:
    """The mutual information whose p-value is ``p``."""
    return float(-np.log(special.betaincinv((n_cells - 2) / 2, 0.5, p)) / 2)
