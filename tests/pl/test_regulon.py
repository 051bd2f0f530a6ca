"""The figure of one regulator and its targets."""

from __future__ import annotations

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgba
from states import state

import pysces as ps
from pysces import _slots
from pysces.pl._axes import BLUE, GREY, LIGHT, RED

N_GENES = 8
GENES = [f"G{i}" for i in range(N_GENES)]
EDGES = [  # source, target, weight, mi
    ("R", "G0", 0.5, 0.10), ("R", "G1", -0.4, 0.40), ("R", "G2", 0.9, 0.30), ("R", "G3", -0.2, 0.05),
    ("R", "G4", 0.3, 0.20), ("S", "G0", 0.3, 0.25),
]  # fmt: skip


def table(edges=None, columns=("source", "target", "weight", "mi")):
    return pd.DataFrame(EDGES if edges is None else edges, columns=list(columns))


def cells(network=None, groupby=None):
    rng = np.random.default_rng(0)
    x = rng.poisson(1.0, (20, N_GENES + 1)).astype(np.float32)
    x[:, 3] = 1.1  # constant
    adata = ad.AnnData(
        sp.csr_matrix(x),
        obs=pd.DataFrame(
            {"type": pd.Categorical(["a/b"] * 8 + ["c"] * 12), "batch": ["x", "y"] * 10}, [f"c{i}" for i in range(20)]
        ),
        var=pd.DataFrame(index=[*GENES, "R"]),
    )
    network = table() if network is None else network
    _slots.write_tables(adata, "aracne", {"network": network}, _slots.params(groupby=groupby))
    activity = pd.DataFrame({"R": rng.normal(size=20), "G1": rng.normal(size=20)}, adata.obs_names, dtype=np.float32)
    activity.loc[adata.obs_names[0], "G1"] = np.nan
    regulons = pd.DataFrame({"source": pd.Categorical(["G1", "R"]), "n_targets": 5})
    _slots.write_activity(adata, "viper", {"": activity}, None, regulons, _slots.params())
    return adata


def grouped():
    both = [table().assign(group=label).iloc[: 6 - 2 * i] for i, label in enumerate(("a/b", "c"))]
    return cells(pd.concat(both, ignore_index=True).astype({"group": "category"}), groupby="type")


@pytest.fixture
def adata():
    return cells()


def labels(ax):
    """Names of targets, in the order of drawing."""
    return [text.get_text() for text in ax.texts if text.get_bbox_patch() is None]


def boxes(ax):
    return {text.get_text(): text.get_bbox_patch() for text in ax.texts if text.get_bbox_patch() is not None}


def edges(ax):
    """Lines by what they mean: ``activated``, ``repressed``, ``neither``, ``bars``, ``heads``."""
    return {of.get_gid(): of for of in ax.collections if of.get_gid() and of.get_gid() != "targets"}


def dots(ax):
    return next(of for of in ax.collections if of.get_gid() == "targets")


def fills(ax):
    """Face colour of each node, by name."""
    faces = np.broadcast_to(dots(ax).get_facecolors(), (len(labels(ax)), 4))
    of_dots = dict(zip(labels(ax), map(tuple, faces), strict=True))
    return of_dots | {name: box.get_facecolor() for name, box in boxes(ax).items()}


def bars(ax):
    return [other for other in ax.figure.axes if other is not ax]


# --- what is drawn ----------------------------------------------------------------------------------------------------


def test_targets_are_in_the_order_of_sign_and_information(adata):
    ax = ps.pl.regulon(adata, "R")
    assert labels(ax) == ["G2", "G4", "G0", "G1", "G3"]
    assert list(boxes(ax)) == ["R"]
    assert ax.get_title() == "R: 5 targets"


def test_targets_go_clockwise_from_the_top(adata):
    x, y = dots(ps.pl.regulon(adata, "R")).get_offsets().T
    clockwise = np.mod(np.pi / 2 - np.arctan2(y, x), 2 * np.pi)
    assert (np.diff(clockwise) > 0).all()


def test_only_the_strongest_targets_are_drawn_and_the_title_says_so(adata):
    ax = ps.pl.regulon(adata, "R", n_top=3)
    assert labels(ax) == ["G2", "G4", "G1"]
    assert ax.get_title() == "R: 3 of 5 targets"


def test_a_single_target(adata):
    ax = ps.pl.regulon(adata, "S")
    assert labels(ax) == ["G0"]
    assert ax.get_title() == "S: 1 target"


