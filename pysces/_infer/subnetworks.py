"""ARACNe on one group of cells: subsampled networks and their consensus."""

from __future__ import annotations

from math import ceil, exp
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer.correlation import spearman
from pysces._infer.information import mutual_information
from pysces._infer.null import gene_strata, random_null, tied_null
from pysces._infer.pruning import prune
from pysces._infer.ranks import take_cells
from pysces._infer.significance import log_qvalues, significant
from pysces._random import child, kernel_seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pysces._infer.null import Null
    from pysces._infer.partition import Convention, Ties
    from pysces._infer.pruning import Pruning
    from pysces._infer.ranks import Ranks
    from pysces._infer.significance import Correction


SUBSAMPLE = 1 - exp(-1)
"""Share of the cells that a sample with replacement would hold at least once."""


class Settings(NamedTuple):
    """How networks are inferred; see :class:`pysces.ARACNe`."""

    convention: Convention
    ties: Ties
    n_subnetworks: int
    subsample: float
    alpha: float
    correction: Correction
    dpi: Pruning
    dpi_tolerance: float


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
    ranks: Ranks,
    regulators: NDArray[np.intp],
    is_target: NDArray[np.bool_],
    null: Null,
    settings: Settings,
    seed: np.random.SeedSequence,
    n_threads: int,
    *,
    at_most: float = 1.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mutual information of all pairs and log p-values, exact up to ``at_most``.

    Pairs with a constant gene, of a gene with itself and with genes that are no targets are not tested: NaN.
    """
    mi = mutual_information(
        ranks,
        regulators,
        convention=settings.convention,
        ties=settings.ties,
        seed=kernel_seed(seed),
        n_threads=n_threads,
    )
    strata = gene_strata(ranks)
    mi[:, (strata < 0) | ~is_target] = np.nan
    mi[strata[regulators] < 0] = np.nan
    if settings.ties == "random":
        strata = np.minimum(strata, 0)
    return mi, null.log_pvalues(mi, strata[regulators], strata, at_most=at_most)


def build_null(ranks: Ranks, n_cells: int, settings: Settings, n_threads: int) -> Null:
    """The null for samples of ``n_cells`` cells."""
    if settings.ties == "random":
        return random_null(n_cells, settings.convention, n_threads)
    return tied_null(ranks, n_cells, settings.convention, n_threads)


def consensus(
    ranks: Ranks,
    regulators: NDArray[np.intp],
    is_target: NDArray[np.bool_],
    settings: Settings,
    seed: np.random.SeedSequence,
    n_threads: int,
    advance: Callable[[], object],
) -> Edges:
    """Infer all subnetworks, count in how many each edge is held, and judge it on all cells.

    An edge is in the consensus if a subnetwork holds it and it is significant on all cells.
    """
    n_taken = ceil(settings.subsample * ranks.n_cells)
    null = build_null(ranks, n_taken, settings, n_threads)
    support = np.zeros((len(regulators), ranks.n_genes), np.int64)
    for i in range(settings.n_subnetworks):
        sample_seed, ties_seed = child(child(seed, i), 0), child(child(seed, i), 1)
        taken = np.random.default_rng(sample_seed).choice(ranks.n_cells, n_taken, replace=False, shuffle=False)
        sample = take_cells(ranks, np.sort(taken), n_threads)
        mi, log_p = score(sample, regulators, is_target, null, settings, ties_seed, n_threads, at_most=settings.alpha)
        edges = significant(log_p, settings.alpha, settings.correction)
        support += prune(edges, mi, regulators, dpi=settings.dpi, tolerance=settings.dpi_tolerance, n_threads=n_threads)
        advance()
    null = build_null(ranks, ranks.n_cells, settings, n_threads)
    ties_seed = child(seed, settings.n_subnetworks)
    mi, log_p = score(ranks, regulators, is_target, null, settings, ties_seed, n_threads)
    held = (support > 0) & significant(log_p, settings.alpha, settings.correction)
    row, target = np.nonzero(held)
    source = regulators[row]
    correlation = spearman(ranks, source, target, n_threads)
    return Edges(source, target, mi[held], correlation, support[held], log_p[held], log_qvalues(log_p)[held])
