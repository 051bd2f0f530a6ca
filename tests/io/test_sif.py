"""Networks in the simple interaction format (:func:`pysces.io.read_sif`, :func:`pysces.io.write_sif`)."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pysces as ps

EDGES = pd.DataFrame(
    {
        "source": pd.Categorical(["SPI1", "SPI1", "PAX5"]),
        "target": pd.Categorical(["LYZ", "CD3E", "CD79A"]),
        "weight": [1.0, -1.0, 0.0],
    }
)
TEXT = "SPI1\tactivates\tLYZ\nSPI1\tinhibits\tCD3E\nPAX5\tregulates\tCD79A\n"
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=5)


@pytest.fixture
def read(tmp_path):
    """What is read of some text."""

    def read(content, file="network.sif"):
        path = tmp_path / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return ps.io.read_sif(path)

    return read


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("\t", "  "),
        TEXT.replace("\n", "\r\n"),
        "\n" + TEXT + "alone\n \n",
        TEXT.replace("\tLYZ", " \t LYZ\t"),
        "\ufeff" + TEXT,
    ],
    ids=["tabs", "spaces", "Windows", "genes alone", "trailing tab", "mark in front"],
)
def test_edges_are_read_in_the_order_of_the_file(read, text):
    pd.testing.assert_frame_equal(read(text), EDGES, check_exact=True)


def test_a_line_may_have_several_targets_and_a_file_be_compressed(read):
    found = read(gzip.compress(b"SPI1\tinhibits\tCD3E\tT cell receptor\tCD3D\n"), "network.sif.gz")
    assert found["target"].tolist() == ["CD3E", "T cell receptor", "CD3D"]
    assert found["weight"].tolist() == [-1.0] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT + "SPI1\tactivates\n", "line 4 of .* has 'SPI1', 'activates': a regulator, an interaction and targets"),
        ("\n\tactivates\tLYZ\n", "line 2 of .* has '', 'activates', 'LYZ'"),
        ("SPI1\tactivates\tLYZ\t\tCD14\n", "line 1 of .* none of them empty"),
        ("a\nSPI1\tpd\tLYZ\n", "line 2 of .* the interaction 'pd', which tells no sign; write one of activates, inh"),
        (TEXT + "SPI1\tinhibits\tLYZ\n", r"the edge \['SPI1', 'LYZ'\] twice, in lines 1 and 4"),
        ("SPI1\tactivates\tLYZ\tLYZ\n", "twice, in lines 1 and 1"),
        ("", "no edges"),
        ("alone\n", "no edges"),
        (b"SPI1\tactivates\t\xff\n", r"not UTF-8 text \(line 1\)"),
    ],
)
def test_bad_lines_are_named(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ps.io.read_sif("nowhere.sif")


def test_the_sign_of_the_weight_is_the_interaction(tmp_path):
    ps.io.write_sif(EDGES.assign(weight=[0.2, -1e-9, 0.0], mi=1.0), tmp_path / "network.sif")
    assert (tmp_path / "network.sif").read_text() == TEXT


@settings(max_examples=25, deadline=None)
@given(
    edges=st.dictionaries(st.tuples(NAMES, NAMES), st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=8),
    suffix=st.sampled_from([".sif", ".sif.gz"]),
)
def test_what_is_written_is_read(tmp_path_factory, edges, suffix):
    path = tmp_path_factory.getbasetemp() / f"written{suffix}"
    table = pd.DataFrame([(*edge, weight) for edge, weight in edges.items()], columns=EDGES.columns)
    ps.io.write_sif(table, path)
    found = ps.io.read_sif(path)
    pd.testing.assert_frame_equal(found.astype(table.dtypes), table, check_exact=True)


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (EDGES.assign(group="b"), ValueError, "choose one: network"),
        (EDGES.assign(weight=2.0), ValueError, r"must lie in \[-1, 1\]"),
        (EDGES.iloc[:0], ValueError, "no edges"),
        (EDGES.assign(target=["a\tb", "c", "d"]), ValueError, r"names that no line of SIF can hold: 'a\\tb'; rename"),
        (EDGES.assign(target=["a\u2028b", "c", "d"]), ValueError, "names that no line of SIF can hold"),
        (EDGES.assign(source=["a", "b ", ""]), ValueError, "hold: 'b ', ''; rename"),
        (None, TypeError, "give a DataFrame"),
    ],
    ids=["groups", "weight", "no edges", "tab", "line break", "spaces", "None"],
)
def test_bad_networks_are_refused_and_files_left_as_they_are(tmp_path, network, error, message):
    path = tmp_path / "network.sif"
    path.write_bytes(b"before")
    with pytest.raises(error, match=message):
        ps.io.write_sif(network, path)
    assert [(own.name, own.read_bytes()) for own in tmp_path.iterdir()] == [("network.sif", b"before")]