def test_signs_have_colours_lines_and_ends(adata):
    network = table([*EDGES, ("R", "G5", 0.0, 0.02)])
    found = edges(ps.pl.regulon(adata, "R", network=network))
    assert set(found) == {"activated", "repressed", "neither", "heads", "bars"}
    for name, colour, n in (("activated", RED, 3), ("repressed", BLUE, 2), ("neither", GREY, 1)):
        assert to_hex(found[name].get_edgecolor()[0]) == colour
        assert len(found[name].get_segments()) == n
    assert len(found["heads"].get_paths()) == 3
    assert len(found["bars"].get_segments()) == 2
    assert isinstance(found["bars"], LineCollection)
    assert found["activated"].get_linestyles()[0][1] is None
    assert found["repressed"].get_linestyles()[0][1] is not None


def test_an_edge_ends_at_its_target(adata):
    ax = ps.pl.regulon(adata, "R")
    heads = np.array([path.vertices[0] for path in edges(ax)["heads"].get_paths()])
    targets = dots(ax).get_offsets()[:3]
    assert (np.linalg.norm(heads - targets, axis=1) < 0.1).all()
    outward = np.linalg.norm(heads, axis=1)
    assert (outward < np.linalg.norm(targets, axis=1)).all()


def test_widths_grow_with_information(adata):
    found = edges(ps.pl.regulon(adata, "R"))
    widths = found["activated"].get_linewidths()  # 0.3, 0.2, 0.1
    np.testing.assert_allclose(np.diff(widths), np.diff(widths)[0])
    assert found["repressed"].get_linewidths()[0] > widths[0] > widths[2] > found["repressed"].get_linewidths()[1]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts() if text.get_text().strip()]


def test_the_legend_names_signs_and_widths(adata):
    ax = ps.pl.regulon(adata, "R")
    assert legend(ax) == ["activated", "repressed", "MI 0.05 nats", "MI 0.4 nats"]
    zero = ps.pl.regulon(adata, "R", network=table([*EDGES, ("R", "G5", 0.0, 0.02)]))
    assert legend(zero)[:3] == ["activated", "repressed", "neither"]
    assert len(legend(zero)) == 6


def test_likelihood_stands_in_for_information(adata):
    network = table().rename(columns={"mi": "likelihood"})
    ax = ps.pl.regulon(adata, "R", network=network)
    assert labels(ax) == ["G2", "G4", "G0", "G1", "G3"]
    assert legend(ax)[2:] == ["likelihood 0.05", "likelihood 0.4"]


def test_a_network_of_weights_alone_has_equal_widths_and_no_legend_of_them(adata):
    ax = ps.pl.regulon(adata, "R", network=table().drop(columns="mi"), n_top=4)
    assert labels(ax) == ["G2", "G0", "G4", "G1"]
    assert len({*edges(ax)["activated"].get_linewidths(), *edges(ax)["repressed"].get_linewidths()}) == 1
    assert legend(ax) == ["activated", "repressed"]


def test_a_regulator_of_itself_has_a_loop_and_no_second_node(adata):
    ax = ps.pl.regulon(adata, "R", network=table([*EDGES, ("R", "R", 0.6, 0.15)]))
    assert labels(ax) == ["G2", "G4", "G0", "G1", "G3"]
    assert len(edges(ax)["activated"].get_segments()) == 4
    assert ax.get_title() == "R: 6 targets"
    alone = ps.pl.regulon(adata, "R", network=table([("R", "R", 0.6, 0.15)]))
    assert labels(alone) == []
    loop = edges(alone)["activated"].get_segments()[0]
    (low, high), (bottom, top) = alone.get_xlim(), alone.get_ylim()
    assert ((loop > (low, bottom)) & (loop < (high, top))).all()


@pytest.mark.parametrize("n", [1, 3, 30, 100, 101])
def test_labels_do_not_overlap_and_are_large_enough(adata, n):
    names = [f"GENE{i}" for i in range(n)]
    network = pd.DataFrame({"source": "R", "target": names, "weight": 1.0, "mi": np.linspace(1, 0.1, n)})
    ax = ps.pl.regulon(adata, "R", network=network, n_top=n)
    texts = [text for text in ax.texts if text.get_bbox_patch() is None]
    assert len(texts) == n
    assert min(text.get_size() for text in texts) >= 6
    x, y = dots(ax).get_offsets().T
    place = np.column_stack([np.arctan2(y, x) * min(np.hypot(x, y)), np.hypot(x, y)])  # along and from the circle
    apart = np.abs(place[:, None] - place[None])
    apart[..., 0] = np.minimum(apart[..., 0], 2 * np.pi * place[:, 1].min() - apart[..., 0])
    np.fill_diagonal(apart[..., 0], np.inf)
    line = texts[0].get_size() / 72
    same_ring = apart[..., 1] < 0.01
    assert (apart[..., 0][same_ring] > 1.1 * line).all()  # beside other labels
    assert (apart[..., 0] > 0.7 * line).all()  # beside edges to the outer ring


