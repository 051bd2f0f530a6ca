"""Counts behind logarithms and factors of cells come back; fractional counts have a sum; the rest is left alone."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
import scanpy as sc
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as configure
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pysces._csr import CSR, as_csc
from pysces._matrix import counts_of

N_CELLS, N_GENES = 200, 120
pytestmark = pytest.mark.filterwarnings("ignore:Some cells have zero counts")  # by scanpy


def counts(seed: int = 0, mean: float = 1.0) -> np.ndarray:
    """Counts of genes of all rates in cells of other depths; cell 3 has none. The largest are some hundreds."""
    rng = np.random.default_rng(seed)
    rates = mean * rng.lognormal(0.0, 0.6, (N_CELLS, 1)) * rng.lognormal(-0.5, 1.5, N_GENES)
    X = rng.poisson(rates).astype(float)
    X[3] = 0.0
    return X


def normalise(X: np.ndarray, target_sum: float | None = 1e4, dtype: str = "float64") -> np.ndarray:
    """What scanpy makes of counts."""
    adata = ad.AnnData(X.astype(dtype))
    sc.pp.normalize_total(adata, target_sum=target_sum)
    sc.pp.log1p(adata)
    assert adata.X.dtype == dtype
    return adata.X


def dense(columns: CSR) -> np.ndarray:
    shape = columns.n_columns, columns.n_rows
    return sp.csc_array((columns.data, columns.indices, columns.indptr), shape=shape).toarray()


def back(values: np.ndarray) -> np.ndarray | None:
    """Counts of values, dense."""
    found = counts_of(as_csc(values), len(values)).values
    return None if found is None else dense(found)


# --- counts come back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target_sum", [1.0, 100.0, 1e4, 1e6, None])
def test_counts_come_back_from_what_scanpy_makes_of_them(target_sum, dtype):
    X = counts()
    assert X.max() > 100
    np.testing.assert_array_equal(back(normalise(X, target_sum, dtype)), X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counts_come_back_where_much_expressed_genes_make_up_no_total(dtype):
    X = counts()
    adata = ad.AnnData(X.astype(dtype))
    sc.pp.normalize_total(adata, target_sum=1e4, exclude_highly_expressed=True, max_fraction=0.1)
    sc.pp.log1p(adata)
    np.testing.assert_array_equal(back(adata.X), X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counts_of_a_hundred_thousand_come_back(dtype):
    X = counts()
    X[:, 7] = np.random.default_rng(1).integers(50_000, 100_000, N_CELLS)
    X[:, 8] = 1.0
    np.testing.assert_array_equal(back(normalise(X, 1e4, dtype)), X)


def test_counts_come_back_from_values_of_three_decimals():
    X = counts(mean=15.0)
    values = np.round(normalise(X), 3)
    found, small = back(values), X < 10
    assert 0.3 < small.mean() < 0.9
    assert X.max() > 1000
    np.testing.assert_array_equal(found[small], X[small])
    np.testing.assert_allclose(found, X, rtol=0.01)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("smallest", [2, 3, 4, 5])
def test_counts_come_back_in_cells_whose_smallest_is_not_one(smallest, dtype):
    X = counts()
    X[::2] += smallest  # every gene is detected, the smallest count is ``smallest``, the next is one more
    X[1::4] = np.where(X[1::4] < smallest, 0.0, X[1::4])
    X[1::4, :2] = smallest, smallest + 1
    assert {X[0].min(), X[1][X[1] > 0].min()} == {smallest}
    np.testing.assert_array_equal(back(normalise(X, 1e4, dtype)), X)


def test_a_cell_of_multiples_of_its_smallest_count_comes_back_as_those_multiples():
    X = counts()
    X[5] *= 2
    expected = X.copy()
    expected[5] /= 2
    np.testing.assert_array_equal(back(normalise(X)), expected)


def test_cells_and_genes_without_counts_stay_empty():
    X = counts()
    X[10:60], X[:, 20:40] = 0.0, 0.0
    found = counts_of(as_csc(normalise(X)), N_CELLS).values
    np.testing.assert_array_equal(dense(found), X)
    assert found.data.all()  # as everywhere, zeros are not stored


def test_one_value_in_a_cell_does_not_tell_whether_it_is_a_count():
    assert counts_of(as_csc(normalise(counts()[:, [3]])), N_CELLS).values is None


def test_one_cell_comes_back():
    X = counts()[:1]
    np.testing.assert_array_equal(back(normalise(X)), X)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (5, 7)])
def test_matrices_of_nothing_are_counts(shape):
    columns = as_csc(np.zeros(shape))
    assert counts_of(columns, shape[0]).values is columns


# A factor of the cell from about what 1 in a million cells has to what 1 of 1000 has.
factors = st.floats(-7.0, 7.0).map(np.exp)


@given(
    counts=hnp.arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(2, 8)), elements=st.integers(0, 24)),
    factor=st.lists(factors, min_size=6, max_size=6),
    dtype=st.sampled_from(["float32", "float64"]),
)
@configure(deadline=None, max_examples=300, derandomize=True)
def test_counts_of_cells_that_hold_a_one_come_back_whatever_the_factor(counts, factor, dtype):
    counts[:, :2] = 1
    values = np.log1p((counts * np.array(factor)[: len(counts), None]).astype(dtype))
    np.testing.assert_array_equal(back(values), counts)


def is_plain(cell: np.ndarray) -> bool:
    """Whether the counts below 25 times the smallest tell it: it is at most 10, and nothing divides them."""
    found = cell[cell > 0]
    near = found[found < 25 * found.min(initial=10**9)]
    return 2 * len(near) > len(found) > 1 and found.min() <= 10 and np.gcd.reduce(near) == 1


cells = hnp.arrays(np.int64, 8, elements=st.one_of(st.just(0), st.integers(2, 40), st.integers(2, 2000)))


@given(
    counts=st.lists(cells.filter(is_plain), min_size=1, max_size=5), factor=st.lists(factors, min_size=5, max_size=5)
)
@configure(deadline=None, max_examples=300, derandomize=True)
def test_counts_of_cells_whose_small_counts_have_no_common_divisor_come_back(counts, factor):
    counts = np.array(counts)
    values = np.log1p(counts * np.array(factor)[: len(counts), None])
    np.testing.assert_array_equal(back(values), counts)


LOGS = {"e": np.e, "2": 2.0, "10": 10.0, "3": 3.0, "1.5": 1.5}
FORMS = {
    **{f"log of counts, base {name}": lambda X, b=base: np.log1p(X) / np.log(b) for name, base in LOGS.items()},
    **{
        f"log of normalised counts, base {name}": lambda X, b=base: normalise(X) / np.log(b)
        for name, base in LOGS.items()
    },
    "normalised counts": lambda X: np.expm1(normalise(X)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
def test_counts_come_back_from_logarithms_of_any_base_and_without(form, dtype):
    X = counts()
    values = FORMS[form](X).astype(dtype)
    found = counts_of(as_csc(values), N_CELLS)
    assert found.source == form
    np.testing.assert_array_equal(dense(found.values), X)


@pytest.mark.parametrize("target_sum", [1.0, 100.0, 2500.0, 1e6, None])
def test_counts_come_back_from_normalised_values_without_logarithm(target_sum):
    X = counts().clip(max=9)
    adata = ad.AnnData(X.astype(np.float32))
    sc.pp.normalize_total(adata, target_sum=target_sum)
    np.testing.assert_array_equal(back(adata.X), X)


def test_counts_come_back_from_logarithms_of_deep_cells():
    rng = np.random.default_rng(0)
    X = rng.poisson(rng.lognormal(3.0, 3.0, N_GENES) * rng.lognormal(0.0, 0.5, (N_CELLS, 1))).astype(float)
    assert np.median(X[X > 0]) > 25
    np.testing.assert_array_equal(back(np.log2(X + 1)), X)


def test_square_roots_of_small_counts_are_no_logarithms():
    X = np.random.default_rng(0).poisson(0.4, (N_CELLS, N_GENES)).clip(max=4).astype(float)  # log10(10), log10(25.95)
    assert counts_of(as_csc(np.sqrt(X)), N_CELLS).source == "unknown"


# --- fractional counts ------------------------------------------------------------------------------------------------


def ambient_removed() -> np.ndarray:
    X = counts()
    return X * (1 - 0.05 * np.random.default_rng(2).random(X.shape))


def of_lengths() -> np.ndarray:
    return counts() / np.random.default_rng(0).uniform(0.5, 5.0, N_GENES)


def expected() -> np.ndarray:
    """Some of the counts of most genes are shared among genes."""
    rng, X = np.random.default_rng(3), counts()
    return np.where(rng.random(X.shape) < 0.3, X * rng.beta(3, 2, X.shape), X)


SUMMED = {
    "ambient removed": ambient_removed,
    "ambient profile taken off": lambda: (counts() - 0.1 * np.outer(counts().sum(1), counts().mean(0)) / 150).clip(0),
    "some of each": lambda: counts() * np.random.default_rng(0).beta(5, 2, (N_CELLS, N_GENES)),
    "expected counts": expected,
    "by length": of_lengths,
    "square roots": lambda: np.sqrt(counts()),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", SUMMED)
def test_fractional_counts_are_left_as_they_are_and_their_sum_is_the_depth(kind, dtype):
    values = SUMMED[kind]().astype(dtype)
    columns = as_csc(values)
    found = counts_of(columns, N_CELLS)
    assert found.source == "sum of values"
    assert found.values is columns


# --- cells of several blocks -------------------------------------------------------------------------------


def many_cells() -> np.ndarray:
    """Counts of more cells than two blocks; the first block is empty."""
    X = np.concatenate([np.zeros((520, N_GENES)), *(counts(seed) for seed in range(4))])
    X[500:520] = counts(9)[:20]
    X[:500] = 0
    return X


@pytest.mark.parametrize("form", ["counts", *FORMS])
def test_counts_of_all_blocks_come_back(form, as_format):
    X = many_cells()
    found = counts_of(as_csc(as_format(FORMS.get(form, lambda X: X)(X))), len(X))
    assert found.source == form
    assert found.values.data.dtype == np.float64
    np.testing.assert_array_equal(dense(found.values), X)


def test_whole_numbers_in_one_block_and_fractions_in_another_are_summed():
    X = np.concatenate([counts(seed) for seed in range(4)])
    X[600:] = np.concatenate([ambient_removed()])
    columns = as_csc(X)
    assert counts_of(columns, len(X)) == (columns, "sum of values")


# --- whole numbers are counts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix, sp.csc_array])
def test_whole_numbers_are_returned_as_they_are(convert, dtype):
    X = counts().clip(max=200).astype(dtype)
    columns = as_csc(convert(X))
    found = counts_of(columns, N_CELLS)
    assert found.values is columns
    assert found.source == "counts"
    np.testing.assert_array_equal(dense(columns), X)


def test_large_counts_without_ones_are_returned_as_they_are():
    columns = as_csc(1e6 * counts())
    found = counts_of(columns, N_CELLS)
    assert found.values is columns
    assert found.source == "counts"


# --- other values are left alone --------------------------------------------------------------------------------------


def scaled() -> np.ndarray:
    adata = ad.AnnData(normalise(counts()))
    sc.pp.scale(adata)
    return adata.X


def one_changed(value: float) -> np.ndarray:
    """Normalised counts with one other value in cell 9."""
    X = normalise(counts())
    X[9, 4] = value
    return X


def imputed(kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    positive = {"uniform": rng.random, "gamma": lambda size: rng.gamma(0.5, 2.0, size), "narrow": rng.random}
    return positive[kind]((N_CELLS, N_GENES)) + 5.0 * (kind == "narrow")


OTHER = {
    "scaled": scaled,
    "negative whole numbers": lambda: -counts(),
    "one negative whole number": lambda: counts() - (np.indices((N_CELLS, N_GENES)).sum(axis=0) == 0) * 900.0,
    "one negative": lambda: one_changed(-0.1),
    "one far off": lambda: one_changed(4.0),
    "uniform": lambda: imputed("uniform"),
    "gamma": lambda: imputed("gamma"),
    "narrow": lambda: imputed("narrow"),
    "log1p twice": lambda: np.log1p(normalise(counts())),
    "mean of cells": lambda: normalise(counts()) + normalise(counts(1)),
    "denoised": lambda: np.log1p(counts() + 0.1 * np.random.default_rng(0).random((N_CELLS, N_GENES))),
    "fractional, normalised": lambda: np.expm1(normalise(ambient_removed())),
    "fractional, normalised, some genes": lambda: np.expm1(normalise(ambient_removed()))[:, :80],
    "log1p of fractional, normalised": lambda: normalise(ambient_removed()),
    "binary logarithms of transcripts per million": lambda: normalise(of_lengths(), 1e6) / np.log(2),
    "large": lambda: 1e5 * imputed("uniform"),
    "small": lambda: 1e-300 * imputed("uniform"),
    "sums that are the same": lambda: ambient_removed()[4:] / ambient_removed()[4:].sum(axis=1, keepdims=True),
}


@pytest.mark.parametrize("log", [np.log1p, np.asarray], ids=["logarithms", "normalised"])
@pytest.mark.parametrize("n_genes", [60, 80])
def test_a_panel_of_normalised_genes_without_small_counts_has_no_sum_that_is_a_depth(log, n_genes):
    rng = np.random.default_rng(0)
    rates = rng.lognormal(0.0, 0.4, (N_CELLS, 1)) * rng.gamma(0.5, 120.0, (N_CELLS, n_genes))  # most values above 25
    X = np.where(rng.random((N_CELLS, n_genes)) < 0.1, 0.0, rng.poisson(rates) + 30.0)
    values = log(X / X.sum(axis=1, keepdims=True) * rng.uniform(1e3, 2e3, (N_CELLS, 1)))
    assert counts_of(as_csc(values), N_CELLS) == (None, "unknown")


@pytest.mark.parametrize("kind", OTHER)
def test_other_values_are_no_counts(kind):
    values = OTHER[kind]()
    assert counts_of(as_csc(values), len(values)) == (None, "unknown")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("what", ["counts", "normalised", "uniform"])
def test_the_values_stay_as_they_are(what, dtype):
    make = {"counts": counts, "normalised": lambda: normalise(counts()), "uniform": lambda: imputed("uniform")}
    matrix = sp.csc_array(make[what]().astype(dtype))
    columns = as_csc(matrix)  # float64 arrays are those of the matrix
    before = [array.copy() for array in (*columns[:3], matrix.data, matrix.indices, matrix.indptr)]
    for array in columns[:3]:
        array.flags.writeable = False
    found = counts_of(columns, N_CELLS).values
    assert (found is None) is (what == "uniform")
    for array, copy in zip((*columns[:3], matrix.data, matrix.indices, matrix.indptr), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_counts_found_are_canonical_columns_of_the_same_places():
    columns = as_csc(normalise(counts()))
    found = counts_of(columns, N_CELLS).values
    assert [array.dtype for array in found[:3]] == [np.float64, np.int32, np.int64]
    np.testing.assert_array_equal(found.indices, columns.indices)
    np.testing.assert_array_equal(found.indptr, columns.indptr)
    assert found.n_columns == N_CELLS
