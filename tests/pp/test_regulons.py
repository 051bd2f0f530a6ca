"""Regulons from networks and their care: against definitions, whatever the storage, with nothing given changed."""

from __future__ import annotations

from functools import partial

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import regulon_oracles as oracle
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from states import state

import pysces as ps
from pysces._network import check_network

regulons = partial(ps.pp.regulons, depth=None)  # genes are fewer than tell a depth
TREG = "CD4+/CD25 T Reg"
GENES = [f"g{i}" for i in range(30)]
N_CELLS = 80


def expression(kind: str = "log") -> np.ndarray:
    """Cells x genes that are correlated both ways; g28 is constant, g29 is zero."""
    rng = np.random.default_rng(0)
    state = rng.normal(size=(N_CELLS, 3))
    rate = np.exp(state @ rng.normal(0, 0.7, (3, 30)))
    rate[:, 28:] = 0
    counts = rng.poisson(rate).astype(float)
    counts[:, 28] = 2
    match kind:
        case "log":
            return np.log1p(counts)
        case "counts":
            return counts
        case "scaled":
            return np.log1p(rate) - np.log1p(rate).mean(axis=0)
    raise ValueError(kind)


def cells(x: object) -> ad.AnnData:
    return ad.AnnData(x, var=pd.DataFrame(index=GENES))


def edges(genes=GENES[:28], seed=0) -> pd.DataFrame:
    """Three columns, as other programs write them: four regulators with most genes, in random order."""
    rng = np.random.default_rng(seed)
    pairs = [(a, b) for a in genes[:4] for b in genes if a != b and rng.random() < 0.8]
    table = pd.DataFrame(pairs, columns=["source", "target"]).assign(mi=rng.gamma(2, 0.1, len(pairs)))
    return table.sample(frac=1, random_state=seed).set_index(rng.integers(0, 9, len(pairs)))


def network(seed=0) -> pd.DataFrame:
    """Regulons of several sizes with ties in likelihood, in random order."""
    rng = np.random.default_rng(seed)
    pairs = [(f"R{r}", target) for r in range(6) for target in rng.permutation(GENES)[: 4 * r + 2]]
    table = pd.DataFrame(pairs, columns=["source", "target"])
    table["weight"] = rng.choice([-1.0, -0.5, 0.5, 1.0], len(table))
    table["likelihood"] = rng.integers(1, 8, len(table)) / 8
    table["scc"] = np.clip(rng.normal(0.1, 0.4, len(table)), -1, 1)
    table["support"] = rng.integers(1, 20, len(table))
    table = table.astype({"source": "category", "target": "category"})
    return table.sample(frac=1, random_state=seed).set_index(rng.integers(0, 9, len(table)))


def grouped() -> pd.DataFrame:
    """A network per group, each with likelihoods of its own size; one label has none."""
    parts = [network(seed).assign(group=label) for seed, label in enumerate([TREG, "B cell", "NK"])]
    parts[1]["likelihood"] /= 4
    joined = pd.concat([part.astype({"source": object, "target": object}) for part in parts]).sample(
        frac=1, random_state=0
    )
    joined["group"] = pd.Categorical(joined["group"], categories=[TREG, "none of this", "B cell", "NK"])
    return joined.astype({"source": "category", "target": "category"})


NETWORKS = pytest.mark.parametrize("make", [network, grouped])


# --- regulons of another program's network ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["log", "counts", "scaled"])
def test_edges_get_correlation_likelihood_and_mode(kind):
    X, given_edges = expression(kind), edges()
    found = regulons(cells(X), given_edges)
    assert found.columns.tolist() == ["source", "target", "weight", "likelihood", "mi", "scc"]
    assert found.index.equals(pd.RangeIndex(len(given_edges)))
    for name in ("source", "target", "mi"):
        assert found[name].tolist() == given_edges[name].tolist()
    scc = [oracle.correlation(X, GENES, *edge) for edge in zip(found["source"], found["target"], strict=True)]
    np.testing.assert_allclose(found["scc"], scc, atol=1e-12)
    np.testing.assert_array_equal(found["likelihood"], found["mi"] / found["mi"].max())
    np.testing.assert_allclose(found["weight"], oracle.modes(np.array(scc)), atol=1e-5)
    assert found[["weight", "likelihood", "scc"]].dtypes.eq(np.float64).all()
    check_network(found)


