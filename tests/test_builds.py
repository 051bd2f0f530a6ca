"""Kernels give the same on any CPU: compiled for this machine, for a plain one, and interpreted."""

from __future__ import annotations

import os
import pickle
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
network = pd.DataFrame({"source": ["a"] * 6 + ["b"] * 6, "target": names, "weight": [1.0, -0.5] * 6})
found["viper"] = ps.VIPER(network, min_targets=2, n_threads=1).fit(X, names).transform(X)
sys.stdout.buffer.write(pickle.dumps(found))
"""
BUILDS = {
    "this CPU": {},
    "plain": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    "interpreted": {"NUMBA_DISABLE_JIT": "1"},
}


@cache
def results(build: str) -> dict[str, np.ndarray]:
    """Information and activities computed by another process."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | BUILDS[build], capture_output=True, check=True
    )
    return pickle.loads(run.stdout)


@pytest.mark.parametrize("build", ["plain", "interpreted"])
def test_information_is_the_same_in_every_build(build):
    for name, expected in results("this CPU").items():
        if "apmi" in name:  # sums of whole numbers
            assert results(build)[name].tobytes() == expected.tobytes(), name
        np.testing.assert_allclose(results(build)[name], expected, rtol=1e-13, err_msg=name)


def test_a_plain_build_gives_the_same_bytes():
    for name, expected in results("this CPU").items():
        assert results("plain")[name].tobytes() == expected.tobytes(), name
