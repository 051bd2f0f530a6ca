"""Nulls of the mutual information: calibrated on permuted genes, smooth in the tail, the same in every run."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

from pysces._csr import as_csc
from pysces._infer import null as nulls
from pysces._infer.depth import Depth
from pysces._infer.estimator import Partition
from pysces._infer.information import pairwise
from pysces._infer.null import MIN_POOL, STRATUM_RATIO, Null, distinct_null, gene_strata, permuted_pool, tied_null
from pysces._infer.partition import code
from pysces._infer.ranks import rank_genes, take_cells
from pysces._infer.tails import EXTRAPOLATE_BELOW, fit_tail

N_CELLS, N_GENES = 300, 400
CONVENTIONS = ("aracne3", "aracne-ap")
PARTITIONS = {name: Partition(name, "block") for name in CONVENTIONS}
RANDOM = {f"{name}, random": Partition(name, "random") for name in CONVENTIONS}
ESTIMATORS = pytest.mark.parametrize("estimator", list(PARTITIONS.values()), ids=list(PARTITIONS))
EITHER_TIES = pytest.mark.parametrize("estimator", [*PARTITIONS.values(), *RANDOM.values()], ids=[*PARTITIONS, *RANDOM])
EITHER_CONVENTION = pytest.mark.parametrize("convention", CONVENTIONS)


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


def pair_pvalues(ranks, null: Null, estimator):
    """Log p-values of all pairs of genes that vary, and the strata of both."""
    log_p = estimator.score(ranks, Depth.none(ranks.n_cells), np.arange(ranks.n_genes), null, 1, 1, 1.0).log_p
    strata = gene_strata(ranks) if estimator.ties == "block" else np.minimum(gene_strata(ranks), 0)
    first, second = np.triu_indices(ranks.n_genes, 1)
    vary = (strata[first] >= 0) & (strata[second] >= 0)
    first, second = first[vary], second[vary]
    return log_p[first, second], np.minimum(strata[first], strata[second]), np.maximum(strata[first], strata[second])


def stratum_list(*strata: int) -> np.ndarray:
    return np.array(strata, np.int32)


def spread(n_tests: int, n_null: int, level: float) -> float:
    """Standard deviation of the number of p-values at or below a level.

    Pairs of independent genes are pairwise independent, so the count has the variance of a binomial, and so has the
    count of the finite null that sets the threshold.
    """
    return np.sqrt(n_tests * level * (1 - level) * (1 + n_tests / n_null))


def null_size(null: Null, pairs) -> int:
    """Values in the nulls of some pairs of strata."""
    return sum(len(null.tails[pair].values) for pair in pairs)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[(name, kind) for name in PARTITIONS for kind in ("distinct", "counts", "mixed")],
        *[(name, "counts") for name in RANDOM],
    ],
)
def test_pvalues_of_independent_genes_are_uniform_in_the_tail(name, kind):
    estimator = {**PARTITIONS, **RANDOM}[name]
    ranks = rank_genes(as_csc(independent(kind)), 1)
    null = estimator.null(ranks, N_CELLS, 1)
    log_p, low, high = pair_pvalues(ranks, null, estimator)
    pairs = sorted(set(zip(low.tolist(), high.tolist(), strict=True)))
    for level in (1e-2, 1e-3):
        passed = (log_p <= np.log(level)).sum()
        margin = 4 * spread(len(log_p), null_size(null, pairs), level)
        assert passed == pytest.approx(level * len(log_p), abs=margin), level
    checked = 0
    for pair in pairs:  # no stratum is anti-conservative; sparse ones have few values and large p
        inside = (low == pair[0]) & (high == pair[1])
        if inside.sum() >= 1000:  # 10 expected
            passed = (log_p[inside] <= np.log(1e-2)).sum()
            assert passed <= 1e-2 * inside.sum() + 5 * spread(inside.sum(), null_size(null, [pair]), 1e-2), pair
            checked += 1
    assert checked > 0


@ESTIMATORS
@pytest.mark.parametrize("kind", ["counts", "mixed"])
def test_pvalues_in_a_sample_of_the_cells_are_uniform_in_the_tail(kind, estimator):
    ranks = rank_genes(as_csc(independent(kind)), 1)
    n_taken = 190
    null = estimator.null(ranks, n_taken, 1)
    taken = np.sort(np.random.default_rng(2).choice(N_CELLS, n_taken, replace=False))
    log_p, _, _ = pair_pvalues(take_cells(ranks, taken, 1), null, estimator)
    for level in (1e-2, 1e-3):
        # in a sample, strata hold genes that came from others: within a factor 1.5, and 4 binomial deviations
        expected, margin = level * len(log_p), 4 * np.sqrt(level * len(log_p))
        assert expected / 1.5 - margin < (log_p <= np.log(level)).sum() < expected * 1.5 + margin


@EITHER_TIES
def test_pvalues_fall_with_information_and_never_end(estimator):
    ranks = rank_genes(as_csc(independent("mixed", 100, 60)), 1)
    null = estimator.null(ranks, 100, 1)
    grid = np.linspace(0.0, 20.0, 2000)
    for a, b in null.tails:
        mi = np.concatenate([[-1e-9], grid])  # sums of information are rounded
        log_p = null.log_pvalues(mi[None], stratum_list(a), np.full(2001, b, np.int32), 1)[0]
        assert (np.diff(log_p) <= 0).all(), (a, b)
        assert np.isfinite(log_p).all(), (a, b)
        assert log_p[0] == 0.0, (a, b)
        assert log_p[-1] < np.log(EXTRAPOLATE_BELOW), (a, b)


@EITHER_TIES
def test_no_step_beyond_the_null_makes_a_pvalue_absurd(estimator):
    ranks = rank_genes(as_csc(independent("mixed", 100, 60)), 1)
    null = estimator.null(ranks, 100, 1)
    for (a, b), tail in null.tails.items():
        beyond = tail.values[-1:] + 1e-12
        log_p = null.log_pvalues(beyond[None], stratum_list(a), stratum_list(b), 1)
        assert log_p > -2 * np.log(len(tail.values)), (a, b)  # one in N values is the largest by chance


@EITHER_TIES
@pytest.mark.parametrize("at_most", [0.9, 0.05, 1e-3, 1e-6])
def test_pvalues_up_to_a_bound_are_exact_and_others_above_it(at_most, estimator):
    ranks = rank_genes(as_csc(independent("mixed", 100, 150)), 1)
    null = estimator.null(ranks, 100, 1)
    strata = gene_strata(ranks)
    mi = estimator.information(ranks, Depth.none(100), np.arange(150), 1, 1)
    mi[::7] *= 3.0  # into the tails
    exact = null.log_pvalues(mi, strata, strata, 1)
    found = null.log_pvalues(mi, strata, strata, 1, at_most=at_most)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    inside = exact <= np.log(at_most)
    assert inside.any()
    np.testing.assert_array_equal(found[inside], exact[inside])
    assert (found[exact > np.log(at_most)] > np.log(at_most)).all()


@EITHER_TIES
def test_scores_are_information_and_its_pvalues_without_constant_genes(estimator):
    X = np.column_stack([independent("mixed", 80, 30), np.full(80, 2.0)])
    ranks, regulators = rank_genes(as_csc(X), 1), np.array([30, 4, 1])
    null = estimator.null(ranks, 80, 1)
    mi, log_p = estimator.score(ranks, Depth.none(80), regulators, null, 5, 1, 1.0)
    varies = np.array([len(set(gene)) > 1 for gene in X.T])
    untested = ~(varies[regulators][:, None] & varies) | (regulators[:, None] == np.arange(31))
    assert varies[:30].any()
    np.testing.assert_array_equal(
        mi, np.where(untested, np.nan, estimator.information(ranks, Depth.none(80), regulators, 5, 1))
    )
    strata = gene_strata(ranks) if estimator.ties == "block" else np.zeros(31, np.int32)
    np.testing.assert_array_equal(log_p, null.log_pvalues(mi, strata[regulators], strata, 1))


@EITHER_TIES
def test_partitioning_takes_no_notice_of_depth(estimator):
    ranks, regulators = rank_genes(as_csc(independent("mixed", 80, 30)), 1), np.array([4, 1])
    null, depth = estimator.null(ranks, 80, 1), Depth.given(np.arange(80.0))
    assert not estimator.uses_depth
    assert depth.whole.n > 1
    without, within = (estimator.score(ranks, of, regulators, null, 5, 1, 1.0) for of in (Depth.none(80), depth))
    for matrix, expected in zip(within, without, strict=True):
        assert matrix.tobytes() == expected.tobytes()
    information = estimator.information(ranks, depth, regulators, 5, 1)
    assert information.tobytes() == estimator.information(ranks, Depth.none(80), regulators, 5, 1).tobytes()


N_EXAMPLE = 50
EXAMPLE_PAIRS = [(0, 0), (0, 3), (3, 3)]


def example_sample(pair: tuple[int, int]) -> np.ndarray:
    """A skewed sample around zero, of another width for every pair of strata."""
    return np.random.default_rng(pair).normal(0.01, 0.02 * (1 + sum(pair)), 2000)


def example_null() -> Null:
    return Null({pair: fit_tail(example_sample(pair), N_EXAMPLE) for pair in EXAMPLE_PAIRS})


@pytest.mark.parametrize("n_threads", [1, 2])
def test_every_pair_is_looked_up_in_the_null_of_its_strata(n_threads):
    rows, columns = stratum_list(*[0, 3, 3] * 20), stratum_list(3, 0, 0, 3, 0)  # rows: several blocks
    mi = np.random.default_rng(1).normal(0.0, 0.3, (len(rows), len(columns)))  # most far out in a null
    expected = np.empty_like(mi)
    for i, j in np.ndindex(mi.shape):
        pair = min(rows[i], columns[j]), max(rows[i], columns[j])
        expected[i, j] = oracles.null_log_pvalues(example_sample(pair), mi[i, j : j + 1], N_EXAMPLE)[0]
    found = example_null().log_pvalues(mi, rows, columns, n_threads)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert (found < np.log(EXTRAPOLATE_BELOW)).any()
    assert (found > np.log(EXTRAPOLATE_BELOW)).any()


def test_constant_genes_get_the_pvalue_one_and_untested_pairs_none():
    mi = np.array([[5.0, 5.0, np.nan], [5.0, 5.0, 5.0]])
    log_p = example_null().log_pvalues(mi, stratum_list(0, -1), stratum_list(3, -1, 0), 1)
    assert log_p[0, 0] < np.log(1e-3)
    np.testing.assert_array_equal(log_p[[0, 1, 1, 1], [1, 0, 1, 2]], 0.0)
    assert np.isnan(log_p[0, 2])


@EITHER_TIES
@pytest.mark.parametrize("n_taken", [1, 7, 20])
def test_constant_genes_alone_have_a_null_that_gives_the_pvalue_one(n_taken, estimator):
    null = estimator.null(rank_genes(as_csc(np.ones((20, 3))), 1), n_taken, 1)
    log_p = null.log_pvalues(np.array([[0.0, 0.3, np.nan]]), stratum_list(-1), np.full(3, -1, np.int32), 1)
    np.testing.assert_array_equal(log_p, [[0.0, 0.0, np.nan]])


@pytest.mark.parametrize(("stratum", "used"), [(0, 0), (1, 0), (2, 3), (3, 3), (9, 3)])
def test_a_stratum_without_a_null_takes_the_nearest(stratum, used):
    mi = np.linspace(0, 6, 9)[None]
    null = example_null()
    for other in (0, 3):
        found = null.log_pvalues(mi, stratum_list(other), np.full(9, stratum, np.int32), 1)
        nearest = null.log_pvalues(mi, stratum_list(other), np.full(9, used, np.int32), 1)
        np.testing.assert_array_equal(found, nearest)
        assert found.min() < np.log(EXTRAPOLATE_BELOW)
        turned = null.log_pvalues(mi.T, np.full(9, stratum, np.int32), stratum_list(other), 1)
        np.testing.assert_array_equal(turned, found.T)


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


@EITHER_CONVENTION
def test_with_ties_in_random_order_all_genes_have_the_null_of_genes_without_ties(convention):
    ranks = rank_genes(as_csc(independent("counts", 50, 8)), 1)
    assert gene_strata(ranks).max() > 0
    tails = Partition(convention, "random").null(ranks, 40, 1).tails
    assert tails.keys() == {(0, 0)}
    assert tails[0, 0] is distinct_null(40, convention, 1).tails[0, 0]


@ESTIMATORS
def test_a_rare_stratum_has_a_null_of_its_own(estimator):
    rng = np.random.default_rng(0)
    X = rng.poisson(3.0, (200, 300))
    X[:, 7] = rng.permutation(np.arange(200) < 4)
    ranks = rank_genes(as_csc(X), 1)
    strata = gene_strata(ranks)
    rare = strata[7]
    assert (strata == rare).sum() == 1
    tails = estimator.null(ranks, 200, 1).tails
    assert {pair for pair in tails if rare in pair} >= {(rare, rare), (strata[0], rare)}
    assert len(np.unique(tails[rare, rare].values)) < len(np.unique(tails[strata[0], strata[0]].values))


@EITHER_CONVENTION
def test_nulls_hold_the_information_of_permuted_genes(convention):
    ranks = rank_genes(as_csc(independent("mixed", 60, 80)), 1)
    pool = permuted_pool(ranks, 40, 1)
    coded = {stratum: code(genes, convention, "block", np.zeros(0, np.uint64)) for stratum, genes in pool.items()}
    tails = tied_null(ranks, 40, convention, 1).tails
    assert len(tails) == len(pool) * (len(pool) + 1) / 2 > 1
    for (a, b), tail in tails.items():
        if (a, b) == (0, 0):
            expected = distinct_null(40, convention, 1).tails[0, 0].values
        elif a == b:
            mi = pairwise(coded[a], coded[a], 1)
            expected = mi[np.triu_indices(len(mi), 1)]
        else:
            expected = np.ravel(pairwise(coded[a], coded[b], 1))
        np.testing.assert_array_equal(tail.values, np.sort(expected))


@EITHER_CONVENTION
def test_every_pair_of_permuted_genes_counts_once(convention):
    ranks = rank_genes(as_csc(independent("counts", 60, 80)), 1)
    pool = permuted_pool(ranks, 60, 1)
    for (a, b), tail in tied_null(ranks, 60, convention, 1).tails.items():
        n_a, n_b = pool[a].n_genes, pool[b].n_genes
        assert len(tail.values) == (n_a * (n_a - 1) // 2 if a == b else n_a * n_b)


@EITHER_TIES
def test_no_null_falls_faster_than_a_likelihood_ratio(estimator):
    X = np.zeros((200, 40))
    X[:3] = 1.0  # genes of three cells: a step where they first meet, and nothing between
    X[:, ::2] = independent("mixed", 200, 20)
    tails = estimator.null(rank_genes(as_csc(X), 1), 150, 1).tails
    assert all(-150 <= tail.slope <= 0 for tail in tails.values())


def test_strata_of_permuted_genes_hold_enough_and_vary():
    pool = permuted_pool(rank_genes(as_csc(np.column_stack([independent("mixed", 60, 80), np.ones(60)])), 1), 40, 1)
    assert min(pool) == 0
    for stratum, genes in pool.items():
        assert genes.n_cells == 40
        assert genes.n_genes >= MIN_POOL
        assert set(gene_strata(genes)) == {stratum}


@ESTIMATORS
def test_genes_without_ties_share_one_null(estimator):
    ranks = rank_genes(as_csc(independent("distinct", 30, 20)), 1)
    found = estimator.null(ranks, 20, 1)
    assert found.tails.keys() == {(0, 0)}
    expected = distinct_null(20, estimator.convention, 1)
    np.testing.assert_array_equal(found.tails[0, 0].values, expected.tails[0, 0].values)


def test_the_null_of_genes_without_ties_is_computed_once_per_size_and_convention(monkeypatch):
    monkeypatch.setattr(nulls, "_distinct_tails", {})
    sizes = [(n, convention) for convention in CONVENTIONS for n in (20, 21)]
    first, again = ([distinct_null(n, convention, 1).tails[0, 0] for n, convention in sizes] for _ in range(2))
    assert len({tail.values.tobytes() for tail in first}) == len(sizes)
    for tail, cached in zip(first, again, strict=True):
        assert tail is cached


def test_many_cells_take_fewer_permuted_genes(monkeypatch):
    monkeypatch.setattr(nulls, "_distinct_tails", {})
    monkeypatch.setattr(nulls, "MOST_CODES", 400 * 50)
    for n_cells, n_genes in [(20, 1000), (50, 400), (80, nulls.LEAST_PERMUTED)]:
        tail = distinct_null(n_cells, "aracne3", 1).tails[0, 0]
        assert len(tail.values) == n_genes * (n_genes - 1) / 2


@pytest.mark.parametrize("n_permuted", [150, 300])
def test_the_pool_is_shared_equally_among_strata(n_permuted, monkeypatch):
    monkeypatch.setattr(nulls, "N_PERMUTED", n_permuted)
    ranks = rank_genes(as_csc(independent("counts", 60, 80)), 1)
    n_strata = len(set(gene_strata(ranks)) - {-1})
    assert {genes.n_genes for genes in permuted_pool(ranks, 60, 1).values()} == {-(-n_permuted // n_strata)}


@ESTIMATORS
def test_the_number_of_threads_does_not_change_the_null(estimator, monkeypatch):
    monkeypatch.setattr(nulls, "_distinct_tails", {})
    ranks = rank_genes(as_csc(independent("mixed", 60, 40)), 1)
    one = estimator.null(ranks, 40, 1)
    nulls._distinct_tails.clear()
    two = estimator.null(ranks, 40, 2)
    assert one.tails.keys() == two.tails.keys()
    for pair, tail in one.tails.items():
        assert tail.values.tobytes() == two.tails[pair].values.tobytes()
        assert tail[1:] == two.tails[pair][1:]


@ESTIMATORS
@pytest.mark.parametrize(("n_detected", "n_taken"), [(3, 32), (1, 16), (5, 10)])
def test_genes_that_are_all_sparse_have_a_null_in_small_samples(n_detected, n_taken, estimator):
    rng = np.random.default_rng(0)
    X = np.zeros((50, 20))
    for gene in X.T:
        gene[rng.choice(50, n_detected, replace=False)] = 1.0
    null = estimator.null(rank_genes(as_csc(X), 1), n_taken, 1)
    log_p = null.log_pvalues(np.array([[-1e-9, 20.0]]), stratum_list(5), stratum_list(5, 5), 1)
    assert log_p[0, 0] == 0.0
    assert log_p[0, 1] < np.log(0.05)


@ESTIMATORS
def test_a_gene_that_rarely_loses_its_ties_in_a_sample_has_a_null_with_the_others(estimator):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 200))
    for gene in X.T:
        pairs = rng.permutation(100)[:16].reshape(8, 2)
        gene[pairs[:, 1]] = gene[pairs[:, 0]]
    ranks = rank_genes(as_csc(X), 1)
    null = estimator.null(ranks, 63, 1)  # 1 gene in 60 has no ties left
    log_p = null.log_pvalues(np.array([[2.0, 2.0]]), stratum_list(0), stratum_list(0, 1), 1)
    assert (log_p < np.log(1e-3)).all()
