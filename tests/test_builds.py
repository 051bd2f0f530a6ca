"""Kernels give the same on any CPU: compiled for this machine, for a plain one, and interpreted."""

from __future__ import annotations

import os
import pickle
import platform
import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

SCRIPT = """
import pickle, sys
import numpy as np, pandas as pd
import pysces as ps

rng = np.random.default_rng(0)
X = np.column_stack([rng.poisson(1.0, (90, 5)), rng.normal(size=(90, 4)), rng.poisson(0.1, (90, 3))]).astype(float)
X[:, 1] += X[:, 0]
X[:, 6] += X[:, 5]
found = {
    f"{estimator} {convention} {ties}": ps.ARACNe(
        estimator=estimator, convention=convention, ties=ties, n_threads=1
    ).mutual_information(X, [0, 3, 5, 9])
    for estimator in ("apmi", "gcmi") for convention in ("aracne3", "aracne-ap") for ties in ("block", "random")
}
names = [str(i) for i in range(12)]
of_cells = rng.lognormal(0, 0.6, (90, 1))
counts = rng.poisson(of_cells * rng.uniform(0.5, 4, 60))
counts[:, 1] += counts[:, 0]
for name, depth in (("counts", "auto"), ("given", of_cells[:, 0])):
    scores = ps.ARACNe(n_threads=1).score(counts, [0, 1, 30], depth=depth)
    found |= {f"gcmi mi, depth {name}": scores.mi, f"gcmi log p, depth {name}": scores.log_pvalue}
network = pd.DataFrame({"source": ["a"] * 6 + ["b"] * 6, "target": names, "weight": [1.0, -0.5] * 6})
found["viper"] = ps.VIPER(network, min_targets=2, n_threads=1).fit(X, names).transform(X)
sys.stdout.buffer.write(pickle.dumps(found))
"""
DISPATCHERS = """
import sys
from numba.core.registry import CPUDispatcher

dispatchers = {
    f"{module}.{name}": value
    for module, content in list(sys.modules.items()) if module.startswith("pysces") and module.endswith("_kernels")
    for name, value in vars(content).items() if isinstance(value, CPUDispatcher)
}
"""
SIGNATURES = f"""{SCRIPT.replace("sys.stdout", "#")}{DISPATCHERS}
sys.stdout.buffer.write(pickle.dumps({{name: kernel.signatures for name, kernel in dispatchers.items()}}))
"""
ASSEMBLY = f"""import pickle, sys
import pysces
{DISPATCHERS}
assembly = []
for name, signatures in pickle.load(sys.stdin.buffer).items():
    for signature in signatures:
        dispatchers[name].compile(signature)
    assembly += dispatchers[name].inspect_asm().values()
sys.stdout.buffer.write(pickle.dumps(assembly))
"""
BUILDS = {
    "this CPU": {},
    "plain": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "OPENBLAS_CORETYPE": "Prescott"},
    "interpreted": {"NUMBA_DISABLE_JIT": "1"},
}


def output(script: str, variables: dict[str, str], given: bytes = b"") -> bytes:
    """What another process writes."""
    run = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | variables, input=given, capture_output=True, check=True
    )
    return run.stdout


@cache
def results(build: str) -> dict[str, np.ndarray]:
    """Information and activities computed by another process."""
    return pickle.loads(output(SCRIPT, BUILDS[build]))


@pytest.mark.parametrize("build", ["plain", "interpreted"])
def test_information_is_the_same_in_every_build(build):
    for name, expected in results("this CPU").items():
        if "apmi" in name:  # sums of whole numbers
            assert results(build)[name].tobytes() == expected.tobytes(), name
        np.testing.assert_allclose(results(build)[name], expected, rtol=1e-13, err_msg=name)


def test_a_plain_build_gives_the_same_bytes():
    for name, expected in results("this CPU").items():
        assert results("plain")[name].tobytes() == expected.tobytes(), name


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="AVX-512 is x86")
def test_kernels_compiled_for_avx512_round_every_product(tmp_path):
    # The one thing by which a wider CPU could differ is a product and a sum rounded once. It runs on any x86: nothing
    # is executed.
    target = {"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    assembly = pickle.loads(output(ASSEMBLY, target, output(SIGNATURES, {})))
    assert any("zmm" in listing for listing in assembly)
    assert not [listing for listing in assembly if re.search(r"vfn?m(add|sub)", listing)]
