"""Kernel that looks p-values up in the nulls of all pairs of strata."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel


@kernel
def look_up_log_pvalues(mi, rows, columns, number, starts, values, lines, floors, signed, limit, log_p):
    """Natural log of the p-value of every pair; NaN stays NaN, and what is below the floor of its tail gets p = 1.

    ``number[rows[i], columns[j]]`` is the tail of a pair, ``values[starts[tail] : starts[tail + 1]]`` its null, and
    ``lines[tail]`` intercept and slope of ln p where counting gives less than ``limit``. Where the mutual information
    is ``signed``, positive and negative values have tails of their own, one after the other, and p is doubled.
    """
    for i in range(mi.shape[0]):
        for j in range(mi.shape[1]):
            value = mi[i, j]
            log_p[i, j] = value if np.isnan(value) else 0.0
            tail = number[rows[i], columns[j]]
            if signed:
                tail = 2 * tail + (value < 0.0)
                value = abs(value)
            if not value >= floors[tail]:
                continue
            low, high = starts[tail], starts[tail + 1]
            size = high - low
            while low < high:
                middle = (low + high) // 2
                if values[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            counted = np.log((1 + starts[tail + 1] - low) / (size + 1))
            if counted < limit:
                counted = min(lines[tail, 0] + lines[tail, 1] * value, limit)
            log_p[i, j] = min(counted + np.log(2.0), 0.0) if signed else counted
