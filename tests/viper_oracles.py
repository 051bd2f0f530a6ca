"""Naive, readable VIPER: signatures by their definitions, aREA cell by cell; slow on purpose, no code of the package."""

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


# --- aREA -------------------------------------------------------------------------------------------------------------


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; values that differ by rounding only (1e-11 of themselves) are tied."""
    values = np.array(values, np.float64)
    order = np.argsort(values)
    for before, this in zip(order[:-1], order[1:], strict=True):
        if np.isfinite(values[this]) and values[this] - values[before] <= 1e-11 * abs(values[this]):
            values[this] = values[before]
    return rankdata(values)


def farthest(S: np.ndarray) -> float:
    """Largest distance of a quantile from the middle, as a share of the greatest distance, over all cells."""
    return max(np.abs(2 * average_ranks(s[~np.isnan(s)]) / ((~np.isnan(s)).sum() + 1) - 1).max() for s in S)


def area(S: np.ndarray, regulons: list[pd.DataFrame], least_far: float = 0.0) -> np.ndarray:
    """NES of cells x regulons; a regulon is a table with the columns gene (a column of S), weight and likelihood."""
    return np.array([[nes(s, regulon, least_far) for regulon in regulons] for s in S])


def nes(s: np.ndarray, regulon: pd.DataFrame, least_far: float) -> float:
    """NES of one regulon in one cell; missing genes are in no rank and in no sum."""
    present = ~np.isnan(s)
    quantile = np.full(len(s), np.nan)
    quantile[present] = average_ranks(s[present]) / (present.sum() + 1)
    distance = 2 * np.abs(quantile - 0.5)
    one_tail = norm.ppf(distance + (1 - max(np.nanmax(distance), least_far)) / 2)
    two_tail = norm.ppf(quantile)

    regulon = regulon[present[regulon["gene"]]]
    if regulon.empty:
        return np.nan
    m, likelihood, gene = (regulon[name].to_numpy() for name in ("weight", "likelihood", "gene"))
    share = likelihood / likelihood.sum()
    shift = (share * m * two_tail[gene]).sum()
    spread = (share * (1 - np.abs(m)) * one_tail[gene]).sum()
    score = (abs(shift) + max(spread, 0.0)) * (1 if shift >= 0 else -1)
    return score * math.sqrt(((likelihood / likelihood.max()) ** 2).sum())


def viper(
    X: np.ndarray,
    genes: list[str],
    network: pd.DataFrame,
    name: str,
    *,
    filter_genes: bool = True,
    min_targets: int = 1,
    reference: np.ndarray | None = None,
) -> pd.DataFrame:
    """Cells x regulators, regulators in alphabetical order."""
    genes = np.asarray(genes, dtype=object)
    edges = network if "likelihood" in network else network.assign(likelihood=1.0)
    edges = edges[edges["target"].isin(genes)]
    size = edges.groupby("source", observed=True).size()
    regulators = sorted(size.index[size >= min_targets])
    if filter_genes:
        kept = np.isin(genes, [*network["source"], *network["target"]])
        X, genes = X[:, kept], genes[kept]
    S = signature(X, name, reference)
    place = {gene: i for i, gene in enumerate(genes)}
    edges = edges.assign(gene=[place[target] for target in edges["target"]])
    least_far = farthest(S if reference is None else S[reference]) if name == "rank" else 0.0
    scores = area(S, [edges[edges["source"] == regulator] for regulator in regulators], least_far)
    return pd.DataFrame(scores, columns=regulators)
