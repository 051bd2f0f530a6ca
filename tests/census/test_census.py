"""ps.datasets.census through the real client, on a small census in a folder."""

from __future__ import annotations

import doctest

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import pysces as ps

client = pytest.importorskip("cellxgene_census", reason="cellxgene-census is not installed; run make test-census")
import tiledbsoma  # noqa: E402
from census_files import Tables, human, write  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known|X holds counts")

BLOOD = "tissue_general == 'blood' and is_primary_data == True"
ANY = "(is_primary_data == True or is_primary_data == False)"


@pytest.fixture(scope="module")
def tables() -> Tables:
    return human()


@pytest.fixture(scope="module")
def folder(tables, tmp_path_factory):
    return write(tmp_path_factory.mktemp("census") / "soma", tables)


@pytest.fixture(scope="module")
def blood(tables) -> np.ndarray:
    """Numbers of the cells that meet BLOOD."""
    return np.flatnonzero((tables.obs["tissue_general"] == "blood") & tables.obs["is_primary_data"])


def test_counts_are_those_of_the_census_in_its_order(folder, tables, blood):
    adata = ps.datasets.census("human", BLOOD, source=folder)
    assert isinstance(adata.X, sp.csr_matrix | sp.csr_array)
    assert adata.X.dtype == np.float32
    assert adata.obs_names.tolist() == blood.astype(str).tolist()
    np.testing.assert_array_equal(adata.X.toarray(), tables.counts[blood])


def test_obs_has_the_columns_of_the_census_without_unused_categories(folder, tables, blood):
    adata = ps.datasets.census("human", BLOOD, source=folder)
    assert set(adata.obs) == set(tables.obs)
    for name in tables.obs:
        assert adata.obs[name].tolist() == tables.obs[name].iloc[blood].tolist()
    assert adata.obs["cell_type"].cat.categories.tolist() == ["classical monocyte", "T cell, CD4+/CD25", "B cell"]
    assert adata.obs["dataset_id"].cat.categories.tolist() == ["a-1", "b-2"]


def test_order_of_storage_does_not_matter(folder, tables, tmp_path):
    adata = ps.datasets.census("human", BLOOD, source=folder)
    ordered = ps.datasets.census("human", BLOOD, source=write(tmp_path / "ordered", tables, parts=1))
    pd.testing.assert_frame_equal(ordered.obs, adata.obs)
    pd.testing.assert_frame_equal(ordered.var, adata.var)
    np.testing.assert_array_equal(ordered.X.toarray(), adata.X.toarray())


def test_only_the_columns_named_are_read(folder):
    adata = ps.datasets.census("human", BLOOD, source=folder, obs_column_names=["raw_sum", "cell_type"])
    assert set(adata.obs) == {"raw_sum", "cell_type"}


def test_genes_have_symbols_and_those_that_share_one_their_identifier_too(folder, tables):
    adata = ps.datasets.census("human", BLOOD, source=folder)
    assert adata.var_names[:5].tolist() == ["SPI1", "PAX5", "TBCE_ENSG00000000002", "MS4A1", "TBCE_ENSG00000000004"]
    assert adata.var_names.is_unique
    assert adata.var["feature_id"].tolist() == tables.var["feature_id"].tolist()


def test_a_gene_has_the_same_name_in_any_choice_of_genes(folder, tables):
    condition = "feature_id in ['ENSG00000000003', 'ENSG00000000002']"
    adata = ps.datasets.census("human", BLOOD, source=folder, var_value_filter=condition)
    assert adata.var_names.tolist() == ["TBCE_ENSG00000000002", "MS4A1"]
    everywhere = ps.datasets.census("human", BLOOD, source=folder)
    np.testing.assert_array_equal(adata.X.toarray(), everywhere[:, adata.var_names].X.toarray())


