from __future__ import annotations

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_checks import clipped, laid_out, names, overlapping
from matplotlib.colors import to_hex
from states import state

import pysces as ps
from pysces.pl import _msviper as module

mpl.use("Agg")
RED, BLUE, GREY = "#b2182b", "#2166ac", "#4d4d4d"


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def cells(n_regulators=6, n_targets=12, name="R{}"):
    """Two groups of cells that are compared; the regulator 0 is a gene, the others are not."""
    rng = np.random.default_rng(2)
    genes = [name.format(0), *[f"G{i}" for i in range(59)]]
    shift = np.linspace(-2, 2, 60)
    x = np.abs(rng.normal(3, 1, (40, 60)) + np.repeat([[0.0], [1.0]], 20, axis=0) * shift).astype(np.float32)
    obs = pd.DataFrame({"type": ["ctrl"] * 20 + ["st/im"] * 20}, index=[f"cell{i}" for i in range(40)])
    adata = ad.AnnData(x, var=pd.DataFrame(index=genes), obs=obs)
    starts = [i * (58 - n_targets) // max(n_regulators - 1, 1) for i in range(n_regulators)]
    edges = [
        (name.format(i), f"G{start + j}", rng.choice([-0.3, 0.9, 0.5]), rng.uniform(0.2, 1))
        for i, start in enumerate(starts)
        for j in range(n_targets)
    ]
    network = pd.DataFrame(edges, columns=["source", "target", "weight", "likelihood"])
    ps.tl.msviper(adata, "type", "st/im", network=network, min_targets=2, filter_genes=False, n_permutations=0)
    return adata


@pytest.fixture
def adata():
    return cells()


def ticks(ax):
    """Of each tick: row, rank, how far it goes up and down, colour and opacity."""
    lines = next(c for c in ax.collections if len(c.get_segments()) != len(names(ax.yaxis)))
    found = []
    for (x, (_, low), high), colour in zip(
        [(s[0][0], s[0], s[1][1]) for s in lines.get_segments()], lines.get_colors(), strict=True
    ):
        row = round((low + high) / 2)
        found.append((row, x, row - min(low, high), max(low, high) - row, to_hex(colour), colour[3]))
    return sorted(found)


def panels(ax):
    """The panels around the ticks: signature, q, number of targets, boxes, and their scales."""
    curve, q, targets, boxes, activity, expression = ax.child_axes
    return {"curve": curve, "q": q, "targets": targets, "boxes": boxes, "activity": activity, "expression": expression}


# --- rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 100])
def test_rows_are_the_most_significant_regulators_by_nes(adata, n):
    results = ps.get.msviper(adata)
    nes = dict(zip(results["source"], results["nes"], strict=True))
    strongest = sorted(nes, key=lambda name: -abs(nes[name]))[:n]
    ax = ps.pl.msviper(adata, n=n)
    assert names(ax.yaxis) == sorted(strongest, key=lambda name: -nes[name])
    assert ax.get_ylim() == (len(strongest) - 0.5, -0.5)  # the first is on top


def test_each_target_has_a_tick_at_its_rank(adata):
    ax = ps.pl.msviper(adata)
    z = adata.uns["msviper"]["signature"].set_index("gene")["z"]
    edges = adata.uns["msviper"]["leading_edge"]
    rows = names(ax.yaxis)
    largest = (edges["likelihood"] * edges["weight"].abs()).max()
    expected = []
    for edge in edges.itertuples():
        rank = sum(other < z[edge.target] for other in z)
        height = 0.44 * (0.3 + 0.7 * edge.likelihood * abs(edge.weight) / largest)
        up, colour = (True, RED) if edge.weight > 0 else (False, BLUE)
        expected.append(
            (rows.index(edge.source), rank, height * up, height * (not up), colour, 1.0 if edge.in_edge else 0.25)
        )
    found = ticks(ax)
    assert len(found) == len(expected) == 72
    for tick, right in zip(found, sorted(expected), strict=True):
        assert tick[4] == right[4]
        np.testing.assert_allclose([*tick[:4], tick[5]], [*right[:4], right[5]], atol=1e-12)
    assert {tick[5] for tick in found} == {1.0, 0.25}
    assert {tick[4] for tick in found} == {RED, BLUE}


def test_targets_that_are_neither_activated_nor_repressed_are_grey_in_both_halves(adata):
    adata.uns["msviper"]["leading_edge"]["weight"] = 0.0
    found = ticks(ps.pl.msviper(adata))
    assert {tick[4] for tick in found} == {GREY}
    assert all(up == pytest.approx(down) and up > 0.1 for _, _, up, down, _, _ in found)


def test_ticks_of_the_leading_edge_are_drawn_last(adata):
    ax = ps.pl.msviper(adata)
    lines = next(c for c in ax.collections if len(c.get_segments()) != len(names(ax.yaxis)))
    assert (np.diff(lines.get_colors()[:, 3]) >= 0).all()


# --- around the rows --------------------------------------------------------------------------------------------------


def test_the_signature_stands_above_from_low_to_high(adata):
    ax = ps.pl.msviper(adata)
    curve = panels(ax)["curve"]
    z = sorted(adata.uns["msviper"]["signature"]["z"])
    assert curve.get_xlim() == ax.get_xlim() == (-0.5, len(z) - 0.5)
    heights = np.concatenate([path.vertices for part in curve.collections for path in part.get_paths()])
    assert heights[:, 1].max() == pytest.approx(z[-1])
    assert heights[:, 1].min() == pytest.approx(z[0])
    assert heights[np.argmax(heights[:, 1]), 0] == len(z) - 1
    assert ax.get_xlabel() == "rank of gene by z\nst/im against rest"


def test_at_the_left_the_number_of_targets_and_the_q_value(adata):
    ax = ps.pl.msviper(adata)
    results = ps.get.msviper(adata).set_index("source")
    for row, name in enumerate(names(ax.yaxis)):
        assert int(names(panels(ax)["targets"].yaxis)[row]) == results.loc[name, "n_targets"]
        q = float(names(panels(ax)["q"].yaxis)[row])
        assert q == pytest.approx(np.exp(results.loc[name, "log_qvalue"]), rel=0.06)
    assert [panels(ax)[title].get_title(loc="right") for title in ("q", "targets")] == ["q", "targets"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.log(1.0), "1"),
        (np.log(0.05), "0.05"),
        (np.log(0.0123), "0.012"),
        (np.log(0.001), "0.001"),
        (np.log(0.000994), "9.9e-4"),
        (np.log(3.2e-17), "3.2e-17"),
        (np.log(9.99e-18), "1.0e-17"),
        (np.log(4.0) - 300 * np.log(10), "4.0e-300"),
        (np.log(4.0) - 123456 * np.log(10), "4.0e-123456"),
        (-np.inf, "0"),
        (np.nan, ""),
    ],
)
def test_numbers_are_short_however_small(value, text):
    assert module._number(value) == text


