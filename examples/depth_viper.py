"""How scores of VIPER follow the sequencing depth, and whether strata of depth help: like cells, half of them thinned.

    python examples/depth_viper.py FOLDER

FOLDER holds pbmc_facs.h5ad, pbmc_ifnb_kang.h5ad and collectri_human.csv. The counts of a random half of the cells are
thinned, so that no regulator differs; printed is the share of regulators with q < 0.05, as they are and within strata.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
import scipy.sparse as sp

import pysces as ps

SIGNATURES = ["scale", "mean", "ttest", "rank", "doublerank", "none"]


def cells_of(path: Path, column: str, label: str) -> ad.AnnData:
    """Counts of one group of cells and of the genes that ten of them have."""
    adata = ad.read_h5ad(path)
    adata = adata[adata.obs[column] == label].copy()
    adata.X = sp.csr_matrix(adata.X).astype(np.float64)
    sc.pp.filter_genes(adata, min_cells=10)
    return adata


def thinned(adata: ad.AnnData, share: float, seed: int) -> ad.AnnData:
    """Log-normalised cells, of which half kept that share of their counts."""
    rng = np.random.default_rng(seed)
    shallow = rng.permutation(adata.n_obs) < adata.n_obs // 2
    counts = adata.X.copy()
    of_shallow = shallow[np.repeat(np.arange(adata.n_obs), np.diff(counts.indptr))]
    counts.data[of_shallow] = rng.binomial(counts.data[of_shallow].astype(int), share)
    counts.eliminate_zeros()
    found = ad.AnnData(counts, obs=adata.obs.copy(), var=adata.var[[]].copy())
    found.obs["depth of cells"] = pd.Categorical(np.where(shallow, "shallow", "deep"))
    sc.pp.filter_cells(found, min_genes=1)
    sc.pp.normalize_total(found, target_sum=1e4)
    sc.pp.log1p(found)
    return found


def ranked(adata: ad.AnnData, **settings: str) -> tuple[float, bool]:
    """Share of regulators that differ, and whether the depth was warned of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ps.tl.rank_regulators(adata, "depth of cells", **settings)
    table = ps.get.regulators(adata, "deep")
    return float((table["log_qvalue"] < np.log(0.05)).mean()), any("depth" in str(one.message) for one in told)


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    network = pd.read_csv(folder / "collectri_human.csv")[["source", "target", "weight"]]
    network = network.drop_duplicates(["source", "target"])
    print("| cells | signature | counts kept | q < 0.05 | warned | within strata of depth |\n|---|---|---|---|---|---|")
    for file, column, label in [
        ("pbmc_facs.h5ad", "celltype", "CD19+ B"),
        ("pbmc_ifnb_kang.h5ad", "condition", "ctrl"),
    ]:
        adata = cells_of(folder / file, column, label)
        for share, signatures in [(1.0, ["scale"]), (0.9, ["scale"]), (0.8, ["scale"]), (0.7, ["scale"]),
                                  (0.5, SIGNATURES)]:  # fmt: skip
            cells = thinned(adata, share, 0)
            for signature in signatures:
                ps.tl.viper(cells, network, signature=signature, min_targets=5)
                plain, warned = ranked(cells)
                within, _ = ranked(cells, strata="depth")
                print(f"| {label} | {signature} | {share} | {plain:.3f} | {'yes' if warned else 'no'} | {within:.3f} |",
                      flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
