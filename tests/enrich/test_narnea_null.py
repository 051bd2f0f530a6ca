"""The null of the NES of NaRnEA: against integration by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from pysces._enrich.narnea_null import log_pvalues


def tail(t: float, shift: float, spread: float, coupling: float) -> float:
    """P(abs(a) + b >= t) by scipy, a wider where b is larger."""

    def density(b: float) -> float:
        return norm.pdf(b, 0, spread) * 2 * norm.sf(t - b, 0, shift * np.sqrt(max(1 + coupling * b / spread, 0.01)))

    return norm.sf(t, 0, spread) + quad(density, t - 12, t, epsabs=1e-14, limit=400, points=[0] if t > 0 else None)[0]


def nes_of(larger: float) -> float:
    """The NES if the larger of two independent normal scores is ``larger``."""
    return float(norm.isf((1 - (1 - norm.sf(larger)) ** 2) / 2))


@pytest.mark.parametrize("of", [(1.0, 1.0, 0.0), (0.8, 0.9, 0.2), (0.6, 1.0, 0.4)])
def test_p_is_that_of_the_larger_of_the_directed_and_the_undirected_score(of):
    larger = np.array([-1.0, 0.0, 0.5, 1.5, 3.0, 5.0])
    found = np.exp(log_pvalues(np.array([[nes_of(x)] for x in larger]), np.array([of])))[:, 0]
    np.testing.assert_allclose(found, [tail(np.sqrt(2) * x, *of) for x in larger], rtol=5e-3)


def test_independent_parts_of_full_spread_give_the_p_of_a_normal():
    nes = np.linspace(-35, 35, 71)[:, np.newaxis]
    found = log_pvalues(nes, np.array([[1.0, 1.0, 0.0]]))
    np.testing.assert_allclose(found, np.log(2) + norm.logsf(np.abs(nes)), rtol=2e-3, atol=1e-3)


def test_p_falls_with_the_score_and_missing_scores_have_none():
    nes = np.append(np.linspace(0, 60, 200), np.nan)[:, np.newaxis]
    found = log_pvalues(nes, np.array([[0.9, 0.9, 0.3]]))[:, 0]
    assert (np.diff(found[:-1]) < 0).all()
    assert np.isnan(found[-1])
    assert np.isnan(log_pvalues(np.full((3, 1), np.nan), np.array([[0.0] * 3]))).all()
