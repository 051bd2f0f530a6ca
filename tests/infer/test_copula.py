"""Mutual information of a Gaussian copula and its p-values: against their definitions, and by invariances."""

from __future__ import annotations

import itertools
from decimal import Decimal, localcontext

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import ndtri
from scipy.stats import kstat, norm, rankdata

import pysces as ps
from pysces._csr import as_csc
from pysces._infer import copula
from pysces._infer.copula import (
    DENSE_PAIRS,
    MOST_CORRECTION,
    Moments,
    code_scores,
    moments_within,
    normal_scores,
    score,
    signed_information,
)
from pysces._infer.correlation import rank_scores, sums_within
from pysces._infer.depth import Depth, Strata
from pysces._infer.estimator import GaussianCopula
from pysces._infer.null import Null
from pysces._infer.ranks import rank_genes, take_cells

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known")
"""Of few genes, or of values that are no counts."""
ROUNDING = 1e-6
"""Of rho: scores are rounded to 2^-19 in a thousand cells, and errors of tied cells do not average."""
LAST_BITS = 1e-12
"""Of information, where exact sums are multiplied."""
GENES_PER_TASK = 24
"""Small, so that few genes fill several tasks."""
LARGEST = 26 * np.log(2)
"""1 - rho^2 is at least 2^-52."""


def one_stratum(n: int) -> Strata:
    return Depth.none(n).technical


def strata_of(labels, n_strata: int | None = None) -> Strata:
    labels = np.asarray(labels, np.int32)
    return one_stratum(len(labels))._replace(labels=labels, n=n_strata or int(labels.max(initial=0)) + 1)


def uneven(n: int, n_strata: int) -> Strata:
    """Strata of unequal sizes, cells in random order; of six or more one is empty, and others hold 1, 2, 3 cells."""
    rng = np.random.default_rng([n, n_strata])
    if n_strata == 1:
        return one_stratum(n)
    if n_strata < 6:
        shares = np.arange(1, n_strata + 1) / (n_strata * (n_strata + 1) / 2)
        return strata_of(rng.choice(n_strata, n, p=shares), n_strata)
    large = np.array([0, *range(5, n_strata)])
    labels = rng.choice(large, n, p=np.sqrt(1 + large) / np.sqrt(1 + large).sum()).astype(np.int32)
    few = rng.permutation(n)[:6]
    labels[few] = [2, 3, 3, 4, 4, 4][: len(few)]
    return strata_of(labels, n_strata)


STRATA = pytest.mark.parametrize("n_strata", [1, 2, 6, 16])
SOME_STRATA = pytest.mark.parametrize("n_strata", [1, 6])


def information(X, regulators=None, n_threads=1, strata=None):
    ranks = rank_genes(as_csc(X), n_threads)
    regulators = np.arange(X.shape[1]) if regulators is None else np.asarray(regulators)
    return signed_information(ranks, strata or one_stratum(len(X)), regulators, n_threads)


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


def varying_within(X: np.ndarray, strata: Strata) -> np.ndarray:
    """Genes that vary in some stratum."""
    return np.array([oracles.within(gene, strata.labels).any() for gene in X.T])


def assert_matches_the_oracle_within(X, strata: Strata) -> None:
    mi = information(X, strata=strata)
    varies = varying_within(X, strata)
    np.testing.assert_array_equal(np.isnan(mi), ~(varies[:, None] & varies) | np.eye(len(varies), dtype=bool))
    for i, j in itertools.permutations(np.flatnonzero(varies), 2):
        rho = oracles.normal_score_correlation_within(X[:, i], X[:, j], strata.labels)
        assert correlation_of(mi[i, j]) == pytest.approx(rho, abs=ROUNDING), (i, j)
        if abs(rho) < 0.9:
            expected = oracles.gcmi_within(X[:, i], X[:, j], strata.labels)
            assert mi[i, j] == pytest.approx(expected, abs=5 * ROUNDING), (i, j)


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


@ALL_KINDS
@STRATA
@pytest.mark.parametrize("n", [10, 300])
def test_information_within_strata_matches_the_oracle(n, n_strata, kind):
    assert_matches_the_oracle_within(simulate(kind, n), uneven(n, n_strata))


@given(X=st.one_of(few_values, any_values), n_strata=st.sampled_from([2, 6, 16]))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_information_of_any_two_genes_within_strata_matches_the_oracle(X, n_strata):
    assert_matches_the_oracle_within(X, uneven(len(X), n_strata))


@pytest.mark.parametrize("sizes", [[3, 4], [7, 9, 5], [4, 9, 16], [30, 31], [100, 117, 33], [1, 2, 3, 60]])
def test_genes_that_are_constant_in_every_stratum_have_no_information(sizes):
    strata = strata_of(np.repeat(np.arange(len(sizes)), sizes))
    at = strata.labels.astype(float)
    rng = np.random.default_rng(0)
    varying = np.column_stack([rng.poisson(1.0, len(at)), rng.normal(size=len(at)), rng.normal(size=len(at)) + at])
    X = np.column_stack([at, 3.0 - 2.0 * (at == 0), (at == 1) * 4.0, -at - 1.0, varying])
    assert np.isnan(information(X, strata=strata)).tolist() == [[True] * 7] * 4 + [
        [True] * 4 + [i == j for j in range(3)] for i in range(3)
    ]
    mi, log_p = score(rank_genes(as_csc(X), 1), Depth(strata, strata), np.arange(7), 1)
    np.testing.assert_array_equal(np.isnan(mi), np.isnan(log_p))
    assert np.isnan(mi[:4]).all()
    assert np.isnan(mi[:, :4]).all()
    assert np.isnan(mi[4:, 4:]).sum() == 3


