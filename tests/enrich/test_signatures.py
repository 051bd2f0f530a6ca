from __future__ import annotations

import numpy as np
import pytest
import viper_oracles as oracle

from pysces._csr import as_csc, as_csr
from pysces._enrich.moments import Moments
from pysces._enrich.signatures import FROM_COLUMNS, FROM_MOMENTS, from_columns, from_moments

SIGNATURES = ["none", "mean", "scale", "ttest", "rank", "mad"]


def learn(reference, name, *, against_reference=False):
    if name in FROM_COLUMNS:
        return from_columns(name, as_csc(reference))
    moments = Moments(reference.shape[1])
    moments.add(as_csr(reference))
    return from_moments(name, moments, against_reference=against_reference)


def apply(signature, X):
    """All of X through the signature, missing genes as NaN."""
    genes = np.broadcast_to(np.arange(X.shape[1], dtype=np.int32), X.shape).ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        S = signature(X.ravel().astype(np.float64), genes).reshape(X.shape)
    S[:, signature.missing] = np.nan
    return S


def test_every_signature_is_tested():
    assert set(SIGNATURES) == {*FROM_MOMENTS, *FROM_COLUMNS}


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize("name", SIGNATURES)
def test_signature_against_all_cells_is_its_definition(name, kind):
    X = oracle.cells(kind)
    X[:, 10], X[:, 11] = 0.0, 2.5
    # 1e-9: an outlier's own share cancels from the deviance in the closed form of the t
    np.testing.assert_allclose(apply(learn(X, name), X), oracle.signature(X, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize("name", [name for name in SIGNATURES if name != "none"])
def test_signature_against_a_reference_is_its_definition(name, kind):
    X = oracle.cells(kind)
    reference = np.arange(len(X)) % 3 == 0
    found = apply(learn(X[reference], name, against_reference=True), X)
    # 1e-9: a signature may be rounded so that ties stay ties
    np.testing.assert_allclose(found, oracle.signature(X, name, reference), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "constant_is_missing"),
    [("none", False), ("mean", False), ("scale", True), ("ttest", True), ("rank", False), ("mad", True)],
)
def test_constant_genes_are_missing_where_the_spread_divides(name, constant_is_missing):
    X = oracle.cells("smooth", n_genes=4)
    X[:, 1], X[:, 2] = 0.0, 1 / 3
    assert learn(X, name).missing.tolist() == [False, constant_is_missing, constant_is_missing, False]


def test_mad_leaves_out_genes_that_are_zero_in_most_cells():
    X = np.zeros((9, 2))
    X[:4, 0], X[:5, 1] = np.arange(1, 5), np.arange(1, 6)
    assert learn(X, "mad").missing.tolist() == [True, False]


def test_a_cell_that_alone_differs_is_infinitely_far_from_the_others():
    X = np.zeros((5, 2))
    X[2] = [0.3, -0.3]
    S = apply(learn(X, "ttest"), X)
    assert S[2].tolist() == [np.inf, -np.inf]
    assert np.isfinite(np.delete(S, 2, axis=0)).all()


def test_rank_of_a_value_between_those_of_the_reference_lies_between_their_ranks():
    signature = learn(np.array([[-1.0], [0.0], [0.0], [2.0]]), "rank")
    X = np.array([[-2.0], [-1.0], [-0.5], [0.0], [1.0], [2.0], [3.0]])
    assert apply(signature, X).ravel().tolist() == [0.5, 1.0, 1.5, 2.5, 3.5, 4.0, 4.5]


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize("name", SIGNATURES)
def test_genes_with_the_same_values_have_the_same_signature_to_the_last_bit(name, kind):
    rng = np.random.default_rng(0)
    for gene in oracle.cells(kind, n_cells=60, n_genes=20).T:
        copies = np.stack([rng.permutation(gene) for _ in range(10)], axis=1)
        S = np.sort(apply(learn(copies, name), copies), axis=0)
        np.testing.assert_array_equal(S, np.broadcast_to(S[:, :1], S.shape))
