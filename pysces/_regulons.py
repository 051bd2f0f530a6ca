"""Regulons as integer-coded rows, ready for the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Regulons(NamedTuple):
    """Targets of each regulator with mode of regulation in [-1, 1] and likelihood > 0."""

    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    mode: NDArray[np.float64]
    likelihood: NDArray[np.float64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Targets per regulator."""
        return np.diff(self.indptr)

    def select(self, regulators: NDArray[np.intp]) -> Regulons:
        """Some regulators, in the order given."""
        rows = [np.arange(self.indptr[r], self.indptr[r + 1]) for r in regulators]
        edges = np.concatenate(rows) if rows else np.empty(0, np.int64)
        indptr = np.concatenate([[0], np.cumsum(self.sizes[regulators])])
        return Regulons(indptr, self.targets[edges], self.mode[edges], self.likelihood[edges])

    def restrict(self, genes: NDArray[np.intp], n_genes: int) -> Regulons:
        """Only targets among ``genes``, renumbered by their place there; ``n_genes`` is the number of genes before."""
        place = np.full(n_genes, -1, np.int32)
        place[genes] = np.arange(len(genes), dtype=np.int32)
        kept = place[self.targets] >= 0
        owner = np.repeat(np.arange(len(self.sizes)), self.sizes)[kept]
        indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(self.sizes)))])
        return Regulons(indptr, place[self.targets[kept]], self.mode[kept], self.likelihood[kept])
