"""Kernels of adaptive-partitioning mutual information on bit masks.

A gene is given as the masks of its four second-level nodes (low-low, low-high, high-low, high-high) and as one bit
plane per lower level of its tree: does the cell lie in the upper part of its node? The root is always split, so the
4 x 4 table of second-level counts decides about all four quadrants, and most pairs end there. Parts that go on are
masks while they hold many cells, and lists of the words that are not empty below, so that the work falls with size.

The information is a sum of integers: (k / n) ln(k / n) and ln(width) / n in fixed point. It does not depend on the
order of its terms, so that pairs are symmetric to the last bit on every machine.
"""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel, population_count

WORDS_PER_CELL = 4
"""A part is listed where its mask would have more words than this for each cell."""


@kernel
def is_uneven(c00, c01, c10, c11, x_low, x_high, y_low, y_high, critical):
    """Whether the counts of the parts differ from what the margins predict, by chi-square.

    ``x_low`` is 1 over the share of the low part, and so on; an axis that is not split has 1 and 0. ``critical`` is the
    quantile for the number of parts. For halves all terms are whole numbers, and the comparison is exact.
    """
    count = c00 + c01 + c10 + c11
    same = c00 * c00 * (x_low * y_low) + c11 * c11 * (x_high * y_high)
    cross = c01 * c01 * (x_low * y_high) + c10 * c10 * (x_high * y_low)
    return same + cross - count * count > critical * count


@kernel
def is_uneven_in_two(low, high, low_inverse, high_inverse, critical):
    """Whether the same holds where only one axis is split."""
    count = low + high
    return low * low * low_inverse + high * high * high_inverse - count * count > critical * count


@kernel
def is_uneven_in_halves(c00, c01, c10, c11):
    """Whether the same holds where both axes are halved, in whole numbers."""
    count = c00 + c01 + c10 + c11
    return 1000 * (4 * (c00 * c00 + c01 * c01 + c10 * c10 + c11 * c11) - count * count) > 7815 * count


@kernel
def part_node(node, child, part):
    """Low (0) or high (1) child of a node; a leaf is its own."""
    low = np.int64(child[node])
    return low + part if low >= 0 else np.int64(node)


@kernel
def split_mask(words, first, x_planes, x_at, flip_x, y_planes, y_at, flip_y, x_next, y_next, at, n_words):
    """Write at ``at`` the mask of one of the four parts of the mask at ``first``, and count it in the next planes.

    Returns its cells that are high in x, in y and in both.
    """
    high_x = high_y = both = 0
    for w in range(n_words):
        word = words[first + w] & (x_planes[x_at + w] ^ flip_x) & (y_planes[y_at + w] ^ flip_y)
        words[at + w] = word
        of_x, of_y = word & x_planes[x_next + w], word & y_planes[y_next + w]
        high_x += population_count(of_x)
        high_y += population_count(of_y)
        both += population_count(of_x & of_y)
    return high_x, high_y, both


@kernel
def split_list(words, places, first, last, whole, x_planes, x_at, flip_x, y_planes, y_at, flip_y, x_next, y_next, at):
    """List from ``at`` the words that are not empty of a part of a list, or of a ``whole`` mask, and count it.

    Returns the end of the list, and its cells that are high in x, in y and in both.
    """
    high_x = high_y = both = 0
    for i in range(first, last):
        place = places[i]
        if whole:
            place = i - first
        word = words[i] & (x_planes[x_at + place] ^ flip_x) & (y_planes[y_at + place] ^ flip_y)
        if word:
            words[at], places[at] = word, place
            at += np.uint64(1)
            of_x, of_y = word & x_planes[x_next + place], word & y_planes[y_next + place]
            high_x += population_count(of_x)
            high_y += population_count(of_y)
            both += population_count(of_x & of_y)
    return at, high_x, high_y, both