STORAGES = {
    "dense": np.asarray,
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
    "csr_array": sp.csr_array,
    "csc_array": sp.csc_array,
    "dask": lambda x: da.from_array(x, chunks=(17, 11)),
    "dask of csr": lambda x: da.from_array(x, chunks=(17, -1)).map_blocks(sp.csr_matrix),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("storage", list(STORAGES))
def test_storage_and_dtype_change_no_bit(storage, dtype):
    expected = state(regulons(cells(expression("counts")), edges()))
    x = STORAGES[storage](expression("counts").astype(dtype))
    assert state(regulons(cells(x), edges())) == expected


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix, sp.csc_matrix], ids=["dense", "csr", "csc"])
def test_backed_data_give_the_same(tmp_path, convert):
    cells(convert(expression())).write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    assert state(regulons(backed, edges())) == state(regulons(cells(expression()), edges()))
    assert backed.isbacked


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_change_no_bit(n_threads):
    adata = cells(expression())
    assert state(regulons(adata, edges(), n_threads=n_threads)) == state(regulons(adata, edges()))


@pytest.mark.parametrize("settings", [{"layer": "log"}, {"use_raw": True}], ids=str)
def test_a_layer_or_raw_takes_the_place_of_x(settings):
    adata = cells(expression())
    expected = state(regulons(adata, edges()))
    adata.layers["log"], adata.raw = adata.X.copy(), adata.copy()
    adata.X = np.random.default_rng(5).random(adata.shape)
    assert state(regulons(adata, edges(), **settings)) == expected
    assert state(regulons(adata, edges())) != expected


@pytest.mark.parametrize("dtype", ["str", object, "category"])
def test_names_may_be_strings_or_categories(dtype):
    found = regulons(cells(expression()), edges().astype({"source": dtype, "target": dtype}))
    expected = regulons(cells(expression()), edges())
    assert found.astype({"source": object, "target": object}).equals(
        expected.astype({"source": object, "target": object})
    )
    assert found["source"].dtype == edges().astype({"source": dtype})["source"].dtype


def test_edges_without_a_correlation_are_left_out_and_warned_of_at_the_line_of_the_user():
    more = pd.DataFrame({"source": ["g0", "g28", "x", "g29"], "target": ["g29", "g1", "g2", "y"], "mi": 5.0})
    adata = cells(expression())
    with pytest.warns(UserWarning, match="4 of [0-9]+ edges have a gene that is absent or constant") as record:
        found = regulons(adata, pd.concat([more[:2], edges(), more[2:]]))
    assert record[0].filename == __file__
    assert state(found) == state(regulons(cells(expression()), edges()))


def test_a_likelihood_that_is_given_stays():
    given_edges = edges().assign(likelihood=0.25, count=3)
    found = regulons(cells(expression()), given_edges)
    assert found.columns.tolist() == ["source", "target", "weight", "likelihood", "mi", "count", "scc"]
    assert (found["likelihood"] == 0.25).all()


def test_without_mutual_information_all_likelihoods_are_one():
    found = regulons(cells(expression()), edges()[["source", "target"]])
    assert (found["likelihood"] == 1).all()
    assert found["weight"].equals(regulons(cells(expression()), edges())["weight"])


def test_edges_without_information_keep_a_likelihood_above_zero():
    given_edges = edges()
    given_edges.iloc[3, 2] = 0.0
    check_network(regulons(cells(expression()), given_edges))


