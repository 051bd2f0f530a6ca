"""Kernels of adaptive-partitioning mutual information on bit masks.

A gene is given as one bit plane per level of its tree (does the cell lie in the upper part of its node? the last plane
is empty) and as the masks of its four second-level nodes (low-low, low-high, high-low, high-high). The root is always
split, so the 4 x 4 table of second-level counts decides about all four children, and most pairs end there. Parts that
go on are masks of cells.

The information is a sum of integers: (k / n) ln(k / n) and ln(width) / n in fixed point. It does not depend on the
order of its terms, so that pairs are symmetric to the last bit on every machine.
"""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel, population_count

CRITICAL_4 = 7.815  # 0.95 quantile of chi-square with 3 degrees of freedom
CRITICAL_2 = 3.841  # and with 1: a cell that can be split along one axis only


@kernel
def is_uneven(c00, c01, c10, c11, share_x, share_y, exact):
    """Whether the counts of the parts differ from what the margins predict; a share of 1 is an axis not split.

    ``exact``: both shares are one half, and the test is decided in integers.
    """
    count = c00 + c01 + c10 + c11
    if exact:
        squares = c00 * c00 + c01 * c01 + c10 * c10 + c11 * c11
        return 1000 * (4 * squares - count * count) > 7815 * count
    if share_x < 1.0 and share_y < 1.0:
        same = c00 * c00 / (share_x * share_y) + c11 * c11 / ((1.0 - share_x) * (1.0 - share_y))
        cross = c01 * c01 / (share_x * (1.0 - share_y)) + c10 * c10 / ((1.0 - share_x) * share_y)
        return (same + cross) / count - count > CRITICAL_4
    share = share_x * share_y
    high = count - c00
    return (c00 * c00 / share + high * high / (1.0 - share)) / count - count > CRITICAL_2


@kernel
def second_level_counts(x, y, margin_x, margin_y, n_cells, counts):
    """Fill ``counts[i, j]``: cells in second-level node i of x and j of y (low-low, low-high, high-low, high-high)."""
    n00 = n01 = n02 = n10 = n11 = n12 = n20 = n21 = n22 = 0
    if margin_x[1] == 0 and margin_y[1] == 0:  # neither lower part is split, as where it is a block of zeros
        for w in range(x.shape[1]):
            n11 += population_count(x[2, w] & y[2, w])
            n12 += population_count(x[2, w] & y[3, w])
            n21 += population_count(x[3, w] & y[2, w])
            n22 += population_count(x[3, w] & y[3, w])
    else:
        for w in range(x.shape[1]):
            n00 += population_count(x[1, w] & y[1, w])
            n01 += population_count(x[1, w] & y[2, w])
            n02 += population_count(x[1, w] & y[3, w])
            n10 += population_count(x[2, w] & y[1, w])
            n11 += population_count(x[2, w] & y[2, w])
            n12 += population_count(x[2, w] & y[3, w])
            n20 += population_count(x[3, w] & y[1, w])
            n21 += population_count(x[3, w] & y[2, w])
            n22 += population_count(x[3, w] & y[3, w])
    counts[1, 1], counts[1, 2], counts[1, 3] = n00, n01, n02
    counts[2, 1], counts[2, 2], counts[2, 3] = n10, n11, n12
    counts[3, 1], counts[3, 2], counts[3, 3] = n20, n21, n22
    total = n_cells
    for i in range(1, 4):
        counts[i, 0] = margin_x[i] - counts[i, 1] - counts[i, 2] - counts[i, 3]
        counts[0, i] = margin_y[i] - counts[1, i] - counts[2, i] - counts[3, i]
        total -= margin_x[i] + counts[0, i]
    counts[0, 0] = total


@kernel
def part_node(node, child, part):
    """Low (0) or high (1) child of a node; a leaf is its own."""
    low = np.int64(child[node])
    return low + part if low >= 0 else np.int64(node)


@kernel
def low_share(node, child, width, halved):
    """Share of a node that its low child is expected to hold; 1 for a leaf."""
    if child[node] < 0:
        return 1.0
    return 0.5 if halved else width[child[node]] / width[node]


