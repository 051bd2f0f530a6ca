"""Gene names translated by a table: AnnData and networks, one to one, with what was dropped told."""

from __future__ import annotations

import sys

import anndata as ad
import dask.array as da
import gene_name_oracles as oracle
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from states import state

import pysces as ps

GENES = ["SPI1", "LYZ", "CD14", "GAPDH", "PAX5", "NOVEL"]
TABLE = pd.DataFrame(
    [
        ("SPI1", "Spi1"), ("PAX5", "Pax5"), ("PAX5", "Pax5"), ("LYZ", "Lyz1"), ("LYZ", "Lyz2"), ("CD14", "Cd14"),
        ("GAPDH", "Gapdh"), ("GAPDHS", "Gapdh"), ("NOVEL", np.nan), ("NOVEL", ""), (None, "Xist"),
    ],
    columns=["human", "mouse"],
)  # fmt: skip
KEPT = {"SPI1": "Spi1", "CD14": "Cd14", "PAX5": "Pax5"}


def cells(names=GENES):
    rng = np.random.default_rng(0)
    X = rng.poisson(2.0, (24, len(names))).astype(np.float32)
    return ad.AnnData(
        sp.csr_matrix(X),
        var=pd.DataFrame({"former": names}, index=pd.Index(names)),
        varm={"loadings": rng.normal(size=(len(names), 2))},
        layers={"counts": X + 1},
        uns={"title": "T"},
    )


def network():
    source = ["SPI1", "SPI1", "SPI1", "PAX5", "PAX5", "LYZ"]
    target = ["LYZ", "CD14", "PAX5", "SPI1", "NOVEL", "CD14"]
    return pd.DataFrame({"source": source, "target": target, "weight": np.linspace(-1, 1, 6), "n_references": range(6)})


@pytest.mark.parametrize(
    "as_table", [lambda t: t, lambda t: t.astype("category"), lambda t: t[::-1]], ids=["table", "categories", "turned"]
)
def test_genes_with_one_translation_of_their_own_are_kept(as_table):
    adata = cells()
    before = state(adata)
    found = ps.pp.translate_genes(adata, as_table(TABLE))
    assert state(adata) == before
    assert dict(zip(found.var["former"], found.var_names, strict=True)) == KEPT
    kept = adata[:, list(KEPT)]
    kept = kept[:, adata.var_names[adata.var_names.isin(list(KEPT))]]
    np.testing.assert_array_equal(found.X.toarray(), kept.X.toarray())
    np.testing.assert_array_equal(found.layers["counts"], kept.layers["counts"])
    np.testing.assert_array_equal(found.varm["loadings"], kept.varm["loadings"])
    assert found.uns == adata.uns
    assert not found.is_view


def test_edges_between_such_genes_are_kept():
    edges = network()
    before = state(edges)
    found = ps.pp.translate_genes(edges, TABLE)
    assert state(edges) == before
    expected = edges.iloc[[1, 2, 3]].replace({"source": KEPT, "target": KEPT}).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.filterwarnings("ignore:regulator .* holds|X holds counts")
def test_networks_of_groups_stay_categorical_and_can_be_scored():
    edges = pd.concat([network().assign(group=label) for label in ("CD4+/CD25 T Reg", "B")], ignore_index=True)
    edges = edges.astype({"source": "category", "target": "category", "group": "category"})
    found = ps.pp.translate_genes(edges, TABLE)
    for name in ("source", "target"):
        assert found[name].cat.categories.tolist() == sorted(set(found[name]))
    assert found["group"].cat.categories.tolist() == edges["group"].cat.categories.tolist()
    assert found["group"].value_counts().tolist() == [3, 3]
    adata = ps.pp.translate_genes(cells(), TABLE)
    adata.obs["type"] = pd.Categorical(["B", "CD4+/CD25 T Reg"] * 12)
    ps.tl.viper(adata, found, groupby="type", min_targets=1)
    assert set(adata.obsm["viper"]) == {"Spi1", "Pax5"}


def test_a_mapping_is_a_table():
    mapping = dict(TABLE.drop_duplicates("human").dropna().itertuples(index=False))
    table = pd.DataFrame({"human": mapping.keys(), "mouse": mapping.values()})
    assert state(ps.pp.translate_genes(cells(), mapping)) == state(ps.pp.translate_genes(cells(), table))


def test_a_table_of_the_genes_that_are_there_keeps_names_whose_double_is_not():
    found = ps.pp.translate_genes(cells(), TABLE[TABLE["human"].isin(GENES)])
    assert found.var_names.tolist() == ["Spi1", "Cd14", "Gapdh", "Pax5"]


def test_versions_of_ensembl_identifiers_do_not_count():
    names = ["ENSG00000066336.12", "ENSG00000196092", "ENSMUSG00000000028.7", "ENSG00000182378.15_PAR_Y", "AC245.3"]
    table = {
        "ENSG00000066336.4": "SPI1", "ENSG00000196092.13": "PAX5", "ENSMUSG00000000028": "Cdc45",
        "ENSG00000182378": "PLCXD1", "AC245": "OTHER",
    }  # fmt: skip
    found = ps.pp.translate_genes(cells(names), table)
    assert found.var_names.tolist() == ["SPI1", "PAX5", "Cdc45"]


