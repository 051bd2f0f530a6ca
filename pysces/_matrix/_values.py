"""Types of values: which ones X may hold, and those that scipy and the kernels take in their place."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
import scipy.sparse as sp

REAL = "biuf"
"""Kinds of types of real numbers."""


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of the machine that holds the same values: scipy knows neither float16 nor bytes in the other order."""
    if dtype.kind == "f" and dtype.itemsize not in {4, 8}:
        return np.dtype(np.float32 if dtype.itemsize == 2 else np.float64)
    return dtype.newbyteorder("=")


def _moved_by_scipy(dtype: np.dtype[Any]) -> bool:
    return dtype.isnative and dtype != np.float16


def check_values(x: Any) -> None:
    """Raise for values that are no real numbers, and for those that nothing can read where they are."""
    if x.dtype.kind not in REAL:
        msg = f"X holds {x.dtype}, not real numbers; convert it, for example with .astype('float32')."
        raise TypeError(msg)
    if isinstance(x, np.ma.MaskedArray):
        msg = "X is a masked array, whose masked values would count as numbers; fill them, for example with .filled(0)."
        raise TypeError(msg)
    in_file = not (sp.issparse(x) or isinstance(x, np.ndarray) or hasattr(x, "chunks"))
    if in_file and not _moved_by_scipy(x.dtype):
        msg = (
            f"X holds {x.dtype} in sparse form in a file, which neither scipy nor anndata can read; store it as "
            "float32 or float64."
        )
        raise TypeError(msg)


def movable(x: Any) -> Any:
    """``x``; a sparse matrix in memory with its values as plain bits if scipy cannot move values of their type."""
    if not sp.issparse(x) or _moved_by_scipy(x.dtype):  # type: ignore[attr-defined]
        return x
    moved: Any = copy(x)
    size = moved.dtype.itemsize
    moved.data = moved.data.view(np.complex128 if size == 16 else f"u{size}")
    return moved


def as_native(part: Any, x: Any) -> Any:
    """A part of ``movable(x)`` with values of a native type; those beyond float64 become infinite."""
    sparse: bool = sp.issparse(part)
    values = part.data if sparse else part
    if sp.issparse(x):
        stored: Any = x
        values = values.view(stored.dtype)
    if values.dtype == native(values.dtype):
        return part
    with np.errstate(over="ignore"):
        values = values.astype(native(values.dtype))
    if not sparse:
        return values
    part.data = values
    return part
