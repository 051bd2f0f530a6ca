"""Read what :mod:`pysces.tl` stored."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from anndata import AnnData

from pysces import _slots
from pysces._check import some

__all__ = ["activity", "network"]


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
        msg = f"group={group!r} has no network; groups that have one: {some(labels, 20)}."
        raise KeyError(msg)
    edges = table[table["group"] == group].drop(columns="group").reset_index(drop=True)
    for name in ("source", "target"):
        edges[name] = edges[name].cat.remove_unused_categories()
    return edges


def activity(adata: AnnData, *, key: str = _slots.VIPER) -> AnnData:
    """Activities as an AnnData of cells x regulators, on which all of scanpy works.

    Parameters
    ----------
    adata
        Annotated data with ``obsm[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.viper`.

    Returns
    -------
    A new AnnData: ``X`` float32 normalised enrichment scores (NaN where a group lacks the regulon); ``obs``,
    embeddings (arrays in ``obsm``) and colours (``uns["*_colors"]``) of ``adata``; in ``var`` int64 ``n_targets`` and,
    with groups, ``n_groups`` that have the regulon (``n_targets`` is then the largest).

    Raises
    ------
    KeyError
        If there are no activities.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.viper(adata, net, min_targets=4, filter_genes=False)
    >>> ps.get.activity(adata).shape
    (700, 1)
    """
    scores, regulons = _slots.read_activity(adata, key)
    by_source = regulons.groupby("source", observed=True)["n_targets"]
    var = pd.DataFrame({"n_targets": by_source.max()})
    if "group" in regulons.columns:
        var["n_groups"] = by_source.size()
    var.index = var.index.astype(str)
    embeddings: Any = {name: np.array(value) for name, value in adata.obsm.items() if isinstance(value, np.ndarray)}
    colours = {name: list(value) for name, value in adata.uns.items() if name.endswith("_colors")}
    var = var.loc[scores.columns].rename_axis(None)
    obs = cast("pd.DataFrame", adata.obs).copy()
    return AnnData(scores.to_numpy(np.float32, copy=True), obs=obs, var=var, obsm=embeddings, uns=colours)
