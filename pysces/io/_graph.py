"""Networks as graphs of networkx and igraph, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pysces._network import check_network

if TYPE_CHECKING:
    import igraph
    import networkx as nx


def to_networkx(network: pd.DataFrame) -> nx.DiGraph[str]:
    """A directed graph of regulators and targets.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target`` and ``weight``; of networks of groups, the edges of one group.

    Returns
    -------
    Nodes are gene names with the attribute ``regulator`` (bool: whether the gene has targets); edges have every other
    column of the table as attribute, and ``likelihood``, 1 if there is none.

    Raises
    ------
    ValueError
        If the network is not valid, or has groups.
    TypeError
        If it is not a DataFrame.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> network = pd.DataFrame({"source": ["SPI1", "SPI1"], "target": ["LYZ", "CD3E"], "weight": [0.9, -0.4]})
    >>> graph = ps.io.to_networkx(network)
    >>> graph["SPI1"]["CD3E"]["weight"], graph.nodes["LYZ"]["regulator"]
    (-0.4, False)
    """
    import networkx as nx

    graph = nx.from_pandas_edgelist(one_network(network), edge_attr=True, create_using=nx.DiGraph)
    nx.set_node_attributes(graph, {gene: degree > 0 for gene, degree in graph.out_degree()}, "regulator")
    return graph


def from_networkx(graph: nx.DiGraph[Any]) -> pd.DataFrame:
    """The network table of a directed graph.

    Parameters
    ----------
    graph
        A :class:`networkx.DiGraph` of gene names, whose edges have the attribute ``weight``, the mode of regulation in
        [-1, 1].

    Returns
    -------
    Table with one row per edge: categorical ``source`` and ``target``, float64 ``weight`` and ``likelihood`` (1 if
    there is none), and the other attributes of edges. It is sorted by source, falling mutual information (``mi``, where
    there is any) and target, as networks of :func:`pysces.tl.aracne` are.

    Raises
    ------
    ValueError
        If the graph has no edges, or edges without a weight in [-1, 1].
    TypeError
        If it is not a directed graph of networkx, or may have several edges between two genes.

    Examples
    --------
    >>> import networkx as nx, pysces as ps
    >>> graph = nx.DiGraph()
    >>> graph.add_edge("SPI1", "LYZ", weight=0.9)
    >>> ps.io.from_networkx(graph)
      source target  weight  likelihood
    0   SPI1    LYZ     0.9         1.0
    """
    import networkx as nx

    if not isinstance(graph, nx.DiGraph) or graph.is_multigraph():
        msg = f"graph is {type(graph).__name__}; give a networkx.DiGraph, with one edge from a regulator to a target."
        raise TypeError(msg)
    edges = list(graph.edges(data=True))
    ends = {"source": [source for source, _, _ in edges], "target": [target for _, target, _ in edges]}
    return _network(pd.DataFrame([attributes for _, _, attributes in edges]).assign(**ends))


def to_igraph(network: pd.DataFrame) -> igraph.Graph:
    """A directed graph of igraph; needs ``pip install igraph``.

    Parameters
    ----------
    network
        As in :func:`to_networkx`.

    Returns
    -------
    Vertices have the attributes ``name`` and ``regulator`` (bool: whether the gene has targets); edges have every other
    column of the table as attribute, and ``likelihood``, 1 if there is none.

    Raises
    ------
    ValueError, TypeError
        As :func:`to_networkx`.
    ImportError
        If igraph is not installed.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> network = pd.DataFrame({"source": ["SPI1", "SPI1"], "target": ["LYZ", "CD3E"], "weight": [0.9, -0.4]})
    >>> ps.io.to_igraph(network).vs["name"]
    ['SPI1', 'LYZ', 'CD3E']
    """
    graph = _igraph().Graph.DataFrame(one_network(network), directed=True, use_vids=False)
    graph.vs["regulator"] = [degree > 0 for degree in graph.outdegree()]
    return graph


def from_igraph(graph: igraph.Graph) -> pd.DataFrame:
    """The network table of a directed graph of igraph; needs ``pip install igraph``.

    Parameters
    ----------
    graph
        A directed :class:`igraph.Graph`, whose vertices have a ``name`` and whose edges have a ``weight``, the mode of
        regulation in [-1, 1].

    Returns
    -------
    As :func:`from_networkx`.

    Raises
    ------
    ValueError
        If vertices have no names, or as :func:`from_networkx`.
    TypeError
        If it is not a directed graph of igraph.
    ImportError
        If igraph is not installed.

    Examples
    --------
    >>> import igraph, pysces as ps
    >>> graph = igraph.Graph([(0, 1)], directed=True, vertex_attrs={"name": ["SPI1", "LYZ"]})
    >>> graph.es["weight"] = [0.9]
    >>> ps.io.from_igraph(graph)
      source target  weight  likelihood
    0   SPI1    LYZ     0.9         1.0
    """
    if not isinstance(graph, _igraph().Graph) or not graph.is_directed():
        kind = "undirected" if isinstance(graph, _igraph().Graph) else type(graph).__name__
        msg = f"graph is {kind}; give a directed igraph.Graph, with edges from regulators to targets."
        raise TypeError(msg)
    if "name" not in graph.vs.attributes():
        msg = "the vertices of graph have no names; set graph.vs['name'] to the names of the genes."
        raise ValueError(msg)
    edges = graph.get_edge_dataframe()
    for end in ("source", "target"):
        edges[end] = edges[end].map(dict(enumerate(graph.vs["name"])))
    return _network(edges)


def _igraph() -> Any:
    try:
        import igraph
    except ImportError as error:
        msg = "igraph is not installed: pip install igraph."
        raise ImportError(msg) from error
    return igraph


def one_network(network: pd.DataFrame) -> pd.DataFrame:
    """A valid network with names as text, ends first."""
    table = check_network(network)
    if "group" in table.columns:
        msg = "network has one part per group; choose one: network[network['group'] == label].drop(columns='group')."
        raise ValueError(msg)
    table = table.astype({"source": str, "target": str}).astype({"source": object, "target": object})
    for name in [name for name in table if table[name].dtype == "object"]:  # None is NaN in the strings of pandas 3
        table[name] = np.where(table[name].isna(), np.nan, table[name])
    return table[["source", "target", *table.columns.drop(["source", "target"])]]


def _network(edges: pd.DataFrame) -> pd.DataFrame:
    """A valid network in the order of :func:`pysces.tl.aracne`, the columns that all have in front."""
    if edges.empty:
        msg = "graph has no edges; give one with edges from regulators to targets."
        raise ValueError(msg)
    ends = ["source", "target"]
    table = check_network(edges.assign(**{end: pd.Categorical(edges[end].astype(str)) for end in ends}))
    first = [*ends, "weight", "likelihood"]
    table = table[[*first, *table.columns.drop(first)]]
    by = ["source", "mi", "target"] if "mi" in table.columns else ends
    table = table.sort_values(by, ascending=[name != "mi" for name in by], kind="stable", ignore_index=True)
    return table.astype({"weight": float, "likelihood": float})
