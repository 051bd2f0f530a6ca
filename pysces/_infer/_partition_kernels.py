"""Kernels that turn ranked columns into codes (positions) and binary trees of positions."""

from __future__ import annotations

import numpy as np

from pysces._infer._rank_kernels import shuffle
from pysces._jit import kernel, population_count


@kernel
def level_starts(levels, indptr, zero_level, n_cells, column, starts):
    """Fill ``starts[level]`` with the number of cells below each level of a column; return the cells at zero."""
    n_levels = len(starts)
    n_zero = n_cells - (indptr[column + 1] - indptr[column])
    starts[:] = 0
    for i in range(indptr[column], indptr[column + 1]):
        starts[levels[i]] += 1
    starts[zero_level[column]] += n_zero
    below = 0
    for level in range(n_levels):
        count = starts[level]
        starts[level] = below
        below += count
    return n_zero


@kernel
def block_codes(levels, indptr, zero_level, n_levels, n_cells, codes, zero_code, n_blocks):
    """Code of an entry: the number of cells below its value, the same for the whole block of equal values.

    ``n_blocks`` is the number of distinct values that occur.
    """
    for column in range(len(indptr) - 1):
        starts = np.empty(n_levels[column], np.int32)
        n_zero = level_starts(levels, indptr, zero_level, n_cells, column, starts)
        for i in range(indptr[column], indptr[column + 1]):
            codes[i] = starts[levels[i]]
        zero_code[column] = starts[zero_level[column]] if n_zero else -1
        n_blocks[column] = 0
        for level in range(n_levels[column]):
            following = n_cells if level + 1 == n_levels[column] else starts[level + 1]
            n_blocks[column] += following > starts[level]


@kernel
def random_codes(cells, levels, indptr, zero_level, n_levels, n_cells, seeds, codes):
    """Code of every cell: its rank from 0, equal values in random order; ``codes`` is columns x cells."""
    order = np.empty(n_cells, np.int32)
    level_of = np.empty(n_cells, np.int32)
    for column in range(len(indptr) - 1):
        starts = np.empty(n_levels[column], np.int32)
        level_starts(levels, indptr, zero_level, n_cells, column, starts)
        for cell in range(n_cells):
            order[cell] = cell
        shuffle(order, seeds[column])
        level_of[:] = zero_level[column]
        for i in range(indptr[column], indptr[column + 1]):
            level_of[cells[i]] = levels[i]
        for cell in order:
            codes[column, cell] = starts[level_of[cell]]
            starts[level_of[cell]] += 1


@kernel
def dyadic_tree(n_cells, smallest, split, child, width):
    """Tree of a gene without ties, aracne3: the copula rank / (n + 1) is halved; return the number of nodes.

    Node ``i``: codes below ``split[i]`` go to node ``child[i]``, others to ``child[i] + 1``; no child: -1.
    """
    low, high = np.zeros(len(split)), np.ones(len(split))
    first, last = np.zeros(len(split), np.int64), np.full(len(split), n_cells)
    n_nodes = 1
    node = 0
    while node < n_nodes:
        width[node] = high[node] - low[node]
        child[node] = -1
        if last[node] - first[node] >= smallest or node == 0:
            middle = (low[node] + high[node]) / 2
            at = np.int64(np.ceil(middle * (n_cells + 1))) - 1
            split[node], child[node] = at, n_nodes
            low[n_nodes], high[n_nodes] = low[node], middle
            first[n_nodes], last[n_nodes] = first[node], at
            low[n_nodes + 1], high[n_nodes + 1] = middle, high[node]
            first[n_nodes + 1], last[n_nodes + 1] = at, last[node]
            n_nodes += 2
        node += 1
    return n_nodes


@kernel
def interval_tree(n_cells, smallest, split, child, width):
    """Tree of a gene without ties, aracne-ap: rank intervals of n - codes are split at the floor of their middle."""
    first, last = np.zeros(len(split), np.int64), np.full(len(split), n_cells)
    n_nodes = 1
    node = 0
    while node < n_nodes:
        width[node] = (last[node] - first[node]) / n_cells
        child[node] = -1
        if last[node] - first[node] >= smallest or node == 0:
            at = (first[node] + last[node] + 1) // 2  # the program ranks from the largest value down
            split[node], child[node] = at, n_nodes
            first[n_nodes], last[n_nodes] = first[node], at
            first[n_nodes + 1], last[n_nodes + 1] = at, last[node]
            n_nodes += 2
        node += 1
    return n_nodes


