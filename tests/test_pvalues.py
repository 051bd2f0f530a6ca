"""p-values of activities (:func:`pysces.get.pvalues`)."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import viper_oracles as oracle
from scipy.stats import false_discovery_control, norm

import pysces as ps
from pysces._enrich.calibration import log_pvalues

TREG = "CD4+/CD25 T Reg"
GENES = oracle.gene_names(60)
NETWORK = oracle.network(GENES)
SPREADS = ["null_shift", "null_spread", "null_coupling"]


@pytest.fixture
def adata():
    X = oracle.cells("log").astype(np.float32)
    obs = pd.DataFrame({"cell_type": pd.Categorical([TREG, "B"] * 20)}, index=[f"cell{i}" for i in range(40)])
    return ad.AnnData(X, obs=obs, var=pd.DataFrame(index=GENES))


def grouped():
    parts = {TREG: oracle.network(GENES, 7, seed=1), "B": oracle.network(GENES, 8, seed=2)}
    return pd.concat([part.assign(group=label) for label, part in parts.items()], ignore_index=True)


def test_conventional_pvalues_are_those_of_a_normal_under_the_names_of_the_activities(adata):
    ps.tl.viper(adata, NETWORK, min_targets=1, key_added="activity")
    found = ps.get.pvalues(adata, key="activity")
    nes = adata.obsm["activity"]
    np.testing.assert_allclose(found, 2 * norm.sf(np.abs(nes.astype(np.float64))), rtol=1e-12)
    assert found.index.equals(nes.index)
    assert found.columns.equals(nes.columns)


@pytest.mark.parametrize("calibrated", [False, True])
def test_adjusted_pvalues_are_those_of_benjamini_and_hochberg(adata, calibrated):
    ps.tl.viper(adata, NETWORK, min_targets=1)
    p = ps.get.pvalues(adata, calibrated=calibrated).to_numpy()
    by_cell = ps.get.pvalues(adata, calibrated=calibrated, adjust="cell")
    of_all = ps.get.pvalues(adata, calibrated=calibrated, adjust="all")
    np.testing.assert_allclose(by_cell, false_discovery_control(p, axis=1), rtol=1e-12)
    np.testing.assert_allclose(of_all, false_discovery_control(p.ravel()).reshape(p.shape), rtol=1e-12)


def test_calibrated_pvalues_are_those_of_the_null_of_each_regulon(adata):
    ps.tl.viper(adata, NETWORK, min_targets=1)
    regulons = adata.uns["viper"]["regulons"].set_index("source")
    nes = adata.obsm["viper"].to_numpy(np.float64)
    expected = np.exp(log_pvalues(nes, regulons.loc[adata.obsm["viper"].columns, SPREADS].to_numpy()))
    np.testing.assert_allclose(ps.get.pvalues(adata, calibrated=True), expected, rtol=1e-12)


def test_calibrated_pvalues_of_groups_are_those_of_their_own_regulons(adata):
    ps.tl.viper(adata, grouped(), groupby="cell_type", min_targets=1)
    found = ps.get.pvalues(adata, calibrated=True)
    assert found.isna().equals(adata.obsm["viper"].isna())
    for label in (TREG, "B"):
        own = adata[adata.obs["cell_type"] == label].copy()
        ps.tl.viper(own, grouped().query("group == @label").drop(columns="group"), min_targets=1)
        expected = ps.get.pvalues(own, calibrated=True)
        np.testing.assert_allclose(found.loc[own.obs_names, expected.columns], expected, rtol=0.02)


@pytest.mark.parametrize("adjust", ["cell", "all"])
def test_missing_activities_have_no_pvalue_and_count_for_nothing(adata, adjust):
    ps.tl.viper(adata, NETWORK, groupby="cell_type", groups=["B"], min_targets=1)
    found = ps.get.pvalues(adata, adjust=adjust)
    scored = (adata.obs["cell_type"] == "B").to_numpy()
    assert found[~scored].isna().all(axis=None)
    alone = adata[scored].copy()
    pd.testing.assert_frame_equal(found[scored], ps.get.pvalues(alone, adjust=adjust), rtol=1e-12)


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_pvalues_of_a_file_are_the_same(adata, suffix, tmp_path):
    ps.tl.viper(adata, grouped(), groupby="cell_type", min_targets=1)
    path = tmp_path / f"cells.{suffix}"
    adata.write_zarr(path) if suffix == "zarr" else adata.write_h5ad(path)
    back = ad.read_zarr(path) if suffix == "zarr" else ad.read_h5ad(path)
    pd.testing.assert_frame_equal(
        ps.get.pvalues(back, calibrated=True), ps.get.pvalues(adata, calibrated=True), check_names=False
    )


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"enrichment": "narnea"}, "made with enrichment='narnea'"),
        ({"normalised": False}, "made with normalised=False"),
        ({"pleiotropy": True}, "made with pleiotropy"),
        ({"n_bootstraps": 2}, "made with n_bootstraps"),
        ({"n_null": 10, "reference": "all"}, "made with n_null"),
        ({"network": {"a": NETWORK, "b": NETWORK}}, "made with several networks"),
    ],
)
def test_calibrated_pvalues_of_other_scores_are_refused(adata, settings, match):
    ps.tl.viper(adata, **{"network": NETWORK, "min_targets": 1} | settings)
    assert ps.get.pvalues(adata).shape == (40, 8)
    with pytest.raises(ValueError, match=f"{match}.*leave calibrated out".replace("=", ".")):
        ps.get.pvalues(adata, calibrated=True)


def test_wrong_arguments_are_named(adata):
    with pytest.raises(KeyError, match=r"run pysces\.tl\.viper"):
        ps.get.pvalues(adata)
    ps.tl.viper(adata, NETWORK, min_targets=1)
    with pytest.raises(ValueError, match="adjust is 'bonferroni'; choose one of 'cell', 'all', None"):
        ps.get.pvalues(adata, adjust="bonferroni")
