"""What scores the cells of a group, a block at a time: one network, or several in one (metaVIPER)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pysces._enrich.meta import best_network, checked_weights, integrate, stouffer, vote, weighted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pysces.estimators import VIPER

type NetworkWeights = float | tuple[float, float] | str


class Scored(NamedTuple):
    """Scores of cells, cells x regulators, and what comes with some of them."""

    nes: NDArray[np.floating]
    sd: NDArray[np.floating] | None
    pes: NDArray[np.floating] | None
    empty: NDArray[np.bool_]
    """Cells without a value other than 0 in the genes that are ranked; their scores are NaN."""
    network: NDArray[np.intp] | None = None
    """Of several networks, the one whose scores are strongest in each cell; -1 without scores."""


class Single:
    """One network."""

    def __init__(self, model: VIPER) -> None:
        self.regulators: NDArray[np.object_] = model.regulators_
        self._model = model

    def score(self, block: Any) -> Scored:
        """Scores of cells in memory."""
        return Scored(*self._model.score_block(block))  # type: ignore[arg-type]


class Panel:
    """Several networks in one; those without a model have no say."""

    def __init__(self, models: Mapping[str, VIPER | None], weights: NetworkWeights) -> None:
        known = [model.regulators_ for model in models.values() if model is not None]
        self.regulators: NDArray[np.object_] = np.unique(np.concatenate(known))
        self._models, self._weights = list(models.values()), weights

    def score(self, block: Any) -> Scored:
        """Scores of cells in memory: those of all networks, integrated."""
        scores = [None if model is None else model.score_block(block) for model in self._models]
        empty = np.all([s.empty for s in scores if s is not None and s.empty is not None], axis=0)
        of_nes = [self._aligned(i, None if s is None else s.nes, block.shape[0]) for i, s in enumerate(scores)]
        if all(s is None or s.pes is None for s in scores):
            by_weight = isinstance(self._weights, str)
            nes = stouffer(of_nes) if by_weight else integrate(of_nes, self._weights)  # type: ignore[arg-type]
            return Scored(nes, None, None, empty, best_network(of_nes))
        of_pes = [self._aligned(i, None if s is None else s.pes, block.shape[0]) for i, s in enumerate(scores)]
        votes = vote(of_pes)
        nes, pes = weighted(of_nes, of_pes, votes if self._weights == "vote" else np.ones_like(votes))
        scored = np.any([~np.isnan(score).all(axis=1) for score in of_nes], axis=0)
        return Scored(nes, None, pes, empty, np.where(scored, votes.argmax(axis=1), -1))

    def _aligned(self, i: int, scores: NDArray[np.float64] | None, n_cells: int) -> NDArray[np.float64]:
        """Scores of network ``i`` under the regulators of all networks, NaN where it has none."""
        aligned = np.full((n_cells, len(self.regulators)), np.nan)
        model = self._models[i]
        if model is not None and scores is not None:
            aligned[:, np.searchsorted(self.regulators, model.regulators_)] = scores
        return aligned


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
