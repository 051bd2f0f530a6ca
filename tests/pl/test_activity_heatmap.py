from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_checks import cells_with_activities, clipped, laid_out, names, overlapping
from matplotlib.colors import to_rgb
from states import state

import pysces as ps

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def cells(sizes=(30, 20, 10), n_regulators=8, labels=None):
    """Groups of cells; every cell has activities of its own, so that a column tells the cell."""
    rng = np.random.default_rng(1)
    labels = [f"T{i}" for i in range(len(sizes))] if labels is None else labels
    of_cell = np.repeat(np.arange(len(sizes)), sizes)
    activity = rng.normal(size=(len(of_cell), n_regulators))
    activity += 2 * rng.normal(size=(len(sizes), n_regulators))[of_cell]
    mixed = rng.permutation(len(of_cell))
    adata = cells_with_activities(activity[mixed], np.array(labels)[of_cell[mixed]])
    adata.obs["type"] = adata.obs["type"].astype("category")
    return adata


@pytest.fixture
def adata():
    return cells()


def drawn(ax, adata):
    """The cell of each column."""
    values = np.asarray(ax.images[0].get_array())
    own = adata.obsm["viper"][names(ax.yaxis)].to_numpy().T
    found = [np.flatnonzero((own == column[:, None]).all(axis=0)) for column in values.T]
    assert all(len(cell) == 1 for cell in found)
    return np.concatenate(found)


def strip(ax):
    """The strip of the groups."""
    return ax.child_axes[0]


# --- cells and groups -------------------------------------------------------------------------------------------------


def test_few_cells_are_all_drawn_group_by_group_in_their_order(adata):
    ax = ps.pl.activity_heatmap(adata, groupby="type")
    expected = np.concatenate([np.flatnonzero(adata.obs["type"] == label) for label in ("T0", "T1", "T2")])
    assert drawn(ax, adata).tolist() == expected.tolist()
    assert ax.get_xlabel() == "60 cells"
    assert names(strip(ax).xaxis) == ["T0", "T1", "T2"]


def test_without_groups_cells_keep_their_order(adata):
    ax = ps.pl.activity_heatmap(adata)
    assert drawn(ax, adata).tolist() == list(range(60))
    assert len(ax.child_axes) == 1  # the colour bar


def test_groups_have_their_colours_and_names_above_their_cells(adata):
    adata.uns["type_colors"] = ["#ff0000", "#00ff00", "#0000ff"]
    ax = ps.pl.activity_heatmap(adata, groupby="type")
    shades = np.asarray(strip(ax).images[0].get_array())[0]
    expected = [["#ff0000", "#00ff00", "#0000ff"][int(adata.obs["type"].iloc[cell][1])] for cell in drawn(ax, adata)]
    np.testing.assert_array_equal(shades, [to_rgb(colour) for colour in expected])
    assert [tick.get_position()[0] for tick in strip(ax).get_xticklabels()] == [14.5, 39.5, 54.5]
    assert strip(ax).get_xlim() == ax.get_xlim() == (-0.5, 59.5)


def test_cells_without_a_label_are_left_out_and_warned_of(adata):
    adata.obs["type"] = adata.obs["type"].cat.remove_categories("T1")
    with pytest.warns(UserWarning, match="20 cells have no label") as record:
        ax = ps.pl.activity_heatmap(adata, groupby="type")
    assert record[0].filename == __file__
    assert ax.get_xlabel() == "40 cells"


def test_groups_of_several_columns(adata):
    adata.obs["sex"] = np.tile(["f", "m"], 30)
    ax = laid_out(ps.pl.activity_heatmap(adata, groupby=["type", "sex"]))
    assert names(strip(ax).xaxis) == [f"T{i} | {sex}" for i in range(3) for sex in "fm"]


def test_of_many_cells_the_same_share_of_each_group_is_drawn_once_each():
    adata = cells((600, 300, 100))
    ax = ps.pl.activity_heatmap(adata, groupby="type", max_cells=100)
    found = drawn(ax, adata)
    assert len(set(found)) == len(found) == 100
    assert adata.obs["type"].iloc[found].value_counts().to_dict() == {"T0": 60, "T1": 30, "T2": 10}
    assert ax.get_xlabel() == "100 of 1,000 cells"
    again = drawn(ps.pl.activity_heatmap(adata, groupby="type", max_cells=100), adata)
    assert found.tolist() == again.tolist()


