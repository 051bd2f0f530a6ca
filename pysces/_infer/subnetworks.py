"""ARACNe on one group of cells: networks of samples of the cells, and their consensus."""

from __future__ import annotations

from math import ceil, exp
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer.consensus import Tally, false_share, support_log_pvalues
from pysces._infer.correlation import spearman
from pysces._infer.pruning import prune
from pysces._infer.ranks import take_cells
from pysces._infer.significance import log_qvalues, significant
from pysces._random import child, kernel_seed

if TYPE_CHECKING:
    from collections.abc import Callable

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
    subsample: float
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


class Edges(NamedTuple):
    """The consensus, one entry per edge."""

    source: NDArray[np.intp]
    target: NDArray[np.intp]
    mi: NDArray[np.float64]
    scc: NDArray[np.float64]
    support: NDArray[np.int64]
    log_p: NDArray[np.float64]
    log_q: NDArray[np.float64]


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


def score_all_cells(
    problem: Problem, estimator: Estimator, ties_seed: np.random.SeedSequence, n_threads: int, *, at_most: float = 1.0
) -> Scored:
    """Score all pairs on all cells."""
    null = estimator.null(problem.ranks, problem.ranks.n_cells, n_threads)
    return score(problem, estimator, null, ties_seed, n_threads, at_most=at_most)


def infer(
    problem: Problem, settings: Settings, seed: np.random.SeedSequence, n_threads: int, advance: Callable[[], object]
) -> Edges:
    """Infer all subnetworks, count in how many each edge is held, and judge it.

    An edge is in the consensus if a subnetwork holds it and it is significant on all cells, or by its support. Without
    subnetworks it is what is significant on all cells and survives pruning.
    """
    estimator, correction = settings.estimator, settings.correction
    tally = _count_subnetworks(problem, settings, seed, n_threads, advance) if settings.n_subnetworks else None
    exact = settings.alpha if correction in {"fdr", "fwer"} else 1.0  # what is above changes no q-value that is kept
    mi, log_p = score_all_cells(problem, estimator, child(seed, settings.n_subnetworks), n_threads, at_most=exact)
    if tally is not None and settings.consensus != "data":
        log_p = support_log_pvalues(tally, ~np.isnan(log_p), settings.consensus)
    held = significant(log_p, settings.alpha, correction)
    if tally is None:
        held = _prune(held, mi, problem, settings, n_threads)
        support = held.astype(np.int32)
    else:
        support = tally.support
        held &= support > 0
    row, target = np.nonzero(held)
    source = problem.regulators[row]
    correlation = spearman(problem.ranks, problem.depth.technical, source, target, n_threads)
    kept = support[held].astype(np.int64)
    return Edges(source, target, mi[held], correlation, kept, log_p[held], log_qvalues(log_p)[held])


def _count_subnetworks(
    problem: Problem, settings: Settings, seed: np.random.SeedSequence, n_threads: int, advance: Callable[[], object]
) -> Tally:
    """Infer networks of samples of the cells, as many as asked for or needed, and count how often each edge is held."""
    estimator, ranks = settings.estimator, problem.ranks
    n_cells = ranks.n_cells
    n_taken = n_cells if settings.replace else ceil(settings.subsample * n_cells)
    null = estimator.null(ranks, n_taken, n_threads)
    tally = Tally(np.zeros((len(problem.regulators), ranks.n_genes), np.int32), [])
    for i in range(settings.n_subnetworks):
        sample_seed, ties_seed = child(child(seed, i), 0), child(child(seed, i), 1)
        rng = np.random.default_rng(sample_seed)
        taken = np.sort(rng.choice(n_cells, n_taken, replace=settings.replace, shuffle=False))
        sample = problem._replace(ranks=take_cells(ranks, taken, n_threads), depth=problem.depth.take(taken))
        mi, log_p = score(sample, estimator, null, ties_seed, n_threads, at_most=settings.alpha)
        edges = significant(log_p, settings.alpha, settings.correction)
        pruned = _prune(edges, mi, problem, settings, n_threads)
        np.add(tally.support, pruned, out=tally.support)
        n_tests, n_before, n_after = (int(np.count_nonzero(pairs)) for pairs in (~np.isnan(log_p), edges, pruned))
        tally.false_shares.append(false_share(n_tests, n_before, n_after, settings.alpha, settings.correction))
        advance()
        if settings.min_targets and _suffices(tally.support, settings.min_targets):
            break
    return tally


def _suffices(support: NDArray[np.int32], min_targets: int) -> bool:
    """Whether there are edges, and every regulator that has any has at least ``min_targets``."""
    n_targets = np.count_nonzero(support, axis=1)
    found = n_targets[n_targets > 0]
    return len(found) > 0 and int(found.min()) >= min_targets


def _prune(
    edges: NDArray[np.bool_], mi: NDArray[np.float64], problem: Problem, settings: Settings, n_threads: int
) -> NDArray[np.bool_]:
    return prune(edges, mi, problem.regulators, dpi=settings.dpi, tolerance=settings.dpi_tolerance, n_threads=n_threads)
