"""Estimators of mutual information: what the drivers of ARACNe need of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from pysces._infer import copula
from pysces._infer.information import mutual_information
from pysces._infer.null import Null, distinct_null, gene_strata, tied_null

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.depth import Depth
    from pysces._infer.partition import Convention, Ties
    from pysces._infer.ranks import Ranks


class Scored(NamedTuple):
    """Mutual information (nats) and natural log of p, regulators x genes; NaN where no pair is tested."""

    mi: NDArray[np.float64]
    log_p: NDArray[np.float64]


class Estimator(Protocol):
    """Mutual information of ranked genes, and its significance."""

    @property
    def uses_depth(self) -> bool:
        """Whether genes are compared within strata of depth; others take no notice of it."""

    def information(
        self, ranks: Ranks, depth: Depth, regulators: NDArray[np.intp], seed: int, n_threads: int
    ) -> NDArray[np.float64]:
        """Mutual information (n_regulators, n_genes) in nats, NaN on self."""

    def null(self, ranks: Ranks, n_cells: int, n_threads: int) -> Null:
        """What is computed once for all samples of ``n_cells`` cells, empty if nothing is."""

    def score(
        self,
        ranks: Ranks,
        depth: Depth,
        regulators: NDArray[np.intp],
        null: Null,
        seed: int,
        n_threads: int,
        at_most: float,
    ) -> Scored:
        """Score all pairs, NaN on self and for constant genes; p above ``at_most`` may be given as 1."""


@dataclass(frozen=True)
class Partition:
    """Adaptive partitioning; ``ties="random"`` puts equal values in random order."""

    convention: Convention
    ties: Ties
    uses_depth: bool = field(default=False, init=False)

    def information(
        self, ranks: Ranks, depth: Depth, regulators: NDArray[np.intp], seed: int, n_threads: int
    ) -> NDArray[np.float64]:
        """See :class:`Estimator`."""
        return mutual_information(
            ranks, regulators, convention=self.convention, ties=self.ties, seed=seed, n_threads=n_threads
        )

    def null(self, ranks: Ranks, n_cells: int, n_threads: int) -> Null:
        """From permuted genes. See :class:`Estimator`."""
        if self.ties == "random":
            return distinct_null(n_cells, self.convention, n_threads)
        return tied_null(ranks, n_cells, self.convention, n_threads)

    def score(
        self,
        ranks: Ranks,
        depth: Depth,
        regulators: NDArray[np.intp],
        null: Null,
        seed: int,
        n_threads: int,
        at_most: float,
    ) -> Scored:
        """See :class:`Estimator`."""
        mi = self.information(ranks, depth, regulators, seed, n_threads)
        strata = gene_strata(ranks)
        mi[:, strata < 0] = np.nan
        mi[strata[regulators] < 0] = np.nan
        if self.ties == "random":
            strata = np.minimum(strata, 0)
        return Scored(mi, null.log_pvalues(mi, strata[regulators], strata, n_threads, at_most=at_most))


@dataclass(frozen=True)
class GaussianCopula:
    """Correlation of normal scores within strata of depth."""

    uses_depth: bool = field(default=True, init=False)

    def information(
        self, ranks: Ranks, depth: Depth, regulators: NDArray[np.intp], seed: int, n_threads: int
    ) -> NDArray[np.float64]:
        """See :class:`Estimator`."""
        return np.abs(copula.signed_information(ranks, depth.technical, regulators, n_threads))

    def null(self, ranks: Ranks, n_cells: int, n_threads: int) -> Null:
        """Empty: p follows from the moments of the genes in each sample."""
        return Null({})

    def score(
        self,
        ranks: Ranks,
        depth: Depth,
        regulators: NDArray[np.intp],
        null: Null,
        seed: int,
        n_threads: int,
        at_most: float,
    ) -> Scored:
        """See :class:`Estimator`; the correlation of a constant gene is NaN."""
        return Scored(*copula.score(ranks, depth, regulators, n_threads, at_most=at_most))
