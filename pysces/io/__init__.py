"""Read and write networks and gene sets."""

from __future__ import annotations

from pysces.io._gmt import read_gmt

__all__ = ["read_gmt"]
