"""All ways to label a few cells, of which the observed one is the first."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import comb, lgamma, log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

MOST_LABELLINGS = 1000
"""As many are counted one by one in tests of ranks and sums; with more, their distribution is close to normal."""
SAME = 1e-9
"""Scores that differ by a smaller share are the same but for rounding."""


def n_labellings(n: int, n_reference: int) -> int:
    """In how many ways ``n`` cells can be chosen of both groups."""
    return comb(n + n_reference, n)


def are_few(n: int, n_reference: int, most: int = MOST_LABELLINGS) -> bool:
    """Whether there are at most that many labellings; quick for any number of cells."""
    return lgamma(n + n_reference + 1) - lgamma(n + 1) - lgamma(n_reference + 1) <= log(most + 0.5)


def n_ways(n: Floats, n_reference: Floats) -> int:
    """In how many ways cells can be labelled within strata, of which each has so many of both sides.

    More than ``MOST_LABELLINGS`` are not counted on.
    """
    ways = 1
    for own, other in zip(np.asarray(n, int).tolist(), np.asarray(n_reference, int).tolist(), strict=True):
        if not are_few(own, other):
            return MOST_LABELLINGS + 1
        ways = min(ways * n_labellings(own, other), MOST_LABELLINGS + 1)
    return ways


def n_as_extreme(n: int, n_reference: int) -> int:
    """How many labellings are, at least, as extreme as the observed one: it, and its mirror in groups of one size."""
    return 2 if n == n_reference else 1


@cache
def labellings(n: int, n_reference: int) -> NDArray[np.bool_]:
    """Whether each cell is in the group, labellings x cells; the first has the first ``n`` cells in the group."""
    members = np.array(list(combinations(range(n + n_reference), n)))
    found = np.zeros((len(members), n + n_reference), np.bool_)
    np.put_along_axis(found, members, values=True, axis=1)
    return found


def log_p_of_sum(values: Floats, members: NDArray[np.bool_]) -> float:
    """Log of the share of labellings whose sum in the group is as far from its mean as that of ``members``."""
    return log_p_of_first(sums_of_labellings(values, members))


def sums_of_labellings(values: Floats, members: NDArray[np.bool_]) -> Floats:
    """Sum of the values in the group, less its mean, with every labelling; that of ``members`` comes first."""
    n, centred = int(members.sum()), values - values.mean()
    sums: Floats = labellings(n, len(values) - n) @ np.concatenate([centred[members], centred[~members]])
    return sums


def log_p_of_first(sums: Floats) -> float:
    """Log of the share of ``sums`` that are as far from 0 as the first."""
    return float(np.log((np.abs(sums) >= abs(sums[0]) * (1 - SAME)).mean()))
