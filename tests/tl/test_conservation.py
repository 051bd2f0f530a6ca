"""Regulators of samples in samples of other data (:func:`pysces.tl.regulator_conservation`)."""

from __future__ import annotations

import anndata as ad
import conservation_oracles as oracle
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, norm
from states import state

import pysces as ps
from pysces import _slots
from pysces._enrich import conservation as arrays
from pysces.tl import _conservation as module

TREG = "CD4+/CD25 T Reg"
REGULATORS = [f"R{i}" for i in range(20)]


def activities(kind="smooth", n=12, seed=0, regulators=REGULATORS):
    """Samples x regulators."""
    rng = np.random.default_rng(seed)
    values = rng.normal(scale=2.5, size=(n, len(regulators)))
    if kind == "tied":
        values = np.round(values)
    if kind == "missing":  # three networks, and one of them lacks most
        values[::3, :4] = values[1::3, 2:7] = values[2::3, 5:] = np.nan
    return pd.DataFrame(values.astype(np.float32), index=[f"cell{i}" for i in range(n)], columns=regulators)


def data(table, key="viper"):
    """Cells with these activities."""
    labels = pd.Categorical([TREG, "B", "Mono"] * len(table))[: len(table)]
    obs = pd.DataFrame({"type": labels, "donor": pd.Categorical(["d1", "d1", "d2", "d2"] * len(table))[: len(table)]})
    obs["number"] = np.arange(len(table))
    adata = ad.AnnData(np.ones((len(table), 3), np.float32), obs=obs.set_index(table.index), uns={"title": "T"})
    regulons = pd.DataFrame({"source": pd.Categorical(table.columns), "n_targets": 30})
    _slots.write_activity(adata, key, {"": table}, None, regulons, _slots.params(signature="scale"))
    return adata


@pytest.fixture
def adata():
    return data(activities())


@pytest.fixture
def other():
    return data(activities(n=9, seed=1).set_axis([f"other{i}" for i in range(9)]))


def compared(adata, other, **options):
    """The table, leaving adata alone."""
    return ps.get.conservation(ps.tl.regulator_conservation(adata, other, copy=True, **{"n_top": 6} | options))


def assert_same(found, expected):
    """The pairs of the oracle, in whatever order."""
    found = found.astype({"sample": str, "other": str}).set_index(["sample", "other"])[expected.columns[2:]]
    expected = expected.astype({"sample": str, "other": str}).set_index(["sample", "other"])
    pd.testing.assert_frame_equal(found.loc[expected.index], expected, rtol=1e-10, atol=1e-10)
    assert len(found) == len(expected)


# --- scores -----------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*pairs get no score")
@pytest.mark.parametrize("kind", ["smooth", "tied"])
@pytest.mark.parametrize("n_top", [2, 6, 20])
def test_scores_are_those_of_the_definition(kind, n_top):
    table, others = activities(kind), activities(kind, n=7, seed=1)
    found = compared(data(table), data(others), n_top=n_top)
    assert_same(found, oracle.conservation(table, others, n_top))


@pytest.mark.filterwarnings("ignore:.*pairs get no score")
def test_regulators_count_that_both_samples_have():
    table, others = activities("missing"), activities("missing", n=7, seed=1)
    found, expected = compared(data(table), data(others)), oracle.conservation(table, others, 6)
    assert_same(found, expected)
    assert found["n_regulators"].nunique() == 6
    assert found["nes"].isna().sum() == (expected["n_regulators"] < 6).sum() > 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=8, max_size=8), min_size=2, max_size=2), st.sampled_from([2, 4, 8])
)
def test_ties_across_the_border_are_left_out(values, n_top):
    regulons = arrays.top_regulators(np.array(values, np.float64), n_top)
    for row, value in enumerate(values):
        expected = oracle.top(np.array(value), n_top)
        found = slice(*regulons.indptr[row : row + 2])
        assert dict(zip(regulons.targets[found].tolist(), regulons.mode[found].tolist(), strict=True)) == expected
        assert regulons.likelihood[found].tolist() == [1.0] * len(expected)


