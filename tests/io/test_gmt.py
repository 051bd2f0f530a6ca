"""Gene sets from GMT files (:func:`pysces.io.read_gmt`)."""

from __future__ import annotations

import gzip
import string

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import viper_oracles
from hypothesis import given, settings
from hypothesis import strategies as st

import pysces as ps

SETS = {"B cells": ["CD79A", "MS4A1"], "T/NK": ["CD3E"], "empty description": ["LYZ", "CD79A"]}
TEXT = "B cells\tmarkers\tCD79A\tMS4A1\nT/NK\thttp://x.org\tCD3E\nempty description\t\tLYZ\tCD79A\n"
NAMES = st.text(string.ascii_letters + string.digits + "_-/ .:µβ", min_size=1).map(str.strip).filter(bool)


@pytest.fixture
def read(tmp_path):
    """What is read of some text or bytes."""

    def read(content, name="sets.gmt"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return ps.io.read_gmt(path)

    return read


def as_sets(table):
    return {name: own["target"].tolist() for name, own in table.groupby("source", observed=True, sort=False)}


def written(sets):
    return "".join("\t".join([name, "", *genes]) + "\n" for name, genes in sets.items())


def test_sets_are_a_network_in_the_order_of_the_file(read):
    table = read(TEXT)
    assert table.columns.tolist() == ["source", "target", "weight"]
    assert table["source"].tolist() == ["B cells"] * 2 + ["T/NK"] + ["empty description"] * 2
    assert table["target"].tolist() == ["CD79A", "MS4A1", "CD3E", "LYZ", "CD79A"]
    assert table["weight"].tolist() == [1.0] * 5
    assert [str(dtype) for dtype in table.dtypes] == ["category", "category", "float64"]
    assert table.index.equals(pd.RangeIndex(5))


@settings(max_examples=50, deadline=None)
@given(sets=st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=6, unique=True), min_size=1, max_size=6))
def test_what_is_written_is_read(tmp_path_factory, sets):
    path = tmp_path_factory.getbasetemp() / "written.gmt"
    path.write_text(written(sets), encoding="utf-8")
    assert as_sets(ps.io.read_gmt(path)) == sets


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode()[:-1],
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\n", "\t\t\n").encode(),
        TEXT.replace("\tCD79A", "\t CD79A \t\tCD79A").encode(),
        TEXT.replace("\n", "\n\n").encode() + b"  \n",
        b"\xef\xbb\xbf" + TEXT.encode(),
    ],
    ids=["no last line end", "CRLF", "CR", "empty fields", "spaces and repetitions", "empty lines", "byte order mark"],
)
def test_what_does_not_matter_does_not_matter(read, content):
    pd.testing.assert_frame_equal(read(content), read(TEXT))


def test_only_line_ends_end_a_line(read):
    assert as_sets(read("A\x0b\u2028B\t\tg\x0ch\n")) == {"A\x0b\u2028B": ["g\x0ch"]}


def test_compressed_files_are_read_and_paths_may_be_text(read, tmp_path):
    pd.testing.assert_frame_equal(read(gzip.compress(TEXT.encode()), "sets.gmt.gz"), read(TEXT))
    pd.testing.assert_frame_equal(ps.io.read_gmt(str(tmp_path / "sets.gmt")), read(TEXT))


def test_sets_go_into_viper_msviper_and_pathways(read):
    genes = viper_oracles.gene_names(60)
    obs = pd.DataFrame({"type": pd.Categorical(["a", "b"] * 20)}, index=[f"cell{i}" for i in range(40)])
    adata = ad.AnnData(viper_oracles.cells("log").astype(np.float32), obs=obs, var=pd.DataFrame(index=genes))
    net = read(written({"first": genes[8:14], "second": genes[12:20]}))
    ps.tl.viper(adata, net, min_targets=5)
    assert adata.obsm["viper"].columns.tolist() == ["first", "second"]
    ps.tl.msviper(adata, "type", "a", network=net, min_targets=5, n_permutations=0)
    assert sorted(ps.get.msviper(adata)["source"]) == ["first", "second"]
    ps.tl.viper(adata, viper_oracles.network(genes), min_targets=1)
    ps.tl.pathways(adata, read(written({"some": ["R0", "R3"]})), min_targets=2)
    assert adata.obsm["pathways"].columns.tolist() == ["some"]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("A\t\tg\nB\tdescription\n", "line 2 of .*sets.gmt has 2 of at least 3 fields; a set has a name, a desc"),
        ("A\t\tg\n\nB\tdescription\t\t \n", "line 3 of .* has 2 of at least 3 fields"),
        ("A g h\n", "line 1 of .* has 1 of at least 3 fields.*separated by tabs"),
        ("A\t\tg\n\t\tg\n", "line 2 of .* has no name"),
        ("A\t\tg\nB\t\tg\nA\t\th\n", "holds the set 'A' twice, in lines 1 and 3"),
        ("", "sets.gmt is empty; a GMT file has one line per set"),
        ("\n \n", "is empty"),
        (b"A\t\tg\r\nB\t\t\xff\xfe\n", r"is not UTF-8 text \(line 2\); convert it"),
        (gzip.compress(TEXT.encode(), mtime=0), r"is not UTF-8 text \(line 1\).*decompress it"),
    ],
)
def test_errors_name_the_line(read, content, match):
    with pytest.raises(ValueError, match=match):
        read(content)


def test_missing_files_are_missed(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ps.io.read_gmt(tmp_path / "nowhere.gmt")
