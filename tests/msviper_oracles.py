"""Naive, readable msVIPER: gene by gene and regulon by regulon; slow on purpose, sharing no code with the package."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import viper_oracles as viper
from scipy.stats import norm, t

# --- signatures -------------------------------------------------------------------------------------------------------


def student(first: np.ndarray, second: np.ndarray) -> float:
    """t with pooled variance; NaN for a constant gene."""
    low, high = first.min(), first.max()
    other_low, other_high = second.min(), second.max()
    if low == high and other_low == other_high:
        return math.nan if low == other_low else math.copysign(math.inf, low - other_low)
    n, m = len(first), len(second)
    mean, other = first.sum() / n, second.sum() / m
    within = ((first - mean) ** 2).sum() + ((second - other) ** 2).sum()
    return (mean - other) / math.sqrt(within / (n + m - 2) * (1 / n + 1 / m))


def contrast(X: np.ndarray, group: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Normal score of each gene, NaN where it is constant; rows of X are given."""
    scores = np.array([student(x[group], x[reference]) for x in np.asarray(X, np.float64).T])
    return np.sign(scores) * norm.isf(t.sf(np.abs(scores), len(group) + len(reference) - 2))


def shuffled(X: np.ndarray, group: np.ndarray, reference: np.ndarray, n: int, seed: np.random.SeedSequence):
    """Signatures (t) with shuffled labels: draw i orders all cells by child i of the seed."""
    cells = np.concatenate([group, reference])
    for child in seed.spawn(n):
        order = np.random.default_rng(child).permutation(cells)
        yield np.array([student(x[order[: len(group)]], x[order[len(group) :]]) for x in np.asarray(X, np.float64).T])


def resampled(X: np.ndarray, group: np.ndarray, reference: np.ndarray, n: int, seed: np.random.SeedSequence):
    """Signatures (t) of cells drawn again, the group's first; 0 for a gene constant in the draw."""
    for child in seed.spawn(n):
        rng = np.random.default_rng(child)
        a = group[rng.integers(len(group), size=len(group))]
        b = reference[rng.integers(len(reference), size=len(reference))]
        yield np.array([np.nan_to_num(student(x[a], x[b]), posinf=1e9, neginf=-1e9) for x in np.asarray(X, float).T])


# --- against the null -------------------------------------------------------------------------------------------------


def against_null(score: float, null: np.ndarray) -> float:
    n = len(null)
    if n < 500:
        return score / np.std(null, ddof=1)
    sizes = sorted(abs(x) for x in null)
    largest = sizes[-int(0.05 * n) :]
    start = sizes[-int(0.05 * n) - 1]
    if abs(score) > start:
        decay = len(largest) / sum(x - start for x in largest)
        p = (len(largest) + 1) / (n + 1) * math.exp(-decay * (abs(score) - start))
    else:
        p = (1 + sum(x >= abs(score) for x in sizes)) / (n + 1)
    return math.copysign(norm.isf(p / 2), score)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    return np.array([min(len(p) * other / sum(p <= other) for other in p if other >= own) for own in p])


# --- leading edge -----------------------------------------------------------------------------------------------------


def leading_edge(signature: np.ndarray, targets: list[int], modes: list[float]) -> set[int]:
    """Walk down the list: genes rising, but targets with a mode >= 0 where they stand when falling."""
    n = len(signature)
    rising = {gene: place for place, gene in enumerate(sorted(range(n), key=lambda g: (signature[g], g)))}
    falling = {gene: place for place, gene in enumerate(sorted(range(n), key=lambda g: (-signature[g], g)))}
    mode = dict(zip(targets, modes, strict=True))
    total = sum(abs(signature[g]) for g in targets)
    place = {g: (falling if mode.get(g, -1) >= 0 else rising)[g] for g in range(n)}
    walk = sorted(range(n), key=lambda g: (place[g], g not in mode, g))
    height, heights = 0.0, []
    for gene in walk:
        height += abs(signature[gene]) / total if gene in mode else -1 / (n - len(targets))
        heights.append(height)
    top, bottom = max(heights), min(heights)
    part = walk[: heights.index(top) + 1] if top + bottom > 0 else walk[heights.index(bottom) :]
    return {gene for gene in part if gene in mode}


# --- shadows and synergy: removals of targets, all of them -----------------------------------------------------------


