"""p-values of independent genes without ties, or with ties in random order, are what they say they are."""

from __future__ import annotations

import numpy as np
import pytest

from pysces._csr import as_csc
from pysces._infer.estimator import GaussianCopula, Partition
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
    mi = estimator.information(ranks, np.arange(N_GENES), 0, 1)
    strata = estimator.strata(ranks)
    log_p = estimator.null(ranks, n_cells, 1).log_pvalues(mi, strata, strata, 1)[np.triu_indices(N_GENES, 1)]
    for level in (1e-2, 1e-3):
        share = (log_p <= np.log(level)).mean()
        assert level / FACTOR < share < level * FACTOR, level


@pytest.mark.parametrize("name", ["aracne3", "aracne-ap", "gcmi"])
def test_rare_genes_that_never_meet_are_not_found_to_repel(name):
    rng = np.random.default_rng(3)
    X = (rng.random((300, 2000)) < 0.02) * rng.poisson(2, (300, 2000)).astype(float)
    estimator, ranks, regulators = ESTIMATORS[name], rank_genes(as_csc(X), 1), np.arange(500)
    mi = estimator.information(ranks, regulators, 0, 1)
    strata = estimator.strata(ranks)
    log_p = estimator.null(ranks, 300, 1).log_pvalues(mi, strata[regulators], strata, 1)
    assert (log_p <= np.log(0.05 / mi.size)).sum() <= 3  # 0.05 expected
