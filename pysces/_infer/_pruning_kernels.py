"""Kernels of the data processing inequality."""

from __future__ import annotations

from pysces._jit import kernel


@kernel
def prune_triangles(indptr, targets, mi, pairs, all_sides, factor, removed):
    """Mark the weakest edge of every triangle of two regulators and a common target.

    Edges of regulator ``r`` are ``targets[indptr[r]:indptr[r + 1]]``, ascending. ``pairs`` lists (r1, r2, edge r1-r2,
    edge r2-r1 or -1). ``factor`` is 1 - tolerance: an edge goes only if it is below ``factor`` times both others.
    """
    for p in range(len(pairs)):
        first, second, edge_12, edge_21 = pairs[p]
        between = mi[edge_12] if edge_12 >= 0 else mi[edge_21]
        i, j = indptr[first], indptr[second]
        while i < indptr[first + 1] and j < indptr[second + 1]:
            if targets[i] < targets[j]:
                i += 1
            elif targets[i] > targets[j]:
                j += 1
            else:
                if mi[i] < factor * min(between, mi[j]):
                    removed[i] = True
                elif mi[j] < factor * min(between, mi[i]):
                    removed[j] = True
                elif all_sides and (factor == 1.0 or between < factor * min(mi[i], mi[j])):
                    if edge_12 >= 0:
                        removed[edge_12] = True
                    if edge_21 >= 0:
                        removed[edge_21] = True
                i += 1
                j += 1