def test_activities_that_differ_by_rounding_are_tied():
    top = arrays.top_regulators(np.array([[1.0, 1.0 + 1e-14, 0.5, 0.4, 0.3, -1.0]]), 2)
    assert (top.targets.tolist(), top.mode.tolist()) == ([5], [-1.0])


def test_the_reverse_is_what_the_other_way_round_gives(adata, other):
    one = compared(adata, other).set_index(["sample", "other"])["nes_reverse"]
    back = compared(other, adata).set_index(["other", "sample"])["nes"]
    pd.testing.assert_series_equal(one, back.loc[one.index], check_names=False, check_index_type=False)


def test_regulators_are_matched_by_name_whatever_their_order(adata):
    others = activities(n=9, seed=1, regulators=[*REGULATORS[4:], "X1", "X2"])
    found = compared(adata, data(others))
    assert_same(found, oracle.conservation(adata.obsm["viper"], others, 6))
    assert set(found["n_regulators"]) == {16}
    shuffled = compared(data(activities()[REGULATORS[::-1]]), data(others[others.columns[::-1]]))
    assert state(found) == state(shuffled)


def test_a_sample_is_most_like_itself(adata):
    best = compared(adata, adata).groupby("sample", observed=True).first()
    assert best["other"].tolist() == best.index.tolist()


def test_pvalues_are_one_sided_and_adjusted_over_all_pairs(adata, other):
    found = compared(adata, other)
    np.testing.assert_allclose(found["log_pvalue"], norm.logsf(found["nes"]), rtol=1e-12)
    np.testing.assert_allclose(np.exp(found["log_qvalue"]), false_discovery_control(norm.sf(found["nes"])), rtol=1e-9)


def test_pvalues_of_permuted_regulators_are_calibrated():
    regulators = [f"R{i}" for i in range(300)]
    p = np.exp(
        compared(
            data(activities(n=60, regulators=regulators)),
            data(activities(n=60, seed=1, regulators=regulators)),
            n_top=50,
        )["log_pvalue"]
    )
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.01)
    assert (p < 0.01).mean() == pytest.approx(0.01, abs=0.005)


def test_blocks_and_threads_change_no_byte(adata, other, monkeypatch):
    found = state(compared(adata, other))
    assert state(compared(adata, other, n_threads=1)) == state(compared(adata, other, n_threads=2)) == found
    monkeypatch.setattr(arrays, "SAMPLES_AT_A_TIME", 4)
    assert state(compared(adata, other)) == found


# --- samples ----------------------------------------------------------------------------------------------------------


def means(adata, *columns):
    """Mean activities of the groups, joined labels as names."""
    labels = adata.obs[list(columns)].astype(str).agg(" | ".join, axis=1)
    return adata.obsm["viper"].astype(np.float64).groupby(labels).mean()


@pytest.mark.filterwarnings("ignore:.*pairs get no score")
@pytest.mark.parametrize("kind", ["smooth", "missing"])
@pytest.mark.parametrize("column", ["type", "donor"])  # with one network in each group, and with several
def test_samples_are_means_of_groups(kind, column):
    adata, other = data(activities(kind)), data(activities(kind, n=9, seed=1))
    found = compared(adata, other, groupby=column, other_groupby=["type", "donor"])
    assert_same(found, oracle.conservation(means(adata, column), means(other, "type", "donor"), 6))
    assert found["sample"].cat.categories.tolist() == adata.obs[column].cat.categories.tolist()


def test_without_columns_of_its_own_the_samples_of_other_are_its_rows(adata, other):
    found = compared(adata, other, groupby="type")
    assert found["other"].cat.categories.tolist() == other.obs_names.tolist()


def test_what_get_activity_gives_is_compared_as_what_it_comes_from(adata, other):
    found = state(compared(adata, other))
    assert state(compared(adata, ps.get.activity(other))) == found
    assert state(compared(ps.get.activity(adata), ps.get.activity(other))) == found


def test_activities_in_obsm_go_before_those_in_x(adata, other):
    act = ps.get.activity(adata)
    act.obsm["viper"] = other.obsm["viper"].reindex(index=[f"other{i % 9}" for i in range(12)]).set_axis(act.obs_names)
    expected = oracle.conservation(adata.obsm["viper"], act.obsm["viper"], 6)
    assert_same(compared(adata, act), expected)


