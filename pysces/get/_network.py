"""The network that was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pysces import _slots
from pysces._check import some

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def network(adata: AnnData, group: str | None = None, *, key: str = _slots.ARACNE) -> pd.DataFrame:
    """The network that :func:`pysces.tl.aracne` stored.

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    group
        Only the edges of this group, without the column ``group``.
    key
        The ``key_added`` of :func:`pysces.tl.aracne`.

    Returns
    -------
    A copy of the table: one row per edge, see :class:`pysces.ARACNe`; a categorical ``group`` in front if there are
    groups.

    Raises
    ------
    KeyError
        If there is no network, or not of this group.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators=["CD79A", "LYZ"], n_subnetworks=1, dpi=None)
    >>> ps.get.network(adata).columns[:4].tolist()
    ['source', 'target', 'weight', 'likelihood']
    """
    table = _slots.read_network(adata, key)
    if group is None:
        return table.copy()
    if "group" not in table.columns:
        msg = f"group={group!r}, but adata.uns[{key!r}] is one network of all cells; leave group out."
        raise KeyError(msg)
    labels = table["group"].cat.categories
    if group not in labels:
        msg = f"group={group!r} has no network; groups that have one: {some(labels)}."
        raise KeyError(msg)
    edges = table[table["group"] == group].drop(columns="group").reset_index(drop=True)
    for name in ("source", "target"):
        edges[name] = edges[name].cat.remove_unused_categories()
    return edges
