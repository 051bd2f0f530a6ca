"""How much of the ranked genes a regulon holds, and when all genes are ranked for that reason."""

from __future__ import annotations

import numpy as np
import pytest

from pysces._csr import as_csr
from pysces._enrich.area import Area
from pysces._enrich.coverage import genes_to_rank, shares
from pysces._regulons import Regulons


def regulon(weights, likelihood=1.0):
    n = len(weights)
    return Regulons(
        np.array([0, n]), np.arange(n, dtype=np.int32), np.asarray(weights, float), np.full(n, float(likelihood))
    )


@pytest.mark.parametrize("n_targets", [6, 24, 48])
def test_one_minus_the_share_is_the_variance_of_nes_over_random_targets(n_targets):
    n_genes = 60
    own, rng = regulon(np.ones(n_targets)), np.random.default_rng(0)
    cells = as_csr(rng.permuted(np.tile(np.arange(1.0, n_genes + 1), (20_000, 1)), axis=1))
    of_one = regulon([1.0])
    variance, variance_of_one = (Area(np.zeros(n_genes), of)(cells).var() for of in (own, of_one))
    expected = variance / variance_of_one * (1 - 1 / n_genes)
    assert 1 - shares(own, n_genes)[0] == pytest.approx(expected, abs=0.02)


def test_targets_of_opposite_sign_hold_nothing_together():
    assert shares(regulon([1.0] * 5 + [-1.0] * 5), 20)[0] == 0
    assert shares(regulon([1.0] * 10, likelihood=0.3), 20)[0] == pytest.approx(0.5)


@pytest.mark.parametrize(("n_of_network", "n_genes", "expected"), [(100, 5000, 100), (50, 5000, 5000), (50, 55, 50)])
def test_all_genes_are_ranked_if_that_makes_the_scores_wider(n_of_network, n_genes, expected):
    found = genes_to_rank(regulon(np.ones(15)), np.arange(n_of_network), n_genes)
    assert len(found) == expected
