"""Kernels of aREA, analytic rank-based enrichment."""

from __future__ import annotations

import numpy as np

from pysces._enrich._order_kernels import N_VALUES, twice_ranks
from pysces._jit import kernel

N_LANES = 32
"""Cells that are summed side by side."""


@kernel
def farthest_rank(entries, indices, indptr, constants, group, sizes):
    """Twice the largest distance of a rank from the middle, over all cells; less than n - 1 where extremes are tied."""
    n = len(group)
    keys, counts, room = np.empty((2, n), np.uint64), np.empty(N_VALUES, np.int32), np.empty((3, n), np.int32)
    twice = np.empty(n, np.int32)
    farthest = 0
    for cell in range(len(indptr) - 1):
        first, last = indptr[cell], indptr[cell + 1]
        _, here = twice_ranks(
            entries[first:last], indices[first:last], constants, group, sizes, keys, counts, room, twice
        )
        farthest = max(farthest, here)
    return farthest


@kernel
def add_edges(first, last, regulators, weights, values, sums):
    """Add the edges of a gene, whose two values in each lane are given, to the two sums of their regulators."""
    lanes = np.uint64(N_LANES)
    for edge in range(first, last):
        of_first = np.uint64(2 * N_LANES) * np.uint64(regulators[edge])
        of_second = of_first + lanes
        weight, other = weights[edge, 0], weights[edge, 1]
        for lane in range(lanes):
            sums[of_first + lane] += weight * values[lane]
            sums[of_second + lane] += other * values[lanes + lane]


@kernel
def area(
    entries, indices, indptr, constants, group, sizes, quantile, least_far, edge_indptr, regulators, weights, scores
):
    """Enrichment scores of all regulons in all cells, before normalisation.

    Genes have the keys of a CSR block, or else the constant of their group (0: missing). ``quantile[j]`` is the normal
    quantile of j / (2 n + 2), n the number of constants that are not missing; both tails' quantiles lie on that grid
    whatever the ties. One tail is measured from the farthest rank of the cell, or from ``least_far`` if that is
    farther. Edges, gene after gene, name a regulator and carry mode x likelihood and (1 - abs(mode)) x likelihood.
    Cells in which entries are missing score 0.
    """
    middle = len(quantile) // 2
    n = len(group)
    keys, counts, room = np.empty((2, n), np.uint64), np.empty(N_VALUES, np.int32), np.empty((3, n), np.int32)
    twice = np.zeros((N_LANES, n), np.int32)
    far = np.full(N_LANES, least_far, np.int64)
    values, sums = np.empty(2 * N_LANES), np.empty(2 * N_LANES * scores.shape[1])
    for start in range(0, len(indptr) - 1, N_LANES):
        n_cells = min(N_LANES, len(indptr) - 1 - start)
        for lane in range(n_cells):
            first, last = indptr[start + lane], indptr[start + lane + 1]
            ranked, here = twice_ranks(
                entries[first:last], indices[first:last], constants, group, sizes, keys, counts, room, twice[lane]
            )
            far[lane] = max(here, least_far)
            if ranked != middle - 1:
                for gene in range(n):
                    twice[lane, gene] = 0
        for i in range(len(sums)):
            sums[i] = 0.0
        for gene in range(n):
            first, last = edge_indptr[gene], edge_indptr[gene + 1]
            if first == last:
                continue
            for lane in range(N_LANES):
                rank = twice[lane, gene]
                if rank == 0:
                    values[lane] = values[N_LANES + lane] = 0.0
                else:
                    values[lane] = quantile[np.uint64(rank)]
                    values[N_LANES + lane] = quantile[np.uint64(2 * abs(rank - middle) + middle - far[lane])]
            add_edges(first, last, regulators, weights, values, sums)
        for regulator in range(scores.shape[1]):
            for lane in range(n_cells):
                shift = sums[2 * N_LANES * regulator + lane]
                score = abs(shift) + max(sums[2 * N_LANES * regulator + N_LANES + lane], 0.0)
                scores[start + lane, regulator] = score if shift >= 0.0 else -score


@kernel
def area_of_ranked(
    entries, genes, constants, group, sizes, quantile, least_far, indptr, targets, mode, likelihood, scores, size
):
    """Enrichment scores of all regulons in one cell, and the sum of (likelihood / largest)^2 over targets not missing.

    ``quantile`` is for the number of genes that are ranked. A regulator all of whose targets are missing gives NaN.
    """
    n = len(group)
    keys, counts, room = np.empty((2, n), np.uint64), np.empty(N_VALUES, np.int32), np.empty((3, n), np.int32)
    twice = np.empty(n, np.int32)
    ranked, far = twice_ranks(entries, genes, constants, group, sizes, keys, counts, room, twice)
    far = max(far, least_far)
    for regulator in range(len(scores)):
        shift = spread = total = squares = largest = 0.0
        for edge in range(indptr[regulator], indptr[regulator + 1]):
            rank = twice[targets[edge]]
            if rank == 0:
                continue
            weight, direction = likelihood[edge], mode[edge]
            shift += direction * weight * quantile[rank]
            spread += (1.0 - abs(direction)) * weight * quantile[2 * abs(rank - (ranked + 1)) + ranked + 1 - far]
            total += weight
            squares += weight * weight
            largest = max(largest, weight)
        score = (abs(shift) + max(spread, 0.0)) / total if total > 0.0 else np.nan
        scores[regulator] = score if shift >= 0.0 else -score
        size[regulator] = squares / (largest * largest) if total > 0.0 else np.nan
