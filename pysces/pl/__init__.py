"""Figures. Each draws on ``ax``, or on a new figure, and returns the axes; nothing is shown or saved.

What scanpy draws already, it draws of :func:`pysces.get.activity`.
"""

from __future__ import annotations

__all__: list[str] = []
