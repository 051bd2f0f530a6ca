from __future__ import annotations

import msviper_oracles
import narnea_oracles
import numpy as np
import pandas as pd
import pleiotropy_oracles
import pytest
import viper_oracles as oracle
from regulon_cases import coded

from pysces._csr import as_csr
from pysces._enrich.area import Area
from pysces._enrich.pleiotropy import Pleiotropy, prepare
from pysces._enrich.resampling import drawn_with_replacement
from pysces._enrich.scorers import Bootstrapped, ByArea, ByNarnea
from pysces._enrich.signatures import Centred, Unchanged

GENES = np.arange(60, dtype=np.int32)
EXACT = {"rtol": 0, "atol": 1e-11}


def some_regulons(seed: int = 0) -> list[pd.DataFrame]:
    edges = oracle.network(range(60), seed=seed).rename(columns={"target": "gene"})
    return [edges[edges["source"] == source] for source in edges["source"].unique()]


def z_scores(X):
    """Signature, what it makes of zero, and its values."""
    centre, spread = X.mean(axis=0), X.std(axis=0, ddof=1)
    signature = Centred(centre, spread)
    return signature, signature(np.zeros(60), GENES), (X - centre) / spread


@pytest.fixture(name="X", params=["smooth", "log"])
def cells_of_both_kinds(request):
    return oracle.cells(request.param)


# --- one signature ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalised", [True, False])
def test_by_area_scores_the_signature(X, normalised):
    (signature, zero, S), regulons = z_scores(X), some_regulons()
    found = ByArea(signature, GENES, zero, Area(zero, coded(regulons), normalised=normalised))(as_csr(X))
    np.testing.assert_allclose(found.nes, oracle.area(S, regulons, normalised=normalised), **EXACT)
    assert found.sd is None
    assert found.pes is None


@pytest.mark.parametrize("normalised", [True, False])
def test_genes_that_are_nan_in_a_cell_are_missing_there(normalised):
    X, regulons = oracle.cells("counts", 12), some_regulons()
    X[3, 10:40], X[7] = np.nan, np.nan
    X[[4, 5], regulons[2]["gene"].to_numpy()[:, np.newaxis]] = np.nan
    area = Area(np.zeros(60), coded(regulons), normalised=normalised)
    found = ByArea(Unchanged(60), GENES, np.zeros(60), area)(as_csr(X)).nes
    S = np.where(np.isnan(X).all(axis=1, keepdims=True), 0, X)
    expected = oracle.area(S, regulons, normalised=normalised)
    expected[7] = np.nan
    assert np.isnan(expected).sum() == 8 + 2
    np.testing.assert_allclose(found, expected, **EXACT)


@pytest.mark.parametrize("n", [20, 600])
def test_by_area_compares_with_null_scores(X, n):
    (signature, zero, S), regulons = z_scores(X), some_regulons()
    null = np.random.default_rng(0).normal(0.05, 0.3, (n, 8))
    found = ByArea(signature, GENES, zero, Area(zero, coded(regulons), normalised=False), null=null)(as_csr(X[:9])).nes
    es = oracle.area(S[:9], regulons, normalised=False)
    expected = [[msviper_oracles.against_null(x, own) for x, own in zip(cell, null.T, strict=True)] for cell in es]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("n", [20, 600])
def test_null_signatures_in_which_all_targets_are_missing_count_for_nothing(n):
    X = oracle.cells("smooth", 12)
    (signature, zero, S), regulons = z_scores(X), some_regulons()
    null = np.random.default_rng(0).normal(0.05, 0.3, (n, 8))
    null[3:9, 2] = np.nan
    found = ByArea(signature, GENES, zero, Area(zero, coded(regulons), normalised=False), null=null)(as_csr(X)).nes
    es = oracle.area(S, regulons, normalised=False)
    there = [own[~np.isnan(own)] for own in null.T]
    expected = [[msviper_oracles.against_null(x, own) for x, own in zip(cell, there, strict=True)] for cell in es]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


