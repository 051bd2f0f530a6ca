"""Networks in GraphML, which Cytoscape, Gephi, igraph and networkx read."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pysces._check import unique
from pysces.io._graph import from_networkx, to_networkx
from pysces.io._text import whole

if TYPE_CHECKING:
    import pandas as pd

NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
"""Characters that no XML may hold."""


def read_graphml(path: str | Path) -> pd.DataFrame:
    """Read a network in GraphML, as written here, by networkx, igraph or Cytoscape.

    Parameters
    ----------
    path
        A GraphML file with one directed graph, whose edges have the attribute ``weight``, the mode of regulation in
        [-1, 1]. Genes are called by the attribute ``name`` of their node, or else by its identifier.

    Returns
    -------
    As :func:`from_networkx`; attributes of edges have the types that the file gives them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no GraphML or damaged (the message names the line where it is no XML), the graph is undirected
        or has several edges between two genes, two genes have one name, or as :func:`from_networkx`.

    References
    ----------
    Brandes et al. 2002, doi:10.1007/3-540-45848-4_59.

    Examples
    --------
    >>> import tempfile, pandas as pd, pysces as ps
    >>> from pathlib import Path
    >>> network = pd.DataFrame({"source": ["SPI1"], "target": ["LYZ"], "weight": [0.9], "support": [3]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "network.graphml"
    ...     ps.io.write_graphml(network, path)
    ...     ps.io.read_graphml(path)
      source target  weight  likelihood  support
    0   SPI1    LYZ     0.9         1.0        3
    """
    import networkx as nx

    path = Path(path)
    content = path.read_bytes()
    try:
        graph = nx.read_graphml(BytesIO(content), node_type=str)
        names = {node: str(name) for node, name in graph.nodes(data="name", default=None) if name is not None}
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        msg = f"{path} is no GraphML that can be read ({error!r}); export it again."
        raise ValueError(msg) from error
    if not graph.is_directed() or graph.is_multigraph():
        kind = "an undirected graph" if not graph.is_directed() else "several edges between two genes"
        msg = f"{path} holds {kind}; export a directed graph, with one edge from a regulator to a target."
        raise ValueError(msg)
    unique([names.get(node, node) for node in graph], str(path), "Give each gene a name of its own.")
    try:
        return from_networkx(nx.relabel_nodes(graph, names))
    except ValueError as error:
        msg = f"{path} holds no network: {error}"
        raise ValueError(msg) from error


def write_graphml(network: pd.DataFrame, path: str | Path) -> None:
    """Write a network in GraphML, for Cytoscape, Gephi, igraph or networkx.

    It is a format for networks to look at, of 200 bytes per edge and more; :func:`write_network` keeps large ones.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target`` and ``weight``; of networks of groups, the edges of one group.
    path
        File to write, whole or not at all. What it holds is the graph of :func:`to_networkx`: genes as nodes with the
        attribute ``regulator``, edges with every other column, with its type.

    Returns
    -------
    Nothing. :func:`read_graphml` gives the same numbers back, bit for bit.

    Raises
    ------
    ValueError
        If the network is not valid or has groups, or holds characters or values that GraphML cannot.
    TypeError
        If the network is not a DataFrame.
    """
    import networkx as nx

    buffer = BytesIO()
    graph = to_networkx(network)
    try:
        nx.write_graphml_xml(graph, buffer)
    except (nx.NetworkXError, UnicodeEncodeError) as error:
        msg = f"network holds what GraphML cannot ({error}); use columns of text, numbers and bools."
        raise ValueError(msg) from error
    found = NOT_IN_XML.search(buffer.getbuffer())
    if found:
        msg = f"network holds the character {found.group().decode()!r}, which no GraphML can; rename what has it."
        raise ValueError(msg)
    with whole(Path(path)) as part:
        part.write_bytes(buffer.getbuffer())
