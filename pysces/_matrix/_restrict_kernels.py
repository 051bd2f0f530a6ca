"""Kernel that takes some of the genes of a block of cells."""

from __future__ import annotations

from pysces._jit import kernel


@kernel
def restrict(data, indices, indptr, place, out_data, out_indices, out_indptr):
    """Copy the entries that are not zero of genes with a place, under their place.

    Whether an entry is taken cannot be predicted: it is always written to the end of a list that grows if it is.
    """
    n = 0
    out_indptr[0] = 0
    for row in range(len(indptr) - 1):
        for i in range(indptr[row], indptr[row + 1]):
            gene = place[indices[i]]
            out_data[n] = data[i]
            out_indices[n] = gene
            n += int(gene >= 0) & int(data[i] != 0.0)
        out_indptr[row + 1] = n
