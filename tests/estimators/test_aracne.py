"""ARACNe on arrays: what the network holds, what input it takes, and that noise gives none."""

from __future__ import annotations

import linecache
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import oracles
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given
from hypothesis import settings as configure
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, spearmanr

import pysces as ps
from pysces._infer.null import N_PERMUTED

if TYPE_CHECKING:
    from pysces.estimators._pairs import PairScores

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known")
"""Of few genes, or of values that are no counts."""
COLUMNS = ["source", "target", "weight", "likelihood", "mi", "scc", "support", "log_pvalue", "log_qvalue"]
NAMES = ["R1", "R2", "up", "down", "chain", "alone", "flat", "both"]
NOTHING_KEPT_OUT = {"correction": None, "dpi": None}
both = pytest.mark.parametrize("estimator", ["apmi", "gcmi"])
variants = pytest.mark.parametrize(
    "variant",
    [{"estimator": "apmi", "ties": "block"}, {"estimator": "apmi", "ties": "random"}, {"estimator": "gcmi"}],
    ids=["block", "random", "gcmi"],
)


@pytest.fixture(autouse=True)
def null_size(request, monkeypatch):
    """Nulls of 45,000 values instead of a million, where a test does not ask for another size."""
    monkeypatch.setattr("pysces._infer.null.N_PERMUTED", getattr(request, "param", 300))
    monkeypatch.setattr("pysces._infer.null._distinct_tails", {})


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


def test_a_gaussian_copula_is_the_default():
    X = simulate(100)
    default, gcmi, apmi = (
        fit(X, settings=settings) for settings in ({}, *({"estimator": e} for e in ("gcmi", "apmi")))
    )
    assert_same(default, gcmi)
    assert not default["mi"].equals(apmi["mi"])


@pytest.mark.parametrize("convention", ["aracne3", "aracne-ap"])
@variants
def test_dependent_genes_are_found_with_their_sign(variant, convention):
    of_apmi = {"convention": convention} if variant["estimator"] == "apmi" else {}
    table = fit(simulate(), ["R1", "R2"], names=NAMES, settings={**variant, **of_apmi})
    assert {("R1", "up"), ("R1", "down"), ("R2", "chain")} <= edges(table)
    assert not {"alone", "flat"} & set(table["target"])
    sign = table.set_index(["source", "target"])["weight"]
    assert sign["R1", "up"] > 0.5
    assert sign["R1", "down"] < -0.5


@pytest.mark.parametrize(("dpi", "kept"), [("all", False), ("target", False), (None, True)])
@both
def test_indirect_edges_are_pruned(estimator, dpi, kept):
    table = fit(simulate(1000), ["R1", "R2"], names=NAMES, settings={"estimator": estimator, "dpi": dpi})
    assert (("R1", "chain") in edges(table)) is kept
    assert ("R2", "chain") in edges(table)


@both
def test_a_tolerance_keeps_more_edges(estimator):
    X, settings = simulate(), {"estimator": estimator}
    strict, tolerant = (edges(fit(X, settings={**settings, "dpi_tolerance": e})) for e in (0.0, 0.9))
    assert strict < tolerant


@pytest.mark.parametrize("settings", [{}, NOTHING_KEPT_OUT, {"correction": "p", "alpha": 1e-12, "dpi": None}])
@both
def test_the_table_has_its_columns_and_types(estimator, settings):
    table = fit(simulate(), settings={"estimator": estimator, **settings})
    assert len(table) > 0
    assert list(table.columns) == COLUMNS
    for name in ("source", "target"):
        assert isinstance(table[name].dtype, pd.CategoricalDtype)
        assert set(table[name].cat.categories) == set(table[name])
    assert set(table[COLUMNS[2:]].drop(columns="support").dtypes) == {np.dtype("float64")}
    assert table["support"].dtype == np.int64
    assert isinstance(table.index, pd.RangeIndex)


@pytest.mark.parametrize("consensus", ["data", "poisson", "binomial"])
@both
def test_noise_gives_an_empty_table_of_the_same_columns_and_types(estimator, consensus):
    settings = {"estimator": estimator, "consensus": consensus, "alpha": 1e-9}
    empty = fit(np.random.default_rng(0).normal(size=(60, 5)), settings=settings)
    full = fit(simulate(), settings={"estimator": estimator})
    assert len(empty) == 0
    assert list(empty.columns) == COLUMNS
    pd.testing.assert_series_equal(empty.dtypes[COLUMNS[2:]], full.dtypes[COLUMNS[2:]])
    assert isinstance(empty["source"].dtype, pd.CategoricalDtype)


