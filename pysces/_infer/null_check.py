"""Whether p-values hold: pairs of a network scored as they are, and with the cells of each regulator permuted."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer.estimator import Partition, Scored
from pysces._infer.null import gene_strata
from pysces._infer.ranks import Ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.depth import Depth
    from pysces._infer.estimator import Estimator
    from pysces._infer.null import Null

N_PREDICTED = 300


class NullCheck(NamedTuple):
    """Mutual information and log p of all pairs of some regulators and targets that can be tested."""

    observed: Scored
    permuted: Scored
    predicted: tuple[NDArray[np.float64], NDArray[np.float64]] | None
    """Mutual information, and the mean p of the permuted pairs there, if p follows from it."""


def check_null(
    ranks: Ranks,
    depth: Depth,
    estimator: Estimator,
    regulators: NDArray[np.intp],
    targets: NDArray[np.intp],
    rng: np.random.Generator,
    n_threads: int,
) -> NullCheck:
    """Score a sample of regulators and targets among all genes of a network, which make its null."""
    null = estimator.null(ranks, ranks.n_cells, n_threads)
    x, y = ranks.genes(regulators), ranks.genes(targets)

    def score(of_regulators: Ranks, is_pair: NDArray[np.bool_]) -> Scored:
        first = np.arange(len(regulators))
        scored = estimator.score(_joined(of_regulators, y), depth, first, null, 0, n_threads, 1.0)
        mi, log_p = (of_all[:, len(regulators) :] for of_all in scored)
        is_tested = is_pair & ~np.isnan(log_p)
        return Scored(mi[is_tested], log_p[is_tested])

    differ = regulators[:, None] != targets
    permuted = score(permuted_within(x, depth.whole.labels, rng), np.ones_like(differ))
    predicted = None
    if isinstance(estimator, Partition) and len(permuted.mi):
        of_x, of_y = (gene_strata(genes) for genes in (x, y))
        if estimator.ties == "random":
            of_x, of_y = np.minimum(of_x, 0), np.minimum(of_y, 0)
        information = np.linspace(permuted.mi.min(), permuted.mi.max(), N_PREDICTED)
        predicted = information, _mean_p(null, of_x[of_x >= 0], of_y[of_y >= 0], information)
    return NullCheck(score(x, differ), permuted, predicted)


def permuted_within(ranks: Ranks, labels: NDArray[np.int32], rng: np.random.Generator) -> Ranks:
    """Genes with their cells in random order within strata, each gene in an order of its own."""
    of_stratum = np.argsort(labels, kind="stable")
    cells, levels = np.empty_like(ranks.cells), np.empty_like(ranks.levels)
    place = np.empty(ranks.n_cells, np.int32)
    for first, last in pairwise(ranks.indptr):
        place[of_stratum] = np.lexsort((rng.random(ranks.n_cells), labels))
        moved = place[ranks.cells[first:last]]
        order = np.argsort(moved)
        cells[first:last], levels[first:last] = moved[order], ranks.levels[first:last][order]
    return ranks._replace(cells=cells, levels=levels)


def _joined(a: Ranks, b: Ranks) -> Ranks:
    """Genes of the same cells, one after another."""
    cells, levels, zero_level, n_levels = (
        np.concatenate([getattr(a, name), getattr(b, name)]) for name in ("cells", "levels", "zero_level", "n_levels")
    )
    return Ranks(
        cells, levels, np.concatenate([a.indptr, a.indptr[-1] + b.indptr[1:]]), zero_level, n_levels, a.n_cells
    )


def _mean_p(
    null: Null, of_x: NDArray[np.int32], of_y: NDArray[np.int32], information: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean over all pairs of genes, given by their strata, of the p-value that they would have."""
    (rows, n_rows), (columns, n_columns) = (np.unique(of, return_counts=True) for of in (of_x, of_y))
    weights = np.multiply.outer(n_rows, n_columns) / (len(of_x) * len(of_y))
    of_pairs = (np.full(weights.shape, mi) for mi in information)
    return np.array([np.sum(weights * np.exp(null.log_pvalues(mi, rows, columns, 1))) for mi in of_pairs])