def test_samples_without_activities_have_no_score_and_are_warned_of_at_the_line_of_the_user(adata, other):
    adata.obsm["viper"].iloc[3] = np.nan
    adata.obsm["viper"].iloc[5] = 1.0  # all tied
    with pytest.warns(UserWarning, match="18 of 108 pairs get no score.*fewer than n_top=6 reg.*all tied") as record:
        ps.tl.regulator_conservation(adata, other, n_top=6)
    assert record[0].filename == __file__
    found = ps.get.conservation(adata)
    without = found["sample"].isin(["cell3", "cell5"])
    assert found.loc[without, ["nes", "log_pvalue", "log_qvalue"]].isna().all(axis=None)
    assert (found.loc[found["sample"] == "cell5", "nes_reverse"] == 0).all()
    rest = found[~without]
    np.testing.assert_allclose(np.exp(rest["log_qvalue"]), false_discovery_control(norm.sf(rest["nes"])), rtol=1e-9)


# --- what is written --------------------------------------------------------------------------------------------------


def test_pairs_are_in_the_order_of_samples_and_falling_scores(adata, other):
    assert ps.tl.regulator_conservation(adata, other, n_top=6) is None
    found = adata.uns["regulator_conservation"]["table"]
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {
        "sample": "category", "other": "category", "nes": "float64", "nes_reverse": "float64",
        "log_pvalue": "float64", "log_qvalue": "float64", "n_regulators": "int64",
    }  # fmt: skip
    assert found["sample"].cat.categories.tolist() == adata.obs_names.tolist()
    assert found["sample"].cat.codes.is_monotonic_increasing
    assert (found.groupby("sample", observed=True)["nes"].diff().dropna() <= 0).all()


def test_only_the_results_are_new_and_other_is_left_alone(adata, other):
    before, before_other = state(adata), state(other)
    ps.tl.regulator_conservation(adata, other, n_top=6)
    assert state(other) == before_other
    del adata.uns["regulator_conservation"]
    assert state(adata) == before


def test_copy_leaves_adata_alone_and_has_what_would_be_written(adata, other):
    before = state(adata)
    copy = ps.tl.regulator_conservation(adata, other, n_top=6, copy=True)
    assert state(adata) == before
    ps.tl.regulator_conservation(adata, other, n_top=6)
    assert state(copy) == state(adata)


def test_keys_are_as_named(other):
    adata, other = data(activities(), "tf"), data(activities(n=9, seed=1), "tf")
    ps.tl.regulator_conservation(adata, other, key="tf", n_top=6, key_added="kept")
    assert ps.get.conservation(adata, key="kept").equals(adata.uns["kept"]["table"])
    with pytest.raises(KeyError, match=r"adata.uns\['regulator_conservation'\] holds no comparison; run pysces.tl.reg"):
        ps.get.conservation(adata)


def test_the_table_that_is_got_is_a_copy(adata, other):
    ps.tl.regulator_conservation(adata, other, n_top=6)
    before = state(adata)
    found = ps.get.conservation(adata)
    found["nes"] = 0.0
    assert state(adata) == before


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_results_survive_a_file_and_written_parameters_run_again(adata, other, tmp_path, suffix):
    ps.tl.regulator_conservation(adata, other, n_top=6, groupby=["type", "donor"], other_groupby="type")
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    back = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    table = ps.get.conservation(adata)
    pd.testing.assert_frame_equal(ps.get.conservation(back), table, check_dtype=False, check_categorical=False)
    params = {n: v for n, v in back.uns["regulator_conservation"]["params"].items() if not n.startswith("version_")}
    assert params["other_groupby"] == "type"
    again = compared(back, other, **params | {"groupby": _slots.stored_groupby(params)})
    pd.testing.assert_frame_equal(again, table, check_dtype=False, check_categorical=False)


# --- errors -----------------------------------------------------------------------------------------------------------


def nothing(*_):
    pass


def drop_activities(_, other):
    del other.obsm["viper"]