def test_measured_is_the_share_of_cells_whose_data_set_holds_the_gene(folder, tables):
    condition = f"tissue_general == 'lung' and {ANY}"
    adata = ps.datasets.census("human", condition, source=folder)
    dataset = tables.obs.loc[tables.obs["tissue_general"] == "lung", "dataset_id"]
    expected = [np.mean([tables.presence.loc[name, gene] for name in dataset]) for gene in tables.var.index]
    assert adata.var["measured"].tolist() == expected
    assert 0 < adata.var["measured"].min() < 1
    assert ps.datasets.census("human", BLOOD, source=folder).var["measured"].eq(1).all()


def test_genes_that_no_data_set_of_the_cells_holds_are_measured_in_none(folder, tables):
    adata = ps.datasets.census("human", "dataset_id == 'c-3' and is_primary_data == False", source=folder)
    assert adata.var["measured"].tolist() == tables.presence.loc["c-3"].astype(float).tolist()


def test_a_sample_is_random_in_order_and_the_same_for_the_same_seed(folder, tables, blood):
    first = ps.datasets.census("human", BLOOD, source=folder, max_cells=30)
    again = ps.datasets.census("human", BLOOD, source=folder, max_cells=30, rng=0)
    other = ps.datasets.census("human", BLOOD, source=folder, max_cells=30, rng=1)
    numbers = first.obs_names.astype(int).to_numpy()
    assert len(numbers) == 30
    assert (np.diff(numbers) > 0).all()
    assert set(numbers) < set(blood)
    assert first.obs_names.equals(again.obs_names)
    assert not first.obs_names.equals(other.obs_names)
    np.testing.assert_array_equal(first.X.toarray(), tables.counts[numbers])


def test_every_cell_is_sampled_alike(folder, blood):
    half = len(blood) // 2
    drawn = [
        ps.datasets.census("human", BLOOD, source=folder, max_cells=half, rng=seed).obs_names for seed in range(20)
    ]
    times = pd.Series(np.concatenate(drawn)).value_counts().reindex(blood.astype(str), fill_value=0)
    # 20 draws of one half: 10 times, standard deviation 2.2
    assert times.between(1, 19).all()
    assert abs(times[:half].mean() - 10) < 1


def test_all_cells_come_where_no_more_than_allowed_match(folder, blood):
    assert ps.datasets.census("human", BLOOD, source=folder, max_cells=len(blood)).n_obs == len(blood)


def test_copies_of_cells_are_warned_of(folder, tables):
    lung = tables.obs["tissue_general"] == "lung"
    copies = int((lung & ~tables.obs["is_primary_data"]).sum())
    with pytest.warns(UserWarning, match=rf"{copies} of {lung.sum()} cells are copies .* is_primary_data == True"):
        ps.datasets.census("human", "tissue_general == 'lung'", source=folder)


def test_it_says_how_many_match_before_it_reads_and_which_genes_are_not_measured(folder, log):
    ps.datasets.census("human", ANY, source=folder, max_cells=50)
    assert "reading 50 of 400 cells that match" in log.getvalue()
    assert "14 of 40 genes are not in the data sets of all cells" in log.getvalue()
    assert "adata[:, adata.var['measured'] == 1]" in log.getvalue()


def test_an_open_census_is_read_and_stays_open(folder, blood):
    with client.open_soma(uri=str(folder)) as census:
        adata = ps.datasets.census("Homo sapiens", BLOOD, source=census)
        assert not census.closed
    assert adata.n_obs == len(blood)


def test_a_release_is_opened_by_its_name(folder, blood, monkeypatch):
    asked = []

    def open_soma(**options):
        asked.append(options)
        return tiledbsoma.Collection.open(str(folder))

    monkeypatch.setattr(client, "open_soma", open_soma)
    assert ps.datasets.census("human", BLOOD).n_obs == len(blood)
    ps.datasets.census("human", BLOOD, census_version="2025-11-08")
    assert asked == [{"census_version": "stable", "uri": None}, {"census_version": "2025-11-08", "uri": None}]