@pytest.mark.parametrize("sizes", [[3, 4], [7, 9, 5], [30, 31], [100, 117, 33]])
def test_what_is_constant_in_every_stratum_of_the_test_is_not_significant(sizes):
    strata = strata_of(np.repeat(np.arange(len(sizes)), sizes))
    at = strata.labels.astype(float)
    X = np.column_stack([at, 3.0 - 2.0 * (at == 0), np.random.default_rng(0).normal(size=(len(at), 3)) + at[:, None]])
    mi, log_p = score(rank_genes(as_csc(X), 1), Depth(one_stratum(len(X)), strata), np.arange(5), 1)
    assert mi[0, 2] > 0  # constant only where it is tested
    untested = np.concatenate([log_p[:2].ravel(), log_p[:, :2].ravel()])
    assert (np.isnan(untested) | (untested == 0.0)).all()
    assert (log_p[2:, 2:][~np.eye(3, dtype=bool)] < 0).all()


@pytest.mark.parametrize("sizes", [[7, 9], [30, 31], [3, 50, 7], [100, 117, 33]])
@pytest.mark.parametrize("value", [0.0, 5.0, -2.0])
def test_genes_that_vary_in_different_strata_know_nothing_of_each_other(value, sizes):
    strata = strata_of(np.repeat(np.arange(len(sizes)), sizes))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(len(strata.labels), 6)) + 1.0
    first = np.arange(6) < 3
    X[(strata.labels == 0)[:, None] & ~first] = value
    X[(strata.labels != 0)[:, None] & first] = value
    mi, log_p = all_scores(X, Depth(strata, strata))
    assert (mi[first][:, ~first] < LAST_BITS).all()
    np.testing.assert_array_equal(log_p[first][:, ~first], 0.0)
    assert (log_p[first][:, first][~np.eye(3, dtype=bool)] < 0.0).all()


@pytest.mark.parametrize("n", [10, 100, 1000, 3000, 30_000])
def test_rounded_scores_move_the_correlation_of_genes_without_ties_by_at_most_1e_7(n):
    X = simulate("distinct", n)
    found = correlation_of(information(X))
    for i, j in itertools.combinations(range(1, 6), 2):
        assert found[i, j] == pytest.approx(oracles.normal_score_correlation(X[:, i], X[:, j]), abs=1e-7)


@ALL_KINDS
@STRATA
@pytest.mark.parametrize("n", [2, 37, 300])
def test_information_is_symmetric_to_the_last_bit(n, n_strata, kind):
    mi = information(simulate(kind, n), strata=uneven(n, n_strata))
    np.testing.assert_array_equal(mi, mi.T)


@pytest.mark.parametrize("kind", ["counts", "mixed"])
def test_empty_strata_do_not_change_a_byte(kind):
    X, strata = simulate(kind, 150), uneven(150, 2)
    depth, apart = (Depth(labels, labels) for labels in (strata, strata_of(3 * strata.labels + 2, 9)))
    for found, expected in zip(all_scores(X, apart), all_scores(X, depth), strict=True):
        assert found.tobytes() == expected.tobytes()


@ALL_KINDS
def test_the_names_of_strata_do_not_matter(kind):
    X, strata = simulate(kind, 150), uneven(150, 6)
    renamed = strata._replace(labels=np.array([3, 5, 1, 0, 4, 2], np.int32)[strata.labels])
    np.testing.assert_allclose(information(X, strata=renamed), information(X, strata=strata), rtol=0, atol=LAST_BITS)


@ALL_KINDS
def test_strata_hide_what_differs_between_them(kind):
    strata = uneven(300, 2)
    X = np.round(simulate(kind, 300), 2)
    X[:, 5] = np.random.default_rng(1).normal(size=300)
    moved = X + 1000.0 * strata.labels[:, None]
    assert np.abs(information(moved)[5, :3]).min() > 0.1
    assert np.abs(information(moved, strata=strata)[5, :4][varying_within(X, strata)[:4]]).max() < 0.05


IN_PLACE = {"stretched": lambda x: 3.0 * x, "cubed": lambda x: x**3, "bent": lambda x: np.where(x < 0, x, np.expm1(x))}
AWAY = {"above zero": lambda x: x + 100.0, "below zero": lambda x: x - 100.0, "exponential": np.exp}


def mapped(X: np.ndarray, mapping) -> np.ndarray:
    mapped = X.copy()
    mapped[:, ::2] = mapping(X[:, ::2])
    return mapped


@pytest.mark.parametrize("mapping", list(IN_PLACE))
@SOME_STRATA
@ALL_KINDS
def test_information_survives_strictly_increasing_maps_to_the_last_bit(kind, n_strata, mapping):
    X, strata = simulate(kind, 150), uneven(150, n_strata)
    expected = information(X, strata=strata).tobytes()
    assert information(mapped(X, IN_PLACE[mapping]), strata=strata).tobytes() == expected


