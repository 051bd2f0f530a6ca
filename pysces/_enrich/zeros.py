"""Random small values in place of zeros, as NaRnEA was published with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from pysces._csr import CSR

if TYPE_CHECKING:
    from numpy.typing import NDArray


def with_random_zeros(signature: CSR, zero: NDArray[np.float64], seed: bytes) -> CSR:
    """Signatures of which zeros are random values nearer to 0 than all others; every gene is an entry.

    They are positive as often as the other values of the cell. Cells draw from generators of their own, seeded by their
    entries, so that no draw depends on which cells are in the block.
    """
    n_genes = signature.n_columns
    dense = np.repeat(zero[np.newaxis], signature.n_rows, axis=0)
    dense[np.repeat(np.arange(signature.n_rows), np.diff(signature.indptr)), signature.indices] = signature.data
    for cell, values in enumerate(dense):
        empty = values == 0
        others = values[~empty & ~np.isnan(values)]
        if not empty.any() or not len(others):
            continue
        entries = slice(signature.indptr[cell], signature.indptr[cell + 1])
        content = signature.indices[entries].tobytes() + signature.data[entries].tobytes()
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed + content).digest()[:16], "little"))
        size = rng.random(empty.sum()) * np.abs(others).min()
        values[empty] = np.where(rng.random(len(size)) < (others > 0).mean(), size, -size)
    indptr = np.arange(signature.n_rows + 1, dtype=np.int64) * n_genes
    return CSR(dense.ravel(), np.tile(np.arange(n_genes, dtype=np.int32), signature.n_rows), indptr, n_genes)
