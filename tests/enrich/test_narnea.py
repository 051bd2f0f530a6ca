from __future__ import annotations

from typing import TYPE_CHECKING

import narnea_oracles as oracle
import numpy as np
import pytest
import viper_oracles
from hypothesis import given, settings
from hypothesis import strategies as st
from regulon_cases import coded, regulon

from pysces._csr import as_csr
from pysces._enrich.narnea import Enrichment, Narnea

if TYPE_CHECKING:
    import pandas as pd

# Sums over 60 genes and quotients of their moments; a rank that was off by a half would cost 1e-3.
EXACT = {"rtol": 1e-9, "atol": 1e-10}


def some_regulons(n_genes: int = 60, *, seed: int = 0) -> list[pd.DataFrame]:
    """Some modes are 1, -1 and 0."""
    edges = viper_oracles.network(range(n_genes), seed=seed).rename(columns={"target": "gene"})
    edges["weight"] = np.where(np.arange(len(edges)) % 3 == 0, np.round(edges["weight"]), edges["weight"])
    return [edges[edges["source"] == source] for source in edges["source"].unique()]


def scores(S, regulons, zero=None) -> Enrichment:
    """Stored are the entries that differ from a constant per gene, by default that of the first cell."""
    S = np.asarray(S, np.float64)
    zero = S[0].copy() if zero is None else np.asarray(zero, np.float64)
    stored = as_csr(~((zero == S) | (np.isnan(S) & np.isnan(zero))))
    rows = np.repeat(np.arange(len(S)), np.diff(stored.indptr))
    return Narnea(zero, coded(regulons))(stored._replace(data=S[rows, stored.indices]))


def assert_as_defined(S, regulons, **settings) -> None:
    for found, expected in zip(scores(S, regulons, **settings), oracle.narnea(S, regulons), strict=True):
        np.testing.assert_allclose(found, expected, **EXACT)


# --- against the definition -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["none", "scale"])
@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
def test_scores_are_those_of_the_definition(kind, name):
    S = viper_oracles.signature(viper_oracles.cells(kind, 6), name)
    assert_as_defined(S, some_regulons())


@pytest.mark.parametrize("weight", [1.0, -1.0, 0.5, -0.9999, 1e-3])
def test_scores_of_one_mode_are_those_of_the_definition(weight):
    S = viper_oracles.cells("smooth", 5)
    assert_as_defined(S, [r.assign(weight=weight) for r in some_regulons()])
    assert_as_defined(S, [r.assign(weight=weight, likelihood=1.0) for r in some_regulons()])


def test_zeros_have_the_average_rank_and_no_sign():
    S = np.array([[0.0, 0, 0, 2, -3, 0.5, 0, -1]])
    regulons = [regulon([0, 3, 4], [0.5, -0.2, 1]), regulon([1, 2], 0.7), regulon([3, 5], -0.4)]
    assert_as_defined(S, regulons, zero=np.zeros(8))
    targets_at_zero = scores(S, regulons[1:2], np.zeros(8)).nes
    far_zeros = scores(np.where(S == 0, 1e-9, S), regulons[1:2], np.zeros(8)).nes
    assert abs(targets_at_zero - far_zeros) > 0.01  # a sign would count


def test_signs_may_differ_between_tied_genes():
    S = np.array([[1.0, -1, 1, -1, 2, 2, -2, 0.5, 3]])
    assert_as_defined(S, [regulon([0, 1, 4], [0.5, -0.2, 0.9]), regulon([5, 6], [0.3, 0.3]), regulon([2, 8], -0.4)])


@given(st.integers(0, 2**32 - 1), st.sampled_from(["smooth", "counts"]))
@settings(deadline=None, max_examples=15)
def test_random_scores_are_those_of_the_definition(seed, kind):
    S = viper_oracles.signature(viper_oracles.cells(kind, 4, 25, seed), "mean")
    assert_as_defined(S, some_regulons(25, seed=seed))


# --- what a signature may be ------------------------------------------------------------------------------------------


def test_constants_are_as_good_as_entries():
    S = viper_oracles.signature(viper_oracles.cells("log"), "scale")[:, 8:]
    regulons = some_regulons(52)
    few = scores(S, regulons)
    rows, columns = np.indices(S.shape)
    all_stored = as_csr(np.ones(S.shape))._replace(data=S[rows, columns].ravel())
    for zero in (np.zeros(52), np.full(52, 7.5), S[3]):
        many = Narnea(zero, coded(regulons))(all_stored)
        assert many.nes.tobytes() == few.nes.tobytes()
        assert many.pes.tobytes() == few.pes.tobytes()


def test_missing_genes_count_for_nothing():
    S = viper_oracles.cells("smooth", 12)
    S[:, [3, 10, 11, 40]] = np.nan
    regulons = [*some_regulons(), regulon([3, 4, 5, 40], [0.3, 0.5, -1, 1]), regulon([10, 11])]
    assert_as_defined(S, regulons)
    found = scores(S, regulons)
    assert np.isnan(found.nes[:, -1]).all()
    assert np.isnan(found.pes[:, -1]).all()
    kept = np.setdiff1d(np.arange(60), [3, 10, 11, 40])
    place = {gene: i for i, gene in enumerate(kept)}
    rest = [r[r["gene"].isin(kept)].assign(gene=lambda r: r["gene"].map(place)) for r in regulons[:-1]]
    without = scores(S[:, kept], rest)
    np.testing.assert_allclose(found.nes[:, :-1], without.nes, **EXACT)
    np.testing.assert_allclose(found.pes[:, :-1], without.pes, **EXACT)


