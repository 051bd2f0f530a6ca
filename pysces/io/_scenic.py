"""Regulons of SCENIC: the table that ``pyscenic ctx`` writes."""

from __future__ import annotations

import re
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces.io._columns import as_number
from pysces.io._table import Edges, fields_of, separator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAIR = re.compile(
    r"""\s*\(\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*,\s*(?:np\.float(?:32|64)\()?([-+.\w]+)\)?\s*\)\s*(?:,|$)"""
)
"""A gene and its importance in a list of targets, which is read, never evaluated."""
NEEDED = ("TF", "Context", "TargetGenes")


def scenic_header(text: str) -> tuple[int, list[str]] | None:
    """Last line and names of a header, which has up to three lines; None if it is not that of SCENIC."""
    names: list[str] = []
    for number, line in enumerate(islice(StringIO(text), 3), start=1):
        fields = fields_of(line)
        names = [own or above for own, above in zip(fields, names or fields, strict=False)]
        if set(NEEDED) <= set(names):
            return number, names
    return None


def parse_scenic(text: str, path: Path) -> Edges:
    """The edges of all motifs, each once: with its largest importance, and the sign of its modules."""
    header = scenic_header(text)
    if header is None:
        msg = f"{path} has no header with the columns {', '.join(NEEDED)}; give the table that pyscenic ctx writes."
        raise ValueError(msg)
    first, names = header
    table = _motifs(text, path, first, names)
    lines = [n for n, line in enumerate(StringIO(text), start=1) if n > first and line.strip()]
    if len(table) != len(lines):
        msg = f"{path} has {len(lines)} lines after its header, but {len(table)} motifs; each must be one whole line."
        raise ValueError(msg)
    parts: dict[str, list[object]] = {"source": [], "target": [], "importance": [], "weight": [], "line": []}
    for number, name, context, cell in zip(lines, *(table[name] for name in NEEDED), strict=True):
        sign = -1.0 if "repressing" in context else 1.0
        for target, importance in _targets(cell, f"line {number} of {path}"):
            for part, value in zip(parts.values(), (name, target, importance, sign, number), strict=True):
                part.append(value)
    edges = pd.DataFrame(parts)
    merged = edges.groupby(["source", "target"], sort=False, as_index=False).agg(
        {"importance": "max", "weight": "mean", "line": "first"}
    )
    merged["weight"] = np.trunc(merged["weight"].to_numpy(np.float64))
    return Edges(merged.drop(columns="line"), lambda row: f"line {merged['line'].iloc[row]}")


def _motifs(text: str, path: Path, first: int, names: list[str]) -> pd.DataFrame:
    columns = [name if name in NEEDED else f"\0{number}" for number, name in enumerate(names)]
    try:
        return pd.read_csv(
            StringIO(text),
            sep=separator(text.split("\n", first)[first - 1]),
            header=None,
            names=columns,
            usecols=list(NEEDED),
            skiprows=first,
            index_col=False,
            dtype=str,
            keep_default_na=False,
        )
    except ValueError as error:
        msg = f"{path} is no table of {len(names)} columns ({error})."
        raise ValueError(msg) from error


def _targets(cell: str, where: str) -> Iterator[tuple[str, float]]:
    """Genes and importances of a list such as ``[('LYZ', 1.5), ('CST3', 0.7)]``."""
    inner = cell.strip()
    start, end = 1, len(inner) - 1
    if not (inner.startswith("[") and inner.endswith("]")):
        start, end = 0, 1
    while start < end:
        found = PAIR.match(inner, start, end)
        importance = as_number(found[3]) if found else np.nan
        if found is None or not 0 <= importance < np.inf:
            shown = inner[start : start + 40]
            msg = f"{where} has the target genes {shown!r}; they must be a list such as [('LYZ', 1.5), ('CST3', 0.7)]."
            raise ValueError(msg)
        yield found[1] or found[2] or "", importance
        start = found.end()
