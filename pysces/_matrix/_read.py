"""Sparse pieces of X, wherever it lies: in memory, in a backed file, or in dask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from pysces._csr import CSR, as_csc, as_csr
from pysces._matrix import _restrict_kernels as kernels
from pysces._parallel import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

CELLS_PER_BLOCK = 512


def n_rows(x: Any) -> int:
    """Number of cells; raises for what is not a two-dimensional matrix of numbers."""
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if shape is None or dtype is None or len(shape) != 2:
        msg = f"X is {type(x).__name__}, not a matrix of cells x genes (numpy, scipy.sparse, backed or dask array)."
        raise TypeError(msg)
    if not (np.issubdtype(dtype, np.number) or dtype == np.bool_) or np.issubdtype(dtype, np.complexfloating):
        msg = f"X holds {dtype}, not real numbers; convert it, for example with .astype('float32')."
        raise TypeError(msg)
    return int(shape[0])


def read(x: Any, rows: NDArray[np.intp] | slice) -> Any:
    """Some rows, in memory; rows are ascending."""
    if not isinstance(rows, slice) and len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        rows = slice(int(rows[0]), int(rows[-1]) + 1)
    part = x[rows]
    part = part.compute() if hasattr(part, "compute") else part
    return part if sp.issparse(part) else np.asarray(part)


def row_blocks(
    x: Any, rows: NDArray[np.intp], genes: NDArray[np.intp], *, allow_negative: bool = True
) -> Iterator[tuple[slice, CSR]]:
    """Blocks of cells restricted to ``genes``, with their place in ``rows``; values are checked on the way."""
    restrict = restriction(genes, x.shape[1])
    for place, part in checked_blocks(x, rows, allow_negative=allow_negative):
        yield place, restrict(part)


def restriction(genes: NDArray[np.intp], n_genes: int) -> Callable[[Any], CSR]:
    """What takes ``genes`` from a block of cells, in the order given."""
    place = np.full(n_genes, -1, np.int32)
    place[genes] = np.arange(len(genes), dtype=np.int32)
    ascending = bool((np.diff(genes) > 0).all())

    def restrict(part: Any) -> CSR:
        if not (ascending and isinstance(part, sp.csr_array | sp.csr_matrix) and part.has_canonical_format):
            return as_csr(part[:, genes])
        n = len(part.data) + 1
        data, indices, indptr = np.empty(n), np.empty(n, np.int32), np.empty(part.shape[0] + 1, np.int64)
        kernels.restrict(
            np.ascontiguousarray(part.data, np.float64), np.ascontiguousarray(part.indices, np.int32),
            np.ascontiguousarray(part.indptr, np.int64), place, data, indices, indptr,
        )  # fmt: skip
        return CSR(data[: indptr[-1]], indices[: indptr[-1]], indptr, len(genes))

    return restrict


def columns(x: Any, rows: NDArray[np.intp], genes: NDArray[np.intp], *, allow_negative: bool = True) -> CSR:
    """Genes as compressed columns over ``rows``; cells that are zero are not stored. Values are checked."""
    blocks_of_x = checked_blocks(x, rows, allow_negative=allow_negative)
    pieces = [sp.csr_array(part[:, genes]) for _, part in blocks_of_x]
    return as_csc(sp.vstack(pieces, format="csc") if len(pieces) > 1 else pieces[0])


def checked_blocks(
    x: Any, rows: NDArray[np.intp], *, allow_negative: bool, allow_missing: bool = False
) -> Iterator[tuple[slice, Any]]:
    """Blocks of ``rows`` of X; values that are not finite, or negative and not allowed, raise."""
    for place in blocks(len(rows), CELLS_PER_BLOCK):
        part = read(x, rows[place])
        values = _values(part)
        if not np.isfinite(values).all() and (not allow_missing or np.isinf(values).any()):
            raise ValueError(_not_finite(x, rows))
        if not allow_negative and (values < 0).any():
            msg = (
                f"X holds negative values (such as {np.nanmin(values):.3g}): it looks scaled or corrected. Use counts "
                "or log-normalised values: layer='...' or use_raw=True."
            )
            raise ValueError(msg)
        yield place, part


def _values(part: Any) -> NDArray[Any]:
    """Stored values."""
    sparse = sp.issparse(part)
    return np.asarray(part.data if sparse else part)


def _not_finite(x: Any, rows: NDArray[np.intp]) -> str:
    """How many values of ``rows`` are not finite, and where the first is."""
    n_nan = n_inf = 0
    first = None
    for place in blocks(len(rows), CELLS_PER_BLOCK):
        part = read(x, rows[place])
        values = _values(part)
        n_nan, n_inf = n_nan + int(np.isnan(values).sum()), n_inf + int(np.isinf(values).sum())
        if first is None and not np.isfinite(values).all():
            bad = sp.coo_array(part)
            bad_row, bad_column = (of[~np.isfinite(bad.data)] for of in bad.coords)
            at = np.lexsort((bad_column, bad_row))[0]
            first = int(rows[place][bad_row[at]]), int(bad_column[at])
    row, column = first or (0, 0)
    return (
        f"X holds {n_nan} missing (NaN) and {n_inf} infinite values, the first at row {row}, column {column}; every "
        "value must be finite. Remove these genes or cells, or fill the values."
    )
