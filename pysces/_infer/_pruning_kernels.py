"""Kernels of the data processing inequality, on rows of mutual information where pairs without an edge hold -inf."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel

TARGETS_PER_LOOK = 128
"""Targets compared before looking whether one was found: few enough to stop soon, enough for vector instructions."""


@kernel
def mark_weakest_targets(strength, links, partners, factor, removed, first, last):
    """Mark the target edges of regulators ``first`` to ``last`` that are the weakest of a triangle.

    ``links`` holds the strength of the edges between regulators, ``partners[r]`` the other regulators by falling link
    to ``r``. An edge of strength a goes if a partner has a < factor link and a < factor b, b its edge to the target.
    Targets are no longer looked at once they are marked, or once a is too strong for all links that follow: most are
    decided by the first few partners.
    """
    n_regulators, n_genes = strength.shape
    targets, values = np.empty(n_genes, np.int64), np.empty(n_genes)
    for row in range(first, last):
        n_open = 0
        for target in range(n_genes):
            if strength[row, target] > -np.inf:
                targets[n_open], values[n_open] = target, strength[row, target]
                n_open += 1
        for p in range(n_regulators):
            partner = partners[row, p]
            limit = factor * links[row, partner]
            if n_open == 0 or limit == -np.inf:
                break
            n_left = 0
            for i in range(n_open):
                target, a = targets[i], values[i]
                is_open, is_weaker = a < limit, a < factor * strength[partner, target]
                removed[row, target] |= is_open & is_weaker
                targets[n_left], values[n_left] = target, a
                n_left += is_open & ~is_weaker
            n_open = n_left


@kernel
def find_indirect_links(strength, links, partners, factor, first, last, indirect):
    """Find regulators whose own edge goes for the sake of some common target, of which no edge is the weakest.

    With both target edges at a and b that is where the link is below factor min(a, b). Without tolerance (``factor`` 1)
    it is wherever neither target edge is strictly the weakest, as in ARACNe3: link <= min(a, b), or a = b.
    """
    n_regulators, n_genes = strength.shape
    for row in range(first, last):
        for p in range(n_regulators):
            partner = partners[row, p]
            link = links[row, partner]
            if link == -np.inf:
                break
            if partner <= row:
                continue
            start = 0
            found = False
            while start < n_genes and not found:
                stop = min(start + TARGETS_PER_LOOK, n_genes)
                if factor == 1.0:
                    for target in range(start, stop):
                        a, b = strength[row, target], strength[partner, target]
                        found |= (min(a, b) >= link) | ((a == b) & (a > -np.inf))
                else:
                    for target in range(start, stop):
                        found |= link < factor * min(strength[row, target], strength[partner, target])
                start = stop
            indirect[row, partner] = found
