"""ARACNe on cells of unequal sequencing depth: no edge is there for depth alone, and where depth is taken from."""

from __future__ import annotations

from functools import cache

import anndata as ad
import dask.array as da
import numpy as np
import oracles
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp
from scipy.stats import norm, rankdata, spearmanr

import pysces as ps

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known")

N_CELLS, N_OTHER = 500, 150
REGULATORS = [0, 1]
REPRESSED = [("0", "5"), ("1", "9")]
PLANTED = {("0", str(i)) for i in range(2, 6)} | {("1", str(i)) for i in range(6, 10)}
SEEDS = range(6)
both = pytest.mark.parametrize("estimator", ["apmi", "gcmi"])


@cache
def simulate(seed: int = 0) -> np.ndarray:
    """Counts in cells of other depths: each regulator raises three genes and lowers one, 150 are unrelated."""
    rng = np.random.default_rng(seed)
    depth, activity = rng.lognormal(0.0, 0.6, N_CELLS), rng.normal(size=(N_CELLS, 2))
    effect = np.zeros((2, 10 + N_OTHER))
    effect[0, [0, 2, 3, 4]] = effect[1, [1, 6, 7, 8]] = 0.6
    effect[0, 5] = effect[1, 9] = -0.4
    X = rng.poisson(np.exp(rng.uniform(0.5, 2.0, 10 + N_OTHER) + activity @ effect) * depth[:, None]).astype(float)
    X.flags.writeable = False
    return X


@cache
def unrelated(seed: int) -> np.ndarray:
    """Counts of unrelated genes in cells of other depths."""
    rng = np.random.default_rng([seed, 1])
    return rng.poisson(np.exp(rng.uniform(-1.0, 2.0, 160)) * rng.lognormal(0.0, 0.6, (N_CELLS, 1))).astype(float)


def normalise(X: np.ndarray, target_sum: float | None = 1e4, dtype: str = "float64") -> np.ndarray:
    """What scanpy makes of counts."""
    adata = ad.AnnData(X.astype(dtype))
    sc.pp.normalize_total(adata, target_sum=target_sum)
    sc.pp.log1p(adata)
    return adata.X


def other_values(X: np.ndarray) -> np.ndarray:
    """Values in the order of X that are no counts."""
    return 1.0 + np.sqrt(X)


def fractional(X: np.ndarray) -> np.ndarray:
    """Counts less what is ambient."""
    return X * (1 - 0.05 * np.random.default_rng(0).random(X.shape))


def model(**settings) -> ps.ARACNe:
    return ps.ARACNe(**{"n_subnetworks": 3, **settings})


def fit(X, regulators=REGULATORS, settings=None, **keywords) -> pd.DataFrame:
    return model(**(settings or {})).fit(X, regulators, **keywords).network_


