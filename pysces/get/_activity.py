"""Activities as an AnnData."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from pysces import _slots
from pysces._frame import in_memory, is_array
from pysces._stale import warn_of_foreign_cells
from pysces.get._rank_genes_groups import add_ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray


def activity(adata: AnnData, *, key: str = _slots.VIPER) -> AnnData:
    """Activities as an AnnData of cells x regulators, on which all of scanpy works.

    Parameters
    ----------
    adata
        Annotated data with ``obsm[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.viper` or :func:`pysces.tl.pathways`.

    Returns
    -------
    A new AnnData: ``X`` float32 normalised enrichment scores (NaN where a group lacks the regulon); if there are such,
    layers ``"sd"`` (standard deviations from bootstraps) and ``"pes"`` (proportional enrichment scores); ``obs``,
    embeddings (arrays in ``obsm``) and colours (``uns["*_colors"]``) of ``adata``; in ``var`` int64 ``n_targets`` and,
    with groups, ``n_groups`` that have the regulon (``n_targets`` is then the largest).

    If :func:`pysces.tl.rank_regulators` ranked these activities (under its default key, with any method but
    ``"kruskal"``), its results are in ``uns["rank_genes_groups"]`` as scanpy's functions read them;
    ``"logfoldchanges"`` are differences of mean activities, ``mean - mean_reference``. Joined labels of several columns
    are a column ``"a | b"`` of ``obs``.

    Warns
    -----
    UserWarning
        If cells were not in the run that made the activities, as after ``anndata.concat`` of data scored one by one; if
        groups hold other cells than when they were ranked, whose ranking is then left out.

    Raises
    ------
    KeyError
        If there are no activities, or if they were written to a file (``out``), which is to be opened instead.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.viper(adata, net, min_targets=4)
    >>> ps.get.activity(adata).shape
    (700, 1)
    """
    scores, regulons = _slots.read_activity(adata, key)
    warn_of_foreign_cells(adata, key)
    found = without_scores(adata, regulons, scores.columns.to_numpy(dtype=object))
    found.X = scores.to_numpy(np.float32, copy=True)
    for field, table in _slots.read_beside(adata, key).items():
        found.layers[field] = table.to_numpy(np.float32, copy=True)
    add_ranking(found, adata, key)
    return found


def without_scores(adata: AnnData, regulons: pd.DataFrame, regulators: NDArray[np.object_]) -> AnnData:
    """All that :func:`activity` gives beside the scores."""
    by_source = regulons.groupby("source", observed=True)["n_targets"]
    var = pd.DataFrame({"n_targets": by_source.max()})
    if "group" in regulons.columns:
        var["n_groups"] = regulons.groupby("source", observed=True)["group"].nunique()
    var.index = var.index.astype(str)
    embeddings: Any = {name: np.array(in_memory(value)) for name, value in adata.obsm.items() if is_array(value)}
    colours = {name: list(in_memory(value)) for name, value in adata.uns.items() if name.endswith("_colors")}
    var = var.loc[regulators.astype(str)].rename_axis(None)
    obs = in_memory(adata.obs).copy()
    return AnnData(None, obs=obs, var=var, obsm=embeddings, uns=colours)
