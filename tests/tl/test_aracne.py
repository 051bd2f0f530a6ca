"""tl.aracne on AnnData: slots, groups, storages, bad input."""

from __future__ import annotations

import copy
import linecache
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp

import pysces as ps

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known")
"""Of few genes, or of values that are no counts."""
N_CELLS, N_GENES = 240, 24
REGULATORS = ["g0", "g1", "g2"]
PLANTED = {(f"g{r}", f"g{t}") for r in range(3) for t in range(3 + 5 * r, 8 + 5 * r)}
QUICK = {"n_subnetworks": 3, "rng": 1}
GROUPS = {"groupby": "cell_type", "groups": ["B", "CD4+/CD25 T Reg"]}
both = pytest.mark.parametrize("estimator", ["apmi", "gcmi"])


@pytest.fixture(autouse=True)
def small_null(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nulls of 180,000 values instead of a million."""
    monkeypatch.setattr("pysces._infer.null.N_PERMUTED", 600)
    monkeypatch.setattr("pysces._infer.null._distinct_tails", {})


@pytest.fixture
def adata() -> ad.AnnData:
    """Counts of three regulators with five targets each; two interleaved groups, one with a slash, and a tiny one."""
    rng = np.random.default_rng(0)
    x = rng.poisson(1.0, (N_CELLS, N_GENES)).astype(np.float32)
    for regulator in range(3):
        for target in range(3 + 5 * regulator, 8 + 5 * regulator):
            x[:, target] = rng.binomial(x[:, regulator].astype(int) * 3, 0.5)
    labels = np.array(["CD4+/CD25 T Reg", "B"])[np.arange(N_CELLS) % 2]
    labels[:4] = "rare"
    obs = pd.DataFrame({"cell_type": pd.Categorical(labels)}, index=[f"c{i}" for i in range(N_CELLS)])
    return ad.AnnData(sp.csr_matrix(x), obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(N_GENES)]))


def content(adata: ad.AnnData) -> dict[str, object]:
    """Everything that a call might change."""
    x = adata.X.toarray() if sp.issparse(adata.X) else np.asarray(adata.X)
    return {
        "x": x.tobytes(),
        "obs": adata.obs.to_csv(),
        "var": adata.var.to_csv(),
        "uns": copy.deepcopy(dict(adata.uns)),
        "obsm": list(adata.obsm),
        "layers": [name for name in adata.layers if name is not None],
    }


def edges(network: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(network["source"], network["target"], strict=True))


def run(adata: ad.AnnData, regulators: object = REGULATORS, **keywords: object) -> pd.DataFrame:
    """The network of a copy."""
    return ps.get.network(ps.tl.aracne(adata, regulators, copy=True, **{**QUICK, **keywords}))


@both
def test_network_and_parameters_are_written_to_uns(adata: ad.AnnData, estimator: str) -> None:
    assert ps.tl.aracne(adata, REGULATORS, estimator=estimator, **QUICK) is None
    assert list(adata.uns) == ["aracne"]
    network, params = adata.uns["aracne"]["network"], adata.uns["aracne"]["params"]
    assert edges(network) >= PLANTED
    assert params["estimator"] == estimator
    assert params["n_subnetworks"] == 3
    assert params["rng"] == 1
    assert params["regulators"].tolist() == REGULATORS
    assert all(isinstance(value, str | int | float | bool | np.ndarray) for value in params.values())
    assert not {"groupby", "targets", "mask_var"} & set(params)


@both
def test_groups_are_values_in_one_table_and_small_groups_are_skipped(adata: ad.AnnData, estimator: str) -> None:
    with pytest.warns(UserWarning, match=r"1 groups .* fewer than min_cells=30 .*'rare'"):
        ps.tl.aracne(adata, REGULATORS, groupby="cell_type", estimator=estimator, **QUICK)
    network = ps.get.network(adata)
    assert network.columns[0] == "group"
    assert network["group"].cat.categories.tolist() == ["B", "CD4+/CD25 T Reg"]
    assert network["group"].is_monotonic_increasing
    assert adata.uns["aracne"]["params"]["groups_skipped"].tolist() == ["rare"]


@pytest.mark.parametrize("label", ["B", "CD4+/CD25 T Reg"])
@pytest.mark.parametrize(
    "settings", [{}, {"n_subnetworks": "auto", "min_targets": 5, "max_subnetworks": 6}], ids=["three", "auto"]
)
@both
def test_stratified_equals_separate(adata: ad.AnnData, label: str, estimator: str, settings: dict) -> None:
    settings = {"estimator": estimator, "n_subnetworks": 3, **settings}
    with pytest.warns(UserWarning, match="min_cells"):
        ps.tl.aracne(adata, REGULATORS, groupby="cell_type", rng=1, **settings)
    place = adata.obs["cell_type"].cat.categories.get_loc(label)
    by_hand = adata[adata.obs["cell_type"] == label].copy()
    ps.tl.aracne(by_hand, REGULATORS, rng=np.random.SeedSequence(1).spawn(3)[place], **settings)
    pd.testing.assert_frame_equal(ps.get.network(adata, label), ps.get.network(by_hand), check_exact=True)


@both
def test_a_group_alone_is_the_group_among_all(adata: ad.AnnData, estimator: str) -> None:
    settings = {"groupby": "cell_type", "estimator": estimator, **QUICK}
    with pytest.warns(UserWarning, match="min_cells"):
        ps.tl.aracne(adata, REGULATORS, **settings)
    ps.tl.aracne(adata, REGULATORS, groups=["CD4+/CD25 T Reg"], key_added="one", **settings)
    one = ps.get.network(adata, "CD4+/CD25 T Reg", key="one")
    pd.testing.assert_frame_equal(one, ps.get.network(adata, "CD4+/CD25 T Reg"), check_exact=True)


@pytest.mark.parametrize(
    ("dtype", "estimator"),
    [*((dtype, "apmi") for dtype in ("float32", "float64", "int64", "uint16")), ("float32", "gcmi")],
)
@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x,
        sp.csr_matrix,
        sp.csc_matrix,
        sp.csr_array,
        lambda x: da.from_array(x, chunks=(50, -1)),
        lambda x: da.from_array(x, chunks=(50, -1)).map_blocks(sp.csr_matrix),
    ],
    ids=["ndarray", "csr", "csc", "csr_array", "dask", "dask-csr"],
)
def test_every_storage_gives_the_same_bytes(adata: ad.AnnData, estimator: str, convert, dtype: str) -> None:
    ps.tl.aracne(adata, REGULATORS, estimator=estimator, **QUICK)
    other = ad.AnnData(convert(adata.X.toarray().astype(dtype)), obs=adata.obs, var=adata.var)
    ps.tl.aracne(other, REGULATORS, estimator=estimator, **QUICK)
    pd.testing.assert_frame_equal(ps.get.network(other), ps.get.network(adata), check_exact=True)


@pytest.mark.parametrize("sparse", [True, False])
@both
def test_backed_equals_memory(adata: ad.AnnData, tmp_path: Path, *, estimator: str, sparse: bool) -> None:
    if not sparse:
        adata.X = adata.X.toarray()
    adata.write_h5ad(tmp_path / "a.h5ad")
    backed = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    with pytest.warns(UserWarning, match="min_cells"):
        ps.tl.aracne(backed, REGULATORS, groupby="cell_type", estimator=estimator, **QUICK)
    with pytest.warns(UserWarning, match="min_cells"):
        ps.tl.aracne(adata, REGULATORS, groupby="cell_type", estimator=estimator, **QUICK)
    pd.testing.assert_frame_equal(ps.get.network(backed), ps.get.network(adata), check_exact=True)
    with pytest.raises(ValueError, match="copy=True would read the whole backed file"):
        ps.tl.aracne(backed, REGULATORS, copy=True)
    backed.file.close()


def test_a_view_is_used_as_it_looks(adata: ad.AnnData) -> None:
    half = adata[adata.obs["cell_type"] == "B"]
    with pytest.warns(ad.ImplicitModificationWarning):
        ps.tl.aracne(half, REGULATORS, **QUICK)
    actual = adata[adata.obs["cell_type"] == "B"].copy()
    ps.tl.aracne(actual, REGULATORS, **QUICK)
    pd.testing.assert_frame_equal(ps.get.network(half), ps.get.network(actual), check_exact=True)
    assert "aracne" not in adata.uns


@both
def test_copy_leaves_the_original_alone(adata: ad.AnnData, estimator: str) -> None:
    before = content(adata)
    result = ps.tl.aracne(adata, REGULATORS, copy=True, estimator=estimator, **QUICK)
    assert content(adata) == before
    ps.tl.aracne(adata, REGULATORS, estimator=estimator, **QUICK)
    pd.testing.assert_frame_equal(ps.get.network(result), ps.get.network(adata), check_exact=True)


@pytest.mark.parametrize("threads", [1, 2])
@both
def test_threads_never_change_the_result(adata: ad.AnnData, estimator: str, threads: int) -> None:
    ps.tl.aracne(adata, REGULATORS, estimator=estimator, **QUICK)
    ps.tl.aracne(adata, REGULATORS, estimator=estimator, n_threads=threads, key_added="other", **QUICK)
    pd.testing.assert_frame_equal(ps.get.network(adata, key="other"), ps.get.network(adata), check_exact=True)


def test_regulators_may_be_a_column_a_mask_or_a_known_list(adata: ad.AnnData) -> None:
    ps.tl.aracne(adata, REGULATORS, **QUICK)
    adata.var["is_tf"] = adata.var_names.isin(REGULATORS)
    ps.tl.aracne(adata, "is_tf", key_added="column", **QUICK)
    ps.tl.aracne(adata, adata.var["is_tf"].to_numpy(), key_added="mask", **QUICK)
    adata.var_names = ["SPI1", "PAX5", "GATA3", *adata.var_names[3:]]
    ps.tl.aracne(adata, "human_tfs", key_added="known", **QUICK)
    for key in ("column", "mask"):
        pd.testing.assert_frame_equal(ps.get.network(adata, key=key), ps.get.network(adata))
    assert set(ps.get.network(adata, key="known")["source"]) <= {"SPI1", "PAX5", "GATA3"}


def test_targets_may_be_names_a_column_a_mask_or_a_known_list(adata: ad.AnnData) -> None:
    adata.var_names = [*adata.var_names[:3], "SPI1", "PAX5", "GATA3", *adata.var_names[6:]]
    names = ["SPI1", "PAX5", "GATA3"]
    adata.var["is_target"] = adata.var_names.isin(names)
    expected = run(adata, targets=names)
    assert edges(expected) == {("g0", name) for name in names}
    for targets in (set(names), adata.var_names[[3, 4, 5]], "is_target", adata.var["is_target"], "human_tfs"):
        pd.testing.assert_frame_equal(run(adata, targets=targets), expected, check_exact=True)
    pd.testing.assert_frame_equal(run(adata, mask_var="is_target"), expected, check_exact=True)


@both
def test_targets_within_the_mask_are_targets(adata: ad.AnnData, estimator: str) -> None:
    adata.var["variable"] = adata.var_names.isin(["g3", "g4", "g8"])
    settings = {"estimator": estimator, "copy": True, **QUICK}
    both_given = ps.tl.aracne(adata, REGULATORS, targets=["g4", "g5", "g8"], mask_var="variable", **settings)
    assert set(ps.get.network(both_given)["target"]) == {"g4", "g8"}
    expected = run(adata, targets=["g4", "g8"], estimator=estimator)
    pd.testing.assert_frame_equal(ps.get.network(both_given), expected, check_exact=True)
    params = both_given.uns["aracne"]["params"]
    assert params["targets"].tolist() == ["g4", "g8"]
    assert params["mask_var"] == "variable"


@both
def test_regulators_need_not_be_targets_and_are_none_of_themselves(adata: ad.AnnData, estimator: str) -> None:
    network = run(adata, targets=["g0", "g3", "g8"], correction=None, dpi=None, estimator=estimator)
    pairs = {(source, target) for source in REGULATORS for target in ("g0", "g3", "g8")}
    assert edges(network) == pairs - {("g0", "g0")}


def test_targets_of_raw_are_genes_of_raw(adata: ad.AnnData) -> None:
    adata.raw = adata
    part = adata[:, :3].copy()
    assert edges(run(part, use_raw=True, targets=["g3", "g8"])) == {("g0", "g3"), ("g1", "g8")}


@both
def test_layer_raw_and_mask_choose_what_is_used(adata: ad.AnnData, estimator: str) -> None:
    settings = {"estimator": estimator, **QUICK}
    ps.tl.aracne(adata, REGULATORS, **settings)
    other = adata.copy()
    other.layers["counts"] = other.X
    other.raw = other
    other.X = sp.csr_matrix(np.ones((N_CELLS, N_GENES), np.float32))
    ps.tl.aracne(other, REGULATORS, layer="counts", key_added="layer", **settings)
    ps.tl.aracne(other, REGULATORS, use_raw=True, key_added="raw", **settings)
    for key in ("layer", "raw"):
        pd.testing.assert_frame_equal(ps.get.network(other, key=key), ps.get.network(adata), check_exact=True)
    other.var["allowed"] = other.var_names.isin(["g3", "g8", "g9"])
    ps.tl.aracne(other, REGULATORS, layer="counts", mask_var="allowed", **settings)
    assert set(ps.get.network(other)["target"]) == {"g3", "g8", "g9"}


def test_some_absent_regulators_are_warned_of_once(adata: ad.AnnData) -> None:
    with pytest.warns(UserWarning, match="2 of 5") as caught:
        ps.tl.aracne(
            adata, [*REGULATORS, "x1", "x2"], groupby="cell_type", groups=["B", "CD4+/CD25 T Reg"], depth=None, **QUICK
        )
    assert [str(w.message).split(":")[0] for w in caught] == ["2 of 5 regulators are not among the 24 genes"]
    assert caught[0].filename == __file__


def test_some_absent_targets_are_warned_of_once(adata: ad.AnnData) -> None:
    with pytest.warns(UserWarning, match="1 of 3 targets are not among the 24 genes: 'x'") as caught:
        ps.tl.aracne(adata, REGULATORS, targets=["g3", "g8", "x"], depth=None, **GROUPS, **QUICK)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert adata.uns["aracne"]["params"]["targets"].tolist() == ["g3", "g8"]


@pytest.mark.parametrize("grouped", [True, False])
def test_samples_with_copies_are_warned_of_once_at_the_line_of_the_caller(adata: ad.AnnData, *, grouped: bool) -> None:
    with pytest.warns(UserWarning, match="copies of cells, which look like dependence: subnetworks") as caught:
        ps.tl.aracne(adata, REGULATORS, replace=True, depth=None, **(GROUPS if grouped else {}), **QUICK)
    assert caught[0].filename == __file__
    assert "replace=True" in linecache.getline(__file__, caught[0].lineno)
    assert len(caught) == 1
    assert adata.uns["aracne"]["params"]["replace"] is True


@both
def test_without_subnetworks_every_edge_has_support_one(adata: ad.AnnData, estimator: str) -> None:
    network = run(adata, n_subnetworks=0, estimator=estimator)
    assert edges(network) >= PLANTED
    assert (network["support"] == 1).all()


@both
def test_the_numbers_are_those_of_the_estimator_on_arrays(adata: ad.AnnData, estimator: str) -> None:
    settings = {"estimator": estimator, "consensus": "poisson", "alpha": 0.5, "n_subnetworks": 4, "rng": 1}
    model = ps.ARACNe(**settings).fit(adata.X, REGULATORS, adata.var_names.to_numpy(), targets=range(3, 24))
    network = run(adata, targets=adata.var_names[3:], **settings)
    assert len(network) > 0
    pd.testing.assert_frame_equal(network, model.network_, check_exact=True)


def test_an_empty_network_is_warned_of_and_stored(adata: ad.AnnData) -> None:
    with pytest.warns(UserWarning, match="no edge is significant"):
        ps.tl.aracne(adata, REGULATORS, mask_var=(adata.var_names == "g23"), **QUICK)
    assert len(ps.get.network(adata)) == 0
    with pytest.raises(ValueError, match="network has no edges"):
        ps.tl.viper(adata)


@pytest.mark.parametrize("extension", ["h5ad", "zarr"])
@pytest.mark.parametrize(
    "settings",
    [
        {"estimator": "apmi", **GROUPS},
        {"estimator": "gcmi", "n_subnetworks": "auto", "min_targets": 5, "max_subnetworks": 4, "targets": ["g3", "g8"]},
        {"n_subnetworks": 0, "correction": None, "dpi": None, "depth": "n_counts", **GROUPS},
        {"estimator": "apmi", "n_subnetworks": 20, "consensus": "binomial", "targets": "known", "mask_var": "known"},
        {"depth": "auto"},
        {"depth": None},
    ],
    ids=["groups", "auto", "all cells", "consensus", "depth auto", "no depth"],
)
def test_results_survive_a_round_trip(adata: ad.AnnData, tmp_path: Path, extension: str, settings: dict) -> None:
    adata.var["known"] = adata.var_names.isin([f"g{i}" for i in range(20)])
    adata.obs["n_counts"] = adata.X.sum(axis=1)
    ps.tl.aracne(adata, REGULATORS, rng=1, **{"n_subnetworks": 3, **settings})
    assert len(ps.get.network(adata)) > 0
    path = tmp_path / f"a.{extension}"
    getattr(adata, f"write_{extension}")(path)
    back = getattr(ad, f"read_{extension}")(path)
    pd.testing.assert_frame_equal(ps.get.network(back), ps.get.network(adata), check_exact=True)
    before, after = adata.uns["aracne"]["params"], back.uns["aracne"]["params"]
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    for name in set(settings) - {"groups", "targets"}:
        assert (name not in after) if settings[name] is None else (after[name] == settings[name]), name


@pytest.mark.parametrize(
    ("name", "value"), [("replace", np.False_), ("n_subnetworks", np.int64(2)), ("alpha", np.float32(0.5))], ids=str
)
def test_parameters_of_numpy_types_are_stored_as_what_they_are(adata: ad.AnnData, name: str, value: object) -> None:
    ps.tl.aracne(adata, REGULATORS, **{**QUICK, name: value})
    stored = adata.uns["aracne"]["params"][name]
    assert type(stored) is type(value.item())
    assert stored == value


def set_value(value: float):
    def change(adata: ad.AnnData) -> dict[str, object]:
        adata.X = adata.X.toarray()
        adata.X[7, 5] = value
        return {}

    return change


def duplicate(adata: ad.AnnData) -> dict[str, object]:
    adata.var_names = ["g0", "g0", *adata.var_names[2:]]
    return {}


def false_column(adata: ad.AnnData) -> dict[str, object]:
    adata.var["nothing"] = False
    return {"targets": "nothing"}


def text_column(adata: ad.AnnData) -> dict[str, object]:
    adata.var["symbol"] = adata.var_names
    return {"targets": "symbol"}


def constant_in_all_groups(adata: ad.AnnData) -> dict[str, object]:
    x = adata.X.toarray()
    x[:, 0] = (adata.obs["cell_type"] == "CD4+/CD25 T Reg").astype(float)
    adata.X = x
    return {"regulators": ["g0"], **GROUPS}


def numbers_as_labels(adata: ad.AnnData) -> dict[str, object]:
    adata.obs["leiden"] = np.arange(N_CELLS) % 2
    return {"groupby": "leiden"}


def text_as_depth(adata: ad.AnnData) -> dict[str, object]:
    adata.obs["name"] = [str(i) for i in range(N_CELLS)]
    return {"depth": "name"}


def categories_as_depth(adata: ad.AnnData) -> dict[str, object]:
    adata.obs["lane"] = pd.Categorical(np.arange(N_CELLS) % 4)
    return {"depth": "lane"}


def booleans_as_depth(adata: ad.AnnData) -> dict[str, object]:
    adata.obs["deep"] = np.arange(N_CELLS) > 40
    return {"depth": "deep"}


def missing_depth(value: float | None):
    def change(adata: ad.AnnData) -> dict[str, object]:
        given = [value, value, *range(N_CELLS - 2)]
        adata.obs["depth"] = pd.array(given, dtype="Int64") if value is None else np.array(given)
        return {"depth": "depth"}

    return change


def depth_of_apmi(adata: ad.AnnData) -> dict[str, object]:
    adata.obs["depth"] = np.arange(N_CELLS)
    return {"depth": "depth", "estimator": "apmi"}


BAD = {
    "nan": (set_value(np.nan), ValueError, r"1 missing \(NaN\) and 0 infinite values, the first at row 7, column 5"),
    "inf": (set_value(np.inf), ValueError, r"0 missing \(NaN\) and 1 infinite values"),
    "negative": (set_value(-2.5), ValueError, r"negative values \(such as -2.5\)"),
    "duplicated genes": (duplicate, ValueError, "var_names holds duplicates: 'g0'.*var_names_make_unique"),
    "all regulators absent": ({"regulators": ["X", "Y"]}, ValueError, r"none of the 2 regulators .* same alphabet"),
    "no regulators": ({"regulators": []}, ValueError, "at least one entry"),
    "unknown list": ({"regulators": "fly_tfs"}, ValueError, "neither a boolean column"),
    "regulators of wrong type": ({"regulators": [1.5]}, TypeError, "regulators must be names of genes; found float"),
    "missing groupby": ({"groupby": "x"}, KeyError, "not a column of adata.obs"),
    "labels not strings": (numbers_as_labels, TypeError, r"int.*not strings.*astype\(str\)"),
    "unknown group": ({"groupby": "cell_type", "groups": ["T"]}, ValueError, "not among the labels"),
    "groups without groupby": ({"groups": ["B"]}, ValueError, "without groupby"),
    "no group large enough": ({"groupby": "cell_type", "min_cells": 500}, ValueError, "the largest has 118"),
    "missing layer": ({"layer": "counts"}, KeyError, "layer='counts' is not in adata.layers"),
    "raw is None": ({"use_raw": True}, ValueError, "adata.raw is None"),
    "layer and raw": ({"layer": "counts", "use_raw": True}, ValueError, "two matrices"),
    "missing mask": ({"mask_var": "hvg"}, KeyError, "not a column of adata.var"),
    "mask of wrong length": ({"mask_var": [True]}, ValueError, "one per gene"),
    "unknown choice": ({"ties": "average"}, ValueError, "ties is 'average'; choose one of 'block', 'random'"),
    "unknown target list": ({"targets": "all"}, ValueError, "targets='all' is neither a boolean column"),
    "no gene of the list": ({"targets": "mouse_tfs"}, ValueError, r"none of the \d+ mouse_tfs is among the \d+ genes"),
    "targets of wrong type": ({"targets": [1.5]}, TypeError, "^targets must be names of genes; found float"),
    "all targets absent": ({"targets": ["X", "Y"]}, ValueError, "^none of the 2 targets "),
    "no targets": ({"targets": []}, ValueError, "^targets must be a list of genes with at least one"),
    "target mask of wrong length": ({"targets": [True]}, ValueError, "^targets is a mask of length 1"),
    "target column of nothing": (false_column, ValueError, "^targets selects no gene"),
    "target column of text": (text_column, TypeError, "^targets='symbol' names a column .* not booleans"),
    "no target in the mask": (
        {"targets": ["g3"], "mask_var": np.arange(N_GENES) > 3},
        ValueError,
        "none of the targets is in mask_var",
    ),
    "mask of nothing": ({"mask_var": np.zeros(N_GENES, bool)}, ValueError, "mask_var"),
    "constant in all groups": (constant_in_all_groups, ValueError, r"^every regulator \(1\) is constant over the "),
    "unknown estimator": ({"estimator": "x"}, ValueError, "estimator is 'x'; choose one of 'gcmi', 'apmi'"),
    "many subnetworks": ({"n_subnetworks": "many"}, ValueError, "n_subnetworks is 'many'"),
    "bad number": ({"n_subnetworks": -1}, ValueError, "n_subnetworks is -1"),
    "half a subnetwork": ({"n_subnetworks": 1.5}, ValueError, "n_subnetworks is 1.5"),
    "a true number": ({"n_subnetworks": True}, ValueError, "n_subnetworks is True"),
    "bad min_targets": ({"min_targets": 0}, ValueError, "min_targets is 0; give a whole number, at least 1"),
    "bad max_subnetworks": ({"max_subnetworks": 0}, ValueError, "max_subnetworks is 0; .* at least 1"),
    "bad replace": ({"replace": "yes"}, ValueError, "replace is 'yes'; give True or False"),
    "unknown consensus": ({"consensus": "x"}, ValueError, "consensus is 'x'; choose one of 'data', 'poisson'"),
    "consensus of nothing": ({"consensus": "poisson", "n_subnetworks": 0}, ValueError, "needs subnetworks"),
    "consensus without correction": ({"consensus": "binomial", "correction": None}, ValueError, "needs a correction"),
    "bad share": ({"alpha": 1.5}, ValueError, "alpha is 1.5"),
    "bad threads": ({"n_threads": -1}, ValueError, "n_threads is -1"),
    "bad seed": ({"rng": "x"}, ValueError, "rng is 'x'"),
    "unknown depth": ({"depth": "total"}, KeyError, "depth='total' is neither .* of adata.obs, which has: 'cell_type'"),
    "depth of text": (text_as_depth, TypeError, "^depth='name' names a column of adata.obs that holds .*, not numbers"),
    "depth of categories": ({"depth": "cell_type"}, TypeError, "depth='cell_type' .* holds category, not numbers"),
    "depth of numbers as categories": (categories_as_depth, TypeError, "depth='lane' .* holds category, not numbers"),
    "depth of booleans": (booleans_as_depth, TypeError, "depth='deep' .* holds bool, not numbers"),
    "missing depth": (missing_depth(np.nan), ValueError, "^depth holds 2 missing or infinite values"),
    "missing whole depth": (missing_depth(None), ValueError, "^depth holds 2 missing or infinite values"),
    "infinite depth": (missing_depth(-np.inf), ValueError, "^depth holds 2 missing or infinite values"),
    "depth of an estimator without": (depth_of_apmi, ValueError, "^depth is given, but estimator='apmi' takes no not"),
}


@pytest.mark.parametrize(("problem", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input_says_what_to_do_and_changes_nothing(adata: ad.AnnData, problem, error, message) -> None:
    arguments = problem(adata) if callable(problem) else problem
    before = content(adata)
    with pytest.raises(error, match=message):
        ps.tl.aracne(adata, **{"regulators": REGULATORS, **QUICK, **arguments})
    assert content(adata) == before


def test_a_group_where_all_regulators_are_constant_is_skipped_and_named(adata: ad.AnnData) -> None:
    x = adata.X.toarray()
    x[adata.obs["cell_type"] == "CD4+/CD25 T Reg", 0] = 1
    adata.X = x
    with pytest.warns(UserWarning, match=r"regulators are constant in 1 groups .*'CD4\+/CD25 T Reg'"):
        ps.tl.aracne(adata, ["g0"], **GROUPS, **QUICK)
    params = adata.uns["aracne"]["params"]
    assert "CD4+/CD25 T Reg" in params["groups_skipped"]
    assert "CD4+/CD25 T Reg" not in params["groups"]


@both
def test_one_cell_and_constant_genes(adata: ad.AnnData, estimator: str) -> None:
    with pytest.raises(ValueError, match="X has 1 cell; a network needs at least 10"):
        ps.tl.aracne(adata[:1].copy(), REGULATORS, estimator=estimator)
    x = adata.X.toarray()
    x[:, [0, 5]] = 1
    adata.X = x
    network = run(adata, estimator=estimator)
    assert len(network) > 0
    assert not {"g0", "g5"} & {*network["source"], *network["target"]}
    with pytest.raises(ValueError, match=r"every regulator \(1\) is constant"):
        ps.tl.aracne(adata, ["g0"], estimator=estimator)


def test_not_an_anndata_matrix() -> None:
    with pytest.raises(ValueError, match="X is None"):
        ps.tl.aracne(ad.AnnData(obs=pd.DataFrame(index=["a"]), var=pd.DataFrame(index=["g0"])), ["g0"])


def test_interrupt_leaves_adata_as_it_was(adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pysces._infer.subnetworks.take_cells", interrupt)
    before = content(adata)
    with pytest.raises(KeyboardInterrupt):
        ps.tl.aracne(adata, REGULATORS, **QUICK)
    assert content(adata) == before


# --- depth ------------------------------------------------------------------------------------------------------------

N_DEEP = 300
"""Cells of the data of unequal depth."""
NOT_KNOWN = "the sequencing depth of the cells is not known"


def other_values(counts: np.ndarray) -> np.ndarray:
    """Values in the order of counts that counts cannot be had back from, nor is their sum a depth."""
    return 1.0 + np.sqrt(counts)


@pytest.fixture
def deep() -> ad.AnnData:
    """Log-normalised counts of cells of other depths in two groups: g0 has five targets; counts are in a layer."""
    rng = np.random.default_rng(0)
    depth, activity = rng.lognormal(0.0, 0.6, N_DEEP), rng.normal(size=(N_DEEP, 2))
    effect = np.zeros((2, 80))
    effect[0, [0, 2, 3, 4, 5, 6]], effect[1, 1] = 0.7, 0.7
    x = rng.poisson(np.exp(rng.uniform(0.5, 2.0, 80) + activity @ effect) * depth[:, None]).astype(np.float32)
    obs = pd.DataFrame({"group": pd.Categorical(np.array(["a", "b"])[np.arange(N_DEEP) % 2])}, index=index(N_DEEP))
    obs["n_counts"], obs["n_whole"], obs["log_depth"] = x.sum(axis=1), x.sum(axis=1).astype(int), np.log(x.sum(axis=1))
    adata = ad.AnnData(x.copy(), obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(80)]), layers={"counts": x})
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    return adata


def index(n: int) -> list[str]:
    return [f"c{i}" for i in range(n)]


def deep_run(adata: ad.AnnData, **keywords: object) -> pd.DataFrame:
    """The network of g0 and g1."""
    return run(adata, ["g0", "g1"], **keywords)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert len(expected) >= 5
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_log_normalised_values_and_counts_have_the_same_network_wherever_they_are(deep: ad.AnnData) -> None:
    expected = deep_run(deep, layer="counts")
    assert {("g0", f"g{i}") for i in range(2, 7)} <= edges(expected)
    assert len(expected) < 10
    assert_same(deep_run(deep), expected)
    assert_same(deep_run(deep, depth="auto"), expected)
    of_counts = ad.AnnData(sp.csr_matrix(deep.layers["counts"]), obs=deep.obs, var=deep.var)
    assert_same(deep_run(of_counts), expected)
    deep.raw = deep.copy()
    deep.X = np.ones_like(deep.X)
    assert_same(deep_run(deep, use_raw=True), expected)
    deep.raw = of_counts
    assert_same(deep_run(deep, use_raw=True), expected)


def test_depth_may_be_left_alone(deep: ad.AnnData) -> None:
    assert len(deep_run(deep, layer="counts", depth=None)) > 50
    model = ps.ARACNe(**QUICK).fit(deep.layers["counts"], ["g0", "g1"], deep.var_names.to_numpy(), depth=None)
    assert_same(deep_run(deep, layer="counts", depth=None), model.network_)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint16", "Int64", "Float64"])
def test_depth_may_be_a_column_of_numbers(deep: ad.AnnData, dtype: str) -> None:
    deep.obs["depth"] = deep.obs["n_whole"].astype(dtype)
    numbers = deep.obs["n_whole"].to_numpy()
    model = ps.ARACNe(**QUICK).fit(deep.X, ["g0", "g1"], deep.var_names.to_numpy(), depth=numbers)
    assert model.depth_ == "given"
    assert_same(deep_run(deep, depth="depth"), model.network_)


def test_columns_of_depth_and_its_logarithm_give_the_same_network(deep: ad.AnnData) -> None:
    expected = deep_run(deep, layer="counts", depth="n_counts")
    for name in ("n_whole", "log_depth"):
        assert_same(deep_run(deep, layer="counts", depth=name), expected)


@pytest.mark.parametrize("depth", ["auto", "n_counts", None])
@pytest.mark.parametrize("layer", [None, "counts"])
def test_depth_of_a_group_is_that_of_its_cells_alone(deep: ad.AnnData, layer: str | None, depth: str | None) -> None:
    ps.tl.aracne(deep, ["g0", "g1"], groupby="group", depth=depth, layer=layer, **QUICK)
    for place, label in enumerate("ab"):
        alone = deep[deep.obs["group"] == label].copy()
        seed = np.random.SeedSequence(QUICK["rng"]).spawn(2)[place]
        expected = run(alone, ["g0", "g1"], depth=depth, layer=layer, rng=seed)
        assert_same(ps.get.network(deep, label), expected)


def test_targets_and_masks_do_not_change_the_depth(deep: ad.AnnData) -> None:
    keep = {"correction": None, "dpi": None}
    whole = deep_run(deep, **keep).set_index(["source", "target"])[["mi", "scc"]]
    deep.var["few"] = deep.var_names.isin(["g0", "g3", "g40"])
    for given in ({"targets": ["g3", "g40"]}, {"mask_var": "few"}, {"targets": "few", "regulators": ["g1"]}):
        part = run(deep, **{"regulators": ["g0", "g1"], **keep, **given}).set_index(["source", "target"])[["mi", "scc"]]
        assert len(part) >= 3
        pairs = [tuple(pair) for pair in part.index]
        np.testing.assert_array_equal(part.to_numpy(), whole.loc[pairs].to_numpy())


@pytest.mark.parametrize("depth", ["auto", "n_counts"])
def test_storages_of_log_normalised_values_give_the_same_bytes(deep: ad.AnnData, tmp_path: Path, depth: str) -> None:
    expected = deep_run(deep, depth=depth)
    for convert in (sp.csr_matrix, sp.csc_matrix, lambda x: da.from_array(x, chunks=(70, -1))):
        assert_same(deep_run(ad.AnnData(convert(deep.X), obs=deep.obs, var=deep.var), depth=depth), expected)
    deep.write_h5ad(tmp_path / "a.h5ad")
    backed = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    ps.tl.aracne(backed, ["g0", "g1"], depth=depth, **QUICK)
    assert_same(ps.get.network(backed), expected)
    backed.file.close()


@pytest.mark.parametrize("extension", ["h5ad", "zarr"])
@pytest.mark.parametrize("depth", ["auto", "n_counts", None])
def test_parameters_hold_the_depth(deep: ad.AnnData, tmp_path: Path, depth: str | None, extension: str) -> None:
    ps.tl.aracne(deep, ["g0", "g1"], depth=depth, **QUICK)
    getattr(deep, f"write_{extension}")(tmp_path / f"a.{extension}")
    back = getattr(ad, f"read_{extension}")(tmp_path / f"a.{extension}")
    for adata in (deep, back):
        params = adata.uns["aracne"]["params"]
        assert params.get("depth") == depth
        assert ("depth" in params) is (depth is not None)
    assert_same(ps.get.network(back), ps.get.network(deep))


# --- where the depth is from ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groupby", [None, "group"])
@pytest.mark.filterwarnings("error:the sequencing")
def test_a_warning_says_once_that_the_depth_is_not_known_and_what_to_do(deep: ad.AnnData, groupby: str | None) -> None:
    deep.X = other_values(deep.layers["counts"])
    with pytest.warns(UserWarning, match=NOT_KNOWN) as told:
        ps.tl.aracne(deep, ["g0", "g1"], groupby=groupby, **QUICK)
    (message,) = (str(warning.message) for warning in told)
    assert "depth= (a column of adata.obs)" in message
    assert "depth=None" in message
    assert ("in 2 of 2 groups ('a', 'b')" in message) is (groupby is not None)
    assert deep.uns["aracne"]["params"]["depth_source"] == "unknown"
    for given in ({"depth": "n_counts"}, {"depth": None}, {"layer": "counts"}, {"estimator": "apmi"}):
        deep_run(deep, **given)  # warnings are errors


def test_the_warning_points_at_the_line_of_the_user(deep: ad.AnnData) -> None:
    deep.X = other_values(deep.layers["counts"])
    with pytest.warns(UserWarning, match=NOT_KNOWN) as told:
        deep_run(deep)
    assert told[0].filename == __file__


@pytest.mark.filterwarnings("error:the sequencing")
def test_counts_of_few_genes_are_warned_of_where_cells_differ_in_them(deep: ad.AnnData) -> None:
    few = deep[:, :40].copy()
    with pytest.warns(UserWarning, match=f"{NOT_KNOWN}.*counts of fewer than 50 genes"):
        ps.tl.aracne(few, ["g0"], layer="counts", **QUICK)
    assert few.uns["aracne"]["params"]["depth_source"] == "few genes"
    few.layers["equal"] = np.random.default_rng(0).poisson(3.0, few.shape)
    ps.tl.aracne(few, ["g0"], layer="equal", correction=None, **QUICK)  # warnings are errors
    assert few.uns["aracne"]["params"]["depth_source"] == "equal depth"


@pytest.mark.parametrize(
    ("change", "source"),
    [
        (lambda counts: counts, "counts"),
        (lambda counts: np.log2(counts + 1), "log of counts, base 2"),
        (lambda counts: counts / counts.sum(axis=1, keepdims=True), "normalised counts"),
        (lambda counts: np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4) / np.log(10),
         "log of normalised counts, base 10"),
        (lambda counts: counts * (1 - 0.05 * np.random.default_rng(0).random(counts.shape)), "sum of values"),
    ],
    ids=["counts", "log2", "normalised", "log10", "fractional"],
)  # fmt: skip
def test_no_form_of_counts_has_edges_for_depth_alone_and_params_name_it(deep: ad.AnnData, change, source: str) -> None:
    deep.X = change(deep.layers["counts"].astype(np.float64))
    ps.tl.aracne(deep, ["g0", "g1"], **QUICK)
    assert deep.uns["aracne"]["params"]["depth_source"] == source
    false = set(ps.get.network(deep)["target"]) - {f"g{i}" for i in range(7)}
    assert len(false) <= 3


@pytest.mark.parametrize(("depth", "source"), [(None, "unused"), ("n_counts", "adata.obs['n_counts']")])
def test_params_say_that_the_depth_was_given_or_not_used(deep: ad.AnnData, depth: str | None, source: str) -> None:
    ps.tl.aracne(deep, ["g0", "g1"], groupby="group", depth=depth, **QUICK)
    assert deep.uns["aracne"]["params"]["depth_source"] == source


def test_params_say_where_the_depth_of_each_group_is_from_if_they_differ(deep: ad.AnnData, tmp_path: Path) -> None:
    b = (deep.obs["group"] == "b").to_numpy()
    deep.X[b] = np.log2(deep.layers["counts"][b] + 1)
    ps.tl.aracne(deep, ["g0", "g1"], groupby="group", **QUICK)
    deep.write_h5ad(tmp_path / "deep.h5ad")
    params = ad.read_h5ad(tmp_path / "deep.h5ad").uns["aracne"]["params"]
    assert params["groups"].tolist() == ["a", "b"]
    assert params["depth_source"].tolist() == ["log of normalised counts, base e", "log of counts, base 2"]


LONG_JOB = """
import signal
import anndata, numpy, pandas, pysces, scipy.sparse

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start jobs that ignore it
x = scipy.sparse.csr_matrix(numpy.random.default_rng(0).poisson(0.1, (3000, 6000)).astype("f4"))
adata = anndata.AnnData(x, var=pandas.DataFrame(index=[f"g{i}" for i in range(6000)]))
cases = [(estimator, threads) for estimator in ("apmi", "gcmi") for threads in (1, 2)]
for estimator, threads in cases:  # compiles
    few = adata[:200, :150].copy()
    pysces.tl.aracne(few, few.var_names[:80], estimator=estimator, n_threads=threads, correction="p")
for estimator, threads in cases:
    print("started", estimator, threads, flush=True)
    try:
        pysces.tl.aracne(adata, adata.var_names[:1500], n_subnetworks=200, estimator=estimator, n_threads=threads)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", dict(adata.uns), flush=True)
"""


def test_an_interrupt_ends_a_long_job_within_seconds_and_leaves_adata_as_it_was() -> None:
    with subprocess.Popen([sys.executable, "-c", LONG_JOB], stdout=subprocess.PIPE, text=True) as job:
        emergency = threading.Timer(300, job.kill)  # ends the reading below
        emergency.start()
        try:
            for case in ("apmi 1", "apmi 2", "gcmi 1", "gcmi 2"):
                assert job.stdout.readline() == f"started {case}\n"
                time.sleep(1.5)
                sent = time.monotonic()
                job.send_signal(signal.SIGINT)
                assert job.stdout.readline() == "KeyboardInterrupt {}\n"
                assert time.monotonic() - sent < 5  # measured: at most 0.5
            assert job.wait() == 0
        finally:
            emergency.cancel()
            job.kill()
