"""In how many cells of each group a gene is found, and genes that a group cannot have been measured for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pysces._matrix._read import blocks_of, restriction

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS = 500
"""So many cells of a group are looked at first."""
EXPECTED = 10
"""A gene is common if it would be found in so many cells of the group, were it found as often as in the others."""
FEWEST, SHARE = 20, 0.08
"""So many genes, and so large a share of those that are common, must be without a count."""
TIMES_REDUCED, REDUCED = 8, 1 / 4
"""And they must be so many times those that are found, but up to ``REDUCED`` as often as expected.

Types of cells differ by degrees: where many genes are absent, about as many are reduced. Between sorted types of blood
cells the ratio was up to 1.1 on all genes and up to 4 on variable genes; in outer joins of one type, 10 to 260.
"""


class Unmeasured(NamedTuple):
    """``n_genes`` of ``n_common`` are common in group ``found_in`` and without a count in ``absent_from``."""

    n_genes: int
    n_common: int
    found_in: int
    absent_from: int
    n_cells: int


def unmeasured_genes(x: Any, codes: NDArray[np.intp], pairs: list[tuple[int, int]]) -> list[Unmeasured]:
    """Pairs of groups one of which lacks genes, the worst first; group -1 stands for the cells of all other groups.

    ``codes`` has the group of every cell, -1 for none. Some cells of each group are looked at, and all of them only
    where these show something.
    """
    first = _compared(x, _some_cells(x, codes), pairs)
    if not first:
        return []
    doubtful = list({(max(pair.found_in, pair.absent_from), min(pair.found_in, pair.absent_from)) for pair in first})
    return sorted(_compared(x, codes, doubtful), reverse=True)


def _some_cells(x: Any, codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """The group of a few cells of each group, -1 for all other cells; the first of a dask array, read in few chunks."""
    chosen = np.full(len(codes), -1)
    for group in range(codes.max() + 1):
        rows = np.flatnonzero(codes == group)
        if len(rows) > CELLS:
            rows = rows[:CELLS] if hasattr(x, "compute") else rows[np.arange(CELLS) * len(rows) // CELLS]
        chosen[rows] = group
    return chosen


def _compared(x: Any, codes: NDArray[np.intp], pairs: list[tuple[int, int]]) -> list[Unmeasured]:
    n_groups = int(codes.max()) + 1
    n_cells = np.bincount(codes[codes >= 0], minlength=n_groups)
    found = detections(x, codes, n_groups)
    n_all, in_all = n_cells.sum(), found.sum(axis=0)

    def sides(group: int, other: int) -> tuple[int, NDArray[np.int64]]:
        return (n_cells[group], found[group]) if group >= 0 else (n_all - n_cells[other], in_all - found[other])

    compared = []
    for a, b in pairs:
        for having, lacking in ((a, b), (b, a)):
            n_lacking, in_lacking = sides(lacking, having)
            n_genes, n_common = _absent(*sides(having, lacking), n_lacking, in_lacking)
            if n_genes:
                compared.append(Unmeasured(n_genes, n_common, having, lacking, int(n_lacking)))
    return compared


def _absent(n_having: int, having: NDArray[np.int64], n_lacking: int, lacking: NDArray[np.int64]) -> tuple[int, int]:
    """How many genes are without a count, 0 if cells may differ so, and how many are common."""
    if not n_having or not n_lacking:
        return 0, 0
    rate = having / n_having
    depth = min(1.0, (lacking.sum() / n_lacking) / max(rate.sum(), np.finfo(np.float64).tiny))
    expected = rate * n_lacking * depth
    common = expected >= EXPECTED
    n_common, n_absent = int(common.sum()), int((common & (lacking == 0)).sum())
    reduced = int((common & (lacking > 0) & (lacking <= np.maximum(expected * REDUCED, 1))).sum())
    real = n_absent >= FEWEST and n_absent > SHARE * n_common and n_absent > TIMES_REDUCED * (reduced + 1)
    return (n_absent if real else 0), n_common


def detections(x: Any, codes: NDArray[np.intp], n_groups: int) -> NDArray[np.int64]:
    """Number of cells of each group in which each gene is not zero, groups x genes."""
    rows, n_genes = np.flatnonzero(codes >= 0), x.shape[1]
    found = np.zeros(n_groups * n_genes, np.int64)
    restrict = restriction(np.arange(n_genes), n_genes)
    for place, block in blocks_of(x, rows):
        part = restrict(block)
        group = np.repeat(codes[rows[place]], np.diff(part.indptr))
        np.add.at(found, group * n_genes + part.indices, 1)
    return found.reshape(n_groups, n_genes)