def test_the_figure_grows_with_the_number_of_targets(adata):
    network = pd.DataFrame({"source": "R", "target": [f"GENE{i}" for i in range(300)], "weight": 1.0})
    widths = [ps.pl.regulon(adata, "R", network=network, n_top=n).figure.get_size_inches()[0] for n in (10, 60, 300)]
    assert widths == sorted(widths)
    assert widths[0] < 4
    assert 6 < widths[2] < 12


def test_it_draws_on_given_axes(adata):
    figure, (left, right) = plt.subplots(1, 2)
    assert ps.pl.regulon(adata, "R", ax=right) is right
    assert not left.texts
    assert plt.get_fignums() == [figure.number]
    assert min(text.get_size() for text in right.texts) >= 6


@pytest.mark.parametrize("color", [None, "expression", "activity"])
def test_it_leaves_adata_alone(color):
    adata = grouped()
    before = state(adata)
    ps.pl.regulon(adata, "R", group="c", color=color).figure.canvas.draw()
    assert state(adata) == before


def test_the_same_call_draws_the_same(adata):
    first, second = ps.pl.regulon(adata, "R"), ps.pl.regulon(adata, "R")
    np.testing.assert_array_equal(dots(first).get_offsets(), dots(second).get_offsets())


# --- groups and colours -----------------------------------------------------------------------------------------------


def test_the_network_of_a_group_is_drawn():
    adata = grouped()
    assert ps.pl.regulon(adata, "R", group="a/b").get_title() == "R: 5 targets\na/b"
    ax = ps.pl.regulon(adata, "R", group="c")
    assert ax.get_title() == "R: 4 targets\nc"
    assert labels(ax) == ["G2", "G0", "G1", "G3"]


def test_nodes_are_light_without_values(adata):
    found = fills(ps.pl.regulon(adata, "R"))
    assert {to_hex(found[name]) for name in GENES[:5]} == {LIGHT}
    assert not bars(ps.pl.regulon(adata, "R"))


def test_expression_is_the_difference_of_means_in_standard_deviations():
    adata = grouped()
    ax = ps.pl.regulon(adata, "R", group="a/b", color="expression")
    dense = adata.to_df()
    inside = (adata.obs["type"] == "a/b").to_numpy()
    expected = {
        name: (dense.loc[inside, name].mean() - dense.loc[~inside, name].mean()) / dense[name].std(ddof=0)
        for name in ("R", "G0", "G1", "G2", "G4")
    }
    (bar,) = bars(ax)
    assert bar.get_ylabel() == r"expression, group $-$ others (sd)"
    most = np.quantile(np.abs(list(expected.values())), 0.99)
    found = fills(ax)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], mpl.colormaps["RdBu_r"]((value / most + 1) / 2), atol=0.02)
    assert to_hex(found["G3"]) == LIGHT  # constant


def test_expression_of_genes_that_are_not_there_is_light():
    network = table([("R", "G0", 1.0, 0.2), ("R", "GONE", 1.0, 0.1)])
    ax = ps.pl.regulon(cells(network), "R", group="c", groupby="type", color="expression")
    assert to_hex(fills(ax)["GONE"]) == LIGHT
    assert to_hex(fills(ax)["G0"]) != LIGHT


def test_activity_is_the_mean_of_the_group_where_there_is_one():
    adata = grouped()
    ax = ps.pl.regulon(adata, "R", group="a/b", color="activity")
    means = adata.obsm["viper"][(adata.obs["type"] == "a/b").to_numpy()].mean()
    most = np.quantile(np.abs(means), 0.99)
    found = fills(ax)
    for name in ("R", "G1"):
        np.testing.assert_allclose(found[name], mpl.colormaps["RdBu_r"]((means[name] / most + 1) / 2), atol=0.02)
    assert {to_hex(found[name]) for name in ("G0", "G2", "G3", "G4")} == {LIGHT}
    assert bars(ax)[0].get_ylabel() == "activity, mean of group (NES)"


