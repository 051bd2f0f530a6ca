"""Activities of some cells, and of all cells from those of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._strata import Stratum


class Activity(NamedTuple):
    """Scores of cells, NaN where there are none, and the regulons they come from."""

    regulators: NDArray[np.object_]
    nes: NDArray[np.float32]
    sd: NDArray[np.float32] | None
    pes: NDArray[np.float32] | None
    regulons: pd.DataFrame
    """One row per regulon: ``source``, ``n_targets``, the spreads of its null, ``group`` if there are groups, and
    ``network`` if there are several for a cell."""
    network: pd.Categorical[str] | None = None
    """If there are several, the one whose scores are strongest in each cell."""


def join_parts(n_cells: int, parts: list[Stratum], scored: dict[str, Activity], *, grouped: bool) -> Activity:
    """Activities of all cells, in the order of the cells, from those of the cells of ``parts``."""
    names = np.unique(np.concatenate([activity.regulators for activity in scored.values()]))
    first = next(iter(scored.values()))

    def of_all_cells(field: str) -> NDArray[np.float32]:
        joined = np.full((n_cells, len(names)), np.nan, np.float32)
        for part in parts:
            if part.label in scored:
                columns = np.searchsorted(names, scored[part.label].regulators)
                joined[np.ix_(part.rows, columns)] = getattr(scored[part.label], field)
        return joined

    several = any(activity.network is not None for activity in scored.values())
    regulons = _joined_regulons(scored, names, grouped=grouped, several=several)
    sd = None if first.sd is None else of_all_cells("sd")
    pes = None if first.pes is None else of_all_cells("pes")
    network = _networks(n_cells, parts, scored) if several else None
    return Activity(names, of_all_cells("nes"), sd, pes, regulons, network)


def _joined_regulons(
    scored: dict[str, Activity], names: NDArray[np.object_], *, grouped: bool, several: bool
) -> pd.DataFrame:
    tables = {}
    for label, activity in scored.items():
        own = activity.regulons.assign(source=activity.regulons["source"].astype(object))
        tables[label] = (
            own.assign(network=own.get("network", pd.Series(label, own.index)).astype(object)) if several else own
        )
    regulons = pd.concat(tables, names=["group", None]).reset_index(level=0 if grouped else None, drop=not grouped)
    regulons = regulons.reset_index(drop=True)
    regulons["source"] = pd.Categorical(regulons["source"], categories=names.tolist())
    for name in ("group", "network"):
        if name in regulons.columns:
            regulons[name] = pd.Categorical(regulons[name], categories=list(dict.fromkeys(regulons[name])))
    return regulons


def _networks(n_cells: int, parts: list[Stratum], scored: dict[str, Activity]) -> pd.Categorical[str]:
    """The network of every cell: the one of its group, or the strongest of those it is scored with."""
    network = np.full(n_cells, None, object)
    for part in parts:
        if part.label in scored:
            choice = scored[part.label].network
            network[part.rows] = part.label if choice is None else np.asarray(choice, dtype=object)
    labels = dict.fromkeys(part.label for part in parts)
    labels |= dict.fromkeys(
        label for activity in scored.values() if activity.network is not None for label in activity.network.categories
    )
    return pd.Categorical(network, categories=list(labels)).remove_unused_categories()