def edges(table: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(table["source"], table["target"], strict=True))


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Same bytes, types and categories; not for want of edges."""
    assert len(expected) > 4
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    for name in ("source", "target"):
        assert found[name].cat.categories.equals(expected[name].cat.categories)


def assert_same_scores(found, expected) -> None:
    assert np.isfinite(expected.mi).any()
    for name, one, other in zip(expected._fields, found, expected, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)


# --- what strata are for ----------------------------------------------------------------------------------------------


def test_unrelated_genes_have_edges_only_where_depth_is_left_alone():
    auto, none = (
        [len(fit(unrelated(seed), range(10), {"n_subnetworks": 5}, depth=depth)) for seed in SEEDS]
        for depth in ("auto", None)
    )
    assert sum(auto) <= 2, auto  # of 9540 pairs; the level is that of any edge at all
    assert min(none) > 300, none


def test_targets_are_found_and_unrelated_genes_are_not():
    auto, none = ([edges(fit(simulate(seed), depth=depth)) for seed in SEEDS] for depth in ("auto", None))
    for found in auto:
        assert found >= PLANTED
    n_false, n_false_without = ([len(found - PLANTED) for found in networks] for networks in (auto, none))
    assert sum(n_false) <= 0.1 * sum(len(found) for found in auto), n_false  # alpha is 0.05
    assert min(n_false_without) > 200, n_false_without


def test_the_sign_is_that_within_strata():
    for seed in SEEDS:
        X = simulate(seed)
        table = fit(X, settings={"correction": None, "dpi": None}).set_index(["source", "target"])
        without = fit(X, settings={"correction": None, "dpi": None}, depth=None).set_index(["source", "target"])
        for pair in REPRESSED:
            assert table.loc[pair, "weight"] < -0.15
            assert table.loc[pair, "scc"] == table.loc[pair, "weight"]
            raw = spearmanr(X[:, int(pair[0])], X[:, int(pair[1])]).statistic
            assert without.loc[pair, "weight"] == pytest.approx(raw, abs=1e-12)
            assert raw > -0.05
    X = simulate()
    for regulator, target in REPRESSED:
        assert spearmanr(X[:, int(regulator)], X[:, int(target)]).statistic > 0.1


def within(scores: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """What of the scores the means of strata do not explain."""
    rest = scores.copy()
    for stratum in np.unique(strata):
        rest[strata == stratum] -= rest[strata == stratum].mean(axis=0)
    return rest


def test_correlations_are_those_within_strata_of_the_ranks_in_all_cells():
    X, strata = simulate(), np.random.default_rng(0).permutation(np.arange(N_CELLS) % 6)  # as many as are made
    table = fit(X, settings={"correction": None, "dpi": None, "n_subnetworks": 0}, depth=strata)
    ranks = rankdata(X, axis=0)
    normal, ranks = within(norm.ppf(ranks / (N_CELLS + 1)), strata), within(ranks, strata)
    source, target = table["source"].astype(int), table["target"].astype(int)
    assert len(table) == 2 * (X.shape[1] - 1)
    for of, i, j in zip(table.index, source, target, strict=True):
        rho = np.corrcoef(normal[:, i], normal[:, j])[0, 1]
        assert table.loc[of, "mi"] == pytest.approx(-np.log1p(-(rho**2)) / 2, abs=1e-6)  # scores in steps
        assert table.loc[of, "scc"] == pytest.approx(np.corrcoef(ranks[:, i], ranks[:, j])[0, 1], abs=1e-12)


def test_without_depth_the_information_is_that_of_all_cells():
    X = simulate()
    mi = model().mutual_information(X, REGULATORS, depth=None)
    for i in REGULATORS:
        for j in range(2, 30):
            assert mi[i, j] == pytest.approx(abs(oracles.gcmi(X[:, i], X[:, j])), abs=1e-6)
    assert not np.allclose(mi[:, 2:], model().mutual_information(X, REGULATORS)[:, 2:], atol=0.01)


@pytest.mark.parametrize("n_cells", [100, 150, 240])
def test_few_cells_have_few_edges_for_depth_alone(n_cells):
    auto, none = (
        sum(len(fit(unrelated(seed)[:n_cells], range(10), depth=depth)) for seed in SEEDS) for depth in ("auto", None)
    )
    assert none > 2000  # of 9540 pairs
    assert auto < 0.01 * none


def two_types(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts of two types of cell, and the technical part of their depth.

    One type has 2.5 times the RNA. It has more of genes 0 and 2 to 5 for another reason.
    """
    rng = np.random.default_rng(seed)
    of_type, technical = rng.random(N_CELLS) < 0.4, rng.lognormal(0.0, 0.4, N_CELLS)
    effect = np.zeros(160)
    effect[[0, *range(2, 26)]], effect[26:46] = 1.0, -1.0
    log_rates = rng.uniform(-0.5, 1.5, 160) + np.outer(of_type, effect + 0.9)
    return rng.poisson(np.exp(log_rates) * technical[:, None]).astype(float), technical


