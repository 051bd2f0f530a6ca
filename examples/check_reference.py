"""Compare with values of the published programs.

    python examples/check_reference.py FOLDER

FOLDER holds ``apmi.npz`` (mutual information) and ``viper_small/`` (normalised enrichment scores of R viper). These
files are not shipped. Prints the largest difference of every quantity.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import pysces as ps


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    mutual_information(folder / "apmi.npz")
    enrichment(folder / "viper_small")


def mutual_information(path: Path) -> None:
    """Six genes against forty, without ties, where both ways of treating ties agree."""
    reference = np.load(path)
    for key in (key for key in reference.files if key.startswith("mi_")):
        convention, n = key.removeprefix("mi_").rsplit("_", 1)
        for ties in ("block", "random"):
            model = ps.ARACNe(convention=convention.replace("_", "-"), ties=ties)
            found = model.mutual_information(reference[f"ranks_{n}"], np.arange(6))
            print(f"{key:18s} ties={ties:8s} {np.nanmax(np.abs(found - reference[key])):.1e}")


def enrichment(folder: Path) -> None:
    """All signatures, with and without the gene filter, tied data, and one without a filter in R's loop branch."""
    reference = np.load(folder / "r_reference.npz", allow_pickle=True)
    inputs = np.load(folder / "inputs.npz", allow_pickle=True)
    genes = [str(gene) for gene in inputs["genes"]]
    network = pd.read_csv(folder / "net1.tsv", sep="\t").rename(columns={"regulator": "source", "mor": "weight"})
    runs = [
        (f"viper_{tied}{signature}{suffix}", data, {"signature": signature, "filter_genes": not suffix})
        for signature in ("none", "scale", "rank", "mad", "ttest")
        for suffix in ("", "_nofilter")
        for tied, data in (("", inputs["expr"]), ("tied_", inputs["tied"]))
        if f"viper_{tied}{signature}{suffix}" in reference.files and (tied, signature) not in ELSEWHERE
    ]
    runs.append(("area_loop_nes", inputs["expr"], {"filter_genes": False, "min_targets": 20}))
    tied = {"signature": "none", "filter_genes": False, "min_targets": 20}
    runs.append(("area_tied_loop_nes", inputs["tied"], tied))
    for key, x, options in runs:
        model = ps.VIPER(network, **options).fit(x, genes)
        found = pd.DataFrame(model.transform(x), columns=model.regulators_)
        wanted = reference[key].T
        names = [str(name) for name in reference[f"{key}__rn"]]
        print(f"{key:28s} {np.abs(found[names].to_numpy() - wanted).max():.1e}")


# R measures one tail from the largest distance of the whole matrix for these tied inputs, we from that of each cell;
# its MAD of zero gives infinite signatures, which are missing here
ELSEWHERE = {("tied_", "none"), ("tied_", "mad"), ("tied_", "ttest")}

if __name__ == "__main__":
    main()
