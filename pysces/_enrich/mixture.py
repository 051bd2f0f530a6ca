"""Mode of regulation: three Gaussians of the correlations of a network's edges (Alvarez et al. 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import log_ndtr

from pysces._check import warn

if TYPE_CHECKING:
    from numpy.typing import NDArray

START = np.array([[-0.5, 0.0, 0.5], [0.15, 0.25, 0.15], [0.2, 0.4, 0.4]])
"""Means, standard deviations and proportions of the components: repression, no direct effect, activation."""
LOWEST_MEAN, HIGHEST_MEAN = np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
LEAST_SD = 1e-3
"""Without it the likelihood has no maximum: a component may shrink to one correlation that several edges share."""
NEAR = 1e-4
"""Extrapolating longer steps might lead to another maximum than they do."""
SETTLED = 1e-10
MOST_ROUNDS = 2500


class Mixture(NamedTuple):
    """Three Gaussians: repression (mean at most 0), no direct effect (mean 0) and activation (mean at least 0)."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    proportion: NDArray[np.float64]
    log_likelihood: float


def fit(correlation: NDArray[np.float64]) -> Mixture:
    """Fit by expectation maximisation from ``START``, until a step changes no parameter by ``SETTLED``.

    Steps below ``NEAR`` are accelerated by squared extrapolation (SQUAREM, Varadhan and Roland 2008), taken where it is
    at least as likely as the steps that it is made of. The order of the correlations does not matter.
    """
    x = np.sort(correlation)
    now, (once, _) = START, _step(x, START)
    for _ in range(MOST_ROUNDS):
        twice, _ = _step(x, once)
        if np.abs(twice - once).max() < SETTLED:
            break
        leap = _extrapolate(now, once, twice)
        now, (once, log_likelihood) = twice, _step(x, twice)
        if leap is not None:
            after_leap, of_leap = _step(x, leap)
            if of_leap >= log_likelihood:
                now, once = leap, after_leap
    else:
        warn(f"the three Gaussians of {len(x)} correlations have not settled after {MOST_ROUNDS} rounds: they overlap "
             "too much to be told apart, and modes of regulation mean little.")  # fmt: skip
    mean, sd, proportion = twice
    return Mixture(mean, sd, proportion, _step(x, twice)[1])


def _step(x: NDArray[np.float64], now: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """One step of expectation maximisation under the bounds, and the log-likelihood before it."""
    mean, sd, proportion = now[:, :, None]
    log_joint = np.log(proportion / sd) - ((x - mean) / sd) ** 2 / 2
    largest = log_joint.max(axis=0)
    joint = np.exp(log_joint - largest)
    density = joint.sum(axis=0)
    belongs = joint / density
    edges = np.maximum(belongs.sum(axis=1), np.finfo(np.float64).tiny)  # none may belong to a component
    new_mean = np.clip((belongs * x).sum(axis=1) / edges, LOWEST_MEAN, HIGHEST_MEAN)
    variance = (belongs * (x - new_mean[:, None]) ** 2).sum(axis=1) / edges
    log_likelihood = float((largest + np.log(density)).sum() - len(x) * np.log(2 * np.pi) / 2)
    return np.array([new_mean, np.maximum(np.sqrt(variance), LEAST_SD), edges / len(x)]), log_likelihood


def _extrapolate(
    now: NDArray[np.float64], once: NDArray[np.float64], twice: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Where two steps lead to if the next ones shrink alike; None if that is far or beyond the bounds."""
    first = once - now
    bend = twice - once - first
    length = np.sqrt((first**2).sum() / max((bend**2).sum(), np.finfo(np.float64).tiny))
    leap = now + 2 * length * first + length**2 * bend
    mean, sd, proportion = leap
    in_bounds = (mean >= LOWEST_MEAN) & (mean <= HIGHEST_MEAN) & (sd >= LEAST_SD) & (proportion > 0)
    if length <= 1 or np.abs(first).max() > NEAR or not in_bounds.all():
        return None
    return np.array([mean, sd, proportion / proportion.sum()])


def modes_of_regulation(
    correlation: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far an edge of this correlation is activation, up to 1, or repression, down to -1.

    With P the tail of a component beyond the correlation (that of activation from below, of repression from above, of
    no effect on the side of the sign), P_activation / (P_repression + P_none + P_activation) where the correlation is
    at least 0, and -P_repression over the same sum where it is negative.
    """
    repression = log_ndtr((mean[0] - correlation) / sd[0])
    activation = log_ndtr((correlation - mean[2]) / sd[2])
    none = log_ndtr(-np.abs(correlation) / sd[1])
    total = np.logaddexp(np.logaddexp(repression, activation), none)
    modes: NDArray[np.float64] = np.where(correlation >= 0, np.exp(activation - total), -np.exp(repression - total))
    return modes
