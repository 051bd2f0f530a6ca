"""Tools: networks (:func:`aracne`) and regulator activities (:func:`viper`)."""

from __future__ import annotations

from pysces.tl._aracne import aracne
from pysces.tl._compare_networks import compare_networks
from pysces.tl._conservation import regulator_conservation
from pysces.tl._msviper import msviper
from pysces.tl._pathways import pathways
from pysces.tl._rank_regulators import rank_regulators
from pysces.tl._similarity import similarity
from pysces.tl._viper import viper

__all__ = [
    "aracne",
    "compare_networks",
    "msviper",
    "pathways",
    "rank_regulators",
    "regulator_conservation",
    "similarity",
    "viper",
]
