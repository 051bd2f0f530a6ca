"""Read what :mod:`pysces.tl` and :mod:`pysces.pp` stored."""

from __future__ import annotations

from pysces.get._activity import activity
from pysces.get._comparison import comparison
from pysces.get._conservation import conservation
from pysces.get._metacells import metacells
from pysces.get._network import network
from pysces.get._pvalues import pvalues
from pysces.get._regulators import regulators
from pysces.get._similarity import similarity
from pysces.get._tables import msviper, regulons

__all__ = [
    "activity",
    "comparison",
    "conservation",
    "metacells",
    "msviper",
    "network",
    "pvalues",
    "regulators",
    "regulons",
    "similarity",
]
