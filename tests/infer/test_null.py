"""Nulls of the mutual information: calibrated on permuted genes, smooth in the tail, the same in every run."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

from pysces._csr import as_csc
from pysces._infer import estimator as estimators
from pysces._infer import null as nulls
from pysces._infer.estimator import GaussianCopula, Partition
from pysces._infer.null import MIN_POOL, STRATUM_RATIO, Null, gene_strata, permuted_pool, tied_null
from pysces._infer.ranks import rank_genes, take_cells
from pysces._infer.tails import EXTRAPOLATE_BELOW, fit_signed_tail, fit_tail, student_log_pvalues

N_CELLS, N_GENES = 300, 400
PARTITIONS = {"aracne3": Partition("aracne3", "block"), "aracne-ap": Partition("aracne-ap", "block")}
ALL_ESTIMATORS = {**PARTITIONS, "gcmi": GaussianCopula()}
ESTIMATORS = pytest.mark.parametrize("estimator", list(ALL_ESTIMATORS.values()), ids=list(ALL_ESTIMATORS))
EITHER_KIND = pytest.mark.parametrize("estimator", [PARTITIONS["aracne3"], GaussianCopula()], ids=["apmi", "gcmi"])


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


def all_information(ranks, estimator) -> np.ndarray:
    return estimator.information(ranks, np.arange(ranks.n_genes), 1, 1)


def pair_pvalues(ranks, null: Null, estimator):
    """Log p-values of all pairs of genes that vary, and the strata of both."""
    strata = estimator.strata(ranks)
    log_p = null.log_pvalues(all_information(ranks, estimator), strata, strata, 1)
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


def null_size(null: Null, pairs) -> float:
    """Values in the nulls of some pairs of strata; Student's t is as good as infinitely many."""
    return sum(len(null.tails[pair][0].values) if pair in null.tails else np.inf for pair in pairs)


WITH_RANDOM_TIES = {**ALL_ESTIMATORS, **{f"{name}, random": Partition(name, "random") for name in PARTITIONS}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[(name, kind) for name in ALL_ESTIMATORS for kind in ("distinct", "counts", "mixed")],
        *[(f"{name}, random", "counts") for name in PARTITIONS],
    ],
)
def test_pvalues_of_independent_genes_are_uniform_in_the_tail(name, kind):
    estimator = WITH_RANDOM_TIES[name]
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


@pytest.mark.parametrize("sign", [1, -1])
def test_either_sign_of_a_skewed_null_is_calibrated(sign):
    rng = np.random.default_rng(0)
    X = rng.poisson(1.0, (N_CELLS, N_GENES)) * (rng.random((N_CELLS, N_GENES)) < 0.3)
    ranks, copula = rank_genes(as_csc(X), 1), GaussianCopula()
    null = copula.null(ranks, N_CELLS, 1)
    log_p, low, high = pair_pvalues(ranks, null, copula)
    mi = all_information(ranks, copula)[np.triu_indices(N_GENES, 1)]
    passed = (log_p[sign * mi > 0] <= np.log(0.02)).sum()
    n_null = null_size(null, set(zip(low.tolist(), high.tolist(), strict=True)))
    assert passed == pytest.approx(0.01 * len(mi), abs=5 * spread(len(mi), n_null, 0.01))


@ESTIMATORS
def test_pvalues_fall_with_information_and_never_end(estimator):
    ranks = rank_genes(as_csc(independent("mixed", 100, 60)), 1)
    null = estimator.null(ranks, 100, 1)
    grid = np.linspace(0.0, 20.0, 2000)  # the copula gives at most 18
    for a, b in {*null.tails, (0, 0)}:
        for sign in (1, -1) if estimator.signed else (1,):
            mi = np.concatenate([[-1e-9], sign * grid])  # sums of information are rounded
            log_p = null.log_pvalues(mi[None], stratum_list(a), np.full(2001, b, np.int32), 1)[0]
            assert (np.diff(log_p[1:]) <= 0).all(), (a, b)
            assert np.isfinite(log_p).all(), (a, b)
            assert estimator.signed or log_p[0] == 0.0, (a, b)
            assert log_p[-1] < np.log(EXTRAPOLATE_BELOW), (a, b)


