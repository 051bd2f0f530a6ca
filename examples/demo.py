"""The main job on real data: networks and activities of 700 blood cells, with figures.

    python examples/demo.py demo

writes its figures to the folder given and prints what it found.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import matplotlib as mpl
import scanpy as sc

import pysces as ps

FIGURE = {"dpi": 150, "bbox_inches": "tight"}


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where figures are written")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    since = time.perf_counter()

    adata = ps.datasets.pbmc68k()
    print(f"{adata.n_obs} cells x {adata.n_vars} genes, {adata.obs['cell_type'].nunique()} cell types")
    ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=20)
    network = ps.get.network(adata)
    print(f"\nnetwork of all cells: {len(network)} edges of {network['source'].nunique()} regulators; the strongest:")
    strongest = network.nlargest(8, "mi")
    print(strongest[["source", "target", "weight", "mi", "support"]].to_string(index=False))

    ps.tl.viper(adata, min_targets=10)
    activity = ps.get.activity(adata)
    top = top_regulators(activity)
    print("\nregulators whose activity is highest in each cell type:")
    for cell_type, regulators in top.items():
        print(f"  {cell_type:32s}{', '.join(regulators)}")
    draw(activity, top, folder)

    ps.tl.aracne(adata, regulators="human_tfs", groupby="cell_type", key_added="aracne_by_type")
    by_type = ps.get.network(adata, key="aracne_by_type")
    print("\nedges of the networks per cell type (these groups are small; more cells give more edges):")
    print(by_type["group"].value_counts().rename_axis(None).to_string())
    ps.tl.viper(adata, "aracne_by_type", groupby="cell_type", min_targets=10, key_added="viper_by_type")
    own = adata.obsm["viper_by_type"]
    scored = adata.obs["cell_type"][own.notna().any(axis=1)].unique().tolist()
    print(f"activities from the network of the own type: {own.shape[1]} regulators in {', '.join(scored)}")
    print(f"\nfigures in {folder}/; {time.perf_counter() - since:.0f} s")


def top_regulators(activity: sc.AnnData, n: int = 3) -> dict[str, list[str]]:
    """The ``n`` regulators of highest activity in each cell type against all others."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "invalid value encountered in log2")  # fold changes, of no use for scores
        sc.tl.rank_genes_groups(activity, "cell_type", method="wilcoxon")
    ranked = sc.get.rank_genes_groups_df(activity, None)
    return {label: part["names"].head(n).tolist() for label, part in ranked.groupby("group", observed=True)}


def draw(activity: sc.AnnData, top: dict[str, list[str]], folder: Path) -> None:
    """Activities on the embedding, and their means per cell type."""
    chosen = ["SPI1", "SPIB", "GATA3", "HES4"]
    axes = sc.pl.umap(
        activity, color=[*chosen, "cell_type"], cmap="RdBu_r", vcenter=0, ncols=3, frameon=False, show=False
    )
    axes[0].figure.savefig(folder / "umap.png", **FIGURE)
    names = list(dict.fromkeys(regulator for regulators in top.values() for regulator in regulators))
    plot = sc.pl.matrixplot(
        activity, names, "cell_type", figsize=(9, 4), cmap="RdBu_r", vcenter=0, show=False, return_fig=True,
        colorbar_title="mean activity (NES)",
    )  # fmt: skip
    plot.savefig(folder / "activity_by_type.png", **FIGURE)


if __name__ == "__main__":
    main()
