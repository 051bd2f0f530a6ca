"""Naive comparison of cells by activity, and integration of networks: one cell, regulator or pair at a time."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm, rankdata

# --- similarity of cells ----------------------------------------------------------------------------------------------


def similarity(nes: np.ndarray, *, weights=(4.0, 2.0), n_top=None, tail="two-sided", scale=False) -> np.ndarray:
    """Of cells that all have scores."""
    n_cells = len(nes)
    w = [cell_weights(cell, weights, n_top, tail) for cell in nes]
    t = [norm.ppf(rankdata(cell) / (len(cell) + 1)) for cell in nes]
    s = np.array([[one_way(w[i], t[j]) for j in range(n_cells)] for i in range(n_cells)])
    both = np.array([[symmetric(s[i, j], s[j, i]) for j in range(n_cells)] for i in range(n_cells)])
    if not scale:
        return both
    itself = np.diag(both)
    return np.array([[both[i, j] / ((itself[i] + itself[j]) / 2) for j in range(n_cells)] for i in range(n_cells)])


def cell_weights(cell: np.ndarray, weights, n_top, tail) -> list[float]:
    rank = rankdata(cell)
    size = [abs(x) if in_tail(x, tail) else 0.0 for x in cell]
    sign = [math.copysign(1, x) if x else 0.0 for x in cell]
    if n_top is not None:
        return [s if at_end(r, len(cell), n_top, tail) else 0.0 for s, r in zip(sign, rank, strict=True)]
    if isinstance(weights, tuple):
        half, tenth = weights
        slope = math.log(0.9 / 0.1) / (half - tenth)
        return [s / (1 + math.exp(-slope * (x - half))) if x else 0.0 for s, x in zip(sign, size, strict=True)]
    largest = max(cell) if tail == "greater" else max(abs(x) for x in cell)
    return [s * (x / largest) ** weights if x else 0.0 for s, x in zip(sign, size, strict=True)]


def in_tail(x: float, tail: str) -> bool:
    return tail == "two-sided" or (x > 0 if tail == "greater" else x < 0)


def at_end(rank: float, n: int, n_top: int, tail: str) -> bool:
    if tail == "two-sided":
        return at_end(rank, n, n_top // 2, "greater") or at_end(rank, n, n_top // 2, "less")
    return rank > n - n_top if tail == "greater" else rank <= n_top


def one_way(w: list[float], t: np.ndarray) -> float:
    size = sum(abs(x) for x in w)
    if size == 0:
        return math.nan
    return sum(a * b for a, b in zip(w, t, strict=True)) / size * math.sqrt(sum(x**2 for x in w))


def symmetric(a: float, b: float) -> float:
    return 0.0 if a == b == 0 else (a**3 + b**3) / (a**2 + b**2)


# --- integration of networks: lists of cells x regulators, NaN where a network lacks the regulator --------------------


def each(rule, scores: list[np.ndarray]) -> np.ndarray:
    """``rule(cell, scores that are there, their networks)`` for every cell and regulator; NaN where none is."""
    out = np.full(scores[0].shape, np.nan)
    for cell, regulator in np.ndindex(out.shape):
        networks = [k for k, score in enumerate(scores) if not math.isnan(score[cell, regulator])]
        if networks:
            out[cell, regulator] = rule(cell, [scores[k][cell, regulator] for k in networks], networks)
    return out


def integrate(scores: list[np.ndarray], weights) -> np.ndarray:
    def weight(x: float) -> float:
        if isinstance(weights, tuple):
            inflection, slope = weights
            return 1 - 1 / (1 + math.exp(slope * (abs(x) - inflection)))
        return abs(x) ** weights

    def rule(_, found, __):
        of_weights = sum(map(weight, found))
        return sum(weight(x) * x for x in found) / of_weights if of_weights else 0.0

    return each(rule, scores)


def stouffer(scores: list[np.ndarray]) -> np.ndarray:
    return each(lambda _, found, __: sum(found) / math.sqrt(len(found)), scores)


def vote(pes: list[np.ndarray]) -> np.ndarray:
    weights = []
    for cell in range(len(pes[0])):
        votes, n_voters = [0.0] * len(pes), 0
        for regulator in range(pes[0].shape[1]):
            size = [abs(p[cell, regulator]) for p in pes]
            if any(map(math.isnan, size)):
                continue
            n_voters += 1
            for k in range(len(pes)):
                votes[k] += (size[k] == max(size)) / size.count(max(size))
        weights.append([v / n_voters if n_voters else 1 / len(pes) for v in votes])
    return np.array(weights)


def weighted(nes: list[np.ndarray], pes: list[np.ndarray], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    def score(cell, found, networks):
        w = weights[cell][networks]
        return sum(w * found) / math.sqrt(sum(w**2)) if w.any() else 0.0

    def effect(cell, found, networks):
        w = weights[cell][networks]
        return sum(w * found) / sum(w) if w.any() else 0.0

    return each(score, nes), each(effect, pes)


def best_network(scores: list[np.ndarray], n_extreme: int = 50) -> list[int]:
    best = []
    for cell in range(len(scores[0])):
        found = [sorted(x for x in score[cell] if not math.isnan(x)) for score in scores]
        if not any(found):
            best.append(-1)
            continue
        n = max(1, min(n_extreme, min(len(own) for own in found if own) // 2))
        width = [(sum(own[-n:]) - sum(own[:n])) / n / 2 if own else -math.inf for own in found]
        best.append(width.index(max(width)))
    return best
