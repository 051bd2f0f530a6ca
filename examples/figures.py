"""All figures of pysces.pl, of one set of cells.

    python examples/figures.py docs/images
    python examples/figures.py FOLDER --data cells.h5ad --groupby cell_type --group B --regulator PAX5

draws 700 blood cells that come along, or counts of yours, and writes a PNG per figure.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import scanpy as sc

import pysces as ps

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

ALL = "all cells"


def main() -> None:
    """Draw all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, help="h5ad file with counts in X")
    parser.add_argument("--groupby", default="cell_type")
    parser.add_argument("--group", default="CD19+ B")
    parser.add_argument("--regulator", default="SPIB")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    warnings.filterwarnings("ignore", category=UserWarning)
    adata = ps.datasets.pbmc68k() if given.data is None else sc.read_h5ad(given.data)
    prepare(adata, given.groupby, given.group)
    for name, ax in drawn(adata, given.groupby, given.group, given.regulator):
        ax.figure.savefig(given.folder / f"{name}.png", dpi=110, bbox_inches="tight")
        plt.close(ax.figure)
        print(given.folder / f"{name}.png")


def prepare(adata: AnnData, groupby: str, group: str) -> None:
    """Networks, activities, their ranking and a contrast."""
    ps.tl.aracne(adata, "human_tfs", groupby=groupby, all_cells=True)
    if "counts" not in adata.layers:
        adata.layers["counts"] = adata.X.copy()
        sc.pp.normalize_total(adata)
        sc.pp.log1p(adata)
    everything = ps.get.network(adata, ALL)
    ps.tl.viper(adata, everything, min_targets=10)
    ps.tl.rank_regulators(adata, groupby)
    ps.tl.msviper(adata, groupby, group, network=everything, min_targets=10)


def drawn(adata: AnnData, groupby: str, group: str, regulator: str) -> list[tuple[str, Axes]]:
    """Every figure by its name."""
    network = ps.get.network(adata, ALL)
    target = network[network["source"] == regulator]["target"].iloc[0]
    return [
        ("regulon", ps.pl.regulon(adata, regulator, group=group, network=network, groupby=groupby, color="expression")),
        (
            "network",
            ps.pl.network(adata, group=group, network=network, groupby=groupby, n_regulators=6, color="activity"),
        ),
        ("msviper", ps.pl.msviper(adata)),
        ("rank_regulators", ps.pl.rank_regulators(adata, n=4)),
        ("activity_heatmap", ps.pl.activity_heatmap(adata, groupby=groupby)),
        ("mi", ps.pl.mi(adata, regulator, target, group=ALL, layer="counts" if "counts" in adata.layers else None)),
        ("null", ps.pl.null(adata, group=ALL)),
        ("regulon_sizes", ps.pl.regulon_sizes(adata)),
        ("network_overlap", ps.pl.network_overlap(adata)),
        ("support", ps.pl.support(adata)),
    ]


if __name__ == "__main__":
    main()