@kernel
def nearest_boundary(ends, first, last, middle):
    """Index in ``first <= i < last`` of the end nearest ``middle``; of two equally near, the lower."""
    low, high = first, last - 1
    while low < high:
        centre = (low + high) // 2
        if ends[centre] < middle:
            low = centre + 1
        else:
            high = centre
    if low > first and middle - ends[low - 1] <= abs(ends[low] - middle):
        return low - 1
    return low


@kernel
def tied_tree(ends, n_cells, smallest, offset, split, child, width):
    """Tree of a gene with ties: a node is split at the boundary between distinct values nearest its median.

    ``ends[i]`` is the number of cells at or below the i-th distinct value. Nodes are written from ``offset`` on.
    """
    first, last = np.zeros(2 * len(ends), np.int64), np.full(2 * len(ends), len(ends) - 1)
    n_nodes = 1
    node = 0
    while node < n_nodes:
        below = ends[first[node] - 1] if first[node] else 0
        count = ends[last[node]] - below
        width[offset + node] = count / n_cells
        child[offset + node] = -1
        if last[node] > first[node] and (count >= smallest or node == 0):
            at = nearest_boundary(ends, first[node], last[node], below + count / 2)
            split[offset + node], child[offset + node] = ends[at], offset + n_nodes
            first[n_nodes], last[n_nodes] = first[node], at
            first[n_nodes + 1], last[n_nodes + 1] = at + 1, last[node]
            n_nodes += 2
        node += 1
    return n_nodes


@kernel
def block_ends(levels, indptr, zero_level, n_levels, n_cells, column, ends):
    """Fill ``ends`` with the number of cells at or below each value that occurs; return how many values there are."""
    starts = np.empty(n_levels[column], np.int32)
    level_starts(levels, indptr, zero_level, n_cells, column, starts)
    n_blocks = 0
    for level in range(n_levels[column]):
        following = n_cells if level + 1 == n_levels[column] else starts[level + 1]
        if following > starts[level]:
            ends[n_blocks] = following
            n_blocks += 1
    return n_blocks


@kernel
def first_splits(levels, indptr, zero_level, n_levels, n_cells, minority, tied):
    """Cells on the smaller side of the first split (0: constant) of each column, and whether it has ties."""
    for column in range(len(indptr) - 1):
        ends = np.empty(n_levels[column], np.int64)
        n_blocks = block_ends(levels, indptr, zero_level, n_levels, n_cells, column, ends)
        minority[column] = 0
        tied[column] = n_blocks < n_cells
        if n_blocks > 1:
            low = ends[nearest_boundary(ends, 0, n_blocks - 1, n_cells / 2)]
            minority[column] = min(low, n_cells - low)


@kernel
def tied_trees(levels, indptr, zero_level, n_levels, n_cells, n_blocks, smallest, root, split, child, width):
    """Write the trees of all tied columns; ``root[column]`` is where each begins, -1 for columns without ties."""
    for column in range(len(indptr) - 1):
        if root[column] < 0:
            continue
        ends = np.empty(n_levels[column], np.int64)
        block_ends(levels, indptr, zero_level, n_levels, n_cells, column, ends)
        ends = ends[: n_blocks[column]]
        tied_tree(ends, n_cells, smallest, root[column], split, child, width)


@kernel
def tree_depth(root, child):
    """Levels of splits below each root."""
    deepest = 0
    depth = np.zeros(len(child), np.int32)
    for node in range(len(child)):  # children come after their parents
        if child[node] >= 0:
            depth[child[node]] = depth[child[node] + 1] = depth[node] + 1
            deepest = max(deepest, depth[node] + 1)
    return deepest


