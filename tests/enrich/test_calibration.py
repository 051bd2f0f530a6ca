"""The null of the NES: against integration by scipy, and for modes of 1 and -1."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from pysces._enrich.area import normalisation
from pysces._enrich.calibration import log_pvalues, lost_to_ties, null_spreads
from pysces._regulons import Regulons


def signed_regulons(n: int = 12) -> Regulons:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 120, n)
    targets = np.concatenate([np.sort(rng.choice(1500, size, replace=False)) for size in sizes]).astype(np.int32)
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    return Regulons(indptr, targets, rng.choice([-1.0, 1.0], len(targets)), np.ones(len(targets)))


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
    own = signed_regulons()
    spreads = null_spreads(own, normalisation(own), 1500)
    np.testing.assert_allclose(spreads[:, 0], 1, atol=0.05)
    np.testing.assert_array_equal(spreads[:, 1:], 0)


def test_ties_take_the_variance_that_random_order_would_give():
    values = np.repeat([0.0, 1.0, 2.5], [60, 30, 10])
    rng = np.random.default_rng(0)
    every = norm.ppf(np.arange(1, 101) / 101)
    assert lost_to_ties(rng.normal(size=100)) == pytest.approx(0, abs=1e-12)
    assert lost_to_ties(np.zeros(100)) == pytest.approx(1)
    of_ranks = norm.ppf(np.repeat([30.5, 75.5, 95.5], [60, 30, 10]) / 101)
    assert lost_to_ties(np.append(values, [np.nan] * 5)) == pytest.approx(1 - of_ranks.var() / every.var())
    assert lost_to_ties(np.array([np.nan, 1.0])) == 0
