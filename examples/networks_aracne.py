"""What pruning, subsampling, the number of cells and metacells do to networks of simulated cells.

    python examples/networks_aracne.py [--seeds N] [--json FILE]

Networks at FDR 0.05 of the simulator's cells: edges, share of true edges among them over prevalence, share of all true
edges found, and area under the curve of precision and recall over prevalence, ranked by mutual information or by
support first. Means over seeds.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from accuracy_sets import simulated
from simulator import Recipe, simulate

import pysces as ps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import scipy.sparse as sp

PRUNING = {
    f"dpi={dpi!r}, tolerance {tolerance}, {n} subnetworks": {
        "dpi": dpi, "dpi_tolerance": tolerance, "n_subnetworks": n,
    }
    for n in (0, 20)
    for dpi, tolerance in ((None, 0.0), ("target", 0.0), ("all", 0.0), ("all", 0.1))
}  # fmt: skip
SHALLOW = replace(Recipe(), n_cells=6000, n_genes=1000, depth=500.0)
SETS = ("2,000 counts per cell", "500 counts per cell", "ten types", "one type", "500 cells")


def judge(network: pd.DataFrame, truth: np.ndarray, regulators: np.ndarray) -> dict[str, float]:
    """Edges, precision over prevalence, recall, and the AUPRC of the network over prevalence, ranked in two ways."""
    row = np.searchsorted(regulators, network["source"].astype(int))
    right = truth[row, network["target"].astype(int)]
    mi, support = -network["mi"].to_numpy(), -network["support"].to_numpy()
    return {
        "edges": len(right),
        "precision": right.mean() / truth.mean() if len(right) else np.nan,
        "recall": right.sum() / truth.sum(),
        "AUPRC by mi": auprc(right[np.argsort(mi, kind="stable")], truth),
        "by support, then mi": auprc(right[np.lexsort((mi, support))], truth),
    }


def auprc(right: np.ndarray, truth: np.ndarray) -> float:
    """Area under the curve of precision and recall over prevalence; pairs that are no edges add nothing."""
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(precision[right].sum() / truth.sum() / truth.mean())


def infer(x: sp.csr_array, truth: np.ndarray, regulators: np.ndarray, **settings: Any) -> dict[str, float]:
    """Judge one network."""
    return judge(ps.ARACNe(**settings).fit(x, regulators).network_, truth, regulators)


def pruned(seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Settings of pruning and subsampling, averaged over sets."""
    sets = [simulated(name, seed) for name in SETS]
    for label, settings in PRUNING.items():
        found = pd.DataFrame([infer(of.X, of.truth, of.regulators, **settings) for of in sets])
        yield label, found.mean().to_dict()


def few_cells(seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Groups of few cells."""
    for n_cells in (50, 100, 200, 500, 1000):
        for depth in (1000.0, 5000.0):
            made = simulate(replace(Recipe(), n_types=1, between=0.0, n_cells=n_cells, depth=depth), seed)
            found = infer(made.X, made.truth != 0, made.regulators)
            yield f"{n_cells} cells of {depth:.0f} counts", found


def pooled(seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Cells, and metacells of them."""
    import anndata as ad
    import scanpy as sc

    for title, recipe in {
        "regulators differ between 30 types": replace(SHALLOW, n_types=30, between=0.95),
        "between 3 types and within": replace(SHALLOW, n_types=3, between=0.5),
        "within one type": replace(SHALLOW, n_types=1, between=0.0),
    }.items():
        made = simulate(recipe, seed)
        adata = ad.AnnData(made.X)
        log = adata.copy()
        sc.pp.normalize_total(log, target_sum=1e4)
        sc.pp.log1p(log)
        sc.pp.pca(log, n_comps=20)
        adata.obsm["X_pca"] = log.obsm["X_pca"]
        yield f"{title}, cells", infer(made.X, made.truth != 0, made.regulators)
        for size in (5, 20):
            meta = ps.pp.metacells(adata, size=size)
            found = infer(meta.X, made.truth != 0, made.regulators)
            yield f"{title}, {meta.n_obs} metacells of {size}", found


def measure(of: Callable[[int], Iterator[tuple[str, dict[str, float]]]], n_seeds: int) -> pd.DataFrame:
    """Means over seeds."""
    runs = [pd.DataFrame(dict(of(seed))).T for seed in range(n_seeds)]
    return pd.concat([run.reset_index(drop=True) for run in runs]).groupby(level=0).mean().set_axis(runs[0].index)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    results = {}
    for title, of in {"pruning": pruned, "number of cells": few_cells, "metacells": pooled}.items():
        table = measure(of, arguments.seeds)
        print(f"\n{title}\n{table.round(3).to_string()}", flush=True)
        results[title] = table.to_dict("index")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
