"""Activities that go to a file as they come."""

from __future__ import annotations

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp
import viper_oracles as oracle
from states import state

import pysces as ps
from pysces._matrix import _read
from pysces.tl import _results

N_CELLS, CHUNK = 130, 16
TREG = "CD4+/CD25 T Reg"
LABELS = [TREG, "B cell", "NK"]
GENES = oracle.gene_names(60)
NETWORK = oracle.network(GENES)
OTHER = oracle.network(GENES, 9, seed=1).replace({"source": {"R2": "HLA/Q2"}})


def grouped():
    """Another network per group; there is none of NK."""
    parts = [oracle.network(GENES, seed=i).assign(group=label) for i, label in enumerate(LABELS[:2])]
    return pd.concat(parts, ignore_index=True).astype({"group": "category"})


RUNS = {
    "all cells": {"network": NETWORK},
    "groups": {"network": NETWORK, "groupby": "cell_type"},
    "some groups": {"network": NETWORK, "groupby": "cell_type", "groups": ["NK"]},
    "own networks": {"network": grouped(), "groupby": "cell_type", "groups": LABELS[:2]},
    "borrowed networks": {"network": grouped(), "groupby": "cell_type", "without_network": "meta"},
    "several networks": {"network": {"blood": NETWORK, "skin": OTHER}},
    "bootstraps": {"network": NETWORK, "n_bootstraps": 3},
    "narnea": {"network": NETWORK, "enrichment": "narnea", "groupby": "cell_type"},
    "narnea of networks": {"network": {"blood": NETWORK, "skin": OTHER}, "enrichment": "narnea"},
}
runs = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
suffixes = pytest.mark.parametrize("suffix", ["zarr", "h5ad"])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks of cells, which share chunks of the file where cells are left out."""
    monkeypatch.setattr(_read, "CELLS_PER_BLOCK", CHUNK)
    monkeypatch.setattr(_results, "CELLS_PER_BLOCK", CHUNK)


@pytest.fixture
def adata():
    return cells()


def cells():
    """Log-normalised cells of three types, interleaved; five have no type."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.resize([0, 1, 2], N_CELLS))
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical.from_codes(codes, LABELS), "age": rng.integers(20, 80, N_CELLS)},
        index=[f"cell{i}" for i in range(N_CELLS)],
    )
    x = oracle.cells("log", N_CELLS).astype(np.float32)
    x[:, :8] = oracle.cells("log", N_CELLS, seed=1)[:, 8:16]  # no gene is in one cell only
    return ad.AnnData(
        sp.csr_matrix(x), obs=obs, var=pd.DataFrame(index=GENES),
        obsm={"X_pca": x[:, :3], "table": pd.DataFrame({"a": 1.0}, index=obs.index)},
        uns={"cell_type_colors": ["#ff0000", "#00ff00", "#0000ff"], "title": "T"},
    )  # fmt: skip


def scored(adata, run, **settings):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* has columns that cannot be saved")
        ps.tl.viper(adata, **run, min_targets=1, **settings)
    return adata


def read(path):
    return getattr(ad, f"read_{path.suffix[1:]}")(path)


def lazily(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # read_lazy is experimental
        return ad.experimental.read_lazy(path)


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *((name, "h5ad") for name in RUNS),
        ("some groups", "zarr"),
        ("bootstraps", "zarr"),
        ("narnea of networks", "zarr"),
    ],
)
def test_the_file_is_what_get_activity_would_give(adata, tmp_path, name, suffix):
    run, out = RUNS[name], tmp_path / f"activity.{suffix}"
    expected = scored(cells(), run)
    scored(adata, run, out=out, n_threads=2)
    found, activity = read(out), ps.get.activity(expected)
    assert found.X.dtype == np.float32
    np.testing.assert_array_equal(found.X, activity.X)
    assert found.obs_names.tolist() == activity.obs_names.tolist()
    pd.testing.assert_frame_equal(found.var, activity.var, check_index_type=False)
    pd.testing.assert_frame_equal(found.obs.astype(str), activity.obs.astype(str), check_index_type=False)
    assert list(found.obsm) == ["X_pca"]
    np.testing.assert_array_equal(found.obsm["X_pca"], adata.obsm["X_pca"])
    assert list(found.uns) == ["cell_type_colors"]
    assert list(found.uns["cell_type_colors"]) == adata.uns["cell_type_colors"]
    for layer in ("sd", "pes"):
        assert (layer in found.layers) == (f"viper_{layer}" in expected.obsm)
        if layer in found.layers:
            np.testing.assert_array_equal(found.layers[layer], expected.obsm[f"viper_{layer}"])


