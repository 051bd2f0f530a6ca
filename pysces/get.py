"""Read what :mod:`pysces.tl` stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.special import ndtr

from pysces import _slots
from pysces._check import one_of, some
from pysces._enrich.calibration import log_pvalues

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["activity", "msviper", "network", "pvalues"]


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
    return _slots.read_msviper(adata, key).copy()


def pvalues(
    adata: AnnData,
    *,
    key: str = _slots.VIPER,
    calibrated: bool = False,
    adjust: Literal["cell", "all"] | None = None,
) -> pd.DataFrame:
    """Two-sided p-values of activities.

    Conventional: p = 2 Phi(-abs(NES)), which is that of random targets where all modes of regulation are 1 or -1. Other
    modes give smaller NES, and p-values that are too large, tenfold and more. Calibrated: of the sums s1 and s2 of the
    NES (see :class:`pysces.VIPER`) over random targets, which are close to normal where few genes of a cell are tied.

    Parameters
    ----------
    adata
        Annotated data with ``obsm[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.viper`.
    calibrated
        Calibrated p-values. For activities of one network by ``enrichment="area"``, without bootstraps or null
        signatures; with ``signature="none"`` of sparse data, where most genes of a cell are tied, they do not hold.
    adjust
        ``"cell"``: adjusted by Benjamini and Hochberg over the regulators of each cell; ``"all"``: over all cells and
        regulators.

    Returns
    -------
    float64 table, cells x regulators; NaN where there is no activity.

    Raises
    ------
    KeyError
        If there are no activities.
    ValueError
        If calibrated p-values do not exist for them.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.viper(adata, net, min_targets=4, filter_genes=False)
    >>> p = ps.get.pvalues(adata, adjust="cell")
    >>> bool((p["B"] < 0.01).groupby(adata.obs["cell_type"], observed=True).mean().idxmax() == "CD19+ B")
    True
    """
    one_of(adjust, ("cell", "all", None), "adjust")
    scores, regulons = _slots.read_activity(adata, key)
    nes = scores.to_numpy(np.float64)
    p = np.exp(_calibrated(adata, key, scores, regulons)) if calibrated else 2 * ndtr(-np.abs(nes))
    p = np.minimum(p, 1.0)
    if adjust == "cell":
        p = np.stack([_adjusted(of_cell) for of_cell in p]) if len(p) else p
    elif adjust == "all":
        p = _adjusted(p.ravel()).reshape(p.shape)
    return pd.DataFrame(p, index=scores.index, columns=scores.columns)


def _calibrated(adata: AnnData, key: str, scores: pd.DataFrame, regulons: pd.DataFrame) -> NDArray[np.float64]:
    """Logs of the calibrated p-values, group by group."""
    settings = _slots.read_parameters(adata, key)
    other = [name for name in ("n_bootstraps", "n_null", "pleiotropy") if settings.get(name)]
    other += ["normalised=False"] * (not settings.get("normalised", True))
    other += ["enrichment='narnea'"] * (settings.get("enrichment") == "narnea")
    other += ["several networks"] * ("network" in regulons.columns)
    if other:
        msg = f"calibrated=True, but adata.obsm[{key!r}] was made with {', '.join(other)}; leave calibrated out."
        raise ValueError(msg)
    log_p = np.full(scores.shape, np.nan)
    groups = regulons.groupby("group", observed=True) if "group" in regulons.columns else [(None, regulons)]
    for group, table in groups:
        rows = np.ones(len(scores), np.bool_)
        if group is not None:
            rows = (adata.obs[settings["groupby"]] == group).to_numpy(dtype=np.bool_)
        columns = scores.columns.get_indexer(pd.Index(table["source"].astype(str)))
        nes = scores.to_numpy(np.float64)[np.ix_(rows, columns)]
        log_p[np.ix_(rows, columns)] = log_pvalues(nes, table[list(_slots.NULL_SPREADS)].to_numpy(np.float64))
    return log_p


def _adjusted(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg, of what is not NaN."""
    from scipy.stats import false_discovery_control

    adjusted = np.full(p.shape, np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        adjusted[tested] = false_discovery_control(p[tested])
    return adjusted
