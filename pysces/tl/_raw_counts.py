"""Counts where log-normalised values are expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from pysces._check import warn
from pysces._matrix import CELLS_PER_BLOCK, MOST_LOG, read

BY_VALUE = ("scale", "mean", "mad", "rank", "ttest")
"""Signatures that compare the values of a gene between cells; others rank the genes of a cell first."""


def warn_of_counts(x: Any, what: str) -> None:
    """Warn if X is not log-normalised, as its first cells tell: whole numbers, or larger ones than logs can be."""
    n_first = x.chunks[0][0] if hasattr(x, "compute") else CELLS_PER_BLOCK  # of dask no more than a chunk
    part = read(x, slice(0, min(n_first, CELLS_PER_BLOCK)))
    sparse: bool = sp.issparse(part)
    values = np.asarray(part.data if sparse else part)
    largest = values.max(initial=0)
    if largest > 1 and (values == np.rint(values)).all():
        found = f"counts (whole numbers up to {largest:.0f})"
    elif MOST_LOG < largest < np.inf:
        found = f"values up to {largest:.4g}, which no log-normalised values reach"
    else:
        return
    warn(
        f"X holds {found}, but {what} compares the values of a gene between cells: cells with more counts would have "
        "more of every gene. Log-normalise X first (scanpy.pp.normalize_total, then scanpy.pp.log1p), or name the "
        "matrix that holds such values: layer='...' or use_raw=True."
    )