@pytest.mark.parametrize("mapping", list(AWAY))
@SOME_STRATA
@ALL_KINDS
def test_information_survives_maps_that_move_zero_up_to_rounding(kind, n_strata, mapping):
    X, strata = simulate(kind, 150), uneven(150, n_strata)
    found = information(mapped(X, AWAY[mapping]), strata=strata)
    np.testing.assert_allclose(found, information(X, strata=strata), rtol=0, atol=LAST_BITS)


@SOME_STRATA
@ALL_KINDS
def test_a_gene_turned_over_turns_the_sign(kind, n_strata):
    X, strata = simulate(kind, 150), uneven(150, n_strata)
    turned = X * np.where(np.arange(6) == 0, -1, 1)
    mi, other = (information(genes, strata=strata) for genes in (X, turned))
    np.testing.assert_array_equal(other[1:, 1:], mi[1:, 1:])
    np.testing.assert_allclose(correlation_of(other[0]), -correlation_of(mi[0]), atol=ROUNDING)
    assert (np.abs(mi[0, 1:3]) > 0.04).all()


@SOME_STRATA
@ALL_KINDS
def test_the_order_of_cells_does_not_matter(kind, n_strata):
    X, strata = simulate(kind, 200), uneven(200, n_strata)
    order = np.random.default_rng(1).permutation(200)
    shuffled = information(X[order], strata=strata.take(order))
    assert shuffled.tobytes() == information(X, strata=strata).tobytes()


@SOME_STRATA
@ALL_KINDS
@pytest.mark.parametrize("replace", [False, True])
def test_information_in_a_sample_of_the_cells_is_that_of_the_sample_alone(kind, n_strata, replace):
    X, strata = simulate(kind, 150), uneven(150, n_strata)
    taken = np.sort(np.random.default_rng(1).choice(150, 90, replace=replace))
    sample = take_cells(rank_genes(as_csc(X), 1), taken, 1)
    alone = information(X[taken], strata=strata_of(strata.labels[taken], strata.n))
    assert signed_information(sample, strata.take(taken), np.arange(6), 1).tobytes() == alone.tobytes()


def all_scores(X: np.ndarray, depth: Depth, n_threads: int = 1, at_most: float = 1.0):
    """Information and ln p of all pairs."""
    return score(rank_genes(as_csc(X), 1), depth, np.arange(X.shape[1]), n_threads, at_most=at_most)


@ALL_KINDS
@pytest.mark.parametrize("replace", [False, True])
def test_scores_of_a_sample_of_the_cells_are_those_of_the_sample_alone(kind, replace):
    X, depth = simulate(kind, 150), Depth(uneven(150, 6), uneven(150, 16))
    taken = np.sort(np.random.default_rng(1).choice(150, 90, replace=replace))
    sample = take_cells(rank_genes(as_csc(X), 1), taken, 1)
    found = score(sample, depth.take(taken), np.arange(6), 1)
    alone = Depth(strata_of(depth.technical.labels[taken], 6), strata_of(depth.whole.labels[taken], 16))
    for matrix, expected in zip(found, all_scores(X[taken], alone), strict=True):
        assert matrix.tobytes() == expected.tobytes()


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
    depth = Depth(uneven(len(X), 6), uneven(len(X), 16))

    def found() -> list[bytes]:
        return [information(X).tobytes(), *(matrix.tobytes() for matrix in all_scores(X, depth))]

    expected = found()
    with monkeypatch.context() as only_dense:
        only_dense.setattr(copula, "DENSE_PAIRS", 0.0)
        only_dense.setattr(copula.kernels, "sparse_products", refuse)
        assert found() == expected
    monkeypatch.setattr(copula, "DENSE_PAIRS", 1.0)
    assert found() == expected
    monkeypatch.setattr(copula, "DENSE_PAIRS", 0.0)
    monkeypatch.setattr(copula, "MOST_DENSE", X.size - 1)
    assert found() == expected


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
@STRATA
def test_the_number_of_threads_does_not_change_a_byte(n_strata):
    X = wide(3 * GENES_PER_TASK + 5)
    regulators, strata = np.arange(0, X.shape[1], 3), uneven(len(X), n_strata)
    assert information(X, regulators, 2, strata).tobytes() == information(X, regulators, 1, strata).tobytes()


@pytest.mark.usefixtures("small_tasks")
@SOME_STRATA
def test_tiles_of_genes_do_not_show(n_strata):
    X = wide(2 * GENES_PER_TASK + 9)
    strata = uneven(len(X), n_strata)
    regulators = np.array([3, GENES_PER_TASK, 2 * GENES_PER_TASK + 8])  # one in each tile
    genes = np.arange(0, X.shape[1], 40)
    some = np.hstack([X[:, regulators], X[:, genes]])
    whole = [information(X, regulators, strata=strata)]
    alone = [information(some, range(3), strata=strata)]
    for matrices, of in ((whole, X), (alone, some)):
        positions = regulators if of is X else np.arange(3)
        matrices.append(score(rank_genes(as_csc(of), 1), Depth(strata, strata), positions, 1)[1])
    for matrix, expected in zip(whole, alone, strict=True):
        between = matrix[:, regulators]
        np.testing.assert_array_equal(between, between.T)
        np.testing.assert_array_equal(matrix[:, genes], np.where(genes == regulators[:, None], np.nan, expected[:, 3:]))


