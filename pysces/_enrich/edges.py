"""The edges of regulons gene after gene, as kernels add them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._regulons import Regulons


class Edges(NamedTuple):
    """Regulators of each gene, with two weights: mode x likelihood and (1 - abs(mode)) x likelihood."""

    indptr: NDArray[np.int64]
    regulators: NDArray[np.int32]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, regulons: Regulons, n_genes: int) -> Self:
        """Of regulons whose targets are among ``n_genes``."""
        regulators = np.repeat(np.arange(len(regulons.sizes), dtype=np.int32), regulons.sizes)
        order = np.argsort(regulons.targets, kind="stable")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(regulons.targets, minlength=n_genes))]).astype(np.int64)
        directed = regulons.mode * regulons.likelihood
        undirected = (1 - np.abs(regulons.mode)) * regulons.likelihood
        return cls(indptr, regulators[order], np.stack([directed, undirected], axis=1)[order])
