"""Networks in the simple interaction format (SIF) of Cytoscape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces._check import some
from pysces.io._graph import one_network
from pysces.io._text import read_text, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNS = {"activates": 1.0, "inhibits": -1.0, "regulates": 0.0}
"""Interactions, and the weight that is read for them."""


def read_sif(path: str | Path) -> pd.DataFrame:
    r"""Read a network in the simple interaction format (SIF), such as Cytoscape exports.

    Parameters
    ----------
    path
        A SIF file, plain or compressed (``.gz``): lines of a regulator, an interaction (``activates``, ``inhibits``,
        or ``regulates`` for no sign) and one or more targets, separated by tabs, or by spaces in a file without tabs.
        Empty lines and genes that stand alone are passed over.

    Returns
    -------
    Table with one row per edge, in the order of the file: categorical ``source`` and ``target``, float64 ``weight``: 1,
    -1 and 0 for these interactions.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line has no target, an empty name or another interaction, an edge is there twice, or the file has no edges
        or is not UTF-8 text. The message names the line.

    References
    ----------
    Shannon et al. 2003, doi:10.1101/gr.1239303 (Cytoscape).

    Examples
    --------
    >>> import tempfile, pysces as ps
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "network.sif"
    ...     _ = path.write_text("SPI1\tactivates\tLYZ\tCST3\nSPI1\tinhibits\tCD3E\n")
    ...     ps.io.read_sif(path)
      source target  weight
    0   SPI1    LYZ     1.0
    1   SPI1   CST3     1.0
    2   SPI1   CD3E    -1.0
    """
    path = Path(path)
    lines: dict[tuple[str, str], int] = {}
    weights = []
    for number, edge, weight in _edges(read_text(path), path):
        if edge in lines:
            msg = f"{path} holds the edge {list(edge)} twice, in lines {lines[edge]} and {number}; drop one."
            raise ValueError(msg)
        lines[edge] = number
        weights.append(weight)
    if not weights:
        msg = f"{path} has no edges; a SIF file has lines of a regulator, an interaction and targets."
        raise ValueError(msg)
    source, target = (pd.Categorical(ends) for ends in zip(*lines, strict=True))
    return pd.DataFrame({"source": source, "target": target, "weight": weights})


def write_sif(network: pd.DataFrame, path: str | Path) -> None:
    """Write a network in the simple interaction format (SIF) of Cytoscape.

    The interaction is the sign of the weight: ``activates``, ``inhibits``, or ``regulates`` where it is 0. The sizes of
    weights and all other columns are lost; :func:`write_graphml` keeps them.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target`` and ``weight``; of networks of groups, the edges of one group.
    path
        File to write, compressed if it ends with ``.gz``: one line per edge, separated by tabs, in the order of the
        table. It is written whole or not at all.

    Returns
    -------
    Nothing.

    Raises
    ------
    ValueError
        If the network is not valid or has groups, or a name is empty, has spaces around it, tabs or line breaks.
    TypeError
        If the network is not a DataFrame.
    """
    table = one_network(network)
    names = pd.unique(pd.concat([table["source"], table["target"]]))
    unfit = [
        name for name in names if not name or name != name.strip() or len(f"{name}.".splitlines()) > 1 or "\t" in name
    ]
    if unfit:
        msg = (
            f"network has names that no line of SIF can hold: {some(unfit)}; rename them, without tabs and line breaks."
        )
        raise ValueError(msg)
    by_sign = {sign: interaction for interaction, sign in SIGNS.items()}
    interactions = np.sign(table["weight"].to_numpy(np.float64)).tolist()
    edges = zip(table["source"], interactions, table["target"], strict=True)
    write_text(Path(path), "".join(f"{source}\t{by_sign[sign]}\t{target}\n" for source, sign, target in edges))


def _edges(text: str, path: Path) -> Iterator[tuple[int, tuple[str, str], float]]:
    """Line number, ends and weight of every edge."""
    tabs = "\t" in text
    for number, line in enumerate(text.split("\n"), start=1):
        fields = [field.strip() for field in line.rstrip().split("\t")] if tabs else line.split()
        if len(fields) == 1 or not line.strip():
            continue
        found = None
        if len(fields) == 2 or not all(fields):
            found = f"{some(fields)}: a regulator, an interaction and targets are needed, none of them empty"
        elif fields[1] not in SIGNS:
            found = f"the interaction {fields[1]!r}, which tells no sign; write one of {', '.join(SIGNS)}"
        if found:
            msg = f"line {number} of {path} has {found}."
            raise ValueError(msg)
        for target in fields[2:]:
            yield number, (fields[0], target), SIGNS[fields[1]]
