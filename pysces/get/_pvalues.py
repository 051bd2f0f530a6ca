"""p-values of activities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from pysces import _slots
from pysces._check import flag, one_of
from pysces._enrich import calibration, narnea_null
from pysces._enrich.null import FEW_DRAWS
from pysces._stale import stale_groups
from pysces._strata import group_labels

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

MOST_TIED = 0.1
"""Share of the variance of normal scores that ties may take; more makes p too large, and their sums far from normal."""


def pvalues(
    adata: AnnData,
    *,
    key: str = _slots.VIPER,
    calibrated: bool = True,
    adjust: Literal["cell", "all"] | None = None,
) -> pd.DataFrame:
    """Two-sided p-values of activities: how often random targets would score as far from 0.

    They are made for the way the activities were scored. Those of one network, without options, are from the
    distribution of the two parts of the NES over random targets, for each regulator: of s1 and s2 of ``"area"`` (see
    :class:`pysces.VIPER`), or of the directed and the undirected part of ``"narnea"``, which are close to normal. Of
    ``n_null``, whose NES is compared with null signatures, they are from Student's t with ``n_null - 1`` degrees of
    freedom, or from a normal for 500 and more. Where no p-values are known to hold, the call is refused.

    Parameters
    ----------
    adata
        Annotated data with ``obsm[key]``.
    key
        The ``key_added`` of :func:`pysces.tl.viper`.
    calibrated
        ``False``: the conventional p = 2 Phi(-abs(NES)) of R viper and other programs, however the activities were
        made. With ``"area"`` it holds where all modes of regulation are 1 or -1 and the likelihoods of a regulator are
        equal; it is far too large for other regulons, tenfold and more. With ``"narnea"`` it is too small for few
        targets, about twofold at 0.01 for 5.
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
        If no p-values hold: for activities with ``pleiotropy``, ``n_bootstraps``, several networks, or
        ``signature="none"`` of cells in which many genes are tied, such as sparse ones; unless ``calibrated=False``.
        For scores that are no NES (``normalised=False``). If an argument is not valid.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.viper(adata, net, min_targets=4)
    >>> p = ps.get.pvalues(adata, adjust="cell")
    >>> bool((p["B"] < 0.01).groupby(adata.obs["cell_type"], observed=True).mean().idxmax() == "CD19+ B")
    True
    """
    one_of(adjust, ("cell", "all", None), "adjust")
    scores, regulons = _slots.read_activity(adata, key)
    made = _slots.read_parameters(adata, key)
    if not made.get("normalised", True):
        msg = f"adata.obsm[{key!r}] was made with normalised=False, so it holds no NES; score with normalised=True."
        raise ValueError(msg)
    if flag(calibrated, "calibrated"):
        _refuse(made, regulons, key)
    n_null = made.get("n_null", 0)
    if calibrated and not n_null:
        p = np.exp(_of_random_targets(adata, key, made, scores, regulons))
    elif calibrated and 0 < n_null < FEW_DRAWS:
        p = 2 * stdtr(n_null - 1, -np.abs(scores.to_numpy(np.float64)))
    else:
        p = 2 * ndtr(-np.abs(scores.to_numpy(np.float64)))
    p = np.minimum(p, 1.0)
    if adjust == "cell":
        p = np.stack([_adjusted(of_cell) for of_cell in p]) if len(p) else p
    elif adjust == "all":
        p = _adjusted(p.ravel()).reshape(p.shape)
    return pd.DataFrame(p, index=scores.index, columns=scores.columns)


def _refuse(made: dict[str, Any], regulons: pd.DataFrame, key: str) -> None:
    """Raise for activities of which the distribution over random targets is not known."""
    for is_so, what, instead in (
        (made.get("pleiotropy"), "pleiotropy", "without it"),
        (made.get("n_bootstraps"), f"n_bootstraps={made.get('n_bootstraps')}", "without them"),
        ("network" in regulons.columns, "several networks for a cell", "with one network"),
        (
            made.get("tied", 0.0) > MOST_TIED, "signature='none' of cells in which many genes have the same value",
            "with another signature, such as 'scale'",
        ),
    ):  # fmt: skip
        if is_so:
            msg = (
                f"adata.obsm[{key!r}] was made with {what}, for which no p-values are known to hold; score again "
                f"{instead}, or take the conventional ones, which do not hold either: calibrated=False."
            )
            raise ValueError(msg)


def _of_random_targets(
    adata: AnnData, key: str, made: dict[str, Any], scores: pd.DataFrame, regulons: pd.DataFrame
) -> NDArray[np.float64]:
    """Logs of the p-values over random targets, group by group."""
    log_p = np.full(scores.shape, np.nan)
    log_pvalues = narnea_null.log_pvalues if made.get("enrichment") == "narnea" else calibration.log_pvalues
    groupby = _slots.stored_groupby(made)
    if groupby is not None and (stale := stale_groups(adata, key, groupby, "viper(adata, ...)")):
        msg = f"p-values hang on the groups that cells were scored in, and {stale}"
        raise ValueError(msg)
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
