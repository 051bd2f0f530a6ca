from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from pysces._enrich import _order_kernels as kernels
from pysces._enrich.order import Constants, ordered_keys

FREE = 2**kernels.FREE_BITS
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.1, -3.7, 1e-300, -1e300, np.inf, -np.inf, 2 / 3]


def keys_of(*values: float) -> list[int]:
    return ordered_keys(np.array(values, np.float64)).tolist()


# --- keys -------------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e300, 1e300, allow_subnormal=False), min_size=2, max_size=50))
@settings(deadline=None)
def test_keys_are_in_the_order_of_the_values(values):
    values = np.sort(values)
    keys = ordered_keys(values)
    assert (keys[1:] >= keys[:-1]).all()
    apart = np.diff(values) > 1e-9 * np.abs(values[1:])
    assert (keys[1:] > keys[:-1])[apart].all()


def test_keys_leave_the_last_bits_free():
    keys = ordered_keys(np.random.default_rng(0).normal(size=1000))
    assert keys.dtype == np.uint64
    assert not (keys % FREE).any()
    assert len(np.unique(keys)) == 1000


@pytest.mark.parametrize("value", [0.1, -0.1, 1 / 3, -1e9, 1.5e-200, np.pi])
@pytest.mark.parametrize("n_roundings", [-100, -1, 1, 100])
def test_what_differs_by_rounding_only_is_tied(value, n_roundings):
    near = value * (1 + n_roundings * np.finfo(np.float64).eps)
    assert near != value
    assert keys_of(near) == keys_of(value)
    assert keys_of(value * (1 + 1e-9)) != keys_of(value)


def test_sums_in_another_order_are_tied():
    assert keys_of(0.1 + 0.2) == keys_of(0.3)
    assert keys_of((0.1 + 0.7) * 10) == keys_of(8.0)


def test_rounding_may_carry_to_the_next_power_of_two():
    below = np.nextafter([1.0, -1.0, 2.0], 0)
    assert keys_of(*below) == keys_of(1.0, -1.0, 2.0)


def test_minus_zero_is_zero():
    assert keys_of(-0.0) == keys_of(0.0)


def test_infinities_are_beyond_all_numbers():
    largest = 1e308
    low, below, above, high = keys_of(-np.inf, -largest, largest, np.inf)
    assert 0 < low < below < above < high < kernels.VALUE


def test_missing_values_are_zero_and_below_all_whatever_their_bits():
    of_r, negative = np.array([0x7FF00000000007A2, 0xFFF8000000000000], np.uint64).view(np.float64)
    assert keys_of(np.nan, of_r, negative) == [0, 0, 0]
    assert min(keys_of(-np.inf, -1e308, 0.0)) > 0


def test_values_are_left_as_they_are():
    values = np.array([1.0, np.nan, -0.0])
    before = values.tobytes()
    ordered_keys(values)
    assert values.tobytes() == before


def test_constants_are_distinct_and_ascending_with_their_genes():
    zero = np.array([0.3, -2.0, np.nan, 0.1 + 0.2, 0.0, np.nan, -0.0])
    keys, group, sizes = Constants.of(zero)
    assert keys.tolist() == keys_of(np.nan, -2.0, 0.0, 0.3)
    assert group.tolist() == [3, 1, 0, 3, 2, 0, 2]
    assert sizes.tolist() == [2, 1, 2, 2]
    assert (keys.dtype, group.dtype, sizes.dtype) == (np.uint64, np.int32, np.int32)


# --- sorting ----------------------------------------------------------------------------------------------------------


def assert_sorted(values: np.ndarray, n: int) -> None:
    """Of keys of ``values``, with their place in what is free, the first n are sorted and no others touched."""
    items = np.arange(len(values), dtype=np.uint64)
    keys = np.zeros((2, len(values)), np.uint64)
    keys[0] = values | items
    row = kernels.sort_keys(n, keys, np.full(kernels.N_VALUES, 99, np.int32))
    order = np.argsort(values[:n], kind="stable")
    assert keys[row, :n].tolist() == (values[:n][order] | items[order]).tolist()
    assert keys[0, n:].tolist() == (values | items)[n:].tolist()


@pytest.mark.parametrize("n", [0, 1, 2, 3, 255, 256, 257, 1000])
def test_any_number_of_keys_is_sorted(n):
    assert_sorted(ordered_keys(np.random.default_rng(n).normal(size=1000)), n)


@pytest.mark.parametrize("shared", range(kernels.N_DIGITS))
def test_keys_that_share_a_digit_are_sorted(shared):
    digit = np.uint64(((kernels.N_VALUES - 1) << (kernels.FREE_BITS + kernels.DIGIT * shared)) % 2**64)
    values = ordered_keys(np.random.default_rng(0).normal(size=300))
    assert_sorted(values & ~digit, 300)  # all but this one vary
    assert_sorted(values & digit | np.uint64(FREE), 300)  # only this one varies


@pytest.mark.parametrize("value", NUMBERS)
def test_equal_keys_keep_their_order(value):
    assert_sorted(ordered_keys(np.full(300, value)), 300)


