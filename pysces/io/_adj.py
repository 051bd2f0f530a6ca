"""Networks in ARACNe's .adj format: a line per regulator."""

from __future__ import annotations

from bisect import bisect_right
from io import StringIO
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces.io._columns import as_number
from pysces.io._table import Edges

if TYPE_CHECKING:
    from pathlib import Path


def parse_adj(text: str, path: Path) -> Edges:
    """The edges of a text: a regulator, and its targets, each followed by its mutual information."""
    regulators, sizes, lines = [], [], []
    targets: list[str] = []
    values: list[str] = []
    for number, line in enumerate(StringIO(text), start=1):
        if not line.strip() or line.startswith(">"):
            continue
        name, *pairs = line.rstrip().split("\t")
        if len(pairs) % 2:
            msg = (
                f"line {number} of {path} has {len(pairs)} fields after the regulator; it needs pairs of a target and "
                "its mutual information, separated by tabs."
            )
            raise ValueError(msg)
        regulators.append(name)
        sizes.append(len(pairs) // 2)
        lines.append(number)
        targets += pairs[::2]
        values += pairs[1::2]
    source = np.repeat(np.array(regulators, dtype=object), sizes)
    mi = np.fromiter(map(as_number, values), np.float64, len(values))
    frame = pd.DataFrame({"source": source, "target": pd.Series(targets, dtype=object), "mi": mi})
    if np.isnan(mi).any():
        frame["mi"] = pd.Series(values, dtype=object)
    ends = list(accumulate(sizes))
    return Edges(frame, lambda row: f"line {lines[bisect_right(ends, row)]}")


def format_adj(network: pd.DataFrame) -> str:
    """The text of a network; regulators come in the order of their first edges."""
    lines: dict[str, list[str]] = {}
    for source, target, mi in zip(*(network[name].tolist() for name in ("source", "target", "mi")), strict=True):
        lines.setdefault(source, [source]).append(f"{target}\t{mi!r}")
    return "".join("\t".join(line) + "\n" for line in lines.values())
