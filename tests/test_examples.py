"""The benchmarks run, and every version of them finds the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
VERSIONS = {"numba, one thread", "numba, all threads", "Python", "numpy"}


@pytest.mark.parametrize(
    ("name", "methods", "versions", "measured_on"),
    [
        ("aracne", {"apmi", "gcmi"}, VERSIONS, "all"),
        ("viper", {"viper"}, VERSIONS | {"decoupler"}, "25 of 300 cells, scaled"),
    ],
)
def test_benchmarks_run(tmp_path: Path, name: str, methods: set[str], versions: set[str], measured_on: str) -> None:
    script = EXAMPLES / f"benchmark_{name}.py"
    done = subprocess.run(
        [sys.executable, str(script), "--quick"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    of_python = [line for line in done.stdout.splitlines() if "Python  " in line]
    assert [line.split("  ")[-1] for line in of_python] == [measured_on] * len(methods)
    found = json.loads((tmp_path / f"benchmark_{name}.json").read_text())
    rows = found["rows"]
    assert {(row["method"], row["version"]) for row in rows} == {(m, v) for m in methods for v in versions}
    assert all(row["difference"] <= 1e-6 for row in rows)
    assert all(row["seconds"] > 0 for row in rows)
    assert all(row["speed_up"] == 1 for row in rows if row["version"] == "Python")
    assert (tmp_path / f"benchmark_{name}.png").read_bytes().startswith(b"\x89PNG")
