"""Columns of the tables of other programs, and what must hold for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pysces._check import some, warn
from pysces.io._signs import not_understood, of_words, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pysces.io._signs import Signed

NAMES = {
    "regulator": "source",
    "tf": "source",
    "regulator.values": "source",
    "target.values": "target",
    "mor": "weight",
    "regulation": "weight",
    "mi.values": "mi",
    "scc.values": "scc",
    "count.values": "support",
    "log.p.values": "log_pvalue",
}
"""Names that others give to our columns, in lower case."""
ENDS = ("source", "target")


class Column(NamedTuple):
    """What the numbers of a column must be."""

    meaning: str
    allowed: Callable[[NDArray[np.float64]], NDArray[np.bool_]]


FINITE = Column("finite: drop the edge", np.isfinite)
NUMBERS = {
    "weight": Column(
        "in [-1, 1], the mode of regulation; pysces.pp.scale_weights makes signs and likelihoods of strengths",
        lambda x: np.abs(x) <= 1,
    ),
    "likelihood": Column("in (0, 1]: divide by the largest, and drop edges without one", lambda x: (x > 0) & (x <= 1)),
    "mi": Column("not below 0 and finite: drop the edge", lambda x: (x >= 0) & np.isfinite(x)),
    "importance": Column("not below 0 and finite: drop the edge", lambda x: (x >= 0) & np.isfinite(x)),
    "scc": Column("in [-1, 1]: drop the edge", lambda x: np.abs(x) <= 1),
    "support": Column("a whole number of subnetworks", lambda x: (x >= 0) & (x < 2**53) & (x == np.floor(x))),
    "log_pvalue": Column("at most 0: the natural logarithm of a p-value", lambda x: x <= 0),
    "log_qvalue": Column("at most 0: the natural logarithm of a q-value", lambda x: x <= 0),
    "pvalue": Column("in [0, 1]", lambda x: (x >= 0) & (x <= 1)),
}


def as_network(frame: pd.DataFrame) -> pd.DataFrame:
    """A network table from a table of another program or library.

    Columns are known by name, in any case of letters:

    ==================  =====================================================================================
    column              names
    ==================  =====================================================================================
    ``source``          ``source`` (decoupler, CollecTRI), ``regulator`` (pyviper, ARACNe-AP), ``tf`` (DoRothEA,
                        GRNBoost2, GENIE3), ``regulator.values`` (ARACNe3)
    ``target``          ``target``, ``target.values``
    ``weight``          ``weight``, ``mor``, ``regulation`` (pySCENIC)
    ``likelihood``      ``likelihood``
    ``mi``              ``mi``, ``mi.values``
    ``scc``             ``scc``, ``scc.values``
    ``support``         ``support``, ``count.values``
    ``log_pvalue``      ``log_pvalue``, ``log.p.values``, or ``pvalue``, of which the logarithm is taken
    ==================  =====================================================================================

    Where a table has our name, another name of the same column is a column like any other.

    Parameters
    ----------
    frame
        Table with one row per edge, at least a regulator and a target. It is left as it is.

    Returns
    -------
    A new table, rows in their order and numbered from 0: categorical ``group`` (if there are groups), ``source`` and
    ``target``; float64 ``weight``, ``likelihood`` if there is one, and all other columns, such as ``confidence``, in
    their order. Known ones are float64, ``support`` int64; a p-value of 0 has the logarithm -inf.

    If there is no weight, it is taken from the first of these columns that has signs; the column stays in the table:

    - ``sign``, ``mode``, ``effect``, ``direction``, ``interaction`` or ``type``: 1, -1 or 0, or words such as ``+``,
      ``activation``, ``repression`` or ``unknown``;
    - ``coef_mean``, ``coef``, ``coefficient``, ``estimate``, ``beta``, ``slope`` or ``effect``: the weight is the sign
      of the coefficient, and its absolute value is the strength of the edge;
    - ``scc``, ``spearman``, ``rho``, ``rho_tf2g`` (SCENIC+), ``correlation``, ``corr``, ``cor`` or ``pearson``: the
      weight is the correlation, which :func:`pysces.pp.mode_of_regulation` can turn into the mode of regulation that
      VIPER uses.

    A weight that is given in such words is a ``sign``. A column without any negative sign is taken only if no other
    column has one. A warning is raised if no weight is negative although another column has negative signs.

    If none of them is there, all weights are 1, and a warning says that the edges have no sign.
    :func:`pysces.pp.regulons` finds the signs in the expression that the network was inferred from.

    If there is no likelihood, it is ``mi``, ``importance`` or the strength of the edge, divided by the largest value
    (of each group). Regulators that are their own target are kept.

    Raises
    ------
    ValueError
        If the regulator or target is no column, or two could be it; if an edge has no name, a number that is none or
        out of range, or is there twice (see :func:`pysces.pp.merge_duplicates`); the row is named, counted from 0.
    TypeError
        If ``frame`` is not a DataFrame.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> frame = pd.DataFrame({"TF": ["SPI1", "SPI1"], "target": ["LYZ", "CD3E"], "coef_mean": [0.4, -0.1]})
    >>> ps.io.as_network(frame)
      source target  weight  likelihood  coef_mean
    0   SPI1    LYZ     1.0        1.00        0.4
    1   SPI1   CD3E    -1.0        0.25       -0.1
    """
    if not isinstance(frame, pd.DataFrame):
        msg = f"frame is {type(frame).__name__}; give a DataFrame with one row per edge."
        raise TypeError(msg)
    return network_of(frame, "frame", lambda row: f"row {row}")


def sign_column(frame: pd.DataFrame) -> str | None:
    """The column that tells the signs of the edges of a table without a weight, if there is one."""
    weights = [name for name in map(str, frame) if NAMES.get(name.lower(), name.lower()) == "weight"]
    sign = signed(frame, _numbers)
    return weights[0] if weights else None if sign is None else sign.column


def network_of(frame: pd.DataFrame, name: str, where: Callable[[int], str]) -> pd.DataFrame:
    """The network in a table; errors call the table ``name`` and its rows what ``where`` says."""
    table = _renamed(frame, name)
    if table.empty:
        msg = f"{name} has no edges, only the columns {some(table.columns)}."
        raise ValueError(msg)
    for column in ("group", *ENDS):
        if column in table:
            table[column] = _names(table[column], sort=column != "group")
    sign = None if "weight" in table else signed(table, _numbers)
    rules = {column: rule for column, rule in NUMBERS.items() if column in table}
    if sign is not None and sign.kind != "words":
        rules[sign.column] = FINITE if sign.kind == "coefficients" else NUMBERS["scc"]
    found = {column: _numbers(table[column]) for column in rules}
    row, fault = min(_faults(table, found, rules, where), key=lambda fault: fault[0], default=(-1, ""))
    if fault:
        msg = f"{where(row)} of {name} {fault}."
        raise ValueError(msg)
    table = table.assign(**found)
    if "pvalue" in table and "log_pvalue" not in table:
        with np.errstate(divide="ignore"):
            table["pvalue"] = np.log(table["pvalue"])
        table = table.rename(columns={"pvalue": "log_pvalue"})
    if "support" in table:
        table["support"] = table["support"].astype(np.int64)
    if "weight" not in table:
        table["weight"] = _weights(table, sign, name)
    else:
        _warn_of_strengths(table, name)
    for column in ("mi", "importance", *([sign.column] if sign is not None and sign.kind == "coefficients" else [])):
        if column in table and "likelihood" not in table:
            table["likelihood"] = _share_of_largest(table, column, name)
    front = [column for column in ("group", *ENDS, "weight", "likelihood") if column in table]
    return table[[*front, *table.columns.drop(front)]]


def _weights(table: pd.DataFrame, sign: Signed | None, name: str) -> NDArray[np.float64]:
    """The weights that the signs of the edges give."""
    if sign is None:
        why = not_understood(table) or f"there are only the columns {some(table.columns)}"
        warn(
            f"{name} has no column with the signs of its edges ({why}): all weights are 1, as if every regulator "
            "activated all of its targets. Name the column 'sign' and give 1, -1 or 0; or find the signs in the "
            "expression that the network was inferred from: pysces.pp.regulons(adata, network)."
        )
        return np.ones(len(table))
    if sign.kind == "words":
        return of_words(table[sign.column])
    values = table[sign.column].to_numpy(np.float64)
    return np.sign(values) if sign.kind == "coefficients" else values


def _warn_of_strengths(table: pd.DataFrame, name: str) -> None:
    """Weights without a negative one, beside a column that tells signs, are strengths."""
    if (table["weight"] < 0).any():
        return
    sign = signed(table.drop(columns=["weight", "scc"], errors="ignore"), _numbers)
    if sign is None:
        return
    values = of_words(table[sign.column]) if sign.kind == "words" else _numbers(table[sign.column])
    if (values < 0).any():
        warn(
            f"no weight of {name} is below 0, but {int((values < 0).sum())} of {len(table)} values of {sign.column!r} "
            "are: the signs of the edges are not used. If the weights are strengths, rename the column 'weight' to "
            "'importance', and the signs are taken from the other column."
        )


def _renamed(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """A copy with our names of columns."""
    if not frame.columns.is_unique:
        msg = f"{name} has columns of the same name: {some(frame.columns[frame.columns.duplicated()])}; rename them."
        raise ValueError(msg)
    renamed: dict[Any, str] = {}
    for ours in {*ENDS, *NUMBERS}.difference(frame.columns):
        theirs = [column for column in frame if NAMES.get(key := str(column).lower(), key) == ours]
        if len(theirs) > 1:
            msg = f"{name} has the columns {some(theirs)}, and each could be {ours!r}; rename one to {ours!r}."
            raise ValueError(msg)
        renamed |= dict.fromkeys(theirs, ours)
    table = frame.rename(columns=renamed).reset_index(drop=True)
    if "weight" in table and "sign" not in table and np.isnan(_numbers(table["weight"])).all():
        words = of_words(table["weight"])
        if words.any() and not np.isnan(words).any():
            table = table.rename(columns={"weight": "sign"})
    missing = [end for end in ENDS if end not in table]
    if missing:
        msg = (
            f"{name} lacks the columns {some(missing)}; it has: {some(frame.columns)}. Rename those of regulators "
            "and targets to 'source' and 'target'."
        )
        raise ValueError(msg)
    return table


def _names(column: pd.Series[Any], *, sort: bool) -> pd.Categorical:
    """Names as categories, text all of them; those that are categories of text stay."""
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.categories.inferred_type == "string":
        return pd.Categorical(column)
    values = column.astype(object)
    codes, names = pd.factorize(values.where(values.isna(), values.map(str)), sort=sort)
    return pd.Categorical.from_codes(codes, categories=pd.Index(names.tolist()))


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    """Numbers of a column, NaN where there is none."""
    if column.dtype.kind in "iuf":
        return column.to_numpy(np.float64, na_value=np.nan)
    return np.fromiter(map(as_number, column.astype(object)), np.float64, len(column))


def as_number(value: object) -> float:
    """A number or the text of one; NaN if it is neither."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):  # Python would take 1_0 for 10
        return np.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _faults(
    table: pd.DataFrame,
    numbers: dict[str, NDArray[np.float64]],
    rules: dict[str, Column],
    where: Callable[[int], str],
) -> Iterator[tuple[int, str]]:
    """The first row of every kind of fault, and what is wrong."""
    edge = [column for column in ("group", *ENDS) if column in table]
    for column in edge:
        bad = (table[column].isna() | (table[column] == "")).to_numpy()
        if bad.any():
            yield int(bad.argmax()), f"has no {column}; name it or drop the edge"
    for column, values in numbers.items():
        bad = ~rules[column].allowed(values)
        if bad.any():
            row = int(bad.argmax())
            yield row, f"has {column} {_shown(table[column].iloc[row])}; it must be {rules[column].meaning}"
    codes = [table[column].cat.codes.to_numpy() for column in edge]
    again = pd.DataFrame(dict(zip(edge, codes, strict=True))).duplicated().to_numpy()
    if again.any():
        row = int(again.argmax())
        same = np.logical_and.reduce([own == own[row] for own in codes])
        names = table[edge].iloc[row].tolist()
        yield row, f"holds the edge {names} of {where(int(same.argmax()))} again; keep one"


def _shown(value: object) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _share_of_largest(table: pd.DataFrame, column: str, name: str) -> pd.Series[Any]:
    """The absolute values of a column over the largest (of the group), above 0."""
    sizes = table[column].abs()
    groups = sizes.groupby(table["group"], observed=True) if "group" in table else None
    largest = sizes.max() if groups is None else groups.transform("max")
    if not np.all(largest > 0):
        msg = f"all {column} of {name} are 0{'' if groups is None else ' in some group'}; drop these edges."
        raise ValueError(msg)
    share: pd.Series[Any] = (sizes / largest).clip(lower=np.finfo(np.float64).tiny)
    return share