@ESTIMATORS
def test_no_step_beyond_the_null_makes_a_pvalue_absurd(estimator):
    ranks = rank_genes(as_csc(independent("mixed", 100, 60)), 1)
    null = estimator.null(ranks, 100, 1)
    for (a, b), tails in null.tails.items():
        for sign, tail in zip((1, -1), tails, strict=False):
            beyond = sign * (tail.values[-1:] + 1e-12)
            log_p = null.log_pvalues(beyond[None], stratum_list(a), stratum_list(b), 1)
            assert log_p > -2 * np.log(len(tail.values)), (a, b)  # one in N values is the largest by chance


@ESTIMATORS
@pytest.mark.parametrize("at_most", [0.9, 0.05, 1e-3, 1e-6])
def test_pvalues_up_to_a_bound_are_exact_and_others_above_it(at_most, estimator):
    ranks = rank_genes(as_csc(independent("mixed", 100, 150)), 1)
    null = estimator.null(ranks, 100, 1)
    strata = estimator.strata(ranks)
    mi = all_information(ranks, estimator)
    mi[::7] *= 3.0  # into the tails
    exact = null.log_pvalues(mi, strata, strata, 1)
    found = null.log_pvalues(mi, strata, strata, 1, at_most=at_most)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    inside = exact <= np.log(at_most)
    assert inside.any()
    np.testing.assert_array_equal(found[inside], exact[inside])
    assert (found[exact > np.log(at_most)] > np.log(at_most)).all()


N_EXAMPLE = 50
EXAMPLE_PAIRS = [(0, 0), (0, 3), (3, 3)]


def example_sample(pair: tuple[int, int]) -> np.ndarray:
    """A skewed sample around zero, of another width for every pair of strata."""
    return np.random.default_rng(pair).normal(0.01, 0.02 * (1 + sum(pair)), 2000)


def example_null(kind: str = "unsigned") -> Null:
    samples = {pair: example_sample(pair) for pair in EXAMPLE_PAIRS if kind != "student" or pair != (0, 0)}
    if kind == "unsigned":
        return Null({pair: (fit_tail(sample, N_EXAMPLE),) for pair, sample in samples.items()})
    tails = {pair: tuple(fit_signed_tail(side, N_EXAMPLE) for side in (mi, -mi)) for pair, mi in samples.items()}
    return Null(tails, N_EXAMPLE if kind == "student" else 0)


def example_information(n_rows: int, n_columns: int) -> np.ndarray:
    """Values of both signs, most far out in a null."""
    return np.random.default_rng(1).normal(0.0, 0.3, (n_rows, n_columns))


@pytest.mark.parametrize(
    ("kind", "oracle"), [("unsigned", oracles.null_log_pvalues), ("signed", oracles.signed_null_log_pvalues)]
)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_every_pair_is_looked_up_in_the_null_of_its_strata(kind, oracle, n_threads):
    rows, columns = stratum_list(*[0, 3, 3] * 20), stratum_list(3, 0, 0, 3, 0)  # rows: several blocks
    mi = example_information(len(rows), len(columns))
    expected = np.empty_like(mi)
    for i, j in np.ndindex(mi.shape):
        pair = min(rows[i], columns[j]), max(rows[i], columns[j])
        expected[i, j] = oracle(example_sample(pair), mi[i, j : j + 1], N_EXAMPLE)[0]
    found = example_null(kind).log_pvalues(mi, rows, columns, n_threads)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert (found < np.log(EXTRAPOLATE_BELOW)).any()
    assert (found > np.log(EXTRAPOLATE_BELOW)).any()


@pytest.mark.parametrize("at_most", [1.0, 0.1])
def test_pairs_of_genes_without_ties_follow_student_where_the_null_says_so(at_most):
    rows, columns = stratum_list(*[0, 3] * 20), stratum_list(0, 3, 0)
    mi = example_information(len(rows), len(columns))
    found = example_null("student").log_pvalues(mi, rows, columns, 1, at_most=at_most)
    student = (rows[:, None] == 0) & (columns == 0)
    expected = student_log_pvalues(np.abs(mi), 50)
    exact = student & (expected <= np.log(at_most))
    np.testing.assert_array_equal(found[exact], expected[exact])
    np.testing.assert_array_equal(found[student & ~exact], 0.0)
    tails = example_null("signed").log_pvalues(mi, rows, columns, 1, at_most=at_most)
    np.testing.assert_array_equal(found[~student], tails[~student])


def test_two_tails_never_give_a_pvalue_above_one():
    mi = np.linspace(-0.2, 0.2, 101)[None]
    log_p = example_null("signed").log_pvalues(mi, stratum_list(0), np.zeros(101, np.int32), 1)
    assert (log_p <= 0).all()
    assert (log_p == 0).any()


