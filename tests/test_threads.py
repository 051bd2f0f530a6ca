"""How many threads numba may use, told before and after it is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import numpy as np
import pandas as pd
import pytest

import pysces as ps

pytestmark = [
    pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known|X holds counts"),
    pytest.mark.filterwarnings("ignore:regulator 'a' holds 8 of the 12 genes"),
]

GENES = [str(i) for i in range(12)]
NETWORK = pd.DataFrame({"source": "a", "target": GENES[1:9], "weight": 0.5})
COUNTS = np.random.default_rng(0).poisson(1.0, (300, 12)) + np.random.default_rng(1).poisson(1.0, (300, 1))
TOLD = """
import os
os.environ["NUMBA_NUM_THREADS"] = "3"
import numba, pysces as ps

def print_threads():
    print([ps.ARACNe(n_threads=n)._n_threads for n in (0, 1, 4)])

print_threads()
os.environ["NUMBA_NUM_THREADS"] = "5"
print_threads()
numba.njit(lambda x: x)(1)
print_threads()
"""


def test_the_variable_is_the_limit_as_numba_read_it_at_its_import_or_when_it_last_compiled() -> None:
    variables = os.environ | {"NUMBA_NUM_THREADS": "2", "NUMBA_DISABLE_JIT": "0"}
    run = subprocess.run([sys.executable, "-c", TOLD], env=variables, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[3, 1, 3]", "[3, 1, 3]", "[5, 1, 4]"]


@pytest.mark.parametrize("n_threads", [1, 2, 4, 0])
def test_models_give_the_same_bytes_with_any_number_of_threads(monkeypatch, n_threads) -> None:
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 4)
    scores = [ps.ARACNe(n_threads=n).score(COUNTS, [0, 1]) for n in (1, n_threads)]
    assert scores[0].mi.tobytes() == scores[1].mi.tobytes()
    assert scores[0].log_pvalue.tobytes() == scores[1].log_pvalue.tobytes()
    models = [ps.VIPER(NETWORK, min_targets=2, n_threads=n).fit(COUNTS, GENES) for n in (1, n_threads)]
    assert models[0].transform(COUNTS).tobytes() == models[1].transform(COUNTS).tobytes()


@pytest.mark.parametrize("model", [ps.ARACNe, lambda **options: ps.VIPER(NETWORK, **options)], ids=["ARACNe", "VIPER"])
def test_fewer_than_no_threads_are_refused(model) -> None:
    with pytest.raises(ValueError, match="n_threads is -1; give the number of threads"):
        model(n_threads=-1)