def test_by_area_corrects_for_pleiotropy():
    X, regulons = pleiotropy_oracles.active_cells("smooth"), pleiotropy_oracles.overlapping_regulons()
    signature, zero, S = z_scores(X)
    correction = prepare(coded(regulons), zero, Pleiotropy(regulators=5), np.ones(8, bool))
    found = ByArea(signature, GENES, zero, Area(zero, coded(regulons)), pleiotropy=correction)(as_csr(X)).nes
    expected = pleiotropy_oracles.corrected(S, regulons, regulators=5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert np.nanmax(np.abs(expected - oracle.area(S, regulons))) > 0.1  # there is something to correct


def test_by_narnea_scores_the_signature(X):
    (signature, zero, S), regulons = z_scores(X), some_regulons()
    found = ByNarnea(signature, GENES, zero, coded(regulons))(as_csr(X[:12]))
    nes, pes = narnea_oracles.narnea(S[:12], regulons)
    np.testing.assert_allclose(found.nes, nes, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.pes, pes, rtol=1e-9, atol=1e-10)
    assert found.sd is None


# --- many -------------------------------------------------------------------------------------------------------------


def moments_of(X, counts):
    return [oracle.resampled(X, of_sample) for of_sample in counts]


def bootstrapped(moments, regulons):
    mean, sd = map(np.array, zip(*moments, strict=True))
    return Bootstrapped(mean, sd, coded(regulons))


def test_bootstrapped_scores_are_the_mean_and_sd_over_samples(X):
    regulons = [r[r["gene"] >= 8] for r in some_regulons()]
    moments = moments_of(X, drawn_with_replacement(len(X), 4, np.random.default_rng(0)))
    found = bootstrapped(moments, regulons)(as_csr(X))
    nes, sd = oracle.bootstrapped(X, moments, regulons)
    np.testing.assert_allclose(found.nes, nes, **EXACT)
    np.testing.assert_allclose(found.sd, sd, **EXACT)
    assert found.pes is None


def test_a_gene_that_is_constant_in_a_sample_is_missing_from_it_alone():
    X = oracle.cells("log")
    X[:, 20] = np.where(np.arange(40) < 3, 1.0, 0.0)
    counts = np.ones((3, 40))
    counts[1, :3], counts[1, 3:6] = 0, 2  # in this sample gene 20 is 0
    regulons = [pd.DataFrame({"gene": [20, 30, 31], "weight": [1.0, 0.3, -1], "likelihood": [1.0, 0.2, 0.7]})]
    moments = moments_of(X, counts)
    assert [np.isnan(spread[20]) for _, spread in moments] == [False, True, False]
    found = bootstrapped(moments, regulons)(as_csr(X))
    expected = [oracle.area((X - centre) / spread, regulons) for centre, spread in moments]
    np.testing.assert_allclose(found.nes, np.mean(expected, axis=0), **EXACT)
    np.testing.assert_allclose(found.sd, np.std(expected, axis=0, ddof=1), **EXACT)


def test_samples_that_are_alike_give_the_score_and_no_spread(X):
    regulons = some_regulons()
    signature, zero, _ = z_scores(X)
    alone = ByArea(signature, GENES, zero, Area(zero, coded(regulons)))(as_csr(X)).nes
    found = bootstrapped([(signature.centre, signature.spread)] * 3, regulons)(as_csr(X))
    np.testing.assert_array_equal(found.nes, alone)
    assert not found.sd.any()


# --- blocks -----------------------------------------------------------------------------------------------------------


def test_a_cell_scores_the_same_in_any_block(X):
    (signature, zero, _), regulons = z_scores(X), some_regulons()
    area, every = Area(zero, coded(regulons)), np.ones(8, bool)
    scorers = [
        ByArea(signature, GENES, zero, area),
        ByArea(signature, GENES, zero, area, null=np.random.default_rng(0).normal(size=(20, 8))),
        ByArea(signature, GENES, zero, area, pleiotropy=prepare(coded(regulons), zero, Pleiotropy(5, 2), every)),
        ByNarnea(signature, GENES, zero, coded(regulons)),
        bootstrapped(moments_of(X, drawn_with_replacement(len(X), 3, np.random.default_rng(0))), regulons),
    ]  # fmt: skip
    for scorer in scorers:
        whole = scorer(as_csr(X))
        for cells in (slice(0, 1), slice(5, 22), slice(39, 40), slice(7, 7)):
            for of_all, of_block in zip(whole, scorer(as_csr(X[cells])), strict=True):
                assert (of_all is None) == (of_block is None)
                if of_all is not None:
                    assert of_block.tobytes() == of_all[cells].tobytes()