# --- mode of regulation -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scc", "rho"])
def test_modes_are_those_of_the_mixture_of_all_edges(name):
    table = network().rename(columns={"scc": name})
    found = ps.pp.mode_of_regulation(table, correlation=name)
    np.testing.assert_allclose(found["weight"], oracle.modes(table[name].to_numpy()), atol=1e-5)
    assert state(found.assign(weight=table["weight"])) == state(with_attrs(table, found.attrs))


def with_attrs(table: pd.DataFrame, attrs: dict) -> pd.DataFrame:
    table = table.copy()
    table.attrs = attrs
    return table


def test_the_fit_is_kept_as_plain_lists():
    fit = ps.pp.mode_of_regulation(network()).attrs["mixture"]
    assert fit.keys() == {"mean", "sd", "proportion", "log_likelihood"}
    np.testing.assert_allclose(
        [fit["mean"], fit["sd"], fit["proportion"]], oracle.mixture(network()["scc"].to_numpy()), atol=1e-5
    )
    assert all(isinstance(value, float) for value in [*fit["mean"], *fit["sd"], *fit["proportion"]])


def test_each_group_is_fitted_on_its_own():
    found = ps.pp.mode_of_regulation(grouped())
    labels = found["group"].unique().tolist()
    assert found.attrs["mixture"].keys() == set(labels) == {TREG, "B cell", "NK"}
    for label in labels:
        alone = ps.pp.mode_of_regulation(grouped()[grouped()["group"] == label].drop(columns="group"))
        np.testing.assert_array_equal(found.loc[found["group"] == label, "weight"], alone["weight"])
        assert found.attrs["mixture"][label] == alone.attrs["mixture"]


def test_order_of_edges_changes_no_mode():
    table = network().reset_index(drop=True)
    shuffled = table.sample(frac=1, random_state=3)
    assert ps.pp.mode_of_regulation(shuffled)["weight"].sort_index().equals(ps.pp.mode_of_regulation(table)["weight"])


def test_a_network_without_weights_gets_them():
    found = ps.pp.mode_of_regulation(network().drop(columns=["weight", "likelihood"]))
    np.testing.assert_array_equal(found["weight"], ps.pp.mode_of_regulation(network())["weight"])


def test_the_network_of_aracne_is_taken_as_it_is():
    model = ps.ARACNe(n_subnetworks=0, correction=None, dpi=None).fit(expression(), [0, 1, 2], GENES, depth=None)
    found = ps.pp.mode_of_regulation(model.network_)
    np.testing.assert_allclose(found["weight"], oracle.modes(model.network_["scc"].to_numpy()), atol=1e-5)
    assert found.dtypes.equals(model.network_.dtypes)


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_regulons_survive_a_file(tmp_path, suffix):
    table = ps.pp.prune_regulons(ps.pp.mode_of_regulation(grouped()), 5)
    adata = cells(expression())
    adata.uns["aracne"] = {"network": table}
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}").uns["aracne"]["network"]
    pd.testing.assert_frame_equal(read.astype(str), table.astype(str), check_index_type=False)
    np.testing.assert_array_equal(read["weight"], table["weight"])


# --- pruning ----------------------------------------------------------------------------------------------------------

PRUNINGS = [
    {"max_targets": 50},
    {"max_targets": 1},
    {"max_targets": 7},
    {"max_targets": 7, "eliminate": True},
    {"max_targets": 7, "min_targets": 6},
    {"max_targets": 3, "adaptive": True},
    {"max_targets": 4, "adaptive": True, "min_targets": 5},
]


@NETWORKS
@pytest.mark.parametrize("settings", PRUNINGS, ids=str)
def test_the_most_likely_targets_stay(make, settings):
    found, places = ps.pp.prune_regulons(make(), **settings), oracle.prune(make(), **settings)
    expected = make().iloc[places].reset_index(drop=True)
    assert found.astype(str).equals(expected.astype(str))
    assert found.dtypes.drop(["source", "target"]).equals(expected.dtypes.drop(["source", "target"]))
    for name in ("source", "target"):
        assert found[name].cat.categories.tolist() == sorted(expected[name].unique())


