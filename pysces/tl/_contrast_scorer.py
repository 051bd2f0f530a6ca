"""Normalised enrichment scores of regulons on one contrast, against what its labels give by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces import _log
from pysces._csr import as_csr
from pysces._enrich.area import normalised_scores
from pysces._enrich.labellings import are_few, n_as_extreme
from pysces._enrich.null import against_all, against_null
from pysces._random import child

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pysces._enrich.contrast import Contrast
    from pysces._regulons import Regulons

PERMUTATIONS, BOOTSTRAPS, REMOVALS, SYNERGY = range(4)
"""Children of the seed."""


class ContrastScorer(NamedTuple):
    """Scores any regulons on one contrast, always with the same draws."""

    contrast: Contrast
    n_permutations: int
    n_bootstraps: int
    seed: np.random.SeedSequence
    n_threads: int

    def __call__(self, regulons: Regulons) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """NES of each regulator and, with bootstraps, its standard error."""
        if not self.n_bootstraps:
            return self._nes([self.contrast.z[None]], regulons)[0], None
        drawn = self.contrast.resampled(self.n_bootstraps, child(self.seed, BOOTSTRAPS), self.n_threads)
        nes = self._nes(_counted(drawn, self.n_bootstraps, "bootstraps"), regulons)
        return nes.mean(axis=0), nes.std(axis=0, ddof=1) / np.sqrt(self.n_bootstraps)

    @property
    def enumerates(self) -> bool:
        """Whether the labellings are so few that each is looked at once."""
        most = self.n_permutations
        return most > 0 and are_few(self.contrast.n_group, self.contrast.n_reference, most)

    def size(self, regulons: Regulons) -> NDArray[np.float64]:
        """Absolute analytic NES, which tells regulators of the same p apart."""
        size: NDArray[np.float64] = np.abs(self._area([self.contrast.z[None]], regulons)[0])
        return size

    def _nes(self, signatures: Iterable[NDArray[np.float64]], regulons: Regulons) -> NDArray[np.float64]:
        scores = self._area(signatures, regulons)
        if not self.n_permutations:
            return scores
        if self.enumerates:
            null = self._area(self.contrast.every_labelling(self.n_threads), regulons)
            return against_all(scores, null, n_as_extreme(self.contrast.n_group, self.contrast.n_reference))
        drawn = self.contrast.shuffled(self.n_permutations, child(self.seed, PERMUTATIONS), self.n_threads)
        return against_null(scores, self._area(_counted(drawn, self.n_permutations, "permutations"), regulons))

    def _area(self, signatures: Iterable[NDArray[np.float64]], regulons: Regulons) -> NDArray[np.float64]:
        zero = np.zeros(len(self.contrast.z))
        return np.concatenate([normalised_scores(as_csr(part), zero, regulons, self.n_threads) for part in signatures])


def _counted(drawn: Iterable[NDArray[np.float64]], n: int, what: str) -> Iterator[NDArray[np.float64]]:
    """Hand on signatures, with a bar."""
    with _log.progress(n, what) as done:
        for signatures in drawn:
            yield signatures
            done(len(signatures))
