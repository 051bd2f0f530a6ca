"""Tests of one regulator in one group of cells against a reference, by their definitions and slow on purpose."""

from __future__ import annotations

import warnings
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
from scipy import stats

MOST_LABELLINGS = 1000
"""With as many, p is exact."""


def wilcoxon(x, y):
    z = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=False)
    larger = sum((a > b) + (a == b) / 2 for a in x for b in y)
    share = larger / (len(x) * len(y))
    p = z.pvalue if comb(len(x) + len(y), len(x)) > MOST_LABELLINGS else exact_wilcoxon(x, y)
    return np.sign(share - 0.5) * -stats.norm.ppf(z.pvalue / 2), share, np.log(p)


def exact_wilcoxon(x, y):
    """Share of the choices of cells in which as many pairs, or as few, are in order as in the group."""
    both = np.array([*x, *y])
    order = np.sign(both[:, None] - both)  # summed over a choice and all cells: pairs within the choice cancel
    off = [abs(order[list(chosen)].sum()) for chosen in combinations(range(len(both)), len(x))]
    return np.mean(np.array(off) >= off[0])


def t_test(x, y):
    if len({*x}) == len({*y}) == 1:
        return np.nan, np.nan, np.nan
    with warnings.catch_warnings(category=RuntimeWarning, action="ignore"):  # one side is constant
        t, p = stats.ttest_ind(x, y, equal_var=False)
    squares = sum((a - np.mean(x)) ** 2 for a in x) + sum((b - np.mean(y)) ** 2 for b in y)
    return t, (np.mean(x) - np.mean(y)) / np.sqrt(squares / (len(x) + len(y) - 2)), np.log(p)


def stouffer(x, y):
    """Against the sums of all subsets, each once."""
    sums = [sum(chosen) for chosen in combinations([*x, *y], len(x))]
    score = (sum(x) - np.mean(sums)) / np.std(sums)
    p = 2 * stats.norm.sf(abs(score))
    if len(sums) <= MOST_LABELLINGS:
        off = np.abs(np.array(sums) - np.mean(sums))
        p = np.mean(off > off[0] - 1e-9)
    return score, sum(x) / np.sqrt(len(x)), np.log(p)


def shared(x, y):
    """Members of the group among as many cells of highest activity; tied cells count as the share of places left."""
    both, places = [*x, *y], len(x)
    last = sorted(both, reverse=True)[places - 1]
    left = places - sum(value > last for value in both)
    return sum(value > last for value in x) + Fraction(
        left * sum(value == last for value in x), sum(value == last for value in both)
    )


def overlap_probabilities(n, n_all):
    """Of every number of items that two sets of n among n_all share, exactly."""
    return [Fraction(comb(n, k) * comb(n_all - n, n - k), comb(n_all, n)) for k in range(n + 1)]


def overlap_p(k, n, n_all):
    p = overlap_probabilities(n, n_all)
    return min(2 * min(sum(p[: k + 1]), sum(p[k:])), Fraction(1))


def kappa(x, y):
    n, n_all, k = len(x), len(x) + len(y), shared(x, y)
    expected = Fraction(n * n, n_all)
    whole = k.__floor__() if k > expected else k.__ceil__()
    p = float(overlap_p(whole, n, n_all))
    score = np.sign(float(k - expected)) * -stats.norm.ppf(p / 2)
    return score, float((k - expected) / (n - expected)), np.log(p)


TESTS = {"wilcoxon": wilcoxon, "t-test": t_test, "stouffer": stouffer, "kappa": kappa}


def one(method, x, y):
    """Score, effect and log p; NaN with fewer than 2 cells on a side or where nothing varies."""
    if min(len(x), len(y)) < 2 or len({*x, *y}) == 1:
        return np.nan, np.nan, np.nan
    return TESTS[method](x, y)


def kruskal(groups):
    """H, its share of the variance, log p, and the group of the highest mean rank."""
    h, p = stats.kruskal(*groups)
    everything = np.concatenate(groups)
    rank = [np.mean([(everything < a).sum() + ((everything == a).sum() + 1) / 2 for a in own]) for own in groups]
    return h, h / (len(everything) - 1), np.log(p), int(np.argmax(rank))


def benjamini_hochberg(log_p):
    """Logs of adjusted p-values; NaN were not tested."""
    tested = [p for p in log_p if not np.isnan(p)]
    adjusted = []
    for p in log_p:
        at_least = [np.exp(q) * len(tested) / sum(other <= q for other in tested) for q in tested if q >= p]
        adjusted.append(np.nan if np.isnan(p) else np.log(min([1.0, *at_least])))
    return adjusted
