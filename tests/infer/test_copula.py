"""Mutual information of a Gaussian copula and its p-values: against their definitions, and by invariances."""

from __future__ import annotations

import itertools

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import kstat, norm, rankdata

import pysces as ps
from pysces._csr import as_csc
from pysces._infer import copula
from pysces._infer.copula import (
    DENSE_PAIRS,
    ROWS_PER_TASK,
    code_scores,
    log_pvalues,
    moments,
    normal_scores,
    signed_information,
)
from pysces._infer.estimator import GaussianCopula
from pysces._infer.null import Null
from pysces._infer.ranks import rank_genes, take_cells

ROUNDING = 1e-6
"""Of rho: scores are rounded to 2^-19 in a thousand cells, and errors of tied cells do not average."""
LAST_BITS = 1e-12
"""Of information, where exact sums are multiplied."""
GENES_PER_TASK = 24
"""Small, so that few genes fill several tasks."""
LARGEST = 26 * np.log(2)
"""1 - rho^2 is at least 2^-52."""


def information(X, regulators=None, n_threads=1):
    ranks = rank_genes(as_csc(X), n_threads)
    regulators = np.arange(X.shape[1]) if regulators is None else np.asarray(regulators)
    return signed_information(ranks, regulators, n_threads)


def correlation_of(mi):
    """rho with -ln(1 - rho^2) / 2 = |mi| and the sign of mi."""
    return np.sign(mi) * np.sqrt(-np.expm1(-2 * np.abs(mi)))


def simulate(kind: str, n: int, seed: int = 0) -> np.ndarray:
    """Six genes that depend on each other in both directions, some strongly."""
    rng = np.random.default_rng([seed, n])
    common = rng.normal(size=n)
    X = np.column_stack([common + width * rng.normal(size=n) for width in (0.05, 0.3, 1.0, 3.0, 1.0, 1.0)])
    X[:, 1::2] *= -1
    rates = np.exp(X - [2.0, 1.0, 0.0, 0.0, -1.0, 3.0])
    match kind:
        case "distinct":
            return X
        case "counts":
            return rng.poisson(rates).astype(float)
        case "negative":
            return np.round(X)
        case "two-valued":
            return (X > [0.0, 0.5, -0.5, 1.0, 0.0, 1.5]).astype(float)
        case "without zeros":
            return np.column_stack([np.round(X[:, :3]) + 0.5, rng.poisson(rates[:, 3:]) + 1.0])
        case "mixed":  # genes with and without ties, one with a single zero, one constant
            lone = np.where(np.arange(n) == n // 2, 0.0, 2.0 + X[:, 2] ** 2)
            return np.column_stack([X[:, :2], rng.poisson(rates[:, 2:4]), lone, np.full(n, 3.0)])
    raise ValueError(kind)


KINDS = ["distinct", "counts", "negative", "two-valued", "without zeros", "mixed"]
ALL_KINDS = pytest.mark.parametrize("kind", KINDS)


def assert_matches_the_oracle(X) -> None:
    mi = information(X)
    varies = np.array([len(set(gene)) > 1 for gene in X.T])
    np.testing.assert_array_equal(np.isnan(mi), ~(varies[:, None] & varies) | np.eye(len(varies), dtype=bool))
    for i, j in itertools.permutations(np.flatnonzero(varies), 2):
        rho = oracles.normal_score_correlation(X[:, i], X[:, j])
        assert correlation_of(mi[i, j]) == pytest.approx(rho, abs=ROUNDING), (i, j)
        if abs(rho) < 0.9:
            assert mi[i, j] == pytest.approx(oracles.gcmi(X[:, i], X[:, j]), abs=5 * ROUNDING), (i, j)


@ALL_KINDS
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 17, 64, 253, 1000])
def test_information_matches_the_oracle(n, kind):
    assert_matches_the_oracle(simulate(kind, n))


