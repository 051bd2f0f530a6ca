from __future__ import annotations

import matplotlib.pyplot as plt
import network_cases as cases
import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgba
from states import state

import pysces as ps

SUPPORT = [1, 1, 1, 2, 4, 4]


def network(support=SUPPORT) -> pd.DataFrame:
    """A network without groups."""
    mi = np.array([0.1, 0.4, 0.2, 0.5, 0.3, 0.9])[: len(support)]
    return cases.edges({"A": len(support)}, support=np.array(support), mi=mi)


def grouped() -> pd.DataFrame:
    """A network with groups, the last without edges."""
    joined = pd.concat([network().assign(group="nk"), network([5, 5, 2]).assign(group="CD4+/CD25 T Reg")])
    joined["group"] = pd.Categorical(joined["group"], categories=["nk", "CD4+/CD25 T Reg", "empty"])
    return joined.reset_index(drop=True)


def bars(ax) -> dict[float, float]:
    """Heights by support."""
    return {patch.get_x() + patch.get_width() / 2: patch.get_height() for patch in ax.patches}


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


# --- one network ------------------------------------------------------------------------------------------------------


def test_bars_are_numbers_of_edges_by_support():
    ax = ps.pl.support(cases.stored(network(), n_subnetworks=6))
    assert bars(ax) == pytest.approx({1: 3, 2: 1, 4: 2})
    assert ax.get_xlim() == (0.5, 6.5)
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylabel() == "number of edges"
    assert ax.get_xlabel() == "support (number of subnetworks that hold the edge)"
    assert ax.get_title(loc="left") == "6 edges"


def test_colours_are_the_median_mutual_information():
    ax = ps.pl.support(cases.stored(network(), n_subnetworks=6))
    expected = [(median - 0.2) / (0.6 - 0.2) for median in (0.2, 0.5, 0.6)]
    for patch, place in zip(ax.patches, expected, strict=True):
        assert patch.get_facecolor() == to_rgba(colormaps["viridis"](place))
    (bar,) = set(ax.figure.axes) - {ax}
    assert bar.get_ylabel() == "median MI (nats)"
    assert bar.get_ylim() == pytest.approx((0.2, 0.6))


@pytest.mark.parametrize("parameters", [{"n_subnetworks": "auto"}, {}])
def test_without_a_number_of_subnetworks_the_largest_support_ends_the_axis(parameters):
    assert ps.pl.support(cases.stored(network(), **parameters)).get_xlim() == (0.5, 4.5)
    other = cases.stored(network(), n_subnetworks=100)
    assert ps.pl.support(other, network=network()).get_xlim() == (0.5, 4.5)


def test_a_single_subnetwork_and_a_single_edge():
    ax = ps.pl.support(cases.stored(network([1]), n_subnetworks=1))
    assert bars(ax) == {1: 1}
    assert ax.get_title(loc="left") == "1 edge"
    assert cases.fits(ax.figure)


# --- groups -----------------------------------------------------------------------------------------------------------


def test_groups_are_rows_whose_bars_are_scaled_to_their_highest():
    ax = ps.pl.support(cases.stored(grouped(), n_subnetworks=8))
    assert names(ax) == ["nk", "CD4+/CD25 T Reg", "empty"]
    first, second, third = ax.containers
    for row, (drawn, support) in enumerate(((first, SUPPORT), (second, [5, 5, 2]))):
        held = sorted(set(support))
        heights = [-patch.get_height() for patch in drawn]
        assert heights == pytest.approx([0.8 * support.count(n) / max(map(support.count, held)) for n in held])
        assert [patch.get_x() + patch.get_width() / 2 for patch in drawn] == pytest.approx(held)
        assert {patch.get_y() for patch in drawn} == {row + 0.4}
    assert not third.patches
    low, high = ax.get_ylim()
    assert low > high  # the first row is on top
    assert ax.get_xlim() == (0.5, 8.5)


def test_numbers_stand_beside_the_rows():
    ax = ps.pl.support(cases.stored(grouped(), n_subnetworks=8))
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["edges", "6", "3", "0", "median\nsupport", "1.5", "5", ""]


def test_the_largest_support_is_that_of_all_groups():
    assert ps.pl.support(cases.stored(grouped(), n_subnetworks="auto"), group="nk").get_xlim() == (0.5, 5.5)


def test_one_group_is_drawn_as_one_network():
    adata = cases.stored(grouped(), n_subnetworks=8)
    ax = ps.pl.support(adata, group="nk")
    assert bars(ax) == pytest.approx({1: 3, 2: 1, 4: 2})
    assert ax.get_title(loc="left") == "nk\n6 edges"
    empty = ps.pl.support(adata, group="empty")
    assert not empty.patches
    assert empty.get_title(loc="left") == "empty\n0 edges"
    assert empty.get_ylim()[0] == 0
    assert empty.figure.axes == [empty]  # no colours, no colour bar


@pytest.mark.parametrize("n_groups", [2, 41])
def test_names_and_numbers_fit_and_do_not_meet(n_groups):
    ax = ps.pl.support(cases.stored(cases.many(n_groups), n_subnetworks=20))
    assert cases.fits(ax.figure)
    assert cases.apart(ax.get_yticklabels())


# --- habits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [network(), grouped()], ids=["one", "groups"])
def test_axes_are_those_given_and_adata_is_as_it_was(table):
    adata = cases.stored(table, n_subnetworks=8)
    before = state(adata)
    ax = plt.figure().subplots()
    assert ps.pl.support(adata, ax=ax) is ax
    assert len(plt.get_fignums()) == 1
    assert ps.pl.support(adata).figure is not ax.figure
    assert state(adata) == before


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_a_network_from_a_file_looks_the_same(tmp_path, suffix):
    adata = cases.stored(grouped(), n_subnetworks=8)
    read = cases.reread(adata, tmp_path / f"cells.{suffix}")
    first, second = ps.pl.support(adata), ps.pl.support(read)
    assert second.get_xlim() == first.get_xlim() == (0.5, 8.5)
    assert bars(second) == bars(first)
    assert names(second) == names(first)


@pytest.mark.parametrize(
    ("table", "parameters", "options", "error", "match"),
    [
        (network(), {}, {"network": "other"}, KeyError, r"adata.uns\['other'\] holds no network"),
        (network(), {}, {"group": "nk"}, KeyError, "group='nk', but the network has no groups; leave group out"),
        (grouped(), {}, {"group": "B"}, KeyError, "group='B' has no network; groups that have one: 'nk', 'CD4"),
        (network([1]), {"n_subnetworks": 0}, {}, ValueError, "inferred without subnetworks .n_subnetworks=0."),
        (network([0, 0]), {}, {}, ValueError, "inferred without subnetworks"),
        (network().drop(columns="support"), {}, {}, ValueError, "network lacks the columns 'support'"),
        (network().drop(columns="mi"), {}, {}, ValueError, "network lacks the columns 'mi'"),
        (network()[:0], {}, {}, ValueError, "network has no edges"),
    ],
)
def test_bad_input(table, parameters, options, error, match):
    adata = cases.stored(table, **parameters)
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.support(adata, **options)
    assert state(adata) == before
    assert not plt.get_fignums()
