"""Shadows: regulators that only seem active, because they share targets with one that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._parallel import one_blas_thread, run
from pysces._random import child
from pysces._regulons import Regulons

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_REMOVALS = 1000
ROUNDING = 1e-9


class Shadows(NamedTuple):
    """Pairs of regulators of which the first casts a shadow on the second."""

    caster: NDArray[np.intp]
    shadowed: NDArray[np.intp]
    n_shared: NDArray[np.int64]
    p: NDArray[np.float64]


def find_shadows(
    signature: NDArray[np.float64],
    regulons: Regulons,
    candidates: NDArray[np.intp],
    *,
    alpha: float,
    more_than: int,
    seed: np.random.SeedSequence,
    n_threads: int,
) -> Shadows:
    """Pairs of candidates with more than ``more_than`` shared targets, significant in exactly one direction.

    A shadow falls on a regulator whose score drops if the shared targets are taken from it, more than in all but a
    share ``alpha`` of removals of as many random targets. Here the score is of plain ranks, 2 rank / (n + 1) - 1 and
    its absolute value instead of normal quantiles.
    """
    from scipy.stats import rankdata

    member = np.zeros((len(candidates), len(signature)))
    for row, regulator in enumerate(candidates):
        member[row, regulons.targets[_edges(regulons, regulator)]] = 1
    n_shared = np.rint(member @ member.T).astype(np.int64)
    np.fill_diagonal(n_shared, 0)
    p = np.ones(n_shared.shape)
    moved = 2 * rankdata(signature) / (len(signature) + 1) - 1

    def test(block: slice) -> None:
        for place in range(block.start, block.stop):
            others = np.flatnonzero(n_shared[:, place] > more_than)
            if len(others):
                edges = _edges(regulons, candidates[place])
                targets = regulons.targets[edges]
                two_tail = moved[targets]
                terms = removal_terms(two_tail, np.abs(two_tail), regulons.mode[edges], regulons.likelihood[edges])
                shared = member[np.ix_(others, targets)]
                rng = np.random.default_rng(child(seed, int(candidates[place])))
                p[others, place] = removal_pvalues(terms, shared, rng)

    with one_blas_thread():
        run(test, len(candidates), 1, n_threads)
    caster, shadowed = np.nonzero((p <= alpha) & ~(p <= alpha).T)
    return Shadows(candidates[caster], candidates[shadowed], n_shared[caster, shadowed], p[caster, shadowed])


def removal_terms(
    two_tail: NDArray[np.float64],
    one_tail: NDArray[np.float64],
    mode: NDArray[np.float64],
    likelihood: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What each target adds to the sums s1, s2 and L of the score, targets x 3, from its two tails."""
    return np.stack([mode * likelihood * two_tail, (1 - np.abs(mode)) * likelihood * one_tail, likelihood], axis=1)


def removal_pvalues(
    terms: NDArray[np.float64], removed: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """For each row of ``removed`` (sets x targets, 0 or 1), the share of removals of as many that score no higher.

    The score is (abs(s1) + max(s2, 0)) / L. Sets of one size are compared with the same :data:`N_REMOVALS` removals:
    the first targets of random orders.
    """
    order = rng.permuted(np.broadcast_to(np.arange(len(terms)), (N_REMOVALS, len(terms))), axis=1)
    last = removed.sum(axis=1).astype(np.intp) - 1
    taken = np.stack([np.cumsum(term[order], axis=1)[:, last] for term in terms.T], axis=2)
    null, observed = _score_without(taken, terms), _score_without(removed @ terms, terms)
    reached = (null <= observed + ROUNDING).sum(axis=0)
    share: NDArray[np.float64] = (1 + reached) / (1 + N_REMOVALS)
    return share


def _score_without(taken: NDArray[np.float64], terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score after a part was taken from the sums; 0 where no target is left."""
    total = terms.sum(axis=0)
    shift, spread, likelihood = np.moveaxis(total - taken, -1, 0)
    score: NDArray[np.float64] = np.abs(shift) + np.maximum(spread, 0.0)
    left: NDArray[np.bool_] = likelihood > ROUNDING * total[2]
    per_likelihood: NDArray[np.float64] = np.divide(score, likelihood, out=np.zeros(score.shape), where=left)
    return per_likelihood


def without_shared(regulons: Regulons, shadows: Shadows) -> Regulons:
    """Regulons in which the shadowed have lost what they share with those that cast the shadows."""
    kept = np.ones(len(regulons.targets), np.bool_)
    for caster, shadowed in zip(shadows.caster, shadows.shadowed, strict=True):
        edges = _edges(regulons, shadowed)
        kept[edges] &= ~np.isin(regulons.targets[edges], regulons.targets[_edges(regulons, caster)])
    indptr = np.concatenate([[0], np.cumsum(kept)])[regulons.indptr]
    return Regulons(indptr, regulons.targets[kept], regulons.mode[kept], regulons.likelihood[kept])


def _edges(regulons: Regulons, regulator: int | np.intp) -> slice:
    return slice(int(regulons.indptr[regulator]), int(regulons.indptr[regulator + 1]))
