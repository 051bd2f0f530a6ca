"""Data that come along: a small real data set and lists of regulators."""

from __future__ import annotations

from pysces.datasets._pbmc68k import pbmc68k
from pysces.datasets._regulators import regulators

__all__ = ["pbmc68k", "regulators"]
