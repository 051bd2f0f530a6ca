"""The null distribution of the NES of NaRnEA, which is wider than a normal where regulators have few targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from pysces._enrich.calibration import log_integral
from pysces._enrich.narnea import certain_modes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._regulons import Regulons

N_GRID, REACH = 400, 10.0
LEAST_T = -8.0
"""Below it no score is."""
TINY = np.log(1e-9)
"""A p-value so small that (1 - p)^2 is 1 - 2 p."""


def null_spreads(regulons: Regulons, n_genes: int) -> NDArray[np.float64]:
    """Standard deviations of z_D and of z_U, and their coupling, regulators x 3, for random targets.

    NaRnEA takes targets as drawn with replacement; of few genes they vary less. Where U is large, targets have large
    ranks and D varies more: the variance of z_D given z_U is 1 + coupling x z_U times its own, as
    E(D^2 U) = sum of A^2 B E(r^2 (r - mean r)).
    """
    owner = np.repeat(np.arange(len(regulons.sizes)), regulons.sizes)

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(owner, values, minlength=len(regulons.sizes))

    mode = certain_modes(regulons.mode)
    a, b = mode * regulons.likelihood, (1 - np.abs(mode)) * regulons.likelihood
    r = np.arange(1, n_genes + 1) / n_genes
    growth = (r**2 * (r - r.mean())).mean() / ((r**2).mean() * r.std())
    with np.errstate(divide="ignore", invalid="ignore"):
        spreads = [np.sqrt(np.maximum(1 - total(w) ** 2 / (n_genes * total(w**2)), 0.0)) for w in (a, b)]
        coupling = growth * total(a**2 * b) / (total(a**2) * np.sqrt(total(b**2)))
    return np.asarray(np.nan_to_num(np.stack([*spreads, coupling], axis=1), posinf=0.0))


def log_pvalues(nes: NDArray[np.float64], spreads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the probability that abs(NES) is as large, for cells x regulators with the ``spreads`` of these.

    The larger of z_+ and z_-, of which the NES is the normal deviate, is (abs(z_D) + z_U) / sqrt(2).
    """
    found = np.full(nes.shape, np.nan)
    for regulator, of in enumerate(spreads):
        scored = np.isfinite(nes[:, regulator])
        if scored.any():
            t = np.sqrt(2) * _larger(np.abs(nes[scored, regulator]))
            grid = np.linspace(t.min(), t.max() + 1e-9, N_GRID)
            found[scored, regulator] = np.interp(t, grid, _log_tail(grid, *np.maximum(of, [1e-9, 1e-9, -np.inf])))
    return found


def _larger(size: NDArray[np.float64]) -> NDArray[np.float64]:
    """The larger of z_+ and z_- behind a NES, which has the p-value 1 - (1 - p)^2."""
    log_both = np.minimum(np.log(2) + log_ndtr(-size), 0.0)
    with np.errstate(divide="ignore"):
        log_p = np.where(
            log_both < np.log(1e-9), log_both - np.log(2), np.log(-np.expm1(np.log1p(-np.exp(log_both)) / 2))
        )
    return np.maximum(-np.asarray(ndtri_exp(np.minimum(log_p, 0.0))), LEAST_T)


def _log_tail(t: NDArray[np.float64], shift: float, spread: float, coupling: float) -> NDArray[np.float64]:
    """Log of P(abs(a) + b >= t): the integral over b up to t, and all above t."""
    peak, width = t * spread**2 / (shift**2 + spread**2), shift * spread / np.hypot(shift, spread)
    reach = REACH * max(width, np.sqrt(1 + coupling * REACH) * width)
    low, high = np.minimum(peak, t) - reach, np.minimum(peak + reach, t)
    inside = log_integral(t, low, high, shift, spread, coupling, floor=-np.inf)
    total: NDArray[np.float64] = np.minimum(np.logaddexp(inside, log_ndtr(-t / spread)), 0.0)
    return total
