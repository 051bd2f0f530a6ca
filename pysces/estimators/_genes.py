"""Genes as arguments: names, positions or masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pysces._check import some, unique, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def gene_positions(genes: ArrayLike, names: NDArray[np.object_], argument: str) -> NDArray[np.intp]:
    """Ascending positions of genes given by name, position or mask; names that are absent are warned of."""
    given: Any = list(genes) if isinstance(genes, set | frozenset) else genes
    wanted = np.asarray(given)
    if wanted.ndim != 1 or wanted.size == 0:
        msg = f"{argument} must be a list of genes with at least one entry; found {_shape(genes)}."
        raise ValueError(msg)
    if wanted.dtype == np.bool_:
        if len(wanted) != len(names):
            msg = f"{argument} is a mask of length {len(wanted)}, but there are {len(names)} genes."
            raise ValueError(msg)
        found = np.flatnonzero(wanted)
    elif np.issubdtype(wanted.dtype, np.integer):
        if wanted.min() < 0 or wanted.max() >= len(names):
            msg = f"{argument} holds positions from {wanted.min()} to {wanted.max()}, but there are {len(names)} genes."
            raise ValueError(msg)
        found = np.unique(wanted)
    elif not all(isinstance(name, str) for name in given):
        msg = f"{argument} must be names, positions or a mask of genes; found {_shape(genes)} of {wanted.dtype}."
        raise TypeError(msg)
    else:
        wanted = np.unique(wanted.astype(object))
        position = pd.Index(names).get_indexer(pd.Index(wanted))
        absent = wanted[position < 0].tolist()
        if len(absent) == len(wanted):
            msg = (
                f"none of the {len(wanted)} {argument} ({some(absent)}) is among the {len(names)} genes "
                f"({some(names)}); do the names use the same alphabet (symbols or Ensembl, human or mouse)?"
            )
            raise ValueError(msg)
        if absent:
            warn(f"{len(absent)} of {len(wanted)} {argument} are not among the {len(names)} genes: {some(absent)}.")
        found = np.sort(position[position >= 0])
    if not len(found):
        msg = f"{argument} selects no gene."
        raise ValueError(msg)
    return found


def _shape(genes: Any) -> str:
    return f"{type(genes).__name__} of shape {np.shape(genes)}"


def gene_labels(gene_names: Sequence[str] | NDArray[np.object_] | None, n_genes: int) -> NDArray[np.object_]:
    """Unique names of the columns of X, by default their positions."""
    if gene_names is None:
        return np.array([str(i) for i in range(n_genes)], dtype=object)
    names = np.asarray(gene_names, dtype=object)
    if names.shape != (n_genes,):
        msg = f"gene_names has shape {names.shape}, but X has {n_genes} columns."
        raise ValueError(msg)
    unique(names, "gene_names", "Make them unique first, for example with anndata.utils.make_index_unique.")
    return names
