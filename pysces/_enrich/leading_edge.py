"""The targets that make the enrichment of a regulon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._regulons import Regulons


def leading_edge(signature: NDArray[np.float64], regulons: Regulons) -> NDArray[np.bool_]:
    """Which edges are in the leading edge of their regulon.

    Targets with a mode >= 0 stand in the order of falling signature, all other genes in that of rising signature. Along
    it a sum rises by abs(signature) / total at a target and falls by 1 / number of other genes at any other gene. The
    leading edge is all up to the maximum of the sum or, if its minimum is farther from 0, all from there.
    """
    n_genes = len(signature)
    rising = np.empty(n_genes, np.intp)
    rising[np.argsort(signature, kind="stable")] = np.arange(n_genes)
    falling = np.empty(n_genes, np.intp)
    falling[np.argsort(-signature, kind="stable")] = np.arange(n_genes)
    inside = np.zeros(len(regulons.targets), np.bool_)
    for regulator in range(len(regulons.sizes)):
        edges = slice(regulons.indptr[regulator], regulons.indptr[regulator + 1])
        targets = regulons.targets[edges]
        place = rising.copy()
        place[targets] = np.where(regulons.mode[edges] >= 0, falling[targets], rising[targets])
        inside[edges] = _edge(place, np.abs(signature), targets)
    return inside


def _edge(place: NDArray[np.intp], weight: NDArray[np.float64], targets: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Targets in the leading edge, given the place of every gene; targets come before other genes of their place."""
    total = weight[targets].sum()
    if total == 0:
        return np.zeros(len(targets), np.bool_)
    other = np.ones(len(place), np.bool_)
    other[targets] = False
    steps = np.where(other, -1 / max(len(place) - len(targets), 1), weight / total)
    order = np.lexsort((other, place))
    running = steps[order].cumsum()
    rank = np.empty(len(place), np.intp)
    rank[order] = np.arange(len(place))
    if running.max() + running.min() > 0:
        return rank[targets] <= running.argmax()
    return rank[targets] >= running.argmin()
