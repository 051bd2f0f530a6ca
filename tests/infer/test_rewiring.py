"""Rewiring of regulators between two groups of cells: against definitions, exact permutations and invariances."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import rewiring_oracles as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, kstest

from pysces._csr import CSR, as_csr
from pysces._infer import rewiring as module
from pysces._infer.depth import Depth, Strata
from pysces._infer.rewiring import Pairs, Residuals, differences, equally_expressed, log_pvalues, rewiring
from pysces._random import child

ROUNDING = 1e-5
"""Normal scores are rounded to whole steps."""
SEED = np.random.SeedSequence(3)


def genes_of(cells: np.ndarray) -> CSR:
    return as_csr(np.ascontiguousarray(cells.T))


def strata_of(labels: np.ndarray) -> Strata:
    one = Depth.none(len(labels)).technical
    return one._replace(labels=np.asarray(labels, np.int32), n=int(labels.max()) + 1)


def cells(n: int, n_genes: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Counts that follow one another, genes with few and with no zeros, and strata of unequal sizes."""
    rng = np.random.default_rng([n, seed])
    common = rng.normal(size=(n, 1))
    rate = np.exp(rng.normal(size=(n, n_genes)) + common * rng.choice([-1, 1], n_genes) + np.linspace(0.5, 3, n_genes))
    return rng.poisson(rate).astype(float), np.sort(rng.integers(0, 3, n))


def residuals(x: np.ndarray, labels: np.ndarray) -> Residuals:
    return Residuals.of(genes_of(x), strata_of(labels), 1)


def groups(n_a: int, n_b: int, *, constant: bool = False):
    """Residuals of two groups, by the package and by the oracle; perhaps with genes that are constant in one."""
    (a, of_a), (b, of_b) = cells(n_a), cells(n_b, seed=1)
    if constant:
        a[:, 3] = 0
        b[:, 5] = 2
        b[:, 6] = of_b  # within strata
    expected = oracle.both(oracle.residuals(a, of_a), oracle.residuals(b, of_b))
    return residuals(a, of_a), residuals(b, of_b), expected


SIZES = pytest.mark.parametrize(("n_a", "n_b"), [(40, 40), (60, 35), (35, 60)])


# --- residuals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("constant", [False, True])
def test_residuals_are_normal_scores_within_strata_of_variance_1(constant):
    a, b, expected = groups(60, 35, constant=constant)
    both = a.beside(b)
    np.testing.assert_allclose(both.dense(np.arange(8)), expected, atol=ROUNDING)
    assert both.varies.tolist() == (expected != 0).any(axis=0).tolist()
    assert both.varies.sum() == 8 - 3 * constant


def test_genes_detected_in_fewer_than_20_cells_do_not_count():
    x = np.zeros((50, 2))
    x[:20, 0] = x[:19, 1] = 1
    found = residuals(x, np.zeros(50, int))
    assert found.varies.tolist() == [True, False]
    assert not found.dense(np.array([1])).any()


def test_values_are_only_ranked():
    x, labels = cells(50)
    np.testing.assert_array_equal(residuals(x, labels).dense(np.arange(8)), residuals(x**3, labels).dense(np.arange(8)))


# --- differences ------------------------------------------------------------------------------------------------------


@SIZES
@pytest.mark.parametrize("constant", [False, True])
def test_differences_are_welch_t_of_the_products(n_a, n_b, constant):
    a, b, e = groups(n_a, n_b, constant=constant)
    sources, targets = (of.ravel() for of in np.indices((8, 8)))
    in_a = np.arange(n_a + n_b) < n_a
    expected = [oracle.t(e, in_a, r, g, (3, 3)) for r, g in zip(sources, targets, strict=True)]
    np.testing.assert_allclose(differences(a, b, sources, targets, 1), expected, atol=1e-3, rtol=1e-4)
    assert (differences(a, b, np.array([3, 3]), np.array([3, 5]), 1)[:1] == 0).all()


def test_exchanging_groups_changes_the_sign():
    a, b, _ = groups(60, 35)
    sources, targets = (of.ravel() for of in np.indices((8, 8)))
    t = differences(a, b, sources, targets, 1)
    np.testing.assert_allclose(differences(b, a, sources, targets, 1), -t, atol=1e-9)
    assert np.abs(t).max() > 1


def test_edges_may_come_in_any_order_and_from_several_blocks(monkeypatch):
    a, b, _ = groups(40, 40)
    sources, targets = np.random.default_rng(0).integers(0, 8, (2, 50))
    whole = differences(a, b, sources, targets, 1)
    monkeypatch.setattr(module, "REGULATORS_PER_BLOCK", 3)
    for n_threads in (1, 2):
        np.testing.assert_allclose(differences(a, b, sources, targets, n_threads), whole, atol=1e-12)
    order = np.random.default_rng(1).permutation(50)
    np.testing.assert_allclose(differences(a, b, sources[order], targets[order], 1), whole[order], atol=1e-12)


