from __future__ import annotations

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import viper_oracles as oracle
import zarr

from pysces._csr import CSR, as_csc, as_csr
from pysces._matrix import checked_blocks, choose, columns, n_rows, read, restriction, row_blocks

N_CELLS, N_GENES = 40, 12
X = np.round(oracle.cells("log", N_CELLS, N_GENES), 2)
ROWS = np.array([0, 3, 4, 11, 39])
GENES = np.array([7, 2, 9])


def write(tmp_path, x, suffix):
    path = tmp_path / f"x.{suffix}"
    getattr(ad.AnnData(x), f"write_{'h5ad' if suffix == 'h5ad' else 'zarr'}")(path)
    return path


def backed(tmp_path, x):
    return ad.read_h5ad(write(tmp_path, x, "h5ad"), backed="r").X


def lazy(tmp_path, x):
    return ad.experimental.read_elem_lazy(zarr.open(write(tmp_path, x, "zarr"), mode="r")["X"])


SOURCES = {
    "ndarray": lambda _, x: x,
    "fortran": lambda _, x: np.asfortranarray(x),
    "csr": lambda _, x: sp.csr_array(x),
    "csc": lambda _, x: sp.csc_array(x),
    "dask dense": lambda _, x: da.from_array(x, chunks=(7, 5)),
    "dask csr": lambda _, x: da.from_array(x, chunks=(7, -1)).map_blocks(sp.csr_matrix),
    "h5ad dense": backed,
    "h5ad csr": lambda path, x: backed(path, sp.csr_matrix(x)),
    "h5ad csc": lambda path, x: backed(path, sp.csc_matrix(x)),
    "zarr dense": lazy,
    "zarr csr": lambda path, x: lazy(path, sp.csr_matrix(x)),
}


@pytest.fixture(params=list(SOURCES))
def source(request, tmp_path):
    """X wherever it may lie."""
    return SOURCES[request.param](tmp_path, X)


def dense(matrix: CSR) -> np.ndarray:
    return sp.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.n_rows, matrix.n_columns)).toarray()


def assert_canonical(matrix: CSR) -> None:
    assert [array.dtype for array in matrix[:3]] == [np.float64, np.int32, np.int64]
    assert all(array.flags.c_contiguous for array in matrix[:3])
    assert matrix.data.all()
    for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        assert (np.diff(matrix.indices[start:stop]) > 0).all()


# --- reading ----------------------------------------------------------------------------------------------------------


def test_rows_are_read_from_wherever_x_lies(source):
    assert n_rows(source) == N_CELLS
    part = read(source, ROWS)
    np.testing.assert_array_equal(part.toarray() if sp.issparse(part) else part, X[ROWS])


def test_blocks_hold_the_chosen_rows_and_genes_in_the_order_given(source):
    (place, block), *more = row_blocks(source, ROWS, GENES)
    assert (place, more) == (slice(0, 5), [])
    assert_canonical(block)
    np.testing.assert_array_equal(dense(block), X[np.ix_(ROWS, GENES)])


def test_columns_hold_the_chosen_rows_and_genes_in_the_order_given(source):
    found = columns(source, ROWS, GENES)
    assert_canonical(found)
    np.testing.assert_array_equal(dense(found), X[np.ix_(ROWS, GENES)].T)


@pytest.mark.parametrize("n", [1, 1023, 1024, 1025, 3000])
def test_blocks_follow_each_other_and_lose_no_cell(n, as_format):
    many = np.tile(X, (80, 1))
    rows = np.arange(n) + 5
    blocks = list(row_blocks(as_format(many), rows, GENES))
    assert [place.start for place, _ in blocks] == [0, *(place.stop for place, _ in blocks[:-1])]
    np.testing.assert_array_equal(np.concatenate([dense(block) for _, block in blocks]), many[rows][:, GENES])
    np.testing.assert_array_equal(dense(columns(as_format(many), rows, GENES)), many[rows][:, GENES].T)


@pytest.mark.parametrize("convert", [as_csr, as_csc])
def test_sparse_input_that_is_not_canonical_is_mended_in_a_copy(convert):
    data, indices, indptr = np.array([1.0, 2.0, 0.0, 4.0, 5.0]), np.array([2, 0, 1, 1, 1]), np.array([0, 3, 5])
    kind = sp.csr_array if convert is as_csr else sp.csc_array
    given = kind((data, indices, indptr), shape=(2, 3) if convert is as_csr else (3, 2))
    found = convert(given)
    assert_canonical(found)
    np.testing.assert_array_equal(dense(found), [[2.0, 0.0, 1.0], [0.0, 9.0, 0.0]])
    assert given.data.tolist() == [1.0, 2.0, 0.0, 4.0, 5.0]
    assert given.indices.tolist() == [2, 0, 1, 1, 1]
    assert given.indptr.tolist() == [0, 3, 5]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_values_become_float64_exactly(dtype, as_format):
    given = X.astype(dtype)
    np.testing.assert_array_equal(dense(as_csr(as_format(given))), given.astype(np.float64))