@ALL_KINDS
@pytest.mark.parametrize(
    ("n", "n_strata"), [(2, 1), (3, 1), (10, 1), (300, 1), (1000, 1), (10, 2), (300, 6), (1000, 16)]
)
def test_genes_of_the_same_order_have_the_largest_finite_information(n, n_strata, kind):
    x = simulate(kind, n)[:, 0] + (np.arange(n) == 0) * 10  # varies
    mi = information(np.column_stack([x, x, -x]), strata=uneven(n, n_strata))
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
    total, squares = sums_within(scores, one_stratum(n))
    offsets = [int(offset) for offset in scores.offsets]
    assert total[0, 0] == float(sum(offsets)) / np.sqrt(n)
    assert squares[0] == float(sum(offset**2 for offset in offsets)) - total[0, 0] ** 2


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


def pair_log_pvalues(X: np.ndarray, n_threads: int = 1, at_most: float = 1.0, strata: Strata | None = None):
    strata = strata or one_stratum(len(X))
    return all_scores(X, Depth(strata, strata), n_threads, at_most)[1]


def exact_deviance(u: float) -> float:
    """(1 + u) ln(1 + u) - u over u^2 / 2, in decimals of 60 digits."""
    with localcontext(prec=60):
        u = Decimal(u)
        return float(((1 + u) * (1 + u).ln() - u) / (u * u / 2))


def exact_log_outside_normal(half_square: float) -> float:
    """ln erfc(sqrt(half_square)), by the series of erf in decimals of 60 digits."""
    with localcontext(prec=60):
        x = Decimal(half_square).sqrt()
        term = total = x
        for n in itertools.count(1):
            term *= -x * x / n
            total += term / (2 * n + 1)
            if abs(term) < Decimal(10) ** -60:
                break
        pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
        return float((1 - 2 * total / pi.sqrt()).ln())


def test_the_deviance_of_a_poisson_keeps_its_digits_where_its_difference_cancels():
    sizes = np.concatenate([np.geomspace(1e-12, 0.999999, 300), np.linspace(0.15, 0.6, 300)])
    for u in np.concatenate([-sizes, sizes, 1 / sizes]).tolist():
        assert copula.kernels.poisson_deviance(u) == pytest.approx(exact_deviance(u), rel=2e-15, abs=0), u


def test_log_p_keeps_its_digits_where_p_is_close_to_one():
    for half_square in np.concatenate([np.geomspace(1e-15, 20, 300), np.linspace(0.2, 0.3, 50)]).tolist():
        expected = exact_log_outside_normal(half_square)
        assert copula.kernels.log_outside_normal(half_square) == pytest.approx(expected, rel=1e-15, abs=0), half_square


def log_pvalues(covariances: np.ndarray, x: Moments, y: Moments) -> np.ndarray:
    """ln p of covariances (x, y), of genes with these moments."""
    log_p = np.empty(covariances.shape)
    products = np.ascontiguousarray(covariances.T)
    copula.kernels.permutation_log_pvalues(
        products, np.zeros_like(x.spread), x, np.zeros_like(y.spread), y, MOST_CORRECTION, 0.0, 0, log_p
    )
    return log_p


def gene_moments(genes: np.ndarray, strata: Strata) -> tuple[np.ndarray, Moments]:
    """Squares within strata, and moments, of genes in the rounded steps of their scores."""
    scores = code_scores(rank_genes(as_csc(genes), 1))
    return sums_within(scores, strata).squares, moments_within(scores, strata)[1]


def repeated(moments: Moments, gene: int, n: int) -> Moments:
    """The moments of one gene, ``n`` times."""
    return Moments(*(np.repeat(of_genes[:, [gene]], n, axis=1) for of_genes in moments))


def pvalues_at(rho, x: np.ndarray, y: np.ndarray, strata: Strata | None = None) -> np.ndarray:
    """p-values that correlations of two genes would have."""
    rho = np.asarray(rho)
    squares, moments = gene_moments(np.column_stack([x, y]), strata or one_stratum(len(x)))
    covariances = rho[None] * np.sqrt(squares[0] * squares[1])
    return np.exp(log_pvalues(covariances, repeated(moments, 0, 1), repeated(moments, 1, len(rho)))[0])


PVALUE_KINDS = pytest.mark.parametrize("kind", ["distinct", "counts", "negative", "two-valued", "mixed", "rare"])


