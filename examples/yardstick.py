"""A plain compiled APMI on lists of points: what a good programmer writes first, and what speed is measured against.

One thread, the definition of the ``aracne3`` convention, equal values kept together; no code shared with pysces.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def divide(ends: np.ndarray, tied: bool, n: int, low: float, high: float) -> tuple[float, bool]:
    """Where a node splits, and whether it can; a node is an interval of copula values or, with ties, of ranks."""
    if not tied:
        return (low + high) / 2, True
    first, last = np.searchsorted(ends, low, side="right"), np.searchsorted(ends, high)
    if first >= last:
        return high, False
    middle = (low + high) / 2
    best = first
    for i in range(first, last):
        if abs(ends[i] - middle) < abs(ends[best] - middle):
            best = i
        elif ends[i] > middle:
            break
    return float(ends[best]), True


@numba.njit(cache=True)
def partition(keys: np.ndarray, other: np.ndarray, first: int, last: int, at: float) -> int:
    """Move points below ``at`` to the front; return where the others begin."""
    i, j = first, last
    while i < j:
        if keys[i] < at:
            i += 1
        else:
            j -= 1
            keys[i], keys[j] = keys[j], keys[i]
            other[i], other[j] = other[j], other[i]
    return i


@numba.njit(cache=True)
def information(
    u: np.ndarray, v: np.ndarray, ends_u: np.ndarray, ends_v: np.ndarray, tied_u: bool, tied_v: bool
) -> float:
    """Mutual information in nats of one pair of genes, given as copula values or, with ties, as cells below."""
    n = len(u)
    x, y = u.copy(), v.copy()
    stack = np.empty((4 * n + 64, 4))
    points = np.empty((4 * n + 64, 2), np.int64)
    high_u, high_v = (float(n) if tied_u else 1.0), (float(n) if tied_v else 1.0)
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = 0.0, high_u, 0.0, high_v
    points[0, 0], points[0, 1] = 0, n
    size = 1
    total = 0.0
    root = True
    while size:
        size -= 1
        x0, x1, y0, y1 = stack[size]
        first, last = points[size]
        k = last - first
        area = (x1 - x0) / high_u * (y1 - y0) / high_v
        if k >= 4 or root:
            xm, can_x = divide(ends_u, tied_u, n, x0, x1)
            ym, can_y = divide(ends_v, tied_v, n, y0, y1)
            middle = partition(x, y, first, last, xm) if can_x else last
            low = partition(y, x, first, middle, ym) if can_y else middle
            high = partition(y, x, middle, last, ym) if can_y else last
            a, b = ((xm - x0) / (x1 - x0) if can_x else 1.0), ((ym - y0) / (y1 - y0) if can_y else 1.0)
            parts = ((first, low), (low, middle), (middle, high), (high, last))
            expected = (k * a * b, k * a * (1 - b), k * (1 - a) * b, k * (1 - a) * (1 - b))
            chi = 0.0
            for i in range(4):
                if expected[i] > 0:
                    chi += (parts[i][1] - parts[i][0] - expected[i]) ** 2 / expected[i]
            if (can_x or can_y) and (root or chi > (7.815 if can_x and can_y else 3.841)):
                root = False
                for i in range(4):
                    if parts[i][1] > parts[i][0]:
                        stack[size, 0], stack[size, 1] = (x0, xm) if i < 2 else (xm, x1)
                        stack[size, 2], stack[size, 3] = (y0, ym) if i % 2 == 0 else (ym, y1)
                        points[size, 0], points[size, 1] = parts[i]
                        size += 1
                continue
            root = False
        total += k / n * np.log(k / n / area)
    return total


@numba.njit(cache=True)
def pairs(codes_x: np.ndarray, ends_x: list, codes_y: np.ndarray, ends_y: list, tied: bool) -> np.ndarray:
    """All pairs of rows."""
    out = np.empty((len(codes_x), len(codes_y)))
    for i in range(len(codes_x)):
        for j in range(len(codes_y)):
            out[i, j] = information(codes_x[i], codes_y[j], ends_x[i], ends_y[j], tied, tied)
    return out


def codes(x: np.ndarray, *, tied: bool) -> tuple[np.ndarray, numba.typed.List]:
    """Genes (rows) as copula values, or with ties as numbers of cells below, and the cells at or below each value."""
    out, ends = np.empty(x.shape), numba.typed.List()
    for i, gene in enumerate(x):
        values, inverse, counts = np.unique(gene, return_inverse=True, return_counts=True)
        at = np.cumsum(counts)
        ends.append(at)
        out[i] = (at - counts)[inverse] if tied else (inverse + 1) / (len(gene) + 1)
        if not tied and len(values) < len(gene):
            msg = "this gene has ties"
            raise ValueError(msg)
    return out, ends
