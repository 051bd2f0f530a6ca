"""The null of the NES: against integration by scipy, simulation, and signatures with their genes shuffled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
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


def tail(t: float, shift: float, spread: float) -> float:
    """P(abs(a) + max(b, 0) >= t) by scipy, a and b independent."""
    inside = quad(lambda b: norm.pdf(b, 0, spread) * 2 * norm.sf(t - b, 0, shift), 0, t, epsabs=0, limit=200)[0]
    return norm.sf(t, 0, shift) + norm.sf(t, 0, spread) + inside


@pytest.mark.parametrize(("shift", "spread"), [(1.0, 0.3), (0.3, 1.0), (0.6, 0.6), (0.05, 0.9)])
def test_tail_is_the_integral_over_the_spread(shift, spread):
    nes = np.array([[0.0], [0.4], [-1.0], [2.5], [-5.0], [8.0]])
    found = np.exp(log_pvalues(nes, np.array([[shift, spread, 0.0]])))[:, 0]
    np.testing.assert_allclose(found, [tail(abs(t), shift, spread) for t in nes[:, 0]], rtol=2e-3)


def test_tail_of_signed_modes_is_that_of_a_normal():
    nes = np.linspace(-30, 30, 61)[:, np.newaxis]
    found = log_pvalues(nes, np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(found, np.log(2) + norm.logsf(np.abs(nes)), rtol=1e-3, atol=1e-9)


def test_pvalues_fall_and_missing_scores_have_none():
    nes = np.append(np.linspace(0, 25, 200), np.nan)[:, np.newaxis]
    found = log_pvalues(nes, np.array([[0.5, 0.7, 0.3]]))[:, 0]
    assert (np.diff(found[:-1]) < 0).all()
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert np.isnan(found[-1])
    assert np.isnan(log_pvalues(np.full((3, 1), np.nan), np.array([[np.nan] * 3]))).all()


def test_spreads_of_signed_modes_are_one_and_nothing():
    own = regulons("signed")
    spreads = null_spreads(own, normalisation(own), N_GENES)
    np.testing.assert_allclose(spreads[:, 0], 1, atol=0.05)
    np.testing.assert_array_equal(spreads[:, 1:], 0)


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