def test_information_is_within_the_depth_that_types_of_cell_do_not_explain():
    for seed in SEEDS:
        X, technical = two_types(seed)
        auto, known, whole, none = (
            model().mutual_information(X, [0], depth=depth)[0, 2:6].mean()
            for depth in ("auto", technical, X.sum(axis=1), None)
        )
        assert 5 * whole < 0.8 * known < auto < known < none


def test_p_values_are_those_within_the_whole_depth():
    for X in (simulate(), two_types(0)[0]):
        auto, whole = (model().score(X, REGULATORS, depth=depth) for depth in ("auto", X.sum(axis=1)))
        np.testing.assert_array_equal(auto.log_pvalue, whole.log_pvalue)
        assert not np.array_equal(auto.mi, whole.mi, equal_nan=True)


# --- counts, and values they can be had back from ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target_sum", [1.0, 1e4, 1e6, None])
def test_log_normalised_values_give_the_network_of_the_counts(target_sum, dtype):
    X, settings = simulate(), {"n_subnetworks": 4, "rng": 3}
    normalised = model(**settings).fit(normalise(X, target_sum, dtype), REGULATORS)
    assert_same(normalised.network_, fit(X, settings=settings))
    assert normalised.depth_ == "log of normalised counts, base e"


@pytest.mark.parametrize(
    "change",
    [
        lambda X: normalise(X) / np.log(2),
        lambda X: np.log10(X + 1),
        lambda X: np.expm1(normalise(X)).astype(np.float32),
        lambda X: np.log1p(X).astype(np.float32),
    ],
    ids=["log2 normalised", "log10", "normalised", "log1p"],
)
def test_other_forms_of_counts_give_the_network_of_the_counts(change):
    X = simulate()
    assert_same(fit(change(X)), fit(X))


def test_unrelated_genes_have_no_edges_in_fractional_counts():
    found = [len(fit(fractional(unrelated(seed)), range(10), {"n_subnetworks": 5})) for seed in SEEDS]
    assert sum(found) <= 2, found  # as in the counts


def test_log_normalised_values_give_the_scores_of_the_counts():
    X = simulate()
    assert_same_scores(model().score(normalise(X), REGULATORS), model().score(X, REGULATORS))
    mi = model().mutual_information(normalise(X), REGULATORS)
    np.testing.assert_array_equal(mi, model().mutual_information(X, REGULATORS))


def test_a_network_of_log_normalised_values_as_they_are_is_another():
    X = simulate()
    assert not fit(normalise(X), depth=None)["mi"].equals(fit(X, depth=None)["mi"])


@pytest.mark.parametrize(
    ("X", "depth", "source"),
    [
        (simulate(), "auto", "counts"),
        (normalise(simulate()), "auto", "log of normalised counts, base e"),
        (normalise(simulate()) / np.log(7), "auto", "log of normalised counts, base 7"),
        (np.log2(simulate() + 1), "auto", "log of counts, base 2"),
        (np.expm1(normalise(simulate())), "auto", "normalised counts"),
        (fractional(simulate()), "auto", "sum of values"),
        (simulate()[:, :40], "auto", "few genes"),
        (other_values(simulate()), "auto", "unknown"),
        (simulate() - 1.0, "auto", "unknown"),
        (simulate(), None, "unused"),
        (normalise(simulate()), None, "unused"),
        (other_values(simulate()), None, "unused"),
        (simulate(), np.arange(N_CELLS), "given"),
        (other_values(simulate()), np.arange(N_CELLS), "given"),
    ],
    ids=[
        "counts",
        "log",
        "log 7",
        "log2",
        "normalised",
        "fractional",
        "few",
        "other",
        "negative",
        "none",
        "log none",
        "other none",
        "given",
        "other given",
    ],
)
def test_the_model_tells_where_depth_is_from(X, depth, source):
    fitted, scored = model(n_subnetworks=1).fit(X, REGULATORS, depth=depth), model()
    scored.score(X, REGULATORS, depth=depth)
    assert fitted.depth_ == scored.depth_ == source


