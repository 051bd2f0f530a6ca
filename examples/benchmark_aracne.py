"""Speed of the ARACNe engine by stage, against a plain compiled implementation on lists of points (yardstick.py).

    python examples/benchmark_aracne.py [--json FILE]

All ratios are of one run: the yardstick on some of the pairs with one thread, pysces on all of them with one thread.
Values are compared too.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
import yardstick

from pysces._csr import as_csc
from pysces._infer import null
from pysces._infer.information import pairwise
from pysces._infer.partition import code
from pysces._infer.pruning import prune
from pysces._infer.ranks import rank_genes, take_cells
from pysces._infer.significance import significant
from pysces._infer.subnetworks import Settings, build_null, score

if TYPE_CHECKING:
    from collections.abc import Callable

NO_SEEDS = np.zeros(0, np.uint64)
SETTINGS = Settings("aracne3", "block", 1, 0.5, 0.05, "fdr", "all", 0.0)


def main() -> None:
    """Print the table, and write it as JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    path: Path | None = parser.parse_args().json
    rng = np.random.default_rng(0)
    results = {}
    for name, x, y, tied in data_sets(rng):
        results[name] = row = information(x, y, tied)
        print(
            f"MI {name:32s} yardstick {row['yardstick'] / 1e3:6.0f} k pairs/s, pysces {row['pysces'] / 1e6:5.2f} M: "
            f"{row['ratio']:4.0f} x; second thread {row['second_thread']:.2f} x; difference {row['difference']:.0e}"
        )
    results |= stages(rng)
    if path:
        path.write_text(json.dumps(results, indent=1))


def data_sets(rng: np.random.Generator) -> list[tuple[str, np.ndarray, np.ndarray, bool]]:
    """Name, regulators and targets (cells x genes), and whether values are tied."""
    sets = [
        (f"rho 0, n = {n}", rng.normal(size=(n, 150)), rng.normal(size=(n, 1000)), False)
        for n in (250, 500, 1000, 2000)
    ]
    shared = rng.normal(size=(1265, 1))
    targets = rng.normal(size=(1265, 3000))
    targets[:, :750] += 0.7 * shared
    sets.append(("mixed, n = 1265", rng.normal(size=(1265, 150)) + 0.7 * shared, targets, False))
    shared = rng.normal(size=(1000, 1))
    x, y = (np.sqrt(0.9) * shared + np.sqrt(0.1) * rng.normal(size=(1000, m)) for m in (150, 300))
    sets.append(("rho 0.9, n = 1000", x, y, False))
    for zeros, mean in ((85, 0.2), (95, 0.06)):
        x, y = (rng.negative_binomial(0.6, 0.6 / (0.6 + mean), (2000, m)).astype(float) for m in (150, 1000))
        sets.append((f"counts, {zeros} % zeros, n = 2000", x, y, True))
    return sets


def information(x: np.ndarray, y: np.ndarray, tied: bool) -> dict[str, float]:
    """Pairs per second of both, and their largest difference on the pairs that both computed."""
    some = [yardstick.codes(part.T[:m], tied=tied) for part, m in ((x, 30), (y, 60))]
    (codes_x, ends_x), (codes_y, ends_y) = some
    yardstick.pairs(codes_x[:1], ends_x, codes_y[:1], ends_y, tied)
    expected = yardstick.pairs(codes_x, ends_x, codes_y, ends_y, tied)
    theirs = best(lambda: yardstick.pairs(codes_x, ends_x, codes_y, ends_y, tied), 2) / expected.size
    coded = [code(rank_genes(as_csc(part), 1), "aracne3", "block", NO_SEEDS) for part in (x, y)]
    found = pairwise(*coded, 1)
    ours, two = (best(lambda threads=threads: pairwise(*coded, threads), 5) / found.size for threads in (1, 2))
    return {
        "yardstick": 1 / theirs,
        "pysces": 1 / ours,
        "ratio": theirs / ours,
        "second_thread": ours / two,
        "difference": float(np.abs(found[:30, :60] - expected).max()),
    }


def stages(rng: np.random.Generator) -> dict[str, float]:
    """Seconds of the other stages, on one thread."""
    results = {}
    for n in (250, 1000, 4000):
        null._distinct_nulls.clear()
        results[f"null, n = {n}"] = best(
            lambda n=n: (null._distinct_nulls.clear(), null.distinct_null(n, "aracne3", 1)), 2
        )
    counts = sp.csc_array(rng.negative_binomial(0.6, rng.uniform(0.4, 0.95, 3000), (4000, 3000)).astype(float))
    ranks, regulators = rank_genes(as_csc(counts), 1), np.arange(150)
    taken = np.sort(rng.choice(4000, 2000, replace=False))
    fitted = build_null(ranks, 2000, SETTINGS, 1)
    targets = np.ones(3000, np.bool_)

    def subnetwork() -> None:
        sample = take_cells(ranks, taken, 1)
        mi, log_p = score(sample, regulators, targets, fitted, SETTINGS, np.random.SeedSequence(0), 1, at_most=0.05)
        prune(significant(log_p, 0.05, "fdr"), mi, regulators, dpi="all", tolerance=0.0, n_threads=1)

    subnetwork()
    results["whole subnetwork, 150 x 3000 x 2000"] = best(subnetwork, 3)
    mi = rng.random((1500, 15_000))
    regulators = np.sort(rng.choice(15_000, 1500, replace=False))
    mi[:, regulators] = (mi[:, regulators] + mi[:, regulators].T) / 2
    edges = mi > 0.555
    edges[np.arange(1500), regulators] = False
    results[f"DPI, {edges.sum() / 1e6:.1f} M edges, 1500 regulators"] = best(
        lambda: prune(edges, mi, regulators, dpi="all", tolerance=0.0, n_threads=1), 1
    )
    for name, seconds in results.items():
        print(f"{name:40s} {seconds:7.3f} s")
    return results


def best(call: Callable[[], object], times: int) -> float:
    """Shortest of some runs, in seconds."""
    seconds = []
    for _ in range(times):
        since = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - since)
    return min(seconds)


if __name__ == "__main__":
    main()
