"""pl.mi: the pair of genes that is drawn, its partition, its cells, its labels."""

from __future__ import annotations

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import oracles
import pandas as pd
import pytest
import scipy.sparse as sp
from matplotlib.collections import PathCollection, PolyCollection
from states import state

import pysces as ps


@pytest.fixture
def adata():
    """Counts of 60 genes in 240 cells of two groups; "B" follows "A", "C" is rare, "D" is constant."""
    rng = np.random.default_rng(5)
    X = rng.poisson(1.0, (240, 60))
    X[:, 1] = rng.poisson(X[:, 0] + 0.1)
    X[:, 2] = rng.random(240) < 0.06
    X[:, 3] = 0
    names = ["A", "B", "C", "D", *(f"g{i}" for i in range(56))]
    obs = pd.DataFrame({"type": ["T/NK", "B"] * 120, "batch": ["1"] * 100 + ["2"] * 140}, index=map(str, range(240)))
    return ad.AnnData(sp.csr_matrix(X.astype(np.float32)), obs=obs, var=pd.DataFrame(index=names))


def rectangles(ax):
    (found,) = [drawn for drawn in ax.collections if isinstance(drawn, PolyCollection)]
    return found


def points(ax):
    (found,) = [drawn for drawn in ax.collections if isinstance(drawn, PathCollection)]
    return found.get_offsets()


def title(ax):
    return ax.get_title(loc="left").splitlines()


def nats(line):
    return float(line.split()[1])


def counts(adata, gene):
    return adata[:, gene].X.toarray().ravel()


def drawn_information(ax):
    """From what is drawn alone: the area of a rectangle is what it should hold, and its points what it does."""
    of_cells, n = points(ax), len(points(ax))
    total = 0.0
    for path in rectangles(ax).get_paths():
        (left, low), (right, high) = path.vertices.min(axis=0), path.vertices.max(axis=0)
        inside = (of_cells > (left, low)).all(axis=1) & (of_cells < (right, high)).all(axis=1)
        k, expected = inside.sum(), (right - left) * (high - low) / n
        total += k / n * np.log(k / expected) if k else 0.0
    return total


# --- what is drawn ----------------------------------------------------------------------------------------------------


def test_rectangles_and_points_hold_the_information_of_the_partition(adata):
    expected = ps.ARACNe(estimator="apmi").mutual_information(adata.X, [0])[0, 1]
    assert drawn_information(ps.pl.mi(adata, "A", "B")) == pytest.approx(expected, abs=1e-12)
    assert expected > 0.1


def test_the_title_has_names_cells_and_both_informations(adata):
    names, cells, partition, copula = title(ps.pl.mi(adata, "A", "B"))
    assert (names, cells) == ("A and B", "240 cells")
    assert nats(partition) == pytest.approx(oracles.apmi(counts(adata, "A"), counts(adata, "B")), abs=5e-5)
    assert partition.endswith("nats (partition)")
    assert nats(copula) == pytest.approx(ps.ARACNe().mutual_information(adata.X, [0])[0, 1], abs=5e-5)
    assert copula.endswith("nats (copula, within depth)")


def test_information_is_that_of_the_network(adata):
    ps.tl.aracne(adata, ["A"], n_subnetworks=0)
    edge = ps.get.network(adata).set_index("target").loc["B"]
    assert nats(title(ps.pl.mi(adata, "A", "B"))[3]) == pytest.approx(edge["mi"], abs=5e-5)


def test_every_cell_is_a_point_at_a_rank_of_its_value(adata):
    of_cells = points(ps.pl.mi(adata, "A", "B"))
    for axis, gene in enumerate("AB"):
        ranks = of_cells[:, axis]
        assert sorted(ranks) == (np.arange(240) + 0.5).tolist()
        ordered = counts(adata, gene)[np.argsort(ranks)]
        assert (np.diff(ordered) >= 0).all()


