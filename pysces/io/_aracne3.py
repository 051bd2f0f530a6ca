"""Folders of subnetworks, as ARACNe3 writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pysces.io._columns import network_of
from pysces.io._table import parse_table
from pysces.io._text import read_text

if TYPE_CHECKING:
    from pathlib import Path

KINDS = (".tsv", ".txt", ".csv", ".tsv.gz", ".txt.gz", ".csv.gz")


def parse_subnetworks(folder: Path) -> pd.DataFrame:
    """The edges of all subnetworks in a folder: how many hold each, and the mean of their mutual information."""
    files = sorted(file for file in folder.iterdir() if file.name.endswith(KINDS) and not file.name.startswith("."))
    if not files:
        msg = f"{folder} has no tables ({', '.join(KINDS)}); give the folder with the subnetworks of ARACNe3."
        raise ValueError(msg)
    parts = []
    for file in files:
        frame, where = parse_table(read_text(file), file)
        network = network_of(frame, str(file), where)
        if "mi" not in network or "support" in network:
            found = "counts of subnetworks: it is a network, to be read on its own" if "mi" in network else "no mi"
            msg = f"{file} has {found}; a folder must hold subnetworks of ARACNe3, with regulator, target and mi."
            raise ValueError(msg)
        parts.append(network[["source", "target", "mi"]].astype({"source": str, "target": str}))
    edges = pd.concat(parts).groupby(["source", "target"], sort=True, as_index=False)["mi"].agg(["mean", "size"])
    table = edges.rename(columns={"mean": "mi", "size": "support"})
    return table.sort_values(["source", "mi", "target"], ascending=[True, False, True], ignore_index=True)
