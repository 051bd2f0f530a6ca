"""Naive, readable NaRnEA with a fixed rule for zeros: one cell and one regulon at a time, sharing no code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import viper_oracles
from scipy.stats import norm, rankdata

if TYPE_CHECKING:
    import pandas as pd


def narnea(S: np.ndarray, regulons: list[pd.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    """NES and PES of cells x regulons; a regulon is a table with the columns gene, weight and likelihood.

    Genes that are NaN are missing. Zeros have the average rank and the sign 0.
    """
    nes, pes = np.full((2, len(S), len(regulons)), np.nan)
    for cell, s in enumerate(S):
        present = np.flatnonzero(~np.isnan(s))
        rank = dict(zip(present, viper_oracles.average_ranks(np.abs(s[present])), strict=True))
        sign = {gene: float(np.sign(s[gene])) for gene in present}
        for place, regulon in enumerate(regulons):
            own = regulon[regulon["gene"].isin(present)]
            if len(own):
                nes[cell, place], pes[cell, place] = enrichment(rank, sign, own)
    return nes, pes


def enrichment(rank: dict[int, float], sign: dict[int, float], regulon: pd.DataFrame) -> tuple[float, float]:
    mode = regulon["weight"].replace({1.0: 0.999, -1.0: -0.999}).to_numpy()
    likelihood = regulon["likelihood"].to_numpy()
    a, b = likelihood * mode, likelihood * (1 - np.abs(mode))
    standardised = moments(np.array([*rank.values()]), np.array([*sign.values()]), a, b)

    r, s = (np.array([of[gene] for gene in regulon["gene"]]) for of in (rank, sign))
    nes = deviate(*standardised((a * r * s).sum(), (b * r).sum()))

    largest = len(rank) + 1 - rankdata(-likelihood)  # in the order of the likelihoods
    directed, undirected = (np.abs(a) * largest).sum(), (b * largest).sum()
    return nes, nes / abs(deviate(*standardised(directed if nes > 0 else -directed, undirected)))


def moments(rank: np.ndarray, sign: np.ndarray, a: np.ndarray, b: np.ndarray):
    """Standardise two sums over targets: D of a r s and U of b r; of which the moments are over all genes."""
    signed, plain = rank * sign, rank
    sd_d = math.sqrt(((signed - signed.mean()) ** 2).mean() * (a**2).sum())
    sd_u = math.sqrt(((plain - plain.mean()) ** 2).mean() * (b**2).sum())
    covariance = ((signed - signed.mean()) * (plain - plain.mean())).mean() * (a * b).sum()
    correlation = covariance / (sd_d * sd_u) if sd_d and sd_u else 0.0

    def standardised(d: float, u: float) -> tuple[float, float]:
        z_d = (d - signed.mean() * a.sum()) / sd_d if sd_d else 0.0
        z_u = (u - plain.mean() * b.sum()) / sd_u if sd_u else 0.0
        return (z_d + z_u) / math.sqrt(2 + 2 * correlation), (z_u - z_d) / math.sqrt(2 - 2 * correlation)

    return standardised


def deviate(up: float, down: float) -> float:
    """Normal deviate of the smaller of two upper tails, corrected for the choice; negative if it is that of down."""
    p = norm.sf(max(up, down))
    return math.copysign(norm.isf(p * (2 - p) / 2), up - down)