def test_cells_are_drawn_from_all_of_a_group():
    adata = cells((1000,))
    found = drawn(ps.pl.activity_heatmap(adata, max_cells=200), adata)
    assert (np.diff(found) > 0).all()
    assert np.histogram(found, bins=4, range=(0, 1000))[0].min() > 30  # of 50 expected


@pytest.mark.parametrize("max_cells", [500, 5000])
def test_small_groups_are_as_wide_as_their_names_need(max_cells):
    adata = cells((1500, 480, 15, 4, 1))
    ax = laid_out(ps.pl.activity_heatmap(adata, groupby="type", max_cells=max_cells))
    found = drawn(ax, adata)
    counts = adata.obs["type"].iloc[found].value_counts()[[f"T{i}" for i in range(5)]].to_numpy()
    points = counts / counts.sum() * ax.bbox.width / ax.figure.dpi * 72
    assert (points > 8).all()
    assert counts[0] / counts[1] == pytest.approx(1500 / 480, rel=0.02)
    assert set(np.flatnonzero(adata.obs["type"].isin(["T3", "T4"]))) <= set(found)
    assert names(strip(ax).xaxis) == [f"T{i}" for i in range(5)]
    assert overlapping(strip(ax).xaxis) == 0


# --- regulators -------------------------------------------------------------------------------------------------------


def test_regulators_that_are_alike_are_neighbours(adata):
    table = adata.obsm["viper"]
    table["R3"], table["R6"] = table["R0"] + 0.1 * table["R1"], table["R5"] + 0.1 * table["R1"]
    rows = names(ps.pl.activity_heatmap(adata, ["R0", "R5", "R3", "R6"]).yaxis)
    assert {frozenset(rows[:2]), frozenset(rows[2:])} == {frozenset({"R0", "R3"}), frozenset({"R5", "R6"})}


def test_by_default_the_most_variable_regulators(adata):
    spread = {name: np.var(adata.obsm["viper"][name].to_numpy(np.float64)) for name in adata.obsm["viper"]}
    expected = sorted(spread, key=spread.get, reverse=True)[:3]
    assert set(names(ps.pl.activity_heatmap(adata, n=3).yaxis)) == set(expected)


@pytest.mark.parametrize("groupby", [None, "type", ["type"]])
def test_or_the_first_of_a_ranking_of_each_group_in_turn(adata, groupby):
    ps.tl.rank_regulators(adata, ["type"] if groupby == ["type"] else "type")
    table = ps.get.regulators(adata)
    expected = []
    for place in range(8):
        for label in ("T0", "T1", "T2"):
            own = table[(table["group"] == label) & (table["score"] > 0)]["source"].tolist()
            expected += [name for name in own[place : place + 1] if name not in expected]
    ax = ps.pl.activity_heatmap(adata, groupby=groupby, n=4)
    assert set(names(ax.yaxis)) == set(expected[:4])
    assert names(strip(ax).xaxis) == ["T0", "T1", "T2"]


def test_a_ranking_of_other_groups_or_activities_does_not_count(adata):
    adata.obs["other"] = np.tile(["x", "y"], 30)
    expected = names(ps.pl.activity_heatmap(adata, groupby="type", n=2).yaxis)
    ps.tl.rank_regulators(adata, "other")
    assert names(ps.pl.activity_heatmap(adata, groupby="type", n=2).yaxis) == expected
    adata.obsm["tf"], adata.uns["tf"] = adata.obsm["viper"], adata.uns["viper"]
    ps.tl.rank_regulators(adata, "type", key="tf")
    assert names(ps.pl.activity_heatmap(adata, groupby="type", n=2).yaxis) == expected


def test_one_regulator(adata):
    ax = laid_out(ps.pl.activity_heatmap(adata, ["R4"], groupby="type"))
    assert names(ax.yaxis) == ["R4"]
    assert not clipped(ax.figure)


