"""ARACNe as the papers describe it, twice: with lists and math, and vectorised with numpy.

What benchmark_aracne.py compares pysces with; no code is shared with pysces. Genes hold counts, with equal values that
are never split; mutual information is in nats. ``"apmi"`` is the adaptive partitioning of ARACNe3 (Griffin et al. 2023,
doi:10.3390/e25030542), ``"gcmi"`` that of a Gaussian copula; pruning is by the data processing inequality (Margolin et
al. 2006, doi:10.1186/1471-2105-7-S1-S7).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import fsum, log, log1p, sqrt, sumprod
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

SMALLEST = 4
"""Points that a part must hold to be tested."""
CRITICAL = (float("inf"), 3.841, 7.815)
"""0.95 quantiles of chi-square where no, one or both axes can be split."""
GENES_PER_BLOCK = 256


# --- lists and math ---------------------------------------------------------------------------------------------------


class Gene(NamedTuple):
    """Cells with less, for every cell, and where intervals of these numbers are split."""

    below: list[int]
    splits: dict[tuple[int, int], int]


def rank_gene(values: list[float]) -> Gene:
    """Ranks, and the tree of intervals: each is cut where a run of equal values ends nearest to its middle."""
    ascending = sorted(values)
    ends = [i for i in range(1, len(values)) if ascending[i] > ascending[i - 1]]
    starts = dict(zip([ascending[0], *(ascending[i] for i in ends)], [0, *ends], strict=True))
    splits, waiting = {}, [(0, len(values))]
    while waiting:
        low, high = waiting.pop()
        first, last = bisect_right(ends, low), bisect_left(ends, high)
        if first < last:
            middle = (low + high) / 2
            i = bisect_left(ends, middle, first, last)
            split = min(ends[max(i - 1, first) : min(i + 1, last)], key=lambda end: abs(end - middle))
            splits[low, high] = split
            waiting += [(low, split), (split, high)]
    return Gene([starts[value] for value in values], splits)


def partition_information(x: Gene, y: Gene) -> float:
    """Information of two genes: parts of the plane are quartered as long as their quarters are uneven."""
    n = len(x.below)
    information = 0.0
    waiting = [(list(zip(x.below, y.below, strict=True)), 0, n, 0, n)]
    is_first = True
    while waiting:
        points, x0, x1, y0, y1 = waiting.pop()
        k = len(points)
        can_split = ((x0, x1) in x.splits) + ((y0, y1) in y.splits)
        if can_split and (is_first or k >= SMALLEST):
            xm, ym = x.splits.get((x0, x1), x1), y.splits.get((y0, y1), y1)
            left, right = [p for p in points if p[0] < xm], [p for p in points if p[0] >= xm]
            quarters = [
                ([p for p in left if p[1] < ym], x0, xm, y0, ym),
                ([p for p in left if p[1] >= ym], x0, xm, ym, y1),
                ([p for p in right if p[1] < ym], xm, x1, y0, ym),
                ([p for p in right if p[1] >= ym], xm, x1, ym, y1),
            ]
            chi_square = 0.0
            for inside, a, b, c, d in quarters:
                expected = k * (b - a) / (x1 - x0) * (d - c) / (y1 - y0)
                if expected > 0:
                    chi_square += (len(inside) - expected) ** 2 / expected
            if is_first or chi_square > CRITICAL[can_split]:
                waiting += [quarter for quarter in quarters if quarter[0]]
                is_first = False
                continue
        is_first = False
        information += k / n * log(k * n / ((x1 - x0) * (y1 - y0)))
    return information


def normal_scores(values: list[float]) -> list[float]:
    """Normal quantiles of average ranks, with mean 0 and sum of squares 1."""
    ascending, n = sorted(values), len(values)
    quantile = {
        value: NormalDist().inv_cdf((bisect_left(ascending, value) + bisect_right(ascending, value) + 1) / 2 / (n + 1))
        for value in set(values)
    }
    scores = [quantile[value] for value in values]
    mean = fsum(scores) / n
    centred = [score - mean for score in scores]
    length = sqrt(sumprod(centred, centred))
    return [score / length for score in centred]


def copula_information(x: list[float], y: list[float]) -> float:
    """Information of two genes, given as normal scores."""
    return -log1p(-(sumprod(x, y) ** 2)) / 2


def prune(edges: dict[int, dict[int, float]]) -> set[tuple[int, int]]:
    """Pairs of a regulator and a gene that are left of ``edges[regulator][gene]``: every triangle loses its weakest."""
    removed = set()
    for a, of_a in edges.items():
        for b in of_a.keys() & edges.keys():
            if b < a:
                continue
            between, of_b = of_a[b], edges[b]
            for target in of_a.keys() & of_b.keys():
                to_a, to_b = of_a[target], of_b[target]
                if to_a < to_b and to_a < between:
                    removed.add((a, target))
                elif to_b < to_a and to_b < between:
                    removed.add((b, target))
                else:
                    removed |= {(a, b), (b, a)}
    return {(regulator, gene) for regulator, of in edges.items() for gene in of} - removed


# --- numpy ------------------------------------------------------------------------------------------------------------


class Genes(NamedTuple):
    """Cells with less, genes x cells, and the nodes of all trees: where they split, and the first of two children."""

    below: np.ndarray
    root: np.ndarray
    split: np.ndarray
    child: np.ndarray
    width: np.ndarray


def rank_genes(values: np.ndarray) -> Genes:
    """Ranks and trees of genes x cells."""
    below = rankdata(values, method="min", axis=1).astype(np.int64) - 1
    n_cells = values.shape[1]
    root, split, child, width = [], [], [], []
    for gene in below:
        ends = np.unique(gene)[1:]
        root.append(len(split))
        nodes = [(0, n_cells)]
        for low, high in nodes:  # grows
            inside = ends[np.searchsorted(ends, low, "right") : np.searchsorted(ends, high)]
            width.append((high - low) / n_cells)
            if len(inside):
                split.append(int(inside[np.abs(inside - (low + high) / 2).argmin()]))
                child.append(root[-1] + len(nodes))
                nodes += [(low, split[-1]), (split[-1], high)]
            else:
                split.append(n_cells)
                child.append(-1)
    return Genes(below, *map(np.array, (root, split, child, width)))


def pairwise_partition_information(genes: Genes, regulators: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Information of each regulator with each target."""
    blocks = [targets[i : i + GENES_PER_BLOCK] for i in range(0, len(targets), GENES_PER_BLOCK)]
    return np.array([np.concatenate([one_with_many(genes, x, block) for block in blocks]) for x in regulators])


