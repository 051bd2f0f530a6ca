"""Tests of activities on arrays: against their definitions, and what must hold of any activities."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
import ranking_oracles as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from sklearn.metrics import cohen_kappa_score

from pysces._enrich import ranking as module
from pysces._enrich import tails
from pysces._enrich.ranking import rank_groups

METHODS = pytest.mark.parametrize("method", ["wilcoxon", "t-test", "stouffer", "kappa"])
REST = pytest.mark.parametrize("rest", [True, False], ids=["rest", "one reference"])


def activities(*, ties=False, missing=False, n_cells=17, n_regulators=5, seed=0):
    """Cells x regulators and the codes of the cells: two groups, cells to compare with, and cells that do not count."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_cells, n_regulators)).astype(np.float32)
    if ties:
        x = np.round(x)
    if missing:
        x[rng.random(x.shape) < 0.25] = np.nan
    codes = np.array([0, 1, 2, 1, 0, 2, -1, 0, 1, 2, 0, 0, 1, -1, 2, 2, 0])[:n_cells]
    return x, codes


def rank(x, codes, method, n_groups=2, *, rest=True, n_threads=1):
    return rank_groups(lambda block: x[:, block], x.shape[1], codes, n_groups, method, rest=rest, n_threads=n_threads)


def sides(x, codes, group, n_groups, *, rest):
    """Values of a group and of its reference."""
    known = ~np.isnan(x)
    others = (codes >= 0) & (codes != group) if rest else codes == n_groups
    return x[known & (codes == group)].astype(float).tolist(), x[known & others].astype(float).tolist()


def assert_as_defined(found, x, codes, method, n_groups, *, rest):
    for group in range(n_groups):
        for regulator in range(x.shape[1]):
            own, others = sides(x[:, regulator], codes, group, n_groups, rest=rest)
            tested = found.score[group, regulator], found.effect[group, regulator], found.log_p[group, regulator]
            np.testing.assert_allclose(tested, oracle.one(method, own, others), rtol=1e-7, atol=1e-7)
            means = [np.mean(side) if side else np.nan for side in (own, others)]
            np.testing.assert_allclose(
                [found.mean[group, regulator], found.mean_reference[group, regulator]], means, atol=1e-12
            )


# --- the definitions --------------------------------------------------------------------------------------------------


@METHODS
@REST
@pytest.mark.parametrize("missing", [False, True], ids=["complete", "missing"])
@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
def test_tests_are_their_definitions(method, ties, missing, rest):
    x, codes = activities(ties=ties, missing=missing)
    assert_as_defined(rank(x, codes, method, rest=rest), x, codes, method, 2, rest=rest)


@pytest.mark.parametrize("n_reference", [2, 3, 4, 9])
@pytest.mark.parametrize("rest", [True, False])
def test_p_of_few_cells_is_that_of_scipy_which_counts_all_ranks(n_reference, rest):
    x = np.random.default_rng(n_reference).normal(size=(3 + n_reference, 6)).astype(np.float32)
    found = rank(x, np.repeat([0, 1], [3, n_reference]), "wilcoxon", n_groups=1, rest=rest)
    expected = [stats.mannwhitneyu(*np.split(of, [3]), method="exact").pvalue for of in x.astype(float).T]
    np.testing.assert_allclose(np.exp(found.log_p[0]), expected, rtol=1e-12)


@pytest.mark.parametrize("method", ["wilcoxon", "stouffer"])
def test_three_against_three_cells_have_no_p_below_a_tenth(method):
    x = np.r_[7.0, 8, 9, 1, 2, 3].astype(np.float32)[:, None]
    found = rank(x, np.repeat([0, 1], 3), method, n_groups=2)
    np.testing.assert_allclose(np.exp(found.log_p), 0.1, rtol=1e-12)


@pytest.mark.parametrize("missing", [False, True], ids=["complete", "missing"])
@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
def test_kruskal_compares_all_groups_and_names_that_of_the_highest_mean_rank(ties, missing):
    x, codes = activities(ties=ties, missing=missing)
    found = rank(x, codes, "kruskal", n_groups=3)
    for regulator in range(x.shape[1]):
        groups = [sides(x[:, regulator], codes, group, 3, rest=True)[0] for group in range(3)]
        h, share, log_p, best = oracle.kruskal(groups)
        assert np.flatnonzero(~np.isnan(found.score[:, regulator])).tolist() == [best]
        tested = found.score[best, regulator], found.effect[best, regulator], found.log_p[best, regulator]
        np.testing.assert_allclose(tested, (h, share, log_p), rtol=1e-9)


def test_kappa_is_that_of_two_raters():
    x, codes = activities()
    found = rank(x, codes, "kappa")
    counting = codes >= 0
    for group in range(2):
        member = codes[counting] == group
        for regulator in range(x.shape[1]):
            order = np.argsort(x[counting, regulator])
            top = np.isin(np.arange(counting.sum()), order[-member.sum() :])
            assert found.effect[group, regulator] == pytest.approx(cohen_kappa_score(member, top), abs=1e-12)


