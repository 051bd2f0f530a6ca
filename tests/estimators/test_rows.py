"""Which cells ``rows`` names, in every method that takes it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pysces as ps

GENES = [f"g{i}" for i in range(60)]
NETWORK = pd.DataFrame({"source": list("AAAABBBB"), "target": GENES[:8], "weight": 1.0})
X = np.random.default_rng(0).poisson(3.0, (40, 60)).astype(float)
VIPER = ps.VIPER(NETWORK, min_targets=1).fit(X, GENES)
ARACNE = {"n_subnetworks": 0, "correction": None, "dpi": None}
calls = pytest.mark.parametrize(
    "call",
    [
        lambda rows: ps.ARACNe(**ARACNE).fit(X, [0], depth=None, rows=rows).network_["mi"].to_numpy(),
        lambda rows: ps.ARACNe(**ARACNE).score(X, [0], depth=None, rows=rows).mi,
        lambda rows: ps.VIPER(NETWORK, min_targets=1).fit(X, GENES, rows=rows).transform(X),
        lambda rows: VIPER.transform(X, rows=rows),
        lambda rows: VIPER.score(X, rows=rows).nes,
    ],
    ids=["ARACNe.fit", "ARACNe.score", "VIPER.fit", "VIPER.transform", "VIPER.score"],
)


@calls
def test_a_mask_names_the_cells_at_its_true_places(call):
    mask = np.arange(40) % 3 > 0
    np.testing.assert_array_equal(call(mask), call(np.flatnonzero(mask)))
    np.testing.assert_array_equal(call(mask.tolist()), call(np.flatnonzero(mask).tolist()))


@calls
@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([0, 2, 1, *range(3, 40)], ValueError, "rows must ascend.* row 2 stands before row 1; give numpy.unique"),
        ([0, 1, 1, *range(3, 40)], ValueError, "rows must ascend.* row 1 is given twice"),
        ([-1, *range(39)], ValueError, "rows holds positions from -1 to 38; X has the rows 0 to 39"),
        (range(1, 41), ValueError, "rows holds positions from 1 to 40; X has the rows 0 to 39"),
        (np.ones(39, np.bool_), ValueError, r"rows is a mask of shape \(39,\), but X has 40 cells"),
        (np.arange(40.0), TypeError, "rows must be positions of cells or a boolean mask; found float64"),
        (["0", "1"], TypeError, "rows must be positions of cells or a boolean mask; found <U1"),
    ],
    ids=["order", "twice", "negative", "beyond", "short mask", "fractions", "text"],
)
def test_other_rows_are_refused_with_what_to_give(call, rows, error, message):
    with pytest.raises(error, match=message):
        call(rows)