def one_with_many(genes: Genes, regulator: int, targets: np.ndarray) -> np.ndarray:
    """Information of one regulator with some targets: all parts of a level of all planes at once."""
    n = genes.below.shape[1]
    x, y = genes.below[regulator], genes.below[targets].ravel()
    information = np.zeros(len(targets))
    pair, of_x, of_y = np.arange(len(targets)), np.full(len(targets), genes.root[regulator]), genes.root[targets]
    part, point = np.repeat(pair, n), np.arange(len(targets) * n)
    is_first = True
    while len(pair):
        k = np.bincount(part, minlength=len(pair))
        high_x, high_y = x[point % n] >= genes.split[of_x][part], y[point] >= genes.split[of_y][part]
        quarter = 4 * part + 2 * high_x + high_y
        counts = np.bincount(quarter, minlength=4 * len(pair)).reshape(-1, 4)
        can_x, can_y = genes.child[of_x] >= 0, genes.child[of_y] >= 0
        low_x = np.where(can_x, genes.width[genes.child[of_x]] / genes.width[of_x], 1.0)
        low_y = np.where(can_y, genes.width[genes.child[of_y]] / genes.width[of_y], 1.0)
        shares = np.stack([low_x * low_y, low_x * (1 - low_y), (1 - low_x) * low_y, (1 - low_x) * (1 - low_y)], axis=1)
        expected = k[:, None] * shares
        differences = np.where(shares > 0, (counts - expected) ** 2 / np.where(shares > 0, expected, 1.0), 0.0)
        can_split = can_x.astype(int) + can_y
        if is_first:
            goes_on = can_split > 0
        else:
            goes_on = (k >= SMALLEST) & (differences.sum(axis=1) > np.array(CRITICAL)[can_split])
        done = ~goes_on
        terms = k[done] / n * np.log(k[done] / n / (genes.width[of_x[done]] * genes.width[of_y[done]]))
        information += np.bincount(pair[done], terms, minlength=len(targets))

        kept = (counts > 0) & goes_on[:, None]
        parent, place = np.nonzero(kept)
        number = np.cumsum(kept.ravel()) - 1
        stays = kept.ravel()[quarter]
        part, point = number[quarter[stays]], point[stays]
        of_x = np.where(can_x, genes.child[of_x], of_x)[parent] + np.where(can_x[parent], place >> 1, 0)
        of_y = np.where(can_y, genes.child[of_y], of_y)[parent] + np.where(can_y[parent], place & 1, 0)
        pair = pair[parent]
        is_first = False
    return information


def gene_scores(values: np.ndarray) -> np.ndarray:
    """Normal scores of genes x cells, with mean 0 and sum of squares 1."""
    scores = ndtri(rankdata(values, axis=1) / (values.shape[1] + 1))
    scores -= scores.mean(axis=1, keepdims=True)
    return scores / np.linalg.norm(scores, axis=1, keepdims=True)


def pairwise_copula_information(scores: np.ndarray, regulators: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Information of each regulator with each target; of a gene with itself NaN."""
    rho = scores[regulators] @ scores[targets].T
    rho[regulators[:, None] == targets] = np.nan
    return -np.log1p(-(rho**2)) / 2


def pruned(edges: np.ndarray, mi: np.ndarray, regulators: np.ndarray) -> np.ndarray:
    """Edges (regulators x genes) that are left: every triangle loses its weakest."""
    strength = np.where(edges, mi, -np.inf)
    left = edges.copy()
    for a in range(len(regulators)):
        others = np.flatnonzero(edges[a, regulators])
        others = others[others > a]
        between = strength[a, regulators[others]][:, None]
        shared = edges[a] & edges[others]
        to_a, to_others = strength[a], strength[others]
        loses_a = shared & (to_a < to_others) & (to_a < between)
        loses_other = shared & (to_others < to_a) & (to_others < between)
        left[a] &= ~loses_a.any(axis=0)
        left[others] &= ~loses_other
        indirect = others[(shared & ~loses_a & ~loses_other).any(axis=1)]
        left[a, regulators[indirect]] = False
        left[indirect, regulators[a]] = False
    return left
