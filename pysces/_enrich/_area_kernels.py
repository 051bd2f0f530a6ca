"""Kernels of aREA, analytic rank-based enrichment."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel


@kernel
def twice_ranks(signature, twice):
    """Twice the average rank (1 .. n) of every gene, an integer; return how far the extreme is from the middle."""
    n = len(signature)
    order = np.argsort(signature)
    farthest = 0
    first = 0
    while first < n:
        last = first
        while last + 1 < n and signature[order[last + 1]] == signature[order[first]]:
            last += 1
        for i in range(first, last + 1):
            twice[order[i]] = first + last + 2
        farthest = max(farthest, abs(first + last + 2 - (n + 1)))
        first = last + 1
    return farthest


@kernel
def fill_signature(data, indices, first, last, zero, signature):
    """Write the entries ``first <= i < last`` of a CSR row over the constants that genes have at zero."""
    for gene in range(len(zero)):  # a slice assignment would compile numpy's broadcasting errors, for seconds
        signature[gene] = zero[gene]
    for i in range(first, last):
        signature[indices[i]] = data[i]


@kernel
def farthest_rank(data, indices, indptr, zero):
    """Twice the largest distance of a rank from the middle, over all cells; less than n - 1 where extremes are tied."""
    signature = np.empty(len(zero))
    twice = np.empty(len(zero), np.int64)
    farthest = 0
    for cell in range(len(indptr) - 1):
        fill_signature(data, indices, indptr[cell], indptr[cell + 1], zero, signature)
        farthest = max(farthest, twice_ranks(signature, twice))
    return farthest


@kernel
def area(data, indices, indptr, zero, quantile, least_far, regulon_indptr, targets, directed, undirected, scores):
    """Enrichment scores of all regulons in all cells, before normalisation.

    A cell's signature is ``zero`` with the row of the CSR arrays written over it. ``quantile[j]`` is the normal
    quantile of j / (2 n + 2); both tails' quantiles lie on that grid whatever the ties. One tail is measured from the
    farthest rank of the cell, or from ``least_far`` if that is farther. Edges carry mode x likelihood (``directed``)
    and (1 - abs(mode)) x likelihood (``undirected``).
    """
    n = len(zero)
    signature = np.empty(n)
    twice = np.empty(n, np.int64)
    two_tail, one_tail = np.empty(n), np.empty(n)
    for cell in range(len(indptr) - 1):
        fill_signature(data, indices, indptr[cell], indptr[cell + 1], zero, signature)
        farthest = max(twice_ranks(signature, twice), least_far)
        for gene in range(n):
            two_tail[gene] = quantile[twice[gene]]
            one_tail[gene] = quantile[2 * abs(twice[gene] - (n + 1)) + n + 1 - farthest]
        for regulon in range(len(regulon_indptr) - 1):
            shift = spread = 0.0
            for edge in range(regulon_indptr[regulon], regulon_indptr[regulon + 1]):
                shift += directed[edge] * two_tail[targets[edge]]
                spread += undirected[edge] * one_tail[targets[edge]]
            score = abs(shift) + max(spread, 0.0)
            scores[cell, regulon] = score if shift >= 0.0 else -score
