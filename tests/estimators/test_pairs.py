"""The full ranking of pairs: what is in it, and that the network's numbers are the same."""

from __future__ import annotations

import io
from types import GeneratorType

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as configure
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import false_discovery_control, norm, pearsonr, rankdata

import pysces as ps
from pysces.estimators._pairs import PairScores

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known")
"""Of few genes, or of values that are no counts."""
N_CELLS, N_GENES = 160, 40
REGULATORS = [0, 1, 2, 3, 39]
COLUMNS = ["source", "target", "mi", "log_pvalue", "log_qvalue"]
variants = pytest.mark.parametrize(
    "variant",
    [
        {"estimator": "apmi", "ties": "block"},
        {"estimator": "apmi", "ties": "random"},
        {"estimator": "apmi", "convention": "aracne-ap"},
        {"estimator": "gcmi"},
    ],
    ids=["block", "random", "aracne-ap", "gcmi"],
)
both = pytest.mark.parametrize("estimator", ["apmi", "gcmi"])


@pytest.fixture(autouse=True)
def small_null(monkeypatch):
    """Nulls of 180,000 values instead of a million."""
    monkeypatch.setattr("pysces._infer.null.N_PERMUTED", 600)
    monkeypatch.setattr("pysces._infer.null._distinct_tails", {})


def counts() -> np.ndarray:
    """Counts of all detection rates, some of them related; gene 39 is constant."""
    rng = np.random.default_rng(0)
    rates = np.geomspace(0.05, 3, N_GENES)
    rates[[1, 2, 3]] = 0.3, 1.0, 2.0
    X = rng.poisson(rates, (N_CELLS, N_GENES)).astype(float)
    X[:, [20, 25, 30]] += 2 * X[:, [3]]
    X[:, [31, 33]] += 3 * X[:, [2]]
    X[:, 39] = 1.0
    return X


