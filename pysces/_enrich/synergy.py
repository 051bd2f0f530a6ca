"""Regulators that act together: co-regulons of the targets they share, and their synergy."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from pysces._enrich.shadow import removal_pvalues, removal_terms
from pysces._random import child
from pysces._regulons import Regulons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    type Scorer = Callable[[Regulons], NDArray[np.float64]]


class Combinations(NamedTuple):
    """Sets of regulators, by position, with their co-regulons and normalised enrichment scores."""

    members: list[tuple[int, ...]]
    regulons: Regulons
    nes: NDArray[np.float64]


def find_combinations(
    score: Scorer, regulons: Regulons, nes: NDArray[np.float64], candidates: NDArray[np.intp], *, least_targets: int
) -> Combinations:
    """Sets of candidates whose co-regulon is more enriched than the regulon of any of its parts.

    Pairs first; then a candidate is added to the sets found, until none of at least ``least_targets`` shared targets
    has an abs(NES) above those of its members and of the set it was added to.
    """
    strength = {(int(regulator),): abs(float(nes[regulator])) for regulator in candidates}
    singles = [members[0] for members in strength]
    found: list[tuple[int, ...]] = []
    scores: list[float] = []
    grown = {pair: max(strength[(one,)] for one in pair) for pair in map(_sorted, combinations(singles, 2))}
    while grown:
        large = [members for members in grown if len(shared_targets(regulons, members)) >= least_targets]
        of_large = score(co_regulons(regulons, nes, large)) if large else np.empty(0)
        new = {members: float(own) for members, own in zip(large, of_large, strict=True) if abs(own) > grown[members]}
        found += new
        scores += new.values()
        grown = {}
        for members, own in new.items():
            for one in singles:
                if one not in members:
                    more = _sorted((*members, one))
                    grown[more] = max(grown.get(more, 0.0), abs(own), strength[(one,)])
    return Combinations(found, co_regulons(regulons, nes, found), np.array(scores))


def _sorted(members: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(members))


def shared_targets(regulons: Regulons, members: tuple[int, ...]) -> NDArray[np.int32]:
    """Targets that all members have."""
    shared = _targets(regulons, members[0])
    for one in members[1:]:
        shared = np.intersect1d(shared, _targets(regulons, one), assume_unique=True)
    return shared


def co_regulons(regulons: Regulons, nes: NDArray[np.float64], sets: list[tuple[int, ...]]) -> Regulons:
    """Shared targets of each set; mode: mean of the mode x sign(NES) of all members, likelihood: their product."""
    targets, modes, likelihoods = [np.empty(0, np.int32)], [np.empty(0)], [np.empty(0)]
    for members in sets:
        shared = shared_targets(regulons, members)
        mode, likelihood = _edges_of(regulons, nes, members, shared)
        targets.append(shared)
        modes.append(mode.mean(axis=0))
        likelihoods.append(likelihood.prod(axis=0))
    indptr = np.cumsum([len(own) for own in targets])
    return Regulons(indptr, np.concatenate(targets), np.concatenate(modes), np.concatenate(likelihoods))


def synergy_pvalues(
    signature: NDArray[np.float64],
    regulons: Regulons,
    nes: NDArray[np.float64],
    sets: list[tuple[int, ...]],
    seed: np.random.SeedSequence,
) -> NDArray[np.float64]:
    """How often the union of all targets of a set loses as much score without as many random targets as it shares.

    In the union, modes x sign(NES) and likelihoods are means over the members that have the target.
    """
    from scipy.stats import rankdata

    quantile = rankdata(signature) / (len(signature) + 1)
    distance = 2 * np.abs(quantile - 0.5)
    two_tail, one_tail = ndtri(quantile), ndtri(distance + (1 - distance.max()) / 2)
    p = np.empty(len(sets))
    for place, members in enumerate(sets):
        union = np.unique(np.concatenate([_targets(regulons, one) for one in members]))
        mode, likelihood = _edges_of(regulons, nes, members, union)
        terms = removal_terms(
            two_tail[union], one_tail[union], np.nanmean(mode, axis=0), np.nanmean(likelihood, axis=0)
        )
        shared = np.isin(union, shared_targets(regulons, members), assume_unique=True).astype(np.float64)
        p[place] = removal_pvalues(terms, shared[None], np.random.default_rng(child(seed, place)))[0]
    return p


def _edges_of(
    regulons: Regulons, nes: NDArray[np.float64], members: tuple[int, ...], targets: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mode x sign(NES) and likelihood of ``targets`` (ascending) in each member; NaN where it lacks one."""
    mode, likelihood = np.full((2, len(members), len(targets)), np.nan)
    for row, one in enumerate(members):
        own = slice(regulons.indptr[one], regulons.indptr[one + 1])
        wanted = np.isin(regulons.targets[own], targets)
        place = np.searchsorted(targets, regulons.targets[own][wanted])
        mode[row, place] = regulons.mode[own][wanted] * (1 if nes[one] >= 0 else -1)
        likelihood[row, place] = regulons.likelihood[own][wanted]
    return mode, likelihood


def _targets(regulons: Regulons, regulator: int) -> NDArray[np.int32]:
    return regulons.targets[regulons.indptr[regulator] : regulons.indptr[regulator + 1]]
