"""Kernels that compare the products of the scores of two genes between two parts of the cells."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel

LEAST_SPREAD = 1e-12
"""Of the squares of the products of a pair: a smaller variance is rounding, and the products are constant."""


@kernel
def product_sums(cells, offsets, first, last, centres, labels, sums, squares, e, inside, products, of_squares):
    """For one gene with each regulator, the sum over the cells inside of the products, and of their squares.

    ``sums`` and ``squares`` are those of the regulators' scores ``e`` over the cells inside, strata x regulators.
    """
    products[:] = 0.0
    of_squares[:] = 0.0
    for b in range(len(centres)):
        centre = centres[b]
        if centre != 0.0:
            for r in range(len(products)):
                products[r] -= centre * sums[b, r]
                of_squares[r] += centre * centre * squares[b, r]
    for i in range(first, last):
        cell = cells[i]
        if inside[cell]:
            offset = offsets[i]
            more = offset * (offset - 2.0 * centres[labels[cell]])
            for r in range(len(products)):
                x = e[cell, r]
                products[r] += offset * x
                of_squares[r] += more * x * x


@kernel
def regulator_sums(e, labels, inside, sums, squares):
    """Sums of the regulators' scores over the cells inside, and of their squares, in each stratum."""
    sums[:] = 0.0
    squares[:] = 0.0
    for cell in range(len(labels)):
        if inside[cell]:
            for r in range(e.shape[1]):
                sums[labels[cell], r] += e[cell, r]
                squares[labels[cell], r] += e[cell, r] * e[cell, r]


@kernel
def all_product_sums(cells, offsets, indptr, centres, labels, e, products, of_squares):
    """Sums of products and of their squares over all cells: genes x regulators."""
    inside = np.ones(len(labels), np.bool_)
    sums, squares = np.empty((centres.shape[1], e.shape[1])), np.empty((centres.shape[1], e.shape[1]))
    regulator_sums(e, labels, inside, sums, squares)
    for gene in range(len(indptr) - 1):
        product_sums(
            cells, offsets, indptr[gene], indptr[gene + 1], centres[gene], labels, sums, squares, e, inside,
            products[gene], of_squares[gene],
        )  # fmt: skip


@kernel
def differences(cells, offsets, indptr, centres, labels, e, own, inside, all_products, all_squares, free, t):
    """Welch's t of the products of a gene and a regulator, cells inside against the others: genes x regulators.

    ``free`` has the degrees of freedom of the cells inside and of the others. t is 0 where the products are constant,
    and for ``own``, the regulator itself.
    """
    n_inside = inside.sum()
    n_outside = len(labels) - n_inside
    n_regulators = e.shape[1]
    sums, squares = np.empty((centres.shape[1], n_regulators)), np.empty((centres.shape[1], n_regulators))
    products, of_squares = np.empty(n_regulators), np.empty(n_regulators)
    regulator_sums(e, labels, inside, sums, squares)
    for gene in range(len(indptr) - 1):
        product_sums(
            cells, offsets, indptr[gene], indptr[gene + 1], centres[gene], labels, sums, squares, e, inside,
            products, of_squares,
        )  # fmt: skip
        for r in range(n_regulators):
            mean = products[r] / n_inside
            other = (all_products[gene, r] - products[r]) / n_outside
            spread = (of_squares[r] / n_inside - mean * mean) / free[0]
            spread += ((all_squares[gene, r] - of_squares[r]) / n_outside - other * other) / free[1]
            constant = spread * len(labels) ** 2 <= LEAST_SPREAD * all_squares[gene, r]
            t[gene, r] = 0.0 if constant or own[r] == gene else (mean - other) / np.sqrt(spread)
