"""p-values of activities (:func:`pysces.get.pvalues`)."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import viper_oracles as oracle
from scipy.stats import false_discovery_control, norm, t

import pysces as ps
from pysces._enrich.calibration import log_pvalues

pytestmark = pytest.mark.filterwarnings("ignore:X holds counts")

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


def test_conventional_pvalues_if_asked_for_are_those_of_a_normal_under_the_names_of_the_activities(adata):
    ps.tl.viper(adata, NETWORK, min_targets=1, key_added="activity")
    found = ps.get.pvalues(adata, key="activity", calibrated=False)
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


def test_pvalues_are_those_of_the_null_of_each_regulon(adata):
    ps.tl.viper(adata, NETWORK, min_targets=1)
    regulons = adata.uns["viper"]["regulons"].set_index("source")
    nes = adata.obsm["viper"].to_numpy(np.float64)
    expected = np.exp(log_pvalues(nes, regulons.loc[adata.obsm["viper"].columns, SPREADS].to_numpy()))
    np.testing.assert_allclose(ps.get.pvalues(adata), expected, rtol=1e-12)


def test_pvalues_of_groups_are_those_of_their_own_regulons(adata):
    ps.tl.viper(adata, grouped(), groupby="cell_type", min_targets=1)
    found = ps.get.pvalues(adata)
    assert found.isna().equals(adata.obsm["viper"].isna())
    for label in (TREG, "B"):
        own = adata[adata.obs["cell_type"] == label].copy()
        ps.tl.viper(own, grouped().query("group == @label").drop(columns="group"), min_targets=1)
        expected = ps.get.pvalues(own)
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
    pd.testing.assert_frame_equal(ps.get.pvalues(back), ps.get.pvalues(adata), check_names=False)


@pytest.mark.parametrize(("n_null", "distribution"), [(10, t(9)), (500, norm)])
def test_pvalues_of_scores_among_null_signatures_are_those_of_t_if_these_are_few(adata, n_null, distribution):
    ps.tl.viper(adata, NETWORK, min_targets=1, n_null=n_null, reference="all")
    expected = 2 * distribution.sf(np.abs(adata.obsm["viper"].astype(np.float64)))
    np.testing.assert_allclose(ps.get.pvalues(adata), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"pleiotropy": True}, r"made with pleiotropy.*score again without it"),
        ({"n_bootstraps": 2}, r"made with n_bootstraps=2.*score again without them"),
        ({"network": {"a": NETWORK, "b": NETWORK}}, r"made with several networks.*score again with one network"),
        ({"signature": "none"}, r"many genes have the same value.*score again with another signature, such as 'scale'"),
    ],
)
def test_pvalues_that_do_not_hold_are_refused_unless_asked_for(adata, settings, match):
    adata.X = np.rint(adata.X)
    ps.tl.viper(adata, **{"network": NETWORK, "min_targets": 1} | settings)
    assert ps.get.pvalues(adata, calibrated=False).shape == (40, 8)
    with pytest.raises(ValueError, match=f"{match}.*calibrated=False"):
        ps.get.pvalues(adata)


@pytest.mark.parametrize("calibrated", [False, True])
def test_scores_that_are_not_normalised_have_no_pvalues(adata, calibrated):
    ps.tl.viper(adata, NETWORK, min_targets=1, normalised=False)
    with pytest.raises(ValueError, match="holds no NES; score with normalised=True"):
        ps.get.pvalues(adata, calibrated=calibrated)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix, sp.csc_array])
def test_ready_signatures_have_pvalues_where_few_genes_are_tied(adata, storage):
    signature = np.random.default_rng(0).normal(size=adata.shape)
    signature[:, :3] = 0
    signature[5, 7] = np.nan
    adata.X = storage(signature)
    ps.tl.viper(adata, NETWORK, min_targets=1, signature="none")
    assert ps.get.pvalues(adata).notna().all(axis=None)


@pytest.mark.parametrize("modes", ["signed", "any"])
@pytest.mark.parametrize("enrichment", ["area", "narnea"])
def test_pvalues_of_random_targets_are_as_frequent_as_they_say(enrichment, modes):
    rng = np.random.default_rng(1)
    genes = oracle.gene_names(400)
    adata = ad.AnnData(rng.normal(size=(3000, 400)), var=pd.DataFrame(index=genes))
    parts = [
        pd.DataFrame({"source": f"R{i}", "target": rng.choice(genes, size, replace=False)})
        for i, size in enumerate([5, 10, 25, 50, 100] * 4)
    ]
    network = pd.concat(parts, ignore_index=True)
    signed = modes == "signed"
    network["weight"] = rng.choice([-1.0, 1.0], len(network)) if signed else rng.uniform(-1, 1, len(network))
    network["likelihood"] = 1.0 if signed else rng.uniform(0.05, 1, len(network))
    ps.tl.viper(adata, network, signature="none", enrichment=enrichment, min_targets=1, filter_genes=False)
    found = ps.get.pvalues(adata).to_numpy()
    for level, tolerance in ((0.05, 0.1), (0.01, 0.15), (0.001, 0.4)):
        assert (found <= level).mean() / level == pytest.approx(1, abs=tolerance)
    sizes = ps.get.regulons(adata)["n_targets"].to_numpy()
    for size in (5, 100):  # of 400 genes, conventional p-values of NaRnEA below 0.05 are 1.4 and 0.7 times as frequent
        assert (found[:, sizes == size] <= 0.05).mean() / 0.05 == pytest.approx(1, abs=0.2)
    if (enrichment, modes) == ("area", "any"):
        assert (ps.get.pvalues(adata, calibrated=False).to_numpy() <= 0.05).mean() < 0.2 * 0.05


def test_wrong_arguments_are_named(adata):
    with pytest.raises(KeyError, match=r"run pysces\.tl\.viper"):
        ps.get.pvalues(adata)
    ps.tl.viper(adata, NETWORK, min_targets=1)
    with pytest.raises(ValueError, match="adjust is 'bonferroni'; choose one of 'cell', 'all', None"):
        ps.get.pvalues(adata, adjust="bonferroni")
    with pytest.raises(ValueError, match="calibrated is 'yes'; give True or False"):
        ps.get.pvalues(adata, calibrated="yes")
