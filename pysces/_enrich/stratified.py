"""Van Elteren's stratified rank test: cells are ranked among those of their stratum only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces._enrich.labellings import MOST_LABELLINGS, log_p_of_first, n_ways, sums_of_labellings
from pysces._enrich.null import log_pvalues

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]


def van_elteren(
    x: Floats, codes: NDArray[np.intp], strata: NDArray[np.intp], n_groups: int, *, rest: bool
) -> tuple[Floats, Floats, Floats]:
    """Weighted sum of the rank sums of all strata as a normal score; the area under the ROC curve within strata.

    A stratum of N cells weighs 1 / (N + 1), and strata without cells of both sides count for nothing. p is exact where
    the cells can be labelled in few ways within their strata. ``codes`` and ``rest`` are those of
    :func:`pysces._enrich.ranking.rank_groups`.
    """
    if rest:
        return _against_others(x, codes, strata, n_groups)
    found = np.empty((3, n_groups))
    for group in range(n_groups):
        both = (codes == group) | (codes == n_groups)
        one = _against_others(x[both], (codes[both] != group).astype(np.intp), strata[both], 1)
        found[:, group] = [of[0] for of in one]
    return found[0], found[1], found[2]


def _against_others(
    x: Floats, codes: NDArray[np.intp], strata: NDArray[np.intp], n_groups: int
) -> tuple[Floats, Floats, Floats]:
    """Each group against all other cells."""
    n_strata, n_codes = int(strata.max(initial=-1)) + 1, n_groups + 1
    ranks, ties = _ranks_within(x, strata, n_strata)
    place = strata * n_codes + codes
    n = np.bincount(place, minlength=n_strata * n_codes).reshape(n_strata, n_codes)[:, :n_groups].astype(np.float64)
    rank_sum = np.bincount(place, ranks, n_strata * n_codes).reshape(n_strata, n_codes)[:, :n_groups]
    n_cells = np.bincount(strata, minlength=n_strata).astype(np.float64)[:, None]
    pairs, weight = n * (n_cells - n), 1 / (n_cells + 1)
    larger = np.where(pairs > 0, rank_sum - n * (n + 1) / 2, 0.0)
    variance = pairs / 12 * (n_cells + 1 - ties[:, None] / np.maximum(n_cells * (n_cells - 1), 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (weight * (larger - pairs / 2)).sum(axis=0) / np.sqrt((weight**2 * variance).sum(axis=0))
        effect = (weight * larger).sum(axis=0) / (weight * pairs).sum(axis=0)
    log_p = log_pvalues(z)
    for group in np.flatnonzero(pairs.any(axis=0)):
        if n_ways(n[:, group], n_cells[:, 0] - n[:, group]) <= MOST_LABELLINGS:
            log_p[group] = _exact_log_p(ranks, codes == group, strata, np.flatnonzero(pairs[:, group]))
    return z, effect, log_p


def _exact_log_p(
    ranks: Floats, members: NDArray[np.bool_], strata: NDArray[np.intp], compared: NDArray[np.intp]
) -> float:
    """Log of the share of labellings within strata that are as extreme as the observed one."""
    total = np.zeros(1)
    for stratum in compared:
        own = strata == stratum
        sums = sums_of_labellings(ranks[own], members[own]) / (own.sum() + 1)
        total = (total[:, None] + sums).ravel()
    return log_p_of_first(total)


def _ranks_within(x: Floats, strata: NDArray[np.intp], n_strata: int) -> tuple[Floats, Floats]:
    """Average rank of each cell among those of its stratum; of each stratum the sum of t^3 - t over ties of t."""
    order = np.lexsort((x, strata))
    of, values = strata[order], x[order]
    opens = np.flatnonzero(np.r_[True, (of[1:] != of[:-1]) | (values[1:] != values[:-1])]) if len(x) else order
    sizes = np.diff(opens, append=len(x))
    first = np.searchsorted(of, np.arange(n_strata))
    ranks = np.empty(len(x))
    ranks[order] = np.repeat(opens - first[of[opens]] + (sizes + 1) / 2, sizes)
    return ranks, np.bincount(of[opens], sizes.astype(np.float64) * (sizes * sizes - 1.0), n_strata)
