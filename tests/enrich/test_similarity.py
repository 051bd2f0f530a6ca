"""Similarity of cells by activity, on arrays: against the definition, and what must hold of any cells."""

from __future__ import annotations

import meta_oracles as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysces._enrich import similarity as module
from pysces._enrich.similarity import common_regulators

TAILS = pytest.mark.parametrize("tail", ["two-sided", "greater", "less"])
SCHEMES = pytest.mark.parametrize(
    "scheme",
    [{}, {"weights": (3.0, 0.5)}, {"weights": 0}, {"weights": 1.5}, {"weights": 4}, {"n_top": 6}, {"n_top": 9}],
    ids=str,
)


def activities(n_cells=23, n_regulators=17, seed=0, *, ties=False):
    nes = np.random.default_rng(seed).normal(scale=2.5, size=(n_cells, n_regulators))
    return np.round(nes) if ties else nes


def similarity(nes, *, weights=(4.0, 2.0), n_top=None, tail="two-sided", scale=False, n_threads=1):
    return module.similarity(nes, weights=weights, n_top=n_top, tail=tail, scale=scale, n_threads=n_threads)


# --- the definition ---------------------------------------------------------------------------------------------------


@TAILS
@SCHEMES
@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
def test_similarity_is_its_definition(scheme, tail, ties):
    nes = activities(ties=ties)
    np.testing.assert_allclose(
        similarity(nes, tail=tail, **scheme), oracle.similarity(nes, tail=tail, **scheme), atol=1e-12
    )


@TAILS
@pytest.mark.parametrize("scheme", [{}, {"weights": 2}, {"n_top": 4}], ids=str)
def test_scale_divides_by_the_mean_similarity_of_the_two_cells_to_themselves(scheme, tail):
    nes = activities()
    found = similarity(nes, tail=tail, scale=True, **scheme)
    np.testing.assert_allclose(found, oracle.similarity(nes, tail=tail, scale=True, **scheme), atol=1e-12)
    np.testing.assert_allclose(np.diag(found), 1.0)


def test_the_sigmoid_is_a_half_and_a_tenth_where_it_is_said_to_be():
    cell = np.array([[3.0, 1.0, 0.0]])
    w = np.array([0.5, 0.1, 0.0])
    t = oracle.norm.ppf([3 / 4, 2 / 4, 1 / 4])
    found = similarity(cell, weights=(3.0, 1.0))
    assert found.item() == pytest.approx(w @ t / w.sum() * np.sqrt((w**2).sum()), rel=1e-12)


@pytest.mark.parametrize("weights", [[4.0, 2.0], np.array([4.0, 2.0]), (4, 2), (np.float32(4), np.int64(2))])
def test_a_pair_of_numbers_may_come_in_any_form(weights):
    np.testing.assert_array_equal(similarity(activities(), weights=weights), similarity(activities()))


def test_cells_that_share_nothing_are_like_each_other_by_0():
    assert similarity(np.array([[1.0, 1.0], [3.0, 3.0]])).tolist() == [[0.0, 0.0]] * 2
    assert np.isnan(similarity(np.array([[1.0, 1.0], [3.0, 3.0]]), scale=True)).all()


def test_of_two_regulators_tied_at_the_end_both_or_none_count():
    nes = np.array([[1.0, 2.0, 3.0, 3.0, -4.0], [1.0, -2.0, 5.0, 4.0, 2.0]])
    np.testing.assert_allclose(
        similarity(nes, n_top=1, tail="greater")[0, 0], oracle.similarity(nes, n_top=1, tail="greater")[0, 0]
    )
    np.testing.assert_array_equal(
        similarity(nes, n_top=1, tail="greater")[0, 0], similarity(nes, n_top=2, tail="greater")[0, 0]
    )


# --- what no result depends on ----------------------------------------------------------------------------------------


@TAILS
@SCHEMES
def test_similarity_is_symmetric_to_the_bit(monkeypatch, scheme, tail):
    monkeypatch.setattr(module, "CELLS_PER_BLOCK", 5)
    found = similarity(activities(), tail=tail, scale=True, **scheme)
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("size", [1, 5, 22, 23])
def test_blocks_change_nothing_but_rounding(monkeypatch, size, scale):
    expected = similarity(activities(), scale=scale)
    monkeypatch.setattr(module, "CELLS_PER_BLOCK", size)
    np.testing.assert_allclose(similarity(activities(), scale=scale), expected, atol=1e-13)


def test_threads_change_no_byte(monkeypatch):
    monkeypatch.setattr(module, "CELLS_PER_BLOCK", 5)
    nes = activities(n_cells=60)
    np.testing.assert_array_equal(similarity(nes, n_threads=2), similarity(nes, n_threads=1))


