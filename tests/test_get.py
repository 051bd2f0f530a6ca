from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp
import viper_oracles as oracle

import pysces as ps

TREG = "CD4+/CD25 T Reg"
GENES = oracle.gene_names(60)


@pytest.fixture
def adata():
    """Cells of two types with embeddings, colours and much that is of no concern."""
    X = oracle.cells("log").astype(np.float32)
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical([TREG, "B"] * 20, categories=[TREG, "B"]), "n_counts": X.sum(axis=1)},
        index=[f"cell{i}" for i in range(40)],
    )
    return ad.AnnData(
        sp.csr_matrix(X),
        obs=obs,
        var=pd.DataFrame(index=GENES),
        obsm={"X_umap": X[:, 20:22], "X_pca": X[:, 10:15], "scores": pd.DataFrame({"a": 1.0}, index=obs.index)},
        uns={"cell_type_colors": ["#ff0000", "#0000ff"], "neighbors": {"n": 15}},
        layers={"counts": X},
    )


def networks():
    """R7 is known in the second group only, R0 has more targets there."""
    first, second = oracle.network(GENES, 7, seed=1), oracle.network(GENES, 8, seed=2)
    return {TREG: first, "B": second}


def joined(parts):
    network = pd.concat([part.assign(group=label) for label, part in parts.items()], ignore_index=True)
    return network.astype({"source": "category", "target": "category", "group": "category"})


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["aracne", "grn"])
def test_network_is_a_copy_of_what_is_stored(adata, key):
    stored = networks()["B"].astype({"source": "category", "target": "category"})
    adata.uns[key] = {"network": stored.copy()}
    found = ps.get.network(adata, key=key)
    pd.testing.assert_frame_equal(found, stored)
    found.loc[:, "weight"] = 0.0
    pd.testing.assert_frame_equal(adata.uns[key]["network"], stored)


def test_network_of_a_group_is_its_edges_alone(adata):
    parts = networks()
    adata.uns["aracne"] = {"network": joined(parts)}
    for label, part in parts.items():
        found = ps.get.network(adata, label)
        pd.testing.assert_frame_equal(found, part.astype({"source": "category", "target": "category"}))
    found = ps.get.network(adata, "B")
    found.loc[:, "weight"] = 0.0
    pd.testing.assert_frame_equal(adata.uns["aracne"]["network"], joined(parts))


def test_network_of_all_groups_names_the_group(adata):
    adata.uns["aracne"] = {"network": joined(networks())}
    pd.testing.assert_frame_equal(ps.get.network(adata), joined(networks()))


@pytest.mark.parametrize(
    ("network", "settings", "match"),
    [
        (None, {}, r"adata.uns\['aracne'\] holds no network; run pysces.tl.aracne"),
        ("one", {"key": "grn"}, r"adata.uns\['grn'\] holds no network"),
        ("one", {"key": "cell_type_colors"}, r"adata.uns\['cell_type_colors'\] holds no network"),
        ("one", {"group": "B"}, r"group='B', but adata.uns\['aracne'\] is one network of all cells"),
        ("grouped", {"group": "NK"}, r"group='NK' has no network; groups that have one: .*'B'"),
    ],
)
def test_networks_that_are_not_there_are_an_error(adata, network, settings, match):
    if network:
        adata.uns["aracne"] = {"network": networks()["B"] if network == "one" else joined(networks())}
    with pytest.raises(KeyError, match=match):
        ps.get.network(adata, **settings)


# --- activities -------------------------------------------------------------------------------------------------------


def test_activity_carries_over_what_scanpy_needs(adata):
    ps.tl.viper(adata, networks()["B"], min_targets=1)
    found = ps.get.activity(adata)
    assert found.X.dtype == np.float32
    np.testing.assert_array_equal(found.X, adata.obsm["viper"])
    assert found.var_names.tolist() == adata.obsm["viper"].columns.tolist()
    pd.testing.assert_frame_equal(found.obs, adata.obs)
    assert set(found.obsm) == {"X_umap", "X_pca"}
    np.testing.assert_array_equal(found.obsm["X_umap"], adata.obsm["X_umap"])
    assert dict(found.uns) == {"cell_type_colors": ["#ff0000", "#0000ff"]}
    assert not found.layers


