"""Naive, readable versions of how rewired regulators are found; slow on purpose, sharing no code with the package."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.stats import norm, rankdata, ttest_ind, zscore

NOISE = 4
DETECTED = 20
"""Cells of each group."""


def residuals(values: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Normal scores, cells x genes, less the mean of the stratum, of variance 1; 0 if constant or rare."""
    e = np.zeros(values.shape)
    for g in range(values.shape[1]):
        score = norm.ppf(rankdata(values[:, g]) / (len(values) + 1))
        for stratum in np.unique(strata):
            score[strata == stratum] -= score[strata == stratum].mean()
        if score.std() > 1e-6 and np.count_nonzero(values[:, g]) >= DETECTED:
            e[:, g] = score / score.std()
    return e


def t(e: np.ndarray, in_a: np.ndarray, regulator: int, gene: int, means: tuple[int, int] = (1, 1)) -> float:
    """Welch's t of the products of two genes; ``means`` were taken out of the scores of each group."""
    u = e[:, regulator] * e[:, gene]
    if regulator == gene or u.std() < 1e-6:
        return 0.0
    groups = [u[in_a], u[~in_a]]
    for i, (of, n_means) in enumerate(zip(groups, means, strict=True)):  # as wide as if one mean had been taken out
        groups[i] = of.mean() + (of - of.mean()) * ((len(of) - 1) / (len(of) - n_means)) ** 0.5
    return float(ttest_ind(*groups, equal_var=False).statistic)


def both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Residuals of both groups, one below the other; a gene that is constant in one is 0 in both."""
    varies = (a != 0).any(axis=0) & (b != 0).any(axis=0)
    return np.vstack([a, b]) * varies


def statistic(e: np.ndarray, in_a: np.ndarray, regulator: int, means: tuple[int, int] = (1, 1)) -> float:
    """Sum of the squares beyond noise."""
    return sum(max(t(e, in_a, regulator, gene, means) ** 2 - NOISE, 0) for gene in range(e.shape[1]))


def all_splits(n: int, n_inside: int) -> list[np.ndarray]:
    """Every way to choose cells, as masks; the first cells first."""
    return [np.isin(np.arange(n), inside) for inside in combinations(range(n), n_inside)]


def pvalues(statistics: np.ndarray) -> np.ndarray:
    """The place of each value, in standard deviations of its column, among those of all columns, from the top."""
    from_top = rankdata(-zscore(statistics, axis=0).ravel(), method="max")
    return (from_top / statistics.size).reshape(statistics.shape)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values: the smallest level at which the step-up procedure rejects."""
    n = len(p)
    return np.array([min(1.0, *(n * q / (p <= q).sum() for q in p[p >= own])) for own in p])
