"""Kernels that rank the columns of a sparse matrix."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel


@kernel
def rank_columns(data, indptr, order, levels, zero_level, n_levels):
    """Dense rank of every stored value among the distinct values of its column; zero is one of them.

    ``order`` holds, column after column, the order that sorts the values of a column. ``zero_level`` is the number of
    distinct negative values; ``n_levels`` counts the level of zero even if no cell is zero.
    """
    for column in range(len(indptr) - 1):
        start, stop = indptr[column], indptr[column + 1]
        level = -1
        zero = -1
        previous = 0.0
        for i in range(stop - start):
            at = start + order[start - indptr[0] + i]
            value = data[at]
            if value > 0.0 and zero < 0:
                level += 1
                zero = level
            if i == 0 or value != previous:
                level += 1
            levels[at] = level
            previous = value
        if zero < 0:
            level += 1
            zero = level
        zero_level[column] = zero
        n_levels[column] = level + 1


@kernel
def count_taken(cells, indptr, starts, counts):
    """Entries of each column in the cells taken: cell ``c`` becomes cells ``starts[c]`` to ``starts[c + 1]``."""
    for column in range(len(indptr) - 1):
        total = 0
        for i in range(indptr[column], indptr[column + 1]):
            total += starts[cells[i] + 1] - starts[cells[i]]
        counts[column] = total


@kernel
def take_cells(cells, levels, indptr, starts, out_cells, out_levels, out_indptr):
    """Copy the entries of the cells taken, in their order.

    Whether a cell is taken cannot be predicted: an entry is always written to the end of a list that grows if it is.
    """
    longest = 0
    for column in range(len(indptr) - 1):
        longest = max(longest, out_indptr[column + 1] - out_indptr[column])
    new_cells, new_levels = np.empty(longest + 1, np.int32), np.empty(longest + 1, np.int32)
    for column in range(len(indptr) - 1):
        n_new = 0
        for i in range(indptr[column], indptr[column + 1]):
            start, stop = starts[cells[i]], starts[cells[i] + 1]
            new_cells[n_new], new_levels[n_new] = start, levels[i]
            n_new += stop > start
            for copy in range(start + 1, stop):
                new_cells[n_new], new_levels[n_new] = copy, levels[i]
                n_new += 1
        first = out_indptr[column]
        for i in range(n_new):
            out_cells[first + i], out_levels[first + i] = new_cells[i], new_levels[i]


@kernel
def split_mix(state):
    """SplitMix64: the next word of a stream that is just a counter, so streams need no shared state."""
    z = state + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def shuffle(values, seed):
    """Put ``values`` in random order, in place (Fisher-Yates on the SplitMix64 stream of ``seed``)."""
    for i in range(len(values) - 1, 0, -1):
        draw = split_mix(seed + np.uint64(i) * np.uint64(0x9E3779B97F4A7C15))
        j = np.int64((draw >> np.uint64(32)) * np.uint64(i + 1) >> np.uint64(32))
        values[i], values[j] = values[j], values[i]


@kernel
def permute_cells(cells, levels, indptr, columns, n_cells, n_taken, seeds, out_cells, out_levels, out_counts):
    """For each of ``columns``, move its entries to random cells and keep the first ``n_taken`` cells.

    Row ``i`` of the outputs has room for all entries of ``columns[i]`` and holds ``out_counts[i]``, cells ascending.
    """
    place = np.empty(n_cells, np.int32)
    level_at = np.empty(n_taken, np.int32)
    for i in range(len(columns)):
        for cell in range(n_cells):
            place[cell] = cell
        shuffle(place, seeds[i])
        level_at[:] = -1
        for entry in range(indptr[columns[i]], indptr[columns[i] + 1]):
            if place[cells[entry]] < n_taken:
                level_at[place[cells[entry]]] = levels[entry]
        at = 0
        for cell in range(n_taken):
            if level_at[cell] >= 0:
                out_cells[i, at] = cell
                out_levels[i, at] = level_at[cell]
                at += 1
        out_counts[i] = at
