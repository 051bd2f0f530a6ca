"""Nulls of the mutual information: calibrated on permuted genes, smooth in the tail, the same in every run."""

from __future__ import annotations

import numpy as np
import pytest

from pysces._csr import as_csc
from pysces._infer.information import mutual_information
from pysces._infer.null import (
    EXTRAPOLATE_BELOW,
    STRATUM_RATIO,
    Null,
    fit_tail,
    gene_strata,
    random_null,
    tied_null,
)
from pysces._infer.ranks import rank_genes, take_cells

N_CELLS, N_GENES = 300, 400
CONVENTIONS = pytest.mark.parametrize("convention", ["aracne3", "aracne-ap"])


def independent(kind: str, n_cells: int = N_CELLS, n_genes: int = N_GENES) -> np.ndarray:
    """Genes that know nothing of each other."""
    rng = np.random.default_rng(0)
    distinct = rng.normal(size=(n_cells, n_genes))
    if kind == "distinct":
        return distinct
    counts = rng.poisson(rng.choice([0.05, 0.2, 1.0, 5.0], n_genes), (n_cells, n_genes)).astype(float)
    if kind == "mixed":
        counts[:, ::4] = distinct[:, ::4]
    return counts


def pair_pvalues(ranks, null: Null, convention: str, ties: str):
    """Log p-values of all pairs of genes that vary, and the strata of both."""
    mi = mutual_information(ranks, np.arange(ranks.n_genes), convention=convention, ties=ties, seed=1, n_threads=1)
    strata = gene_strata(ranks)
    known = strata if ties == "block" else np.minimum(strata, 0)
    log_p = null.log_pvalues(mi, known, known)
    first, second = np.triu_indices(ranks.n_genes, 1)
    vary = (strata[first] >= 0) & (strata[second] >= 0)
    first, second = first[vary], second[vary]
    return log_p[first, second], np.minimum(known[first], known[second]), np.maximum(known[first], known[second])


def spread(n_tests: int, n_null: int, level: float) -> float:
    """Standard deviation of the number of p-values at or below a level.

    Pairs of independent genes are pairwise independent, so the count has the variance of a binomial, and so has the
    count of the finite null that sets the threshold.
    """
    return np.sqrt(n_tests * level * (1 - level) * (1 + n_tests / n_null))


@CONVENTIONS
@pytest.mark.parametrize(
    ("kind", "ties"), [("distinct", "block"), ("counts", "block"), ("mixed", "block"), ("counts", "random")]
)
def test_pvalues_of_independent_genes_are_uniform_in_the_tail(kind, ties, convention):
    ranks = rank_genes(as_csc(independent(kind)), 1)
    null = tied_null(ranks, N_CELLS, convention, 1) if ties == "block" else random_null(N_CELLS, convention, 1)
    log_p, low, high = pair_pvalues(ranks, null, convention, ties)
    n_null = sum(len(tail.values) for tail in null.tails.values())
    for level in (1e-2, 1e-3):
        passed = log_p <= np.log(level)
        margin = 4 * spread(len(log_p), n_null, level)
        assert passed.sum() == pytest.approx(level * len(log_p), abs=margin), level
    checked = 0
    for pair, tail in null.tails.items():  # no stratum is anti-conservative; sparse ones have few values and large p
        inside = (low == pair[0]) & (high == pair[1])
        if inside.sum() >= 1000:  # 10 expected
            passed = (log_p[inside] <= np.log(1e-2)).sum()
            assert passed <= 1e-2 * inside.sum() + 5 * spread(inside.sum(), len(tail.values), 1e-2), pair
            checked += 1
    assert checked > 0


@CONVENTIONS
@pytest.mark.parametrize("kind", ["counts", "mixed"])
def test_pvalues_in_a_sample_of_the_cells_are_uniform_in_the_tail(kind, convention):
    ranks = rank_genes(as_csc(independent(kind)), 1)
    n_taken = 190
    null = tied_null(ranks, n_taken, convention, 1)
    taken = np.sort(np.random.default_rng(2).choice(N_CELLS, n_taken, replace=False))
    log_p, _, _ = pair_pvalues(take_cells(ranks, taken, 1), null, convention, "block")
    for level in (1e-2, 1e-3):
        # in a sample, strata hold genes that came from others: within a factor 1.5, and 4 binomial deviations
        expected, margin = level * len(log_p), 4 * np.sqrt(level * len(log_p))
        assert expected / 1.5 - margin < (log_p <= np.log(level)).sum() < expected * 1.5 + margin


