"""Kernel of sums of genes over many draws of cells."""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel


@kernel
def add_weighted(data, indices, indptr, weights, sums):
    """Add the entries of compressed genes, times the weight of their cell in each draw, to ``sums`` (genes x draws).

    ``weights`` are cells x draws. Indices without a sign need no test for counting from the end.
    """
    n_draws = np.uint64(weights.shape[1])
    for gene in range(len(indptr) - 1):
        for i in range(indptr[gene], indptr[gene + 1]):
            cell, value = np.uint64(indices[i]), data[i]
            for draw in range(n_draws):
                sums[gene, draw] += value * weights[cell, draw]
