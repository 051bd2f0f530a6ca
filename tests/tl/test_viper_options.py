from __future__ import annotations

import anndata as ad
import dask.array as da
import meta_oracles
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import viper_oracles as oracle
from states import state

import pysces as ps
from pysces.estimators import Pleiotropy

TREG = "CD4+/CD25 T Reg"
LABELS = [TREG, "B cell", "CD8+/CD45RA+"]
GENES = oracle.gene_names(60)
NETWORK = oracle.network(GENES)
OTHER = oracle.network(GENES, 9, seed=1).replace({"source": {"R2": "Q2"}})  # lacks R2; Q2 and R8 are its own
THIRD = oracle.network(GENES, 5, seed=2)
NETWORKS = {"blood": NETWORK, "skin/dermis": OTHER, "gut": THIRD}
OPTIONS = {
    "es": {"normalised": False},
    "adaptive": {"adaptive_size": True, "min_targets": 3},
    "weights": {"gene_weights": {"g3": 0.5, "g20": 2.0}},
    "doublerank": {"signature": "doublerank"},
    "narnea": {"enrichment": "narnea"},
    "pleiotropy": {"pleiotropy": Pleiotropy(regulators=6, min_overlap=2)},
    "bootstraps": {"n_bootstraps": 4},
    "null": {"n_null": 12, "reference": "healthy"},
    "rng": {"n_bootstraps": 4, "rng": 7},
}
options = pytest.mark.parametrize("settings", OPTIONS.values(), ids=OPTIONS)


