"""Naive, readable VIPER: signatures by definition, aREA cell by cell; slow on purpose, sharing no code."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

# --- statistics of one gene, to the last bit the same in any order of the cells ---------------------------------------


def mean(values: np.ndarray) -> float:
    return math.fsum(values) / len(values)


def sd(values: np.ndarray) -> float:
    """With n - 1 degrees of freedom; exactly 0 for a constant gene."""
    if np.ptp(values) == 0:
        return 0.0
    centre = mean(values)
    return math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (len(values) - 1))


def mad(values: np.ndarray) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


# --- signatures: cells x genes, a gene without one is NaN -------------------------------------------------------------


def signature(X: np.ndarray, name: str, reference: np.ndarray | None = None) -> np.ndarray:
    """Signature of every cell against the reference cells (a mask), by default all."""
    X = np.asarray(X, np.float64)
    if name == "doublerank":
        return doublerank(X, np.ones(len(X), bool) if reference is None else reference)
    columns = [gene_signature(x, x if reference is None else x[reference], name, own=reference is None) for x in X.T]
    return np.stack(columns, axis=1)


def gene_signature(x: np.ndarray, ref: np.ndarray, name: str, *, own: bool) -> np.ndarray:
    missing = np.full(len(x), np.nan)
    if name == "none":
        return x
    if name == "mean":
        return x - mean(ref)
    if name == "rank":
        return np.array([(ref < v).sum() + ((ref == v).sum() + 1) / 2 for v in x])
    if name == "mad":
        return (x - np.median(ref)) / mad(ref) if mad(ref) > 0 else missing
    if sd(ref) == 0:
        return missing
    if name == "scale":
        return (x - mean(ref)) / sd(ref)
    if not own:
        return (x - mean(ref)) / (sd(ref) / math.sqrt(len(ref)))
    return np.array([against_others(x[cell], np.delete(x, cell)) for cell in range(len(x))])


def against_others(value: float, others: np.ndarray) -> float:
    difference = value - mean(others)
    if sd(others) == 0:
        return math.copysign(math.inf, difference)
    return difference / (sd(others) / math.sqrt(len(others)))


def doublerank(X: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Rank of the gene within the cell, as a robust z-score over cells; genes without spread are ranked in none."""
    kept = np.arange(X.shape[1])
    while True:
        ranks = np.array([rankdata(x) for x in X[:, kept]])
        spread = np.array([mad(r) for r in ranks[reference].T])
        if (spread > 0).all():
            break
        kept = kept[spread > 0]
    S = np.full(X.shape, np.nan)
    S[:, kept] = (ranks - np.median(ranks[reference], axis=0)) / spread
    return S


