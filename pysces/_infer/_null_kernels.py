"""Kernel that looks p-values up in the nulls of all pairs of strata."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel


@kernel
def look_up_log_pvalues(mi, rows, columns, number, starts, values, lines, floors, limit, log_p):
    """Natural log of the p-value of every pair; NaN stays NaN, and what is below the floor of its tail gets p = 1.

    ``number[rows[i], columns[j]]`` is the tail of a pair of strata, ``values[starts[tail] : starts[tail + 1]]`` its
    null, and ``lines[tail]`` intercept and slope of ln p where counting gives less than ``limit``.
    """
    floor_of = np.empty(number.shape[1])
    for i in range(mi.shape[0]):
        for stratum in range(len(floor_of)):
            floor_of[stratum] = floors[number[rows[i], stratum]]
        for j in range(mi.shape[1]):
            value = mi[i, j]
            log_p[i, j] = value if np.isnan(value) else 0.0
            stratum = np.uint64(columns[j])
            if not value >= floor_of[stratum]:
                continue
            tail = number[rows[i], stratum]
            low, high = starts[tail], starts[tail + 1]
            size, end = high - low, high
            while low < high:
                middle = (low + high) // 2
                if values[np.uint64(middle)] < value:
                    low = middle + 1
                else:
                    high = middle
            log_p[i, j] = np.log((1 + end - low) / (size + 1))
            if log_p[i, j] < limit:
                log_p[i, j] = min(lines[tail, 0] + lines[tail, 1] * value, limit)
