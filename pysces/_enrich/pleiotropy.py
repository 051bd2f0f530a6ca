"""Correction for pleiotropy: regulators that only seem active for the targets they share with another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from scipy.special import ndtri

from pysces._check import one_of, share, whole_number
from pysces._enrich import _pleiotropy_kernels as kernels
from pysces._enrich.order import Constants, ordered_keys
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR
    from pysces._regulons import Regulons

CELLS_PER_TASK = 16


class Pleiotropy(NamedTuple):
    """How the activity of regulators that share targets is corrected; in brackets the names that R viper gives.

    Attributes
    ----------
    regulators
        Which regulators of a cell take part (``regulators``): those with p = 2 Phi(-abs(NES)) below a number in (0, 1),
        or so many with the largest abs(NES), of equal ones the first.
    min_overlap
        Pairs of regulators with so many common targets are tested (``targets``).
    method
        ``"adaptive"`` or ``"absolute"`` (``method``).
    penalty
        Exponent (adaptive, at least 0) or divisor (absolute, at least 1) of the penalty (``penalty``).
    shadow
        p-value below which the common targets of a regulator are enriched; for ``"absolute"`` only (``shadow``).
    """

    regulators: float = 0.05
    min_overlap: int = 10
    method: Literal["adaptive", "absolute"] = "adaptive"
    penalty: float = 20.0
    shadow: float = 0.05

    def checked(self) -> Self:
        """The options themselves, if they make sense."""
        is_count = isinstance(self.regulators, int | np.integer) and not isinstance(self.regulators, bool)
        if not (self.regulators >= 1 if is_count else _is_number(self.regulators) and 0 < self.regulators < 1):
            msg = (
                f"regulators is {self.regulators!r}; give a p-value in (0, 1), or how many regulators take part as a "
                "whole number, at least 1."
            )
            raise ValueError(msg)
        whole_number(self.min_overlap, "min_overlap", least=1)
        one_of(self.method, ("adaptive", "absolute"), "method")
        share(self.shadow, "shadow")
        least = 0 if self.method == "adaptive" else 1
        if not (_is_number(self.penalty) and least <= self.penalty < np.inf):
            msg = f"penalty is {self.penalty!r}; give a number, at least {least} with method={self.method!r}."
            raise ValueError(msg)
        return self


class Overlaps(NamedTuple):
    """Pairs of regulators with enough common targets, by their first regulator."""

    indptr: NDArray[np.int64]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    shared_indptr: NDArray[np.int64]
    shared: NDArray[np.int32]
    """Edges to the common targets, of the first and of the second regulator."""
    factors: NDArray[np.float64]
    """Normalisation of their score, for the first and for the second regulator."""


class Correction(NamedTuple):
    """What the correction of any cell needs."""

    options: Pleiotropy
    eligible: NDArray[np.bool_]
    constants: Constants
    regulons: Regulons
    quantile: NDArray[np.float64]
    own_quantile: NDArray[np.float64]
    own_start: NDArray[np.int64]
    overlaps: Overlaps


def prepare(
    regulons: Regulons, zero: NDArray[np.float64], options: Pleiotropy, eligible: NDArray[np.bool_]
) -> Correction:
    """Find the pairs to test among the ``eligible`` regulators; genes that are NaN in ``zero`` count for none.

    Raises
    ------
    ValueError
        If an option makes no sense.
    """
    options.checked()
    present = np.flatnonzero(~np.isnan(zero))
    regulons = regulons.restrict(present, len(zero))
    overlaps = _overlaps(regulons, len(present), options.min_overlap, eligible)
    regulons = regulons._replace(targets=present[regulons.targets].astype(np.int32))
    sizes, table = np.unique(regulons.sizes, return_inverse=True)
    own_quantile = np.concatenate([_quantiles(size) for size in sizes])
    own_start = _indptr(2 * sizes + 2)[table]
    quantile, constants = _quantiles(len(present)), Constants.of(zero)
    return Correction(options, eligible, constants, regulons, quantile, own_quantile, own_start, overlaps)


def corrected_scores(
    signature: CSR,
    zero: NDArray[np.float64],
    scores: NDArray[np.float64],
    correction: Correction,
    n_threads: int,
    *,
    least_far: int = 0,
) -> NDArray[np.float64]:
    r"""Normalised enrichment scores (cells x regulators) corrected for pleiotropy (Alvarez et al. 2016), cell by cell.

    Of two regulators A and B that take part and have common targets, the targets of A alone are ranked, and their
    common targets scored among them by aREA, in the direction of NES_A; p_AB is the upper tail of that score. It is
    the smaller if A owes its activity to the targets of B. With n_A the number of pairs in which A is tested, the
    likelihoods of A at the common targets are divided by

    - adaptive: :math:`(1 + d)^{penalty / n_A}` if :math:`d = \log_{10} p_{BA} - \log_{10} p_{AB} > 0`;
    - absolute: :math:`penalty^{1 / n_A}` if :math:`p_{AB} < shadow \le p_{BA}`;

    and those of B likewise. Regulators with a penalty and at least 5 targets are scored again by aREA, on all genes,
    with the likelihoods left. All p are kept as logarithms. Targets that are NaN in a cell are none there. See
    :func:`pysces._enrich.area.normalised_scores` for the signature and ``least_far``.
    """
    present = ~np.isnan(zero[signature.indices])
    values = np.where(present, signature.data, np.nan)
    keys = ordered_keys(values)
    takes_part = _takes_part(scores, correction.options.regulators, correction.eligible)
    missing = np.flatnonzero(present & (keys == 0))
    incomplete = np.unique(np.searchsorted(signature.indptr, missing, side="right") - 1)
    takes_part[incomplete] = False
    corrected = scores.copy()

    def correct(cells: slice) -> None:
        kernels.correct(
            keys, signature.indices, signature.indptr[cells.start : cells.stop + 1], *correction.constants,
            correction.quantile, least_far, *correction.regulons, correction.own_quantile, correction.own_start,
            *correction.overlaps, takes_part[cells], correction.options.method == "adaptive",
            float(correction.options.penalty), float(np.log(correction.options.shadow)), corrected[cells],
        )  # fmt: skip

    if len(correction.overlaps.first):
        run(correct, signature.n_rows, CELLS_PER_TASK, n_threads)
    for cell in incomplete:
        entries = slice(signature.indptr[cell], signature.indptr[cell + 1])
        whole = zero.copy()
        whole[signature.indices[entries]] = values[entries]
        alone = prepare(correction.regulons, whole, correction.options, correction.eligible)
        nothing = signature.rows(slice(0, 0))._replace(indptr=np.zeros(2, np.int64))
        corrected[cell] = corrected_scores(nothing, whole, scores[[cell]], alone, 1, least_far=least_far)
    return corrected


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _takes_part(scores: NDArray[np.float64], regulators: float, eligible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells x regulators: the significant, or the ``regulators`` with the largest scores."""
    strength = np.where(eligible & ~np.isnan(scores), np.abs(scores), -1.0)
    if regulators < 1:
        return strength > -ndtri(regulators / 2)
    strongest = np.argsort(-strength, axis=1, kind="stable")[:, : int(regulators)]
    takes_part = np.zeros(scores.shape, np.bool_)
    np.put_along_axis(takes_part, strongest, values=True, axis=1)
    return takes_part & (strength >= 0)


