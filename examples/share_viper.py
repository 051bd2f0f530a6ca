"""How far scores are off where one regulon holds a large share of the genes that are ranked.

    python examples/share_viper.py pbmc_sorted_10x.h5ad collectri_human.csv

A regulon of 40 random targets with weight 1 is scored among all genes (``filter_genes=False``), and among so few genes
that its targets are a given share of them. The values are those of generated cells (standard normal) and of real cells
(counts; z-scores of their logarithms). The last lines take the 40 regulons of the network with most targets in place of
random ones. Prints for each share, over cells and draws: the standard deviation of the NES over that among all genes;
what it should be, the square root of 1 - share over that with the share of all genes; what an NES of 1 and 2 becomes;
and the correlation with a second regulon, of 40 of the other genes, or of all if there are fewer. The last line has the
share of the largest regulon of the network.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc

import pysces as ps

SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.19, 0.25, 0.35, 0.5, 0.6)
N_TARGETS, N_CELLS, N_DRAWS = 40, 100, 40


def main() -> None:
    """Print the table for generated and for real cells, and for regulons of a network."""
    warnings.filterwarnings("ignore", message=".*of the genes")  # what is measured here
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=Path)
    parser.add_argument("network", type=Path)
    arguments = parser.parse_args()
    adata = ad.read_h5ad(arguments.cells)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    rng = np.random.default_rng(0)
    x = adata.X[np.sort(rng.choice(adata.n_obs, N_CELLS, replace=False))].toarray()
    varies = x.std(axis=0) > 0
    x, genes = x[:, varies], adata.var_names[varies]
    x = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    drawn = [rng.choice(len(genes), N_TARGETS, replace=False) for _ in range(N_DRAWS)]
    print("| cells, targets | share | sd | expected | 1 becomes | 2 becomes | correlation |")
    print("|---|---|---|---|---|---|---|")
    table("generated, random", rng.normal(size=x.shape), drawn)
    table("real, random", x, drawn)
    network = pd.read_csv(arguments.network).drop_duplicates(["source", "target"])
    table("real, of the network", x, largest(network, genes))
    sizes = network.loc[network["target"].isin(adata.var_names), "source"].value_counts()
    n_genes = int(adata.var_names.isin([*network["source"], *network["target"]]).sum())
    print(
        f"{sizes.index[0]} holds {sizes.iloc[0] / n_genes:.2f} of the {n_genes:,} genes of the network and "
        f"{sizes.iloc[0] / adata.n_vars:.2f} of all {adata.n_vars:,}"
    )


def largest(network: pd.DataFrame, genes: pd.Index[str]) -> list[np.ndarray]:
    """Targets of the largest regulons, as many of each as of a random one."""
    targets = network.loc[network["target"].isin(genes), ["source", "target"]].drop_duplicates()
    regulons = targets["source"].value_counts().index[:N_DRAWS]
    return [genes.get_indexer(targets.loc[targets["source"] == name, "target"])[:N_TARGETS] for name in regulons]


def table(cells: str, values: np.ndarray, regulons: list[np.ndarray]) -> None:
    """Print a line for each share."""
    of_all = scores(values, regulons)
    for share in SHARES:
        n_genes = round(N_TARGETS / share)
        rng, among = np.random.default_rng(1), []
        for targets in regulons:
            others = np.setdiff1d(np.arange(values.shape[1]), targets)
            genes = np.r_[targets, rng.choice(others, n_genes - N_TARGETS, replace=False)]
            second = np.arange(N_TARGETS, min(2 * N_TARGETS, n_genes))
            among.append(scores(values[:, genes], [np.arange(N_TARGETS), second]))
        ratio = np.stack([nes[:, 0] for nes in among]).std() / of_all.std()
        expected = np.sqrt((1 - share) / (1 - N_TARGETS / values.shape[1]))
        correlation = np.corrcoef(np.concatenate(among).T)[0, 1]
        print(
            f"| {cells} | {N_TARGETS / n_genes:.2f} | {ratio:.3f} | {expected:.3f} | {ratio:.2f} | {2 * ratio:.2f} | "
            f"{correlation:.2f} |",
            flush=True,
        )


def scores(values: np.ndarray, regulons: list[np.ndarray]) -> np.ndarray:
    """NES of regulons (columns) in cells, among all genes of ``values``."""
    names = np.array([f"gene{i}" for i in range(values.shape[1])])
    edges = [
        pd.DataFrame({"source": f"R{i:02d}", "target": names[targets], "weight": 1.0})
        for i, targets in enumerate(regulons)
    ]
    model = ps.VIPER(pd.concat(edges), signature="none", filter_genes=False, min_targets=20)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "regulator .* holds")  # shares of a half and more, as is wanted here
        return model.fit(values, names).transform(values)


if __name__ == "__main__":
    main()
