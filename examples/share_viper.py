"""How far scores are off where one regulon holds a large share of the genes that are ranked.

    python examples/share_viper.py FOLDER

FOLDER holds ``pbmc_sorted_10x.h5ad`` (counts). A regulon of random targets with weight 1 is scored among all genes, and
among so few random genes that its targets are a given share of them. Prints for each share, over cells and draws of
genes: the standard deviation of the NES over that among all genes, and the square root of (1 - share), which is what
it should be; what an NES of 1 and of 2 becomes; and the correlation with a second regulon of as many other targets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc

import pysces as ps

SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.19, 0.25, 0.35, 0.5)
N_TARGETS, N_CELLS, N_DRAWS = 40, 100, 20


def main() -> None:
    """Print the table for generated and for real cells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    adata = ad.read_h5ad(folder / "pbmc_sorted_10x.h5ad")
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    x = np.asarray(adata.X.todense())
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0, ddof=1), 1e-9)
    rng = np.random.default_rng(0)
    generated = rng.normal(size=(N_CELLS, x.shape[1]))
    print(f"{'cells':12s}{'share':>7s}{'sd':>8s}{'sqrt(1 - share)':>17s}{'1 is':>8s}{'2 is':>8s}{'correlation':>13s}")
    for name, values in (("generated", generated), ("sorted PBMC", x[rng.choice(len(x), N_CELLS, replace=False)])):
        for share in SHARES:
            among, of_all = scores(values, share, np.random.default_rng(1))
            sd = among[0].std() / of_all[0].std()
            correlation = np.corrcoef(among)[0, 1]
            print(
                f"{name:12s}{share:7.2f}{sd:8.3f}{np.sqrt(1 - share):17.3f}{sd:8.2f}{2 * sd:8.2f}{correlation:13.3f}",
                flush=True,
            )


def scores(values: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """NES of two regulons, 2 x cells and draws, among few and among all genes."""
    among, of_all = [], []
    for _ in range(N_DRAWS):
        genes = rng.choice(values.shape[1], max(round(N_TARGETS / share), 2 * N_TARGETS), replace=False)
        order = np.concatenate([genes, np.setdiff1d(np.arange(values.shape[1]), genes)])
        names = [f"gene{i}" for i in range(len(order))]
        network = pd.DataFrame(
            {"source": np.repeat(["A", "B"], N_TARGETS), "target": names[: 2 * N_TARGETS], "weight": 1.0}
        )
        model = ps.VIPER(network, signature="none", filter_genes=False)
        for found, used in ((among, len(genes)), (of_all, len(order))):
            found.append(
                model.fit(values[:, order[:used]], names[:used], quiet=True).transform(values[:, order[:used]])
            )
    return np.concatenate(among).T, np.concatenate(of_all).T


if __name__ == "__main__":
    main()
