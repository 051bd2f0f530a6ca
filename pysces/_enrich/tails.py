"""Logs of tail probabilities, finite however far out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, betaln, gammaincc, gammaln

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAR = -600.0
"""Logs of probabilities below this come from a series: the probabilities themselves would soon be 0."""
TERMS_OF_T, TERMS_OF_CHI2 = 10, 40
REACH = 12
"""Standard deviations beyond which the terms of a hypergeometric tail add nothing."""


def log_p_of_t(t: NDArray[np.float64], freedom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the two-sided p of Student's t."""
    half, square = freedom / 2, t**2
    with np.errstate(divide="ignore"):
        near = np.log1p(-betainc(0.5, half, square / (freedom + square)))  # keeps its digits where p is close to 1
        log_p: NDArray[np.float64] = np.log(betainc(half, 0.5, freedom / (freedom + square)))
    log_p = np.where(square < 1, near, log_p)
    far = log_p < FAR
    log_p[far] = _log_far_t(square[far], freedom[far])
    return log_p


def _log_far_t(square: NDArray[np.float64], freedom: NDArray[np.float64]) -> NDArray[np.float64]:
    """By the series of the incomplete beta function in freedom / t squared."""
    half = freedom / 2
    term = series = np.ones(len(square))
    for n in range(TERMS_OF_T):
        term = term * -(n + 0.5) / (half + 1 + n) * (freedom / square)
        series = series + term
    log_p: NDArray[np.float64] = (
        0.5 * np.log1p(freedom / square) - half * np.log1p(square / freedom)
        - np.log(half) - betaln(half, 0.5) + np.log(series)
    )  # fmt: skip
    return log_p


def log_p_of_chi2(statistic: float, freedom: int) -> float:
    """Log of the upper tail of the chi-squared distribution; far out by the series of the incomplete gamma function."""
    shape, half = freedom / 2, statistic / 2
    p = float(gammaincc(shape, half))
    if p > np.exp(FAR):
        return float(np.log(p))
    term = series = 1.0
    for n in range(1, TERMS_OF_CHI2):
        term *= (shape - n) / half
        series += term
    return float((shape - 1) * np.log(half) - half - gammaln(shape) + np.log(series))


def log_p_of_overlap(k: int, n: int, n_all: int) -> float:
    """Log of the two-sided p of ``k`` items that two random sets of ``n`` among ``n_all`` share (hypergeometric).

    Twice the smaller tail, with ``k`` itself, and at most 1.
    """
    sd = n * (n_all - n) / n_all / np.sqrt(max(n_all - 1, 1))
    reach = int(REACH * (sd + 1))
    upper = np.arange(k, min(n, k + reach) + 1)
    lower = np.arange(max(2 * n - n_all, 0, k - reach), k + 1)
    smaller = min(_log_sum(_log_p_of_shared(shared, n, n_all)) for shared in (upper, lower))
    return min(float(np.log(2)) + smaller, 0.0)


def _log_p_of_shared(k: NDArray[np.intp], n: int, n_all: int) -> NDArray[np.float64]:
    """Log of the probability of exactly ``k``."""
    return _log_choose(n, k) + _log_choose(n_all - n, n - k) - _log_choose(n_all, np.array(n))


def _log_choose(n: int, k: NDArray[np.intp]) -> NDArray[np.float64]:
    log_ways: NDArray[np.float64] = -betaln(n - k + 1, k + 1) - np.log(n + 1)
    return log_ways


def _log_sum(log_terms: NDArray[np.float64]) -> float:
    largest = log_terms.max()
    return float(largest + np.log(np.exp(log_terms - largest).sum()))
