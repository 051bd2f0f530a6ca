"""Estimators of mutual information: what the drivers of ARACNe need of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from pysces._infer import copula
from pysces._infer.information import mutual_information, pairwise
from pysces._infer.null import N_PERMUTED, SEED, Null, gene_strata, tied_null
from pysces._infer.partition import code, code_distinct
from pysces._infer.tails import fit_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.correlation import Scores
    from pysces._infer.partition import Coded, Convention, Ties
    from pysces._infer.ranks import Ranks
    from pysces._infer.tails import Tail

MOST_CODES, LEAST_PERMUTED = 2**26, 320
"""With many cells, fewer permuted genes, so that their codes take at most 256 MB (or 320 genes: 51 thousand values)."""
NO_SEEDS = np.zeros(0, np.uint64)


class Estimator(Protocol):
    """Mutual information of ranked genes, and its null distribution."""

    signed: ClassVar[bool]
    """Whether values carry the sign of a correlation."""

    def information(self, ranks: Ranks, regulators: NDArray[np.intp], seed: int, n_threads: int) -> NDArray[np.float64]:
        """Mutual information (n_regulators, n_genes) in nats, NaN on self."""

    def strata(self, ranks: Ranks) -> NDArray[np.int32]:
        """Genes with the same null; -1 for a constant gene."""

    def null(self, ranks: Ranks, n_cells: int, n_threads: int) -> Null:
        """The null in samples of ``n_cells`` cells."""

    def code(self, ranks: Ranks) -> Any:
        """Genes ready for :meth:`pairwise`, ties kept."""

    def pairwise(self, x: Any, y: Any, n_threads: int, *, triangle: bool) -> NDArray[np.float64]:
        """Values of all pairs, with ``triangle`` at least those above the diagonal."""

    def distinct_null(self, n_cells: int, n_threads: int) -> Null:
        """The null of genes without ties."""


@dataclass(frozen=True)
class Partition:
    """Adaptive partitioning; ``ties="random"`` puts equal values in random order."""

    convention: Convention
    ties: Ties
    signed: ClassVar[bool] = False

    def information(self, ranks: Ranks, regulators: NDArray[np.intp], seed: int, n_threads: int) -> NDArray[np.float64]:
        """See :class:`Estimator`."""
        return mutual_information(
            ranks, regulators, convention=self.convention, ties=self.ties, seed=seed, n_threads=n_threads
        )

    def strata(self, ranks: Ranks) -> NDArray[np.int32]:
        """See :class:`Estimator`."""
        strata = gene_strata(ranks)
        return np.minimum(strata, 0) if self.ties == "random" else strata

    def null(self, ranks: Ranks, n_cells: int, n_threads: int) -> Null:
        """See :class:`Estimator`."""
        if self.ties == "random":
            return self.distinct_null(n_cells, n_threads)
        return tied_null(ranks, n_cells, self, n_threads)

    def code(self, ranks: Ranks) -> Coded:
        """See :class:`Estimator`."""
        return code(ranks, self.convention, "block", NO_SEEDS)

    def pairwise(self, x: Coded, y: Coded, n_threads: int, *, triangle: bool) -> NDArray[np.float64]:
        """See :class:`Estimator`."""
        return pairwise(x, y, n_threads, triangle=triangle)

    def distinct_null(self, n_cells: int, n_threads: int) -> Null:
        """See :class:`Estimator`; a process computes it once per number of cells."""
        key = (n_cells, self.convention)
        if key not in _distinct_tails:
            n_genes = int(np.clip(MOST_CODES // n_cells, LEAST_PERMUTED, N_PERMUTED))
            codes = np.tile(np.arange(n_cells, dtype=np.int32), (n_genes, 1))
            np.random.default_rng([SEED, n_cells]).permuted(codes, axis=1, out=codes)
            coded = code_distinct(codes, self.convention)
            mi = pairwise(coded, coded, n_threads, triangle=True)
            _distinct_tails[key] = fit_tail(mi[np.triu_indices(n_genes, 1)], n_cells)
        return Null({(0, 0): (_distinct_tails[key],)})


_distinct_tails: dict[tuple[int, str], Tail] = {}


class GaussianCopula:
    """Correlation of normal scores; the values carry its sign."""

    signed: ClassVar[bool] = True

    def information(self, ranks: Ranks, regulators: NDArray[np.intp], seed: int, n_threads: int) -> NDArray[np.float64]:
        """See :class:`Estimator`."""
        return copula.signed_information(ranks, regulators, n_threads)

    def strata(self, ranks: Ranks) -> NDArray[np.int32]:
        """See :class:`Estimator`."""
        return gene_strata(ranks)

    def null(self, ranks: Ranks, n_cells: int, n_threads: int) -> Null:
        """See :class:`Estimator`."""
        return tied_null(ranks, n_cells, self, n_threads)

    def code(self, ranks: Ranks) -> Scores:
        """See :class:`Estimator`."""
        return copula.code_scores(ranks)

    def pairwise(self, x: Scores, y: Scores, n_threads: int, *, triangle: bool) -> NDArray[np.float64]:
        """See :class:`Estimator`."""
        return copula.pairwise(x, y, n_threads)

    def distinct_null(self, n_cells: int, n_threads: int) -> Null:
        """See :class:`Estimator`."""
        return Null({}, n_student=n_cells)
