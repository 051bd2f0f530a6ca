"""Which matrix of an AnnData, which of its genes, and the depth of its cells if that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from pysces._check import some, unique
from pysces._frame import check_anndata, column

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike, NDArray


class Choice(NamedTuple):
    """A matrix, the names of its genes, the frame (or lazy frame) that describes them and which of them are chosen."""

    x: Any
    genes: NDArray[np.object_]
    var: Any
    mask: NDArray[np.bool_]


def choose(adata: AnnData, *, layer: str | None, use_raw: bool, mask_var: str | ArrayLike | None) -> Choice:
    """The matrix that ``layer`` and ``use_raw`` name, with unique genes, and ``mask_var`` as a mask."""
    check_anndata(adata)
    if layer is not None and use_raw:
        msg = f"layer={layer!r} and use_raw=True name two matrices; give one of them."
        raise ValueError(msg)
    if use_raw and adata.raw is None:
        msg = "use_raw=True, but adata.raw is None; leave use_raw out to use adata.X."
        raise ValueError(msg)
    if layer is not None and layer not in adata.layers:
        have = some([name for name in adata.layers.keys() if name is not None])  # noqa: SIM118
        msg = f"layer={layer!r} is not in adata.layers, which has: {have or 'nothing'}."
        raise KeyError(msg)
    source = adata.raw if use_raw else adata
    x = source.X if layer is None else adata.layers[layer]
    if x is None:
        msg = "adata.X is None; name the layer that holds the expression: layer='...'."
        raise ValueError(msg)
    genes = source.var_names.to_numpy(dtype=object)
    unique(genes, "var_names", "Make them unique first: adata.var_names_make_unique().")
    return Choice(x, genes, source.var, _mask(source.var, mask_var))


def choose_depth(adata: AnnData, depth: str | None) -> NDArray[np.float64] | Literal["auto"] | None:
    """What estimators take as depth: numbers where a column of obs is named."""
    if depth is None or (isinstance(depth, str) and depth == "auto"):
        return depth  # type: ignore[return-value]
    if not isinstance(depth, str):
        msg = f"depth must be 'auto', a column of adata.obs or None; found {type(depth).__name__}."
        raise TypeError(msg)
    if depth not in adata.obs.columns:
        msg = f"depth={depth!r} is neither 'auto' nor a column of adata.obs, which has: {some(adata.obs)}."
        raise KeyError(msg)
    values = column(adata.obs, depth)
    if values.dtype.kind not in "iuf":
        msg = f"depth={depth!r} names a column of adata.obs that holds {values.dtype}, not numbers."
        raise TypeError(msg)
    return values.to_numpy(dtype=np.float64)


def _mask(var: Any, mask_var: str | ArrayLike | None) -> NDArray[np.bool_]:
    if mask_var is None:
        return np.ones(var.shape[0], np.bool_)
    if isinstance(mask_var, str):
        if mask_var not in var.columns:
            msg = f"mask_var={mask_var!r} is not a column of adata.var, which has: {some(var)}."
            raise KeyError(msg)
        mask = column(var, mask_var).to_numpy()
    else:
        mask = np.asarray(mask_var)
    if mask.dtype != np.bool_ or mask.shape != (var.shape[0],):
        msg = f"mask_var must be {var.shape[0]} booleans, one per gene; found {mask.dtype} of shape {mask.shape}."
        raise ValueError(msg)
    if not mask.any():
        msg = "mask_var selects no gene; leave it out to use all."
        raise ValueError(msg)
    return mask
