"""Groups of cells: by two columns, beside a network of all cells, and without a network of their own."""

from __future__ import annotations

import anndata as ad
import meta_oracles
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import viper_oracles as oracle
from states import state

import pysces as ps
from pysces._strata import group_labels, strata

pytestmark = pytest.mark.filterwarnings(
    "ignore:the sequencing depth of the cells is not known|X holds counts|1 of 160 cells get no"
)

TISSUES, TYPES = ["lung", "blood/marrow"], ["T CD4+/CD25", "B"]
KEYS = ["tissue", "cell_type"]
LABELS = [f"{tissue} | {cell_type}" for tissue in TISSUES for cell_type in TYPES]
GENES = oracle.gene_names(40)
REGULATORS = GENES[:3].tolist() if isinstance(GENES, np.ndarray) else list(GENES[:3])
QUICK = {"n_subnetworks": 2, "rng": 3, "estimator": "gcmi"}


@pytest.fixture
def adata() -> ad.AnnData:
    """Counts in which three regulators have targets; cells of two tissues and types, interleaved."""
    rng = np.random.default_rng(0)
    x = rng.poisson(2.0, (160, len(GENES)))
    for regulator in range(3):
        for target in range(3 + 10 * regulator, 13 + 10 * regulator):
            x[:, target] = rng.binomial(3 * x[:, regulator], 0.5)
    place = np.arange(len(x))
    obs = pd.DataFrame(
        {
            "tissue": pd.Categorical(np.array(TISSUES)[place % 2], categories=TISSUES),
            "cell_type": pd.Categorical(np.array(TYPES)[place // 2 % 2], categories=TYPES),
        },
        index=[f"cell{i}" for i in place],
    )
    return ad.AnnData(sp.csr_matrix(x.astype(np.float32)), obs=obs, var=pd.DataFrame(index=GENES))


@pytest.fixture
def joined(adata):
    """The same cells with the labels joined by hand, in the same order of the groups."""
    other = adata.copy()
    labels = adata.obs["tissue"].astype(str) + " | " + adata.obs["cell_type"].astype(str)
    other.obs["joined"] = pd.Categorical(labels, categories=LABELS)
    return other


def infer(adata, groupby=KEYS, **settings):
    ps.tl.aracne(adata, REGULATORS, groupby=groupby, **{**QUICK, **settings})


# --- several columns --------------------------------------------------------------------------------------------------


def test_groups_of_two_columns_are_their_combinations_in_the_order_of_the_first(adata):
    found = strata(adata.obs, KEYS)
    assert [part.label for part in found] == LABELS
    for part in found:
        tissue, cell_type = part.label.split(" | ")
        expected = (adata.obs["tissue"] == tissue) & (adata.obs["cell_type"] == cell_type)
        np.testing.assert_array_equal(part.rows, np.flatnonzero(expected))


def test_combinations_without_cells_are_left_out_and_move_no_other(adata):
    all_places = {part.label: part.place for part in strata(adata.obs, KEYS)}
    some = adata[~((adata.obs["tissue"] == "lung") & (adata.obs["cell_type"] == "B"))]
    places = {part.label: part.place for part in strata(some.obs, KEYS)}
    assert places == {label: place for label, place in all_places.items() if label != "lung | B"}


def test_one_column_in_a_list_is_that_column(adata):
    assert str(strata(adata.obs, ["cell_type"])) == str(strata(adata.obs, "cell_type"))


def test_three_columns_are_joined(adata):
    adata.obs["sex"] = pd.Categorical(np.where(np.arange(160) < 80, "f", "m"))
    labels = group_labels(adata.obs, [*KEYS, "sex"])
    assert labels.categories[:3].tolist() == [f"{LABELS[0]} | f", f"{LABELS[0]} | m", f"{LABELS[1]} | f"]
    assert labels[0] == f"{LABELS[0]} | f"
    assert labels[159] == f"{LABELS[3]} | m"


def test_a_cell_without_one_of_its_labels_is_in_no_group(adata):
    adata.obs.loc["cell0", "tissue"] = np.nan
    adata.obs.loc["cell3", "cell_type"] = np.nan
    with pytest.warns(UserWarning, match=r"2 cells have no label in adata.obs\[\['tissue', 'cell_type'\]\]"):
        found = strata(adata.obs, KEYS)
    assert sorted(np.concatenate([part.rows for part in found])) == [i for i in range(160) if i not in {0, 3}]


@pytest.mark.parametrize(
    ("groupby", "error", "match"),
    [
        ([], TypeError, r"groupby is \[\]; give the name of a column of adata.obs, or a list of names"),
        (["tissue", 3], TypeError, "give the name of a column"),
        (3, TypeError, "groupby is 3; give the name of a column"),
        (["tissue", "tissue"], ValueError, "groupby holds duplicates: 'tissue'. Name each column once"),
        (["tissue", "batch"], KeyError, "groupby='batch' is not a column"),
    ],
)
def test_columns_that_make_no_groups_are_refused(adata, groupby, error, match):
    before = state(adata)
    for call in (infer, lambda adata, groupby: ps.tl.viper(adata, oracle.network(GENES), groupby=groupby)):
        with pytest.raises(error, match=match):
            call(adata, groupby)
        assert state(adata) == before


def test_labels_that_look_alike_when_joined_are_refused(adata):
    adata.obs["tissue"] = pd.Categorical(np.where(np.arange(160) < 80, "a", "a | b"))
    adata.obs["cell_type"] = pd.Categorical(np.where(np.arange(160) < 80, "b | c", "c"))
    with pytest.raises(ValueError, match=r"duplicates: 'a \| b \| c'. Rename labels that hold ' \| '"):
        strata(adata.obs, KEYS)


def test_networks_of_combinations_are_those_of_the_joined_labels(adata, joined):
    infer(adata)
    infer(joined, "joined")
    pd.testing.assert_frame_equal(ps.get.network(adata), ps.get.network(joined), check_exact=True)
    params = adata.uns["aracne"]["params"]
    assert params["groupby"].tolist() == KEYS
    assert params["groups"].tolist() == LABELS
    assert params["groups_n_cells"].tolist() == [40] * 4


@pytest.mark.parametrize("reference", [None, "all", "rest", LABELS[1]])
def test_activities_of_combinations_are_those_of_the_joined_labels(adata, joined, reference):
    for data, groupby in ((adata, KEYS), (joined, "joined")):
        infer(data, groupby)
        ps.tl.viper(data, groupby=groupby, reference=reference, min_targets=1)
    pd.testing.assert_frame_equal(adata.obsm["viper"], joined.obsm["viper"], check_exact=True)
    p = [ps.get.pvalues(data) for data in (adata, joined)]
    assert p[0].notna().any(axis=None)
    pd.testing.assert_frame_equal(*p, check_exact=True)
    assert ps.get.activity(adata).var["n_groups"].max() == 4


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_combinations_survive_a_file(adata, tmp_path, suffix):
    infer(adata)
    ps.tl.viper(adata, groupby=KEYS, min_targets=1)
    path = tmp_path / f"a.{suffix}"
    getattr(adata, f"write_{suffix}")(path)
    read = {"h5ad": ad.read_h5ad, "zarr": ad.read_zarr}[suffix](path)
    pd.testing.assert_frame_equal(ps.get.pvalues(read), ps.get.pvalues(adata))
    assert read.uns["aracne"]["params"]["groupby"].tolist() == KEYS


def test_contrasts_may_be_between_combinations(adata, joined):
    network = oracle.network(GENES)
    for data, groupby in ((adata, KEYS), (joined, "joined")):
        ps.tl.msviper(data, groupby, LABELS[2], network=network, min_targets=1, n_permutations=0)
    pd.testing.assert_frame_equal(ps.get.msviper(adata), ps.get.msviper(joined), check_exact=True)


def test_metacells_of_combinations_keep_both_columns(adata, joined):
    for data in (adata, joined):
        data.obsm["X_pca"] = data.X[:, :5].toarray()
    meta = ps.pp.metacells(adata, groupby=KEYS, size=10)
    other = ps.pp.metacells(joined, groupby="joined", size=10)
    assert state(meta.X) == state(other.X)
    assert meta.obs.columns.tolist() == [*KEYS, "representative", "n_cells"]
    np.testing.assert_array_equal(group_labels(meta.obs, KEYS), other.obs["joined"])
    assert meta.obs["tissue"].dtype == adata.obs["tissue"].dtype


# --- all cells beside the groups --------------------------------------------------------------------------------------


def test_the_network_of_all_cells_stands_beside_those_of_the_groups(adata):
    infer(adata, "cell_type", key_added="groups")
    infer(adata, None, key_added="all")
    infer(adata, "cell_type", all_cells=True)
    table = ps.get.network(adata)
    assert table["group"].cat.categories.tolist() == [*TYPES, "all cells"]
    for label in TYPES:
        found, expected = ps.get.network(adata, label), ps.get.network(adata, label, key="groups")
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    expected = ps.get.network(adata, key="all")
    pd.testing.assert_frame_equal(ps.get.network(adata, "all cells"), expected, check_exact=True)
    assert adata.uns["aracne"]["params"]["groups_n_cells"].tolist() == [80, 80, 160]


def test_all_cells_are_also_those_of_groups_that_are_skipped_or_have_no_label(adata):
    infer(adata, None, key_added="all")
    adata.obs["few"] = pd.Categorical(np.where(np.arange(160) < 40, "many", np.where(np.arange(160) < 50, "few", None)))
    with pytest.warns(UserWarning, match="110 cells have no label|fewer than min_cells"):
        infer(adata, "few", all_cells=True)
    found = ps.get.network(adata, "all cells")
    pd.testing.assert_frame_equal(found, ps.get.network(adata, key="all"), check_exact=True)


def test_scores_do_not_depend_on_the_network_of_all_cells(adata):
    infer(adata, "cell_type", key_added="groups")
    infer(adata, "cell_type", all_cells=True)
    ps.tl.viper(adata, "groups", groupby="cell_type", min_targets=1, key_added="a")
    ps.tl.viper(adata, groupby="cell_type", min_targets=1, key_added="b")
    pd.testing.assert_frame_equal(adata.obsm["a"], adata.obsm["b"], check_exact=True)


@pytest.mark.parametrize(
    ("groupby", "all_cells", "match"),
    [
        (None, True, "all_cells=True has no meaning without groupby"),
        ("cell_type", "yes", "all_cells is 'yes'; give True or False"),
        ("named", True, r"adata.obs\['named'\] has the label 'all cells'; rename it"),
    ],
)
def test_a_network_of_all_cells_that_cannot_be_is_refused(adata, groupby, all_cells, match):
    adata.obs["named"] = pd.Categorical(np.where(np.arange(160) < 80, "all cells", "B"))
    before = state(adata)
    with pytest.raises(ValueError, match=match):
        infer(adata, groupby, all_cells=all_cells)
    assert state(adata) == before


# --- groups without a network -----------------------------------------------------------------------------------------

OWN = LABELS[:2]
"""The other two have no network."""


@pytest.fixture
def network():
    parts = [oracle.network(GENES, seed=i).assign(group=label) for i, label in enumerate(OWN)]
    parts.append(oracle.network(GENES, seed=7).assign(group="all cells"))
    return pd.concat(parts, ignore_index=True).astype({"group": "category"})


def score(adata, network, **settings):
    return ps.tl.viper(adata, network, copy=True, **{"groupby": KEYS, "min_targets": 1, **settings})


def aligned(tables: list[pd.DataFrame]) -> tuple[list[str], list[np.ndarray]]:
    names = sorted({name for table in tables for name in table.columns})
    return names, [table.reindex(columns=names).to_numpy(np.float64) for table in tables]


@pytest.mark.parametrize("reference", [None, "all"])
@pytest.mark.parametrize("weights", [None, 2.0, (3.0, 1.0)], ids=str)
def test_cells_without_a_network_are_scored_with_all_networks(adata, network, reference, weights):
    found = score(adata, network, without_network="meta", reference=reference, network_weights=weights)
    with pytest.warns(UserWarning, match="2 groups get no scores"):
        own = score(adata, network, reference=reference)
    has_own = np.isin(group_labels(adata.obs, KEYS), OWN)
    columns = own.obsm["viper"].columns
    np.testing.assert_array_equal(found.obsm["viper"].loc[has_own, columns], own.obsm["viper"][has_own])

    tables = [
        score(adata, part.drop(columns="group"), reference=reference).obsm["viper"]
        for _, part in network.groupby("group", observed=True)
    ]
    names, scores = aligned(tables)
    expected = meta_oracles.integrate(scores, 1.0 if weights is None else weights)
    assert found.obsm["viper"].columns.tolist() == names
    np.testing.assert_allclose(found.obsm["viper"][~has_own], expected[~has_own], rtol=1e-5, atol=1e-6)


def test_the_network_of_every_cell_is_named(adata, network):
    found = score(adata, network, without_network="meta")
    labels, networks = group_labels(adata.obs, KEYS), found.obs["viper_network"]
    for label in OWN:
        assert set(networks[labels == label]) == {label}
    borrowed = ~np.isin(labels, OWN)
    assert set(networks[borrowed]) <= {*OWN, "all cells"}
    assert networks[borrowed].notna().all()
    regulons = found.uns["viper"]["regulons"]
    assert set(regulons.loc[regulons["group"] == LABELS[3], "network"]) == {*OWN, "all cells"}
    assert set(regulons.loc[regulons["group"] == OWN[1], "network"]) == {OWN[1]}


def test_under_narnea_networks_vote_for_cells_without_one(adata, network):
    found = score(adata, network, without_network="meta", enrichment="narnea")
    parts = {label: network[network["group"] == label].drop(columns="group") for label in (*OWN, "all cells")}
    expected = score(adata, parts, enrichment="narnea")
    borrowed = ~np.isin(group_labels(adata.obs, KEYS), OWN)
    for name in ("viper", "viper_pes"):
        np.testing.assert_allclose(found.obsm[name][borrowed], expected.obsm[name][borrowed], rtol=1e-6)
    assert found.obs["viper_network"][borrowed].tolist() == expected.obs["viper_network"][borrowed].tolist()


def test_groups_that_all_have_a_network_borrow_none(adata, network):
    two = adata[np.isin(group_labels(adata.obs, KEYS), OWN)].copy()
    found, expected = (score(two, network, without_network=option) for option in ("meta", "nan"))
    pd.testing.assert_frame_equal(found.obsm["viper"], expected.obsm["viper"], check_exact=True)
    assert "viper_network" not in found.obs


def test_a_network_too_small_for_any_regulon_is_no_network(adata, network):
    few = network[(network["group"] != OWN[0]) | (network.groupby(["group", "source"], observed=True).cumcount() < 2)]
    found = score(adata, few, without_network="meta", min_targets=4)
    labels = group_labels(adata.obs, KEYS)
    assert OWN[0] not in set(found.obs["viper_network"])
    assert found.obsm["viper"][labels == OWN[0]].notna().any(axis=1).all()


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_borrowed_activities_survive_a_file(adata, network, tmp_path, suffix):
    found = score(adata, network, without_network="meta")
    path = tmp_path / f"a.{suffix}"
    getattr(found, f"write_{suffix}")(path)
    read = {"h5ad": ad.read_h5ad, "zarr": ad.read_zarr}[suffix](path)
    assert state(ps.get.activity(read).X) == state(ps.get.activity(found).X)
    assert read.obs["viper_network"].tolist() == found.obs["viper_network"].tolist()
    with pytest.raises(ValueError, match="several networks"):
        ps.get.pvalues(read)


def test_networks_of_combinations_may_be_borrowed_whole(adata):
    infer(adata, all_cells=True)
    without = ps.get.network(adata)
    without = without[without["group"] != LABELS[0]]
    found = score(adata, without, without_network="meta")
    assert found.obsm["viper"].notna().any(axis=1).sum() == 159  # one has no value of these genes


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"without_network": "mean"}, "without_network is 'mean'; choose one of 'nan', 'meta'"),
        (
            {"without_network": "meta", "n_bootstraps": 5},
            "n_bootstraps has no meaning with several networks for a cell",
        ),
        ({"without_network": "meta", "groupby": None}, "one part per group; name the obs column"),
        ({"network_weights": 2.0}, "network_weights=2.0 needs several networks"),
    ],
)
def test_options_that_do_not_go_together_are_refused(adata, network, settings, match):
    before = state(adata)
    with pytest.raises(ValueError, match=match):
        ps.tl.viper(adata, network, min_targets=1, **{"groupby": KEYS, **settings})
    assert state(adata) == before


@pytest.mark.parametrize(
    "network", [oracle.network(GENES), {"a": oracle.network(GENES), "b": oracle.network(GENES, 3)}]
)
def test_only_one_network_with_groups_can_be_borrowed_from(adata, network):
    with pytest.raises(ValueError, match="without_network='meta' needs one network with groups"):
        ps.tl.viper(adata, network, min_targets=1, groupby=KEYS, without_network="meta")
