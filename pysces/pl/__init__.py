"""Figures. Each draws on ``ax``, or on a new figure, and returns the axes; nothing is shown or saved.

What scanpy draws already, it draws of :func:`pysces.get.activity`.
"""

from __future__ import annotations

from pysces.pl._activity_heatmap import activity_heatmap
from pysces.pl._mi import mi
from pysces.pl._msviper import msviper
from pysces.pl._network import network
from pysces.pl._network_overlap import network_overlap
from pysces.pl._null import null
from pysces.pl._rank_regulators import rank_regulators
from pysces.pl._regulon import regulon
from pysces.pl._regulon_sizes import regulon_sizes
from pysces.pl._support import support

__all__ = [
    "activity_heatmap",
    "mi",
    "msviper",
    "network",
    "network_overlap",
    "null",
    "rank_regulators",
    "regulon",
    "regulon_sizes",
    "support",
]