def test_values_that_are_no_counts_are_not_stratified():
    X = other_values(simulate())
    assert_same(fit(X), fit(X, depth=None))


@pytest.mark.parametrize(("n_genes", "stratified"), [(49, False), (50, True)])
def test_counts_of_fewer_than_fifty_genes_are_not_stratified(n_genes, stratified):
    X = np.array(simulate()[:, : n_genes + 20])
    X[:, n_genes:] = 0.0  # not detected
    auto, none = (model().mutual_information(X, REGULATORS, depth=depth) for depth in ("auto", None))
    assert np.array_equal(auto, none, equal_nan=True) is not stratified


def test_apmi_takes_no_notice_of_depth():
    X = simulate()[:, :60]
    auto, none = (model(estimator="apmi", n_subnetworks=1) for _ in range(2))
    assert_same(auto.fit(X, REGULATORS).network_, none.fit(X, REGULATORS, depth=None).network_)
    assert auto.depth_ == none.depth_ == "unused"


# --- depth that is given ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        np.log,
        np.sqrt,
        lambda depth: 1e6 * depth,
        lambda depth: depth.astype(np.float32),
        np.int64,
        np.ndarray.tolist,
        pd.Series,
        lambda depth: pd.Series(depth, index=range(N_CELLS, 0, -1)),
        rankdata,
    ],
    ids=["log", "root", "larger", "float32", "int64", "list", "series", "series of other labels", "ranks"],
)
def test_depth_in_any_units_gives_the_same_strata(change):
    X = simulate()
    depth = X.sum(axis=1)
    assert_same(fit(X, depth=change(depth)), fit(X, depth=depth))


def test_a_given_depth_is_the_one_that_is_used():
    X, depth = simulate(), simulate().sum(axis=1)
    shuffled = np.random.default_rng(0).permutation(depth)
    assert len(edges(fit(X, depth=depth)) - PLANTED) <= 2
    assert len(edges(fit(X, depth=shuffled)) - PLANTED) > 200


def test_a_given_depth_is_of_use_for_values_that_are_no_counts():
    X, depth = simulate(), simulate().sum(axis=1)
    assert_same(fit(np.sqrt(X), depth=depth), fit(X, depth=depth))  # of ranks


@pytest.mark.parametrize(
    "depth", [np.full(N_CELLS, 7.5), np.zeros(N_CELLS), np.ones(N_CELLS, bool)], ids=["7.5", "0", "True"]
)
def test_equal_depth_of_all_cells_is_none(depth):
    assert_same(fit(simulate(), depth=depth), fit(simulate(), depth=None))


BAD = {
    "short": (np.ones(N_CELLS - 1), r"one number per cell \(500\); found ndarray of shape \(499,\)"),
    "long": (np.ones(N_CELLS + 1), r"found ndarray of shape \(501,\)"),
    "one": (3.0, r"found float of shape \(\)"),
    "none": ([], r"found list of shape \(0,\)"),
    "column": (np.ones((N_CELLS, 1)), r"found ndarray of shape \(500, 1\)"),
    "row": (np.ones((1, N_CELLS)), r"found ndarray of shape \(1, 500\)"),
    "frame": (pd.DataFrame({"depth": np.ones(N_CELLS)}), r"found DataFrame of shape \(500, 1\)"),
    "unknown string": ("total", r"must be 'auto', None or .* found str"),
    "text": (["deep"] * N_CELLS, r"found list of shape \(500,\) and <U4"),
    "numbers as text": (["1"] * N_CELLS, r"found list of shape \(500,\) and <U1"),
    "objects": ([None, *[1.0] * (N_CELLS - 1)], "found list of .* object"),
    "nan": (np.r_[np.nan, np.nan, np.ones(N_CELLS - 2)], "holds 2 missing or infinite values"),
    "inf": (np.r_[np.inf, np.ones(N_CELLS - 1)], "holds 1 missing or infinite values"),
    "minus inf": (np.r_[np.ones(N_CELLS - 1), -np.inf], "holds 1 missing or infinite values"),
}


