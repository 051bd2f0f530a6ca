"""Naive, readable versions of how rewired regulators are found; slow on purpose, sharing no code with the package."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, rankdata, ttest_ind

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
    if means == (1, 1):
        return float(ttest_ind(u[in_a], u[~in_a], equal_var=False).statistic)
    a, b = u[in_a], u[~in_a]
    return float((a.mean() - b.mean()) / np.sqrt(a.var() / (len(a) - means[0]) + b.var() / (len(b) - means[1])))


def both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Residuals of both groups, one below the other; a gene that is constant in one is 0 in both."""
    varies = (a != 0).any(axis=0) & (b != 0).any(axis=0)
    return np.vstack([a, b]) * varies


def statistic(e: np.ndarray, in_a: np.ndarray, regulator: int, means: tuple[int, int] = (1, 1)) -> float:
    """Sum of the squares beyond noise."""
    return sum(max(t(e, in_a, regulator, gene, means) ** 2 - NOISE, 0) for gene in range(e.shape[1]))


def log_pvalues(observed: np.ndarray, permuted: np.ndarray) -> np.ndarray:
    """Share of the permutations of all regulators (rows: permutations) that stand out as much from their own."""
    mean, spread = permuted.mean(axis=0), permuted.std(axis=0, ddof=1)
    null = [(permuted[i, r] - mean[r]) / spread[r] for i in range(len(permuted)) for r in range(len(observed))]
    z = (observed - mean) / spread
    return np.array([np.log((1 + sum(x >= of for x in null)) / (1 + len(null))) for of in z])


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values: the smallest level at which the step-up procedure rejects."""
    n = len(p)
    return np.array([min(1.0, *(n * q / (p <= q).sum() for q in p[p >= own])) for own in p])
