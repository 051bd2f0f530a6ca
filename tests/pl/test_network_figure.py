"""The figure of several regulators and the targets they share."""

from __future__ import annotations

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from states import state

import pysces as ps
from pysces import _slots
from pysces.pl import _layout
from pysces.pl._axes import BLUE, LIGHT, RED

EDGES = [  # source, target, weight, mi
    ("A", "x", 0.5, 0.9), ("A", "y", 0.5, 0.8), ("A", "a1", 0.5, 0.7), ("A", "a2", 0.5, 0.1),
    ("B", "x", -0.5, 0.9), ("B", "y", 0.5, 0.8), ("B", "A", 0.3, 0.05), ("B", "b1", 0.5, 0.3),
    ("C", "x", 0.5, 0.2), ("C", "c1", -0.5, 0.6), ("C", "a2", 0.5, 0.01),
    ("D", "d1", 0.5, 0.1),
]  # fmt: skip


def table(edges=EDGES):
    return pd.DataFrame(edges, columns=["source", "target", "weight", "mi"])


def cells(network=None, groupby=None):
    rng = np.random.default_rng(0)
    genes = ["A", "B", "C", "D", "x", "y", "a1"]
    adata = ad.AnnData(
        sp.csr_matrix(rng.poisson(1.0, (20, len(genes))).astype(np.float32)),
        obs=pd.DataFrame({"type": pd.Categorical(["a/b"] * 8 + ["c"] * 12)}, [f"c{i}" for i in range(20)]),
        var=pd.DataFrame(index=genes),
    )
    _slots.write_tables(
        adata, "aracne", {"network": table() if network is None else network}, _slots.params(groupby=groupby)
    )
    return adata


def grouped():
    parts = [table().assign(group="a/b"), table(EDGES[:4]).assign(group="c")]
    return cells(pd.concat(parts, ignore_index=True).astype({"group": "category"}), groupby="type")


def ranked(adata, rows, key="rank_regulators"):
    table = pd.DataFrame(rows, columns=["group", "source", "score"]).astype({"group": "category", "source": "category"})
    _slots.write_tables(adata, key, {"table": table}, _slots.params())
    return adata


@pytest.fixture
def adata():
    return cells()


def boxed(ax, weight):
    return {
        text.get_text(): text for text in ax.texts if text.get_bbox_patch() is not None and text.get_weight() == weight
    }


def regulators(ax):
    return list(boxed(ax, "bold"))


def shared(ax):
    return list(boxed(ax, "normal"))


def single(ax):
    return [text.get_text() for text in ax.texts if text.get_bbox_patch() is None]


def n_lines(ax):
    return {of.get_gid(): len(of.get_paths()) for of in ax.collections if of.get_gid() != "targets"}


def dots(ax):
    return next(of for of in ax.collections if of.get_gid() == "targets")


def apart_in_figure(ax):
    """Whether no box overlaps another."""
    ax.figure.canvas.draw()
    seen = [text.get_bbox_patch().get_window_extent() for text in ax.texts if text.get_bbox_patch() is not None]
    return not any(box.overlaps(other) for i, box in enumerate(seen) for other in seen[:i])


# --- what is drawn ----------------------------------------------------------------------------------------------------


def test_targets_of_several_regulators_stand_apart_from_those_of_one(adata):
    ax = ps.pl.network(adata)
    assert set(regulators(ax)) == {"A", "B", "C", "D"}
    assert shared(ax) == ["x", "y", "a2"]  # of three regulators, then by information
    assert set(single(ax)) == {"a1", "b1", "c1", "d1"}
    assert ax.get_title() == "4 of 4 regulators, 7 targets (3 of several regulators)"


def test_shared_targets_lie_within_the_circle_of_regulators_and_others_outside(adata):
    ax = ps.pl.network(adata)

    def distances(texts):
        return [np.hypot(*text.get_position()) for text in texts.values()]

    outside = np.linalg.norm(dots(ax).get_offsets(), axis=1)
    ring = distances(boxed(ax, "bold"))
    assert max(distances(boxed(ax, "normal"))) < min(ring)
    assert max(ring) < min(outside)


def test_each_target_of_one_regulator_is_nearest_to_it(adata):
    ax = ps.pl.network(adata)
    own = np.array([text.get_position() for text in boxed(ax, "bold").values()])
    for name, at in zip(single(ax), dots(ax).get_offsets(), strict=True):
        nearest = regulators(ax)[np.linalg.norm(own - at, axis=1).argmin()]
        assert nearest.lower() == name[0]


def test_shared_targets_are_the_darker_the_more_regulators_they_have(adata):
    faces = {
        name: text.get_bbox_patch().get_facecolor()[0] for name, text in boxed(ps.pl.network(adata), "normal").items()
    }
    assert faces["x"] < faces["y"] == faces["a2"]


