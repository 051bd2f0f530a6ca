"""ARACNe in plain Python, in numpy and compiled: time, speed-up and memory on three sets.

    python examples/benchmark_aracne.py [--sets small medium large] [--size CELLS GENES REGULATORS] [--quick]
                                        [--json FILE] [--figure FILE]

From counts, genes are ranked, the mutual information of every regulator with every gene is estimated (``"apmi"`` by
adaptive partitioning, ``"gcmi"`` by a Gaussian copula, without strata of depth), and pairs above a threshold are pruned
by the data processing inequality; p-values are left out of all versions. Plain Python and numpy are plain_aracne.py;
what would run too long is measured on some of the pairs, evenly spread, and scaled. Every version runs in a process of
its own, and its information and edges are compared with those of pysces: to 1e-9 nats, of ``"gcmi"`` to 1e-6, since
pysces rounds scores so that sums are exact. "numba, first call" compiles all kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plain_aracne as plain
import scipy.sparse as sp
from benchmarking import COLD, PYSCES, PYTHON, THREADS, Part, Script, Size, detected, main, some, timed

from pysces._csr import as_csc
from pysces._infer.depth import Depth
from pysces._infer.estimator import GaussianCopula, Partition
from pysces._infer.pruning import prune
from pysces._infer.ranks import rank_genes
from pysces._parallel import resolve_threads

if TYPE_CHECKING:
    from pathlib import Path

ESTIMATORS = {"apmi": Partition("aracne3", "block"), "gcmi": GaussianCopula()}
EDGES = 0.02
"""Share of the pairs above the threshold."""
REGULATORS = 20
PAIRS = {("apmi", PYTHON): 1000, ("gcmi", PYTHON): 50_000, ("apmi", "numpy"): 50_000}
"""Pairs that a version is measured on at most."""


def save(size: Size, folder: Path) -> None:
    """Counts with depth and 20 programmes, and random regulators."""
    rng = np.random.default_rng(0)
    n_cells, n_genes, n_regulators = size
    more = n_genes * 2  # of which those are kept that are detected in enough cells
    depth, mean = rng.lognormal(0, 0.2, (n_cells, 1)), rng.lognormal(-2.0, 1.3, more)
    loads = rng.normal(size=(20, more)) * (rng.random((20, more)) < 0.08) * 0.8
    programmes = rng.normal(size=(n_cells, 20))
    pieces = [
        sp.csr_array(rng.poisson(depth[cells] * mean * np.exp(programmes[cells] @ loads - (loads**2).sum(axis=0) / 2)))
        for cells in (slice(i, i + 100) for i in range(0, n_cells, 100))
    ]
    sp.save_npz(folder / "X.npz", detected(sp.csc_array(sp.vstack(pieces, format="csc")), n_genes))
    np.save(folder / "regulators.npy", np.sort(rng.choice(n_genes, n_regulators, replace=False)))


def run(method: str, which: str, folder: Path) -> tuple[dict[str, Part], float]:
    """One version on one set."""
    X, regulators = sp.csr_array(sp.load_npz(folder / "X.npz")), np.load(folder / "regulators.npy")
    if which in {COLD, PYSCES, THREADS}:
        return run_pysces(method, which, X, regulators, folder)
    of_pysces = {name: np.load(folder / f"{method}_{name}.npy") for name in ("mi", "edges", "left")}
    rows, columns = np.arange(len(regulators)), np.arange(X.shape[1])
    most = PAIRS.get((method, which), np.inf)
    if len(rows) * len(columns) > most:
        rows = some(len(rows), REGULATORS)
        columns = some(len(columns), most // len(rows))
    versions = {PYTHON: run_python, "numpy": run_numpy}
    mi, left, parts = versions[which](method, X, regulators, rows, columns, of_pysces)
    expected = of_pysces["mi"][np.ix_(rows, columns)]
    if not np.array_equal(left, of_pysces["left"]):
        msg = f"{method}, {which}: the edges are not those of pysces."
        raise RuntimeError(msg)
    return parts, float(np.nanmax(np.abs(mi - expected)))


def run_pysces(
    method: str, which: str, X: sp.csr_array, regulators: np.ndarray, folder: Path
) -> tuple[dict[str, Part], float]:
    """Compiled; the first call writes what others are compared with."""
    n_threads, known = resolve_threads(0 if which == THREADS else 1), folder / f"{method}_threshold.npy"
    ranks, ranking = timed(lambda: rank_genes(as_csc(X), n_threads))
    depth = Depth.none(X.shape[0])
    mi, informing = timed(lambda: ESTIMATORS[method].information(ranks, depth, regulators, 0, n_threads))
    threshold = np.load(known) if known.exists() else np.nanquantile(mi, 1 - EDGES)
    left, pruning = timed(lambda: prune(mi > threshold, mi, regulators, dpi="all", tolerance=0.0, n_threads=n_threads))
    difference = 0.0
    if known.exists():
        difference = float(np.nanmax(np.abs(mi - np.load(folder / f"{method}_mi.npy"))))
    else:
        for name, found in {"threshold": threshold, "mi": mi, "edges": mi > threshold, "left": left}.items():
            np.save(folder / f"{method}_{name}.npy", found)
    return {"genes": ranking, "pairs": informing, "edges": pruning}, difference


def run_python(
    method: str, X: sp.csr_array, regulators: np.ndarray, rows: np.ndarray, columns: np.ndarray, of: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray, dict[str, Part]]:
    """Lists and math; all edges are pruned."""
    n_genes, n_pairs = X.shape[1], len(rows) * len(columns)
    genes = sorted({*regulators[rows].tolist(), *columns.tolist()})
    values = dict(zip(genes, X[:, genes].toarray().T.tolist(), strict=True))
    code, information = {
        "apmi": (plain.rank_gene, plain.partition_information),
        "gcmi": (plain.normal_scores, plain.copula_information),
    }[method]
    coded, ranking = timed(lambda: {gene: code(values[gene]) for gene in genes}, len(genes), n_genes)
    pairs = [(regulator, gene) for regulator in regulators[rows].tolist() for gene in columns.tolist()]
    mi, informing = timed(
        lambda: [float("nan") if x == y else information(coded[x], coded[y]) for x, y in pairs],
        n_pairs,
        len(regulators) * n_genes,
    )
    edges = {
        regulator: dict(zip(found.tolist(), strength[found].tolist(), strict=True))
        for regulator, strength, held in zip(regulators.tolist(), of["mi"], of["edges"], strict=True)
        for found in [np.flatnonzero(held)]
    }
    kept, pruning = timed(lambda: plain.prune(edges))
    left = np.zeros_like(of["edges"])
    if kept:
        a, b = np.array(sorted(kept)).T
        left[np.searchsorted(regulators, a), b] = True
    return np.reshape(mi, (len(rows), -1)), left, {"genes": ranking, "pairs": informing, "edges": pruning}


def run_numpy(
    method: str, X: sp.csr_array, regulators: np.ndarray, rows: np.ndarray, columns: np.ndarray, of: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray, dict[str, Part]]:
    """Vectorised; all edges are pruned."""
    code, information = {
        "apmi": (plain.rank_genes, plain.pairwise_partition_information),
        "gcmi": (plain.gene_scores, plain.pairwise_copula_information),
    }[method]
    values = X.toarray().T.copy()
    coded, ranking = timed(lambda: code(values))
    done, of_all = len(rows) * len(columns), len(regulators) * X.shape[1]
    mi, informing = timed(lambda: information(coded, regulators[rows], columns), done, of_all)
    mi[regulators[rows][:, None] == columns] = np.nan
    left, pruning = timed(lambda: plain.pruned(of["edges"], of["mi"], regulators))
    return mi, left, {"genes": ranking, "pairs": informing, "edges": pruning}


SCRIPT = Script(
    name="aracne",
    file=__file__,
    sizes={"small": Size(500, 1000, 50), "medium": Size(1000, 5000, 300), "large": Size(2000, 15_000, 1000)},
    quick={"tiny": Size(100, 60, 6)},
    methods=("apmi", "gcmi"),
    versions=(PYSCES, THREADS, PYTHON, "numpy"),
    save=save,
    run=run,
    tolerance={"apmi": 1e-9, "gcmi": 1e-6},
    note="Ranks, mutual information of all pairs, and pruning of the strongest 2 %; see the head of the script.",
)

if __name__ == "__main__":
    main(SCRIPT, __doc__)