@pytest.mark.parametrize("kind", ["unsigned", "signed", "student"])
def test_constant_genes_get_the_pvalue_one_and_untested_pairs_none(kind):
    mi = np.array([[5.0, 5.0, np.nan], [5.0, 5.0, 5.0]])
    log_p = example_null(kind).log_pvalues(mi, stratum_list(0, -1), stratum_list(3, -1, 0), 1)
    assert log_p[0, 0] < np.log(1e-3)
    np.testing.assert_array_equal(log_p[[0, 1, 1, 1], [1, 0, 1, 2]], 0.0)
    assert np.isnan(log_p[0, 2])


def test_constant_genes_get_the_pvalue_one_where_all_others_follow_student():
    log_p = Null({}, 50).log_pvalues(np.array([[5.0, 5.0]]), stratum_list(0), stratum_list(0, -1), 1)
    assert log_p[0, 0] < np.log(1e-3)
    assert log_p[0, 1] == 0.0


@EITHER_KIND
@pytest.mark.parametrize("n_taken", [1, 7, 20])
def test_constant_genes_alone_have_a_null_that_gives_the_pvalue_one(n_taken, estimator):
    null = estimator.null(rank_genes(as_csc(np.ones((20, 3))), 1), n_taken, 1)
    mi = np.array([[0.0, np.nan if estimator.signed else 0.3, np.nan]])  # the copula gives NaN
    log_p = null.log_pvalues(mi, stratum_list(-1), np.full(3, -1, np.int32), 1)
    np.testing.assert_array_equal(log_p, np.where(np.isnan(mi), np.nan, 0.0))


@pytest.mark.parametrize("kind", ["unsigned", "signed", "student"])
@pytest.mark.parametrize(("stratum", "used"), [(0, 0), (1, 0), (2, 3), (3, 3), (9, 3)])
def test_a_stratum_without_a_null_takes_the_nearest(stratum, used, kind):
    mi = np.linspace(-6, 6, 9)[None]
    null = example_null(kind)
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


def test_random_ties_leave_one_stratum_and_constant_genes():
    X = np.column_stack([independent("mixed", 50, 8), np.zeros(50)])
    ranks = rank_genes(as_csc(X), 1)
    assert gene_strata(ranks).max() > 0
    np.testing.assert_array_equal(Partition("aracne3", "random").strata(ranks), [0] * 8 + [-1])


@EITHER_KIND
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
    assert len(np.unique(tails[rare, rare][0].values)) < len(np.unique(tails[strata[0], strata[0]][0].values))


@EITHER_KIND
def test_nulls_hold_the_information_of_permuted_genes(estimator):
    ranks = rank_genes(as_csc(independent("mixed", 60, 80)), 1)
    pool = permuted_pool(ranks, 40, 1)
    tails = tied_null(ranks, 40, estimator, 1).tails
    n_strata = len(pool)
    assert len(tails) == n_strata * (n_strata + 1) / 2 - estimator.signed  # two genes without ties: Student's t
    for (a, b), of_pair in tails.items():
        if a == b:
            continue  # the other side of the diagonal
        mi = np.ravel(estimator.pairwise(estimator.code(pool[a]), estimator.code(pool[b]), 1, triangle=False))
        np.testing.assert_array_equal(of_pair[0].values, np.sort(mi))
        if estimator.signed:
            np.testing.assert_array_equal(of_pair[1].values, np.sort(-mi))


@EITHER_KIND
def test_every_pair_of_permuted_genes_counts_once(estimator):
    ranks = rank_genes(as_csc(independent("counts", 60, 80)), 1)
    pool = permuted_pool(ranks, 60, 1)
    for (a, b), of_pair in tied_null(ranks, 60, estimator, 1).tails.items():
        n_a, n_b = pool[a].n_genes, pool[b].n_genes
        expected = n_a * (n_a - 1) // 2 if a == b else n_a * n_b
        assert {len(tail.values) for tail in of_pair} == {expected}


def test_strata_of_permuted_genes_hold_enough_and_vary():
    pool = permuted_pool(rank_genes(as_csc(np.column_stack([independent("mixed", 60, 80), np.ones(60)])), 1), 40, 1)
    assert min(pool) == 0
    for stratum, genes in pool.items():
        assert genes.n_cells == 40
        assert genes.n_genes >= MIN_POOL
        assert set(gene_strata(genes)) == {stratum}


