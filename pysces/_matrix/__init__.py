"""Everything about X: which matrix, what may be in it, and reading it in sparse pieces."""

from __future__ import annotations

from pysces._matrix._choose import Choice, choose, choose_depth
from pysces._matrix._counts import FRACTIONAL, MOST_LOG, UNKNOWN, counts_of
from pysces._matrix._detection import unmeasured_genes
from pysces._matrix._read import (
    CELLS_PER_BLOCK,
    checked_blocks,
    columns,
    lazy_units,
    n_rows,
    read,
    restriction,
    row_blocks,
)

__all__ = [
    "CELLS_PER_BLOCK",
    "FRACTIONAL",
    "MOST_LOG",
    "UNKNOWN",
    "Choice",
    "checked_blocks",
    "choose",
    "choose_depth",
    "columns",
    "counts_of",
    "lazy_units",
    "n_rows",
    "read",
    "restriction",
    "row_blocks",
    "unmeasured_genes",
]
