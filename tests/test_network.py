from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pysces._network import check_network, code_network, in_network, join_groups, network_table

EDGES = pd.DataFrame(
    {"source": ["b", "b", "a", "c"], "target": ["y", "x", "y", "nowhere"], "weight": [0.5, -1.0, 1.0, 0.0]}
)
GENES = np.array(["x", "a", "y"], dtype=object)


# --- tables that are given --------------------------------------------------------------------------------------------


def test_likelihood_is_one_by_default_and_the_table_given_stays_as_it_is():
    table = check_network(EDGES)
    assert table["likelihood"].tolist() == [1.0] * 4
    assert EDGES.columns.tolist() == ["source", "target", "weight"]


@pytest.mark.parametrize("dtype", [object, "str", "category"])
def test_names_may_be_text_or_categories(dtype):
    given = EDGES.assign(likelihood=0.5, mi=3.0).astype({"source": dtype, "target": dtype})
    pd.testing.assert_frame_equal(check_network(given), given)


def test_the_ends_of_the_ranges_are_allowed():
    check_network(EDGES.assign(weight=[-1.0, 0.0, 1.0, -0.5], likelihood=[1.0, 5e-324, 0.5, 1.0]))


def test_the_same_edge_may_be_in_several_groups():
    twice = pd.concat([EDGES.assign(group="T/NK"), EDGES.assign(group="B")])
    assert len(check_network(twice)) == 8


@pytest.mark.parametrize(
    ("network", "error", "match"),
    [
        (EDGES.to_dict("list"), TypeError, "network is dict; give a DataFrame with the columns source, target and wei"),
        (
            EDGES[["source", "target"]],
            ValueError,
            "lacks the columns 'weight'; it has: 'source', 'target'. pysces.io.as_network",
        ),
        (EDGES[:0], ValueError, "network has no edges; infer it with weaker thresholds"),
        (EDGES.assign(weight=[0.5, -3.0, 1.0, 2.0]), ValueError, r"2 of 4 values do not \(such as -3\)"),
        (EDGES.assign(weight=np.inf), ValueError, r"\['weight'\] must lie in \[-1, 1\], .*; 4 of 4"),
        (EDGES.assign(weight=[0.5, np.nan, 1.0, 0.0]), ValueError, r"1 of 4 values do not \(such as nan\)"),
        (EDGES.assign(likelihood=[0.5, 0.0, 1.0, 0.1]), ValueError, r"\['likelihood'\] must lie in \(0, 1\]; 1 of 4"),
        (EDGES.assign(likelihood=-0.1), ValueError, "4 of 4"),
        (EDGES.assign(target=["y", None, "y", "z"]), ValueError, "edges without source or target; drop them"),
        (EDGES.assign(group=[None, "B", "B", "B"]), ValueError, "edges without group or source or target"),
        (pd.concat([EDGES, EDGES[1:2]]), ValueError, r"holds 1 edges twice, such as \['b', 'x'\]"),
        (pd.concat([EDGES, EDGES[:3]]).assign(group="B"), ValueError, "holds 3 edges twice"),
        (EDGES.assign(weight="activates"), ValueError, r"network\['weight'\] holds what is no number .*'activates'"),
        (EDGES.assign(likelihood=[[1], [1, 2], 1, 1]), ValueError, r"network\['likelihood'\] holds what is no number"),
    ],
)
def test_bad_networks_are_refused(network, error, match):
    with pytest.raises(error, match=match):
        check_network(network)


# --- coding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [object, "category"])
def test_targets_become_positions_and_absent_ones_are_dropped(dtype):
    table = check_network(EDGES.assign(likelihood=[0.1, 0.2, 0.3, 0.4]).astype({"source": dtype, "target": dtype}))
    names, regulons = code_network(table, GENES)
    assert names.tolist() == ["a", "b", "c"]
    assert regulons.indptr.tolist() == [0, 1, 3, 3]
    assert regulons.sizes.tolist() == [1, 2, 0]
    assert regulons.targets.tolist() == [2, 0, 2]
    assert regulons.mode.tolist() == [1.0, -1.0, 0.5]
    assert regulons.likelihood.tolist() == [0.3, 0.2, 0.1]


