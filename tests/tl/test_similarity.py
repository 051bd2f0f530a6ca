from __future__ import annotations

import anndata as ad
import meta_oracles as oracle
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import viper_oracles
from states import state

import pysces as ps
from pysces import _slots
from pysces.tl import _similarity as module

REGULATORS = [f"R{i}" for i in range(14)]


def cells(activity: np.ndarray | None = None, key="viper") -> ad.AnnData:
    """Cells with activities."""
    rng = np.random.default_rng(0)
    if activity is None:
        activity = rng.normal(scale=2.5, size=(30, len(REGULATORS)))
    names = [f"cell{i}" for i in range(len(activity))]
    adata = ad.AnnData(
        sp.csr_matrix(rng.poisson(1.0, (len(activity), 5)).astype(np.float32)),
        obs=pd.DataFrame({"n_counts": 1.0}, index=names),
        uns={"title": "T"},
    )
    table = pd.DataFrame(activity.astype(np.float32), index=names, columns=REGULATORS[: activity.shape[1]])
    regulons = pd.DataFrame({"source": pd.Categorical(table.columns), "n_targets": 30})
    _slots.write_activity(adata, key, {"": table}, None, regulons, _slots.params(signature="scale"))
    return adata


@pytest.fixture
def adata():
    return cells()


def scores(adata, key="viper"):
    return adata.obsm[key].to_numpy(np.float64, copy=True)


def similar(adata, **settings):
    """Similarities, leaving adata alone."""
    return ps.tl.similarity(adata, copy=True, **settings).obsp["viper_similarity"]


def test_state_sees_every_change(adata):
    before = state(adata)
    for change in (
        lambda a: a.obsp.__setitem__("viper_similarity", np.zeros((30, 30))),
        lambda a: a.uns.__setitem__("viper_similarity", {}),
        lambda a: a.uns["viper"]["params"].__setitem__("signature", "mad"),
        lambda a: a.obsm["viper"].__setitem__("R0", 1.0),
        lambda a: a.X.data.__setitem__(0, 9),
    ):
        copy = adata.copy()
        assert state(copy) == before
        change(copy)
        assert state(copy) != before


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("scheme", [{}, {"weights": (3.0, 1.0)}, {"weights": 2}, {"n_top": 6}], ids=str)
@pytest.mark.parametrize("scale", [False, True])
def test_similarities_are_float32_of_their_definition(adata, scheme, tail, scale):
    assert ps.tl.similarity(adata, tail=tail, scale=scale, **scheme) is None
    found = adata.obsp["viper_similarity"]
    assert found.dtype == np.float32
    expected = oracle.similarity(scores(adata), tail=tail, scale=scale, **scheme)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)  # float32
    np.testing.assert_array_equal(found, found.T)


def test_similarities_of_what_viper_writes():
    genes = viper_oracles.gene_names(60)
    adata = ad.AnnData(viper_oracles.cells("log").astype(np.float32), var=pd.DataFrame(index=genes))
    ps.tl.viper(adata, viper_oracles.network(genes), min_targets=1)
    ps.tl.similarity(adata, scale=True)
    expected = oracle.similarity(scores(adata), scale=True)
    np.testing.assert_allclose(adata.obsp["viper_similarity"], expected, rtol=1e-6, atol=1e-6)  # float32


def test_only_the_results_are_new(adata):
    before = state(adata)
    ps.tl.similarity(adata)
    del adata.obsp["viper_similarity"], adata.uns["viper_similarity"]
    assert state(adata) == before


def test_keys_are_as_named():
    adata = cells(key="tf")
    ps.tl.similarity(adata, key="tf")
    ps.tl.similarity(adata, key="tf", key_added="alike")
    assert set(adata.obsp) == {"tf_similarity", "alike"}
    np.testing.assert_array_equal(adata.obsp["alike"], similar(cells()))
    assert adata.uns["alike"]["params"]["key"] == "tf"


def own_params(adata):
    params = adata.uns["viper_similarity"]["params"]
    assert params["version_pysces"] == ps.__version__
    return {name: value for name, value in params.items() if not name.startswith("version_")}


def test_parameters_are_written(adata):
    ps.tl.similarity(adata, weights=2, tail="less", scale=True)
    assert own_params(adata) == {"key": "viper", "weights": 2, "tail": "less", "scale": True}
    ps.tl.similarity(adata, n_top=6)
    assert own_params(adata) == {"key": "viper", "n_top": 6, "tail": "two-sided", "scale": False}


def test_written_parameters_run_again(adata):
    ps.tl.similarity(adata, weights=(3.0, 1.0))
    assert state(similar(adata, **own_params(adata))) == state(adata.obsp["viper_similarity"])


def test_copy_leaves_adata_alone_and_has_what_would_be_written(adata):
    before = state(adata)
    copy = ps.tl.similarity(adata, copy=True)
    assert state(adata) == before
    ps.tl.similarity(adata)
    assert state(copy) == state(adata)