def test_two_versions_of_one_identifier_are_dropped():
    names = ["ENSG00000066336.12", "ENSG00000066336.13", "ENSG00000196092"]
    found = ps.pp.translate_genes(cells(names), {"ENSG00000066336": "SPI1", "ENSG00000196092": "PAX5"})
    assert found.var_names.tolist() == ["PAX5"]


def test_there_and_back_is_where_it_began():
    adata = cells()
    there = {name: f"ENSG{i:011d}" for i, name in enumerate(GENES)}
    back = {new: name for name, new in there.items()}
    assert state(ps.pp.translate_genes(ps.pp.translate_genes(adata, there), back)) == state(adata)
    edges = network()
    assert state(ps.pp.translate_genes(ps.pp.translate_genes(edges, there), back)) == state(edges)


@pytest.mark.parametrize(
    "x", [np.asarray, sp.csc_matrix, lambda x: da.from_array(x, chunks=(12, 2))], ids=["dense", "CSC", "dask"]
)
def test_any_storage_in_memory_or_dask_is_kept(x):
    adata = cells()
    dense = adata.X.toarray()
    adata.X = x(dense)
    found = ps.pp.translate_genes(adata, TABLE)
    assert type(found.X) is type(adata.X)
    values = found.X.compute() if hasattr(found.X, "compute") else found.X
    np.testing.assert_array_equal(values if isinstance(values, np.ndarray) else values.toarray(), dense[:, [0, 2, 4]])


NAMES = st.sampled_from([*"abcdef", "ENSG00000000001.1", "ENSG00000000001.2", "ENSG00000000001", "ENSG00000000002.1"])
PAIRS = st.lists(st.tuples(NAMES, st.sampled_from("ABCDEF")), min_size=1)


@given(names=st.lists(NAMES, min_size=1, unique=True), pairs=PAIRS)
def test_translations_are_those_of_the_rule(names, pairs):
    table = pd.DataFrame(pairs, columns=["from", "to"])
    edges = pd.DataFrame({"source": names, "target": names})
    expected = oracle.translations(names, pairs)
    if not expected:
        with pytest.raises(ValueError, match="table translates none"):
            ps.pp.translate_genes(edges, table)
        return
    found = ps.pp.translate_genes(edges, table)
    assert (
        found["source"].tolist() == found["target"].tolist() == [expected[name] for name in names if name in expected]
    )
    assert found["source"].is_unique


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "what"), [(cells, "3 genes"), (network, "3 of 6 edges")])
def test_the_log_counts_and_names_what_was_dropped(data, what, capsys):
    before = sc.settings.verbosity, sc.settings.logfile
    sc.settings.verbosity, sc.settings.logfile = "hint", sys.stderr
    try:
        ps.pp.translate_genes(data(), TABLE)
    finally:
        sc.settings.verbosity, sc.settings.logfile = before
    told = capsys.readouterr().err
    assert f"translated {what}\n    dropped: 1 are not in the table ('NOVEL')" in told
    assert "1 have several translations ('LYZ')" in told
    assert ("1 share a translation ('GAPDH')" in told) == (data is cells)


def same(adata):
    return adata


def duplicated(adata):
    adata.var_names = ["SPI1", *GENES[1:-1], "SPI1"]
    return adata


def numbered(_):
    return network().assign(target=[1, 2, 3, 4, 5, 6])


@pytest.mark.parametrize(
    ("data", "table", "error", "match"),
    [
        (same, TABLE[["mouse", "human"]], ValueError, "5 are in its second column: exchange the columns"),
        (
            same,
            {"TP53": "Trp53"},
            ValueError,
            r"none of the 6 genes: 6 are not in the table .*such as 'TP53'; give one",
        ),
        (same, {}, ValueError, "table translates none of the 6 genes"),
        (same, TABLE.assign(more=1), ValueError, r"table has 3 columns \('human', 'mouse', 'more'\); give two"),
        (same, TABLE.assign(mouse=7), TypeError, "table holds names that are not strings .*7.*; convert them"),
        (same, {"SPI1": 3.5}, TypeError, r"table holds names that are not strings \(3.5\)"),
        (same, list(KEPT), TypeError, "table is list; give a DataFrame with two columns, or a dict"),
        (duplicated, TABLE, ValueError, "var_names holds duplicates: 'SPI1'"),
        (lambda _: network().drop(columns="source"), TABLE, ValueError, "data lack the columns 'source'"),
        (lambda _: network().iloc[:1], TABLE, ValueError, "table translates both genes of none of the 1 edges: 1 have"),
        (lambda _: network().iloc[:0], TABLE, ValueError, "table translates none of the 0 genes"),
        (numbered, TABLE, TypeError, r"data hold names of genes that are not strings \(1, 2, 3, ... \(6 in all\)\)"),
        (lambda _: GENES, TABLE, TypeError, "data is list; give an AnnData, or a network"),
    ],
    ids=range(13),
)
def test_errors_name_what_is_wrong_and_leave_data_as_they_are(data, table, error, match):
    given_data = data(cells())
    before = state(given_data)
    with pytest.raises(error, match=match):
        ps.pp.translate_genes(given_data, table)
    assert state(given_data) == before


def test_backed_data_are_refused(tmp_path):
    cells().write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    with pytest.raises(ValueError, match=r"data are backed.*translate the network to the names of the data instead"):
        ps.pp.translate_genes(backed, TABLE)
    assert ps.pp.translate_genes(backed.to_memory(), TABLE).n_vars == 3