def test_all_edges_between_what_is_drawn_are_drawn(adata):
    ax = ps.pl.network(adata)
    assert n_lines(ax) == {"activated": 10, "heads": 10, "repressed": 2, "bars": 2}
    colours = {of.get_gid(): to_hex(of.get_edgecolor()[0]) for of in ax.collections}
    assert colours["activated"] == RED
    assert colours["repressed"] == BLUE


def test_the_strongest_targets_of_each_regulator_are_drawn_with_all_their_edges(adata):
    ax = ps.pl.network(adata, n_targets=1)
    assert shared(ax) == ["x"]  # also of C, whose strongest is another
    assert single(ax) == ["c1", "d1"] or single(ax) == ["d1", "c1"]
    assert sum(n_lines(ax)[name] for name in ("activated", "repressed")) == 6  # three of x, c1, d1, B to A


def test_regulators_are_no_targets_and_edges_between_them_are_bent(adata):
    ax = ps.pl.network(adata, regulators=["B", "A"], n_targets=1)
    assert "A" not in shared(ax) + single(ax)
    (lines,) = (of for of in ax.collections if of.get_gid() == "activated")

    def bend(line):
        along = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
        return abs((line[8] - line[0]) @ (-along[1], along[0]))

    bends = sorted(map(bend, lines.get_segments()))
    assert bends[-1] > 0.02
    assert max(bends[:-1]) < 1e-9


def test_regulators_that_share_targets_are_neighbours():
    pairs = [("A", "C"), ("B", "D"), ("E", "F")]
    edges = [(name, f"{'-'.join(pair)}{i}", 0.5, 0.5) for pair in pairs for name in pair for i in range(3)]
    names = regulators(ps.pl.network(cells(table(edges))))
    for a, b in pairs:
        assert abs(names.index(a) - names.index(b)) in {1, 5}


def test_by_default_the_regulators_with_most_targets(adata):
    assert set(regulators(ps.pl.network(adata, n_regulators=2))) == {"A", "B"}  # of B and A 4, of C 3
    assert ps.pl.network(adata, n_regulators=2).get_title().startswith("2 of 4 regulators")


def test_the_top_regulators_of_the_group_come_first():
    rows = [("a/b", "D", 9.0), ("a/b", "NONE", 8.0), ("a/b", "C", 7.0), ("a/b", "A", 6.0), ("c", "A", 9.0)]
    adata = ranked(grouped(), rows)
    assert set(regulators(ps.pl.network(adata, group="a/b", n_regulators=2))) == {"C", "D"}


def test_a_ranking_without_the_group_or_without_scores_is_passed_over():
    adata = ranked(grouped(), [("c", "D", 9.0), ("a/b", "D", np.nan)])
    assert set(regulators(ps.pl.network(adata, group="a/b", n_regulators=2))) == {"A", "B"}
    assert regulators(ps.pl.network(adata, group="c")) == ["A"]


def test_a_ranking_by_the_package_is_used():
    adata = grouped()
    scores = np.zeros((20, 2), np.float32)
    scores[:8] = [5, -5]
    scores += np.random.default_rng(0).normal(size=scores.shape)
    names = ["D", "A"]
    activity = pd.DataFrame(scores, adata.obs_names, names)
    regulons = pd.DataFrame({"source": pd.Categorical(names), "n_targets": 5})
    _slots.write_activity(adata, "viper", {"": activity}, None, regulons, _slots.params(reference="all"))
    ps.tl.rank_regulators(adata, "type")
    assert regulators(ps.pl.network(adata, group="a/b", n_regulators=1)) == ["D"]


def test_a_single_regulator_is_in_the_middle(adata):
    ax = ps.pl.network(adata, regulators=["C"])
    assert boxed(ax, "bold")["C"].get_position() == (0, 0)
    assert single(ax) == ["c1", "x", "a2"]
    assert ax.get_title() == "1 of 4 regulators, 3 targets"


def test_regulators_of_each_other_alone():
    network = table([("A", "B", 0.5, 0.2), ("B", "A", -0.5, 0.2), ("A", "A", 0.5, 0.1)])
    ax = ps.pl.network(cells(network))
    assert shared(ax) == single(ax) == []
    assert ax.get_title() == "2 of 2 regulators, 0 targets"
    assert n_lines(ax) == {"activated": 2, "heads": 2, "repressed": 1, "bars": 1}
    assert apart_in_figure(ax)
    (low, high), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    for of in ax.collections:
        for line in of.get_paths() if of.get_gid() != "targets" else []:
            assert ((line.vertices > (low, bottom)) & (line.vertices < (high, top))).all()


def test_the_legend_of_widths_is_that_of_information(adata):
    def legend(ax):
        return [text.get_text() for text in ax.get_legend().get_texts()]

    assert legend(ps.pl.network(adata)) == ["activated", "repressed", "MI 0.01 nats", "MI 0.9 nats"]
    assert legend(ps.pl.network(adata, network=table().drop(columns="mi"))) == ["activated", "repressed"]


