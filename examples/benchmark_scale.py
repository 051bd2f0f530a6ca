"""Time and peak memory of data that do not fit in memory, each measured in a process of its own.

    python examples/benchmark_scale.py [--cells 100000 1000000] [--threads 0] [--folder DIR] [--json FILE]
    python examples/benchmark_scale.py --aracne [--cells 50000]

By default ``tl.viper(signature="scale", out=...)`` of cells x 20,000 genes, 5 % dense, in a zarr file opened with
``anndata.experimental.read_lazy``, and 1,000 regulons of 100 targets. With ``--aracne``, ``tl.aracne`` of 10,000 genes
and 1,000 regulators, 10 subnetworks of at most 5,000 cells. The data are made block by block in a folder (a temporary
one unless named, which then keeps them: 8 GB for a million cells), and so are never in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
import zarr

import pysces as ps

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 10_000
DENSITY = 0.05
REGULONS, TARGETS = 1000, 100
DEFAULT_CELLS = {"viper": [100_000, 1_000_000], "aracne": [50_000]}
GENES = {"viper": 20_000, "aracne": 10_000}


def main() -> None:
    """Print each size as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aracne", action="store_true")
    parser.add_argument("--cells", type=int, nargs="+")
    parser.add_argument("--genes", type=int)
    parser.add_argument("--threads", type=int, nargs="+", default=[0])
    parser.add_argument("--suffix", choices=["zarr", "h5ad"], default="zarr", help="of the file of activities")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=3, metavar=("FILE", "OUT", "THREADS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    what = "aracne" if arguments.aracne else "viper"
    if arguments.child:
        path, out, threads = arguments.child
        print(json.dumps(RUNS[what](Path(path), Path(out), int(threads))))
        return
    folder = arguments.folder or Path(tempfile.mkdtemp())
    found = []
    try:
        for n_cells in arguments.cells or DEFAULT_CELLS[what]:
            path = made(folder, n_cells, arguments.genes or GENES[what])
            for threads in arguments.threads:
                found.append(measured(what, path, folder / f"activity.{arguments.suffix}", threads))
                show(found[-1])
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


def made(folder: Path, n_cells: int, n_genes: int) -> Path:
    """A zarr file of log-normalised cells in anndata's layout, unless it is there."""
    path = folder / f"cells-{n_cells}-{n_genes}.zarr"
    if path.exists():
        return path
    since = time.perf_counter()
    part = path.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    obs = pd.DataFrame(index=[f"cell{i}" for i in range(n_cells)])
    ad.AnnData(None, obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(n_genes)])).write_zarr(part)
    per_cell = int(n_genes * DENSITY)
    n_entries = n_cells * per_cell
    store = zarr.open_group(part, mode="r+", use_consolidated=False)
    x = store.create_group("X", overwrite=True)
    x.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": [n_cells, n_genes]})
    data, indices = (x.create_array(name, shape=n_entries, dtype=t) for name, t in (("data", "f4"), ("indices", "i4")))
    x.create_array("indptr", data=np.arange(0, n_entries + 1, per_cell))
    for number, start in enumerate(range(0, n_cells, BLOCK)):
        cells = log_normalised(np.random.default_rng(number), min(BLOCK, n_cells - start), n_genes, per_cell)
        where = slice(start * per_cell, start * per_cell + cells.nnz)
        data[where], indices[where] = cells.data, cells.indices
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Consolidated metadata")  # as anndata writes them
        zarr.consolidate_metadata(part)
    part.rename(path)
    print(f"{path.name}: {n_entries:,} entries made in {time.perf_counter() - since:.0f} s", flush=True)
    return path


def log_normalised(rng: np.random.Generator, n_cells: int, n_genes: int, per_cell: int) -> sp.csr_array[np.float32]:
    """log1p of counts per 10,000, as many entries in each cell."""
    step = n_genes // per_cell
    indices = (np.arange(per_cell) * step + rng.integers(step, size=(n_cells, per_cell))).astype(np.int32)
    counts = rng.poisson(np.linspace(0.1, 2, per_cell, dtype=np.float32), (n_cells, per_cell)).astype(np.float32) + 1
    values = np.log1p(counts * (1e4 / counts.sum(axis=1, keepdims=True)))
    indptr = np.arange(0, counts.size + 1, per_cell)
    return sp.csr_array((values.ravel(), indices.ravel(), indptr), shape=(n_cells, n_genes))