def normals() -> np.ndarray:
    """Values without ties, some of them related; gene 39 is constant."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N_CELLS, N_GENES))
    X[:, [20, 25]] -= 0.7 * X[:, [0]]
    X[:, 39] = 1.0
    return X


def shared() -> np.ndarray:
    """Values that follow one factor, some more than others: p-values of all sizes; gene 39 is constant."""
    rng = np.random.default_rng(2)
    strength = rng.permutation(np.linspace(0.2, 1.4, N_GENES))
    X = rng.normal(size=(N_CELLS, N_GENES)) + strength * rng.normal(size=(N_CELLS, 1))
    X[:, 39] = 1.0
    return X


kinds = pytest.mark.parametrize("make", [counts, normals])


def score(X, settings=None, regulators=REGULATORS, names=None, **keywords) -> PairScores:
    return ps.ARACNe(**(settings or {})).score(X, regulators, names, **keywords)


def all_tables(scores: PairScores) -> pd.DataFrame:
    return pd.concat([table.astype({"source": object, "target": object}) for table in scores.tables()])


def by_pair(table: pd.DataFrame) -> pd.DataFrame:
    """Mutual information, p and q by source and target."""
    pairs = [table["source"].astype(str), table["target"].astype(str)]
    return table[COLUMNS[2:]].set_axis(pd.MultiIndex.from_arrays(pairs)).sort_index()


def assert_same_scores(found: PairScores, expected: PairScores) -> None:
    assert np.isfinite(expected.mi).any()
    for name, one, other in zip(PairScores._fields, found, expected, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)


# --- what the matrices hold -------------------------------------------------------------------------------------------


@both
def test_pairs_that_are_not_tested_are_missing_from_all_matrices(estimator):
    scores = score(counts(), {"estimator": estimator}, targets=[1, 5, 20, 39])
    assert scores.sources.tolist() == ["0", "1", "2", "3", "39"]
    assert scores.targets.tolist() == ["0", "1", "2", "3", "5", "20", "39"]  # all that take part
    expected = np.full((5, 7), False)
    expected[:4, [1, 4, 5]] = True
    expected[1, 1] = False
    for matrix in scores[2:]:
        assert matrix.dtype == np.float64
        np.testing.assert_array_equal(np.isfinite(matrix), expected)


@variants
@kinds
def test_every_varying_gene_is_scored_but_the_regulator_itself(variant, make):
    scores = score(make(), variant)
    expected = np.full((5, N_GENES), True)
    expected[:, 39] = expected[4] = False
    expected[range(4), range(4)] = False
    np.testing.assert_array_equal(np.isfinite(scores.mi), expected)


@both
def test_mutual_information_is_that_of_the_method_of_this_name(estimator):
    model = ps.ARACNe(estimator=estimator)
    scores, mi = model.score(counts(), REGULATORS), model.mutual_information(counts(), REGULATORS)
    tested = ~np.isnan(scores.mi)
    assert tested.any()
    np.testing.assert_array_equal(scores.mi[tested], mi[tested])


def test_gaussian_copula_of_genes_without_ties_has_the_p_value_of_a_correlation_of_normal_scores():
    X = normals()
    scores = score(X, {"estimator": "gcmi"})
    normal = norm.ppf(rankdata(X[:, :39], axis=0) / (N_CELLS + 1))
    for i in range(4):
        for j in set(range(39)) - {i}:
            expected = pearsonr(normal[:, i], normal[:, j])
            assert scores.mi[i, j] == pytest.approx(-np.log(1 - expected.statistic**2) / 2, abs=1e-7)  # rounded scores
            if expected.pvalue > 1e-5:
                assert scores.log_pvalue[i, j] == pytest.approx(np.log(expected.pvalue), rel=0.02, abs=0.01)
            else:  # the bound on the correction by kurtosis makes small p-values larger
                assert np.log(expected.pvalue) * 1.02 < scores.log_pvalue[i, j] < np.log(1e-5) * 0.98


@variants
@kinds
def test_q_values_are_those_of_benjamini_and_hochberg_over_all_pairs_tested(variant, make):
    scores = score(make(), variant)
    tested = ~np.isnan(scores.log_pvalue)
    expected = np.log(false_discovery_control(np.exp(scores.log_pvalue[tested])))
    np.testing.assert_allclose(scores.log_qvalue[tested], expected, rtol=1e-9, atol=1e-12)
    assert (scores.log_qvalue < np.log(0.01)).any()


@both
def test_related_genes_come_first(estimator):
    first = {
        table["source"].iloc[0]: table["target"].tolist()
        for table in score(counts(), {"estimator": estimator}).tables()
        if len(table)
    }
    assert set(first["3"][:3]) == {"20", "25", "30"}
    assert set(first["2"][:2]) == {"31", "33"}


@variants
def test_unrelated_genes_have_uniform_p_values(variant):
    X = np.random.default_rng(0).poisson(2.0, (200, 400))
    log_p = score(X, variant, range(20)).log_pvalue
    p = np.exp(log_p[~np.isnan(log_p)])
    for level in (0.01, 0.1, 0.5):
        assert (p <= level).mean() == pytest.approx(level, rel=0.35)  # information is discrete; 8000 pairs


@pytest.mark.parametrize(
    "settings",
    [{"alpha": 1e-6}, {"correction": "fwer"}, {"dpi": None}, {"n_subnetworks": 3}, {"n_subnetworks": "auto"}],
    ids=str,
)
@both
def test_settings_of_the_network_change_no_score(estimator, settings):
    assert_same_scores(score(counts(), {"estimator": estimator, **settings}), score(counts(), {"estimator": estimator}))


# --- the network holds the same numbers -------------------------------------------------------------------------------


@variants
@kinds
def test_tables_hold_what_a_network_holds_that_keeps_every_pair(variant, make):
    settings = {**variant, "n_subnetworks": 0}
    network = ps.ARACNe(**settings, correction=None, dpi=None).fit(make(), REGULATORS).network_
    assert len(network) == 4 * 38
    found = by_pair(all_tables(score(make(), settings)))
    pd.testing.assert_frame_equal(found, by_pair(network), check_exact=True)


corrections = pytest.mark.parametrize(
    ("correction", "alpha"), [("fdr", 0.01), ("fdr", 0.3), ("fwer", 0.2), ("p", 0.01), ("p", 0.3)]
)


@corrections
@variants
@pytest.mark.parametrize("make", [counts, normals, shared])
def test_p_and_q_values_of_edges_are_those_among_all_pairs(variant, make, correction, alpha):
    settings = {**variant, "n_subnetworks": 3}
    network = ps.ARACNe(**settings, correction=correction, alpha=alpha).fit(make(), REGULATORS).network_
    found, ranking = by_pair(network), by_pair(all_tables(score(make(), settings)))
    assert 0 < len(found) < len(ranking)
    pd.testing.assert_frame_equal(found, ranking.loc[found.index], check_exact=True)


@corrections
@variants
@pytest.mark.parametrize("make", [counts, normals, shared])
def test_a_network_without_subnetworks_and_pruning_is_the_pairs_that_pass(variant, make, correction, alpha):
    settings = {**variant, "n_subnetworks": 0, "dpi": None}
    network = ps.ARACNe(**settings, correction=correction, alpha=alpha).fit(make(), REGULATORS).network_
    ranking = by_pair(all_tables(score(make(), settings)))
    column = {"fdr": "log_qvalue", "fwer": "log_pvalue", "p": "log_pvalue"}[correction]
    level = alpha / len(ranking) if correction == "fwer" else alpha
    passing = ranking[ranking[column] <= np.log(level)]
    assert 0 < len(passing) < len(ranking)
    pd.testing.assert_frame_equal(by_pair(network), passing, check_exact=True)


# --- tables -----------------------------------------------------------------------------------------------------------


@both
def test_tables_are_made_one_regulator_at_a_time_with_columns_and_types(estimator):
    tables = score(counts(), {"estimator": estimator}, names=[f"g{i}" for i in range(N_GENES)]).tables()
    assert isinstance(tables, GeneratorType)
    table = next(tables)
    assert list(table.columns) == COLUMNS
    assert set(table.dtypes[COLUMNS[2:]]) == {np.dtype("float64")}
    assert isinstance(table.index, pd.RangeIndex)
    assert set(table["source"]) == {"g0"}
    assert set(table["target"]) == {f"g{i}" for i in range(1, 39)}
    assert [len(rest) for rest in tables] == [38, 38, 38, 0]  # the last regulator is constant


@given(
    mi=hnp.arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 12)), elements=st.sampled_from([0, 1, 2, np.nan]))
)
@configure(deadline=None, max_examples=50, derandomize=True)
def test_tables_hold_every_tested_pair_by_falling_information_and_then_in_the_order_of_genes(mi):
    genes = np.array([f"g{i}" for i in range(mi.shape[1])], dtype=object)
    scores = PairScores(np.arange(len(mi)).astype(str).astype(object), genes, mi, -2 * mi, -mi)
    tables = list(scores.tables())
    assert len(tables) == len(mi)
    for row, table in enumerate(tables):
        tested = [column for column in range(mi.shape[1]) if not np.isnan(mi[row, column])]
        order = sorted(tested, key=lambda column: (-mi[row, column], column))
        assert table["source"].tolist() == [str(row)] * len(order)
        assert table["target"].tolist() == [f"g{column}" for column in order]
        for name, factor in (("mi", 1), ("log_pvalue", -2), ("log_qvalue", -1)):
            assert table[name].tolist() == (factor * mi[row, order]).tolist()


@both
def test_the_ranking_is_written_to_text_piece_by_piece(estimator):
    scores, file = score(counts(), {"estimator": estimator}), io.StringIO()
    for table in scores.tables():
        table.to_csv(file, header=file.tell() == 0, index=False)
    file.seek(0)
    back = pd.read_csv(file, dtype={"source": str, "target": str})
    pd.testing.assert_frame_equal(by_pair(back), by_pair(all_tables(scores)), rtol=1e-15)
    assert len(back) == np.isfinite(scores.mi).sum()


# --- cells, formats and random numbers --------------------------------------------------------------------------------


@variants
def test_formats_and_threads_give_the_same_bytes(as_format, variant):
    X = counts()
    found = score(as_format(X), {**variant, "n_threads": 2})
    assert_same_scores(found, score(X, {**variant, "n_threads": 1}))


@pytest.mark.parametrize("to_block", [np.asarray, sp.csr_matrix], ids=["dense", "sparse"])
@both
def test_dask_gives_the_same_bytes(estimator, to_block):
    X, settings = counts(), {"estimator": estimator}
    assert_same_scores(score(da.from_array(X, chunks=(50, -1)).map_blocks(to_block), settings), score(X, settings))


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64"])
@both
def test_dtypes_give_the_same_bytes(estimator, dtype):
    X, settings = counts(), {"estimator": estimator}
    assert_same_scores(score(X.astype(dtype), settings), score(X, settings))


@variants
def test_rows_choose_cells(variant):
    X = counts()
    rows = np.flatnonzero(np.random.default_rng(0).random(N_CELLS) < 0.6)
    assert_same_scores(score(X, variant, rows=rows), score(X[rows], variant))


def test_only_a_random_order_of_ties_depends_on_the_seed():
    block, other_block, random, other_random, again = (
        score(counts(), {"estimator": "apmi", "ties": ties, "rng": seed}).mi
        for ties, seed in (("block", 0), ("block", 1), ("random", 0), ("random", 1), ("random", 0))
    )
    gcmi, other_gcmi = (score(counts(), {"estimator": "gcmi", "rng": seed}).mi for seed in (0, 1))
    np.testing.assert_array_equal(gcmi, other_gcmi)
    np.testing.assert_array_equal(block, other_block)
    np.testing.assert_array_equal(random, again)
    assert not np.array_equal(random, other_random, equal_nan=True)


@both
def test_x_and_the_model_stay_as_they_are(estimator):
    X = sp.csr_matrix(counts())
    before, model = X.copy(), ps.ARACNe(estimator=estimator, n_subnetworks=2)
    network = model.fit(X, REGULATORS).network_
    copy = network.copy()
    model.score(X, REGULATORS)
    pd.testing.assert_frame_equal(model.network_, copy, check_exact=True)
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(X, name), getattr(before, name))


# --- bad input --------------------------------------------------------------------------------------------------------


def set_value(value: float) -> np.ndarray:
    X = counts()
    X[7, 5] = value
    return X


BAD = {
    "nan": (lambda: (set_value(np.nan), REGULATORS), {}, ValueError, r"1 missing .* first at row 7, column 5"),
    "inf": (lambda: (set_value(-np.inf), REGULATORS), {}, ValueError, r"1 infinite .* first at row 7, column 5"),
    "negative": (lambda: (set_value(-2), REGULATORS), {"allow_negative": False}, ValueError, r"\(such as -2\)"),
    "one cell": (lambda: (counts()[:1], REGULATORS), {}, ValueError, "^X has 1 cell; a network needs at least 10"),
    "constant": (lambda: (counts(), [39]), {}, ValueError, r"^every regulator \(1\) is constant over the 160 cells"),
    "position": (lambda: (counts(), [40]), {}, ValueError, "^regulators holds positions from 40 to 40"),
    "no targets": (lambda: (counts(), [0]), {"targets": []}, ValueError, "^targets must be a list of genes"),
    "duplicates": (lambda: (counts(), [0], ["a"] * 40), {}, ValueError, "^gene_names holds duplicates: 'a'"),
    "short names": (lambda: (counts(), [0], ["a"]), {}, ValueError, "^gene_names has shape"),
    "no matrix": (lambda: (counts().tolist(), [0]), {}, TypeError, "^X is list, not a matrix"),
    "text": (lambda: (counts().astype(str), [0]), {}, TypeError, "^X holds <U32, not real numbers"),
    "floats": (lambda: (counts(), [0.5]), {}, TypeError, "^regulators must be names of genes; found float"),
}


@pytest.mark.parametrize(("arguments", "keywords", "error", "match"), BAD.values(), ids=BAD)
@both
def test_bad_input_is_refused_as_by_fit(estimator, arguments, keywords, error, match):
    model = ps.ARACNe(estimator=estimator)
    for method in (model.score, model.fit):
        with pytest.raises(error, match=match):
            method(*arguments(), **keywords)


def test_absent_regulators_are_warned_of_at_the_line_of_the_caller():
    names = [f"g{i}" for i in range(N_GENES)]
    with pytest.warns(UserWarning, match="1 of 2 regulators are not among the 40 genes: 'x'") as caught:
        scores = score(counts(), None, ["g0", "x"], names)
    assert caught[0].filename == __file__
    assert scores.sources.tolist() == ["g0"]
