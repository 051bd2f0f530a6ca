"""Tables of results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pysces import _slots

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def msviper(adata: AnnData, *, key: str = _slots.MSVIPER) -> pd.DataFrame:
    """The regulators that :func:`pysces.tl.msviper` found between two groups of cells.

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.msviper`.

    Returns
    -------
    A copy of the table: one row per regulator, the most significant first, see :func:`pysces.tl.msviper`.

    Raises
    ------
    KeyError
        If there are no results.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.msviper(adata, "cell_type", "CD19+ B", network=net, min_targets=4, filter_genes=False, n_permutations=0)
    >>> ps.get.msviper(adata)["source"].tolist()
    ['B']
    """
    return _slots.read_table(adata, key, _slots.RESULTS, "results of a contrast", "msviper(adata, ...)").copy()