@kernel
def goes_on(parts, n_parts, count, high_x, high_y, both, x_node, y_node, level, first, last, x_tree, y_tree, critical):
    """Whether a part is split again; if so it is written to row ``n_parts`` of ``parts``."""
    x_child, x_inverse, _ = x_tree
    y_child, y_inverse, _ = y_tree
    c10, c01 = high_x - both, high_y - both
    c00 = count - high_x - c01
    quantile = critical[int(x_child[x_node] >= 0) + int(y_child[y_node] >= 0)]
    x_low, x_high = x_inverse[x_node, 0], x_inverse[x_node, 1]
    y_low, y_high = y_inverse[y_node, 0], y_inverse[y_node, 1]
    if not is_uneven(float(c00), float(c01), float(c10), float(both), x_low, x_high, y_low, y_high, quantile):
        return False
    parts[n_parts, 0], parts[n_parts, 1], parts[n_parts, 2], parts[n_parts, 3] = c00, c01, c10, both
    parts[n_parts, 4], parts[n_parts, 5], parts[n_parts, 6] = x_node, y_node, level
    parts[n_parts, 7], parts[n_parts, 8] = first, last
    return True


@kernel
def plane_start(gene, level, n_levels, n_words):
    """Where a plane begins in the flat planes of all genes; below the last level all planes are empty."""
    return np.uint64(gene * n_levels + min(level, n_levels - 1)) * n_words


@kernel
def lower_information(
    parts, n_parts, words, places, planes, row, column, x_tree, y_tree, critical, smallest, count_term
):
    """Fixed-point information of parts that are split: rows of four counts, two nodes, the level and a range of words.

    A part with as many words as a gene is a mask; one with fewer is a list. Indices are unsigned, as numba would
    otherwise look for negative ones in every loop.
    """
    x_planes, x_levels, y_planes, y_levels, n_words = planes
    x_child, x_log = x_tree[0], x_tree[2]
    y_child, y_log = y_tree[0], y_tree[2]
    full = ~np.uint64(0)
    information = 0
    while n_parts:
        n_parts -= 1
        counts = (parts[n_parts, 0], parts[n_parts, 1], parts[n_parts, 2], parts[n_parts, 3])
        x_node, y_node, level = parts[n_parts, 4], parts[n_parts, 5], parts[n_parts, 6]
        first, last = np.uint64(parts[n_parts, 7]), np.uint64(parts[n_parts, 8])
        x_at, x_next = plane_start(row, level, x_levels, n_words), plane_start(row, level + 1, x_levels, n_words)
        y_at, y_next = plane_start(column, level, y_levels, n_words), plane_start(column, level + 1, y_levels, n_words)
        whole = last - first == n_words
        at = last
        for part in range(4):
            count, in_x, in_y = counts[part], part >> 1, part & 1
            part_x, part_y = part_node(x_node, x_child, in_x), part_node(y_node, y_child, in_y)
            if count >= smallest and (x_child[part_x] >= 0 or y_child[part_y] >= 0):
                flip_x, flip_y = (np.uint64(0) if in_x else full), (np.uint64(0) if in_y else full)
                if whole and WORDS_PER_CELL * count >= n_words:
                    end = at + n_words
                    high_x, high_y, both = split_mask(
                        words, first, x_planes, x_at, flip_x, y_planes, y_at, flip_y, x_next, y_next, at, n_words
                    )
                else:
                    end, high_x, high_y, both = split_list(
                        words, places, first, last, whole,
                        x_planes, x_at, flip_x, y_planes, y_at, flip_y, x_next, y_next, at,
                    )  # fmt: skip
                if goes_on(
                    parts, n_parts, count, high_x, high_y, both, part_x, part_y, level + 1, at, end,
                    x_tree, y_tree, critical,
                ):  # fmt: skip
                    n_parts += 1
                    at = end
                    continue
            information += count_term[count] - count * (x_log[part_x] + y_log[part_y])
    return information