@PVALUE_KINDS
@pytest.mark.parametrize("n", [4, 5, 10, 64, 300, 3000])
def test_moments_are_those_of_normal_scores(n, kind):
    X = genes_of(kind, n)
    _, (spread, third, fourth, less) = gene_moments(X, one_stratum(n))
    assert spread.shape == third.shape == fourth.shape == less.shape == (1, X.shape[1])
    np.testing.assert_allclose(less / spread**2, np.sqrt(6 / (n + 1)), rtol=1e-12)
    x3 = third / spread**1.5 * np.sqrt((n - 2) / n) / (n - 1) ** 0.25
    x4 = fourth / spread**2 * np.sqrt(n * (n - 1) * (n + 1) / ((n - 2) * (n - 3)))
    for gene in range(X.shape[1]):
        scores = scores_of(X[:, gene])
        centred = scores - scores.mean()
        assert x3[0, gene] == pytest.approx(((centred / np.linalg.norm(centred)) ** 3).sum(), abs=2e-6), gene
        assert x4[0, gene] == pytest.approx(kstat(scores, 4) / kstat(scores, 2) ** 2, rel=1e-5, abs=1e-5), gene


@pytest.mark.parametrize("n", [1, 3, 4, 30])
def test_moments_of_constant_genes_are_zero(n):
    X = np.column_stack([np.zeros(n), np.full(n, 3.0), np.full(n, -1.0)])
    for strata in (one_stratum(n), uneven(n, 6)):
        np.testing.assert_array_equal(gene_moments(X, strata)[1], np.zeros((4, strata.n, 3)))


def exact_moments(X: np.ndarray, strata: Strata) -> Moments:
    """Moments of normal scores that are not rounded."""
    n = len(X)
    scores = rank_scores(rank_genes(as_csc(X), 1), ndtri(np.maximum(np.arange(2 * n + 1), 1) / (2 * (n + 1))))
    return moments_within(scores, strata)[1]


