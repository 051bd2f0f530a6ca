"""How often p-values of activities are small when targets are random genes.

    python examples/calibration_viper.py FOLDER

FOLDER holds ``pbmc_ifnb_kang.h5ad`` (counts) and ``collectri_human.csv``. In every cell the z-scores of the genes are
shuffled before regulons are scored, so that targets are random. Prints for each kind of regulon the variance of the NES
of aREA, and how often p is below three levels, over the level: conventional, 2 Phi(-abs(NES)), and those of
get.pvalues, for aREA and for NaRnEA.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc

import pysces as ps

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = (1e-2, 1e-3, 1e-4)
MIN_TARGETS = 25


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    adata = ad.read_h5ad(folder / "pbmc_ifnb_kang.h5ad")
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    counts = ad.read_h5ad(folder / "pbmc_ifnb_kang.h5ad")
    collectri = pd.read_csv(folder / "collectri_human.csv")
    head = "".join(f"{kind:>9s} {level:.0e}" for kind in ("conv.", "area", "narnea") for level in LEVELS)
    print(f"{'regulons':44s}{'variance':>10s}{head}")
    shuffled = with_shuffled_genes(adata)
    options = {"signature": "none", "min_targets": MIN_TARGETS, "filter_genes": False}
    for name, network in networks(counts, collectri):
        ps.tl.viper(shuffled, network, **options)
        ps.tl.viper(shuffled, network, **options, enrichment="narnea", key_added="narnea")
        tables = [
            ps.get.pvalues(shuffled, calibrated=False), ps.get.pvalues(shuffled), ps.get.pvalues(shuffled, key="narnea")
        ]  # fmt: skip
        shares = "".join(f"{(p.to_numpy() < level).mean() / level:15.2f}" for p in tables for level in LEVELS)
        print(f"{name:44s}{shuffled.obsm['viper'].to_numpy().var():10.2f}{shares}", flush=True)


def with_shuffled_genes(adata: ad.AnnData) -> ad.AnnData:
    """z-scores of all cells, the genes of each in random order."""
    values = adata.X.toarray().astype(np.float64)
    sd = values.std(axis=0, ddof=1)
    values = (values - values.mean(axis=0)) / np.where(sd > 0, sd, 1)
    np.random.default_rng(0).permuted(values, axis=1, out=values)
    return ad.AnnData(values, var=adata.var[[]])


def networks(counts: ad.AnnData, collectri: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Regulons of different modes and likelihoods."""
    yield "CollecTRI: modes 1 and -1, likelihood 1", collectri[["source", "target", "weight"]]
    rng = np.random.default_rng(0)
    yield (
        "the same, likelihoods in (0, 1)",
        collectri[["source", "target", "weight"]].assign(likelihood=rng.uniform(0.05, 1, len(collectri))),
    )
    yield (
        "the same, modes in (-1, 1) too",
        collectri[["source", "target"]].assign(
            weight=rng.uniform(-1, 1, len(collectri)), likelihood=rng.uniform(0.05, 1, len(collectri))
        ),
    )
    ps.tl.aracne(counts, regulators="human_tfs", n_subnetworks=5)
    network = ps.get.network(counts)
    yield "tl.aracne: Spearman as mode", network
    yield "the same, mode by pp.mode_of_regulation", ps.pp.mode_of_regulation(network)


if __name__ == "__main__":
    main()