def test_activity_shares_nothing_with_adata(adata):
    ps.tl.viper(adata, networks()["B"], min_targets=1)
    before = adata.copy()
    found = ps.get.activity(adata)
    found.X[:] = 0
    found.obs["cell_type"] = "none"
    found.obsm["X_umap"][:] = 0
    found.uns["cell_type_colors"][0] = "#000000"
    np.testing.assert_array_equal(adata.obsm["viper"], before.obsm["viper"])
    pd.testing.assert_frame_equal(adata.obs, before.obs)
    np.testing.assert_array_equal(adata.obsm["X_umap"], before.obsm["X_umap"])
    assert list(adata.uns["cell_type_colors"]) == ["#ff0000", "#0000ff"]


def test_activity_tells_the_number_of_targets(adata):
    network = networks()["B"]
    ps.tl.viper(adata, network, min_targets=5, key_added="tf")
    var = ps.get.activity(adata, key="tf").var
    sizes = network["source"].value_counts()
    assert var.columns.tolist() == ["n_targets"]
    assert var["n_targets"].dtype == np.int64
    assert var["n_targets"].to_dict() == sizes[sizes >= 5].to_dict()


def test_activity_of_groups_tells_how_many_have_the_regulon(adata):
    parts = networks()
    ps.tl.viper(adata, joined(parts), groupby="cell_type", min_targets=1)
    found = ps.get.activity(adata)
    x = pd.DataFrame(np.asarray(adata.X.todense() if hasattr(adata.X, "todense") else adata.X), columns=adata.var_names)
    of_type = x.groupby(adata.obs["cell_type"].to_numpy())
    varying = of_type.max() > of_type.min()
    sizes = pd.DataFrame(
        {label: part["source"][part["target"].map(varying.loc[label])].value_counts() for label, part in parts.items()}
    )
    assert (sizes[TREG] != sizes["B"]).sum() > 1
    assert found.var.columns.tolist() == ["n_targets", "n_groups"]
    assert found.var["n_targets"].to_dict() == sizes.max(axis=1).to_dict()
    assert found.var["n_groups"].to_dict() == sizes.notna().sum(axis=1).to_dict()
    assert np.isnan(found[found.obs["cell_type"] == TREG, "R7"].X).all()
    assert np.isfinite(found[found.obs["cell_type"] == "B"].X).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # scanpy on pandas 3.1
@pytest.mark.filterwarnings("ignore:invalid value encountered in log2")  # scanpy: fold changes of negative scores
def test_scanpy_works_on_activities(adata):
    ps.tl.viper(adata, networks()["B"], min_targets=1)
    found = ps.get.activity(adata)
    sc.tl.rank_genes_groups(found, "cell_type", method="wilcoxon")
    assert set(sc.get.rank_genes_groups_df(found, TREG)["names"]) == set(found.var_names)
    sc.pp.pca(found, n_comps=3)
    assert found.obsm["X_pca"].shape == (40, 3)


@pytest.mark.parametrize("where", ["nowhere", "obsm only", "uns only"])
def test_activities_that_are_not_there_are_an_error(adata, where):
    if where != "nowhere":
        ps.tl.viper(adata, networks()["B"], min_targets=1)
        del (adata.uns if where == "obsm only" else adata.obsm)["viper"]
    lacks = r"adata.obsm\['viper'\] holds no activities \(obsm has: 'X_umap', 'X_pca'"
    if where == "obsm only":
        lacks = r"adata.uns\['viper'\] is missing"
    with pytest.raises(KeyError, match=lacks):
        ps.get.activity(adata)


def test_other_embeddings_are_no_activities(adata):
    with pytest.raises(
        KeyError, match=r"adata.uns\['X_pca'\] is missing or lacks the regulons of adata.obsm\['X_pca'\]"
    ):
        ps.get.activity(adata, key="X_pca")


