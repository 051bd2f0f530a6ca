"""Kernels of scores of average ranks on sparse columns, and of the Spearman correlation of edges."""

from __future__ import annotations

import numpy as np

from pysces._infer._partition_kernels import level_starts
from pysces._jit import kernel


@kernel
def rank_scores(levels, indptr, zero_level, n_levels, n_cells, score, offsets):
    """Score of every entry less that of zero.

    ``score`` is indexed by twice the average rank; a column without zeros is measured from a score of 0.
    """
    for column in range(len(indptr) - 1):
        starts = np.empty(n_levels[column], np.int32)
        n_zero = level_starts(levels, indptr, zero_level, n_cells, column, starts)
        zero = score[2 * starts[zero_level[column]] + n_zero + 1] if n_zero else 0.0
        for i in range(indptr[column], indptr[column + 1]):
            level = levels[i]
            following = n_cells if level + 1 == n_levels[column] else starts[level + 1]
            offsets[i] = score[starts[level] + following + 1] - zero


@kernel
def sums_within(cells, offsets, indptr, labels, sizes, trends, least, total, squares):
    """Per stratum and column, the sum over the root of its number of cells; then, per trend, the sum of products.

    ``squares`` is what is left of the squares of a column without them. Where that is less than ``least`` of all it is
    rounding, and the column is constant in every stratum.
    """
    n_strata, n_trends = len(sizes), trends.shape[0]
    for column in range(len(indptr) - 1):
        whole = 0.0
        for b in range(n_strata + n_trends):
            total[b, column] = 0.0
        for i in range(indptr[column], indptr[column + 1]):
            total[labels[cells[i]], column] += offsets[i]
            whole += offsets[i] * offsets[i]
            for k in range(n_trends):
                total[n_strata + k, column] += offsets[i] * trends[k, cells[i]]
        within = whole
        for b in range(n_strata + n_trends):
            if b < n_strata:
                total[b, column] /= np.sqrt(max(sizes[b], 1.0))
            within -= total[b, column] * total[b, column]
        squares[column] = within if within > least * whole else 0.0


@kernel
def edge_correlations(cells, offsets, indptr, total, squares, sources, targets, correlation):
    """Pearson correlation, within strata, of the average ranks of each (source, target)."""
    for edge in range(len(sources)):
        x, y = sources[edge], targets[edge]
        i, j = indptr[x], indptr[y]
        covariance = 0.0
        while i < indptr[x + 1] and j < indptr[y + 1]:
            if cells[i] < cells[j]:
                i += 1
            elif cells[i] > cells[j]:
                j += 1
            else:
                covariance += offsets[i] * offsets[j]
                i += 1
                j += 1
        for b in range(total.shape[0]):
            covariance -= total[b, x] * total[b, y]
        correlation[edge] = min(1.0, max(-1.0, covariance / np.sqrt(squares[x] * squares[y])))
