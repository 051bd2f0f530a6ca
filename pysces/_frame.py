"""Tables and arrays of an AnnData that may still be in a file (:func:`anndata.experimental.read_lazy`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from anndata import AnnData

if TYPE_CHECKING:
    import pandas as pd


def check_anndata(adata: object, argument: str = "adata") -> None:
    """Raise for what is no AnnData, such as a table of cells x genes or a path."""
    if not isinstance(adata, AnnData):
        msg = (
            f"{argument} is {type(adata).__name__}; give an AnnData, such as anndata.AnnData(table) of a table of "
            "cells x genes, or anndata.read_h5ad(path)."
        )
        raise TypeError(msg)


def is_lazy(value: Any) -> bool:
    """Whether a table is still in a file."""
    return hasattr(value, "to_memory")


def in_memory(value: Any) -> Any:
    """``value`` itself, or once read: the DataFrame of a lazy table, the array of a dask array."""
    if is_lazy(value):
        return value.to_memory()
    return value.compute() if hasattr(value, "compute") else value


def column(frame: Any, name: str) -> pd.Series[Any]:
    """A column of ``obs`` or ``var``; of a lazy one no other is read, and categories stay. Booleans become numpy's."""
    found = cast("pd.Series[Any]", in_memory(frame[[name]])[name] if is_lazy(frame) else frame[name])
    return found.astype(np.bool_) if found.dtype == "boolean" and not found.hasnans else found


def is_array(value: Any) -> bool:
    """Whether a value is a dense array, of numpy or of dask."""
    return isinstance(getattr(value, "_meta", value), np.ndarray)