def network(genes: NDArray[np.object_]) -> pd.DataFrame:
    """Random regulons with modes in [-1, 1] and likelihoods in [0.1, 1]."""
    rng = np.random.default_rng(0)
    target = np.concatenate([rng.choice(genes, TARGETS, replace=False) for _ in range(REGULONS)])
    return pd.DataFrame(
        {
            "source": np.repeat([f"R{i:04d}" for i in range(REGULONS)], TARGETS),
            "target": target,
            "weight": rng.uniform(-1, 1, len(target)),
            "likelihood": rng.uniform(0.1, 1, len(target)),
        }
    )


def measured(what: str, path: Path, out: Path, threads: int) -> dict[str, Any]:
    """What a process of its own prints."""
    command = [sys.executable, __file__, *(["--aracne"] if what == "aracne" else []), "--child", path, out, threads]
    run = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def viper(path: Path, out: Path, threads: int) -> dict[str, Any]:
    """Score all cells; kernels are compiled before."""
    adata = lazily(path)
    net = network(adata.var_names.to_numpy())
    ps.tl.viper(adata[:600].to_memory(), net)
    adata = lazily(path)
    since, cpu = time.perf_counter(), time.process_time()
    ps.tl.viper(adata, net, signature="scale", n_threads=threads, out=out)
    result = described("tl.viper", path, adata, threads, since, cpu)
    result["out_gb"] = size_of(out) / 1e9
    shutil.rmtree(out) if out.is_dir() else out.unlink()
    return result


def aracne(path: Path, _: Path, threads: int) -> dict[str, Any]:
    """Infer one network from all cells; kernels are compiled before."""
    settings = {"n_subnetworks": 10, "subsample": 5000, "n_threads": threads}
    adata = lazily(path)
    genes = adata.var_names.to_numpy()
    small = {"n_subnetworks": 1, "subsample": 300, "correction": None}
    ps.tl.aracne(adata[:600].to_memory(), genes[:2], **(settings | small))
    regulators = genes[:: max(1, len(genes) // REGULONS)][:REGULONS]
    since, cpu = time.perf_counter(), time.process_time()
    ps.tl.aracne(adata, regulators, **settings)
    return described("tl.aracne", path, adata, threads, since, cpu)


RUNS = {"viper": viper, "aracne": aracne}


def lazily(path: Path) -> ad.AnnData:
    """The data, left where they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ad.experimental.read_lazy(path)


def described(what: str, path: Path, adata: ad.AnnData, threads: int, since: float, cpu: float) -> dict[str, Any]:
    """Time and memory of this process up to now."""
    seconds = time.perf_counter() - since
    return {
        "what": what, "cells": adata.n_obs, "genes": adata.n_vars,
        "entries": int(zarr.open_group(path, mode="r")["X/data"].shape[0]), "threads": threads, "seconds": seconds,
        "cpu_seconds": time.process_time() - cpu, "seconds_per_100000_cells": seconds / adata.n_obs * 1e5,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, "load": os.getloadavg()[0],
    }  # fmt: skip


def size_of(path: Path) -> int:
    """Bytes of a file, or of all in a folder."""
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size


def show(found: dict[str, Any]) -> None:
    """One line per run."""
    print(
        f"{found['what']} {found['cells']:,} x {found['genes']:,} ({found['entries']:,} entries), "
        f"{found['threads'] or 'all'} threads: {found['seconds']:.1f} s ({found['cpu_seconds']:.1f} s of processors, "
        f"load {found['load']:.1f}), {found['seconds_per_100000_cells']:.1f} s per 100,000 cells, "
        f"peak {found['peak_gb']:.2f} GB",
        flush=True,
    )


if __name__ == "__main__":
    main()
