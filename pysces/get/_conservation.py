"""The comparison of samples that was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pysces import _slots

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def conservation(adata: AnnData, *, key: str = _slots.CONSERVATION) -> pd.DataFrame:
    """How well samples of other data have the regulators of each sample (:func:`pysces.tl.regulator_conservation`).

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.regulator_conservation`.

    Returns
    -------
    A copy of the table: one row per pair of samples, the best of each sample first, see
    :func:`pysces.tl.regulator_conservation`.

    Raises
    ------
    KeyError
        If there is no comparison.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=1)
    >>> ps.tl.viper(adata, min_targets=5)
    >>> some, others = adata[:5].copy(), adata[5:9].copy()
    >>> ps.tl.regulator_conservation(some, others, n_top=10)
    >>> ps.get.conservation(some).pivot(index="sample", columns="other", values="nes").shape
    (5, 4)
    """
    return _slots.read_table(adata, key, _slots.TABLE, "comparison", "regulator_conservation(adata, other)").copy()
