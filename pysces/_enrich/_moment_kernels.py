"""Kernels of gene statistics over cells, and of signatures that need more than a mean and a deviation."""

from __future__ import annotations

from pysces._jit import kernel


@kernel
def add_moments(data, indices, first, last, sums, squares):
    """Add the entries ``first <= i < last`` of a CSR block to compensated sums (value, error) of x and x squared.

    The compensation makes the sums independent of the order of the cells, so that genes with the same values have the
    same moments and ties between them stay ties.
    """
    for i in range(first, last):
        gene, value = indices[i], data[i]
        total = sums[gene, 0] + value
        back = total - sums[gene, 0]
        sums[gene, 1] += (sums[gene, 0] - (total - back)) + (value - back)
        sums[gene, 0] = total

        square = value * value
        split = 134217729.0 * value  # Veltkamp: the error of the square, exactly
        high = split - (split - value)
        low = value - high
        error = ((high * high - square) + 2.0 * high * low) + low * low
        total = squares[gene, 0] + square
        back = total - squares[gene, 0]
        squares[gene, 1] += (squares[gene, 0] - (total - back)) + (square - back) + error
        squares[gene, 0] = total


@kernel
def average_ranks(values, genes, sorted_values, indptr, n_cells, ranks):
    """Average rank of ``values[i]`` among the cells of ``genes[i]``, whose non-zero values are given, ascending."""
    for i in range(len(values)):
        start, stop = indptr[genes[i]], indptr[genes[i] + 1]
        value = values[i]
        low, high = start, stop
        while low < high:  # entries below the value
            middle = (low + high) // 2
            if sorted_values[middle] < value:
                low = middle + 1
            else:
                high = middle
        below = low - start
        high = stop
        while low < high:  # entries at the value
            middle = (low + high) // 2
            if sorted_values[middle] <= value:
                low = middle + 1
            else:
                high = middle
        equal = low - start - below
        n_zero = n_cells - (stop - start)
        if value > 0.0:
            below += n_zero
        elif value == 0.0:
            equal = n_zero
        ranks[i] = below + (equal + 1) / 2
