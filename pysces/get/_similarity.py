"""The similarities of cells that were stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pysces import _slots

if TYPE_CHECKING:
    from anndata import AnnData


def similarity(adata: AnnData, *, key: str = _slots.similarity_key(_slots.VIPER)) -> pd.DataFrame:
    """The similarities of cells from :func:`pysces.tl.similarity`, under their names.

    Parameters
    ----------
    adata
        Annotated data with ``obsp[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.similarity`.

    Returns
    -------
    float32 table, cells x cells, a copy; NaN for cells without activities.

    Raises
    ------
    KeyError
        If there are no similarities.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=1)
    >>> ps.tl.viper(adata, min_targets=5)
    >>> ps.tl.similarity(adata)
    >>> b = adata.obs_names[adata.obs["cell_type"] == "CD19+ B"]
    >>> alike = ps.get.similarity(adata)
    >>> bool(alike.loc[b, b].mean(axis=None) > alike.drop(index=b)[b].mean(axis=None))
    True
    """
    return pd.DataFrame(_slots.read_similarity(adata, key), index=adata.obs_names, columns=adata.obs_names, copy=True)
