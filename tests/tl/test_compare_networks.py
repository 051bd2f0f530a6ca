"""Shared and private edges of two groups, and rewired regulators: against definitions, simulations, any storage."""

from __future__ import annotations

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import rewiring_oracles as oracle
import scipy.sparse as sp
from sklearn.metrics import roc_auc_score
from states import state

import pysces as ps
from pysces import _slots

N_REGULATORS, N_TARGETS = 10, 12
N_GENES = N_REGULATORS * (1 + N_TARGETS)
GENES = [f"R{i}" for i in range(N_REGULATORS)] + [f"G{i}" for i in range(N_REGULATORS * N_TARGETS)]


def counts(n: int, sign: np.ndarray, level: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts of cells of varying depth; each regulator drives its targets with a sign of its own."""
    active = rng.normal(size=(n, N_REGULATORS))
    driven = np.repeat(active * sign, N_TARGETS, axis=1)
    log_rate = np.hstack([active, np.sqrt(0.6) * driven + np.sqrt(0.4) * rng.normal(size=driven.shape)])
    depth = np.exp(rng.normal(0, 0.5, (n, 1)))
    return rng.poisson(depth * np.exp(log_rate + level))


def simulated(n: int, rewired: int, *, lift: float = 0.0) -> ad.AnnData:
    """Two types of cells, of other levels of expression; the first regulators flip their sign in the second."""
    rng = np.random.default_rng(0)
    level = np.r_[rng.normal(-0.3, 0.3, N_REGULATORS), rng.normal(-2.2, 0.8, N_GENES - N_REGULATORS)]
    sign = np.where(np.arange(N_REGULATORS) < rewired, -1, 1)
    level += lift
    other = level + rng.normal(0, 0.5, N_GENES)
    X = np.vstack([counts(n, np.ones_like(sign), level, rng), counts(n, sign, other, rng)])
    order = rng.permutation(2 * n)
    kind = pd.Categorical(np.repeat(["x/1", "y 2"], n)[order], categories=["y 2", "x/1", "none"])
    obs = pd.DataFrame({"kind": kind, "batch": "b"}, index=[f"cell{i}" for i in range(2 * n)])
    return ad.AnnData(sp.csr_matrix(X[order].astype(np.float32)), obs=obs, var=pd.DataFrame(index=GENES))


NETWORK = [
    # group, regulator, target, weight
    ("x/1", "R0", "G0", 0.5),
    ("x/1", "R0", "G1", 0.4),
    ("x/1", "R0", "G2", 0.3),
    ("x/1", "R1", "G12", -0.3),
    ("x/1", "R1", "G13", 0.2),
    ("y 2", "R0", "G1", -0.4),
    ("y 2", "R0", "G3", 0.2),
    ("y 2", "R1", "G12", -0.2),
    ("y 2", "R1", "G13", 0.3),
    ("y 2", "R2", "G24", 0.6),
]


def with_network(adata: ad.AnnData, edges=NETWORK, **parameters) -> ad.AnnData:
    table = pd.DataFrame(edges, columns=["group", "source", "target", "weight"])
    table = table.assign(likelihood=1.0, mi=0.1)
    table["group"] = pd.Categorical(table["group"], categories=["x/1", "y 2", "all cells"])
    table = table.astype({"source": "category", "target": "category"})
    _slots.write_tables(
        adata, "aracne", {"network": table}, _slots.params(**{"groupby": "kind", "depth": "auto", **parameters})
    )
    return adata


@pytest.fixture(scope="module")
def made():
    return with_network(simulated(60, 3, lift=1.5))


@pytest.fixture
def adata(made):
    return made.copy()


def with_defaults(settings):
    """Few targets and permutations; without permutations, the number of targets has no meaning."""
    few = {"min_targets": 2} if settings.get("n_permutations") != 0 else {}
    return {"n_permutations": 10, **few, **settings}


def compare(adata, a="x/1", b="y 2", **settings):
    """Tables of a comparison, leaving adata alone."""
    return ps.tl.compare_networks(adata, a, b, copy=True, **with_defaults(settings)).uns["compare_networks"]


# --- edges ------------------------------------------------------------------------------------------------------------


def test_edges_of_either_network_are_listed_once(adata):
    edges = compare(adata, n_permutations=0)["edges"]
    nan = np.nan
    expected = pd.DataFrame(
        [
            ("R0", "G0", True, False, 0.5, nan),
            ("R0", "G1", True, True, 0.4, -0.4),
            ("R0", "G2", True, False, 0.3, nan),
            ("R0", "G3", False, True, nan, 0.2),
            ("R1", "G12", True, True, -0.3, -0.2),
            ("R1", "G13", True, True, 0.2, 0.3),
            ("R2", "G24", False, True, nan, 0.6),
        ],
        columns=["source", "target", "in_a", "in_b", "weight_a", "weight_b"],
    ).astype({"source": "category", "target": "category"})
    pd.testing.assert_frame_equal(edges, expected)


def test_regulators_have_numbers_of_edges_and_the_share_of_those_in_both(adata):
    found = compare(adata, n_permutations=0)
    expected = pd.DataFrame(
        [("R2", 0, 1, 0, 0.0), ("R0", 3, 2, 1, 0.25), ("R1", 2, 2, 2, 1.0)],
        columns=["source", "n_a", "n_b", "n_shared", "jaccard"],
    ).astype({"source": "category"})
    pd.testing.assert_frame_equal(found["regulators"], expected)
    params = found["params"]
    assert [params[name] for name in ("n_a", "n_b", "n_shared")] == [5, 5, 3]
    assert params["jaccard"] == pytest.approx(3 / 7)
    assert (params["a"], params["b"], params["key"]) == ("x/1", "y 2", "aracne")


def test_edges_alone_need_no_expression(adata):
    adata.X = None
    del adata.obs["kind"]
    assert len(compare(adata, n_permutations=0)["edges"]) == 7


def test_a_group_without_edges_has_none_to_share(adata):
    with_network(adata, [edge for edge in NETWORK if edge[0] == "x/1"])
    found = compare(adata, n_permutations=0)
    assert found["regulators"]["n_b"].tolist() == [0, 0]
    assert found["params"]["jaccard"] == 0


# --- rewiring ---------------------------------------------------------------------------------------------------------


def test_rewired_regulators_are_found():
    adata = simulated(500, 3)
    zeros = 1 - adata.X.nnz / np.prod(adata.shape)
    assert 0.75 < zeros < 0.9
    edges = [
        (group, f"R{r}", f"G{r * N_TARGETS + i}", 0.1)
        for r in range(N_REGULATORS) for i in range(5) for group in ("x/1", "y 2")
    ]  # fmt: skip
    found = compare(with_network(adata, edges), n_permutations=30)["regulators"].sort_values("source")
    rewired = found["source"].isin(["R0", "R1", "R2"])
    assert roc_auc_score(rewired, -found["log_pvalue"]) >= 0.9
    assert roc_auc_score(rewired, found["rewiring"]) >= 0.9
    assert (found["jaccard"] == 1).all()  # the edges do not tell


def test_statistics_are_those_of_their_definition():
    adata = with_network(simulated(60, 3, lift=1.5), depth=None)
    adata.X = sp.csr_matrix(adata.X.toarray() + 0.5)  # no counts, so nothing is thinned
    found = compare(adata, n_permutations=12)
    assert found["params"]["thinned"] is False
    one = np.zeros(60, int)
    groups = [adata.X.toarray()[adata.obs["kind"] == label] for label in ("y 2", "x/1")]
    e = oracle.both(*(oracle.residuals(x, one) for x in groups))
    in_x = np.arange(120) >= 60
    for _, edge in found["edges"].iterrows():
        source, target = GENES.index(edge["source"]), GENES.index(edge["target"])
        t = oracle.t(e, in_x, source, target) if e[:, target].any() else np.nan
        assert edge["difference"] == pytest.approx(t, rel=1e-4, abs=1e-4, nan_ok=True)
    tested = found["regulators"].dropna()
    order = np.lexsort([tested["source"], tested["log_pvalue"]])
    assert order.tolist() == list(range(len(tested)))
    for _, regulator in tested.iterrows():
        expected = oracle.statistic(e, in_x, GENES.index(regulator["source"]))
        assert regulator["rewiring"] == pytest.approx(expected, rel=1e-3)
    q = oracle.benjamini_hochberg(np.exp(tested["log_pvalue"].to_numpy()))
    np.testing.assert_allclose(np.exp(tested["log_qvalue"]), q)


def test_regulators_with_few_edges_are_not_tested(adata):
    found = compare(adata)["regulators"].set_index("source")
    assert found.loc["R2", ["rewiring", "log_pvalue", "log_qvalue"]].isna().all()
    assert found.loc[["R0", "R1"], ["rewiring", "log_pvalue", "log_qvalue"]].notna().all(axis=None)
    assert compare(adata, min_targets=1)["regulators"]["log_pvalue"].notna().all()


def test_genes_that_are_not_detected_in_a_group_are_not_compared(adata):
    X = adata.X.toarray()
    rows = np.flatnonzero(adata.obs["kind"] == "y 2")
    X[rows[19:], GENES.index("R1")] = 0
    X[rows[19:], GENES.index("G1")] = 0
    adata.X = sp.csr_matrix(X)
    found = compare(adata)
    missing = found["edges"].query("source == 'R1' or target == 'G1'")
    assert missing["difference"].isna().all()
    assert found["regulators"].set_index("source").loc["R1", ["rewiring", "log_pvalue"]].isna().all()


def test_exchanging_the_groups_changes_signs_only(adata):
    one, other = compare(adata), compare(adata, "y 2", "x/1")
    swapped = {"n_a": "n_b", "n_b": "n_a"}
    pd.testing.assert_frame_equal(
        other["regulators"], one["regulators"].rename(columns=swapped)[[*other["regulators"]]]
    )
    np.testing.assert_array_equal(other["edges"]["difference"], -one["edges"]["difference"])


def test_log_normalised_counts_are_compared_as_counts(adata):
    expected = compare(adata)
    assert expected["params"]["thinned"] is True
    X = adata.X.toarray()
    adata.X = sp.csr_matrix(np.log1p(X / np.maximum(X.sum(axis=1, keepdims=True), 1) * 1e4))
    assert state(compare(adata)) == state(expected)


def test_groups_may_be_combinations_of_columns(adata):
    expected = compare(adata)
    renamed = [(f"{group} | b", *edge) for group, *edge in NETWORK]
    table = pd.DataFrame(renamed, columns=["group", "source", "target", "weight"]).astype({"group": "category"})
    _slots.write_tables(adata, "aracne", {"network": table}, _slots.params(groupby=["kind", "batch"], depth="auto"))
    found = compare(adata, "x/1 | b", "y 2 | b")
    assert state(found["regulators"]) == state(expected["regulators"])


def test_the_matrix_and_depth_of_the_network_are_read(adata):
    adata.obs["deep"] = np.asarray(adata.X.sum(axis=1)).ravel()
    with_network(adata, layer="counts", depth="deep")
    adata.layers["counts"] = adata.X
    expected = compare(adata)
    adata.X = None
    assert state(compare(adata)) == state(expected)
    del adata.obs["deep"]
    with pytest.raises(KeyError, match=r"made with depth='deep', which is no column of adata\.obs any more"):
        compare(adata)


# --- what is written --------------------------------------------------------------------------------------------------


def test_only_the_results_are_new(adata):
    before = state(adata)
    assert ps.tl.compare_networks(adata, "x/1", "y 2", min_targets=2, n_permutations=10, key_added="differ") is None
    pd.testing.assert_frame_equal(ps.get.comparison(adata, key="differ"), adata.uns["differ"]["regulators"])
    assert ps.get.comparison(adata, key="differ") is not adata.uns["differ"]["regulators"]
    del adata.uns["differ"]
    assert state(adata) == before


def test_copy_leaves_adata_alone(adata):
    before = state(adata)
    compare(adata)
    assert state(adata) == before


def test_the_seed_and_nothing_else_makes_the_result(adata):
    one = compare(adata, n_threads=1)
    assert state(compare(adata, n_threads=2)) == state(one)
    assert one["regulators"]["rewiring"].max() > 1
    other = compare(adata, rng=1)
    assert not np.array_equal(other["regulators"]["rewiring"], one["regulators"]["rewiring"], equal_nan=True)


def dense(x):
    return x.toarray()


def dask_blocks(x):
    return da.from_array(x.toarray(), chunks=(50, -1)).map_blocks(sp.csr_matrix)


@pytest.mark.parametrize("layout", [dense, sp.csc_matrix, sp.csr_array, dask_blocks], ids=lambda f: f.__name__)
def test_storage_changes_no_byte(adata, layout):
    expected = state(compare(adata))
    adata.X = layout(adata.X)
    assert state(compare(adata)) == expected


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_results_survive_a_file(adata, tmp_path, suffix):
    ps.tl.compare_networks(adata, "x/1", "y 2", min_targets=2, n_permutations=10)
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}")
    for name in ("edges", "regulators"):
        found, expected = (of.uns["compare_networks"][name] for of in (read, adata))
        pd.testing.assert_frame_equal(found, expected, check_categorical=False, check_index_type=False)
    assert state(read.uns["compare_networks"]["params"]) == state(adata.uns["compare_networks"]["params"])
    assert state(compare(read)["params"]) == state(compare(adata)["params"])


def test_backed_data_are_compared_as_in_memory(adata, tmp_path):
    expected = compare(adata)["regulators"]
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    ps.tl.compare_networks(backed, "x/1", "y 2", min_targets=2, n_permutations=10)
    pd.testing.assert_frame_equal(ps.get.comparison(backed), expected, check_categorical=False)


def test_networks_of_aracne_are_compared():
    adata = simulated(150, 1)
    ps.tl.aracne(adata, GENES[:N_REGULATORS], groupby="kind", n_subnetworks=1, all_cells=True)
    ps.tl.compare_networks(adata, "x/1", "y 2", min_targets=1, n_permutations=10)
    found = adata.uns["compare_networks"]
    for group, column in (("x/1", "in_a"), ("y 2", "in_b")):
        network = ps.get.network(adata, group)
        edges = found["edges"][found["edges"][column]]
        assert {*zip(edges["source"], edges["target"], strict=True)} == {
            *zip(network["source"], network["target"], strict=True)
        }


# --- errors -----------------------------------------------------------------------------------------------------------


def no_group(adata):
    del adata.uns["aracne"]["network"]["group"]


def no_network(adata):
    del adata.uns["aracne"]


def no_groupby(adata):
    del adata.uns["aracne"]["params"]["groupby"]


def no_edges(adata):
    adata.uns["aracne"]["network"] = adata.uns["aracne"]["network"].iloc[:0]


def few_cells(adata):
    adata.obs.loc[adata.obs_names[adata.obs["kind"] == "y 2"][19:], "kind"] = "none"


def other_genes(adata):
    adata.var_names = [name.replace("G12", "other") for name in adata.var_names]


def negative(adata):
    adata.X.data[0] = -1


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("spoil", "options", "error", "match"),
    [
        (no_network, {}, KeyError, r"adata.uns\['aracne'\] holds no network"),
        (no_group, {}, KeyError, r"is one network of all cells; run pysces.tl.aracne\(adata, ..., groupby=...\)"),
        (nothing, {"a": "z"}, KeyError, "a is 'z', which has no network .*these have: 'x/1', 'y 2'"),
        (nothing, {"b": "z"}, KeyError, "b is 'z', which has no network"),
        (nothing, {"b": "x/1"}, ValueError, "a and b are both 'x/1'; name two groups"),
        (nothing, {"b": "all cells"}, ValueError, "b is 'all cells': cells of both groups cannot be shuffled"),
        (nothing, {"min_targets": 0}, ValueError, "min_targets is 0; give a whole number, at least 1"),
        (nothing, {"min_targets": 6}, ValueError, "no regulator has min_targets=6 edges .*the largest of 3 has 4"),
        (nothing, {"n_permutations": 9}, ValueError, "n_permutations is 9, too few; give at least 10, or 0"),
        (nothing, {"n_permutations": -1}, ValueError, "n_permutations is -1"),
        (nothing, {"n_threads": -1}, ValueError, "n_threads is -1"),
        (nothing, {"rng": -1}, ValueError, "rng is -1"),
        (nothing, {"key_added": "aracne"}, ValueError, "key_added is 'aracne', where the network is"),
        (no_groupby, {}, ValueError, "name no groupby, so its cells are not known; use n_permutations=0"),
        (no_edges, {}, ValueError, "neither 'x/1' nor 'y 2' has an edge"),
        (few_cells, {}, ValueError, r"b='y 2' has 19 cells in adata.obs\['kind'\]; at least 20 are needed"),
        (other_genes, {}, ValueError, "1 genes of the networks are not in adata any more, such as 'G12'"),
        (negative, {}, ValueError, "X holds negative values"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, spoil, options, error, match):
    spoil(adata)
    adata.uns["compare_networks"] = {"params": {"a": "before"}}
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.tl.compare_networks(adata, **{"a": "x/1", "b": "y 2", **with_defaults(options)})
    assert state(adata) == before


def test_results_that_are_not_there_are_asked_for(adata):
    with pytest.raises(KeyError, match=r"adata.uns\['compare_networks'\] holds no comparison; run pysces.tl.compare"):
        ps.get.comparison(adata)
