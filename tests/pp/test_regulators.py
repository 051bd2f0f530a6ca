"""Genes marked as regulators, and the same genes given to tl.aracne."""

from __future__ import annotations

import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp
from states import state

import pysces as ps

GENES = ["SPI1", "ACTB", "PAX5", "Spi1", "CD3E", "STAT1"]


@pytest.fixture
def adata():
    X = np.random.default_rng(0).poisson(3.0, (40, len(GENES))).astype(np.float32)
    var = pd.DataFrame({"mine": [False, True] * 3, "length": 1.0}, index=GENES)
    return ad.AnnData(sp.csr_matrix(X), var=var)


def marked(adata, key="regulator"):
    return adata.var_names[adata.var[key]].tolist()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tfs.txt"
    path.write_text("STAT1\n\n  SPI1 \nFOXP3\n", "utf-8")
    return path


def test_human_transcription_factors_are_the_default(adata):
    assert ps.pp.regulators(adata) is None
    assert adata.var["regulator"].dtype == np.bool_
    assert (
        marked(adata)
        == [gene for gene in GENES if gene in ps.datasets.regulators("human")]
        == ["SPI1", "PAX5", "STAT1"]
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("mouse_tfs", ["Spi1"]),
        (["CD3E", "ACTB", "CD3E"], ["ACTB", "CD3E"]),
        ({"CD3E"}, ["CD3E"]),
        (pd.Index(["PAX5"]), ["PAX5"]),
        ("mine", ["ACTB", "Spi1", "STAT1"]),
        (np.array([True, False, False, False, True, False]), ["SPI1", "CD3E"]),
    ],
    ids=str,
)
def test_regulators_are_those_given(adata, given, expected):
    ps.pp.regulators(adata, given)
    assert marked(adata) == expected


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_holds_a_name_per_line(adata, file, kind):
    ps.pp.regulators(adata, kind(file))
    assert marked(adata) == ["SPI1", "STAT1"]


def test_a_column_goes_before_a_file_of_its_name(adata, tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("SPI1", "utf-8")
    monkeypatch.chdir(tmp_path)
    ps.pp.regulators(adata, "mine")
    assert marked(adata) == ["ACTB", "Spi1", "STAT1"]


def test_only_the_column_is_new_and_a_copy_has_it(adata):
    before = state(adata)
    copy = ps.pp.regulators(adata, key_added="tf", copy=True)
    assert state(adata) == before
    ps.pp.regulators(adata, key_added="tf")
    assert state(copy) == state(adata)
    del adata.var["tf"]
    assert state(adata) == before


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_marks_survive_a_file(adata, tmp_path, suffix):
    ps.pp.regulators(adata)
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    assert state(read.var["regulator"].to_numpy()) == state(adata.var["regulator"].to_numpy())


def test_backed_data_are_marked_in_memory(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    ps.pp.regulators(backed)
    assert backed.isbacked
    assert marked(backed) == ["SPI1", "PAX5", "STAT1"]


# --- the same genes in tl.aracne --------------------------------------------------------------------------------------


def test_aracne_takes_the_mark_and_what_it_was_made_of(adata, file):
    quick = {"n_subnetworks": 1, "correction": None, "depth": None, "copy": True}
    ps.pp.regulators(adata, file)
    expected = state(ps.tl.aracne(adata, "regulator", **quick).uns["aracne"]["network"])
    for given in (file, str(file), adata.var["regulator"], adata.var["regulator"].to_numpy(), ["STAT1", "SPI1"]):
        assert state(ps.tl.aracne(adata, given, **quick).uns["aracne"]["network"]) == expected
    found = ps.tl.aracne(adata, "regulator", targets=file, **quick).uns["aracne"]["network"]
    assert set(found["target"]) <= {"SPI1", "STAT1"}


# --- messages ---------------------------------------------------------------------------------------------------------


def test_the_log_tells_what_was_found_and_what_not(adata, file, capsys):
    before = sc.settings.verbosity, sc.settings.logfile
    sc.settings.verbosity, sc.settings.logfile = "hint", sys.stderr
    try:
        ps.pp.regulators(adata, file)
        ps.pp.regulators(adata, "mine", key_added="again")
    finally:
        sc.settings.verbosity, sc.settings.logfile = before
    told, again = capsys.readouterr().err.split("'again'")
    assert "'regulator', 2 regulators among 6 genes (adata.var)\n    1 are not among the genes: 'FOXP3'" in told
    assert again.startswith(", 3 regulators among 6 genes (adata.var) (0:00:00)")


def test_names_that_are_absent_are_warned_of_at_the_line_of_the_user(adata):
    with pytest.warns(UserWarning, match="1 of 2 regulators are not among the 6 genes: 'FOXP3'") as record:
        ps.pp.regulators(adata, ["SPI1", "FOXP3"])
    assert record[0].filename == __file__


def ensembl(adata):
    adata.var_names = [f"ENSG{i:011d}" for i in range(len(GENES))]


def twice(adata):
    adata.var_names = ["SPI1", *GENES[:-1]]


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("spoil", "given", "error", "match"),
    [
        (
            ensembl,
            "human_tfs",
            ValueError,
            r"none of the 1392 human_tfs is among the 6 genes. .*\('ENSG.*translate_genes",
        ),
        (nothing, "fly_tfs", ValueError, "regulators='fly_tfs' is neither a boolean column .* nor a file"),
        (nothing, Path("fly_tfs.txt"), ValueError, "regulators='fly_tfs.txt' is neither a boolean column"),
        (nothing, "length", TypeError, "regulators='length' names a column of adata.var that holds float64"),
        (nothing, [True, False], ValueError, "regulators is a mask of length 2, but there are 6 genes"),
        (nothing, [False] * 6, ValueError, "regulators selects no gene"),
        (nothing, ["FOXP3"], ValueError, r"none of the 1 regulators \('FOXP3'\)"),
        (nothing, [5, 0], ValueError, r"none of the 2 regulators \('0', '5'\) is among .*adata.var_names\[positions\]"),
        (nothing, ["SPI1", np.nan], TypeError, r"regulators must be names of genes, but 1 of 2 is missing \(NaN\)"),
        (nothing, [], ValueError, "regulators must be a list of genes with at least one entry"),
        (twice, "human_tfs", ValueError, "var_names holds duplicates: 'SPI1'"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, spoil, given, error, match):
    spoil(adata)
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pp.regulators(adata, given)
    assert state(adata) == before


@pytest.mark.parametrize(
    ("text", "match"), [(" \n\n", "is a file without names"), ("FOXP3\nGATA1\n", r"none of the 2 names in '.*tfs.txt'")]
)
def test_files_of_no_use_are_an_error(adata, file, text, match):
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=match):
        ps.pp.regulators(adata, file)
    assert "regulator" not in adata.var
