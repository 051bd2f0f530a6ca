"""The one sparse form that kernels see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CSR(NamedTuple):
    """Compressed rows: column indices ascending in each row, no stored zero, no duplicate."""

    data: NDArray[np.float64]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int64]
    n_columns: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    def rows(self, rows: slice) -> CSR:
        """Some consecutive rows."""
        indptr = self.indptr[rows.start : rows.stop + 1]
        entries = slice(indptr[0], indptr[-1])
        return CSR(self.data[entries], self.indices[entries], indptr - indptr[0], self.n_columns)


def as_csr(x: Any) -> CSR:
    """Rows of an in-memory matrix; values become float64, so that equal values stay equal and ranks exact."""
    return _canonical(sp.csr_array(x), x)


def as_csc(x: Any) -> CSR:
    """Columns of an in-memory matrix: the compressed rows of its transpose."""
    return _canonical(sp.csc_array(x), x)


def _canonical(matrix: sp.csr_array | sp.csc_array, source: Any) -> CSR:
    with np.errstate(invalid="ignore"):  # the missing value of R is a signalling NaN
        has_zeros = len(matrix.data) > 0 and not matrix.data.all()
    if has_zeros or not matrix.has_canonical_format:
        if matrix.dtype.kind in "biu":  # sums of small whole numbers would wrap
            matrix = matrix.astype(np.float64)
        elif sp.issparse(source):  # the user's arrays stay as they are
            matrix = matrix.copy()
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
    return CSR(
        np.ascontiguousarray(matrix.data, np.float64),
        np.ascontiguousarray(matrix.indices, np.int32),
        np.ascontiguousarray(matrix.indptr, np.int64),
        matrix.shape[1] if isinstance(matrix, sp.csr_array) else matrix.shape[0],
    )
