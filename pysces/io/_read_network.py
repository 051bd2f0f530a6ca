"""Networks from files of many programs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from pysces._check import one_of, some
from pysces.io._adj import parse_adj
from pysces.io._aracne3 import parse_subnetworks
from pysces.io._columns import ENDS, NAMES, as_number, network_of
from pysces.io._scenic import parse_scenic, scenic_header
from pysces.io._table import Edges, header_of, parse_table
from pysces.io._text import read_text

if TYPE_CHECKING:
    from os import PathLike

Format = Literal["tidy", "3col", "adj", "aracne-ap", "aracne3", "pyviper", "grnboost2", "scenic"]
FORMATS: tuple[Format, ...] = get_args(Format)
COLUMNS: dict[str, dict[str, str]] = {
    "aracne-ap": {"Regulator": "source", "Target": "target", "MI": "mi", "pvalue": "log_pvalue"},
    "aracne3": {
        "regulator.values": "source",
        "target.values": "target",
        "mi.values": "mi",
        "scc.values": "scc",
        "count.values": "support",
        "log.p.values": "log_pvalue",
    },
    "pyviper": {"regulator": "source", "target": "target", "mor": "weight", "likelihood": "likelihood"},
    "grnboost2": {"TF": "source", "target": "target", "importance": "likelihood"},
}
"""Columns of the tables of other programs, and ours."""


def read_network(path: str | PathLike[str], *, format: Format | None = None) -> pd.DataFrame:
    r"""Read a network that pysces or another program wrote.

    =================  ============================================================================================
    format             what it is
    =================  ============================================================================================
    ``"tidy"``         A table with a header, separated by tabs or commas, or ``.parquet``: what
                       :func:`write_network` writes, CollecTRI, DoRothEA and tables of decoupler; names of columns
                       are those of :func:`as_network`
    ``"3col"``         Regulator, target and mutual information, without a header
    ``"adj"``          ARACNe: lines that begin with ``>`` are comments, others a regulator and its targets, each
                       followed by its mutual information, separated by tabs
    ``"aracne-ap"``    ARACNe-AP, ``network.txt``: a table of Regulator, Target, MI, pvalue
    ``"aracne3"``      ARACNe3: the consolidated table (regulator.values, target.values, mi.values, scc.values,
                       count.values, log.p.values), or the folder of its subnetworks
    ``"pyviper"``      A table of regulator, target, mor, likelihood
    ``"grnboost2"``    GRNBoost2 and GENIE3 (arboreto, ``pyscenic grn``): a table of TF, target, importance
    ``"scenic"``       The ``.csv`` of ``pyscenic ctx``. For ``.gmt`` see :func:`read_gmt`; ``.loom`` is not read
    =================  ============================================================================================

    Text may be compressed (``.gz``). A column without a name, such as an index that was written along, is left out.

    Parameters
    ----------
    path
        A file, or the folder of the subnetworks of ARACNe3.
    format
        One of the above; by default it is told from the suffix, the header and the first line.

    Returns
    -------
    A network as :func:`pysces.tl.viper` takes it, in the order of the file, with the columns and types that
    :func:`as_network` describes. ``"3col"``, ``"adj"``, ``"aracne-ap"`` and ``"grnboost2"`` have no sign: weights are
    1, with a warning, until :func:`pysces.pp.regulons` finds them. In a folder of subnetworks, ``support`` is the
    number of files that hold an edge and ``mi`` the mean of their estimates, each of a part of the cells, which is not
    the mutual information of all cells; edges are sorted by source, falling ``mi`` and target. Of SCENIC, an
    edge has the largest importance of all motifs, and the weight 1 from activating modules, -1 from repressing, 0 from
    both.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If the format is not recognised, or the file is damaged, empty, not UTF-8 text or holds what
        :func:`as_network` refuses; the line is named, counted from 1 with comments and blank lines.
    ImportError
        If it is ``.parquet`` and pyarrow is not installed.

    Notes
    -----
    Text keeps our columns to the last bit. Categories of groups are in the order in which they appear; only parquet
    keeps groups without edges, and the types of columns that pysces does not know.

    References
    ----------
    Margolin et al. 2006, doi:10.1186/1471-2105-7-S1-S7 (ARACNe); Lachmann et al. 2016,
    doi:10.1093/bioinformatics/btw216 (ARACNe-AP); Moerman et al. 2019, doi:10.1093/bioinformatics/bty916 (GRNBoost2);
    Van de Sande et al. 2020, doi:10.1038/s41596-020-0336-2 (SCENIC).

    Examples
    --------
    >>> import tempfile, pysces as ps
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "network.csv"
    ...     _ = path.write_text("TF,target,importance,rho\nSPI1,LYZ,8,0.5\nSPI1,CD3E,4,-0.25\n")
    ...     ps.io.read_network(path)
      source target  weight  likelihood  importance   rho
    0   SPI1    LYZ    0.50         1.0         8.0  0.50
    1   SPI1   CD3E   -0.25         0.5         4.0 -0.25
    """
    path = Path(path)
    if format is not None:
        one_of(format, FORMATS, "format")
    if path.is_dir() and format in {None, "aracne3"}:
        return network_of(parse_subnetworks(path), str(path), lambda row: f"edge {row + 1}")
    if path.suffix == ".parquet":
        if format in {"3col", "adj", "scenic"}:
            msg = f"format={format!r} is text, but {path} is parquet; leave format out."
            raise ValueError(msg)
        edges = _parquet(path)
        _check_columns(edges.frame.columns.tolist(), format, path)
    else:
        edges = _parsed(read_text(path), path, format)
    return network_of(edges.frame, str(path), edges.where)


def _parsed(text: str, path: Path, format: Format | None) -> Edges:
    """The edges of a text."""
    _, fields = header_of(text, path)
    match format or _recognised(text, path, fields):
        case "adj":
            return parse_adj(text, path)
        case "scenic":
            return parse_scenic(text, path)
        case "3col":
            return parse_table(text, path, ["source", "target", "mi"])
        case table:
            _check_columns(fields, table, path)
            return parse_table(text, path)


def _recognised(text: str, path: Path, fields: list[str]) -> Format:
    """What the suffix and the first lines tell."""
    names = {NAMES.get(field.lower(), field.lower()) for field in fields}
    if ".adj" in path.suffixes[-2:] or fields[0].startswith(">"):
        return "adj"
    if scenic_header(text):
        return "scenic"
    if set(ENDS) <= names:
        return "tidy"
    are_numbers = [as_number(field) == as_number(field) for field in fields]
    if are_numbers == [False, False, True]:
        return "3col"
    msg = (
        f"{path} is of no known format: its first line is {some(fields)}. Give format, one of "
        f"{', '.join(map(repr, FORMATS))}, or a header that names the columns 'source' and 'target'."
    )
    raise ValueError(msg)


def _check_columns(columns: list[str], format: str | None, path: Path) -> None:
    """Raise if a table lacks columns of its format."""
    there = {str(column).lower() for column in columns}
    missing = [column for column in COLUMNS.get(format or "tidy", ()) if column.lower() not in there]
    if missing:
        msg = f"{path} is not of format {format!r}: it lacks the columns {some(missing)}; it has: {some(columns)}."
        raise ValueError(msg)


def _parquet(path: Path) -> Edges:
    check_pyarrow()
    if not path.is_file():
        path.open("rb").close()  # raises as for other files
    try:
        frame = pd.read_parquet(path, engine="pyarrow")
    except Exception as error:
        msg = f"{path} is no whole .parquet file ({error}); write it again."
        raise ValueError(msg) from error
    return Edges(frame, lambda row: f"row {row}")


def check_pyarrow() -> None:
    """Raise if parquet cannot be read or written."""
    if find_spec("pyarrow") is None:
        msg = "parquet needs pyarrow: pip install pyarrow."
        raise ImportError(msg)