@kernel
def code_paths(root, split, child, n_cells, stack, paths):
    """Path from the root to every code, one bit per level that tells whether the code goes to the high child.

    Returns the number of levels.
    """
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = root, 0, n_cells, 0
    high_path = np.zeros(len(stack), np.uint64)
    n_stack = 1
    deepest = 0
    while n_stack:
        n_stack -= 1
        node, first, last, level = stack[n_stack, 0], stack[n_stack, 1], stack[n_stack, 2], stack[n_stack, 3]
        path = high_path[n_stack]
        deepest = max(deepest, level)
        if child[node] < 0:
            for code in range(first, last):
                paths[code] = path
            continue
        low, at = child[node], split[node]
        stack[n_stack, 0], stack[n_stack, 1], stack[n_stack, 2], stack[n_stack, 3] = low, first, at, level + 1
        high_path[n_stack] = path
        n_stack += 1
        stack[n_stack, 0], stack[n_stack, 1], stack[n_stack, 2], stack[n_stack, 3] = low + 1, at, last, level + 1
        high_path[n_stack] = path | (np.uint64(1) << np.uint64(level))
        n_stack += 1
    return deepest


@kernel
def set_few(cells, codes, first, last, paths, zero_path, n_levels, lines):
    """Planes of all levels where few cells are not zero: start from the path of zero, change the bits of the others."""
    one = np.uint64(1)
    for level in range(n_levels):
        of_zero = np.uint64(0) - ((zero_path >> np.uint64(level)) & one)
        for w in range(lines.shape[1]):
            lines[level, w] = of_zero
    for i in range(first, last):
        changed = paths[codes[i]] ^ zero_path
        word, bit = cells[i] >> 6, np.uint64(cells[i] & 63)
        for level in range(n_levels):
            lines[level, word] ^= ((changed >> np.uint64(level)) & one) << bit


@kernel
def set_many(cells, codes, first, last, paths, zero_path, n_levels, path_of_cell, lines):
    """Planes of all levels where many cells are not zero: put 64 bits together at a time."""
    one = np.uint64(1)
    for cell in range(len(path_of_cell)):
        path_of_cell[cell] = zero_path
    for i in range(first, last):
        path_of_cell[cells[i]] = paths[codes[i]]
    for w in range(lines.shape[1]):
        for level in range(n_levels):
            bits = np.uint64(0)
            for b in range(64):
                bits |= ((path_of_cell[64 * w + b] >> np.uint64(level)) & one) << np.uint64(b)
            lines[level, w] = bits


@kernel
def fill_planes(cells, codes, indptr, zero_code, root, split, child, n_cells, top, margin, planes):
    """Masks of the second-level nodes with their counts, and planes of the lower levels, from codes and trees."""
    one = np.uint64(1)
    n_words, n_levels = planes.shape[2], planes.shape[1] + 2
    paths = np.empty(n_cells, np.uint64)
    path_of_cell = np.empty(64 * n_words, np.uint64)
    stack = np.empty((n_levels + 2, 4), np.int64)
    lines = np.empty((n_levels, n_words), np.uint64)
    known, n_own = -1, 0
    for column in range(len(root)):
        if root[column] != known:
            n_own = code_paths(root[column], split, child, n_cells, stack, paths)
            known = root[column]
            for level in range(n_levels):
                for w in range(n_words):
                    lines[level, w] = 0
        zero_path = paths[zero_code[column]] if zero_code[column] >= 0 else np.uint64(0)
        first, last = indptr[column], indptr[column + 1]
        if last - first < n_cells // 4:
            set_few(cells, codes, first, last, paths, zero_path, n_own, lines)
        else:
            set_many(cells, codes, first, last, paths, zero_path, n_own, path_of_cell, lines)
        for level in range(2, n_levels):
            for w in range(n_words):
                planes[column, level - 2, w] = lines[level, w]
        margin[column] = 0
        for w in range(n_words):
            left = n_cells - 64 * w
            valid = ~np.uint64(0) if left >= 64 else (one << np.uint64(max(left, 0))) - one
            high, second = lines[0, w] & valid, lines[1, w]
            low = valid & ~high
            top[column, 0, w], top[column, 1, w] = low & ~second, low & second
            top[column, 2, w], top[column, 3, w] = high & ~second, high & second
            for node in range(4):
                margin[column, node] += population_count(top[column, node, w])