def cells(n_cells=60, *, convert=sp.csr_matrix):
    """Log-normalised cells of three types, interleaved; no gene is in one cell only, as it is not in all samples."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(rng.permutation(np.resize(LABELS, n_cells)), categories=LABELS),
            "healthy": rng.random(n_cells) < 0.5,
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )
    X = oracle.cells("log", n_cells).astype(np.float32)
    X[:, :8] = oracle.cells("log", n_cells, seed=1)[:, 8:16]
    return ad.AnnData(convert(X), obs=obs, var=pd.DataFrame(index=GENES), obsm={"X_pca": X[:, :3]}, uns={"title": "T"})


@pytest.fixture
def adata():
    return cells()


def grouped(network, *, seed=0):
    """Another network per group."""
    parts = [network.assign(group=label, weight=np.roll(network["weight"], i + seed)) for i, label in enumerate(LABELS)]
    return pd.concat(parts, ignore_index=True).astype({"group": "category"})


def viper(adata, network=NETWORK, *, min_targets=1, **settings):
    return ps.tl.viper(adata, network, min_targets=min_targets, **settings)


def scored(adata, network=NETWORK, **settings):
    """A copy with activities, leaving adata alone."""
    return viper(adata, network, copy=True, **settings)


# --- options of one network -------------------------------------------------------------------------------------------


@options
def test_scores_and_what_comes_with_them_are_float32_tables(adata, settings):
    viper(adata, key_added="activity", **settings)
    given = dict(settings)
    if "reference" in given:
        given["reference"] = adata.obs["healthy"].to_numpy()
    model = ps.VIPER(NETWORK, **{"min_targets": 1, **given}).fit(adata.X, GENES)
    expected = model.score(adata.X)
    for name, of_model in (("activity", expected.nes), ("activity_sd", expected.sd), ("activity_pes", expected.pes)):
        assert (name in adata.obsm) == (of_model is not None)
        if of_model is not None:
            table = adata.obsm[name]
            assert table.index.equals(adata.obs_names)
            assert table.columns.tolist() == model.regulators_.tolist()
            assert (table.dtypes == np.float32).all()
            np.testing.assert_array_equal(table, of_model.astype(np.float32))
    assert "activity_network" not in adata.obs


@options
def test_groups_are_scored_as_if_each_were_alone(adata, settings):
    whole = scored(adata, groupby="cell_type", **settings)
    for label in LABELS:
        own = (adata.obs["cell_type"] == label).to_numpy()
        if "reference" in settings:
            mask = adata.obs["healthy"].to_numpy()
            alone = scored(adata, reference=mask, **{k: v for k, v in settings.items() if k != "reference"})[own]
        else:
            alone = scored(adata[own].copy(), **settings)
        for name in {"viper", "viper_sd", "viper_pes"} & set(alone.obsm):
            assert state(whole.obsm[name].loc[own, alone.obsm[name].columns]) == state(alone.obsm[name])


@pytest.mark.parametrize(("settings", "name"), [({"n_bootstraps": 4}, "_sd"), ({"enrichment": "narnea"}, "_pes")])
def test_what_comes_with_scores_is_nan_where_these_are(adata, settings, name):
    network = grouped(NETWORK)
    network = network[(network["group"] != "B cell") | (network["source"] != "R3")]
    viper(adata, network, groupby="cell_type", groups=LABELS[:2], **settings)
    nes, other = adata.obsm["viper"], adata.obsm["viper" + name]
    assert nes.isna().equals(other.isna())
    lacking = nes.isna()
    assert lacking[adata.obs["cell_type"] == LABELS[2]].all(axis=None)
    assert lacking.loc[adata.obs["cell_type"] == "B cell", "R3"].all()
    assert not lacking[adata.obs["cell_type"] == TREG].any(axis=None)


def test_missing_values_of_a_ready_signature_are_missing():
    adata = cells(convert=np.asarray)
    adata.X[3, 10:40], adata.X[8, 20] = np.nan, np.nan
    expected = oracle.viper(adata.X, GENES, NETWORK, "none")
    np.testing.assert_allclose(scored(adata, signature="none").obsm["viper"], expected, rtol=1e-6, atol=1e-6)
    sparse = adata.copy()
    sparse.X = sp.csr_matrix(adata.X)
    assert state(scored(sparse, signature="none").obsm) == state(scored(adata, signature="none").obsm)


@options
def test_backed_data_are_scored_as_in_memory(tmp_path, settings):
    adata = cells()
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    viper(backed, **settings)
    assert state(backed.obsm) == state(scored(cells(), **settings).obsm)


@options
def test_dask_arrays_are_scored_as_in_memory(settings):
    adata, lazy = cells(convert=np.asarray), cells(convert=np.asarray)
    lazy.X = da.from_array(adata.X, chunks=(17, -1))
    viper(lazy, **settings)
    assert state(lazy.obsm) == state(scored(adata, **settings).obsm)


@options
def test_threads_change_no_byte(adata, settings):
    one, two = (scored(adata, n_threads=n, groupby="cell_type", **settings).obsm for n in (1, 2))
    assert state(one) == state(two)


@pytest.mark.parametrize("settings", [{"n_bootstraps": 4}, {"n_null": 12, "reference": "all"}])
def test_the_seed_alone_decides_on_what_is_drawn(adata, settings):
    settings = {**settings, "groupby": "cell_type"}
    first = state(scored(adata, **settings).obsm["viper"])
    assert state(scored(adata, rng=0, **settings).obsm["viper"]) == first
    assert state(scored(adata, rng=np.random.SeedSequence(0), **settings).obsm["viper"]) == first
    assert state(scored(adata, rng=1, **settings).obsm["viper"]) != first
    rng = np.random.default_rng(3)
    drawn = state(scored(adata, rng=np.random.default_rng(3), **settings).obsm["viper"])
    assert state(scored(adata, rng=rng, **settings).obsm["viper"]) == drawn
    assert state(scored(adata, rng=rng, **settings).obsm["viper"]) != drawn


# --- references -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", ["scale", "rank", "doublerank"])
def test_the_rest_are_the_cells_outside_the_group(adata, signature):
    adata.obs.loc["cell7", "cell_type"] = np.nan  # without a group, but outside all
    with pytest.warns(UserWarning, match="1 cells have no label"):
        found = scored(adata, groupby="cell_type", reference="rest", signature=signature).obsm["viper"]
    for label in LABELS:
        own = (adata.obs["cell_type"] == label).to_numpy()
        expected = oracle.viper(adata.X.toarray(), GENES, NETWORK, signature, reference=~own)[own]
        np.testing.assert_allclose(found[own], expected, rtol=1e-6, atol=1e-6)  # float32
    assert found.loc["cell7"].isna().all()


def test_the_rest_are_all_other_cells_though_only_some_groups_are_scored(adata):
    whole = scored(adata, groupby="cell_type", reference="rest").obsm["viper"]
    some = scored(adata, groupby="cell_type", reference="rest", groups=["B cell"]).obsm["viper"]
    own = adata.obs["cell_type"] == "B cell"
    assert state(some[own]) == state(whole[own])
    assert some[~own].isna().all(axis=None)


@pytest.mark.parametrize("label", LABELS)
def test_a_group_may_be_the_reference_of_all(adata, label):
    mask = (adata.obs["cell_type"] == label).to_numpy()
    found = scored(adata, groupby="cell_type", reference=label).obsm["viper"]
    np.testing.assert_allclose(
        found, oracle.viper(adata.X.toarray(), GENES, NETWORK, "scale", reference=mask), rtol=1e-6, atol=1e-6
    )
    assert state(found) == state(scored(adata, reference=mask).obsm["viper"])
    of_one = scored(adata, groupby="cell_type", groups=["B cell"], reference=label).obsm["viper"]
    own = adata.obs["cell_type"] == "B cell"
    assert state(of_one[own]) == state(found[own])


def test_a_column_called_rest_is_the_reference_where_no_group_could_be(adata):
    adata.obs["rest"] = adata.obs["cell_type"] == "B cell"
    expected = state(scored(adata, reference=adata.obs["rest"].to_numpy()).obsm["viper"])
    assert state(scored(adata, reference="rest").obsm["viper"]) == expected


def test_a_column_of_no_booleans_takes_no_label_its_meaning(adata):
    expected = state(scored(adata, groupby="cell_type", reference="B cell").obsm["viper"])
    adata.obs["B cell"] = 1.0
    assert state(scored(adata, groupby="cell_type", reference="B cell").obsm["viper"]) == expected


def test_labels_that_are_text_may_be_the_reference(adata):
    expected = state(scored(adata, groupby="cell_type", reference="B cell").obsm["viper"])
    adata.obs["cell_type"] = adata.obs["cell_type"].astype(str)
    assert state(scored(adata, groupby="cell_type", reference="B cell").obsm["viper"]) == expected
    adata.obs["cell_type"] = adata.obs["cell_type"].astype("string")
    assert state(scored(adata, groupby="cell_type", reference="B cell").obsm["viper"]) == expected


def test_all_cells_are_the_reference_of_every_group(adata):
    settings = {"reference": "all", "n_null": 12}
    grouped_by, alone = scored(adata, groupby="cell_type", **settings), scored(adata, **settings)
    assert state(grouped_by.obsm["viper"]) == state(alone.obsm["viper"])


def test_each_group_is_compared_by_its_own_network_with_the_rest(adata):
    network = grouped(NETWORK)
    found = scored(adata, network, groupby="cell_type", reference="rest").obsm["viper"]
    for label in LABELS:
        own = (adata.obs["cell_type"] == label).to_numpy()
        part = network[network["group"] == label].drop(columns="group")
        assert state(found[own]) == state(scored(adata, part, reference=~own).obsm["viper"][own])


# --- several networks -------------------------------------------------------------------------------------------------


def aligned(tables) -> tuple[list[str], list[np.ndarray]]:
    """Scores of each network under the regulators of all."""
    names = sorted(set().union(*(table.columns for table in tables)))
    return names, [table.reindex(columns=names).to_numpy(np.float64) for table in tables]


def assert_scores(table, names, expected):
    assert table.columns.tolist() == names
    assert (table.dtypes == np.float32).all()
    np.testing.assert_allclose(table, expected, rtol=1e-5, atol=1e-6)  # float32


@pytest.mark.parametrize("weights", [None, 1.0, 0, 2, 10, np.float64(1.5), (1.5, 2.0), [0.5, 4]])
def test_scores_of_several_networks_are_weighted_by_their_size(adata, weights):
    viper(adata, NETWORKS, network_weights=weights)
    alone = [scored(adata, network).obsm["viper"] for network in NETWORKS.values()]
    names, scores = aligned(alone)
    given = 1.0 if weights is None else tuple(weights) if isinstance(weights, list) else weights
    assert_scores(adata.obsm["viper"], names, meta_oracles.integrate(scores, given))
    assert not {"viper_sd", "viper_pes"} & set(adata.obsm)


def test_scores_of_several_networks_may_be_summed(adata):
    viper(adata, NETWORKS, network_weights="stouffer")
    names, scores = aligned([scored(adata, network).obsm["viper"] for network in NETWORKS.values()])
    assert_scores(adata.obsm["viper"], names, meta_oracles.stouffer(scores))
    own = scored(adata, OTHER).obsm["viper"]["Q2"]  # of one network: as it is there
    np.testing.assert_array_equal(adata.obsm["viper"]["Q2"], own)


@pytest.mark.parametrize("weights", [None, "vote", "stouffer"])
def test_networks_are_weighted_by_votes_under_narnea(adata, weights):
    viper(adata, NETWORKS, enrichment="narnea", network_weights=weights)
    alone = [scored(adata, network, enrichment="narnea") for network in NETWORKS.values()]
    names, nes = aligned([a.obsm["viper"] for a in alone])
    _, pes = aligned([a.obsm["viper_pes"] for a in alone])
    votes = meta_oracles.vote(pes)
    of_weight = np.ones_like(votes) if weights == "stouffer" else votes
    expected_nes, expected_pes = meta_oracles.weighted(nes, pes, of_weight)
    assert_scores(adata.obsm["viper"], names, expected_nes)
    assert_scores(adata.obsm["viper_pes"], names, expected_pes)
    assert adata.obs["viper_network"].cat.codes.tolist() == votes.argmax(axis=1).tolist()


def test_the_widest_network_of_each_cell_is_named(adata):
    viper(adata, NETWORKS, key_added="meta")
    _, scores = aligned([scored(adata, network).obsm["viper"] for network in NETWORKS.values()])
    column = adata.obs["meta_network"]
    assert column.cat.categories.tolist() == list(NETWORKS)
    assert column.cat.codes.tolist() == meta_oracles.best_network(scores)
    assert set(column) == set(NETWORKS)


def test_regulons_name_their_network(adata):
    viper(adata, NETWORKS, min_targets=5)
    regulons = adata.uns["viper"]["regulons"]
    expected = pd.concat(network.assign(network=name) for name, network in NETWORKS.items())
    expected = expected.groupby(["network", "source"]).size()
    found = regulons.set_index(["network", "source"])["n_targets"]
    assert found.astype(int).to_dict() == expected[expected >= 5].to_dict()
    assert regulons["network"].cat.categories.tolist() == list(NETWORKS)
    assert sorted(regulons["source"].cat.categories) == adata.obsm["viper"].columns.tolist()


def test_networks_are_tables_or_keys(adata):
    expected = scored(adata, NETWORKS)
    adata.uns["mine"], adata.uns["yours"] = {"network": NETWORK}, {"network": THIRD}
    found = scored(adata, {"blood": "mine", "skin/dermis": OTHER, "gut": "yours"})
    assert state(found.obsm) == state(expected.obsm)
    assert state(found.obs) == state(expected.obs)


def test_the_order_of_networks_does_not_matter(adata):
    turned = dict(reversed(NETWORKS.items()))
    for settings in ({}, {"network_weights": "stouffer"}, {"enrichment": "narnea"}):
        one, other = scored(adata, NETWORKS, **settings), scored(adata, turned, **settings)
        np.testing.assert_allclose(one.obsm["viper"], other.obsm["viper"], rtol=1e-5, atol=1e-6)
        if "enrichment" not in settings:  # votes may tie
            assert one.obs["viper_network"].astype(str).equals(other.obs["viper_network"].astype(str))


def test_one_network_twice_is_one_network(adata):
    both, alone = scored(adata, {"a": NETWORK, "b": NETWORK}), scored(adata)
    np.testing.assert_allclose(both.obsm["viper"], alone.obsm["viper"], rtol=1e-6, atol=1e-6)
    assert (both.obs["viper_network"] == "a").all()


def test_groups_are_scored_with_their_part_of_several_networks(adata):
    networks = {"blood": grouped(NETWORK), "skin": grouped(OTHER, seed=5)}
    lacking = networks["skin"]
    networks["skin"] = lacking[lacking["group"] != LABELS[2]]
    with pytest.warns(UserWarning, match="1 groups get no scores"):
        viper(adata, networks, groupby="cell_type", groups=LABELS[1:])
    for label in LABELS[1:]:
        own = (adata.obs["cell_type"] == label).to_numpy()
        parts = {
            name: part
            for name, whole in networks.items()
            if len(part := whole[whole["group"] == label].drop(columns="group"))
        }
        names, scores = aligned([scored(adata[own].copy(), part).obsm["viper"] for part in parts.values()])
        found = adata.obsm["viper"].loc[own]
        np.testing.assert_allclose(found[names], meta_oracles.integrate(scores, 1.0), rtol=1e-5, atol=1e-6)
        assert found.drop(columns=names).isna().all(axis=None)
        best = [list(parts)[i] for i in meta_oracles.best_network(scores)]
        assert adata.obs.loc[own, "viper_network"].tolist() == best
    rest = (adata.obs["cell_type"] == TREG).to_numpy()
    assert adata.obsm["viper"][rest].isna().all(axis=None)
    assert adata.obs.loc[rest, "viper_network"].isna().all()
    regulons = adata.uns["viper"]["regulons"]
    assert {"group", "network", "source", "n_targets"} <= set(regulons.columns)
    assert (regulons["group"].dtype, regulons["network"].dtype) == ("category", "category")
    assert regulons["group"].astype(str).drop_duplicates().tolist() == LABELS[1:]


def test_cells_without_scores_have_no_network_under_narnea_either(adata):
    viper(adata, NETWORKS, groupby="cell_type", groups=["B cell"], enrichment="narnea")
    assert adata.obs["viper_network"].isna().equals(adata.obs["cell_type"] != "B cell")


@pytest.mark.parametrize("settings", [{"pleiotropy": True}, {"n_null": 12, "reference": "all"}, {"normalised": False}])
def test_other_options_go_with_several_networks(adata, settings):
    viper(adata, NETWORKS, **settings)
    names, scores = aligned([scored(adata, network, **settings).obsm["viper"] for network in NETWORKS.values()])
    assert_scores(adata.obsm["viper"], names, meta_oracles.integrate(scores, 1.0))


# --- what is written --------------------------------------------------------------------------------------------------


def test_what_another_run_left_goes(adata):
    adata.obsm["other_sd"] = adata.obsm["X_pca"]
    expected = {name: state(scored(adata, **settings)) for name, settings in OPTIONS.items()}
    several = state(scored(adata, NETWORKS, enrichment="narnea"))
    for name, settings in OPTIONS.items():
        viper(adata, NETWORKS, enrichment="narnea")
        assert state(adata) == several
        viper(adata, n_bootstraps=3)
        assert not {"viper_pes"} & set(adata.obsm)
        assert "viper_network" not in adata.obs
        viper(adata, **settings)
        assert state(adata) == expected[name]


def test_results_under_other_keys_stay(adata):
    viper(adata, key_added="first", n_bootstraps=3)
    viper(adata, NETWORKS, key_added="second", enrichment="narnea")
    before = {key: state(adata.obsm[key]) for key in ("first", "first_sd", "second", "second_pes")}
    viper(adata)
    assert {key: state(adata.obsm[key]) for key in before} == before
    assert "second_network" in adata.obs


@options
def test_copy_leaves_adata_alone_and_has_what_would_be_written(adata, settings):
    before = state(adata)
    copy = viper(adata, copy=True, **settings)
    assert state(adata) == before
    viper(adata, **settings)
    assert state(copy) == state(adata)


def test_only_the_results_are_new(adata):
    before = state(adata)
    viper(adata, NETWORKS, enrichment="narnea", groupby="cell_type")
    del adata.obsm["viper"], adata.obsm["viper_pes"], adata.uns["viper"], adata.obs["viper_network"]
    assert state(adata) == before


FILES = {
    "bootstraps": (NETWORK, {"n_bootstraps": 3, "rng": 5, "gene_weights": {"g3": 2.0}}),
    "networks": (NETWORKS, {"network_weights": (1.0, 2.0), "pleiotropy": Pleiotropy(5, 3)}),
    "narnea of networks and groups": (
        {name: grouped(network) for name, network in NETWORKS.items()},
        {"enrichment": "narnea", "groupby": "cell_type", "groups": LABELS[:2], "reference": "rest"},
    ),
}


@pytest.mark.parametrize(
    ("kind", "suffix"), [*((kind, "h5ad") for kind in FILES), ("bootstraps", "zarr"), (list(FILES)[-1], "zarr")]
)
def test_results_survive_a_file(adata, tmp_path, suffix, kind):
    network, settings = FILES[kind]
    viper(adata, network, **settings)
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    assert set(read.obsm) == set(adata.obsm)
    for name in set(adata.obsm) - {"X_pca"}:
        assert read.obsm[name].columns.equals(adata.obsm[name].columns)
        assert state(read.obsm[name]) == state(adata.obsm[name])
    assert ("viper_network" in read.obs) == isinstance(network, dict)
    if isinstance(network, dict):
        column = read.obs["viper_network"]
        assert column.cat.categories.tolist() == list(NETWORKS)
        assert column.cat.codes.tolist() == adata.obs["viper_network"].cat.codes.tolist()
    found, regulons = read.uns["viper"]["regulons"], adata.uns["viper"]["regulons"]
    assert found.columns.tolist() == regulons.columns.tolist()
    for name in regulons:
        assert found[name].dtype.kind == regulons[name].dtype.kind
        assert found[name].astype(str).tolist() == regulons[name].astype(str).tolist()
    params = adata.uns["viper"]["params"]
    assert read.uns["viper"]["params"].keys() == params.keys()
    for name, value in params.items():
        np.testing.assert_array_equal(read.uns["viper"]["params"][name], value)


def params_of(adata, network=NETWORK, **settings):
    return scored(adata, network, **settings).uns["viper"]["params"]


def test_parameters_are_written(adata):
    params = params_of(
        adata, adaptive_size=True, n_bootstraps=3, rng=11, filter_genes=False, reference="healthy", groupby="cell_type"
    )
    expected = {
        "signature": "scale", "enrichment": "area", "filter_genes": False, "min_targets": 1, "use_raw": False,
        "adaptive_size": True, "normalised": True, "pleiotropy": False, "n_bootstraps": 3, "n_null": 0, "rng": 11,
        "reference": "healthy", "groupby": "cell_type",
    }  # fmt: skip
    assert {name: params[name] for name in expected} == expected
    assert params_of(adata, pleiotropy=True)["pleiotropy"] is True
    assert params_of(adata, normalised=False)["normalised"] is False
    assert params_of(adata, enrichment="narnea")["enrichment"] == "narnea"
    assert params_of(adata, n_null=12, reference="all")["n_null"] == 12
    assert params_of(adata, rng=np.int64(11))["rng"] == 11


def test_parameters_of_several_networks_are_written(adata):
    adata.uns["mine"] = {"network": OTHER}
    params = params_of(adata, {"blood": NETWORK, "skin": "mine"})
    assert params["networks"].tolist() == ["blood", "skin"]
    assert params["network_weights"] == 1.0
    assert "network" not in params
    assert params_of(adata, NETWORKS, network_weights=(1, 2))["network_weights"].tolist() == [1, 2]
    assert params_of(adata, NETWORKS, network_weights="stouffer")["network_weights"] == "stouffer"
    assert params_of(adata, NETWORKS, enrichment="narnea")["network_weights"] == "vote"
    assert not {"networks", "network_weights"} & set(params_of(adata))


def test_activities_of_every_kind_become_data_of_their_own(adata):
    for network, settings in FILES.values():
        found = ps.get.activity(scored(adata, network, **settings))
        assert found.shape[0] == 60
        assert found.obs_names.equals(adata.obs_names)


# --- errors -----------------------------------------------------------------------------------------------------------


def spoil_nan(adata):
    X = adata.X.toarray()
    X[21, 33] = np.nan
    adata.X = sp.csr_matrix(X)


def called(label):
    """Rename a group."""

    def spoil(adata):
        adata.obs["cell_type"] = adata.obs["cell_type"].cat.rename_categories({"B cell": label})

    return spoil


def with_column(name):
    """A boolean column of that name."""
    return lambda adata: adata.obs.insert(0, name, adata.obs["cell_type"] == "B cell")


def nothing(_):
    pass


WEIGHTED = {"network": NETWORKS, "network_weights": 1.0}


@pytest.mark.parametrize(
    ("spoil", "settings", "error", "match"),
    [
        (nothing, {"network": {}}, ValueError, r"network has the names none; give at least 2 networks, named by text"),
        (nothing, {"network": {"a": NETWORK}}, ValueError, r"network has the names 'a'; give at least 2"),
        (nothing, {"network": {"a": NETWORK, "": OTHER}}, ValueError, r"network has the names 'a', ''"),
        (nothing, {"network": {"a": NETWORK, 1: OTHER}}, ValueError, r"network has the names 'a', 1"),
        (nothing, {"network": {"a": NETWORK, "b": "aracne"}}, KeyError, r"adata.uns\['aracne'\] holds no network"),
        (nothing, {"network": {"a": NETWORK, "b": [1]}}, TypeError, "network is list; give a DataFrame"),
        (nothing, {"network": {"a": NETWORK, "b": OTHER[:0]}}, ValueError, "network has no edges"),
        (nothing, {"network": {"a": NETWORK, "b": grouped(OTHER)}}, ValueError, "network has one part per group"),
        (nothing, {"network": NETWORKS, "min_targets": 15}, ValueError, "no regulator has min_targets=15 targets"),
        (nothing, {"network": NETWORKS, "n_bootstraps": 3}, ValueError, "n_bootstraps has no meaning with several net"),
        (nothing, {"network_weights": 1.0}, ValueError, "network_weights=1.0 needs several networks; give"),
        (nothing, {"network_weights": "vote", "enrichment": "narnea"}, ValueError, "network_weights='vote' needs"),
        (nothing, {**WEIGHTED, "network_weights": "vote"}, ValueError, "network_weights is 'vote'; .*'area' give an"),
        (nothing, {**WEIGHTED, "network_weights": "mean"}, ValueError, "network_weights is 'mean'; .*'area' give an"),
        (nothing, {**WEIGHTED, "enrichment": "narnea"}, ValueError, "network_weights is 1.0; .*'narnea' give 'vote'"),
        (nothing, {**WEIGHTED, "network_weights": -1}, ValueError, "weights is -1; give an exponent of at least 0"),
        (nothing, {**WEIGHTED, "network_weights": True}, ValueError, "weights is True; give an exponent"),
        (nothing, {**WEIGHTED, "network_weights": (1, 2, 3)}, ValueError, r"weights is \(1, 2, 3\); give an exponent"),
        (nothing, {**WEIGHTED, "network_weights": (1, 0)}, ValueError, r"weights is \(1, 0\); give an exponent"),
        (nothing, {"reference": "rest"}, ValueError, "reference='rest' needs groups; name .*: groupby="),
        (nothing, {"reference": "B cell"}, KeyError, "reference='B cell' is neither .* groupby=None"),
        (nothing, {"reference": "NK", "groupby": "cell_type"}, KeyError, "reference='NK' is neither .*'cell_type'"),
        (nothing, {"reference": "rest", "groupby": "cell_type", "signature": "none"}, ValueError, "reference has no"),
        (nothing, {"reference": "cell_type", "groupby": "cell_type"}, ValueError, "reference must be 60 booleans"),
        (called("rest"), {"reference": "rest", "groupby": "cell_type"}, ValueError, "reference='rest' is ambiguous"),
        (called("all"), {"reference": "all", "groupby": "cell_type"}, ValueError, "reference='all' is ambiguous"),
        (with_column("all"), {"reference": "all"}, ValueError, "'all' is ambiguous: .* a boolean column"),
        (with_column("rest"), {"reference": "rest", "groupby": "cell_type"}, ValueError, "'rest' is ambiguous"),
        (with_column("B cell"), {"reference": "B cell", "groupby": "cell_type"}, ValueError, "'B cell' is ambiguous"),
        (nothing, {"adaptive_size": 2}, ValueError, "adaptive_size is 2; give True or False"),
        (nothing, {"normalised": None}, ValueError, "normalised is None"),
        (nothing, {"gene_weights": 2.0}, TypeError, "gene_weights is float; give a dict or a Series"),
        (nothing, {"gene_weights": {"g1": -1}}, ValueError, "gene_weights must be above 0"),
        (nothing, {"pleiotropy": "yes"}, ValueError, "pleiotropy is 'yes'"),
        (nothing, {"pleiotropy": Pleiotropy(method="both")}, ValueError, "method is 'both'"),
        (nothing, {"n_bootstraps": 1}, ValueError, "n_bootstraps=1 with signature='scale'; give at least 2"),
        (nothing, {"n_bootstraps": 5, "signature": "rank"}, ValueError, "n_bootstraps=5 with signature='rank'"),
        (nothing, {"n_null": 20}, ValueError, "n_null needs reference cells"),
        (nothing, {"n_null": 20, "groupby": "cell_type"}, ValueError, "n_null needs reference cells"),
        (nothing, {"n_null": 3, "reference": "all"}, ValueError, "n_null is 3; give at least 10"),
        (nothing, {"n_null": 20, "reference": "all", "n_bootstraps": 3}, ValueError, "n_bootstraps and n_null exclude"),
        (nothing, {"enrichment": "narnea", "pleiotropy": True}, ValueError, "pleiotropy has no meaning with"),
        (nothing, {"rng": "seed"}, ValueError, "rng is 'seed'; give a whole number"),
        (nothing, {"rng": -4}, ValueError, "rng is -4"),
        (spoil_nan, {"signature": "none", "enrichment": "narnea"}, ValueError, "1 missing .* row 21, column 33"),
        (spoil_nan, {"signature": "none", "pleiotropy": True}, ValueError, "X holds 1 missing"),
        (spoil_nan, {"n_bootstraps": 3}, ValueError, "X holds 1 missing"),
        (spoil_nan, {"network": NETWORKS}, ValueError, "X holds 1 missing"),
    ],
)  # fmt: skip
def test_errors_leave_adata_as_it_is(adata, spoil, settings, error, match):
    spoil(adata)
    adata.uns["viper"] = {"params": "of an earlier call"}
    adata.obsm["viper_sd"], adata.obs["viper_network"] = adata.obsm["X_pca"], "of an earlier call"
    before = state(adata)
    with pytest.raises(error, match=match):
        viper(adata, **settings)
    assert state(adata) == before


def test_weights_of_networks_may_be_an_array(adata):
    expected = scored(adata, NETWORKS, network_weights=(1.5, 2.0))
    found = scored(adata, NETWORKS, network_weights=np.array([1.5, 2.0]))
    assert state(found.obsm) == state(expected.obsm)
