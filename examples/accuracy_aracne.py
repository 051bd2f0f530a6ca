"""How well estimators rank true edges: AUPRC over prevalence, and precision of the first thousandth over prevalence.

    python examples/accuracy_aracne.py [FOLDER] [--seeds N] [--json FILE]

On simulated sets (mean and standard deviation over seeds) and on those of FOLDER (see accuracy_sets.py). A random
ranking has 1. Every estimator is given the same values: counts, or what the column says. The last rows are means of
the ratio to the best column of each set.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp
from accuracy_sets import RECIPES, of_folder, simulated

import pysces as ps

if TYPE_CHECKING:
    from collections.abc import Callable

    from accuracy_sets import Set


def normalised(x: sp.csr_array, target_sum: float) -> sp.csr_array:
    """log1p of counts per so many."""
    size = np.maximum(np.asarray(x.sum(axis=1)).ravel(), 1)
    return (sp.diags_array(target_sum / size) @ x).log1p().tocsr()


def pearson(values: np.ndarray, regulators: np.ndarray) -> np.ndarray:
    """Absolute correlation."""
    centred = values - values.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=0), 1e-12)
    return np.abs(centred[:, regulators].T @ centred)


def spearman(values: np.ndarray, regulators: np.ndarray) -> np.ndarray:
    """Absolute rank correlation."""
    from scipy.stats import rankdata

    return pearson(rankdata(values, axis=0), regulators)


def estimators(of: Set) -> dict[str, Callable[[], np.ndarray]]:
    """What is compared; networks of normalised values are those of counts unless depth is None."""
    x, regulators = of.X, of.regulators
    log, deep = (normalised(x, per) if of.is_counts else x for per in (1e4, 1e5))
    programs = ps.ARACNe(estimator="apmi", ties="random")
    return {
        "gcmi (default)": lambda: ps.ARACNe().mutual_information(x, regulators),
        "gcmi, no depth": lambda: ps.ARACNe().mutual_information(x, regulators, depth=None),
        "apmi": lambda: ps.ARACNe(estimator="apmi").mutual_information(x, regulators),
        "gcmi, log, no depth": lambda: ps.ARACNe().mutual_information(log, regulators, depth=None),
        "apmi, log, random ties": lambda: programs.mutual_information(log, regulators),
        "Spearman, log": lambda: spearman(log.toarray(), regulators),
        "Pearson, log": lambda: pearson(log.toarray(), regulators),
        "Pearson, log CP100k": lambda: pearson(deep.toarray(), regulators),
        "detection rate alone": lambda: np.outer(*[_spread(x)[of] for of in (regulators, slice(None))]),
    }


def _spread(x: sp.csr_array) -> np.ndarray:
    share = np.asarray(x.astype(bool).sum(axis=0)).ravel() / x.shape[0]
    return np.sqrt(share * (1 - share))


def judge(score: np.ndarray, of: Set) -> tuple[float, float]:
    """AUPRC and early precision over prevalence."""
    tested = np.ones(score.shape, bool)
    tested[np.arange(len(of.regulators)), of.regulators] = False
    truth = of.truth[tested][np.argsort(-np.nan_to_num(score[tested]), kind="stable")]
    precision = np.cumsum(truth) / np.arange(1, len(truth) + 1)
    early = precision[max(100, len(truth) // 1000) - 1]
    return float(precision[truth].mean() / truth.mean()), float(early / truth.mean())


def table(found: dict[str, list[dict[str, tuple[float, float]]]], which: int) -> pd.DataFrame:
    """Sets x estimators: mean, and standard deviation over seeds where there are several."""
    rows = {}
    for name, runs in found.items():
        values = {column: [run[column][which] for run in runs] for column in runs[0]}
        spread = {c: f" +- {np.std(v, ddof=1):.2f}" if len(v) > 1 else "" for c, v in values.items()}
        rows[name] = {column: f"{np.mean(v):.2f}{spread[column]}" for column, v in values.items()}
    return pd.DataFrame(rows).T


def relative(found: dict[str, list[dict[str, tuple[float, float]]]]) -> pd.Series:
    """Mean over sets of AUPRC over that of the best column."""
    means = pd.DataFrame({n: {c: np.mean([r[c][0] for r in runs]) for c in runs[0]} for n, runs in found.items()})
    return (means / means.drop("detection rate alone").max()).mean(axis=1)


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, tuple[float, float]]]] = {}
    sets = (simulated(name, seed) for name in RECIPES for seed in range(arguments.seeds))
    for part in ("simulated", "folder"):
        of_part: dict[str, list[dict[str, tuple[float, float]]]] = {}
        for of in sets if part == "simulated" else of_folder(arguments.folder) if arguments.folder else []:
            of_part.setdefault(of.name, []).append({name: judge(run(), of) for name, run in estimators(of).items()})
        if of_part:
            for which, title in enumerate(("AUPRC over prevalence", "early precision over prevalence")):
                print(f"\n{title}, {part}\n{table(of_part, which).to_string()}")
            print(f"\nmean over sets of AUPRC over the best, {part}\n{relative(of_part).round(3).to_string()}")
        found |= of_part
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
