"""Kernels compiled ahead of time: all of them, whether the cache can be written or not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numba
import numpy as np
import pytest
import scanpy as sc

import pysces as ps
from pysces import _compile

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
SCRIPT = """
import json, sys, warnings
import pysces as ps
from every_call import every_activity, every_network, signatures

ps.compile_kernels()
ready = signatures()
warnings.simplefilter("ignore")
every_network()
every_activity()
json.dump({"ready": sorted(ready), "new": sorted(signatures() - ready)}, sys.stdout)
"""


@cache
def found() -> dict[str, list[list[str]]]:
    """Kernels ready after ``compile_kernels`` in a new process, and those that calls of everything add.

    Types do not depend on whether a kernel comes from the cache, so the cache that is there will do.
    """
    variables = {"PYTHONPATH": str(TESTS), "MPLBACKEND": "agg", "NUMBA_DISABLE_JIT": "0"}
    output = subprocess.run([sys.executable, "-c", SCRIPT], env=os.environ | variables, capture_output=True, check=True)
    return json.loads(output.stdout)


def kernels_that_python_calls() -> set[str]:
    """Named by modules that hold no kernels themselves."""
    folder = Path(find_spec("pysces").origin).parent
    sources = [path.read_text() for path in folder.rglob("*.py") if not path.name.endswith("_kernels.py")]
    names = set()
    for source in sources:
        for module in re.findall(r"import (_\w+_kernels) as kernels", source):
            names |= {f"{module}.{name}" for name in re.findall(r"\bkernels\.(\w+)", source)}
        for module, name in re.findall(r"from [\w.]+\.(_\w+_kernels) import ([a-z]\w*)", source):
            names.add(f"{module}.{name}")
    return names


def test_no_call_compiles_anything_afterwards() -> None:
    assert found()["new"] == []


def test_every_kernel_that_is_called_from_python_is_ready() -> None:
    ready = {name for name, _ in found()["ready"]}
    assert len(kernels_that_python_calls()) > 30
    assert kernels_that_python_calls() <= ready


@pytest.fixture
def log(monkeypatch) -> Iterator[StringIO]:
    """The log of calls with nothing left to compile."""
    monkeypatch.setattr(_compile, "_call_all", lambda: None)
    before = sc.settings.verbosity, sc.settings.logfile
    sc.settings.verbosity, sc.settings.logfile = 2, StringIO()
    yield sc.settings.logfile
    sc.settings.verbosity, sc.settings.logfile = before


def kept_in(monkeypatch, *folders: str | None) -> None:
    """Kernels of which one was compiled, and three loaded, if they are called."""
    counts = {kind: {"types": 0} for kind in ("cache_misses", "cache_hits")}
    kernels = [SimpleNamespace(stats=SimpleNamespace(cache_path=folder, **counts)) for folder in folders]

    def call() -> None:
        counts["cache_misses"]["types"], counts["cache_hits"]["types"] = 1, 3

    monkeypatch.setattr(_compile, "_kernels", lambda: iter(kernels))
    monkeypatch.setattr(_compile, "_call_all", call)


def test_one_line_says_how_many_how_long_and_where(log, monkeypatch) -> None:
    kept_in(monkeypatch, "/cache/a/1", "/cache/b/2")
    ps.compile_kernels()
    pattern = r"2 kernels compiled and 6 loaded from the cache in \d+\.\d s, kept in /cache\n"
    assert re.fullmatch(pattern, log.getvalue())


def test_where_no_cache_can_be_written_kernels_are_compiled_and_a_warning_says_what_to_do(log, monkeypatch) -> None:
    kept_in(monkeypatch, "/cache/a/1", None)
    with pytest.warns(UserWarning, match="Set NUMBA_CACHE_DIR to a folder that can be written"):
        ps.compile_kernels()
    assert log.getvalue().endswith(" s, not kept\n")


def test_without_compilation_there_is_nothing_to_do(log, monkeypatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    monkeypatch.setattr(_compile, "_call_all", lambda: pytest.fail("called"))
    ps.compile_kernels()
    assert log.getvalue() == "no kernel is compiled: NUMBA_DISABLE_JIT is set\n"


def test_calls_are_silent_and_verbosity_is_what_it_was_whatever_happens(log, monkeypatch) -> None:
    def fail() -> None:
        assert sc.settings.verbosity == 0
        msg = "broken"
        raise RuntimeError(msg)

    monkeypatch.setattr(_compile, "_call_all", fail)
    with pytest.raises(RuntimeError, match="broken"):
        ps.compile_kernels()
    assert sc.settings.verbosity == 2
    assert log.getvalue() == ""


def test_random_numbers_of_the_user_are_left_alone() -> None:
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    ps.compile_kernels()
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002
