"""Regulators of one sample in another, slowly and by definition."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata


def top(activity: np.ndarray, n_top: int) -> dict[int, float]:
    """Mode of the regulators that are certain to be among the n_top / 2 at one end, however ties are broken."""
    half = n_top // 2
    modes = {}
    for regulator, value in enumerate(activity):
        if sum(activity >= value) <= half:
            modes[regulator] = 1.0
        elif sum(activity <= value) <= half:
            modes[regulator] = -1.0
    return modes


def nes(query: np.ndarray, signature: np.ndarray, n_top: int) -> float:
    """NES of the top of ``query`` among the ranks of ``signature``."""
    modes = top(query, n_top)
    if not modes:
        return math.nan
    score = norm.ppf(rankdata(signature) / (len(signature) + 1))
    return sum(mode * score[regulator] for regulator, mode in modes.items()) / math.sqrt(len(modes))


def conservation(samples: pd.DataFrame, others: pd.DataFrame, n_top: int) -> pd.DataFrame:
    """One row per pair."""
    names = [name for name in samples.columns if name in others.columns]
    rows = []
    for sample, own in zip(samples.index, samples[names].to_numpy(np.float64), strict=True):
        for other, theirs in zip(others.index, others[names].to_numpy(np.float64), strict=True):
            both = ~np.isnan(own) & ~np.isnan(theirs)
            pairs = ((own[both], theirs[both]), (theirs[both], own[both]))
            scores = [nes(*pair, n_top) if both.sum() >= n_top else math.nan for pair in pairs]
            rows.append((sample, other, *scores, both.sum()))
    return pd.DataFrame(rows, columns=["sample", "other", "nes", "nes_reverse", "n_regulators"])
