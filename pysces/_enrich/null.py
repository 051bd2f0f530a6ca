"""Enrichment scores against those of null signatures, and the p-values of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from pysces._enrich.labellings import SAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_DRAWS, FEW_DRAWS = 2, 500
"""Fewer null signatures give nothing, or only the spread of the null."""
TAIL_SHARE = 0.05
"""The exponential tail goes through this share of the null."""


def against_null(scores: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores, signatures x regulators, as normal scores of their null, draws x regulators.

    With fewer than :data:`FEW_DRAWS` draws the score over the standard deviation of the null, else
    sign(score) Phi^-1(1 - p / 2) with the two-sided p of :func:`log_right_tail`. Draws that are NaN, in which all
    targets of the regulator are missing, count for nothing.
    """
    columns = zip(scores.T, null.T, strict=True)
    return np.stack([_of_regulator(score, own[~np.isnan(own)]) for score, own in columns], axis=1)


def against_all(scores: NDArray[np.float64], null: NDArray[np.float64], n_as_extreme: int) -> NDArray[np.float64]:
    """Scores, signatures x regulators, as normal scores of their exact p among those of all labellings of the cells.

    sign(score) Phi^-1(1 - p / 2), with p the share of labellings that reach the score in size, of which there are at
    least ``n_as_extreme``.
    """
    nes = np.full(scores.shape, np.nan)
    for regulator, (score, of_labels) in enumerate(zip(scores.T, null.T, strict=True)):
        if np.ptp(of_labels) > 0:
            sizes = np.sort(np.abs(of_labels))
            reach = len(sizes) - np.searchsorted(sizes, np.abs(score) * (1 - SAME))
            log_p = np.log(np.maximum(reach, n_as_extreme) / len(sizes))
            nes[:, regulator] = np.copysign(-ndtri_exp(log_p - np.log(2)), score)
    return nes


def _of_regulator(scores: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(null) < LEAST_DRAWS or np.ptp(null) == 0:
        return np.full(len(scores), np.nan)
    if len(null) < FEW_DRAWS:
        return scores / float(null.std(ddof=1))
    log_p = log_right_tail(np.abs(scores), np.abs(null))
    deviates: NDArray[np.float64] = np.copysign(-ndtri_exp(log_p - np.log(2)), scores)
    return deviates


def log_right_tail(values: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the probability that the null reaches each value.

    (1 + number of the null that reach it) / (1 + size of the null), and above all but a share :data:`TAIL_SHARE` of the
    null an exponential tail with the mean excess of that share.
    """
    null = np.sort(null)
    size, n_tail = len(null), int(len(null) * TAIL_SHARE)
    start = null[-n_tail - 1]
    excess = float((null[-n_tail:] - start).mean())
    body: NDArray[np.float64] = np.log1p(size - np.searchsorted(null, values)) - np.log1p(size)
    if excess <= 0:  # the null has no tail
        return body
    log_start = float(np.log1p(n_tail) - np.log1p(size))
    return np.where(values > start, log_start - (values - start) / excess, body)


def log_pvalues(nes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the two-sided p of normal scores."""
    log_p: NDArray[np.float64] = np.minimum(np.log(2) + log_ndtr(-np.abs(nes)), 0.0)
    return log_p
