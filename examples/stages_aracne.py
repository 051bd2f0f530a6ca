"""Speed of the ARACNe engine by stage, against a plain compiled implementation on lists of points (yardstick.py).

    python examples/stages_aracne.py [--long] [--json FILE]

Ratios are of one run: the yardstick on some of the pairs with one thread, pysces on all of them with one thread; values
are compared too. Then stages, growth with fitted exponents, and compilation; ``--long`` adds 100 subnetworks of 1,500
regulators x 15,000 genes x 1,000 cells with all threads.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
import yardstick

import pysces as ps
from pysces._csr import as_csc
from pysces._infer import estimator, null
from pysces._infer.depth import Depth
from pysces._infer.information import mutual_information, pairwise
from pysces._infer.partition import code
from pysces._infer.pruning import prune
from pysces._infer.ranks import GENES_PER_BLOCK, rank_genes, take_cells
from pysces._infer.significance import significant
from pysces._infer.subnetworks import Problem, score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pysces._infer.ranks import Ranks

NO_SEEDS = np.zeros(0, np.uint64)
BLOCK = estimator.Partition("aracne3", "block")
COPULA = estimator.GaussianCopula()
NO_NULL = null.Null({})
FIRST_CALL = """
import time
import numpy as np
import pysces as ps
X = np.random.default_rng(0).poisson(1.0, (60, 20))
seconds = []
for _ in range(2):
    since = time.perf_counter()
    for name in ("apmi", "gcmi"):
        for ties in ("block", "random"):
            ps.ARACNe(estimator=name, ties=ties, n_subnetworks=1, alpha=0.5).fit(X, [0, 1, 2])
    seconds.append(time.perf_counter() - since)
print(seconds[0] - seconds[1])
"""


def main() -> None:
    """Print the tables, and write them as JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    results: dict[str, object] = {}
    for name, x, y, tied in data_sets(rng):
        results[name] = row = information(x, y, tied)
        print(
            f"MI {name:32s} yardstick {row['yardstick'] / 1e3:6.0f} k pairs/s, pysces {row['pysces'] / 1e6:5.2f} M: "
            f"{row['ratio']:4.0f} x; second thread {row['second_thread']:.2f} x; difference {row['difference']:.0e}"
        )
    for part in (stages, growth, compilation, *([subnetworks] if arguments.long else [])):
        for name, value, unit in part(rng):
            results[name] = value
            print(f"{name:60s} {value:8.3f} {unit}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


def data_sets(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, np.ndarray, bool]]:
    """Name, regulators and targets (cells x genes), and whether values are tied."""
    for n in (250, 500, 1000, 2000):
        yield f"rho 0, n = {n}", rng.normal(size=(n, 150)), rng.normal(size=(n, 6000)), False
    shared = rng.normal(size=(1265, 1))
    targets = rng.normal(size=(1265, 3000))
    targets[:, :750] += 0.7 * shared
    yield "mixed, n = 1265", rng.normal(size=(1265, 150)) + 0.7 * shared, targets, False
    shared = rng.normal(size=(1000, 1))
    x, y = (np.sqrt(0.9) * shared + np.sqrt(0.1) * rng.normal(size=(1000, m)) for m in (150, 300))
    yield "rho 0.9, n = 1000", x, y, False
    for zeros, mean in ((85, 0.2), (95, 0.06)):
        x, y = (counts(rng, 2000, m, mean) for m in (150, 6000))
        yield f"counts, {zeros} % zeros, n = 2000", x, y, True


def counts(rng: np.random.Generator, n_cells: int, n_genes: int, mean: float) -> np.ndarray:
    """Independent negative binomial counts."""
    return rng.negative_binomial(0.6, 0.6 / (0.6 + mean), (n_cells, n_genes)).astype(float)


def information(x: np.ndarray, y: np.ndarray, tied: bool) -> dict[str, float]:
    """Pairs per second of both, and their largest difference on the pairs that both computed."""
    (codes_x, ends_x), (codes_y, ends_y) = (yardstick.codes(part.T[:m], tied=tied) for part, m in ((x, 30), (y, 60)))
    yardstick.pairs(codes_x[:1], ends_x, codes_y[:1], ends_y, tied)
    expected = yardstick.pairs(codes_x, ends_x, codes_y, ends_y, tied)
    theirs = best(lambda: yardstick.pairs(codes_x, ends_x, codes_y, ends_y, tied), 3) / expected.size
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


