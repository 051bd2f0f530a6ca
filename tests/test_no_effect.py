"""Options that have no effect with the others are refused, in the class and in the function that runs it."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import pysces as ps

pytestmark = pytest.mark.filterwarnings("ignore:X holds counts")

GENES = [f"G{i}" for i in range(100)]
NETWORK = pd.DataFrame(
    {"source": np.repeat(["G0", "G1", "G2"], 10), "target": [*GENES[:10], *GENES[5:15], *GENES[10:20]], "weight": 1.0}
)


@pytest.fixture
def adata():
    X = np.random.default_rng(0).poisson(2.0, (40, 100)).astype(np.float32)
    obs = pd.DataFrame({"type": pd.Categorical(["a", "b"] * 20)}, index=[f"c{i}" for i in range(40)])
    adata = ad.AnnData(X, obs=obs, var=pd.DataFrame(index=GENES))
    groups = pd.concat([NETWORK.assign(group=label) for label in "ab"])
    adata.uns["aracne"] = {
        "network": groups.astype("category").astype({"weight": float}),
        "params": {"groupby": "type"},
    }
    ps.tl.viper(adata, NETWORK, min_targets=5, filter_genes=False)
    return adata


ARACNE = {
    "ties": ({"ties": "random"}, "ties='random' has no meaning with estimator='gcmi'; .*'apmi'"),
    "convention": ({"convention": "aracne-ap"}, "convention='aracne-ap' has no meaning with estimator='gcmi'"),
    "tolerance": ({"dpi": None, "dpi_tolerance": 0.1}, "dpi_tolerance=0.1 has no meaning with dpi=None"),
    "alpha": ({"correction": None, "alpha": 0.01}, "alpha=0.01 has no meaning with correction=None"),
    "targets": ({"min_targets": 5}, "min_targets=5 has no meaning with n_subnetworks=20; .*n_subnetworks='auto'"),
    "most": ({"n_subnetworks": 3, "max_subnetworks": 9}, "max_subnetworks=9 has no meaning with n_subnetworks=3"),
    "subsample": ({"n_subnetworks": 0, "subsample": 0.5}, "subsample=0.5 has no meaning with n_subnetworks=0"),
    "replace": ({"replace": True, "subsample": 0.5}, "subsample=0.5 has no meaning with replace=True"),
}


@pytest.mark.parametrize(("options", "message"), ARACNE.values(), ids=ARACNE)
def test_options_of_aracne_without_effect_are_refused(adata, options, message):
    with pytest.raises(ValueError, match=message):
        ps.ARACNe(**options)
    with pytest.raises(ValueError, match=message):
        ps.tl.aracne(adata, GENES[:3], **options)


@pytest.mark.parametrize(
    "options",
    [
        {"estimator": "apmi", "ties": "random", "convention": "aracne-ap"},
        {"n_subnetworks": "auto", "min_targets": 5, "max_subnetworks": 9},
        {"dpi": "target", "dpi_tolerance": 0.1, "alpha": 0.01, "subsample": 0.5},
        {"dpi": None, "dpi_tolerance": 0.0, "correction": None, "alpha": 0.05, "ties": "block", "min_targets": 30},
    ],
    ids=["apmi", "auto", "gcmi", "defaults"],
)
def test_options_with_an_effect_and_defaults_are_taken(options):
    ps.ARACNe(**options)


CALLS = {
    "min_cells": (
        lambda adata: ps.tl.aracne(adata, GENES[:3], min_cells=5), "min_cells=5 has no meaning with groupby=None",
    ),
    "min_targets": (
        lambda adata: ps.tl.compare_networks(adata, "a", "b", n_permutations=0, min_targets=9),
        "min_targets=9 has no meaning with n_permutations=0",
    ),
    "weights": (
        lambda adata: ps.tl.similarity(adata, n_top=2, weights=1.0), r"weights=1.0 has no meaning with n_top=2",
    ),
    "eliminate": (
        lambda _: ps.pp.prune_regulons(NETWORK, 5, eliminate=True, min_targets=3),
        "min_targets=3 has no meaning with eliminate=True",
    ),
    "heatmap": (
        lambda adata: ps.pl.activity_heatmap(adata, ["G0"], n=3), "n=3 has no meaning with regulators",
    ),
    "network": (
        lambda adata: ps.pl.network(adata, network=NETWORK, regulators=["G0"], n_regulators=3),
        "n_regulators=3 has no meaning with regulators",
    ),
    "colour": (
        lambda adata: ps.pl.regulon(adata, "G0", network=NETWORK, viper="other"),
        "viper='other' has no meaning with color=None",
    ),
    "weights of genes": (
        lambda adata: ps.tl.viper(adata, NETWORK, min_targets=5, filter_genes=False, gene_weights={"no": 2.0}),
        "gene_weights names none of the 100 genes",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "message"), CALLS.values(), ids=CALLS)
def test_options_without_effect_are_refused(adata, call, message):
    with pytest.raises(ValueError, match=message):
        call(adata)
