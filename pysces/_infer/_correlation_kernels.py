"""Kernels of Spearman correlation on ranked sparse columns."""

from __future__ import annotations

import numpy as np

from pysces._infer._partition_kernels import level_starts
from pysces._jit import kernel


@kernel
def rank_scores(levels, indptr, zero_level, n_levels, n_cells, score, offsets, total, squares):
    """Score of every entry less that of zero, and the sums of it and of its square over all cells.

    ``score`` is indexed by twice the average rank; a column without zeros is measured from a score of 0.
    """
    for column in range(len(indptr) - 1):
        starts = np.empty(n_levels[column], np.int32)
        n_zero = level_starts(levels, indptr, zero_level, n_cells, column, starts)
        zero = score[2 * starts[zero_level[column]] + n_zero + 1] if n_zero else 0.0
        total[column] = squares[column] = 0.0
        for i in range(indptr[column], indptr[column + 1]):
            level = levels[i]
            following = n_cells if level + 1 == n_levels[column] else starts[level + 1]
            offsets[i] = score[starts[level] + following + 1] - zero
            total[column] += offsets[i]
            squares[column] += offsets[i] * offsets[i]


@kernel
def edge_correlations(cells, offsets, indptr, total, squares, n_cells, sources, targets, correlation):
    """Pearson correlation of the average ranks of each (source, target)."""
    for edge in range(len(sources)):
        x, y = sources[edge], targets[edge]
        i, j = indptr[x], indptr[y]
        products = 0.0
        while i < indptr[x + 1] and j < indptr[y + 1]:
            if cells[i] < cells[j]:
                i += 1
            elif cells[i] > cells[j]:
                j += 1
            else:
                products += offsets[i] * offsets[j]
                i += 1
                j += 1
        covariance = products - total[x] * total[y] / n_cells
        variances = (squares[x] - total[x] * total[x] / n_cells) * (squares[y] - total[y] * total[y] / n_cells)
        correlation[edge] = min(1.0, max(-1.0, covariance / np.sqrt(variances)))
