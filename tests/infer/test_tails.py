"""Tails of null distributions: counted, extrapolated by a line, or Student's t."""

from __future__ import annotations

from functools import partial

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from pysces._infer.null import Null
from pysces._infer.tails import (
    EXTRAPOLATE_BELOW,
    SMALLEST_P,
    Tail,
    fit_tail,
    student_log_pvalues,
    student_threshold,
)

unbounded = partial(fit_tail, n_cells=10**9)
SIZES = pytest.mark.parametrize("n_cells", [10, 25, 64, 253, 1000, 20_000])


def log_pvalues(tail: Tail, mi) -> np.ndarray:
    """p-values of ``mi`` in one tail."""
    mi = np.asarray(mi, float)
    return Null({(0, 0): (tail,)}).log_pvalues(mi[None], np.zeros(1, np.int32), np.zeros(len(mi), np.int32), 1)[0]


@pytest.mark.parametrize("draw", ["uniform", "exponential", "lognormal", "normal"])
@pytest.mark.parametrize("n_values", [1500, 5000, 51_000])
def test_pvalues_match_the_oracle_within_the_null_and_beyond(n_values, draw):
    sample = getattr(np.random.default_rng(0), draw)(size=n_values)
    mi = np.linspace(-0.5, 3.0 * sample.max(), 400)
    expected = oracles.null_log_pvalues(sample, mi)
    assert expected.min() < np.log(EXTRAPOLATE_BELOW) - 1  # reaches the line
    np.testing.assert_allclose(log_pvalues(unbounded(sample), mi), expected, rtol=1e-9)


@pytest.mark.parametrize("n_values", [5000, 200_000])
def test_pvalues_count_the_null_at_or_above(n_values):
    values = np.random.default_rng(0).exponential(1.0, n_values).round(1)  # with ties
    mi = np.array([0.0, 0.1, 0.5, 1.0, 2.0, 5.0])
    by_count = [(1 + (values >= x).sum()) / (n_values + 1) for x in mi]
    np.testing.assert_allclose(log_pvalues(unbounded(values), mi), np.log(by_count), rtol=1e-12)


