from __future__ import annotations

import msviper_oracles as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pysces._enrich.null import against_null, log_pvalues, log_right_tail


def draws(n, seed=0):
    return np.random.default_rng(seed).normal(0.1, [1.0, 0.2, 3.0], (n, 3))


@pytest.mark.parametrize("n", [10, 499, 500, 1000])
def test_scores_against_their_null(n):
    null, scores = draws(n), np.array([[0.5, -0.1, 0.0], [2.5, 0.9, -7.7], [-4.0, 0.31, 5.0]])
    expected = [[oracle.against_null(x, own) for x, own in zip(row, null.T, strict=True)] for row in scores]
    np.testing.assert_allclose(against_null(scores, null), expected, rtol=1e-9, atol=1e-12)


def test_order_of_the_draws_does_not_matter():
    null, scores = draws(800), np.array([[0.5, -1.1, 12.0]])
    shuffled = np.random.default_rng(1).permutation(null, axis=0)
    assert against_null(scores, shuffled).tobytes() == against_null(scores, null).tobytes()


def test_far_scores_stay_finite_and_in_order():
    scores = np.linspace(0, 1e4, 1001)[:, None]
    nes = against_null(scores, draws(600)[:, :1])[:, 0]
    assert np.isfinite(nes).all()
    assert (np.diff(nes[nes > 1]) > 0).all()


@given(st.lists(st.floats(0, 50), min_size=2, max_size=30), st.integers(0, 5))
@settings(deadline=None)
def test_p_falls_with_the_score_and_lies_in_0_1(values, seed):
    values = np.sort(values)
    log_p = log_right_tail(values, np.abs(draws(500, seed)[:, 0]))
    assert (np.diff(log_p) <= 0).all()
    assert (log_p <= 0).all()


def test_p_of_draws_of_the_null_is_uniform_and_its_tail_as_heavy_as_it_should_be():
    rng = np.random.default_rng(0)
    p = np.concatenate([np.exp(log_right_tail(rng.exponential(size=2000), rng.exponential(size=1000)))
                        for _ in range(40)])  # fmt: skip
    for level in (0.5, 0.1, 0.03, 0.01, 0.001):
        assert (p <= level).mean() == pytest.approx(level, rel=0.15)


def test_a_null_without_a_tail_is_counted():
    null = np.ones(500)
    np.testing.assert_allclose(np.exp(log_right_tail(np.array([0.5, 1.0, 2.0]), null)), [1, 1, 1 / 501])


def test_p_is_two_sided_and_in_logs():
    nes = np.array([0.0, 1.0, -3.0, 60.0])
    np.testing.assert_allclose(np.exp(log_pvalues(nes)), 2 * stats.norm.sf(np.abs(nes)))
    assert log_pvalues(nes)[0] == 0
    assert -1806 < log_pvalues(nes)[3] < -1803
