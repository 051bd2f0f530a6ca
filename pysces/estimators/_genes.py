"""Genes as arguments: names, positions or masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pysces._check import some, unique, warn
from pysces._names import as_text, question, too_few

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


NUMBERS = "Numbers are taken for names: for positions, give adata.var_names[positions] or a boolean mask."


def gene_positions(genes: ArrayLike, names: NDArray[np.object_], argument: str) -> NDArray[np.intp]:
    """Ascending positions of genes given by name, position or mask; names that are absent are warned of."""
    given: Any = list(genes) if isinstance(genes, set | frozenset) else genes
    wanted = np.asarray(given)
    if wanted.ndim != 1 or not wanted.size or not np.issubdtype(wanted.dtype, np.integer):
        if wanted.ndim == 1 and wanted.dtype != np.bool_ and any(isinstance(gene, int | np.integer) for gene in given):
            msg = f"{argument} must be names of genes, their positions or a mask; found names and numbers in one list."
            raise TypeError(msg)
        return named_genes(given, names, argument)[0]
    if wanted.min() < 0 or wanted.max() >= len(names):
        msg = f"{argument} holds positions from {wanted.min()} to {wanted.max()}, but there are {len(names)} genes."
        raise ValueError(msg)
    return np.unique(wanted)


def named_genes(
    genes: ArrayLike, names: NDArray[np.object_], argument: str
) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Ascending positions of genes given by a mask or by name, and names that are absent, which are warned of.

    Whole numbers are names, too.
    """
    given: Any = list(genes) if isinstance(genes, set | frozenset) else genes
    array = np.asarray(given)
    if array.ndim != 1 or array.size == 0:
        found = f"{type(genes).__name__} of shape {array.shape}"
        msg = f"{argument} must be a list of genes with at least one entry; found {found}."
        raise ValueError(msg)
    if array.dtype == np.bool_:
        return _masked(array, len(names), argument), np.empty(0, object)
    wanted = np.unique(as_text(given, argument))
    position = pd.Index(names).get_indexer(pd.Index(wanted))
    present, absent = np.sort(position[position >= 0]), wanted[position < 0]
    if not len(present):
        msg = (
            f"none of the {len(wanted)} {argument} ({some(absent)}) is among the {len(names)} genes ({some(names)}). "
            f"{question(wanted, names, argument) if array.dtype.kind not in 'iu' else NUMBERS}"
        )
        raise ValueError(msg)
    if len(absent):
        asked = f" {question(wanted, names, argument)}" if too_few(len(present), len(wanted), len(names)) else ""
        msg = f"{len(absent)} of {len(wanted)} {argument} are not among the {len(names)} genes: {some(absent)}."
        warn(msg + asked)
    return present, absent


def _masked(mask: NDArray[np.bool_], n_genes: int, argument: str) -> NDArray[np.intp]:
    if len(mask) != n_genes:
        msg = f"{argument} is a mask of length {len(mask)}, but there are {n_genes} genes."
        raise ValueError(msg)
    if not mask.any():
        msg = f"{argument} selects no gene."
        raise ValueError(msg)
    return np.flatnonzero(mask)


def gene_labels(gene_names: Sequence[str] | NDArray[np.object_] | None, n_genes: int) -> NDArray[np.object_]:
    """Unique names of the columns of X, by default their positions."""
    if gene_names is None:
        return np.array([str(i) for i in range(n_genes)], dtype=object)
    names = np.asarray(gene_names, dtype=object)
    if names.ndim == 1:
        names = as_text(names, "gene_names")
    if names.shape != (n_genes,):
        msg = f"gene_names has shape {names.shape}, but X has {n_genes} columns."
        raise ValueError(msg)
    unique(names, "gene_names", "Make them unique first, for example with anndata.utils.make_index_unique.")
    return names
