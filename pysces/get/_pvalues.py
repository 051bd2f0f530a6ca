"""p-values of activities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr

from pysces import _slots
from pysces._check import one_of
from pysces._enrich.calibration import log_pvalues
from pysces._strata import group_labels

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray


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
    groupby = _slots.stored_groupby(settings)
    labels = np.array([]) if groupby is None else np.asarray(group_labels(adata.obs, groupby))
    groups = regulons.groupby("group", observed=True) if "group" in regulons.columns else [(None, regulons)]
    for group, table in groups:
        rows = np.ones(len(scores), np.bool_)
        if group is not None:
            rows = labels == group
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
