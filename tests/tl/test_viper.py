from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import viper_oracles as oracle
from states import state

import pysces as ps

TREG = "CD4+/CD25 T Reg"
LABELS = [TREG, "B cell", "CD8+/CD45RA+"]
GENES = oracle.gene_names(60)
NETWORK = oracle.network(GENES)
SIGNATURES = ["none", "mean", "scale", "rank", "mad", "ttest"]


def cells(n_cells=60, *, convert=sp.csr_matrix):
    """Log-normalised cells of three types, interleaved."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(rng.permutation(np.resize(LABELS, n_cells)), categories=LABELS),
            "healthy": rng.random(n_cells) < 0.5,
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )
    X = oracle.cells("log", n_cells).astype(np.float32)
    return ad.AnnData(convert(X), obs=obs, var=pd.DataFrame(index=GENES), obsm={"X_pca": X[:, :3]}, uns={"title": "T"})


@pytest.fixture
def adata():
    return cells()


def grouped_network():
    """Another network per group; R9 is known in one only."""
    parts = [oracle.network(GENES, seed=i).assign(group=label) for i, label in enumerate(LABELS)]
    parts[1]["source"] = parts[1]["source"].replace("R5", "R9")
    return pd.concat(parts, ignore_index=True).astype({"group": "category"})


def of_groups(adata):
    return [(label, (adata.obs["cell_type"] == label).to_numpy()) for label in LABELS]


def viper(adata, network=NETWORK, *, min_targets=1, **settings):
    return ps.tl.viper(adata, network, min_targets=min_targets, **settings)


def scored(adata, network=NETWORK, **settings) -> pd.DataFrame:
    """Activities, leaving adata alone."""
    return viper(adata, network, copy=True, **settings).obsm["viper"]


def test_state_sees_every_change(adata):
    before = state(adata)
    changes = [
        lambda a: a.obs.__setitem__("new", 1),
        lambda a: a.obsm.__setitem__("viper", np.zeros((60, 1))),
        lambda a: a.uns.__setitem__("viper", {}),
        lambda a: a.X.data.__setitem__(5, 9),
        lambda a: a.obsm["X_pca"].__setitem__((0, 0), 9),
        lambda a: setattr(a, "X", a.X.astype(np.float64)),
        lambda a: a.var.insert(0, "new", "x"),
    ]
    for change in changes:
        copy = adata.copy()
        assert state(copy) == before
        change(copy)
        assert state(copy) != before


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", SIGNATURES)
def test_activities_are_a_float32_table_of_the_scores(adata, signature):
    assert viper(adata, signature=signature) is None
    activity = adata.obsm["viper"]
    model = ps.VIPER(NETWORK, signature=signature, min_targets=1).fit(adata.X, GENES)
    assert activity.index.equals(adata.obs_names)
    assert activity.columns.tolist() == model.regulators_.tolist()
    assert (activity.dtypes == np.float32).all()
    np.testing.assert_array_equal(activity, model.transform(adata.X).astype(np.float32))


def test_regulons_and_parameters_are_written(adata):
    viper(adata, key_added="activity", signature="mean", min_targets=6)
    assert "viper" not in adata.obsm
    assert adata.uns["activity"].keys() == {"regulons", "cells", "params"}
    regulons, params = adata.uns["activity"]["regulons"], adata.uns["activity"]["params"]
    sizes = NETWORK["source"].value_counts()
    assert regulons.columns.tolist() == ["source", "n_targets", "null_shift", "null_spread", "null_coupling"]
    assert regulons["source"].dtype == "category"
    assert regulons["n_targets"].dtype == np.int64
    assert dict(zip(regulons["source"], regulons["n_targets"], strict=True)) == sizes[sizes >= 6].to_dict()
    assert adata.obsm["activity"].columns.tolist() == regulons["source"].tolist()
    versions = {name: params.pop(name) for name in list(params) if name.startswith("version_")}
    assert versions["version_pysces"] == ps.__version__
    assert params == {
        "signature": "mean", "enrichment": "area", "filter_genes": True, "all_genes_ranked": False,
        "min_targets": 6, "use_raw": False,
        "zeros": "average", "adaptive_size": False, "normalised": True, "pleiotropy": False, "n_bootstraps": 0,
        "n_null": 0, "rng": 0, "n_regulators": 7, "n_regulators_of_network": 8, "share_of_targets": 1.0,
    }  # fmt: skip


def test_parameters_of_groups_are_written(adata):
    adata.uns["grn"] = {"network": grouped_network()}
    viper(adata, "grn", groupby="cell_type", groups=LABELS[1:], reference="healthy")
    params = adata.uns["viper"]["params"]
    assert {name: params[name] for name in ("network", "groupby", "reference")} == {
        "network": "grn",
        "groupby": "cell_type",
        "reference": "healthy",
    }
    assert params["groups"].tolist() == LABELS[1:]


def test_only_the_results_are_new(adata):
    before = state(adata)
    viper(adata, groupby="cell_type")
    del adata.obsm["viper"], adata.uns["viper"]
    assert state(adata) == before


def test_writing_again_replaces(adata):
    viper(adata, groupby="cell_type")
    viper(adata, NETWORK[NETWORK["source"] == "R1"], signature="none")
    assert state(adata) == state(viper(cells(), NETWORK[NETWORK["source"] == "R1"], signature="none", copy=True))


def test_copy_leaves_adata_alone_and_has_what_would_be_written(adata):
    before = state(adata)
    copy = viper(adata, copy=True)
    assert state(adata) == before
    viper(adata)
    assert state(copy) == state(adata)
    copy.X.data[:] = 0
    assert adata.X.data.all()


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix, sp.csc_matrix], ids=["dense", "csr", "csc"])
def test_layer_and_raw_are_used_as_named(adata, convert):
    expected = state(scored(adata))
    adata.layers["lognorm"], adata.raw = convert(adata.X.toarray()), adata
    adata.X = adata.X * -1
    del adata.uns["title"]
    assert state(scored(adata, layer="lognorm")) == expected
    assert state(scored(adata, use_raw=True)) == expected
    assert state(scored(adata[:, :3].copy(), use_raw=True)) == expected


# --- networks ---------------------------------------------------------------------------------------------------------


def test_network_is_a_table_or_the_key_of_one(adata):
    expected = state(scored(adata))
    adata.uns["aracne"], adata.uns["mine"] = ({"network": n} for n in (NETWORK, NETWORK[:5]))
    assert state(ps.tl.viper(adata, min_targets=1, copy=True).obsm["viper"]) == expected
    assert state(scored(adata, "mine")) == state(scored(adata, NETWORK[:5])) != expected


def test_the_network_that_aracne_writes_is_understood(adata):
    adata.X = adata.X + adata.X[:, [20] * 60]  # all genes follow one
    ps.tl.aracne(adata, regulators=[GENES[20]], n_subnetworks=1, dpi=None)
    viper(adata, "aracne")
    assert adata.obsm["viper"].columns.tolist() == [GENES[20]]
    assert np.isfinite(adata.obsm["viper"]).all(axis=None)


def test_each_group_is_scored_with_its_own_network(adata):
    network = grouped_network()
    viper(adata, network, groupby="cell_type")
    activity = adata.obsm["viper"]
    assert activity.columns.tolist() == sorted(network["source"].unique())
    for label in LABELS:
        own = adata.obs["cell_type"] == label
        part = network[network["group"] == label].drop(columns="group")
        alone = scored(adata[own].copy(), part)
        assert state(activity.loc[own, alone.columns]) == state(alone)
        assert activity.loc[own].drop(columns=alone.columns).isna().all(axis=None)


def test_regulons_of_groups_name_their_group(adata):
    network = grouped_network()
    with pytest.warns(UserWarning, match="2 regulators drop out in 'B cell', 'CD8.*'R4', 'R5'.*vary"):
        viper(adata, network, groupby="cell_type", min_targets=5)
    regulons = adata.uns["viper"]["regulons"]
    assert regulons.columns.tolist()[:3] == ["group", "source", "n_targets"]
    assert regulons["group"].cat.categories.tolist() == LABELS
    x = adata.to_df()
    varies = {label: set(x.columns[np.ptp(x[own], axis=0) > 0]) for label, own in of_groups(adata)}
    varying = [target in varies[group] for group, target in zip(network["group"], network["target"], strict=True)]
    expected = network[varying].groupby(["group", "source"], observed=True).size()
    expected = expected[expected >= 5]
    found = regulons.set_index(["group", "source"])["n_targets"]
    assert {key: int(n) for key, n in found.items()} == {key: int(n) for key, n in expected.items()}


# --- groups and references --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", SIGNATURES)
def test_groups_are_scored_as_if_each_were_alone(adata, signature):
    activity = scored(adata, groupby="cell_type", signature=signature)
    assert activity.index.equals(adata.obs_names)
    for label in LABELS:
        own = adata.obs["cell_type"] == label
        alone = scored(adata[own].copy(), signature=signature)
        assert state(activity.loc[own, alone.columns]) == state(alone)


@pytest.mark.parametrize("signature", [name for name in SIGNATURES if name != "none"])
def test_a_common_reference_makes_groups_comparable(adata, signature):
    activity = scored(adata, groupby="cell_type", reference="all", signature=signature)
    expected = oracle.viper(
        adata.X.toarray(), GENES, NETWORK, signature, reference=np.ones(60, bool)
    )  # float32: the scores are near 1, so 1e-6
    np.testing.assert_allclose(activity, expected, rtol=1e-6, atol=1e-6)
    if signature != "ttest":  # which without a reference is against the others
        assert state(activity) == state(scored(adata, signature=signature))


@pytest.mark.parametrize("groupby", [None, "cell_type"])
def test_reference_is_a_column_or_a_mask(adata, groupby):
    by_name, by_mask, by_list = (
        scored(adata, groupby=groupby, reference=reference)
        for reference in ("healthy", adata.obs["healthy"], adata.obs["healthy"].tolist())
    )
    expected = oracle.viper(adata.X.toarray(), GENES, NETWORK, "scale", reference=adata.obs["healthy"].to_numpy())
    np.testing.assert_allclose(by_name, expected, rtol=1e-6, atol=1e-6)  # float32
    assert state(by_name) == state(by_mask) == state(by_list)


def test_cells_of_other_groups_are_nan(adata):
    whole, some = scored(adata, groupby="cell_type"), scored(adata, groupby="cell_type", groups=[TREG, "B cell"])
    chosen = adata.obs["cell_type"].isin([TREG, "B cell"])
    assert state(some[chosen]) == state(whole[chosen])
    assert some[~chosen].isna().all(axis=None)


def test_cells_without_a_label_are_nan_and_warned_of(adata):
    adata.obs.loc[adata.obs_names[:7], "cell_type"] = np.nan
    with pytest.warns(UserWarning, match="7 cells have no label"):
        activity = scored(adata, groupby="cell_type")
    assert activity[:7].isna().all(axis=None)
    assert np.isfinite(activity[7:]).all(axis=None)


def relabel(adata, label, n):
    """Give the first n cells a type of their own."""
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.add_categories(label)
    adata.obs.loc[adata.obs_names[:n], "cell_type"] = label


def test_groups_without_scores_are_nan_and_warned_of_at_the_line_of_the_user(adata):
    network, whole = grouped_network(), scored(adata, grouped_network(), groupby="cell_type")
    with pytest.warns(UserWarning, match="1 groups get no scores .NaN., for lack of a network.*: 'B cell'") as record:
        activity = ps.tl.viper(
            adata, network[network["group"] != "B cell"], groupby="cell_type", min_targets=1, copy=True
        ).obsm["viper"]
    assert record[0].filename == __file__
    own = adata.obs["cell_type"] == "B cell"
    assert activity[own].isna().all(axis=None)
    assert state(activity[~own]) == state(whole.loc[~own, activity.columns])


def test_groups_of_one_cell_get_no_scores_but_against_a_reference(adata):
    relabel(adata, "rare", 1)
    with pytest.warns(UserWarning, match="1 groups get no scores.*or of cells: 'rare'"):
        activity = scored(adata, groupby="cell_type")
    assert activity.isna().all(axis=1).tolist() == [True] + [False] * 59
    assert np.isfinite(scored(adata, groupby="cell_type", reference="all")).all(axis=None)
    assert np.isfinite(scored(adata, groupby="cell_type", signature="none")).all(axis=None)


def test_groups_in_which_no_regulon_is_large_enough_get_no_scores(adata):
    network = grouped_network()
    small = network[(network["group"] != TREG) | (network["source"] == "R0")].groupby(
        ["group", "source"], observed=True
    )
    lacking = pytest.warns(UserWarning, match="1 groups get no scores.*min_targets=4.*: 'CD4")
    with lacking, pytest.warns(UserWarning, match="drop out in 'B cell', 'CD8"):
        activity = scored(adata, small.head(4).drop(index=small.head(1).index[:1]), groupby="cell_type", min_targets=4)
    assert activity.isna().all(axis=1).equals(adata.obs["cell_type"] == TREG)


def test_a_network_of_a_group_that_shares_no_gene_costs_only_this_group(adata):
    network = grouped_network()
    own = network["group"] == TREG
    network.loc[own, "target"] = "absent_" + network.loc[own, "target"]
    with pytest.warns(UserWarning, match="1 groups get no scores.*: 'CD4"):
        activity = scored(adata, network, groupby="cell_type")
    assert activity.isna().all(axis=1).equals(adata.obs["cell_type"] == TREG)


def test_few_cells_to_compare_with_are_warned_of(adata):
    relabel(adata, "rare/few", 9)
    with pytest.warns(UserWarning, match="1 groups have fewer than 10 cells to be compared with: 'rare/few'"):
        viper(adata, groupby="cell_type")
    viper(adata, groupby="cell_type", reference="all")  # no warning, which would be an error


# --- where adata lies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groupby", [None, "cell_type"])
@pytest.mark.parametrize("signature", ["none", "scale", "rank", "mad"])
@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix, sp.csc_matrix], ids=["dense", "csr", "csc"])
def test_backed_data_are_scored_as_in_memory(tmp_path, convert, signature, groupby):
    adata = cells(convert=convert)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    settings = {"signature": signature, "groupby": groupby}
    viper(backed, **settings)
    assert backed.isbacked
    assert state(backed.obsm["viper"]) == state(scored(adata, **settings))


def test_backed_data_are_not_copied(tmp_path, adata):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    with pytest.raises(ValueError, match="copy=True would read the whole backed file"):
        viper(backed, copy=True)


@pytest.mark.filterwarnings("ignore::anndata.ImplicitModificationWarning")
@pytest.mark.parametrize("groupby", [None, "cell_type"])
def test_a_view_becomes_data_of_its_own(adata, groupby):
    before, part = state(adata), adata[10:50]
    expected = state(viper(part.copy(), groupby=groupby, copy=True))
    assert state(viper(part, groupby=groupby, copy=True)) == expected
    assert part.is_view
    viper(part, groupby=groupby)
    assert not part.is_view
    assert state(part) == expected
    assert state(adata) == before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_change_no_byte(adata, n_threads):
    assert state(scored(adata, groupby="cell_type", n_threads=n_threads)) == state(scored(adata, groupby="cell_type"))


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
@pytest.mark.parametrize("groupby", [None, "cell_type"])
def test_results_survive_a_file(adata, tmp_path, suffix, groupby):
    path = tmp_path / f"cells.{suffix}"
    if groupby:
        viper(adata, grouped_network(), groupby=groupby, groups=LABELS[:2])
    else:
        viper(adata, signature="mad", reference="all")
    getattr(adata, f"write_{suffix}")(path)
    read = getattr(ad, f"read_{suffix}")(path)
    assert read.obsm["viper"].columns.equals(adata.obsm["viper"].columns)
    assert state(read.obsm["viper"]) == state(adata.obsm["viper"])
    found, regulons = read.uns["viper"]["regulons"], adata.uns["viper"]["regulons"]
    assert (found["source"].dtype, found["n_targets"].dtype) == ("category", np.int64)
    pd.testing.assert_frame_equal(found.astype(str), regulons.astype(str), check_index_type=False)
    params = adata.uns["viper"]["params"]
    assert read.uns["viper"]["params"].keys() == params.keys()
    for name, value in params.items():
        np.testing.assert_array_equal(read.uns["viper"]["params"][name], value)
    assert state(ps.get.activity(read).var) == state(ps.get.activity(adata).var)


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_a_grouped_network_from_a_file_scores_alike(adata, tmp_path, suffix):
    adata.uns["aracne"] = {"network": grouped_network()}
    path = tmp_path / f"cells.{suffix}"
    getattr(adata, f"write_{suffix}")(path)
    read = getattr(ad, f"read_{suffix}")(path)
    assert state(scored(read, "aracne", groupby="cell_type")) == state(scored(adata, "aracne", groupby="cell_type"))


# --- errors -----------------------------------------------------------------------------------------------------------


def spoil_value(value):
    def spoil(adata):
        X = adata.X.toarray()
        X[21, 33] = value
        adata.X = sp.csr_matrix(X)

    return spoil


def spoil_obs(name, values):
    def spoil(adata):
        adata.obs[name] = values

    return spoil


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("spoil", "settings", "error", "match"),
    [
        (nothing, {"network": "aracne"}, KeyError, r"adata.uns\['aracne'\] holds no network; run pysces.tl.aracne"),
        (nothing, {"network": "title"}, KeyError, r"adata.uns\['title'\] holds no network"),
        (nothing, {"network": {"R": GENES}}, TypeError, "network is list; give a DataFrame"),
        (nothing, {"network": NETWORK[:0]}, ValueError, "network has no edges"),
        (nothing, {"network": NETWORK.assign(weight=7)}, ValueError, "must lie in"),
        (nothing, {"network": NETWORK.assign(target="x")}, ValueError, "network holds .* edges twice"),
        (nothing, {"network": NETWORK.assign(target="x" + NETWORK["target"])}, ValueError, "no target of the network"),
        (nothing, {"network": grouped_network()}, ValueError, r"network has one part per group; name .*groupby="),
        (nothing, {"groupby": "louvain"}, KeyError, "groupby='louvain' is not a column of adata.obs, which has: 'cell"),
        (nothing, {"groupby": "healthy"}, TypeError, r"adata.obs\['healthy'\] holds labels of type bool"),
        (spoil_obs("cell_type", range(60)), {"groupby": "cell_type"}, TypeError, "labels of type int"),
        (nothing, {"groupby": "cell_type", "groups": ["NK"]}, ValueError, "groups holds 'NK', not among the labels"),
        (nothing, {"groupby": "cell_type", "groups": TREG}, TypeError, "groups='CD4.* is a string; give a list"),
        (nothing, {"groupby": "cell_type", "min_targets": 99}, ValueError, "no group of .* can be scored"),
        (nothing, {"groups": [TREG]}, ValueError, "groups has no meaning without groupby"),
        (nothing, {"layer": "counts"}, KeyError, "layer='counts' is not in adata.layers, which has: nothing"),
        (nothing, {"use_raw": True}, ValueError, r"use_raw=True, but adata.raw is None"),
        (nothing, {"reference": "normal"}, KeyError, "reference='normal' is neither 'all', 'rest', a group"),
        (nothing, {"reference": "cell_type"}, ValueError, "reference must be 60 booleans, one per cell"),
        (nothing, {"reference": np.ones(59, bool)}, ValueError, "reference must be 60 booleans.* bool of shape .59,."),
        (nothing, {"reference": [0, 1, 2]}, ValueError, "reference must be 60 booleans.* found int64"),
        (nothing, {"reference": "all", "signature": "none"}, ValueError, "reference has no meaning with signature='no"),
        (nothing, {"reference": np.zeros(60, bool)}, ValueError, "0 reference cells for signature='scale'"),
        (nothing, {"signature": "zscore"}, ValueError, "signature is 'zscore'; choose one of"),
        (nothing, {"enrichment": "ora"}, ValueError, "enrichment is 'ora'; choose one of 'area'"),
        (nothing, {"min_targets": True}, ValueError, "min_targets is True"),
        (nothing, {"min_targets": 99}, ValueError, "no regulator has min_targets=99 targets among the genes"),
        (nothing, {"n_threads": -2}, ValueError, "n_threads is -2"),
        (spoil_value(np.nan), {}, ValueError, "1 missing .* and 0 infinite values, the first at row 21"),
        (spoil_value(np.inf), {"signature": "none"}, ValueError, "0 missing .* and 1 infinite"),
        (spoil_value(np.nan), {"groupby": "cell_type"}, ValueError, "row 21, column 33"),
        (spoil_value(-2.0), {}, ValueError, r"X holds negative values \(such as -2\)"),
        (spoil_value(-2.0), {"groupby": "cell_type", "signature": "rank"}, ValueError, "X holds negative values"),
        (lambda a: setattr(a, "var_names", ["g1", *GENES[1:]]), {}, ValueError, "var_names holds duplicates: 'g1'"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, spoil, settings, error, match):
    spoil(adata)
    adata.uns["viper"] = {"params": "of an earlier call"}
    before = state(adata)
    with pytest.raises(error, match=match):
        viper(adata, **settings)
    assert state(adata) == before


def test_negative_values_are_scored_as_they_are():
    adata = cells(convert=np.asarray)
    adata.X -= 1
    activity = scored(adata, signature="none")
    assert state(activity) == state(scored(cells(), signature="none"))


def test_values_that_are_not_finite_do_no_harm_in_cells_that_are_not_scored():
    adata = cells(convert=np.asarray)
    relabel(adata, "bad", 1)
    adata.X[0, 0] = np.nan
    activity = scored(adata, groupby="cell_type", groups=LABELS)
    assert np.isfinite(activity[1:]).all(axis=None)


def test_a_regulator_that_no_file_can_hold_is_warned_of() -> None:
    x = np.log1p(np.random.default_rng(0).poisson(1.0, (20, 8)))
    adata = ad.AnnData(x, var=pd.DataFrame(index=[f"g{i}" for i in range(8)]))
    network = pd.DataFrame({"source": "HLA-A/B", "target": ["g1", "g2", "g3"], "weight": 1.0})
    with pytest.warns(UserWarning, match="columns that cannot be saved: 'HLA-A/B'"):
        ps.tl.viper(adata, network, min_targets=3)
