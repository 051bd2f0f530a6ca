"""Whether p-values of tl.compare_networks hold, and whether it finds regulators that are rewired.

    python examples/rewiring.py [--data cells.h5ad --groupby cell_type]

Simulates two types of cells, 60 regulators and 600 genes: of one truth (p of all regulators should be uniform), or with
a fifth of the regulators rewired in the second type, half to other targets, half to the other sign (area under the
curve for telling them by p, by the statistic, and by the edges alone, 1 - Jaccard). With ``--data``, counts of real
cells, each group is halved at random, and its halves are compared.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.metrics import roc_auc_score

import pysces as ps

N_REGULATORS, N_GENES = 60, 600
EXPLAINED, DEPTH_SPREAD, LEVEL_SPREAD = 0.6, 0.5, 1.5
SAME = {"depth": (250, 250), "shift": 0.0}
OTHER = {"depth": (180, 360), "shift": 0.7}
CASES = {
    "one truth": {**SAME, "n_cells": (500, 500)},
    "one truth, other levels, depth x 2": {**OTHER, "n_cells": (500, 500)},
    "the same, 800 and 250 cells": {**OTHER, "n_cells": (800, 250)},
    "rewired, 500 cells": {**SAME, "n_cells": (500, 500), "rewired": 0.2},
    "rewired, 1000 cells": {**SAME, "n_cells": (1000, 1000), "rewired": 0.2},
    "rewired, 500 cells, other levels, depth x 2": {**OTHER, "n_cells": (500, 500), "rewired": 0.2},
    "rewired, 1000 cells, other levels, depth x 2": {**OTHER, "n_cells": (1000, 1000), "rewired": 0.2},
}


def main() -> None:
    """Print a line for every case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--groupby", default="cell_type")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    print(f"{'':48}tested  p<.05  p<.01   AUROC of p, of the statistic, of 1 - Jaccard (least of p)")
    for name, case in CASES.items():
        report(name, [simulated(seed, **case) for seed in range(100, 100 + given.seeds)])
    if given.data is not None:
        adata = ad.read_h5ad(given.data)
        for label, cells in adata.obs.groupby(given.groupby, observed=True):
            if len(cells) >= 200:
                report(f"halves of {label}", [halved(adata[cells.index], seed) for seed in range(given.seeds)])


def report(name: str, cases: list[tuple[ad.AnnData, np.ndarray, list[str]]]) -> None:
    """Shares of small p among regulators that are not rewired, and how well those that are stand out."""
    p, areas, n_tested = [], [], []
    for seed, (adata, rewired, regulators) in enumerate(cases):
        ps.tl.aracne(adata, regulators, groupby="type", n_subnetworks=1, alpha=1e-3, correction="p", rng=seed)
        ps.tl.compare_networks(adata, "a", "b", rng=seed, min_targets=3)
        table = ps.get.comparison(adata).dropna(subset="log_pvalue")
        truth = pd.Series(rewired, regulators)[table["source"].astype(str)].to_numpy()
        p += np.exp(table["log_pvalue"].to_numpy()[~truth]).tolist()
        n_tested.append(len(table))
        if 0 < truth.sum() < len(truth):
            of = (-table["log_pvalue"], table["rewiring"], 1 - table["jaccard"])
            areas.append([roc_auc_score(truth, score) for score in of])
    found = np.array(p)
    line = f"{name:48}{np.mean(n_tested):6.0f}  {(found <= 0.05).mean():.3f}  {(found <= 0.01).mean():.3f}"
    if areas:
        line += (
            "   " + "  ".join(f"{area:.3f}" for area in np.mean(areas, axis=0)) + f"  ({np.min(areas, axis=0)[0]:.3f})"
        )
    print(line, flush=True)


def simulated(
    seed: int, *, n_cells: tuple[int, int], depth: tuple[int, int], shift: float, rewired: float = 0.0
) -> tuple[ad.AnnData, np.ndarray, list[str]]:
    """Counts of two types, which regulators are rewired, and the names of all regulators."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((N_REGULATORS, N_GENES))
    for regulator in range(N_REGULATORS):
        targets = rng.choice(np.arange(N_REGULATORS, N_GENES), int(rng.lognormal(np.log(25), 0.5)) + 5, replace=False)
        truth[regulator, targets] = rng.choice([-1.0, 1.0], len(targets), p=[0.3, 0.7])
    other = truth.copy()
    is_rewired = np.zeros(N_REGULATORS, bool)
    is_rewired[rng.choice(N_REGULATORS, int(rewired * N_REGULATORS), replace=False)] = True
    for i, regulator in enumerate(np.flatnonzero(is_rewired)):
        moved = np.r_[truth[regulator, :N_REGULATORS], rng.permutation(truth[regulator, N_REGULATORS:])]
        other[regulator] = moved if i % 2 else -truth[regulator]
    level = rng.normal(0, LEVEL_SPREAD, N_GENES)
    level[:N_REGULATORS] = rng.normal(0.5, 0.8, N_REGULATORS)
    X = np.vstack(
        [
            counts(truth, n_cells[0], level, depth[0], rng),
            counts(other, n_cells[1], level + rng.normal(0, shift, N_GENES), depth[1], rng),
        ]
    )
    names = [f"g{i}" for i in range(N_GENES)]
    obs = pd.DataFrame({"type": pd.Categorical(np.repeat(["a", "b"], n_cells))}, index=map(str, range(len(X))))
    adata = ad.AnnData(sp.csr_matrix(X.astype(np.float32)), obs=obs, var=pd.DataFrame(index=names))
    return adata, is_rewired, names[:N_REGULATORS]


def counts(truth: np.ndarray, n: int, level: np.ndarray, depth: int, rng: np.random.Generator) -> np.ndarray:
    """Poisson counts of log rates that regulators drive."""
    weight = truth / np.maximum(np.linalg.norm(truth, axis=0), 1e-12)
    activity = rng.normal(size=(n, len(truth)))
    own = np.where(truth.any(axis=0), np.sqrt(1 - EXPLAINED), 1.0)
    log_rate = np.sqrt(EXPLAINED) * activity @ weight + own * rng.normal(size=(n, truth.shape[1]))
    log_rate[:, : len(truth)] = activity
    rate = np.exp(log_rate + level)
    rate /= rate.sum(axis=1).mean()
    return rng.poisson(rate * depth * np.exp(rng.normal(0, DEPTH_SPREAD, n))[:, None])


def halved(adata: ad.AnnData, seed: int) -> tuple[ad.AnnData, np.ndarray, list[str]]:
    """Cells of one type in two random halves, none of whose regulators differ."""
    made = adata.copy()
    is_first = np.random.default_rng(seed).permutation(adata.n_obs) < adata.n_obs // 2
    made.obs["type"] = pd.Categorical(np.where(is_first, "a", "b"))
    names = [name for name in ps.datasets.regulators("human") if name in adata.var_names]
    return made, np.zeros(len(names), bool), names


if __name__ == "__main__":
    main()
