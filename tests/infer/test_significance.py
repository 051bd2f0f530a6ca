"""Corrections for many tests, against scipy and by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from pysces._infer.significance import log_qvalues, log_qvalues_of, significant


def log_p_table(seed: int = 0, n_levels: int | None = None) -> np.ndarray:
    """A table of log p-values of which some are not tested; ``n_levels``: with ties."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.3, 1.0, (7, 30))
    if n_levels is not None:
        p = np.ceil(p * n_levels) / n_levels
    log_p = np.log(p)
    log_p[np.arange(7), np.arange(7)] = np.nan
    log_p[:, 20] = np.nan
    return log_p


@pytest.mark.parametrize("n_levels", [None, 6])
def test_qvalues_match_scipy_on_what_was_tested(n_levels):
    log_p = log_p_table(n_levels=n_levels)
    tested = ~np.isnan(log_p)
    log_q = log_qvalues(log_p)
    assert np.isnan(log_q[~tested]).all()
    # a difference of logs of numbers near 1: some units in the last place
    np.testing.assert_allclose(log_q[tested], np.log(false_discovery_control(np.exp(log_p[tested]))), atol=1e-12)


@given(
    p=st.lists(
        st.one_of(st.sampled_from([1.0, 1.0, 0.9999, 0.5, 1e-12]), st.floats(1e-300, 1)), min_size=1, max_size=40
    ),
    missing=st.lists(st.booleans(), min_size=40, max_size=40),
)
@settings(deadline=None, max_examples=200, derandomize=True)
def test_qvalues_of_any_pvalues_match_scipy_with_ones_and_pairs_not_tested(p, missing):
    p = np.array(p)
    tested = ~np.array(missing)[: len(p)]
    with_gaps = np.where(tested, p, np.nan)
    expected = np.full(len(p), np.nan)
    if tested.any():
        expected[tested] = np.log(false_discovery_control(p[tested]))
    np.testing.assert_allclose(log_qvalues(np.log(with_gaps)), expected, rtol=1e-12, atol=1e-12)
    some = np.flatnonzero(tested)[::2]
    np.testing.assert_array_equal(
        log_qvalues_of(np.log(p[some]), np.log(with_gaps)), log_qvalues(np.log(with_gaps))[some]
    )


def test_pvalues_of_exactly_one_count_as_tests():
    log_p = np.array([[np.log(0.01), 0.0, np.nan], [0.0, 0.0, -0.0]])
    np.testing.assert_allclose(log_qvalues(log_p), [[np.log(0.05), 0.0, np.nan], [0.0, 0.0, 0.0]], rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_qvalues_up_to_a_level_do_not_need_the_pvalues_above_it(seed):
    log_p = log_p_table(seed)
    whole, coarse = log_qvalues(log_p), log_qvalues(np.where(log_p > np.log(0.2), 0.0, log_p))
    below = whole <= np.log(0.2)
    assert below.any()
    np.testing.assert_array_equal(coarse[below], whole[below])
    assert (coarse[~below & ~np.isnan(log_p)] > np.log(0.2)).all()


def test_qvalues_beyond_the_smallest_double_stay_finite():
    log_p = np.array([[-5000.0, -2000.0, 0.0]])
    np.testing.assert_allclose(log_qvalues(log_p), [[-5000 + np.log(3), -2000 + np.log(1.5), 0.0]], rtol=1e-15)


@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (2, 3)])
def test_no_test_gives_no_qvalue_and_no_edge(shape):
    log_p = np.full(shape, np.nan)
    log_q = log_qvalues(log_p)
    assert log_q.shape == shape
    assert np.isnan(log_q).all()
    for correction in ("fdr", "fwer", "p", None):
        assert not significant(log_p, 0.05, correction).any()


@pytest.mark.parametrize(
    ("correction", "passes"),
    [
        ("fdr", lambda p: false_discovery_control(p) <= 0.05),
        ("fwer", lambda p: p * len(p) <= 0.05),
        ("p", lambda p: p <= 0.05),
        (None, lambda p: p <= 1),
    ],
)
def test_pairs_pass_by_the_definition_of_the_correction(correction, passes):
    log_p = log_p_table(seed=1)
    tested = ~np.isnan(log_p)
    found = significant(log_p, 0.05, correction)
    assert not found[~tested].any()
    np.testing.assert_array_equal(found[tested], passes(np.exp(log_p[tested])))
    assert found.any()


@pytest.mark.parametrize("correction", ["fdr", "fwer", "p"])
def test_a_stricter_level_passes_fewer_pairs(correction):
    log_p = log_p_table(seed=2)
    loose, strict = (significant(log_p, alpha, correction) for alpha in (0.2, 0.01))
    assert not (strict & ~loose).any()
    assert strict.sum() < loose.sum()


def test_the_level_itself_passes():
    log_p = np.log(np.array([[0.05, 0.06]]))
    np.testing.assert_array_equal(significant(log_p, 0.05, "p"), [[True, False]])


@pytest.mark.parametrize("correction", ["fdr", "fwer"])
def test_pairs_that_were_not_tested_are_not_corrected_for(correction):
    log_p = np.log(np.array([0.012, 0.5, 0.6, 0.7, *[np.nan] * 6]))  # 4 x 0.012 is below 0.05, 10 x 0.012 is not
    np.testing.assert_array_equal(significant(log_p, 0.05, correction), np.arange(10) == 0)


@pytest.mark.parametrize("n_levels", [None, 6])
@pytest.mark.parametrize("correction", ["fdr", "fwer", "p"])
def test_pvalues_above_the_level_need_not_be_exact(correction, n_levels):
    log_p = log_p_table(seed=3, n_levels=n_levels)
    coarse = np.where(log_p > np.log(0.2), 0.0, log_p)
    np.testing.assert_array_equal(significant(coarse, 0.2, correction), significant(log_p, 0.2, correction))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_levels", [None, 40])
def test_pairs_pass_the_false_discovery_rate_where_their_qvalue_does(n_levels, seed):
    log_p = log_p_table(seed, n_levels)
    q = np.full(log_p.shape, np.nan)
    tested = ~np.isnan(log_p)
    q[tested] = false_discovery_control(np.exp(log_p[tested]))
    for alpha in (0.03, 0.1, 0.3):
        np.testing.assert_array_equal(significant(log_p, alpha, "fdr"), q <= alpha)
