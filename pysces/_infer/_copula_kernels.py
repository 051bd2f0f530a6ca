"""Kernels of the Gaussian copula on sparse scores that are whole numbers, so that every sum is exact."""

from __future__ import annotations

import math

import numpy as np

from pysces._jit import kernel

NEAR, N_TERMS = 0.2, 11
"""The deviance of a Poisson is a series, of so many terms, for u between -1/3 and 1/2."""


@kernel
def sparse_products(x_genes, x_offsets, x_indptr, y_cells, y_offsets, y_indptr, products):
    """Sum over cells of the scores of each gene of ``x``, given by cell, with those of each gene of ``y``: (y, x)."""
    for column in range(products.shape[0]):
        for row in range(products.shape[1]):
            products[column, row] = 0.0
        for i in range(y_indptr[column], y_indptr[column + 1]):
            cell, offset = y_cells[i], y_offsets[i]
            for j in range(x_indptr[cell], x_indptr[cell + 1]):
                products[column, np.uint32(x_genes[j])] += offset * x_offsets[j]


@kernel
def covariances_within(products, x_total, y_total, column, covariance):
    """Covariances of a gene of ``y`` with all of ``x`` within strata."""
    covariance[:] = products[column]
    for stratum in range(x_total.shape[0]):
        of_y = y_total[stratum, column]
        for row in range(x_total.shape[1]):
            covariance[row] -= x_total[stratum, row] * of_y


@kernel
def add_products(x, y, column, sums):
    """Add to ``sums[row]`` the product of row ``row`` of ``x`` and column ``column`` of ``y``: (strata, genes) both."""
    for stratum in range(x.shape[0]):
        of_y = y[stratum, column]
        for row in range(x.shape[1]):
            sums[row] += x[stratum, row] * of_y


@kernel
def signed_information(products, x_sums, y_sums, least, offset, mi):
    """Mutual information of a Gaussian copula, -ln(1 - rho^2) / 2, with the sign of rho; ``products`` is (y, x).

    1 - rho^2 is at least ``least``; a gene that is constant in every stratum gives NaN. Column ``j`` of ``y`` goes to
    ``mi[:, offset + j]``.
    """
    x_total, x_squares = x_sums
    y_total, y_squares = y_sums
    n_columns, n_rows = products.shape
    x_scale, covariance = np.empty(n_rows), np.empty(n_rows)
    for row in range(n_rows):
        x_scale[row] = 1.0 / np.sqrt(x_squares[row]) if x_squares[row] > 0.0 else np.nan
    for column in range(n_columns):
        y_scale = 1.0 / np.sqrt(y_squares[column]) if y_squares[column] > 0.0 else np.nan
        covariances_within(products, x_total, y_total, column, covariance)
        for row in range(n_rows):
            rho = covariance[row] * (x_scale[row] * y_scale)
            information = -np.log(max((1.0 - rho) * (1.0 + rho), least)) / 2
            mi[row, offset + column] = -information if rho < 0.0 else information


@kernel
def moments(cells, offsets, indptr, total, labels, sizes, least, spread, third, fourth, less):
    """Per stratum and column, factors of the cumulants of a sum of products over permutations within strata.

    With one other column, the variance is the sum over strata of the products of ``spread``, the third cumulant that of
    ``third``, and the fourth that of ``fourth`` less that of ``less`` (Pitman 1937). In a stratum whose deviations are
    less than ``least`` of its squares, they are rounding, and the column is constant.
    """
    n_strata = len(sizes)
    seen = np.empty(n_strata)
    powers = np.empty((3, n_strata))
    for column in range(len(indptr) - 1):
        powers[:] = 0.0
        seen[:] = 0.0
        for i in range(indptr[column], indptr[column + 1]):
            b = labels[cells[i]]
            centred = offsets[i] - total[b, column] / np.sqrt(sizes[b])
            seen[b] += 1.0
            powers[0, b] += centred * centred
            powers[1, b] += centred * centred * centred
            powers[2, b] += centred * centred * centred * centred
        for b in range(n_strata):
            n = sizes[b]
            mean = total[b, column] / np.sqrt(max(n, 1.0))
            n_zero = n - seen[b]
            second = powers[0, b] + n_zero * mean * mean
            cubes = powers[1, b] - n_zero * mean * mean * mean
            quarts = powers[2, b] + n_zero * mean * mean * mean * mean
            if second <= least * n * mean * mean:
                second = cubes = quarts = 0.0
            spread[b, column] = second / np.sqrt(n - 1.0) if n > 1.0 else 0.0
            third[b, column] = cubes * np.sqrt(n / ((n - 1.0) * (n - 2.0))) if n > 2.0 else 0.0
            less[b, column] = second * second / (n - 1.0) * np.sqrt(6.0 / (n + 1.0)) if n > 1.0 else 0.0
            fourth[b, column] = 0.0
            if n > 3.0:
                k_statistic = (n * (n + 1.0) * quarts - 3.0 * (n - 1.0) * second * second) / ((n - 2.0) * (n - 3.0))
                fourth[b, column] = k_statistic * np.sqrt((n - 2.0) * (n - 3.0) / (n * (n - 1.0) * (n + 1.0)))


