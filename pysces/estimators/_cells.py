"""Cells as the drivers of ARACNe take them: ranks of their genes, and strata of their depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from pysces._check import warn
from pysces._csr import CSR
from pysces._infer.depth import Depth
from pysces._infer.ranks import rank_genes
from pysces._matrix import UNKNOWN, columns, counts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from pysces._infer.ranks import Ranks


FEWEST_GENES = 50
"""The counts of fewer genes tell the composition of a cell rather than its depth."""
LEAST_DIFFERENCE = 0.2
"""Relative standard deviation of the counts of cells, beyond chance, that so few genes must have to be warned of."""
UNUSED, GIVEN, FEW, EQUAL = "unused", "given", "few genes", "equal depth"
NOT_KNOWN = (UNKNOWN, FEW)
"""Where cells may differ in depth, but are not stratified."""


class CellsOfDepth(NamedTuple):
    """Counts of cells if there are any, strata of their depth, and where it is from."""

    counts: CSR | None
    depth: Depth
    source: str

    @classmethod
    def of(cls, values: CSR, n_cells: int) -> Self:
        """Find depth and counts in values of all genes, given as columns."""
        counts, source = counts_of(values, n_cells)
        if counts is None:
            return cls(None, Depth.none(n_cells), source)
        if np.count_nonzero(np.diff(values.indptr)) >= FEWEST_GENES:
            return cls(counts, Depth.of_counts(counts, n_cells), source)
        total = np.bincount(counts.indices, counts.data, n_cells)
        beyond_chance = total.var() - total.mean()
        differ = beyond_chance > (LEAST_DIFFERENCE * total.mean()) ** 2
        return cls(counts, Depth.none(n_cells), FEW if differ else EQUAL)


def warn_of_depth(sources: Iterable[str], where: str = "", *, depth: str = "a number per cell") -> None:
    """Warn once of all groups of cells whose depth is not known; ``depth`` is what the argument takes."""
    unknown = [source for source in sources if source in NOT_KNOWN]
    if not unknown:
        return
    what = f"counts of fewer than {FEWEST_GENES} genes, which tell the composition of a cell rather than its depth"
    if UNKNOWN in unknown:
        what = "values that are neither counts nor logarithms or multiples of counts"
    warn(
        f"the sequencing depth of the cells is not known{where}, and genes that follow the depth alone may look "
        f"related: X holds {what}. Use counts, or give the depth as depth= ({depth}), or depth=None if it is the same "
        "in all cells."
    )


class RankedCells(NamedTuple):
    """Ranked genes of some cells, their depth and where it is from."""

    ranks: Ranks
    depth: Depth
    source: str
    """What :func:`pysces._matrix.counts_of` says, or another of the above."""

    @property
    def are_stratified(self) -> bool:
        """Whether there is a depth."""
        return self.source not in {UNKNOWN, FEW, EQUAL, UNUSED}


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
            return RankedCells(ranks, Depth.none(n_cells), UNUSED)
        return RankedCells(ranks, Depth.given(given), GIVEN)
    values = columns(x, rows, np.arange(x.shape[1]), allow_negative=allow_negative)
    counts, strata, source = CellsOfDepth.of(values, n_cells)
    used = values if counts is None or source in {FEW, EQUAL} else counts
    return RankedCells(rank_genes(_some(used, genes), n_threads), strata, source)


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
