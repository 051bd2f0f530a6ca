"""Regulons of R (:func:`pysces.io.read_regulons`, :func:`pysces.io.write_regulons`)."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import r_files as r
import rdata
from hypothesis import given, settings
from hypothesis import strategies as st

import pysces as ps

NETWORK = {"SPI1": {"LYZ": (0.9, 1.0), "CD3E": (-0.4, 0.25)}, "PAX5": {"CD79A": (1.0, 0.5)}}
VIPER = r.regulons(NETWORK, class_=["regulon"])
EXPECTED = pd.DataFrame(
    {
        "source": pd.Categorical(["SPI1", "SPI1", "PAX5"]),
        "target": pd.Categorical(["LYZ", "CD3E", "CD79A"]),
        "weight": [0.9, -0.4, 1.0],
        "likelihood": [1.0, 0.25, 0.5],
    }
)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5)
WEIGHTS = st.floats(-1, 1)
LIKELIHOODS = st.floats(0, 1, exclude_min=True)
EDGES = st.dictionaries(st.tuples(NAMES, NAMES), st.tuples(WEIGHTS, LIKELIHOODS), min_size=1, max_size=6)


@pytest.fixture
def read(tmp_path):
    """What is read of some bytes."""

    def read(content, *, name=None, file="regulons.rds"):
        path = tmp_path / file
        path.write_bytes(content)
        return ps.io.read_regulons(path, name)

    return read


def one(tfmode, likelihood, **others):
    """A file with the regulon of SPI1."""
    vectors = {"tfmode": tfmode, "likelihood": likelihood} | others
    return r.rds(r.named(["SPI1"], [r.named(vectors, vectors.values())]))


def ab(*values):
    """Numbers of the targets A and B."""
    return r.named(["A", "B"][: len(values)], values)


@pytest.mark.parametrize("version", [2, 3])
def test_regulons_of_viper_are_read(read, version):
    pd.testing.assert_frame_equal(read(r.rds(VIPER, version)), EXPECTED, check_exact=True)


@pytest.mark.parametrize("names", [("am", "aw"), ("aw", "am")])
def test_regulons_of_narnea_are_read_in_either_order(read, names):
    network = NETWORK
    if names[0] == "aw":
        network = {source: {target: pair[::-1] for target, pair in own.items()} for source, own in NETWORK.items()}
    content = r.rds(r.regulons(network, weight=names[0], likelihood=names[1], named_likelihood=True))
    pd.testing.assert_frame_equal(read(content), EXPECTED, check_exact=True)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_every_compression_of_r_is_read(read, compress):
    pd.testing.assert_frame_equal(read(compress(r.rds(VIPER))), EXPECTED)


@pytest.mark.parametrize("file", ["regulons.rda", "regulons.RData", "of any name"])
def test_the_only_object_of_save_needs_no_name(read, file):
    pd.testing.assert_frame_equal(read(gzip.compress(r.rda({"regul": VIPER})), file=file), EXPECTED)
    pd.testing.assert_frame_equal(read(r.rda({"regul": VIPER}), name="regul", file=file), EXPECTED)


def test_of_several_objects_one_is_chosen_by_name(read):
    content = r.rda({"expression": [1.0, 2.0], "regul": VIPER, "nothing": None})
    pd.testing.assert_frame_equal(read(content, name="regul"), EXPECTED)
    with pytest.raises(ValueError, match="holds 3 objects: 'expression', 'regul', 'nothing'; give the name of one"):
        read(content)
    with pytest.raises(ValueError, match=r"name is 'net', but .* holds 'expression', 'regul', 'nothing'"):
        read(content, name="net")


def test_a_name_for_a_file_without_names_is_refused(read):
    with pytest.raises(ValueError, match=r"name is 'regul', but .* leave name out"):
        read(r.rds(VIPER), name="regul")


def test_what_is_read_goes_into_viper(read):
    adata = ps.datasets.pbmc68k()
    targets = dict.fromkeys(adata.var_names[:30], (1.0, 1.0))
    ps.tl.viper(adata, read(r.rds(r.regulons({"SPI1": targets}))), min_targets=5)
    assert adata.obsm["viper"].columns.tolist() == ["SPI1"]


def test_integers_and_names_beyond_ascii_are_read(read):
    found = read(one(r.R(np.array([1, -1]), names=["µ", "HLA-DRA "]), np.array([1, 1])))
    assert found["target"].tolist() == ["µ", "HLA-DRA "]
    assert found["weight"].tolist() == [1.0, -1.0]
    latin = one(r.named(["?"], [0.5]), [1.0]).replace(r.string("?"), r.ints(9 | (4 << 12), 1) + b"\xb5")
    assert read(latin)["target"].tolist() == ["µ"]


def test_numbers_that_r_has_not_made_text_of_yet_are_names(read):
    """R (3.5 and later) saves as.character(7:9) as the numbers, which are a range of which it saves the ends."""

    def altrep(name, state):
        about = r.pairs({}, [])  # the list has no tags: class, package and type
        parts = [r.ints(1) + r.string(name), r.ints(1) + r.string("base"), r.ints(13, 1, 13)]
        about = b"".join(r.ints(2) + part for part in parts) + about
        return r.ints(238) + about + state + r.ints(254)

    for numbers, expected in (
        (altrep("compact_intseq", r.item([3.0, 7.0, 1.0], [])), ["7", "8", "9"]),
        (r.item(np.array([100_000, 5, 1017]), []), ["100000", "5", "1017"]),
    ):
        names = altrep(
            "deferred_string", r.ints(2) + numbers + r.ints(2, 13, 1, 0)[:4] + r.ints(13, 1, 0) + r.ints(254)
        )
        assert read(one(r.R([0.1, 0.2, 0.3], names=r.Bytes(names)), [1.0] * 3))["target"].tolist() == expected


def test_data_frames_are_read_as_tables(read):
    columns = {
        "tf": r.R(np.array([2, 2, 1]), levels=["PAX5", "SPI1"], class_=["factor"]),
        "target": ["LYZ", "CD3E", "CD79A"],
        "mor": [0.9, -0.4, 1.0],
        "likelihood": [1.0, 0.25, 0.5],
    }
    frame = r.R(list(columns.values()), names=list(columns), class_=["tbl_df", "data.frame"])
    pd.testing.assert_frame_equal(read(r.rds(frame)), EXPECTED)
    for code in (r.NA_INT, 0, 3):
        frame.value[0].value[1] = code
        with pytest.raises(ValueError, match=r"row 2 of .* has no source"):
            read(r.rds(frame))
    for column in (None, ["LYZ"], r.named(["a"], [r.named(["b"], [None])])):
        frame.value[1] = column
        with pytest.raises(ValueError, match="the column 'target' of the data frame"):
            read(r.rds(frame))


@pytest.mark.parametrize("nothing", [None, [], r.named(["tfmode", "likelihood"], [[], []])], ids=["NULL", "()", "0"])
def test_regulons_without_targets_are_left_out_with_a_warning(read, nothing):
    content = r.rds(r.named(["EMPTY", *NETWORK], [nothing, *VIPER.value]))
    with pytest.warns(UserWarning, match=r"1 regulons without targets \('EMPTY'\)"):
        pd.testing.assert_frame_equal(read(content), EXPECTED)


@pytest.mark.parametrize(
    ("tfmode", "likelihood"),
    [
        (ab(1.0, r.NA_REAL), [0.5, 0.5]),
        (ab(1.0, 1.0), [0.5, np.nan]),
        (ab(1.0, 1.0), [0.5, 0.0]),
        (r.R(np.array([1, r.NA_INT]), names=["A", "B"]), [0.5, 0.5]),
        (r.named(["A", None], [1.0, 1.0]), [0.5, 0.5]),
        (r.named(["A", ""], [1.0, 1.0]), [0.5, 0.5]),
    ],
    ids=["tfmode NA", "likelihood NaN", "likelihood 0", "integer NA", "target NA", "target empty"],
)
def test_edges_that_count_nowhere_are_left_out_with_a_warning(read, tfmode, likelihood):
    with pytest.warns(UserWarning, match="1 edges without a target, weight or likelihood"):
        found = read(one(tfmode, likelihood))
    assert found[["target", "weight", "likelihood"]].to_numpy().tolist() == [["A", 1.0, 0.5]]


def test_likelihoods_above_1_are_divided_by_the_largest_with_a_warning(read):
    network = {"SPI1": {"A": (1.0, 2.0), "B": (1.0, 0.5)}, "PAX5": {"A": (1.0, 1.0)}}
    with pytest.warns(UserWarning, match="up to 2"):
        assert read(r.rds(r.regulons(network)))["likelihood"].tolist() == [1.0, 0.25, 0.5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (one([0.5, 0.5], [1.0, 1.0]), "the regulon of 'SPI1' .* tfmode without names"),
        (one(ab(0.5, 0.5), [1.0]), "the regulon of 'SPI1' .* has 2 tfmode, but 1 likelihood"),
        (one(ab(0.5, 0.5), None), "the regulon of 'SPI1' .* has 2 tfmode, but 0 likelihood"),
        (one(ab(0.5, 0.5), r.named(["B", "A"], [0.5, 1.0])), "the regulon of 'SPI1' .* same order of targets"),
        (one(r.named(["A", "A"], [0.5, 0.5]), [1.0, 1.0]), "the regulon of 'SPI1' .* 'A'; it is there twice"),
        (one(ab(0.5, -1.5), [1.0, 1.0]), "the regulon of 'SPI1' .* 'B' with the weight -1.5; divide"),
        (one(ab(0.5, np.inf), [1.0, 1.0]), "the regulon of 'SPI1' .* 'B' with the weight inf"),
        (one(ab(0.5, 0.5), [1.0, -0.1]), "the regulon of 'SPI1' .* 'B' with the likelihood -0.1"),
        (one(ab(0.5, 0.5), [1.0, np.inf]), "the regulon of 'SPI1' .* 'B' with the likelihood inf"),
        (one(ab("0.5", "1"), [1.0, 1.0]), "the regulon of 'SPI1' .* has text as tfmode"),
        (one(ab(0.5), r.R(np.array([1]), levels=["1"], class_=["factor"])), "'SPI1' .* levels .a factor. as like"),
        (r.rds(r.named(["SPI1"], [[1.0]])), "the regulon of 'SPI1' .* is numbers without names"),
        (r.rds(r.named(["SPI1"], [ab([1.0], [1.0])])), "the regulon of 'SPI1' .* is a list of 'A', 'B'; a regulon"),
        (r.rds(r.named(["T"], [VIPER])), "the regulon of 'T' .* is a list of 'SPI1', 'PAX5'; a regulon is"),
        (r.rds(r.named(["A", ""], VIPER.value)), "regulon 2 of 2 .* has no regulator"),
        (r.rds(r.named(["A", None], VIPER.value)), "regulon 2 of 2 .* has no regulator"),
        (r.rds(r.named(["A", "A"], VIPER.value)), "two regulons of 'A'"),
        (r.rds(VIPER.value), "a list without names"),
        (r.rds(ab(1.0, 2.0)), r"another kind \(numbers\)"),
        (r.rds(["SPI1"]), r"another kind \(text\)"),
        (r.rds(None), r"another kind \(NULL\)"),
        (r.rds(r.Bytes(r.ints(253))), r"another kind \(globalenv\)"),
        (b"", "no file of saveRDS"),
        (b"regulator\ttarget\n", "no file of saveRDS"),
        (b"A\n3\n262657\n", "no file of saveRDS.* or is saved as text"),
        (r.rds(r.named(["A"], VIPER.value)), "damaged.*1 names of 2 values"),
        (r.rds(VIPER) + b"\0", "damaged.*1 bytes follow"),
        (gzip.compress(r.rds(VIPER), mtime=0)[:-20], "damaged or incomplete"),
        (bz2.compress(r.rds(VIPER))[:-20], "damaged or incomplete"),
        (lzma.compress(r.rds(VIPER))[:-20], "damaged or incomplete"),
        (gzip.compress(bytes(3_000_000), mtime=0), "grows more than 200 times"),
    ],
)
def test_what_holds_no_regulons_is_refused_with_the_regulator_at_fault(read, content, message):
    with pytest.raises(ValueError, match=message):
        read(content)


def test_files_without_any_edge_are_refused(read):
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(ValueError, match="holds 1 regulons, but no edge"),
    ):
        read(r.rds(r.named(["SPI1"], [None])))
    with pytest.raises(FileNotFoundError):
        ps.io.read_regulons("nowhere.rds")


@pytest.mark.parametrize("kind", [10, 13, 14, 15, 16, 19, 20, 21, 9])
def test_no_claimed_length_takes_memory(read, kind):
    """Vectors, text, lists and code that say to have 2e9 elements, in a file of 30 bytes."""
    claim = r.ints(16, 1, kind, 2**31 - 1) if kind == 9 else r.ints(kind, 2**31 - 1)
    with pytest.raises(ValueError, match="damaged"):
        read(r.head() + claim + r.ints(0, 0))


@pytest.mark.parametrize("length", [1e18, np.nan, np.inf, 2e6])
@pytest.mark.parametrize("name", ["compact_intseq", "compact_realseq"])
def test_no_claimed_range_takes_memory(read, name, length):
    about = b"".join(r.ints(2) + r.ints(1) + r.string(text) for text in (name, "base")) + r.ints(254)
    with pytest.raises(ValueError, match="damaged"):
        read(r.head() + r.ints(238) + about + r.item([length, 1.0, 1.0], []) + r.ints(254))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(tmp_path_factory, data):
    content = bytearray(r.rda({"other": ["a", None], "regul": VIPER}))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.rda"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = ps.io.read_regulons(path, "regul")
        except ValueError:
            return
    assert found["weight"].between(-1, 1).all()
    assert len(found) <= 3


def test_beginnings_of_a_file_are_refused(read):
    content = r.rds(VIPER)
    for length in range(0, len(content), 3):
        with pytest.raises(ValueError, match="regulons"):
            read(content[:length])


def test_files_of_r_itself_are_read_or_refused():
    """The files that rdata tests itself with: functions, environments and code among them."""
    paths = sorted(rdata.TESTDATA_PATH.rglob("*.rd[as]"))
    assert len(paths) >= 3
    for path in paths:
        with pytest.raises(ValueError, match=r"regulons|lacks the columns|the column "):
            ps.io.read_regulons(path)


@pytest.mark.parametrize("kind", ["viper", "narnea"])
@settings(max_examples=25, deadline=None)
@given(edges=EDGES)
def test_what_is_written_is_read_bit_for_bit(tmp_path_factory, kind, edges):
    path = tmp_path_factory.getbasetemp() / f"{kind}.rds"
    table = pd.DataFrame([(*edge, *values) for edge, values in edges.items()], columns=EXPECTED.columns)
    table = table.sort_values(["source"], kind="stable", ignore_index=True)
    ps.io.write_regulons(table, path, kind=kind)
    found = ps.io.read_regulons(path)
    assert found[["source", "target"]].astype(object).equals(table[["source", "target"]].astype(object))
    for column in ("weight", "likelihood"):
        assert found[column].to_numpy().tobytes() == table[column].to_numpy().tobytes()


def test_an_inferred_network_comes_back(tmp_path):
    adata = ps.datasets.pbmc68k()
    ps.tl.aracne(adata, "human_tfs", n_subnetworks=1)
    network = ps.get.network(adata)
    ps.io.write_regulons(network, tmp_path / "network.rds")
    found = ps.io.read_regulons(tmp_path / "network.rds")
    pd.testing.assert_frame_equal(found, network[found.columns.tolist()], check_exact=True)


def test_rdata_reads_what_is_written_as_regulons_of_r(tmp_path):
    path = tmp_path / "regulons.rds"
    ps.io.write_regulons(EXPECTED, path)
    with pytest.warns(UserWarning, match='Missing constructor for R class "regulon"'):
        found = rdata.read_rds(path)
    assert list(found) == ["SPI1", "PAX5"]
    assert list(found["SPI1"]) == ["tfmode", "likelihood"]
    assert found["SPI1"]["tfmode"].to_series().to_dict() == {"LYZ": 0.9, "CD3E": -0.4}
    assert found["SPI1"]["likelihood"].tolist() == [1.0, 0.25]
    ps.io.write_regulons(EXPECTED, path, kind="narnea")
    found = rdata.read_rds(path)
    assert list(found["SPI1"]) == ["aw", "am"]
    assert found["SPI1"]["aw"].to_series().to_dict() == {"LYZ": 1.0, "CD3E": 0.25}
    assert found["SPI1"]["am"].to_series().to_dict() == {"LYZ": 0.9, "CD3E": -0.4}


def test_the_same_network_gives_the_same_bytes(tmp_path):
    for file in ("one.rds", "two.RDS"):
        ps.io.write_regulons(EXPECTED, tmp_path / file)
    assert (tmp_path / "one.rds").read_bytes() == (tmp_path / "two.RDS").read_bytes()


@pytest.mark.parametrize(
    ("network", "file", "kind", "error", "message"),
    [
        (EXPECTED, "regulons.rda", "viper", ValueError, r"ends with \.rds"),
        (EXPECTED, "regulons.rds", "aracne", ValueError, "kind is 'aracne'; choose one of 'viper', 'narnea'"),
        (EXPECTED.assign(group="b"), "regulons.rds", "viper", ValueError, "choose one: network"),
        (EXPECTED.assign(weight=2), "regulons.rds", "viper", ValueError, r"must lie in \[-1, 1\]"),
        (EXPECTED.assign(target=["a\0", "b", "c"]), "regulons.rds", "viper", ValueError, r"names .* 'a\\x00'"),
        (EXPECTED.assign(source=["", "b", "c"]), "regulons.rds", "viper", ValueError, "names that R does not take: ''"),
        (EXPECTED.iloc[:0], "regulons.rds", "viper", ValueError, "no edges"),
        (None, "regulons.rds", "viper", TypeError, "give a DataFrame"),
    ],
    ids=["suffix", "kind", "groups", "weight", "NUL", "no name", "no edges", "None"],
)
def test_bad_networks_are_refused_and_files_left_as_they_are(tmp_path, network, file, kind, error, message):
    path = tmp_path / file
    path.write_bytes(b"before")
    with pytest.raises(error, match=message):
        ps.io.write_regulons(network, path, kind=kind)
    assert [(own.name, own.read_bytes()) for own in tmp_path.iterdir()] == [(file, b"before")]


def test_without_rdata_the_error_says_what_to_install(read, monkeypatch):
    monkeypatch.delitem(sys.modules, "pysces.io._r_parser", raising=False)
    monkeypatch.setitem(sys.modules, "rdata.parser", None)
    with pytest.raises(ImportError, match=r"pip install 'rdata"):
        read(r.rds(VIPER))
