from __future__ import annotations

import matplotlib.pyplot as plt
import network_cases as cases
import numpy as np
import pandas as pd
import pytest
from states import state

import pysces as ps

COLUMNS = {"edges": ["source", "target"], "regulators": ["source"], "targets": ["target"]}


def related() -> pd.DataFrame:
    """Groups of which the first and the third, and the second and the fourth, are alike."""
    sizes = {"a": {"A": 30, "B": 5}, "k": {"C": 20}, "b": {"A": 28, "B": 5}, "l": {"C": 22, "B": 1}}
    return cases.table(sizes)


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def drawn(ax) -> pd.DataFrame:
    """The values of the heat map by the names beside it."""
    assert [label.get_text() for label in ax.get_xticklabels()] == names(ax)
    values = np.ma.filled(ax.images[0].get_array(), np.nan)
    return pd.DataFrame(values, index=names(ax), columns=names(ax))


def written(ax):
    """Texts by row and column."""
    return {tuple(map(int, text.get_position()[::-1])): text.get_text() for text in ax.texts}


@pytest.mark.parametrize("of", COLUMNS)
@pytest.mark.parametrize("measure", ["jaccard", "containment"])
def test_values_are_the_overlap_of_sets(of, measure):
    network = pd.concat([cases.many(5), cases.table()], ignore_index=True)
    found = drawn(ps.pl.network_overlap(cases.stored(network), of=of, measure=measure))
    expected = cases.overlap(network, COLUMNS[of], measure)
    pd.testing.assert_frame_equal(found.loc[expected.index, expected.columns], expected)


def test_groups_that_share_much_stand_together_under_a_tree():
    ax = ps.pl.network_overlap(cases.stored(related()))
    order = names(ax)
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset("ab"), frozenset("kl")}
    (above,) = ax.child_axes
    (tree,) = above.collections
    joints = np.array(tree.get_segments())
    assert len(joints) == 3
    expected = cases.overlap(related(), COLUMNS["edges"], "jaccard")
    assert joints[:, 1, 1].min() == pytest.approx(1 - expected.to_numpy()[~np.isnan(expected)].max())
    assert above.get_xlim() == (-0.5, 3.5)
    assert above.get_ylim()[0] < joints[:, 1, 1].min()  # else the lowest joint is at the edge


def test_leaves_are_turned_so_that_neighbours_are_most_alike():
    parts = [
        cases.edges({"A": 60}).iloc[10 * n : 10 * n + 20 - n].assign(group=label) for n, label in enumerate("abcd")
    ]
    network = pd.concat(parts)
    network["group"] = pd.Categorical(network["group"], categories=list("badc"))
    assert names(ps.pl.network_overlap(cases.stored(network))) in (list("abcd"), list("dcba"))


def test_the_order_does_not_hang_on_how_the_groups_are_sorted():
    network = related()
    other = network.assign(group=network["group"].cat.reorder_categories(["l", "b", "a", "k"]))
    found = drawn(ps.pl.network_overlap(cases.stored(other)))
    pd.testing.assert_frame_equal(
        found.loc[list("abkl"), list("abkl")],
        cases.overlap(network, COLUMNS["edges"], "jaccard").loc[list("abkl"), list("abkl")],
    )


def test_values_are_written_and_the_diagonal_has_the_sizes():
    ax = ps.pl.network_overlap(cases.stored(related()))
    values, sizes = drawn(ax).to_numpy(), {"a": 35, "k": 20, "b": 33, "l": 23}
    texts = written(ax)
    assert len(texts) == 16
    for (row, column), text in texts.items():
        if row == column:
            assert text == str(sizes[names(ax)[row]])
        else:
            assert float(text) == pytest.approx(values[row, column], rel=0.05)
    counts = ps.pl.network_overlap(cases.stored(related()), of="regulators")
    assert sorted(written(counts)[i, i] for i in range(4)) == ["1", "2", "2", "2"]


def test_large_numbers_are_shortened():
    sizes = {"x": {f"R{r}": 1000 for r in range(12)}, "y": {"A": 9999}}
    assert [written(ps.pl.network_overlap(cases.stored(cases.table(sizes))))[i, i] for i in (0, 1)] == ["12k", "9999"]


