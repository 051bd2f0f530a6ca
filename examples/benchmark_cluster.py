"""Two workers of one thread on this machine against one thread without a cluster.

    python examples/benchmark_cluster.py [--folder DIR]

Two workers as dask starts them, and with memory that is kept (``KEEPS``), and two threads without a cluster.
24 subnetworks of 5,000 cells x 10,000 genes x 500 regulators, and ``tl.viper`` of 100,000 lazy cells x 20,000 genes
with 1,000 regulons of 100 targets. Prints seconds and ratios, and whether the results have the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import warnings
from pathlib import Path

import dask
import numpy as np
from benchmark_scale import lazily, made, network
from dask.distributed import Client, LocalCluster

import pysces as ps

KEEPS = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**30,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**28,
    "distributed.worker.profile.enabled": False,
}
"""Workers keep freed memory for the next task, which dask tells them not to, and do not watch themselves."""


def main() -> None:
    """Measure without a cluster, on it twice, and without it again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    folder = given.folder or Path(tempfile.mkdtemp())
    try:
        few, many = made(folder, 5_000, 10_000), made(folder, 100_000, 20_000)
        measure(few, many, 1)  # compiles, or loads what is compiled
        alone, expected = measure(few, many, 1)
        show("one thread", alone, alone)
        for name, settings in (("cluster", {}), ("cluster that keeps", KEEPS)):
            found = on_cluster(name, settings, few, many, alone)
            same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(expected, found, strict=True))
            print(f"the same bytes: {same}")
        show("two threads", measure(few, many, 2)[0], alone)
        show("one thread again", measure(few, many, 1)[0], alone)
    finally:
        if given.folder is None:
            shutil.rmtree(folder)


def on_cluster(
    name: str, settings: dict[str, int], few: Path, many: Path, alone: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Measure twice with two workers, and give what they found."""
    with (
        dask.config.set(settings),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        for _ in range(2):
            seconds, found = measure(few, many, 0)
            show(name, seconds, alone)
    return found


def measure(few: Path, many: Path, n_threads: int) -> tuple[tuple[float, float], tuple[np.ndarray, np.ndarray]]:
    """Seconds of both calls, and what they give."""
    cells, lazy = lazily(few).to_memory(), lazily(many)
    genes = cells.var_names.to_numpy()
    since = time.perf_counter()
    ps.tl.aracne(cells, genes[::20], n_subnetworks=24, correction="p", alpha=1e-3, n_threads=n_threads)
    between = time.perf_counter()
    ps.tl.viper(lazy, network(lazy.var_names.to_numpy()), n_threads=n_threads)
    seconds = between - since, time.perf_counter() - between
    return seconds, (ps.get.network(cells)["mi"].to_numpy(), lazy.obsm["viper"].to_numpy())


def show(name: str, seconds: tuple[float, float], alone: tuple[float, float]) -> None:
    """One line per run."""
    parts = zip(("tl.aracne", "tl.viper"), seconds, alone, strict=True)
    print(f"{name:19}" + "   ".join(f"{call} {s:.1f} s ({one / s:.2f} x)" for call, s, one in parts), flush=True)


if __name__ == "__main__":
    main()
