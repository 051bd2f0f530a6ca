"""Sums of scores and the Spearman correlation of edges within strata of cells, on sparse ranks: against definitions."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from scipy.stats import rankdata, spearmanr

from pysces._csr import as_csc
from pysces._infer.correlation import EDGES_PER_TASK, rank_scores, spearman, sums_within
from pysces._infer.depth import Depth, Strata
from pysces._infer.ranks import rank_genes, take_cells

ROUNDING = 1e-12  # sums of a few hundred half-integers are exact; what is left is one division


def simulate(kind: str, n_cells: int, n_genes: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    common = rng.normal(size=(n_cells, 1))
    X = rng.choice([-1.0, 1.0], n_genes) * common + rng.exponential(1.0, n_genes) * rng.normal(size=(n_cells, n_genes))
    match kind:
        case "distinct":
            return X
        case "sparse":
            return np.maximum(np.round(2 * X) - 2, 0.0)
        case "negative":
            return np.round(X)
        case "without zero":
            return np.round(X) + 0.5
        case "below zero":
            return np.round(X) - 20
    raise ValueError(kind)


KINDS = pytest.mark.parametrize("kind", ["distinct", "sparse", "negative", "without zero", "below zero"])


N_STRATA = pytest.mark.parametrize("n_strata", [2, 6, 16])


def one_stratum(n: int) -> Strata:
    return Depth.none(n).technical


def strata_of(labels, n_strata: int) -> Strata:
    return one_stratum(len(labels))._replace(labels=np.asarray(labels, np.int32), n=n_strata)


def uneven(n: int, n_strata: int) -> Strata:
    """Strata of unequal sizes, cells in random order; of six or more one is empty, and others hold 1, 2, 3 cells."""
    rng = np.random.default_rng([n, n_strata])
    if n_strata < 6:
        return strata_of(rng.random(n) ** 2 * n_strata, n_strata)
    labels = rng.choice([0, *range(5, n_strata)], n).astype(np.int32)
    labels[rng.permutation(n)[:6]] = [2, 3, 3, 4, 4, 4]
    return strata_of(labels, n_strata)


def assert_matches_within(found: np.ndarray, X: np.ndarray, strata: Strata) -> None:
    expected = [[oracles.spearman_within(x, y, strata.labels) for y in X.T] for x in X.T]
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found, np.ravel(expected), atol=ROUNDING)


def all_pairs(n_genes: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.indices((n_genes, n_genes)).reshape(2, -1))


@KINDS
def test_correlation_matches_scipy(kind):
    X = simulate(kind, 150, 12)
    sources, targets = all_pairs(12)
    found = spearman(rank_genes(as_csc(X), 1), one_stratum(150), sources, targets, 1)
    np.testing.assert_allclose(found, spearmanr(X).statistic.ravel(), atol=ROUNDING)


@KINDS
def test_correlation_in_a_subset_of_cells_matches_scipy(kind):
    X = simulate(kind, 150, 12)
    taken = np.sort(np.random.default_rng(1).choice(150, 60, replace=False))
    sources, targets = all_pairs(12)
    found = spearman(take_cells(rank_genes(as_csc(X), 1), taken, 1), one_stratum(60), sources, targets, 1)
    np.testing.assert_allclose(found, spearmanr(X[taken]).statistic.ravel(), atol=ROUNDING)


@KINDS
@N_STRATA
@pytest.mark.parametrize("n", [40, 150])
def test_correlation_within_strata_matches_the_oracle(n, n_strata, kind):
    X, strata = simulate(kind, n, 9), uneven(n, n_strata)
    assert_matches_within(spearman(rank_genes(as_csc(X), 1), strata, *all_pairs(9), 1), X, strata)


@KINDS
@pytest.mark.parametrize("replace", [False, True])
def test_correlation_within_strata_of_a_sample_of_the_cells_matches_the_oracle(kind, replace):
    X, strata = simulate(kind, 150, 9), uneven(150, 6)
    taken = np.sort(np.random.default_rng(1).choice(150, 90, replace=replace))
    sample = take_cells(rank_genes(as_csc(X), 1), taken, 1)
    found = spearman(sample, strata.take(taken), *all_pairs(9), 1)
    assert_matches_within(found, X[taken], strata_of(strata.labels[taken], 6))


@KINDS
def test_correlation_within_strata_is_symmetric_to_the_last_bit(kind):
    found = spearman(rank_genes(as_csc(simulate(kind, 150, 12)), 1), uneven(150, 16), *all_pairs(12), 1)
    np.testing.assert_array_equal(found, found.reshape(12, 12).T.ravel())


def test_strata_hide_what_differs_between_them():
    strata = uneven(300, 2)
    X = np.random.default_rng(0).normal(size=(300, 2))
    ranks = rank_genes(as_csc(X + 10.0 * strata.labels[:, None]), 1)
    whole, inside = (spearman(ranks, of, np.array([0]), np.array([1]), 1)[0] for of in (one_stratum(300), strata))
    assert whole > 0.5
    assert abs(inside) < 0.2


@pytest.mark.parametrize("n_strata", [1, 2, 6])
@pytest.mark.parametrize(("sign", "expected"), [(1, 1.0), (-1, -1.0)])
def test_monotone_genes_correlate_fully_and_not_beyond(sign, expected, n_strata):
    x = np.random.default_rng(0).poisson(1.0, (101, 1)).astype(float)
    X = np.hstack([x, sign * x**3])
    found = spearman(rank_genes(as_csc(X), 1), uneven(101, n_strata), np.array([0]), np.array([1]), 1)
    np.testing.assert_allclose(found, expected, atol=ROUNDING)
    assert abs(found[0]) <= 1.0


@pytest.mark.parametrize("n_strata", [1, 6])
def test_threads_and_blocks_of_edges_do_not_change_a_byte(n_strata):
    ranks, strata = rank_genes(as_csc(simulate("sparse", 60, 70)), 1), uneven(60, n_strata)
    sources, targets = all_pairs(70)
    assert len(sources) > EDGES_PER_TASK
    whole = spearman(ranks, strata, sources, targets, 2)
    assert whole.tobytes() == spearman(ranks, strata, sources, targets, 1).tobytes()
    few = np.array([0, 33, EDGES_PER_TASK - 1, EDGES_PER_TASK, len(sources) - 1])
    np.testing.assert_array_equal(whole[few], spearman(ranks, strata, sources[few], targets[few], 1))


def test_no_edges_give_no_correlations():
    none = np.empty(0, np.intp)
    assert spearman(rank_genes(as_csc(simulate("sparse", 20, 3)), 1), one_stratum(20), none, none, 1).shape == (0,)


@KINDS
def test_scores_are_those_of_average_ranks_less_that_of_zero(kind):
    X = simulate(kind, 150, 12)
    steps = np.random.default_rng(2).normal(size=301)
    scores = rank_scores(rank_genes(as_csc(X), 1), steps)
    assert (scores.n_genes, scores.n_cells) == (12, 150)
    for gene, x in enumerate(X.T):
        expected = steps[(2 * rankdata(x)).astype(int)]
        expected -= expected[x == 0][0] if (x == 0).any() else 0.0
        entries = slice(scores.indptr[gene], scores.indptr[gene + 1])
        np.testing.assert_array_equal(scores.cells[entries], np.flatnonzero(x))
        np.testing.assert_array_equal(scores.offsets[entries], expected[x != 0])


@KINDS
@pytest.mark.parametrize("n_strata", [1, 2, 6, 16])
def test_sums_within_strata_are_those_of_scores(kind, n_strata):
    X, strata = simulate(kind, 150, 12), uneven(150, n_strata)
    scores = rank_scores(rank_genes(as_csc(X), 1), np.arange(301) / 2)
    total, squares = sums_within(scores, strata)
    assert total.shape == (n_strata, 12)
    for gene, x in enumerate(X.T):
        ranks = rankdata(x)
        assert squares[gene] == pytest.approx((oracles.within(ranks, strata.labels) ** 2).sum(), rel=ROUNDING)
        offsets = ranks - (ranks[x == 0][0] if (x == 0).any() else 0.0)
        for label in range(n_strata):
            inside = strata.labels == label
            expected = offsets[inside].sum() / np.sqrt(inside.sum()) if inside.any() else 0.0
            assert total[label, gene] == pytest.approx(expected, rel=ROUNDING, abs=ROUNDING)


@KINDS
@pytest.mark.parametrize("n_strata", [1, 4])
def test_sums_within_strata_less_a_trend_are_those_of_residuals(kind, n_strata):
    X = simulate(kind, 150, 12)
    strata = Strata.of(np.random.default_rng(3).normal(size=150), n_strata, trend=True)
    total, squares = sums_within(rank_scores(rank_genes(as_csc(X), 1), np.arange(301) / 2), strata)
    assert total.shape == (n_strata + 1, 12)
    for gene, x in enumerate(X.T):
        ranks = rankdata(x)
        offsets = ranks - (ranks[x == 0][0] if (x == 0).any() else 0.0)
        assert total[-1, gene] == pytest.approx(offsets @ strata.trends[0], rel=1e-9, abs=1e-9)
        residuals = oracles.without_trend(ranks, strata.labels, strata.trends[0])
        assert squares[gene] == pytest.approx(residuals @ residuals, rel=1e-9)


@pytest.mark.parametrize("sizes", [[3, 4], [7, 9, 5], [30, 31], [100, 117, 33], [1, 2, 3, 60]])
def test_squares_of_genes_that_are_constant_in_every_stratum_are_zero(sizes):
    labels = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    lone = np.arange(len(labels)) == len(labels) - 1
    X = np.column_stack([labels, 3.0 - labels, labels == 1, labels + 1.0, np.ones(len(labels)), labels + lone])
    scores = rank_scores(rank_genes(as_csc(X), 1), np.arange(2 * len(labels) + 1) / 2)
    squares = sums_within(scores, strata_of(labels, len(sizes))).squares
    np.testing.assert_array_equal(squares[:5], 0.0)
    assert squares[5] > 0
