"""Whether tl.regulator_conservation finds the same types of cells, and whether its p-values hold.

    python examples/conservation.py FOLDER

FOLDER holds ``pbmc_sorted_10x.h5ad`` (counts) and ``collectri_human.csv``. Halves of each type are compared by activity
with CollecTRI, as it is and less the mean of every regulator. For the null, the genes of one half are permuted before
its activities are scored, so that targets stay shared but mean nothing.
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

GROUPS = {"groupby": "cell_type", "other_groupby": "cell_type"}


def main() -> None:
    """Print all three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    network = pd.read_csv(given.folder / "collectri_human.csv")[["source", "target", "weight"]]
    adata = ad.read_h5ad(given.folder / "pbmc_sorted_10x.h5ad")
    sc.pp.normalize_total(adata)
    sc.pp.log1p(adata)
    one, two = (activities(adata[start::2], network) for start in (0, 1))
    for name, centred in (("as they are", False), ("less the mean of each regulator", True)):
        print(f"halves, {name}\n{compared(one, two, centred=centred).round(1).to_string()}\n")
    p = {False: [], True: []}
    for seed in range(given.seeds):
        half = adata[1::2].copy()
        half.X = half.X[:, np.random.default_rng(seed).permutation(half.n_vars)]
        permuted = activities(half, network)
        for centred, found in p.items():
            found.append(compared(one, permuted, centred=centred, values="log_pvalue").to_numpy().ravel())
    for centred, found in p.items():
        of_pairs = np.exp(np.concatenate(found))
        shares = ", ".join(f"p < {level:g}: {np.mean(of_pairs < level):.3f}" for level in (0.05, 0.01, 0.001))
        print(f"genes permuted{', centred' if centred else ''}: {shares} of {len(of_pairs)} pairs")


def activities(cells: ad.AnnData, network: pd.DataFrame) -> ad.AnnData:
    """Cells x regulators."""
    scored = cells.copy()
    ps.tl.viper(scored, network, min_targets=5)
    return ps.get.activity(scored)


def compared(one: ad.AnnData, two: ad.AnnData, *, centred: bool, values: str = "nes") -> pd.DataFrame:
    """Types of the first in rows, of the second in columns."""
    one, two = one.copy(), two.copy()
    if centred:
        for data in (one, two):
            sc.pp.scale(data)
    ps.tl.regulator_conservation(one, two, **GROUPS)
    return ps.get.conservation(one).pivot_table(index="sample", columns="other", values=values, observed=True)


if __name__ == "__main__":
    main()
