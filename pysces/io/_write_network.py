"""Networks to files that pysces and other programs read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from pysces._check import one_of, some
from pysces._network import check_network
from pysces.io._adj import format_adj
from pysces.io._columns import ENDS, network_of
from pysces.io._read_network import COLUMNS, check_pyarrow
from pysces.io._table import format_table
from pysces.io._text import whole, write_text

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

WrittenFormat = Literal["tidy", "3col", "adj", "aracne-ap", "aracne3", "pyviper", "grnboost2"]
WRITTEN: tuple[WrittenFormat, ...] = get_args(WrittenFormat)
SUFFIXES = (".tsv", ".csv", ".txt", ".adj", ".parquet")
UNFIT = re.compile(r"[\n\r\0]|^\s|\s$")
"""What a field of a text file cannot hold."""


def write_network(
    network: pd.DataFrame,
    path: str | PathLike[str],
    *,
    format: WrittenFormat | None = None,
) -> None:
    r"""Write a network for pysces or another program.

    =================  ============================================================================================
    format             what is written
    =================  ============================================================================================
    ``"tidy"``         All columns, with our names as a header; comes back from :func:`read_network` as it was
    ``"3col"``         ``source``, ``target`` and ``mi``, without a header, such as R's aracne2regulon reads
    ``"adj"``          The same in ARACNe's format, a line per regulator
    ``"aracne-ap"``    Regulator, Target, MI, pvalue (from ``log_pvalue``)
    ``"aracne3"``      regulator.values, target.values, mi.values, scc.values, count.values (``support``),
                       log.p.values
    ``"pyviper"``      regulator, target, mor (``weight``), likelihood (1 if there is none)
    ``"grnboost2"``    TF, target, importance (``likelihood``), such as ``pyscenic ctx`` reads
    =================  ============================================================================================

    Other formats than ``"tidy"`` leave out the columns that they do not name. SCENIC's are not written: they hold
    statistics of motifs.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target`` and ``weight``, and those that the format needs. It is left as it
        is.
    path
        A file; it is replaced once the new one is whole. ``.csv`` is separated by commas, all other text by tabs;
        ``.gz`` behind is compressed; ``.parquet`` needs ``pip install pyarrow``.
    format
        One of the above; by default ``"adj"`` for ``.adj`` and ``"tidy"`` for ``.tsv``, ``.csv``, ``.txt`` and
        ``.parquet``.

    Raises
    ------
    ValueError
        If the network is not valid, lacks a column that the format needs, has groups that the format cannot hold, or
        names with line breaks, spaces around them, or, in ``"adj"`` and ``"3col"``, tabs or ``>`` in front; or the
        suffix is not known.
    TypeError
        If ``network`` is not a DataFrame.
    OSError
        If the file cannot be written.
    ImportError
        If it is ``.parquet`` and pyarrow is not installed.

    Examples
    --------
    >>> import tempfile, pandas as pd, pysces as ps
    >>> from pathlib import Path
    >>> net = pd.DataFrame({"source": ["SPI1", "SPI1"], "target": ["LYZ", "CD3E"], "weight": [0.9, -0.4]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "network.tsv"
    ...     ps.io.write_network(net, path)
    ...     print(path.read_text())
    source	target	weight
    SPI1	LYZ	0.9
    SPI1	CD3E	-0.4
    """
    path = Path(path)
    kind = path.suffix if path.suffix != ".gz" else path.with_suffix("").suffix
    if format is None:
        if kind not in SUFFIXES or (kind == ".parquet" != path.suffix):
            msg = f"{path} ends with {path.suffix!r}; give format, or one of {some(SUFFIXES)} (text also .gz)."
            raise ValueError(msg)
        format = "adj" if kind == ".adj" else "tidy"
    one_of(format, WRITTEN, "format")
    table = network_of(check_network(network)[list(network.columns)], "network", lambda row: f"row {row}")
    if format != "tidy":
        table = _columns(table, format, path)
    if path.suffix == ".parquet":
        _write_parquet(table, path, format)
        return
    _check_names(table, format)
    sep = "," if kind == ".csv" else "\t"
    write_text(path, format_adj(table) if format == "adj" else format_table(table, sep, header=format != "3col"))


def _columns(table: pd.DataFrame, format: WrittenFormat, path: Path) -> pd.DataFrame:
    """The columns of a format, under its names."""
    if "group" in table:
        msg = (
            f"network has one part per group, which format={format!r} cannot hold; write one file for each: "
            "network[network['group'] == label].drop(columns='group'), or format='tidy'."
        )
        raise ValueError(msg)
    columns = COLUMNS.get(format, {name: name for name in (*ENDS, "mi")})
    if "likelihood" in columns.values() and "likelihood" not in table:
        table = table.assign(likelihood=1.0)
    missing = [ours for ours in columns.values() if ours not in table]
    if missing:
        msg = f"network lacks the columns {some(missing)} that {path} of format {format!r} needs."
        raise ValueError(msg)
    chosen = table[list(columns.values())]
    if format == "aracne-ap":
        chosen = chosen.assign(log_pvalue=np.exp(chosen["log_pvalue"]))
    return chosen.set_axis(list(columns), axis="columns")


def _write_parquet(table: pd.DataFrame, path: Path, format: WrittenFormat) -> None:
    check_pyarrow()
    if format in {"3col", "adj"}:
        msg = f"format={format!r} is text; give {path.with_suffix('.tsv').name!r}, or another format."
        raise ValueError(msg)
    table.attrs = {}  # whatever they hold, files of text do not keep them either
    with whole(path) as part:
        table.to_parquet(part, engine="pyarrow", index=False)


def _check_names(table: pd.DataFrame, format: WrittenFormat) -> None:
    """Raise if a text file would not give back what it got."""
    strict = format in {"adj", "3col"}  # without a header to tell what separates names
    unfit = re.compile(rf"{UNFIT.pattern}|\t|^>") if strict else UNFIT
    for name in table.select_dtypes(exclude=["number", "bool"]):
        column = table[name]
        values = column.cat.categories if hasattr(column, "cat") else column.dropna().unique()
        bad = [value for value in values if unfit.search(str(value))]
        if bad:
            msg = (
                f"network[{name!r}] holds {some(bad)}; text files take no line breaks or spaces around names"
                f"{', and this format no tabs and no > in front' if strict else ''}. Rename them."
            )
            raise ValueError(msg)
    bad = [name for name in table if not isinstance(name, str) or not name or unfit.search(name)]
    if bad:
        msg = f"network has columns named {some(bad)}; text files take names without line breaks or spaces around."
        raise ValueError(msg)
