"""Score groups of cells, each with its network and against its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pandas as pd

from pysces import _log, _slots
from pysces._check import some, warn
from pysces._strata import group_labels, named
from pysces.estimators import VIPER, NotScorableError
from pysces.tl._activity import Activity, join_parts
from pysces.tl._several import joined_networks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData
    from numpy.typing import ArrayLike, NDArray

    from pysces._matrix import Choice
    from pysces._strata import GroupBy, Stratum
    from pysces.tl._several import NetworkWeights

FEW_CELLS = 10
"""Groups with fewer cells have unreliable moments of their own."""


class Reference(NamedTuple):
    """Cells to compare a group with; two groups with the same name are compared with the same."""

    name: str
    rows: NDArray[np.intp]


def references(
    adata: AnnData, parts: list[Stratum], groupby: GroupBy | None, reference: str | ArrayLike | None
) -> list[Reference | None]:
    """Cells with which each of ``parts`` is compared; None: with its own."""
    if reference is None:
        return [None] * len(parts)
    everything = np.arange(adata.n_obs)
    if isinstance(reference, str) and reference == "all":
        return [Reference("all", everything)] * len(parts)
    if isinstance(reference, str) and reference == "rest":
        if groupby is None:
            msg = "reference='rest' needs groups; name the obs column that holds them: groupby='...'."
            raise ValueError(msg)
        return [Reference(f"rest of {part.label}", np.setdiff1d(everything, part.rows)) for part in parts]
    if isinstance(reference, str) and reference not in adata.obs.columns:
        labels = np.array([]) if groupby is None else group_labels(adata.obs, groupby)
        mask = np.asarray(labels == reference, dtype=np.bool_)
        if not mask.any():
            msg = (
                f"reference={reference!r} is neither 'all', 'rest', a group of groupby={groupby!r} nor a boolean "
                f"column of adata.obs: {some(adata.obs.columns, 20)}."
            )
            raise KeyError(msg)
    else:
        mask = adata.obs[reference].to_numpy() if isinstance(reference, str) else np.asarray(reference)
    if mask.dtype != np.bool_ or mask.shape != (adata.n_obs,):
        msg = f"reference must be {adata.n_obs} booleans, one per cell; found {mask.dtype} of shape {mask.shape}."
        raise ValueError(msg)
    return [Reference("mask", np.flatnonzero(mask))] * len(parts)


def score_groups(
    chosen: Choice,
    table: pd.DataFrame,
    parts: list[Stratum],
    against: list[Reference | None],
    groupby: GroupBy | None,
    settings: Mapping[str, Any],
    *,
    borrow: NetworkWeights | None = None,
) -> Activity:
    """Scores of the cells of ``parts``; groups that cannot be scored are NaN and warned of.

    With ``borrow``, groups that cannot be scored with a network of their own are scored with those of all others.
    """
    score = _Scorer(chosen, table, settings)
    scored: dict[str, Activity] = {}
    borrowed: list[str] = []
    reason: NotScorableError | None = None
    for part, reference in zip(parts, against, strict=True):
        found = score(part.label, part, reference)
        if not isinstance(found, Activity) and borrow is not None:
            others = {label: score(label, part, reference) for label in score.labels}
            known = {label: other for label, other in others.items() if isinstance(other, Activity)}
            if known:
                borrowed.append(part.label)
                found = joined_networks(known, borrow)
        if isinstance(found, Activity):
            scored[part.label] = found
        else:
            reason = found or reason
    if not scored:
        if len(parts) == 1 and reason is not None:
            raise reason
        where = "" if groupby is None else f" of adata.obs[{named(groupby)}]"
        msg = f"no group{where} can be scored. The last one: {reason or 'it has no network.'}"
        raise ValueError(msg) from reason
    if borrowed:
        _log.hint(f"scored with the networks of all other groups: {some(borrowed, 20)}")
    _warn_of_groups(parts, set(scored), against, groupby, settings)
    return join_parts(chosen.x.shape[0], parts, scored, grouped=groupby is not None)


class _Scorer:
    """Scores cells with the network of a group; what was learned from the same cells is kept."""

    def __init__(self, chosen: Choice, table: pd.DataFrame, settings: Mapping[str, Any]) -> None:
        self._chosen, self._table, self._settings = chosen, table, settings
        self._models: dict[tuple[str, str], VIPER | NotScorableError | None] = {}
        self._grouped = "group" in table.columns
        self._allow_negative = settings["signature"] == "none"
        self.labels = list(dict.fromkeys(table["group"])) if self._grouped else []

    def __call__(self, label: str, part: Stratum, reference: Reference | None) -> Activity | NotScorableError | None:
        """Scores of the cells of ``part``, why there are none, or None without a network."""
        key = label if self._grouped else "", f"own {part.label}" if reference is None else reference.name
        if key not in self._models:
            self._models[key] = self._fitted(label, part, reference)
        model = self._models[key]
        if not isinstance(model, VIPER):
            return model
        scores = model.score(self._chosen.x, rows=part.rows, allow_negative=self._allow_negative)
        regulons = pd.DataFrame({"source": model.regulators_, "n_targets": model.n_targets_})
        regulons[list(_slots.NULL_SPREADS)] = model.null_spreads_
        nes, sd, pes = (None if of is None else of.astype(np.float32) for of in (scores.nes, scores.sd, scores.pes))
        return Activity(model.regulators_, cast("NDArray[np.float32]", nes), sd, pes, regulons)

    def _fitted(self, label: str, part: Stratum, reference: Reference | None) -> VIPER | NotScorableError | None:
        """A model that has learned from the cells to compare with, why it cannot, or None without a network."""
        table = self._table[self._table["group"] == label] if self._grouped else self._table
        if table.empty:
            return None
        rows = part.rows if reference is None else reference.rows
        model = VIPER(table, reference=None if reference is None else np.arange(len(rows)), **self._settings)
        try:
            return model.fit(self._chosen.x, self._chosen.genes, rows=rows, allow_negative=self._allow_negative)
        except NotScorableError as error:
            return error


def _warn_of_groups(
    parts: list[Stratum],
    scored: set[str],
    against: list[Reference | None],
    groupby: GroupBy | None,
    settings: Mapping[str, Any],
) -> None:
    without = [part.label for part in parts if part.label not in scored]
    if without:
        warn(
            f"{len(without)} groups get no scores (NaN), for lack of a network in which a regulator has "
            f"min_targets={settings['min_targets']} targets, or of cells: {some(without, 20)}."
        )
    own = groupby is not None and against[0] is None and settings["signature"] != "none"
    few = [part.label for part in parts if part.label in scored and len(part.rows) < FEW_CELLS]
    if own and few:
        warn(f"{len(few)} groups have fewer than {FEW_CELLS} cells to be compared with: {some(few, 20)}.")
