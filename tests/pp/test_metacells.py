from __future__ import annotations

import inspect
import tracemalloc

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp
from states import state
from threadpoolctl import threadpool_limits

import pysces as ps
from pysces._matrix import _read
from pysces.pp import _metacells

N_CELLS, N_GENES = 90, 12
LABELS = ["CD4+/CD25 T Reg", "B cell", "none of this", "NK"]
ABSENT = LABELS[2]


def cells(x=None, *, embedding=None):
    """Counts of three types of cells, interleaved; the embedding has many exact ties."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([label for label in LABELS if label != ABSENT], [45, 30, 15]))
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical(labels, categories=LABELS, ordered=True), "healthy": rng.random(N_CELLS) < 0.5},
        index=[f"cell{i}" for i in range(N_CELLS)],
    )
    var = pd.DataFrame({"chromosome": "1"}, index=[f"g{i}" for i in range(N_GENES)])
    if embedding is None:
        embedding = rng.integers(0, 5, (N_CELLS, 3)).astype(np.float32)
    return ad.AnnData(counts(np.float32) if x is None else x, obs=obs, var=var, obsm={"X_pca": embedding})


def counts(dtype) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (rng.poisson(0.5, (N_CELLS, N_GENES)) * rng.integers(1, 40, N_GENES)).astype(dtype)


@pytest.fixture
def adata():
    return cells(sp.csr_matrix(counts(np.float32)))


def metacells(adata, *, size=6, **settings):
    return ps.pp.metacells(adata, size=size, **settings)


def membership(meta) -> np.ndarray:
    return meta.obsm["membership"].toarray()


# --- against the naive algorithm --------------------------------------------------------------------------------------


def naive_neighbourhoods(x, size):
    """Row i: cell i, then the others by distance and, of those equally near, by position."""
    x = x.astype(np.float64)
    rows = []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        rows.append([i, *sorted(others, key=lambda j: (((x[j] - x[i]) ** 2).sum(), j))[: size - 1]])
    return rows


def naive_metacells(x, order, size, max_reuse, most):
    """Members of each metacell, the representative first: one step at a time, all cells looked at in every step."""
    near = naive_neighbourhoods(x, size)
    used: set[int] = set()
    found = []
    while most is None or len(found) < most:
        new = [len(set(near[i]) - used) for i in order]
        best = int(np.argmax(new))  # the first of several
        if new[best] == 0 or size - new[best] > max_reuse * size + 1e-9:
            return found
        found.append(near[order[best]])
        used.update(found[-1])
    return found


def orders(seed, sizes):
    """The random order of the cells of each group."""
    children = np.random.SeedSequence(seed).spawn(len(sizes))
    return [np.random.default_rng(child).permutation(n) for child, n in zip(children, sizes, strict=True)]


EMBEDDINGS = {
    "ties": np.random.default_rng(2).integers(0, 5, (N_CELLS, 3)).astype(np.float32),
    "many ties": np.random.default_rng(3).integers(0, 2, (N_CELLS, 2)),
    "one point": np.ones((N_CELLS, 2)),
    "spread": np.random.default_rng(4).normal(size=(N_CELLS, 5)),
    "far from zero": np.random.default_rng(5).integers(0, 4, (N_CELLS, 20)) / 8 + 1e4 + np.arange(20) ** 4 / 2**30,
    "nearly ties": np.stack([np.arange(N_CELLS) % 30, 1e-5 * np.arange(N_CELLS)[::-1]], axis=1).astype(np.float32),
    "many axes": np.random.default_rng(6).normal(size=(N_CELLS, 40)).astype(np.float32),
}


@pytest.mark.filterwarnings("ignore:max_reuse=0.29 allows fewer")
@pytest.mark.parametrize("embedding", list(EMBEDDINGS))
@pytest.mark.parametrize(
    ("size", "max_reuse", "most"),
    [
        (6, 0.5, None),
        (2, 0.0, None),
        (10, 0.7, None),
        (10, 0.29, 3),
        (7, 0.99, None),
        (7, 1 - 1e-12, None),
        (15, 0.0, 1),
        (90, 0.5, None),
    ],
)
def test_metacells_are_those_of_the_naive_algorithm(embedding, size, max_reuse, most):
    x = EMBEDDINGS[embedding]
    meta = metacells(cells(embedding=x), size=size, max_reuse=max_reuse, n_metacells=most, rng=5)
    expected = naive_metacells(x, orders(5, [N_CELLS])[0], size, max_reuse, most)
    assert meta.obs["representative"].tolist() == [f"cell{members[0]}" for members in expected]
    assert [np.flatnonzero(row).tolist() for row in membership(meta)] == [sorted(members) for members in expected]


@pytest.mark.parametrize("most", [None, 2])
def test_metacells_of_groups_are_those_of_the_naive_algorithm_in_each(adata, most):
    meta = metacells(adata, groupby="cell_type", n_metacells=most)
    codes = adata.obs["cell_type"].cat.codes.to_numpy()
    rows = [np.flatnonzero(codes == code) for code in range(len(LABELS))]
    expected = [
        part[members].tolist()
        for part, order in zip(rows, orders(0, [len(part) for part in rows]), strict=True)
        for members in (naive_metacells(adata.obsm["X_pca"][part], order, 6, 0.5, most) if len(part) else [])
    ]
    assert meta.obs["representative"].tolist() == [f"cell{members[0]}" for members in expected]
    assert [np.flatnonzero(row).tolist() for row in membership(meta)] == [sorted(members) for members in expected]


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_nothing(threads):
    rng = np.random.default_rng(0)
    many = ad.AnnData(sp.csr_matrix((1200, 1)), obsm={"X_pca": rng.integers(0, 3, (1200, 20)).astype(np.float32)})
    expected = state(metacells(many))
    with threadpool_limits(threads):
        assert state(metacells(many)) == expected


# --- what comes back --------------------------------------------------------------------------------------------------


def backed(tmp_path, x):
    cells(x).write_h5ad(tmp_path / "cells.h5ad")
    return ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")


SOURCES = {
    "ndarray": lambda _, x: cells(x),
    "fortran": lambda _, x: cells(np.asfortranarray(x)),
    "csr": lambda _, x: cells(sp.csr_matrix(x)),
    "csc": lambda _, x: cells(sp.csc_array(x)),
    "view": lambda _, x: ad.concat([cells(sp.csr_matrix(x))] * 2, index_unique="-", merge="same")[:N_CELLS],
    "dask dense": lambda _, x: cells(da.from_array(x, chunks=(7, 5))),
    "dask csr": lambda _, x: cells(da.from_array(x, chunks=(7, -1)).map_blocks(sp.csr_matrix)),
    "h5ad dense": backed,
    "h5ad csr": lambda path, x: backed(path, sp.csr_matrix(x)),
    "h5ad csc": lambda path, x: backed(path, sp.csc_matrix(x)),
}


@pytest.mark.parametrize(
    ("dtype", "expected_dtype"),
    [("float32", "float32"), ("float64", "float32"), ("int64", "int64"), ("int32", "int64"), ("uint16", "int64")],
)
@pytest.mark.parametrize("source", list(SOURCES))
def test_counts_are_summed_wherever_they_lie(tmp_path, monkeypatch, source, dtype, expected_dtype):
    monkeypatch.setattr(_read, "CELLS_PER_BLOCK", 8)
    x = counts(dtype)
    meta = metacells(SOURCES[source](tmp_path, x), groupby="cell_type", groups=["B cell", "NK"])
    assert isinstance(meta.X, sp.csr_matrix)
    assert meta.X.dtype == expected_dtype
    assert meta.X.has_canonical_format
    assert meta.X.data.all()
    np.testing.assert_array_equal(meta.X.toarray(), membership(meta).astype(int) @ x.astype(int))


def test_sums_of_small_integers_do_not_overflow():
    meta = metacells(cells(np.full((N_CELLS, N_GENES), 255, np.uint8)), size=20)
    assert (meta.X.toarray() == 20 * 255).all()


def test_counts_of_a_layer_are_summed(adata):
    expected = metacells(adata).X.toarray()
    adata.layers["counts"] = adata.X.copy()
    adata.X = adata.X.log1p()
    np.testing.assert_array_equal(metacells(adata, layer="counts").X.toarray(), expected)


def test_metacells_are_described(adata):
    meta = metacells(adata, groupby="cell_type")
    assert meta.obs_names.tolist() == [f"metacell-{i}" for i in range(meta.n_obs)]
    assert meta.obs.columns.tolist() == ["cell_type", "representative", "n_cells"]
    assert meta.obs["cell_type"].dtype == adata.obs["cell_type"].dtype
    assert meta.obs["cell_type"].tolist() == adata.obs.loc[meta.obs["representative"], "cell_type"].tolist()
    assert meta.obs["cell_type"].is_monotonic_increasing
    assert meta.obs["n_cells"].tolist() == membership(meta).sum(axis=1).tolist() == [6] * meta.n_obs
    assert membership(meta)[np.arange(meta.n_obs), adata.obs_names.get_indexer(meta.obs["representative"])].all()
    assert meta.uns["metacells"]["cells"].tolist() == adata.obs_names.tolist()
    assert state(meta.var) == state(adata.var)
    assert meta.X.has_canonical_format
    assert metacells(adata).obs.columns.tolist() == ["representative", "n_cells"]


@pytest.mark.parametrize(
    ("convert", "dtype"),
    [
        (lambda x: x, np.float32),
        (lambda x: x.astype(np.float64), np.float64),
        (lambda x: x.astype(np.int8), np.float32),
        (lambda x: pd.DataFrame(x, index=cells().obs_names, columns=list("abc")), np.float32),
    ],
    ids=["float32", "float64", "int8", "DataFrame"],
)
def test_the_embedding_is_the_mean_of_the_members(adata, convert, dtype):
    x = adata.obsm["X_pca"]
    adata.obsm["X_scvi"] = convert(x)
    meta = metacells(adata, use_rep="X_scvi")
    assert set(meta.obsm.keys()) == {"X_scvi", "membership"}
    assert meta.obsm["X_scvi"].dtype == dtype
    np.testing.assert_allclose(meta.obsm["X_scvi"], [x[row].mean(axis=0) for row in membership(meta)], rtol=1e-6)
    assert state(meta.X) == state(metacells(adata).X)


def test_parameters_are_written(adata):
    adata.layers["counts"] = adata.X
    with pytest.warns(UserWarning, match="fewer than size=16"):
        meta = metacells(adata, size=16, groupby="cell_type", n_metacells=1, layer="counts", rng=3)
    params = meta.uns["metacells"]["params"]
    versions = {name: params.pop(name) for name in list(params) if name.startswith("version_")}
    assert versions["version_pysces"] == ps.__version__
    assert params.pop("groups").tolist() == LABELS[:2]
    assert params.pop("groups_skipped").tolist() == ["NK"]
    assert params == {
        "use_rep": "X_pca", "groupby": "cell_type", "size": 16, "n_metacells": 1, "max_reuse": 0.5, "layer": "counts",
        "rng": 3,
    }  # fmt: skip


def test_adata_is_left_as_it_is_and_shares_nothing(adata):
    adata.X.indices[:2] = adata.X.indices[:2][::-1]  # not sorted
    before = state(adata)
    meta = metacells(adata, groupby="cell_type")
    assert state(adata) == before
    meta.var["chromosome"] = "2"
    meta.obsm["X_pca"][:] = 0
    meta.X.data[:] = 0
    meta.uns["metacells"]["cells"][:] = "x"
    meta.obs["cell_type"] = "NK"
    assert state(adata) == before


def test_state_sees_every_change(adata):
    before = state(adata)
    changes = [
        lambda a: a.obs.__setitem__("new", 1),
        lambda a: a.uns.__setitem__("metacells", {}),
        lambda a: a.X.data.__setitem__(5, 9.5),
        lambda a: a.obsm["X_pca"].__setitem__((0, 0), 9),
        lambda a: a.var.insert(0, "new", "x"),
    ]
    for change in changes:
        copy = adata.copy()
        assert state(copy) == before
        change(copy)
        assert state(copy) != before


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
@pytest.mark.parametrize("groupby", [None, "cell_type"])
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_metacells_survive_a_file(tmp_path, suffix, groupby, dtype):
    meta = metacells(cells(counts(dtype)), groupby=groupby)
    path = tmp_path / f"meta.{suffix}"
    getattr(meta, f"write_{suffix}")(path)
    read = getattr(ad, f"read_{suffix}")(path)
    assert read.obsm["membership"].dtype == np.bool_
    for name in ("X", "obsm"):
        assert state(getattr(read, name)) == state(getattr(meta, name))
    assert state(read.obs.astype(str)) == state(meta.obs.astype(str))
    assert read.uns["metacells"]["cells"].tolist() == meta.uns["metacells"]["cells"].tolist()
    pd.testing.assert_frame_equal(ps.get.metacells(read), ps.get.metacells(meta))
    if groupby:
        assert read.obs[groupby].dtype == meta.obs[groupby].dtype
    params = meta.uns["metacells"]["params"]
    assert read.uns["metacells"]["params"].keys() == params.keys()
    for name, value in params.items():
        np.testing.assert_array_equal(read.uns["metacells"]["params"][name], value)


def test_the_cells_of_metacells_are_listed(adata):
    meta = metacells(adata)
    found = ps.get.metacells(meta)
    expected = [(name, adata.obs_names[i]) for name, row in zip(meta.obs_names, membership(meta), strict=True)
                for i in np.flatnonzero(row)]  # fmt: skip
    assert list(found.itertuples(index=False, name=None)) == expected
    some = ps.get.metacells(meta[[3, 1]])
    assert some["metacell"].unique().tolist() == [meta.obs_names[3], meta.obs_names[1]]
    for name in some["metacell"].unique():
        assert set(some.loc[some["metacell"] == name, "cell"]) == set(found.loc[found["metacell"] == name, "cell"])


def test_cells_that_are_no_metacells_have_no_list(adata):
    before = state(adata)
    with pytest.raises(KeyError, match=r"adata has no metacells.*pp.metacells"):
        ps.get.metacells(adata)
    assert state(adata) == before


def test_log_lines_tell_what_was_made(adata, monkeypatch):
    lines = []
    monkeypatch.setattr(sc.logging, "info", lambda line, *, time=None, deep="": lines.append(line + deep))
    meta = metacells(adata, groupby="cell_type")
    pooled = membership(meta).any(axis=0).sum()
    assert lines == [
        "pooling cells of 3 groups into metacells",
        f"    finishedreturned\n    {meta.n_obs} metacells, which hold {pooled} of {N_CELLS} cells",
    ]


def test_every_parameter_is_documented_and_keyword_only():
    documented = inspect.getdoc(ps.pp.metacells).split("Parameters\n")[1].split("\nReturns")[0].splitlines()
    first, *others = inspect.signature(ps.pp.metacells).parameters.values()
    assert first.name == "adata"
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in others)
    assert {"adata", *(parameter.name for parameter in others)} <= set(documented)


def test_the_matrix_is_never_dense():
    rng = np.random.default_rng(0)
    x = sp.random(6000, 5000, 0.002, "csr", np.float32, rng)
    x.data = np.ceil(x.data)
    many = ad.AnnData(x, obsm={"X_pca": rng.normal(size=(6000, 5))})
    metacells(many[:100].copy())  # imports
    tracemalloc.start()
    try:
        metacells(many, size=20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6000 * 5000 * 4 / 8


# --- cover and reuse --------------------------------------------------------------------------------------------------


def spread(n_cells=2000, n_axes=2):
    """Cells spread evenly over a square."""
    x = np.random.default_rng(0).random((n_cells, n_axes))
    return ad.AnnData(sp.csr_matrix((n_cells, 1), dtype=np.float32), obsm={"X_pca": x})


def test_clumps_of_the_size_of_a_metacell_are_found():
    rng = np.random.default_rng(0)
    clump = rng.permutation(np.repeat(np.arange(30), 20))
    x = 10 * np.stack([clump % 6, clump // 6], axis=1) + rng.random((600, 2))
    found = membership(metacells(ad.AnnData(np.ones((600, 1)), obsm={"X_pca": x}), size=20, max_reuse=0.0))
    assert sorted(found.tolist()) == sorted((clump == i).tolist() for i in range(30))


@pytest.mark.parametrize(("max_reuse", "covered", "per_cell"), [(0.0, 0.55, 1.0), (0.5, 0.85, 1.15), (0.75, 0.93, 1.3)])
def test_most_cells_are_pooled_and_few_of_them_often(max_reuse, covered, per_cell):
    """Six such squares had 0.59 to 0.63, 0.87 to 0.91 and 0.95 to 0.97 of their cells pooled."""
    times = membership(metacells(spread(), size=20, max_reuse=max_reuse)).sum(axis=0)
    assert (times > 0).mean() > covered
    assert times[times > 0].mean() <= per_cell


@pytest.mark.parametrize("max_reuse", [0.0, 0.25, 0.29, 0.5, 0.75, 0.99])
def test_reuse_is_bounded(max_reuse):
    used = np.zeros(2000, bool)
    for members in membership(metacells(spread(), size=20, max_reuse=max_reuse)):
        assert used[members].mean() <= max_reuse
        used |= members


def test_max_reuse_is_a_share_that_rounding_does_not_change():
    line = ad.AnnData(np.ones((171, 1)), obsm={"X_pca": np.arange(171.0)[:, None]})
    from_the_left = {"size": 100, "rng": next(seed for seed in range(99) if orders(seed, [171])[0][0] < 50)}
    found = [np.flatnonzero(members) for members in membership(metacells(line, max_reuse=0.29, **from_the_left))]
    # 29 of 100 cells are in both, though 0.29 * 100 is 28.999999999999996
    assert [(members[0], members[-1]) for members in found] == [(0, 99), (71, 170)]
    assert metacells(line, max_reuse=0.28, **from_the_left).n_obs == 1


def test_n_metacells_takes_the_first_of_those_chosen():
    whole, first = metacells(spread()), metacells(spread(), n_metacells=40)
    assert first.n_obs == 40
    assert state(first.obs) == state(whole.obs[:40])


def test_too_few_metacells_are_warned_of_at_the_line_of_the_user(adata):
    with pytest.warns(UserWarning, match="max_reuse=0.5 allows fewer than n_metacells=99 metacells in 'all") as record:
        meta = ps.pp.metacells(adata, n_metacells=99)
    assert record[0].filename == __file__
    assert state(meta.obs) == state(ps.pp.metacells(adata).obs)
    with pytest.warns(UserWarning, match="n_metacells=3 metacells in 'NK'"):
        metacells(adata, size=5, groupby="cell_type", n_metacells=3, max_reuse=0.0)


def test_the_seed_makes_the_result(adata):
    by_seed = [state(metacells(adata, rng=seed).obs) for seed in (0, 0, 1, 2)]
    assert by_seed[0] == by_seed[1] != by_seed[2] != by_seed[3]
    for make in (np.random.default_rng, np.random.SeedSequence):
        assert state(metacells(adata, rng=make(7)).obs) == state(metacells(adata, rng=make(7)).obs)
    assert state(metacells(adata, rng=np.random.SeedSequence(1)).obs) == by_seed[2]


# --- groups -----------------------------------------------------------------------------------------------------------


def test_groups_never_mix(adata):
    meta = metacells(adata, groupby="cell_type")
    assert meta.obs["cell_type"].nunique() == 3
    for label, members in zip(meta.obs["cell_type"], membership(meta), strict=True):
        assert set(adata.obs["cell_type"][members]) == {label}


def test_groups_alone_give_what_they_give_with_all(adata):
    whole, some = metacells(adata, groupby="cell_type"), metacells(adata, groupby="cell_type", groups=["NK", "B cell"])
    same = whole[whole.obs["cell_type"].isin(["B cell", "NK"])]
    assert some.obs["representative"].tolist() == same.obs["representative"].tolist()
    np.testing.assert_array_equal(membership(some), membership(same))
    np.testing.assert_array_equal(some.X.toarray(), same.X.toarray())


def test_labels_that_are_strings_become_categories(adata):
    expected = metacells(adata, groupby="cell_type")
    adata.obs["cell_type"] = adata.obs["cell_type"].astype(str)
    meta = metacells(adata, groupby="cell_type")
    assert meta.obs["cell_type"].cat.categories.tolist() == sorted(set(LABELS) - {ABSENT})
    assert set(meta.obs["cell_type"]) == set(expected.obs["cell_type"])
    assert adata.obs["cell_type"].dtype != "category"


def test_cells_without_a_label_are_in_no_metacell_and_may_hold_anything(adata):
    adata.obs.loc[adata.obs_names[:9], "cell_type"] = np.nan
    with pytest.warns(UserWarning, match="9 cells have no label"):
        expected = state(metacells(adata, groupby="cell_type"))
    adata.X = adata.X.toarray()
    adata.X[0], adata.X[1], adata.X[2] = np.nan, -1, 0.5
    adata.obsm["X_pca"][3] = np.nan
    with pytest.warns(UserWarning, match="9 cells have no label"):
        meta = metacells(adata, groupby="cell_type")
    assert not membership(meta)[:, :9].any()
    assert state(meta) == expected


def test_small_groups_are_skipped_with_one_warning_at_the_line_of_the_user(adata):
    with pytest.warns(UserWarning, match="2 groups of .* have fewer than size=31 cells .*: 'B cell', 'NK'") as record:
        meta = ps.pp.metacells(adata, groupby="cell_type", size=31)
    assert len(record) == 1
    assert record[0].filename == __file__
    assert set(meta.obs["cell_type"]) == {LABELS[0]}
    assert meta.obs["cell_type"].dtype == adata.obs["cell_type"].dtype


def test_a_group_of_exactly_size_cells_is_one_metacell(adata):
    meta = metacells(adata, groupby="cell_type", groups=["NK"], size=15)
    assert membership(meta).tolist() == [(adata.obs["cell_type"] == "NK").tolist()]


# --- downstream -------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:the sequencing depth|X holds counts|regulator")
def test_networks_and_activities_run_on_metacells(adata):
    meta = metacells(adata, size=3, max_reuse=0.5)
    ps.tl.aracne(meta, ["g0", "g1"], n_subnetworks=1, dpi=None, correction=None)
    assert set(ps.get.network(meta)["source"]) == {"g0", "g1"}
    ps.tl.viper(meta, min_targets=1)
    assert ps.get.activity(meta).shape == (meta.n_obs, 2)


# --- errors -----------------------------------------------------------------------------------------------------------


def spoil_value(value):
    def spoil(adata):
        x = adata.X.toarray()
        x[21, 3] = value
        adata.X = sp.csr_matrix(x)

    return spoil


def spoil_embedding(value):
    def spoil(adata):
        adata.obsm["X_pca"][[4, 7], 1] = value

    return spoil


def set_embedding(make):
    def spoil(adata):
        adata.obsm["X_pca"] = make(adata.obsm["X_pca"])

    return spoil


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("spoil", "settings", "error", "match"),
    [
        (spoil_value(np.log(2)), {}, ValueError, r"X holds 0\.693147\d*, which is no count.*layer='\.\.\.'"),
        (spoil_value(-2), {}, ValueError, "X holds -2, which is no count"),
        (spoil_value(2**20 + 0.5), {}, ValueError, r"X holds 1048576\.5, which is no count"),
        (spoil_value(np.nan), {}, ValueError, "1 missing .* and 0 infinite values, the first at row 21, column 3"),
        (spoil_value(np.inf), {"groupby": "cell_type"}, ValueError, "0 missing .* and 1 infinite values, the first at"),
        (
            lambda a: a.layers.__setitem__("lognorm", a.X.log1p()),
            {"layer": "lognorm"},
            ValueError,
            r"layer='lognorm' holds \d\.\d+, which is no count",
        ),
        (nothing, {"layer": "counts"}, KeyError, "layer='counts' is not in adata.layers, which has: nothing"),
        (nothing, {"use_rep": "X_umap"}, KeyError, r"use_rep='X_umap' is not in adata.obsm, which has: 'X_pca'"),
        (lambda a: a.obsm.clear(), {}, KeyError, r"which has: nothing. For 'X_pca', run sc.pp.pca\(adata\)"),
        (spoil_embedding(np.nan), {}, ValueError, "use_rep='X_pca' holds NaN .* in 2 cells: 'cell4', 'cell7'"),
        (spoil_embedding(-np.inf), {"groupby": "cell_type"}, ValueError, "use_rep='X_pca' holds .* in 2 cells"),
        (set_embedding(sp.csr_matrix), {}, TypeError, "use_rep='X_pca' names a csr_matrix; it must be a dense table"),
        (set_embedding(lambda x: x.astype(str)), {}, TypeError, "use_rep='X_pca' names a ndarray; it must be"),
        (set_embedding(lambda x: x * 1j), {}, TypeError, "use_rep='X_pca' names a ndarray; it must be a dense table"),
        (nothing, {"size": 1}, ValueError, "size is 1; give a whole number, at least 2"),
        (nothing, {"size": 6.5}, ValueError, r"size is 6\.5; give a whole number"),
        (nothing, {"size": True}, ValueError, "size is True; give a whole number"),
        (nothing, {"size": 91}, ValueError, "size=91 is more than the 90 cells of adata; choose a smaller size"),
        (nothing, {"size": 46, "groupby": "cell_type"}, ValueError, "size=46 is more than the 45 cells of the largest"),
        (nothing, {"groupby": "cell_type", "groups": [ABSENT]}, ValueError, "size=6 is more than the 0 cells of the"),
        (nothing, {"n_metacells": 0}, ValueError, "n_metacells is 0; give a whole number, at least 1"),
        (nothing, {"max_reuse": 1}, ValueError, r"max_reuse is 1; give a number in \[0, 1\)"),
        (nothing, {"max_reuse": -0.1}, ValueError, r"max_reuse is -0\.1; give a number in"),
        (nothing, {"rng": -1}, ValueError, "rng is -1; give a whole number"),
        (nothing, {"groupby": "louvain"}, KeyError, "groupby='louvain' is not a column of adata.obs, which has: 'cell"),
        (nothing, {"groupby": "healthy"}, TypeError, r"adata.obs\['healthy'\] holds labels of type bool"),
        (nothing, {"groupby": "cell_type", "groups": ["T"]}, ValueError, "groups holds 'T', not among the labels"),
        (nothing, {"groupby": "cell_type", "groups": "NK"}, TypeError, "groups='NK' is a string; give a list"),
        (nothing, {"groups": ["NK"]}, ValueError, "groups has no meaning without groupby"),
        (
            lambda a: setattr(a, "obs_names", ["c1", "c1", *a.obs_names[2:]]),
            {},
            ValueError,
            "obs_names holds duplicates: 'c1'. Make them unique first: adata.obs_names_make_unique",
        ),
        (
            lambda a: setattr(a, "var_names", ["g1", *a.var_names[1:]]),
            {},
            ValueError,
            "var_names holds duplicates: 'g1'",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Observation names are not unique", "ignore:Variable names are not unique")
def test_bad_input_is_refused_and_left_as_it_is(adata, spoil, settings, error, match):
    spoil(adata)
    before = state(adata)
    with pytest.raises(error, match=match):
        metacells(adata, **settings)
    assert state(adata) == before


def test_values_that_are_no_counts_are_found_in_every_block(adata, monkeypatch):
    monkeypatch.setattr(_read, "CELLS_PER_BLOCK", 8)
    spoil_value(0.5)(adata)  # row 21
    for settings in ({}, {"n_metacells": 1}):  # though its cell may be in no metacell
        with pytest.raises(ValueError, match=r"X holds 0\.5"):
            metacells(adata, **settings)


def test_values_that_are_no_counts_are_found_before_the_search_for_neighbours(adata, monkeypatch):
    monkeypatch.setattr(_metacells, "neighbourhoods", None)
    spoil_value(0.5)(adata)
    with pytest.raises(ValueError, match=r"X holds 0\.5"):
        metacells(adata)
