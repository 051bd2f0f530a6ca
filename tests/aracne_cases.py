"""Cells with a network, and the bytes of what is inferred from them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from states import state
from threadpoolctl import threadpool_info

import pysces as ps
from pysces._infer import copula

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_REGULATORS = 6
REGULATORS = [f"g{i}" for i in range(N_REGULATORS)]
SLASHED = "CD4+/CD25 T Reg"
SMALL = {"n_cells": 120, "n_genes": 54}


def counts(n_cells: int = 200, n_genes: int = 60, seed: int = 0) -> np.ndarray:
    """Counts of cells of different depth, in which half of the genes follow a regulator."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(2.0 * rng.lognormal(0, 0.3, (n_cells, 1)), (n_cells, n_genes)).astype(np.float32)
    for target in range(N_REGULATORS, n_genes // 2):
        x[:, target] = rng.binomial(2 * x[:, target % N_REGULATORS].astype(int), 0.5) + rng.poisson(0.3, n_cells)
    return x


def cells(n_cells: int = 200, n_genes: int = 60) -> ad.AnnData:
    """Two groups that alternate."""
    labels = np.array(["B", SLASHED])[np.arange(n_cells) % 2]
    return ad.AnnData(
        sp.csr_matrix(counts(n_cells, n_genes)),
        obs=pd.DataFrame({"cell_type": pd.Categorical(labels)}, index=[f"cell{i}" for i in range(n_cells)]),
        var=pd.DataFrame(index=[f"g{i}" for i in range(n_genes)]),
    )


def fit(folder: Path | str | None = None, *, x: object = None, regulators: object = None, **settings: object) -> object:
    """The table of a network of all cells."""
    own = ("gene_names", "rows", "targets", "depth", "on_subnetwork", "client")
    data = {name: settings.pop(name) for name in own if name in settings}
    model = ps.ARACNe(**{"n_subnetworks": 4, "n_threads": 1, **settings})
    where = np.arange(N_REGULATORS) if regulators is None else regulators
    return model.fit(counts(**SMALL) if x is None else x, where, checkpoint=folder, **data).network_


def digest(network: pd.DataFrame) -> str:
    """Hash of all bytes of a table."""
    return hashlib.sha256(repr(state(network)).encode()).hexdigest()


def fit_digest(folder: str | None = None, **settings: object) -> str:
    """Hash of the network of all cells, for other processes."""
    return digest(fit(folder, **settings))


_seen: set[tuple[int, int]] = set()
_run = copula.run


def watch() -> None:
    """Note the numbers of threads that scores are given, and those of BLAS meanwhile."""

    def noted(task: Callable[[slice], None], n: int, size: int, n_threads: int) -> None:
        blas = max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        _seen.add((n_threads, blas))
        _run(task, n, size, n_threads)

    copula.run = noted


def watched() -> list[tuple[int, int]]:
    """What was noted."""
    copula.run = _run
    seen = sorted(_seen)
    _seen.clear()
    return seen


def files(folder: Path) -> dict[str, bytes]:
    """All that a folder and those in it hold."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
