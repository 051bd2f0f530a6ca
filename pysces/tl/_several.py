"""Activities by several networks in one (metaVIPER)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces._enrich.meta import best_network, checked_weights, integrate, stouffer, vote, weighted
from pysces.tl._activity import Activity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

type NetworkWeights = float | tuple[float, float] | str

CELLS_AT_A_TIME = 4096


def default_weights(weights: NetworkWeights | None, enrichment: str) -> NetworkWeights:
    """``weights`` if they go with ``enrichment``, or its default."""
    if weights is None:
        return "vote" if enrichment == "narnea" else 1.0
    if not isinstance(weights, str):
        weights = checked_weights(weights)
    of_narnea = isinstance(weights, str) and weights == "vote"
    unknown = isinstance(weights, str) and weights not in {"vote", "stouffer"}
    if unknown or (weights != "stouffer" and of_narnea != (enrichment == "narnea")):
        options = "'vote' or 'stouffer'" if enrichment == "narnea" else "an exponent, a pair or 'stouffer'"
        msg = f"network_weights is {weights!r}; with enrichment={enrichment!r} give {options}."
        raise ValueError(msg)
    return weights


def joined_networks(found: Mapping[str, Activity], weights: NetworkWeights) -> Activity:
    """Scores of all networks in one, and the network whose scores are strongest in each cell."""
    regulators = np.unique(np.concatenate([activity.regulators for activity in found.values()]))
    n_cells = len(next(iter(found.values())).nes)
    with_pes = all(activity.pes is not None for activity in found.values())
    nes = np.empty((n_cells, len(regulators)), np.float32)
    pes = np.empty_like(nes) if with_pes else None
    best = np.empty(n_cells, np.intp)
    for start in range(0, n_cells, CELLS_AT_A_TIME):
        cells = slice(start, start + CELLS_AT_A_TIME)
        of_nes = [_aligned(activity.nes[cells], activity, regulators) for activity in found.values()]
        if pes is None:
            by_weight = isinstance(weights, str)
            nes[cells] = stouffer(of_nes) if by_weight else integrate(of_nes, weights)  # type: ignore[arg-type]
            best[cells] = best_network(of_nes)
            continue
        of_pes = [_aligned(a.pes[cells], a, regulators) for a in found.values() if a.pes is not None]
        votes = vote(of_pes)
        nes[cells], pes[cells] = weighted(of_nes, of_pes, votes if weights == "vote" else np.ones_like(votes))
        scored = np.any([~np.isnan(score).all(axis=1) for score in of_nes], axis=0)
        best[cells] = np.where(scored, votes.argmax(axis=1), -1)
    regulons = pd.concat([a.regulons.assign(network=name) for name, a in found.items()], ignore_index=True)
    if "group" in regulons.columns:
        labels = dict.fromkeys(label for a in found.values() for label in a.regulons["group"].cat.categories)
        regulons["group"] = pd.Categorical(regulons["group"].astype(object), categories=list(labels))
    regulons["source"] = pd.Categorical(regulons["source"].astype(object), categories=regulators.tolist())
    regulons["network"] = pd.Categorical(regulons["network"], categories=list(found))
    strongest = pd.Categorical.from_codes(best, categories=pd.Index(list(found)))
    return Activity(regulators, nes, None, pes, regulons, strongest)


def _aligned(scores: NDArray[np.float32], activity: Activity, regulators: NDArray[np.object_]) -> NDArray[np.float64]:
    """``scores`` under the regulators of all networks, NaN where this one has none."""
    aligned = np.full((len(scores), len(regulators)), np.nan)
    aligned[:, np.searchsorted(regulators, activity.regulators)] = scores
    return aligned