def stages(rng: np.random.Generator) -> Iterator[tuple[str, float, str]]:
    """Time of the other stages on one thread, and of the null on two."""
    for n in (250, 1000, 4000):
        for threads in (1, 2):
            seconds = best(lambda n=n, threads=threads: new_null(n, threads), 2)
            yield f"null of a million values, n = {n}, threads = {threads}", seconds, "s"
    X = as_csc(sp.csc_array(rng.negative_binomial(0.6, rng.uniform(0.4, 0.95, 3000), (4000, 3000)).astype(float)))
    ranks, taken = rank_genes(X, 1), np.sort(rng.choice(4000, 2000, replace=False))
    problem = Problem(ranks, Depth.of_counts(X, 4000), np.arange(150), np.ones(3000, np.bool_))
    yardstick_seconds = list_kernel_seconds(ranks, taken, X, 150)
    for name, chosen in (("apmi", BLOCK), ("gcmi", COPULA)):
        fitted = chosen.null(ranks, 2000, 1)
        seconds = best(lambda chosen=chosen, fitted=fitted: subnetwork(problem, taken, chosen, fitted), 3)
        yield f"whole subnetwork, {name}, 150 x 3000 x 2000", seconds, "s"
        yield f"the same, list kernel's MI alone over it, {name}", yardstick_seconds / seconds, "x"
    for zeros, mean in ((85, 0.2), (95, 0.06)):
        X = as_csc(counts(rng, 2000, 3000, mean))
        of_counts, depth = rank_genes(X, 1), Depth.of_counts(X, 2000)
        theirs = list_kernel_seconds(of_counts, np.arange(2000), X, 150)
        seconds = best(lambda r=of_counts, d=depth: COPULA.score(r, d, np.arange(150), NO_NULL, 0, 1, 0.05), 3)
        yield f"gcmi with p in strata of depth, {zeros} % zeros, list kernel over it", theirs / seconds, "x"
        yield f"strata of depth, 2000 x 3000, {zeros} % zeros", best(lambda x=X: Depth.of_counts(x, 2000), 3), "s"
    sample = take_cells(ranks, taken, 1)
    blocks = [slice(i, i + GENES_PER_BLOCK) for i in range(0, 2944, GENES_PER_BLOCK)]
    coding = best(lambda: [code(sample.genes(block), "aracne3", "block", NO_SEEDS) for block in blocks], 3)
    taking = best(lambda: take_cells(ranks, taken, 1), 3)
    for n_regulators in (150, 1500):
        whole = best(lambda n=n_regulators: information_of(sample, n), 3)
        share = (taking + coding) / (whole - coding)
        yield f"taking cells and coding over the rest of MI, {n_regulators} regulators", share, "x"
    mi = rng.random((1500, 15_000))
    regulators = np.sort(rng.choice(15_000, 1500, replace=False))
    mi[:, regulators] = (mi[:, regulators] + mi[:, regulators].T) / 2
    edges = mi > 0.555
    edges[np.arange(1500), regulators] = False
    seconds = best(lambda: prune(edges, mi, regulators, dpi="all", tolerance=0.0, n_threads=1), 2)
    yield f"DPI, {edges.sum() / 1e6:.1f} M edges, 1500 regulators", seconds, "s"


def new_null(n_cells: int, n_threads: int) -> None:
    """Build a null anew."""
    null._distinct_tails.clear()
    null.distinct_null(n_cells, "aracne3", n_threads)


def subnetwork(problem: Problem, taken: np.ndarray, chosen: estimator.Estimator, fitted: null.Null) -> None:
    """One subnetwork, from ranks of all cells to pruned edges."""
    sample = problem._replace(ranks=take_cells(problem.ranks, taken, 1), depth=problem.depth.take(taken))
    mi, log_p = score(sample, chosen, fitted, np.random.SeedSequence(0), 1, at_most=0.05)
    edges = significant(log_p, 0.05, "fdr")
    prune(edges, mi, problem.regulators, dpi="all", tolerance=0.0, n_threads=1)