@given(st.lists(st.one_of(st.sampled_from(NUMBERS), st.floats(allow_nan=False)), max_size=60))
@settings(deadline=None)
def test_keys_of_any_values_are_sorted(values):
    assert_sorted(ordered_keys(np.array(values, np.float64)), len(values))


# --- ranks ------------------------------------------------------------------------------------------------------------


def twice_ranks(zero, genes, values):
    """Twice the ranks of a cell, how many genes are ranked, and twice how far the extreme rank is from the middle."""
    n = len(zero)
    keys, counts, room = np.empty((2, n), np.uint64), np.empty(kernels.N_VALUES, np.int32), np.empty((3, n), np.int32)
    twice = np.full(n, -9, np.int32)
    entries, genes = ordered_keys(np.array(values, np.float64)), np.array(genes, np.int32)
    constants = Constants.of(np.array(zero, np.float64))
    ranked, far = kernels.twice_ranks(entries, genes, *constants, keys, counts, room, twice)
    return twice.tolist(), ranked, far


def expected_ranks(zero, genes, values):
    whole = np.array(zero, np.float64)
    whole[list(genes)] = values
    present = ~np.isnan(whole)
    twice = np.zeros(len(whole))
    twice[present] = 2 * rankdata(whole[present])
    n = present.sum()
    return twice.tolist(), n, np.abs(twice[present] - (n + 1)).max() if n else None


def assert_ranks(zero, genes, values):
    twice, ranked, far = twice_ranks(zero, genes, values)
    expected, n, farthest = expected_ranks(zero, genes, values)
    assert twice == expected
    assert ranked == n
    assert far == farthest or not n


FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan])


@given(st.data(), st.lists(FEW, min_size=1, max_size=30))
@settings(deadline=None, max_examples=300)
def test_ranks_of_any_mix_of_entries_and_constants_are_average_ranks(data, zero):
    genes = data.draw(st.lists(st.integers(0, len(zero) - 1), unique=True).map(sorted))
    values = data.draw(st.lists(FEW, min_size=len(genes), max_size=len(genes)))
    assert_ranks(zero, genes, values)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(deadline=None, max_examples=30)
@example(0, 0.0)
@example(0, 1.0)
def test_ranks_without_ties_are_those_of_the_values(seed, density):
    rng = np.random.default_rng(seed)
    genes = np.flatnonzero(rng.random(200) < density)
    assert_ranks(rng.normal(size=200), genes, rng.normal(size=len(genes)))


@pytest.mark.parametrize(
    ("zero", "genes", "values", "twice", "far"),
    [
        ([5.0, 5, 5], [], [], [4, 4, 4], 0),  # all tied
        ([1.0, 2, 3], [], [], [2, 4, 6], 2),
        ([0.0, 0, 0, 0], [2], [7.0], [4, 4, 8, 4], 3),
        ([0.0, 0, 0, 0], [2], [0.0], [5, 5, 5, 5], 0),  # an entry like the constant
        ([0.0, 1, 0, 1], [0, 3], [1.0, 0.0], [7, 7, 3, 3], 2),  # ties of entries and constants
        ([0.0, np.nan, 3, np.nan], [2], [np.nan], [2, 0, 0, 0], 0),
        ([np.nan, np.nan, 3], [0], [4.0], [4, 0, 2], 1),  # present here, missing elsewhere
        ([0.0, 0, 9], [2], [1.0], [3, 3, 6], 2),  # a constant that no gene of the cell has
        ([-1.0, 0, 9], [0], [10.0], [6, 2, 4], 2),
    ],
)
def test_ranks_are_as_counted_by_hand(zero, genes, values, twice, far):
    assert twice_ranks(zero, genes, values) == (twice, np.count_nonzero(twice), far)


@pytest.mark.parametrize("genes", [[], [0, 1, 2]])
def test_a_cell_in_which_all_genes_are_missing_has_no_ranks(genes):
    twice, ranked, _ = twice_ranks([np.nan] * 3, genes, [np.nan] * len(genes))
    assert (twice, ranked) == ([0, 0, 0], 0)


def test_what_was_there_before_does_not_matter():
    zero, genes, values = [0.0, 1, np.nan, 1], [1, 2], [3.0, 0.0]
    n = len(zero)
    keys, counts, room = (
        np.zeros((2, n), np.uint64),
        np.zeros(kernels.N_VALUES, np.int32),
        np.zeros((3, n), np.int32),
    )
    for _ in range(2):
        twice = np.empty(n, np.int32)
        entries = ordered_keys(np.array(values))
        constants = Constants.of(np.array(zero))
        kernels.twice_ranks(entries, np.array(genes, np.int32), *constants, keys, counts, room, twice)
        assert twice.tolist() == expected_ranks(zero, genes, values)[0]


def test_more_genes_than_the_keys_have_room_for_are_refused():
    assert len(Constants.of(np.zeros(1 << 20)).group) == 1 << 20
    with pytest.raises(ValueError, match="X has 1048577 genes to rank, but at most 1048576 can be; choose some"):
        Constants.of(np.zeros((1 << 20) + 1))