def test_a_network_of_all_cells_is_coloured_by_any_group(adata):
    ax = ps.pl.regulon(adata, "R", group="c | y", groupby=["type", "batch"], color="expression")
    assert ax.get_title() == "R: 5 targets\nc | y"


def test_cells_without_a_label_do_not_count():
    adata = cells()
    adata.obs["part"] = adata.obs["type"].where(np.arange(20) < 15)
    few = ps.pl.regulon(adata[:15].copy(), "R", group="c", groupby="type", color="expression")
    assert fills(ps.pl.regulon(adata, "R", group="c", groupby="part", color="expression")) == fills(few)


def test_a_dark_node_has_light_text():
    adata = grouped()
    adata.X = adata.X.toarray() + 50 * np.outer(np.arange(20) < 8, np.arange(N_GENES + 1) == N_GENES)
    ax = ps.pl.regulon(adata, "R", group="a/b", color="expression")
    (text,) = (text for text in ax.texts if text.get_text() == "R")
    assert to_rgba(text.get_color()) == to_rgba("white")


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_it_draws_what_was_read_from_a_file(tmp_path, suffix):
    adata = grouped()
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    given = {"group": "a/b", "color": "expression"}
    assert fills(ps.pl.regulon(read, "R", **given)) == fills(ps.pl.regulon(adata, "R", **given))


def test_backed_data_are_drawn_as_in_memory(tmp_path):
    adata = grouped()
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    given = {"group": "a/b", "color": "expression"}
    assert fills(ps.pl.regulon(backed, "R", **given)) == fills(ps.pl.regulon(adata, "R", **given))


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "regulator", "options", "error", "match"),
    [
        (cells, "RR", {}, ValueError, r"regulator 'RR' has no target in the network; did you mean 'R'\?"),
        (cells, "KLF4", {}, ValueError, r"regulator 'KLF4' has no target in the network; it has: 'R', 'S'\."),
        (grouped, "S", {"group": "c"}, ValueError, "regulator 'S' has no target"),
        (cells, "R", {"n_top": 0}, ValueError, "n_top is 0; give a whole number, at least 1"),
        (cells, "R", {"color": "mi"}, ValueError, "color is 'mi'; choose one of 'expression', 'activity', None"),
        (grouped, "R", {}, ValueError, r"network has one part per group; choose one by group=: 'a/b', 'c'\."),
        (grouped, "R", {"group": "d"}, KeyError, "group='d' has no edges in the network; .*'a/b', 'c'"),
        (cells, "R", {"group": "c"}, KeyError, "group='c', but network is one of all cells; leave group out, or"),
        (cells, "R", {"groupby": "type"}, ValueError, "groupby='type' says which cells to colour by; give color="),
        (cells, "R", {"color": "activity"}, ValueError, "color='activity' is of a group of cells; name it: group="),
        (cells, "R", {"network": "net"}, KeyError, r"adata.uns\['net'\] holds no network"),
        (cells, "R", {"network": {}}, TypeError, "network is dict; give a DataFrame"),
        (cells, "R", {"network": table().drop(columns="weight")}, ValueError, "network lacks the columns 'weight'"),
        (cells, "R", {"group": "c", "groupby": "kind", "color": "expression"}, KeyError, "groupby='kind' is not a col"),
        (cells, "R", {"group": "d", "groupby": "type", "color": "expression"}, ValueError, "group='d' has no cells in"),
        (grouped, "R", {"group": "c", "color": "activity", "viper": "v"}, KeyError, r"adata.obsm\['v'\] holds no act"),
        (
            cells, "R", {"network": table().assign(group="c"), "group": "c", "color": "expression"}, ValueError,
            "color='expression' needs the column of adata.obs that holds group='c'; name it",
        ),
    ],
)  # fmt: skip
def test_errors_draw_nothing_and_leave_adata_as_it_is(make, regulator, options, error, match):
    adata = make()
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.regulon(adata, regulator, **options)
    assert state(adata) == before
    assert not plt.get_fignums()


def test_expression_needs_other_cells():
    adata = cells()
    adata.obs["all"] = pd.Categorical(["all"] * 20)
    with pytest.raises(ValueError, match="color='expression' compares with other cells, but all are of group='all'"):
        ps.pl.regulon(adata, "R", group="all", groupby="all", color="expression")
    ps.pl.regulon(adata, "R", group="all", groupby="all", color="activity")
