"""Whether p-values and false discovery rates are what they say, where genes are unrelated but for depth.

    python examples/calibration_aracne.py FOLDER [--json FILE]

Regulators of the files pbmc*.h5ad in FOLDER, real counts, are permuted among cells of about the same depth. Of all
pairs with permuted regulators, the share of p-values at or below each level over that level, overall and by quarter of
the detection rate of the target. Then real regulators beside as many permuted copies: the share of edges of copies
among those at FDR 0.05.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

import pysces as ps

LEVELS = (1e-2, 1e-3, 1e-4)
CELLS_PER_STRATUM = 40
FEWEST_CELLS = 5
MODELS = {
    "gcmi": (ps.ARACNe(n_subnetworks=5), "auto"),
    "gcmi, no depth": (ps.ARACNe(n_subnetworks=5), None),
    "apmi": (ps.ARACNe(estimator="apmi", n_subnetworks=5), "auto"),
}


def depth_strata(x: sp.csr_array) -> np.ndarray:
    """Strata of equal depth, finer than those of pysces."""
    order = np.argsort(np.asarray(x.sum(axis=1)).ravel(), kind="stable")
    strata = np.empty(len(order), int)
    strata[order] = np.arange(len(order)) // CELLS_PER_STRATUM
    return strata


def permuted_within(x: sp.csr_array, genes: np.ndarray, strata: np.ndarray, rng: np.random.Generator) -> sp.csc_array:
    """Genes, each with its cells permuted within strata."""
    values = x[:, genes].toarray()
    for stratum in np.unique(strata):
        cells = np.flatnonzero(strata == stratum)
        values[cells] = rng.permuted(values[cells], axis=0)
    return sp.csc_array(values)


def shares(x: sp.csr_array, model: ps.ARACNe, depth: str | None, rng: np.random.Generator) -> pd.DataFrame:
    """p-values at or below each level over the level: all targets, and by quarter of detection."""
    regulators = np.sort(rng.choice(x.shape[1], 300, replace=False))
    joined = sp.csr_array(sp.hstack([permuted_within(x, regulators, depth_strata(x), rng), x]))
    log_p = model.score(joined, np.arange(300), targets=np.arange(300, joined.shape[1]), depth=depth).log_pvalue[
        :, 300:
    ]
    log_p[np.arange(300), regulators] = np.nan
    detected = np.asarray(x.astype(bool).sum(axis=0)).ravel()
    quarter = np.searchsorted(np.quantile(detected, [0.25, 0.5, 0.75]), detected)
    parts = {"all": np.ones(len(quarter), bool)} | {f"quarter {q + 1}": quarter == q for q in range(4)}
    found = {name: log_p[:, genes][~np.isnan(log_p[:, genes])] for name, genes in parts.items()}
    return pd.DataFrame({name: {p: (v <= np.log(p)).mean() / p for p in LEVELS} for name, v in found.items()})


def false_share(x: sp.csr_array, model: ps.ARACNe, depth: str | None, rng: np.random.Generator) -> tuple[int, float]:
    """Edges at FDR 0.05 of real regulators and as many permuted copies, and the share of those of copies."""
    known = rng.choice(x.shape[1], 150, replace=False)
    copies = permuted_within(x, known, depth_strata(x), rng)
    joined = sp.csr_array(sp.hstack([copies, x]))
    real = np.arange(150, joined.shape[1])
    network = model.fit(joined, np.r_[np.arange(150), known + 150], targets=real, depth=depth).network_
    return len(network), float((network["source"].astype(int) < 150).mean()) if len(network) else 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    import anndata as ad

    results = {}
    for path in sorted(arguments.folder.glob("pbmc*.h5ad")):
        adata = ad.read_h5ad(path)
        groups = {"all cells": np.ones(adata.n_obs, bool)}
        for column in adata.obs.columns.intersection(["cell_type", "cell_type_predicted"]):
            largest = adata.obs[column].value_counts().index[:3]
            groups |= {str(label): (adata.obs[column] == label).to_numpy() for label in largest}
        for group, cells in groups.items():
            x = sp.csr_array(adata.X[cells], dtype=np.float64)
            x = x[:, np.flatnonzero(x.astype(bool).sum(axis=0) >= FEWEST_CELLS)]
            for name, (model, depth) in MODELS.items():
                rng = np.random.default_rng(0)
                table = shares(x, model, depth, rng)
                n_edges, false = false_share(x, model, depth, rng)
                print(f"\n{path.stem}, {group} ({x.shape[0]} x {x.shape[1]}), {name}: of {n_edges} edges at FDR 0.05 "
                      f"{false:.4f} are false; p over nominal:\n{table.round(2).to_string()}", flush=True)  # fmt: skip
                results[f"{path.stem}, {group}, {name}"] = {
                    "p": table.to_dict(), "edges": n_edges, "false": false,
                }  # fmt: skip
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
