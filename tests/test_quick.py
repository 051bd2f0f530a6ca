"""Which tests `make quick` runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("changed", "run"),
    [
        ("pysces/tl/_viper.py", {"pysces/tl/_viper.py", "tests/tl/test_viper.py", "tests/tl/test_viper_options.py"}),
        ("pysces/_infer/_copula_kernels.py", {"tests/infer/test_copula.py"}),
        ("pysces/_csr.py", {"pysces/_csr.py", "tests/enrich/test_area.py", "tests/test_matrix.py"}),
        ("pysces/datasets/_soma.py", {"tests/test_scanpy.py"}),
        ("tests/states.py", {"tests/test_storages.py"}),
        ("tests/test_log.py", {"tests/test_log.py"}),
        ("docs/numba.md", {"tests/test_documents.py::test_code_blocks_of_a_page_run_in_order[docs/numba.md]"}),
        ("LICENSE", {"nothing that has changed has tests"}),
    ],
)
def test_a_change_runs_the_tests_that_belong_to_it(changed, run):
    command = [sys.executable, ".ci/quick.py", "--list", changed]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    assert run <= set(done.stdout.splitlines())