@runs
def test_adata_has_all_but_the_scores(adata, tmp_path, run):
    scored(adata, run, out=tmp_path / "activity.h5ad")
    expected = scored(cells(), run)
    assert adata.uns["viper"]["params"].pop("out") == str(tmp_path / "activity.h5ad")
    for name in [name for name in expected.obsm if name.startswith("viper")]:
        del expected.obsm[name]
    assert state(adata) == state(expected)


def test_what_an_earlier_call_left_is_neither_in_adata_nor_in_the_file(adata, tmp_path):
    scored(adata, RUNS["several networks"])
    scored(adata, RUNS["all cells"], out=tmp_path / "activity.h5ad")
    assert "viper" not in adata.obsm
    assert list(adata.obs) == list(read(tmp_path / "activity.h5ad").obs) == ["cell_type", "age"]


def test_a_copy_has_what_would_be_written(adata, tmp_path):
    before = state(adata)
    copy = ps.tl.viper(adata, NETWORK, min_targets=1, out=tmp_path / "activity.zarr", copy=True)
    assert state(adata) == before
    assert copy.uns["viper"]["params"]["out"] == str(tmp_path / "activity.zarr")


def test_a_path_may_be_text_and_of_the_home_folder(adata, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    scored(adata, RUNS["all cells"], out="~/activity.zarr")
    assert read(tmp_path / "activity.zarr").shape == (N_CELLS, NETWORK["source"].nunique())


# --- what can be done with it -----------------------------------------------------------------------------------------


@suffixes
def test_the_file_can_be_left_where_it_is(adata, tmp_path, suffix):
    out = tmp_path / f"activity.{suffix}"
    scored(adata, RUNS["bootstraps"], out=out)
    expected = ps.get.activity(scored(cells(), RUNS["bootstraps"]))
    lazy = lazily(out)
    np.testing.assert_array_equal(lazy.X.compute(), expected.X)
    assert lazy.layers["sd"].compute().shape == expected.shape
    if suffix == "h5ad":
        backed = ad.read_h5ad(out, backed="r")
        np.testing.assert_array_equal(backed.X[10:20], expected.X[10:20])


@pytest.mark.filterwarnings("ignore:invalid value encountered in log2")  # fold changes of scanpy, of what is negative
def test_scanpy_works_on_the_file(adata, tmp_path):
    out = tmp_path / "activity.h5ad"
    scored(adata, {"network": NETWORK, "groupby": "cell_type", "reference": "all"}, out=out)
    activity = read(out)
    sc.tl.rank_genes_groups(activity, "cell_type", method="t-test")
    sc.pp.pca(activity, n_comps=2)
    assert activity.obsm["X_pca"].shape == (N_CELLS, 2)


def test_samples_in_the_file_can_be_compared(adata, tmp_path):
    out = tmp_path / "activity.h5ad"
    scored(adata, RUNS["all cells"])
    expected = ps.get.activity(adata)
    scored(adata, RUNS["all cells"], out=out)
    for other in (read(out), lazily(out), ad.read_h5ad(out, backed="r")):
        some = expected[:3].copy()
        ps.tl.regulator_conservation(some, other, n_top=2, key="viper")
        assert (
            ps.get.conservation(some).groupby("sample", observed=True)["other"].first().tolist()
            == some.obs_names[:3].tolist()
        )


@suffixes
def test_adata_can_be_written_afterwards(adata, tmp_path, suffix):
    scored(adata, RUNS["several networks"], out=tmp_path / "activity.h5ad")
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    again = read(tmp_path / f"cells.{suffix}")
    assert again.uns["viper"]["params"]["out"] == str(tmp_path / "activity.h5ad")
    assert again.obs["viper_network"].tolist() == adata.obs["viper_network"].tolist()


@pytest.mark.parametrize("get", [ps.get.activity, ps.get.pvalues])
def test_who_asks_adata_for_the_scores_is_told_where_they_are(adata, tmp_path, get):
    scored(adata, RUNS["all cells"], out=tmp_path / "activity.zarr")
    adata.write_zarr(tmp_path / "cells.zarr")
    for data in (adata, lazily(tmp_path / "cells.zarr")):
        with pytest.raises(KeyError, match=r"are in '.*activity.zarr'; open this with anndata.read_h5ad or read_zarr"):
            get(data)


# --- where adata lies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "kind", "suffix"), [("backed", "h5ad", "zarr"), ("lazy", "zarr", "zarr"), ("lazy", "h5ad", "h5ad")]
)
@pytest.mark.parametrize("run", [RUNS["some groups"], RUNS["several networks"]], ids=["groups", "networks"])
def test_data_in_a_file_are_scored_to_a_file(adata, tmp_path, where, kind, run, suffix):
    path, out = tmp_path / f"cells.{kind}", tmp_path / f"activity.{suffix}"
    getattr(adata, f"write_{kind}")(path)
    scored(ad.read_h5ad(path, backed="r") if where == "backed" else lazily(path), run, out=out)
    found, expected = read(out), ps.get.activity(scored(cells(), run))
    np.testing.assert_array_equal(found.X, expected.X)
    pd.testing.assert_frame_equal(found.obs.astype(str), expected.obs.astype(str), check_index_type=False)
    np.testing.assert_array_equal(found.obsm["X_pca"], expected.obsm["X_pca"])
    assert list(found.obsm) == ["X_pca"]
    assert list(found.uns["cell_type_colors"]) == adata.uns["cell_type_colors"]


