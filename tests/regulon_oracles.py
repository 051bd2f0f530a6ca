"""Naive, readable regulons: the mixture edge by edge, pruning target by target; slow on purpose, sharing no code."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, spearmanr

if TYPE_CHECKING:
    import pandas as pd

# --- the mixture ------------------------------------------------------------------------------------------------------


def densities(x: np.ndarray, mean: list[float], sd: list[float], proportion: list[float]) -> list[np.ndarray]:
    return [share * norm.pdf(x, m, s) for m, s, share in zip(mean, sd, proportion, strict=True)]


def log_likelihood(x: np.ndarray, mean: list[float], sd: list[float], proportion: list[float]) -> float:
    return math.fsum(np.log(sum(densities(x, mean, sd, proportion))))


def mixture(x: np.ndarray, most: int = 20_000) -> tuple[list[float], list[float], list[float]]:
    """Means, deviations and proportions by plain expectation maximisation; no bounds but the middle mean of 0."""
    mean, sd, proportion = [-0.5, 0.0, 0.5], [0.15, 0.25, 0.15], [0.2, 0.4, 0.4]
    for _ in range(most):
        before = mean + sd + proportion
        each = densities(x, mean, sd, proportion)
        belongs = [density / sum(each) for density in each]
        proportion = [b.sum() / len(x) for b in belongs]
        mean = [(belongs[0] * x).sum() / belongs[0].sum(), 0.0, (belongs[2] * x).sum() / belongs[2].sum()]
        sd = [math.sqrt((b * (x - m) ** 2).sum() / b.sum()) for b, m in zip(belongs, mean, strict=True)]
        if max(abs(a - b) for a, b in zip(before, mean + sd + proportion, strict=True)) < 1e-13:
            return mean, sd, proportion
    msg = "the oracle has not converged; choose another case"
    raise AssertionError(msg)


def mode(rho: float, mean: list[float], sd: list[float]) -> float:
    below = [norm.cdf(rho, m, s) for m, s in zip(mean, sd, strict=True)]
    above = [norm.sf(rho, m, s) for m, s in zip(mean, sd, strict=True)]
    if rho >= 0:
        return below[2] / (above[0] + above[1] + below[2])
    return -above[0] / (above[0] + below[1] + below[2])


def modes(x: np.ndarray) -> np.ndarray:
    mean, sd, _ = mixture(x)
    return np.array([mode(rho, mean, sd) for rho in x])


# --- correlations -----------------------------------------------------------------------------------------------------


def correlation(X: np.ndarray, genes: list[str], source: str, target: str) -> float:
    """Spearman's; NaN where a gene is absent or constant."""
    if source not in genes or target not in genes:
        return math.nan
    x, y = (X[:, genes.index(gene)].astype(float) for gene in (source, target))
    if len(set(x)) == 1 or len(set(y)) == 1:
        return math.nan
    return float(spearmanr(x, y).statistic)


# --- care of networks -------------------------------------------------------------------------------------------------

type Edge = dict[str, object]


def regulons(network: pd.DataFrame) -> list[list[Edge]]:
    """Edges of every regulator (of every group), each with its place in the table."""
    of: dict[tuple[object, object], list[Edge]] = defaultdict(list)
    for place, edge in enumerate(network.to_dict("records")):
        of[edge.get("group"), edge["source"]].append({"likelihood": 1.0, **edge, "place": place})
    return list(of.values())


def prune(
    network: pd.DataFrame, max_targets: int, *, adaptive: bool = False, eliminate: bool = False, min_targets: int = 1
) -> list[int]:
    """Places of the edges that stay."""
    places = []
    for regulon in regulons(network):
        falling = sorted(regulon, key=lambda edge: (-edge["likelihood"], -abs(edge["weight"]), edge["target"]))
        kept = []
        size = 0.0
        for edge in falling:
            size += (edge["likelihood"] / falling[0]["likelihood"]) ** 2
            if (size if adaptive else len(kept) + 1) > max_targets:
                break
            kept.append(edge["place"])
        if len(kept) >= min_targets and not (eliminate and len(kept) < max_targets):
            places += kept
    return sorted(places)


def normalise(network: pd.DataFrame, within: str) -> list[float]:
    rows = network.to_dict("records")

    def family(edge: Edge) -> tuple[object, ...]:
        return (edge.get("group"), edge["source"]) if within == "regulator" else (edge.get("group"),)

    return [e["likelihood"] / max(o["likelihood"] for o in rows if family(o) == family(e)) for e in rows]


def merge(network: pd.DataFrame, how: str) -> list[Edge]:
    """Edges as they stay, in order of place."""
    same: dict[tuple[object, ...], list[Edge]] = defaultdict(list)
    for place, edge in enumerate(network.to_dict("records")):
        same[edge.get("group"), edge["source"], edge["target"]].append({**edge, "place": place})
    merged = []
    for edges in same.values():
        best = edges[0]
        if how == "max_likelihood":
            for edge in edges:
                if edge.get("likelihood", 1.0) > best.get("likelihood", 1.0):
                    best = edge
        if how == "mean":
            averaged = [name for name, value in best.items() if name == "weight" or isinstance(value, float)]
            best = {**best, **{name: sum(edge[name] for edge in edges) / len(edges) for name in averaged}}
        merged.append(best)
    return sorted(merged, key=lambda edge: edge["place"])