def test_over_all_splits_of_the_cells_the_sum_of_products_has_mean_and_variance_of_the_pooled_products(monkeypatch):
    """With n_a of N cells drawn, mean n_a mean(u), variance n_a n_b / (N (N - 1)) sum (u - mean(u))^2."""
    monkeypatch.setattr(module, "LEAST_DETECTED", 2)
    (a, of_a), (b, of_b) = cells(5, 3), cells(6, 3, seed=1)
    pairs = Pairs.of(residuals(a, of_a * 0).beside(residuals(b, of_b * 0)), np.array([0]))
    u = pairs.e[:, 0] * pairs.residuals.dense(np.array([2]))[:, 0]
    found = []
    for inside in combinations(range(11), 5):
        split = np.isin(np.arange(11), inside)
        mean, other = u[split].mean(), u[~split].mean()
        t = (mean - other) / np.sqrt(u[split].var(ddof=1) / 5 + u[~split].var(ddof=1) / 6)
        assert pairs.t(split)[2, 0] == pytest.approx(t, abs=1e-9)
        found.append(u[split].sum())
    assert np.mean(found) == pytest.approx(5 * pairs.products[2, 0] / 11)
    square = pairs.squares[2, 0] - pairs.products[2, 0] ** 2 / 11
    assert np.var(found) == pytest.approx(5 * 6 / (11 * 10) * square)


# --- statistic and p-values -------------------------------------------------------------------------------------------


@SIZES
def test_rewiring_is_the_sum_of_squares_beyond_noise(n_a, n_b):
    a, b, e = groups(n_a, n_b)
    regulators = np.array([6, 1, 4])
    found = rewiring(a, b, regulators, 12, SEED, 1)
    observed = [oracle.statistic(e, np.arange(n_a + n_b) < n_a, r, (3, 3)) for r in regulators]
    np.testing.assert_allclose(found.statistic, observed, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("n_a", "n_b"), [(4, 5), (5, 4)])
def test_p_values_are_those_of_all_splits_of_few_cells(monkeypatch, n_a, n_b):
    monkeypatch.setattr(module, "LEAST_DETECTED", 2)
    monkeypatch.setattr(oracle, "DETECTED", 2)
    (a, of_a), (b, of_b) = cells(n_a, 4, 14), cells(n_b, 4, 15)
    n_draws = 2000
    found = rewiring(residuals(a, of_a * 0), residuals(b, of_b * 0), np.arange(2), n_draws, SEED, 1)
    e = oracle.both(oracle.residuals(a, of_a * 0), oracle.residuals(b, of_b * 0))
    splits = oracle.all_splits(n_a + n_b, n_a)
    expected = oracle.pvalues(np.array([[oracle.statistic(e, split, r) for r in range(2)] for split in splits]))[0]
    assert (expected < 0.2).all()
    error = np.sqrt(expected * (1 - expected) / n_draws)
    assert (np.abs(np.exp(found.log_p) - expected) <= 4 * error).all()


def heavy_tailed(n_rows: int, n_regulators: int, seed: int) -> np.ndarray:
    """Statistics of other sizes and shapes for every regulator, which follow one another within a row."""
    rng = np.random.default_rng(seed)
    shape = np.linspace(0.5, 4, n_regulators)
    return rng.gamma(shape, 1 + 9 * rng.random(n_regulators), (n_rows, n_regulators)) * rng.gamma(8, 1, (n_rows, 1))


@pytest.mark.parametrize("n_permutations", [10, 100, 1000])
def test_any_of_exchangeable_rows_may_be_the_observed_one(n_permutations):
    """Each row in turn: the shares of small p-values are then known exactly, to the last value of the table."""
    table = heavy_tailed(n_permutations + 1, 12, seed=n_permutations)
    p = np.exp([log_pvalues(np.roll(table, -i, axis=0)) for i in range(len(table))])
    np.testing.assert_allclose(p, oracle.pvalues(table), rtol=1e-12)
    for level in (0.05, 1e-2, 1e-3, 1e-4):
        assert (p <= level).sum() == int(level * table.size + 1e-9)


