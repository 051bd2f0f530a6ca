from __future__ import annotations

import matplotlib.pyplot as plt
import network_cases as cases
import numpy as np
import pytest
from matplotlib.colors import to_hex
from states import state

import pysces as ps
from pysces.pl._axes import BLUE

ONE = {"A": 30, "B": 4, "C": 1, "D": 25}


def points(ax):
    """Positions of the regulators, and which are kept."""
    drawn = ax.collections[0]
    kept = [to_hex(colour) == BLUE for colour in drawn.get_facecolors()]
    return np.asarray(drawn.get_offsets()), kept


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def written(ax, n_rows):
    """Titles of the columns of text, and what is below them."""
    texts = [text.get_text() for text in ax.texts][: len(ax.texts) // (n_rows + 1) * (n_rows + 1)]
    return {texts[i].replace("\n", " "): texts[i + 1 : i + n_rows + 1] for i in range(0, len(texts), n_rows + 1)}


# --- one network ------------------------------------------------------------------------------------------------------


def test_regulators_fall_by_number_of_targets_and_large_ones_stand_out():
    ax = ps.pl.regulon_sizes(cases.stored(cases.edges(ONE)))
    places, kept = points(ax)
    assert places.tolist() == [[1, 30], [2, 25], [3, 4], [4, 1]]
    assert kept == [True, True, False, False]
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    assert ax.get_ylabel() == "number of targets"


def test_the_legend_says_how_many_are_kept_and_the_median():
    ax = ps.pl.regulon_sizes(cases.stored(cases.edges(ONE)), min_targets=4)
    legend = ax.get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["3 of 4 regulators (75%) have at least 4 targets", "median: 14.5 targets"]
    assert legend.get_title().get_text() == "60 edges"
    _, least, median = ax.lines
    assert set(least.get_ydata()) == {4}
    assert (list(median.get_xdata()), list(median.get_ydata())) == ([2.5], [14.5])


def test_one_group_is_named_with_its_cells():
    adata = cases.stored(cases.table({"nk": ONE}), groups=["nk"], groups_n_cells=[1234])
    title = ps.pl.regulon_sizes(adata).get_legend().get_title().get_text()
    assert title == "nk\n60 edges, 1,234 cells"


def test_one_edge():
    ax = ps.pl.regulon_sizes(cases.stored(cases.edges({"A": 1})))
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["0 of 1 regulator (0%) have at least 25 targets", "median: 1 target"]
    assert [tick for tick in ax.get_xticks() if 0.5 <= tick <= 1.5] == [1]


def test_categories_without_edges_are_no_regulators():
    network = cases.table({"nk": ONE})
    ax = ps.pl.regulon_sizes(cases.stored(network[network["source"] != "C"]))
    assert points(ax)[0][:, 1].tolist() == [30, 25, 4]


# --- groups -----------------------------------------------------------------------------------------------------------


def test_groups_are_rows_in_their_order_and_points_are_their_regulators():
    ax = ps.pl.regulon_sizes(cases.stored(cases.table()))
    assert names(ax) == list(cases.SIZES)
    low, high = ax.get_ylim()
    assert low > high  # the first row is on top
    places, kept = points(ax)
    rows = np.round(places[:, 1]).astype(int)
    for row, own in enumerate(cases.SIZES.values()):
        assert places[rows == row, 0].tolist() == sorted(own.values(), reverse=True)
    assert (np.abs(places[:, 1] - rows) < 0.5).all()
    assert kept == (places[:, 0] >= 25).tolist()
    assert ax.get_xscale() == "log"


def test_median_and_quartiles_of_each_row():
    ax = ps.pl.regulon_sizes(cases.stored(cases.table()))
    assert ax.lines[0].get_xydata().tolist() == [[4, 0], [24.5, 1], [2, 2]]
    quartiles = [segment[:, 0].tolist() for segment in ax.collections[2].get_segments()]
    assert quartiles == [[2.5, 17], [24.25, 24.75], [2, 2]]


def test_numbers_stand_beside_the_rows():
    groups = [*cases.SIZES, "empty"]
    adata = cases.stored(cases.table(), groups=groups, groups_n_cells=[1000, 50, 31, 30])
    ax = ps.pl.regulon_sizes(adata)
    assert written(ax, 4) == {
        "regulators": ["3", "2", "1", "0"],
        "≥ 25 targets": ["1", "1", "0", "0"],
        "edges": ["35", "49", "2", "0"],
        "cells": ["1,000", "50", "31", "30"],
    }
    assert names(ax) == groups


def test_cells_are_left_out_where_they_are_not_known():
    adata = cases.stored(cases.edges(ONE))
    ax = ps.pl.regulon_sizes(adata, network=cases.table())
    assert list(written(ax, 3)) == ["regulators", "≥ 25 targets", "edges"]


def test_the_line_is_at_min_targets():
    ax = ps.pl.regulon_sizes(cases.stored(cases.table()), min_targets=4)
    assert set(ax.lines[-1].get_xdata()) == {4}
    assert written(ax, 3)["≥ 4 targets"] == ["2", "2", "0"]
    assert ax.texts[-1].get_text() == "4"
    assert ps.pl.regulon_sizes(cases.stored(cases.table()), min_targets=1000).get_xlim()[1] > 1000


def test_labels_that_are_no_categories_are_sorted():
    network = cases.table().astype({"group": object})
    assert names(ps.pl.regulon_sizes(cases.stored(network))) == sorted(cases.SIZES)


@pytest.mark.parametrize("n_groups", [2, 15, 41])
def test_names_and_numbers_fit_and_do_not_meet(n_groups):
    ax = ps.pl.regulon_sizes(cases.stored(cases.many(n_groups)))
    assert cases.fits(ax.figure)
    assert ax.get_window_extent().width / ax.figure.dpi > 3  # inches, however long the names
    assert cases.apart(ax.get_yticklabels())
    assert min(label.get_fontsize() for label in ax.get_yticklabels()) >= 6


# --- habits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [cases.edges(ONE), cases.table()], ids=["one", "groups"])
def test_axes_are_those_given_and_adata_is_as_it_was(network):
    adata = cases.stored(network)
    before = state(adata)
    ax = plt.figure().subplots()
    assert ps.pl.regulon_sizes(adata, ax=ax) is ax
    assert len(plt.get_fignums()) == 1
    assert ps.pl.regulon_sizes(adata).figure is not ax.figure
    assert state(adata) == before


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_a_network_from_a_file_looks_the_same(tmp_path, suffix):
    adata = cases.stored(cases.table(), groups=[*cases.SIZES, "empty"], groups_n_cells=[1000, 50, 31, 30])
    read = cases.reread(adata, tmp_path / f"cells.{suffix}")
    first, second = ps.pl.regulon_sizes(adata), ps.pl.regulon_sizes(read)
    assert names(second) == names(first)
    assert written(second, 4) == written(first, 4)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"network": "other"}, KeyError, r"adata.uns\['other'\] holds no network; run pysces.tl.aracne"),
        ({"network": cases.table().drop(columns="weight")}, ValueError, "network lacks the columns 'weight'"),
        ({"network": cases.table()[:0]}, ValueError, "network has no edges"),
        ({"network": None}, TypeError, "network is NoneType; give a DataFrame"),
        ({"min_targets": 0}, ValueError, "min_targets is 0; give a whole number, at least 1"),
        ({"min_targets": 2.5}, ValueError, "min_targets is 2.5"),
    ],
)
def test_bad_input(options, error, match):
    adata = cases.stored(cases.table())
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.regulon_sizes(adata, **options)
    assert state(adata) == before
    assert not plt.get_fignums()