def plain_tails(signature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    two_tail = 2 * viper.average_ranks(signature) / (len(signature) + 1) - 1
    return two_tail, np.abs(two_tail)


def removal_score(tails: tuple[np.ndarray, np.ndarray], regulon: pd.DataFrame, removed: set[int]) -> float:
    shift = spread = total = 0.0
    columns = (regulon[name].tolist() for name in ("gene", "weight", "likelihood"))
    for gene, mode, likelihood in zip(*columns, strict=True):
        if gene not in removed:
            shift += mode * likelihood * tails[0][gene]
            spread += (1 - abs(mode)) * likelihood * tails[1][gene]
            total += likelihood
    return (abs(shift) + max(spread, 0)) / total if total else 0.0


def removal_p(tails: tuple[np.ndarray, np.ndarray], regulon: pd.DataFrame, removed: set[int]) -> float:
    """Share of all removals of as many targets that score no higher."""
    observed = removal_score(tails, regulon, removed)
    subsets = list(itertools.combinations(regulon["gene"], len(removed)))
    return sum(removal_score(tails, regulon, set(subset)) <= observed + 1e-9 for subset in subsets) / len(subsets)


def union(regulons: list[pd.DataFrame], nes: list[float]) -> pd.DataFrame:
    """All targets, with means of mode x sign(NES) and likelihood over the regulators that have them."""
    signed = [r.assign(weight=r["weight"] * np.sign(x)) for r, x in zip(regulons, nes, strict=True)]
    return pd.concat(signed).groupby("gene", as_index=False)[["weight", "likelihood"]].mean()


def shared(regulons: list[pd.DataFrame], nes: list[float]) -> pd.DataFrame:
    """Targets of all, with the mean of mode x sign(NES) and the product of likelihoods."""
    signed = [r.assign(weight=r["weight"] * np.sign(x)) for r, x in zip(regulons, nes, strict=True)]
    both = pd.concat(signed).groupby("gene").agg(weight=("weight", "mean"), likelihood=("likelihood", "prod"),
                                                  n=("gene", "size"))  # fmt: skip
    return both[both["n"] == len(regulons)].drop(columns="n").reset_index()


def combine(signature: np.ndarray, regulons: list[pd.DataFrame], least: int) -> dict[tuple[int, ...], float]:
    """NES of every set of regulators that beats its members and a set kept before to which one was added."""

    def score(regulon: pd.DataFrame) -> float:
        return viper.area(signature[None], [regulon])[0, 0]

    nes = [score(regulon) for regulon in regulons]
    kept: dict[tuple[int, ...], float] = {}
    for size in range(2, len(regulons) + 1):
        for members in itertools.combinations(range(len(regulons)), size):
            below = [part for part in itertools.combinations(members, size - 1) if part in kept]
            if size > 2 and not below:
                continue
            both = shared([regulons[i] for i in members], [nes[i] for i in members])
            parts = [abs(nes[i]) for i in members] if size == 2 else []
            for part in below:
                (added,) = set(members) - set(part)
                parts += [abs(kept[part]), abs(nes[added])]
            if len(both) >= least and abs(score(both)) > max(parts):
                kept[members] = score(both)
    return kept


# --- all of it --------------------------------------------------------------------------------------------------------


def msviper(X, genes, network, group, reference, *, n_permutations=0, n_bootstraps=0, min_targets=1, rng=0):
    """Table by regulator: n_targets, nes, se, p, q and the set of genes in the leading edge."""
    genes = np.asarray(genes, dtype=object)
    edges = network if "likelihood" in network else network.assign(likelihood=1.0)
    kept = np.isin(genes, [*network["source"], *network["target"]])
    kept &= ~np.isnan(contrast(X, group, reference))
    X, genes = X[:, kept], genes[kept]
    place = {gene: i for i, gene in enumerate(genes)}
    edges = edges[edges["target"].isin(genes)].assign(gene=lambda e: [place[target] for target in e["target"]])
    regulons = {name: own for name, own in edges.groupby("source", observed=True) if len(own) >= min_targets}
    tables = list(regulons.values())
    z = contrast(X, group, reference)
    of_shuffles, of_draws = np.random.SeedSequence(rng).spawn(2)
    signatures = np.stack(list(resampled(X, group, reference, n_bootstraps, of_draws))) if n_bootstraps else z[None]
    scores = viper.area(signatures, tables)
    if n_permutations:
        null = viper.area(np.stack(list(shuffled(X, group, reference, n_permutations, of_shuffles))), tables)
        scores = np.array([[against_null(x, own) for x, own in zip(row, null.T, strict=True)] for row in scores])
    nes = scores.mean(axis=0)
    p = 2 * norm.sf(np.abs(nes))
    return pd.DataFrame(
        {
            "n_targets": [len(own) for own in tables],
            "nes": nes,
            "se": scores.std(axis=0, ddof=1) / math.sqrt(n_bootstraps) if n_bootstraps else np.nan,
            "p": p,
            "q": benjamini_hochberg(p),
            "edge": [
                {genes[i] for i in leading_edge(z, own["gene"].tolist(), own["weight"].tolist())} for own in tables
            ],
        },
        index=list(regulons),
    )
