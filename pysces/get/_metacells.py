"""The cells of metacells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pysces import _slots

if TYPE_CHECKING:
    from anndata import AnnData


def metacells(adata: AnnData) -> pd.DataFrame:
    """Which cells each metacell pools (:func:`pysces.pp.metacells`).

    Parameters
    ----------
    adata
        Metacells, all of them or some.

    Returns
    -------
    Table with one row per metacell and cell in it, in the order of both: object columns ``metacell``, its name, and
    ``cell``, the name of the cell.

    Raises
    ------
    KeyError
        If these are no metacells.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> adata.layers["counts"] = adata.X.expm1().rint()  # in place of the counts, which these data lack
    >>> meta = ps.pp.metacells(adata, groupby="cell_type", groups=["CD19+ B", "Dendritic"], size=10, layer="counts")
    >>> cells = ps.get.metacells(meta)
    >>> adata.obs.loc[cells.loc[cells["metacell"] == meta.obs_names[0], "cell"], "cell_type"].unique().tolist()
    ['CD19+ B']
    """
    membership, cells = _slots.read_metacells(adata)
    rows, columns = membership.nonzero()
    return pd.DataFrame(
        {"metacell": adata.obs_names.to_numpy(dtype=object)[rows], "cell": cells[columns]}, dtype=object
    )
