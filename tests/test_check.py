"""Words that messages share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pysces._check import some


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["a", "b", "c"], "'a', 'b', 'c'"),
        (["a", "b", "c", "d"], "'a', 'b', 'c', ... (4 in all)"),
        ({f"G{i}": i for i in range(1057)}, "'G0', 'G1', 'G2', ... (1,057 in all)"),
        (np.array([7157, 672]), "7157, 672"),
        (np.array(["a", "b"]), "'a', 'b'"),
        (pd.DataFrame(columns=list("abcde")), "'a', 'b', 'c', ... (5 in all)"),
    ],
)
def test_lists_of_names_are_cut_to_three_and_a_count(names, shown):
    assert some(names) == shown