@pytest.mark.parametrize(("options", "field"), [({"n_bootstraps": 3}, "sd"), ({"enrichment": "narnea"}, "pes")])
def test_activity_has_what_was_stored_beside_the_scores_as_the_file_has(adata, tmp_path, options, field):
    ps.tl.viper(adata, networks()["B"], min_targets=1, **options)
    found = ps.get.activity(adata)
    assert set(found.layers) - {None} == {field}
    np.testing.assert_array_equal(found.layers[field], adata.obsm[f"viper_{field}"])
    ps.tl.viper(adata, networks()["B"], min_targets=1, out=tmp_path / "act.h5ad", **options)
    written = ad.read_h5ad(tmp_path / "act.h5ad")
    assert set(written.layers) - {None} == {field}
    np.testing.assert_array_equal(found.layers[field], written.layers[field])
    before = found.layers[field].copy()
    ps.tl.viper(adata, networks()["B"], min_targets=1, **options)
    ps.get.activity(adata).layers[field][:] = 0
    np.testing.assert_array_equal(adata.obsm[f"viper_{field}"], before)


# --- other tables -----------------------------------------------------------------------------------------------------


def test_regulons_are_a_copy_of_what_is_stored(adata):
    ps.tl.viper(adata, joined(networks()), groupby="cell_type", min_targets=1, key_added="tf")
    stored = adata.uns["tf"]["regulons"].copy()
    found = ps.get.regulons(adata, key="tf")
    pd.testing.assert_frame_equal(found, stored)
    found["n_targets"] = 0
    pd.testing.assert_frame_equal(adata.uns["tf"]["regulons"], stored)
    with pytest.raises(KeyError, match=r"adata.uns\['viper'\] holds no regulons; run pysces.tl.viper"):
        ps.get.regulons(adata)


def test_every_table_of_a_contrast_is_read(adata):
    everything = {"n_permutations": 0, "min_targets": 1, "shadow": 0.5, "combinations": 0.9}
    ps.tl.msviper(adata, "cell_type", "B", network=networks()["B"], **everything)
    stored = adata.uns["msviper"]
    assert stored.keys() - {"params"} == {"results", "leading_edge", "signature", "shadow", "combinations"}
    for name in stored.keys() - {"params"}:
        found = ps.get.msviper(adata, name)
        pd.testing.assert_frame_equal(found, stored[name])
        assert found is not stored[name]
    pd.testing.assert_frame_equal(ps.get.msviper(adata), stored["results"])
    with pytest.raises(ValueError, match="table is 'edges'; choose one of 'results', 'leading_edge'"):
        ps.get.msviper(adata, "edges")


def test_tables_of_a_contrast_that_are_not_there_are_an_error(adata):
    with pytest.raises(KeyError, match=r"holds no results of a contrast; run pysces.tl.msviper\(adata, ...\) first"):
        ps.get.msviper(adata)
    ps.tl.msviper(adata, "cell_type", "B", network=networks()["B"], n_permutations=0, min_targets=1)
    with pytest.raises(KeyError, match=r"holds no shadow; run pysces.tl.msviper\(adata, ..., shadow=0.05\) first"):
        ps.get.msviper(adata, "shadow")


def test_both_tables_of_a_comparison_are_read(adata):
    adata.uns["aracne"] = {"network": joined(networks()), "params": {"groupby": "cell_type"}}
    ps.tl.compare_networks(adata, TREG, "B", n_permutations=0)
    for name in ("edges", "regulators"):
        pd.testing.assert_frame_equal(ps.get.comparison(adata, name), adata.uns["compare_networks"][name])
    pd.testing.assert_frame_equal(ps.get.comparison(adata), adata.uns["compare_networks"]["regulators"])
    with pytest.raises(ValueError, match="table is 'results'; choose one of 'regulators', 'edges'"):
        ps.get.comparison(adata, "results")


def test_similarities_have_the_names_of_cells(adata):
    ps.tl.viper(adata, networks()["B"], min_targets=1)
    ps.tl.similarity(adata)
    found = ps.get.similarity(adata)
    np.testing.assert_array_equal(found, adata.obsp["viper_similarity"])
    assert found.index.tolist() == found.columns.tolist() == adata.obs_names.tolist()
    before = adata.obsp["viper_similarity"].copy()
    found.iloc[:] = 0
    np.testing.assert_array_equal(adata.obsp["viper_similarity"], before)
    with pytest.raises(KeyError, match=r"adata.obsp\['tf'\] holds no similarities \(obsp has: 'viper_similarity'\)"):
        ps.get.similarity(adata, key="tf")
