"""Kernels give the same on any CPU: compiled for this machine, for a plain one, interpreted, and with other libraries.

What is the same to the last bit, and what to how many digits, is stated in docs/numba.md.
"""

from __future__ import annotations

import importlib
import os
import pickle
import pkgutil
import platform
import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher
from numpy._core import _multiarray_umath as numpy_cpu

import pysces as ps

SCRIPT = """
import pickle, sys
import numpy as np, pandas as pd
import pysces as ps

rng = np.random.default_rng(0)
X = np.column_stack([rng.poisson(1.0, (90, 5)), rng.normal(size=(90, 4)), rng.poisson(0.1, (90, 3))]).astype(float)
X[:, 1] += X[:, 0]
X[:, 6] += X[:, 5]
models = {
    f"apmi {convention} {ties}": {"estimator": "apmi", "convention": convention, "ties": ties}
    for convention in ("aracne3", "aracne-ap") for ties in ("block", "random")
}
found = {
    name: ps.ARACNe(**options, n_threads=1).mutual_information(X, [0, 3, 5, 9], depth="auto" if options else None)
    for name, options in {**models, "gcmi": {}}.items()
}
names = [str(i) for i in range(12)]
of_cells = rng.lognormal(0, 0.6, (90, 1))
counts = rng.poisson(of_cells * rng.uniform(0.5, 4, 60))
counts[:, 1] += counts[:, 0]
for name, depth in (("counts", "auto"), ("given", of_cells[:, 0]), ("none", None)):
    scores = ps.ARACNe(n_threads=1).score(counts, [0, 1, 30], depth=depth)
    found |= {f"gcmi mi, depth {name}": scores.mi, f"gcmi log p, depth {name}": scores.log_pvalue}
network = pd.DataFrame({"source": ["a"] * 6 + ["b"] * 6, "target": names, "weight": [1.0, -0.5] * 6})
for enrichment in ("area", "narnea"):
    model = ps.VIPER(network, enrichment=enrichment, min_targets=2, n_threads=1)
    found[f"viper {enrichment}"] = model.fit(X, names).transform(X)
sys.stdout.buffer.write(pickle.dumps(found))
"""
OTHER_LIBRARY = """
import math
import dask.array, numpy as np, scanpy, scipy.special

def one_unit_off(function):
    def changed(x, *arguments, **options):
        y = np.asarray(function(x, *arguments, **options), np.float64)
        way = np.array([-np.inf, np.inf])[(y.view(np.uint64) >> np.uint64(1)) & np.uint64(1)]
        y = np.where(np.isfinite(y) & (y != 0) & (y.view(np.uint64) & np.uint64(1) == 1), np.nextafter(y, way), y)
        return y if y.ndim else y[()]
    return changed

np.seterr(all="ignore")
for module, names in (
    (np, "log log1p log2 exp expm1"),
    (math, "log log1p exp erf erfc"),
    (scipy.special, "ndtri ndtri_exp log_ndtr xlogy"),
):
    for name in names.split():
        setattr(module, name, one_unit_off(getattr(module, name)))
"""
"""Libraries of functions that err by a unit in the last place, up or down, for half of all values."""
NUMPY_FEATURES = " ".join(name for name in numpy_cpu.__cpu_dispatch__ if numpy_cpu.__cpu_features__[name])
BUILDS = {
    "this CPU": {},
    "plain": {
        "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": NUMPY_FEATURES,
    },
    "interpreted": {"NUMBA_DISABLE_JIT": "1"},
    "other library": {"NUMBA_DISABLE_JIT": "1", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"},
}  # fmt: skip
OTHER_BUILDS = pytest.mark.parametrize("build", [build for build in BUILDS if build != "this CPU"])
AVX512 = """
import sys
import numba
from pysces._enrich import _moment_kernels
from pysces._infer import _copula_kernels

table, whole, matrix = numba.float64[::1], numba.int64[::1], numba.float64[:, ::1]
for kernel, signature in (
    (_copula_kernels.add_products, (matrix, matrix, numba.int64, table)),
    (_copula_kernels.poisson_deviance, (numba.float64,)),
    (_moment_kernels.add_moments, (table, numba.int32[::1], numba.int64, numba.int64, matrix, matrix)),
):
    kernel.compile(signature)
    sys.stdout.writelines(kernel.inspect_asm().values())
"""


def output(script: str, variables: dict[str, str]) -> bytes:
    """What another process writes."""
    run = subprocess.run([sys.executable, "-c", script], env=os.environ | variables, capture_output=True, check=True)
    return run.stdout


@cache
def results(build: str) -> dict[str, np.ndarray]:
    """Information and activities computed by another process."""
    script = OTHER_LIBRARY + SCRIPT if build == "other library" else SCRIPT
    return pickle.loads(output(script, BUILDS[build]))


@OTHER_BUILDS
def test_results_are_the_same_to_12_digits_in_every_build(build):
    for name, expected in results("this CPU").items():
        atol = 1e-14 if "apmi" in name else 0  # sums that may be 0
        np.testing.assert_allclose(
            results(build)[name], expected, rtol=1e-12 if build == "other library" else 1e-13, atol=atol, err_msg=name
        )


@pytest.mark.parametrize("build", ["plain", "interpreted"])
def test_information_of_the_partition_is_the_same_bytes_compiled_or_not(build):
    for name, expected in results("this CPU").items():
        if "apmi" in name:  # sums of whole numbers
            assert results(build)[name].tobytes() == expected.tobytes(), name


def test_what_is_compiled_is_the_same_bytes_with_and_without_wide_instructions():
    for name, expected in results("this CPU").items():
        if "narnea" not in name:  # of which numpy computes a part
            assert results("plain")[name].tobytes() == expected.tobytes(), name


def test_no_kernel_may_round_a_product_and_a_sum_at_once():
    kernels = [
        value
        for module in pkgutil.walk_packages(ps.__path__, "pysces.") if module.name.endswith("_kernels")
        for value in vars(importlib.import_module(module.name)).values() if isinstance(value, CPUDispatcher)
    ]  # fmt: skip
    assert len(kernels) > 40
    assert not [kernel for kernel in kernels if kernel.targetoptions.get("fastmath")]


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="AVX-512 is x86")
def test_kernels_compiled_for_avx512_round_every_product(tmp_path):
    # The one thing by which a wider CPU could differ is a product and a sum rounded once. It runs on any x86: nothing
    # is executed.
    target = {"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": "-prefer-256-bit"}
    assembly = output(AVX512, target | {"NUMBA_CACHE_DIR": str(tmp_path)}).decode()
    assert "zmm" in assembly
    assert not re.search(r"vfn?m(add|sub)", assembly)