def test_the_result_has_the_precision_of_the_scores_and_is_computed_in_double():
    nes = activities().astype(np.float32)
    found = similarity(nes)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, similarity(nes.astype(np.float64)).astype(np.float32))


def test_scores_are_not_changed():
    nes = activities()
    similarity(nes, tail="greater", scale=True)
    np.testing.assert_array_equal(nes, activities())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.sampled_from(["two-sided", "greater", "less"]), st.booleans())
def test_order_of_cells_and_regulators_does_not_matter(seed, n_regulators, tail, scale):
    rng, nes = np.random.default_rng(seed), activities(9, n_regulators, seed)
    cells, regulators = rng.permutation(9), rng.permutation(n_regulators)
    expected = similarity(nes, tail=tail, scale=scale)[np.ix_(cells, cells)]
    found = similarity(nes[np.ix_(cells, regulators)], tail=tail, scale=scale)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_inactive_is_compared_like_what_is_active_of_the_opposite_scores(seed):
    nes = activities(9, 11, seed)
    np.testing.assert_allclose(similarity(nes, tail="less"), similarity(-nes, tail="greater"), atol=1e-12)
    np.testing.assert_allclose(similarity(nes), similarity(-nes), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_opposite_cells_are_as_unlike_as_a_cell_is_like_itself(seed):
    nes = activities(4, 11, seed)
    both = similarity(np.concatenate([nes, -nes]))
    np.testing.assert_allclose(both[:4, 4:], -both[:4, :4], atol=1e-12)
    assert (np.diag(both) > 0).all()


# --- missing scores ---------------------------------------------------------------------------------------------------


def test_common_regulators_are_those_that_all_cells_with_scores_have():
    nes = np.array([[1.0, np.nan, 2.0], [np.nan] * 3, [0.0, 3.0, -1.0]])
    assert common_regulators(nes).tolist() == [True, False, True]
    assert common_regulators(nes[[0, 2]].astype(np.float32)).tolist() == [True, False, True]


@pytest.mark.parametrize("scale", [False, True])
@SCHEMES
def test_cells_without_scores_are_nan_and_change_no_other(scheme, scale):
    nes = activities()
    expected = similarity(np.delete(nes, [3, 11], axis=0), scale=scale, **scheme)
    nes[[3, 11]] = np.nan
    found = similarity(nes, scale=scale, **scheme)
    assert np.isnan(found[[3, 11]]).all()
    assert np.isnan(found[:, [3, 11]]).all()
    rest = np.delete(np.delete(found, [3, 11], axis=0), [3, 11], axis=1)
    np.testing.assert_allclose(rest, expected, atol=1e-13)


@pytest.mark.parametrize("weights", [(4.0, 2.0), 0, 2])
def test_cells_without_a_score_in_the_tail_are_nan(weights):
    nes = activities()
    nes[5] = -np.abs(nes[5])
    nes[7] = 0.0
    found = np.isnan(similarity(nes, weights=weights, tail="greater"))
    assert np.flatnonzero(found.all(axis=1)).tolist() == [5, 7]
    assert found.sum() == 23**2 - 21**2
    assert np.flatnonzero(np.isnan(similarity(nes, weights=weights)).all(axis=1)).tolist() == [7]


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weights", [-1, np.nan, np.inf, True, "NES", None, (4,), (2, 4), (4, 4), (4, -1), (np.inf, 2), (4, 2, 1)]
)
def test_weights_that_are_neither_a_falling_pair_nor_an_exponent_are_an_error(weights):
    with pytest.raises(ValueError, match=r"weights is .*; give a pair \(NES that weighs 0.5, .* or an exponent"):
        similarity(activities(), weights=weights)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"tail": "both"}, "tail is 'both'; choose one of 'two-sided', 'greater', 'less'"),
        ({"n_top": 0, "tail": "less"}, "n_top is 0; give a whole number, at least 1"),
        ({"n_top": 1}, "n_top is 1; give a whole number, at least 2"),
        ({"n_top": 2.0}, "n_top is 2.0; give a whole number"),
        ({"n_top": 18}, "n_top is 18, but cells are compared by 17 regulators"),
        ({"n_top": 4, "weights": 2}, "weights is 2 and n_top is 4; give one of them"),
    ],
)
def test_options_that_mean_nothing_are_an_error(options, match):
    with pytest.raises(ValueError, match=match):
        similarity(activities(), **options)


@pytest.mark.parametrize("n", [0, 1])
def test_ranks_need_two_regulators(n):
    with pytest.raises(ValueError, match=f"compared by {n} regulators, but ranks need at least 2 that all cells have"):
        similarity(activities()[:, :n])
