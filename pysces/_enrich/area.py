"""aREA: analytic rank-based enrichment analysis (Alvarez et al. 2016)."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from pysces._enrich import _area_kernels as kernels
from pysces._enrich.edges import Edges
from pysces._enrich.order import Constants, ordered_keys
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR
    from pysces._regulons import Regulons

CELLS_PER_TASK = 256


class Area:
    """Enrichment of regulons in signatures of which ``zero`` is what genes have where X is zero.

    ES = (abs(s1) + max(s2, 0)) sign(s1) / L with s1 = sum of mode x likelihood x z2 and s2 = sum of (1 - abs(mode)) x
    likelihood x z1 over the targets, L the sum of likelihoods, z2 the normal quantile of rank / (n + 1) and z1 that of
    its distance from the middle, measured from the farthest rank of the cell (or from ``least_far``);
    NES = ES sqrt(sum of (likelihood / largest)^2). Genes that are NaN in ``zero`` are missing in all cells. A regulator
    without targets gives NaN.
    """

    def __init__(
        self, zero: NDArray[np.float64], regulons: Regulons, *, least_far: int = 0, normalised: bool = True
    ) -> None:
        self._regulons, self._edges = regulons, Edges.of(regulons, len(zero))
        self._least_far, self._normalised = least_far, normalised
        self._set(zero)

    def _set(self, zero: NDArray[np.float64]) -> None:
        self._constants = Constants.of(zero)
        self._present = ~np.isnan(zero)
        self._quantile = _quantiles(int(self._present.sum()))
        likelihood = np.where(self._present[self._regulons.targets], self._regulons.likelihood, 0.0)
        regulons = self._regulons._replace(likelihood=likelihood)
        self._factor = normalisation(regulons) if self._normalised else 1 / total_likelihood(regulons)

    def at(self, zero: NDArray[np.float64]) -> Area:
        """The same regulons in signatures of another ``zero``."""
        other = copy(self)
        other._set(zero)
        return other

    def __call__(self, signature: CSR) -> NDArray[np.float64]:
        """Scores, cells x regulators; genes that are NaN in a cell are missing there."""
        keys = ordered_keys(signature.data)
        scores = np.empty((signature.n_rows, len(self._factor)))
        kernels.area(
            keys, signature.indices, signature.indptr, *self._constants, self._quantile, self._least_far,
            *self._edges, scores,
        )  # fmt: skip
        scores *= self._factor
        missing = np.flatnonzero(keys == 0)
        missing = missing[self._present[signature.indices[missing]]]
        for cell in np.unique(np.searchsorted(signature.indptr, missing, side="right") - 1):
            scores[cell] = self._with_missing(keys, signature, cell)
        return scores

    def _with_missing(self, keys: NDArray[np.uint64], signature: CSR, cell: int) -> NDArray[np.float64]:
        """Scores of a cell in which genes are missing: ranks, sums and factors are those of all others."""
        entries = slice(signature.indptr[cell], signature.indptr[cell + 1])
        absent = (keys[entries] == 0) & self._present[signature.indices[entries]]
        n_ranked = int(self._present.sum() - absent.sum())
        scores, sizes = np.empty(len(self._factor)), np.empty(len(self._factor))
        kernels.area_of_ranked(
            keys[entries], signature.indices[entries], *self._constants, _quantiles(n_ranked), self._least_far,
            *self._regulons, scores, sizes,
        )  # fmt: skip
        return scores * np.sqrt(sizes) if self._normalised else scores


def normalised_scores(
    signature: CSR, zero: NDArray[np.float64], regulons: Regulons, n_threads: int, *, least_far: int = 0
) -> NDArray[np.float64]:
    """Normalised enrichment scores of all rows of ``signature``, rows x regulators."""
    area = Area(zero, regulons, least_far=least_far)
    scores = np.empty((signature.n_rows, len(regulons.sizes)))

    def enrich(rows: slice) -> None:
        scores[rows] = area(signature.rows(rows))

    run(enrich, signature.n_rows, CELLS_PER_TASK, n_threads)
    return scores


def farthest_rank(signature: CSR, zero: NDArray[np.float64]) -> int:
    """Twice the largest distance of any rank of any cell from the middle rank."""
    keys = ordered_keys(signature.data)
    return int(kernels.farthest_rank(keys, signature.indices, signature.indptr, *Constants.of(zero)))


def _quantiles(n: int) -> NDArray[np.float64]:
    """Normal quantiles of j / (2 n + 2): both tails of n genes lie on this grid."""
    quantiles: NDArray[np.float64] = ndtri(np.arange(2 * n + 2) / (2 * n + 2))
    return quantiles


def total_likelihood(regulons: Regulons) -> NDArray[np.float64]:
    """Sum of likelihoods per regulator; NaN for those without."""
    total = _sums(regulons, regulons.likelihood)
    return np.where(total > 0, total, np.nan)


def adaptive_sizes(regulons: Regulons) -> NDArray[np.float64]:
    """Sum of (likelihood / largest)^2 per regulator: its size if only the best targets counted in full."""
    largest = np.zeros(len(regulons.sizes))
    owner = np.repeat(np.arange(len(largest)), regulons.sizes)
    np.maximum.at(largest, owner, regulons.likelihood)
    return _sums(regulons, (regulons.likelihood / largest[owner]) ** 2)


def normalisation(regulons: Regulons) -> NDArray[np.float64]:
    """sqrt(sum of (likelihood / largest)^2) / sum of likelihoods, per regulator; NaN for those without."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(adaptive_sizes(regulons)) / total_likelihood(regulons)


def _sums(regulons: Regulons, values: NDArray[np.float64]) -> NDArray[np.float64]:
    owner = np.repeat(np.arange(len(regulons.sizes)), regulons.sizes)
    return np.bincount(owner, values, minlength=len(regulons.sizes))