# --- aREA -------------------------------------------------------------------------------------------------------------


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; neighbours that differ by rounding only (1e-11 of themselves) are tied."""
    order = np.argsort(values)
    low, high = values[order][:-1], values[order][1:]
    with np.errstate(invalid="ignore"):
        apart = high - low > 1e-11 * np.minimum(np.abs(low), np.abs(high))
    ranks = np.empty(len(values))
    ranks[order] = rankdata(np.concatenate([[0], np.cumsum(apart)]))
    return ranks


def farthest(S: np.ndarray) -> float:
    """Largest distance of a quantile from the middle, as a share of the greatest distance, over all cells."""
    return max(np.abs(2 * average_ranks(s[~np.isnan(s)]) / ((~np.isnan(s)).sum() + 1) - 1).max() for s in S)


def tails(s: np.ndarray, least_far: float) -> tuple[np.ndarray, np.ndarray]:
    """Two-tail and one-tail normal quantiles of the genes of a cell; missing genes are in no rank."""
    present = ~np.isnan(s)
    quantile = np.full(len(s), np.nan)
    quantile[present] = average_ranks(s[present]) / (present.sum() + 1)
    distance = 2 * np.abs(quantile - 0.5)
    return norm.ppf(quantile), norm.ppf(distance + (1 - max(np.nanmax(distance), least_far)) / 2)


def nes(two_tail: np.ndarray, one_tail: np.ndarray, regulon: pd.DataFrame, *, normalised: bool = True) -> float:
    """NES (or ES) of one regulon in one cell; missing genes are in no sum."""
    regulon = regulon[~np.isnan(two_tail[regulon["gene"]])]
    if regulon.empty:
        return np.nan
    m, likelihood, gene = (regulon[name].to_numpy() for name in ("weight", "likelihood", "gene"))
    share = likelihood / likelihood.sum()
    shift = (share * m * two_tail[gene]).sum()
    spread = (share * (1 - np.abs(m)) * one_tail[gene]).sum()
    score = (abs(shift) + max(spread, 0.0)) * (1 if shift >= 0 else -1)
    return score * math.sqrt(effective_size(likelihood)) if normalised else score


def effective_size(likelihood: np.ndarray) -> float:
    return ((likelihood / likelihood.max()) ** 2).sum()


def area(S: np.ndarray, regulons: list[pd.DataFrame], least_far: float = 0.0, *, normalised: bool = True) -> np.ndarray:
    """NES (or ES) of cells x regulons; a regulon has the columns gene (a column of S), weight and likelihood."""
    cells = [tails(s, least_far) for s in S]
    return np.array([[nes(*cell, regulon, normalised=normalised) for regulon in regulons] for cell in cells])


def viper(
    X: np.ndarray,
    genes: list[str],
    network: pd.DataFrame,
    name: str,
    *,
    filter_genes: bool = True,
    min_targets: int = 1,
    adaptive_size: bool = False,
    gene_weights: dict[str, float] | None = None,
    normalised: bool = True,
    reference: np.ndarray | None = None,
) -> pd.DataFrame:
    """Cells x regulators, regulators in alphabetical order."""
    genes = np.asarray(genes, dtype=object)
    edges = network if "likelihood" in network else network.assign(likelihood=1.0)
    edges = edges[edges["target"].isin(genes)]
    weight = [(gene_weights or {}).get(target, 1.0) for target in edges["target"]]
    edges = edges.assign(likelihood=edges["likelihood"] * weight)
    if filter_genes:
        kept = np.isin(genes, [*network["source"], *network["target"]])
        X, genes = X[:, kept], genes[kept]
    S = signature(X, name, reference)
    place = {gene: i for i, gene in enumerate(genes)}
    edges = edges.assign(gene=[place[target] for target in edges["target"]])
    edges = edges[~np.isnan(S).all(axis=0)[edges["gene"]]]  # targets that are ranked in no cell do not count
    likelihoods = edges.groupby("source", observed=True)["likelihood"]
    size = likelihoods.agg(lambda own: effective_size(own.to_numpy()) if adaptive_size else len(own))
    regulators = sorted(size.index[size >= min_targets])
    least_far = farthest(S if reference is None else S[reference]) if name == "rank" else 0.0
    own = [edges[edges["source"] == regulator] for regulator in regulators]
    return pd.DataFrame(area(S, own, least_far, normalised=normalised), columns=regulators)


# --- resampled references ---------------------------------------------------------------------------------------------


def resampled(X: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of every gene if each cell is there as often as it counts; the sd of a constant gene is NaN."""
    copies = np.repeat(X, counts.astype(int), axis=0)
    spread = np.array([sd(x) for x in copies.T])
    return np.array([mean(x) for x in copies.T]), np.where(spread > 0, spread, np.nan)


def bootstrapped(X: np.ndarray, moments: list[tuple], regulons: list[pd.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of the NES over z-scores by several means and sds."""
    scores = [area((X - centre) / spread, regulons) for centre, spread in moments]
    return np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1)


def null_signatures(X: np.ndarray, cells: np.ndarray, counts: np.ndarray, *, scaled: bool) -> np.ndarray:
    """One cell each against others, each as often as it counts: z-scores, or differences from the mean."""
    found = []
    for cell, of_others in zip(cells, counts, strict=True):
        centre, spread = resampled(X, of_others)
        found.append((X[cell] - centre) / spread if scaled else X[cell] - centre)
    return np.array(found)


# --- data to try them on ----------------------------------------------------------------------------------------------


def cells(kind: str, n_cells: int = 40, n_genes: int = 60, seed: int = 0) -> np.ndarray:
    """``"smooth"`` values without ties, sparse ``"counts"``, or their ``"log"``; eight genes are in one cell."""
    rng = np.random.default_rng(seed)
    if kind == "smooth":
        return rng.normal(size=(n_cells, n_genes))
    counts = rng.poisson(np.exp(rng.normal(-1, 1.3, n_genes)) * rng.uniform(0.5, 2, (n_cells, 1)))
    counts[:, :8] = 0
    counts[rng.integers(n_cells, size=8), np.arange(8)] = rng.integers(1, 9, 8)
    if kind == "counts":
        return counts.astype(np.float64)
    return np.log1p(1e4 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def gene_names(n_genes: int) -> list[str]:
    return [f"g{i}" for i in range(n_genes)]


def network(genes: list[str], n_regulators: int = 8, seed: int = 0, *, signed: bool = False) -> pd.DataFrame:
    """Regulons of 4 to 14 targets with random modes and likelihoods; ``signed``: modes of 1 or -1, likelihood 1."""
    rng = np.random.default_rng(seed)
    regulons = []
    for i in range(n_regulators):
        size = int(rng.integers(4, 15))
        regulon = {
            "source": f"R{i}",
            "target": rng.choice(genes, size, replace=False),
            "weight": rng.choice([-1.0, 1.0], size) if signed else rng.uniform(-1, 1, size),
            "likelihood": 1.0 if signed else rng.uniform(0.05, 1, size),
        }
        regulons.append(pd.DataFrame(regulon))
    return pd.concat(regulons, ignore_index=True)
