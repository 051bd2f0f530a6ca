"""Spearman correlation of edges on sparse ranks, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from pysces._csr import as_csc
from pysces._infer.correlation import EDGES_PER_TASK, spearman
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


def all_pairs(n_genes: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.indices((n_genes, n_genes)).reshape(2, -1))


@KINDS
def test_correlation_matches_scipy(kind):
    X = simulate(kind, 150, 12)
    sources, targets = all_pairs(12)
    found = spearman(rank_genes(as_csc(X), 1), sources, targets, 1)
    np.testing.assert_allclose(found, spearmanr(X).statistic.ravel(), atol=ROUNDING)


@KINDS
def test_correlation_in_a_subset_of_cells_matches_scipy(kind):
    X = simulate(kind, 150, 12)
    taken = np.sort(np.random.default_rng(1).choice(150, 60, replace=False))
    sources, targets = all_pairs(12)
    found = spearman(take_cells(rank_genes(as_csc(X), 1), taken, 1), sources, targets, 1)
    np.testing.assert_allclose(found, spearmanr(X[taken]).statistic.ravel(), atol=ROUNDING)


@pytest.mark.parametrize(("sign", "expected"), [(1, 1.0), (-1, -1.0)])
def test_monotone_genes_correlate_fully_and_not_beyond(sign, expected):
    x = np.random.default_rng(0).poisson(1.0, (101, 1)).astype(float)
    X = np.hstack([x, sign * x**3])
    found = spearman(rank_genes(as_csc(X), 1), np.array([0]), np.array([1]), 1)
    np.testing.assert_allclose(found, expected, atol=ROUNDING)
    assert abs(found[0]) <= 1.0


def test_threads_and_blocks_of_edges_do_not_change_a_byte():
    ranks = rank_genes(as_csc(simulate("sparse", 60, 70)), 1)
    sources, targets = all_pairs(70)
    assert len(sources) > EDGES_PER_TASK
    whole = spearman(ranks, sources, targets, 2)
    assert whole.tobytes() == spearman(ranks, sources, targets, 1).tobytes()
    few = np.array([0, 33, EDGES_PER_TASK - 1, EDGES_PER_TASK, len(sources) - 1])
    np.testing.assert_array_equal(whole[few], spearman(ranks, sources[few], targets[few], 1))


def test_no_edges_give_no_correlations():
    none = np.empty(0, np.intp)
    assert spearman(rank_genes(as_csc(simulate("sparse", 20, 3)), 1), none, none, 1).shape == (0,)