@both
def test_edges_are_sorted_by_source_falling_information_and_target(estimator):
    X, settings = simulate(), {**NOTHING_KEPT_OUT, "estimator": estimator}
    X = np.column_stack([X, X[:, 2], X[:, 2]])  # three targets with the same information
    table = fit(X, ["b", "a"], names=["b", "a", "z", "c", "d", "e", "f", "g", "y", "x"], settings=settings)
    expected = table.assign(source=table["source"].astype(str), target=table["target"].astype(str))
    expected = expected.sort_values(["source", "mi", "target"], ascending=[True, False, True], ignore_index=True)
    assert table["source"].tolist() == expected["source"].tolist()
    assert table["target"].tolist() == expected["target"].tolist()
    of_b = table.loc[table["source"] == "b", "target"].tolist()
    assert [gene for gene in of_b if gene in "xyz"] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("estimator", "information", "rounding"),
    [
        ("apmi", oracles.apmi, 1e-12),
        ("gcmi", oracles.gcmi, 1e-7),
    ],  # sums of a few hundred terms; scores in steps of 2^-20
    ids=["apmi", "gcmi"],
)
def test_columns_are_what_they_are_called(estimator, information, rounding):
    X = simulate()
    table = fit(X, settings={**NOTHING_KEPT_OUT, "estimator": estimator, "n_subnetworks": 4})
    source, target = table["source"].astype(int), table["target"].astype(int)
    mi = [abs(information(X[:, i], X[:, j])) for i, j in zip(source, target, strict=True)]
    scc = [spearmanr(X[:, i], X[:, j]).statistic for i, j in zip(source, target, strict=True)]
    np.testing.assert_allclose(table["mi"], mi, atol=rounding)
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
@both
def test_edges_pass_the_level_of_their_correction(estimator, correction):
    X = np.hstack([simulate(), np.random.default_rng(1).normal(size=(300, 60))])
    everything = fit(X, settings={**NOTHING_KEPT_OUT, "estimator": estimator})
    level = {"fdr": "log_qvalue", "fwer": "log_pvalue", "p": "log_pvalue"}[correction]
    limit = np.log(0.1) - (np.log(len(everything)) if correction == "fwer" else 0.0)
    found = fit(X, settings={"estimator": estimator, "correction": correction, "alpha": 0.1, "dpi": None})
    assert (found[level] <= limit).all()
    passing = edges(everything[everything[level] <= limit])
    assert edges(found) <= passing
    strong = edges(everything[everything["log_pvalue"] < -30])  # beyond doubt in every sample
    assert len(strong) >= 4
    assert strong <= edges(found)


@both
def test_support_counts_subnetworks(estimator):
    X = np.hstack([simulate(120), np.random.default_rng(1).poisson(2.0, (120, 40))])
    table = fit(X, settings={"estimator": estimator, "n_subnetworks": 12, "correction": "p", "alpha": 0.2})
    assert table["support"].between(1, 12).all()
    assert table["support"].nunique() > 2
    assert table.loc[table["mi"].idxmax(), "support"] == 12


@both
def test_the_caller_hears_of_every_subnetwork(estimator):
    heard = []
    fit(simulate(60), settings={"estimator": estimator, "n_subnetworks": 7}, on_subnetwork=lambda: heard.append(1))
    assert len(heard) == 7


# --- subnetworks and their consensus ----------------------------------------------------------------------------------


