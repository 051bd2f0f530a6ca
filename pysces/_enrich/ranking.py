"""Regulators that are more active in one group of cells than in others, tested one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy.special import ndtri_exp

from pysces._enrich._order_kernels import ITEM, VALUE
from pysces._enrich.labellings import are_few, log_p_of_sum
from pysces._enrich.null import log_pvalues
from pysces._enrich.order import ordered_keys
from pysces._enrich.stratified import van_elteren
from pysces._enrich.tails import log_p_of_chi2, log_p_of_overlap, log_p_of_t
from pysces._parallel import block_size, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

type Method = Literal["wilcoxon", "t-test", "stouffer", "kappa", "kruskal"]

LEAST_CELLS = 2
"""Cells with a value that a group and its reference need."""
STEPS_PER_CELL = 50


class Ranking(NamedTuple):
    """Groups x regulators; NaN where there is no test. Kruskal-Wallis fills only the group of the highest mean rank."""

    score: Floats
    effect: Floats
    log_p: Floats
    mean: Floats
    mean_reference: Floats
    enough: NDArray[np.bool_]
    """Whether there are cells enough on both sides, and with strata any stratum with cells of both."""


def rank_groups(
    columns: Callable[[slice], NDArray[np.float32]],
    n_regulators: int,
    codes: NDArray[np.intp],
    n_groups: int,
    method: Method,
    *,
    rest: bool,
    n_threads: int,
    strata: NDArray[np.intp] | None = None,
    on_done: Callable[[int], object] | None = None,
) -> Ranking:
    """Test every regulator in every group.

    ``columns`` gives the activities of some regulators, cells x regulators, NaN where a cell has none. ``codes`` are
    the groups of the cells, ``n_groups`` for cells that are only compared with, negative for those that do not count.
    With ``rest`` a group is compared with all other cells that count, else only with those of the last code. With
    ``strata``, of which no cell that counts has a negative one, cells are ranked within these.
    ``on_done`` is called with every number of regulators that was tested, from several threads.
    """
    counting = np.flatnonzero(codes >= 0)
    rows = counting[np.argsort(codes[counting], kind="stable")]
    codes, test = codes[rows], TESTS[method]
    found = np.full((5, n_groups, n_regulators), np.nan)
    enough = np.zeros((n_groups, n_regulators), np.bool_)

    def rank(block: slice) -> None:
        by_regulator = np.ascontiguousarray(columns(block).T)
        with np.errstate(divide="ignore", invalid="ignore"):  # groups without cells, or whose cells are all alike
            for regulator, activity in zip(range(block.start, block.stop), by_regulator, strict=True):
                x = activity[rows].astype(np.float64)
                known = ~np.isnan(x)
                if method == "kruskal":
                    known &= (np.bincount(codes[known], minlength=n_groups) >= LEAST_CELLS)[codes]
                cells = Cells(x[known], codes[known], n_groups, rest=rest)
                if strata is None:
                    tested = test(cells)
                else:
                    tested = van_elteren(cells.x, cells.codes, strata[rows[known]], n_groups, rest=rest)
                found[:3, :, regulator] = np.where(cells.vary, tested, np.nan)
                found[3:, :, regulator] = cells.mean, cells.mean_reference
                enough[:, regulator] = cells.enough if strata is None else cells.enough & ~np.isnan(tested[1])

    run(rank, n_regulators, block_size(len(rows) * STEPS_PER_CELL), n_threads, on_done)
    score, effect, log_p, mean, mean_reference = found
    return Ranking(score, effect, log_p, mean, mean_reference, enough)


class Cells:
    """Activities of one regulator in cells sorted by group; number, mean and squared deviations of both sides."""

    def __init__(self, x: Floats, codes: NDArray[np.intp], n_groups: int, *, rest: bool) -> None:
        self.x, self.codes, self.n_groups, self.rest = x, codes, n_groups, rest
        others = np.ones((n_groups, n_groups + 1)) - np.eye(n_groups, n_groups + 1)
        if not rest:
            others[:, :-1] = 0
        n, sums = self.per_group(None), self.per_group(x)
        means = np.divide(sums, n, out=np.zeros_like(sums), where=n > 0)
        deviances = self.per_group((x - means[codes]) ** 2)
        self.n, self.n_reference = n[:-1], others @ n
        self.mean, self.mean_reference = sums[:-1] / self.n, others @ sums / self.n_reference
        from_mean = np.nan_to_num(means - self.mean_reference[:, None])
        self.deviance, self.deviance_reference = deviances[:-1], others @ deviances + (others * from_mean**2) @ n
        self.n_both, self.shift = self.n + self.n_reference, self.mean - self.mean_reference
        self.share = self.n * self.n_reference / self.n_both
        self.within = self.deviance + self.deviance_reference
        self.enough = (self.n >= LEAST_CELLS) & (self.n_reference >= LEAST_CELLS)
        self.vary = self.enough & (self.within + self.share * self.shift**2 > 0)

    def per_group(self, weights: Floats | None) -> Floats:
        """Sums over the cells of each group, and of those that are only compared with."""
        return np.bincount(self.codes, weights, self.n_groups + 1).astype(np.float64)

    def small(self, groups: slice) -> list[int]:
        """Of these groups, those that can be labelled in so few ways that all are counted."""
        sizes = zip(self.n.astype(int).tolist(), self.n_reference.astype(int).tolist(), strict=True)
        few = [enough and are_few(*of_both) for of_both, enough in zip(sizes, self.enough, strict=True)]
        return [group for group in range(self.n_groups)[groups] if few[group]]

    def ascending(self) -> Iterator[tuple[slice, NDArray[np.uint64], NDArray[np.intp]]]:
        """Groups that share a reference, and the keys and codes of all cells compared, by rising activity.

        Codes are sorted with the keys, in their free bits.
        """
        keys = ordered_keys(self.x) | self.codes.astype(np.uint64)
        if self.rest:
            yield slice(self.n_groups), *_sorted(keys)
            return
        *groups, reference = np.split(keys, np.searchsorted(self.codes, np.arange(1, self.n_groups + 1)))
        for group, own in enumerate(groups):
            yield slice(group, group + 1), *_sorted(np.concatenate([own, reference]))


def _sorted(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    keys = np.sort(keys)
    return keys & VALUE, (keys & ITEM).astype(np.intp)


def _ranks(keys: NDArray[np.uint64]) -> tuple[Floats, float]:
    """Average ranks of ascending keys, and the sum of t^3 - t over ties of t."""
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    sizes = np.diff(starts, append=len(keys)).astype(np.float64)
    return np.repeat(starts + (sizes + 1) / 2, sizes.astype(np.intp)), float((sizes * (sizes * sizes - 1)).sum())


def wilcoxon(cells: Cells) -> tuple[Floats, Floats, Floats]:
    """Rank sum as a normal score with tie correction; area under the ROC curve."""
    rank_sum, ties = np.empty((2, cells.n_groups))
    exact = np.full(cells.n_groups, np.nan)
    for groups, keys, codes in cells.ascending():
        ranks, ties[groups] = _ranks(keys) if len(keys) else (np.empty(0), 0.0)
        rank_sum[groups] = np.bincount(codes, ranks, cells.n_groups + 1)[groups]
        for group in cells.small(groups):
            exact[group] = log_p_of_sum(ranks, codes == group)
    n, n_both, pairs = cells.n, cells.n_both, cells.n * cells.n_reference
    larger = rank_sum - n * (n + 1) / 2
    sd = np.sqrt(pairs / 12 * (n_both + 1 - ties / (n_both * (n_both - 1))))
    z = (larger - pairs / 2) / sd
    return z, larger / pairs, np.where(np.isnan(exact), log_pvalues(z), exact)


def t_test(cells: Cells) -> tuple[Floats, Floats, Floats]:
    """Welch's t; Cohen's d."""
    within = np.where(cells.within > 0, cells.within, np.nan)
    freedom, freedom_reference = cells.n - 1, cells.n_reference - 1
    square = cells.deviance / freedom / cells.n
    square_reference = cells.deviance_reference / freedom_reference / cells.n_reference
    both = square + square_reference
    t, d = cells.shift / np.sqrt(both), cells.shift / np.sqrt(within / (cells.n_both - 2))
    log_p = log_p_of_t(t, both**2 / (square**2 / freedom + square_reference**2 / freedom_reference))
    return np.where(cells.within > 0, t, np.nan), d, log_p


def stouffer(cells: Cells) -> tuple[Floats, Floats, Floats]:
    """Sum of the activities against all permutations of the labels; integrated activity."""
    variance = (cells.within + cells.share * cells.shift**2) / cells.n_both
    score = cells.share * cells.shift / np.sqrt(cells.share * cells.n_both / (cells.n_both - 1) * variance)
    log_p = log_pvalues(score)
    for group in cells.small(slice(cells.n_groups)):
        compared = slice(None) if cells.rest else np.isin(cells.codes, (group, cells.n_groups))
        log_p[group] = log_p_of_sum(cells.x[compared], cells.codes[compared] == group)
    return score, cells.mean * np.sqrt(cells.n), log_p


def kappa(cells: Cells) -> tuple[Floats, Floats, Floats]:
    """Cohen's kappa of being in the group and being among as many cells of highest activity."""
    shared, log_p = np.zeros((2, cells.n_groups))
    expected = cells.n**2 / cells.n_both
    for groups, keys, codes in cells.ascending():
        for group in range(cells.n_groups)[groups]:
            if not cells.enough[group]:
                continue
            shared[group] = k = _shared(keys, codes == group, int(cells.n[group]))
            towards = np.floor if k > expected[group] else np.ceil
            log_p[group] = log_p_of_overlap(int(towards(k)), int(cells.n[group]), len(keys))
    score = np.sign(shared - expected) * -ndtri_exp(log_p - np.log(2))
    return score, (shared - expected) / cells.share, log_p


