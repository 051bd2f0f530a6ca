"""Read and write networks and gene sets."""

from __future__ import annotations

from pysces.io._columns import as_network
from pysces.io._gmt import read_gmt, write_gmt
from pysces.io._graph import from_igraph, from_networkx, to_igraph, to_networkx
from pysces.io._graphml import read_graphml, write_graphml
from pysces.io._read_network import read_network
from pysces.io._regulons import read_regulons, write_regulons
from pysces.io._sif import read_sif, write_sif
from pysces.io._write_network import write_network

__all__ = [
    "as_network",
    "from_igraph",
    "from_networkx",
    "read_gmt",
    "read_graphml",
    "read_network",
    "read_regulons",
    "read_sif",
    "to_igraph",
    "to_networkx",
    "write_gmt",
    "write_graphml",
    "write_network",
    "write_regulons",
    "write_sif",
]
