"""Networks in GraphML (:func:`pysces.io.read_graphml`, :func:`pysces.io.write_graphml`)."""

from __future__ import annotations

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pysces as ps

EDGES = pd.DataFrame(
    {
        "source": pd.Categorical(["PAX5", "SPI1", "SPI1"]),
        "target": pd.Categorical(["CD79A", "CD3E", "LYZ"]),
        "weight": [1.0, -0.4, 0.1 + 0.2],
        "likelihood": [0.5, 1e-300, 1.0],
        "support": [3, 2, 1],
        "known": [True, False, True],
        "note": ["<&>", "µ", " two  words "],
    }
)
CYTOSCAPE = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key attr.name="interaction" attr.type="string" for="edge" id="interaction"/>
<key attr.name="weight" attr.type="double" for="edge" id="weight"/>
<key attr.name="SUID" attr.type="long" for="node" id="SUID"/>
<key attr.name="name" attr.type="string" for="node" id="name"/>
<graph edgedefault="directed" id="network">
<node id="62"><data key="SUID">62</data><data key="name">SPI1</data></node>
<node id="63"><data key="SUID">63</data><data key="name">LYZ</data></node>
<edge id="70" source="62" target="63"><data key="interaction">activates</data><data key="weight">0.9</data></edge>
</graph></graphml>
"""
NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=5)


@pytest.fixture
def read(tmp_path):
    """What is read of some text."""

    def read(content):
        path = tmp_path / "network.graphml"
        path.write_text(content)
        return ps.io.read_graphml(path)

    return read


def test_every_column_comes_back_with_its_type(tmp_path):
    ps.io.write_graphml(EDGES, tmp_path / "network.graphml")
    found = ps.io.read_graphml(tmp_path / "network.graphml")
    pd.testing.assert_frame_equal(found.astype({"note": object}), EDGES.astype({"note": object}), check_exact=True)


def test_edges_without_a_value_come_back_without(tmp_path):
    table = EDGES.assign(note=[None, "a", "b"], support=[1.0, np.nan, np.inf])
    ps.io.write_graphml(table, tmp_path / "network.graphml")
    found = ps.io.read_graphml(tmp_path / "network.graphml")
    pd.testing.assert_frame_equal(found.astype({"note": object}), table.astype({"note": object}), check_exact=True)


def test_an_inferred_network_comes_back_as_it_was(tmp_path):
    adata = ps.datasets.pbmc68k()
    ps.tl.aracne(adata, "human_tfs", n_subnetworks=1)
    network = ps.get.network(adata)
    ps.io.write_graphml(network, tmp_path / "network.graphml")
    pd.testing.assert_frame_equal(ps.io.read_graphml(tmp_path / "network.graphml"), network, check_exact=True)


@settings(max_examples=25, deadline=None)
@given(edges=st.dictionaries(st.tuples(NAMES, NAMES), st.floats(-1, 1), min_size=1, max_size=6))
def test_what_is_written_is_read_bit_for_bit(tmp_path_factory, edges):
    path = tmp_path_factory.getbasetemp() / "written.graphml"
    ps.io.write_graphml(
        pd.DataFrame([(*edge, weight) for edge, weight in edges.items()], columns=EDGES.columns[:3]), path
    )
    found = ps.io.read_graphml(path)
    ends = zip(found["source"], found["target"], strict=True)
    assert {edge: np.float64(weight).tobytes() for edge, weight in zip(ends, found["weight"], strict=True)} == {
        edge: np.float64(weight).tobytes() for edge, weight in edges.items()
    }


def test_igraph_and_networkx_read_what_is_written(tmp_path):
    path = tmp_path / "network.graphml"
    ps.io.write_graphml(EDGES, path)
    graph = nx.read_graphml(path)
    assert graph.edges["SPI1", "LYZ"] == EDGES.iloc[2, 2:].to_dict()
    assert dict(graph.nodes(data="regulator")) == {gene: gene in {"SPI1", "PAX5"} for gene in graph}
    graph = igraph.Graph.Read_GraphML(str(path))
    assert graph.is_directed()
    assert sorted(graph.es["weight"]) == sorted(EDGES["weight"])
    assert dict(zip(graph.vs["id"], graph.vs["regulator"], strict=True))["SPI1"] is True


def test_what_igraph_and_cytoscape_write_is_read(tmp_path, read):
    path = tmp_path / "igraph.graphml"
    table = EDGES.drop(columns="note").assign(weight=[1.0, -0.4, 0.25])
    ps.io.to_igraph(table).write_graphml(str(path))
    found = ps.io.read_graphml(path)
    expected = table.astype({"support": float})  # igraph has one kind of numbers, and writes 15 digits
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    found = read(CYTOSCAPE)
    assert found.loc[0, ["source", "target", "weight", "interaction"]].tolist() == ["SPI1", "LYZ", 0.9, "activates"]


EDGE = CYTOSCAPE[CYTOSCAPE.index("<edge") : CYTOSCAPE.index("</graph>")]
LAUGHS = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no GraphML that can be read .*line 1"),
        ("SPI1\tactivates\tLYZ\n", "no GraphML that can be read .*line 1"),
        (CYTOSCAPE[:-30], "no GraphML that can be read .*line 10"),
        ("<html><body/></html>", "no GraphML that can be read"),
        (CYTOSCAPE.replace(">0.9<", ">much<"), "no GraphML that can be read .*much"),
        (CYTOSCAPE.replace(">0.9<", ">9<"), r"holds no network: .*must lie in \[-1, 1\]"),
        (CYTOSCAPE.replace('attr.name="weight"', 'attr.name="w"'), "holds no network: .*lacks the columns 'weight'"),
        (CYTOSCAPE.replace('"directed"', '"undirected"'), "holds an undirected graph"),
        (CYTOSCAPE.replace(EDGE, EDGE + EDGE.replace("70", "71")), "holds several edges between two genes"),
        (CYTOSCAPE.replace(EDGE, ""), "holds no network: .*no edges"),
        (CYTOSCAPE.replace(">LYZ<", ">SPI1<"), "holds duplicates: 'SPI1'. Give each gene a name of its own"),
        (f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]><x>&a11;</x>', "no GraphML that can be read .*amplification"),
    ],
)
def test_files_that_are_no_network_are_refused(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ps.io.read_graphml("nowhere.graphml")


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (EDGES.assign(group="b"), ValueError, "choose one: network"),
        (EDGES.assign(weight=2.0), ValueError, r"must lie in \[-1, 1\]"),
        (EDGES.assign(note=[["a"], ["b"], ["c"]]), ValueError, "what GraphML cannot .*list"),
        (EDGES.assign(target=["a\0", "b", "c"]), ValueError, r"the character '\\x00', which no GraphML can"),
        (EDGES.assign(note=["\uffff", "b", "c"]), ValueError, r"the character '\\uffff', which no GraphML can"),
        (None, TypeError, "give a DataFrame"),
    ],
    ids=["groups", "weight", "lists", "NUL", "U+FFFF", "None"],
)
def test_bad_networks_are_refused_and_files_left_as_they_are(tmp_path, network, error, message):
    path = tmp_path / "network.graphml"
    path.write_bytes(b"before")
    with pytest.raises(error, match=message):
        ps.io.write_graphml(network, path)
    assert [(own.name, own.read_bytes()) for own in tmp_path.iterdir()] == [("network.graphml", b"before")]
