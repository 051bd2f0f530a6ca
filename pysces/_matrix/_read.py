"""Sparse pieces of X, wherever it lies: in memory, in a backed file, or in dask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from pysces._csr import CSR, as_csc, as_csr
from pysces._parallel import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CELLS_PER_BLOCK = 1024


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
    part = x[rows]
    part = part.compute() if hasattr(part, "compute") else part
    return part if sp.issparse(part) else np.asarray(part)


def row_blocks(
    x: Any, rows: NDArray[np.intp], genes: NDArray[np.intp], *, allow_negative: bool = True
) -> Iterator[tuple[slice, CSR]]:
    """Blocks of cells restricted to ``genes``, with their place in ``rows``; values are checked on the way."""
    for place in blocks(len(rows), CELLS_PER_BLOCK):
        part = read(x, rows[place])
        check_values(part, rows[place], allow_negative=allow_negative)
        yield place, as_csr(part[:, genes])


def columns(x: Any, rows: NDArray[np.intp], genes: NDArray[np.intp], *, allow_negative: bool = True) -> CSR:
    """Genes as compressed columns over ``rows``; cells that are zero are not stored. Values are checked."""
    pieces = []
    for place in blocks(len(rows), CELLS_PER_BLOCK):
        part = read(x, rows[place])
        check_values(part, rows[place], allow_negative=allow_negative)
        pieces.append(sp.csr_array(part[:, genes]))
    return as_csc(sp.vstack(pieces, format="csc") if len(pieces) > 1 else pieces[0])


def check_values(x: Any, rows: NDArray[np.intp], *, allow_negative: bool) -> None:
    """Raise if values of ``rows`` of X are not finite, or negative where counts or their logarithms are wanted."""
    sparse = sp.issparse(x)
    values: NDArray[Any] = x.data if sparse else x
    if not np.isfinite(values).all():
        n_nan, n_inf = int(np.isnan(values).sum()), int(np.isinf(values).sum())
        row, column = _first_not_finite(x)
        msg = (
            f"X holds {n_nan} missing (NaN) and {n_inf} infinite values, the first at row {rows[row]}, "
            f"column {column}; every value must be finite. Remove these genes or cells, or fill the values."
        )
        raise ValueError(msg)
    if not allow_negative and values.size and values.min() < 0:
        msg = (
            f"X holds negative values (smallest {values.min():.3g}): it looks scaled or corrected. Use counts or "
            "log-normalised values: layer='...' or use_raw=True."
        )
        raise ValueError(msg)


def _first_not_finite(x: Any) -> tuple[int, int]:
    """Row and column of the first value that is not finite."""
    sparse = sp.issparse(x)
    if not sparse:
        row, column = np.argwhere(~np.isfinite(x))[0]
        return int(row), int(column)
    coo = x.tocoo()
    bad = ~np.isfinite(coo.data)
    first = np.lexsort((coo.col[bad], coo.row[bad]))[0]
    return int(coo.row[bad][first]), int(coo.col[bad][first])
