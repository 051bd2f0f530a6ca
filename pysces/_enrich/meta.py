"""Scores of several networks in one (metaVIPER, metaNaRnEA). All rules look at one cell at a time.

Scores come as one array of cells x regulators per network, NaN where a network lacks the regulator. Such a network has
no say: a regulator's score is that of the networks that have it, and NaN where none has. (R viper counts an absent
regulator as a score of 0, which weighs nothing under a power, but something under the sigmoid.)
"""

from __future__ import annotations

import math
from functools import reduce
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_expit, xlogy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

type Weights = float | tuple[float, float]

N_EXTREME = 50


def integrate(scores: Sequence[NDArray[np.float64]], weights: Weights) -> NDArray[np.float64]:
    """Mean of the scores, weighted by their own size: sum of w NES / sum of w (Ding et al. 2018).

    w = abs(NES)^weights, or for a pair (inflection, slope) w = 1 / (1 + exp(-slope (abs(NES) - inflection))). Scores
    that are all 0 give 0. Only ratios of weights matter, so they are taken relative to the largest and never overflow.
    """
    weights = checked_weights(weights)
    largest = reduce(np.fmax, (_log_weight(score, weights) for score in scores))
    largest = np.where(np.isneginf(largest), 0.0, largest)
    total, of_weights = np.zeros(largest.shape), np.zeros(largest.shape)
    for score in scores:
        has, weight = ~np.isnan(score), np.exp(_log_weight(score, weights) - largest)
        total += np.where(has, weight * score, 0.0)
        of_weights += np.where(has, weight, 0.0)
    mean = total / np.where(of_weights == 0, 1, of_weights)
    return np.where(np.isnan(largest), np.nan, mean)


def stouffer(scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Sum of the scores / sqrt(number of networks that have the regulator)."""
    total = sum((np.where(np.isnan(score), 0.0, score) for score in scores), np.zeros(scores[0].shape))
    n_networks = sum((~np.isnan(score) for score in scores), np.zeros(scores[0].shape))
    with np.errstate(invalid="ignore"):  # 0 / 0 where no network has the regulator
        return total / np.sqrt(n_networks)


def vote(pes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Weights of the networks in each cell, cells x networks: votes of the regulators that all networks have.

    Each votes for the network of its largest abs(PES), networks that tie share the vote; a weight is the share of the
    votes. Without a regulator in common the networks weigh the same.
    """
    size = [np.abs(p) for p in pes]
    largest = reduce(np.maximum, size)  # NaN where a network lacks the regulator, which then votes for none
    votes = [s == largest for s in size]
    n_tied = np.maximum(np.sum(votes, axis=0), 1)
    share = np.stack([(v / n_tied).sum(axis=1) for v in votes], axis=1)
    n_voters = share.sum(axis=1, keepdims=True)
    return np.where(n_voters > 0, share / np.maximum(n_voters, 1), 1 / len(pes))


def weighted(
    nes: Sequence[NDArray[np.float64]], pes: Sequence[NDArray[np.float64]], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """NES and PES of networks that weigh ``weights`` (cells x networks): by :func:`vote`, or all the same.

    NES = sum of w NES / sqrt(sum of w^2), PES = sum of w PES / sum of w over the networks that have the regulator; both
    are 0 in a cell where these networks have no weight.
    """
    total, effect, of_weights, squares, known = (np.zeros(nes[0].shape) for _ in range(5))
    for score, size, w in zip(nes, pes, weights.T, strict=True):
        has = ~np.isnan(score)
        weight = w[:, None] * has
        total += np.where(has, weight * score, 0.0)
        effect += np.where(has, weight * size, 0.0)
        of_weights += weight
        squares += weight**2
        known += has
    weightless = of_weights == 0
    normalised, mean = total / np.where(weightless, 1, np.sqrt(squares)), effect / np.where(weightless, 1, of_weights)
    return np.where(known > 0, normalised, np.nan), np.where(known > 0, mean, np.nan)


def best_network(scores: Sequence[NDArray[np.float64]], n_extreme: int = N_EXTREME) -> NDArray[np.intp]:
    """Network of each cell whose scores are widest: (mean of the largest - mean of the smallest) / 2.

    Means are over ``n_extreme`` regulators, or half of those of the smallest network if these are fewer. -1 in a cell
    without scores; the first of networks that tie.
    """
    sizes = np.stack([(~np.isnan(score)).sum(axis=1) for score in scores])
    smallest = np.where(sizes > 0, sizes, np.iinfo(sizes.dtype).max).min(axis=0)
    n = np.clip(smallest // 2, 1, n_extreme)[:, None]
    widths = np.full(sizes.shape, -np.inf)
    for network, (score, size) in enumerate(zip(scores, sizes, strict=True)):
        ordered, place = np.sort(score, axis=1), np.arange(score.shape[1])  # NaN come last
        low = np.sum(ordered, axis=1, where=place < n)
        high = np.sum(ordered, axis=1, where=(place >= size[:, None] - n) & (place < size[:, None]))
        widths[network, size > 0] = ((high - low) / (2 * n[:, 0]))[size > 0]
    return np.where((sizes > 0).any(axis=0), widths.argmax(axis=0), -1)


def _log_weight(score: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    size = np.abs(score)
    if isinstance(weights, tuple):
        inflection, slope = weights
        return log_expit(slope * (size - inflection))
    return xlogy(weights, size)


def checked_weights(weights: object) -> Weights:
    """An exponent, or inflection and slope."""
    match weights.tolist() if isinstance(weights, np.ndarray) else weights:
        case [Real() as inflection, Real() as slope] if math.isfinite(inflection) and 0 < float(slope) < math.inf:
            return float(inflection), float(slope)
        case Real() as exponent if not isinstance(exponent, bool) and 0 <= float(exponent) < math.inf:
            return float(exponent)
    msg = (
        f"network_weights is {weights!r}; give an exponent of at least 0, or a pair (NES at which a score weighs half, "
        "slope above 0)."
    )
    raise ValueError(msg)
