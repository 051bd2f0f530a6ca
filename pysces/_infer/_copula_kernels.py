"""Kernels of the Gaussian copula on sparse scores that are whole numbers, so that every sum is exact."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel


@kernel
def sparse_products(x_genes, x_offsets, x_indptr, y_cells, y_offsets, y_indptr, products):
    """Sum over cells of the scores of each gene of ``x``, given by cell, with those of each gene of ``y``: (y, x)."""
    for column in range(len(products)):
        for row in range(products.shape[1]):
            products[column, row] = 0.0
        for i in range(y_indptr[column], y_indptr[column + 1]):
            cell, offset = y_cells[i], y_offsets[i]
            for j in range(x_indptr[cell], x_indptr[cell + 1]):
                products[column, x_genes[j]] += offset * x_offsets[j]


@kernel
def signed_information(products, n_cells, x_total, x_squares, y_total, y_squares, least, offset, mi):
    """Mutual information of a Gaussian copula, -ln(1 - rho^2) / 2, with the sign of rho; ``products`` is (y, x).

    1 - rho^2 is at least ``least``; a constant gene gives NaN. Column ``j`` of ``y`` goes to ``mi[:, offset + j]``.
    """
    for row in range(products.shape[1]):
        x_variance = n_cells * x_squares[row] - x_total[row] * x_total[row]
        for column in range(products.shape[0]):
            y_variance = n_cells * y_squares[column] - y_total[column] * y_total[column]
            covariance = n_cells * products[column, row] - x_total[row] * y_total[column]
            rho = covariance / np.sqrt(x_variance * y_variance)
            information = -np.log(max((1.0 - rho) * (1.0 + rho), least)) / 2
            mi[row, offset + column] = -information if rho < 0.0 else information