def related_genes(n_cells: int = 120, n_genes: int = 24) -> np.ndarray:
    """Every gene follows one before it. No ties, so that nulls depend on the number of cells alone."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_cells, n_genes))
    for gene in range(1, n_genes):
        X[:, gene] += 0.7 * X[:, rng.integers(gene)]
    return X


RELATED_REGULATORS = np.arange(7)


class Naive(NamedTuple):
    """ARACNe by definition, given mutual information and p-values: regulators x genes, one entry per subnetwork."""

    scores: PairScores
    held: np.ndarray
    false_shares: list[float]


def adjust(p: np.ndarray, correction: str | None) -> np.ndarray:
    """p-values to compare with alpha; NaN where no pair is tested."""
    adjusted = np.full(p.shape, np.nan)
    tested = p[~np.isnan(p)]
    by_name = {"fdr": false_discovery_control(tested), "fwer": tested * len(tested), "p": tested, None: 0 * tested}
    adjusted[~np.isnan(p)] = by_name[correction]
    return adjusted


def naive_dpi(edges: np.ndarray, mi: np.ndarray, settings: dict) -> np.ndarray:
    if settings["dpi"] is None:
        return edges
    tolerance = settings.get("dpi_tolerance", 0.0)
    return oracles.dpi(edges, mi, RELATED_REGULATORS, all_sides=settings["dpi"] == "all", tolerance=tolerance)


def naive_subnetworks(X: np.ndarray, settings: dict, n_subnetworks: int) -> Naive:
    """Infer every subnetwork with :meth:`ARACNe.score` on its cells; the false share is that of ARACNe3."""
    model = ps.ARACNe(estimator=settings["estimator"])
    alpha, correction = settings["alpha"], settings["correction"]
    held, false_shares = [], []
    for seed in np.random.SeedSequence(settings["rng"]).spawn(n_subnetworks):
        rng = np.random.default_rng(seed.spawn(1)[0])
        n_taken = int(np.ceil(settings["subsample"] * len(X)))
        taken = np.sort(rng.choice(len(X), n_taken, replace=False, shuffle=False))
        scores = model.score(X, RELATED_REGULATORS, rows=taken)
        edges = adjust(np.exp(scores.log_pvalue), correction) <= alpha
        held.append(naive_dpi(edges, scores.mi, settings))
        n_tests, n_before, n_after = (~np.isnan(scores.mi)).sum(), edges.sum(), held[-1].sum()
        after_pruning = n_after / max(n_before, 1)
        of_correction = {
            "fdr": alpha * n_after / (n_tests - (1 - alpha) * n_before),
            "fwer": alpha / n_tests * after_pruning,
            "p": alpha * after_pruning,
        }
        false_shares.append(of_correction.get(correction))
    return Naive(model.score(X, RELATED_REGULATORS), np.array(held), false_shares)


def naive_log_pvalues(naive: Naive, consensus: str) -> np.ndarray:
    """Natural logs of the p-values of the consensus, NaN for pairs that are no test."""
    support = naive.held.sum(axis=0)
    if consensus == "poisson":
        return oracles.poisson_log_pvalues(support)
    if consensus == "binomial":
        of_support = [oracles.binomial_log_pvalue(k, naive.false_shares) for k in range(len(naive.held) + 1)]
        return np.where(np.isnan(naive.scores.mi), np.nan, np.array(of_support)[support])
    return naive.scores.log_pvalue


def assert_is_naive(table: pd.DataFrame, held: np.ndarray, support: np.ndarray, log_p: np.ndarray) -> None:
    """The table has the edges ``held``, with the values of these matrices (regulators x genes)."""
    places = table["source"].astype(int).to_numpy(), table["target"].astype(int).to_numpy()
    assert set(zip(*places, strict=True)) == set(zip(*np.nonzero(held), strict=True))
    np.testing.assert_array_equal(table["support"], support[places])
    np.testing.assert_allclose(table["log_pvalue"], log_p[places], rtol=1e-8, atol=1e-12)  # of sums of tails
    np.testing.assert_allclose(table["log_qvalue"], np.log(adjust(np.exp(log_p), "fdr"))[places], rtol=1e-8, atol=1e-12)


def assert_fit_is_naive(settings: dict) -> pd.DataFrame:
    """Fit the related genes and compare with the algorithm by definition."""
    X = related_genes()
    naive = naive_subnetworks(X, settings, settings["n_subnetworks"])
    support, log_p = naive.held.sum(axis=0), naive_log_pvalues(naive, settings["consensus"])
    held = (adjust(np.exp(log_p), settings["correction"]) <= settings["alpha"]) & (support > 0)
    table = fit(X, RELATED_REGULATORS, settings=settings)
    assert_is_naive(table, held, support, log_p)
    return table


@pytest.mark.parametrize("correction", ["fdr", "fwer", "p"])
@pytest.mark.parametrize("consensus", ["data", "poisson", "binomial"])
@both
def test_edges_and_their_significance_are_those_of_the_consensus(estimator, consensus, correction):
    settings = {"estimator": estimator, "n_subnetworks": 12, "subsample": 0.6, "alpha": 0.1, "dpi": "all", "rng": 0}
    table = assert_fit_is_naive({**settings, "consensus": consensus, "correction": correction})
    assert len(table) > 5


@both
@given(
    drawn=st.fixed_dictionaries(
        {
            "n_subnetworks": st.integers(2, 6),  # with one, p may be alpha, to rounding
            "subsample": st.sampled_from([0.4, 1 - 1 / np.e, 1.0]),
            "alpha": st.sampled_from([0.01, 0.05, 0.3]),
            "correction": st.sampled_from(["fdr", "fwer", "p", None]),
            "dpi": st.sampled_from(["all", "target", None]),
            "dpi_tolerance": st.sampled_from([0.0, 0.2]),
            "consensus": st.sampled_from(["data", "poisson", "binomial"]),
            "rng": st.integers(0, 3),
        }
    )
    .filter(lambda drawn: drawn["correction"] or drawn["consensus"] != "binomial")
    .map(lambda drawn: drawn if drawn["correction"] else {**drawn, "alpha": 0.05})  # others are refused
    .map(lambda drawn: drawn if drawn["dpi"] else {**drawn, "dpi_tolerance": 0.0})
)
@configure(
    deadline=None, max_examples=30, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_network_is_that_of_the_naive_algorithm(estimator, drawn):
    assert_fit_is_naive({"estimator": estimator, **drawn})


@pytest.mark.parametrize("correction", ["fdr", "fwer", "p"])
@pytest.mark.parametrize("dpi", ["all", "target", None])
@both
def test_without_subnetworks_the_network_is_what_is_significant_on_all_cells_and_survives_pruning(
    estimator, dpi, correction
):
    X = related_genes()
    settings = {"estimator": estimator, "n_subnetworks": 0, "alpha": 0.1, "correction": correction, "dpi": dpi}
    scores = ps.ARACNe(estimator=estimator).score(X, RELATED_REGULATORS)
    edges = adjust(np.exp(scores.log_pvalue), correction) <= 0.1
    held = naive_dpi(edges, scores.mi, settings)
    assert bool(held.sum() < edges.sum()) is (dpi is not None)
    table = fit(X, RELATED_REGULATORS, settings=settings)
    assert_is_naive(table, held, np.ones_like(held), scores.log_pvalue)


@both
def test_without_subnetworks_no_subnetwork_is_heard_of(estimator):
    heard = []
    fit(simulate(60), settings={"estimator": estimator, "n_subnetworks": 0}, on_subnetwork=lambda: heard.append(1))
    assert not heard


def fit_auto(X: np.ndarray, settings: dict) -> tuple[pd.DataFrame, int]:
    """The network with ``n_subnetworks="auto"``, and how many subnetworks were heard of."""
    heard = []
    settings = {**settings, "n_subnetworks": "auto"}
    table = fit(X, RELATED_REGULATORS, settings=settings, on_subnetwork=lambda: heard.append(1))
    return table, len(heard)


@pytest.mark.parametrize("min_targets", [1, 2, 3, 4])
@both
def test_auto_stops_with_the_first_subnetwork_that_fulfils_the_rule(estimator, min_targets):
    X = related_genes()
    settings = {"estimator": estimator, "alpha": 0.05, "correction": "fdr", "dpi": "all", "subsample": 0.6, "rng": 1}
    n_targets = np.count_nonzero(np.cumsum(naive_subnetworks(X, settings, 30).held, axis=0), axis=2)
    least = np.where(n_targets > 0, n_targets, X.shape[1]).min(axis=1)  # of regulators that have any
    fulfilled = n_targets.any(axis=1) & (least >= min_targets)
    expected = int(np.argmax(fulfilled)) + 1
    assert fulfilled.any()
    table, n_used = fit_auto(X, {**settings, "min_targets": min_targets})
    assert n_used == expected
    assert_same(table, fit(X, RELATED_REGULATORS, settings={**settings, "n_subnetworks": expected}))


@both
def test_samples_may_be_given_by_their_number_of_cells(estimator):
    X, settings = simulate(80), {"estimator": estimator, "correction": "p", "n_subnetworks": 4}
    of_40 = fit(X, settings={**settings, "subsample": 40})
    assert_same(of_40, fit(X, settings={**settings, "subsample": 0.5}))
    assert_same(of_40, fit(X, settings={**settings, "subsample": np.int32(40)}))
    whole = fit(X, settings={**settings, "subsample": 1.0})
    for more_than_there_are in (80, 5000, 1):
        assert_same(fit(X, settings={**settings, "subsample": more_than_there_are}), whole)


@both
def test_auto_can_be_told_from_networks_of_one_subnetwork_two_and_so_on(estimator):
    X, settings = simulate(80), {"estimator": estimator, "correction": None, "subsample": 0.4, "rng": 1}

    def least_targets(n_subnetworks: int) -> int:
        table = fit(X, [0, 1, 2, 7], settings={**settings, "n_subnetworks": n_subnetworks})
        return int(table["source"].value_counts().min())

    heard = []
    auto = {**settings, "n_subnetworks": "auto", "min_targets": 5}
    fit(X, [0, 1, 2, 7], settings=auto, on_subnetwork=lambda: heard.append(1))
    assert len(heard) > 1
    assert [least_targets(k) >= 5 for k in range(1, len(heard) + 1)] == [False] * (len(heard) - 1) + [True]


@pytest.mark.parametrize(("kind", "alpha"), [("never enough targets", 0.05), ("no edges", 1e-12)])
@both
def test_auto_ends_with_the_largest_number_of_subnetworks(estimator, kind, alpha):
    X = related_genes() if kind == "never enough targets" else np.random.default_rng(0).normal(size=(60, 8))
    settings = {"estimator": estimator, "alpha": alpha, "max_subnetworks": 4}
    table, n_used = fit_auto(X, settings)
    assert n_used == 4
    expected = fit(X, RELATED_REGULATORS, settings={"estimator": estimator, "alpha": alpha, "n_subnetworks": 4})
    pd.testing.assert_frame_equal(table, expected, check_exact=True)
    assert table.empty is (kind == "no edges")


@both
def test_auto_needs_one_subnetwork_where_it_has_all_targets(estimator):
    table, n_used = fit_auto(related_genes(), {**NOTHING_KEPT_OUT, "estimator": estimator, "min_targets": 23})
    assert n_used == 1
    assert (table["support"] == 1).all()


# --- samples with copies of cells -------------------------------------------------------------------------------------


def fit_with_copies(X: np.ndarray, settings: dict) -> pd.DataFrame:
    with pytest.warns(UserWarning, match="replace=True"):
        return fit(X, RELATED_REGULATORS, settings={"correction": "p", "alpha": 0.2, **settings, "replace": True})


def test_samples_with_copies_are_warned_of_at_the_line_of_the_caller():
    with pytest.warns(
        UserWarning, match=r"^replace=True draws copies of cells, .* support and what follows from it are too high"
    ) as caught:
        ps.ARACNe(replace=True)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "ps.ARACNe(replace=True)" in linecache.getline(__file__, caught[0].lineno)


@variants
def test_samples_with_copies_are_reproducible_and_other_samples(variant):
    X = related_genes()
    settings = {**variant, "n_subnetworks": 6}
    first = fit_with_copies(X, settings)
    assert_same(fit_with_copies(X, {**settings, "n_threads": 1}), first)
    without = fit(X, RELATED_REGULATORS, settings={**settings, "correction": "p", "alpha": 0.2})
    support, other = (table.set_index(["source", "target"])["support"].to_dict() for table in (first, without))
    assert support != other


@both
def test_samples_with_copies_have_as_many_cells_as_there_are(estimator):
    for subsample in (0.2, 1.0):
        with pytest.raises(ValueError, match=f"subsample={subsample} has no meaning with replace=True"):
            ps.ARACNe(estimator=estimator, replace=True, subsample=subsample)


@both
def test_samples_with_copies_of_unrelated_genes_have_edges_as_the_warning_says(estimator):
    X = np.random.default_rng(0).normal(size=(100, 60))
    settings = {"estimator": estimator, "n_subnetworks": 20, "correction": "fdr", "alpha": 0.05}
    assert len(fit(X, RELATED_REGULATORS, settings={**settings, "consensus": "binomial"})) == 0
    assert len(fit_with_copies(X, {**settings, "consensus": "binomial"})) > 20
    assert len(fit_with_copies(X, {**settings, "consensus": "data"})) == 0  # judged on cells without copies


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


@both
def test_only_targets_are_targets(estimator):
    X, settings = simulate(), {**NOTHING_KEPT_OUT, "estimator": estimator}
    table = fit(X, ["R1", "R2"], names=NAMES, targets=["up", "R2", "alone"], settings=settings)
    assert edges(table) == {("R1", "up"), ("R1", "R2"), ("R1", "alone"), ("R2", "up"), ("R2", "alone")}
    whole = fit(X, ["R1", "R2"], names=NAMES, settings=settings).set_index(["source", "target"])["mi"]
    for row in table.itertuples():
        assert row.mi == whole[row.source, row.target]


@pytest.mark.parametrize("settings", [{}, {"correction": "fwer"}, NOTHING_KEPT_OUT, {"n_subnetworks": 0}], ids=str)
@both
def test_a_regulator_that_is_its_only_target_has_no_network(estimator, settings):
    settings = {"estimator": estimator, **settings}
    assert len(fit(simulate(60), ["R1"], names=NAMES, targets=["R1"], settings=settings)) == 0


@both
def test_genes_are_called_by_their_positions_without_names(estimator):
    settings = {"estimator": estimator}
    named, unnamed = fit(simulate(), names=NAMES, settings=settings), fit(simulate(), settings=settings)
    assert edges(named) == {(NAMES[int(i)], NAMES[int(j)]) for i, j in edges(unnamed)}


def test_absent_regulators_are_warned_of_once():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = fit(simulate(100), ["R1", "missing", "R2", "other"], names=NAMES)
    caught = [entry for entry in caught if "sequencing depth" not in str(entry.message)]
    assert [entry.category for entry in caught] == [UserWarning]
    assert str(caught[0].message).startswith("2 of 4 regulators are not among the 8 genes: 'missing', 'other'")
    assert caught[0].filename == __file__  # points at the code that called pysces
    assert_same(found, fit(simulate(100), ["R1", "R2"], names=NAMES))


# --- cells and formats ------------------------------------------------------------------------------------------------


@both
def test_rows_choose_cells(estimator):
    X = simulate(200)
    rows = np.flatnonzero(np.random.default_rng(0).random(200) < 0.6)
    settings = {"estimator": estimator}
    assert_same(fit(X, rows=rows, settings=settings), fit(X[rows], settings=settings))


@variants
def test_formats_and_threads_give_the_same_bytes(as_format, variant):
    X = np.hstack([simulate(150), np.random.default_rng(1).poisson(0.5, (150, 140))])  # several blocks of genes
    found, expected = (
        fit(data, range(12), settings={**variant, "n_threads": n, "correction": "p", "alpha": 0.1})
        for data, n in ((as_format(X), 2), (X, 1))
    )
    assert_same(found, expected)


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint16", "int64"])
@both
def test_dtypes_give_the_same_bytes(estimator, dtype):
    X, settings = simulate(100).clip(max=120), {"estimator": estimator}
    assert_same(fit(X.astype(dtype), settings=settings), fit(X, settings=settings))


@both
def test_explicit_zeros_duplicates_and_order_do_not_matter_and_x_stays_as_it_is(estimator):
    X = simulate(100)
    rows, columns = np.indices(X.shape).reshape(2, -1)
    order = np.random.default_rng(0).permutation(X.size)
    halves = np.concatenate([order, order])
    indptr = np.arange(len(X) + 1) * 2 * X.shape[1]
    by_row = halves[np.argsort(rows[halves], kind="stable")]
    messy = sp.csr_array((X.ravel()[by_row] / 2, columns[by_row], indptr), shape=X.shape)
    before = messy.data.copy(), messy.indices.copy(), messy.indptr.copy()
    settings = {"estimator": estimator}
    assert_same(fit(messy, settings=settings), fit(X, settings=settings))
    for found, expected in zip((messy.data, messy.indices, messy.indptr), before, strict=True):
        np.testing.assert_array_equal(found, expected)


@both
def test_cells_beyond_one_block_of_reading_are_used(as_format, estimator):
    X = simulate(1100)
    X[1030:, [0, 5]] += 40  # R1 and ``alone`` rise together only there
    settings = {"estimator": estimator, "dpi": None}
    assert ("0", "5") in edges(fit(as_format(X), settings=settings))
    assert ("0", "5") not in edges(fit(X[:1030], settings=settings))


# --- random numbers ---------------------------------------------------------------------------------------------------


SEEDS = {
    "int": lambda: 5,
    "numpy": lambda: np.int64(5),
    "sequence": lambda: np.random.SeedSequence(5),
    "generator": lambda: np.random.default_rng(5),
}


@variants
@pytest.mark.parametrize("seed", list(SEEDS))
def test_a_seed_gives_the_same_bytes_and_another_seed_other_support(seed, variant):
    X = np.random.default_rng(1).poisson(2.0, (120, 40))
    settings = {**variant, "n_subnetworks": 8, "correction": "p", "alpha": 0.3, "dpi": None}
    first, again = (fit(X, settings={**settings, "rng": SEEDS[seed]()}) for _ in range(2))
    assert_same(first, again)
    other = fit(X, settings={**settings, "rng": 6})
    columns = ["source", "target", "support"]
    assert not first[columns].astype(str).equals(other[columns].astype(str))


@variants
def test_a_second_fit_of_the_same_object_gives_the_same_bytes(variant):
    model = ps.ARACNe(**variant, n_subnetworks=3, rng=np.random.default_rng(0))
    first = model.fit(simulate(100), [0, 1]).network_
    assert_same(model.fit(simulate(100), [0, 1]).network_, first)


@variants
def test_numpys_global_state_is_neither_used_nor_changed(variant):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    fit(simulate(60), settings=variant)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


# --- noise and scarcity -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("null_size", [N_PERMUTED], indirect=True)
@pytest.mark.parametrize("kind", ["normal", "sparse counts"])
@both
def test_independent_genes_give_at_most_one_edge_on_average(estimator, kind):
    n_edges = []
    for seed in range(10):
        rng = np.random.default_rng([seed, 1])
        X = rng.normal(size=(400, 300)) if kind == "normal" else rng.poisson(-np.log(0.85), (400, 300))
        settings = {"estimator": estimator, "n_subnetworks": 5, "rng": seed}
        n_edges.append(len(fit(X, range(30), settings=settings)))
    assert np.mean(n_edges) <= 1, n_edges


@both
def test_a_regulator_that_is_constant_in_some_samples_is_harmless(estimator):
    X = simulate(100)
    X[:, 1] = 0.0
    X[3, 1] = 1.0
    assert ("0", "2") in edges(fit(X, settings={"estimator": estimator, "n_subnetworks": 10}))


@pytest.mark.parametrize("subsample", [0.05, 0.3, 1 - 1 / np.e, 1.0])
@variants
def test_genes_that_are_all_sparse_give_no_network_and_no_error(variant, subsample):
    rng = np.random.default_rng(0)
    X = np.zeros((50, 20))
    for gene in X.T:
        gene[rng.choice(50, 3, replace=False)] = 1.0
    assert len(fit(X, settings={**variant, "subsample": subsample, "alpha": 1e-6})) == 0


@pytest.mark.parametrize("subsample", [0.05, 0.1, 0.2])
@pytest.mark.parametrize(
    "variant",
    [
        {"estimator": "apmi", "convention": "aracne3"},
        {"estimator": "apmi", "convention": "aracne-ap"},
        {"estimator": "gcmi"},
    ],
    ids=["aracne3", "aracne-ap", "gcmi"],
)
def test_samples_of_very_few_cells_give_no_network_and_no_error(variant, subsample):
    X = np.random.default_rng(0).normal(size=(20, 8))
    assert len(fit(X, settings={**variant, "subsample": subsample, "alpha": 1e-6})) == 0


@pytest.mark.parametrize("n_cells", [10, 11, 13])
@both
def test_ten_cells_are_enough_to_run(estimator, n_cells):
    table = fit(simulate(n_cells), settings={**NOTHING_KEPT_OUT, "estimator": estimator})
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
        ("n_subnetworks", -1),
        ("n_subnetworks", 1.5),
        ("n_subnetworks", True),
        ("n_subnetworks", "many"),
        ("n_subnetworks", None),
        ("min_targets", 0),
        ("min_targets", 2.0),
        ("min_targets", True),
        ("max_subnetworks", 0),
        ("max_subnetworks", "auto"),
        ("replace", "yes"),
        ("replace", 1),
        ("replace", None),
        ("consensus", "x"),
        ("consensus", None),
        ("subsample", 0),
        ("subsample", 1.5),
        ("subsample", -0.1),
        ("subsample", True),
        ("subsample", None),
        ("subsample", 9),
        ("subsample", -20),
        ("subsample", 20.0),
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
    ("settings", "match"),
    [
        (
            {"consensus": "poisson", "n_subnetworks": 0},
            "^consensus='poisson' needs subnetworks, but n_subnetworks is 0; ",
        ),
        ({"consensus": "binomial", "n_subnetworks": 0}, "^consensus='binomial' needs subnetworks, "),
        ({"consensus": "binomial", "correction": None}, "^consensus='binomial' needs a correction, .*'fdr', 'fwer' or"),
    ],
)
def test_a_consensus_without_what_it_needs_is_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        ps.ARACNe(**settings)


@pytest.mark.parametrize(
    ("parameter", "value"), [("n_threads", np.int64(1)), ("n_subnetworks", np.int32(2)), ("alpha", np.float32(0.1))]
)
def test_numbers_of_numpy_are_numbers(parameter, value):
    assert_same(
        fit(simulate(60), settings={"correction": "p", parameter: value}),
        fit(simulate(60), settings={"correction": "p", parameter: value.item()}),
    )


@both
def test_missing_and_infinite_values_are_counted_and_located(as_format, estimator):
    X = simulate(40)
    X[5, 1], X[3, 4], X[20, 0], X[3, 6] = np.nan, np.inf, np.nan, -np.inf
    message = r"^X holds 2 missing \(NaN\) and 2 infinite values, the first at row 3, column 4; "
    with pytest.raises(ValueError, match=message):
        fit(as_format(X), settings={"estimator": estimator})
    with pytest.raises(ValueError, match=message):
        ps.ARACNe(estimator=estimator).mutual_information(as_format(X), [0])


@both
def test_the_place_of_a_missing_value_is_that_in_x_when_rows_are_chosen(estimator):
    X, settings = simulate(40), {**NOTHING_KEPT_OUT, "estimator": estimator}
    X[25, 2] = np.nan
    with pytest.raises(ValueError, match="row 25, column 2"):
        fit(X, rows=np.arange(20, 40), settings=settings)
    assert len(fit(X, rows=np.arange(20), settings=settings)) > 0


def test_missing_values_are_counted_in_all_cells():
    X = simulate(1500)
    X[[7, 1300], 2] = np.nan
    with pytest.raises(ValueError, match=r"^X holds 2 missing \(NaN\) and 0 infinite values, the first at row 7, "):
        fit(X)


@pytest.mark.parametrize("allowed", [True, False])
@both
def test_negative_values_are_refused_only_where_asked(as_format, estimator, allowed):
    X, settings = simulate(40) - 1.0, {**NOTHING_KEPT_OUT, "estimator": estimator}
    if allowed:
        assert len(fit(as_format(X), settings=settings)) > 0
    else:
        with pytest.raises(ValueError, match=r"^X holds negative values \(such as -1\)"):
            fit(as_format(X), settings=settings, allow_negative=False)


@pytest.mark.parametrize(("n_cells", "said"), [(0, "0 cells"), (1, "1 cell"), (9, "9 cells")])
def test_too_few_cells_are_refused(n_cells, said):
    X = simulate(20)
    with pytest.raises(ValueError, match=f"^X has {said}; a network needs at least 10"):
        fit(X[:n_cells])
    with pytest.raises(ValueError, match=f"^X has {said}; a network needs at least 10"):
        fit(X, rows=np.arange(n_cells))


@both
def test_constant_regulators_are_refused_if_all_are(estimator):
    settings = {"estimator": estimator}
    with pytest.raises(ValueError, match=r"^every regulator \(1\) is constant over the 30 cells; "):
        fit(simulate(30), ["flat"], names=NAMES, settings=settings)
    assert set(fit(simulate(100), ["flat", "R1"], names=NAMES, settings=settings)["source"]) == {"R1"}


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
KINDS = "must be names of genes"
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
    "floats": ([0.0, 1.0], TypeError, rf"{KINDS}; found float \(0.0, 1.0\)"),
    "missing name": ([None, "R1"], TypeError, rf"{KINDS}, but 1 of 2 is missing \(NaN\)"),
    "mixed set": ({"R1", 1}, TypeError, rf"{KINDS}, their positions or a mask; found names and numbers"),
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


@both
def test_a_matrix_without_cells_has_no_information(estimator):
    with pytest.raises(ValueError, match="X has no cells"):
        ps.ARACNe(estimator=estimator).mutual_information(np.zeros((0, 3)), [0])
