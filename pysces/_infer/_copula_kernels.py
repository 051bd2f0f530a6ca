"""Kernels of the Gaussian copula on sparse scores that are whole numbers, so that every sum is exact."""

from __future__ import annotations

import math

import numpy as np

from pysces._jit import kernel


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
def signed_information(products, n_cells, x_total, x_squares, y_total, y_squares, least, offset, mi):
    """Mutual information of a Gaussian copula, -ln(1 - rho^2) / 2, with the sign of rho; ``products`` is (y, x).

    1 - rho^2 is at least ``least``; a constant gene gives NaN. Column ``j`` of ``y`` goes to ``mi[:, offset + j]``.
    """
    n_columns, n_rows = products.shape
    x_scale, y_scale = np.empty(n_rows), np.empty(n_columns)
    for row in range(n_rows):
        x_scale[row] = 1.0 / np.sqrt(n_cells * x_squares[row] - x_total[row] * x_total[row])
    for column in range(n_columns):
        y_scale[column] = 1.0 / np.sqrt(n_cells * y_squares[column] - y_total[column] * y_total[column])
    for row in range(n_rows):
        for column in range(n_columns):
            covariance = n_cells * products[column, row] - x_total[row] * y_total[column]
            rho = covariance * (x_scale[row] * y_scale[column])
            information = -np.log(max((1.0 - rho) * (1.0 + rho), least)) / 2
            mi[row, offset + column] = -information if rho < 0.0 else information


@kernel
def moments(offsets, indptr, total, squares, n_cells, skewness, kurtosis):
    """Third and fourth moments of centred scores of length 1: sum of cubes, and the fourth k-statistic over k2^2.

    For a constant gene both are 0.
    """
    n = float(n_cells)
    for column in range(len(skewness)):
        skewness[column] = kurtosis[column] = 0.0
        mean = total[column] / n
        variation = squares[column] - total[column] * mean
        if not variation > 0.0:
            continue
        n_zero = n_cells - (indptr[column + 1] - indptr[column])
        third, fourth = -n_zero * mean * mean * mean, n_zero * mean * mean * mean * mean
        for i in range(indptr[column], indptr[column + 1]):
            centred = offsets[i] - mean
            third += centred * centred * centred
            fourth += centred * centred * centred * centred
        skewness[column] = third / (variation * np.sqrt(variation))
        ratio = n * (n + 1.0) * fourth / (variation * variation) - 3.0 * (n - 1.0)
        kurtosis[column] = ratio * (n - 1.0) / ((n - 2.0) * (n - 3.0))


@kernel
def log_upper_normal(half_square):
    """Natural log of the probability that a normal exceeds sqrt(2 ``half_square``)."""
    s = half_square
    if s < 300.0:
        return np.log(math.erfc(np.sqrt(s)) / 2)
    return -s - np.log(4.0 * np.pi * s) / 2 + np.log1p((3.0 / (2.0 * s) - 1.0) / (2.0 * s))


@kernel
def permutation_log_pvalues(mi, x_moments, y_moments, n_cells, most_correction, least, log_p):
    """Two-sided natural log of p of every signed information, over all permutations of the cells; NaN stays NaN.

    Deviations below ``least`` may be given p = 1. The formula is in :func:`pysces._infer.copula.log_pvalues`.
    """
    n = float(n_cells)
    skew_factor = n * np.sqrt(n - 1.0) / (n - 2.0)
    kurtosis_factor = (n - 2.0) * (n - 3.0) / (n * (n - 1.0) * (n + 1.0))
    for row in range(mi.shape[0]):
        for column in range(mi.shape[1]):
            value = mi[row, column]
            log_p[row, column] = value if np.isnan(value) else 0.0
            skew = skew_factor * x_moments[0, row] * y_moments[0, column]
            half_square = n * abs(value) * (1.0 if skew * value >= 0.0 else 2.0)  # at least T^2 / 2, or T^2 where u < 0
            if not (1.0 + most_correction) * half_square >= least:
                continue
            square = -np.expm1(-2.0 * abs(value)) * (n - 1.0)
            excess = kurtosis_factor * x_moments[1, row] * y_moments[1, column] - 6.0 / (n + 1.0)
            u = max(skew * (np.sqrt(square) if value >= 0.0 else -np.sqrt(square)), -1.0)
            if abs(u) < 1e-3:
                deviation = square / 2 * (1.0 - u / 3 + u * u / 6)
            else:
                deviation = ((1.0 + u) * np.log1p(u) - u if u > -1.0 else 1.0) / (skew * skew)
            most = most_correction * deviation
            correction = (skew * skew - excess) * square * square / (24.0 * (1.0 + abs(u)))
            deviation += min(max(correction, -most), most)
            both = deviation * skew * skew <= 1.0 or u < 0.0  # whether the other side reaches as far
            log_p[row, column] = min(log_upper_normal(deviation) + (np.log(2.0) if both else 0.0), 0.0)
