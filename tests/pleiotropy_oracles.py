"""Naive, readable correction for pleiotropy, cell by cell and pair by pair; slow on purpose, sharing no code."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import viper_oracles
from scipy.special import log_ndtr
from scipy.stats import norm


def corrected(
    S: np.ndarray,
    regulons: list[pd.DataFrame],
    *,
    regulators: float = 0.05,
    min_overlap: int = 10,
    method: str = "adaptive",
    penalty: float = 20.0,
    shadow: float = 0.05,
    least_far: float = 0.0,
    eligible: list[bool] | None = None,
) -> np.ndarray:
    """NES of cells x regulons; a regulon is a table with the columns gene (a column of S), weight and likelihood."""
    may = np.ones(len(regulons), bool) if eligible is None else np.array(eligible)
    scores = viper_oracles.area(S, regulons, least_far)
    for s, nes in zip(S, scores, strict=True):
        present = [regulon[~np.isnan(s[regulon["gene"]])].set_index("gene") for regulon in regulons]
        chosen = taking_part(nes, regulators, may)
        pairs = [pair for pair in combinations(chosen, 2) if len(common(present, *pair)) >= min_overlap]
        n_tests = {r: sum(r in pair for pair in pairs) for r in chosen}
        divisors = {r: pd.Series(1.0, present[r].index) for r in chosen}
        own = {r: own_tails(s, present[r], nes[r]) for r in chosen if n_tests[r]}
        for a, b in pairs:
            shared = common(present, a, b)
            log_p = {r: shared_log_p(own[r], present[r], shared) for r in (a, b)}
            loser, divisor = verdict(a, b, log_p, method, penalty, shadow)
            divisors[loser].loc[shared] *= divisor ** (1 / n_tests[loser])
        tails = viper_oracles.tails(s, least_far)
        for r in chosen:
            if len(present[r]) >= 5 and (divisors[r] != 1).any():
                penalised = present[r].assign(likelihood=present[r]["likelihood"] / divisors[r])
                nes[r] = viper_oracles.nes(*tails, penalised.reset_index())
    return scores


def taking_part(nes: np.ndarray, regulators: float, may: np.ndarray) -> list[int]:
    candidates = [r for r in range(len(nes)) if may[r] and not np.isnan(nes[r])]
    if regulators < 1:
        return [r for r in candidates if 2 * norm.sf(abs(nes[r])) < regulators]
    return sorted(sorted(candidates, key=lambda r: -abs(nes[r]))[:regulators])


def common(regulons: list[pd.DataFrame], a: int, b: int) -> list[int]:
    others = set(regulons[b].index)
    return [gene for gene in regulons[a].index if gene in others]


def own_tails(s: np.ndarray, regulon: pd.DataFrame, nes: float) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of the targets ranked among themselves, in the direction of the activity."""
    two_tail, one_tail = viper_oracles.tails(s[regulon.index], 0.0)
    return (-two_tail if nes < 0 else two_tail), one_tail


def shared_log_p(tails: tuple[np.ndarray, np.ndarray], regulon: pd.DataFrame, shared: list[int]) -> float:
    """Log of the upper tail of the enrichment of the shared targets within the regulon."""
    place = regulon.index.get_indexer(shared)
    return log_ndtr(-viper_oracles.nes(*tails, regulon.loc[shared].assign(gene=place)))


def verdict(a: int, b: int, log_p: dict[int, float], method: str, penalty: float, shadow: float) -> tuple[int, float]:
    """Which of two regulators is penalised, and by what its likelihoods are divided if this is its only test."""
    loser, winner = (a, b) if log_p[a] < log_p[b] else (b, a)
    if method == "adaptive":
        return loser, (1 + (log_p[winner] - log_p[loser]) / math.log(10)) ** penalty
    one_is_significant = (log_p[loser] < math.log(shadow)) and not (log_p[winner] < math.log(shadow))
    return loser, penalty if one_is_significant else 1.0


# --- data to try it on ------------------------------------------------------------------------------------------------


def overlapping_regulons(n_regulons: int = 8, seed: int = 0) -> list[pd.DataFrame]:
    """Regulons of 12 to 24 of 60 targets, most of them from the first 15 genes; one of 4, and one without."""
    rng = np.random.default_rng(seed)
    regulons = []
    for size in [*rng.integers(12, 25, n_regulons - 2), 4, 0]:
        favoured = np.where(np.arange(60) < 15, 8.0, 1.0)
        regulon = {
            "gene": rng.choice(60, size, replace=False, p=favoured / favoured.sum()),
            "weight": np.where(rng.random(size) < 0.95, 1, -1) * rng.uniform(0.6, 1, size),
            "likelihood": rng.uniform(0.3, 1, size),
        }
        regulons.append(pd.DataFrame(regulon))
    return regulons


def active_cells(kind: str, n_cells: int = 8, seed: int = 0) -> np.ndarray:
    """Cells with 60 genes, in half of which the first 15 genes are raised."""
    X = viper_oracles.cells(kind, n_cells, seed=seed)
    rng = np.random.default_rng(seed)
    raised = X[::2, :15]
    raised += rng.normal(2, 1, raised.shape) if kind == "smooth" else 2 * rng.poisson(4, raised.shape)
    return X
