"""Networks as graphs of networkx and igraph (:mod:`pysces.io`)."""

from __future__ import annotations

import sys

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest

import pysces as ps

THERE = {"networkx": ps.io.to_networkx, "igraph": ps.io.to_igraph}
BACK = {"networkx": ps.io.from_networkx, "igraph": ps.io.from_igraph}
EDGES = {"source": ["B", "A", "A"], "target": ["A", "B", "c"], "weight": [0.25, -1.0, 0.0]}


@pytest.fixture(scope="module")
def inferred():
    adata = ps.datasets.pbmc68k()
    ps.tl.aracne(adata, "human_tfs", n_subnetworks=2)
    return ps.get.network(adata)


def edge(graph, source, target):
    """Attributes of an edge."""
    if isinstance(graph, nx.DiGraph):
        return graph.edges[source, target]
    return graph.es[graph.get_eid(source, target)].attributes()


def regulators(graph):
    """Names of the nodes that are marked as regulators."""
    if isinstance(graph, nx.DiGraph):
        return {gene for gene, marked in graph.nodes(data="regulator") if marked}
    return {vertex["name"] for vertex in graph.vs if vertex["regulator"]}


@pytest.mark.parametrize("library", THERE)
def test_an_inferred_network_comes_back_as_it_was(library, inferred):
    pd.testing.assert_frame_equal(BACK[library](THERE[library](inferred)), inferred, check_exact=True)


@pytest.mark.parametrize("library", THERE)
def test_edges_have_direction_and_every_column(library):
    graph = THERE[library](pd.DataFrame(EDGES).assign(support=[3, 2, 1], note=["x", "y", "z"]))
    assert edge(graph, "A", "B") == {"weight": -1.0, "likelihood": 1.0, "support": 2, "note": "y"}
    assert edge(graph, "B", "A")["weight"] == 0.25
    assert regulators(graph) == {"A", "B"}


@pytest.mark.parametrize("library", THERE)
def test_a_table_without_mutual_information_comes_back_by_source_and_target(library):
    found = BACK[library](THERE[library](pd.DataFrame(EDGES)))
    assert found.columns.tolist() == ["source", "target", "weight", "likelihood"]
    assert list(zip(found["source"], found["target"], strict=True)) == [("A", "B"), ("A", "c"), ("B", "A")]
    assert found["weight"].tolist() == [-1.0, 0.0, 0.25]
    assert [str(dtype) for dtype in found.dtypes] == ["category", "category", "float64", "float64"]


@pytest.mark.parametrize("library", THERE)
def test_what_comes_back_goes_into_viper(library, inferred):
    adata = ps.datasets.pbmc68k()
    ps.tl.viper(adata, inferred, min_targets=10)
    expected = adata.obsm["viper"].copy()
    ps.tl.viper(adata, BACK[library](THERE[library](inferred)), min_targets=10)
    pd.testing.assert_frame_equal(adata.obsm["viper"], expected, check_exact=True)


@pytest.mark.parametrize("library", THERE)
def test_the_table_is_left_as_it_is(library):
    table = pd.DataFrame(EDGES).astype({"source": "category"})
    before = table.copy()
    THERE[library](table)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("library", THERE)
@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (EDGES, TypeError, "give a DataFrame"),
        (pd.DataFrame(EDGES).assign(group="b"), ValueError, r"choose one: network\[network\['group'\] == label\]"),
        (pd.DataFrame(EDGES).iloc[:0], ValueError, "no edges"),
        (pd.DataFrame(EDGES).assign(weight=2.0), ValueError, r"must lie in \[-1, 1\]"),
        (pd.DataFrame(EDGES).assign(weight=np.nan), ValueError, r"must lie in \[-1, 1\]"),
        (pd.concat([pd.DataFrame(EDGES)] * 2), ValueError, "edges twice"),
    ],
    ids=["a dict", "groups", "no edges", "weight 2", "weight missing", "twice"],
)
def test_networks_that_are_none_are_refused(library, network, error, message):
    with pytest.raises(error, match=message):
        THERE[library](network)


@pytest.mark.parametrize(
    "graph",
    [nx.Graph([("A", "B")]), nx.MultiDiGraph([("A", "B")]), "graph", igraph.Graph([(0, 1)], directed=True)],
    ids=["undirected", "several edges", "text", "igraph"],
)
def test_only_directed_graphs_of_networkx_are_taken(graph):
    with pytest.raises(TypeError, match=r"give a networkx\.DiGraph"):
        ps.io.from_networkx(graph)


@pytest.mark.parametrize("graph", [igraph.Graph([(0, 1)]), nx.DiGraph(), None], ids=["undirected", "networkx", "None"])
def test_only_directed_graphs_of_igraph_are_taken(graph):
    with pytest.raises(TypeError, match=r"give a directed igraph\.Graph"):
        ps.io.from_igraph(graph)


def test_vertices_without_names_are_refused():
    with pytest.raises(ValueError, match="no names"):
        ps.io.from_igraph(igraph.Graph([(0, 1)], directed=True))


@pytest.mark.parametrize("weight", [None, np.nan, 2.0, "much"], ids=str)
@pytest.mark.parametrize("library", THERE)
def test_edges_without_a_weight_from_minus_one_to_one_are_refused(library, weight):
    attributes = {} if weight is None else {"weight": weight}
    graph = nx.DiGraph()
    graph.add_edge("A", "B", **attributes)
    if library == "igraph":
        graph = igraph.Graph([(0, 1)], directed=True, vertex_attrs={"name": ["A", "B"]})
        graph.es["weight"] = [weight]
        if weight is None:
            del graph.es["weight"]
    with pytest.raises(ValueError, match="weight"):
        BACK[library](graph)


@pytest.mark.parametrize("library", THERE)
def test_graphs_without_edges_are_refused(library):
    graph = nx.DiGraph() if library == "networkx" else igraph.Graph(1, directed=True, vertex_attrs={"name": ["A"]})
    with pytest.raises(ValueError, match="graph has no edges"):
        BACK[library](graph)


@pytest.mark.parametrize("function", [ps.io.to_igraph, ps.io.from_igraph])
def test_without_igraph_the_error_says_what_to_install(function, monkeypatch):
    monkeypatch.setitem(sys.modules, "igraph", None)
    with pytest.raises(ImportError, match=r"pip install igraph"):
        function(pd.DataFrame(EDGES))
