"""The null distribution of the NES of aREA, which is wider than a normal where modes are not 1 or -1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._regulons import Regulons

N_NODES, REACH = 80, 10.0
"""Nodes of the quadrature, and how many standard deviations from the peak of the integrand they go."""
N_GRID = 400
NONE = 1e-9
LEAST_VARIANCE = 0.01


def null_spreads(regulons: Regulons, factor: NDArray[np.float64], n_genes: int) -> NDArray[np.float64]:
    """Standard deviations of s1 and of s2, times ``factor``, and their coupling, regulators x 3, for random targets.

    A sum of A z over targets drawn from n genes has the variance (sum of A^2 - (sum of A)^2 / n) times that of z. Where
    s2 is large, targets are extreme and s1 varies more: the variance of s1 given s2 is 1 + coupling x s2 / sd(s2)
    times its own, with E(s1^2 s2) = sum of A^2 B E(z2^2 z1).
    """
    q = np.arange(1, n_genes + 1) / (n_genes + 1)
    distance = 2 * np.abs(q - 0.5)
    two_tail, one_tail = ndtri(q), ndtri(distance + (1 - distance.max()) / 2)
    owner = np.repeat(np.arange(len(regulons.sizes)), regulons.sizes)

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(owner, values, minlength=len(regulons.sizes))

    a, b = regulons.mode * regulons.likelihood, (1 - np.abs(regulons.mode)) * regulons.likelihood
    shift, spread = (
        np.sqrt(np.maximum(total(w**2) - total(w) ** 2 / n_genes, 0.0) * z.var(ddof=1))
        for w, z in ((a, two_tail), (b, one_tail))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        coupling = total(a**2 * b) * (two_tail**2 * one_tail).mean() / (shift**2 * spread)
    return np.stack([shift * factor, spread * factor, np.nan_to_num(coupling, posinf=0.0)], axis=1)


def lost_to_ties(values: NDArray[np.float64]) -> float:
    """Share of the variance of the normal scores of a cell's genes (NaN: missing) that is lost as some are tied."""
    from scipy.stats import rankdata

    ranks = rankdata(values[~np.isnan(values)])
    n = len(ranks)
    if n < 2:
        return 0.0
    return 1 - float(ndtri(ranks / (n + 1)).var() / ndtri(np.arange(1, n + 1) / (n + 1)).var())


def log_pvalues(nes: NDArray[np.float64], spreads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the probability that abs(NES) is as large, for cells x regulators with the ``spreads`` of these.

    abs(NES) is abs(a) + max(b, 0) with a and b normal, coupled as above. Looked up in a table of each regulator.
    """
    found = np.full(nes.shape, np.nan)
    for regulator, (shift, spread, coupling) in enumerate(spreads):
        size = np.abs(nes[:, regulator])
        if not np.isfinite(size).any():
            continue
        grid = np.linspace(0, np.sqrt(np.nanmax(size)) + NONE, N_GRID) ** 2
        log_tail = _log_tail(grid, max(shift, NONE), max(spread, NONE), coupling)
        found[:, regulator] = np.interp(size, grid, log_tail)
    return found


def _log_tail(t: NDArray[np.float64], shift: float, spread: float, coupling: float) -> NDArray[np.float64]:
    """Log of P(abs(a) + max(b, 0) >= t): the integral over b below 0, from 0 to t, and all above t."""
    peak, width = t * spread**2 / (shift**2 + spread**2), shift * spread / np.hypot(shift, spread)
    reach = REACH * max(width, np.sqrt(1 + coupling * REACH) * width)
    low, high = np.maximum(peak - reach, 0.0), np.minimum(peak + reach, t)
    below = log_integral(t, np.full_like(t, -REACH * spread), np.zeros_like(t), shift, spread, coupling)
    inside = log_integral(t, low, high, shift, spread, coupling)
    total: NDArray[np.float64] = np.minimum(logsumexp([below, inside, log_ndtr(-t / spread)], axis=0), 0.0)
    return total


def log_integral(
    t: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    shift: float,
    spread: float,
    coupling: float,
    *,
    floor: float = 0.0,
) -> NDArray[np.float64]:
    """Log of the integral of P(abs(a) >= t - max(b, floor)) over the density of b, by Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    b = (low + high)[:, np.newaxis] / 2 + (high - low)[:, np.newaxis] / 2 * nodes
    log_density = -0.5 * (b / spread) ** 2 - np.log(spread * np.sqrt(2 * np.pi))
    sd = shift * np.sqrt(np.maximum(1 + coupling * b / spread, LEAST_VARIANCE))
    log_far = np.log(2) + log_ndtr(-(t[:, np.newaxis] - np.maximum(b, floor)) / sd)
    with np.errstate(divide="ignore"):
        return logsumexp(log_density + log_far, axis=1, b=weights) + np.log((high - low) / 2)
