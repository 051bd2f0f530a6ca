"""The comparison of networks that was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pysces import _slots
from pysces._check import one_of

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def comparison(
    adata: AnnData, table: Literal["regulators", "edges"] = "regulators", *, key: str = _slots.COMPARE_NETWORKS
) -> pd.DataFrame:
    """The regulators of the networks of two groups, the most rewired first (:func:`pysces.tl.compare_networks`).

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    table
        ``"regulators"``, one row per regulator, or ``"edges"``, one per edge of either network.
    key
        The ``key_added`` of :func:`pysces.tl.compare_networks`.

    Returns
    -------
    A copy of the table, see :func:`pysces.tl.compare_networks`.

    Raises
    ------
    KeyError
        If there is no comparison.
    ValueError
        If ``table`` is another.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> two = ["CD14+ Monocyte", "Dendritic"]
    >>> ps.tl.aracne(adata, "human_tfs", groupby="cell_type", groups=two, n_subnetworks=1, correction="p", alpha=1e-3)
    >>> ps.tl.compare_networks(adata, *two, n_permutations=0)
    >>> ps.get.comparison(adata).columns.tolist()
    ['source', 'n_a', 'n_b', 'n_shared', 'jaccard']
    """
    one_of(table, (_slots.REGULATORS, _slots.EDGES), "table")
    return _slots.read_table(adata, key, table, "comparison", "compare_networks(adata, a, b)").copy()
