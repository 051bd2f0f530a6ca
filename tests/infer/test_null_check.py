"""Pairs scored as they are and with permuted regulators."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

from pysces._csr import as_csc
from pysces._infer.depth import Depth, Strata
from pysces._infer.estimator import GaussianCopula, Partition
from pysces._infer.null import tied_null
from pysces._infer.null_check import check_null, permuted_within
from pysces._infer.ranks import rank_genes

ESTIMATORS = pytest.mark.parametrize(
    "estimator",
    [GaussianCopula(), Partition("aracne3", "block"), Partition("aracne-ap", "block"), Partition("aracne3", "random")],
    ids=["gcmi", "aracne3", "aracne-ap", "random"],
)
N_CELLS, N_GENES = 200, 120


@pytest.fixture(scope="module")
def counts():
    """Counts whose depth differs, with dependence on gene 0, and two constant genes."""
    rng = np.random.default_rng(2)
    depth = rng.lognormal(0, 0.6, N_CELLS)[:, None]
    X = rng.poisson(depth * rng.lognormal(-0.5, 1, N_GENES))
    X[:, 1] = rng.poisson(X[:, 0] + 0.1)
    X[:, [7, 90]] = 0
    return X


def depth_of(X):
    return Depth.given(X.sum(axis=1).astype(float))


def values_of(ranks):
    """The levels as a matrix of cells x genes."""
    X = np.tile(ranks.zero_level, (ranks.n_cells, 1))
    for gene in range(ranks.n_genes):
        inside = slice(ranks.indptr[gene], ranks.indptr[gene + 1])
        X[ranks.cells[inside], gene] = ranks.levels[inside]
    return X


def check(X, estimator, regulators=range(60), targets=range(N_GENES), depth=None, seed=0):
    known = depth or (depth_of(X) if estimator.uses_depth else Depth.none(N_CELLS))
    return check_null(
        rank_genes(as_csc(X), 1), known, estimator, np.array(regulators), np.array(targets),
        np.random.default_rng(seed), 1,
    )  # fmt: skip


def test_permuted_genes_keep_their_values_in_every_stratum(counts):
    ranks, labels = rank_genes(as_csc(counts), 1), Strata.of(counts.sum(axis=1).astype(float), 6).labels
    permuted = permuted_within(ranks, labels, np.random.default_rng(0))
    before, after = values_of(ranks), values_of(permuted)
    for label in range(6):
        inside = labels == label
        np.testing.assert_array_equal(np.sort(after[inside], axis=0), np.sort(before[inside], axis=0))
    assert all(
        (np.diff(permuted.cells[i:j]) > 0).all() for i, j in zip(permuted.indptr, permuted.indptr[1:], strict=False)
    )


def test_each_gene_is_permuted_in_its_own_order():
    X = np.tile(np.arange(1, 51)[:, None], (1, 3))
    after = values_of(permuted_within(rank_genes(as_csc(X), 1), np.zeros(50, np.int32), np.random.default_rng(0)))
    assert (after[:, 0] != after[:, 1]).any()
    assert (after[:, 1] != after[:, 2]).any()
    assert (after[:, 0] != values_of(rank_genes(as_csc(X), 1))[:, 0]).any()


@ESTIMATORS
def test_all_pairs_that_vary_are_scored_but_for_a_gene_with_itself(counts, estimator):
    found = check(counts, estimator, regulators=[0, 3, 7], targets=[0, 1, 3, 50, 90])
    assert len(found.observed.mi) == len(found.observed.log_p) == 2 * 4 - 2
    assert len(found.permuted.mi) == len(found.permuted.log_p) == 2 * 4
    assert np.isfinite(found.observed.mi).all()


def test_observed_pairs_are_those_of_the_data(counts):
    found = check(counts, Partition("aracne3", "block"), regulators=[0], targets=[1, 2])
    expected = [oracles.apmi(counts[:, 0], counts[:, target]) for target in (1, 2)]
    np.testing.assert_allclose(found.observed.mi, expected, atol=1e-12)


@ESTIMATORS
def test_permuted_pairs_have_the_p_values_of_chance(counts, estimator):
    found = check(counts, estimator)
    for level in (0.1, 0.01):
        share = (found.permuted.log_p <= np.log(level)).mean()
        assert level / 1.5 < share < level * 1.5
    assert found.observed.log_p.min() < np.log(1e-10) < found.permuted.log_p.min()


def test_a_null_that_knows_nothing_of_depth_does_not_hold_within_depth(counts):
    found = check(counts, Partition("aracne3", "block"), depth=depth_of(counts))
    assert (found.permuted.log_p <= np.log(0.01)).mean() > 0.1


@pytest.mark.parametrize("ties", ["block", "random"])
def test_the_prediction_is_the_mean_p_of_the_pairs(counts, ties):
    found = check(counts, Partition("aracne3", ties))
    information, p = found.predicted
    assert (information[0], information[-1]) == (found.permuted.mi.min(), found.permuted.mi.max())
    assert p[0] == pytest.approx(1, abs=1e-3)
    assert (np.diff(p) <= 0).all()
    for level in (0.1, 0.01):
        at = information[np.argmax(p <= level)]
        assert level / 1.6 < (found.permuted.mi >= at).mean() < level * 1.6


def test_the_prediction_of_one_pair_is_its_p(counts):
    found = check(counts, Partition("aracne3", "block"), regulators=[0], targets=[5])
    null = tied_null(rank_genes(as_csc(counts), 1), N_CELLS, "aracne3", 1)
    assert len(null.tails) > 1
    assert found.predicted[1][-1] == pytest.approx(np.exp(found.permuted.log_p[0]))


def test_the_copula_predicts_nothing_by_information_alone(counts):
    assert check(counts, GaussianCopula()).predicted is None


def test_pairs_that_cannot_be_tested_leave_nothing(counts):
    found = check(counts, Partition("aracne3", "block"), regulators=[7], targets=[90])
    assert len(found.observed.mi) == len(found.permuted.mi) == 0
    assert found.predicted is None