def test_the_permutations_of_stouffer_have_the_mean_and_variance_of_the_formula():
    rng = np.random.default_rng(3)
    x = rng.normal(size=8)
    n, n_all = 3, 8
    sums = [x[list(chosen)].sum() for chosen in oracle.combinations(range(n_all), n)]
    assert len(sums) == comb(8, 3)
    assert np.mean(sums) == pytest.approx(n * x.mean())
    assert np.var(sums) == pytest.approx(n * (n_all - n) / (n_all - 1) * x.var())


@pytest.mark.parametrize("method", [*oracle.TESTS, "kruskal"])
def test_threads_and_blocks_change_no_byte(method, monkeypatch):
    x, codes = activities(missing=True, n_regulators=9)
    whole = rank(x, codes, method, n_groups=3)
    monkeypatch.setattr(module, "block_size", lambda steps: 2)
    for n_threads in (1, 2):
        for one, other in zip(whole, rank(x, codes, method, n_groups=3, n_threads=n_threads), strict=True):
            assert one.tobytes() == other.tobytes()


# --- what cannot be tested --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [*oracle.TESTS, "kruskal"])
@pytest.mark.filterwarnings("error")
def test_fewer_than_two_cells_with_a_value_on_a_side_are_not_tested(method):
    x, codes = activities()
    x[codes == 1, 1] = np.nan
    x[np.flatnonzero(codes == 1)[0], 1] = 4.0
    x[codes == 1, 2] = np.nan
    x[codes != 0, 3] = np.nan
    x[:, 4] = np.nan
    codes = np.where(codes == 2, -1, codes) if method == "kruskal" else codes
    found = rank(x, codes, method)
    tested = ~np.isnan(found.score)
    assert tested[:, 0].any()
    assert found.enough[:, 0].all()
    assert not tested[1, 1:].any()
    assert not tested[:, 3:].any()
    assert not found.enough[1, 1:].any()
    assert np.isnan(found.effect[1, 1:]).all()
    assert np.isnan(found.log_p[1, 1:]).all()
    assert np.isnan(found.mean[:, 4]).all()


@pytest.mark.parametrize("method", [*oracle.TESTS, "kruskal"])
def test_activities_that_do_not_vary_are_not_tested(method):
    x, codes = activities()
    x[:] = np.float32(0.1)
    x[codes == -1] = 5.0  # do not count
    found = rank(x, codes, method, n_groups=3)
    assert np.isnan(found.score).all()
    assert np.isnan(found.effect).all()
    assert np.isnan(found.log_p).all()
    np.testing.assert_array_equal(found.mean, np.float32(0.1))


def test_welch_needs_variance_within_groups():
    x = np.array([[1, 0.1], [1, 0.2], [2, 0.3], [2, 0.5]], np.float32)
    found = rank(x, np.array([0, 0, 1, 1]), "t-test")
    assert np.isnan(found.score[:, 0]).all()
    assert np.isnan(found.effect[:, 0]).all()
    assert np.isfinite(found.score[:, 1]).all()


def test_kruskal_leaves_out_the_cells_of_groups_with_one_value():
    x, codes = activities()
    x[np.flatnonzero(codes == 2)[1:]] = np.nan
    found = rank(x, codes, "kruskal", n_groups=3)
    without = rank(x, np.where(codes == 2, -1, codes), "kruskal", n_groups=2)
    np.testing.assert_array_equal(found.score[:2], without.score)
    np.testing.assert_array_equal(found.log_p[:2], without.log_p)


# --- what holds of any activities -------------------------------------------------------------------------------------

VALUES = st.lists(st.integers(-3, 3), min_size=4, max_size=12)


def two_groups(values, seed):
    return np.array(values, np.float32)[:, None], np.random.default_rng(seed).permutation(np.arange(len(values)) % 2)


