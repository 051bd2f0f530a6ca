"""Significance of support by the formulas of the published programs, against scipy's tails pair by pair."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pysces._infer.consensus import Tally, false_share, support_log_pvalues

BOTH = pytest.mark.parametrize("consensus", ["binomial", "poisson"])
ROUNDING = 1e-9
"""Relative; scipy's tails are summed in another way."""
LAST_BITS = 1e-12
"""Of ln p near 0, the log of a sum of up to a thousand terms."""


def random_support(seed: int, n_subnetworks: int, density: float) -> np.ndarray:
    """Support of which some rows and columns are empty."""
    rng = np.random.default_rng(seed)
    support = rng.binomial(n_subnetworks, rng.random((5, 9)) * density) * (rng.random((5, 9)) < 0.6)
    support[1] = 0
    support[:, 4] = 0
    return support.astype(np.int32)


def everywhere(support: np.ndarray) -> np.ndarray:
    return np.ones(support.shape, bool)


@given(
    n_tests=st.integers(1, 10**8),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    alpha=st.floats(1e-6, 0.5),
)
@settings(deadline=None, max_examples=200, derandomize=True)
def test_the_false_share_is_that_of_independent_pairs_that_pass_and_survive(n_tests, shares, alpha):
    n_before = int(shares[0] * n_tests)
    n_after = int(shares[1] * n_before)
    surviving = n_after / n_before if n_before else 0.0
    false_before = alpha * n_before  # of a false discovery rate
    independent = n_tests - (n_before - false_before)
    expected = {"fdr": false_before * surviving / independent, "fwer": alpha / n_tests * surviving}
    expected["p"] = alpha * surviving
    for correction, share in expected.items():
        found = false_share(n_tests, n_before, n_after, alpha, correction)
        assert found == pytest.approx(share, rel=1e-9), correction


@pytest.mark.parametrize(("correction", "expected"), [("fdr", 0.05 * 60 / 905), ("fwer", 3e-5), ("p", 0.03)])
def test_the_false_share_of_an_example(correction, expected):
    assert false_share(1000, 100, 60, 0.05, correction) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("correction", ["fdr", "fwer", "p"])
def test_without_edges_none_is_false(correction):
    assert false_share(1000, 0, 0, 0.05, correction) == 0.0


@pytest.mark.parametrize("correction", [pytest.param("fdr"), pytest.param("fwer"), "p"])
def test_without_tests_none_is_false(correction):
    assert false_share(0, 0, 0, 0.05, correction) == 0.0


@pytest.mark.parametrize("n_subnetworks", [1, 2, 20, 200])
@pytest.mark.parametrize("share", [1e-4, 0.01, 0.3, 0.9])
def test_binomial_pvalues_match_the_oracle(share, n_subnetworks):
    rng = np.random.default_rng(0)
    shares = np.minimum(share * rng.uniform(0.5, 1.5, n_subnetworks), 1.0).tolist()
    support = random_support(1, n_subnetworks, 3 * share if share < 0.3 else 1.0)
    log_p = support_log_pvalues(Tally(support, shares), everywhere(support), "binomial")
    for place, k in np.ndenumerate(support):
        assert log_p[place] == pytest.approx(oracles.binomial_log_pvalue(k, shares), rel=ROUNDING, abs=ROUNDING), k


@pytest.mark.parametrize("n_subnetworks", [1, 2, 20, 200])
@pytest.mark.parametrize("density", [0.02, 0.3, 1.0])
def test_poisson_pvalues_match_the_oracle(density, n_subnetworks):
    support = random_support(2, n_subnetworks, density)
    support[0, 0] = 1  # an edge in any case
    log_p = support_log_pvalues(Tally(support, [0.01] * n_subnetworks), everywhere(support), "poisson")
    expected = oracles.poisson_log_pvalues(support)
    np.testing.assert_allclose(log_p, expected, rtol=ROUNDING, atol=ROUNDING)
    assert np.isnan(expected).any()


@given(
    support=hnp.arrays(np.int32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 12)),
    share=st.floats(1e-6, 0.99),
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_pvalues_of_any_support_match_the_oracles(support, share):
    tally = Tally(support, [share] * 12)
    binomial = [[oracles.binomial_log_pvalue(k, tally.false_shares) for k in row] for row in support]
    found = support_log_pvalues(tally, everywhere(support), "binomial")
    np.testing.assert_allclose(found, binomial, rtol=ROUNDING, atol=ROUNDING)
    found = support_log_pvalues(tally, everywhere(support), "poisson")
    np.testing.assert_allclose(found, oracles.poisson_log_pvalues(support), rtol=ROUNDING, atol=ROUNDING)