# --- errors -----------------------------------------------------------------------------------------------------------


class BrokenFile:
    """A matrix of which the last rows cannot be read, once the signature is learned."""

    def __init__(self, x, error):
        self._x, self._error, self._passes = x, error, 0
        self.shape, self.dtype = x.shape, x.dtype

    def __getitem__(self, rows):
        self._passes += rows.start == 0
        if self._passes == 2 and rows.stop == self.shape[0]:
            raise self._error
        return self._x[rows]


@suffixes
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["error", "stop"])
def test_nothing_is_left_behind_by_what_ends_in_the_middle(adata, tmp_path, monkeypatch, suffix, n_threads, error):
    monkeypatch.setattr(_read, "CELLS_PER_READ", 50)
    adata.uns["viper"] = {"params": "of an earlier call"}
    before = state(adata)
    broken = BrokenFile(adata.X, error)
    monkeypatch.setattr("pysces.tl._viper.choose", lambda *_, **__: chosen._replace(x=broken))
    chosen = ps._matrix.choose(adata, layer=None, use_raw=False, mask_var=None)
    with pytest.raises(type(error)):
        scored(adata, RUNS["all cells"], out=tmp_path / f"activity.{suffix}", n_threads=n_threads)
    assert broken._passes == 2
    assert list(tmp_path.iterdir()) == []
    assert state(adata) == before


@pytest.mark.parametrize(
    ("suffix", "column", "settings", "error"),
    [("h5ad", [1, "a"], {}, TypeError), ("h5ad", 1, {"key_added": "a/b"}, ValueError),
     ("zarr", 1, {"key_added": "a/b"}, ValueError)],
)  # fmt: skip
def test_what_no_file_can_hold_is_found_before_scoring(adata, tmp_path, monkeypatch, suffix, column, settings, error):
    adata.obs["more"] = np.resize(np.array(column, object), N_CELLS).tolist()
    before = state(adata)
    monkeypatch.setattr("pysces.tl._plan.Plan.score", lambda *_: pytest.fail("cells are scored"))
    with pytest.raises(error):
        scored(adata, RUNS["several networks"], out=tmp_path / f"activity.{suffix}", **settings)
    assert list(tmp_path.iterdir()) == []
    assert state(adata) == before


def test_what_a_killed_process_left_is_replaced(adata, tmp_path):
    for name in ("activity.zarr", "activity.h5ad"):
        scored(adata, RUNS["all cells"], out=tmp_path / f".{name}.part.{name.split('.')[1]}")
        scored(adata, RUNS["several networks"], out=tmp_path / name)
        assert read(tmp_path / name).n_vars == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["activity.h5ad", "activity.zarr"]


@pytest.mark.parametrize(
    ("out", "error", "match"),
    [
        ("there.zarr", FileExistsError, "there.zarr' is there already; remove it, or give another path"),
        ("there.h5ad", FileExistsError, "there.h5ad' is there already"),
        ("nowhere/activity.zarr", FileNotFoundError, "is in a folder that does not exist; make it first"),
        ("activity.loom", ValueError, "out is .*activity.loom.*; give a path that ends in .zarr or .h5ad"),
        ("activity", ValueError, "give a path that ends in"),
    ],
)
@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["text", "path"])
def test_a_path_where_no_file_can_be_made_is_refused(adata, tmp_path, out, error, match, kind):
    (tmp_path / "there.zarr").mkdir()
    (tmp_path / "there.h5ad").write_text("mine")
    before = state(adata)
    with pytest.raises(error, match=match):
        scored(adata, RUNS["all cells"], out=kind(tmp_path / out))
    assert state(adata) == before
    assert (tmp_path / "there.h5ad").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("out", [5, True, b"activity.zarr", ["activity.zarr"]], ids=repr)
def test_what_is_no_path_is_refused(adata, out):
    with pytest.raises(ValueError, match=r"out is .*; give a path that ends in \.zarr or \.h5ad"):
        scored(adata, RUNS["all cells"], out=out)