def _overlaps(regulons: Regulons, n_genes: int, min_overlap: int, eligible: NDArray[np.bool_]) -> Overlaps:
    n_regulators = len(regulons.sizes)
    ones = np.ones(len(regulons.targets), np.int32)
    edges = sp.csr_array((ones, regulons.targets, regulons.indptr), shape=(n_regulators, n_genes))
    common = sp.triu(edges @ edges.T, k=1, format="coo")
    first, second = common.coords
    kept = (common.data >= min_overlap) & eligible[first] & eligible[second]
    order = np.lexsort((second[kept], first[kept]))
    first, second, sizes = (x[kept][order].astype(np.int32) for x in (first, second, common.data))
    shared_indptr = _indptr(sizes)
    shared = np.empty((2, shared_indptr[-1]), np.int32)
    kernels.find_shared(regulons.indptr, regulons.targets, first, second, shared_indptr, n_genes, shared)
    likelihood, start = regulons.likelihood[shared], shared_indptr[:-1]
    share = likelihood / np.repeat(np.maximum.reduceat(likelihood, start, axis=1), sizes, axis=1)
    factors = np.sqrt(np.add.reduceat(share**2, start, axis=1)) / np.add.reduceat(likelihood, start, axis=1)
    return Overlaps(_indptr(np.bincount(first, minlength=n_regulators)), first, second, shared_indptr, shared, factors)


def _indptr(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _quantiles(n: int) -> NDArray[np.float64]:
    """Normal quantiles of r / (n + 1) for r = 0, 1/2, 1, ... n + 1/2."""
    quantiles: NDArray[np.float64] = ndtri(np.arange(2 * n + 2) / (2 * n + 2))
    return quantiles
