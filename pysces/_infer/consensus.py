"""Significance of the support of an edge, by the formulas of the published programs.

Both take subnetworks for independent. They are not: they share cells, so that these p-values are too small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy.special import logsumexp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.significance import Correction

type Consensus = Literal["data", "poisson", "binomial"]


class Tally(NamedTuple):
    """What the subnetworks held.

    ``support`` (regulators x genes): in how many an edge is; ``false_share``: by how much each subnetwork's edges may
    be false, over the pairs tested, see :func:`false_share`.
    """

    support: NDArray[np.int32]
    false_shares: list[float]


def false_share(n_tests: int, n_before: int, n_after: int, alpha: float, correction: Correction) -> float:
    """Probability that a pair tested is held though independent, for edges before and after pruning (ARACNe3)."""
    match correction:
        case _ if n_tests == 0:
            return 0.0
        case "fdr":
            return alpha * n_after / (n_tests - (1 - alpha) * n_before)
        case "fwer":
            return alpha / n_tests * n_after / max(n_before, 1)
        case _:
            return alpha * n_after / max(n_before, 1)


def support_log_pvalues(tally: Tally, tested: NDArray[np.bool_], consensus: Consensus) -> NDArray[np.float64]:
    """Natural log of the probability of at least the support seen, NaN for pairs that are not tested.

    ``"binomial"`` (ARACNe3): of as many subnetworks, each holding the pair with the mean of the false shares, over the
    pairs that were ``tested``. ``"poisson"`` (ARACNe-AP): with the mean support over all pairs of a regulator and a
    target that occur, which are also the tests.
    """
    from scipy import stats  # half a second to import

    support, n_subnetworks = tally.support, len(tally.false_shares)
    if consensus == "binomial":
        share = min(float(np.mean(tally.false_shares)), 1.0)
        mass = stats.binom.logpmf(np.arange(n_subnetworks + 1), n_subnetworks, share)
        return np.where(tested, _at_least(mass, n_subnetworks)[support], np.nan)
    regulator, target = (support > 0).any(axis=1), (support > 0).any(axis=0)
    seen = regulator[:, None] & target
    n_pairs = int(regulator.sum()) * int(target.sum())
    rate = float(support.sum()) / max(n_pairs, 1)
    mass = stats.poisson.logpmf(np.arange(n_subnetworks + 1 + int(20 + 20 * rate)), rate)
    return np.where(seen, _at_least(mass, n_subnetworks)[support], np.nan)


def _at_least(log_mass: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Natural log of P(X >= k) for k = 0 to ``most`` from that of P(X = k)."""
    return np.minimum([0.0] + [logsumexp(log_mass[k:]) for k in range(1, most + 1)], 0.0)
