"""Kernels of the Gaussian copula on sparse scores that are whole numbers, so that every sum is exact."""

from __future__ import annotations

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
