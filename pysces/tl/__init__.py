"""Tools: networks (:func:`aracne`) and regulator activities (:func:`viper`)."""

from __future__ import annotations

from pysces.tl._aracne import aracne
from pysces.tl._msviper import msviper
from pysces.tl._similarity import similarity
from pysces.tl._viper import viper

__all__ = ["aracne", "msviper", "similarity", "viper"]
