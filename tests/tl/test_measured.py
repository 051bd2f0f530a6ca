"""Genes that some of the cells were not measured for are told wherever groups are compared."""

from __future__ import annotations

import contextlib
import warnings

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import pysces as ps
from pysces._matrix import _detection, unmeasured_genes

N, GENES = 60, [f"g{i}" for i in range(150)]
NETWORK = pd.DataFrame({"source": np.repeat(["R0", "R1", "R2"], 40), "target": GENES[:120], "weight": 1.0})


def counts(n_cells=2 * N, seed=0):
    return np.random.default_rng(seed).poisson(2.0, (n_cells, len(GENES))).astype(np.float64)


def joined(join="outer", dense=False):
    """Two samples of the same cells; the last 30 genes were not measured in the second."""
    cells = ad.AnnData(sp.csr_matrix(np.log1p(counts())), var=pd.DataFrame(index=GENES))
    cells.obs_names = [f"c{i}" for i in range(2 * N)]
    both = ad.concat({"x": cells[:N], "y": cells[N:, :120]}, join=join, label="sample")
    both.obs["sample"] = both.obs["sample"].astype("category")
    if dense:
        both.X = both.X.toarray()
    return both


@contextlib.contextmanager
def told():
    found: list[str] = []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield found
    found += [str(w.message) for w in seen if "inner" in str(w.message)]


def rank(adata, **options):
    ps.tl.viper(adata, NETWORK, min_targets=5)
    ps.tl.rank_regulators(adata, "sample", **options)


CALLS = {
    "rank_regulators": rank,
    "rank_regulators against one": lambda a: rank(a, reference="y"),
    "viper of groups": lambda a: ps.tl.viper(a, NETWORK, min_targets=5, groupby="sample"),
    "viper against a reference": lambda a: ps.tl.viper(a, NETWORK, min_targets=5, reference=np.arange(2 * N) < N),
    "msviper": lambda a: ps.tl.msviper(a, "sample", "x", network=NETWORK, min_targets=5, n_permutations=0),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_outer_join_is_told_once_and_an_inner_join_is_not(call):
    with told() as outer:
        call(joined())
    with told() as inner:
        call(joined("inner"))
    [message] = outer
    assert message.startswith("30 of 150 genes that are common in ")
    assert "no count in any of the 60 cells of" in message
    assert not inner


def test_networks_of_an_outer_join_are_not_compared_in_silence():
    adata = joined()
    adata.X = sp.csr_matrix(np.rint(np.expm1(adata.X.toarray())))
    options = {"groupby": "sample", "n_subnetworks": 1, "subsample": 0.9, "dpi": None, "correction": "p"}
    ps.tl.aracne(adata, GENES[:3], **options)
    with told() as found:
        ps.tl.compare_networks(adata, "x", "y", n_permutations=10, min_targets=1)
    assert len(found) == 1


def test_a_matrix_that_is_gone_is_no_matter():
    adata = joined()
    adata.layers["log"] = adata.X
    ps.tl.viper(adata, NETWORK, min_targets=5, layer="log")
    del adata.layers["log"]
    ps.tl.rank_regulators(adata, "sample")


STORAGES = {
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
    "dense": np.asarray,
    "dask": lambda x: da.from_array(x, chunks=(50, -1)),
}


@pytest.mark.parametrize("convert", STORAGES.values(), ids=STORAGES)
@pytest.mark.parametrize("cells", [500, 20])
def test_pairs_that_lack_genes_are_counted_over_all_cells_wherever_x_lies(convert, cells, monkeypatch):
    monkeypatch.setattr(_detection, "CELLS", cells)
    x, codes = counts(90), np.repeat([0, 1, 2], 30)
    codes[7] = -1
    x[codes == 2, 100:125] = 0
    x[7] = 0
    found = unmeasured_genes(convert(x), codes, [(0, -1), (1, -1), (2, -1)])
    assert found == [(25, 150, -1, 2, 30)]


def test_a_single_count_among_cells_that_were_not_looked_at_first_clears_a_gene(monkeypatch):
    monkeypatch.setattr(_detection, "CELLS", 20)
    x, codes = counts(80), np.repeat([0, 1], 40)
    x[40:, :30] = 0
    x[41, :15] = 1  # 15 are left, too few
    assert _detection._compared(x, _detection._some_cells(x, codes), [(0, 1)])
    assert not unmeasured_genes(x, codes, [(0, 1)])


@pytest.mark.parametrize("seed", range(3))
def test_types_that_differ_by_degrees_and_depth_say_nothing(seed):
    rng = np.random.default_rng(seed)
    rates = np.exp(rng.normal(-1.0, 1.5, (2, 2000)))  # a log-normal gene is often absent from the other type
    x = np.concatenate([rng.poisson(rates[0], (100, 2000)), rng.poisson(0.3 * rates[1], (100, 2000))])
    codes = np.repeat([0, 1], 100)
    found = _detection.detections(x, codes, 2)
    np.testing.assert_array_equal(found, [(x[:100] > 0).sum(axis=0), (x[100:] > 0).sum(axis=0)])
    absent = (found[0] >= 50) & (found[1] == 0)
    assert absent.sum() > 20
    assert not unmeasured_genes(x, codes, [(0, 1)])


def test_groups_of_few_cells_and_cells_in_no_group_say_nothing():
    x = counts(40)
    x[20:, 100:] = 0
    assert not unmeasured_genes(x, np.repeat([0, 1, -1], [20, 5, 15]), [(0, 1)])
    assert unmeasured_genes(x, np.repeat([0, 1], 20), [(0, 1)])
