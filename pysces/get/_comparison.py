"""The comparison of networks that was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pysces import _slots

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def comparison(adata: AnnData, *, key: str = _slots.COMPARE_NETWORKS) -> pd.DataFrame:
    """The regulators of the networks of two groups, the most rewired first (:func:`pysces.tl.compare_networks`).

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.compare_networks`.

    Returns
    -------
    A copy of the table: one row per regulator, see :func:`pysces.tl.compare_networks`.

    Raises
    ------
    KeyError
        If there is no comparison.

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
    return _slots.read_table(adata, key, _slots.REGULATORS, "comparison", "compare_networks(adata, a, b)").copy()