@kernel
def list_parts(
    counts, uneven, tops, planes, roots, row, column, x_tree, y_tree, critical, smallest, count_term, parts, words
):
    """List the parts of the quadrants that are split again; return how many, and the information of all else.

    ``counts`` is the 4 x 4 second-level table.
    """
    x_top, y_top = tops
    x_planes, x_levels, y_planes, y_levels, n_words = planes
    x_child, x_log = x_tree[0], x_tree[2]
    y_child, y_log = y_tree[0], y_tree[2]
    x_next, y_next = plane_start(row, 0, x_levels, n_words), plane_start(column, 0, y_levels, n_words)
    information = np.int64(0)
    n_parts = np.int64(0)
    at = np.uint64(0)
    for quadrant in range(4):
        i, j = quadrant >> 1, quadrant & 1
        x_node, y_node = part_node(roots[0], x_child, i), part_node(roots[1], y_child, j)
        if not uneven[quadrant]:
            count = counts[2 * i, 2 * j] + counts[2 * i, 2 * j + 1]
            count += counts[2 * i + 1, 2 * j] + counts[2 * i + 1, 2 * j + 1]
            information += count_term[count] - count * (x_log[x_node] + y_log[y_node])
            continue
        for part in range(4):
            in_x, in_y = part >> 1, part & 1
            count = counts[2 * i + in_x, 2 * j + in_y]
            part_x, part_y = part_node(x_node, x_child, in_x), part_node(y_node, y_child, in_y)
            if count >= smallest and (x_child[part_x] >= 0 or y_child[part_y] >= 0):
                x_at = np.uint64(4 * row + 2 * i + in_x) * n_words
                y_at = np.uint64(4 * column + 2 * j + in_y) * n_words
                high_x = high_y = both = 0
                for w in range(n_words):
                    word = x_top[x_at + w] & y_top[y_at + w]
                    words[at + w] = word
                    of_x, of_y = word & x_planes[x_next + w], word & y_planes[y_next + w]
                    high_x += population_count(of_x)
                    high_y += population_count(of_y)
                    both += population_count(of_x & of_y)
                if goes_on(
                    parts, n_parts, count, high_x, high_y, both, part_x, part_y, 0, at, at + n_words,
                    x_tree, y_tree, critical,
                ):  # fmt: skip
                    n_parts += 1
                    at += n_words
                    continue
            information += count_term[count] - count * (x_log[part_x] + y_log[part_y])
    return n_parts, information


