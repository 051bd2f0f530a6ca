"""Compare with values of the published programs.

    python examples/check_reference.py FOLDER

FOLDER holds ``apmi.npz`` (mutual information by ARACNe-AP and ARACNe3), which is not shipped. Prints the largest
difference of every value. See ``check_viper_reference.py`` for VIPER.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import pysces as ps


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    mutual_information(parser.parse_args().folder / "apmi.npz")


def mutual_information(path: Path) -> None:
    """Six genes against forty, without ties, where both ways of treating ties agree."""
    reference = np.load(path)
    for key in (key for key in reference.files if key.startswith("mi_")):
        convention, n = key.removeprefix("mi_").rsplit("_", 1)
        for ties in ("block", "random"):
            model = ps.ARACNe(estimator="apmi", convention=convention.replace("_", "-"), ties=ties)
            found = model.mutual_information(reference[f"ranks_{n}"], np.arange(6))
            print(f"{key:18s} ties={ties:8s} {np.nanmax(np.abs(found - reference[key])):.1e}")


if __name__ == "__main__":
    main()
