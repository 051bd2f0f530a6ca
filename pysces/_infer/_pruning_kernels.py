"""Kernels of the data processing inequality, on rows of mutual information where pairs without an edge hold -inf."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel


@kernel
def mark_weakest_targets(strength, first, second, between, start, stop, factor, removed):
    """Mark target edges ``start`` to ``stop`` that are the weakest of a triangle.

    Pair ``p`` of regulators, ``first[p]`` and ``second[p]``, shares an edge of strength ``between[p]``. An edge goes if
    it is below ``factor`` times both others; a missing edge is never stronger, so nothing goes for its sake.
    """
    for p in range(len(between)):
        of_first, of_second = strength[first[p], start:stop], strength[second[p], start:stop]
        gone_first, gone_second = removed[first[p], start:stop], removed[second[p], start:stop]
        link = between[p]
        for t in range(len(of_first)):
            a, b = of_first[t], of_second[t]
            gone_first[t] |= a < factor * min(link, b)
            gone_second[t] |= b < factor * min(link, a)


@kernel
def find_indirect_links(strength, first, second, between, factor, indirect):
    """Find pairs of regulators whose own edge goes for the sake of some common target, of which no edge is the weakest.

    Without tolerance (``factor`` 1) this holds whatever the strength of the link, as in ARACNe3.
    """
    for p in range(len(between)):
        of_first, of_second = strength[first[p]], strength[second[p]]
        link = between[p]
        for t in range(len(of_first)):
            a, b = of_first[t], of_second[t]
            if a == -np.inf or b == -np.inf or a < factor * min(link, b) or b < factor * min(link, a):
                continue
            if factor == 1.0 or link < factor * min(a, b):
                indirect[p] = True
                break
