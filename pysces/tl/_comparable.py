"""Whether activities of the cells that are compared were scored against the same cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces import _slots
from pysces._check import some, warn
from pysces._strata import group_labels, named

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

MOST_APART = 0.1
"""Share of the cells of a side that may have been scored against cells that none of the other side was."""


def warn_of_own_references(adata: AnnData, key: str, codes: NDArray[np.intp], labels: list[str], *, rest: bool) -> None:
    """Warn of groups that are compared with cells which were scored against other cells.

    Every group that was scored has a reference of its own, unless one was given for all. A comparison within such
    groups, of conditions for example, is fair: both sides then hold cells of the same ones. ``codes`` and ``rest`` are
    those of :func:`pysces._enrich.ranking.rank_groups`.
    """
    made = _slots.read_parameters(adata, key)
    groupby, reference = _slots.stored_groupby(made), made.get("reference", "own")
    if groupby is None or reference not in ("own", "rest") or made.get("signature") == "none":
        return
    names = [groupby] if isinstance(groupby, str) else groupby
    how = "as its own reference" if reference == "own" else "against all others (reference='rest')"
    scored = f"adata.obsm[{key!r}] was made with every group of adata.obs[{named(groupby)}] {how}"
    remedy = "run pysces.tl.viper(adata, ..., reference='all')"
    if not set(names) <= set(adata.obs.columns):
        warn(f"{scored}, which is no longer there: only cells of one group can be compared; if in doubt, {remedy}.")
        return
    apart = _apart(_scored_labels(adata, key, groupby), codes, len(labels), rest=rest)
    if apart.any():
        found = [label for label, is_apart in zip(labels, apart, strict=True) if is_apart]
        warn(
            f"{scored}, so that activities of different groups of it cannot be compared; this was done for "
            f"{some(found)}. Compare within groups, or {remedy}."
        )


def _scored_labels(adata: AnnData, key: str, groupby: str | list[str]) -> NDArray[np.intp]:
    """For each cell the group that it was scored in, negative for none."""
    labels = group_labels(adata.obs, groupby)
    _, regulons = _slots.read_activity(adata, key)
    if "group" not in regulons.columns:
        return labels.codes.astype(np.intp)
    return np.where(labels.isin(regulons["group"].unique()), labels.codes, -1).astype(np.intp)


def _apart(own: NDArray[np.intp], codes: NDArray[np.intp], n_groups: int, *, rest: bool) -> NDArray[np.bool_]:
    """Whether many cells of a group, or of those it is compared with, are of groups that the other side lacks."""
    counted = (own >= 0) & (codes >= 0)
    n_cells = np.zeros((own.max(initial=0) + 1, n_groups + 1))
    np.add.at(n_cells, (own[counted], codes[counted]), 1)
    group = n_cells[:, :-1]
    reference = n_cells.sum(axis=1, keepdims=True) - group if rest else np.broadcast_to(n_cells[:, -1:], group.shape)
    alone = np.where(reference == 0, group, 0).sum(axis=0), np.where(group == 0, reference, 0).sum(axis=0)
    apart = (alone[0] > MOST_APART * group.sum(axis=0)) | (alone[1] > MOST_APART * reference.sum(axis=0))
    return apart & (group.sum(axis=0) > 0) & (reference.sum(axis=0) > 0)