REAL = ["float16", ">f2", ">f4", ">f8", "longdouble", ">i2", ">u4", "int8", "uint16", "bool"]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("kind", ["ndarray", "csr", "csc", "dask dense", "h5ad dense"])
def test_every_real_type_is_read_and_x_stays_as_it_is(kind, dtype, tmp_path):
    given = np.rint(X).astype(dtype)
    x = given
    if kind in {"csr", "csc"}:
        x = SOURCES[kind](tmp_path, np.rint(X))
        x.data = x.data.astype(dtype)
    elif kind != "ndarray":
        x = SOURCES[kind](tmp_path, given)
    n_rows(x)
    expected = given.astype(np.float64)[np.ix_(ROWS, GENES)]
    np.testing.assert_array_equal(dense(columns(x, ROWS, GENES)).T, expected)
    np.testing.assert_array_equal(np.concatenate([dense(b) for _, b in row_blocks(x, ROWS, GENES)]), expected)
    assert x.dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("dtype", "one"), [("uint8", 200), ("int8", 100), ("bool", 1), ("int16", 30_000), (">i2", 30_000)]
)
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_array])
def test_entries_of_small_types_given_twice_are_added_without_wrapping(kind, dtype, one):
    data, indices, indptr = np.array([one, one, one]).astype(dtype), np.array([1, 1, 0]), np.array([0, 2, 3])
    x = kind((data, indices, indptr), shape=(2, 2))
    expected = np.array([[0, 2 * one], [one, 0]]) if kind is sp.csr_array else np.array([[0, one], [2 * one, 0]])
    both = np.arange(2)
    np.testing.assert_array_equal(dense(columns(x, both, both)).T, expected)
    np.testing.assert_array_equal(np.concatenate([dense(b) for _, b in row_blocks(x, both, both)]), expected)
    assert x.data.tolist() == data.tolist()


@pytest.mark.parametrize("dtype", ["float16", ">f8"])
def test_sparse_files_that_nothing_can_read_are_refused_before_reading(dtype, tmp_path):
    x = sp.csr_matrix(np.rint(X))
    x.data = x.data.astype(dtype)
    with pytest.raises(TypeError, match="neither scipy nor anndata can read; store it as float32"):
        n_rows(backed(tmp_path, x))


def test_values_beyond_float64_are_infinite():
    with pytest.raises(ValueError, match="1 infinite"):
        next(checked_blocks(np.array([[np.longdouble("1e4000")]]), np.arange(1), allow_negative=True))


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (np.ma.masked_array(np.ones((1, 2)), mask=[[True, False]]), "masked array.*fill them"),
        (np.array([[1]], "timedelta64[s]"), "X holds timedelta64"),
        ([[1.0]], "X is list"),
        (np.zeros(3), "X is ndarray, not a matrix of cells x genes"),
        (pd.DataFrame([[1.0]]), "X is DataFrame"),
        (np.array([["a"]]), "X holds <U1, not real numbers; convert it"),
        (np.array([[1.0]], object), "X holds object"),
        (np.array([[1j]]), "X holds complex128"),
    ],
    ids=["masked", "time", "list", "vector", "frame", "text", "object", "complex"],
)
def test_what_is_no_matrix_of_real_numbers_is_refused(x, match):
    with pytest.raises(TypeError, match=match):
        n_rows(x)


@pytest.mark.parametrize("genes", [GENES, np.sort(GENES), np.arange(N_GENES), [5], []], ids=repr)
def test_a_restriction_takes_the_genes_in_the_order_given(genes, as_format):
    genes = np.array(genes, np.intp)
    given = as_format(X)
    found = restriction(genes, N_GENES)(given)
    assert_canonical(found)
    assert (found.n_rows, found.n_columns) == (N_CELLS, len(genes))
    np.testing.assert_array_equal(dense(found), X[:, genes])
    assert abs(given - X).sum() == 0


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_a_restriction_takes_values_of_any_kind(dtype, as_format):
    given = X.astype(dtype)
    found = restriction(np.sort(GENES), N_GENES)(as_format(given))
    assert_canonical(found)
    np.testing.assert_array_equal(dense(found), given[:, np.sort(GENES)].astype(np.float64))


