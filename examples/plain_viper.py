"""VIPER as the paper describes it, twice: with lists and math, and vectorised with numpy.

What benchmark_viper.py compares pysces with; no code is shared with pysces. Cells are z-scores of genes over all cells,
and enrichment is aREA (Alvarez et al. 2016, doi:10.1038/ng.3593).
"""

from __future__ import annotations

from itertools import groupby
from math import frexp, fsum, ldexp, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

if TYPE_CHECKING:
    import scipy.sparse as sp

type Regulon = list[tuple[int, float, float]]
"""Position of a target, mode of regulation, likelihood."""

CELLS_PER_BLOCK = 500

# --- lists and math ---------------------------------------------------------------------------------------------------


def gene_moments(values: list[float]) -> tuple[float, float]:
    """Mean and standard deviation (n - 1) of a gene."""
    mean = fsum(values) / len(values)
    return mean, sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def cell_scores(cell: list[float], moments: list[tuple[float, float]], regulons: list[Regulon]) -> list[float]:
    """NES of every regulon in one cell."""
    signature = [to_33_bits((value - mean) / sd) for value, (mean, sd) in zip(cell, moments, strict=True)]
    quantile = [rank / (len(cell) + 1) for rank in average_ranks(signature)]
    distance = [2 * abs(q - 0.5) for q in quantile]
    shift = (1 - max(distance)) / 2
    normal = NormalDist()
    two_tail = [normal.inv_cdf(q) for q in quantile]
    one_tail = [normal.inv_cdf(d + shift) for d in distance]
    return [enrichment(two_tail, one_tail, regulon) for regulon in regulons]


def to_33_bits(x: float) -> float:
    """``x`` without the digits in which equal values differ by rounding, as pysces takes it."""
    mantissa, exponent = frexp(x)
    return ldexp(round(ldexp(mantissa, 33)), exponent - 33)


def average_ranks(values: list[float]) -> list[float]:
    """Ranks from 1; equal values have the mean of theirs."""
    ranks, so_far = [0.0] * len(values), 0
    for _, run in groupby(sorted(range(len(values)), key=values.__getitem__), key=values.__getitem__):
        genes = list(run)
        for gene in genes:
            ranks[gene] = so_far + (len(genes) + 1) / 2
        so_far += len(genes)
    return ranks


def enrichment(two_tail: list[float], one_tail: list[float], regulon: Regulon) -> float:
    """NES of one regulon."""
    s1 = s2 = total = squares = 0.0
    most = max(likelihood for _, _, likelihood in regulon)
    for target, mode, likelihood in regulon:
        s1 += mode * likelihood * two_tail[target]
        s2 += (1 - abs(mode)) * likelihood * one_tail[target]
        total += likelihood
        squares += (likelihood / most) ** 2
    score = (abs(s1) + max(s2, 0.0)) / total * sqrt(squares)
    return score if s1 >= 0 else -score


# --- numpy ------------------------------------------------------------------------------------------------------------


def moments(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of the genes of cells x genes."""
    return X.mean(axis=0, dtype=np.float64), X.std(axis=0, ddof=1, dtype=np.float64)


def z_scores(X: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Z-scores without the digits in which equal values differ by rounding, as pysces takes them."""
    mantissa, exponent = np.frexp((X - mean) / sd)
    return np.ldexp(np.rint(np.ldexp(mantissa, 33)), exponent - 33)


def scores(X: np.ndarray, mean: np.ndarray, sd: np.ndarray, mode: sp.csc_array, likelihood: sp.csc_array) -> np.ndarray:
    """NES, cells x regulons; ``mode`` and ``likelihood`` are genes x regulons and hold the same places."""
    unsure = likelihood.copy()
    unsure.data = (1 - np.abs(mode.data)) * likelihood.data
    total, most = likelihood.sum(axis=0), likelihood.max(axis=0).toarray()
    size = np.sqrt((likelihood**2).sum(axis=0)) / most
    found = []
    for start in range(0, len(X), CELLS_PER_BLOCK):
        quantile = rankdata(z_scores(X[start : start + CELLS_PER_BLOCK], mean, sd), axis=1) / (X.shape[1] + 1)
        distance = 2 * np.abs(quantile - 0.5)
        distance += (1 - distance.max(axis=1, keepdims=True)) / 2
        s1, s2 = ndtri(quantile) @ (mode * likelihood), ndtri(distance) @ unsure
        found.append(np.where(s1 >= 0, 1, -1) * (np.abs(s1) + np.maximum(s2, 0)) / total * size)
    return np.concatenate(found)
