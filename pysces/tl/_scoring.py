"""Groups of cells, each with its network and against its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pysces._check import some, warn
from pysces._frame import column
from pysces._strata import group_labels, meaning_of, named
from pysces.estimators import VIPER, NotScorableError
from pysces.tl._panel import Panel, Single
from pysces.tl._plan import Plan, Use, regulons_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from anndata import AnnData
    from numpy.typing import ArrayLike, NDArray

    from pysces._matrix import Choice
    from pysces._strata import GroupBy, Stratum
    from pysces.estimators._remarks import Remarks
    from pysces.tl._panel import NetworkWeights

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
    mask = _named(adata, groupby, reference) if isinstance(reference, str) else np.asarray(reference)
    if isinstance(mask, str):
        if mask == "all":
            return [Reference("all", everything)] * len(parts)
        return [Reference(f"rest of {part.label}", np.setdiff1d(everything, part.rows)) for part in parts]
    if mask.dtype != np.bool_ or mask.shape != (adata.n_obs,):
        msg = f"reference must be {adata.n_obs} booleans, one per cell; found {mask.dtype} of shape {mask.shape}."
        raise ValueError(msg)
    return [Reference("mask", np.flatnonzero(mask))] * len(parts)


def _named(adata: AnnData, groupby: GroupBy | None, reference: str) -> str | NDArray[Any]:
    """The keyword, or whether each cell is among those that the name means."""
    values = column(adata.obs, reference).to_numpy() if reference in adata.obs.columns else None
    labels = None if groupby is None else group_labels(adata.obs, groupby)
    meaning = meaning_of(
        reference, ("all",) if groupby is None else ("all", "rest"),
        () if labels is None else labels.remove_unused_categories().categories, groupby,
        (reference,) if values is not None and values.dtype == np.bool_ else (),
    )  # fmt: skip
    if meaning == "keyword":
        return reference
    if meaning == "label":
        return np.asarray(labels == reference, dtype=np.bool_)
    if values is not None:
        return values
    if reference == "rest":
        msg = "reference='rest' needs groups; name the obs column that holds them: groupby='...'."
        raise ValueError(msg)
    msg = (
        f"reference={reference!r} is neither 'all', 'rest', a group of groupby={groupby!r} nor a boolean "
        f"column of adata.obs: {some(adata.obs)}."
    )
    raise KeyError(msg)


def plan_of(
    chosen: Choice,
    tables: Mapping[str, pd.DataFrame],
    parts: list[Stratum],
    against: list[Reference | None],
    groupby: GroupBy | None,
    settings: Mapping[str, Any],
    weights: NetworkWeights,
    *,
    borrow: bool,
    client: Any,
) -> Plan:
    """Models for the cells of all ``parts``; groups that cannot be scored are warned of.

    With ``borrow``, groups without a network of their own are scored with those of all others.
    """
    several = len(tables) > 1
    uses = [use for name, table in tables.items() for use in _uses(
        _Models(chosen, table, settings, client), name, parts, against, groupby, settings, borrow=borrow
    )]  # fmt: skip
    scorers: list[Single | Panel] = []
    part_of = np.full(chosen.x.shape[0], -1, np.int32)
    labels = list(tables) if several else list(dict.fromkeys(use.network for use in uses))
    networks: list[NDArray[np.intp] | int] = []
    for part in parts:
        own = {use.network: use.model for use in uses if use.part.label == part.label}
        if all(model is None for model in own.values()):
            continue
        part_of[part.rows] = len(scorers)
        numbers = np.array([labels.index(network) for network in own])
        [(first, model), *others] = own.items()
        if model is not None and not others and not several and first in {part.label, ""}:
            scorers.append(Single(model))
            networks.append(int(numbers[0]))
        else:
            scorers.append(Panel(own, weights))
            networks.append(numbers)
    mixed = any(isinstance(scorer, Panel) for scorer in scorers)
    names = np.unique(np.concatenate([scorer.regulators for scorer in scorers]))
    regulons = regulons_of(uses, names, grouped=groupby is not None, several=mixed)
    return Plan(names, part_of, scorers, networks, labels if mixed else [], regulons, _remarks_of(uses))


def _remarks_of(uses: list[Use]) -> dict[str, Remarks]:
    """The remarks of all models by their group, and network if that is another; by "" if there is one model."""
    found: dict[int, tuple[str, Remarks]] = {}
    for part, network, model in uses:
        if model is not None:
            name = " with ".join(dict.fromkeys(name for name in (part.label, network) if name))
            found.setdefault(id(model), (name, model.remarks_))
    names, remarks = zip(*found.values(), strict=True)
    return dict(zip(names, remarks, strict=True)) if len(found) > 1 else {"": remarks[0]}


def _uses(
    models: _Models,
    name: str,
    parts: list[Stratum],
    against: list[Reference | None],
    groupby: GroupBy | None,
    settings: Mapping[str, Any],
    *,
    borrow: bool,
) -> list[Use]:
    """The models of one network for the cells of all ``parts``."""
    uses: list[Use] = []
    scored: set[str] = set()
    reason: NotScorableError | None = None
    for part, reference in zip(parts, against, strict=True):
        found = models(part.label, part, reference)
        if isinstance(found, VIPER):
            uses.append(Use(part, name or part.label, found))
            scored.add(part.label)
            continue
        reason = found or reason
        others = [Use(part, label, _model(models(label, part, reference))) for label in models.labels] if borrow else []
        others = [use for use in others if use.model is not None]
        scored |= {use.part.label for use in others}
        uses += others or [Use(part, name or part.label, None)]
    if not scored:
        if len(parts) == 1 and reason is not None:
            raise reason
        where = "" if groupby is None else f" of adata.obs[{named(groupby)}]"
        msg = f"no group{where} can be scored. The last one: {reason or 'it has no network.'}"
        raise ValueError(msg) from reason
    _warn_of_groups(parts, scored, against, groupby, settings)
    return uses


def _model(found: VIPER | NotScorableError | None) -> VIPER | None:
    return found if isinstance(found, VIPER) else None


class _Models:
    """Models of the networks of groups; what was learned from the same cells is kept."""

    def __init__(self, chosen: Choice, table: pd.DataFrame, settings: Mapping[str, Any], client: Any) -> None:
        self._chosen, self._table, self._settings, self._client = chosen, table, settings, client
        self._known: dict[tuple[str, str], VIPER | NotScorableError | None] = {}
        self._grouped = "group" in table.columns
        self.labels = list(dict.fromkeys(table["group"])) if self._grouped else []

    def __call__(self, label: str, part: Stratum, reference: Reference | None) -> VIPER | NotScorableError | None:
        """A model for the cells of ``part``, why there is none, or None without a network."""
        key = label if self._grouped else "", f"own {part.label}" if reference is None else reference.name
        if key not in self._known:
            self._known[key] = self._fitted(label, part, reference)
        return self._known[key]

    def _fitted(self, label: str, part: Stratum, reference: Reference | None) -> VIPER | NotScorableError | None:
        table = self._table[self._table["group"] == label] if self._grouped else self._table
        if table.empty:
            return None
        rows = part.rows if reference is None else reference.rows
        model = VIPER(table, reference=None if reference is None else np.arange(len(rows)), **self._settings)
        try:
            return model._fit(
                self._chosen.x, self._chosen.genes, rows=rows, client=self._client,
                allow_negative=self._settings["signature"] == "none",
            )  # fmt: skip
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
            f"min_targets={settings['min_targets']} targets, or of cells: {some(without)}."
        )
    own = groupby is not None and against[0] is None and settings["signature"] != "none"
    few = [part.label for part in parts if part.label in scored and len(part.rows) < FEW_CELLS]
    if own and few:
        warn(f"{len(few)} groups have fewer than {FEW_CELLS} cells to be compared with: {some(few)}.")
