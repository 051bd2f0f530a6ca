"""From counts of sorted blood cells to the regulators of each type.

    python examples/per_cell_type.py FOLDER

FOLDER holds ``pbmc_sorted_10x.h5ad`` (counts, ``obs["cell_type"]``; the sorted populations of Zheng et al. 2017 are at
10x Genomics) and ``collectri_human.csv``. Prints the networks, and at which rank known regulators come among all in
their type (Mann-Whitney, cells of the type against all others): by the expression of the regulator itself, by its
activity with networks inferred from these cells, and with a network of the literature.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import anndata as ad
import pandas as pd
import scanpy as sc

import pysces as ps

KNOWN = {
    "bcells": ["EBF1", "PAX5", "SPIB", "BCL11A"],
    "monocytes": ["CEBPA", "CEBPB", "SPI1", "KLF4"],
    "nk": ["EOMES", "TBX21"],
}


def main() -> None:
    """Print networks and ranks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    warnings.filterwarnings("ignore", category=UserWarning)
    adata = ad.read_h5ad(folder / "pbmc_sorted_10x.h5ad")
    ps.tl.aracne(adata, "human_tfs", groupby="cell_type", all_cells=True)
    print("edges of each network\n" + ps.get.network(adata)["group"].value_counts().rename_axis(None).to_string())
    sc.pp.normalize_total(adata)
    sc.pp.log1p(adata)

    ranks = {"expression": of_expression(adata)}
    everything = ps.get.network(adata, "all cells")
    ranks["network of all cells"] = of_activity(adata, everything)
    ranks["the same, NaRnEA"] = of_activity(adata, everything, enrichment="narnea")
    ranks["network of the type, or of the others"] = of_activity(
        adata, "aracne", groupby="cell_type", reference="all", without_network="meta"
    )
    collectri = pd.read_csv(folder / "collectri_human.csv")[["source", "target", "weight"]]
    ranks["CollecTRI"] = of_activity(adata, collectri)
    print("\nrank of known regulators among all in their type\n" + pd.DataFrame(ranks).T.to_string(na_rep="-"))


def of_expression(adata: ad.AnnData) -> dict[str, str]:
    """Ranks of genes of regulators."""
    factors = ps.datasets.regulators("human")
    genes = adata[:, adata.var_names.isin(factors)].copy()
    sc.tl.rank_genes_groups(genes, "cell_type", method="wilcoxon")
    table = sc.get.rank_genes_groups_df(genes, None).rename(columns={"names": "source"})
    return ranked(table)


def of_activity(adata: ad.AnnData, network: str | pd.DataFrame, **settings: str) -> dict[str, str]:
    """Ranks of activities."""
    ps.tl.viper(adata, network, min_targets=5, **settings)
    ps.tl.rank_regulators(adata, "cell_type")
    return ranked(ps.get.regulators(adata))


def ranked(table: pd.DataFrame) -> dict[str, str]:
    """Rank of every known regulator in its type, of how many."""
    found = {"regulators": str(table["source"].nunique())}
    for group, known in KNOWN.items():
        names = table.loc[table["group"] == group, "source"].astype(str).tolist()
        found |= {name: str(names.index(name) + 1) for name in known if name in names}
    return found


if __name__ == "__main__":
    main()