@CONVENTIONS
def test_pvalues_fall_with_information_and_never_end(convention):
    ranks = rank_genes(as_csc(independent("mixed", 100, 60)), 1)
    grid = np.linspace(-0.1, 8.0, 2000)
    for pair, tail in tied_null(ranks, 100, convention, 1).tails.items():
        assert tail.slope <= 0, pair
        log_p = tail.log_pvalues(grid)
        assert (np.diff(log_p) <= 0).all(), pair
        assert np.isfinite(log_p).all(), pair
        assert log_p[0] == 0.0, pair
        assert log_p[-1] < np.log(EXTRAPOLATE_BELOW), pair


@CONVENTIONS
def test_no_step_beyond_the_null_makes_a_pvalue_absurd(convention):
    ranks = rank_genes(as_csc(independent("mixed", 100, 60)), 1)
    for pair, tail in tied_null(ranks, 100, convention, 1).tails.items():
        log_p = tail.log_pvalues(tail.values[-1:] + 1e-12)
        assert log_p[0] > -2 * np.log(len(tail.values)), pair  # one in N values is the largest by chance


@pytest.mark.parametrize("n_values", [5000, 200_000])
def test_pvalues_count_the_null_at_or_above(n_values):
    values = np.random.default_rng(0).exponential(1.0, n_values).round(1)  # with ties
    mi = np.array([0.0, 0.1, 0.5, 1.0, 2.0, 5.0])
    by_count = [(1 + (values >= x).sum()) / (n_values + 1) for x in mi]
    np.testing.assert_allclose(fit_tail(values).log_pvalues(mi), np.log(by_count), rtol=1e-12)


@CONVENTIONS
@pytest.mark.parametrize("at_most", [0.9, 0.05, 1e-3, 1e-6])
def test_pvalues_up_to_a_bound_are_exact_and_others_above_it(at_most, convention):
    ranks = rank_genes(as_csc(independent("mixed", 100, 150)), 1)
    null = tied_null(ranks, 100, convention, 1)
    strata = gene_strata(ranks)
    pairs = np.arange(150)
    mi = mutual_information(ranks, pairs, convention=convention, ties="block", seed=0, n_threads=1)
    mi[::7] *= 3.0  # into the tails
    exact = null.log_pvalues(mi, strata, strata)
    found = null.log_pvalues(mi, strata, strata, at_most=at_most)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    inside = exact <= np.log(at_most)
    assert inside.any()
    np.testing.assert_array_equal(found[inside], exact[inside])
    assert (found[exact > np.log(at_most)] > np.log(at_most)).all()


@pytest.mark.parametrize("p", [0.5, 0.01, 1e-3, 1e-4, 1e-5, 1e-9])
@pytest.mark.parametrize("draw", ["uniform", "exponential", "lognormal"])
def test_no_value_below_the_threshold_has_a_smaller_pvalue(draw, p):
    tail = fit_tail(getattr(np.random.default_rng(0), draw)(size=100_000))  # tails that the line misses either way
    mi = np.linspace(0.0, 3.0 * tail.values[-1], 20_000)
    passes = tail.log_pvalues(mi) <= np.log(p)
    assert passes.any()
    assert (mi[passes] >= tail.threshold(p)).all()


@pytest.mark.parametrize("rate", [0.5, 10.0, 400.0])
def test_the_tail_of_an_exponential_goes_on_at_its_rate(rate):
    n_values = 100_000
    quantiles = -np.log(np.arange(1, n_values + 1) / (n_values + 1)) / rate
    tail = fit_tail(np.random.default_rng(0).permutation(quantiles))
    assert tail.slope == pytest.approx(-rate, rel=1e-9)
    mi = np.array([9.0, 15.0, 60.0]) / rate
    np.testing.assert_allclose(tail.log_pvalues(mi), -rate * mi, rtol=1e-9)


def test_a_sampled_tail_extrapolates_far_beyond_its_size():
    sample = np.random.default_rng(0).exponential(1.0, 1_000_000)
    # the largest values of the sample steer the line: a few per cent
    assert fit_tail(sample).log_pvalues(np.array([40.0])) == pytest.approx(-40.0, rel=0.1)


@pytest.mark.parametrize("largest", [0.5, 0.1, 1 / 3, 0.04588379])
@pytest.mark.parametrize("rounding", [0.0, 1e-15])
def test_a_tail_of_one_value_stays_at_the_smallest_pvalue(largest, rounding):
    noise = rounding * np.random.default_rng(0).random(5000)  # the same sum in different orders
    tail = fit_tail(np.concatenate([np.zeros(5000), largest - noise]))
    log_p = tail.log_pvalues(np.array([0.0, largest - 2 * rounding, largest + 0.01, 7.0]))
    np.testing.assert_allclose(log_p, np.log([1.0, 5001 / 10001, 1 / 10001, 1 / 10001]), rtol=1e-12)


def example_null() -> Null:
    rng = np.random.default_rng(0)
    return Null(50, {pair: fit_tail(rng.exponential(0.1 * (1 + sum(pair)), 2000)) for pair in [(0, 0), (0, 3), (3, 3)]})


