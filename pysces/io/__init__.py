"""Read and write networks and gene sets."""

from __future__ import annotations

from pysces.io._gmt import read_gmt
from pysces.io._graph import from_igraph, from_networkx, to_igraph, to_networkx

__all__ = ["from_igraph", "from_networkx", "read_gmt", "to_igraph", "to_networkx"]
