"""tl.aracne on AnnData: slots, groups, storages, bad input."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import pysces as ps

if TYPE_CHECKING:
    from pathlib import Path

N_CELLS, N_GENES = 240, 24
REGULATORS = ["g0", "g1", "g2"]
QUICK = {"n_subnetworks": 3, "rng": 1}


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


def test_network_and_parameters_are_written_to_uns(adata: ad.AnnData) -> None:
    assert ps.tl.aracne(adata, REGULATORS, **QUICK) is None
    assert list(adata.uns) == ["aracne"]
    network, params = adata.uns["aracne"]["network"], adata.uns["aracne"]["params"]
    found = set(zip(network["source"], network["target"], strict=True))
    assert {(f"g{r}", f"g{t}") for r in range(3) for t in range(3 + 5 * r, 8 + 5 * r)} <= found
    assert params["n_subnetworks"] == 3
    assert params["rng"] == 1
    assert params["regulators"].tolist() == REGULATORS
    assert all(isinstance(value, str | int | float | bool | np.ndarray) for value in params.values())
    assert "groupby" not in params


def test_groups_are_values_in_one_table_and_small_groups_are_skipped(adata: ad.AnnData) -> None:
    with pytest.warns(UserWarning, match=r"1 groups .* fewer than min_cells=30 .*'rare'"):
        ps.tl.aracne(adata, REGULATORS, groupby="cell_type", **QUICK)
    network = ps.get.network(adata)
    assert network.columns[0] == "group"
    assert network["group"].cat.categories.tolist() == ["B", "CD4+/CD25 T Reg"]
    assert network["group"].is_monotonic_increasing
    assert adata.uns["aracne"]["params"]["groups_skipped"].tolist() == ["rare"]


@pytest.mark.parametrize("label", ["B", "CD4+/CD25 T Reg"])
def test_stratified_equals_separate(adata: ad.AnnData, label: str) -> None:
    with pytest.warns(UserWarning, match="min_cells"):
        ps.tl.aracne(adata, REGULATORS, groupby="cell_type", **QUICK)
    place = adata.obs["cell_type"].cat.categories.get_loc(label)
    by_hand = adata[adata.obs["cell_type"] == label].copy()
    ps.tl.aracne(by_hand, REGULATORS, n_subnetworks=3, rng=np.random.SeedSequence(1).spawn(3)[place])
    pd.testing.assert_frame_equal(ps.get.network(adata, label), ps.get.network(by_hand), check_exact=True)


def test_a_group_alone_is_the_group_among_all(adata: ad.AnnData) -> None:
    with pytest.warns(UserWarning, match="min_cells"):
        ps.tl.aracne(adata, REGULATORS, groupby="cell_type", **QUICK)
    ps.tl.aracne(adata, REGULATORS, groupby="cell_type", groups=["CD4+/CD25 T Reg"], key_added="one", **QUICK)
    one = ps.get.network(adata, "CD4+/CD25 T Reg", key="one")
    pd.testing.assert_frame_equal(one, ps.get.network(adata, "CD4+/CD25 T Reg"), check_exact=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint16])
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
def test_every_storage_gives_the_same_bytes(adata: ad.AnnData, convert, dtype) -> None:
    ps.tl.aracne(adata, REGULATORS, **QUICK)
    other = ad.AnnData(convert(adata.X.toarray().astype(dtype)), obs=adata.obs, var=adata.var)
    ps.tl.aracne(other, REGULATORS, **QUICK)
    pd.testing.assert_frame_equal(ps.get.network(other), ps.get.network(adata), check_exact=True)


@pytest.mark.parametrize("sparse", [True, False])
def test_backed_equals_memory(adata: ad.AnnData, tmp_path: Path, *, sparse: bool) -> None:
    if not sparse:
        adata.X = adata.X.toarray()
    adata.write_h5ad(tmp_path / "a.h5ad")
    backed = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    with pytest.warns(UserWarning, match="min_cells"):
        ps.tl.aracne(backed, REGULATORS, groupby="cell_type", **QUICK)
    with pytest.warns(UserWarning, match="min_cells"):
        ps.tl.aracne(adata, REGULATORS, groupby="cell_type", **QUICK)
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


def test_copy_leaves_the_original_alone(adata: ad.AnnData) -> None:
    before = content(adata)
    result = ps.tl.aracne(adata, REGULATORS, copy=True, **QUICK)
    assert "aracne" in result.uns
    assert content(adata) == before


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_never_change_the_result(adata: ad.AnnData, threads: int) -> None:
    ps.tl.aracne(adata, REGULATORS, **QUICK)
    ps.tl.aracne(adata, REGULATORS, n_threads=threads, key_added="other", **QUICK)
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


def test_layer_raw_and_mask_choose_what_is_used(adata: ad.AnnData) -> None:
    ps.tl.aracne(adata, REGULATORS, **QUICK)
    other = adata.copy()
    other.layers["counts"] = other.X
    other.raw = other
    other.X = sp.csr_matrix(np.ones((N_CELLS, N_GENES), np.float32))
    ps.tl.aracne(other, REGULATORS, layer="counts", key_added="layer", **QUICK)
    ps.tl.aracne(other, REGULATORS, use_raw=True, key_added="raw", **QUICK)
    for key in ("layer", "raw"):
        pd.testing.assert_frame_equal(ps.get.network(other, key=key), ps.get.network(adata), check_exact=True)
    other.var["allowed"] = other.var_names.isin(["g3", "g8", "g9"])
    ps.tl.aracne(other, REGULATORS, layer="counts", mask_var="allowed", **QUICK)
    assert set(ps.get.network(other)["target"]) == {"g3", "g8", "g9"}


def test_some_absent_regulators_are_warned_of_once(adata: ad.AnnData) -> None:
    with pytest.warns(UserWarning, match="2 of 5") as caught:
        ps.tl.aracne(adata, [*REGULATORS, "x1", "x2"], groupby="cell_type", groups=["B", "CD4+/CD25 T Reg"], **QUICK)
    assert [str(w.message).split(":")[0] for w in caught] == ["2 of 5 regulators are not among the 24 genes"]
    assert caught[0].filename == __file__


def test_an_empty_network_is_warned_of_and_stored(adata: ad.AnnData) -> None:
    with pytest.warns(UserWarning, match="no edge is significant"):
        ps.tl.aracne(adata, REGULATORS, mask_var=(adata.var_names == "g23"), **QUICK)
    assert len(ps.get.network(adata)) == 0
    with pytest.raises(ValueError, match="network has no edges"):
        ps.tl.viper(adata)


@pytest.mark.parametrize("extension", ["h5ad", "zarr"])
@pytest.mark.parametrize("grouped", [True, False])
def test_results_survive_a_round_trip(adata: ad.AnnData, tmp_path: Path, extension: str, *, grouped: bool) -> None:
    groups = {"groupby": "cell_type", "groups": ["B", "CD4+/CD25 T Reg"]} if grouped else {}
    ps.tl.aracne(adata, REGULATORS, **groups, **QUICK)
    path = tmp_path / f"a.{extension}"
    getattr(adata, f"write_{extension}")(path)
    back = getattr(ad, f"read_{extension}")(path)
    pd.testing.assert_frame_equal(ps.get.network(back), ps.get.network(adata), check_exact=True)
    before, after = adata.uns["aracne"]["params"], back.uns["aracne"]["params"]
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def set_value(value: float):
    def change(adata: ad.AnnData) -> dict[str, object]:
        adata.X = adata.X.toarray()
        adata.X[7, 5] = value
        return {}

    return change


def duplicate(adata: ad.AnnData) -> dict[str, object]:
    adata.var_names = ["g0", "g0", *adata.var_names[2:]]
    return {}


def numbers_as_labels(adata: ad.AnnData) -> dict[str, object]:
    adata.obs["leiden"] = np.arange(N_CELLS) % 2
    return {"groupby": "leiden"}


BAD = {
    "nan": (set_value(np.nan), ValueError, r"1 missing \(NaN\) and 0 infinite values, the first at row 7, column 5"),
    "inf": (set_value(np.inf), ValueError, r"0 missing \(NaN\) and 1 infinite values"),
    "negative": (set_value(-2.5), ValueError, r"negative values \(such as -2.5\)"),
    "duplicated genes": (duplicate, ValueError, "var_names holds duplicates: 'g0'.*var_names_make_unique"),
    "all regulators absent": ({"regulators": ["X", "Y"]}, ValueError, r"none of the 2 regulators .* same alphabet"),
    "no regulators": ({"regulators": []}, ValueError, "at least one entry"),
    "unknown list": ({"regulators": "fly_tfs"}, ValueError, "neither a boolean column"),
    "regulators of wrong type": ({"regulators": [1.5]}, TypeError, "names, positions or a mask"),
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
    "bad number": ({"n_subnetworks": 0}, ValueError, "n_subnetworks is 0"),
    "bad share": ({"alpha": 1.5}, ValueError, "alpha is 1.5"),
    "bad threads": ({"n_threads": -1}, ValueError, "n_threads is -1"),
    "bad seed": ({"rng": "x"}, ValueError, "rng is 'x'"),
}


@pytest.mark.parametrize(("problem", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input_says_what_to_do_and_changes_nothing(adata: ad.AnnData, problem, error, message) -> None:
    arguments = problem(adata) if callable(problem) else problem
    before = content(adata)
    with pytest.raises(error, match=message):
        ps.tl.aracne(adata, **{"regulators": REGULATORS, **QUICK, **arguments})
    assert content(adata) == before


def test_one_cell_and_constant_genes(adata: ad.AnnData) -> None:
    with pytest.raises(ValueError, match="X has 1 cell; a network needs at least 10"):
        ps.tl.aracne(adata[:1].copy(), REGULATORS)
    x = adata.X.toarray()
    x[:, [0, 5]] = 1
    adata.X = x
    ps.tl.aracne(adata, REGULATORS, **QUICK)
    network = ps.get.network(adata)
    assert not {"g0", "g5"} & {*network["source"], *network["target"]}
    with pytest.raises(ValueError, match=r"every regulator \(1\) is constant"):
        ps.tl.aracne(adata, ["g0"])


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
