"""aREA: analytic rank-based enrichment analysis (Alvarez et al. 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from pysces._enrich import _area_kernels as kernels
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR
    from pysces._regulons import Regulons

CELLS_PER_TASK = 16


def farthest_rank(signature: CSR, zero: NDArray[np.float64]) -> int:
    """Twice the largest distance of any rank of any cell from the middle rank."""
    return int(kernels.farthest_rank(signature.data, signature.indices, signature.indptr, zero))


def normalised_scores(
    signature: CSR, zero: NDArray[np.float64], regulons: Regulons, n_threads: int, *, least_far: int = 0
) -> NDArray[np.float64]:
    """Normalised enrichment scores, cells x regulators.

    ES = (abs(s1) + max(s2, 0)) sign(s1) / L with s1 = sum of mode x likelihood x z2 and s2 = sum of (1 - abs(mode)) x
    likelihood x z1 over the targets, L the sum of likelihoods, z2 the normal quantile of rank / (n + 1) and z1 that of
    its distance from the middle, measured from the farthest rank of the cell (or from ``least_far``);
    NES = ES sqrt(sum of (likelihood / largest)^2). A regulator without targets gives NaN.
    """
    grid = np.arange(2 * len(zero) + 2) / (2 * len(zero) + 2)
    quantile = ndtri(grid)
    directed = regulons.mode * regulons.likelihood
    undirected = (1 - np.abs(regulons.mode)) * regulons.likelihood
    scores = np.empty((signature.n_rows, len(regulons.sizes)))

    def enrich(cells: slice) -> None:
        kernels.area(
            signature.data, signature.indices, signature.indptr[cells.start : cells.stop + 1], zero,
            quantile, least_far, regulons.indptr, regulons.targets, directed, undirected, scores[cells],
        )  # fmt: skip

    run(enrich, signature.n_rows, CELLS_PER_TASK, n_threads)
    scores *= normalisation(regulons)
    return scores


def normalisation(regulons: Regulons) -> NDArray[np.float64]:
    """sqrt(sum of (likelihood / largest)^2) / sum of likelihoods, per regulator."""
    factor = np.full(len(regulons.sizes), np.nan)
    for regulator in np.flatnonzero(regulons.sizes):
        likelihood = regulons.likelihood[regulons.indptr[regulator] : regulons.indptr[regulator + 1]]
        factor[regulator] = np.sqrt(((likelihood / likelihood.max()) ** 2).sum()) / likelihood.sum()
    return factor
