"""Shadows and combinations: both rest on what a regulon is worth without some of its targets."""

from __future__ import annotations

import itertools

import msviper_oracles as oracle
import numpy as np
import pandas as pd
import pytest
import viper_oracles as viper

from pysces._csr import as_csr
from pysces._enrich.area import normalised_scores
from pysces._enrich.shadow import Shadows, find_shadows, removal_pvalues, without_shared
from pysces._enrich.synergy import co_regulons, find_combinations, synergy_pvalues
from pysces._regulons import Regulons

SEED = np.random.SeedSequence(0)
ERROR = 5 * 0.5 / np.sqrt(1000)  # five standard errors of a share over 1000 removals


def tables(n_regulators=6, n_targets=9, n_genes=30, seed=0):
    """Regulons of a few targets among which much is shared."""
    rng = np.random.default_rng(seed)
    return [
        pd.DataFrame(
            {
                "gene": np.sort(rng.choice(n_genes // 2, n_targets, replace=False)).astype(np.int32),
                "weight": rng.uniform(-1, 1, n_targets),
                "likelihood": rng.uniform(0.1, 1, n_targets),
            }
        )
        for _ in range(n_regulators)
    ]


def coded(parts):
    columns = [np.concatenate([part[name] for part in parts]) for name in ("gene", "weight", "likelihood")]
    return Regulons(np.cumsum([0, *map(len, parts)]), *columns)


def decoded(regulons):
    names = ("gene", "weight", "likelihood")
    whole = pd.DataFrame(dict(zip(names, regulons[1:], strict=True)))
    return [whole[a:b].reset_index(drop=True) for a, b in itertools.pairwise(regulons.indptr)]


@pytest.fixture
def signature():
    return np.random.default_rng(5).normal(size=30)


def shadows(signature, regulons, *, alpha=0.05, more_than=2, candidates=None, **settings):
    candidates = np.arange(len(regulons.sizes)) if candidates is None else candidates
    settings = {"seed": SEED, "n_threads": 1, **settings}
    return find_shadows(signature, regulons, candidates, alpha=alpha, more_than=more_than, **settings)


def same(first, second):
    return all(a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True))


# --- shadows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_p_is_the_share_of_removals_that_leave_no_more(signature, seed):
    parts = tables(seed=seed)
    expected = {
        (a, b): oracle.removal_p(oracle.plain_tails(signature), parts[b], set(parts[a]["gene"]) & set(parts[b]["gene"]))
        for a, b in itertools.permutations(range(6), 2)
        if len(set(parts[a]["gene"]) & set(parts[b]["gene"])) > 2
    }
    for alpha in (0.2, 0.5):
        found = shadows(signature, coded(parts), alpha=alpha)
        pairs = dict(zip(zip(found.caster, found.shadowed, strict=True), found.p, strict=True))
        clear = {pair for pair, p in expected.items() if all(abs(x - alpha) > ERROR for x in (p, expected[pair[::-1]]))}
        assert {pair for pair in clear if expected[pair] < alpha < expected[pair[::-1]]} == clear & pairs.keys()
        for pair, p in pairs.items():
            assert p == pytest.approx(expected[pair], abs=ERROR)
            assert found.n_shared[list(pairs).index(pair)] == len(
                set(parts[pair[0]]["gene"]) & set(parts[pair[1]]["gene"])
            )
    assert len(clear) > 5


def regulons_in_the_shadow():
    """The second regulon changes only in what it shares with the first, which changes as a whole."""
    signature = np.concatenate([np.linspace(3, 4, 24), np.random.default_rng(0).normal(0, 0.3, 76)])
    genes = [np.arange(24), np.concatenate([np.arange(12), np.arange(40, 100)])]
    parts = [pd.DataFrame({"gene": own.astype(np.int32), "weight": 0.9, "likelihood": 1.0}) for own in genes]
    parts[1].loc[12:, "weight"] = np.resize([0.9, -0.9], 60)
    return signature, coded(parts)


def test_what_is_active_by_shared_targets_only_is_in_the_shadow_and_loses_them():
    signature, regulons = regulons_in_the_shadow()
    found = shadows(signature, regulons, more_than=10)
    assert (found.caster.tolist(), found.shadowed.tolist(), found.n_shared.tolist()) == ([0], [1], [12])
    assert found.p.tolist() == [1 / 1001]
    left = decoded(without_shared(regulons, found))
    assert [part["gene"].tolist() for part in left] == [list(range(24)), list(range(40, 100))]


def test_only_candidates_that_share_more_than_so_many_targets_are_tested():
    signature, regulons = regulons_in_the_shadow()
    assert len(shadows(signature, regulons, more_than=11).p) == 1
    assert len(shadows(signature, regulons, more_than=12).p) == 0
    assert len(shadows(signature, regulons, candidates=np.array([1])).p) == 0
    assert len(shadows(signature, regulons, candidates=np.array([], np.intp)).p) == 0


def test_equal_regulons_cast_no_shadow_on_each_other(signature):
    part = tables(1)[0]
    assert len(shadows(signature, coded([part, part]), alpha=0.9).p) == 0


def test_targets_shared_with_any_caster_are_lost():
    parts = [pd.DataFrame({"gene": np.array(g, np.int32), "weight": 1.0, "likelihood": 1.0})
             for g in ([0, 1, 2], [2, 3], [0, 2, 3, 4])]  # fmt: skip
    some = Shadows(np.array([0, 1]), np.array([2, 2]), np.array([2, 2]), np.zeros(2))
    assert [part["gene"].tolist() for part in decoded(without_shared(coded(parts), some))] == [[0, 1, 2], [2, 3], [4]]


def test_threads_and_other_candidates_change_no_byte(signature):
    regulons = coded(tables(12))
    one = shadows(signature, regulons, alpha=0.4)
    assert len(one.p) > 3
    assert same(one, shadows(signature, regulons, alpha=0.4, n_threads=2))
    fewer = shadows(signature, regulons, alpha=0.4, candidates=np.arange(8))
    kept = (one.caster < 8) & (one.shadowed < 8)
    assert same(fewer, [column[kept] for column in one])


def test_p_is_exact_up_to_the_number_of_removals():
    rng = np.random.default_rng(0)
    terms = np.abs(rng.normal(size=(9, 3))) + 0.1
    removed = (rng.permuted(np.tile(np.arange(9), (20, 1)), axis=1) < 3).astype(float)
    regulon = pd.DataFrame({"gene": range(9), "weight": 1.0, "likelihood": terms[:, 2]})
    tails = terms[:, 0] / terms[:, 2], np.zeros(9)
    found = removal_pvalues(terms * [1, 0, 1], removed, rng)
    expected = [oracle.removal_p(tails, regulon, set(np.flatnonzero(row))) for row in removed]
    np.testing.assert_allclose(found, expected, atol=ERROR)


# --- combinations -----------------------------------------------------------------------------------------------------


def scorer(signature):
    return lambda regulons: normalised_scores(as_csr(signature[None]), np.zeros(len(signature)), regulons, 1)[0]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("least", [1, 3])
def test_combinations_are_those_of_all_sets(signature, seed, least):
    parts = tables(seed=seed)
    score = scorer(signature)
    nes = score(coded(parts))
    found = find_combinations(score, coded(parts), nes, np.arange(6), least_targets=least)
    expected = oracle.combine(signature, parts, least)
    assert dict(zip(found.members, found.nes, strict=True)) == pytest.approx(expected)
    for members, own in zip(found.members, decoded(found.regulons), strict=True):
        shared = oracle.shared([parts[i] for i in members], nes[list(members)])
        pd.testing.assert_frame_equal(own, shared.astype({"gene": np.int32}))


def test_combinations_grow_beyond_pairs(signature):
    score = scorer(signature)
    found = [
        find_combinations(score, regulons, score(regulons), np.arange(6), least_targets=1).members
        for regulons in (coded(tables(seed=seed)) for seed in range(2))
    ]
    assert {2, 3} <= {len(members) for sets in found for members in sets}


def test_only_candidates_are_combined(signature):
    score, regulons = scorer(signature), coded(tables())
    found = find_combinations(score, regulons, score(regulons), np.array([1, 3, 4]), least_targets=1)
    assert found.members
    assert set().union(*found.members) <= {1, 3, 4}
    none = find_combinations(score, regulons, score(regulons), np.array([2]), least_targets=1)
    assert (none.members, len(none.regulons.sizes), len(none.nes)) == ([], 0, 0)


@pytest.mark.parametrize("members", [(0, 1), (2, 4), (1, 3, 5)])
def test_synergy_is_what_the_union_loses_without_the_shared_targets(signature, members):
    parts = tables(n_targets=6)
    nes = scorer(signature)(coded(parts))
    of_members = [parts[i] for i in members], nes[list(members)]
    shared = set(oracle.shared(*of_members)["gene"])
    assert shared
    expected = oracle.removal_p(viper.tails(signature, 0.0), oracle.union(*of_members), shared)
    found = synergy_pvalues(signature, coded(parts), nes, [members], SEED)
    assert found == pytest.approx([expected], abs=ERROR)


def test_modes_turn_with_the_activity_of_the_members():
    part = pd.DataFrame({"gene": np.arange(3, dtype=np.int32), "weight": [1.0, -0.5, 0.2], "likelihood": 0.5})
    (own,) = decoded(co_regulons(coded([part, part]), np.array([2.0, -1.0]), [(0, 1)]))
    assert own["weight"].tolist() == [0, 0, 0]
    (own,) = decoded(co_regulons(coded([part, part]), np.array([-2.0, -1.0]), [(0, 1)]))
    assert own["weight"].tolist() == [-1.0, 0.5, -0.2]
    assert own["likelihood"].tolist() == [0.25] * 3