def test_the_figure_is_the_same_each_time(adata):
    one, other = (points(ps.pl.mi(adata, "A", "B")) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_rectangles_are_coloured_by_observed_over_expected_cells(adata):
    found = rectangles(ps.pl.mi(adata, "A", "B"))
    assert found.get_cmap().name == "RdBu_r"
    assert (found.norm.vmin, found.norm.vmax) == (1 / 8, 8)
    ratios = found.get_array()
    assert ratios.min() < 1 < ratios.max()
    assert np.log(ratios) @ np.sign(np.log(ratios)) > 0


def test_axes_of_counts_name_the_blocks_and_how_many_are_zero(adata):
    ax = ps.pl.mi(adata, "A", "B")
    of_a = counts(adata, "A")
    assert ax.get_xlabel() == f"A\ncounts, 0 in {100 * (of_a == 0).mean():.0f} % of cells"
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[:3] == ["0", "1", "2"]
    for label, at in zip(labels, ax.get_xticks(), strict=True):
        assert at == ((of_a < int(label)).sum() + (of_a <= int(label)).sum()) / 2
    assert ax.get_ylabel().startswith("B\ncounts, 0 in")


def test_lines_part_blocks_of_equal_counts(adata):
    ax = ps.pl.mi(adata, "A", "B")
    upright = {line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1}
    of_a = counts(adata, "A")
    assert (
        {(of_a <= 0).sum(), (of_a <= 1).sum(), (of_a <= 2).sum()}
        <= upright
        <= set(np.cumsum(np.bincount(of_a.astype(int))))
    )


def test_axes_of_other_values_are_ranks(adata):
    adata.X = adata.X.toarray() + np.random.default_rng(0).random((240, 60))
    ax = ps.pl.mi(adata, "A", "B")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("A\nrank of the cells", "B\nrank of the cells")
    assert max(ax.get_xticks()) <= 240
    assert title(ax)[3].endswith("(copula)")


def test_zeros_of_more_than_half_of_the_cells_take_half_of_the_axis(adata):
    ax = ps.pl.mi(adata, "A", "C")
    n_zero = int((counts(adata, "C") == 0).sum())
    assert n_zero > 200
    ends = ax.transData.transform([(0, 0), (0, n_zero), (0, 240)])[:, 1]
    assert ends[1] - ends[0] == pytest.approx(ends[2] - ends[1])
    across = ax.transData.transform([(0, 0), (120, 0), (240, 0)])[:, 0]
    assert across[1] - across[0] == pytest.approx(across[2] - across[1])


def test_zeros_of_values_that_are_no_counts_are_marked_on_the_axis(adata):
    adata.X = adata.X.toarray() * np.random.default_rng(0).random((240, 60))
    n_zero = int((np.asarray(adata[:, "C"].X) == 0).sum())
    ax = ps.pl.mi(adata, "A", "C")
    assert ax.get_yticks().tolist() == [0, n_zero, 240]
    assert ax.get_ylabel() == f"C\nrank of the cells, 0 in {n_zero / 2.4:.0f} % of cells"


def test_many_cells_are_small_light_and_one_image(adata):
    few = ps.pl.mi(adata, "A", "B")
    many = ad.concat([adata] * 50, index_unique="-")
    ax = ps.pl.mi(many, "A", "B")
    (cells,), (of_few,) = ([c for c in a.collections if isinstance(c, PathCollection)] for a in (ax, few))
    assert len(cells.get_offsets()) == 12_000
    assert cells.get_rasterized()
    assert cells.get_alpha() < of_few.get_alpha()
    assert cells.get_sizes()[0] < of_few.get_sizes()[0]


# --- which cells, which settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("groupby", ["type", ["type"]])
def test_only_the_cells_of_a_group(adata, groupby):
    ax = ps.pl.mi(adata, "A", "B", group="T/NK", groupby=groupby)
    part = adata[adata.obs["type"] == "T/NK"].copy()
    assert title(ax)[1] == "120 cells of T/NK"
    np.testing.assert_array_equal(points(ax), points(ps.pl.mi(part, "A", "B")))
    assert title(ax)[2:] == title(ps.pl.mi(part, "A", "B"))[2:]


def test_groups_of_several_columns(adata):
    ax = ps.pl.mi(adata, "A", "B", group="B | 2", groupby=["type", "batch"])
    assert title(ax)[1] == "70 cells of B | 2"


def test_the_groups_and_settings_are_those_of_the_network(adata):
    adata.layers["counts"] = adata.X.copy()
    adata.X = sp.csr_matrix(adata.X.shape, dtype=np.float32)
    ps.tl.aracne(
        adata, ["A"], groupby="type", layer="counts", estimator="apmi", convention="aracne-ap", n_subnetworks=0,
        dpi=None, key_added="ap",
    )  # fmt: skip
    ax = ps.pl.mi(adata, "A", "B", group="B", key="ap")
    x, y = (adata[adata.obs["type"] == "B", gene].layers["counts"].toarray().ravel() for gene in "AB")
    lines = title(ax)
    assert lines[1] == "120 cells of B"
    assert len(lines) == 3  # no copula, which the network does not use
    assert nats(lines[2]) == pytest.approx(oracles.apmi(x, y, "aracne-ap"), abs=5e-5)


def test_a_network_of_all_cells_among_those_of_groups(adata):
    ps.tl.aracne(adata, ["A"], groupby="type", all_cells=True, n_subnetworks=0, dpi=None)
    assert title(ps.pl.mi(adata, "A", "B", group="all cells"))[1] == "240 cells"


def test_ties_are_drawn_together_for_a_network_that_tears_them_apart(adata):
    alone = drawn_information(ps.pl.mi(adata, "A", "B"))
    ps.tl.aracne(adata, ["A"], estimator="apmi", ties="random", n_subnetworks=0)
    assert drawn_information(ps.pl.mi(adata, "A", "B")) == pytest.approx(alone, abs=1e-12)


def test_depth_is_that_of_the_network(adata):
    adata.obs["depth"] = np.random.default_rng(1).random(240)
    for depth, suffix in (("depth", "(copula, within depth)"), (None, "(copula)")):
        ps.tl.aracne(adata, ["A"], depth=depth, n_subnetworks=0)
        line = title(ps.pl.mi(adata, "A", "B"))[3]
        given = None if depth is None else adata.obs["depth"]
        assert line.endswith(suffix)
        assert nats(line) == pytest.approx(ps.ARACNe().mutual_information(adata.X, [0], depth=given)[0, 1], abs=5e-5)


def test_another_matrix_can_be_named(adata):
    adata.layers["other"] = adata.X[:, ::-1].copy()
    adata.raw = adata.copy()
    of_layer = ps.pl.mi(adata, "A", "B", layer="other")
    expected = oracles.apmi(*(adata[:, gene].layers["other"].toarray().ravel() for gene in "AB"))
    assert nats(title(of_layer)[2]) == pytest.approx(expected, abs=5e-5)
    assert title(ps.pl.mi(adata, "A", "B", use_raw=True)) == title(ps.pl.mi(adata, "A", "B"))


def test_log_normalised_counts_are_drawn_as_these_counts(adata):
    before = ps.pl.mi(adata, "A", "B")
    depth = np.asarray(adata.X.sum(axis=1))
    adata.X = sp.csr_matrix(np.log1p(adata.X.toarray() / depth * 1e4).astype(np.float32))
    after = ps.pl.mi(adata, "A", "B")
    assert title(after) == title(before)
    np.testing.assert_array_equal(points(after), points(before))


def test_the_formats_of_x_make_no_difference(adata, as_format):
    before = points(ps.pl.mi(adata, "A", "B"))
    adata.X = as_format(adata.X.toarray())
    np.testing.assert_array_equal(points(ps.pl.mi(adata, "A", "B")), before)


# --- special genes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("genes", [("A", "D"), ("D", "A"), ("D", "C")])
def test_a_constant_gene_has_no_information(adata, genes):
    lines = title(ps.pl.mi(adata, *genes))
    assert lines[2:] == ["MI 0.0000 nats (partition)", "no copula of a constant gene"]


def test_two_constant_genes_are_one_rectangle(adata):
    adata.X = sp.csr_matrix(np.zeros((240, 60)))
    assert len(rectangles(ps.pl.mi(adata, "A", "B")).get_paths()) == 1


def test_long_names_go_on_two_lines(adata):
    adata.var_names = [
        "a_regulator_with_a_long_name_ENSG0001",
        "a_target_with_a_long_name_ENSG0002",
        *adata.var_names[2:],
    ]
    assert title(ps.pl.mi(adata, *adata.var_names[:2]))[:2] == [f"{adata.var_names[0]} and", adata.var_names[1]]


# --- axes and errors --------------------------------------------------------------------------------------------------


def test_axes_that_are_given_are_drawn_on(adata):
    _, (left, right) = plt.subplots(1, 2, layout="constrained")
    assert ps.pl.mi(adata, "A", "B", ax=right) is right
    assert not left.collections
    assert ps.pl.mi(adata, "A", "B").figure is not right.figure


def test_adata_is_left_as_it_is(adata):
    ps.tl.aracne(adata, ["A"], groupby="type", n_subnetworks=0, dpi=None)
    before = state(adata)
    ps.pl.mi(adata, "A", "B", group="B")
    assert state(adata) == before


@pytest.mark.parametrize(
    ("genes", "options", "error", "match"),
    [
        (("A", "X"), {}, KeyError, r"target='X' is not among the 60 genes \('A', 'B', 'C', ... \(60 in all\)\)"),
        (("X", "A"), {}, KeyError, "regulator='X' is not among the 60 genes"),
        (("A", "A"), {}, ValueError, "regulator and target are both 'A'; give two genes"),
        (("A", "B"), {"group": "B"}, ValueError, "group='B' needs the column of adata.obs that holds it; give groupby"),
        (("A", "B"), {"group": "B", "groupby": "no"}, KeyError, "groupby='no' is not a column of adata.obs"),
        (("A", "B"), {"group": "no", "groupby": "type"}, KeyError, r"group='no' has no cells in adata.obs\['type'\]"),
        (("A", "B"), {"layer": "no"}, KeyError, "layer='no' is not in adata.layers"),
        (("A", "B"), {"use_raw": True}, ValueError, "use_raw=True, but adata.raw is None"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, genes, options, error, match):
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.mi(adata, *genes, **options)
    assert state(adata) == before
    assert not plt.get_fignums()


def test_negative_values_are_refused(adata):
    adata.X = adata.X.toarray() - 1
    with pytest.raises(ValueError, match="X holds negative values"):
        ps.pl.mi(adata, "A", "B")


def test_a_depth_that_is_gone_is_named(adata):
    adata.obs["depth"] = 1.0
    ps.tl.aracne(adata, ["A"], depth="depth", n_subnetworks=0)
    del adata.obs["depth"]
    with pytest.raises(KeyError, match="the network has depth='depth', which is not a column"):
        ps.pl.mi(adata, "A", "B")
