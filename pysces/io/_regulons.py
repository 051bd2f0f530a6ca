"""Regulons of R: those of viper, and those of NaRnEA and PISCES."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pysces._check import one_of, some, warn
from pysces.io import _r_writer as r
from pysces.io._columns import network_of
from pysces.io._graph import one_network
from pysces.io._r import RValue, read_r
from pysces.io._text import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = {"viper": ("tfmode", "likelihood"), "narnea": ("am", "aw")}
"""Names of the weight and the likelihood of a regulon."""


class Regulon(NamedTuple):
    """The targets of a regulator, as in a file."""

    targets: list[str | None]
    weight: NDArray[np.float64]
    likelihood: NDArray[np.float64]


def read_regulons(path: str | Path, name: str | None = None) -> pd.DataFrame:
    r"""Read regulons of R as a network table; needs ``pip install rdata``.

    Parameters
    ----------
    path
        A file of ``saveRDS()`` (.rds) or ``save()`` (.rda, .RData), compressed in any way of R, with one of

        - regulons of viper: a named list with, for each regulator, a list of ``tfmode`` (named numbers in [-1, 1]: the
          targets and their mode of regulation, here ``weight``) and ``likelihood`` (of the same length and order);
        - those of NaRnEA and PISCES: the same with the association mode ``am`` as weight and the association weight
          ``aw`` as likelihood, both named;
        - a data frame that :func:`as_network` takes.

        Nothing in a file is ever run.
    name
        Of the object to read, where a file of ``save()`` holds several. By default the only one.

    Returns
    -------
    Table with one row per edge, in the order of the file: categorical ``source`` (the regulator) and ``target``,
    float64 ``weight`` in [-1, 1] and ``likelihood`` in (0, 1]. Edges that count nowhere are left out, with a warning:
    those without a target, weight or likelihood (NA), and those of likelihood 0; so are regulons without targets. Where
    likelihoods exceed 1, as those that viper takes from .adj files may (they are mutual information), all are divided
    by the largest, with a warning: only their proportions count.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, holds no regulons, or several objects and no ``name``; if a regulator is there twice or
        has no name; if a regulon has a target twice, no names of targets, vectors of other kinds or lengths, or a
        weight or likelihood out of range. The message names the regulator.
    ImportError
        If rdata is not installed.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593 (VIPER); Griffin et al. 2023, doi:10.3390/e25030542 (NaRnEA).

    Examples
    --------
    >>> import tempfile, pandas as pd, pysces as ps
    >>> from pathlib import Path
    >>> network = pd.DataFrame({"source": ["SPI1", "SPI1"], "target": ["LYZ", "CD3E"], "weight": [0.9, -0.4]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "regulons.rds"
    ...     ps.io.write_regulons(network, path)
    ...     ps.io.read_regulons(path)
      source target  weight  likelihood
    0   SPI1    LYZ     0.9         1.0
    1   SPI1   CD3E    -0.4         1.0
    """
    path = Path(path)
    found = read_r(path, name)
    if "data.frame" in found.classes:
        return network_of(_frame(found, path), str(path), lambda row: f"row {row + 1}")
    regulons = _regulons(found, path)
    table = _table(regulons, path)
    if table.empty:
        msg = f"{path} holds {len(regulons)} regulons, but no edge with a target, a weight and a likelihood above 0."
        raise ValueError(msg)
    return table.astype({"source": "category", "target": "category"})


def write_regulons(network: pd.DataFrame, path: str | Path, *, kind: str = "viper") -> None:
    """Write a network as regulons of R, which ``readRDS()`` reads there and :func:`read_regulons` here.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target`` and ``weight``; of networks of groups, the edges of one group.
        Weights and likelihoods (1 if there are none) are written as they are, other columns are not.
    path
        A file that ends with ``.rds``. It is written whole or not at all.
    kind
        ``"viper"`` (lists of ``tfmode`` and ``likelihood``, of class regulon) or ``"narnea"`` (lists of ``aw`` and
        ``am``, for NaRnEA and PISCES).

    Returns
    -------
    Nothing. Regulators stand in the order of their first edge, the targets of each in that of the table.

    Raises
    ------
    ValueError
        If the network is not valid, has groups or names that R does not take, or the file does not end with ``.rds``.
    TypeError
        If the network is not a DataFrame.
    """
    columns = KINDS[one_of(kind, tuple(KINDS), "kind")]
    path = Path(path)
    if path.suffix.lower() != ".rds":
        msg = f"path is {str(path)!r}; regulons are written to a file that ends with .rds."
        raise ValueError(msg)
    table = one_network(network)
    unfit = [name for name in pd.unique(pd.concat([table["source"], table["target"]])) if not name or "\0" in name]
    if unfit:
        msg = f"network has names that R does not take: {some(unfit)}; rename them."
        raise ValueError(msg)
    regulons = []
    for _, own in table.groupby("source", sort=False):
        targets = own["target"].tolist()
        weight, likelihood = (own[column].to_numpy(np.float64) for column in ("weight", "likelihood"))
        if kind == "viper":
            vectors = [r.numbers(weight, names=targets), r.numbers(likelihood)]
        else:
            vectors = [r.numbers(likelihood, names=targets), r.numbers(weight, names=targets)]
        regulons.append(r.as_list(vectors, names=columns if kind == "viper" else columns[::-1]))
    attributes = {"names": table["source"].unique().tolist()} | ({"class_": ["regulon"]} if kind == "viper" else {})
    content = gzip.compress(r.rds(r.as_list(regulons, **attributes)), compresslevel=6, mtime=0)
    with whole(path) as part:
        part.write_bytes(content)


def _regulons(found: RValue, path: Path) -> dict[str, Regulon]:
    if found.kind != "list" or found.names is None:
        what = "a list without names" if found.kind == "list" else f"an object of another kind ({found.kind})"
        msg = f"{path} holds {what}; regulons are a list named by the regulators, in R: names(regulons) <- regulators."
        raise ValueError(msg)
    regulons: dict[str, Regulon] = {}
    for number, (regulator, own) in enumerate(zip(found.names, found.values, strict=True), start=1):
        if not regulator:
            msg = f"regulon {number} of {len(found.names)} in {path} has no regulator; name it: names(regulons)."
            raise ValueError(msg)
        if regulator in regulons:
            msg = f"{path} holds two regulons of {regulator!r}; merge them, or drop one."
            raise ValueError(msg)
        regulons[regulator] = _regulon(own, f"the regulon of {regulator!r} in {path}")
    return regulons


def _regulon(found: RValue, what: str) -> Regulon:
    if found.kind in {"NULL", "list", "numbers"} and len(found.values) == 0:
        return Regulon([], np.empty(0), np.empty(0))
    names = found.names or []
    columns = next((both for both in KINDS.values() if set(both) <= set(names)), None)
    if found.kind != "list" or columns is None:
        held = f"a list of {some(names)}" if names else f"{found.kind} without names"
        msg = f"{what} is {held}; a regulon is a list of tfmode and likelihood (viper), or of am and aw (NaRnEA)."
        raise ValueError(msg)
    weight, likelihood = (found.values[names.index(column)] for column in columns)
    for column, vector in zip(columns, (weight, likelihood), strict=True):
        if vector.kind not in {"numbers", "NULL"} or vector.levels is not None:
            held = vector.kind if vector.levels is None else "levels (a factor)"
            msg = f"{what} has {held} as {column}; give numbers, in R: as.numeric()."
            raise ValueError(msg)
    targets = weight.names or []
    if len(targets) != len(weight.values):
        msg = f"{what} has {columns[0]} without names, which are the targets; give them, in R: names()."
        raise ValueError(msg)
    if len(likelihood.values) != len(targets):
        msg = (
            f"{what} has {len(targets)} {columns[0]}, but {len(likelihood.values)} {columns[1]}; give as many of both."
        )
        raise ValueError(msg)
    if likelihood.names not in (None, targets):
        msg = f"{what} has {columns[0]} and {columns[1]} of other names; give both in the same order of targets."
        raise ValueError(msg)
    return Regulon(targets, np.asarray(weight.values, np.float64), np.asarray(likelihood.values, np.float64))


def _table(regulons: dict[str, Regulon], path: Path) -> pd.DataFrame:
    """All edges that count, checked."""
    sizes = [len(own.targets) for own in regulons.values()]
    table = pd.DataFrame(
        {
            "source": np.repeat(np.array(list(regulons), dtype=object), sizes),
            "target": np.array([target for own in regulons.values() for target in own.targets], dtype=object),
            "weight": np.concatenate([np.empty(0), *(own.weight for own in regulons.values())]),
            "likelihood": np.concatenate([np.empty(0), *(own.likelihood for own in regulons.values())]),
        }
    )
    known = (table["target"].fillna("") != "") & table["weight"].notna() & table["likelihood"].notna()
    counts = known & (table["likelihood"] != 0)
    empty = [regulator for regulator, size in zip(regulons, sizes, strict=True) if not size]
    if not counts.all() or empty:
        edges = f"{(~counts).sum()} edges without a target, weight or likelihood"
        warn(f"{path}: left out are {edges}, and {len(empty)} regulons without targets ({some(empty) or 'none'}).")
    table = table[counts]
    _check(table, path)
    largest = table["likelihood"].max()
    if largest > 1:
        warn(f"{path}: likelihoods are up to {largest:g}, and are divided by that; only their proportions count.")
        table = table.assign(likelihood=table["likelihood"] / largest)
    return table.reset_index(drop=True)


def _check(table: pd.DataFrame, path: Path) -> None:
    """Raise at the first edge that no network has."""
    likelihood = table["likelihood"]
    for fault, column, remedy in (
        (table["weight"].abs() > 1, "weight", "divide all by the largest absolute value, into [-1, 1]"),
        ((likelihood < 0) | np.isinf(likelihood), "likelihood", "it must be a number above 0"),
        (table.duplicated(["source", "target"]), "target", "it is there twice: keep one"),
    ):
        if fault.any():
            edge = table[fault].iloc[0]
            what = f"{edge['target']!r}" + (f" with the {column} {edge[column]:g}" if column != "target" else "")
            msg = f"the regulon of {edge['source']!r} in {path} has the target {what}; {remedy}."
            raise ValueError(msg)


def _frame(found: RValue, path: Path) -> pd.DataFrame:
    """A data frame of R; codes of factors that have no level are missing."""
    columns: dict[int, Any] = {}
    for number, (name, own) in enumerate(zip(found.names or [], found.values, strict=True)):
        if own.kind not in {"numbers", "text"} or len(own.values) != len(found.values[0].values):
            msg = f"the column {name!r} of the data frame in {path} is no vector of numbers or text; drop it."
            raise ValueError(msg)
        level_of = dict(enumerate(own.levels, start=1)) if own.levels is not None else {}
        columns[number] = own.values if own.levels is None else [level_of.get(code) for code in own.values]
    return pd.DataFrame(columns).set_axis(pd.Index(found.names or [], dtype=object), axis=1)