def test_a_restriction_keeps_no_stored_zero_and_no_duplicate():
    zeros = sp.csr_array((np.array([1.0, 0.0, 3.0]), np.array([0, 1, 3]), np.array([0, 2, 2, 3])), shape=(3, 4))
    twice = sp.csr_array((np.array([2.0, 1.0, 4.0]), np.array([3, 1, 1]), np.array([0, 3])), shape=(1, 4))
    restrict = restriction(np.array([0, 1, 3]), 4)
    for given in (zeros, twice):
        before = (given.data.tolist(), given.indices.tolist(), given.indptr.tolist())
        found = restrict(given)
        assert_canonical(found)
        np.testing.assert_array_equal(dense(found), given.toarray()[:, [0, 1, 3]])
        assert (given.data.tolist(), given.indices.tolist(), given.indptr.tolist()) == before


def test_a_restriction_takes_any_number_of_cells(as_format):
    restrict = restriction(np.sort(GENES), N_GENES)
    for n in (0, 1, 39):
        np.testing.assert_array_equal(dense(restrict(as_format(X[:n]))), X[:n, np.sort(GENES)])


def test_missing_values_stay_in_a_restriction(as_format):
    given = X.copy()
    given[3, 7], given[4, 2] = np.nan, np.nan
    np.testing.assert_array_equal(dense(restriction(GENES, N_GENES)(as_format(given))), given[:, GENES])
    np.testing.assert_array_equal(
        dense(restriction(np.sort(GENES), N_GENES)(as_format(given))), given[:, np.sort(GENES)]
    )


# --- values -----------------------------------------------------------------------------------------------------------


def test_values_that_are_not_finite_are_counted_and_the_first_is_placed(as_format):
    bad = X.copy()
    bad[4, 6], bad[11, 1], bad[4, 9] = np.inf, np.nan, np.nan
    match = "X holds 2 missing .NaN. and 1 infinite values, the first at row 4, column 6; every value must be finite"
    with pytest.raises(ValueError, match=match):
        columns(as_format(bad), np.arange(N_CELLS), GENES)


def test_all_values_that_are_not_finite_are_counted_not_only_those_of_the_first_block(as_format):
    many = np.zeros((3000, 4))
    many[7, 2] = many[2900, 0] = np.nan
    many[1500, 3] = np.inf
    with pytest.raises(ValueError, match=r"2 missing .NaN. and 1 infinite values, the first at row 7, column 2"):
        columns(as_format(many), np.arange(3000), np.arange(4))


def test_genes_that_were_not_measured_in_some_samples_are_told_from_single_values_that_are_missing():
    samples = [ad.AnnData(np.ones((10, 2)), var=pd.DataFrame(index=genes)) for genes in (["a", "b"], ["b", "c"])]
    joined = ad.concat(samples, join="outer", index_unique="-")
    with pytest.raises(ValueError, match=r"2 genes are missing in many cells, as after .*use join='inner'"):
        columns(joined.X, np.arange(20), np.arange(3))
    single = np.ones((20, 3))
    single[4, 1] = single[5, 2] = np.nan
    with pytest.raises(ValueError, match=r"or fill the values\.$"):
        columns(single, np.arange(20), np.arange(3))


@pytest.mark.parametrize("reader", [columns, lambda *given, **more: list(row_blocks(*given, **more))])
def test_places_are_rows_of_x_whatever_is_read(reader, as_format):
    bad = X.copy()
    bad[11, 1] = -np.inf  # not among GENES, but what X holds must be sound
    with pytest.raises(ValueError, match="1 infinite values, the first at row 11, column 1"):
        reader(as_format(bad), ROWS, GENES)
    rest = np.setdiff1d(ROWS, 11)
    reader(as_format(bad), rest, GENES)


@pytest.mark.parametrize("reader", [columns, lambda *given, **more: list(row_blocks(*given, **more))])
def test_negative_values_are_refused_with_the_smallest_where_they_are_not_allowed(reader, as_format):
    bad = X.copy()
    bad[3, 2], bad[4, 2] = -0.25, -1.75
    with pytest.raises(ValueError, match=r"X holds negative values \(such as -1.75\): it looks scaled"):
        reader(as_format(bad), ROWS, GENES, allow_negative=False)
    reader(as_format(bad), ROWS, GENES)


def checked(x, rows=ROWS, *, allow_negative=True, allow_missing=False):
    return list(checked_blocks(x, rows, allow_negative=allow_negative, allow_missing=allow_missing))