@kernel
def pairwise_information(
    x, x_tree, y, y_tree, first, last, offset, triangle, n_cells, critical, smallest, count_term, unit, mi
):
    """Every gene of ``x`` with genes ``first`` to ``last`` of ``y``; ``unit`` is one step in nats.

    Column ``j`` of ``y`` is written to ``mi[:, offset + j]``; ``triangle`` leaves out rows at and below the diagonal.
    """
    x_top, x_margin, x_planes, x_root, x_halves, x_parts, x_offset = x
    y_top, y_margin, y_planes, y_root, y_halves, y_parts, y_offset = y
    n_words = x_top.shape[2]
    tops = (x_top.reshape(x_top.size), y_top.reshape(y_top.size))
    planes = (
        x_planes.reshape(x_planes.size), x_planes.shape[1], y_planes.reshape(y_planes.size), y_planes.shape[1],
        np.uint64(n_words),
    )  # fmt: skip
    depth = max(x_planes.shape[1], y_planes.shape[1]) + 1
    parts = np.empty((3 * depth + 17, 9), np.int64)
    words = np.empty((4 * depth + 18) * n_words, np.uint64)
    places = np.empty(len(words), np.uint64)
    counts = np.empty((4, 4), np.int64)
    for column in range(first, last):
        y1, y2, y3 = y_margin[column, 1], y_margin[column, 2], y_margin[column, 3]
        yl0, yh0, yl1, yh1 = y_halves[column, 0], y_halves[column, 1], y_halves[column, 2], y_halves[column, 3]
        y_halved = yl0 == 2.0 and yh0 == 2.0 and yl1 == 2.0 and yh1 == 2.0
        for row in range(column if triangle else len(x_margin)):
            x1, x2, x3 = x_margin[row, 1], x_margin[row, 2], x_margin[row, 3]
            xl0, xh0, xl1, xh1 = x_halves[row, 0], x_halves[row, 1], x_halves[row, 2], x_halves[row, 3]
            whole = x_parts[row, 0] == 0 and y_parts[column, 0] == 0  # low halves that are blocks, as of zeros
            c11 = c12 = c13 = c21 = c22 = c23 = c31 = c32 = c33 = 0
            if whole:
                for w in range(n_words):
                    of_x2, of_x3 = x_top[row, 2, w], x_top[row, 3, w]
                    of_y2, of_y3 = y_top[column, 2, w], y_top[column, 3, w]
                    c22 += population_count(of_x2 & of_y2)
                    c23 += population_count(of_x2 & of_y3)
                    c32 += population_count(of_x3 & of_y2)
                    c33 += population_count(of_x3 & of_y3)
            else:
                for w in range(n_words):
                    of_x1, of_x2, of_x3 = x_top[row, 1, w], x_top[row, 2, w], x_top[row, 3, w]
                    of_y1, of_y2, of_y3 = y_top[column, 1, w], y_top[column, 2, w], y_top[column, 3, w]
                    c11 += population_count(of_x1 & of_y1)
                    c12 += population_count(of_x1 & of_y2)
                    c13 += population_count(of_x1 & of_y3)
                    c21 += population_count(of_x2 & of_y1)
                    c22 += population_count(of_x2 & of_y2)
                    c23 += population_count(of_x2 & of_y3)
                    c31 += population_count(of_x3 & of_y1)
                    c32 += population_count(of_x3 & of_y2)
                    c33 += population_count(of_x3 & of_y3)
            c10, c20, c30 = x1 - c11 - c12 - c13, x2 - c21 - c22 - c23, x3 - c31 - c32 - c33
            c01, c02, c03 = y1 - c11 - c21 - c31, y2 - c12 - c22 - c32, y3 - c13 - c23 - c33
            c00 = n_cells - y1 - y2 - y3 - c10 - c20 - c30
            q00, q01 = c00 + c01 + c10 + c11, c02 + c03 + c12 + c13
            q10, q11 = c20 + c21 + c30 + c31, c22 + c23 + c32 + c33
            k10 = critical[x_parts[row, 1] + y_parts[column, 0]]
            k01 = critical[x_parts[row, 0] + y_parts[column, 1]]
            k11 = critical[x_parts[row, 1] + y_parts[column, 1]]
            if whole:
                u00 = False
                u01 = (q01 >= smallest) & is_uneven_in_two(float(c02), float(c03), yl1, yh1, k01)
                u10 = (q10 >= smallest) & is_uneven_in_two(float(c20), float(c30), xl1, xh1, k10)
                u11 = (q11 >= smallest) & is_uneven(
                    float(c22), float(c23), float(c32), float(c33), xl1, xh1, yl1, yh1, k11
                )
            elif y_halved and xl0 == 2.0 and xh0 == 2.0 and xl1 == 2.0 and xh1 == 2.0:
                u00 = (q00 >= smallest) & is_uneven_in_halves(c00, c01, c10, c11)
                u01 = (q01 >= smallest) & is_uneven_in_halves(c02, c03, c12, c13)
                u10 = (q10 >= smallest) & is_uneven_in_halves(c20, c21, c30, c31)
                u11 = (q11 >= smallest) & is_uneven_in_halves(c22, c23, c32, c33)
            else:
                k00 = critical[x_parts[row, 0] + y_parts[column, 0]]
                u00 = (q00 >= smallest) & is_uneven(
                    float(c00), float(c01), float(c10), float(c11), xl0, xh0, yl0, yh0, k00
                )
                u01 = (q01 >= smallest) & is_uneven(
                    float(c02), float(c03), float(c12), float(c13), xl0, xh0, yl1, yh1, k01
                )
                u10 = (q10 >= smallest) & is_uneven(
                    float(c20), float(c21), float(c30), float(c31), xl1, xh1, yl0, yh0, k10
                )
                u11 = (q11 >= smallest) & is_uneven(
                    float(c22), float(c23), float(c32), float(c33), xl1, xh1, yl1, yh1, k11
                )
            if not (u00 | u01 | u10 | u11):
                terms = count_term[q00] + count_term[q01] + count_term[q10] + count_term[q11]
                mi[row, offset + column] = (terms - (x_offset[row] + y_offset[column])) * unit
                continue
            counts[0, 0], counts[0, 1], counts[0, 2], counts[0, 3] = c00, c01, c02, c03
            counts[1, 0], counts[1, 1], counts[1, 2], counts[1, 3] = c10, c11, c12, c13
            counts[2, 0], counts[2, 1], counts[2, 2], counts[2, 3] = c20, c21, c22, c23
            counts[3, 0], counts[3, 1], counts[3, 2], counts[3, 3] = c30, c31, c32, c33
            n_parts, information = list_parts(
                counts, (u00, u01, u10, u11), tops, planes, (x_root[row], y_root[column]), row, column,
                x_tree, y_tree, critical, smallest, count_term, parts, words,
            )  # fmt: skip
            information += lower_information(
                parts, n_parts, words, places, planes, row, column, x_tree, y_tree, critical, smallest, count_term
            )
            mi[row, offset + column] = information * unit
