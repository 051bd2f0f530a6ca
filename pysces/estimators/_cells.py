"""Cells as the drivers of ARACNe take them: ranks of their genes, and strata of their depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import scipy.sparse as sp

from pysces._csr import CSR
from pysces._infer.depth import Depth
from pysces._infer.ranks import rank_genes
from pysces._matrix import columns, counts_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pysces._infer.ranks import Ranks


FEWEST_GENES = 50
"""The counts of fewer genes tell the composition of a cell rather than its depth."""
FEW = "few genes"


class RankedCells(NamedTuple):
    """Ranked genes of some cells, their depth and where it is from."""

    ranks: Ranks
    depth: Depth
    source: str
    """What :func:`pysces._matrix.depths_of_cells` says, ``"few genes"``, ``"given"`` or ``"unused"``."""


def ranked_cells(
    x: Any,
    rows: NDArray[np.intp],
    genes: NDArray[np.intp],
    depth: ArrayLike | Literal["auto"] | None,
    *,
    uses_depth: bool,
    allow_negative: bool,
    n_threads: int,
) -> RankedCells:
    """Rank ``genes`` in ``rows`` of X, and find strata of the depth of these cells.

    With ``depth="auto"`` and counts, or values that counts can be had back from, counts of all genes make up the depth
    and the ranks are those of counts.
    """
    n_cells = len(rows)
    auto = isinstance(depth, str) and depth == "auto"
    given = None if auto or depth is None else _checked(depth, x.shape[0], rows, uses_depth=uses_depth)
    if not auto or not uses_depth:
        ranks = rank_genes(columns(x, rows, genes, allow_negative=allow_negative), n_threads)
        if given is None:
            return RankedCells(ranks, Depth.none(n_cells), "unused")
        return RankedCells(ranks, Depth.given(given), "given")
    values = columns(x, rows, np.arange(x.shape[1]), allow_negative=allow_negative)
    counts, source = counts_of(values, n_cells)
    few = np.count_nonzero(np.diff(values.indptr)) < FEWEST_GENES
    if counts is None or few:
        source = source if counts is None else FEW
        return RankedCells(rank_genes(_some(values, genes), n_threads), Depth.none(n_cells), source)
    found = Depth.of_counts(counts, n_cells)
    return RankedCells(rank_genes(_some(counts, genes), n_threads), found, source)


def _some(of_all: CSR, genes: NDArray[np.intp]) -> CSR:
    """Some of the genes; all of them are not copied."""
    if len(genes) == of_all.n_rows:
        return of_all
    by_gene = sp.csr_array((of_all.data, of_all.indices, of_all.indptr), shape=(of_all.n_rows, of_all.n_columns))
    chosen = by_gene[genes]
    return CSR(chosen.data, chosen.indices.astype(np.int32), chosen.indptr.astype(np.int64), of_all.n_columns)


def _checked(depth: ArrayLike, n_cells: int, rows: NDArray[np.intp], *, uses_depth: bool) -> NDArray[np.float64]:
    """A number for every cell of ``rows``."""
    if not uses_depth:
        msg = "depth is given, but estimator='apmi' takes no notice of it; use estimator='gcmi', or leave depth out."
        raise ValueError(msg)
    try:
        values = np.asarray(depth)
    except ValueError:  # lists of different lengths
        values = np.empty(0, object)
    if values.shape != (n_cells,) or values.dtype.kind not in "iufb":
        msg = (
            f"depth must be 'auto', None or one number per cell ({n_cells}); found {type(depth).__name__} "
            f"of shape {values.shape} and {values.dtype}."
        )
        raise ValueError(msg)
    used = values[rows].astype(np.float64)
    if not np.isfinite(used).all():
        msg = f"depth holds {int((~np.isfinite(used)).sum())} missing or infinite values; give a number per cell."
        raise ValueError(msg)
    return used
