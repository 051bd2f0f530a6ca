"""Groups of cells by one obs column, or by the combinations of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np
import pandas as pd

from pysces._check import some, unique, warn
from pysces._frame import column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

type GroupBy = str | Sequence[str]

type Meaning = Literal["keyword", "label", "column"]

KEYWORDS = {"all": "all cells", "rest": "all other cells"}
"""What ``reference`` may say instead of a label."""
BETWEEN = " | "
"""Joins the labels of several columns."""

ALL_CELLS = "all cells"
"""Label of the network of all cells beside those of groups."""


class Stratum(NamedTuple):
    """One group: its label, its place among all labels (its seed hangs on it) and its rows."""

    label: str
    place: int
    rows: NDArray[np.intp]


def named(groupby: GroupBy) -> str:
    """How a message names the columns of the groups."""
    return repr(groupby) if isinstance(groupby, str) else repr(list(groupby))


def group_labels(obs: Any, groupby: GroupBy) -> pd.Categorical[str]:
    """The label of every cell; of several columns all combinations, "a | b", those of the first column together."""
    if isinstance(groupby, str):
        return _column(obs, groupby)
    if not isinstance(groupby, Sequence) or not groupby or not all(isinstance(name, str) for name in groupby):
        msg = f"groupby is {groupby!r}; give the name of a column of adata.obs, or a list of names."
        raise TypeError(msg)
    unique(list(groupby), "groupby", "Name each column once.")
    joined, *others = (_column(obs, name) for name in groupby)
    for other in others:
        names = [f"{a}{BETWEEN}{b}" for a in joined.categories for b in other.categories]
        unique(names, f"the joined labels of groupby={named(groupby)}", f"Rename labels that hold {BETWEEN!r}.")
        codes = np.where(
            (joined.codes < 0) | (other.codes < 0),
            -1,
            joined.codes.astype(np.int64) * len(other.categories) + other.codes,
        )
        joined = pd.Categorical.from_codes(codes, categories=pd.Index(names))
    return joined


def strata(obs: Any, groupby: GroupBy | None, groups: Sequence[str] | None = None) -> list[Stratum]:
    """Groups in the order of the categories; cells without a label belong to none. Without ``groupby``, all cells."""
    if groupby is None:
        if groups is not None:
            msg = "groups has no meaning without groupby; name the obs column that holds these labels: groupby='...'."
            raise ValueError(msg)
        return [Stratum("", 0, np.arange(obs.shape[0]))]
    labels = group_labels(obs, groupby)
    categories = labels.categories
    if isinstance(groups, str):
        msg = f"groups={groups!r} is a string; give a list of labels."
        raise TypeError(msg)
    wanted = set(categories if groups is None else groups)
    unknown = sorted(wanted - set(categories), key=str)
    if unknown:
        msg = f"groups holds {some(unknown)}, not among the labels of adata.obs[{named(groupby)}]: {some(categories)}."
        raise ValueError(msg)
    if (labels.codes < 0).any():
        warn(f"{(labels.codes < 0).sum()} cells have no label in adata.obs[{named(groupby)}] and belong to no group.")
    found = [
        Stratum(label, place, np.flatnonzero(labels.codes == place))
        for place, label in enumerate(categories)
        if label in wanted
    ]
    return [stratum for stratum in found if len(stratum.rows)]


def meaning_of(
    reference: str,
    keywords: Iterable[str],
    labels: Iterable[str] = (),
    groupby: GroupBy | None = None,
    columns: Iterable[str] = (),
) -> Meaning | None:
    """What ``reference`` means: a keyword, a label of ``groupby`` or a column; None for nothing.

    What means more than one thing is refused, as either choice may be the wrong one.
    """
    found: dict[Meaning, str] = {}
    remedies = []
    if reference in keywords:
        found["keyword"] = f"the keyword for {KEYWORDS[reference]}"
    if reference in labels:
        found["label"] = f"a label of adata.obs[{named(groupby or '')}]"
        remedies.append("rename the label")
    if reference in columns:
        found["column"] = "a boolean column of adata.obs"
        remedies.append(f"rename the column, or give its values: reference=adata.obs[{reference!r}]")
    if len(found) > 1:
        msg = f"reference={reference!r} is ambiguous: it is {' and '.join(found.values())}; {', or '.join(remedies)}."
        raise ValueError(msg)
    return next(iter(found), None)


def _column(obs: Any, name: str) -> pd.Categorical[str]:
    if name not in obs.columns:
        msg = f"groupby={name!r} is not a column of adata.obs, which has: {some(obs)}."
        raise KeyError(msg)
    labels = cast("pd.Categorical[str]", column(obs, name).astype("category").array)
    if not all(isinstance(label, str) for label in labels.categories):
        msg = (
            f"adata.obs[{name!r}] holds labels of type {type(labels.categories[0]).__name__}, not strings; "
            f"convert them: adata.obs[{name!r}] = adata.obs[{name!r}].astype(str).astype('category')."
        )
        raise TypeError(msg)
    return labels
