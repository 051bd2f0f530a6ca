"""Networks in files of pysces and of other programs (read_network, write_network, as_network, write_gmt)."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pandas as pd
import pytest
import states
import viper_oracles
from hypothesis import given, settings
from hypothesis import strategies as st

import pysces as ps

pytestmark = pytest.mark.filterwarnings("ignore:.*has no column with the signs")

EDGES = pd.DataFrame(
    {
        "source": pd.Categorical(["B", "B", "a"]),
        "target": pd.Categorical(["x", "NA", "x"]),
        "weight": [0.1 + 0.2, -1.0, 0.0],
        "likelihood": [1.0, 0.5, 1e-300],
        "mi": [0.5, 0.25, 5e-301],
        "scc": [0.1 + 0.2, -1.0, 0.0],
        "support": [3, 2, 1],
        "log_pvalue": [-np.pi, -1e4, -np.inf],
        "log_qvalue": [0.0, -0.1, -1e-17],
    }
)
GROUPED = EDGES.assign(
    group=pd.Categorical(["CD4+/CD25 T Reg", "CD4+/CD25 T Reg", "A | b"], ["CD4+/CD25 T Reg", "A | b"])
)
GROUPED = GROUPED[["group", *EDGES.columns]]
SCENIC = (
    ",,Enrichment,Enrichment,Enrichment,Enrichment\n"
    ",,AUC,Context,TargetGenes,RankAtMax\n"
    "TF,MotifID,,,,\n"
    "SPI1,m1,0.1,\"frozenset({'activating', 'top50'})\",\"[('LYZ', 1.5), ('SPI1', 1)]\",7\n"
    "SPI1,m2,0.1,\"frozenset({'activating', 'top50'})\",\"[('LYZ', np.float64(3.0))]\",7\n"
    'SPI1,m3,0.1,"frozenset({\'repressing\'})","[(""N\'1"", 0.75), (\'SPI1\', 1.0)]",7\n'
)
FILES = {
    "3col": ("SPI1\tLYZ\t0.5\nSPI1\tCST3\t0.125\n", ".txt"),
    "adj": ("> parameters\n>\n\nSPI1\tLYZ\t0.5\tCST3\t0.125\t\n", ".adj"),
    "aracne-ap": ("Regulator\tTarget\tMI\tpvalue\nSPI1\tLYZ\t0.5\t0.0\nSPI1\tCST3\t0.125\t1.0\n", ".txt"),
    "aracne3": (
        (
            "regulator.values\ttarget.values\tmi.values\tscc.values\tcount.values\tlog.p.values\n"
            "SPI1\tLYZ\t0.5\t0.75\t10\t-30.5\nSPI1\tCST3\t0.125\t-0.5\t9\t-inf\n"
        ),
        ".tsv",
    ),
    "pyviper": (",regulator,target,mor,likelihood\n0,SPI1,LYZ,1,1\n1,SPI1,CST3,-0.5,0.25\n", ".csv"),
    "grnboost2": ("TF\ttarget\timportance\nSPI1\tLYZ\t40\nSPI1\tCST3\t10.0\n", ".tsv"),
    "tidy": ("source,target,weight,n_references\nSPI1,LYZ,1,3\nSPI1,CST3,-1,\n", ".csv"),
}
READ = {
    "3col": {"weight": [1, 1], "likelihood": [1, 0.25], "mi": [0.5, 0.125]},
    "adj": {"weight": [1, 1], "likelihood": [1, 0.25], "mi": [0.5, 0.125]},
    "aracne-ap": {"weight": [1, 1], "likelihood": [1, 0.25], "mi": [0.5, 0.125], "log_pvalue": [-np.inf, 0.0]},
    "aracne3": {
        "weight": [0.75, -0.5],
        "likelihood": [1, 0.25],
        "mi": [0.5, 0.125],
        "scc": [0.75, -0.5],
        "support": [10, 9],
        "log_pvalue": [-30.5, -np.inf],
    },
    "pyviper": {"weight": [1, -0.5], "likelihood": [1, 0.25]},
    "grnboost2": {"weight": [1, 1], "likelihood": [1, 0.25], "importance": [40, 10]},
    "tidy": {"weight": [1, -1], "n_references": [3, np.nan]},
}
TEXT = FILES["aracne-ap"][0]
NAMES = st.text("aZ1 \t\"',;>#-_/|.:µβ\u2028\x85🍊", min_size=1, max_size=4).map(str.strip).filter(bool)


@pytest.fixture
def read(tmp_path):
    """What is read of some text or bytes."""

    def read(content, name="net.txt", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return ps.io.read_network(path, **options)

    return read


def back(network, path, **options):
    """What is read of a network that was written."""
    ps.io.write_network(network, path, **options)
    return ps.io.read_network(path, **options)


def as_dict(network):
    """Columns of two edges of SPI1, without their names."""
    assert network["source"].tolist() == ["SPI1", "SPI1"]
    assert network["target"].tolist() == ["LYZ", "CST3"]
    return network.drop(columns=["source", "target"]).to_dict("list")


# ------------------------------------------------------------------------------------------------ formats


@pytest.mark.parametrize("given_format", [True, False], ids=["format given", "format found"])
@pytest.mark.parametrize("kind", FILES)
def test_every_format_is_a_network(read, kind, given_format):
    content, suffix = FILES[kind]
    found = read(content, f"net{suffix}", format=kind if given_format else None)
    np.testing.assert_equal(as_dict(found), READ[kind])
    types = found.dtypes.astype(str).to_dict()
    assert types.pop("source") == types.pop("target") == "category"
    assert types.pop("support", "int64") == "int64"
    assert set(types.values()) == {"float64"}
    assert found.index.equals(pd.RangeIndex(2))


@pytest.mark.parametrize("kind", FILES)
def test_what_does_not_matter_does_not_matter(read, kind):
    content, suffix = FILES[kind]
    expected = read(content, f"net{suffix}")
    same = [
        content.replace("\n", "\r\n"),
        content.replace("\n", "\r"),
        content[:-1],
        "\n" + content + "\n  \n",
        b"\xef\xbb\xbf" + content.encode(),
    ]
    for other in same:
        pd.testing.assert_frame_equal(read(other, f"net{suffix}"), expected)
    pd.testing.assert_frame_equal(read(gzip.compress(content.encode()), f"net{suffix}.gz"), expected)


def test_fields_may_be_quoted_and_names_of_columns_in_any_case(read):
    quoted = '"REGULATOR","target","Mi"\n"SPI1","a ""b"", c","0.5"\n'
    found = read(quoted, "net.csv")
    assert found.loc[0].tolist() == ["SPI1", 'a "b", c', 1.0, 1.0, 0.5]


def test_a_gene_may_be_called_na(read):
    assert read("source,target\nNA,nan\nNaN,null\n")[["source", "target"]].to_numpy().tolist() == [
        ["NA", "nan"],
        ["NaN", "null"],
    ]


def test_scenic_gives_every_edge_once_with_the_sign_of_its_modules(read):
    for content in (SCENIC, SCENIC.replace("TF,MotifID,,,,\n", "").replace(",,AUC", "TF,MotifID,AUC")):
        found = read(content, "reg.csv")
        assert found["target"].tolist() == ["LYZ", "SPI1", "N'1"]
        assert found["weight"].tolist() == [1.0, 0.0, -1.0]
        assert found["importance"].tolist() == [3.0, 1.0, 0.75]
        assert found["likelihood"].tolist() == [1.0, 1 / 3, 0.25]


def test_a_folder_of_subnetworks_counts_them(tmp_path):
    header = "regulator.values\ttarget.values\tmi.values\n"
    for number, lines in enumerate(["A\tx\t0.25\nA\ty\t0.5\n", "B\tx\t1.0\nA\tx\t0.75\n", "A\tx\t0.5\n"]):
        (tmp_path / f"subnet{number}.tsv").write_text(header + lines)
    (tmp_path / ".hidden.tsv").write_text("nothing")
    (tmp_path / "log").mkdir()
    found = ps.io.read_network(tmp_path)
    assert found.to_dict("list") == {
        "source": ["A", "A", "B"],
        "target": ["x", "y", "x"],
        "weight": [1.0] * 3,
        "likelihood": [0.5, 0.5, 1.0],
        "mi": [0.5, 0.5, 1.0],
        "support": [3, 1, 1],
    }
    (tmp_path / "subnet3.tsv").write_text(header + "A\tx\tmuch\n")
    with pytest.raises(ValueError, match=r"line 2 of .*subnet3.tsv has mi 'much'"):
        ps.io.read_network(tmp_path, format="aracne3")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.log", "anything", "has no tables"),
        ("net.tsv", FILES["aracne3"][0], "counts of subnetworks: it is a network"),
        ("net.csv", FILES["tidy"][0], "has no mi; a folder must hold subnetworks"),
        ("net.tsv", "\t" * 5000 + "\n", "net.tsv is empty"),
    ],
)
def test_folders_of_anything_else_are_refused(tmp_path, name, content, match):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=match):
        ps.io.read_network(tmp_path)


# ------------------------------------------------------------------------------------------------ round trips


@pytest.mark.parametrize("name", ["n.tsv", "n.csv", "n.txt", "n.tsv.gz", "n.parquet"])
@pytest.mark.parametrize(
    "network", [EDGES, GROUPED, EDGES[["source", "target", "weight"]]], ids=["one", "groups", "bare"]
)
def test_our_table_comes_back_to_the_bit(tmp_path, name, network):
    pd.testing.assert_frame_equal(back(network, tmp_path / name), network, check_exact=True)


def test_an_inferred_network_comes_back_and_gives_the_same_activities(tmp_path):
    adata = ps.datasets.pbmc68k()
    ps.tl.aracne(adata, ["SPI1", "JUNB", "IRF8"], n_subnetworks=1)
    network = ps.get.network(adata)
    ps.tl.viper(adata, network, min_targets=1)
    expected = adata.obsm["viper"].copy()
    for name in ("n.tsv", "n.parquet"):
        found = back(network, tmp_path / name)
        pd.testing.assert_frame_equal(found, network, check_exact=True)
        ps.tl.viper(adata, found, min_targets=1)
        pd.testing.assert_frame_equal(adata.obsm["viper"], expected, check_exact=True)


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("3col", ["likelihood", "mi"]),
        ("adj", ["likelihood", "mi"]),
        ("aracne-ap", ["likelihood", "mi"]),
        ("aracne3", ["weight", "likelihood", "mi", "scc", "support", "log_pvalue"]),
        ("pyviper", ["weight", "likelihood"]),
        ("grnboost2", ["likelihood"]),
    ],
)
@pytest.mark.parametrize("name", ["n.tsv", "n.csv.gz"])
def test_other_formats_keep_what_they_name(tmp_path, kind, kept, name):
    kept = ["source", "target", *kept]
    found = back(EDGES, tmp_path / name, format=kind)
    pd.testing.assert_frame_equal(found[kept], EDGES[kept], check_exact=True)
    if kind != "adj":
        pd.testing.assert_frame_equal(ps.io.read_network(tmp_path / name), found)


@settings(max_examples=25, deadline=None)
@given(
    edges=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5, unique=True),
    weights=st.lists(st.floats(-1, 1), min_size=5, max_size=5),
)
def test_any_names_and_weights_come_back(tmp_path_factory, edges, weights):
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    ends = {
        end: pd.Categorical(names) for end, names in zip(("source", "target"), zip(*edges, strict=True), strict=True)
    }
    network = pd.DataFrame({**ends, "weight": weights[: len(edges)]})
    found = back(network, path)
    assert found.astype(object).to_numpy().tolist() == network.astype(object).to_numpy().tolist()


def test_parquet_keeps_categories_without_edges_and_foreign_types(tmp_path):
    network = GROUPED.assign(note=["1", None, "x"], count=np.array([1, 2, 3], np.int8))
    network["group"] = network["group"].cat.add_categories("none")
    pd.testing.assert_frame_equal(back(network, tmp_path / "n.parquet"), network)


def test_the_same_network_gives_the_same_bytes(tmp_path):
    for name in ("a.tsv.gz", "b.tsv.gz"):
        ps.io.write_network(EDGES, tmp_path / name)
    assert (tmp_path / "a.tsv.gz").read_bytes() == (tmp_path / "b.tsv.gz").read_bytes()


def test_gene_sets_are_the_targets_of_regulators(tmp_path):
    for name in ("s.gmt", "s.gmt.gz"):
        ps.io.write_gmt(EDGES, tmp_path / name)
        found = ps.io.read_gmt(tmp_path / name)
        pd.testing.assert_frame_equal(found, EDGES[["source", "target"]].assign(weight=1.0))


# ------------------------------------------------------------------------------------------------ tables in memory


def test_tables_of_other_libraries_are_networks():
    dorothea = pd.DataFrame({"tf": ["A"], "confidence": ["C"], "target": ["x"], "mor": [-1]}, index=[7])
    found = ps.io.as_network(dorothea)
    assert found.columns.tolist() == ["source", "target", "weight", "confidence"]
    assert found.loc[0].tolist() == ["A", "x", -1.0, "C"]
    scenic = pd.DataFrame({"TF": ["A", "A"], "target": ["x", "y"], "importance": [2, 0], "regulation": [-1, 1]})
    found = ps.io.as_network(scenic)
    assert found["weight"].tolist() == [-1.0, 1.0]
    assert found["likelihood"].tolist() == [1.0, np.finfo(np.float64).tiny]


def test_likelihoods_are_shares_of_the_largest_of_each_group():
    frame = GROUPED.drop(columns=["likelihood", "weight"])
    found = ps.io.as_network(frame)
    assert found["likelihood"].tolist() == [1.0, 0.5, 1.0]
    assert found["weight"].tolist() == EDGES["scc"].tolist()
    assert found.columns.tolist()[:5] == ["group", "source", "target", "weight", "likelihood"]


def test_our_names_go_before_those_of_others():
    frame = pd.DataFrame({"source": ["A"], "TF": ["B"], "target": ["x"], "weight": [0.5], "mor": [1]})
    assert ps.io.as_network(frame).loc[0].tolist() == ["A", "x", 0.5, "B", 1]


def test_names_are_text_and_numbers_may_be():
    frame = pd.DataFrame(
        {"source": [1, 1], "target": [2, 10], "weight": ["0.1", "1e-1"], "mi": pd.array([1, 2], "Int64")}
    )
    found = ps.io.as_network(frame)
    assert found["target"].cat.categories.tolist() == ["10", "2"]
    assert found["weight"].tolist() == [0.1, 0.1]
    assert found["likelihood"].tolist() == [0.5, 1.0]


def test_the_table_is_left_as_it_is(tmp_path):
    frame = pd.DataFrame({"TF": ["A"], "target": ["x"], "pvalue": [0.5], "weight": [1]})
    before = states.state(frame)
    ps.io.as_network(frame)
    network = GROUPED.copy()
    network.attrs["mixture"] = {"mean": np.zeros(3)}
    of_network = states.state(network)
    ps.io.write_network(network, tmp_path / "n.parquet")
    assert states.state(frame) == before
    assert states.state(network) == of_network


def test_what_is_read_goes_into_viper_and_regulons(read):
    genes = viper_oracles.gene_names(60)
    adata = viper_oracles_adata(genes)
    lines = [f"{genes[r]}\t{g}\t{0.1 * (i + 1)}\n" for r in (0, 1) for i, g in enumerate(genes[8:40])]
    network = read("".join(lines))
    ps.tl.viper(adata, network, min_targets=5)
    assert adata.obsm["viper"].columns.tolist() == sorted(genes[:2])
    assert set(ps.pp.regulons(adata, network).columns) >= {"weight", "scc", "mi"}


def viper_oracles_adata(genes):
    import anndata as ad

    return ad.AnnData(viper_oracles.cells("log").astype(np.float32), var=pd.DataFrame(index=genes))


# ------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "net.txt is empty"),
        ("\n \n", "is empty"),
        ("source\ttarget\tweight\n", "has no edges, only the columns 'source', 'target', 'weight'"),
        ("hello world\n", "of no known format: its first line is 'hello world'. Give format, one of 'tidy', '3col'"),
        ("A\tx\t0.5\nA\ty\n", "line 2 of .*net.txt has 2 fields, not 3; every line is an edge"),
        ("A\tx\t0.5\nA\ty\t1\t2\n", "line 2 of .* has 4 fields, not 3"),
        ("A\tx\t0.5\n\nA\ty\nA\tz\t1\t2\n", "line 3 of .* has 2 fields"),
        ('A\tx\t0.5\n"A\ty\t0.1\nA"\tz\t1\n', "line 2 of .* has a line break within quotes"),
        ('A\tx\t0.5\nA\t"y\t1\n', "line 2 of .* cannot be told apart"),
        ("A\tx\t0.5\n\nA\ty\tmuch\n", "line 3 of .* has mi 'much'; it must be not below 0"),
        ("A\tx\t0.5\nA\ty\t1_0\n", "line 2 of .* has mi '1_0'"),
        ("A\tx\t0.5\nA\ty\tnan\n", "line 2 of .* has mi 'nan'"),
        ("A\tx\t0.5\nA\ty\t\n", "line 2 of .* has mi ''"),
        ("A\tx\t0.5\nA\ty\tinf\n", "line 2 of .* has mi inf"),
        ("A\tx\t0.5\nA\ty\t-1\n", "line 2 of .* has mi -1.0"),
        ("\t\t\n \nA\tx\t0.5\n \n\t\t\n", "line 5 of .* has no source"),
        ("\t\n \nsource\ttarget\nA\tx\n\t\n", "line 5 of .* has no source"),
        ("source,target\n \t\nA,x\n,\n", "line 4 of .* has no source"),
        ("A\tx\t0\nA\ty\t0\n", "all mi of .* are 0; drop these edges"),
        ("A\tx\t0.5\nA\t\t0.5\n", "line 2 of .* has no target; name it or drop the edge"),
        ("A\tx\t1\nB\tx\t1\nA\tx\t2\n", r"line 3 of .* holds the edge \['A', 'x'\] of line 1 again"),
        ("source,target,weight\nA,x,1\nA,y,1.5\n", r"line 3 of .* has weight 1.5; it must be in \[-1, 1\]"),
        ("source,target,weight\nA,x,True\n", "line 2 of .* has weight True"),
        ("source,target,likelihood\nA,x,1\nA,y,0\n", r"line 3 of .* has likelihood 0; it must be in \(0, 1\]"),
        ("source,target,support\nA,x,1.5\n", "line 2 of .* has support 1.5; it must be a whole number"),
        ("source,target,log_pvalue\nA,x,0.1\n", "line 2 of .* has log_pvalue 0.1; it must be at most 0"),
        ("source,target,pvalue\nA,x,1.1\n", "line 2 of .* has pvalue 1.1"),
        ("source,target,source\nA,x,1\n", "line 1 of .* names two columns 'source'; rename one"),
        ("tf,target,regulator\nA,x,1\n", "has the columns 'tf', 'regulator', and each could be 'source'"),
        ("source,target\n1,A,x\n2,A,y\n", r"line 2 of .* has 3 fields, not 2.*row.names=FALSE"),
        (b"A\tx\t0.5\nA\t\xff\t1\n", r"is not UTF-8 text \(line 2\)"),
        (b"A\tx\t0.5\nA\t\0\t1\n", "holds a NUL byte in line 2"),
        ("> only comments\n", "has no edges"),
        (">\nA\tx\t0.5\ty\n", "line 2 of .* has 3 fields after the regulator; it needs pairs"),
        (">\nA\tx\t0.5\nB\tx\t0.5\ty\tmuch\n", "line 3 of .* has mi 'much'"),
        (">\nA\tx\t0.5\nB\tx\t0.5\nA\ty\t1\tx\t1\n", r"line 4 of .* holds the edge \['A', 'x'\] of line 2 again"),
        (SCENIC + "A,m,0,c,\"[('x', 1), __import__('os')]\",7\n", 'line 7 of .* has the target genes " __import'),
        (SCENIC + "A,m,0,c,\"[('x', -1)]\",7\n", r"line 7 of .* has the target genes"),
        (SCENIC + 'A,m,0,c,"' + "[" * 10**5 + '",7\n', r"line 7 of .* has the target genes"),
        (SCENIC + "A,m,0,c\n", r"line 7 of .* has the target genes ''"),
        (SCENIC + ",m,0,c,\"[('x', 1)]\",7\n", "line 7 of .* has no source"),
        (SCENIC[: SCENIC.index("SPI1")], "has no edges"),
    ],
)
def test_errors_name_the_line(read, content, match):
    with pytest.raises(ValueError, match=match):
        read(content)
    if isinstance(content, str):
        with pytest.raises(ValueError, match=match.replace("net.txt", "net.txt.gz")):
            read(gzip.compress(content.encode()), "net.txt.gz")


@pytest.mark.parametrize(
    "content", [gzip.compress(TEXT.encode(), mtime=0)[:-9], b"\x1f\x8b damaged", TEXT.encode(), b""]
)
def test_damaged_gzip_is_named(read, content):
    with pytest.raises(ValueError, match=r"net.txt.gz is damaged or incomplete|net.txt.gz is empty"):
        read(content, "net.txt.gz")


def test_text_that_grows_as_no_network_does_is_refused(read):
    with pytest.raises(ValueError, match=r"net.txt.gz grows more than 200 times"):
        read(gzip.compress(b"A\tx\t0.5\n" * 400_000), "net.txt.gz")


def test_damaged_parquet_is_named(read, tmp_path):
    ps.io.write_network(EDGES, tmp_path / "n.parquet")
    content = (tmp_path / "n.parquet").read_bytes()
    for damaged in (b"", content[:-20], TEXT.encode()):
        with pytest.raises(ValueError, match=r"net.parquet is no whole .parquet file"):
            read(damaged, "net.parquet")


@pytest.mark.parametrize("name", ["n.tsv", "n.parquet", "n.adj"])
def test_missing_files_and_folders_are_told(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        ps.io.read_network(tmp_path / name)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        ps.io.read_network(tmp_path, format="adj")


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        ("pyviper", "not of format 'pyviper': it lacks the columns 'regulator', 'mor', 'likelihood'; it has: 'source'"),
        ("scenic", "has no header with the columns TF, Context, TargetGenes"),
        ("3col", "line 2 of .* has 4 fields, not 3|line 1 of .* has 4 fields, not 3"),
        ("edges", "format is 'edges'; choose one of 'tidy'"),
    ],
)
def test_a_file_of_another_format_is_told(read, kind, match):
    with pytest.raises(ValueError, match=match):
        read(FILES["tidy"][0], format=kind)


@pytest.mark.parametrize(
    ("frame", "error", "match"),
    [
        ("text", TypeError, "frame is str; give a DataFrame"),
        (EDGES.iloc[:0], ValueError, "frame has no edges"),
        (EDGES.drop(columns="source"), ValueError, "frame lacks the columns 'source'; it has: 'target'"),
        (EDGES.assign(weight=[1, None, 2]), ValueError, "row 1 of frame has weight nan"),
        (EDGES.assign(target=["x", None, "x"]), ValueError, "row 1 of frame has no target"),
        (EDGES.assign(target="x"), ValueError, r"row 1 of frame holds the edge \['B', 'x'\] of row 0 again"),
        (EDGES.assign(mi=[0, 0, 0]).drop(columns="likelihood"), ValueError, "all mi of frame are 0"),
        (pd.concat([EDGES, EDGES], axis="columns"), ValueError, "frame has columns of the same name"),
    ],
)
def test_tables_that_are_no_networks_are_refused(frame, error, match):
    with pytest.raises(error, match=match):
        ps.io.as_network(frame)


@pytest.mark.parametrize(
    ("network", "options", "error", "match"),
    [
        ("text", {}, TypeError, "give a DataFrame"),
        (EDGES.assign(weight=2.0), {}, ValueError, r"must lie in \[-1, 1\]"),
        (EDGES.assign(mi=-1.0), {}, ValueError, "row 0 of network has mi -1.0"),
        (EDGES.drop(columns="mi"), {"format": "adj"}, ValueError, "network lacks the columns 'mi' that .* needs"),
        (GROUPED, {"format": "pyviper"}, ValueError, "one part per group, which format='pyviper' cannot hold"),
        (
            EDGES.assign(target=["a\nb", "c", "d"]),
            {},
            ValueError,
            r"network\['target'\] holds 'a\\nb'; text files take",
        ),
        (EDGES.assign(target=["a ", "c", "d"]), {}, ValueError, "spaces around names. Rename them"),
        (EDGES.assign(source=["a\tb", "c", "d"]), {"format": "adj"}, ValueError, "this format no tabs"),
        (EDGES.assign(source=["a\tb", "c", "d"]), {"format": "3col"}, ValueError, "this format no tabs"),
        (EDGES.assign(source=[">a", "c", "d"]), {"format": "adj"}, ValueError, "no > in front"),
        (EDGES.rename(columns={"scc": "a\nb"}), {}, ValueError, r"columns named 'a\\nb'"),
        (EDGES, {"format": "scenic"}, ValueError, "format is 'scenic'; choose one of 'tidy'"),
    ],
)
def test_bad_networks_do_not_touch_the_file(tmp_path, network, options, error, match):
    path = tmp_path / "n.tsv"
    path.write_text("before")
    with pytest.raises(error, match=match):
        ps.io.write_network(network, path, **options)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["n.xlsx", "n", "n.parquet.gz"])
def test_unknown_suffixes_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"give format, or one of '\.tsv'"):
        ps.io.write_network(EDGES, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["n.tsv", "n.parquet", "n.gmt"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, name, monkeypatch):
    write = ps.io.write_gmt if name == "n.gmt" else ps.io.write_network
    path = tmp_path / name
    write(EDGES, path)
    before = path.read_bytes()

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(EDGES.iloc[:1], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_there_must_be_a_folder_to_write_into(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere.*make it first"):
        ps.io.write_network(EDGES, tmp_path / "nowhere" / "n.tsv")
    (tmp_path / "n.tsv").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file"):
        ps.io.write_network(EDGES, tmp_path / "n.tsv")


@pytest.mark.parametrize(
    ("network", "match"),
    [
        (GROUPED, "one part per group; choose one"),
        (EDGES.assign(target=["a\tb", "c", "d"]), r"holds the names 'a\\tb'; GMT files take no tabs"),
        (EDGES.assign(weight=2.0), "must lie in"),
    ],
)
def test_networks_that_are_no_gene_sets_are_refused(tmp_path, network, match):
    with pytest.raises(ValueError, match=match):
        ps.io.write_gmt(network, tmp_path / "s.gmt")
    assert not list(tmp_path.iterdir())


def test_without_pyarrow_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for call in (
        lambda: ps.io.read_network(tmp_path / "n.parquet"),
        lambda: ps.io.write_network(EDGES, tmp_path / "n.parquet"),
    ):
        with pytest.raises(ImportError, match=r"pip install pyarrow"):
            call()


# ------------------------------------------------------------------------------------------------ damage


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from([*FILES, "scenic"]),
    at=st.floats(0, 1),
    length=st.integers(0, 5),
    instead=st.sampled_from(
        [b"", b"\t", b"\n", b'"', b",", b"\0", b"\xff", b"[" * 99, b"1e999", b"-", b"(", b">", b"'"]
    ),
    gz=st.booleans(),
)
def test_damaged_files_are_read_or_refused_by_name(tmp_path_factory, kind, at, length, instead, gz):
    content, suffix = FILES.get(kind, (SCENIC, ".csv"))
    content = content.encode()
    content = gzip.compress(content, mtime=0) if gz else content
    start = int(at * len(content))
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}{'.gz' if gz else ''}"
    path.write_bytes(content[:start] + instead + content[start + length :])
    try:
        network = ps.io.read_network(path)
    except ValueError as error:
        message = str(error)
    else:
        message = path.name
        ps.io.write_network(network, path.with_suffix(".parquet"))
    assert path.name in message