def test_threads_change_no_byte():
    adata = cells(np.random.default_rng(1).normal(size=(1100, 14)))
    assert state(similar(adata, n_threads=2)) == state(similar(adata, n_threads=1)) == state(similar(adata))


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_results_survive_a_file(adata, tmp_path, suffix):
    ps.tl.similarity(adata, scale=True)
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    assert state(read.obsp["viper_similarity"]) == state(adata.obsp["viper_similarity"])
    found, params = own_params(read), own_params(adata)
    assert found.keys() == params.keys()
    assert found.pop("weights").tolist() == params.pop("weights").tolist() == [4.0, 2.0]
    assert found == params
    assert state(similar(read, **own_params(read))) == state(adata.obsp["viper_similarity"])


def test_backed_data_are_compared_as_in_memory(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    ps.tl.similarity(backed)
    assert backed.isbacked
    assert state(backed.obsp["viper_similarity"]) == state(similar(adata))
    with pytest.raises(ValueError, match="copy=True would read the whole backed file"):
        ps.tl.similarity(backed, copy=True)


@pytest.mark.filterwarnings("ignore::anndata.ImplicitModificationWarning")
def test_a_view_becomes_data_of_its_own(adata):
    before, part = state(adata), adata[5:25]
    ps.tl.similarity(part)
    assert state(part.obsp["viper_similarity"]) == state(similar(cells(scores(adata)[5:25])))
    assert state(adata) == before


# --- missing activities -----------------------------------------------------------------------------------------------


def test_only_regulators_that_all_cells_have_count(adata):
    partial = scores(adata)
    partial[:10, 2] = partial[10:, 5] = np.nan
    kept = np.delete(scores(adata), [2, 5], axis=1)
    assert state(similar(cells(partial))) == state(similar(cells(kept)))


def test_cells_without_activities_are_nan_and_warned_of_at_the_line_of_the_user(adata):
    partial = scores(adata)
    partial[[4, 9]] = np.nan
    with pytest.warns(UserWarning, match="2 cells have no activities, or none to be compared by.*NaN") as record:
        found = ps.tl.similarity(cells(partial), copy=True).obsp["viper_similarity"]
    assert record[0].filename == __file__
    rest = np.delete(np.arange(30), [4, 9])
    np.testing.assert_allclose(found[np.ix_(rest, rest)], oracle.similarity(scores(adata)[rest]), rtol=1e-6, atol=1e-6)
    assert np.isnan(found).sum() == 30**2 - 28**2


def test_cells_without_active_regulators_are_nan_and_warned_of(adata):
    inactive = scores(adata)
    inactive[7] = -np.abs(inactive[7])
    with pytest.warns(UserWarning, match="1 cells have no activities"):
        found = similar(cells(inactive), tail="greater")
    assert np.flatnonzero(np.isnan(found).all(axis=1)).tolist() == [7]
    similar(cells(inactive), tail="less")  # no warning, which would be an error


# --- errors -----------------------------------------------------------------------------------------------------------


def disjoint(adata):
    adata.obsm["viper"].iloc[:10, 1:] = np.nan
    adata.obsm["viper"].iloc[10:, 3:] = np.nan


def drop_activities(adata):
    del adata.obsm["viper"]


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("spoil", "options", "error", "match"),
    [
        (drop_activities, {}, KeyError, r"adata.obsm\['viper'\] holds no activities .*run pysces.tl.viper"),
        (nothing, {"key": "title"}, KeyError, r"adata.obsm\['title'\] holds no activities"),
        (nothing, {"key_added": "viper"}, ValueError, "key_added is 'viper', where the activities are"),
        (nothing, {"weights": (2, 4)}, ValueError, r"weights is \(2, 4\); give a pair"),
        (nothing, {"weights": "NES"}, ValueError, "weights is 'NES'; give a pair"),
        (
            nothing,
            {"weights": 1, "n_top": 3},
            ValueError,
            "weights=1 has no meaning with n_top=3; leave one of them out",
        ),
        (nothing, {"n_top": 15}, ValueError, "n_top is 15, but cells are compared by 14 regulators"),
        (nothing, {"tail": "up"}, ValueError, "tail is 'up'; choose one of"),
        (nothing, {"scale": "yes"}, ValueError, "scale is 'yes'; give True or False"),
        (nothing, {"n_threads": -1}, ValueError, "n_threads is -1"),
        (disjoint, {}, ValueError, "compared by 1 regulators, but ranks need at least 2 that all cells have"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, spoil, options, error, match):
    spoil(adata)
    adata.obsp["viper_similarity"] = np.ones((30, 30))
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.tl.similarity(adata, **options)
    assert state(adata) == before


def test_more_cells_than_a_matrix_can_hold_are_refused(adata, monkeypatch):
    before = state(adata)
    monkeypatch.setattr(module, "MOST_CELLS", 29)
    with pytest.raises(ValueError, match=r"30 x 30 cells takes 0 GB; at most 29 cells .*pysces.pp.metacells"):
        ps.tl.similarity(adata)
    assert state(adata) == before
    monkeypatch.setattr(module, "MOST_CELLS", 30)
    ps.tl.similarity(adata)


def test_the_limit_is_10_gigabytes():
    assert module.MOST_CELLS**2 * np.dtype(np.float32).itemsize == 10e9