@kernel
def masked_information(
    stack, n_stack, masks, x_planes, y_planes, x_tree, y_tree, x_halved, y_halved, smallest, count_term
):
    """Fixed-point information of the cells on the stack, each a row (count, node x, node y, level) and a mask."""
    x_child, x_width, x_log = x_tree
    y_child, y_width, y_log = y_tree
    n_words = masks.shape[1]
    mask = np.empty(n_words, np.uint64)
    information = 0
    while n_stack:
        n_stack -= 1
        count, x, y, level = stack[n_stack]
        mask[:] = masks[n_stack]
        px, py = x_planes[min(level, len(x_planes) - 1)], y_planes[min(level, len(y_planes) - 1)]
        high_x = high_y = c11 = 0
        for w in range(n_words):
            of_x = mask[w] & px[w]
            high_x += population_count(of_x)
            high_y += population_count(mask[w] & py[w])
            c11 += population_count(of_x & py[w])
        c10, c01 = high_x - c11, high_y - c11
        c00 = count - c01 - c10 - c11
        share_x, share_y = low_share(x, x_child, x_width, x_halved), low_share(y, y_child, y_width, y_halved)
        exact = x_halved and y_halved
        if (share_x == 1.0 and share_y == 1.0) or not is_uneven(c00, c01, c10, c11, share_x, share_y, exact):
            information += count_term[count] - count * (x_log[x] + y_log[y])
            continue
        counts = (c00, c01, c10, c11)
        for part in range(4):
            part_x, part_y = part_node(x, x_child, part >> 1), part_node(y, y_child, part & 1)
            part_count = counts[part]
            if part_count < smallest:
                information += count_term[part_count] - part_count * (x_log[part_x] + y_log[part_y])
                continue
            flip_x = np.uint64(0) if part >> 1 else ~np.uint64(0)
            flip_y = np.uint64(0) if part & 1 else ~np.uint64(0)
            for w in range(n_words):
                masks[n_stack, w] = mask[w] & (px[w] ^ flip_x) & (py[w] ^ flip_y)
            stack[n_stack, 0], stack[n_stack, 1] = part_count, part_x
            stack[n_stack, 2], stack[n_stack, 3] = part_y, level + 1
            n_stack += 1
    return information


@kernel
def pair_information(x, y, x_tree, y_tree, n_cells, smallest, count_term, scratch):
    """Fixed-point information of one pair: the root, its four parts, and what goes on below them."""
    x_top, x_margin, x_planes, x_root, x_halved = x
    y_top, y_margin, y_planes, y_root, y_halved = y
    x_child, x_width, x_log = x_tree
    y_child, y_width, y_log = y_tree
    counts, stack, masks = scratch
    second_level_counts(x_top, y_top, x_margin, y_margin, n_cells, counts)
    exact = x_halved and y_halved
    information = 0
    n_stack = 0
    for i in range(2 if x_child[x_root] >= 0 else 1):
        for j in range(2 if y_child[y_root] >= 0 else 1):
            c00, c01 = counts[2 * i, 2 * j], counts[2 * i, 2 * j + 1]
            c10, c11 = counts[2 * i + 1, 2 * j], counts[2 * i + 1, 2 * j + 1]
            count = c00 + c01 + c10 + c11
            x_node, y_node = part_node(x_root, x_child, i), part_node(y_root, y_child, j)
            share_x = low_share(x_node, x_child, x_width, x_halved)
            share_y = low_share(y_node, y_child, y_width, y_halved)
            if (
                count < smallest
                or (share_x == 1.0 and share_y == 1.0)
                or not is_uneven(c00, c01, c10, c11, share_x, share_y, exact)
            ):
                information += count_term[count] - count * (x_log[x_node] + y_log[y_node])
                continue
            for part in range(4):
                in_x, in_y = part >> 1, part & 1
                part_x, part_y = part_node(x_node, x_child, in_x), part_node(y_node, y_child, in_y)
                part_count = counts[2 * i + in_x, 2 * j + in_y]
                if part_count < smallest:
                    information += count_term[part_count] - part_count * (x_log[part_x] + y_log[part_y])
                    continue
                for w in range(x_top.shape[1]):
                    masks[n_stack, w] = x_top[2 * i + in_x, w] & y_top[2 * j + in_y, w]
                stack[n_stack, 0], stack[n_stack, 1] = part_count, part_x
                stack[n_stack, 2], stack[n_stack, 3] = part_y, 2
                n_stack += 1
    if n_stack:
        information += masked_information(
            stack, n_stack, masks, x_planes, y_planes, x_tree, y_tree, x_halved, y_halved, smallest, count_term
        )
    return information


@kernel
def pairwise_information(x, x_tree, y, y_tree, columns, n_cells, smallest, count_term, unit, mi):
    """Fill ``mi[:, columns]``: every gene of ``x`` against genes ``columns`` of ``y``; ``unit`` is one step in nats."""
    x_top, x_margin, x_planes, x_root, x_halved = x
    y_top, y_margin, y_planes, y_root, y_halved = y
    n_words = x_top.shape[2]
    depth = max(x_planes.shape[1], y_planes.shape[1])
    scratch = (
        np.empty((4, 4), np.int64),
        np.empty((3 * depth + 16, 4), np.int64),
        np.empty((3 * depth + 16, n_words), np.uint64),
    )
    for column in columns:
        of_y = (y_top[column], y_margin[column], y_planes[column], y_root[column], y_halved[column])
        for row in range(len(x_root)):
            of_x = (x_top[row], x_margin[row], x_planes[row], x_root[row], x_halved[row])
            information = pair_information(of_x, of_y, x_tree, y_tree, n_cells, smallest, count_term, scratch)
            mi[row, column] = information * unit