@pytest.mark.parametrize("estimator", list(PARTITIONS.values()), ids=list(PARTITIONS))
def test_genes_without_ties_share_one_null(estimator):
    ranks = rank_genes(as_csc(independent("distinct", 30, 20)), 1)
    found = estimator.null(ranks, 20, 1)
    assert set(found.tails) == {(0, 0)}
    expected = estimator.distinct_null(20, 1)
    np.testing.assert_array_equal(found.tails[0, 0][0].values, expected.tails[0, 0][0].values)
    assert found.n_student == expected.n_student == 0


@pytest.mark.parametrize("kind", ["distinct", "mixed"])
def test_genes_without_ties_follow_student_in_the_copula(kind):
    null = GaussianCopula().null(rank_genes(as_csc(independent(kind, 30, 20)), 1), 20, 1)
    assert null.n_student == 20
    assert (0, 0) not in null.tails
    assert bool(null.tails) == (kind == "mixed")


def test_the_null_of_genes_without_ties_is_computed_once_per_size_and_convention(monkeypatch):
    monkeypatch.setattr(estimators, "_distinct_tails", {})
    sizes = [(name, n) for name in PARTITIONS for n in (20, 21)]
    first, again = ([PARTITIONS[name].distinct_null(n, 1).tails[0, 0][0] for name, n in sizes] for _ in range(2))
    assert len({tail.values.tobytes() for tail in first}) == len(sizes)
    for tail, cached in zip(first, again, strict=True):
        assert tail is cached
    assert PARTITIONS["aracne3"].distinct_null(20, 1).tails.keys() == {(0, 0)}


def test_many_cells_take_fewer_permuted_genes(monkeypatch):
    monkeypatch.setattr(estimators, "_distinct_tails", {})
    monkeypatch.setattr(estimators, "MOST_CODES", 400 * 50)
    for n_cells, n_genes in [(20, 1000), (50, 400), (80, estimators.LEAST_PERMUTED)]:
        (tail,) = PARTITIONS["aracne3"].distinct_null(n_cells, 1).tails[0, 0]
        assert len(tail.values) == n_genes * (n_genes - 1) / 2


@pytest.mark.parametrize("n_permuted", [150, 300])
def test_the_pool_is_shared_equally_among_strata(n_permuted, monkeypatch):
    monkeypatch.setattr(nulls, "N_PERMUTED", n_permuted)
    ranks = rank_genes(as_csc(independent("counts", 60, 80)), 1)
    n_strata = len(set(gene_strata(ranks)) - {-1})
    assert {genes.n_genes for genes in permuted_pool(ranks, 60, 1).values()} == {-(-n_permuted // n_strata)}


@ESTIMATORS
def test_the_number_of_threads_does_not_change_the_null(estimator, monkeypatch):
    monkeypatch.setattr(estimators, "_distinct_tails", {})
    ranks = rank_genes(as_csc(independent("mixed", 60, 40)), 1)
    one = estimator.null(ranks, 40, 1)
    estimators._distinct_tails.clear()
    two = estimator.null(ranks, 40, 2)
    assert one.tails.keys() == two.tails.keys()
    for pair, tails in one.tails.items():
        for tail, other in zip(tails, two.tails[pair], strict=True):
            assert tail.values.tobytes() == other.values.tobytes()


@EITHER_KIND
@pytest.mark.parametrize(("n_detected", "n_taken"), [(3, 32), (1, 16), (5, 10)])
def test_genes_that_are_all_sparse_have_a_null_in_small_samples(n_detected, n_taken, estimator):
    rng = np.random.default_rng(0)
    X = np.zeros((50, 20))
    for gene in X.T:
        gene[rng.choice(50, n_detected, replace=False)] = 1.0
    null = estimator.null(rank_genes(as_csc(X), 1), n_taken, 1)
    none = -1e-9  # of genes that never meet; zero itself is more than the copula expects
    log_p = null.log_pvalues(np.array([[none, 20.0]]), stratum_list(5), stratum_list(5, 5), 1)
    assert log_p[0, 0] == 0.0
    assert log_p[0, 1] < np.log(0.05)


@pytest.mark.parametrize(
    "estimator",
    [
        PARTITIONS["aracne3"],
        GaussianCopula(),
    ],
    ids=["apmi", "gcmi"],
)
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
