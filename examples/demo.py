"""The main job on real data: networks and activities of 700 blood cells, with figures.

    python examples/demo.py demo

writes its figures to the folder given and prints what it found.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import scanpy as sc

import pysces as ps

if TYPE_CHECKING:
    from anndata import AnnData

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
    ps.tl.rank_regulators(adata, "cell_type")
    print("\nregulators whose activity is highest in each cell type, against all other cells:")
    for cell_type, regulators in ps.get.regulators(adata, n=3).groupby("group", observed=True):
        print(f"  {cell_type:32s}{', '.join(regulators['source'])}")
    draw(adata, folder)

    ps.tl.aracne(adata, regulators="human_tfs", groupby="cell_type", key_added="aracne_by_type")
    by_type = ps.get.network(adata, key="aracne_by_type")
    print("\nedges of the networks per cell type (these groups are small; more cells give more edges):")
    print(by_type["group"].value_counts().rename_axis(None).to_string())
    ps.tl.viper(adata, "aracne_by_type", groupby="cell_type", min_targets=10, key_added="viper_by_type")
    own = adata.obsm["viper_by_type"]
    scored = adata.obs["cell_type"][own.notna().any(axis=1)].unique().tolist()
    print(f"activities from the network of the own type: {own.shape[1]} regulators in {', '.join(scored)}")
    print(f"\nfigures in {folder}/; {time.perf_counter() - since:.0f} s")


def draw(adata: AnnData, folder: Path) -> None:
    """Activities on the embedding, and their means per cell type."""
    chosen = ["SPI1", "SPIB", "GATA3", "HES4"]
    axes = sc.pl.umap(
        ps.get.activity(adata), color=[*chosen, "cell_type"], cmap="RdBu_r", vcenter=0, ncols=3, frameon=False,
        show=False,
    )  # fmt: skip
    axes[0].figure.savefig(folder / "umap.png", **FIGURE)
    ps.pl.rank_regulators(adata, n=3).figure.savefig(folder / "activity_by_type.png", **FIGURE)
    ps.pl.regulon(adata, "SPIB", group="CD19+ B", groupby="cell_type", color="expression").figure.savefig(
        folder / "regulon.png", **FIGURE
    )


if __name__ == "__main__":
    main()