def drop_own_activities(adata, _):
    del adata.obsm["viper"]


def array_in_place_of_a_table(_, other):
    other.obsm["viper"] = other.obsm["viper"].to_numpy()


def rename(_, other):
    other.obsm["viper"].columns = [name.lower() for name in REGULATORS]


def repeat_cell(_, other):
    other.obs_names = ["a", "a", *other.obs_names[2:]]


def unlabel(_, other):
    other.obs["type"] = pd.Categorical([None] * other.n_obs, categories=["x"])


@pytest.mark.parametrize(
    ("spoil", "options", "error", "match"),
    [
        (
            drop_activities,
            {},
            KeyError,
            r"other.obsm\['viper'\] holds no activities .*and other is not what pysces.get",
        ),
        (drop_own_activities, {}, KeyError, r"adata.obsm\['viper'\] holds no activities .*run pysces.tl.viper\(adata"),
        (array_in_place_of_a_table, {}, TypeError, r"other.obsm\['viper'\] is ndarray, not a table of activities"),
        (rename, {}, ValueError, "n_top is 6, but adata and other have 0 regulators in common .*'R0'.*'r0'"),
        (nothing, {"n_top": 22}, ValueError, "n_top is 22, but adata and other have 20 regulators in common"),
        (nothing, {"n_top": 5}, ValueError, "n_top is 5, of which half .*give an even number"),
        (nothing, {"n_top": 0}, ValueError, "n_top is 0; give a whole number, at least 2"),
        (nothing, {"n_threads": -1}, ValueError, "n_threads is -1"),
        (nothing, {"key_added": "viper"}, ValueError, "key_added is 'viper', where the activities are"),
        (nothing, {"groupby": "nowhere"}, KeyError, "groupby='nowhere' is not a column of adata.obs"),
        (nothing, {"other_groupby": "nowhere"}, KeyError, "nowhere(.|\n)*This is about other.obs"),
        (nothing, {"other_groupby": "number"}, TypeError, "holds labels of type int(.|\n)*This is about other.obs"),
        (repeat_cell, {}, ValueError, "other.obs_names holds duplicates: 'a'. Make them unique"),
    ],
)
@pytest.mark.filterwarnings("ignore:Observation names are not unique")
def test_errors_leave_adata_as_it_is(adata, other, spoil, options, error, match):
    spoil(adata, other)
    adata.uns["regulator_conservation"] = {"table": "old"}
    before, before_other = state(adata), state(other)
    with pytest.raises(error, match=match):
        ps.tl.regulator_conservation(adata, other, **{"n_top": 6} | options)
    assert (state(adata), state(other)) == (before, before_other)


def test_regulators_that_are_there_twice_are_refused(adata, other):
    other.obsm["viper"].columns = ["R1", *REGULATORS[1:]]
    with pytest.raises(ValueError, match=r"the regulators of other holds duplicates: 'R1'\. Keep each once"):
        ps.tl.regulator_conservation(adata, other, n_top=6)


def test_other_must_be_an_anndata(adata):
    with pytest.raises(TypeError, match="other is DataFrame; give an AnnData with activities"):
        ps.tl.regulator_conservation(adata, adata.obsm["viper"])


@pytest.mark.filterwarnings("ignore:9 cells have no label")
def test_data_without_samples_are_refused(adata, other):
    unlabel(adata, other)
    with pytest.raises(ValueError, match="other has 0 samples with 20 regulators; there is nothing to compare"):
        ps.tl.regulator_conservation(adata, other, other_groupby="type", n_top=6)


def test_more_pairs_than_a_table_can_hold_are_refused(adata, other, monkeypatch):
    monkeypatch.setattr(module, "MOST_PAIRS", 107)
    before = state(adata)
    with pytest.raises(ValueError, match=r"12 samples with 9 others make 108 pairs; at most 107 .*groupby="):
        ps.tl.regulator_conservation(adata, other, n_top=6)
    assert state(adata) == before
    monkeypatch.setattr(module, "MOST_PAIRS", 108)
    ps.tl.regulator_conservation(adata, other, n_top=6)
