"""Networks of samples of the cells: each a task of its own, the same wherever and whenever it is computed."""

from __future__ import annotations

from math import ceil, exp
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from pysces._infer.pruning import prune
from pysces._infer.ranks import take_cells
from pysces._infer.significance import significant
from pysces._random import child, kernel_seed

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from pysces._infer.consensus import Consensus
    from pysces._infer.depth import Depth
    from pysces._infer.estimator import Estimator, Scored
    from pysces._infer.null import Null
    from pysces._infer.pruning import Pruning
    from pysces._infer.ranks import Ranks
    from pysces._infer.significance import Correction


SUBSAMPLE = 1 - exp(-1)
"""Share of the cells that a sample with replacement would hold at least once."""


class Settings(NamedTuple):
    """How networks are inferred; see :class:`pysces.ARACNe`.

    ``n_subnetworks`` is the largest number: with ``min_targets`` > 0 fewer may do; 0 for one network of all cells.
    """

    estimator: Estimator
    n_subnetworks: int
    min_targets: int
    subsample: float | int
    replace: bool
    alpha: float
    correction: Correction
    dpi: Pruning
    dpi_tolerance: float
    consensus: Consensus


class Problem(NamedTuple):
    """Ranked genes, the depth of their cells, positions of the regulators, and which genes may be targets."""

    ranks: Ranks
    depth: Depth
    regulators: NDArray[np.intp]
    is_target: NDArray[np.bool_]


class Subnetwork(NamedTuple):
    """The edges of one sample, as ascending places among all pairs of a regulator and a gene, and how many were tested.

    ``n_before`` is the number of edges before pruning.
    """

    edges: NDArray[np.int64]
    n_tests: int
    n_before: int


class Job(NamedTuple):
    """All that a subnetwork follows from, but its number."""

    problem: Problem
    settings: Settings
    null: Null
    seed: np.random.SeedSequence

    def subnetwork(self, i: int, n_threads: int) -> Subnetwork:
        """Infer subnetwork ``i``."""
        problem, settings, null, seed = self
        sample_seed, ties_seed = child(child(seed, i), 0), child(child(seed, i), 1)
        rng = np.random.default_rng(sample_seed)
        n_cells = problem.ranks.n_cells
        taken = np.sort(rng.choice(n_cells, n_taken(settings, n_cells), replace=settings.replace, shuffle=False))
        sample = problem._replace(ranks=take_cells(problem.ranks, taken, n_threads), depth=problem.depth.take(taken))
        mi, log_p = score(sample, settings.estimator, null, ties_seed, n_threads, at_most=settings.alpha)
        held = significant(log_p, settings.alpha, settings.correction)
        n_tests, n_before = int(np.count_nonzero(~np.isnan(log_p))), int(np.count_nonzero(held))
        pruned = pruned_edges(held, mi, problem, settings, n_threads)
        return Subnetwork(np.flatnonzero(pruned), n_tests, n_before)


class Runner(Protocol):
    """Where subnetworks come from."""

    def __call__(self, job: Job, numbers: Sequence[int]) -> Generator[Subnetwork, None, None]:
        """The subnetworks of these numbers, in their order; closed when no more are wanted."""


class Here(NamedTuple):
    """Computes subnetworks one after another, each on all threads."""

    n_threads: int

    def __call__(self, job: Job, numbers: Sequence[int]) -> Generator[Subnetwork, None, None]:
        """See :class:`Runner`."""
        return (job.subnetwork(i, self.n_threads) for i in numbers)


def n_taken(settings: Settings, n_cells: int) -> int:
    """Number of cells of a sample: a share of all, or a number of them."""
    if settings.replace:
        return n_cells
    if isinstance(settings.subsample, int):
        return min(settings.subsample, n_cells)
    return ceil(settings.subsample * n_cells)


def score(
    problem: Problem, estimator: Estimator, null: Null, ties_seed: np.random.SeedSequence, n_threads: int,
    *, at_most: float = 1.0,
) -> Scored:  # fmt: skip
    """Mutual information of all pairs and log p-values, exact up to ``at_most``.

    Pairs with a constant gene, of a gene with itself and with genes that are no targets are not tested: NaN.
    """
    ranks, depth, regulators, is_target = problem
    scored = estimator.score(ranks, depth, regulators, null, kernel_seed(ties_seed), n_threads, at_most)
    for matrix in scored:
        matrix[:, ~is_target] = np.nan
    return scored


def pruned_edges(
    edges: NDArray[np.bool_], mi: NDArray[np.float64], problem: Problem, settings: Settings, n_threads: int
) -> NDArray[np.bool_]:
    """What the data processing inequality leaves of edges."""
    return prune(edges, mi, problem.regulators, dpi=settings.dpi, tolerance=settings.dpi_tolerance, n_threads=n_threads)
