"""Null distributions of the mutual information of independent genes, and p-values from them.

Without ties the null depends on the number of cells alone. With ties it depends on both genes: above all on how many
cells lie on the smaller side of their first split (for a sparse gene: where it is detected). Genes are put in strata of
that number, and each pair of strata has its own null, from the mutual information of real genes whose cells were
permuted. Beyond the 1e-3 quantile, ln p goes on along the least-squares line of ln p on the mutual information through
the largest 1 % of the null.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._infer.information import pairwise
from pysces._infer.partition import code, code_distinct, first_splits
from pysces._infer.ranks import permute_cells
from pysces._parallel import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.partition import Coded, Convention
    from pysces._infer.ranks import Ranks

N_PERMUTED = 1450
"""Permuted genes of a null: all pairs among them are a million values."""
LEAST_PERMUTED, MOST_CODES = 320, 2**26
"""With many cells, fewer permuted genes, so that their codes take at most 256 MB (or 320 genes: 51 thousand values)."""
MIN_POOL = 64
"""Permuted genes that a stratum must have to get a null of its own; genes of smaller ones use the nearest."""
STRATUM_RATIO = 1.5
"""Genes of one stratum differ by at most this factor in minority."""
EXTRAPOLATE_BELOW = 1e-3
ROWS_PER_BLOCK = 64
TAIL_SHARE = 0.01
SEED = 20100731  # nulls do not follow the user's seed: one null per size, the same in every run


class Tail(NamedTuple):
    """One null distribution, ascending, with the line of ln p on the mutual information in its tail."""

    values: NDArray[np.float64]
    intercept: float
    slope: float

    def log_pvalues(self, mi: NDArray[np.float64]) -> NDArray[np.float64]:
        """Natural log of p = (1 + #{null >= mi}) / (N + 1), extrapolated in the tail."""
        size = len(self.values)
        above = size - np.searchsorted(self.values, mi, side="left")
        log_p = np.log((1 + above) / (size + 1))
        limit = np.log(EXTRAPOLATE_BELOW)
        line = np.minimum(self.intercept + self.slope * mi, limit)
        return np.where(log_p < limit, line, log_p)

    def threshold(self, p: float) -> float:
        """A mutual information that no value with a smaller p-value than ``p`` falls below."""
        size = len(self.values)
        above = int(max(p, EXTRAPOLATE_BELOW) * (size + 1))
        return float(self.values[size - above]) if 0 < above <= size else -np.inf


class Null(NamedTuple):
    """The nulls of all pairs of strata for one number of cells."""

    n_cells: int
    tails: dict[tuple[int, int], Tail]

    def log_pvalues(
        self,
        mi: NDArray[np.float64],
        rows: NDArray[np.int32],
        columns: NDArray[np.int32],
        *,
        at_most: float = 1.0,
    ) -> NDArray[np.float64]:
        """Natural log of the p-value of ``mi`` (rows x columns) given the strata of both; -1 (constant): p = 1.

        p-values above ``at_most`` are given as some number above it, which saves looking them up.
        """
        known = np.array(sorted({stratum for pair in self.tails for stratum in pair}))
        row_place, column_place = _nearest(known, rows), _nearest(known, columns)
        threshold = np.full((len(known) + 1, len(known) + 1), np.inf)  # the last row and column: constant genes
        for (a, b), tail in self.tails.items():
            places = np.searchsorted(known, [a, b])
            threshold[places, places[::-1]] = tail.threshold(at_most) if at_most < 1 else -np.inf
        log_p = np.where(np.isnan(mi), np.nan, 0.0)
        for block in blocks(len(mi), ROWS_PER_BLOCK):
            row, column = np.nonzero(mi[block] >= threshold[row_place[block, None], column_place])
            row += block.start
            pair = np.sort([row_place[row], column_place[column]], axis=0)
            pair_number = pair[0] * len(known) + pair[1]
            for number in np.unique(pair_number):
                of_pair = np.flatnonzero(pair_number == number)
                tail = self.tails[known[number // len(known)], known[number % len(known)]]
                entries = row[of_pair], column[of_pair]
                log_p[entries] = tail.log_pvalues(mi[entries])
        return log_p


def fit_tail(values: NDArray[np.float64]) -> Tail:
    """Sort a null sample and fit its tail."""
    values = np.sort(values)
    size = len(values)
    top = values[-max(int(size * TAIL_SHARE), 2) :]
    log_p = np.log(np.arange(len(top), 0, -1) / (size + 1))
    centred = top - top.mean()
    if top[-1] - top[0] <= 1e-12 * abs(top[-1]):  # no line through one value: p stays at its smallest
        return Tail(values, float(log_p[-1]), 0.0)
    slope = float(centred @ log_p) / float(centred @ centred)
    return Tail(values, float(log_p.mean() - slope * top.mean()), slope)


def gene_strata(ranks: Ranks) -> NDArray[np.int32]:
    """Stratum of each gene: 0 without ties, then by falling minority; -1 for a constant gene."""
    minority, tied = first_splits(ranks)
    share = np.maximum(minority, 1) / (ranks.n_cells / 2)
    stratum = 1 + np.floor(np.log(1 / share) / np.log(STRATUM_RATIO) + 1e-9).astype(np.int32)
    return np.where(minority == 0, -1, np.where(tied, stratum, 0)).astype(np.int32)


def _nearest(known: NDArray[np.intp], wanted: NDArray[np.int32]) -> NDArray[np.intp]:
    """Place in ``known`` of the nearest stratum; -1 for constant genes."""
    return np.where(wanted < 0, -1, np.abs(known[:, None] - wanted).argmin(axis=0))


_distinct_nulls: dict[tuple[int, str], Tail] = {}


def distinct_null(n_cells: int, convention: Convention, n_threads: int) -> Tail:
    """The null of genes without ties, which a process computes once per number of cells."""
    key = (n_cells, convention)
    if key not in _distinct_nulls:
        n_genes = int(np.clip(MOST_CODES // n_cells, LEAST_PERMUTED, N_PERMUTED))
        rng = np.random.default_rng([SEED, n_cells])
        codes = np.tile(np.arange(n_cells, dtype=np.int32), (n_genes, 1))
        rng.permuted(codes, axis=1, out=codes)
        coded = code_distinct(codes, convention)
        mi = pairwise(coded, coded, n_threads, triangle=True)
        _distinct_nulls[key] = fit_tail(mi[np.triu_indices(n_genes, 1)])
    return _distinct_nulls[key]


def random_null(n_cells: int, convention: Convention, n_threads: int) -> Null:
    """The null where ties are broken at random: one stratum."""
    return Null(n_cells, {(0, 0): distinct_null(n_cells, convention, n_threads)})


def tied_null(ranks: Ranks, n_cells: int, convention: Convention, n_threads: int) -> Null:
    """The null of all pairs of strata found among the genes of ``ranks``, in samples of ``n_cells`` of its cells."""
    pool = permuted_pool(ranks, n_cells, convention, n_threads)
    if set(pool) <= {0}:
        return random_null(n_cells, convention, n_threads)
    tails = {}
    for a, b in combinations_with_replacement(sorted(pool), 2):
        if a == b == 0:
            tails[a, b] = distinct_null(n_cells, convention, n_threads)
            continue
        mi = pairwise(pool[a], pool[b], n_threads, triangle=a == b)
        tails[a, b] = fit_tail(mi[np.triu_indices(len(mi), 1)] if a == b else mi.ravel())
    return Null(n_cells, tails)


def permuted_pool(ranks: Ranks, n_cells: int, convention: Convention, n_threads: int) -> dict[int, Coded]:
    """Coded genes with permuted cells, by stratum, in equal numbers drawn from the genes of each stratum."""
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
    no_seeds = np.zeros(0, np.uint64)
    return {
        int(stratum): code(permuted.genes(np.flatnonzero(found == stratum)), convention, "block", no_seeds)
        for stratum in large
    }
