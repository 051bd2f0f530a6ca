"""Counts where log-normalised values are expected: tl.viper and tl.msviper warn."""

from __future__ import annotations

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import pysces as ps

COUNTS = np.random.default_rng(0).poisson(1.0, (40, 60))
NETWORK = pd.DataFrame({"source": "R", "target": [f"g{i}" for i in range(6)], "weight": 1.0})
FORMS = {
    "float": lambda x: x.astype(np.float32),
    "int": lambda x: x.astype(np.int16),
    "csr": lambda x: sp.csr_matrix(x.astype(float)),
    "csc": lambda x: sp.csc_array(x.astype(np.float32)),
    "dask": lambda x: da.from_array(x.astype(float), chunks=(16, 60)),
}


def of(x, **layers):
    obs = pd.DataFrame({"g": pd.Categorical(np.tile(["a", "b"], 20))}, index=[f"c{i}" for i in range(40)])
    return ad.AnnData(x, obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(60)]), layers=layers)


def viper(adata, **options):
    ps.tl.viper(adata, NETWORK, min_targets=5, n_threads=1, **options)


def msviper(adata, **options):
    ps.tl.msviper(adata, "g", "a", network=NETWORK, min_targets=5, n_permutations=10, n_threads=1, **options)


@pytest.mark.parametrize("call", [viper, msviper])
@pytest.mark.parametrize("form", FORMS)
def test_counts_are_warned_of_in_any_form(call, form):
    with pytest.warns(UserWarning, match="X holds counts .*Log-normalise X first") as seen:
        call(of(FORMS[form](COUNTS)))
    assert [warning.filename for warning in seen if "X holds" in str(warning.message)] == [__file__]


@pytest.mark.parametrize("call", [viper, msviper])
def test_normalised_values_without_a_logarithm_are_warned_of(call):
    with pytest.warns(UserWarning, match="X holds values up to .*, which no log-normalised values reach"):
        call(of(COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4))


@pytest.mark.parametrize("signature", ["scale", "mean", "ttest", "rank"])
def test_every_signature_that_compares_values_is_warned_of(signature):
    with pytest.warns(UserWarning, match=f"X holds counts.*signature={signature!r}"):
        viper(of(COUNTS), signature=signature)


@pytest.mark.parametrize("signature", ["none", "doublerank"])
def test_signatures_that_rank_the_genes_of_a_cell_take_counts(signature):
    viper(of(COUNTS), signature=signature)  # warnings are errors


@pytest.mark.parametrize("call", [viper, msviper])
@pytest.mark.parametrize(
    "values",
    [np.log1p(COUNTS), np.log2(COUNTS + 1.0) * 3, (COUNTS > 0) * 1.0, np.random.default_rng(0).gamma(2, 3, (40, 60))],
    ids=["log1p", "log2 of many", "detected or not", "continuous"],
)
def test_other_values_are_not_warned_of(call, values):
    call(of(values))  # warnings are errors
    call(of(COUNTS, logs=values), layer="logs")
