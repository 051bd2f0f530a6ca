"""Read what :mod:`pysces.tl` stored."""

from __future__ import annotations

from pysces.get._activity import activity
from pysces.get._conservation import conservation
from pysces.get._network import network
from pysces.get._pvalues import pvalues
from pysces.get._tables import msviper

__all__ = ["activity", "conservation", "msviper", "network", "pvalues"]
