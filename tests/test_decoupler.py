"""Networks go to decoupler and come from it as they are."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress

import pysces as ps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import decoupler as dc

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # inside decoupler

B, MONOCYTE, NK = "CD19+ B", "CD14+ Monocyte", "CD56+ NK"


@pytest.fixture(scope="module")
def with_networks():
    adata = ps.datasets.pbmc68k()
    ps.tl.aracne(adata, "human_tfs", n_subnetworks=1)
    groups = {"groupby": "cell_type", "groups": ["Dendritic", MONOCYTE]}
    ps.tl.aracne(adata, "human_tfs", **groups, n_subnetworks=1, correction="p", alpha=1e-3, key_added="groups")
    return adata


@pytest.fixture
def adata(with_networks):
    return with_networks.copy()


def toy():
    """decoupler's own data and network, with weights in [-1, 1]."""
    adata, network = dc.ds.toy(nobs=40)
    return adata, network.assign(weight=network["weight"] / network["weight"].abs().max())


# --- our networks in decoupler ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["ulm", "viper", "zscore"])
@pytest.mark.parametrize("of", ["all cells", "a group"])
def test_methods_of_decoupler_take_our_networks(adata, method, of):
    network = ps.get.network(adata) if of == "all cells" else ps.get.network(adata, "Dendritic", key="groups")
    getattr(dc.mt, method)(adata, network, tmin=5)
    sizes = network["source"].value_counts()
    assert set(adata.obsm[f"score_{method}"]) == set(sizes.index[sizes >= 5])
    assert np.isfinite(adata.obsm[f"score_{method}"].to_numpy()).all()


def test_weights_reach_decoupler_as_they_are(adata):
    network = ps.get.network(adata)
    dc.mt.ulm(adata, network, tmin=5)
    for regulator in adata.obsm["score_ulm"].columns[:3]:
        edges = network[network["source"] == regulator].set_index("target")["weight"]
        weights = edges.astype(float).reindex(adata.var_names.astype(str), fill_value=0.0)
        for cell in (0, 350, 699):
            line = linregress(weights, adata.X[[cell]].toarray()[0])
            found = adata.obsm["score_ulm"][regulator].iloc[cell]
            np.testing.assert_allclose(found, line.slope / line.stderr, rtol=1e-3)  # float32


def test_decoupler_finds_our_regulators_where_they_belong(adata):
    dc.mt.ulm(adata, ps.get.network(adata), tmin=5)
    means = adata.obsm["score_ulm"].groupby(adata.obs["cell_type"], observed=True).mean()
    assert means["SPI1"].idxmax() in {MONOCYTE, "Dendritic"}


def test_decoupler_reads_our_activities(adata):
    ps.tl.viper(adata, min_targets=5)
    found, expected = dc.pp.get_obsm(adata, "viper"), ps.get.activity(adata)
    np.testing.assert_array_equal(found.X, expected.X)
    assert found.var_names.tolist() == expected.var_names.tolist()


# --- networks of decoupler in ours ------------------------------------------------------------------------------------


def test_viper_at_one_likelihood_is_that_of_decoupler():
    adata, network = toy()
    ps.tl.viper(adata, network, signature="none", filter_genes=False, min_targets=3)
    dc.mt.viper(adata, network, tmin=3, pleiotropy=False)
    assert (
        adata.obsm["viper"].columns.tolist()
        == adata.obsm["score_viper"].columns.tolist()
        == ["T1", "T2", "T3", "T4", "T5"]
    )
    np.testing.assert_allclose(adata.obsm["viper"], adata.obsm["score_viper"], atol=1e-5)  # float32


def test_their_network_tells_groups_apart_in_viper_and_msviper():
    adata, network = toy()
    ps.tl.viper(adata, network, filter_genes=False, min_targets=3)
    dc.mt.ulm(adata, network, tmin=3)
    ps.tl.msviper(adata, "group", "A", network=network, filter_genes=False, min_targets=3, n_permutations=0)
    ours, theirs = (adata.obsm[key].groupby(adata.obs["group"], observed=True).mean() for key in ("viper", "score_ulm"))
    nes = ps.get.msviper(adata).astype({"source": str}).set_index("source")["nes"]
    for regulator in ("T1", "T2", "T3"):  # those that differ between the groups of the toy
        assert np.sign(ours.loc["A", regulator] - ours.loc["B", regulator]) == np.sign(nes[regulator])
        assert np.sign(theirs.loc["A", regulator] - theirs.loc["B", regulator]) == np.sign(nes[regulator])


PAIRS = [("PAX5", gene) for gene in ("CD79A", "CD79B", "MS4A1", "CD74", "HLA-DRA")]
PAIRS += [("SPI1", gene) for gene in ("LYZ", "CST3", "FCER1G", "TYROBP", "CD79A")]
EDGES = pd.DataFrame(PAIRS, columns=["source", "target"])
FRAMES = {
    "collectri": EDGES.assign(
        weight=[1.0] * 9 + [-1.0], resources="HTRIdb;TRRUST", references="1;2", sign_decision="PMID"
    ),
    "dorothea": EDGES.assign(weight=[1.0, 0.5, 1 / 3, 0.25, 1.0] + [1.0] * 4 + [-0.5], confidence=list("ABCDA" * 2)),
}


@pytest.mark.parametrize("resource", list(FRAMES))
def test_resources_of_decoupler_are_networks(adata, resource):
    network = FRAMES[resource]
    before = network.copy()
    ps.tl.viper(adata, network, min_targets=5, filter_genes=False)
    pd.testing.assert_frame_equal(network, before)
    means = adata.obsm["viper"].groupby(adata.obs["cell_type"], observed=True).mean()
    assert means["PAX5"].idxmax() == B
    assert means["SPI1"].idxmax() in {MONOCYTE, "Dendritic"}
    ps.tl.msviper(adata, "cell_type", B, network=network, min_targets=5, filter_genes=False, n_permutations=0)
    assert ps.get.msviper(adata).set_index("source")["nes"]["PAX5"] > 2


def test_gene_sets_of_decoupler_are_pathways(adata):
    ps.tl.viper(adata, min_targets=5)
    regulators = adata.obsm["viper"].columns
    hallmark = pd.DataFrame({"source": "HALLMARK", "target": regulators[:6]})
    progeny = hallmark.assign(source="JAK-STAT", weight=[8.0, 4.0, 2.0, 1.0, -2.0, -8.0], padj=1e-5)
    ps.tl.pathways(adata, hallmark)
    ps.tl.pathways(adata, progeny.assign(weight=progeny["weight"] / 8), key_added="progeny")
    assert adata.obsm["pathways"].columns.tolist() == ["HALLMARK"]
    assert np.isfinite(adata.obsm["progeny"]["JAK-STAT"]).all()
    with pytest.raises(ValueError, match=r"network\['weight'\] must lie in \[-1, 1\].*pysces.pp.scale_weights"):
        ps.tl.pathways(adata, progeny, key_added="as it is")
