from __future__ import annotations

import sys

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import ranking_oracles as oracle
import scanpy as sc
import scipy.sparse as sp
from states import state

import pysces as ps
from pysces import _slots

mpl.use("Agg")

TREG = "CD4+/CD25 T Reg"
GROUPS = [TREG, "B", "NK"]
REGULATORS = [f"R{i}" for i in range(9)]
STATISTICS = ["score", "effect", "log_pvalue"]
METHODS = ["wilcoxon", "t-test", "stouffer", "kappa", "kruskal"]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def cells(n=33, key="viper", **made):
    """Cells of three types and two donors with activities; one cell has no label."""
    rng = np.random.default_rng(0)
    names = [f"cell{i}" for i in range(n)]
    codes = np.array([0, 1, 2] * (n // 3))
    codes[-1] = -1
    nes = rng.normal(size=(n, len(REGULATORS))) + (codes[:, None] == np.arange(len(REGULATORS)) % 3)
    adata = ad.AnnData(
        sp.csr_matrix(rng.poisson(1.0, (n, 5)).astype(np.float32)),
        obs=pd.DataFrame(
            {
                "cell_type": pd.Categorical.from_codes(codes, pd.Index(GROUPS)),
                "donor": pd.Categorical(["d1", "d2"] * (n // 2) + ["d1"] * (n % 2)),
                "number": np.arange(n),
            },
            index=names,
        ),
        obsm={"X_pca": rng.normal(size=(n, 4))},
        uns={"title": "T"},
    )
    table = pd.DataFrame(nes.astype(np.float32), index=names, columns=REGULATORS)
    regulons = pd.DataFrame({"source": pd.Categorical(REGULATORS), "n_targets": 30})
    _slots.write_activity(adata, key, {"": table}, None, regulons, _slots.params(**{"signature": "scale", **made}))
    return adata


UNLABELLED = "1 cells have no label in adata.obs"
pytestmark = pytest.mark.filterwarnings(f"ignore:{UNLABELLED}")


@pytest.fixture
def adata():
    return cells()


def ranked(adata, groupby="cell_type", **settings):
    """The table, leaving adata alone."""
    return ps.tl.rank_regulators(adata, groupby, copy=True, **settings).uns["rank_regulators"]["table"]


def expected_row(adata, method, group, source, reference="rest"):
    of_cell, x = adata.obs["cell_type"], adata.obsm["viper"][source].astype(float)
    others = of_cell.notna() & (of_cell != group) if reference == "rest" else of_cell == reference
    own, against = x[(of_cell == group) & x.notna()].tolist(), x[others & x.notna()].tolist()
    return [*oracle.TESTS[method](own, against), np.mean(own), np.mean(against)]


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["rest", "NK"])
@pytest.mark.parametrize("method", ["wilcoxon", "t-test", "kappa"])
def test_each_row_is_the_test_of_one_regulator_in_one_group(adata, method, reference):
    assert ps.tl.rank_regulators(adata, "cell_type", method=method, reference=reference) is None
    table = adata.uns["rank_regulators"]["table"]
    groups = [label for label in GROUPS if label != reference]
    assert table.columns.tolist() == [
        "group", "source", "score", "effect", "mean", "mean_reference", "log_pvalue", "log_qvalue"
    ]  # fmt: skip
    assert table["group"].cat.categories.tolist() == groups
    assert (table.dtypes.iloc[2:] == np.float64).all()
    assert len(table) == len(groups) * len(REGULATORS)
    for row in table.itertuples():
        found = [row.score, row.effect, row.log_pvalue, row.mean, row.mean_reference]
        np.testing.assert_allclose(found, expected_row(adata, method, row.group, row.source, reference), rtol=1e-7)
    for _, own in table.groupby("group", observed=True):
        np.testing.assert_allclose(own["log_qvalue"], oracle.benjamini_hochberg(own["log_pvalue"]), rtol=1e-7)


def test_stouffer_is_against_all_permutations_of_the_labels():
    adata = cells(12)
    table = ranked(adata, method="stouffer")
    for row in table.itertuples():
        found = [row.score, row.effect, row.log_pvalue, row.mean, row.mean_reference]
        np.testing.assert_allclose(found, expected_row(adata, "stouffer", row.group, row.source), rtol=1e-7)


def test_kruskal_has_one_row_per_regulator_and_one_set_of_tests(adata):
    table = ranked(adata, method="kruskal")
    assert sorted(table["source"]) == REGULATORS
    groups = [adata.obs["cell_type"] == label for label in GROUPS]
    for row in table.itertuples():
        x = adata.obsm["viper"][row.source]
        h, share, log_p, best = oracle.kruskal([x[own].to_numpy(float) for own in groups])
        np.testing.assert_allclose([row.score, row.effect, row.log_pvalue], [h, share, log_p], rtol=1e-7)
        assert row.group == GROUPS[best]
        assert row.mean == pytest.approx(x[groups[best]].mean(), rel=1e-6)
        assert row.mean_reference == pytest.approx(x[~groups[best] & adata.obs["cell_type"].notna()].mean(), rel=1e-5)
    np.testing.assert_allclose(table["log_qvalue"], oracle.benjamini_hochberg(table["log_pvalue"]), rtol=1e-7)


def separated():
    """Regulators that separate NK cells from all others, the last ones by most."""
    adata = cells()
    own = (adata.obs["cell_type"] == "NK").to_numpy()[:, None]
    nes = np.random.default_rng(1).uniform(size=(adata.n_obs, 9)) + own * np.arange(2, 11)
    adata.obsm["viper"] = pd.DataFrame(nes.astype(np.float32), index=adata.obs_names, columns=REGULATORS)
    ps.tl.rank_regulators(adata, "cell_type")
    return adata


def test_regulators_that_separate_groups_alike_go_by_the_difference_of_the_means():
    adata = separated()
    assert ps.get.regulators(adata, "NK")["source"].tolist() == REGULATORS[::-1]
    assert ps.get.activity(adata).uns["rank_genes_groups"]["names"]["NK"].tolist() == REGULATORS[::-1]


@pytest.mark.parametrize(("n", "said"), [(4, True), (8, True), (9, False), (20, False)])
def test_a_cut_through_regulators_of_the_same_score_is_logged(capsys, n, said):
    adata, before = separated(), (sc.settings.verbosity, sc.settings.logfile)
    sc.settings.verbosity, sc.settings.logfile = "hint", sys.stderr
    try:
        ps.get.regulators(adata, "NK", n)
    finally:
        sc.settings.verbosity, sc.settings.logfile = before
    assert (f"n={n} leaves out regulators of the same score as some that are given: 'NK: {n} of 9'"
            in capsys.readouterr().err) == said  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_rows_go_by_group_falling_score_shift_and_name_with_nan_last(adata, method):
    adata.obsm["viper"]["R3"] = adata.obsm["viper"]["R8"]
    adata.obsm["viper"]["R5"] = 2 * adata.obsm["viper"]["R8"]  # has the same score, but a larger difference of means
    adata.obsm["viper"].loc[adata.obs["cell_type"] == "B", "R0"] = np.nan
    table = ranked(adata, method=method)
    by_hand = sorted(
        table.itertuples(index=False),
        key=lambda row: (
            GROUPS.index(row.group),
            np.isnan(row.score),
            -np.nan_to_num(row.score),
            np.nan_to_num(row.mean_reference - row.mean),
            row.source,
        ),
    )
    assert [row.source for row in by_hand] == table["source"].tolist()
    assert [row.group for row in by_hand] == table["group"].tolist()
    missing = table[table["score"].isna()]
    assert missing[["group", "source"]].to_numpy().tolist() == ([] if method == "kruskal" else [["B", "R0"]])
    assert missing[[*STATISTICS, "log_qvalue", "mean"]].isna().all(axis=None)


def test_groups_are_compared_with_all_other_cells_that_have_a_label(adata):
    every, some = ranked(adata), ranked(adata, groups=["NK", TREG])
    assert some["group"].cat.categories.tolist() == [TREG, "NK"]
    kept = every[every["group"] != "B"].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, kept.assign(group=kept["group"].cat.remove_unused_categories()))


def test_the_reference_is_not_compared_with_itself(adata):
    table = ranked(adata, groups=["NK", "B"], reference="B")
    assert table["group"].cat.categories.tolist() == ["NK"]
    whole = ranked(adata, reference="B")
    pd.testing.assert_frame_equal(
        table.drop(columns="group"), whole[whole["group"] == "NK"].drop(columns="group").reset_index(drop=True)
    )


def test_a_label_called_rest_is_a_group_like_others_where_nothing_stands_for_it(adata):
    expected, expected_kruskal = ranked(adata, reference="NK"), ranked(adata, method="kruskal")
    called_rest(adata)
    for table, settings in ((expected, {"reference": "NK"}), (expected_kruskal, {"method": "kruskal"})):
        renamed = table.assign(group=table["group"].cat.rename_categories({"B": "rest"}))
        pd.testing.assert_frame_equal(ranked(adata, **settings), renamed)


def test_kruskal_of_some_groups_is_that_of_their_cells(adata):
    own = adata[adata.obs["cell_type"].isin(["B", "NK"])].copy()
    pd.testing.assert_frame_equal(ranked(adata, method="kruskal", groups=["B", "NK"]), ranked(own, method="kruskal"))


def test_a_list_of_columns_is_their_joined_labels(adata):
    pairs = zip(adata.obs["cell_type"], adata.obs["donor"], strict=True)
    joined = [f"{a} | {b}" if isinstance(a, str) else None for a, b in pairs]
    order = [f"{a} | {b}" for a in GROUPS for b in ("d1", "d2")]
    adata.obs["both"] = pd.Categorical(joined, categories=order)
    table = ranked(adata, ["cell_type", "donor"])
    assert table["group"].cat.categories.tolist() == order
    pd.testing.assert_frame_equal(table, ranked(adata, "both"))


def test_only_the_results_are_new(adata):
    before = state(adata)
    ps.tl.rank_regulators(adata, "cell_type")
    del adata.uns["rank_regulators"]
    assert state(adata) == before


def test_keys_are_as_named():
    adata = cells(key="tf")
    ps.tl.rank_regulators(adata, "cell_type", key="tf", key_added="markers")
    pd.testing.assert_frame_equal(adata.uns["markers"]["table"], ranked(cells()))
    pd.testing.assert_frame_equal(ps.get.regulators(adata, key="markers"), ranked(cells()))
    assert adata.uns["markers"]["params"]["key"] == "tf"


def own_params(adata):
    params = adata.uns["rank_regulators"]["params"]
    assert params["version_pysces"] == ps.__version__
    named = {name: value for name, value in params.items() if not name.startswith("version_")}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in named.items()}


def test_parameters_are_written(adata):
    ps.tl.rank_regulators(adata, "cell_type", n_threads=1)
    assert own_params(adata) == {"groupby": "cell_type", "method": "wilcoxon", "key": "viper", "reference": "rest"}
    ps.tl.rank_regulators(adata, ("cell_type",), groups=["B"], reference="NK", method="kappa")
    assert own_params(adata) == {
        "groupby": ["cell_type"], "method": "kappa", "key": "viper", "groups": ["B"], "reference": "NK"
    }  # fmt: skip
    assert state(ranked(adata, **own_params(adata))) == state(adata.uns["rank_regulators"]["table"])


def test_copy_leaves_adata_alone_and_has_what_would_be_written(adata):
    before = state(adata)
    copy = ps.tl.rank_regulators(adata, "cell_type", copy=True)
    assert state(adata) == before
    ps.tl.rank_regulators(adata, "cell_type")
    assert state(copy) == state(adata)


def test_threads_and_columns_stored_one_by_one_change_no_byte(adata):
    apart = adata.copy()
    apart.obsm["viper"] = pd.DataFrame({name: adata.obsm["viper"][name] for name in REGULATORS})
    assert state(ranked(adata, n_threads=1)) == state(ranked(adata, n_threads=2)) == state(ranked(apart))


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_results_survive_a_file(adata, tmp_path, suffix):
    adata.obs.loc["cell0", "cell_type"] = None
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.add_categories("Mk/E")
    adata.obs.loc["cell0", "cell_type"] = "Mk/E"
    with pytest.warns(UserWarning, match="are left out"):
        ps.tl.rank_regulators(adata, ["cell_type"], groups=[TREG, "Mk/E"])
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    pd.testing.assert_frame_equal(ps.get.regulators(read), ps.get.regulators(adata), check_categorical=False)
    assert own_params(read) == own_params(adata)
    assert own_params(read)["groups_skipped"] == ["Mk/E"]
    found, expected = (ps.get.activity(of).uns["rank_genes_groups"] for of in (read, adata))
    assert found["params"] == expected["params"]
    assert found["names"].tolist() == expected["names"].tolist()


def test_backed_data_are_ranked_as_in_memory(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    ps.tl.rank_regulators(backed, "cell_type")
    pd.testing.assert_frame_equal(
        backed.uns["rank_regulators"]["table"], ranked(adata), check_dtype=False, check_categorical=False
    )
    with pytest.raises(ValueError, match="copy=True would read the whole backed file"):
        ps.tl.rank_regulators(backed, "cell_type", copy=True)


# --- real activities --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blood():
    """Real cells with activities of regulators that have the markers of one type as targets."""
    adata = ps.datasets.pbmc68k()
    markers = {
        "B": ["CD79A", "CD79B", "MS4A1", "CD74"],
        "M": ["LYZ", "CST3", "S100A9", "S100A8"],
        "N": ["NKG7", "GNLY", "PRF1", "GZMB"],
    }
    net = pd.DataFrame([(name, gene, 1.0) for name in markers for gene in markers[name]])
    ps.tl.viper(adata, net.set_axis(["source", "target", "weight"], axis=1), min_targets=3, filter_genes=False)
    return adata


@pytest.mark.parametrize("method", ["wilcoxon", "t-test", "stouffer", "kappa"])
def test_the_first_regulator_of_real_cells_is_that_of_their_markers(blood, method):
    first = ranked(blood, method=method).groupby("group", observed=True)["source"].first()
    assert first[["CD19+ B", "CD14+ Monocyte", "CD56+ NK"]].tolist() == ["B", "M", "N"]


def test_kruskal_gives_regulators_to_the_real_cells_of_their_markers(blood):
    of = ranked(blood, method="kruskal").set_index("source")["group"]
    assert of[["B", "M", "N"]].tolist() == ["CD19+ B", "CD14+ Monocyte", "CD56+ NK"]


# --- what cannot be compared ------------------------------------------------------------------------------------------


def test_groups_of_one_cell_are_left_out_with_one_warning(adata):
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.add_categories(["one", "two", "none"])
    adata.obs.loc["cell0", "cell_type"], adata.obs.loc["cell1", "cell_type"] = "one", "two"
    with pytest.warns(UserWarning, match="groups 'one', 'two' have fewer than 2 cells with activities") as record:
        ps.tl.rank_regulators(adata, "cell_type")
    told = [warning for warning in record if "left out" in str(warning.message)]
    assert len(told) == 1
    assert told[0].filename == __file__
    assert adata.uns["rank_regulators"]["table"]["group"].cat.categories.tolist() == GROUPS
    assert own_params(adata)["groups_skipped"] == ["one", "two"]
    own, rest = (
        adata.obsm["viper"]["R0"][adata.obs["cell_type"].isin(of)] for of in (["B"], [TREG, "NK", "one", "two"])
    )
    found = ps.get.regulators(adata, "B").set_index("source").loc["R0", "score"]
    assert found == pytest.approx(oracle.wilcoxon(own.tolist(), rest.tolist())[0])


def test_groups_without_activities_are_left_out(adata):
    adata.obsm["viper"].loc[adata.obs["cell_type"] == "B"] = np.nan
    with pytest.warns(UserWarning, match="groups 'B' have fewer than 2 cells with activities"):
        table = ranked(adata)
    without = adata[adata.obs["cell_type"] != "B"].copy()
    pd.testing.assert_frame_equal(table, ranked(without))


def test_cells_without_a_label_do_not_count_and_are_warned_of_once(adata):
    with pytest.warns(UserWarning, match=UNLABELLED) as record:
        table = ranked(adata)
    assert len(record) == 1
    pd.testing.assert_frame_equal(table, ranked(adata[:-1].copy()))


def test_activities_against_the_own_group_are_warned_of():
    with pytest.warns(UserWarning, match=r"own reference.*cannot be compared.*reference='all'") as record:
        ranked(cells(groupby="cell_type"))
    assert all(warning.filename == __file__ for warning in record)


@pytest.mark.parametrize(
    ("made", "options"),
    [
        ({"groupby": "donor"}, {"groupby": "donor"}),
        ({"groupby": "cell_type", "reference": "rest"}, {"groupby": "cell_type"}),
        ({"groupby": ["cell_type", "donor"]}, {"groupby": "cell_type"}),
        ({"groupby": "cell_type"}, {"groupby": ["cell_type", "donor"], "groups": ["NK | d1"]}),
        ({"groupby": "cell_type"}, {"groupby": "cell_type", "groups": ["B"], "reference": "NK"}),
        ({"groupby": "cell_type"}, {"groupby": "cell_type", "method": "kruskal"}),
    ],
    ids=str,
)
def test_cells_that_were_scored_against_different_cells_are_warned_of(made, options):
    with pytest.warns(UserWarning, match="different groups of it cannot be compared"):
        ranked(cells(**made), **options)


@pytest.mark.parametrize(
    ("made", "options"),
    [
        ({"groupby": "cell_type"}, {"groupby": "donor"}),
        ({"groupby": ["donor"]}, {"groupby": "cell_type"}),
        (
            {"groupby": "cell_type"},
            {"groupby": ["cell_type", "donor"], "groups": ["NK | d1"], "reference": "NK | d2"},
        ),
        ({"groupby": "cell_type", "reference": "NK"}, {"groupby": "cell_type"}),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("error")
@pytest.mark.filterwarnings(f"ignore:{UNLABELLED}")
def test_a_comparison_within_the_groups_that_were_scored_is_fair(made, options):
    ranked(cells(**made), **options)


@pytest.mark.filterwarnings("error")
@pytest.mark.filterwarnings(f"ignore:{UNLABELLED}")
def test_a_condition_inside_one_type_that_was_scored_alone_is_fair():
    """As after tl.viper(groupby="cell_type", groups=["NK"]): other cells have no activities."""
    adata = cells(groupby="cell_type")
    adata.uns["viper"]["regulons"] = adata.uns["viper"]["regulons"].assign(group=pd.Categorical(["NK"] * 9))
    adata.obsm["viper"][adata.obs["cell_type"] != "NK"] = np.nan
    adata.obs["condition"] = adata.obs["donor"].where(adata.obs["cell_type"] != "B", "d1")
    ranked(adata, "condition")


@pytest.mark.parametrize("method", ["wilcoxon", "stouffer", "kappa"])
def test_groups_of_so_few_cells_that_no_q_can_be_small_are_warned_of(adata, method):
    adata = adata[[0, 3, 6, 1, 4, 7]].copy()
    with pytest.warns(
        UserWarning, match=r"6 cells or samples \(3 against 3\) .* in 20 ways: no p is below 0.1, and no"
    ):
        table = ranked(adata, method=method)
    assert np.exp(table["log_pvalue"].min()) == pytest.approx(0.1)


def test_two_cells_against_five_have_no_small_p_of_ranks(adata):
    """Of 21 ways, the lowest and the highest ranks are equally extreme."""
    adata = adata[[0, 3, 1, 4, 7, 10, 13]].copy()
    with pytest.warns(UserWarning, match=r"7 cells or samples \(\d against \d\) .* in 21 ways: no p is below 0.095"):
        table = ranked(adata)
    assert np.exp(table["log_pvalue"].min()) == pytest.approx(2 / 21)


def test_groups_that_are_no_longer_there_are_warned_of():
    adata = cells(groupby="cluster")
    with pytest.warns(UserWarning, match=r"every group of adata.obs\['cluster'\] .* no longer there"):
        ranked(adata)


@pytest.mark.parametrize(
    "made", [{}, {"groupby": "cell_type", "reference": "all"}, {"groupby": "cell_type", "signature": "none"}], ids=str
)
@pytest.mark.filterwarnings("error")
@pytest.mark.filterwarnings(f"ignore:{UNLABELLED}")
def test_activities_with_one_reference_are_not_warned_of(made):
    assert len(ranked(cells(**made))) == 27


# --- errors -----------------------------------------------------------------------------------------------------------


def drop_activities(adata):
    del adata.obsm["viper"]


def one_group(adata):
    adata.obs["cell_type"] = pd.Categorical(["B"] * adata.n_obs)


def one_cell_each(adata):
    adata.obs["cell_type"] = pd.Categorical(["B", "NK"] + [None] * (adata.n_obs - 2))


def empty(adata):
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.add_categories("Mk")


def called_rest(adata):
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.rename_categories({"B": "rest"})


def nothing(_):
    pass


@pytest.mark.filterwarnings("ignore:31 cells have no label")
@pytest.mark.parametrize(
    ("spoil", "options", "error", "match"),
    [
        (drop_activities, {}, KeyError, r"adata.obsm\['viper'\] holds no activities .*run pysces.tl.viper"),
        (nothing, {"key": "title"}, KeyError, r"adata.obsm\['title'\] holds no activities"),
        (nothing, {"key_added": "viper"}, ValueError, "key_added is 'viper', where the activities are"),
        (nothing, {"method": "logreg"}, ValueError, "method is 'logreg'; choose one of 'wilcoxon', 't-test'"),
        (nothing, {"n_threads": -1}, ValueError, "n_threads is -1"),
        (nothing, {"groupby": "louvain"}, KeyError, "groupby='louvain' is not a column of adata.obs"),
        (nothing, {"groupby": "number"}, TypeError, "labels of type int"),
        (nothing, {"groupby": []}, TypeError, "groupby is .*give the name of a column"),
        (nothing, {"groups": ["Mono"]}, ValueError, "groups holds 'Mono', not among the labels"),
        (nothing, {"groups": "B"}, TypeError, "groups='B' is a string; give a list"),
        (nothing, {"groups": []}, ValueError, r"groups=\[\] leaves no group to compare with reference='rest'"),
        (nothing, {"groups": ["B"], "reference": "B"}, ValueError, "leaves no group to compare with reference='B'"),
        (nothing, {"reference": "Mono"}, ValueError, "reference is 'Mono', not among the labels of .*'NK'"),
        (called_rest, {"reference": "rest"}, ValueError, "reference='rest' is ambiguous.*rename the label"),
        (called_rest, {}, ValueError, "reference='rest' is ambiguous"),
        (empty, {"reference": "Mk"}, ValueError, "reference is 'Mk', not among the labels"),
        (nothing, {"reference": "B", "method": "kruskal"}, ValueError, "reference is 'B', but method='kruskal'"),
        (nothing, {"groups": ["B"], "method": "kruskal"}, ValueError, "no group .* has 2 cells with activities and"),
        (one_group, {}, ValueError, "groupby='cell_type' has cells of 1 groups, and comparing needs two at least"),
        (one_cell_each, {}, ValueError, "no group of .*'cell_type'.* has 2 cells .*: 'B', 'NK'; choose other groups"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, spoil, options, error, match):
    spoil(adata)
    adata.uns["rank_regulators"] = "earlier"
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.tl.rank_regulators(adata, **{"groupby": "cell_type", **options})
    assert state(adata) == before


# --- get.regulators ---------------------------------------------------------------------------------------------------


def test_regulators_are_a_copy_of_the_table_or_of_a_part(adata):
    ps.tl.rank_regulators(adata, "cell_type")
    stored = adata.uns["rank_regulators"]["table"]
    before = state(adata)
    found = ps.get.regulators(adata)
    pd.testing.assert_frame_equal(found, stored)
    own = ps.get.regulators(adata, "B")
    pd.testing.assert_frame_equal(own, stored[stored["group"] == "B"].drop(columns="group").reset_index(drop=True))
    for table in (found, own, ps.get.regulators(adata, "B", 2)):
        table.loc[:, "score"] = 0.0
    assert state(adata) == before


def test_the_first_regulators_are_those_of_each_group(adata):
    ps.tl.rank_regulators(adata, "cell_type")
    first = ps.get.regulators(adata, n=2)
    assert first["group"].tolist() == [label for label in GROUPS for _ in range(2)]
    for label in GROUPS:
        own = ps.get.regulators(adata, label)
        assert ps.get.regulators(adata, label, 2)["source"].tolist() == own["source"].tolist()[:2]
        assert first.loc[first["group"] == label, "source"].tolist() == own["source"].tolist()[:2]
    assert set(first["source"].cat.categories) == set(first["source"])
    assert len(ps.get.regulators(adata, "B", 100)) == len(REGULATORS)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"key": "title"}, KeyError, r"adata.uns\['title'\] holds no ranked regulators; run pysces.tl.rank_regulators"),
        ({"key": "viper"}, KeyError, r"adata.uns\['viper'\] holds no ranked regulators"),
        ({"group": "Mono"}, KeyError, r"group='Mono' was not ranked in adata.uns\['rank_regulators'\].*'B', 'NK'"),
        ({"n": 0}, ValueError, "n is 0; give a whole number, at least 1"),
        ({"n": True}, ValueError, "n is True"),
    ],
)
def test_regulators_that_are_not_there_are_an_error(adata, options, error, match):
    ps.tl.rank_regulators(adata, "cell_type")
    with pytest.raises(error, match=match):
        ps.get.regulators(adata, **options)


# --- scanpy on get.activity -------------------------------------------------------------------------------------------


@pytest.fixture
def activity(adata):
    """Activities with their ranking, of cells that all have a label."""
    adata = adata[:-1].copy()
    ps.tl.rank_regulators(adata, "cell_type")
    return ps.get.activity(adata)


def test_scanpy_reads_the_ranking(adata, activity):
    found = sc.get.rank_genes_groups_df(activity, None)
    table = ranked(adata[:-1].copy())
    assert found["group"].tolist() == table["group"].tolist()
    assert found["names"].tolist() == table["source"].tolist()
    np.testing.assert_allclose(found["scores"], table["score"], rtol=1e-6)  # float32
    np.testing.assert_allclose(found["logfoldchanges"], table["mean"] - table["mean_reference"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["pvals"], np.exp(table["log_pvalue"]))
    np.testing.assert_allclose(found["pvals_adj"], np.exp(table["log_qvalue"]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # scanpy on pandas 3.1
@pytest.mark.filterwarnings("ignore:invalid value encountered in log2")  # scanpy: fold changes of negative scores
def test_the_ranking_has_the_shape_of_scanpy_and_its_scores(activity):
    ours = activity.uns.pop("rank_genes_groups")
    sc.tl.rank_genes_groups(activity, "cell_type", method="wilcoxon", tie_correct=True, use_raw=False)
    theirs = activity.uns["rank_genes_groups"]
    assert ours["params"] == theirs["params"]
    assert ours.keys() == theirs.keys()
    for name in ours.keys() - {"params"}:
        assert type(ours[name]) is type(theirs[name])
        assert ours[name].dtype == theirs[name].dtype
    for group in GROUPS:
        assert ours["names"][group].tolist() == theirs["names"][group].tolist()
        np.testing.assert_allclose(ours["scores"][group], theirs["scores"][group], rtol=1e-5)
        np.testing.assert_allclose(ours["pvals"][group], theirs["pvals"][group], rtol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("plot", ["", "_dotplot", "_heatmap", "_matrixplot"])
def test_scanpy_draws_the_ranking(activity, plot):
    before = plt.get_fignums()
    draw = getattr(sc.pl, f"rank_genes_groups{plot}")
    draw(activity, n_genes=2, show=False, **({"dendrogram": False} if plot else {}))
    (drawn,) = set(plt.get_fignums()) - set(before)
    texts = {text.get_text() for axes in plt.figure(drawn).axes for text in [*axes.texts, *axes.get_xticklabels()]}
    assert set(activity.uns["rank_genes_groups"]["names"]["B"][:2]) <= texts


def test_joined_labels_are_a_column_of_the_activities(adata):
    ps.tl.rank_regulators(adata, ["cell_type", "donor"])
    before = state(adata)
    found = ps.get.activity(adata)
    assert state(adata) == before
    assert found.uns["rank_genes_groups"]["params"]["groupby"] == "cell_type | donor"
    assert found.obs["cell_type | donor"].iloc[0] == f"{TREG} | d1"
    assert found.obs["cell_type | donor"].cat.categories.tolist() == ps.get.regulators(adata)["group"].unique().tolist()


def other_activities(adata):
    adata.obsm["viper"] = adata.obsm["viper"].drop(columns="R0")


def no_column(adata):
    del adata.obs["cell_type"]


def junk(adata):
    adata.uns["rank_regulators"] = {"params": {}}


@pytest.mark.parametrize(
    ("spoil", "options"),
    [
        (nothing, {"method": "kruskal"}),
        (nothing, {"key_added": "markers"}),
        (other_activities, {}),
        (no_column, {}),
        (junk, {}),
    ],
)
def test_a_ranking_that_does_not_fit_the_activities_is_not_added(adata, spoil, options):
    ps.tl.rank_regulators(adata, "cell_type", **options)
    spoil(adata)
    assert "rank_genes_groups" not in ps.get.activity(adata).uns


def test_a_ranking_of_other_activities_is_not_added(adata):
    adata.obsm["tf"], adata.uns["tf"] = adata.obsm["viper"], adata.uns["viper"]
    ps.tl.rank_regulators(adata, "cell_type", key="tf")
    assert "rank_genes_groups" not in ps.get.activity(adata).uns
    assert "rank_genes_groups" in ps.get.activity(adata, key="tf").uns


def test_activities_with_a_ranking_are_written_and_read(activity, tmp_path):
    activity.write_h5ad(tmp_path / "act.h5ad")
    read = ad.read_h5ad(tmp_path / "act.h5ad")
    found, expected = (sc.get.rank_genes_groups_df(of, None) for of in (read, activity))
    assert found["names"].tolist() == expected["names"].tolist()
    np.testing.assert_array_equal(found["scores"], expected["scores"])


def test_one_log_line_names_the_slot(adata, capsys):
    before = sc.settings.verbosity, sc.settings.logfile
    sc.settings.verbosity, sc.settings.logfile = "hint", sys.stderr
    try:
        ps.tl.rank_regulators(adata, "cell_type")
    finally:
        sc.settings.verbosity, sc.settings.logfile = before
    told = capsys.readouterr().err
    assert "ranking 9 regulators in 3 groups of cells (wilcoxon)" in told
    assert "'rank_regulators', regulators of 3 groups (adata.uns)" in told
