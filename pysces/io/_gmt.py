"""Gene sets in GMT files."""

from __future__ import annotations

import gzip
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_gmt(path: str | Path) -> pd.DataFrame:
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
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line has no name or fewer than 3 fields, a set is there twice, or the file has no sets or is not UTF-8
        text.

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
    for number, name, genes in _sets(_text(path), path):
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


def _text(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    try:
        return content.decode("utf-8-sig")  # some editors put a mark in front
    except UnicodeDecodeError as error:
        number = len((error.object[: error.start] + b".").splitlines())
        msg = f"{path} is not UTF-8 text (line {number}); convert it, or decompress it if it is compressed but not .gz."
        raise ValueError(msg) from error


def _sets(text: str, path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Line number, name and genes of every set."""
    for number, line in enumerate(StringIO(text, newline=None), start=1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.rstrip("\n").split("\t")]
        genes = [gene for gene in dict.fromkeys(fields[2:]) if gene]
        if not fields[0] or not genes:
            found = "no name" if not fields[0] else f"{len(fields[:2])} of at least 3 fields"
            msg = f"line {number} of {path} has {found}; a set has a name, a description and genes, separated by tabs."
            raise ValueError(msg)
        yield number, fields[0], genes
