"""Sets with known or curated networks: simulated ones, and those of a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from simulator import Recipe, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULT = Recipe()
RECIPES = {
    "2,000 counts per cell": DEFAULT,
    "500 counts per cell": replace(DEFAULT, depth=500.0, n_genes=4000),
    "6,000 counts per cell": replace(DEFAULT, depth=6000.0),
    "depth differs little": replace(DEFAULT, depth_spread=0.1),
    "depth differs tenfold": replace(DEFAULT, depth_spread=1.0),
    "drop-out of a third": replace(DEFAULT, dropout=0.33),
    "one type": replace(DEFAULT, n_types=1, between=0.0),
    "ten types": replace(DEFAULT, n_types=10, between=0.8),
    "500 cells": replace(DEFAULT, n_cells=500),
    "8,000 cells": replace(DEFAULT, n_cells=8000, n_genes=1000),
    "panel of 200 genes": replace(DEFAULT, n_genes=200, n_regulators=20, depth=400.0),
    "a third of edges curved": replace(DEFAULT, curved=0.33),
    "little of it explained": replace(DEFAULT, explained=0.2),
}
LEAST_DETECTED = 0.05
FEWEST_CELLS = 5


class Set(NamedTuple):
    """Values (cells x genes), whether they are counts, positions of the regulators, true edges (regulators x genes)."""

    name: str
    X: sp.csr_array
    is_counts: bool
    regulators: np.ndarray
    truth: np.ndarray


def simulated(name: str, seed: int) -> Set:
    """One set of a recipe, without genes of fewer than five cells."""
    made = simulate(RECIPES[name], seed)
    kept = np.flatnonzero(made.X.astype(bool).sum(axis=0) >= FEWEST_CELLS)
    regulators = np.flatnonzero(np.isin(kept, made.regulators))
    return Set(name, made.X[:, kept], True, regulators, made.truth[np.ix_(kept[regulators], kept)] != 0)


def of_folder(folder: Path) -> Iterator[Set]:
    """Sets of a folder.

    Files NAME.h5ad (or NAME/*.h5ad, NAME/expression.csv) with NAME_truth.csv or NAME/truth.csv, columns source and
    target; h5ad files without a truth are judged by collectri_human.csv, on genes of more than 5 % of the cells.
    """
    import anndata as ad

    curated = folder / "collectri_human.csv"
    for path in sorted([*folder.glob("*.h5ad"), *folder.glob("*/*.h5ad")]):
        adata = ad.read_h5ad(path)
        own = [file for file in (path.parent / "truth.csv", path.with_name(f"{path.stem}_truth.csv")) if file.exists()]
        edges = pd.read_csv(own[0] if own else curated, dtype=str)
        x = sp.csr_array(adata.X, dtype=np.float64)
        yield _set(path.stem, x, adata.var_names, edges, 0.0 if own else LEAST_DETECTED)
    for path in sorted(folder.glob("*/expression.csv*")):
        table = pd.read_csv(path)
        numbers = table.select_dtypes("number")
        edges = pd.read_csv(path.parent / "truth.csv", dtype=str)
        yield _set(path.parent.name, sp.csr_array(numbers.to_numpy(np.float64)), numbers.columns, edges, 0.0)


def _set(name: str, x: sp.csr_array, genes: pd.Index, edges: pd.DataFrame, least_detected: float) -> Set:
    cells = x.astype(bool).sum(axis=0)
    kept = np.flatnonzero((cells >= FEWEST_CELLS) & (cells > least_detected * x.shape[0]))
    genes = pd.Index(genes.astype(str)[kept])
    edges = edges[edges["source"].isin(genes) & edges["target"].isin(genes) & (edges["source"] != edges["target"])]
    regulators = np.unique(genes.get_indexer(pd.Index(edges["source"])))
    truth = np.zeros((len(regulators), len(genes)), bool)
    rows = np.searchsorted(regulators, genes.get_indexer(pd.Index(edges["source"])))
    truth[rows, genes.get_indexer(pd.Index(edges["target"]))] = True
    chosen = x[:, kept]
    return Set(name, chosen, bool((chosen.data == np.rint(chosen.data)).all()), regulators, truth)
