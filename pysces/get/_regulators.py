"""The regulators of groups of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces import _log, _slots
from pysces._check import some, whole_number

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def regulators(
    adata: AnnData, group: str | None = None, n: int | None = None, *, key: str = _slots.RANK_REGULATORS
) -> pd.DataFrame:
    """The regulators that :func:`pysces.tl.rank_regulators` ranked.

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    group
        Only the regulators of this group, without the column ``group``.
    n
        Only the first ones, of each group. Regulators of the same score are in the order of the difference of the
        means; a log line (``sc.settings.verbosity = 3``) says where some of them are left out.
    key
        The ``key_added`` of :func:`pysces.tl.rank_regulators`.

    Returns
    -------
    A copy of the table: one row per group and regulator, see :func:`pysces.tl.rank_regulators`.

    Raises
    ------
    KeyError
        If no regulators were ranked, or not in this group.
    ValueError
        If ``n`` is not a whole number above 0.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.viper(adata, net, min_targets=4)
    >>> ps.tl.rank_regulators(adata, "cell_type", groups=["CD19+ B"])
    >>> ps.get.regulators(adata, "CD19+ B", 1)["source"].tolist()
    ['B']
    """
    table = _slots.read_ranking(adata, key)
    if group is not None:
        labels = table["group"].cat.categories
        if group not in labels:
            msg = f"group={group!r} was not ranked in adata.uns[{key!r}]; groups that were: {some(labels)}."
            raise KeyError(msg)
        table = table[table["group"] == group]
    if n is not None:
        ties = ties_at_cut(table, whole_number(n, "n", least=1))
        if ties:
            _log.hint(f"n={n} leaves out regulators of the same score as some that are given: {some(ties)}")
        table = table.groupby("group", observed=True).head(n)
    if group is not None:
        table = table.drop(columns="group")
    found = table.reset_index(drop=True)
    found["source"] = found["source"].cat.remove_unused_categories()
    return found


def ties_at_cut(table: pd.DataFrame, n: int) -> list[str]:
    """For each group of which the first ``n`` leave out regulators of the same score as the last of them, how many."""
    found = []
    for group, scores in table.groupby("group", observed=True)["score"]:
        tied = scores.to_numpy() == scores.iloc[n - 1] if len(scores) > n else np.zeros(1, np.bool_)
        if tied[n:].any():
            found.append(f"{group}: {tied[:n].sum()} of {tied.sum()}")
    return found
