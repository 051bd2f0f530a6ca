"""NES and p-values where targets are random genes: too many kernels' steps to be interpreted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm

from pysces._csr import as_csr
from pysces._enrich.area import normalisation, normalised_scores
from pysces._enrich.calibration import log_pvalues, null_spreads
from pysces._regulons import Regulons

N_GENES = 1500


def regulons(mode, n: int = 12, seed: int = 0) -> Regulons:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(20, 120, n)
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    targets = np.concatenate([np.sort(rng.choice(N_GENES, size, replace=False)) for size in sizes])
    weight = rng.choice([-1.0, 1.0], len(targets)) if mode == "signed" else rng.uniform(-1, 1, len(targets))
    likelihood = np.ones(len(targets)) if mode == "signed" else rng.uniform(0.1, 1, len(targets))
    return Regulons(indptr, targets.astype(np.int32), weight, likelihood)


def shuffled_scores(own: Regulons, n: int = 2000) -> np.ndarray:
    rng = np.random.default_rng(1)
    signature = np.array([rng.permutation(N_GENES) for _ in range(n)]) + 1.0
    return normalised_scores(as_csr(signature), np.zeros(N_GENES), own, 2)


def test_scores_of_signed_modes_are_standard_normal_where_targets_are_random():
    scores = shuffled_scores(regulons("signed")).ravel()[:20_000]
    assert kstest(scores, norm.cdf).pvalue > 0.01


def test_calibrated_pvalues_are_uniform_where_conventional_ones_are_not():
    own = regulons("any")
    scores = shuffled_scores(own)
    p = np.exp(log_pvalues(scores, null_spreads(own, normalisation(own), N_GENES)))
    assert kstest(p.ravel()[:20_000], "uniform").pvalue > 0.01
    conventional = 2 * norm.sf(np.abs(scores))
    for level in (0.05, 0.01):
        assert (p < level).mean() / level == pytest.approx(1, abs=0.25)
        assert (conventional < level).mean() < 0.5 * level