def test_fifty_targets_stay_by_default():
    table = pd.DataFrame({"source": "R", "target": [f"t{i:02}" for i in range(60)], "weight": 1.0})
    table["likelihood"] = np.linspace(0.1, 1, 60)
    assert ps.pp.prune_regulons(table)["target"].tolist() == table["target"][10:].tolist()


def test_of_equally_likely_targets_the_larger_weight_and_then_the_name_decides():
    table = pd.DataFrame({"source": "R", "target": list("edcba"), "weight": [0.5, -0.9, 0.5, 0.5, 0.1]})
    assert ps.pp.prune_regulons(table, 3)["target"].tolist() == ["d", "c", "b"]
    assert "likelihood" not in ps.pp.prune_regulons(table, 3)


def test_adaptive_regulons_hold_more_weak_targets():
    table = pd.DataFrame({"source": list("AAAABBBB"), "target": list("abcd") * 2, "weight": 1.0})
    table["likelihood"] = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5]
    assert ps.pp.prune_regulons(table, 2, adaptive=True)["source"].tolist() == list("AABBBB")


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 12), st.booleans())
def test_pruning_twice_or_in_another_order_is_pruning_once(seed, max_targets, adaptive):
    once = ps.pp.prune_regulons(network(seed), max_targets, adaptive=adaptive)
    assert state(ps.pp.prune_regulons(once, max_targets, adaptive=adaptive)) == state(once)
    other = ps.pp.prune_regulons(network(seed)[::-1], max_targets, adaptive=adaptive)
    assert state(other[::-1].reset_index(drop=True)) == state(once)


# --- likelihoods ------------------------------------------------------------------------------------------------------


@NETWORKS
@pytest.mark.parametrize("within", ["regulator", "network"])
def test_likelihood_is_divided_by_its_largest(make, within):
    found = ps.pp.normalise_likelihood(make(), within=within)
    np.testing.assert_array_equal(found["likelihood"], oracle.normalise(make(), within))
    assert state(found.assign(likelihood=make()["likelihood"].to_numpy())) == state(make())


def test_regulators_are_normalised_by_default():
    assert state(ps.pp.normalise_likelihood(network())) == state(
        ps.pp.normalise_likelihood(network(), within="regulator")
    )


@pytest.mark.parametrize("within", ["regulator", "network"])
def test_any_positive_likelihood_may_be_normalised(within):
    table = network().assign(likelihood=np.arange(1, len(network()) + 1))
    found = check_network(ps.pp.normalise_likelihood(table, within=within))
    np.testing.assert_array_equal(found["likelihood"], oracle.normalise(table, within))


# --- duplicates -------------------------------------------------------------------------------------------------------


def doubled(make) -> pd.DataFrame:
    """A third of the edges twice or three times, with other values, in random order."""
    table, other = make(), make().sample(frac=0.3, random_state=1)
    other["weight"], other["scc"] = -0.25, 0.125
    other["likelihood"] = np.random.default_rng(2).integers(1, 8, len(other)) / 8
    return pd.concat([table, other, other[:7].assign(weight=0.75)]).sample(frac=1, random_state=2)


@NETWORKS
@pytest.mark.parametrize("how", ["first", "mean", "max_likelihood"])
def test_each_edge_is_there_once(make, how):
    found, expected = ps.pp.merge_duplicates(doubled(make), how), oracle.merge(doubled(make), how)
    assert len(found) == len(make())
    assert check_network(found) is found
    for name in doubled(make).columns:
        values = [edge[name] for edge in expected]
        if found[name].dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, rtol=1e-15)
        else:
            assert found[name].tolist() == values
    assert found.dtypes.drop(["source", "target"]).equals(make().dtypes.drop(["source", "target"])[found.columns[2:]])
    assert found.index.equals(pd.RangeIndex(len(make())))


@NETWORKS
@pytest.mark.parametrize("how", ["first", "mean", "max_likelihood"])
def test_a_network_without_duplicates_stays(make, how):
    assert state(ps.pp.merge_duplicates(make(), how)) == state(make().reset_index(drop=True))


