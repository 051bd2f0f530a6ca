"""Integration of the scores of several networks: against definitions, and what must hold of any scores."""

from __future__ import annotations

import meta_oracles as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysces._enrich.meta import N_EXTREME, best_network, integrate, stouffer, vote, weighted

WEIGHTS = pytest.mark.parametrize("weights", [0, 0.5, 1, 2, 10, (4, 2), (1.0, 0.3)], ids=str)
SEED = st.integers(0, 2**32 - 1)


def networks(n=3, n_cells=13, n_regulators=11, seed=0, *, effect=False):
    """Scores (or effects in [-1, 1]) of networks that each lack some regulators; the last regulator is in none."""
    rng = np.random.default_rng(seed)
    shape = (n_cells, n_regulators)
    scores = [rng.uniform(-1, 1, shape) if effect else rng.normal(scale=3, size=shape) for _ in range(n)]
    lacks = np.random.default_rng([seed, 1]).random((n, n_regulators)) < 0.3
    lacks[:, 0], lacks[:, -1] = False, True
    for score, lack in zip(scores, lacks, strict=True):
        score[:, lack] = np.nan
    return scores


def close(found, expected, atol=1e-12):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=atol)


# --- weighted by size -------------------------------------------------------------------------------------------------


@WEIGHTS
@pytest.mark.parametrize("n", [1, 2, 5])
def test_integration_is_the_mean_weighted_by_size(n, weights):
    scores = networks(n)
    close(integrate(scores, weights), oracle.integrate(scores, weights))


def test_power_0_is_the_plain_mean():
    scores = networks()
    has = ~np.isnan(scores).all(axis=0)
    close(integrate(scores, 0)[has], np.nanmean([score[has] for score in scores], axis=0))


@WEIGHTS
def test_a_network_that_lacks_the_regulator_has_no_say(weights):
    scores = [np.array([[0.5, 1.0, np.nan]]), np.array([[np.nan, -3.0, np.nan]])]
    found = integrate(scores, weights)
    assert found[0, 0] == 0.5
    assert np.isnan(found[0]).tolist() == [False, False, True]


@WEIGHTS
def test_scores_that_are_all_0_give_0(weights):
    assert integrate([np.zeros((2, 2)), np.array([[0.0, np.nan]] * 2)], weights).tolist() == [[0.0, 0.0]] * 2


@pytest.mark.parametrize("weights", [5000, (400.0, 1000.0)], ids=str)
def test_weights_that_no_number_can_hold_leave_the_largest_score(weights):
    scores = [np.array([[30.0, -0.2]]), np.array([[-31.0, 0.1]])]
    assert integrate(scores, weights).tolist() == [[-31.0, -0.2]]


@settings(max_examples=50, deadline=None)
@given(SEED, st.floats(0, 20) | st.tuples(st.floats(-5, 8), st.floats(0.01, 50)))
def test_integration_lies_among_the_scores_whatever_the_order_of_networks(seed, weights):
    scores = networks(4, seed=seed)
    found = integrate(scores, weights)
    has = ~np.isnan(found)
    assert (has == np.any([~np.isnan(score) for score in scores], axis=0)).all()
    assert (found[has] >= np.fmin.reduce(scores)[has] - 1e-12).all()
    assert (found[has] <= np.fmax.reduce(scores)[has] + 1e-12).all()
    close(integrate(scores[::-1], weights), found)
    close(integrate([-score for score in scores], weights), -found)


def test_a_pair_may_be_an_array():
    np.testing.assert_array_equal(integrate(networks(), np.array([4.0, 2.0])), integrate(networks(), (4, 2)))


@pytest.mark.parametrize(
    "weights", [-1, np.nan, np.inf, True, "auto", None, (4,), (4, 0), (4, -2), (np.nan, 2), (np.inf, 2), (4, 2, 1)]
)
def test_weights_that_are_neither_exponent_nor_sigmoid_are_an_error(weights):
    with pytest.raises(ValueError, match=r"weights is .*; give an exponent of at least 0, or a pair"):
        integrate(networks(), weights)


# --- Stouffer, and weights of networks --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5])
def test_stouffer_is_the_sum_over_the_root_of_the_number_of_networks_that_have_the_regulator(n):
    close(stouffer(networks(n)), oracle.stouffer(networks(n)))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_vote_is_the_share_of_common_regulators_whose_effect_is_largest(n):
    pes = networks(n, effect=True)
    found = vote(pes)
    assert found.shape == (13, n)
    close(found, oracle.vote(pes))
    close(found.sum(axis=1), 1.0)


