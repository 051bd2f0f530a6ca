"""Kernel that looks p-values up in the nulls of all pairs of strata."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel


@kernel
def look_up_log_pvalues(mi, rows, columns, number, starts, values, lines, floors, signed, limit, log_p):
    """Natural log of the p-value of every pair; NaN stays NaN, and what is below the floor of its tail gets p = 1.

    ``number[rows[i], columns[j]]`` is the tail of a pair of strata, ``values[starts[tail] : starts[tail + 1]]`` its
    null, and ``lines[tail]`` intercept and slope of ln p where counting gives less than ``limit``. If the mutual
    information is ``signed``, each sign has a tail of its own, positive first, with a line
    over the correlation, and p is doubled.
    """
    n_strata = number.shape[1]
    tail_of, floor_of = np.empty(2 * n_strata, np.int64), np.empty(2 * n_strata)
    n_signs = 2 if signed else 1
    for i in range(mi.shape[0]):
        for stratum in range(n_strata):
            for sign in range(2):
                tail = n_signs * number[rows[i], stratum] + (sign if signed else 0)
                tail_of[2 * stratum + sign], floor_of[2 * stratum + sign] = tail, floors[tail]
        for j in range(mi.shape[1]):
            value = mi[i, j]
            log_p[i, j] = value if np.isnan(value) else 0.0
            at = np.uint64(2 * columns[j] + int(value < 0.0))
            strength = abs(value) if signed else value
            if not strength >= floor_of[at]:
                continue
            tail = tail_of[at]
            low, high = starts[tail], starts[tail + 1]
            size, end = high - low, high
            while low < high:
                middle = (low + high) // 2
                if values[np.uint64(middle)] < strength:
                    low = middle + 1
                else:
                    high = middle
            counted = np.log((1 + end - low) / (size + 1))
            if counted < limit:
                at_line = np.sqrt(-np.expm1(-2.0 * strength)) if signed else strength
                counted = min(lines[tail, 0] + lines[tail, 1] * at_line, limit)
            log_p[i, j] = min(counted + np.log(2.0), 0.0) if signed else counted
