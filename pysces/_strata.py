"""Groups of cells by an obs column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pysces._check import some, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Stratum(NamedTuple):
    """One group: its label, its place among all labels of the column (its seed hangs on it) and its rows."""

    label: str
    place: int
    rows: NDArray[np.intp]


def strata(obs: Any, groupby: str | None, groups: Sequence[str] | None = None) -> list[Stratum]:
    """Groups in the order of the categories; cells without a label belong to none. Without ``groupby``, all cells."""
    if groupby is None:
        if groups is not None:
            msg = f"groups={groups!r} has no meaning without groupby; name the obs column that holds these labels."
            raise ValueError(msg)
        return [Stratum("", 0, np.arange(len(obs)))]
    if groupby not in obs.columns:
        msg = f"groupby={groupby!r} is not a column of adata.obs, which has: {some(obs.columns, 20)}."
        raise KeyError(msg)
    column = obs[groupby]
    labels = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    categories = labels.cat.categories
    if not all(isinstance(label, str) for label in categories):
        msg = (
            f"adata.obs[{groupby!r}] holds labels of type {type(categories[0]).__name__}, not strings; "
            f"convert them: adata.obs[{groupby!r}] = adata.obs[{groupby!r}].astype(str).astype('category')."
        )
        raise TypeError(msg)
    if isinstance(groups, str):
        msg = f"groups={groups!r} is a string; give a list of labels."
        raise TypeError(msg)
    wanted = categories if groups is None else list(groups)
    unknown = sorted(set(wanted) - set(categories))
    if unknown:
        msg = f"groups holds {some(unknown)}, not among the labels of adata.obs[{groupby!r}]: {some(categories, 20)}."
        raise ValueError(msg)
    codes = labels.cat.codes.to_numpy()
    if (codes < 0).any():
        warn(f"{(codes < 0).sum()} cells have no label in adata.obs[{groupby!r}] and belong to no group.")
    chosen = [label for label in categories if label in wanted]
    place = {label: i for i, label in enumerate(categories)}
    found = [Stratum(label, place[label], np.flatnonzero(codes == place[label])) for label in chosen]
    return [stratum for stratum in found if len(stratum.rows)]