def test_signs_without_likelihood_are_averaged_too():
    signs = pd.DataFrame({"source": "A", "target": ["x", "x", "x", "y"], "weight": [1, -1, 1, -1]})
    assert ps.pp.merge_duplicates(signs, "mean")["weight"].tolist() == [pytest.approx(1 / 3), -1.0]
    assert ps.pp.merge_duplicates(signs, "max_likelihood").to_dict("list") == signs.iloc[[0, 3]].to_dict("list")


# --- what is given stays as it is -------------------------------------------------------------------------------------

CALLS = {
    "regulons": lambda table: regulons(cells(expression()), table.drop(columns="weight")),
    "mode_of_regulation": ps.pp.mode_of_regulation,
    "prune_regulons": lambda table: ps.pp.prune_regulons(table, 3),
    "prune_regulons adaptive": lambda table: ps.pp.prune_regulons(table, 3, adaptive=True),
    "normalise_likelihood": ps.pp.normalise_likelihood,
    "merge_duplicates": ps.pp.merge_duplicates,
    "merge_duplicates mean": lambda table: ps.pp.merge_duplicates(table, "mean"),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_the_network_is_left_as_it_is_and_shares_nothing(call):
    table = edges().assign(weight=0.5, likelihood=0.5, scc=np.linspace(-1, 1, len(edges())))
    before = state(table)
    result = CALLS[call](table)
    assert state(table) == before
    for name in ("weight", "likelihood"):
        result[name] = 0.125
    result.iloc[0, result.columns.get_loc("target")] = "changed"
    result.attrs["more"] = 1
    assert state(table) == before


def test_adata_is_left_as_it_is():
    adata = cells(sp.csr_matrix(expression()))
    before = state(adata)
    regulons(adata, edges())
    assert state(adata) == before


# --- errors -----------------------------------------------------------------------------------------------------------

EDGES = network().reset_index(drop=True)
ONE = pd.DataFrame({"source": "g0", "target": GENES[1:28], "mi": 0.1})


@pytest.mark.parametrize("call", list(CALLS)[1:])
@pytest.mark.parametrize(
    ("table", "error", "match"),
    [
        (EDGES.assign(target=None), ValueError, "edges without (group or )?source or target"),
        (EDGES.drop(columns="source"), ValueError, "network lacks the columns 'source'"),
        (EDGES[:0], ValueError, "network has no edges"),
        (EDGES.to_dict("list"), TypeError, "network is dict; give a DataFrame"),
        (EDGES.assign(group=None), ValueError, "edges without group or source or target"),
    ],
)
def test_bad_networks_are_refused(call, table, error, match):
    with pytest.raises(error, match=match):
        CALLS[call](table)


@pytest.mark.parametrize("call", [name for name in list(CALLS)[1:] if "merge" not in name])
def test_duplicates_are_refused(call):
    with pytest.raises(ValueError, match=r"network holds \d+ edges twice"):
        CALLS[call](doubled(network))


@pytest.mark.parametrize(
    ("function", "table", "settings", "match"),
    [
        ("mode_of_regulation", EDGES.drop(columns="scc"), {}, "lacks the column 'scc'; it has: .*regulons.adata, "),
        ("mode_of_regulation", EDGES, {"correlation": "rho"}, "lacks the column 'rho'"),
        ("mode_of_regulation", EDGES.assign(scc=1.5), {}, r"\['scc'\] must hold correlations in .* 72 of 72 .*as 1.5"),
        ("mode_of_regulation", EDGES.assign(scc=np.nan), {}, "72 of 72 values are not .such as nan"),
        ("mode_of_regulation", EDGES[:29], {}, r"network\['scc'\] holds 29 correlations; three Gaussians need .* 30"),
        ("mode_of_regulation", EDGES.assign(scc=0.5), {}, "holds 72 correlations, all 0.5; .*not all the same"),
        ("mode_of_regulation", pd.concat([EDGES.assign(group="B"), EDGES[:5].assign(group="T/NK")]), {},
         "of group 'T/NK' holds 5 correlations.*drop the column group"),
        ("prune_regulons", EDGES, {"max_targets": 0}, "max_targets is 0; give a whole number, at least 1"),
        ("prune_regulons", EDGES, {"max_targets": 2.5}, "max_targets is 2.5"),
        ("prune_regulons", EDGES, {"min_targets": 0}, "min_targets is 0"),
        ("prune_regulons", EDGES, {"adaptive": 1}, "adaptive is 1; give True or False"),
        ("prune_regulons", EDGES, {"eliminate": "yes"}, "eliminate is 'yes'; give True or False"),
        ("prune_regulons", EDGES, {"adaptive": True, "eliminate": True}, "eliminate=True has no meaning with adaptive"),
        ("prune_regulons", EDGES, {"eliminate": True}, "no regulator has 50 targets left .the largest has 22."),
        ("prune_regulons", EDGES, {"max_targets": 5, "min_targets": 6}, "no regulator has 6 targets left"),
        ("normalise_likelihood", EDGES, {"within": "group"}, "within is 'group'; choose one of 'regulator', 'network'"),
        ("normalise_likelihood", EDGES.drop(columns="likelihood"), {}, "network lacks the column 'likelihood'; it has"),
        ("normalise_likelihood", EDGES.assign(likelihood=0), {}, r"\['likelihood'\] must be finite and above 0; 72 of"),
        ("normalise_likelihood", EDGES.assign(likelihood=np.inf), {}, "72 of 72 values are not .such as inf"),
        ("normalise_likelihood", EDGES.assign(likelihood=np.nan), {}, "72 of 72 values are not .such as nan"),
        ("normalise_likelihood", EDGES.assign(weight=7), {}, r"network\['weight'\] must lie in"),
        ("merge_duplicates", EDGES, {"how": "last"}, "how is 'last'; choose one of 'first', 'mean', 'max_likelihood'"),
        ("merge_duplicates", EDGES.assign(weight=7), {}, r"network\['weight'\] must lie in"),
        ("merge_duplicates", EDGES.assign(likelihood=0), {}, r"network\['likelihood'\] must lie in"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(function, table, settings, match):
    before = state(table)
    with pytest.raises(ValueError, match=match):
        getattr(ps.pp, function)(table, **settings)
    assert state(table) == before


@pytest.mark.parametrize(
    ("table", "settings", "error", "match"),
    [
        ("aracne", {}, TypeError, "network is str; give a DataFrame"),
        (edges().drop(columns="target"), {}, ValueError, "network lacks the columns 'target'"),
        (pd.concat([edges(), edges()[:3]]), {}, ValueError, "network holds 3 edges twice"),
        (edges().assign(group="B"), {}, ValueError, "network has one part per group.*for each group, call"),
        (
            edges().assign(target="x" + edges()["target"]),
            {},
            ValueError,
            "no edge of the network .* among those of adata",
        ),
        (edges().assign(mi=-1.0), {}, ValueError, r"network\['mi'\] runs from -1 to -1; mutual information must be"),
        (edges().assign(mi=0.0), {}, ValueError, "from 0 to 0.*above 0 for some edge"),
        (edges().assign(mi=np.inf), {}, ValueError, "from inf to inf; .*must be finite"),
        (edges().assign(likelihood=2.0), {}, ValueError, r"network\['likelihood'\] must lie in"),
        (ONE, {}, ValueError, "holds 27 correlations; three Gaussians need at least 30"),
        (edges(), {"layer": "counts"}, KeyError, "layer='counts' is not in adata.layers"),
        (edges(), {"use_raw": True}, ValueError, "use_raw=True, but adata.raw is None"),
        (edges(), {"n_threads": -1}, ValueError, "n_threads is -1"),
    ],
)
def test_errors_leave_adata_and_network_as_they_are(table, settings, error, match):
    adata = cells(sp.csr_matrix(expression()))
    before = state(adata), state(table)
    with pytest.raises(error, match=match):
        regulons(adata, table, **settings)
    assert (state(adata), state(table)) == before


@pytest.mark.parametrize(
    ("value", "match"), [(np.nan, "1 missing .NaN. and 0"), (np.inf, "0 missing .* and 1 infinite")]
)
def test_expression_that_is_not_finite_is_refused(value, match):
    X = expression()
    X[40, 3] = value
    with pytest.raises(ValueError, match=match):
        regulons(cells(X), edges())


def test_cells_that_cannot_vary_give_no_regulons():
    for n_cells in (0, 1):
        with pytest.raises(ValueError, match=r"no edge of the network .* and vary"):
            regulons(cells(expression())[:n_cells].copy(), edges())


# --- depth ------------------------------------------------------------------------------------------------------------


def deep_cells(n_cells: int = 500) -> tuple[ad.AnnData, pd.DataFrame]:
    """Counts of cells of other depths in which a regulator represses 30 genes and activates 30, and its edges."""
    rng = np.random.default_rng(0)
    activity, depth = rng.normal(size=n_cells), rng.lognormal(0, 0.8, n_cells)
    effect = np.r_[0.5, np.full(30, -0.5), np.full(30, 0.5), np.zeros(140)]
    counts = rng.poisson(2 * depth[:, None] * np.exp(activity[:, None] * effect)).astype(float)
    genes = ["TF", *(f"down{i}" for i in range(30)), *(f"up{i}" for i in range(30)), *(f"x{i}" for i in range(140))]
    adata = ad.AnnData(counts, obs={"depth": counts.sum(axis=1)}, var=pd.DataFrame(index=genes))
    return adata, pd.DataFrame({"source": "TF", "target": genes[1:61], "mi": 0.1})


FORMS = {
    "counts": lambda counts: counts,
    "log2": lambda counts: np.log2(counts + 1),
    "normalised": lambda counts: counts / counts.sum(axis=1, keepdims=True),
    "log normalised": lambda counts: np.log1p(1e4 * counts / counts.sum(axis=1, keepdims=True)),
    "fractional": lambda counts: counts * (1 - 0.05 * np.random.default_rng(0).random(counts.shape)),
}


@pytest.mark.parametrize("form", FORMS)
def test_depth_turns_no_repressed_target_into_an_activated_one(form):
    adata, table = deep_cells()
    adata.X = FORMS[form](adata.X)
    found = ps.pp.regulons(adata, table)
    repressed = found["target"].str.startswith("down")
    assert (found.loc[repressed, "weight"] < 0).all()
    assert (found.loc[~repressed, "weight"] > 0).all()


def test_correlations_are_those_of_networks_of_our_own():
    adata, table = deep_cells()
    for depth in ("auto", "depth", None):
        settings = {"n_subnetworks": 0, "correction": None, "dpi": None, "depth": depth}
        ps.tl.aracne(adata, ["TF"], targets=table["target"].tolist(), **settings)
        own = ps.get.network(adata).astype({"target": str}).set_index("target")["scc"]
        found = ps.pp.regulons(adata, table, depth=depth).set_index("target")["scc"]
        pd.testing.assert_series_equal(found.sort_index(), own.sort_index(), check_exact=True, check_index_type=False)


def test_a_depth_that_is_not_known_is_warned_of_and_may_be_given():
    adata, table = deep_cells()
    counts = adata.X
    adata.X = 1 + np.sqrt(counts)
    with pytest.warns(UserWarning, match=r"depth of the cells is not known.*depth= \(a column of adata.obs\)") as told:
        ps.pp.regulons(adata, table)
    assert [warning.filename for warning in told] == [__file__]
    given = ps.pp.regulons(adata, table, depth="depth")
    assert (given.loc[given["target"].str.startswith("down"), "weight"] < 0).all()
    with pytest.raises(KeyError, match="depth='total' is neither 'auto' nor a column"):
        ps.pp.regulons(adata, table, depth="total")
