"""Gene sets in GMT files."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pysces._check import some
from pysces.io._graph import one_network
from pysces.io._text import read_text, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

UNFIT = re.compile(r"[\t\n\r\0]|^\s|\s$|^$")
"""What names of sets and genes cannot hold."""


def read_gmt(path: str | PathLike[str]) -> pd.DataFrame:
    r"""Read gene sets, such as those of MSigDB or Enrichr, as a network table.

    It goes straight into :func:`pysces.tl.viper` (how much a set is expressed in every cell), :func:`pysces.tl.msviper`
    (between two groups of cells) and :func:`pysces.tl.pathways` (how active the regulators in it are).

    Parameters
    ----------
    path
        A GMT file, plain or compressed (``.gz``): one line per set with its name, a description and its genes,
        separated by tabs. Empty lines, empty genes and spaces around names are ignored, and so are repetitions of a
        gene within a set.

    Returns
    -------
    Table with one row per set and gene, in the order of the file: categorical ``source`` (the set) and ``target`` (the
    gene), float64 ``weight``, which is 1. Descriptions are left out.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If a line has no name or fewer than 3 fields, a set is there twice, or the file has no sets, is not UTF-8 text
        or is a damaged ``.gz``.

    References
    ----------
    Liberzon et al. 2011, doi:10.1093/bioinformatics/btr260.

    Examples
    --------
    >>> import tempfile, pysces as ps
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "sets.gmt"
    ...     _ = path.write_text("B cells\tmarkers\tCD79A\tMS4A1\nMonocytes\tmarkers\tLYZ\n")
    ...     ps.io.read_gmt(path)
          source target  weight
    0    B cells  CD79A     1.0
    1    B cells  MS4A1     1.0
    2  Monocytes    LYZ     1.0
    """
    path = Path(path)
    first_line: dict[str, int] = {}
    source, target = [], []
    for number, name, genes in _sets(read_text(path), path):
        if name in first_line:
            msg = f"{path} holds the set {name!r} twice, in lines {first_line[name]} and {number}; rename or drop one."
            raise ValueError(msg)
        first_line[name] = number
        source += [name] * len(genes)
        target += genes
    if not source:
        msg = f"{path} is empty; a GMT file has one line per set: its name, a description and its genes."
        raise ValueError(msg)
    return pd.DataFrame({"source": pd.Categorical(source), "target": pd.Categorical(target), "weight": 1.0})


def write_gmt(network: pd.DataFrame, path: str | PathLike[str]) -> None:
    r"""Write the targets of every regulator as a gene set, for programs that take sets.

    Weights, likelihoods and all else of an edge are lost: for activated and repressed targets apart, write the edges
    with ``weight > 0`` and those with ``weight < 0`` to files of their own.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target`` and ``weight``; of networks of groups, the edges of one group. It
        is left as it is.
    path
        A file, compressed if it ends with ``.gz``; it is replaced once the new one is whole. One line per regulator, in
        the order of their first edges: its name, an empty description and its targets, separated by tabs.

    Raises
    ------
    ValueError
        If the network is not valid, has groups, or names with tabs, line breaks or spaces around them.
    TypeError
        If ``network`` is not a DataFrame.
    OSError
        If the file cannot be written.

    References
    ----------
    Liberzon et al. 2011, doi:10.1093/bioinformatics/btr260.

    Examples
    --------
    >>> import tempfile, pandas as pd, pysces as ps
    >>> from pathlib import Path
    >>> net = pd.DataFrame({"source": ["SPI1", "SPI1"], "target": ["LYZ", "CD3E"], "weight": [0.9, -0.4]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "regulons.gmt"
    ...     ps.io.write_gmt(net, path)
    ...     path.read_text()
    'SPI1\t\tLYZ\tCD3E\n'
    """
    ends = one_network(network)
    bad = [name for name in pd.unique(pd.concat([ends["source"], ends["target"]])) if UNFIT.search(name)]
    if bad:
        msg = f"network holds the names {some(bad)}; GMT files take no tabs, line breaks or spaces around names."
        raise ValueError(msg)
    sets = ends["target"].groupby(ends["source"], sort=False).agg("\t".join)
    write_text(Path(path), "".join(f"{name}\t\t{genes}\n" for name, genes in sets.items()))


def _sets(text: str, path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Line number, name and genes of every set."""
    for number, line in enumerate(StringIO(text), start=1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.rstrip("\n").split("\t")]
        genes = [gene for gene in dict.fromkeys(fields[2:]) if gene]
        if not fields[0] or not genes:
            found = "no name" if not fields[0] else f"{len(fields[:2])} of at least 3 fields"
            msg = f"line {number} of {path} has {found}; a set has a name, a description and genes, separated by tabs."
            raise ValueError(msg)
        yield number, fields[0], genes
