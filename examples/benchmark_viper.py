"""VIPER in plain Python, in numpy, compiled, and by decoupler: time, speed-up and memory on three sets.

    python examples/benchmark_viper.py [--sets small medium large] [--size CELLS GENES REGULATORS] [--quick]
                                       [--json FILE] [--figure FILE]

From log counts, about 10 % of them not zero, and a network to NES: z-scores over all cells, ranks of all genes, and
aREA with 100 targets per regulon. Likelihoods are 1, since decoupler knows no others. Plain Python and numpy are
plain_viper.py; decoupler is given z-scores by numpy, which its time holds. What would run too long is measured on some
of the cells, evenly spread, and scaled; its peak memory is that of the part. Every version runs in a process of its
own, and its NES are compared with those of pysces. "numba, first call" compiles all kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plain_viper as plain
import scipy.sparse as sp
from benchmarking import COLD, PYSCES, PYTHON, THREADS, Part, Script, Size, detected, main, some, timed

import pysces as ps

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TARGETS = 100
DENSITY = 0.1
CELLS = {PYTHON: 25, "numpy": 2000, "decoupler": 2000}
"""Cells that a version scores at most."""
MOMENTS = 500
"""Genes of which plain Python takes moments at most."""


def save(size: Size, folder: Path) -> None:
    """log1p of counts per 10,000, and random regulons."""
    rng = np.random.default_rng(0)
    n_cells, n_genes, n_regulators = size
    mean, depth = np.exp(rng.normal(0, 1.5, 2 * n_genes)), rng.lognormal(0, 0.5, n_cells)
    low, high = 1e-6, 1e3
    for _ in range(50):
        scale = np.sqrt(low * high)
        low, high = (low, scale) if -np.expm1(-scale * np.outer(depth[:200], mean)).mean() > DENSITY else (scale, high)
    pieces = [
        sp.csr_array(rng.poisson(np.outer(depth[i : i + 500], mean * low)).astype(np.float32))
        for i in range(0, n_cells, 500)
    ]
    X = detected(sp.csc_array(sp.vstack(pieces, format="csc")), n_genes)
    X.data = np.log1p(X.data * np.repeat(1e4 / np.maximum(X.sum(axis=1), 1), np.diff(X.indptr))).astype(np.float32)
    sp.save_npz(folder / "X.npz", X)
    n_targets = min(TARGETS, n_genes // 2)
    network = {
        "source": np.repeat([f"R{i:04d}" for i in range(n_regulators)], n_targets),
        "target": names(n_genes)[np.concatenate([rng.choice(n_genes, n_targets, False) for _ in range(n_regulators)])],
        "weight": rng.uniform(-1, 1, n_regulators * n_targets),
        "likelihood": 1.0,
    }
    pd.DataFrame(network).to_csv(folder / "network.csv", index=False)


def names(n_genes: int) -> NDArray[np.object_]:
    """Names of genes."""
    return np.array([f"g{i}" for i in range(n_genes)], dtype=object)


def run(_: str, which: str, folder: Path) -> tuple[dict[str, Part], float]:
    """One version on one set."""
    X, network = sp.csr_array(sp.load_npz(folder / "X.npz")), pd.read_csv(folder / "network.csv")
    known = folder / "nes.npy"
    if which in {COLD, PYSCES, THREADS}:
        n_threads = 0 if which == THREADS else 1
        genes = names(X.shape[1])
        nes, part = timed(lambda: ps.VIPER(network, filter_genes=False, n_threads=n_threads).fit(X, genes).transform(X))
        if not known.exists():
            np.save(known, nes)
        cells, parts = np.arange(len(nes)), {"cells": part}
    else:
        cells = some(X.shape[0], CELLS[which])
        versions = {PYTHON: run_python, "numpy": run_numpy, "decoupler": run_decoupler}
        nes, parts = versions[which](X, network, cells)
    return parts, float(np.abs(nes - np.load(known)[cells]).max())


def run_python(X: sp.csr_array, network: pd.DataFrame, cells: NDArray[np.intp]) -> tuple[Any, dict[str, Part]]:
    """Lists and math."""
    n_cells, n_genes = X.shape
    place = {name: i for i, name in enumerate(names(n_genes))}
    of_edges = network.assign(target=network["target"].map(place))[["target", "weight", "likelihood"]]
    regulons = [list(edges.itertuples(index=False, name=None)) for _, edges in of_edges.groupby(network["source"])]
    genes = some(n_genes, MOMENTS)
    columns = X[:, genes].toarray().astype(float).T.tolist()
    rows = X[cells].toarray().astype(float).tolist()
    moments, taking = timed(lambda: [plain.gene_moments(values) for values in columns], len(genes), n_genes)
    if len(genes) < n_genes:
        moments = list(zip(*(of.tolist() for of in plain.moments(X.toarray())), strict=True))
    nes, scoring = timed(lambda: [plain.cell_scores(row, moments, regulons) for row in rows], len(cells), n_cells)
    return np.array(nes), {"genes": taking, "cells": scoring}


def run_numpy(X: sp.csr_array, network: pd.DataFrame, cells: NDArray[np.intp]) -> tuple[Any, dict[str, Part]]:
    """Vectorised."""
    values = X.toarray()
    regulator, target = pd.factorize(network["source"])[0], network["target"].str[1:].astype(int)
    shape = (X.shape[1], regulator.max() + 1)
    mode, likelihood = (sp.csc_array((network[of], (target, regulator)), shape) for of in ("weight", "likelihood"))
    (mean, sd), taking = timed(lambda: plain.moments(values))
    some_cells = values[cells]
    nes, scoring = timed(lambda: plain.scores(some_cells, mean, sd, mode, likelihood), len(cells), len(values))
    return nes, {"genes": taking, "cells": scoring}


def run_decoupler(X: sp.csr_array, network: pd.DataFrame, cells: NDArray[np.intp]) -> tuple[Any, dict[str, Part]]:
    """Its viper, on z-scores."""
    import decoupler as dc

    values, genes = X.toarray(), names(X.shape[1])
    (mean, sd), taking = timed(lambda: plain.moments(values))
    some_cells, net = values[cells], network.drop(columns="likelihood")

    def score() -> pd.DataFrame:
        signature = pd.DataFrame(plain.z_scores(some_cells, mean, sd), columns=genes)
        return dc.mt.viper(signature, net, tmin=5, pleiotropy=False)[0]

    nes, scoring = timed(score, len(cells), len(values))
    return nes.to_numpy(), {"genes": taking, "cells": scoring}


SCRIPT = Script(
    name="viper",
    file=__file__,
    sizes={"small": Size(500, 1000, 50), "medium": Size(2000, 5000, 300), "large": Size(10_000, 15_000, 1000)},
    quick={"tiny": Size(300, 80, 6)},
    methods=("viper",),
    versions=(PYSCES, THREADS, PYTHON, "numpy", "decoupler"),
    save=save,
    run=run,
    tolerance={"viper": 1e-6},
    note="z-scores, ranks of all genes and NES, 100 targets per regulon; see the head of the script.",
)

if __name__ == "__main__":
    main(SCRIPT, __doc__)