def test_names_do_not_overlap_in_a_new_figure():
    rng = np.random.default_rng(0)
    edges = {(f"REG{i}", f"T{j}") for i, j in zip(rng.integers(0, 12, 200), rng.integers(0, 100, 200), strict=True)}
    network = table([(*edge, 0.5, 0.1 + 0.001 * i) for i, edge in enumerate(sorted(edges))])
    ax = ps.pl.network(cells(network), n_regulators=12)
    assert len(shared(ax)) > 30
    assert apart_in_figure(ax)
    assert min(text.get_size() for text in ax.texts) >= 6


def test_colours_are_those_of_values():
    adata = grouped()
    ax = ps.pl.network(adata, group="a/b", color="expression")
    dense, inside = adata.to_df(), (adata.obs["type"] == "a/b").to_numpy()
    expected = (dense[inside].mean() - dense[~inside].mean()) / dense.std(ddof=0)
    most = np.quantile(np.abs(expected), 0.99)
    nodes = boxed(ax, "bold") | boxed(ax, "normal")
    for name in ("A", "B", "C", "D", "x", "y"):
        colour = mpl.colormaps["RdBu_r"]((expected[name] / most + 1) / 2)
        np.testing.assert_allclose(nodes[name].get_bbox_patch().get_facecolor(), colour, atol=0.02)
    of_dots = dict(zip(single(ax), dots(ax).get_facecolors(), strict=True))
    assert to_hex(of_dots["b1"]) == LIGHT  # not a gene of the data
    assert to_hex(of_dots["a1"]) != LIGHT
    assert len(ax.figure.axes) == 2


def test_it_draws_on_given_axes(adata):
    figure, (left, right) = plt.subplots(1, 2)
    assert ps.pl.network(adata, ax=right) is right
    assert not left.texts
    assert plt.get_fignums() == [figure.number]
    assert min(text.get_size() for text in right.texts) >= 6


def test_it_leaves_adata_alone_and_draws_the_same_again():
    adata = grouped()
    before = state(adata)
    first, second = (ps.pl.network(adata, group="a/b", color="expression") for _ in range(2))
    assert [text.get_position() for text in first.texts] == [text.get_position() for text in second.texts]
    assert state(adata) == before


# --- layout -----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 40), st.integers(0, 2**32 - 1), st.sampled_from(["one place", "two places", "anywhere"]))
def test_boxes_are_spread_without_overlap_within_the_circle(n, seed, wanted):
    rng = np.random.default_rng(seed)
    half = np.column_stack([rng.uniform(0.1, 0.4, n), np.full(n, 0.08)])
    radius = np.sqrt((4 * np.prod(half + _layout.GAP / 2, axis=1)).sum() / (np.pi * _layout.FILLED)) + 0.5
    at = {
        "one place": np.zeros((n, 2)),
        "two places": np.column_stack([np.where(np.arange(n) % 2, 1, -1), np.zeros(n)]) * radius,
        "anywhere": rng.uniform(-radius, radius, (n, 2)),
    }[wanted]
    found = _layout.spread(at, half, radius)
    apart = np.abs(found[:, None] - found[None]) - half[:, None] - half[None]
    assert (apart.max(axis=2)[~np.eye(n, dtype=bool)] > 0).all()
    assert (np.linalg.norm(np.abs(found) + half, axis=1) < radius + 1e-9).all()


def test_a_chain_goes_on_with_what_is_shared_most():
    shared = np.array([[9, 1, 0, 5], [1, 9, 4, 0], [0, 4, 9, 2], [5, 0, 2, 9]])
    assert _layout.chain(shared) == [3, 0, 1, 2]
    assert _layout.chain(np.array([[7]])) == [0]


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "options", "error", "match"),
    [
        (cells, {"regulators": ["A", "AB"]}, ValueError, r"regulator 'AB' has no target in the network; did you mean"),
        (cells, {"regulators": ["A", "A"]}, ValueError, "regulators holds duplicates: 'A'. Name each once"),
        (cells, {"regulators": "A"}, TypeError, "regulators='A'; give a list of names"),
        (cells, {"regulators": []}, ValueError, r"regulators=\[\]; give a list of names"),
        (cells, {"n_regulators": 0}, ValueError, "n_regulators is 0; give a whole number, at least 1"),
        (cells, {"n_targets": 0}, ValueError, "n_targets is 0; give a whole number, at least 1"),
        (cells, {"color": "mi"}, ValueError, "color is 'mi'; choose one of"),
        (grouped, {}, ValueError, r"network has one part per group; choose one by group=: 'a/b', 'c'\."),
        (grouped, {"group": "d"}, KeyError, "group='d' has no edges in the network"),
        (cells, {"group": "c"}, KeyError, "group='c', but network is one of all cells"),
        (cells, {"network": "net"}, KeyError, r"adata.uns\['net'\] holds no network"),
        (grouped, {"group": "c", "color": "activity"}, KeyError, r"adata.obsm\['viper'\] holds no activities"),
    ],
)
def test_errors_draw_nothing_and_leave_adata_as_it_is(make, options, error, match):
    adata = make()
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.network(adata, **options)
    assert state(adata) == before
    assert not plt.get_fignums()