def test_coding_does_not_depend_on_the_order_of_edges():
    one, other = (code_network(check_network(table), GENES) for table in (EDGES, EDGES[::-1]))
    assert one[0].tolist() == other[0].tolist()
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_select_takes_regulators_in_the_order_given():
    _, regulons = code_network(check_network(EDGES), GENES)
    some = regulons.select(np.array([1, 2, 0]))
    assert some.sizes.tolist() == [2, 0, 1]
    assert some.targets.tolist() == [0, 2, 2]
    assert some.mode.tolist() == [-1.0, 0.5, 1.0]
    assert regulons.select(np.array([], dtype=np.intp)).sizes.tolist() == []


def test_restrict_renumbers_the_targets_that_stay():
    _, regulons = code_network(check_network(EDGES), GENES)
    rest = regulons.restrict(np.array([1, 2]), 3)
    assert rest.sizes.tolist() == [1, 1, 0]
    assert rest.targets.tolist() == [1, 1]
    assert rest.mode.tolist() == [1.0, 0.5]


def test_genes_of_a_network_are_its_regulators_and_targets():
    genes = np.array(["a", "b", "c", "x", "y", "nowhere", "elsewhere"], dtype=object)
    assert in_network(EDGES, genes).tolist() == [True] * 6 + [False]
    one = EDGES.astype({"source": "category", "target": "category"})[2:3]
    assert genes[in_network(one, genes)].tolist() == ["a", "y"]


# --- tables that are made ---------------------------------------------------------------------------------------------


def made(mi, source=("b", "a", "b", "a"), target=("x", "y", "y", "x")):
    columns = {"mi": np.array(mi), "scc": np.linspace(-1, 1, len(mi)), "count": np.arange(len(mi))}
    return network_table(np.array(source, dtype=object), np.array(target, dtype=object), columns)


def test_network_is_sorted_by_source_and_falling_mutual_information():
    table = made([0.2, 0.1, 0.4, 0.1])
    assert table.columns.tolist() == ["source", "target", "weight", "likelihood", "mi", "scc", "count"]
    assert table["source"].tolist() == ["a", "a", "b", "b"]
    assert table["target"].tolist() == ["x", "y", "y", "x"]  # equal values by target
    assert table["count"].tolist() == [3, 1, 2, 0]
    assert table["weight"].tolist() == table["scc"].tolist()
    np.testing.assert_allclose(table["likelihood"], [0.25, 0.25, 1.0, 0.5], rtol=1e-15)
    assert table.index.equals(pd.RangeIndex(4))


def test_edges_without_information_keep_a_likelihood_above_zero():
    assert check_network(made([0.5, 0.0, -1e-17, 0.1]))["likelihood"].gt(0).all()


def test_a_network_without_edges_is_a_table_without_rows():
    table = made([], source=(), target=())
    assert table.shape == (0, 7)
    assert table["source"].dtype == table["target"].dtype == "category"


def test_groups_are_joined_in_their_order_with_all_labels():
    small, large = made([0.1], ["b"], ["x"]), made([0.2, 0.3], ["a", "c"], ["x", "z"])
    joined = join_groups({"T/NK": large, "B": small}, ["B", "none", "T/NK"])
    assert joined.columns[:3].tolist() == ["group", "source", "target"]
    assert joined["group"].tolist() == ["T/NK", "T/NK", "B"]
    assert joined["group"].cat.categories.tolist() == ["B", "none", "T/NK"]
    assert joined["source"].cat.categories.tolist() == ["a", "b", "c"]
    assert joined["target"].tolist() == ["x", "z", "x"]
    assert joined.index.equals(pd.RangeIndex(3))
