"""Tables in text: every line an edge."""

from __future__ import annotations

import csv
import warnings
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from pysces.io._columns import ENDS, NAMES, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MISSING = ["", "NA", "NaN", "nan"]
"""No value, in columns that are not known; in others these are names of genes, or no numbers."""

EXACT: Any = (
    {} if [int(part) for part in pd.__version__.split(".")[:2]] >= [3, 1] else {"float_precision": "round_trip"}
)
"""From pandas 3.1 on numbers are read to the last bit without being asked to."""


class Edges(NamedTuple):
    """The table in a file, and where in the file each of its rows is."""

    frame: pd.DataFrame
    where: Callable[[int], str]


def header_of(text: str, path: Path) -> tuple[int, list[str]]:
    """Number and fields of the first line that is not blank."""
    for number, line in enumerate(StringIO(text), start=1):
        if line.strip():
            return number, fields_of(line)
    msg = f"{path} is empty."
    raise ValueError(msg)


def fields_of(line: str) -> list[str]:
    """The fields of a line, without spaces around them."""
    try:
        fields = next(csv.reader([line.rstrip("\n")], delimiter=separator(line)), [])
    except csv.Error:  # a field beyond the limit of that module
        fields = [line]
    return [field.strip() for field in fields]


def separator(line: str) -> str:
    """What separates the fields of a table that has this line."""
    return "\t" if "\t" in line else ","


def parse_table(text: str, path: Path, columns: list[str] | None = None) -> Edges:
    """The table of a text, with a header unless columns are given; columns without a name are left out."""
    first, header = header_of(text, path)
    sep = separator(text.split("\n", first)[first - 1])
    named = columns or header
    skip = first if columns is None else first - 1
    if repeated := {name for name in named if name and named.count(name) > 1}:
        msg = f"line {first} of {path} names two columns {repeated.pop()!r}; rename one."
        raise ValueError(msg)
    if not _surely_even(text, sep, len(named)):
        _check_fields(text, sep, len(named), path)
    try:
        frame = _frame(text, sep, named, skip=skip)
    except (ValueError, OverflowError, pd.errors.ParserWarning) as error:
        _check_fields(text, sep, len(named), path)
        msg = f"{path} is no table of {len(named)} columns separated by {sep!r} ({error})."
        raise ValueError(msg) from error
    return Edges(frame, lambda row: f"line {_lines(text, sep, skip)[row]}")


def format_table(table: pd.DataFrame, sep: str, *, header: bool) -> str:
    """The text of a table; numbers come back to the last bit."""
    buffer = StringIO()
    writer = csv.writer(buffer, delimiter=sep, lineterminator="\n")
    if header:
        writer.writerow(table.columns)
    columns = (table[name].astype(object).where(table[name].notna(), None).tolist() for name in table)
    writer.writerows(zip(*columns, strict=True))
    return buffer.getvalue()


def _frame(text: str, sep: str, named: list[str], *, skip: int) -> pd.DataFrame:
    names = [name for name in named if name]
    ours = {name: NAMES.get(name.lower(), name.lower()) for name in names}
    types: dict[str, Any] = {name: "category" for name in names if ours[name] in ENDS}
    if "group" in names:
        types["group"] = str
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame: pd.DataFrame = pd.read_csv(
            StringIO(text),
            sep=sep,
            header=None,
            names=[name or f"\0{number}" for number, name in enumerate(named)],
            usecols=names,
            skiprows=skip,
            index_col=False,
            dtype=types,
            keep_default_na=False,
            na_values={name: MISSING for name in names if name not in types and ours[name] not in NUMBERS},
            low_memory=False,
            **EXACT,
        )
    return frame


def _surely_even(text: str, sep: str, n: int) -> bool:
    """Whether a count of separators tells that no line lacks a field; a line too long is found by the parser."""
    n_lines = text.count("\n") + (not text.endswith("\n"))
    return '"' not in text and text.count(sep) == (n - 1) * n_lines


def _check_fields(text: str, sep: str, n: int, path: Path) -> None:
    """Raise at the first line that does not have ``n`` fields."""
    reader = csv.reader(StringIO(text), delimiter=sep, strict=True)
    number, what = 0, ""
    try:
        for fields in reader:
            number += 1
            if reader.line_num > number:
                what = "a line break within quotes"
            elif len(fields) != n and "".join(fields).strip():
                what = f"{len(fields)} fields, not {n}"
            if what:
                break
    except csv.Error as error:
        number, what = number + 1, f"fields that cannot be told apart ({error})"
    if what:
        msg = (
            f"line {number} of {path} has {what}; every line is an edge, its fields are separated by {sep!r}, and the "
            "header names them all (tables of R: write.table(..., row.names=FALSE, sep='\\t'))."
        )
        raise ValueError(msg)


def _lines(text: str, sep: str, skip: int) -> list[int]:
    """Numbers of the lines that are rows: the parser skips those that are empty or blank."""
    blank = " \t\n".replace(sep, "")
    return [number for number, line in enumerate(StringIO(text), start=1) if number > skip and line.strip(blank)]
