from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pysces._strata import meaning_of, strata

LABELS = ["B", "T/NK", "B", "mono", "T/NK", "B"]


def obs(labels=LABELS, **columns):
    return pd.DataFrame({"cell_type": labels, **columns}, index=[f"cell{i}" for i in range(len(labels))])


def found(table, groups=None):
    return [(stratum.label, stratum.place, stratum.rows.tolist()) for stratum in strata(table, "cell_type", groups)]


@pytest.mark.parametrize("dtype", [object, "str", "category"])
def test_groups_are_in_alphabetical_order_with_their_rows(dtype):
    assert found(obs().astype(dtype)) == [("B", 0, [0, 2, 5]), ("T/NK", 1, [1, 4]), ("mono", 2, [3])]


def test_groups_are_in_the_order_of_the_categories_and_empty_ones_are_left_out():
    column = pd.Categorical(LABELS, categories=["mono", "empty", "T/NK", "B"])
    assert found(obs(column)) == [("mono", 0, [3]), ("T/NK", 2, [1, 4]), ("B", 3, [0, 2, 5])]


@pytest.mark.parametrize("kind", [list, tuple, set, np.array, pd.Index, pd.Series], ids=lambda kind: kind.__name__)
def test_chosen_groups_keep_their_place_among_all(kind):
    assert found(obs(), kind(["mono", "B"])) == [("B", 0, [0, 2, 5]), ("mono", 2, [3])]


def test_cells_without_a_label_are_in_no_group_and_warned_of_at_the_line_of_the_caller():
    with pytest.warns(UserWarning, match=r"2 cells have no label in adata.obs\['cell_type'\]") as record:
        groups = found(obs(["B", None, "T", None]))
    assert groups == [("B", 0, [0]), ("T", 1, [2])]
    assert record[0].filename == __file__


@pytest.mark.parametrize(
    ("table", "groupby", "groups", "error", "match"),
    [
        (obs(batch=1), "louvain", None, KeyError, "groupby='louvain' is not a column .* has: 'cell_type', 'batch'"),
        (obs([1, 2, 1]), "cell_type", None, TypeError, r"labels of type int\d*, not strings; convert them"),
        (obs([True, False]), "cell_type", None, TypeError, "labels of type bool"),
        (obs(pd.Categorical([1.5, 2.0])), "cell_type", None, TypeError, "labels of type float"),
        (obs(), "cell_type", "B", TypeError, "groups='B' is a string; give a list"),
        (
            obs(),
            "cell_type",
            ["B", "NK", "DC"],
            ValueError,
            "groups holds 'DC', 'NK', not among .*: 'B', 'T/NK', 'mono'",
        ),
    ],
    ids=["column", "int", "bool", "float", "string", "unknown"],
)
def test_what_names_no_groups_is_refused(table, groupby, groups, error, match):
    with pytest.raises(error, match=match):
        strata(table, groupby, groups)


@pytest.mark.parametrize(
    ("reference", "meaning"),
    [("rest", "keyword"), ("B", "label"), ("healthy", "column"), ("all", None), ("NK", None)],
)
def test_a_reference_is_a_keyword_a_label_or_a_column(reference, meaning):
    assert meaning_of(reference, ("rest",), ["B", "T"], "cell_type", ["healthy"]) == meaning


@pytest.mark.parametrize(
    ("reference", "labels", "columns", "match"),
    [
        ("rest", ["B", "rest"], [], r"keyword for all other cells and a label of .*'cell_type'\]; rename the label"),
        ("all", ["B"], ["all"], "keyword for all cells and a boolean column .*; rename the column, or give its values"),
        ("B", ["B"], ["B"], "label of .* and a boolean column of adata.obs; rename the label, or rename the column"),
    ],
)
def test_a_reference_that_means_two_things_is_refused(reference, labels, columns, match):
    with pytest.raises(ValueError, match=f"reference={reference!r} is ambiguous: it is (the|a) {match}"):
        meaning_of(reference, ("all", "rest"), labels, "cell_type", columns)
