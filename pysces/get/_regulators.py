"""The regulators of groups of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pysces import _slots
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
        Only the first ones, of each group.
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
    >>> ps.tl.viper(adata, net, min_targets=4, filter_genes=False)
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
        table = table.groupby("group", observed=True).head(whole_number(n, "n", least=1))
    if group is not None:
        table = table.drop(columns="group")
    found = table.reset_index(drop=True)
    found["source"] = found["source"].cat.remove_unused_categories()
    return found