@given(n=st.integers(2, 3000), kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_information_in_any_number_of_cells_matches_the_oracle(n, kind, seed):
    assert_matches_the_oracle(simulate(kind, n, seed)[:, [0, 3, 4]])


few_values = hnp.arrays(np.int64, st.tuples(st.integers(2, 70), st.just(2)), elements=st.integers(-2, 3))
any_values = hnp.arrays(np.float64, st.tuples(st.integers(2, 40), st.just(2)), elements=st.floats(-1e300, 1e300))


@given(X=st.one_of(few_values, any_values))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_information_of_any_two_genes_matches_the_oracle(X):
    assert_matches_the_oracle(X)


@pytest.mark.parametrize("n", [10, 100, 1000, 3000, 30_000])
def test_rounded_scores_move_the_correlation_of_genes_without_ties_by_at_most_1e_7(n):
    X = simulate("distinct", n)
    found = correlation_of(information(X))
    for i, j in itertools.combinations(range(1, 6), 2):
        assert found[i, j] == pytest.approx(oracles.normal_score_correlation(X[:, i], X[:, j]), abs=1e-7)


@ALL_KINDS
@pytest.mark.parametrize("n", [2, 37, 300])
def test_information_is_symmetric_to_the_last_bit(n, kind):
    mi = information(simulate(kind, n))
    np.testing.assert_array_equal(mi, mi.T)


IN_PLACE = {"stretched": lambda x: 3.0 * x, "cubed": lambda x: x**3, "bent": lambda x: np.where(x < 0, x, np.expm1(x))}
AWAY = {"above zero": lambda x: x + 100.0, "below zero": lambda x: x - 100.0, "exponential": np.exp}


def mapped(X: np.ndarray, mapping) -> np.ndarray:
    mapped = X.copy()
    mapped[:, ::2] = mapping(X[:, ::2])
    return mapped


@pytest.mark.parametrize("mapping", list(IN_PLACE))
@ALL_KINDS
def test_information_survives_strictly_increasing_maps_to_the_last_bit(kind, mapping):
    X = simulate(kind, 150)
    assert information(mapped(X, IN_PLACE[mapping])).tobytes() == information(X).tobytes()


@pytest.mark.parametrize("mapping", list(AWAY))
@ALL_KINDS
def test_information_survives_maps_that_move_zero_up_to_rounding(kind, mapping):
    X = simulate(kind, 150)
    np.testing.assert_allclose(information(mapped(X, AWAY[mapping])), information(X), rtol=0, atol=LAST_BITS)


@ALL_KINDS
def test_a_gene_turned_over_turns_the_sign(kind):
    X = simulate(kind, 150)
    turned = X * np.where(np.arange(6) == 0, -1, 1)
    mi, other = information(X), information(turned)
    np.testing.assert_array_equal(other[1:, 1:], mi[1:, 1:])
    np.testing.assert_allclose(correlation_of(other[0]), -correlation_of(mi[0]), atol=ROUNDING)
    assert (np.abs(mi[0, 1:3]) > 0.04).all()


@ALL_KINDS
def test_the_order_of_cells_does_not_matter(kind):
    X = simulate(kind, 200)
    shuffled = np.random.default_rng(1).permutation(X)
    assert information(shuffled).tobytes() == information(X).tobytes()


@ALL_KINDS
@pytest.mark.parametrize("replace", [False, True])
def test_information_in_a_sample_of_the_cells_is_that_of_the_sample_alone(kind, replace):
    X = simulate(kind, 150)
    taken = np.sort(np.random.default_rng(1).choice(150, 90, replace=replace))
    sample = take_cells(rank_genes(as_csc(X), 1), taken, 1)
    assert signed_information(sample, np.arange(6), 1).tobytes() == information(X[taken]).tobytes()


def wide(n_genes: int, n_cells: int = 60) -> np.ndarray:
    """Many genes, from rare to without ties."""
    rng = np.random.default_rng(0)
    X = rng.poisson(np.geomspace(0.02, 5.0, n_genes), (n_cells, n_genes)).astype(float)
    X[:, ::7] = rng.normal(size=X[:, ::7].shape)
    return X


@pytest.fixture
def small_tasks(monkeypatch):
    monkeypatch.setattr(copula, "genes_per_task", lambda *_of: GENES_PER_TASK)


def refuse(*_arguments: object) -> None:
    raise AssertionError


@pytest.mark.usefixtures("small_tasks")
@pytest.mark.parametrize("kind", [*KINDS, "wide"])
def test_dense_and_sparse_products_give_the_same_bytes(kind, monkeypatch):
    X = wide(2 * GENES_PER_TASK + 9) if kind == "wide" else simulate(kind, 300)
    expected = information(X).tobytes()
    with monkeypatch.context() as only_dense:
        only_dense.setattr(copula, "DENSE_PAIRS", 0.0)
        only_dense.setattr(copula.kernels, "sparse_products", refuse)
        assert information(X).tobytes() == expected
    monkeypatch.setattr(copula, "DENSE_PAIRS", 1.0)
    assert information(X).tobytes() == expected
    monkeypatch.setattr(copula, "DENSE_PAIRS", 0.0)
    monkeypatch.setattr(copula, "MOST_DENSE", X.size - 1)
    assert information(X).tobytes() == expected


@pytest.mark.parametrize(("rate", "is_dense"), [(0.05, False), (3.0, True)])
def test_dense_products_are_for_dense_genes(rate, is_dense, monkeypatch):
    X = np.random.default_rng(0).poisson(rate, (60, 10)).astype(float)
    assert ((X != 0).mean() ** 2 > DENSE_PAIRS) == is_dense
    monkeypatch.setattr(copula.kernels, "sparse_products", refuse)
    if is_dense:
        assert np.isfinite(information(X)[0, 1:]).all()
    else:
        with pytest.raises(AssertionError):
            information(X)


@pytest.mark.usefixtures("small_tasks")
def test_the_number_of_threads_does_not_change_a_byte():
    X = wide(3 * GENES_PER_TASK + 5)
    regulators = np.arange(0, X.shape[1], 3)
    assert information(X, regulators, 2).tobytes() == information(X, regulators, 1).tobytes()
    ranks = rank_genes(as_csc(X), 1)
    assert moments(ranks, 2).tobytes() == moments(ranks, 1).tobytes()


@pytest.mark.usefixtures("small_tasks")
def test_tiles_of_genes_do_not_show():
    X = wide(2 * GENES_PER_TASK + 9)
    regulators = np.array([3, GENES_PER_TASK, 2 * GENES_PER_TASK + 8])  # one in each tile
    mi = information(X, regulators)
    between = mi[:, regulators]
    np.testing.assert_array_equal(between, between.T)
    genes = np.arange(0, X.shape[1], 40)
    alone = information(np.hstack([X[:, regulators], X[:, genes]]), range(3))
    np.testing.assert_array_equal(mi[:, genes], np.where(genes == regulators[:, None], np.nan, alone[:, 3:]))


@ALL_KINDS
@pytest.mark.parametrize("n", [2, 3, 10, 300, 1000])
def test_genes_of_the_same_order_have_the_largest_finite_information(n, kind):
    x = simulate(kind, n)[:, 0] + (np.arange(n) == 0) * 10  # varies
    mi = information(np.column_stack([x, x, -x]))
    assert LARGEST - 1 < mi[0, 1] <= LARGEST
    assert -LARGEST <= mi[0, 2] < -5  # scores of both directions are rounded on their own


@pytest.mark.parametrize("value", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("n", [1, 2, 9, 100])
def test_a_constant_gene_has_no_information(n, value):
    X = np.column_stack([np.full(n, value), np.full(n, value), np.arange(n), np.arange(n) ** 2 - 1.0])
    mi = information(X)
    assert np.isnan(mi[:2]).all()
    assert np.isnan(mi[:, :2]).all()
    assert np.isnan(mi[2, 3]) == (n == 1)


def test_a_gene_has_no_information_on_itself():
    mi = information(simulate("distinct", 50), [4, 1])
    np.testing.assert_array_equal(np.argwhere(np.isnan(mi)), [[0, 4], [1, 1]])


@pytest.mark.parametrize("n", [2, 10, 1000, 30_001])
def test_normal_scores_are_whole_rise_and_mirror_each_other(n):
    scores = normal_scores(n)[2:]  # of ranks 1, 1.5, ..., n
    np.testing.assert_array_equal(scores, np.rint(scores))
    assert (np.diff(scores) > 0).all()
    np.testing.assert_allclose(scores, -scores[::-1], rtol=0, atol=1)


@pytest.mark.parametrize("n", [2, 3, 10, 100, 1000, 2**14, 2**15, 2**16, 2**17, 2**19, 10**6])
def test_sums_of_products_are_exact_whatever_the_rank_of_zero(n):
    scores = normal_scores(n)[2::2].astype(np.int64)
    offsets = scores - scores[0]  # one zero, below or above all others, is the farthest from them
    assert (offsets**2).sum() < 2**53


@pytest.mark.parametrize("n", [1000, 2**15])
def test_squares_of_a_gene_with_one_zero_are_summed_exactly(n):
    gene = np.random.default_rng(0).permutation(n).astype(float)
    scores = code_scores(rank_genes(as_csc(gene[:, None]), 1))
    assert int(scores.squares[0]) == sum(int(offset) ** 2 for offset in scores.offsets)


@pytest.mark.parametrize("kind", ["counts", "negative", "mixed"])
def test_the_format_of_x_does_not_change_a_byte(as_format, kind):
    X = simulate(kind, 100)
    model = ps.ARACNe(estimator="gcmi")
    expected = model.mutual_information(X, [0, 2]).tobytes()
    assert model.mutual_information(as_format(X), [0, 2]).tobytes() == expected


def test_the_estimator_gives_information_without_its_sign():
    X = simulate("distinct", 80)
    signed = information(X, [0, 1])
    assert (signed < 0).any()
    np.testing.assert_array_equal(ps.ARACNe(estimator="gcmi").mutual_information(X, [0, 1]), np.abs(signed))


# --- p-values ---------------------------------------------------------------------------------------------------------


def rare(n: int, seed: int = 0) -> np.ndarray:
    """Counts of genes found in one cell, in few and in many, the last turned over: negatively skewed."""
    rng = np.random.default_rng([seed, n])
    detected = np.array([1 / n, 0.02, 0.05, 0.1, 0.3, 0.05, 0.2])
    X = (rng.random((n, 7)) < detected) * (1.0 + rng.poisson(1.0, (n, 7)))
    X[rng.integers(n, size=7), np.arange(7)] += 1  # at least one
    X[:, 5:] *= -1
    return X


def genes_of(kind: str, n: int) -> np.ndarray:
    """Genes for p-values, none constant, some alike and some opposite."""
    X = rare(n) if kind == "rare" else simulate(kind, n)
    X = X[:, [len(set(gene)) > 1 for gene in X.T]]
    return np.column_stack([X, X[:, 0], -X[:, 1]])


def scores_of(x: np.ndarray) -> np.ndarray:
    return norm.ppf(rankdata(x) / (len(x) + 1))


def pair_log_pvalues(X: np.ndarray, n_threads: int = 1, at_most: float = 1.0) -> np.ndarray:
    found = moments(rank_genes(as_csc(X), 1), 1)
    return log_pvalues(information(X), found, found, len(X), n_threads, at_most=at_most)


def pvalues_at(rho, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """p-values that correlations of two genes would have."""
    rho = np.asarray(rho)
    x_moments, y_moments = np.split(moments(rank_genes(as_csc(np.column_stack([x, y])), 1), 1), 2, axis=1)
    mi = -np.sign(rho) * np.log1p(-(rho**2)) / 2
    return np.exp(log_pvalues(mi[None], x_moments, np.tile(y_moments, len(rho)), len(x), 1)[0])


PVALUE_KINDS = pytest.mark.parametrize("kind", ["distinct", "counts", "negative", "two-valued", "mixed", "rare"])


@PVALUE_KINDS
@pytest.mark.parametrize("n", [4, 5, 10, 64, 300, 3000])
def test_moments_are_those_of_normal_scores(n, kind):
    X = genes_of(kind, n)
    third, fourth = moments(rank_genes(as_csc(X), 1), 1)
    for gene, (x3, x4) in enumerate(zip(third, fourth, strict=True)):
        scores = scores_of(X[:, gene])
        centred = scores - scores.mean()
        assert x3 == pytest.approx(((centred / np.linalg.norm(centred)) ** 3).sum(), abs=2e-6), gene
        assert x4 == pytest.approx(kstat(scores, 4) / kstat(scores, 2) ** 2, rel=1e-5, abs=1e-5), gene


@pytest.mark.parametrize("n", [1, 3, 4, 30])
def test_moments_of_constant_genes_are_zero(n):
    X = np.column_stack([np.zeros(n), np.full(n, 3.0), np.full(n, -1.0)])
    np.testing.assert_array_equal(moments(rank_genes(as_csc(X), 1), 1), np.zeros((2, 3)))


@PVALUE_KINDS
@pytest.mark.parametrize("n", [10, 30, 100, 1000, 3000])
def test_pvalues_match_the_oracle(n, kind):
    X = genes_of(kind, n)
    found = pair_log_pvalues(X)
    scores = [scores_of(gene) for gene in X.T]
    for i, j in itertools.combinations(range(len(scores)), 2):
        rho = np.clip(np.corrcoef(scores[i], scores[j])[0, 1], -1, 1)
        g, k = (moment(scores[i], scores[j]) for moment in (oracles.permutation_skewness, oracles.permutation_kurtosis))
        expected = oracles.permutation_log_pvalue(rho, n, g, k)
        assert found[i, j] == pytest.approx(expected, rel=1e-4, abs=1e-4), (i, j)


@pytest.mark.parametrize("n", [4, 10, 100, 1000, 3000])
def test_pvalues_of_any_moments_match_the_oracle(n):
    rng = np.random.default_rng(n)
    x, y = (np.stack([rng.normal(0.0, 0.4, m) * rng.choice([0.01, 1], m), rng.normal(0.0, 3.0, m)]) for m in (20, 30))
    x[0, 0] = x[1, 1] = 0.0
    rho = rng.uniform(-1, 1, (20, 30)) ** 5
    mi = -np.sign(rho) * np.log1p(-(rho**2)) / 2
    found = log_pvalues(mi, x, y, n, 1)
    g = n * np.sqrt(n - 1) / (n - 2) * x[0, :, None] * y[0]
    k = (n - 2) * (n - 3) / (n * (n - 1) * (n + 1)) * x[1, :, None] * y[1] - 6 / (n + 1)
    expected = [
        oracles.permutation_log_pvalue(*of) for of in zip(rho.ravel(), [n] * 600, g.ravel(), k.ravel(), strict=True)
    ]
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-9, atol=1e-9)


SMALL_GENES = {
    "no ties": [3.0, 1.0, 0.0, 7.0, 5.0, -2.0],
    "a detected cell": [0, 0, 4, 0, 0, 0],
    "two levels": [1, 0, 0, 1, 0, 0],
    "counts": [0, 0, 1, 0, 3, 1],
    "negative": [0, -2, 0, -1, 0, 0],
}


@pytest.mark.parametrize("n", [5, 6])
@pytest.mark.parametrize(("first", "second"), list(itertools.combinations_with_replacement(SMALL_GENES, 2)))
def test_pvalues_follow_from_the_moments_over_all_permutations(first, second, n):
    x, y = (np.array(SMALL_GENES[name], float)[:n] for name in (first, second))
    x_scores, y_scores = ((s - s.mean()) / np.linalg.norm(s - s.mean()) for s in (scores_of(x), scores_of(y)))
    t = np.sqrt(n - 1) * x_scores[list(itertools.permutations(range(n)))] @ y_scores
    assert t.mean() == pytest.approx(0.0, abs=1e-9)
    assert t.var() == pytest.approx(1.0, rel=1e-9)
    g, k = (t**3).mean(), (t**4).mean() - 3
    assert oracles.permutation_skewness(scores_of(x), scores_of(y)) == pytest.approx(g, abs=1e-9)
    assert oracles.permutation_kurtosis(scores_of(x), scores_of(y)) == pytest.approx(k, abs=1e-9)
    rho = np.linspace(-0.99, 0.99, 34)
    expected = [np.exp(oracles.permutation_log_pvalue(value, n, g, k)) for value in rho]
    np.testing.assert_allclose(pvalues_at(rho, x, y), expected, rtol=1e-4)


def permuted_correlations(x: np.ndarray, y: np.ndarray, n_draws: int) -> np.ndarray:
    x_scores, y_scores = ((s - s.mean()) / np.linalg.norm(s - s.mean()) for s in (scores_of(x), scores_of(y)))
    rng = np.random.default_rng(0)
    return np.concatenate(
        [rng.permuted(np.tile(x_scores, (10_000, 1)), axis=1) @ y_scores for _ in range(n_draws // 10_000)]
    )


def sparse_counts(n: int, detected: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, n])
    return (rng.random(n) < detected) * (1.0 + rng.poisson(2.0, n))


@pytest.mark.parametrize(
    ("n", "x_detected", "y_detected"),
    [(20, 1, 1), (20, 1, 0.5), (60, 1, 0.3), (60, 0.5, 0.3), (150, 0.3, 0.3), (150, 0.2, 0.5), (400, 0.1, 0.3)],
)
@pytest.mark.parametrize("turned", [1, -1])
def test_pvalues_are_those_over_random_permutations(n, x_detected, y_detected, turned):
    x, y = sparse_counts(n, x_detected, 1), turned * sparse_counts(n, y_detected, 2)
    if x_detected == 1:
        x = np.random.default_rng(1).normal(size=n)
    rho = np.sort(permuted_correlations(x, y, 200_000))
    for p in (1e-2, 2e-3):
        m = int(len(rho) * p / 2)
        found = pvalues_at(rho[[m - 1, -m]], x, y)
        # of equal values either all are as far or none: p of both is between those of the two
        low = 2 * np.array([(rho < rho[m - 1]).mean(), (rho > rho[-m]).mean()])
        high = 2 * np.array([(rho <= rho[m - 1]).mean(), (rho >= rho[-m]).mean()])
        assert (low / 1.5 < found).all(), p
        assert (found < 1.5 * high).all(), p


@PVALUE_KINDS
@pytest.mark.parametrize("n", [5, 10, 100, 1000])
def test_pvalues_fall_with_the_strength_of_either_sign(n, kind):
    X = genes_of(kind, n)
    found = moments(rank_genes(as_csc(X), 1), 1)
    mi = np.geomspace(1e-6, LARGEST, 250)
    for sign in (1, -1):
        for gene in range(X.shape[1]):
            log_p = log_pvalues(np.tile(sign * mi[:, None], X.shape[1]), np.tile(found[:, [gene]], 250), found, n, 1)
            assert (np.diff(log_p, axis=0) <= 1e-9).all(), (sign, gene)  # up to rounding
            assert (log_p[-1] < log_p[0]).all()
            assert (log_p <= 0).all()
            assert np.isfinite(log_p).all()
            assert log_p[0].min() > np.log(0.8)


@PVALUE_KINDS
@pytest.mark.parametrize("n", [5, 50, 400])
@pytest.mark.parametrize("at_most", [0.9, 0.3, 0.05, 1e-4, 1e-30])
def test_pvalues_up_to_a_bound_are_exact_and_those_above_it_may_be_one(at_most, n, kind):
    X = genes_of(kind, n)
    exact, found = pair_log_pvalues(X), pair_log_pvalues(X, at_most=at_most)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    replaced = ~np.isnan(exact) & (found != exact)
    assert (found[replaced] == 0.0).all()
    assert (exact[replaced] > np.log(at_most)).all()


def test_a_bound_spares_pvalues():
    X = np.random.default_rng(0).poisson(0.5, (100, 40)).astype(float)
    exact, found = pair_log_pvalues(X), pair_log_pvalues(X, at_most=0.01)
    assert ((found == 0.0) & (exact < 0.0)).mean() > 0.5


@PVALUE_KINDS
@pytest.mark.parametrize("n", [5, 37, 300])
def test_pvalues_are_symmetric(n, kind):
    log_p = pair_log_pvalues(genes_of(kind, n))
    np.testing.assert_allclose(log_p, log_p.T, rtol=1e-9, atol=1e-12)


@ALL_KINDS
def test_a_gene_turned_over_keeps_its_pvalues(kind):
    X = simulate(kind, 150)
    np.testing.assert_allclose(pair_log_pvalues(-X), pair_log_pvalues(X), rtol=1e-4, atol=1e-4)


def test_pvalues_of_nothing_are_nothing():
    mi = np.array([[0.0, np.nan, 0.4], [np.nan, 3.0, -0.0]])
    for at_most in (1.0, 0.01):
        log_p = log_pvalues(mi, np.full((2, 2), 0.1), np.full((2, 3), 0.2), 30, 1, at_most=at_most)
        np.testing.assert_array_equal(np.isnan(log_p), np.isnan(mi))
        assert log_p[0, 0] == log_p[1, 2] == 0.0
        assert (log_p[[0, 1], [2, 1]] < np.log(0.01)).all()


def test_the_number_of_threads_does_not_change_a_pvalue():
    X = wide(3 * ROWS_PER_TASK + 5)
    found = [pair_log_pvalues(X, n_threads).tobytes() for n_threads in (1, 2)]
    assert found[0] == found[1]


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 1000])
def test_pvalues_of_genes_of_the_same_order_are_probabilities(n):
    x = np.arange(n, dtype=float)
    X = np.column_stack([x, 2.0 * x, -x, x == 0, x == 1])
    log_p = pair_log_pvalues(X)[~np.eye(5, dtype=bool)]
    assert np.isfinite(log_p).all()
    assert (log_p <= 0).all()


@pytest.mark.parametrize("at_most", [1.0, 0.05])
def test_scores_are_information_and_its_pvalues_without_constant_genes(at_most):
    X = np.column_stack([wide(20), wide(20)[:, 18] * 2.0 + 1.0, np.full(60, 2.0)])
    ranks, regulators = rank_genes(as_csc(X), 1), np.array([21, 18, 1])
    mi, log_p = GaussianCopula().score(ranks, regulators, Null({}), 0, 1, at_most)
    varies = np.array([len(set(gene)) > 1 for gene in X.T])
    signed = information(X, regulators)
    np.testing.assert_array_equal(np.isnan(mi), ~varies | ~varies[regulators][:, None] | np.isnan(signed))
    np.testing.assert_array_equal(mi, np.abs(signed))
    np.testing.assert_array_equal(np.isnan(log_p), np.isnan(mi))
    expected = pair_log_pvalues(X, at_most=at_most)[regulators]
    np.testing.assert_array_equal(log_p, np.where(np.isnan(mi), np.nan, expected))
    assert (log_p[1] < np.log(0.05)).any()
