from __future__ import annotations

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_checks import cells_with_activities, clipped, laid_out, names, overlapping
from matplotlib.colors import to_rgba
from states import state

import pysces as ps

mpl.use("Agg")
LABELS = ["A/1", "B", "C", "D"]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def cells(n_regulators=12, n=15, labels=LABELS):
    """Groups of which the first is like the third, and the second like the fourth."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(2, n_regulators)) * 2
    own = rng.normal(size=(len(labels), n_regulators)) * 0.8
    centres = np.array([shared[i % 2] + own[i] for i in range(len(labels))])
    activity = np.repeat(centres, n, axis=0) + rng.normal(size=(n * len(labels), n_regulators))
    return cells_with_activities(
        activity, np.repeat(labels, n), sex=np.tile(["f", "m"], n * len(labels) // 2 + 1)[: n * len(labels)]
    )


@pytest.fixture
def adata():
    adata = cells()
    ps.tl.rank_regulators(adata, "type")
    return adata


def top(adata, label, n):
    """The first regulators of a group that are more active in it."""
    table = ps.get.regulators(adata, label)
    return [name for name, score in zip(table["source"], table["score"], strict=True) if score > 0][:n]


def colours(ax):
    """Values drawn."""
    return ax.images[0].get_array()


def dots(ax, line=0):
    """Pairs (group, regulator) that have a dot."""
    x, y = ax.lines[line].get_data()
    columns, rows = names(ax.xaxis), names(ax.yaxis)
    return {(rows[int(j)], columns[int(i)]) for i, j in zip(x, y, strict=True)}


# --- what is drawn ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "title"), [(3, "tied\nB: 3 of 5"), (5, "")])
def test_a_cut_through_regulators_of_the_same_score_is_told_above_the_figure(n, title):
    activity = np.random.default_rng(0).uniform(size=(20, 5)) + np.repeat([0, 9], 10)[:, None] * [1, 2, 3, 4, 5]
    adata = cells_with_activities(activity, np.repeat(["A", "B"], 10))
    ps.tl.rank_regulators(adata, "type")
    ax = ps.pl.rank_regulators(adata, n=n)
    assert ax.get_title(loc="left") == title
    laid_out(ax.figure)
    assert not clipped(ax.figure)


def test_groups_that_are_alike_are_neighbours(adata):
    rows = names(ps.pl.rank_regulators(adata).yaxis)
    assert sorted(rows) == LABELS
    assert {frozenset(rows[:2]), frozenset(rows[2:])} == {frozenset({"A/1", "C"}), frozenset({"B", "D"})}


@pytest.mark.parametrize("n", [1, 3, 50])
def test_columns_are_the_first_regulators_of_each_row_each_once(adata, n):
    ax = ps.pl.rank_regulators(adata, n=n)
    expected = []
    for label in names(ax.yaxis):
        expected += [name for name in top(adata, label, n) if name not in expected]
    assert names(ax.xaxis) == expected


def test_colours_are_mean_activities(adata):
    ax = ps.pl.rank_regulators(adata)
    for i, label in enumerate(names(ax.yaxis)):
        for j, name in enumerate(names(ax.xaxis)):
            of_group = [x for x, own in zip(adata.obsm["viper"][name], adata.obs["type"], strict=True) if own == label]
            assert colours(ax)[i, j] == pytest.approx(sum(map(float, of_group)) / len(of_group), abs=1e-5)
    norm = ax.images[0].norm
    assert norm.vmin == -norm.vmax < 0
    assert ax.images[0].get_cmap().name == "RdBu_r"


def test_dots_mark_the_first_regulators_of_a_group_that_are_significant(adata):
    table = adata.uns["rank_regulators"]["table"]
    spoilt = (table["group"] == "B") & (table["source"] == top(adata, "B", 1)[0])
    table["log_qvalue"] = np.where(spoilt, np.log(0.051), np.log(0.049))
    ax = ps.pl.rank_regulators(adata, n=2)
    expected = {(label, name) for label in LABELS for name in top(adata, label, 2)} - {("B", top(adata, "B", 1)[0])}
    assert dots(ax) == expected


def test_no_dots_where_nothing_is_significant(adata):
    adata.uns["rank_regulators"]["table"]["log_qvalue"] = 0.0
    assert dots(ps.pl.rank_regulators(adata)) == set()


def test_regulators_that_are_less_active_are_no_first_regulators(adata):
    ax = ps.pl.rank_regulators(adata, n=50)
    table = ps.get.regulators(adata).astype({"group": str, "source": str})
    less = set(zip(*table.loc[table["score"] < 0, ["group", "source"]].to_numpy().T, strict=True))
    assert less
    assert not dots(ax) & less


def test_the_tree_joins_the_rows_it_stands_beside(adata):
    ax = ps.pl.rank_regulators(adata)
    tree = ax.child_axes[0]
    lines = tree.collections[0].get_segments()
    assert len(lines) == len(LABELS) - 1
    leaves = {round(y) for line in lines for x, y in line if x == 0}
    assert leaves == {0, 1, 2, 3}
    assert tree.get_ylim() == ax.get_ylim()
    first = [line for line in lines if {round(y) for x, y in line if x == 0} == {0, 1}]
    assert len(first) == 1  # the rows 0 and 1 are alike, see above


def test_groups_are_chosen(adata):
    ax = ps.pl.rank_regulators(adata, groups=["D", "A/1"], n=1)
    assert sorted(names(ax.yaxis)) == ["A/1", "D"]
    assert set(names(ax.xaxis)) == {*top(adata, "A/1", 1), *top(adata, "D", 1)}


def test_one_group_has_no_tree(adata):
    ax = laid_out(ps.pl.rank_regulators(adata, groups=["B"], n=1))
    assert (names(ax.yaxis), names(ax.xaxis)) == (["B"], top(adata, "B", 1))
    assert len(ax.child_axes) == 1  # the colour bar
    assert not clipped(ax.figure)


def test_means_of_all_groups_are_drawn_where_a_regulator_is_ranked_in_one(adata):
    ps.tl.rank_regulators(adata, "type", method="kruskal")
    ax = ps.pl.rank_regulators(adata)
    assert sorted(names(ax.yaxis)) == LABELS
    assert not np.ma.getmaskarray(colours(ax)).any()
    assert not np.isnan(colours(ax)).any()
    assert len(dots(ax)) <= len(names(ax.xaxis))


@pytest.mark.parametrize("suffix", [None, "h5ad"])
def test_groups_of_several_columns(tmp_path, suffix):
    adata = cells(labels=["A", "B"])
    ps.tl.rank_regulators(adata, ["type", "sex"])
    if suffix is not None:
        getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
        adata = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    assert sorted(names(ps.pl.rank_regulators(adata).yaxis)) == ["A | f", "A | m", "B | f", "B | m"]


def test_activities_under_another_key():
    adata = cells()
    adata.obsm["tf"], adata.uns["tf"] = -adata.obsm["viper"], adata.uns["viper"]
    ps.tl.rank_regulators(adata, "type", key="tf", key_added="ranked")
    ax = ps.pl.rank_regulators(adata, key="ranked", n=1)
    label, name = names(ax.yaxis)[0], names(ax.xaxis)[0]
    mean = -adata.obsm["viper"].loc[(adata.obs["type"] == label).to_numpy(), name].mean()
    assert colours(ax)[0, 0] == pytest.approx(mean, abs=1e-5)


def test_what_has_no_activity_is_grey(adata):
    name = top(adata, "B", 1)[0]
    adata.obsm["viper"].loc[(adata.obs["type"] == "D").to_numpy(), name] = np.nan
    ax = ps.pl.rank_regulators(adata)
    i, j = names(ax.yaxis).index("D"), names(ax.xaxis).index(name)
    assert np.argwhere(np.isnan(np.ma.filled(colours(ax), np.nan))).tolist() == [[i, j]]
    red, green, blue, _ = ax.images[0].to_rgba(colours(ax))[i, j]
    assert red == green == blue < to_rgba("#f7f7f7")[0]  # the middle of the scale


# --- layout -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_regulators", [3, 300])
def test_on_a_new_figure_every_name_is_there_and_none_overlap(n_regulators):
    adata = cells(n_regulators)
    ps.tl.rank_regulators(adata, "type")
    ax = laid_out(ps.pl.rank_regulators(adata, n=300))
    assert len(names(ax.yaxis)) == colours(ax).shape[0]
    assert len(names(ax.xaxis)) == colours(ax).shape[1]
    assert not clipped(ax.figure)
    assert overlapping(ax.xaxis) == overlapping(ax.yaxis) == 0


def test_long_names_are_not_clipped():
    adata = cells(labels=[f"a group of cells with a long and unwieldy name, number {i}" for i in range(4)])
    adata.obsm["viper"].columns = [f"a regulator whose name is long {i}" for i in range(12)]
    ps.tl.rank_regulators(adata, "type")
    ax = laid_out(ps.pl.rank_regulators(adata))
    assert not clipped(ax.figure)
    assert ax.bbox.width / ax.figure.dpi > 0.15 * len(names(ax.xaxis))


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_given_axes_are_kept_to_and_names_thinned(layout):
    adata = cells(100)
    ps.tl.rank_regulators(adata, "type")
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout=layout)
    assert ps.pl.rank_regulators(adata, n=100, ax=left) is left
    assert plt.get_fignums() == [figure.number]
    assert len(figure.axes) == 2
    laid_out(left)
    assert overlapping(left.xaxis) == 0
    assert 5 < len(names(left.xaxis)) < colours(left).shape[1]
    assert left.get_tightbbox().x1 <= right.bbox.x0


# --- what is left alone, and errors -----------------------------------------------------------------------------------


def test_adata_is_left_alone(adata):
    before = state(adata)
    ps.pl.rank_regulators(adata)
    assert state(adata) == before


def no_ranking(adata):
    del adata.uns["rank_regulators"]


def no_activities(adata):
    del adata.obsm["viper"]


def nothing_more_active(adata):
    adata.uns["rank_regulators"]["table"]["score"] = np.nan


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("spoil", "options", "error", "match"),
    [
        (no_ranking, {}, KeyError, "holds no ranked regulators; run pysces.tl.rank_regulators"),
        (nothing, {"key": "other"}, KeyError, r"adata.uns\['other'\] holds no ranked regulators"),
        (no_activities, {}, KeyError, r"adata.obsm\['viper'\] holds no activities"),
        (nothing_more_active, {}, ValueError, "no regulator is more active in one of the groups .*nothing to draw"),
        (
            nothing,
            {"groups": ["B", "E"]},
            ValueError,
            "groups holds 'E'; groups ranked in .*'A/1', 'B', 'C', ... .4 in all",
        ),
        (nothing, {"groups": []}, ValueError, "groups holds nothing; groups ranked in"),
        (nothing, {"groups": "B"}, TypeError, "groups='B' is a string; give a list of labels"),
        (nothing, {"n": 0}, ValueError, "n is 0; give a whole number, at least 1"),
    ],
)
def test_errors_leave_adata_as_it_is_and_no_figure(adata, spoil, options, error, match):
    spoil(adata)
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.rank_regulators(adata, **options)
    assert state(adata) == before
    assert plt.get_fignums() == []