def test_missing_values_pass_only_where_they_are_allowed(as_format):
    bad = X.copy()
    bad[3, 2] = bad[39, 7] = np.nan
    ((place, part),) = checked(as_format(bad), allow_missing=True)
    assert place == slice(0, 5)
    np.testing.assert_array_equal(part.toarray() if sp.issparse(part) else part, bad[ROWS])
    with pytest.raises(
        ValueError, match=r"X holds 2 missing .NaN. and 0 infinite values, the first at row 3, column 2"
    ):
        checked(as_format(bad))


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_infinite_values_never_pass(infinite, as_format):
    bad = X.copy()
    bad[3, 2], bad[4, 7] = np.nan, infinite
    with pytest.raises(ValueError, match=r"X holds 1 missing .NaN. and 1 infinite values"):
        checked(as_format(bad), allow_missing=True)


def test_negative_values_are_found_among_missing_ones(as_format):
    bad = X.copy()
    bad[3, 2], bad[4, 7] = np.nan, -1.75
    with pytest.raises(ValueError, match=r"X holds negative values \(such as -1.75\)"):
        checked(as_format(bad), allow_negative=False, allow_missing=True)
    bad[4, 7] = np.nan
    assert len(checked(as_format(bad), allow_negative=False, allow_missing=True)) == 1


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, bool])
def test_whole_numbers_have_no_missing_values(dtype, as_format):
    given = X.astype(dtype)
    ((_, part),) = checked(as_format(given), allow_missing=True)
    np.testing.assert_array_equal(part.toarray() if sp.issparse(part) else part, given[ROWS])


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, bool, np.float32])
def test_sound_values_pass(dtype, as_format):
    found = columns(as_format(X.astype(dtype)), np.arange(N_CELLS), GENES, allow_negative=False)
    np.testing.assert_array_equal(dense(found), X.astype(dtype)[:, GENES].T)


# --- choosing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def adata():
    found = ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=oracle.gene_names(N_GENES)))
    found.raw = found
    found = found[:, :6].copy()
    found.var["highly_variable"] = [True, False] * 3
    found.var["score"] = 1.5
    found.layers["counts"] = found.X * 10
    return found


def choice(adata, *, layer=None, use_raw=False, mask_var=None):
    return choose(adata, layer=layer, use_raw=use_raw, mask_var=mask_var)


@pytest.mark.parametrize(
    ("where", "expected"), [({}, X[:, :6]), ({"layer": "counts"}, X[:, :6] * 10), ({"use_raw": True}, X)]
)
def test_the_matrix_named_comes_with_its_genes(adata, where, expected):
    found = choice(adata, **where)
    np.testing.assert_array_equal(found.x.toarray(), expected)
    assert found.genes.tolist() == oracle.gene_names(expected.shape[1])
    assert found.var.index.tolist() == found.genes.tolist()
    assert found.mask.dtype == bool
    assert found.mask.tolist() == [True] * expected.shape[1]


@pytest.mark.parametrize("mask", ["highly_variable", [True, False] * 3, np.array([True, False] * 3)])
def test_a_mask_of_genes_is_a_column_or_booleans(adata, mask):
    assert choice(adata, mask_var=mask).mask.tolist() == [True, False] * 3


@pytest.mark.parametrize(
    ("where", "error", "match"),
    [
        ({"layer": "counts", "use_raw": True}, ValueError, "layer='counts' and use_raw=True name two matrices"),
        ({"layer": "spliced"}, KeyError, "layer='spliced' is not in adata.layers, which has: 'counts'"),
        ({"mask_var": "variable"}, KeyError, "mask_var='variable' is not a column .*: 'highly_variable', 'score'"),
        ({"mask_var": "score"}, ValueError, "mask_var must be 6 booleans, one per gene; found float64"),
        ({"mask_var": [True] * 5}, ValueError, "mask_var must be 6 booleans.* found bool of shape .5,."),
        ({"mask_var": [0, 3]}, ValueError, "mask_var must be 6 booleans"),
        ({"mask_var": "highly_variable", "use_raw": True}, KeyError, "mask_var='highly_variable' is not a column"),
    ],
)
def test_what_names_no_matrix_or_no_genes_is_refused(adata, where, error, match):
    with pytest.raises(error, match=match):
        choice(adata, **where)


def test_what_is_not_there_cannot_be_chosen(adata):
    del adata.raw
    with pytest.raises(ValueError, match=r"use_raw=True, but adata.raw is None"):
        choice(adata, use_raw=True)
    adata.X = None
    with pytest.raises(ValueError, match=r"adata.X is None; name the layer"):
        choice(adata)
    del adata.layers["counts"]
    with pytest.raises(KeyError, match=r"adata.layers, which has: nothing"):
        choice(adata, layer="spliced")


def test_gene_names_must_be_unique(adata):
    adata.var_names = ["g0", "g1", "g1", "g2", "g2", "g3"]
    with pytest.raises(ValueError, match=r"var_names holds duplicates: 'g1', 'g2'.*adata.var_names_make_unique\(\)"):
        choice(adata)
