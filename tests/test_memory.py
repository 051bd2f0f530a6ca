"""X is never made dense."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import pysces as ps

pytestmark = pytest.mark.filterwarnings("ignore:X holds counts")

if TYPE_CHECKING:
    from collections.abc import Callable

N_CELLS, N_GENES, DENSITY = 20_000, 5_000, 0.05
DENSE_FLOAT32 = N_CELLS * N_GENES * 4


@pytest.fixture(scope="module")
def large() -> ad.AnnData:
    """Counts as large as the issue of memory, in float32 CSR: 400 MB if they were dense."""
    rng = np.random.default_rng(0)
    per_cell = int(N_GENES * DENSITY)
    step = N_GENES // per_cell
    indices = (np.arange(per_cell) * step + rng.integers(step, size=(N_CELLS, per_cell))).astype(np.int32)
    data = rng.poisson(0.5, N_CELLS * per_cell).astype(np.float32) + 1
    x = sp.csr_matrix((data, indices.ravel(), np.arange(0, data.size + 1, per_cell)), shape=(N_CELLS, N_GENES))
    return ad.AnnData(x)


def peak(call: Callable[[ad.AnnData], object], adata: ad.AnnData) -> int:
    """Bytes of numpy and Python memory above the start, without what compiling the kernels takes."""
    call(adata[:200].copy())
    tracemalloc.start()
    try:
        call(adata)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("signature", "share"),
    [("scale", 1 / 16), ("none", 1 / 16), ("rank", 1 / 2)],  # ranks within genes need the values of all cells, sorted
)
def test_viper_makes_no_dense_copy(large: ad.AnnData, signature: str, share: float) -> None:
    rng = np.random.default_rng(1)
    genes = large.var_names.to_numpy()
    targets = np.concatenate([rng.choice(genes, 200, replace=False) for _ in range(20)])
    network = pd.DataFrame({"source": np.repeat(genes[:20], 200), "target": targets, "weight": 1.0})
    used = peak(lambda adata: ps.tl.viper(adata, network, signature=signature, filter_genes=False), large)
    assert used < share * DENSE_FLOAT32


def test_aracne_makes_no_dense_copy(large: ad.AnnData) -> None:
    used = peak(lambda adata: ps.tl.aracne(adata, adata.var_names[:2], n_subnetworks=1, correction=None), large)
    assert used < DENSE_FLOAT32 / 2
