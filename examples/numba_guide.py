"""What docs/numba.md says of compilation, vector instructions, memory and threads, measured on this machine.

python examples/numba_guide.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING

import numba
import numpy as np

import pysces as ps
from pysces._enrich import _area_kernels
from pysces._jit import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

COMPILE = "import sys, scanpy as sc, pysces as ps; sc.settings.verbosity, sc.settings.logfile = 2, sys.stdout; "
COUNT = """
kernels = [k for n, m in sys.modules.items() if n.startswith("pysces.") and n.endswith("_kernels")
           for k in vars(m).values() if hasattr(k, "signatures")]
used = [len(k.signatures) for k in kernels if k.signatures]
print(f"{len(kernels)} kernels; {len(used)} are called from Python, with {sum(used)} combinations of types")
"""


def seconds(call: Callable[[], object], repeats: int = 5) -> float:
    """The shortest of several runs, after one that compiles."""
    call()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def row_sums(x: np.ndarray, out: np.ndarray) -> None:
    """A loop that waits for memory."""
    for row in range(len(x)):
        total = 0.0
        for value in x[row]:
            total += value
        out[row] = total


def wave(x: np.ndarray, out: np.ndarray) -> None:
    """A loop that computes."""
    for row in range(len(x)):
        total = 0.0
        for value in x[row]:
            total += np.sin(value) * value
        out[row] = total


@numba.njit(parallel=True, nogil=True, error_model="numpy")
def wave_prange(x: np.ndarray, out: np.ndarray) -> None:
    """The same with numba's own threads."""
    for row in numba.prange(len(x)):
        total = 0.0
        for value in x[row]:
            total += np.sin(value) * value
        out[row] = total


def compilation() -> None:
    """An empty cache, then the same cache."""
    with tempfile.TemporaryDirectory() as folder:
        for script in (COMPILE + "ps.compile_kernels()", COMPILE + "ps.compile_kernels()" + COUNT):
            subprocess.run([sys.executable, "-c", script], env=os.environ | {"NUMBA_CACHE_DIR": folder}, check=True)


def vectors() -> None:
    """Numbers per instruction in the innermost loop of aREA, from the code that LLVM made."""
    fresh = numba.njit(nogil=True, error_model="numpy")(_area_kernels.add_edges.py_func)
    edges, values = (np.zeros(4, np.int32), np.ones((4, 2))), np.ones(2 * _area_kernels.N_LANES)
    fresh(0, 4, *edges, values, values.copy())
    widths = {int(n) for code in fresh.inspect_llvm().values() for n in re.findall(r"<(\d+) x double>", code)}
    print(f"vector instructions: add_edges computes {max(widths, default=1)} numbers at a time")


def layout() -> None:
    """Rows of a C-contiguous matrix against rows whose values lie apart, and sparse against dense."""
    rows, out = np.random.default_rng(0).random((2000, 2000)), np.empty(2000)
    apart = np.asfortranarray(rows)
    sums = kernel(row_sums)
    ratio = seconds(lambda: sums(apart, out)) / seconds(lambda: sums(rows, out))
    print(f"memory layout: rows whose values lie apart take {ratio:.1f} x the time")
    x = ps.datasets.pbmc68k().X
    ratio = 8 * np.prod(x.shape) / (12 * x.nnz + 8 * len(x.indptr))
    print(f"memory: pbmc68k takes {ratio:.1f} x the memory as dense float64 that it takes as CSR of float64 and int32")


def threads() -> None:
    """Threads that share a GIL-free kernel, against prange; and ARACNe on one thread and on all."""
    x, n = np.random.default_rng(0).random((4000, 1000)), numba.config.NUMBA_NUM_THREADS
    out, own = np.empty((3, len(x))), kernel(wave)
    with ThreadPoolExecutor(n) as pool:
        calls = (
            lambda: own(x, out[0]),
            lambda: list(pool.map(own, np.array_split(x, 4 * n), np.array_split(out[1], 4 * n))),
            lambda: wave_prange(x, out[2]),
        )
        alone, shared, prange = (seconds(call) for call in calls)
    assert (out == out[0]).all()
    print(f"{n} threads on one loop: thread pool {alone / shared:.1f} x, prange {alone / prange:.1f} x one thread")
    counts = np.random.default_rng(0).poisson(0.5, (1500, 1500)).astype(np.float64)
    found = {k: ps.ARACNe(n_threads=k).score(counts, np.arange(200)).mi for k in (1, 0)}
    ratio = np.divide(*(seconds(lambda k=k: ps.ARACNe(n_threads=k).score(counts, np.arange(200)), 2) for k in (1, 0)))
    print(
        f"{n} threads in ARACNe.score: {ratio:.1f} x one thread, same bytes: {found[0].tobytes() == found[1].tobytes()}"
    )


if __name__ == "__main__":
    compilation()
    vectors()
    layout()
    threads()