def test_boxes_hold_activity_and_expression_and_crosses_where_there_is_none(adata):
    ax = ps.pl.msviper(adata)
    rows, boxes = names(ax.yaxis), panels(ax)["boxes"]
    results = ps.get.msviper(adata).set_index("source")
    activity, expression = (mesh.get_array().ravel() for mesh in boxes.collections)
    np.testing.assert_allclose(activity, results.loc[rows, "nes"])
    z = adata.uns["msviper"]["signature"].set_index("gene")["z"]
    assert expression[rows.index("R0")] == z["R0"]
    crossed = boxes.lines[1].get_data()
    assert crossed[0].tolist() == [1] * 5
    assert {rows[int(y)] for y in crossed[1]} == set(rows) - {"R0"}
    assert len(boxes.lines[0].get_xdata()) == 0
    assert [panels(ax)[name].get_ylabel() for name in ("activity", "expression")] == [
        "activity (NES)",
        "expression (z)",
    ]
    for mesh in boxes.collections:
        assert mesh.norm.vmin == -mesh.norm.vmax < 0
    assert boxes.get_ylim() == ax.get_ylim()


def test_results_from_a_file_are_drawn_as_before(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    assert ticks(ps.pl.msviper(ad.read_h5ad(tmp_path / "cells.h5ad"))) == ticks(ps.pl.msviper(adata))


def test_results_under_another_key(adata):
    adata.uns["other"] = adata.uns.pop("msviper")
    assert len(names(ps.pl.msviper(adata, key="other", n=2).yaxis)) == 2


# --- layout -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 100])
def test_on_a_new_figure_every_name_is_there_and_none_overlap(n):
    adata = cells(n, 5, name="a regulator with a long name {}")
    ax = laid_out(ps.pl.msviper(adata, n=n))
    columns = [axis.yaxis for axis in (ax, panels(ax)["q"], panels(ax)["targets"])]
    assert [len(names(axis)) for axis in columns] == [n] * 3
    assert [overlapping(axis) for axis in columns] == [0] * 3
    assert not clipped(ax.figure)
    boxes = [[label.get_window_extent() for label in axis.get_ticklabels()] for axis in columns]
    ends = [(min(box.x0 for box in column), max(box.x1 for box in column)) for column in boxes]
    assert ends[0][1] < ends[2][0] < ends[2][1] < ends[1][0] < ends[1][1] < ax.bbox.x0  # name, targets, q, ticks


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_given_axes_are_kept_to_and_names_thinned(layout):
    adata = cells(50, 5)
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 3), layout=layout)
    assert ps.pl.msviper(adata, n=50, ax=left) is left
    assert plt.get_fignums() == [figure.number]
    assert len(figure.axes) == 2
    laid_out(left)
    assert overlapping(left.yaxis) == 0
    assert 5 < len(names(left.yaxis)) < 50
    assert left.get_tightbbox().x1 <= right.bbox.x0
    assert left.get_tightbbox().y1 <= left.get_position(original=True).y1 * figure.bbox.height + 1


# --- what is left alone, and errors -----------------------------------------------------------------------------------


def test_adata_is_left_alone(adata):
    before = state(adata)
    ps.pl.msviper(adata)
    assert state(adata) == before


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"key": "other"}, KeyError, r"adata.uns\['other'\] holds no results of a contrast; run pysces.tl.msviper"),
        ({"n": 0}, ValueError, "n is 0; give a whole number, at least 1"),
        ({"n": "all"}, ValueError, "n is 'all'; give a whole number"),
    ],
)
def test_errors_leave_adata_as_it_is_and_no_figure(adata, options, error, match):
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.msviper(adata, **options)
    assert state(adata) == before
    assert plt.get_fignums() == []
