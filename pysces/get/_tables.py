"""Tables of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pysces import _slots
from pysces._check import one_of

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


MADE_BY = {
    _slots.RESULTS: "msviper(adata, ...)",
    _slots.LEADING_EDGE: "msviper(adata, ...)",
    _slots.SIGNATURE: "msviper(adata, ...)",
    _slots.SHADOW: "msviper(adata, ..., shadow=0.05)",
    _slots.COMBINATIONS: "msviper(adata, ..., combinations=0.05)",
}


def msviper(
    adata: AnnData,
    table: Literal["results", "leading_edge", "signature", "shadow", "combinations"] = "results",
    *,
    key: str = _slots.MSVIPER,
) -> pd.DataFrame:
    """What :func:`pysces.tl.msviper` found between two groups of cells.

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    table
        ``"results"``, one row per regulator, the most significant first; ``"leading_edge"``, one per edge of theirs;
        ``"signature"``, one per gene; ``"shadow"`` and ``"combinations"``, if they were asked for.
    key
        The ``key_added`` of :func:`pysces.tl.msviper`.

    Returns
    -------
    A copy of the table, see :func:`pysces.tl.msviper`.

    Raises
    ------
    KeyError
        If there is no such table.
    ValueError
        If ``table`` is another.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.msviper(adata, "cell_type", "CD19+ B", network=net, min_targets=4, n_permutations=0)
    >>> ps.get.msviper(adata)["source"].tolist()
    ['B']
    """
    what = "results of a contrast" if one_of(table, tuple(MADE_BY), "table") == _slots.RESULTS else table
    return _slots.read_table(adata, key, table, what, MADE_BY[table]).copy()


def regulons(adata: AnnData, *, key: str = _slots.VIPER) -> pd.DataFrame:
    """The regulons that activities were scored with, and their sizes.

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.viper` or :func:`pysces.tl.pathways`.

    Returns
    -------
    A copy of the table: one row per regulon (of each group and network, if there are several) with the number of its
    targets that were ranked, see :func:`pysces.tl.viper`.

    Raises
    ------
    KeyError
        If there are no activities.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.viper(adata, net, min_targets=4)
    >>> ps.get.regulons(adata)[["source", "n_targets"]]
      source  n_targets
    0      B          4
    """
    return _slots.read_table(adata, key, _slots.REGULONS, "regulons", "viper(adata, ...)").copy()