def list_kernel_seconds(ranks: Ranks, taken: np.ndarray, X: ps._csr.CSR, n_regulators: int) -> float:
    """What the yardstick's MI would take for all pairs, from some of them."""
    dense = sp.csc_array((X.data, X.indices, X.indptr), shape=(X.n_columns, X.n_rows))[taken].toarray()
    (codes_x, ends_x), (codes_y, ends_y) = (
        yardstick.codes(part.T, tied=True) for part in (dense[:, :20], dense[:, 200:3000:40])
    )
    seconds = best(lambda: yardstick.pairs(codes_x, ends_x, codes_y, ends_y, True), 3)
    return seconds / (len(codes_x) * len(codes_y)) * n_regulators * ranks.n_genes


def information_of(ranks: Ranks, n_regulators: int) -> np.ndarray:
    """Information of the first genes with all, one thread, with coding."""
    regulators = np.arange(n_regulators)
    return mutual_information(ranks, regulators, convention="aracne3", ties="block", seed=0, n_threads=1)


def growth(rng: np.random.Generator) -> Iterator[tuple[str, float, str]]:
    """Exponents of time on one thread: least-squares slopes of log time on log size, coding included."""

    def exponent(sizes: list[float], make: Callable[[float], tuple[Ranks, int]]) -> tuple[float, list[float]]:
        seconds = []
        for size in sizes:
            ranks, n_regulators = make(size)
            seconds.append(best(lambda ranks=ranks, n=n_regulators: information_of(ranks, n), 3))
        return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0]), seconds

    def normal(n_cells: int, n_genes: int) -> Ranks:
        return rank_genes(as_csc(rng.normal(size=(n_cells, n_genes))), 2)

    def sparse(n_cells: int, n_genes: int, density: float) -> Ranks:
        return rank_genes(as_csc(counts(rng, n_cells, n_genes, density)), 2)

    sizes = [250, 1000, 4000, 16_000, 64_000]
    cases = {
        "cells 250 to 64,000, unrelated": (sizes, lambda n: (normal(n, 300), 100)),
        "cells 250 to 64,000, counts of mean 0.1": (sizes, lambda n: (sparse(n, 300, 0.1), 100)),
        "genes 500 to 8000": ([500, 2000, 8000], lambda n: (normal(500, n), 100)),
        "regulators 50 to 800": ([50, 200, 800], lambda n: (normal(500, 1600), n)),
        "density, mean 0.02 to 1": ([0.02, 0.06, 0.3, 1.0], lambda mean: (sparse(2000, 1600, mean), 200)),
    }
    for name, (of, make) in cases.items():
        found, seconds = exponent(of, make)
        yield f"growth with {name}: exponent", found, "  " + " ".join(f"{s:.3g}" for s in seconds) + " s"


def compilation(_: np.random.Generator) -> Iterator[tuple[str, float, str]]:
    """First call over a warm one, in new processes: with an empty cache of kernels, and with a full one."""
    with tempfile.TemporaryDirectory() as cache:
        for name in ("compiled at first use", "loaded from the cache"):
            environment = os.environ | {"NUMBA_CACHE_DIR": cache}
            command = [sys.executable, "-c", FIRST_CALL]
            seconds = subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout
            yield f"all kernels of ARACNe, {name}", float(seconds), "s"


def subnetworks(rng: np.random.Generator) -> Iterator[tuple[str, float, str]]:
    """100 subnetworks of counts with depth and 20 programmes, 1,500 regulators x 15,000 genes x 1,000 cells."""
    depth, mean = rng.lognormal(0, 0.4, (1000, 1)), rng.lognormal(-2.6, 1.3, 15_000)
    loads = rng.normal(size=(20, 15_000)) * (rng.random((20, 15_000)) < 0.08) * 0.8
    programmes = rng.normal(size=(1000, 20))
    rows = [
        rng.poisson(depth[i] * mean * np.exp(programmes[i] @ loads - 0.3 * (loads**2).sum(axis=0))) for i in range(1000)
    ]
    X = sp.csr_array(np.array(rows, np.float32))
    regulators = np.sort(rng.choice(15_000, 1500, replace=False))
    for name in ("apmi", "gcmi"):
        model = ps.ARACNe(estimator=name, n_subnetworks=100)
        since = time.perf_counter()
        model.fit(X, regulators)
        yield f"100 subnetworks, {name}, density {X.nnz / np.prod(X.shape):.2f}", time.perf_counter() - since, "s"
    yield "peak memory of this process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "GB"


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
