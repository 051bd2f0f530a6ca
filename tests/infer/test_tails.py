"""Tails of null distributions: counted, and extrapolated by a line."""

from __future__ import annotations

from functools import partial

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysces._infer.null import Null
from pysces._infer.tails import EXTRAPOLATE_BELOW, Tail, fit_tail

unbounded = partial(fit_tail, n_cells=10**9)


def log_pvalues(tail: Tail, mi) -> np.ndarray:
    """p-values of ``mi`` in one tail."""
    mi = np.asarray(mi, float)
    return Null({(0, 0): tail}).log_pvalues(mi[None], np.zeros(1, np.int32), np.zeros(len(mi), np.int32), 1)[0]


@pytest.mark.parametrize("draw", ["uniform", "exponential", "lognormal", "normal"])
@pytest.mark.parametrize("n_values", [1500, 5000, 51_000, 200_000])
def test_pvalues_match_the_oracle_within_the_null_and_beyond(n_values, draw):
    sample = getattr(np.random.default_rng(0), draw)(size=n_values)
    mi = np.linspace(-0.5, 3.0 * sample.max(), 400)
    expected = oracles.null_log_pvalues(sample, mi)
    assert expected.min() < np.log(EXTRAPOLATE_BELOW) - 1  # reaches the line
    np.testing.assert_allclose(log_pvalues(unbounded(sample), mi), expected, rtol=1e-9)


@pytest.mark.parametrize("draw", ["uniform", "exponential", "lognormal", "normal"])
@pytest.mark.parametrize("n_cells", [1, 4, 30])
def test_pvalues_match_the_oracle_where_the_line_is_too_steep(n_cells, draw):
    sample = getattr(np.random.default_rng(1), draw)(size=20_000)
    mi = np.linspace(-0.5, 3.0 * sample.max(), 400)
    tail = fit_tail(sample, n_cells)
    assert tail.slope >= -n_cells
    assert (unbounded(sample).slope < -n_cells) == (tail.slope == -n_cells)
    np.testing.assert_allclose(log_pvalues(tail, mi), oracles.null_log_pvalues(sample, mi, n_cells), rtol=1e-9)


def few_values(size: int) -> np.ndarray:
    """A null with steps, as that of rare genes: all but a few values are the same, and some are far out."""
    return np.concatenate([np.zeros(size - 60), np.full(40, 0.01), np.full(12, 0.1), np.full(8, 0.5)])


@pytest.mark.parametrize("n_cells", [5, 40, 10**9])
@pytest.mark.parametrize("draw", ["few values", "uniform", "lognormal"])
@pytest.mark.parametrize("size", [2000, 20_000])
def test_the_line_gives_the_tenth_largest_value_at_least_half_the_pvalue_of_counting(size, draw, n_cells):
    sample = few_values(size) if draw == "few values" else getattr(np.random.default_rng(0), draw)(size=size)
    tail = fit_tail(sample, n_cells)
    assert tail.intercept + tail.slope * np.sort(sample)[-10] >= np.log(5 / (size + 1)) - 1e-9


def test_where_few_values_are_far_out_the_line_is_raised_to_half_the_share_of_the_tenth_largest():
    sample = np.concatenate([np.random.default_rng(0).exponential(size=100_000), np.full(10, 20.0)])
    tail = unbounded(sample)
    assert log_pvalues(tail, [20.0 + 1e-12]) == pytest.approx(np.log(5 / 100_011), rel=1e-9)
    np.testing.assert_allclose(
        log_pvalues(tail, [15.0, 40.0]), oracles.null_log_pvalues(sample, np.array([15.0, 40.0]))
    )


@pytest.mark.parametrize("size", [2, 3, 5, 9, 150])
def test_a_null_of_few_values_has_a_line_no_lower_than_half_the_share_of_its_largest(size):
    sample = np.random.default_rng(size).exponential(size=size)
    tail = unbounded(sample)
    n_top = max(size // 100, 2)
    assert tail.intercept + tail.slope * np.sort(sample)[-n_top] >= np.log(n_top / 2 / (size + 1)) - 1e-9


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
