"""Tails of null distributions: p-values of mutual information by counting, and by a line beyond that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXTRAPOLATE_BELOW = 1e-3
TAIL_SHARE, LEAST_TAIL, MOST_TAIL_SHARE = 0.003, 300, 0.01
"""The line is fitted to this share of the null, but to 300 values while those are at most 1 %."""
N_LARGEST = 10
SAMPLING_ERROR = 2.0
"""The rank of the tenth largest of a sample differs from its expectation by less than this factor."""


class Tail(NamedTuple):
    """One null distribution, ascending, with a line of ln p on the mutual information in its tail.

    ln p = ln((1 + #{null >= mi}) / (N + 1)), and below :data:`EXTRAPOLATE_BELOW` the line, or that limit if it is less.
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
    """Sort a null sample and fit the line of its tail.

    By least squares, but not below half the share of values that reach the tenth largest, and no steeper than
    ``-n_cells``, as the probability that a likelihood ratio is exceeded falls by about ``n_cells`` per nat: the few,
    discrete values of rare genes would else give lines that fall far too fast.
    """
    values = np.sort(values)
    size = len(values)
    top = values[-max(int(size * TAIL_SHARE), min(LEAST_TAIL, int(size * MOST_TAIL_SHARE)), 2) :]
    log_p = np.log(np.arange(len(top), 0, -1) / (size + 1))
    centred = top - top.mean()
    if top[-1] - top[0] <= 1e-12 * abs(top[-1]):  # no line through one value: p stays at its smallest
        return Tail(values, float(log_p[-1]), 0.0)
    slope = max(float((centred * log_p).sum() / (centred * centred).sum()), -float(n_cells))
    tenth = max(len(top) - N_LARGEST, 0)
    least = float(log_p[tenth] - slope * top[tenth] - np.log(SAMPLING_ERROR))
    intercept = max(float(log_p.mean() - slope * top.mean()), least)
    return Tail(values, intercept, slope)