def test_counts_go_into_aracne_and_through_files(folder, tmp_path):
    adata = ps.datasets.census("human", BLOOD, source=folder)
    ps.tl.aracne(adata, ["SPI1", "PAX5"], groupby="cell_type", n_subnetworks=2)
    assert ps.get.network(adata)["group"].cat.categories.tolist() == adata.obs["cell_type"].cat.categories.tolist()
    adata.write_h5ad(tmp_path / "cells.h5ad")
    adata.write_zarr(tmp_path / "cells.zarr")
    for back in (ad.read_h5ad(tmp_path / "cells.h5ad"), ad.read_zarr(tmp_path / "cells.zarr")):
        pd.testing.assert_frame_equal(back.var, adata.var)
        np.testing.assert_array_equal(back.X.toarray(), adata.X.toarray())


def test_depth_of_cells_is_known_where_genes_are_chosen(folder):
    adata = ps.datasets.census("human", BLOOD, source=folder, var_value_filter="feature_type == 'protein_coding'")
    assert (adata.obs["raw_sum"] > adata.X.sum(axis=1).A1).all()
    ps.tl.aracne(adata, ["PAX5"], n_subnetworks=2, depth="raw_sum")
    assert adata.uns["aracne"]["params"]["depth"] == "raw_sum"


@pytest.mark.parametrize("condition", ["cell_typ == 'B cell'", "cell_type = 'B cell'", "", "cell_type in []"])
def test_a_condition_that_cannot_be_read_is_named_with_the_columns(folder, condition):
    with pytest.raises(ValueError, match=r"^obs_value_filter=.* cannot be read: .*'cell_type'"):
        ps.datasets.census("human", condition, source=folder)
    with pytest.raises(ValueError, match=r"^var_value_filter=.* cannot be read: .*'feature_name'"):
        ps.datasets.census("human", BLOOD, source=folder, var_value_filter=condition)


def test_conditions_that_nothing_meets_are_named(folder):
    with pytest.raises(ValueError, match="obs_value_filter=\"cell_type == 'Bcell'\" matches nothing"):
        ps.datasets.census("human", "cell_type == 'Bcell'", source=folder)
    with pytest.raises(ValueError, match="var_value_filter=\"feature_name == 'Spi1'\" matches nothing"):
        ps.datasets.census("human", BLOOD, source=folder, var_value_filter="feature_name == 'Spi1'")


@pytest.mark.parametrize("organism", ["mouse", "fly", 9606])
def test_an_organism_that_is_not_there_is_named(folder, organism):
    with pytest.raises(ValueError, match=r"organism is '.*'; choose one of 'homo_sapiens'"):
        ps.datasets.census(organism, BLOOD, source=folder)


@pytest.mark.parametrize("names", [["cell_type", "celltype"], "cell_type"])
def test_columns_that_are_not_there_are_an_error(folder, names):
    with pytest.raises(KeyError, match=r"obs_column_names=.* is not a list of columns of obs, .*'cell_type'"):
        ps.datasets.census("human", BLOOD, source=folder, obs_column_names=names)


def test_a_source_that_is_no_census_is_an_error(folder, tmp_path):
    with pytest.raises(ValueError, match="nowhere' cannot be opened as a census"):
        ps.datasets.census("human", BLOOD, source=tmp_path / "nowhere")
    with pytest.raises(TypeError, match="source is DataFrame; give the folder or URI of a census"):
        ps.datasets.census("human", BLOOD, source=pd.DataFrame())
    with (
        tiledbsoma.Collection.open(f"{folder}/census_data") as part,
        pytest.raises(ValueError, match="source holds 'homo_sapiens', but no 'census_data'"),
    ):
        ps.datasets.census("human", BLOOD, source=part)


def test_the_example_of_the_docstring_runs(folder, monkeypatch):
    monkeypatch.setattr(client, "open_soma", lambda **options: tiledbsoma.Collection.open(str(folder)))
    names = {}
    for example in doctest.DocTestParser().get_examples(ps.datasets.census.__doc__):
        exec(example.source, names)
    assert ps.get.network(names["adata"])["group"].cat.categories.tolist() == ["classical monocyte", "B cell"]