def test_binomial_pvalues_are_of_the_pairs_tested():
    support = random_support(3, 20, 0.5)
    tested = np.random.default_rng(0).random(support.shape) < 0.5
    log_p = support_log_pvalues(Tally(support, [0.1] * 20), tested, "binomial")
    np.testing.assert_array_equal(np.isnan(log_p), ~tested)
    whole = support_log_pvalues(Tally(support, [0.1] * 20), everywhere(support), "binomial")
    np.testing.assert_array_equal(log_p[tested], whole[tested])


def test_poisson_pvalues_are_of_regulators_and_targets_that_occur_whatever_was_tested():
    support = np.array([[0, 3, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]], np.int32)
    for tested in (everywhere(support), support > 1):
        log_p = support_log_pvalues(Tally(support, [0.1] * 5), tested, "poisson")
        np.testing.assert_array_equal(np.isnan(log_p), [[True, False] * 2, [True, False] * 2, [True] * 4])


@BOTH
def test_no_support_has_the_pvalue_one(consensus):
    support = random_support(4, 20, 0.5)
    log_p = support_log_pvalues(Tally(support, [0.1] * 20), everywhere(support), consensus)
    unsupported = (support == 0) & ~np.isnan(log_p)
    assert unsupported.any()
    np.testing.assert_allclose(log_p[unsupported], 0.0, atol=LAST_BITS)


@BOTH
@pytest.mark.parametrize("n_subnetworks", [2, 20, 200, 1000])
def test_more_support_has_a_smaller_pvalue(n_subnetworks, consensus):
    support = np.arange(n_subnetworks + 1, dtype=np.int32)[None]
    log_p = support_log_pvalues(Tally(support, [0.01] * n_subnetworks), everywhere(support), consensus)[0]
    log_p = log_p[~np.isnan(log_p)]
    assert len(log_p) >= n_subnetworks
    assert (np.diff(log_p) <= LAST_BITS).all()
    assert log_p[-1] < log_p[0]


@pytest.mark.parametrize("n_subnetworks", [1, 20, 200, 2000])
@pytest.mark.parametrize("share", [1e-3, 1e-9, 1e-30])
def test_full_support_of_a_tiny_share_has_its_power(share, n_subnetworks):
    support = np.array([[n_subnetworks, 0]], np.int32)
    log_p = support_log_pvalues(Tally(support, [share] * n_subnetworks), everywhere(support), "binomial")
    np.testing.assert_allclose(log_p, [[n_subnetworks * np.log(share), 0.0]], rtol=1e-9, atol=LAST_BITS)


@pytest.mark.parametrize("n_subnetworks", [20, 200])
def test_full_support_of_a_tiny_rate_has_its_poisson_mass(n_subnetworks):
    support = np.eye(300, dtype=np.int32)
    support[0, 0] = n_subnetworks
    rate = (299 + n_subnetworks) / 300**2
    log_p = support_log_pvalues(Tally(support, [0.01] * n_subnetworks), everywhere(support), "poisson")
    mass = n_subnetworks * np.log(rate) - rate - sum(np.log(np.arange(1, n_subnetworks + 1)))
    assert log_p[0, 0] == pytest.approx(mass, rel=1e-4)  # all that is beyond: a factor 1 + rate / n
    assert log_p[0, 0] >= mass


def test_full_support_of_all_pairs_is_no_evidence_to_poisson():
    support = np.full((3, 4), 200, np.int32)
    log_p = support_log_pvalues(Tally(support, [0.01] * 200), everywhere(support), "poisson")
    np.testing.assert_allclose(log_p, oracles.poisson_log_pvalues(support), rtol=ROUNDING)
    assert log_p[0, 0] == pytest.approx(np.log(0.5), abs=0.05)


@BOTH
@pytest.mark.parametrize("n_subnetworks", [1, 20])
def test_no_edges_at_all_have_no_small_pvalue(n_subnetworks, consensus):
    support = np.zeros((3, 4), np.int32)
    log_p = support_log_pvalues(Tally(support, [0.0] * n_subnetworks), everywhere(support), consensus)
    np.testing.assert_array_equal(log_p, 0.0 if consensus == "binomial" else np.nan)


def test_where_all_pairs_tested_are_held_support_is_no_evidence():
    shares = [false_share(n, n, n, 0.05, "fdr") for n in range(1, 2000)]
    support = np.array([[0, 5, 20]], np.int32)
    log_p = support_log_pvalues(Tally(support, [max(shares)] * 20), everywhere(support), "binomial")
    np.testing.assert_array_equal(log_p, 0.0)
