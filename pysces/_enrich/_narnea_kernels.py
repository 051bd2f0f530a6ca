"""Kernels of NaRnEA, nonparametric analytical rank-based enrichment analysis."""

from __future__ import annotations

import numpy as np

from pysces._enrich._area_kernels import N_LANES, add_edges
from pysces._enrich._order_kernels import N_VALUES, twice_ranks
from pysces._jit import kernel


@kernel
def sums_of_signed_ranks(
    entries,
    signs,
    indices,
    indptr,
    constants,
    group,
    sizes,
    zero_signs,
    edge_indptr,
    regulators,
    weights,
    sums,
    moments,
):
    """Sums over targets of weight x rank x sign and of the other weight x rank, and moments of ranks over genes.

    Genes are ranked by absolute value: entries of a CSR block, or else the constant of their group, with signs of their
    own. ``sums[cell]`` holds two numbers per regulator, ``moments[cell]`` the means of r s, r^2 s, r^2 s^2 and r^2.
    """
    n = len(group)
    keys, counts, room = np.empty((2, n), np.uint64), np.empty(N_VALUES, np.int32), np.empty((3, n), np.int32)
    twice, sign = np.zeros((N_LANES, n), np.int32), np.zeros((N_LANES, n), np.int8)
    n_regulators = sums.shape[1]
    values, of_lanes = np.empty(2 * N_LANES), np.empty(2 * N_LANES * n_regulators)
    of_moments = np.empty(4, np.int64)
    for start in range(0, len(indptr) - 1, N_LANES):
        n_cells = min(N_LANES, len(indptr) - 1 - start)
        for lane in range(n_cells):
            first, last = indptr[start + lane], indptr[start + lane + 1]
            ranked, _ = twice_ranks(
                entries[first:last], indices[first:last], constants, group, sizes, keys, counts, room, twice[lane]
            )
            for gene in range(n):
                sign[lane, gene] = zero_signs[gene]
            for i in range(first, last):
                sign[lane, indices[i]] = signs[i]
            for moment in range(4):
                of_moments[moment] = 0
            for gene in range(n):
                rank, direction = np.int64(twice[lane, gene]), np.int64(sign[lane, gene])
                of_moments[0] += rank * direction
                of_moments[1] += rank * rank * direction
                of_moments[2] += rank * rank * direction * direction
                of_moments[3] += rank * rank
            moments[start + lane, 0] = of_moments[0] / (2.0 * ranked)
            for moment in range(1, 4):
                moments[start + lane, moment] = of_moments[moment] / (4.0 * ranked)
        for i in range(len(of_lanes)):
            of_lanes[i] = 0.0
        for gene in range(n):
            first, last = edge_indptr[gene], edge_indptr[gene + 1]
            if first == last:
                continue
            for lane in range(N_LANES):
                rank = 0.5 * twice[lane, gene]
                values[lane] = rank * sign[lane, gene]
                values[N_LANES + lane] = rank
            add_edges(first, last, regulators, weights, values, of_lanes)
        for regulator in range(n_regulators):
            for lane in range(n_cells):
                sums[start + lane, regulator, 0] = of_lanes[2 * N_LANES * regulator + lane]
                sums[start + lane, regulator, 1] = of_lanes[2 * N_LANES * regulator + N_LANES + lane]