def _shared(keys: NDArray[np.uint64], members: NDArray[np.bool_], n: int) -> float:
    """Members among the ``n`` highest; each of the cells tied for the last places counts as the share of them left."""
    boundary = keys[len(keys) - n]
    low, high = np.searchsorted(keys, boundary), np.searchsorted(keys, boundary, side="right")
    left = n - (len(keys) - high)
    return float(members[high:].sum() + left * members[low:high].sum() / (high - low))


def kruskal(cells: Cells) -> tuple[Floats, Floats, Floats]:
    """H of all groups together, with tie correction, and the share of the variance of the ranks between groups."""
    tested = np.full((3, cells.n_groups), np.nan)
    n_cells, held = len(cells.x), cells.n > 0
    if held.sum() > 1 and cells.vary.any():
        ((_, keys, codes),) = cells.ascending()
        ranks, ties = _ranks(keys)
        mean_rank = np.bincount(codes, ranks, cells.n_groups + 1)[:-1] / cells.n
        between = float((cells.n * (mean_rank - (n_cells + 1) / 2) ** 2)[held].sum())
        h = between / (n_cells * (n_cells + 1) / 12 * (1 - ties / (n_cells**3 - n_cells)))
        tested[:, np.nanargmax(mean_rank)] = h, h / (n_cells - 1), log_p_of_chi2(h, int(held.sum()) - 1)
    return tested[0], tested[1], tested[2]


TESTS: dict[Method, Callable[[Cells], tuple[Floats, Floats, Floats]]] = {
    "wilcoxon": wilcoxon,
    "t-test": t_test,
    "stouffer": stouffer,
    "kappa": kappa,
    "kruskal": kruskal,
}
EXACT = ("wilcoxon", "stouffer")
"""Tests whose p are exact in small groups."""
