"""NaRnEA: nonparametric analytical rank-based enrichment analysis (Griffin et al. 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from pysces._enrich import _narnea_kernels as kernels
from pysces._enrich.edges import Edges
from pysces._enrich.order import Constants, ordered_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR
    from pysces._regulons import Regulons

CERTAIN = 0.999
"""What a mode of 1 counts as: no edge is without an undirected part."""
NO_VARIANCE = 1e-9


class Enrichment(NamedTuple):
    """Normalised and proportional enrichment scores, cells x regulators."""

    nes: NDArray[np.float64]
    pes: NDArray[np.float64]


class Narnea:
    """Enrichment of regulons in signatures of which ``zero`` is what genes have where X is zero (NaN: missing).

    Genes of a cell have the rank r of the absolute value of their signature, average where tied, and its sign s, 0
    where it is 0. With mode m (1 counts as 0.999), likelihood l, A = l m and B = l (1 - abs(m)), the sums D of A r s
    and U of B r over the targets are standardised by their mean and variance over random targets, which follow from the
    moments of r and s in the cell, and with their correlation c, z+- = (z_D +- z_U) / sqrt(2 +- 2 c). The NES is the
    normal deviate of the smaller tail of the two, corrected for taking the smaller. The PES is its ratio to the NES of
    the same edges on the genes of largest rank, in the order of the likelihoods, all in the same direction.
    """

    def __init__(self, zero: NDArray[np.float64], regulons: Regulons) -> None:
        self._constants = Constants.of(np.abs(zero))
        self._zero_signs = np.sign(np.nan_to_num(zero)).astype(np.int8)
        regulons = regulons._replace(mode=certain_modes(regulons.mode))
        missing = np.isnan(zero)
        self._n_ranked = len(zero) - np.count_nonzero(missing)
        likelihood = np.where(missing[regulons.targets], 0.0, regulons.likelihood)
        regulons = regulons._replace(likelihood=likelihood)
        self._edges = Edges.of(regulons, len(zero))
        owner = np.repeat(np.arange(len(regulons.sizes)), regulons.sizes)
        a = regulons.mode * regulons.likelihood
        b = (1 - np.abs(regulons.mode)) * regulons.likelihood
        largest = np.empty(len(a))
        for start, stop in zip(regulons.indptr[:-1], regulons.indptr[1:], strict=True):
            largest[start:stop] = self._n_ranked + 1 - _falling_ranks(regulons.likelihood[start:stop])
        self._a, self._aa, self._b, self._bb, self._ab, self._most_directed, self._most_undirected = (
            np.bincount(owner, values, minlength=len(regulons.sizes))
            for values in (a, a * a, b, b * b, a * b, np.abs(a) * largest, b * largest)
        )
        self._without = self._aa + self._bb == 0

    def __call__(self, signature: CSR) -> Enrichment:
        """Scores of all cells; NaN for a regulator without targets."""
        shape = signature.n_rows, len(self._a)
        sums, moments = np.empty((*shape, 2)), np.empty((shape[0], 4))
        kernels.sums_of_signed_ranks(
            ordered_keys(np.abs(signature.data)), np.sign(signature.data).astype(np.int8), signature.indices,
            signature.indptr, *self._constants, self._zero_signs, *self._edges, sums, moments,
        )  # fmt: skip
        mean_rs, mean_rrs, mean_rrss, mean_rr = (moments[:, [i]] for i in range(4))
        mean_r = (self._n_ranked + 1) / 2
        sd_d = np.sqrt((mean_rrss - mean_rs**2) * self._aa)
        sd_u = np.sqrt((mean_rr - mean_r**2) * self._bb)
        with np.errstate(divide="ignore", invalid="ignore"):
            correlation = _or_zero((mean_rrs - mean_rs * mean_r) * self._ab / (sd_d * sd_u))

            def nes(d: NDArray[np.float64], u: NDArray[np.float64]) -> NDArray[np.float64]:
                z_d, z_u = _or_zero((d - mean_rs * self._a) / sd_d), _or_zero((u - mean_r * self._b) / sd_u)
                return _smaller_tail(
                    _standardised(z_d + z_u, 2 + 2 * correlation), _standardised(z_u - z_d, 2 - 2 * correlation)
                )

            found = nes(sums[..., 0], sums[..., 1])
            directed = np.where(found > 0, self._most_directed, -self._most_directed)
            pes = _or_zero(found / np.abs(nes(directed, np.broadcast_to(self._most_undirected, shape))))
        found[:, self._without] = pes[:, self._without] = np.nan
        return Enrichment(found, pes)


def certain_modes(mode: NDArray[np.float64]) -> NDArray[np.float64]:
    """Modes of which none is quite 1 or -1."""
    return np.where(np.abs(mode) == 1, CERTAIN * mode, mode)


def _or_zero(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A statistic that cannot vary says nothing."""
    return np.where(np.isfinite(x), x, 0.0)


def _standardised(x: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """``x`` over its standard deviation; 0 where that is rounding, as for D - U if all signs are the same."""
    return np.where(variance > NO_VARIANCE, x / np.sqrt(np.maximum(variance, NO_VARIANCE)), 0.0)


def _smaller_tail(up: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal deviate of the smaller of two upper tails, the p-value of which is 1 - (1 - p)^2; 0 if neither varies."""
    log_p = log_ndtr(-np.maximum(up, down))
    size = -ndtri_exp(log_p + np.log1p(-np.exp(log_p) / 2))
    return np.where((up == 0) & (down == 0), 0.0, np.where(up >= down, size, -size))


def _falling_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average ranks, 1 for the largest."""
    _, place, counts = np.unique(-values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[place]
    return ranks