def test_networks_that_tie_share_the_vote():
    first, second = np.array([[0.5, -1.0, 0.2, np.nan]]), np.array([[0.1, 1.0, -0.3, 0.9]])
    assert vote([first, second]).tolist() == [[0.5, 0.5]]
    assert vote([first, second, second]).tolist() == [pytest.approx([4 / 9, 5 / 18, 5 / 18])]


def test_without_a_common_regulator_networks_weigh_the_same():
    first, second = np.array([[1.0, np.nan], [0.5, 0.5]]), np.array([[np.nan, 0.1], [0.1, 0.1]])
    assert vote([first, second]).tolist() == [[0.5, 0.5], [1.0, 0.0]]


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("how", ["vote", "same"])
def test_weighted_networks_are_their_definition(n, how):
    nes, pes = networks(n), networks(n, effect=True)
    weights = vote(pes) if how == "vote" else np.ones((13, n))
    for found, expected in zip(weighted(nes, pes, weights), oracle.weighted(nes, pes, weights), strict=True):
        close(found, expected)


def test_networks_of_the_same_weight_give_stouffer_and_the_mean():
    nes, pes = networks(), networks(effect=True)
    score, effect = weighted(nes, pes, np.full((13, 3), 0.2))
    close(score, stouffer(nes))
    close(effect, integrate(pes, 0))


def test_regulators_of_networks_without_weight_are_0():
    nes, pes = [np.array([[2.0, np.nan]]), np.array([[9.0, 3.0]])], [np.array([[0.5, np.nan]]), np.array([[0.9, 0.4]])]
    score, effect = weighted(nes, pes, np.array([[1.0, 0.0]]))
    assert score.tolist() == [[2.0, 0.0]]
    assert effect.tolist() == [[0.5, 0.0]]


@settings(max_examples=30, deadline=None)
@given(SEED)
def test_order_of_networks_does_not_matter(seed):
    nes, pes = networks(4, seed=seed), networks(4, seed=seed, effect=True)
    close(vote(pes[::-1]), vote(pes)[:, ::-1])
    for found, expected in zip(
        weighted(nes[::-1], pes[::-1], vote(pes[::-1])), weighted(nes, pes, vote(pes)), strict=True
    ):
        close(found, expected)


# --- best network -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_regulators", "n_extreme"), [(130, N_EXTREME), (260, N_EXTREME), (40, N_EXTREME), (40, 3)])
def test_best_network_has_the_widest_scores(n_regulators, n_extreme):
    scores = networks(4, 60, n_regulators)
    found = best_network(scores, n_extreme)
    assert found.dtype == np.intp
    assert found.tolist() == oracle.best_network(scores, n_extreme)
    assert len(set(found.tolist())) == 4


def test_as_many_extremes_are_taken_of_every_network():
    large = np.concatenate([np.full((1, 4), 2.0), np.full((1, 4), -2.0), np.zeros((1, 12))], axis=1)
    small = np.full((1, 20), np.nan)
    small[0, :2] = 1.9, -1.9
    assert best_network([small, large]).tolist() == [1]
    small[0, :2] = 2.1, -2.1
    assert best_network([small, large]).tolist() == [0]


def test_a_cell_has_the_best_of_the_networks_that_score_it():
    wide, narrow = np.array([[9.0, -9.0]] * 4), np.array([[1.0, -1.0]] * 4)
    wide[[1, 2]] = narrow[2] = np.nan
    assert best_network([narrow, wide]).tolist() == [1, 0, -1, 1]


def test_a_network_without_scores_in_a_cell_leaves_the_extremes_of_the_others_alone():
    outlier, wide = np.array([[9.0, 0, 0, 0, 0, -9.0]]), np.array([[8.0, 7, 6, -6, -7, -8]])
    assert best_network([outlier, wide]).tolist() == [1]
    assert best_network([outlier, wide, np.full((1, 6), np.nan)]).tolist() == [1]


def test_the_first_of_networks_that_tie_is_best():
    scores = networks(1)[0]
    assert not best_network([scores, scores[:, ::-1], scores]).any()


def test_scores_are_not_changed():
    scores = networks()
    best_network(scores), integrate(scores, 1), stouffer(scores), weighted(scores, scores, vote(scores))
    for found, expected in zip(scores, networks(), strict=True):
        np.testing.assert_array_equal(found, expected)