@pytest.mark.parametrize(("n_permutations", "level"), [(10, 0.05), (100, 1e-2), (100, 1e-3), (1000, 1e-3)])
def test_small_p_values_of_exchangeable_cells_are_as_frequent_as_they_say(n_permutations, level):
    n_tables = 20_000 // n_permutations
    shares = [
        (log_pvalues(heavy_tailed(n_permutations + 1, 40, 10_000 + i)) <= np.log(level)).mean() for i in range(n_tables)
    ]
    error = np.std(shares) / np.sqrt(n_tables)
    assert abs(np.mean(shares) - level) < 4 * error + 1 / (40 * (n_permutations + 1))


def test_threads_and_blocks_of_permutations_change_no_byte(monkeypatch):
    a, b, _ = groups(60, 35)
    one, two = (rewiring(a, b, np.arange(8), 15, SEED, n_threads) for n_threads in (1, 2))
    assert [x.tobytes() for x in one] == [x.tobytes() for x in two]
    monkeypatch.setattr(module, "REGULATORS_PER_BLOCK", 3)
    np.testing.assert_allclose(rewiring(a, b, np.arange(8), 15, SEED, 2).statistic, one.statistic, rtol=1e-9)


def test_pairs_that_never_differ_are_not_significant():
    x, labels = cells(40)
    same = residuals(x, labels)
    found = rewiring(same, same, np.arange(8), 20, SEED, 1)
    np.testing.assert_allclose(found.statistic, 0, atol=1e-9)
    assert (found.log_p > np.log(0.3)).all()


def test_a_sign_that_flips_is_found_in_one_regulator_only():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 200, 12))
    a[:, 2:6] += a[:, :1]
    b[:, 2:6] -= b[:, :1]
    one = np.zeros(200, int)
    found = rewiring(residuals(a, one), residuals(b, one), np.array([0, 1]), 100, SEED, 1)
    assert found.log_p[0] == pytest.approx(np.log(1 / 202))
    assert found.log_p[1] > np.log(0.05)


@pytest.mark.parametrize("n_strata", [1, 8])
def test_p_values_of_equal_groups_are_uniform(n_strata):
    rng = np.random.default_rng(6)
    labels, p = np.arange(80) % n_strata, []
    for i in range(60):
        a, b = np.maximum(rng.normal(size=(2, 80, 60)) + 0.5 * rng.normal(size=(2, 80, 1)), 0)
        both = residuals(a, labels), residuals(b, labels)
        p.append(np.exp(rewiring(*both, np.array([0]), 40, child(SEED, i), 1).log_p[0]))
    assert kstest(p, "uniform").pvalue > 0.05


# --- thinning ---------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_thinned_counts_are_no_more_than_before_and_the_lower_group_stays(seed):
    rng = np.random.default_rng(seed)
    a, b = (genes_of(rng.poisson(rng.exponential(2, 6), (n, 6)).astype(float)) for n in (20, 30))
    thin_a, thin_b = equally_expressed(a, b, np.random.SeedSequence(seed))
    means = [dense(x).mean(axis=1) for x in (a, b)]
    for before, after, own, other in ((a, thin_a, *means), (b, thin_b, *means[::-1])):
        assert (dense(after) <= dense(before)).all()
        assert (after.data > 0).all()
        np.testing.assert_array_equal(dense(after)[own <= other], dense(before)[own <= other])


def test_each_count_is_kept_with_the_ratio_of_the_means():
    a, b = np.full((4000, 1), 12.0), np.full((3000, 1), 3.0)
    thin, same = equally_expressed(genes_of(a), genes_of(b), SEED)
    assert dense(same).tolist() == b.T.tolist()
    found = np.bincount(dense(thin)[0].astype(int), minlength=13) / 4000
    np.testing.assert_allclose(found, binom.pmf(np.arange(13), 12, 0.25), atol=0.03)


def test_thinning_makes_the_same_dependence_look_the_same():
    rng = np.random.default_rng(8)
    n = 4000
    driver = rng.normal(size=(2, n, 1))
    rate = np.exp(driver @ np.ones((1, 2)) + 0.3 * rng.normal(size=(2, n, 2)))
    a, b = rng.poisson(8 * rate[0]).astype(float), rng.poisson(0.5 * rate[1]).astype(float)
    one = np.zeros(n, int)
    edge = np.array([0]), np.array([1])
    before = differences(residuals(a, one), residuals(b, one), *edge, 1)[0]
    thin = [Residuals.of(x, strata_of(one), 1) for x in equally_expressed(genes_of(a), genes_of(b), SEED)]
    assert before > 8
    assert abs(differences(*thin, *edge, 1)[0]) < 2.5


def dense(x: CSR) -> np.ndarray:
    out = np.zeros((x.n_rows, x.n_columns))
    for row in range(x.n_rows):
        entries = slice(x.indptr[row], x.indptr[row + 1])
        out[row, x.indices[entries]] = x.data[entries]
    return out