@pytest.mark.parametrize(("depth", "match"), BAD.values(), ids=BAD)
def test_bad_depth_is_refused_by_name(depth, match):
    for method in ("fit", "score", "mutual_information"):
        with pytest.raises(ValueError, match=f"^depth .*{match}"):
            getattr(model(), method)(simulate(), REGULATORS, depth=depth)


def test_depth_is_refused_by_an_estimator_that_takes_no_notice_of_it():
    for method in ("fit", "score", "mutual_information"):
        with pytest.raises(ValueError, match=r"^depth is given, but estimator='apmi' takes no notice of it; "):
            getattr(model(estimator="apmi"), method)(simulate(), REGULATORS, depth=np.ones(N_CELLS))


# --- cells and genes --------------------------------------------------------------------------------------------------


def some_rows() -> np.ndarray:
    return np.flatnonzero(np.random.default_rng(0).random(N_CELLS) < 0.6)


@pytest.mark.parametrize("change", [np.asarray, normalise, other_values], ids=["counts", "log", "other"])
@pytest.mark.parametrize("depth", ["auto", "given", None])
def test_rows_have_the_network_of_a_matrix_of_these_rows(change, depth):
    X, rows = change(simulate()), some_rows()
    numbers = np.random.default_rng(1).lognormal(size=N_CELLS)
    of_all, of_rows = (numbers, numbers[rows]) if depth == "given" else (depth, depth)
    assert_same(fit(X, rows=rows, depth=of_all), fit(X[rows], depth=of_rows))
    assert_same_scores(
        model().score(X, REGULATORS, rows=rows, depth=of_all), model().score(X[rows], REGULATORS, depth=of_rows)
    )


def test_other_rows_may_hold_what_is_no_count():
    X, rows = np.array(simulate()), some_rows()
    X[np.setdiff1d(np.arange(N_CELLS), rows)] += 0.123
    assert_same(fit(X, rows=rows), fit(simulate(), rows=rows))


@pytest.mark.parametrize("change", [np.asarray, normalise], ids=["counts", "log"])
def test_depth_is_of_all_genes_whichever_take_part(change):
    X, targets = change(simulate()), [0, 3, 5, 9, 60]
    whole, some = model().score(X, REGULATORS), model().score(X, [1], targets=targets)
    columns = [0, 1, *targets[1:]]  # those that take part
    assert some.targets.tolist() == [str(gene) for gene in columns]
    np.testing.assert_array_equal(some.mi[0, [0, 2, 3, 4, 5]], whole.mi[1, targets])
    np.testing.assert_array_equal(some.log_pvalue[0, [0, 2, 3, 4, 5]], whole.log_pvalue[1, targets])
    keep = {"correction": None, "dpi": None}
    table = fit(X, settings=keep).set_index(["source", "target"])
    for row in fit(X, [1], settings=keep, targets=targets).itertuples():
        assert (row.mi, row.scc) == (
            table.loc[(row.source, row.target), "mi"],
            table.loc[(row.source, row.target), "scc"],
        )


def test_a_network_without_subnetworks_is_the_pairs_that_pass():
    X = simulate()
    scores = model().score(X, REGULATORS)
    table = fit(X, settings={"n_subnetworks": 0, "dpi": None})
    passing = np.argwhere(scores.log_qvalue <= np.log(0.05))
    assert edges(table) == {(str(REGULATORS[i]), str(j)) for i, j in passing}
    for row in table.itertuples():
        i, j = int(row.source), int(row.target)
        assert (row.mi, row.log_pvalue) == (scores.mi[i, j], scores.log_pvalue[i, j])
    np.testing.assert_array_equal(scores.mi, model().mutual_information(X, REGULATORS))


