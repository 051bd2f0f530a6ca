"""Whether p-values and false discovery rates are what they say, where genes are unrelated but for depth.

    python examples/calibration_aracne.py FOLDER [--json FILE] [--forms]

Regulators of the files pbmc*.h5ad in FOLDER, real counts, are permuted among cells of about the same depth. Of all
pairs with permuted regulators, the share of p-values at or below each level over that level, overall and by quarter of
the detection rate of the target. Then real regulators beside as many permuted copies: the share of edges of copies
among those at FDR 0.05. With --forms only that, of the same counts in other forms: normalised, behind logarithms, and
fractional.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp

import pysces as ps

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = (1e-2, 1e-3, 1e-4)
CELLS_PER_STRATUM = 40
FEWEST_CELLS = 5
MODELS = {
    "gcmi": (ps.ARACNe(n_subnetworks=5), "auto"),
    "gcmi, no depth": (ps.ARACNe(n_subnetworks=5), None),
    "apmi": (ps.ARACNe(estimator="apmi", n_subnetworks=5), "auto"),
}


def normalised(x: sp.csr_array, total: float = 1e4) -> sp.csr_array:
    """Counts over the sum of their cell."""
    return sp.csr_array(sp.diags_array(total / np.maximum(np.asarray(x.sum(axis=1)).ravel(), 1)) @ x)


def log(x: sp.csr_array, base: float = np.e) -> sp.csr_array:
    """Logarithm of 1 + values."""
    return x.log1p() / np.log(base)


def ambient_removed(x: sp.csr_array) -> sp.csr_array:
    """Counts less a tenth of the depth of their cell at the average composition, or 0."""
    entries = sp.coo_array(x)
    cell, gene = entries.coords
    of_gene = np.asarray(x.sum(axis=0)).ravel() / x.sum()
    left = entries.data - 0.1 * np.asarray(x.sum(axis=1)).ravel()[cell] * of_gene[gene]
    return sp.csr_array((np.maximum(left, 0), (cell, gene)), shape=x.shape)


def shared(x: sp.csr_array) -> sp.csr_array:
    """Counts of which a third lost a part to other genes, as programs that share reads among genes give them."""
    rng = np.random.default_rng(1)
    lost = (rng.random(x.nnz) < 1 / 3) * rng.beta(2, 3, x.nnz)
    return sp.csr_array((x.data * (1 - lost), x.indices, x.indptr), shape=x.shape)


FORMS = {
    "counts": lambda x: x,
    "log1p of counts per 10,000": lambda x: log(normalised(x)),
    "log2 of counts per 10,000": lambda x: log(normalised(x), 2),
    "log10 of counts per million": lambda x: log(normalised(x, 1e6), 10),
    "counts per 10,000": normalised,
    "log2 of counts + 1": lambda x: log(x, 2),
    "less ambient counts": ambient_removed,
    "shared among genes": shared,
    "log2 of shared + 1": lambda x: log(shared(x), 2),
    "log1p of less ambient, per 10,000": lambda x: log(normalised(ambient_removed(x))),
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


def false_share(
    x: sp.csr_array,
    model: ps.ARACNe,
    depth: str | None,
    rng: np.random.Generator,
    form: Callable[[sp.csr_array], sp.csr_array] = lambda x: x,
) -> tuple[int, float]:
    """Edges at FDR 0.05 of real regulators and as many permuted copies, and the share of those of copies."""
    known = rng.choice(x.shape[1], 150, replace=False)
    copies = permuted_within(x, known, depth_strata(x), rng)
    joined = form(sp.csr_array(sp.hstack([copies, x])))
    real = np.arange(150, joined.shape[1])
    network = model.fit(joined, np.r_[np.arange(150), known + 150], targets=real, depth=depth).network_
    return len(network), float((network["source"].astype(int) < 150).mean()) if len(network) else 0.0


def of_forms(name: str, x: sp.csr_array) -> dict[str, dict[str, float]]:
    """Print and return the edges of each form, with depth and without, and the share of false ones."""
    found = {}
    for form, change in FORMS.items():
        (n_edges, false), (n_without, without) = (
            false_share(x, ps.ARACNe(n_subnetworks=5), depth, np.random.default_rng(0), change)
            for depth in ("auto", None)
        )
        print(f"{name}, {form}: of {n_edges} edges {false:.3f} are false; without depth, of {n_without} {without:.3f}",
              flush=True)  # fmt: skip
        found[f"{name}, {form}"] = {"edges": n_edges, "false": false, "without": without}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--forms", action="store_true")
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
            if arguments.forms:
                results |= of_forms(f"{path.stem}, {group}", x)
                continue
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