@kernel
def log_outside_normal(half_square):
    """Natural log of the probability that a normal is at least sqrt(2 ``half_square``) away from 0, on either side."""
    s = half_square
    if s < 0.25:
        return np.log1p(-math.erf(np.sqrt(s)))  # keeps its digits where p is close to 1
    if s < 300.0:
        return np.log(math.erfc(np.sqrt(s)))
    return -s - np.log(np.pi * s) / 2 + np.log1p((3.0 / (2.0 * s) - 1.0) / (2.0 * s))


@kernel
def poisson_deviance(u):
    """(1 + u) ln(1 + u) - u over u^2 / 2, for u > -1.

    For small u the difference cancels. With s = u / (2 + u) it is 2 / (2 + u) (1 + (1 + s)(s/3 + s^3/5 + s^5/7 + ...)),
    whose terms below :data:`NEAR` do not cancel, and those left out are less than 1e-17. Beyond, the difference is at
    least a sixth of its first term: an error of one unit in the last place of log1p becomes one of less than 1e-15.
    """
    s = u / (2.0 + u)
    if abs(s) >= NEAR:
        return ((1.0 + u) * np.log1p(u) - u) / (u * u / 2)
    series = 0.0
    for k in range(N_TERMS - 1, -1, -1):
        series = series * (s * s) + 1.0 / (2 * k + 3)
    return 2.0 / (2.0 + u) * (1.0 + (1.0 + s) * s * series)


@kernel
def permutation_log_pvalues(products, x_total, x_moments, y_total, y_moments, most_correction, least, offset, log_p):
    """Two-sided natural log of p of every pair, over all permutations of the cells within strata; ``products`` (y, x).

    Deviations below ``least`` may be given p = 1. The formula is in :func:`pysces._infer.copula.score`.
    """
    x_spread, x_third, x_fourth, x_less = x_moments
    y_spread, y_third, y_fourth, y_less = y_moments
    n_columns, n_rows = products.shape
    covariance, variance = np.empty(n_rows), np.empty(n_rows)
    for column in range(n_columns):
        covariances_within(products, x_total, y_total, column, covariance)
        variance[:] = 0.0
        add_products(x_spread, y_spread, column, variance)
        for row in range(n_rows):
            log_p[row, offset + column] = 0.0
            if not variance[row] > 0.0:
                continue
            square = covariance[row] * covariance[row] / variance[row]
            if not (1.0 + most_correction) * square >= least:  # u < 0 gives up to twice the deviation of a normal
                continue
            third = fourth = 0.0
            for b in range(x_third.shape[0]):
                third += x_third[b, row] * y_third[b, column]
                fourth += x_fourth[b, row] * y_fourth[b, column] - x_less[b, row] * y_less[b, column]
            if third * covariance[row] >= 0.0 and not (1.0 + most_correction) * square / 2 >= least:
                continue
            skew = third / (variance[row] * np.sqrt(variance[row]))
            excess = fourth / (variance[row] * variance[row])
            u = max(skew * (np.sqrt(square) if covariance[row] >= 0.0 else -np.sqrt(square)), -1.0)
            deviation = square / 2 * poisson_deviance(u) if u > -1.0 else 1.0 / (skew * skew)
            most = most_correction * deviation
            correction = (skew * skew - excess) * square * square / (24.0 * (1.0 + abs(u)))
            deviation += min(max(correction, -most), most)
            both = deviation * skew * skew <= 1.0 or u < 0.0  # whether the other side reaches as far
            log_p[row, offset + column] = log_outside_normal(deviation) + (0.0 if both else -np.log(2.0))
