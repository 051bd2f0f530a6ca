"""Data that come along or are simulated, lists of regulators, and cells of the CELLxGENE Census."""

from __future__ import annotations

from pysces.datasets._census import census
from pysces.datasets._pbmc68k import pbmc68k
from pysces.datasets._regulators import regulators
from pysces.datasets._simulated import simulated

__all__ = ["census", "pbmc68k", "regulators", "simulated"]
