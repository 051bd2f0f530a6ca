"""What is no AnnData, and keys that hold something else, are named as what they are."""

from __future__ import annotations

import inspect

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import pysces as ps

FUNCTIONS = [
    (f"{room.__name__}.{name}", getattr(room, name))
    for room in (ps.tl, ps.pp, ps.get, ps.pl)
    for name in room.__all__
    if next(iter(inspect.signature(getattr(room, name)).parameters)) == "adata"
]
NETWORK = pd.DataFrame({"source": "A", "target": ["G1", "G2"], "weight": 1.0, "mi": 0.1})
OTHERS = {"gene_sets": {"x": ["a"]}, "network": NETWORK, "other": ad.AnnData(np.ones((2, 2)))}
"""Arguments that are read before the data."""


@pytest.mark.parametrize("function", [of for _, of in FUNCTIONS], ids=[name for name, _ in FUNCTIONS])
@pytest.mark.parametrize("data", [pd.DataFrame(np.ones((4, 3))), "cells.h5ad", None], ids=["frame", "path", "None"])
def test_what_is_no_anndata_is_named_by_every_function(function, data):
    parameters = list(inspect.signature(function).parameters.values())[1:]
    needed = [OTHERS.get(of.name, f"x{i}") for i, of in enumerate(parameters) if of.default is of.empty]
    more = {of.name: NETWORK for of in parameters if of.name == "network" and of.kind is of.KEYWORD_ONLY}
    with pytest.raises(TypeError, match=f"^adata is {type(data).__name__}; give an AnnData"):
        function(data, *needed, **more)


@pytest.fixture
def adata():
    obs = pd.DataFrame({"type": pd.Categorical(["a", "b"] * 4)}, index=[f"c{i}" for i in range(8)])
    adata = ad.AnnData(np.ones((8, 3), np.float32), obs=obs, var=pd.DataFrame(index=["A", "G1", "G2"]))
    adata.obsm["score_ulm"] = pd.DataFrame({"A": np.arange(8.0)}, index=adata.obs_names)
    adata.obsp["distances"] = np.ones((8, 8), np.float32)
    return adata


@pytest.mark.parametrize(
    "call",
    [
        lambda adata: ps.tl.rank_regulators(adata, "type", key="score_ulm"),
        lambda adata: ps.tl.similarity(adata, key="score_ulm"),
        lambda adata: ps.get.activity(adata, key="score_ulm"),
        lambda adata: ps.get.pvalues(adata, key="score_ulm"),
        lambda adata: ps.pl.activity_heatmap(adata, key="score_ulm"),
    ],
    ids=["rank", "similarity", "activity", "pvalues", "heatmap"],
)
def test_missing_uns_is_not_called_missing_obsm(adata, call):
    with pytest.raises(KeyError, match=r"adata.uns\['score_ulm'\] is missing or lacks the regulons.*use scanpy"):
        call(adata)


def test_similarities_of_another_program_are_read(adata):
    assert ps.get.similarity(adata, key="distances").shape == (8, 8)


@pytest.mark.parametrize(
    "call",
    [
        ps.tl.viper,
        lambda adata, key: ps.tl.msviper(adata, "type", "a", network=key),
        lambda adata, key: ps.pl.regulon_sizes(adata, network=key),
        lambda adata, key: ps.get.network(adata, key=key),
    ],
    ids=["viper", "msviper", "pl", "get"],
)
def test_a_column_of_obs_in_place_of_a_network_is_named_and_keys_that_hold_one(adata, call):
    adata.uns["mine"] = {"network": NETWORK}
    adata.uns["table"] = NETWORK
    with pytest.raises(KeyError, match=r"holds no network.* Keys of uns that hold such: 'mine'. 'type' is a column of"):
        call(adata, "type")
    with pytest.raises(KeyError, match=r"give the table itself, network=adata.uns\['table'\]"):
        call(adata, "table")


def test_missing_parameters_are_named(adata):
    adata.obsm["viper"] = adata.obsm["score_ulm"]
    adata.uns["viper"] = {"regulons": pd.DataFrame({"source": ["A"], "n_targets": [2]})}
    with pytest.raises(KeyError, match=r"adata.uns\['viper'\] lacks the parameters"):
        ps.tl.rank_regulators(adata, "type")