@given(
    sample=st.lists(st.integers(0, 20), min_size=2, max_size=60),
    mi=st.lists(st.floats(-5, 25), min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_pvalues_in_any_small_null_are_counts(sample, mi):
    sample = np.array(sample, float)  # too small to extrapolate
    expected = [(1 + sum(value >= x for value in sample)) / (len(sample) + 1) for x in mi]
    np.testing.assert_allclose(log_pvalues(unbounded(sample), mi), np.log(expected), atol=1e-12)


def test_the_null_need_not_be_sorted_and_is_left_as_it_was():
    sample = np.random.default_rng(0).exponential(size=2000)
    before = sample.copy()
    tail = unbounded(sample)
    np.testing.assert_array_equal(sample, before)
    np.testing.assert_array_equal(tail.values, np.sort(before))


@pytest.mark.parametrize("rate", [0.5, 10.0, 400.0])
def test_the_tail_of_an_exponential_goes_on_at_its_rate(rate):
    n_values = 100_000
    quantiles = -np.log(np.arange(1, n_values + 1) / (n_values + 1)) / rate
    tail = unbounded(np.random.default_rng(0).permutation(quantiles))
    assert tail.slope == pytest.approx(-rate, rel=1e-9)
    mi = np.array([9.0, 15.0, 60.0]) / rate
    np.testing.assert_allclose(log_pvalues(tail, mi), -rate * mi, rtol=1e-9)


def test_a_sampled_tail_extrapolates_far_beyond_its_size():
    sample = np.random.default_rng(0).exponential(1.0, 1_000_000)
    # the largest values of the sample steer the line: a few per cent
    assert log_pvalues(unbounded(sample), [40.0]) == pytest.approx(-40.0, rel=0.1)


@pytest.mark.parametrize("largest", [0.5, 0.1, 1 / 3, 0.04588379])
@pytest.mark.parametrize("rounding", [0.0, 1e-15])
def test_a_tail_of_one_value_stays_at_the_smallest_pvalue(largest, rounding):
    noise = rounding * np.random.default_rng(0).random(5000)  # the same sum in different orders
    tail = unbounded(np.concatenate([np.zeros(5000), largest - noise]))
    log_p = log_pvalues(tail, [0.0, largest - 2 * rounding, largest + 0.01, 7.0])
    np.testing.assert_allclose(log_p, np.log([1.0, 5001 / 10001, 1 / 10001, 1 / 10001]), rtol=1e-12)


@pytest.mark.parametrize("p", [0.5, 0.01, 1e-3, 1e-4, 1e-5, 1e-9])
@pytest.mark.parametrize("draw", ["uniform", "exponential", "lognormal"])
def test_no_value_below_the_threshold_has_a_smaller_pvalue(draw, p):
    tail = unbounded(getattr(np.random.default_rng(0), draw)(size=100_000))  # tails that the line misses either way
    mi = np.linspace(0.0, 3.0 * tail.values[-1], 20_000)
    passes = log_pvalues(tail, mi) <= np.log(p)
    assert passes.any()
    assert (mi[passes] >= tail.threshold(p)).all()


@pytest.mark.parametrize("p", [0.9, 0.5, 0.05, 0.01])
def test_the_threshold_is_the_largest_value_whose_pvalue_is_too_large(p):
    tail = unbounded(np.random.default_rng(0).exponential(size=10_000))
    log_p = log_pvalues(tail, tail.values)
    assert tail.threshold(p) == tail.values[log_p > np.log(p)].max()


@pytest.mark.parametrize("n_values", [2, 20, 900])
def test_a_null_too_small_for_a_threshold_has_none(n_values):
    tail = unbounded(np.arange(n_values, dtype=float))
    assert tail.threshold(1e-3) == -np.inf  # even the smallest p-value, 1 / (N + 1), is larger


@SIZES
def test_student_pvalues_match_scipy(n_cells):
    t = np.array([0.0, 0.01, 0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    mi = np.log1p(t**2 / (n_cells - 2)) / 2  # rho = t / sqrt(n - 2 + t^2)
    expected = np.log(2 * student.sf(t, n_cells - 2))
    np.testing.assert_allclose(student_log_pvalues(mi, n_cells), expected, rtol=1e-9, atol=1e-9)


DEEP = [64, 100, 253, 1000, 20_000]
"""Sizes at which the largest information, 18 nats, has a p-value below SMALLEST_P."""


@SIZES
def test_student_pvalues_match_the_integral(n_cells):
    deepest = student_threshold(SMALLEST_P, n_cells) if n_cells in DEEP else 18.0
    mi = deepest * np.geomspace(1e-4, 0.999, 50)
    expected = [oracles.student_log_pvalue(x, n_cells) for x in mi]
    np.testing.assert_allclose(student_log_pvalues(mi, n_cells), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("n_cells", DEEP)
def test_deep_student_pvalues_match_the_integral(n_cells):
    mi = student_threshold(SMALLEST_P, n_cells) * np.linspace(1.001, 4.0, 30)
    mi = np.minimum(mi, 18.0)  # 1 - rho^2 is at least 2^-52
    found = student_log_pvalues(mi, n_cells)
    assert (found < np.log(SMALLEST_P)).all()
    np.testing.assert_allclose(found, [oracles.student_log_pvalue(x, n_cells) for x in mi], rtol=1e-8)


@SIZES
def test_student_pvalues_fall_with_information(n_cells):
    assert (np.diff(student_log_pvalues(np.linspace(0.0, 18.0, 2001), n_cells)) < 0).all()


@pytest.mark.parametrize("n_cells", DEEP)
def test_student_pvalues_fall_where_the_incomplete_beta_function_gives_way(n_cells):
    mi = student_threshold(SMALLEST_P, n_cells) * np.linspace(1 - 1e-5, 1 + 1e-5, 2001)
    log_p = student_log_pvalues(mi, n_cells)
    assert log_p[0] > np.log(SMALLEST_P) > log_p[-1]
    assert (np.diff(log_p) < 0).all()


def test_student_pvalues_of_nothing_are_nothing():
    log_p = student_log_pvalues(np.array([0.0, np.nan]), 30)
    np.testing.assert_array_equal(log_p, [0.0, np.nan])


@given(n_cells=st.integers(3, 100_000), log10_p=st.floats(-250, 0))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_the_student_threshold_has_its_pvalue(n_cells, log10_p):
    p = 10.0**log10_p
    mi = student_threshold(p, n_cells)
    assert mi >= 0
    if mi < 18:  # beyond, the information of no pair reaches it
        assert student_log_pvalues(np.array([mi]), n_cells)[0] == pytest.approx(np.log(p), rel=1e-6, abs=1e-6)
