"""Sparse pieces of X, wherever it lies: in memory, in a backed file, or in dask."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from pysces._csr import CSR, as_csc, as_csr
from pysces._matrix import _restrict_kernels as kernels
from pysces._matrix._values import as_native, check_values, movable
from pysces._parallel import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

CELLS_PER_BLOCK = 512
CELLS_PER_READ, DENSE_CELLS_PER_READ = 8192, 1024
"""Stored rows that are read at a time from a file or a dask array; of the latter whole chunks."""
UNMEASURED = 1 / 50
"""Share of the cells in which a gene is missing that is taken for one not measured in a sample of them."""
FEW = 1 / 8
"""A smaller share of the stored rows than this is read row by row."""


def n_rows(x: Any) -> int:
    """Number of cells; raises for what is not a two-dimensional matrix of numbers."""
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if shape is None or dtype is None or len(shape) != 2:
        msg = f"X is {type(x).__name__}, not a matrix of cells x genes (numpy, scipy.sparse, backed or dask array)."
        raise TypeError(msg)
    check_values(x)
    if np.isnan(shape[0]):
        msg = "X is a dask array of an unknown number of cells; call X.compute_chunk_sizes() first."
        raise ValueError(msg)
    return int(shape[0])


def read(x: Any, rows: NDArray[np.intp] | slice) -> Any:
    """Some rows, in memory, of a type that scipy takes; rows are ascending."""
    return as_native(_rows(movable(x), rows), x)


def _rows(x: Any, rows: NDArray[np.intp] | slice) -> Any:
    if isinstance(rows, slice) or _has_rows(x):
        return _computed(x[_as_slice(rows)])
    if not len(rows):
        return _computed(x[:0])
    stretch = slice(int(rows[0]), int(rows[-1]) + 1)
    n_stored = stretch.stop - stretch.start
    if len(rows) < FEW * n_stored:
        return _computed(x[rows])
    part = _computed(x[stretch])
    return part if len(rows) == n_stored else part[rows - stretch.start]


def _has_rows(x: Any) -> bool:
    """Whether rows are in memory and quickly had."""
    return isinstance(x, np.ndarray | sp.csr_array | sp.csr_matrix)


def _as_slice(rows: NDArray[np.intp] | slice) -> NDArray[np.intp] | slice:
    """Rows that follow each other as a slice, which copies nothing."""
    if not isinstance(rows, slice) and len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _computed(part: Any) -> Any:
    """``part`` in memory, as an array or as sparse rows."""
    part = part.compute() if hasattr(part, "compute") else part
    form: Any = sp.csr_array if sp.issparse(part) else np.asarray
    return form(part)


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
    for place, part in blocks_of(x, rows):
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


def blocks_of(x: Any, rows: NDArray[np.intp]) -> Iterator[tuple[slice, Any]]:
    """Blocks of ``rows``, of the same cells wherever X lies: some sums depend, in their last digit, on the blocks."""
    begun: list[Any] = []
    for piece, part in _pieces(x, rows):
        begun.append(part)
        if piece.stop % CELLS_PER_BLOCK == 0 or piece.stop == len(rows):
            start = (piece.stop - 1) // CELLS_PER_BLOCK * CELLS_PER_BLOCK
            block = begun.pop() if len(begun) == 1 else _stacked(begun)
            begun.clear()
            yield slice(start, piece.stop), block


def _pieces(x: Any, rows: NDArray[np.intp]) -> Iterator[tuple[slice, Any]]:
    """Blocks, and parts of blocks where reading ends within; nothing is read twice, nor while more is in memory."""
    if _has_rows(x):
        for place in blocks(len(rows), CELLS_PER_BLOCK):
            yield place, read(x, rows[place])
        return
    for unit in _units(x, rows):
        part = read(x, rows[unit])
        for block in range(unit.start // CELLS_PER_BLOCK, -(-unit.stop // CELLS_PER_BLOCK)):
            start = max(unit.start, block * CELLS_PER_BLOCK)
            stop = min(unit.stop, (block + 1) * CELLS_PER_BLOCK)
            piece = part[start - unit.start : stop - unit.start]
            yield slice(start, stop), piece if sp.issparse(piece) else piece.copy()  # not a view of all that was read
        del part, piece


def _units(x: Any, rows: NDArray[np.intp]) -> Iterator[slice]:
    """Places in ``rows`` that are read together: stored chunks of rows, as many as make up the rows of a read."""
    if hasattr(x, "compute"):
        dense, starts = not sp.issparse(x._meta), np.cumsum((0, *x.chunks[0][:-1]))
    else:
        dense = hasattr(x, "chunks")  # of HDF5 or zarr
        starts = np.arange(0, x.shape[0], x.chunks[0] if dense and x.chunks else 1)
    opens = starts[np.diff(starts // (DENSE_CELLS_PER_READ if dense else CELLS_PER_READ), prepend=-1) > 0]
    ends = np.unique([0, *np.searchsorted(rows, opens), len(rows)])
    return (slice(int(start), int(stop)) for start, stop in pairwise(ends))


def lazy_units(x: Any, rows: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], Any]]:
    """What is read together of a dask array, not computed: places in ``rows``, and the stretch of X they lie in."""
    for unit in _units(x, rows):
        yield np.arange(unit.start, unit.stop), x[int(rows[unit.start]) : int(rows[unit.stop - 1]) + 1]


def _stacked(parts: list[Any]) -> Any:
    """Parts of a block as one."""
    return sp.vstack(parts, format="csr") if sp.issparse(parts[0]) else np.concatenate(parts)


def _values(part: Any) -> NDArray[Any]:
    """Stored values."""
    sparse = sp.issparse(part)
    return np.asarray(part.data if sparse else part)


def _not_finite(x: Any, rows: NDArray[np.intp]) -> str:
    """How many values of ``rows`` are not finite, where the first is, and whether genes were not measured."""
    n_missing, n_inf = np.zeros(x.shape[1], np.intp), 0
    first = None
    for place, part in blocks_of(x, rows):
        if np.isfinite(_values(part)).all():
            continue
        bad = sp.coo_array(part)
        bad_row, bad_column = (of[~np.isfinite(bad.data)] for of in bad.coords)
        missing = bad.coords[1][np.isnan(bad.data)]
        n_missing += np.bincount(missing, minlength=len(n_missing))
        n_inf += len(bad_row) - len(missing)
        if first is None:
            at = np.lexsort((bad_column, bad_row))[0]
            first = int(rows[place][bad_row[at]]), int(bad_column[at])
    row, column = first or (0, 0)
    n_nan = n_missing.sum()
    n_unmeasured = int((n_missing >= max(2, UNMEASURED * len(rows))).sum())
    joined = (
        f" {n_unmeasured} genes are missing in many cells, as after anndata.concat(join='outer') of samples that were "
        "not measured for the same genes: use join='inner', or keep only genes that were measured in all samples."
    )
    return (
        f"X holds {n_nan} missing (NaN) and {n_inf} infinite values, the first at row {row}, column {column}; "
        "every value must be finite. Remove these genes or cells, or fill the values."
    ) + joined * (n_unmeasured > 0)