# --- the same bytes ---------------------------------------------------------------------------------------------------


STORAGES = {
    "ndarray": np.asarray,
    "fortran": np.asfortranarray,
    "csr": sp.csr_matrix,
    "csc": sp.csc_array,
    "dask": lambda x: da.from_array(x, chunks=(90, -1)),
    "dask csr": lambda x: da.from_array(x, chunks=(90, -1)).map_blocks(sp.csr_matrix),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("change", [np.asarray, normalise], ids=["counts", "log"])
def test_storages_and_threads_give_the_same_bytes(change, storage, threads):
    X = change(simulate())
    settings = {"n_threads": threads}
    assert_same(fit(STORAGES[storage](X), settings=settings), fit(simulate(), settings={"n_threads": 1}))


@pytest.mark.parametrize("dtype", ["int64", "uint16", "int32", "float32"])
def test_dtypes_give_the_same_bytes(dtype):
    assert_same(fit(sp.csr_matrix(simulate().astype(dtype))), fit(simulate()))


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_give_the_same_scores_of_more_genes_than_one_task_has(threads):
    X = np.hstack([simulate(), unrelated(0), unrelated(1)])
    assert_same_scores(model(n_threads=threads).score(X, range(60)), model(n_threads=1).score(X, range(60)))


def test_a_second_fit_gives_the_same_bytes_and_x_stays_as_it_is():
    X = sp.csr_matrix(normalise(simulate()))
    before = X.copy()
    fitted = model()
    first = fitted.fit(X, REGULATORS).network_
    assert_same(fitted.fit(X, REGULATORS).network_, first)
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(X, name), getattr(before, name))


# --- few cells, few counts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_cells", [10, 29, 30, 59, 60, 61, 89, 90, 91, 359, 361])
def test_any_number_of_cells_is_enough_from_ten(n_cells):
    X = simulate()[:n_cells]
    for depth in ("auto", X.sum(axis=1)):
        table = fit(X, settings={"correction": None, "dpi": None, "n_subnetworks": 2}, depth=depth)
        assert len(table) > 100
        assert np.isfinite(table[["mi", "scc", "log_pvalue", "log_qvalue"]].to_numpy()).all()


def repeated(n_kinds: int) -> np.ndarray:
    """Cells of a few kinds, those of one kind all the same."""
    rng = np.random.default_rng(0)
    return rng.poisson(3.0, (n_kinds, 70))[rng.integers(0, n_kinds, 300)]


def multiples() -> np.ndarray:
    """Cells that differ in nothing but depth."""
    rng = np.random.default_rng(0)
    return np.outer(rng.integers(1, 9, 300), rng.integers(1, 9, 70))


def one_each() -> np.ndarray:
    """One count per cell."""
    X = np.zeros((300, 70))
    X[np.arange(300), np.random.default_rng(0).integers(0, 70, 300)] = 1.0
    return X


def with_empty_cells() -> np.ndarray:
    X = np.array(simulate())
    X[::5] = 0.0
    return X


ODD = {
    "two kinds": lambda: repeated(2),
    "three kinds": lambda: repeated(3),
    "twelve kinds": lambda: repeated(12),
    "multiples": multiples,
    "one each": one_each,
    "identity": lambda: np.repeat(np.eye(60), 2, axis=0),
    "empty cells": with_empty_cells,
    "booleans": lambda: simulate() > 4,
    "one deep cell": lambda: np.vstack([simulate(), 1e6 * simulate()[:1]]),
    "large": lambda: 1e12 * simulate(),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_counts_are_no_error(kind):
    fitted = model(correction=None, dpi=None).fit(ODD[kind](), REGULATORS)
    assert np.isfinite(fitted.network_[["mi", "scc", "log_pvalue", "log_qvalue"]].to_numpy()).all()
    assert fitted.depth_ == "counts"


def test_cells_that_differ_in_nothing_but_depth_have_no_edges():
    assert fit(multiples()).empty