def test_what_has_no_activity_is_grey(adata):
    adata.obsm["viper"].iloc[7, 2] = np.nan
    ax = ps.pl.activity_heatmap(adata)
    values = np.ma.filled(ax.images[0].get_array(), np.nan)
    row = names(ax.yaxis).index("R2")
    assert np.argwhere(np.isnan(values)).tolist() == [[row, 7]]
    red, green, blue, _ = ax.images[0].to_rgba(values)[row, 7]
    assert red == green == blue < to_rgb("#f7f7f7")[0]  # the middle of the scale


def test_cells_without_any_activity_are_drawn(adata):
    adata.obsm["viper"][:] = np.nan
    assert np.isnan(np.ma.filled(ps.pl.activity_heatmap(adata).images[0].get_array(), np.nan)).all()


def test_colours_are_symmetric(adata):
    norm = ps.pl.activity_heatmap(adata).images[0].norm
    assert norm.vmin == -norm.vmax < 0


# --- layout -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "n_groups"), [(3, 2), (300, 30)])
def test_on_a_new_figure_every_name_is_there_and_none_overlap(n, n_groups):
    labels = [f"a group of cells with a long name {i}" for i in range(n_groups)]
    adata = cells((200, *[3] * (n_groups - 1)), n, labels)
    ax = laid_out(ps.pl.activity_heatmap(adata, groupby="type", n=n))
    assert len(names(ax.yaxis)) == n
    assert sorted(names(strip(ax).xaxis)) == sorted(labels)
    assert overlapping(ax.yaxis) == overlapping(strip(ax).xaxis) == 0
    assert not clipped(ax.figure)


def test_short_names_of_wide_groups_are_level(adata):
    assert {
        label.get_rotation() for label in strip(ps.pl.activity_heatmap(adata, groupby="type")).get_xticklabels()
    } == {0}


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_given_axes_are_kept_to_and_names_thinned(layout):
    adata = cells([20] * 40, 50)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout=layout)
    assert ps.pl.activity_heatmap(adata, groupby="type", n=50, ax=left) is left
    assert plt.get_fignums() == [figure.number]
    assert len(figure.axes) == 2
    laid_out(left)
    assert overlapping(left.yaxis) == overlapping(strip(left).xaxis) == 0
    assert 5 < len(names(left.yaxis)) < 50
    assert 5 < len(names(strip(left).xaxis)) < 40
    assert left.get_tightbbox().x1 <= right.bbox.x0
    assert not clipped(figure)


# --- what is left alone, and errors -----------------------------------------------------------------------------------


def test_adata_is_left_alone(adata):
    ps.tl.rank_regulators(adata, "type")
    before = state(adata)
    ps.pl.activity_heatmap(adata)
    assert state(adata) == before


def no_activities(adata):
    del adata.obsm["viper"]


def no_labels(adata):
    adata.obs["type"] = adata.obs["type"].cat.set_categories([])


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("spoil", "options", "error", "match"),
    [
        (no_activities, {}, KeyError, r"adata.obsm\['viper'\] holds no activities"),
        (nothing, {"groupby": "sort"}, KeyError, "groupby='sort' is not a column of adata.obs"),
        (nothing, {"groupby": 3}, TypeError, "groupby is 3; give the name of a column"),
        (nothing, {"regulators": ["R1", "X"]}, ValueError, "regulators holds 'X'; regulators with activities: 'R0'"),
        (nothing, {"regulators": []}, ValueError, "regulators holds nothing; regulators with activities"),
        (nothing, {"regulators": ["R1", "R1"]}, ValueError, "regulators holds duplicates: 'R1'"),
        (nothing, {"regulators": "R1"}, TypeError, "regulators='R1' is a string; give a list of names"),
        (nothing, {"n": 0}, ValueError, "n is 0; give a whole number, at least 1"),
        (nothing, {"max_cells": 2.5}, ValueError, "max_cells is 2.5; give a whole number, at least 1"),
    ],
)
def test_errors_leave_adata_as_it_is_and_no_figure(adata, spoil, options, error, match):
    spoil(adata)
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.activity_heatmap(adata, **options)
    assert state(adata) == before
    assert plt.get_fignums() == []


@pytest.mark.filterwarnings("ignore:60 cells have no label")
def test_cells_without_any_label_are_refused(adata):
    no_labels(adata)
    with pytest.raises(ValueError, match=r"no cell has a label in adata.obs\['type'\]; there is nothing to draw"):
        ps.pl.activity_heatmap(adata, groupby="type")
