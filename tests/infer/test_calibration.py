"""p-values of independent genes without ties, with ties in random order, and of sparse genes are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from pysces._csr import as_csc
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
    log_p = estimator.score(ranks, np.arange(N_GENES), estimator.null(ranks, n_cells, 1), 0, 1, 1.0).log_p[
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
    log_p = estimator.score(ranks, regulators, estimator.null(ranks, 300, 1), 0, 1, 1.0).log_p
    assert (log_p <= np.log(0.05 / log_p.size)).sum() <= 3  # 0.05 expected


@pytest.mark.parametrize("n_cells", [300, 1000])
@pytest.mark.parametrize(("least", "most", "factor"), [(0.01, 0.1, 1.6), (0.2, 0.6, 1.35)])
def test_small_pvalues_of_sparse_counts_in_the_copula_are_as_frequent_as_they_say(least, most, factor, n_cells):
    rng = np.random.default_rng(n_cells)
    n_genes = 1000
    detected = rng.random((n_cells, n_genes)) < np.exp(rng.uniform(np.log(least), np.log(most), n_genes))
    X = detected * (1.0 + rng.poisson(rng.exponential(1.0, n_genes), (n_cells, n_genes)))
    ranks = rank_genes(as_csc(X), 1)
    log_p = ESTIMATORS["gcmi"].score(ranks, np.arange(n_genes), Null({}), 0, 1, 1.0).log_p[np.triu_indices(n_genes, 1)]
    for level in (1e-2, 1e-3):
        share = (log_p[~np.isnan(log_p)] <= np.log(level)).mean()
        assert level / factor < share < level * factor, level