def test_constant_genes_get_the_pvalue_one_and_untested_pairs_none():
    mi = np.array([[5.0, 5.0, np.nan], [5.0, 5.0, 5.0]])
    log_p = example_null().log_pvalues(mi, np.array([0, -1]), np.array([3, -1, 0]))
    assert log_p[0, 0] < np.log(1e-3)
    np.testing.assert_array_equal(log_p[[0, 1, 1, 1], [1, 0, 1, 2]], 0.0)
    assert np.isnan(log_p[0, 2])


@pytest.mark.parametrize("n_taken", [1, 7, 20])
def test_constant_genes_alone_have_a_null_that_gives_the_pvalue_one(n_taken):
    null = tied_null(rank_genes(as_csc(np.ones((20, 3))), 1), n_taken, "aracne3", 1)
    log_p = null.log_pvalues(np.array([[0.0, 0.3, np.nan]]), np.array([-1]), np.full(3, -1))
    np.testing.assert_array_equal(log_p, [[0.0, 0.0, np.nan]])


@pytest.mark.parametrize(("stratum", "used"), [(0, 0), (1, 0), (2, 3), (3, 3), (9, 3)])
def test_a_stratum_without_a_null_takes_the_nearest(stratum, used):
    mi = np.linspace(0, 2, 9)[None]
    null = example_null()
    found = null.log_pvalues(mi, np.array([3]), np.full(9, stratum))
    np.testing.assert_array_equal(found, null.tails[min(used, 3), 3].log_pvalues(mi))
    np.testing.assert_array_equal(null.log_pvalues(mi.T, np.full(9, stratum), np.array([3])), found.T)


def test_strata_hold_genes_of_like_minority():
    n_cells = 1000
    minority = np.arange(n_cells // 2 + 1)
    X = (np.arange(n_cells)[:, None] < minority).astype(float)
    strata = gene_strata(rank_genes(as_csc(X), 1))
    assert strata[0] == -1
    assert strata[1:].min() == 1
    for stratum in np.unique(strata[1:]):
        inside = minority[strata == stratum]
        assert inside.max() <= STRATUM_RATIO * inside.min()
    np.testing.assert_array_equal(strata, gene_strata(rank_genes(as_csc(1.0 - X), 1)))  # either side may be zero


def test_genes_without_ties_are_stratum_zero_and_one_tie_leaves_it():
    x = np.random.default_rng(0).normal(size=(50, 2))
    x[1, 1] = x[0, 1]
    np.testing.assert_array_equal(gene_strata(rank_genes(as_csc(x), 1)), [0, 1])


def test_a_rare_stratum_has_a_null_of_its_own():
    rng = np.random.default_rng(0)
    X = rng.poisson(3.0, (200, 300))
    X[:, 7] = rng.permutation(np.arange(200) < 4)
    ranks = rank_genes(as_csc(X), 1)
    strata = gene_strata(ranks)
    rare = strata[7]
    assert (strata == rare).sum() == 1
    tails = tied_null(ranks, 200, "aracne3", 1).tails
    assert {pair for pair in tails if rare in pair} >= {(rare, rare), (strata[0], rare)}
    assert len(np.unique(tails[rare, rare].values)) < len(np.unique(tails[strata[0], strata[0]].values))


@CONVENTIONS
def test_genes_without_ties_share_one_null(convention):
    ranks = rank_genes(as_csc(independent("distinct", 30, 20)), 1)
    found = tied_null(ranks, 20, convention, 1)
    assert set(found.tails) == {(0, 0)}
    np.testing.assert_array_equal(found.tails[0, 0].values, random_null(20, convention, 1).tails[0, 0].values)


@CONVENTIONS
def test_the_number_of_threads_does_not_change_the_null(convention):
    ranks = rank_genes(as_csc(independent("counts", 60, 40)), 1)
    one, two = (tied_null(ranks, 40, convention, n) for n in (1, 2))
    assert one.tails.keys() == two.tails.keys()
    for pair, tail in one.tails.items():
        assert tail.values.tobytes() == two.tails[pair].values.tobytes()


@pytest.mark.parametrize(("n_detected", "n_taken"), [(3, 32), (1, 16), (5, 10)])
def test_genes_that_are_all_sparse_have_a_null_in_small_samples(n_detected, n_taken):
    rng = np.random.default_rng(0)
    X = np.zeros((50, 20))
    for gene in X.T:
        gene[rng.choice(50, n_detected, replace=False)] = 1.0
    null = tied_null(rank_genes(as_csc(X), 1), n_taken, "aracne3", 1)
    log_p = null.log_pvalues(np.array([[0.0, 3.0]]), np.array([5]), np.array([5, 5]))
    assert log_p[0, 0] == 0.0
    assert log_p[0, 1] < np.log(0.05)
