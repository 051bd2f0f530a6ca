from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import viper_oracles as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from regulon_cases import coded, regulon
from scipy.special import ndtri

from pysces._csr import as_csr
from pysces._enrich.area import farthest_rank, normalisation, normalised_scores

if TYPE_CHECKING:
    import pandas as pd


def some_regulons(n_genes: int, *, seed: int = 0) -> list[pd.DataFrame]:
    edges = oracle.network(range(n_genes), seed=seed).rename(columns={"target": "gene"})
    return [edges[edges["source"] == source] for source in edges["source"].unique()]


def scores(S, regulons, *, n_threads=1, least_far=0):
    """Through the sparse form: stored are the entries that differ from a constant per gene."""
    S = np.asarray(S, np.float64)
    zero = S[0].copy()
    stored = as_csr(np.not_equal(S, zero))
    rows = np.repeat(np.arange(len(S)), np.diff(stored.indptr))
    signature = stored._replace(data=S[rows, stored.indices])
    return normalised_scores(signature, zero, coded(regulons), n_threads, least_far=least_far)


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
def test_scores_are_those_of_the_definition(kind):
    S, regulons = oracle.cells(kind), some_regulons(60)
    np.testing.assert_allclose(scores(S, regulons), oracle.area(S, regulons), rtol=0, atol=1e-12)


@pytest.mark.parametrize("least_far", [0, 20, 50, 59])
def test_one_tail_is_measured_from_the_farthest_rank_or_farther(least_far):
    S, regulons = oracle.cells("counts"), some_regulons(60)
    expected = oracle.area(S, regulons, least_far / 61)
    np.testing.assert_allclose(scores(S, regulons, least_far=least_far), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["smooth", "counts"])
def test_farthest_rank_is_over_all_cells(kind):
    X = oracle.cells(kind)
    assert farthest_rank(as_csr(X), np.zeros(60)) == round(61 * oracle.farthest(X))
    assert farthest_rank(as_csr(X[:0]), np.zeros(60)) == 0


def test_score_of_one_target_is_the_normal_quantile_of_its_rank():
    S = [[0.1, 0.2, 0.3], [3.0, 2.0, 1.0]]
    found = scores(S, [regulon([2]), regulon([2], -1.0), regulon([1])])
    upper = ndtri(0.75)
    np.testing.assert_allclose(found, [[upper, -upper, 0], [-upper, upper, 0]], atol=1e-15)


def test_score_has_the_root_of_the_number_of_equal_targets():
    found = scores([np.arange(9.0)], [regulon([5, 6, 7, 8])])
    np.testing.assert_allclose(found, [[ndtri(np.arange(6, 10) / 10).mean() * 2]], rtol=1e-14)


def test_targets_without_direction_score_when_they_are_at_either_extreme():
    extreme, middle = scores([np.arange(9.0)], [regulon([0, 8], 0.0), regulon([4], 0.0)])[0]
    assert extreme > 0  # no shift: the sign is +
    assert middle == 0  # a negative spread counts for nothing


def test_likelihoods_count_only_relative_to_each_other():
    S = oracle.cells("smooth")
    one, half = (regulon([1, 5, 9], [1, -0.5, 0.2], scale * np.array([1.0, 0.5, 0.3])) for scale in (1.0, 0.5))
    np.testing.assert_allclose(scores(S, [one]), scores(S, [half]), rtol=1e-13)


def test_cells_in_which_all_genes_are_tied_score_zero():
    assert scores(np.full((1, 10), 2.0), [regulon([0, 1]), regulon([2, 3], 0.3)]).tolist() == [[0.0, 0.0]]


def test_regulons_without_targets_have_no_score():
    S = oracle.cells("smooth")
    found = scores(S, [regulon([1, 2]), regulon([]), regulon([3])])
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_array_equal(found[:, [0, 2]], scores(S, [regulon([1, 2]), regulon([3])]))


def test_normalisation_is_by_the_likelihoods():
    factors = normalisation(coded([regulon([0, 1], 1.0, [0.5, 0.25]), regulon([]), regulon(range(9))]))
    np.testing.assert_allclose(factors, [np.sqrt(1.25) / 0.75, np.nan, 1 / 3], rtol=1e-15)


def test_scores_do_not_depend_on_the_number_of_threads():
    S, regulons = oracle.cells("log", n_cells=100), some_regulons(60)
    assert scores(S, regulons).tobytes() == scores(S, regulons, n_threads=2).tobytes()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["smooth", "counts"]))
def test_mirrored_signatures_mirror_the_scores(seed, kind):
    S = oracle.cells(kind, n_cells=3, n_genes=20, seed=seed)
    regulons = [regulon(r["gene"], np.where(r["weight"] < 0, -1.0, 1.0), r["likelihood"]) for r in some_regulons(20)]
    np.testing.assert_allclose(scores(-S, regulons), -scores(S, regulons), rtol=0, atol=1e-12)
