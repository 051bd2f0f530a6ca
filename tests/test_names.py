"""Names of genes: as text, and what is said where two lists do not match."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import pysces as ps
from pysces._names import as_text, differences, question, too_few
from pysces._network import check_network

pytestmark = pytest.mark.filterwarnings("ignore:X holds counts")

HUMAN, MOUSE = ps.datasets.regulators("human"), ps.datasets.regulators("mouse")
ENSEMBL = [f"ENSG{i:011d}" for i in range(60)]
VERSIONED = [f"{name}.{i % 20}" for i, name in enumerate(ENSEMBL)]
QUICK = {"n_subnetworks": 0, "correction": None, "dpi": None, "depth": None}


def cells(genes):
    X = np.random.default_rng(0).poisson(2.0, (40, len(genes))).astype(np.float32)
    obs = pd.DataFrame({"type": pd.Categorical(["a", "b"] * 20)}, index=[f"c{i}" for i in range(40)])
    return ad.AnnData(X, obs=obs, var=pd.DataFrame(index=list(genes)))


# --- numbers as names -------------------------------------------------------------------------------------------------

ENTREZ = [str(i) for i in np.random.default_rng(1).permutation(400)]
KINDS = {
    "list": list,
    "array": np.array,
    "small": lambda numbers: np.array(numbers, np.int16),
    "Series": pd.Series,
    "Index": pd.Index,
    "Categorical": pd.Categorical,
    "nullable": lambda numbers: pd.Series(numbers, dtype="Int64"),
    "text": lambda numbers: np.array(numbers).astype(str),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_numbers_are_matched_as_the_names_they_are_and_never_as_positions(kind):
    adata = cells(ENTREZ)
    ps.pp.regulators(adata, kind([7, 3, 40]))
    assert set(adata.var_names[adata.var["regulator"]]) == {"3", "7", "40"}
    ps.tl.aracne(adata, kind([7, 3]), targets=kind([40, 50]), **QUICK)
    network = ps.get.network(adata)
    assert (set(network["source"]), set(network["target"])) == ({"3", "7"}, {"40", "50"})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_networks_of_numbers_score_as_those_of_text(kind):
    targets = list(range(5, 40))
    sources = list(range(7, 15)) * 35
    targets = np.repeat(targets, 8).tolist()
    numbers = pd.DataFrame({"source": kind(sources), "target": kind(targets), "weight": 1.0})
    text = pd.DataFrame({"source": list(map(str, sources)), "target": list(map(str, targets)), "weight": 1.0})
    adata = cells(ENTREZ)
    for name, network in (("numbers", numbers), ("text", text)):
        ps.tl.viper(adata, network, key_added=name)
        ps.tl.msviper(adata, "type", "a", network=network, n_permutations=0, key_added=f"ms{name}")
    pd.testing.assert_frame_equal(adata.obsm["numbers"], adata.obsm["text"])
    pd.testing.assert_frame_equal(ps.get.msviper(adata, key="msnumbers"), ps.get.msviper(adata, key="mstext"))
    edges = pd.DataFrame({"source": kind(sources), "target": kind(targets), "mi": 0.1})
    assert len(ps.pp.regulons(adata, edges)) == 280
    ps.tl.pathways(adata, {"set": [7]}, key="numbers", min_targets=1)
    assert list(adata.obsm["pathways"]) == ["set"]


def test_numbers_that_are_no_names_are_refused_with_what_to_give():
    with pytest.raises(ValueError, match=r"none of the 3 regulators .*adata.var_names\[positions\] or a boolean mask"):
        ps.tl.aracne(cells(["A", "B", *ENTREZ[10:]]), np.array([1000, 1001, 1002]), **QUICK)


def test_missing_names_are_counted():
    with pytest.raises(TypeError, match=r"regulators must be names of genes, but 1 of 6 is missing \(NaN\)"):
        ps.tl.aracne(cells(ENTREZ), [*ENTREZ[:5], np.nan], **QUICK)
    with pytest.raises(TypeError, match=r"targets must be names of genes, but 2 of 3 are missing \(NaN\)"):
        ps.tl.aracne(cells(ENTREZ), ENTREZ[:1], targets=pd.Series([None, pd.NA, "7"]), **QUICK)
    with pytest.raises(TypeError, match=r"gene_names must be names of genes, but 1 of 4 is missing"):
        ps.ARACNe().fit(np.ones((20, 4)), [0], ["a", None, "b", "c"])


def test_numbers_with_a_fraction_are_no_names():
    with pytest.raises(TypeError, match=r"network\['target'\] must be names of genes; found float"):
        check_network(pd.DataFrame({"source": "A", "target": [7157.0, 672.0], "weight": 1.0}))
    with pytest.raises(TypeError, match=r"x must be names of genes; found bool"):
        as_text([True, "A"], "x")


def test_two_categories_of_one_name_are_one_gene():
    network = pd.DataFrame(
        {"source": "A", "target": pd.Categorical(["7", 8, 7], categories=["7", 8, 7]), "weight": 1.0}
    )
    with pytest.raises(ValueError, match="edges twice"):
        check_network(network)


# --- the alphabet -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "genes", "seen"),
    [
        (HUMAN, [*MOUSE, "SPI1"], "look like symbols of human genes .*, the genes like symbols of mouse genes"),
        (MOUSE, HUMAN, "look like symbols of mouse genes .*, the genes like symbols of human genes"),
        (HUMAN, ENSEMBL, "look like symbols of human genes .*, the genes like Ensembl identifiers of human genes"),
        (ENSEMBL, HUMAN, "look like Ensembl identifiers of human genes"),
        ([n.replace("ENSG", "ENSMUSG") for n in ENSEMBL], ENSEMBL, "identifiers of mouse genes .* of human genes"),
        (ENSEMBL, VERSIONED, "'ENSG00000000000' and 'ENSG00000000000.0' are the same but for the version of Ensembl"),
        (VERSIONED, ENSEMBL, "are the same but for the version of Ensembl"),
        (["672", "7157"], HUMAN, "look like numbers, such as those of Entrez"),
        (
            [f"g{i}" for i in range(9)],
            [f"G{i}" for i in range(9)],
            "'g0' and 'G0' are the same but for upper and lower",
        ),
    ],
)
def test_what_tells_two_lists_apart_is_seen(wanted, genes, seen):
    import re

    assert re.search(seen, differences(wanted, genes, "targets"))
    assert "same alphabet" in question(wanted, genes, "targets")


@pytest.mark.parametrize(
    "genes", [ps.datasets.pbmc68k().var_names, HUMAN[:50], [f"a{i}" for i in range(50)]], ids=["pbmc", "some", "others"]
)
def test_nothing_is_seen_where_nothing_is(genes):
    assert differences(HUMAN, genes, "targets") is None


def test_lists_of_an_organism_are_not_doubted_for_few_genes():
    genes = ps.datasets.pbmc68k().var_names
    assert not too_few(len({*HUMAN} & {*genes}), len(HUMAN), len(genes))
    ps.pp.regulators(cells(genes))  # any warning is an error here


def test_a_list_of_which_next_to_none_are_found_is_warned_of():
    adata = cells([*MOUSE[:200], "SPI1"])
    with pytest.warns(UserWarning, match="1 of the 1392 human_tfs is among the 201 genes.*symbols of mouse genes"):
        ps.pp.regulators(adata)
    with pytest.warns(UserWarning, match="1391 of 1392 regulators are not among the 201 genes.*same alphabet"):
        ps.pp.regulators(adata, HUMAN)


def test_a_file_of_other_case_is_warned_of(tmp_path):
    (tmp_path / "tfs.txt").write_text("\n".join([*(f"G{i}" for i in range(3)), *(f"g{i}" for i in range(3, 500))]))
    adata = cells([f"G{i}" for i in range(500)])
    with pytest.warns(UserWarning, match="3 of the 500 names in .* are among the 500 genes.*upper and lower case"):
        ps.tl.aracne(adata, tmp_path / "tfs.txt", **QUICK)
