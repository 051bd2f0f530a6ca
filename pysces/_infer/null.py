"""Null distributions of the mutual information of independent genes, and p-values from them.

Without ties the null depends on the number of cells alone. With ties it depends on both genes: above all on how many
cells lie on the smaller side of their first split (for a sparse gene: where it is detected). Genes are put in strata of
that number, and each pair of strata has its own null, from the mutual information of real genes whose cells were
permuted. Beyond the 1e-3 quantile, ln p goes on along a line through the largest values of the null.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer import _null_kernels as kernels
from pysces._infer.information import gene_seeds, pairwise
from pysces._infer.partition import code, first_splits
from pysces._infer.ranks import Ranks, permute_cells
from pysces._infer.tails import EXTRAPOLATE_BELOW, Tail, fit_tail
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.partition import Convention

N_PERMUTED = 1415
"""Permuted genes of a null: all pairs among them are a million values."""
MOST_CODES, LEAST_PERMUTED = 2**26, 320
"""With many cells, fewer permuted genes, so that their codes take at most 256 MB (or 320 genes: 51 thousand values)."""
MIN_POOL = 64
"""Permuted genes that a stratum must have to get a null of its own; genes of smaller ones use the nearest."""
STRATUM_RATIO = 1.5
"""Genes of one stratum differ by at most this factor in minority."""
ROWS_PER_BLOCK = 16
SEED = 20100731  # nulls do not follow the user's seed: one null per size, the same in every run


class Null(NamedTuple):
    """The nulls of all pairs of strata for one number of cells."""

    tails: dict[tuple[int, int], Tail]

    def log_pvalues(
        self,
        mi: NDArray[np.float64],
        rows: NDArray[np.int32],
        columns: NDArray[np.int32],
        n_threads: int,
        *,
        at_most: float = 1.0,
    ) -> NDArray[np.float64]:
        """Natural log of the p-value of ``mi`` (rows x columns) given the strata of both; -1 (constant): p = 1.

        p-values above ``at_most`` may be given as 1, which saves looking them up.
        """
        known = np.unique(list(self.tails)).astype(np.int64)
        row_place, column_place = _nearest(known, rows), _nearest(known, columns)
        tails = _joined(self.tails, known, at_most)
        log_p = np.empty_like(mi)

        def look_up(block: slice) -> None:
            kernels.look_up_log_pvalues(mi[block], row_place[block], column_place, *tails, log_p[block])

        run(look_up, len(mi), ROWS_PER_BLOCK, n_threads)
        return log_p


class JoinedTails(NamedTuple):
    """Tails as the kernel needs them: end to end, found by their number."""

    number: NDArray[np.int64]
    starts: NDArray[np.int64]
    values: NDArray[np.float64]
    lines: NDArray[np.float64]
    floors: NDArray[np.float64]
    limit: float


def _joined(tails: dict[tuple[int, int], Tail], known: NDArray[np.int64], at_most: float) -> JoinedTails:
    """All tails end to end, and one for constant genes, whose floor nothing reaches."""
    number = np.full((len(known) + 1, len(known) + 1), len(tails))  # the last row and column: constant genes
    for i, pair in enumerate(tails):
        places = np.searchsorted(known, pair)
        number[places, places[::-1]] = i
    return JoinedTails(
        number=number,
        starts=np.concatenate([[0], np.cumsum([len(tail.values) for tail in tails.values()] + [0])]).astype(np.int64),
        values=np.concatenate([tail.values for tail in tails.values()]),
        lines=np.array([(tail.intercept, tail.slope) for tail in tails.values()] + [(0.0, 0.0)]),
        floors=np.array([tail.threshold(at_most) if at_most < 1 else -np.inf for tail in tails.values()] + [np.inf]),
        limit=float(np.log(EXTRAPOLATE_BELOW)),
    )


def gene_strata(ranks: Ranks) -> NDArray[np.int32]:
    """Stratum of each gene: 0 without ties, then by falling minority; -1 for a constant gene."""
    minority, tied = first_splits(ranks)
    share = np.maximum(minority, 1) / (ranks.n_cells / 2)
    stratum = 1 + np.floor(np.log(1 / share) / np.log(STRATUM_RATIO) + 1e-9).astype(np.int32)
    return np.where(minority == 0, -1, np.where(tied, stratum, 0)).astype(np.int32)


def _nearest(known: NDArray[np.intp], wanted: NDArray[np.int32]) -> NDArray[np.intp]:
    """Place in ``known`` of the nearest stratum; one beyond the last for constant genes."""
    return np.where(wanted < 0, len(known), np.abs(known[:, None] - wanted).argmin(axis=0))


def distinct_null(n_cells: int, convention: Convention, n_threads: int) -> Null:
    """The null of genes without ties, which a process computes once per number of cells."""
    key = (n_cells, convention)
    if key not in _distinct_tails:
        n_genes = int(np.clip(MOST_CODES // n_cells, LEAST_PERMUTED, N_PERMUTED))
        seeds = gene_seeds([SEED, n_cells], n_genes)
        coded = code(_constant_genes(n_genes, n_cells), convention, "random", seeds)
        mi = pairwise(coded, coded, n_threads, triangle=True)
        _distinct_tails[key] = fit_tail(mi[np.triu_indices(n_genes, 1)], n_cells)
    return Null({(0, 0): _distinct_tails[key]})


_distinct_tails: dict[tuple[int, str], Tail] = {}


def _constant_genes(n_genes: int, n_cells: int) -> Ranks:
    """Genes of zeros only: with ties in random order, their ranks are random permutations."""
    nothing, zeros = np.zeros(0, np.int32), np.zeros(n_genes, np.int32)
    return Ranks(nothing, nothing, np.zeros(n_genes + 1, np.int64), zeros, zeros + 1, n_cells)


def tied_null(ranks: Ranks, n_cells: int, convention: Convention, n_threads: int) -> Null:
    """The null of all pairs of strata found among the genes of ``ranks``, in samples of ``n_cells`` of its cells."""
    permuted = permuted_pool(ranks, n_cells, n_threads)
    no_seeds = np.zeros(0, np.uint64)
    pool = {stratum: code(genes, convention, "block", no_seeds) for stratum, genes in permuted.items()}
    tails: dict[tuple[int, int], Tail] = {}
    for a, b in combinations_with_replacement(sorted(set(pool) or {0}), 2):
        if a == b == 0:
            tails |= distinct_null(n_cells, convention, n_threads).tails
            continue
        mi = pairwise(pool[a], pool[b], n_threads, triangle=a == b)
        tails[a, b] = fit_tail(mi[np.triu_indices(len(mi), 1)] if a == b else mi.ravel(), n_cells)
    return Null(tails)


def permuted_pool(ranks: Ranks, n_cells: int, n_threads: int) -> dict[int, Ranks]:
    """Genes with permuted cells, by stratum, in equal numbers drawn from the genes of each stratum."""
    rng = np.random.default_rng([SEED, n_cells, 1])
    whole = gene_strata(ranks)
    present = np.unique(whole[whole >= 0])
    per_stratum = -(-N_PERMUTED // max(len(present), 1))
    drawn = [rng.choice(np.flatnonzero(whole == stratum), per_stratum) for stratum in present]
    if not drawn:
        return {}
    genes = np.concatenate(drawn)
    seeds = rng.integers(2**63, size=len(genes), dtype=np.uint64)
    permuted = permute_cells(ranks, genes, n_cells, seeds, n_threads)
    found = gene_strata(permuted)
    strata, counts = np.unique(found[found >= 0], return_counts=True)
    large = strata[counts >= min(MIN_POOL, int(counts.max(initial=0)))]
    return {int(stratum): permuted.genes(np.flatnonzero(found == stratum)) for stratum in large}
