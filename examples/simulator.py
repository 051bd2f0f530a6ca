"""Counts of cells in which regulators drive targets, from a network that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Recipe:
    """What to simulate.

    Regulators have target numbers of a heavy tail; a fifth of them are targets of earlier ones. The log of a gene's
    rate is its level, plus the sum of its regulators' (standardised log) levels with signs, plus noise of its own.
    Counts are Poisson, given the depth of the cell and shares of the rates, thinned to zero by drop-out.
    """

    n_cells: int = 2000
    n_genes: int = 2000
    n_regulators: int = 100
    n_types: int = 5
    """Cell types; the mean of every regulator without regulators of its own differs between them."""
    between: float = 0.5
    """Share of the variance of these regulators that lies between types."""
    explained: float = 0.6
    """Share of the variance of a target that its regulators explain."""
    spread: float = 1.0
    """Standard deviation of a gene's log rate over the cells."""
    level_spread: float = 1.5
    """Standard deviation of the genes' levels."""
    curved: float = 0.0
    """Share of the edges whose targets follow the square of the regulator."""
    depth: float = 2000.0
    """Median counts of a cell, before drop-out."""
    depth_spread: float = 0.5
    """Standard deviation of the log of the counts of a cell."""
    dropout: float = 0.0
    """Probability that all counts of a gene in a cell are lost."""


@dataclass(frozen=True)
class Simulated:
    """Counts (cells x genes), type of every cell, and the network: regulators x genes, 1 or -1 or, curved, 2."""

    X: sp.csr_array
    cell_type: np.ndarray
    regulators: np.ndarray
    truth: np.ndarray


def simulate(recipe: Recipe, seed: int) -> Simulated:
    """Draw a network and counts."""
    rng = np.random.default_rng(seed)
    truth = draw_network(recipe, rng)
    cell_type = rng.integers(recipe.n_types, size=recipe.n_cells)
    log_rate = draw_log_rates(recipe, truth, cell_type, rng)
    share = np.exp(log_rate)
    share /= share.sum(axis=1, keepdims=True)
    depth = recipe.depth * np.exp(rng.normal(0, recipe.depth_spread, recipe.n_cells))
    counts = rng.poisson(share * depth[:, None])
    counts[rng.random(counts.shape) < recipe.dropout] = 0
    return Simulated(sp.csr_array(counts), cell_type, np.arange(recipe.n_regulators), truth)


def draw_network(recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Regulators are the first genes; edges among them lead to later ones."""
    shape = recipe.n_regulators, recipe.n_genes
    truth = np.zeros(shape, np.int8)
    is_target = np.arange(recipe.n_genes) >= recipe.n_regulators
    is_target |= rng.random(recipe.n_genes) < 0.2
    out_degree = np.clip(np.exp(rng.normal(np.log(recipe.n_genes / 80), 1.0, shape[0])), 3, recipe.n_genes / 5)
    for regulator, n_targets in enumerate(out_degree.astype(int)):
        candidates = np.flatnonzero(is_target & (np.arange(recipe.n_genes) > regulator))
        chosen = rng.choice(candidates, min(n_targets, len(candidates)), replace=False)
        truth[regulator, chosen] = rng.choice([1, 1, -1], len(chosen))
        bent = (rng.random(len(chosen)) < recipe.curved) & (chosen >= recipe.n_regulators)
        truth[regulator, chosen[bent]] = 2
    return truth


def draw_log_rates(recipe: Recipe, truth: np.ndarray, cell_type: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Log rates, cells x genes, up to a constant of the cell."""
    n_cells = len(cell_type)
    strength = np.where(truth == 2, 1, truth) * rng.uniform(0.5, 1.5, truth.shape)
    strength /= np.maximum(np.linalg.norm(strength, axis=0), 1e-12)
    active = np.zeros((n_cells, recipe.n_regulators))
    for r in range(recipe.n_regulators):
        if truth[:, r].any():
            active[:, r] = np.sqrt(recipe.explained) * active @ strength[:, r]
            active[:, r] += np.sqrt(1 - recipe.explained) * rng.normal(size=n_cells)
        else:
            active[:, r] = np.sqrt(recipe.between) * rng.normal(size=recipe.n_types)[cell_type]
            active[:, r] += np.sqrt(1 - recipe.between) * rng.normal(size=n_cells)
    driven = active @ np.where(truth == 2, 0, strength) + (active**2 - 1) / np.sqrt(2) @ np.where(
        truth == 2, strength, 0
    )
    has_regulator = (truth != 0).any(axis=0)
    own = np.where(has_regulator, np.sqrt(1 - recipe.explained), 1.0)
    varied = np.sqrt(recipe.explained) * driven + own * rng.normal(size=driven.shape)
    varied[:, : recipe.n_regulators] = active
    return recipe.spread * varied + rng.normal(0, recipe.level_spread, recipe.n_genes)