def test_text_is_legible_on_its_colour():
    ax = ps.pl.network_overlap(cases.stored(related()))
    values = drawn(ax).to_numpy()
    for text in ax.texts:
        column, row = map(int, text.get_position())
        bright = row == column or values[row, column] > 0.6 * np.nanmax(values)
        assert text.get_color() == ("black" if bright else "white")


def test_colours_run_from_0_to_the_largest_overlap_of_two_groups():
    ax = ps.pl.network_overlap(cases.stored(cases.table()))
    expected = cases.overlap(cases.table(), COLUMNS["edges"], "jaccard")
    assert ax.images[0].get_clim() == (0, np.nanmax(expected))
    assert ax.images[0].colorbar.ax.get_ylabel() == "Jaccard index of edges"
    ax = ps.pl.network_overlap(cases.stored(cases.table()), of="targets", measure="containment")
    assert ax.images[0].colorbar.ax.get_ylabel() == "containment of targets"


def test_networks_without_common_edges():
    sizes = {label: {label.upper(): 3} for label in "abc"}
    ax = ps.pl.network_overlap(cases.stored(cases.table(sizes)))
    assert ax.images[0].get_clim() == (0, 1)
    assert sorted(written(ax).values()) == ["0"] * 6 + ["3"] * 3
    assert cases.fits(ax.figure)


def test_groups_without_edges_come_last_and_are_blank():
    network = related()
    groups = ["empty", *network["group"].cat.categories, "void"]
    ax = ps.pl.network_overlap(cases.stored(network, groups=groups))
    assert names(ax)[4:] == ["empty", "void"]
    assert np.isnan(drawn(ax).to_numpy()[4:]).all()
    assert written(ax)[4, 4] == "0"
    assert len(ax.child_axes[0].collections[0].get_segments()) == 3


@pytest.mark.parametrize("groups", [["nk", "other"], ["nk", "other", "void"]])
def test_a_single_group_with_edges(groups):
    ax = ps.pl.network_overlap(cases.stored(cases.table({"nk": {"A": 3}}), groups=groups))
    assert names(ax) == groups
    assert not ax.child_axes
    assert np.isnan(drawn(ax).to_numpy()).all()


def test_two_groups_have_no_tree():
    assert not ps.pl.network_overlap(cases.stored(cases.many(2))).child_axes


@pytest.mark.parametrize(("n_groups", "n_texts"), [(2, 4), (15, 225), (41, 0)])
def test_texts_are_as_many_as_there_is_room_for(n_groups, n_texts):
    ax = ps.pl.network_overlap(cases.stored(cases.many(n_groups, n_regulators=2)))
    assert len(ax.texts) == n_texts
    assert cases.fits(ax.figure)
    assert cases.apart(ax.get_yticklabels())
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(box.count_overlaps([other for other in boxes if other is not box]) for box in boxes)


def test_axes_are_those_given_and_adata_is_as_it_was():
    adata = cases.stored(cases.table())
    before = state(adata)
    ax = plt.figure().subplots()
    assert ps.pl.network_overlap(adata, ax=ax) is ax
    assert len(plt.get_fignums()) == 1
    assert ps.pl.network_overlap(adata).figure is not ax.figure
    assert state(adata) == before


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_a_network_from_a_file_looks_the_same(tmp_path, suffix):
    adata = cases.stored(related(), groups=["empty", "a", "k", "b", "l"])
    read = cases.reread(adata, tmp_path / f"cells.{suffix}")
    pd.testing.assert_frame_equal(drawn(ps.pl.network_overlap(read)), drawn(ps.pl.network_overlap(adata)))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"of": "genes"}, ValueError, "of is 'genes'; choose one of 'edges', 'regulators', 'targets'"),
        ({"measure": "dice"}, ValueError, "measure is 'dice'; choose one of 'jaccard', 'containment'"),
        ({"network": "other"}, KeyError, r"adata.uns\['other'\] holds no network"),
        ({"network": cases.edges({"A": 3})}, ValueError, "network has no groups, .*at least two; .*groupby="),
        ({"network": cases.table({"nk": {"A": 3}})}, ValueError, "network has one group, .*at least two"),
        ({"network": cases.table()[:0]}, ValueError, "network has no edges"),
    ],
)
def test_bad_input(options, error, match):
    adata = cases.stored(cases.table())
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.network_overlap(adata, **options)
    assert state(adata) == before
    assert not plt.get_fignums()
