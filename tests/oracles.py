"""Naive, readable versions of every formula; slow on purpose, sharing no code with the package."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np
from scipy.special import xlog1py
from scipy.stats import binom, kstat, norm, poisson, rankdata, skew

# --- mutual information -----------------------------------------------------------------------------------------------


@dataclass
class Node:
    """A node of one gene's partition tree: its cells, its width, and the interval that it stands for."""

    cells: np.ndarray  # bool, one per cell
    width: float
    share: float  # of the parent, as the test expects it
    low: float
    high: float


class Tree:
    """The partition of one gene, by definition rather than by code."""

    def __init__(self, values: np.ndarray, convention: str) -> None:
        self.n = len(values)
        self.values = values
        self.rank = rankdata(values, method="max").astype(int)  # cells at or below the value
        if len(np.unique(values)) < self.n:
            self.kind = "tied"
            low, high = 0, self.n
        else:
            self.kind = convention
            low, high = (0.0, 1.0) if convention == "aracne3" else (0, self.n)
        self.root = Node(np.ones(self.n, bool), 1.0, 1.0, low, high)

    def split(self, node: Node) -> list[Node]:
        """Two children, or the node itself where it cannot be split."""
        if self.kind == "aracne3":
            middle = (node.low + node.high) / 2
            low = node.cells & (self.rank / (self.n + 1) < middle)
            return self._two(node, low, middle, node.width / 2, node.width / 2)
        if self.kind == "aracne-ap":
            middle = -(-(node.low + node.high) // 2)  # the program ranks from the largest value down
            low = node.cells & (self.rank <= middle)
            return self._two(node, low, middle, (middle - node.low) / self.n, (node.high - middle) / self.n)
        boundaries = sorted(set(self.rank[node.cells].tolist()))[:-1]
        if not boundaries:
            return [node]
        median = (node.low + node.high) / 2
        boundary = min(boundaries, key=lambda b: (abs(b - median), b))
        low = node.cells & (self.rank <= boundary)
        return self._two(node, low, boundary, (boundary - node.low) / self.n, (node.high - boundary) / self.n)

    def _two(self, node: Node, low: np.ndarray, at: float, wide_low: float, wide_high: float) -> list[Node]:
        share = wide_low / node.width if self.kind == "tied" else 0.5
        high = node.cells & ~low
        return [Node(low, wide_low, share, node.low, at), Node(high, wide_high, 1 - share, at, node.high)]


def apmi(x: np.ndarray, y: np.ndarray, convention: str = "aracne3") -> float:
    """Adaptive-partitioning mutual information in nats; equal values stay together."""
    smallest = {"aracne3": 4, "aracne-ap": 3}[convention]
    x_tree, y_tree = Tree(np.asarray(x), convention), Tree(np.asarray(y), convention)
    n = len(x)

    def information(x_node: Node, y_node: Node, *, root: bool) -> float:
        k = int((x_node.cells & y_node.cells).sum())
        if k == 0:
            return 0.0
        if root or k >= smallest:
            x_parts, y_parts = x_tree.split(x_node), y_tree.split(y_node)
            parts = [(a, b) for a in x_parts for b in y_parts]
            counts = np.array([(a.cells & b.cells).sum() for a, b in parts])
            x_share, y_share = ([p.share for p in ps] if len(ps) > 1 else [1.0] for ps in (x_parts, y_parts))
            expected = np.array([k * a * b for a in x_share for b in y_share])
            critical = {4: 7.815, 2: 3.841, 1: np.inf}[len(parts)]
            if len(parts) > 1 and (root or (((counts - expected) ** 2 / expected).sum() > critical)):
                return sum(information(a, b, root=False) for a, b in parts)
        return k / n * np.log(k / n / (x_node.width * y_node.width))

    return information(x_tree.root, y_tree.root, root=True)


def normal_score_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson correlation of the normal quantiles of average ranks."""
    x_score, y_score = (norm.ppf(rankdata(values) / (len(values) + 1)) for values in (x, y))
    return float(np.corrcoef(x_score, y_score)[0, 1])


def gcmi(x: np.ndarray, y: np.ndarray) -> float:
    """Mutual information of a Gaussian copula in nats, with the sign of the correlation."""
    rho = normal_score_correlation(x, y)
    return float(np.sign(rho) * -np.log1p(-(rho**2)) / 2)


def within(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Values less the mean of their stratum, exactly zero where all of a stratum are equal."""
    centred = np.zeros(len(values))
    for label in set(labels.tolist()):
        inside = values[labels == label]
        centred[labels == label] = 0.0 if (inside == inside[0]).all() else inside - inside.mean()
    return centred


def correlation_within(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> float:
    """Pearson correlation of deviations from the means of strata; NaN where one is constant in every stratum."""
    x, y = within(x, labels), within(y, labels)
    if not x.any() or not y.any():
        return np.nan
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def normal_score_correlation_within(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> float:
    """Correlation within strata of the normal quantiles of average ranks over all cells."""
    return correlation_within(*(norm.ppf(rankdata(values) / (len(values) + 1)) for values in (x, y)), labels)


def gcmi_within(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> float:
    """Mutual information of a Gaussian copula within strata in nats, with the sign of the correlation."""
    rho = normal_score_correlation_within(x, y, labels)
    return float(np.sign(rho) * -np.log1p(-(rho**2)) / 2)


def spearman_within(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> float:
    """Correlation within strata of average ranks over all cells."""
    return correlation_within(rankdata(x), rankdata(y), labels)


# --- p-values ---------------------------------------------------------------------------------------------------------


def null_log_pvalues(sample: np.ndarray, mi: np.ndarray, steepest: float = np.inf) -> np.ndarray:
    """ln p by counting; beyond 1e-3 by the line of ln p on the largest values of the sample, at most 1e-3.

    The largest 1 % of up to 30 000 values, 300 of up to 100 000, and 0.3 % of more. On the line the k-th largest of N
    independent values has its expected p-value, k / (N + 1). A line that falls by more than ``steepest`` is turned
    about its centre. A line that gives the tenth largest value (the last of those taken if there are not ten) less than
    half its expected p-value is raised to that half.
    """
    sample = np.sort(sample)
    n = len(sample)
    n_top = n * 0.01 if n <= 30_000 else 300 if n <= 100_000 else n * 0.003
    top = sample[n - max(int(n_top), 2) :]
    log_p = np.log(np.arange(len(top), 0, -1) / (n + 1))
    slope = max(np.polyfit(top - top[0], log_p, 1)[0], -steepest)
    k = min(10, len(top))
    short = np.log(k / (n + 1) / 2) - (log_p.mean() + slope * (sample[n - k] - top.mean()))
    line = np.minimum(log_p.mean() + slope * (mi - top.mean()) + max(short, 0.0), np.log(1e-3))
    counted = np.log((1 + n - np.searchsorted(sample, mi, side="left")) / (n + 1))
    return np.where(counted < np.log(1e-3), line, counted)


def permutation_skewness(x: np.ndarray, y: np.ndarray) -> float:
    """Skewness over all permutations of sum(x y) / |x| / |y| for centred ``x`` and ``y``."""
    n = len(x)
    return float(skew(x, bias=False) * skew(y, bias=False)) * (n - 2) / (n * np.sqrt(n - 1))


def permutation_kurtosis(x: np.ndarray, y: np.ndarray) -> float:
    """Excess kurtosis over all permutations of sum(x y) / |x| / |y| for centred ``x`` and ``y``."""
    n = len(x)
    ratio = kstat(x, 4) / kstat(x, 2) ** 2 * kstat(y, 4) / kstat(y, 2) ** 2
    return float(ratio) * (n - 2) * (n - 3) / (n * (n - 1) * (n + 1)) - 6 / (n + 1)


def permuted_products(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Sum of products of ``x`` and ``y`` for each permutation of the cells within strata."""
    cells = [np.flatnonzero(labels == label) for label in sorted(set(labels.tolist()))]
    sums = []
    for orders in product(*(list(permutations(inside)) for inside in cells)):
        permuted = x.copy()
        for inside, order in zip(cells, orders, strict=True):
            permuted[inside] = x[list(order)]
        sums.append(permuted @ y)
    return np.array(sums)


def cumulants(values: np.ndarray) -> tuple[float, float, float]:
    """Variance, third and fourth cumulant of equally likely values."""
    deviations = values - values.mean()
    variance, third, fourth = (float((deviations**power).mean()) for power in (2, 3, 4))
    return variance, third, fourth - 3 * variance**2


def cumulants_within(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Cumulants of the sum of products over all permutations within strata: sums over the strata.

    Of a stratum of up to four cells by going through all permutations, of others by the formulas of one stratum.
    """
    found = np.zeros(3)
    for label in set(labels.tolist()):
        of_x, of_y = (within(values[labels == label], labels[labels == label]) for values in (x, y))
        if len(of_x) <= 4:
            found += cumulants(permuted_products(of_x, of_y, np.zeros(len(of_x))))
        elif of_x.any() and of_y.any():
            variance = (of_x @ of_x) * (of_y @ of_y) / (len(of_x) - 1)
            skewness, kurtosis = permutation_skewness(of_x, of_y), permutation_kurtosis(of_x, of_y)
            found += variance, variance**1.5 * skewness, variance**2 * kurtosis
    return tuple(found.tolist())


def without_trend(values: np.ndarray, labels: np.ndarray, trend: np.ndarray | None) -> np.ndarray:
    """Residuals of a regression on strata and the deviations of a trend from the means of strata."""
    centred = within(values, labels)
    if trend is None:
        return centred
    slope = within(trend, labels)
    return centred - slope * (slope @ centred) / (slope @ slope)


def stratified_log_pvalue(x: np.ndarray, y: np.ndarray, labels: np.ndarray, trend: np.ndarray | None = None) -> float:
    """ln p of the sum of products over permutations within strata, by its cumulants.

    With a trend, that of residuals; their cumulants are those of the genes less the share of the squares that is gone.
    """
    x_left, y_left = without_trend(x, labels, trend), without_trend(y, labels, trend)
    x_within, y_within = within(x, labels), within(y, labels)
    share = (x_left @ x_left) / (x_within @ x_within) * (y_left @ y_left) / (y_within @ y_within)
    variance, third, fourth = (
        share**power * cumulant for power, cumulant in zip((1, 1.5, 2), cumulants_within(x, y, labels), strict=True)
    )
    t = x_left @ y_left / np.sqrt(variance)
    return permutation_log_pvalue(float(t), 2, third / variance**1.5, fourth / variance**2)  # T is rho of two cells


def permutation_log_pvalue(rho: float, n: int, g: float, k: float) -> float:
    """ln p of a correlation whose skewness and excess kurtosis over all permutations are ``g`` and ``k``.

    The tail of T = rho sqrt(n - 1) is that of a normal beyond sqrt(2 d): d of a Poisson with skewness ``g``, which ends
    at T = -1 / g, and a term for the kurtosis that changes it by a fifth at most. p is doubled unless T is on the long
    side and farther out than the short side reaches, where d is 1 / g^2.
    """
    t = rho * np.sqrt(n - 1)
    u = max(g * t, -1.0)
    d = (xlog1py(1 + u, u) - u) / g**2 if abs(u) > 1e-5 else t**2 / 2 * (1 - u / 3)
    d += np.clip((g**2 - k) * t**4 / (24 * (1 + abs(u))), -d / 5, d / 5)
    sides = 2 if u < 0 or d * g**2 <= 1 else 1
    return min(float(norm.logsf(np.sqrt(2 * d))) + np.log(sides), 0.0)


# --- consensus --------------------------------------------------------------------------------------------------------


def binomial_log_pvalue(support: int, false_shares: list[float]) -> float:
    """ln of the probability that at least ``support`` subnetworks hold a pair that each holds with the mean share."""
    share = sum(false_shares) / len(false_shares)
    return float(np.log(binom.sf(support - 1, len(false_shares), share)))


def poisson_log_pvalues(support: np.ndarray) -> np.ndarray:
    """ln of the probability of at least the support, its mean over regulators and targets that have edges."""
    log_p = np.full(support.shape, np.nan)
    regulators = [i for i in range(support.shape[0]) if support[i].any()]
    targets = [j for j in range(support.shape[1]) if support[:, j].any()]
    if regulators:
        rate = support.sum() / (len(regulators) * len(targets))
        for i in regulators:
            for j in targets:
                log_p[i, j] = np.log(poisson.sf(support[i, j] - 1, rate))
    return log_p


# --- data processing inequality ---------------------------------------------------------------------------------------


def dpi(
    edges: np.ndarray, mi: np.ndarray, regulators: np.ndarray, *, all_sides: bool, tolerance: float = 0.0
) -> np.ndarray:
    """Edges that survive: of every triangle of two regulators and a common target, the weakest side goes.

    ``mi`` (regulators x genes) is symmetric where both genes are regulators.
    """
    kept = edges.copy()
    for a, b in combinations(range(len(regulators)), 2):
        sides = [(a, regulators[b]), (b, regulators[a])]
        sides = [side for side in sides if edges[side]]
        if not sides:
            continue
        for target in np.flatnonzero(edges[a] & edges[b]):
            strengths = {"a": mi[a, target], "b": mi[b, target], "between": mi[sides[0]]}
            gone = [
                side
                for side, strength in strengths.items()
                if all(strength < (1 - tolerance) * other for name, other in strengths.items() if name != side)
            ]
            if all_sides and tolerance == 0 and not gone:
                gone = ["between"]  # a tie for the weakest
            kept[a, target] &= "a" not in gone
            kept[b, target] &= "b" not in gone
            for side in sides:
                kept[side] &= not (all_sides and "between" in gone)
    return kept
