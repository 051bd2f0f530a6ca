"""Compile all kernels before they are needed."""

from __future__ import annotations

import sys
import warnings
from os.path import commonpath
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData

from pysces import _log, tl
from pysces._check import warn
from pysces._csr import as_csc
from pysces._infer.leaves import leaves
from pysces._infer.partition import code
from pysces._infer.ranks import rank_genes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

N_CELLS, REGULATORS = 200, ["0", "6", "7"]
OF_ARACNE: list[dict[str, Any]] = [
    {"estimator": "apmi"},
    {"estimator": "apmi", "ties": "random"},
    {"estimator": "apmi", "ties": "random", "convention": "aracne-ap"},
    {"groupby": "group"},
]
OF_VIPER: list[dict[str, Any]] = [
    {"signature": "none", "layer": "missing"},
    {"signature": "rank"},
    {"signature": "doublerank"},
    {"enrichment": "narnea"},
    {"pleiotropy": True},
]


def compile_kernels() -> None:
    """Compile all kernels, or load them from numba's cache.

    Kernels are compiled when they are first called, and kept in a cache on disk. This calls all of them, on a few
    invented cells: when an image or an environment is built, on the login node of a cluster, or before worker processes
    start, so that none of them compiles. Compiled kernels hold for one version of numba, one kind of CPU, and one
    installation of pysces; the cache must be writable also for those who only load from it.

    Logs how many were compiled (once for each combination of types) and how many loaded, the seconds, and the folder
    (``NUMBA_CACHE_DIR``, else ``__pycache__`` of the installation, else one of the user). Warns if none can be
    written, so that every process will compile. With ``NUMBA_DISABLE_JIT=1`` there is nothing to do.

    Examples
    --------
    >>> import pysces as ps
    >>> ps.compile_kernels()
    """
    from scanpy import settings

    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        _log.start("no kernel is compiled: NUMBA_DISABLE_JIT is set")
        return
    since, before = perf_counter(), _counts()
    with settings.verbosity.override("error"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of cells that are made up
        _call_all()
    compiled, loaded = _counts() - before
    folder = _cache_folder()
    _log.start(
        f"{compiled} kernels compiled and {loaded} loaded from the cache in {perf_counter() - since:.1f} s, "
        f"{f'kept in {folder}' if folder else 'not kept'}"
    )
    if folder is None:
        warn(
            "Compiled kernels are not kept, as numba finds no folder that can be written: every process compiles them "
            "again. Set NUMBA_CACHE_DIR to a folder that can be written before pysces is imported."
        )


def _kernels() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name.startswith("pysces.") and name.endswith("_kernels"):
            yield from (kernel for kernel in vars(module).values() if getattr(kernel, "__module__", "") == name)


def _counts() -> NDArray[np.int64]:
    """How many kernels this process has compiled, and how many loaded."""
    stats = [kernel.stats for kernel in _kernels()]
    return np.array([[sum(of.cache_misses.values()), sum(of.cache_hits.values())] for of in stats]).sum(axis=0)


def _cache_folder() -> str | None:
    """Folder above all compiled kernels; None if there is a kernel for which numba found none that can be written."""
    folders = [kernel.stats.cache_path for kernel in _kernels()]
    return None if None in folders else commonpath(folders)


def _call_all() -> None:
    """Call every function that has kernels of its own; a test holds that no other call compiles anything."""
    cells = _cells()
    for options in OF_ARACNE:
        tl.aracne(cells, REGULATORS, n_subnetworks=2, correction=None, n_threads=1, **options)
    tl.compare_networks(cells, "a", "b", min_targets=1, n_permutations=10, n_threads=1)
    ranks = rank_genes(as_csc(cells.X), 1)
    leaves(*(code(ranks.genes(slice(i, i + 1)), "aracne3", "block", np.zeros(1, np.uint64)) for i in (0, 1)))

    names = cells.var_names.to_numpy()
    network = pd.DataFrame({"source": np.repeat(["x", "y"], 10), "target": np.tile(names[:10], 2), "weight": 0.5})
    tl.msviper(cells, "group", "a", network=network, n_permutations=0, n_bootstraps=10, min_targets=1, n_threads=1)
    for options in OF_VIPER:
        tl.viper(cells, network, min_targets=1, n_threads=1, **options)


def _cells() -> AnnData:
    """Sparse counts, of which the first two genes depend on each other, and a layer in which a value is missing."""
    counts = np.random.default_rng(0).poisson(np.repeat([0.5, 0.05], 6), (N_CELLS, 12)).astype(np.float32)
    counts[:, 1] += counts[:, 0]
    x = sp.csr_matrix(counts + np.eye(N_CELLS, 12, dtype=np.float32))
    missing = x.copy()
    missing.data[0] = np.nan
    labels = pd.Categorical(np.tile(["a", "b"], N_CELLS // 2))
    return AnnData(
        x,
        obs=pd.DataFrame({"group": labels}, index=[f"{i}" for i in range(N_CELLS)]),
        var=pd.DataFrame(index=[f"{i}" for i in range(12)]),
        layers={"missing": missing},
    )
