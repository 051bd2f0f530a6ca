"""Known answers of real and simulated cells.

    python examples/biology_viper.py FOLDER

FOLDER holds ``pbmc_sorted_10x.h5ad``, ``pbmc_ifnb_kang.h5ad``, ``simgrn_ko.h5ad`` with ``simgrn_ko_truth.csv`` (counts)
and ``collectri_human.csv``. Prints the rank of known regulators among all by mean activity in a group less that in the
others; how well activity in single cells tells stimulated from control cells (area under the curve); and how far the
regulator that was knocked out falls, with the true network and with one inferred from the cells without a knock-out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
from sklearn.metrics import roc_auc_score

import pysces as ps

SORTED = {"bcells": ["EBF1", "PAX5", "SPIB"], "nk": ["EOMES"], "monocytes": ["CEBPA", "SPI1"]}
INTERFERON, BYSTANDERS = ["IRF9", "STAT2", "IRF1", "STAT1"], ["TP53", "E2F1"]
RUNS = {
    "area": {},
    "area, pleiotropy": {"pleiotropy": True},
    "area, doublerank": {"signature": "doublerank"},
    "narnea": {"enrichment": "narnea"},
}


def main() -> None:
    """Print all three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    collectri = pd.read_csv(folder / "collectri_human.csv")[["source", "target", "weight"]]
    sorted_cells(logged(ad.read_h5ad(folder / "pbmc_sorted_10x.h5ad")), collectri)
    interferon(logged(ad.read_h5ad(folder / "pbmc_ifnb_kang.h5ad")), collectri)
    truth = pd.read_csv(folder / "simgrn_ko_truth.csv")[["source", "target", "weight"]]
    knock_outs(ad.read_h5ad(folder / "simgrn_ko.h5ad"), truth)


def logged(adata: ad.AnnData) -> ad.AnnData:
    """log1p of counts per 10,000."""
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    return adata


def rises(activity: pd.DataFrame, inside: np.ndarray) -> pd.Series:
    """Mean activity of each regulator in the cells ``inside`` less that in all others."""
    return activity[inside].mean() - activity[~inside].mean()


def sorted_cells(adata: ad.AnnData, network: pd.DataFrame) -> None:
    """Regulators of sorted blood cells."""
    for min_targets in (5, 25):
        for name, settings in RUNS.items():
            ps.tl.viper(adata, network, min_targets=min_targets, **settings)
            activity, found = adata.obsm["viper"], []
            for group, regulators in SORTED.items():
                ranks = rises(activity, (adata.obs["cell_type"] == group).to_numpy()).rank(ascending=False)
                found += [f"{name} {ranks[name]:.0f}" for name in regulators if name in ranks]
            print(f"sorted, {name}, {activity.shape[1]} regulators: {', '.join(found)}", flush=True)


def interferon(adata: ad.AnnData, network: pd.DataFrame) -> None:
    """Stimulated against control cells."""
    stimulated = (adata.obs["condition"] == "stim").to_numpy()
    for name, settings in RUNS.items():
        ps.tl.viper(adata, network, min_targets=5, **settings)
        activity = adata.obsm["viper"]
        ranks = rises(activity, stimulated).rank(ascending=False)
        found = [
            f"{regulator} {ranks[regulator]:.0f} ({roc_auc_score(stimulated, activity[regulator]):.3f})"
            for regulator in INTERFERON + BYSTANDERS
        ]
        print(f"interferon, {name}, {activity.shape[1]} regulators: rank (AUROC) {', '.join(found)}", flush=True)


def knock_outs(adata: ad.AnnData, truth: pd.DataFrame) -> None:
    """Rank of the knocked-out regulator among those that fall."""
    wild = (adata.obs["ko"] == "none").to_numpy()
    counts = adata[wild].copy()
    ps.tl.aracne(counts, regulators=truth["source"].unique())
    inferred = ps.get.network(counts)
    logged(adata)
    networks = {
        "true network": truth,
        "network of tl.aracne": inferred,
        "the same, mode by pp.mode_of_regulation": ps.pp.mode_of_regulation(inferred),
    }
    for network_name, network in networks.items():
        for name, settings in RUNS.items():
            ps.tl.viper(adata, network, min_targets=5, **settings)
            activity, ranks = adata.obsm["viper"], {}
            for regulator in adata.obs["ko"].unique():
                if regulator in activity.columns:
                    cells = wild | (adata.obs["ko"] == regulator).to_numpy()
                    ranks[regulator] = rises(activity[cells], ~wild[cells]).rank()[regulator]
            values = np.array(list(ranks.values()))
            print(
                f"knock-outs, {network_name}, {name}: falls most of {activity.shape[1]} in {(values == 1).sum()} of "
                f"{len(values)}, mean rank {values.mean():.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
