"""What calls say while they work: a line before kernels are compiled, and bars over long work."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings
from contextlib import redirect_stderr
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData

import pysces as ps
from pysces import _log

if TYPE_CHECKING:
    from pathlib import Path

CALL = """
import sys
from concurrent.futures import ThreadPoolExecutor
import pysces
from pysces._infer import _copula_kernels as kernels

with ThreadPoolExecutor(4) as pool:
    list(pool.map(kernels.poisson_deviance, [0.1, 0.2, 0.3, 0.4]))
assert "scanpy" not in sys.modules
kernels.log_outside_normal(0.1)
"""
SILENT_CALL = "import scanpy; scanpy.settings.verbosity = 0" + CALL.replace("not in", "in")
LINE = "pysces: compiling kernels once, about 15 s\n"


def said(call: str, cache: Path) -> str:
    """What a process that calls two kernels writes to stderr."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    return subprocess.run(
        [sys.executable, "-c", call], env=environment, capture_output=True, check=True, text=True
    ).stderr


def test_one_line_before_kernels_are_compiled_and_none_when_they_are_loaded(tmp_path):
    assert said(CALL, tmp_path) == LINE
    assert not said(CALL, tmp_path)


def test_no_line_under_verbosity_0(tmp_path):
    assert not said(SILENT_CALL, tmp_path)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal to redirect stderr to; no work is short."""
    monkeypatch.setattr(_log, "SHORT", 0.0)
    return Terminal()


@pytest.fixture
def cells() -> AnnData:
    rng = np.random.default_rng(0)
    genes = [f"g{i}" for i in range(60)]
    cells = AnnData(
        rng.poisson(3.0, (200, 60)).astype(np.float32),
        obs=pd.DataFrame({"type": pd.Categorical(["a", "b"] * 100)}, index=[f"c{i}" for i in range(200)]),
        var=pd.DataFrame(index=genes),
    )
    cells.X[:, 1:8] += cells.X[:, [0]]
    cells.layers["counts"] = cells.X.copy()
    sc.pp.log1p(cells)
    network = pd.DataFrame({"source": np.repeat(["x", "y"], 10), "target": genes[:20], "weight": 1.0})
    ps.tl.viper(cells, network, min_targets=3)
    cells.uns["network"] = network
    return cells


CALLS = {
    "cells": lambda cells: ps.tl.viper(cells, cells.uns["network"], min_targets=3),
    "regulators": lambda cells: ps.tl.rank_regulators(cells, "type"),
    "permutations": lambda cells: ps.tl.msviper(
        cells, "type", "a", network=cells.uns["network"], min_targets=3, n_permutations=10
    ),
    "bootstraps": lambda cells: ps.tl.msviper(
        cells, "type", "a", network=cells.uns["network"], min_targets=3, n_permutations=0, n_bootstraps=10
    ),
    "similarity": ps.tl.similarity,
    "subnetworks": lambda cells: ps.tl.aracne(cells, ["g0", "g1"], layer="counts", groupby="type", n_subnetworks=2),
    "permutations of regulators": lambda cells: ps.tl.compare_networks(
        cells, "a", "b", min_targets=1, n_permutations=10
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_long_calls_have_a_bar(cells, terminal, call):
    if call == "permutations of regulators":
        CALLS["subnetworks"](cells)
    with redirect_stderr(terminal):
        CALLS[call](cells)
    assert ("cells" if call == "similarity" else call) in terminal.getvalue()


def test_short_work_and_verbosity_0_have_none(cells, terminal, monkeypatch):
    with redirect_stderr(terminal):
        with sc.settings.verbosity.override(0):
            CALLS["cells"](cells)
        monkeypatch.setattr(_log, "SHORT", 60.0)
        CALLS["cells"](cells)
    assert not terminal.getvalue()


def test_a_notebook_without_ipywidgets_is_no_reason_to_warn(monkeypatch):
    import tqdm.notebook

    monkeypatch.setitem(sys.modules, "IPython.utils._process_emscripten", None)  # a notebook, says tqdm
    monkeypatch.setattr(tqdm.notebook, "IProgress", None)
    for name in ("tqdm.auto", "tqdm.autonotebook"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with warnings.catch_warnings(record=True) as seen:  # tqdm takes a warning that is an error for no notebook
        warnings.simplefilter("always")
        with _log.progress(1, "cells") as done:
            done(1)
    assert not seen
