"""Strengths of edges as signs and likelihoods (scale_weights)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pysces as ps

NETWORK = pd.DataFrame(
    {"source": list("AAB"), "target": list("xyz"), "weight": [8.0, -2.0, 4.0], "n": [1, 2, 3]}, index=[5, 6, 7]
)


def test_the_sign_is_the_weight_and_the_strength_the_likelihood():
    before = NETWORK.copy()
    found = ps.pp.scale_weights(NETWORK)
    assert found["weight"].tolist() == [1.0, -1.0, 1.0]
    assert found["likelihood"].tolist() == [1.0, 0.25, 0.5]
    assert found.columns.tolist() == [*NETWORK.columns, "likelihood"]
    assert found.index.tolist() == [0, 1, 2]
    pd.testing.assert_frame_equal(NETWORK, before)


def test_each_group_has_its_own_largest():
    found = ps.pp.scale_weights(NETWORK.assign(group=pd.Categorical(list("uvv"))))
    assert found["likelihood"].tolist() == [1.0, 0.5, 1.0]


def test_edges_without_strength_are_left_out():
    found = ps.pp.scale_weights(NETWORK.assign(weight=[0, -3, 1]).astype({"source": "category"}))
    assert found["target"].tolist() == ["y", "z"]
    assert ps.pp.scale_weights(NETWORK.assign(weight=[5e-324, 1, 1e300]))["likelihood"].min() > 0


def test_the_message_of_weights_out_of_range_leads_here():
    cells = np.random.default_rng(0).random((20, 3))
    with pytest.raises(ValueError, match=r"pp\.scale_weights\(network\).*likelihood"):
        ps.VIPER(NETWORK, min_targets=1)
    ps.VIPER(ps.pp.scale_weights(NETWORK), min_targets=1, filter_genes=False).fit(cells, list("xyz")).transform(cells)


@pytest.mark.parametrize(
    ("network", "error", "match"),
    [
        (NETWORK.drop(columns="weight"), ValueError, "needs a column 'weight'.*it has: 'source', 'target'"),
        (NETWORK.assign(likelihood=1.0), ValueError, "none called 'likelihood'"),
        (NETWORK.assign(weight=[1, np.nan, 1]), ValueError, "must be finite; 1 of 3 values"),
        (NETWORK.assign(weight=[1, np.inf, 1]), ValueError, "must be finite; 1 of 3 values"),
        (NETWORK.assign(weight=0), ValueError, "is 0 for every edge"),
        (NETWORK.assign(weight="strong"), ValueError, "holds what is no number"),
        (NETWORK.assign(target="x"), ValueError, "edges twice"),
        (NETWORK.iloc[:0], ValueError, "no edges"),
        ([1, 2], TypeError, "network is list"),
    ],
)
def test_bad_strengths_are_refused(network, error, match):
    with pytest.raises(error, match=match):
        ps.pp.scale_weights(network)
