"""ARACNe on arrays: what the network holds, what input it takes, and that noise gives none."""

from __future__ import annotations

import warnings

import numpy as np
import oracles
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.stats import spearmanr

import pysces as ps
from pysces._infer import null

COLUMNS = ["source", "target", "weight", "likelihood", "mi", "scc", "support", "log_pvalue", "log_qvalue"]
NAMES = ["R1", "R2", "up", "down", "chain", "alone", "flat", "both"]
NOTHING_KEPT_OUT = {"correction": None, "dpi": None}


@pytest.fixture(autouse=True)
def null_size(request, monkeypatch):
    """Nulls of 45,000 values instead of a million, where a test does not ask for another size."""
    monkeypatch.setattr(null, "N_PERMUTED", getattr(request, "param", 300))
    monkeypatch.setattr(null, "_distinct_nulls", {})


def simulate(n_cells: int = 300, seed: int = 0) -> np.ndarray:
    """Counts: R1 raises ``up``, lowers ``down`` and raises R2, which raises ``chain``; ``flat`` is constant."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n_cells)
    second = first + 0.5 * rng.normal(size=n_cells)
    up, down = first + 0.3 * rng.normal(size=n_cells), -first + 0.3 * rng.normal(size=n_cells)
    chain, both = second + 0.2 * rng.normal(size=n_cells), up + 0.3 * rng.normal(size=n_cells)
    signal = np.column_stack([first, second, up, down, chain, rng.normal(size=n_cells), np.zeros(n_cells), both])
    X = rng.poisson(np.exp(1.5 + signal)).astype(float)
    X[:, 6] = 2.0
    return X


def fit(X, regulators=(0, 1), *, names=None, settings=None, **keywords) -> pd.DataFrame:
    model = ps.ARACNe(**{"n_subnetworks": 3, **(settings or {})})
    return model.fit(X, regulators, names, **keywords).network_


def edges(table: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(table["source"], table["target"], strict=True))


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert len(expected) > 0
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


# --- what the network holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["aracne3", "aracne-ap"])
@pytest.mark.parametrize("ties", ["block", "random"])
def test_dependent_genes_are_found_with_their_sign(ties, convention):
    table = fit(simulate(), ["R1", "R2"], names=NAMES, settings={"ties": ties, "convention": convention})
    assert {("R1", "up"), ("R1", "down"), ("R2", "chain")} <= edges(table)
    assert not {"alone", "flat"} & set(table["target"])
    sign = table.set_index(["source", "target"])["weight"]
    assert sign["R1", "up"] > 0.5
    assert sign["R1", "down"] < -0.5


@pytest.mark.parametrize(("dpi", "kept"), [("all", False), ("target", False), (None, True)])
def test_indirect_edges_are_pruned(dpi, kept):
    table = fit(simulate(1000), ["R1", "R2"], names=NAMES, settings={"dpi": dpi})
    assert (("R1", "chain") in edges(table)) is kept
    assert ("R2", "chain") in edges(table)


def test_a_tolerance_keeps_more_edges():
    strict, tolerant = (edges(fit(simulate(), settings={"dpi_tolerance": e})) for e in (0.0, 0.9))
    assert strict < tolerant


@pytest.mark.parametrize("settings", [{}, NOTHING_KEPT_OUT, {"correction": "p", "alpha": 1e-12, "dpi": None}])
def test_the_table_has_its_columns_and_types(settings):
    table = fit(simulate(), settings=settings)
    assert len(table) > 0
    assert list(table.columns) == COLUMNS
    for name in ("source", "target"):
        assert isinstance(table[name].dtype, pd.CategoricalDtype)
        assert set(table[name].cat.categories) == set(table[name])
    assert set(table[COLUMNS[2:]].drop(columns="support").dtypes) == {np.dtype("float64")}
    assert table["support"].dtype == np.int64
    assert isinstance(table.index, pd.RangeIndex)


def test_noise_gives_an_empty_table_of_the_same_columns_and_types():
    empty = fit(np.random.default_rng(0).normal(size=(60, 5)), settings={"alpha": 1e-9})
    full = fit(simulate())
    assert len(empty) == 0
    assert list(empty.columns) == COLUMNS
    pd.testing.assert_series_equal(empty.dtypes[COLUMNS[2:]], full.dtypes[COLUMNS[2:]])
    assert isinstance(empty["source"].dtype, pd.CategoricalDtype)


def test_edges_are_sorted_by_source_falling_information_and_target():
    X = simulate()
    X = np.column_stack([X, X[:, 2], X[:, 2]])  # three targets with the same information
    table = fit(X, ["b", "a"], names=["b", "a", "z", "c", "d", "e", "f", "g", "y", "x"], settings=NOTHING_KEPT_OUT)
    expected = table.assign(source=table["source"].astype(str), target=table["target"].astype(str))
    expected = expected.sort_values(["source", "mi", "target"], ascending=[True, False, True], ignore_index=True)
    assert table["source"].tolist() == expected["source"].tolist()
    assert table["target"].tolist() == expected["target"].tolist()
    of_b = table.loc[table["source"] == "b", "target"].tolist()
    assert [gene for gene in of_b if gene in "xyz"] == ["x", "y", "z"]


def test_columns_are_what_they_are_called():
    X = simulate()
    table = fit(X, settings={**NOTHING_KEPT_OUT, "n_subnetworks": 4})
    source, target = table["source"].astype(int), table["target"].astype(int)
    mi = [oracles.apmi(X[:, i], X[:, j]) for i, j in zip(source, target, strict=True)]
    scc = [spearmanr(X[:, i], X[:, j]).statistic for i, j in zip(source, target, strict=True)]
    np.testing.assert_allclose(table["mi"], mi, atol=1e-12)  # rounding of sums of a few hundred terms
    np.testing.assert_allclose(table["scc"], scc, atol=1e-12)
    np.testing.assert_array_equal(table["weight"], table["scc"])
    np.testing.assert_allclose(table["likelihood"], table["mi"] / table["mi"].max(), rtol=1e-15)
    assert table["weight"].between(-1, 1).all()
    assert ((table["likelihood"] > 0) & (table["likelihood"] <= 1)).all()
    assert table["likelihood"].max() == 1.0
    assert (table["support"] == 4).all()  # every pair is in every subnetwork
    assert (table["log_qvalue"] - table["log_pvalue"] > -1e-12).all()  # the same number where the rank is the last
    assert (table["log_qvalue"] <= 0).all()
    assert edges(table) == {(i, j) for i in "01" for j in "0123457" if i != j}  # all but the constant gene


@pytest.mark.parametrize("correction", ["fdr", "fwer", "p"])
def test_edges_pass_the_level_of_their_correction(correction):
    X = np.hstack([simulate(), np.random.default_rng(1).normal(size=(300, 60))])
    everything = fit(X, settings=NOTHING_KEPT_OUT)
    level = {"fdr": "log_qvalue", "fwer": "log_pvalue", "p": "log_pvalue"}[correction]
    limit = np.log(0.1) - (np.log(len(everything)) if correction == "fwer" else 0.0)
    found = fit(X, settings={"correction": correction, "alpha": 0.1, "dpi": None})
    assert (found[level] <= limit).all()
    passing = edges(everything[everything[level] <= limit])
    assert edges(found) <= passing
    strong = edges(everything[everything["log_pvalue"] < -40])  # beyond doubt in every sample
    assert len(strong) >= 4
    assert strong <= edges(found)


def test_support_counts_subnetworks():
    X = np.hstack([simulate(120), np.random.default_rng(1).poisson(2.0, (120, 40))])
    table = fit(X, settings={"n_subnetworks": 12, "correction": "p", "alpha": 0.2})
    assert table["support"].between(1, 12).all()
    assert table["support"].nunique() > 2
    assert table.loc[table["mi"].idxmax(), "support"] == 12


def test_the_caller_hears_of_every_subnetwork():
    heard = []
    fit(simulate(60), settings={"n_subnetworks": 7}, on_subnetwork=lambda: heard.append(1))
    assert len(heard) == 7


# --- genes as arguments -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "regulators",
    [
        ["R1", "R2"],
        ("R2", "R1", "R1"),
        np.array(["R1", "R2"]),
        pd.Index(["R2", "R1"]),
        pd.Series(["R1", "R2"]),
        {"R1", "R2"},
        [1, 0],
        np.array([0, 1], np.int32),
        pd.Series([1, 0]),
        [True, True, *[False] * 6],
        np.arange(8) < 2,
        pd.Series(np.arange(8) < 2, index=NAMES),
        pd.Index(np.arange(8) < 2),
    ],
    ids=lambda value: f"{type(value).__name__}-{np.asarray(list(value)).dtype.kind}",
)
@pytest.mark.parametrize("argument", ["regulators", "targets"])
def test_genes_are_given_by_name_position_or_mask(regulators, argument):
    X = simulate(100)
    settings = NOTHING_KEPT_OUT
    if argument == "regulators":
        found = fit(X, regulators, names=NAMES, settings=settings)
        expected = fit(X, ["R1", "R2"], names=NAMES, settings=settings)
    else:
        found = fit(X, ["up"], names=NAMES, targets=regulators, settings=settings)
        expected = fit(X, ["up"], names=NAMES, targets=["R1", "R2"], settings=settings)
    assert_same(found, expected)


def test_only_targets_are_targets():
    X = simulate()
    table = fit(X, ["R1", "R2"], names=NAMES, targets=["up", "R2", "alone"], settings=NOTHING_KEPT_OUT)
    assert edges(table) == {("R1", "up"), ("R1", "R2"), ("R1", "alone"), ("R2", "up"), ("R2", "alone")}
    whole = fit(X, ["R1", "R2"], names=NAMES, settings=NOTHING_KEPT_OUT).set_index(["source", "target"])["mi"]
    for row in table.itertuples():
        assert row.mi == whole[row.source, row.target]


def test_a_regulator_that_is_its_only_target_has_no_network():
    assert len(fit(simulate(60), ["R1"], names=NAMES, targets=["R1"])) == 0


def test_genes_are_called_by_their_positions_without_names():
    named, unnamed = fit(simulate(), names=NAMES), fit(simulate())
    assert edges(named) == {(NAMES[int(i)], NAMES[int(j)]) for i, j in edges(unnamed)}


def test_absent_regulators_are_warned_of_once():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = fit(simulate(100), ["R1", "missing", "R2", "other"], names=NAMES)
    assert [entry.category for entry in caught] == [UserWarning]
    assert str(caught[0].message).startswith("2 of 4 regulators are not among the 8 genes: 'missing', 'other'")
    assert caught[0].filename == __file__  # points at the code that called pysces
    assert_same(found, fit(simulate(100), ["R1", "R2"], names=NAMES))


# --- cells and formats ------------------------------------------------------------------------------------------------


def test_rows_choose_cells():
    X = simulate(200)
    rows = np.flatnonzero(np.random.default_rng(0).random(200) < 0.6)
    assert_same(fit(X, rows=rows), fit(X[rows]))


@pytest.mark.parametrize("ties", ["block", "random"])
def test_formats_and_threads_give_the_same_bytes(as_format, ties):
    X = np.hstack([simulate(150), np.random.default_rng(1).poisson(0.5, (150, 140))])  # several blocks of genes
    found, expected = (
        fit(data, range(12), settings={"ties": ties, "n_threads": n, "correction": "p", "alpha": 0.1})
        for data, n in ((as_format(X), 2), (X, 1))
    )
    assert_same(found, expected)


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint16", "int64"])
def test_dtypes_give_the_same_bytes(dtype):
    X = simulate(100).clip(max=120)
    assert_same(fit(X.astype(dtype)), fit(X))


def test_explicit_zeros_duplicates_and_order_do_not_matter_and_x_stays_as_it_is():
    X = simulate(100)
    rows, columns = np.indices(X.shape).reshape(2, -1)
    order = np.random.default_rng(0).permutation(X.size)
    halves = np.concatenate([order, order])
    indptr = np.arange(len(X) + 1) * 2 * X.shape[1]
    by_row = halves[np.argsort(rows[halves], kind="stable")]
    messy = sp.csr_array((X.ravel()[by_row] / 2, columns[by_row], indptr), shape=X.shape)
    before = messy.data.copy(), messy.indices.copy(), messy.indptr.copy()
    assert_same(fit(messy), fit(X))
    for found, expected in zip((messy.data, messy.indices, messy.indptr), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_cells_beyond_one_block_of_reading_are_used(as_format):
    X = simulate(1100)
    X[1030:, [0, 5]] += 40  # R1 and ``alone`` rise together only there
    assert ("0", "5") in edges(fit(as_format(X), settings={"dpi": None}))
    assert ("0", "5") not in edges(fit(X[:1030], settings={"dpi": None}))


# --- random numbers ---------------------------------------------------------------------------------------------------


SEEDS = {
    "int": lambda: 5,
    "numpy": lambda: np.int64(5),
    "sequence": lambda: np.random.SeedSequence(5),
    "generator": lambda: np.random.default_rng(5),
}


@pytest.mark.parametrize("ties", ["block", "random"])
@pytest.mark.parametrize("seed", list(SEEDS))
def test_a_seed_gives_the_same_bytes_and_another_seed_other_support(seed, ties):
    X = np.random.default_rng(1).poisson(2.0, (120, 40))
    settings = {"ties": ties, "n_subnetworks": 8, "correction": "p", "alpha": 0.3, "dpi": None}
    first, again = (fit(X, settings={**settings, "rng": SEEDS[seed]()}) for _ in range(2))
    assert_same(first, again)
    other = fit(X, settings={**settings, "rng": 6})
    columns = ["source", "target", "support"]
    assert not first[columns].astype(str).equals(other[columns].astype(str))


def test_a_second_fit_of_the_same_object_gives_the_same_bytes():
    model = ps.ARACNe(n_subnetworks=3, rng=np.random.default_rng(0))
    first = model.fit(simulate(100), [0, 1]).network_
    assert_same(model.fit(simulate(100), [0, 1]).network_, first)


def test_numpys_global_state_is_neither_used_nor_changed():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    fit(simulate(60))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


# --- noise and scarcity -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("null_size", [null.N_PERMUTED], indirect=True)
@pytest.mark.parametrize("kind", ["normal", "sparse counts"])
def test_independent_genes_give_at_most_one_edge_on_average(kind):
    n_edges = []
    for seed in range(10):
        rng = np.random.default_rng([seed, 1])
        X = rng.normal(size=(400, 300)) if kind == "normal" else rng.poisson(-np.log(0.85), (400, 300))
        n_edges.append(len(fit(X, range(30), settings={"n_subnetworks": 5, "rng": seed})))
    assert np.mean(n_edges) <= 1, n_edges


def test_a_regulator_that_is_constant_in_some_samples_is_harmless():
    X = simulate(100)
    X[:, 1] = 0.0
    X[3, 1] = 1.0
    assert ("0", "2") in edges(fit(X, settings={"n_subnetworks": 10}))


@pytest.mark.parametrize("subsample", [0.05, 0.3, 1 - 1 / np.e, 1.0])
@pytest.mark.parametrize("ties", ["block", "random"])
def test_genes_that_are_all_sparse_give_no_network_and_no_error(ties, subsample):
    rng = np.random.default_rng(0)
    X = np.zeros((50, 20))
    for gene in X.T:
        gene[rng.choice(50, 3, replace=False)] = 1.0
    assert len(fit(X, settings={"subsample": subsample, "ties": ties, "alpha": 1e-6})) == 0


@pytest.mark.parametrize("subsample", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("convention", ["aracne3", "aracne-ap"])
def test_samples_of_very_few_cells_give_no_network_and_no_error(convention, subsample):
    X = np.random.default_rng(0).normal(size=(20, 8))
    assert len(fit(X, settings={"subsample": subsample, "convention": convention, "alpha": 1e-6})) == 0


@pytest.mark.parametrize("n_cells", [10, 11, 13])
def test_ten_cells_are_enough_to_run(n_cells):
    table = fit(simulate(n_cells), settings=NOTHING_KEPT_OUT)
    assert np.isfinite(table[COLUMNS[2:]].to_numpy(float)).all()
    assert len(table) > 0


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("estimator", "gaussian"),
        ("estimator", None),
        ("convention", "aracne"),
        ("convention", None),
        ("ties", "average"),
        ("ties", True),
        ("n_subnetworks", 0),
        ("n_subnetworks", -3),
        ("n_subnetworks", 2.0),
        ("n_subnetworks", True),
        ("n_subnetworks", "many"),
        ("subsample", 0),
        ("subsample", 1.5),
        ("subsample", -0.1),
        ("subsample", True),
        ("subsample", None),
        ("alpha", 0.0),
        ("alpha", 1.0),
        ("alpha", float("nan")),
        ("alpha", False),
        ("alpha", "5 %"),
        ("correction", "bh"),
        ("correction", False),
        ("dpi", "some"),
        ("dpi", True),
        ("dpi_tolerance", 1.0),
        ("dpi_tolerance", -0.1),
        ("dpi_tolerance", True),
        ("dpi_tolerance", False),
        ("n_threads", -1),
        ("n_threads", 1.0),
        ("n_threads", True),
        ("n_threads", None),
        ("rng", -1),
        ("rng", 1.5),
        ("rng", True),
        ("rng", None),
        ("rng", "seed"),
    ],
)
def test_unknown_choices_are_refused_by_name(parameter, value):
    with pytest.raises(ValueError, match=f"^{parameter} is {value!r}; "):
        ps.ARACNe(**{parameter: value})


@pytest.mark.parametrize(
    ("parameter", "value"), [("n_threads", np.int64(1)), ("n_subnetworks", np.int32(2)), ("alpha", np.float32(0.1))]
)
def test_numbers_of_numpy_are_numbers(parameter, value):
    fit(simulate(20), settings={parameter: value})


def test_missing_and_infinite_values_are_counted_and_located(as_format):
    X = simulate(40)
    X[5, 1], X[3, 4], X[20, 0], X[3, 6] = np.nan, np.inf, np.nan, -np.inf
    message = r"^X holds 2 missing \(NaN\) and 2 infinite values, the first at row 3, column 4; "
    with pytest.raises(ValueError, match=message):
        fit(as_format(X))
    with pytest.raises(ValueError, match=message):
        ps.ARACNe().mutual_information(as_format(X), [0])


def test_the_place_of_a_missing_value_is_that_in_x_when_rows_are_chosen():
    X = simulate(40)
    X[25, 2] = np.nan
    with pytest.raises(ValueError, match="row 25, column 2"):
        fit(X, rows=np.arange(20, 40))
    assert len(fit(X, rows=np.arange(20), settings=NOTHING_KEPT_OUT)) > 0


def test_missing_values_are_counted_in_all_cells():
    X = simulate(1500)
    X[[7, 1300], 2] = np.nan
    with pytest.raises(ValueError, match=r"^X holds 2 missing \(NaN\) and 0 infinite values, the first at row 7, "):
        fit(X)


@pytest.mark.parametrize("allowed", [True, False])
def test_negative_values_are_refused_only_where_asked(as_format, allowed):
    X = simulate(40) - 1.0
    if allowed:
        assert len(fit(as_format(X), settings=NOTHING_KEPT_OUT)) > 0
    else:
        with pytest.raises(ValueError, match=r"^X holds negative values \(such as -1\)"):
            fit(as_format(X), allow_negative=False)


@pytest.mark.parametrize(("n_cells", "said"), [(0, "0 cells"), (1, "1 cell"), (9, "9 cells")])
def test_too_few_cells_are_refused(n_cells, said):
    X = simulate(20)
    with pytest.raises(ValueError, match=f"^X has {said}; a network needs at least 10"):
        fit(X[:n_cells])
    with pytest.raises(ValueError, match=f"^X has {said}; a network needs at least 10"):
        fit(X, rows=np.arange(n_cells))


def test_constant_regulators_are_refused_if_all_are():
    with pytest.raises(ValueError, match=r"^every regulator \(1\) is constant over the 30 cells; "):
        fit(simulate(30), ["flat"], names=NAMES)
    assert set(fit(simulate(100), ["flat", "R1"], names=NAMES)["source"]) == {"R1"}


@pytest.mark.parametrize(
    ("X", "match"),
    [
        ([[1.0, 2.0]] * 20, "X is list, not a matrix"),
        (None, "X is NoneType, not a matrix"),
        (np.ones(20), "X is ndarray, not a matrix"),
        (np.ones((20, 3, 2)), "X is ndarray, not a matrix"),
        (pd.DataFrame(np.ones((20, 3))), "X is DataFrame, not a matrix"),
        (np.ones((20, 3), complex), "X holds complex128, not real numbers"),
        (np.full((20, 3), "1"), "X holds <U1, not real numbers"),
        (np.ones((20, 3), object), "X holds object, not real numbers"),
    ],
    ids=["list", "None", "vector", "cube", "frame", "complex", "text", "object"],
)
@pytest.mark.parametrize("rows", [None, np.arange(15)], ids=["all", "some"])
def test_what_is_no_matrix_of_numbers_is_refused(X, match, rows):
    with pytest.raises(TypeError, match=f"^{match}"):
        fit(X, [0], rows=rows)


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (["a", "b", "a", "d", "e", "d", "g", "h"], "^gene_names holds duplicates: 'a', 'd'"),
        (["a", "b"], r"^gene_names has shape \(2,\), but X has 8 columns"),
        ([["a"] * 8], r"^gene_names has shape \(1, 8\), but X has 8 columns"),
    ],
    ids=["duplicated", "short", "nested"],
)
def test_bad_gene_names_are_refused(names, match):
    with pytest.raises(ValueError, match=match):
        fit(simulate(30), [0], names=names)


LIST = "must be a list of genes with at least one entry; found"
KINDS = "must be names, positions or a mask of genes; found"
BAD_GENES = {
    "empty list": ([], ValueError, f"{LIST} list of shape"),
    "empty set": (set(), ValueError, LIST),
    "a name alone": ("R1", ValueError, f"{LIST} str of shape"),
    "a position alone": (0, ValueError, f"{LIST} int of shape"),
    "nested": ([[0, 1]], ValueError, rf"{LIST} list of shape \(1, 2\)"),
    "position too large": ([0, 8], ValueError, "holds positions from 0 to 8, but there are 8 genes"),
    "negative position": ([-1], ValueError, "holds positions from -1 to -1, but there are 8 genes"),
    "short mask": ([True, False], ValueError, "is a mask of length 2, but there are 8 genes"),
    "mask of nothing": ([False] * 8, ValueError, "selects no gene"),
    "floats": ([0.0, 1.0], TypeError, rf"{KINDS} list of shape \(2,\) of float64"),
    "missing name": ([None, "R1"], TypeError, KINDS),
    "mixed set": ({"R1", 1}, TypeError, KINDS),
    "unknown names": (
        ["no", "none"],
        ValueError,
        r"\('no', 'none'\) is among the 8 genes \('R1', 'R2', 'up', ",
    ),
}


@pytest.mark.parametrize("bad", list(BAD_GENES))
@pytest.mark.parametrize("argument", ["regulators", "targets"])
def test_bad_genes_are_refused(argument, bad):
    genes, error, match = BAD_GENES[bad]
    arguments = {"regulators": ["R1"], argument: genes}
    with pytest.raises(error, match=match) as caught:
        fit(simulate(30), names=NAMES, **arguments)
    assert argument in str(caught.value)


def test_a_matrix_without_cells_has_no_information():
    with pytest.raises(ValueError, match="X has no cells"):
        ps.ARACNe().mutual_information(np.zeros((0, 3)), [0])