def pair_cumulants(moments: Moments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Variance, third and fourth cumulant of all pairs."""
    spread, third, fourth, less = moments
    return spread.T @ spread, third.T @ third, fourth.T @ fourth - less.T @ less


def assert_cumulants(X: np.ndarray, strata: Strata, expected_of) -> None:
    variance, third, fourth = pair_cumulants(exact_moments(X, strata))
    scores = [scores_of(gene) for gene in X.T]
    for i, j in itertools.combinations_with_replacement(range(X.shape[1]), 2):
        expected = expected_of(scores[i], scores[j], strata.labels)
        size = expected[0]
        assert variance[i, j] == pytest.approx(expected[0], rel=1e-9, abs=1e-12), (i, j)
        assert third[i, j] == pytest.approx(expected[1], rel=1e-9, abs=1e-9 * size**1.5 + 1e-15), (i, j)
        assert fourth[i, j] == pytest.approx(expected[2], rel=1e-9, abs=1e-9 * size**2 + 1e-15), (i, j)


TINY = [
    [1],
    [2],
    [3],
    [4],
    [5],
    [6],
    [3, 4],
    [2, 4],
    [1, 5],
    [4, 4],
    [2, 2, 2],
    [3, 3, 2],
    [1, 1, 4],
    [2, 0, 5],
    [5, 4],
]


@pytest.mark.parametrize("sizes", TINY, ids=str)
def test_cumulants_are_those_over_all_permutations_within_strata(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    n = len(labels)
    rng = np.random.default_rng(n)
    X = np.column_stack(
        [rng.normal(size=n), rng.poisson(0.7, n), np.arange(n) == 0, -rng.poisson(1.0, n), np.arange(n) % 2, labels]
    ).astype(float)
    order = rng.permutation(n)

    def over_all_permutations(x, y, of_cells):
        products = oracles.permuted_products(x, y, of_cells)
        centred = oracles.within(x, of_cells) @ oracles.within(y, of_cells)
        assert x @ y - products.mean() == pytest.approx(centred, abs=1e-9)
        return oracles.cumulants(products)

    assert_cumulants(X[order], strata_of(labels[order]), over_all_permutations)


@PVALUE_KINDS
@STRATA
@pytest.mark.parametrize("n", [40, 300])
def test_cumulants_within_strata_match_the_oracle(n, n_strata, kind):
    assert_cumulants(genes_of(kind, n)[:, :3], uneven(n, n_strata), oracles.cumulants_within)


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


@PVALUE_KINDS
@pytest.mark.parametrize(("n", "n_strata"), [(40, 2), (40, 16), (300, 6), (1000, 16)])
def test_pvalues_within_strata_match_the_oracle(n, n_strata, kind):
    X, strata = genes_of(kind, n), uneven(n, n_strata)
    X = X[:, varying_within(X, strata)][:, -4:]
    found = pair_log_pvalues(X, strata=strata)
    scores = [scores_of(gene) for gene in X.T]
    for i, j in itertools.combinations(range(len(scores)), 2):
        if oracles.cumulants_within(scores[i], scores[j], strata.labels)[0] == 0:  # they vary in different strata
            assert found[i, j] == 0.0 or np.isnan(found[i, j])
            continue
        expected = oracles.stratified_log_pvalue(scores[i], scores[j], strata.labels)
        assert found[i, j] == pytest.approx(expected, rel=1e-4, abs=1e-4), (i, j)


def trended(n: int, n_strata: int) -> tuple[Strata, np.ndarray]:
    """Strata of a depth, and its normal scores, whose trend within strata goes."""
    depth = np.random.default_rng([n, n_strata, 1]).lognormal(8.0, 1.0, n)
    return Strata.of(depth, n_strata, trend=True), scores_of(depth)


@PVALUE_KINDS
@pytest.mark.parametrize(("n", "n_strata"), [(20, 1), (60, 4), (1000, 16)])
def test_pvalues_less_a_trend_match_the_oracle(n, n_strata, kind):
    strata, trend = trended(n, n_strata)
    assert strata.n == n_strata
    X = genes_of(kind, n)
    X[:, -2] += np.round(trend, 1)  # goes with the depth
    X = X[:, varying_within(X, strata)][:, -4:]
    found = pair_log_pvalues(X, strata=strata)
    scores = [scores_of(gene) for gene in X.T]
    for i, j in itertools.combinations(range(len(scores)), 2):
        expected = oracles.stratified_log_pvalue(scores[i], scores[j], strata.labels, strata.trends[0])
        assert found[i, j] == pytest.approx(expected, rel=1e-4, abs=1e-4), (i, j)


@pytest.mark.parametrize("n_strata", [1, 4])
def test_genes_that_follow_the_depth_alone_are_not_significant_without_its_trend(n_strata):
    strata, trend = trended(120, n_strata)
    rng = np.random.default_rng(0)
    X = trend[:, None] + 0.5 * rng.normal(size=(120, 6))
    assert np.nanmax(pair_log_pvalues(X)) < np.log(1e-10)
    assert np.nanmin(pair_log_pvalues(X, strata=strata)) > np.log(1e-3)
    assert np.nanmin(pair_log_pvalues(X, strata=strata._replace(trends=strata.trends[:0]))) < np.log(1e-3)


@pytest.mark.parametrize("kind", ["distinct", "counts"])
def test_pvalues_less_a_trend_are_symmetric_and_the_same_in_any_number_of_threads(kind):
    X, (strata, _) = genes_of(kind, 200), trended(200, 6)
    log_p = pair_log_pvalues(X, strata=strata)
    np.testing.assert_array_equal(log_p, log_p.T)
    assert pair_log_pvalues(X, n_threads=2, strata=strata).tobytes() == log_p.tobytes()


def test_information_is_within_technical_strata_and_pvalues_are_within_those_of_the_whole_depth():
    X, technical, whole = genes_of("counts", 200), uneven(200, 6), uneven(200, 16)
    mi, log_p = all_scores(X, Depth(technical, whole))
    signed = information(X, strata=technical)
    np.testing.assert_array_equal(mi, np.abs(signed))
    np.testing.assert_array_equal(log_p, all_scores(X, Depth(whole, whole))[1])
    assert not np.array_equal(mi, all_scores(X, Depth(whole, whole))[0], equal_nan=True)


@pytest.mark.parametrize("n_strata", [1, 3])
@pytest.mark.parametrize("n", [4, 10, 100, 1000, 3000])
def test_pvalues_of_any_moments_match_the_oracle(n, n_strata):
    rng = np.random.default_rng([n, n_strata])

    def moments(m: int) -> Moments:
        third = rng.normal(0.0, 0.6, (n_strata, m)) * rng.choice([0.01, 1], m) * n**-0.25
        third[:, 0] = 0.0
        fourth = rng.normal(0.0, 3.0, (n_strata, m)) * n**-0.5
        fourth[:, 1] = 0.0
        spread = rng.exponential(1.0, (n_strata, m))
        return Moments(spread, third * spread**1.5, fourth * spread**2, np.sqrt(6 / (n + 1)) * spread**2)

    x, y = moments(20), moments(30)
    rho = rng.uniform(-1, 1, (20, 30)) ** 5
    variance, third, fourth = (
        x.spread.T @ y.spread, x.third.T @ y.third, x.fourth.T @ y.fourth - x.less.T @ y.less
    )  # fmt: skip
    found = log_pvalues(rho * np.sqrt((n - 1) * variance), x, y)
    g, k = third / variance**1.5, fourth / variance**2
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


def permuted_correlations(x: np.ndarray, y: np.ndarray, n_draws: int, strata: Strata | None = None) -> np.ndarray:
    """Correlations within strata of genes whose cells are permuted within strata."""
    labels = (strata or one_stratum(len(x))).labels
    x_scores, y_scores = (oracles.within(scores_of(gene), labels) for gene in (x, y))
    x_scores, y_scores = x_scores / np.linalg.norm(x_scores), y_scores / np.linalg.norm(y_scores)
    rng = np.random.default_rng(0)
    strata_cells = [np.flatnonzero(labels == label) for label in sorted(set(labels.tolist()))]

    def draws() -> np.ndarray:
        return sum(rng.permuted(np.tile(x_scores[c], (10_000, 1)), axis=1) @ y_scores[c] for c in strata_cells)

    return np.concatenate([draws() for _ in range(n_draws // 10_000)])


def sparse_counts(n: int, detected, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, n])
    return (rng.random(n) < detected) * (1.0 + rng.poisson(2.0, n))


def assert_calibrated(rho: np.ndarray, x: np.ndarray, y: np.ndarray, strata: Strata | None = None) -> None:
    rho = np.sort(rho)
    for p in (1e-2, 2e-3):
        m = int(len(rho) * p / 2)
        found = pvalues_at(rho[[m - 1, -m]], x, y, strata)
        # of equal values either all are as far or none: p of both is between those of the two
        slack = 1e-12
        low = 2 * np.array([(rho < rho[m - 1] - slack).mean(), (rho > rho[-m] + slack).mean()])
        high = 2 * np.array([(rho <= rho[m - 1] + slack).mean(), (rho >= rho[-m] - slack).mean()])
        assert (low / 1.5 < found).all(), p
        assert (found < 1.5 * high).all(), p


@pytest.mark.parametrize(
    ("n", "x_detected", "y_detected"),
    [(20, 1, 1), (20, 1, 0.5), (60, 1, 0.3), (60, 0.5, 0.3), (150, 0.3, 0.3), (150, 0.2, 0.5), (400, 0.1, 0.3)],
)
@pytest.mark.parametrize("turned", [1, -1])
def test_pvalues_are_those_over_random_permutations(n, x_detected, y_detected, turned):
    x, y = sparse_counts(n, x_detected, 1), turned * sparse_counts(n, y_detected, 2)
    if x_detected == 1:
        x = np.random.default_rng(1).normal(size=n)
    assert_calibrated(permuted_correlations(x, y, 200_000), x, y)


@pytest.mark.parametrize(
    ("n", "n_strata", "x_detected", "y_detected"),
    [(60, 2, 1, 0.3), (90, 6, 1, 1), (150, 6, 0.5, 0.5), (180, 6, 0.3, 0.3), (400, 16, 0.2, 0.3)],
)
@pytest.mark.parametrize("turned", [1, -1])
def test_pvalues_are_those_over_random_permutations_within_strata(n, n_strata, x_detected, y_detected, turned):
    strata = uneven(n, n_strata)
    deep = (1 + strata.labels) / n_strata * 1.5  # genes are found in more cells of deep strata
    x, y = sparse_counts(n, x_detected * deep, 1), turned * sparse_counts(n, y_detected * deep, 2)
    if x_detected == 1:
        x = np.random.default_rng(1).normal(size=n) + strata.labels
    rho = permuted_correlations(x, y, 100_000, strata)
    assert rho.mean() == pytest.approx(0.0, abs=5 / np.sqrt(len(rho)))
    assert_calibrated(rho, x, y, strata)


@PVALUE_KINDS
@pytest.mark.parametrize("n", [5, 10, 100, 1000])
def test_pvalues_fall_with_the_strength_of_either_sign(n, kind):
    X = genes_of(kind, n)
    squares, moments = gene_moments(X, one_stratum(n))
    mi = np.geomspace(1e-6, LARGEST, 250)
    for sign in (1, -1):
        for gene in range(X.shape[1]):
            covariances = sign * correlation_of(mi)[:, None] * np.sqrt(squares[gene] * squares)
            log_p = log_pvalues(covariances, repeated(moments, gene, 250), moments)
            assert (np.diff(log_p, axis=0) <= 1e-9).all(), (sign, gene)  # up to rounding
            assert (log_p[-1] < log_p[0]).all()
            assert (log_p <= 0).all()
            assert np.isfinite(log_p).all()
            assert log_p[0].min() > np.log(0.8)


def strongest_products(X: np.ndarray, strata: Strata) -> np.ndarray:
    """The least and the largest sum of products of scores that permutations within strata reach, of all pairs."""
    scores = np.column_stack([oracles.within(scores_of(gene), strata.labels) for gene in X.T])
    ends = np.zeros((2, X.shape[1], X.shape[1]))
    for label in set(strata.labels.tolist()):
        inside = np.sort(scores[strata.labels == label], axis=0)
        ends += inside.T @ inside[::-1], inside.T @ inside
    return ends


@PVALUE_KINDS
@pytest.mark.parametrize(("n", "n_strata"), [(40, 2), (100, 6), (1000, 16)])
def test_pvalues_within_strata_fall_as_far_as_permutations_go(n, n_strata, kind):
    X, strata = genes_of(kind, n), uneven(n, n_strata)
    X = X[:, varying_within(X, strata)]
    moments, ends = exact_moments(X, strata), strongest_products(X, strata)
    for gene in range(X.shape[1]):
        meet = np.abs(ends[:, gene]).min(axis=0) > 1e-9  # others vary in different strata
        others = Moments(*(np.ascontiguousarray(of_genes[:, meet]) for of_genes in moments))
        for end in ends[:, gene, meet]:
            covariances = np.geomspace(1e-3, 1.0, 40)[:, None] * end
            log_p = log_pvalues(covariances, repeated(moments, gene, 40), others)
            assert (np.diff(log_p, axis=0) <= 1e-9).all(), gene  # up to rounding
            assert (log_p[-1] < log_p[0]).all()
            assert (log_p <= 0).all()
            assert np.isfinite(log_p).all()
            assert log_p[0].min() > np.log(0.8)


@PVALUE_KINDS
@pytest.mark.parametrize(("n", "n_strata"), [(5, 1), (50, 1), (400, 1), (50, 6)])
@pytest.mark.parametrize("at_most", [0.9, 0.3, 0.05, 1e-4, 1e-30])
def test_pvalues_up_to_a_bound_are_exact_and_those_above_it_may_be_one(at_most, n, n_strata, kind):
    X, strata = genes_of(kind, n), uneven(n, n_strata)
    exact, found = pair_log_pvalues(X, strata=strata), pair_log_pvalues(X, at_most=at_most, strata=strata)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    replaced = ~np.isnan(exact) & (found != exact)
    assert (found[replaced] == 0.0).all()
    assert (exact[replaced] > np.log(at_most)).all()


@SOME_STRATA
def test_a_bound_spares_pvalues(n_strata):
    X, strata = np.random.default_rng(0).poisson(0.5, (100, 40)).astype(float), uneven(100, n_strata)
    exact, found = pair_log_pvalues(X, strata=strata), pair_log_pvalues(X, at_most=0.01, strata=strata)
    assert ((found == 0.0) & (exact < 0.0)).mean() > 0.5


@PVALUE_KINDS
@STRATA
@pytest.mark.parametrize("n", [5, 37, 300])
def test_pvalues_are_symmetric_to_the_last_bit(n, n_strata, kind):
    log_p = pair_log_pvalues(genes_of(kind, n), strata=uneven(n, n_strata))
    np.testing.assert_array_equal(log_p, log_p.T)


@SOME_STRATA
@ALL_KINDS
def test_a_gene_turned_over_keeps_its_pvalues(kind, n_strata):
    X, strata = simulate(kind, 150), uneven(150, n_strata)
    found, expected = (pair_log_pvalues(genes, strata=strata) for genes in (-X, X))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_pvalues_of_nothing_are_one():
    x, y = (Moments(np.full((1, m), size), *np.full((3, 1, m), 0.1)) for m, size in ((2, 1.0), (3, 2.0)))
    covariances = np.array([[0.0, 1.0, 5.0], [1.0, -5.0, -0.0]])
    log_p = log_pvalues(covariances, x, y)
    assert log_p[0, 0] == log_p[1, 2] == 0.0
    assert (log_p[[0, 1], [2, 1]] < np.log(0.01)).all()


@pytest.mark.parametrize("at_most", [1.0, 0.01])
@pytest.mark.parametrize("n", [16, 36, 100])  # squares: means are exact
def test_genes_without_correlation_have_no_information_and_the_pvalue_one(n, at_most):
    X = np.column_stack([np.arange(n) % 2, np.arange(n) // 2 % 2, np.zeros(n), np.arange(n) % 2]).astype(float)
    strata = one_stratum(n)
    mi, log_p = all_scores(X, Depth(strata, strata), at_most=at_most)
    assert mi[0, 1] == mi[1, 0] == log_p[0, 1] == log_p[1, 0] == 0.0
    np.testing.assert_array_equal(np.isnan(log_p), np.isnan(mi))
    assert np.isnan(log_p[2]).all()
    assert log_p[0, 3] < np.log(0.01)


@pytest.mark.usefixtures("small_tasks")
@SOME_STRATA
def test_the_number_of_threads_does_not_change_a_score(n_strata):
    X = wide(3 * GENES_PER_TASK + 5)
    depth = Depth(uneven(len(X), n_strata), uneven(len(X), 16))
    one, two = ([matrix.tobytes() for matrix in all_scores(X, depth, n_threads)] for n_threads in (1, 2))
    assert one == two


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 1000])
def test_pvalues_of_genes_of_the_same_order_are_probabilities(n):
    x = np.arange(n, dtype=float)
    X = np.column_stack([x, 2.0 * x, -x, x == 0, x == 1])
    log_p = pair_log_pvalues(X)[~np.eye(5, dtype=bool)]
    assert np.isfinite(log_p).all()
    assert (log_p <= 0).all()
    assert (log_p == 0).all() == (n < 4)


@SOME_STRATA
@pytest.mark.parametrize("at_most", [1.0, 0.05])
def test_scores_are_information_and_its_pvalues_without_constant_genes(at_most, n_strata):
    X = np.column_stack([wide(20), wide(20)[:, 18] * 2.0 + 1.0, np.full(60, 2.0)])
    ranks, regulators, strata = rank_genes(as_csc(X), 1), np.array([21, 18, 1]), uneven(60, n_strata)
    mi, log_p = GaussianCopula().score(ranks, Depth(strata, strata), regulators, Null({}), 0, 1, at_most)
    varies = varying_within(X, strata)
    signed = information(X, regulators, strata=strata)
    np.testing.assert_array_equal(np.isnan(mi), ~varies | ~varies[regulators][:, None] | np.isnan(signed))
    np.testing.assert_array_equal(mi, np.abs(signed))
    np.testing.assert_array_equal(np.isnan(log_p), np.isnan(mi))
    expected = pair_log_pvalues(X, at_most=at_most, strata=strata)[regulators]
    np.testing.assert_array_equal(log_p, np.where(np.isnan(mi), np.nan, expected))
    assert (log_p[1] < np.log(0.05)).any()


def test_information_of_the_estimator_is_within_technical_strata():
    X = wide(20)
    depth = Depth(uneven(60, 6), uneven(60, 16))
    found = GaussianCopula().information(rank_genes(as_csc(X), 1), depth, np.array([3, 18]), 0, 1)
    np.testing.assert_array_equal(found, np.abs(information(X, [3, 18], strata=depth.technical)))
