"""p-values of independent genes without ties, with ties in random order, and of sparse genes are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from pysces._csr import as_csc
from pysces._infer.depth import Depth
from pysces._infer.estimator import GaussianCopula, Partition
from pysces._infer.null import Null
from pysces._infer.ranks import rank_genes

N_GENES = 640
"""Of which all pairs are 204 480."""
FACTOR = 1.3
"""At 1e-3, that is four deviations of the counts of tests and null."""
ESTIMATORS = {
    "aracne3": Partition("aracne3", "block"),
    "aracne-ap": Partition("aracne-ap", "block"),
    "aracne3, random": Partition("aracne3", "random"),
    "aracne-ap, random": Partition("aracne-ap", "random"),
    "gcmi": GaussianCopula(),
}


def noise(name: str, n_cells: int) -> np.ndarray:
    """Independent genes; with ties where they are put in random order."""
    rng = np.random.default_rng(n_cells)
    if name.endswith("random"):
        return rng.poisson(rng.exponential(2.0, N_GENES) + 0.1, (n_cells, N_GENES)).astype(float)
    return rng.normal(size=(n_cells, N_GENES))


@pytest.mark.parametrize("n_cells", [100, 253, 1000])
@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_small_pvalues_of_independent_genes_are_as_frequent_as_they_say(name, n_cells):
    estimator = ESTIMATORS[name]
    ranks = rank_genes(as_csc(noise(name, n_cells)), 1)
    null = estimator.null(ranks, n_cells, 1)
    log_p = estimator.score(ranks, Depth.none(n_cells), np.arange(N_GENES), null, 0, 1, 1.0).log_p[
        np.triu_indices(N_GENES, 1)
    ]
    for level in (1e-2, 1e-3):
        share = (log_p <= np.log(level)).mean()
        assert level / FACTOR < share < level * FACTOR, level


@pytest.mark.parametrize("name", ["aracne3", "aracne-ap", "gcmi"])
def test_rare_genes_that_never_meet_are_not_found_to_repel(name):
    rng = np.random.default_rng(3)
    X = (rng.random((300, 2000)) < 0.02) * rng.poisson(2, (300, 2000)).astype(float)
    estimator, ranks, regulators = ESTIMATORS[name], rank_genes(as_csc(X), 1), np.arange(500)
    log_p = estimator.score(ranks, Depth.none(300), regulators, estimator.null(ranks, 300, 1), 0, 1, 1.0).log_p
    assert (log_p <= np.log(0.05 / log_p.size)).sum() <= 3  # 0.05 expected


def copula_log_pvalues(X: np.ndarray, depth: Depth) -> np.ndarray:
    """ln p of all pairs."""
    ranks = rank_genes(as_csc(X), 1)
    return ESTIMATORS["gcmi"].score(ranks, depth, np.arange(X.shape[1]), Null({}), 0, 1, 1.0).log_p


@pytest.mark.parametrize("n_cells", [300, 1000])
@pytest.mark.parametrize(("least", "most", "factor"), [(0.01, 0.1, 1.6), (0.2, 0.6, 1.35)])
def test_small_pvalues_of_sparse_counts_in_the_copula_are_as_frequent_as_they_say(least, most, factor, n_cells):
    rng = np.random.default_rng(n_cells)
    n_genes = 1000
    detected = rng.random((n_cells, n_genes)) < np.exp(rng.uniform(np.log(least), np.log(most), n_genes))
    X = detected * (1.0 + rng.poisson(rng.exponential(1.0, n_genes), (n_cells, n_genes)))
    log_p = copula_log_pvalues(X, Depth.none(n_cells))[np.triu_indices(n_genes, 1)]
    for level in (1e-2, 1e-3):
        share = (log_p[~np.isnan(log_p)] <= np.log(level)).mean()
        assert level / factor < share < level * factor, level


LEVELS = (1e-2, 1e-3)


def counts_of_different_depth(n_cells: int, most: float, seed: int, n_genes: int = 1200) -> np.ndarray:
    """Independent genes with means from 0.02 to ``most`` in cells whose depths differ tenfold."""
    rng = np.random.default_rng([seed, n_cells])
    means = np.exp(rng.uniform(-4.0, np.log(most), n_genes))
    return rng.poisson(np.outer(rng.lognormal(0.0, 0.6, n_cells), means)).astype(float)


def shares_below(X: np.ndarray, depth: Depth) -> np.ndarray:
    """Share of p-values up to each level.

    Of all pairs, of those of each quarter of the genes by detection, and of those of two genes of the last quarter.
    """
    log_p = copula_log_pvalues(X, depth)
    quarters = np.array_split(np.argsort((X != 0).mean(axis=0), kind="stable"), 4)
    last = quarters[-1]
    found = []
    for of_pairs in (log_p, *(log_p[quarter] for quarter in quarters), log_p[np.ix_(last, last)]):
        tested = of_pairs[~np.isnan(of_pairs)]
        found.append([(tested <= np.log(level)).mean() for level in LEVELS])
    return np.array(found).T


@pytest.mark.parametrize(("n_cells", "most"), [(300, 1.0), (300, 2.7), (1000, 1.0), (1000, 2.7), (3000, 12.0)])
def test_small_pvalues_of_genes_in_cells_of_different_depth_are_as_frequent_as_they_say(n_cells, most):
    samples = [counts_of_different_depth(n_cells, most, seed) for seed in range(3)]
    for X in samples:
        deep, shallow = np.quantile(X.sum(axis=1), [0.97, 0.03])
        assert deep / shallow > 7
    within = np.mean([shares_below(X, Depth.of_counts(as_csc(X), n_cells)) for X in samples], axis=0)
    for level, (overall, *quarters, of_the_last) in zip(LEVELS, within, strict=True):
        for share in (overall, *quarters):
            assert level / FACTOR < share < level * FACTOR, (level, quarters)
        assert level / 1.5 < of_the_last < level * 1.5, level


@pytest.mark.parametrize("n_cells", [300, 1000])
def test_without_strata_of_depth_small_pvalues_are_far_too_frequent(n_cells):
    X = counts_of_different_depth(n_cells, 1.0, 0)
    for level, (overall, *_, of_the_last) in zip(LEVELS, shares_below(X, Depth.none(n_cells)), strict=True):
        assert overall > 3 * level
        assert of_the_last > 10 * level
