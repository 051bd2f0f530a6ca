"""Counts, checked block by block and summed; arrays in, arrays out."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from pysces._matrix import n_rows, row_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def checked_counts(x: Any, rows: NDArray[np.intp], name: str) -> Iterator[tuple[slice, sp.csr_array[np.float64]]]:
    """Blocks of cells with their place in ``rows``; raises for values that no count has."""
    n_rows(x)
    for place, block in row_blocks(x, rows, np.arange(x.shape[1])):
        odd = block.data[(block.data < 0) | (block.data % 1 != 0)]
        if len(odd):
            msg = (
                f"{name} holds {odd[0]:.9g}, which is no count; only counts (whole numbers, not negative) can be "
                "pooled. Name the layer that has them: layer='...'."
            )
            raise ValueError(msg)
        shape = (block.n_rows, block.n_columns)
        yield place, sp.csr_array((block.data, block.indices, block.indptr), shape=shape)


def sums(x: Any, membership: sp.csr_matrix[np.bool_], rows: NDArray[np.intp], name: str) -> sp.csr_matrix:
    """Counts summed over the members; in float64, where whole numbers add up exactly in any order."""
    of_cell = sp.csr_array(membership.astype(np.float64))[:, rows].tocsc()
    parts: list[sp.csr_array[Any]] = []
    for place, counts in checked_counts(x, rows, name):
        part = of_cell[:, place].tocsr() @ counts
        part.sort_indices()  # sorted rows add up quicker
        while parts and parts[-1].nnz <= 2 * part.nnz:  # of like size: each value is added only log(blocks) times
            part = parts.pop() + part
        parts.append(part)
    total = sp.csr_matrix(reduce(add, reversed(parts)))
    return total.astype(np.float32 if np.issubdtype(x.dtype, np.floating) else np.int64)
