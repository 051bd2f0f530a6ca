"""ARACNe on one group of cells: the consensus of the networks of samples of the cells."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer.consensus import Tally, false_share, support_log_pvalues
from pysces._infer.correlation import spearman
from pysces._infer.significance import log_qvalues_of, significant
from pysces._infer.subnetworks import Job, n_taken, pruned_edges, score
from pysces._random import child

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pysces._infer.estimator import Estimator, Scored
    from pysces._infer.subnetworks import Problem, Runner, Settings


class Edges(NamedTuple):
    """The consensus, one entry per edge."""

    source: NDArray[np.intp]
    target: NDArray[np.intp]
    mi: NDArray[np.float64]
    scc: NDArray[np.float64]
    support: NDArray[np.int64]
    log_p: NDArray[np.float64]
    log_q: NDArray[np.float64]


def score_all_cells(
    problem: Problem, estimator: Estimator, ties_seed: np.random.SeedSequence, n_threads: int, *, at_most: float = 1.0
) -> Scored:
    """Score all pairs on all cells."""
    null = estimator.null(problem.ranks, problem.ranks.n_cells, n_threads)
    return score(problem, estimator, null, ties_seed, n_threads, at_most=at_most)


def job_of(problem: Problem, settings: Settings, seed: np.random.SeedSequence, n_threads: int) -> Job:
    """The job that the subnetworks are parts of."""
    null = settings.estimator.null(problem.ranks, n_taken(settings, problem.ranks.n_cells), n_threads)
    return Job(problem, settings, null, seed)


def infer(
    problem: Problem,
    settings: Settings,
    seed: np.random.SeedSequence,
    n_threads: int,
    advance: Callable[[], object],
    runner: Runner,
) -> Edges:
    """Infer all subnetworks, count in how many each edge is held, and judge it.

    An edge is in the consensus if a subnetwork holds it and it is significant on all cells, or by its support. Without
    subnetworks it is what is significant on all cells and survives pruning.
    """
    estimator, correction = settings.estimator, settings.correction
    tally = None
    if settings.n_subnetworks:
        tally = _count(job_of(problem, settings, seed, n_threads), runner, advance)
    exact = settings.alpha if correction in {"fdr", "fwer"} else 1.0  # what is above changes no q-value that is kept
    mi, log_p = score_all_cells(problem, estimator, child(seed, settings.n_subnetworks), n_threads, at_most=exact)
    if tally is not None and settings.consensus != "data":
        log_p = support_log_pvalues(tally, ~np.isnan(log_p), settings.consensus)
    held = significant(log_p, settings.alpha, correction)
    if tally is None:
        held = pruned_edges(held, mi, problem, settings, n_threads)
        support = held.astype(np.int32)
    else:
        support = tally.support
        held &= support > 0
    row, target = map(np.ascontiguousarray, np.nonzero(held))
    source = problem.regulators[row]
    correlation = spearman(problem.ranks, problem.depth.technical, source, target, n_threads)
    kept = support[held].astype(np.int64)
    return Edges(source, target, mi[held], correlation, kept, log_p[held], log_qvalues_of(log_p[held], log_p))


def _count(job: Job, runner: Runner, advance: Callable[[], object]) -> Tally:
    """In how many subnetworks, as many as asked for or needed, each edge is held."""
    problem, settings = job.problem, job.settings
    tally = Tally(np.zeros((len(problem.regulators), problem.ranks.n_genes), np.int32), [])
    flat = tally.support.ravel()
    with closing(runner(job, range(settings.n_subnetworks))) as subnetworks:
        for edges, n_tests, n_before in subnetworks:
            flat[edges] += 1
            tally.false_shares.append(false_share(n_tests, n_before, len(edges), settings.alpha, settings.correction))
            advance()
            if settings.min_targets and _suffices(tally.support, settings.min_targets):
                break
    return tally


def _suffices(support: NDArray[np.int32], min_targets: int) -> bool:
    """Whether there are edges, and every regulator that has any has at least ``min_targets``."""
    n_targets = np.count_nonzero(support, axis=1)
    found = n_targets[n_targets > 0]
    return len(found) > 0 and int(found.min()) >= min_targets