@METHODS
@given(values=VALUES, seed=st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_what_is_high_in_a_group_is_low_in_the_other_as_reversed_activities_are(method, values, seed):
    x, codes = two_groups(values, seed)
    found, back = rank(x, codes, method), rank(-x, codes, method)
    np.testing.assert_allclose(found.score[0], back.score[1], atol=1e-7)
    np.testing.assert_allclose(found.log_p[0], back.log_p[1], atol=1e-7)
    if method != "kappa":  # which looks at the high end only
        np.testing.assert_allclose(found.score[0], -found.score[1], atol=1e-7)


@METHODS
@given(values=VALUES, seed=st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_statistics_are_finite_wherever_activities_vary(method, values, seed):
    x, codes = two_groups(values, seed)
    found = rank(x, codes, method)
    vary = len({*x[codes == 0, 0]}) + len({*x[codes == 1, 0]}) > 2 if method == "t-test" else len({*values}) > 1
    for statistic in (found.score, found.effect, found.log_p):
        assert (np.isfinite(statistic) == vary).all()
    assert not (found.log_p > 0).any()
    assert not (found.score * (found.mean - found.mean_reference) < 0).any() or method in ("wilcoxon", "kappa")


@pytest.mark.parametrize("method", ["wilcoxon", "kappa"])
def test_tests_of_ranks_see_the_order_only(method):
    x, codes = activities(ties=True, missing=True)
    one, other = rank(x, codes, method), rank(np.exp(x), codes, method)
    for name in ("score", "effect", "log_p"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# --- tails ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("freedom", [1.0, 2.7, 31.4, 1e3, 1e5])
def test_p_of_t_is_that_of_scipy(freedom):
    t = np.array([-40.0, -3.0, 0.0, 1e-9, 0.5, 7.0, 25.0])
    with np.errstate(divide="ignore"):
        expected = np.log(2 * stats.t.sf(np.abs(t), freedom))
    if freedom == 1:  # scipy's loses its digits near 0
        expected = np.log1p(-2 / np.pi * np.arctan(np.abs(t)))
    held = expected > -690
    np.testing.assert_allclose(tails.log_p_of_t(t, np.full(7, freedom))[held], expected[held], rtol=1e-10, atol=1e-15)


def log_p_by_integration(t, freedom):
    """Of the density, relative to what it is at t."""

    def log_density(u):
        return (
            special.gammaln((freedom + 1) / 2)
            - special.gammaln(freedom / 2)
            - np.log(freedom * np.pi) / 2
            - (freedom + 1) / 2 * np.log1p(u**2 / freedom)
        )

    scale = (freedom + t**2) / (freedom * t)  # over which the density falls e-fold, at the start
    integral, _ = integrate.quad(lambda v: np.exp(log_density(t + v * scale) - log_density(t)), 0, 60, epsabs=1e-13)
    return np.log(2) + log_density(t) + np.log(scale * integral)


@pytest.mark.parametrize(("t", "freedom"), [(34.0, 1e5), (36.0, 1e5), (500.0, 1e5), (50.0, 3000.5), (1e4, 333.3)])
def test_p_of_t_far_out_is_the_integral_of_the_density(t, freedom):
    found = tails.log_p_of_t(np.array([t]), np.array([freedom])).item()
    assert found == pytest.approx(log_p_by_integration(t, freedom), abs=2e-8)
    assert found < tails.FAR or t == 34.0


def test_p_of_t_is_finite_however_large_t_is():
    assert np.isfinite(tails.log_p_of_t(np.array([1e30, 1e100]), np.array([1e5, 3.0]))).all()


@pytest.mark.parametrize("freedom", [1, 2, 9, 40, 700])
def test_p_of_chi2_is_that_of_scipy_and_exact_beyond(freedom):
    for x in (0.0, 1.3, 20.0, 500.0, 1100.0):
        assert tails.log_p_of_chi2(x, freedom) == pytest.approx(stats.chi2.logsf(x, freedom), rel=1e-10, abs=1e-14)
    for x in (4000.0, 1e5):
        half = x / 2
        if freedom % 2 == 0:  # a Poisson sum
            k = np.arange(freedom // 2)
            exact = tails._log_sum(k * np.log(half) - half - tails.gammaln(k + 1))
            assert tails.log_p_of_chi2(x, freedom) == pytest.approx(exact, rel=1e-12)
        if freedom == 1:
            assert tails.log_p_of_chi2(x, 1) == pytest.approx(np.log(2) + stats.norm.logsf(np.sqrt(x)), rel=1e-12)


@pytest.mark.parametrize(("n", "n_all"), [(2, 4), (3, 20), (7, 9), (11, 30), (5, 200)])
def test_p_of_an_overlap_is_exact(n, n_all):
    for k in range(max(2 * n - n_all, 0), n + 1):
        exact = float(oracle.overlap_p(k, n, n_all))
        assert np.exp(tails.log_p_of_overlap(k, n, n_all)) == pytest.approx(exact, rel=1e-9), k


@pytest.mark.parametrize(("n", "n_all"), [(1000, 200_000), (50_000, 120_000), (99_000, 100_000), (30, 100_000)])
def test_p_of_an_overlap_of_many_cells_is_that_of_scipy(n, n_all):
    spread = stats.hypergeom(n_all, n, n)
    for z in (-6, -1, 0, 1, 3, 9, 30):
        k = int(np.clip(spread.mean() + z * spread.std(), max(2 * n - n_all, 0), n))
        expected = min(np.log(2) + min(spread.logcdf(k), spread.logsf(k - 1)), 0.0)
        assert tails.log_p_of_overlap(k, n, n_all) == pytest.approx(expected, abs=1e-6, rel=1e-6), k
    assert tails.log_p_of_overlap(n, n, n_all) > -np.inf
