"""Preprocessing: pooled counts of neighbouring cells (:func:`metacells`)."""

from __future__ import annotations

from pysces.pp._metacells import metacells

__all__ = ["metacells"]
