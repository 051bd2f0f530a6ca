"""Score groups of cells, each with its network and against its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pysces import _slots
from pysces._check import some, warn
from pysces.estimators import VIPER, NotScorableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData
    from numpy.typing import ArrayLike, NDArray

    from pysces._enrich.scorers import Scores
    from pysces._matrix import Choice
    from pysces._strata import Stratum

FEW_CELLS = 10
"""Groups with fewer cells have unreliable moments of their own."""


class Reference(NamedTuple):
    """Cells to compare a group with; two groups with the same name are compared with the same."""

    name: str
    rows: NDArray[np.intp]


class Activity(NamedTuple):
    """Scores of all cells, NaN where there are none, and the regulons they come from."""

    regulators: NDArray[np.object_]
    nes: NDArray[np.float32]
    sd: NDArray[np.float32] | None
    pes: NDArray[np.float32] | None
    regulons: pd.DataFrame
    """One row per regulon: ``source``, ``n_targets``, the spreads of its null, and ``group`` if there are groups."""


def references(
    adata: AnnData, parts: list[Stratum], groupby: str | None, reference: str | ArrayLike | None
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
        labels = [] if groupby is None else adata.obs[groupby].dropna().unique().tolist()
        if reference not in labels:
            msg = (
                f"reference={reference!r} is neither 'all', 'rest', a group of groupby={groupby!r} nor a boolean "
                f"column of adata.obs: {some(adata.obs.columns, 20)}."
            )
            raise KeyError(msg)
        mask = (adata.obs[groupby] == reference).to_numpy(dtype=np.bool_)
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
    groupby: str | None,
    settings: Mapping[str, Any],
) -> Activity:
    """Scores of the cells of ``parts``; groups that cannot be scored are NaN and warned of."""
    allow_negative = settings["signature"] == "none"
    grouped = "group" in table.columns
    models: dict[tuple[str, str], VIPER | NotScorableError | None] = {}
    by_part: dict[str, VIPER] = {}
    scores: dict[str, Scores] = {}
    reason: NotScorableError | None = None
    for part, reference in zip(parts, against, strict=True):
        key = part.label if grouped else "", part.label if reference is None else reference.name
        if key not in models:
            own = table[table["group"] == part.label] if grouped else table
            rows = part.rows if reference is None else reference.rows
            models[key] = _fitted(chosen, own, rows, settings, allow_negative, own=reference is None)
        model = models[key]
        if isinstance(model, VIPER):
            by_part[part.label] = model
            scores[part.label] = model.score(chosen.x, rows=part.rows, allow_negative=allow_negative)
        else:
            reason = model or reason
    if not scores:
        if len(parts) == 1 and reason is not None:
            raise reason
        msg = f"no group of adata.obs[{groupby!r}] can be scored. The last one: {reason or 'it has no network.'}"
        raise ValueError(msg) from reason
    _warn_of_groups(parts, set(scores), against, groupby, settings)
    return _joined(chosen, parts, by_part, scores, grouped=groupby is not None)


def _fitted(
    chosen: Choice,
    table: pd.DataFrame,
    rows: NDArray[np.intp],
    settings: Mapping[str, Any],
    allow_negative: bool,  # noqa: FBT001
    *,
    own: bool,
) -> VIPER | NotScorableError | None:
    """A model that has learned from ``rows``, why it cannot, or None without a network."""
    if table.empty:
        return None
    model = VIPER(table, reference=None if own else np.arange(len(rows)), **settings)
    try:
        return model.fit(chosen.x, chosen.genes, rows=rows, allow_negative=allow_negative)
    except NotScorableError as error:
        return error


def _warn_of_groups(
    parts: list[Stratum],
    scored: set[str],
    against: list[Reference | None],
    groupby: str | None,
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


def _joined(
    chosen: Choice, parts: list[Stratum], models: dict[str, VIPER], scores: dict[str, Scores], *, grouped: bool
) -> Activity:
    """Scores of all cells, in the order of the cells."""
    names = np.unique(np.concatenate([model.regulators_ for model in models.values()]))
    first = next(iter(scores.values()))

    def of_all_cells(field: str) -> NDArray[np.float32]:
        joined = np.full((chosen.x.shape[0], len(names)), np.nan, np.float32)
        for part in parts:
            if part.label in scores:
                columns = np.searchsorted(names, models[part.label].regulators_)
                joined[np.ix_(part.rows, columns)] = getattr(scores[part.label], field)
        return joined

    source = np.concatenate([model.regulators_ for model in models.values()])
    regulons = pd.DataFrame(
        {
            "source": pd.Categorical(source, categories=names.tolist()),
            "n_targets": np.concatenate([model.n_targets_ for model in models.values()]),
        }
    )
    spreads = np.concatenate([model.null_spreads_ for model in models.values()])
    regulons[list(_slots.NULL_SPREADS)] = spreads
    if grouped:
        group = np.repeat(list(models), [len(model.regulators_) for model in models.values()])
        columns = ["group", *regulons.columns]
        regulons["group"] = pd.Categorical(group, categories=list(models))
        regulons = regulons[columns]
    sd = None if first.sd is None else of_all_cells("sd")
    pes = None if first.pes is None else of_all_cells("pes")
    return Activity(names, of_all_cells("nes"), sd, pes, regulons)
