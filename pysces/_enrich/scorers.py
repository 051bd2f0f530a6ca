"""From blocks of X to scores: a signature, the enrichment of regulons, and what is done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from pysces._enrich.area import Area
from pysces._enrich.narnea import Narnea
from pysces._enrich.null import against_null
from pysces._enrich.pleiotropy import corrected_scores
from pysces._enrich.signatures import Centred
from pysces._enrich.zeros import with_random_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._csr import CSR
    from pysces._enrich.pleiotropy import Correction
    from pysces._enrich.signatures import Signature
    from pysces._regulons import Regulons


class Scores(NamedTuple):
    """Cells x regulators, float64: enrichment scores, and what comes with some of them."""

    nes: NDArray[np.float64]
    """Normalised enrichment scores (or plain ones, if asked for)."""
    sd: NDArray[np.float64] | None = None
    """Standard deviation of the NES over bootstraps."""
    pes: NDArray[np.float64] | None = None
    """Proportional enrichment scores of NaRnEA, in [-1, 1]."""
    empty: NDArray[np.bool_] | None = None
    """Cells, one entry each, without a value other than 0 in the genes ranked. Their scores are NaN."""


def without_empty(scorer: Scorer, block: CSR) -> Scores:
    """Scores of a block of cells; those of cells without an entry are NaN, since nothing tells their genes apart."""
    scores, empty = scorer(block), np.diff(block.indptr) == 0
    for of_cells in scores:
        if of_cells is not None:
            of_cells[empty] = np.nan
    return scores._replace(empty=empty)


class Scorer(Protocol):
    """What scores cells, from their entries of X."""

    def __call__(self, block: CSR) -> Scores:
        """Scores of a block of cells, which do not depend on other cells of the block."""
        ...


class ByArea:
    """aREA, corrected for pleiotropy or compared with null scores if these are given."""

    def __init__(
        self,
        signature: Signature,
        genes: NDArray[np.int32],
        zero: NDArray[np.float64],
        area: Area,
        *,
        pleiotropy: Correction | None = None,
        null: NDArray[np.float64] | None = None,
        least_far: int = 0,
    ) -> None:
        self._signature, self._genes, self._zero = signature, genes, zero
        self._area, self._pleiotropy, self._null, self._least_far = area, pleiotropy, null, least_far

    def __call__(self, block: CSR) -> Scores:
        signature = self._signature.of_cells(block, self._genes)
        scores = self._area(signature)
        if self._pleiotropy is not None:
            scores = corrected_scores(signature, self._zero, scores, self._pleiotropy, 1, least_far=self._least_far)
        if self._null is not None:
            scores = against_null(scores, self._null)
        return Scores(scores)


class ByNarnea:
    """NaRnEA; with ``seed``, zeros get random ranks and signs."""

    def __init__(
        self,
        signature: Signature,
        genes: NDArray[np.int32],
        zero: NDArray[np.float64],
        regulons: Regulons,
        *,
        seed: bytes | None = None,
    ) -> None:
        self._signature, self._genes, self._zero, self._seed = signature, genes, zero, seed
        self._narnea = Narnea(zero, regulons)

    def __call__(self, block: CSR) -> Scores:
        signature = self._signature.of_cells(block, self._genes)
        if self._seed is not None:
            signature = with_random_zeros(signature, self._zero, self._seed)
        found = self._narnea(signature)
        return Scores(found.nes, pes=found.pes)


class Bootstrapped:
    """Mean and standard deviation of the NES over z-scores against resampled reference cells.

    A gene that is constant in a sample is missing from it, and a sample in which all targets of a regulator are missing
    does not count for it.
    """

    def __init__(self, mean: NDArray[np.float64], sd: NDArray[np.float64], regulons: Regulons) -> None:
        everywhere = np.arange(mean.shape[1], dtype=np.int32)
        first: Area | None = None
        self._samples: list[ByArea] = []
        for centre, spread in zip(mean, sd, strict=True):
            signature = Centred(centre, spread)
            zero = signature(np.zeros(len(centre)), everywhere)
            first = Area(zero, regulons) if first is None else first
            self._samples.append(ByArea(signature, everywhere, zero, first.at(zero)))

    def __call__(self, block: CSR) -> Scores:
        centre = np.nan_to_num(self._samples[0](block).nes)
        n, total, squares = (np.zeros_like(centre) for _ in range(3))
        for sample in self._samples:
            deviation = sample(block).nes - centre
            n += ~np.isnan(deviation)
            deviation = np.nan_to_num(deviation)
            total += deviation
            squares += deviation**2
        with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 without a sample, or with a single one
            variance = (squares - total**2 / n) / (n - 1)
            return Scores(centre + total / n, sd=np.sqrt(np.maximum(variance, 0.0)))