def test_regulons_without_targets_have_no_score():
    S = viper_oracles.cells("smooth")
    found = scores(S, [regulon([1, 2], 0.5), regulon([]), regulon([3, 9])])
    assert np.isnan(found.nes[:, 1]).all()
    assert np.isnan(found.pes[:, 1]).all()
    assert np.isfinite(found.nes[:, [0, 2]]).all()


def test_infinite_signatures_are_the_farthest():
    S = np.array([[0.5, -0.1, np.inf, 0.2, -0.7, -np.inf], [0.5, -0.1, 9, 0.2, -0.7, -9]])
    found = scores(S, [regulon([2, 3], [0.5, 1]), regulon([0, 5], [0.2, -0.3])])
    assert found.nes[0].tolist() == found.nes[1].tolist()


def test_cells_do_not_depend_on_each_other():
    S, regulons = viper_oracles.cells("counts"), some_regulons()
    whole = scores(S, regulons, np.zeros(60))
    for cell in (0, 17, 39):
        assert scores(S[[cell]], regulons, np.zeros(60)).nes.tobytes() == whole.nes[[cell]].tobytes()


# --- what scores mean -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["smooth", "counts"])
def test_turned_modes_turn_the_scores(kind):
    S, regulons = viper_oracles.signature(viper_oracles.cells(kind), "mean"), some_regulons()
    found, turned = (scores(S, r) for r in (regulons, [r.assign(weight=-r["weight"]) for r in regulons]))
    np.testing.assert_allclose(turned.nes, -found.nes, **EXACT)
    np.testing.assert_allclose(turned.pes, -found.pes, **EXACT)


def test_mirrored_signatures_mirror_the_scores():
    S, regulons = viper_oracles.cells("smooth"), some_regulons()
    found, mirrored = scores(S, regulons), scores(-S, regulons)
    np.testing.assert_allclose(mirrored.nes, -found.nes, **EXACT)
    np.testing.assert_allclose(mirrored.pes, -found.pes, **EXACT)


def test_likelihoods_count_only_relative_to_each_other():
    S = viper_oracles.cells("smooth")
    one, half = (regulon([1, 5, 9], [1, -0.5, 0.2], scale * np.array([1.0, 0.5, 0.3])) for scale in (1.0, 0.5))
    np.testing.assert_allclose(scores(S, [half]), scores(S, [one]), **EXACT)


def test_pes_is_one_where_the_targets_are_the_genes_of_largest_rank_in_the_order_of_likelihoods():
    S = np.array([[0.1, -0.2, 0.3, -0.4, 5, -6, 7, 0.25]])
    likelihood = [0.2, 0.5, 1.0]  # of genes 4, 5, 6: ranks 6, 7, 8
    found = scores(S, [regulon([4, 5, 6], [1, -1, 1], likelihood), regulon([4, 5, 6], [-1, 1, -1], likelihood)])
    np.testing.assert_allclose(found.pes, [[1, -1]], rtol=1e-12)
    swapped = scores(S, [regulon([4, 5, 6], [1, -1, 1], likelihood[::-1])])
    assert 0 < swapped.pes[0, 0] < 1


def test_pes_lies_between_minus_one_and_one():
    S = np.random.default_rng(0).normal(size=(50, 40))
    largest = [regulon(np.argsort(np.abs(s))[-8:], np.sign(s[np.argsort(np.abs(s))[-8:]])) for s in S[:5]]
    for found in (scores(S, some_regulons(40)).pes, scores(S, largest).pes):
        assert (np.abs(found) <= 1 + 1e-12).all()
    np.testing.assert_allclose(scores(S, largest).pes.diagonal()[:5], 1, rtol=0.05)  # tied likelihoods: average ranks


def test_far_tails_are_finite_and_in_order():
    n_genes = 20_000
    S = np.random.default_rng(0).normal(size=(1, n_genes))
    order = np.argsort(-S[0])
    regulons = [regulon(order[:size]) for size in (200, 1000, 4000)]
    found = scores(S, regulons).nes[0]
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()
    assert found[-1] > 60  # p-values far below the smallest number


@pytest.mark.parametrize("weight", [1.0, 0.5, -0.7])
def test_regulons_of_one_mode_have_finite_scores_where_all_genes_are_positive(weight):
    # The sums D and U of such a regulon are proportional: only their common direction says something.
    S = np.random.default_rng(0).random((20, 100)) + 0.1
    order = np.argsort(S, axis=1)
    regulons = [regulon(order[0, -12:], weight), regulon(order[0, :12], weight), regulon([3], weight)]
    found = scores(S, [*regulons, *(r.assign(weight=weight) for r in some_regulons(100))])
    assert np.isfinite(found.nes).all()
    assert np.isfinite(found.pes).all()
    assert (np.abs(found.nes) < 10).all()
    assert found.nes[0, 0] * np.sign(weight) > 3


def test_cells_in_which_all_genes_are_tied_score_zero():
    found = scores(np.zeros((2, 30)), [regulon([0, 1]), regulon([2, 3], 0.3), regulon([4, 5, 6], [-1, 0.1, 1])])
    assert not found.nes.any()  # nor NaN
    assert not found.pes.any()


def test_targets_without_direction_score_when_they_are_at_either_extreme():
    S = [[-9.0, -0.1, 0.2, -0.3, 0.4, 0.5, -0.6, 0.7, 8.0]]
    found = scores(S, [regulon([0, 8], 0.0)])
    assert found.nes[0, 0] > 0  # no shift: the sign is +, as in aREA
    assert found.pes[0, 0] > 0
