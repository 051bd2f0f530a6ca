"""All ways to label a few cells, of which the observed one is the first."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import comb, lgamma, log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def n_as_extreme(n: int, n_reference: int) -> int:
    """How many labellings are, at least, as extreme as the observed one: it, and its mirror in groups of one size."""
    return 2 if n == n_reference else 1


def least_p(n: int, n_reference: int) -> float:
    """The smallest two-sided p that labels of so many cells can give."""
    return n_as_extreme(n, n_reference) / n_labellings(n, n_reference)


@cache
def labellings(n: int, n_reference: int) -> NDArray[np.bool_]:
    """Whether each cell is in the group, labellings x cells; the first has the first ``n`` cells in the group."""
    members = np.array(list(combinations(range(n + n_reference), n)))
    found = np.zeros((len(members), n + n_reference), np.bool_)
    np.put_along_axis(found, members, values=True, axis=1)
    return found


def log_p_of_sum(values: NDArray[np.float64], members: NDArray[np.bool_]) -> float:
    """Log of the share of labellings whose sum in the group is as far from its mean as that of ``members``."""
    n = int(members.sum())
    centred = values - values.mean()
    sums = np.abs(labellings(n, len(values) - n) @ centred)
    return float(np.log((sums >= abs(centred[members].sum()) * (1 - SAME)).mean()))
