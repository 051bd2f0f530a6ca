"""Gene sets among the active regulators of cells (:func:`pysces.tl.pathways`)."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import viper_oracles as oracle
from states import state

import pysces as ps
from pysces import _slots

REGULATORS = [f"R{i}" for i in range(30)]
SETS = {"first": REGULATORS[:6], "second": [*REGULATORS[4:12], "unknown"], "small": [*REGULATORS[:2], "a", "b", "c"]}
WEIGHTED = oracle.network(REGULATORS, 5)


def cells(key="viper", missing=()):
    """Cells with activities, some of them zero or missing."""
    rng = np.random.default_rng(0)
    names = [f"cell{i}" for i in range(20)]
    values = rng.normal(scale=2.5, size=(20, 30)).round(1)
    values[2:5, 7:9] = 0
    for place in missing:
        values[place] = np.nan
    table = pd.DataFrame(values.astype(np.float32), index=names, columns=REGULATORS)
    adata = ad.AnnData(
        rng.poisson(1.0, (20, 5)).astype(np.float32),
        obs=pd.DataFrame({"type": pd.Categorical(["a", "b"] * 10)}, index=names),
        uns={"title": "T"},
    )
    regulons = pd.DataFrame({"source": pd.Categorical(REGULATORS, categories=REGULATORS), "n_targets": 30})
    _slots.write_activity(adata, key, {"": table}, None, regulons, _slots.params(signature="scale"))
    return adata


@pytest.fixture
def adata():
    return cells()


def table_of(sets):
    return pd.DataFrame([(name, gene) for name in sets for gene in sets[name]], columns=["source", "target"])


def scored(adata, gene_sets=SETS, **options):
    """Scores, leaving adata alone."""
    return ps.tl.pathways(adata, gene_sets, copy=True, **options).obsm["pathways"]


# --- scores -----------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:All-NaN slice")  # of the oracle
@pytest.mark.parametrize(
    "missing",
    [(), (np.s_[3],), (np.s_[:10, 2:9], np.s_[12, ::2]), (np.s_[5, :6],)],
    ids=["complete", "a cell without activities", "regulators", "all members"],
)
@pytest.mark.parametrize("network", [table_of(SETS).assign(weight=1.0), WEIGHTED], ids=["unweighted", "weighted"])
def test_scores_are_those_of_area_with_activities_as_they_are(network, missing):
    adata = cells(missing=missing)
    values = adata.obsm["viper"].to_numpy(np.float64)
    expected = oracle.viper(values, REGULATORS, network, "none", filter_genes=False, min_targets=5)
    found = scored(adata, network)
    assert found.columns.tolist() == expected.columns.tolist()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)  # float32


def test_active_members_score_high_inactive_ones_low_and_both_together_nothing(adata):
    adata.obsm["viper"].iloc[0] = np.arange(30, dtype=np.float32)
    ends = [*REGULATORS[:3], *REGULATORS[-3:]]
    found = scored(adata, {"high": REGULATORS[-6:], "low": REGULATORS[:6], "both": ends}).iloc[0]
    assert found["high"] > 3
    assert found["low"] == pytest.approx(-found["high"], rel=1e-6)
    assert found["both"] == pytest.approx(0, abs=1e-6)


def test_sets_may_be_a_table_lists_tuples_sets_or_columns(adata):
    expected = state(scored(adata))
    table = table_of(SETS)
    for gene_sets in (
        table,
        table.assign(weight=1.0, likelihood=1.0, group="any other column"),
        table.astype("category").sample(frac=1, random_state=0),
        {name: tuple(genes) for name, genes in SETS.items()},
        {name: set(genes) for name, genes in SETS.items()},
        {name: pd.Series([*genes, genes[0]]) for name, genes in SETS.items()},
    ):
        assert state(scored(adata, gene_sets)) == expected


def test_members_are_counted_among_the_regulators(adata):
    assert scored(adata).columns.tolist() == ["first", "second"]
    assert scored(adata, min_targets=7).columns.tolist() == ["second"]
    ps.tl.pathways(adata, SETS, min_targets=2)
    regulons = adata.uns["pathways"]["regulons"]
    assert regulons[["source", "n_targets"]].to_numpy().tolist() == [["first", 6], ["second", 8], ["small", 2]]


def test_sets_among_the_regulators_of_an_expression_are_scored():
    genes = oracle.gene_names(60)
    adata = ad.AnnData(oracle.cells("log").astype(np.float32), var=pd.DataFrame(index=genes))
    ps.tl.viper(adata, oracle.network(genes), min_targets=1)
    act = ps.get.activity(adata)
    ps.tl.viper(act, pd.DataFrame({"source": "S", "target": ["R1", "R2", "R5"], "weight": 1.0}), signature="none",
                filter_genes=False, min_targets=3)  # fmt: skip
    assert state(scored(adata, {"S": ["R1", "R2", "R5"]}, min_targets=3)) == state(act.obsm["viper"])


# --- what is written --------------------------------------------------------------------------------------------------


def test_scores_are_a_float32_table_under_the_names_of_cells_and_sets(adata):
    assert ps.tl.pathways(adata, SETS) is None
    found = adata.obsm["pathways"]
    assert found.index.equals(adata.obs_names)
    assert set(found.dtypes) == {np.dtype(np.float32)}
    params = adata.uns["pathways"]["params"]
    made = adata.uns["viper"]["params"]
    compared = {name: made[name] for name in ("groupby", "reference", "signature") if name in made}
    given = {name: value for name, value in params.items() if not name.startswith("version_")}
    assert given.pop("n_gene_sets") == 3
    assert given.pop("share_of_members") == 0.75
    assert given == {"key": "viper", "min_targets": 5, **compared}


def test_only_the_results_are_new(adata):
    before = state(adata)
    ps.tl.pathways(adata, SETS)
    del adata.obsm["pathways"], adata.uns["pathways"]
    assert state(adata) == before


def test_gene_sets_stay_as_they_are(adata):
    table = table_of(SETS)
    before = state(table)
    ps.tl.pathways(adata, table)
    assert state(table) == before


def test_what_reads_activities_reads_pathways(adata):
    ps.tl.pathways(adata, SETS)
    act = ps.get.activity(adata, key="pathways")
    assert act.var["n_targets"].to_dict() == {"first": 6, "second": 8}
    np.testing.assert_array_equal(act.X, adata.obsm["pathways"])
    for calibrated in (False, True):
        p = ps.get.pvalues(adata, key="pathways", calibrated=calibrated)
        assert p.shape == (20, 2)
        assert p.notna().all(axis=None)
    ps.tl.similarity(adata, key="pathways")
    assert adata.obsp["pathways_similarity"].shape == (20, 20)


def test_keys_are_as_named():
    adata = cells("tf")
    ps.tl.pathways(adata, SETS, key="tf", key_added="sets")
    assert state(adata.obsm["sets"]) == state(scored(cells()))
    assert adata.uns["sets"]["params"]["key"] == "tf"


def test_copy_leaves_adata_alone_and_has_what_would_be_written(adata):
    before = state(adata)
    copy = ps.tl.pathways(adata, SETS, copy=True)
    assert state(adata) == before
    ps.tl.pathways(adata, SETS)
    assert state(copy) == state(adata)


def test_threads_change_no_byte(adata):
    assert state(scored(adata, n_threads=2)) == state(scored(adata, n_threads=1)) == state(scored(adata))


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_results_survive_a_file(adata, tmp_path, suffix):
    ps.tl.pathways(adata, SETS)
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    back = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    pd.testing.assert_frame_equal(back.obsm["pathways"], adata.obsm["pathways"], check_names=False)
    for key in ("pathways", "viper"):
        assert state(ps.get.activity(back, key=key).X) == state(ps.get.activity(adata, key=key).X)
    assert state(scored(back)) == state(scored(adata))


def test_names_with_a_slash_are_warned_of_at_the_line_of_the_user(adata):
    with pytest.warns(
        UserWarning, match=r"adata.obsm\['pathways'\] has columns that cannot be saved: 'T/NK'"
    ) as record:
        ps.tl.pathways(adata, {"T/NK": REGULATORS[:5], "S/mall": REGULATORS[:1]})
    assert record[0].filename == __file__
    assert adata.obsm["pathways"].columns.tolist() == ["T/NK"]


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gene_sets", "options", "error", "match"),
    [
        (
            {"S": ["R1", "R2"]},
            {},
            ValueError,
            r"min_targets=5 members among the 30 regulators of adata.obsm\['viper'\]",
        ),
        (SETS, {"min_targets": 9}, ValueError, r"the largest overlap is 8 \('second'\). Lower min_targets, or give"),
        (
            {"S": list("abcde")},
            {},
            ValueError,
            r"30 regulators .*\('R0', 'R1', 'R2', ... \(30 in all\)\): none has any",
        ),
        ({}, {}, ValueError, "gene_sets holds no genes"),
        ({"S": []}, {}, ValueError, "gene_sets holds no genes"),
        (table_of(SETS)[:0], {}, ValueError, "gene_sets holds no genes"),
        ([REGULATORS], {}, TypeError, "gene_sets is list; give a table .*read_gmt, or a dict of lists"),
        ({"S": "R1"}, {}, TypeError, r"gene_sets\['S'\] is 'R1'; give sets by name, each a list"),
        ({1: ["R1"]}, {}, TypeError, r"gene_sets\[1\] is \['R1'\]; give sets by name"),
        ({"S": 3}, {}, TypeError, r"gene_sets\['S'\] is 3; give sets by name"),
        ({"S": ["R1", None]}, {}, TypeError, r"gene_sets\['S'\] must be names of genes, but 1 of 2 is missing"),
        (table_of(SETS)[["source"]], {}, ValueError, "gene_sets must be a valid network, but .*lacks .*'target'"),
        (table_of(SETS).assign(weight=3.0), {}, ValueError, r"gene_sets must be .* must lie in \[-1, 1\]"),
        (pd.concat([table_of(SETS)] * 2), {}, ValueError, r"gene_sets must be .* edges twice, such as \['first', 'R0'"),
        (SETS, {"min_targets": 0}, ValueError, "min_targets is 0; give a whole number, at least 1"),
        (SETS, {"n_threads": -1}, ValueError, "n_threads is -1"),
        (SETS, {"key": "title"}, KeyError, r"adata.obsm\['title'\] holds no activities .*run pysces.tl.viper"),
        (SETS, {"key_added": "viper"}, ValueError, "key_added is 'viper', where the activities are"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, gene_sets, options, error, match):
    adata.obsm["pathways"] = np.ones((20, 2))
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.tl.pathways(adata, gene_sets, **options)
    assert state(adata) == before


def test_backed_data_are_scored_as_in_memory(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    ps.tl.pathways(backed, SETS)
    assert state(backed.obsm["pathways"]) == state(scored(adata))
    with pytest.raises(ValueError, match="copy=True would read the whole backed file"):
        ps.tl.pathways(backed, SETS, copy=True)


def test_gene_sets_of_activities_that_groups_have_each_against_itself_are_warned_of_when_ranked(adata):
    adata.uns["viper"]["params"]["groupby"] = "type"
    ps.tl.pathways(adata, SETS)
    with pytest.warns(UserWarning, match="every group of adata.* as its own reference"):
        ps.tl.rank_regulators(adata, "type", key="pathways")
