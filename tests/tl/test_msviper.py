from __future__ import annotations

from itertools import combinations

import anndata as ad
import dask.array as da
import msviper_oracles as oracle
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import viper_oracles as viper
from states import state

import pysces as ps

TREG = "CD4+/CD25 T Reg"
LABELS = [TREG, "B cell", "CD8+/CD45RA+"]
GENES = viper.gene_names(60)
NETWORK = viper.network(GENES)
RESULTS = ["source", "n_targets", "nes", "log_pvalue", "log_qvalue", "n_leading"]


def cells(n_cells=60, *, convert=sp.csr_matrix, dtype=np.float32):
    """Log-normalised cells of three types, interleaved."""
    labels = np.random.default_rng(0).permutation(np.resize(LABELS, n_cells))
    obs = pd.DataFrame({"cell_type": pd.Categorical(labels, categories=LABELS), "healthy": labels == TREG},
                       index=[f"cell{i}" for i in range(n_cells)])  # fmt: skip
    X = viper.cells("log", n_cells).astype(dtype)
    return ad.AnnData(convert(X), obs=obs, var=pd.DataFrame(index=GENES), uns={"title": "T"})


@pytest.fixture
def adata():
    return cells()


def msviper(adata, group=TREG, *, network=NETWORK, min_targets=1, n_permutations=0, **settings):
    settings = {"network": network, "min_targets": min_targets, "n_permutations": n_permutations, **settings}
    return ps.tl.msviper(adata, "cell_type", group, **settings)


def tables(adata, **settings):
    """What is stored, leaving adata alone."""
    return msviper(adata, copy=True, **settings).uns["msviper"]


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name in first.keys() - {"params"}:
        pd.testing.assert_frame_equal(first[name], second[name], check_exact=True)


def rows(adata, *labels):
    return np.flatnonzero(adata.obs["cell_type"].isin(labels))


# --- what is found ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "others", "draws"),
    [
        ("rest", LABELS[1:], (0, 0)),
        ("rest", LABELS[1:], (40, 0)),
        ("rest", LABELS[1:], (0, 12)),
        ("B cell", ["B cell"], (0, 0)),
        ("B cell", ["B cell"], (500, 0)),
        ("B cell", ["B cell"], (20, 12)),
    ],
)
def test_results_are_those_of_the_definition(adata, reference, others, draws):
    n_permutations, n_bootstraps = draws
    settings = {"n_permutations": n_permutations, "n_bootstraps": n_bootstraps, "min_targets": 5, "rng": 7}
    found = tables(adata, reference=reference, **settings)
    group, other = rows(adata, TREG), rows(adata, *others)
    expected = oracle.msviper(adata.X.toarray(), GENES, NETWORK, group, other, **settings)
    results = found["results"].set_index("source")
    assert set(results.index) == set(expected.index)
    expected = expected.loc[results.index]
    np.testing.assert_array_equal(results["n_targets"], expected["n_targets"])
    np.testing.assert_allclose(results["nes"], expected["nes"], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(np.exp(results["log_pvalue"]), expected["p"], rtol=1e-6)
    np.testing.assert_allclose(np.exp(results["log_qvalue"]), expected["q"], rtol=1e-6)
    assert ("se" in results) == (n_bootstraps > 0)
    if n_bootstraps:
        np.testing.assert_allclose(results["se"], expected["se"], rtol=1e-7)
    edges = found["leading_edge"]
    chosen = edges[edges["in_edge"]].groupby("source", observed=False)["target"].agg(set)
    assert chosen.to_dict() == expected["edge"].to_dict()
    assert results["n_leading"].to_dict() == expected["edge"].map(len).to_dict()


def test_the_signature_is_of_the_genes_that_are_ranked(adata):
    X = adata.X.toarray()
    X[:, 20] = 0.5
    adata.X = sp.csr_matrix(X)
    whole = tables(adata, filter_genes=False)["signature"]
    expected = oracle.contrast(X, rows(adata, TREG), rows(adata, *LABELS[1:]))
    assert whole["gene"].tolist() == [gene for gene in GENES if gene != "g20"]
    np.testing.assert_allclose(whole["z"], np.delete(expected, 20), rtol=1e-8, atol=1e-9)
    part = tables(adata, network=NETWORK[:30])["signature"]
    assert set(part["gene"]) == set(NETWORK["target"][:30]) - {"g20"}


def test_tables_are_typed_and_sorted(adata):
    found = tables(adata)
    assert found.keys() == {"results", "leading_edge", "signature", "params"}
    results, edges = found["results"], found["leading_edge"]
    assert results.columns.tolist() == RESULTS
    assert [str(dtype) for dtype in results.dtypes] == ["category", "int64", *["float64"] * 3, "int64"]
    assert results["log_pvalue"].is_monotonic_increasing
    assert edges.columns.tolist() == ["source", "target", "weight", "likelihood", "signature", "in_edge"]
    assert [str(dtype) for dtype in edges.dtypes] == ["category", "category", *["float64"] * 3, "bool"]
    of_network = NETWORK.set_index(["source", "target"])[["weight", "likelihood"]].sort_index()
    of_edges = edges.astype({"source": object, "target": object}).set_index(["source", "target"]).sort_index()
    pd.testing.assert_frame_equal(of_edges[["weight", "likelihood"]], of_network, check_index_type=False)
    z = found["signature"].set_index("gene")["z"]
    np.testing.assert_array_equal(edges["signature"], z.loc[edges["target"]])


def test_the_opposite_contrast_has_the_opposite_signature(adata):
    first, second = tables(adata, reference="B cell"), tables(adata, group="B cell", reference=TREG)
    np.testing.assert_allclose(first["signature"]["z"], -second["signature"]["z"], rtol=1e-9)


def test_a_planted_regulator_comes_out_on_top():
    adata = cells(convert=np.asarray)
    own = NETWORK[NETWORK["source"] == "R3"]
    for target, weight in zip(own["target"], own["weight"], strict=True):
        adata.X[rows(adata, TREG), GENES.index(target)] += 1 + np.sign(weight)
    results = tables(adata, n_permutations=200)["results"]
    assert results["source"][0] == "R3"
    assert results["nes"][0] > 3


@pytest.mark.filterwarnings("ignore:X holds counts")
def test_permutations_weigh_down_targets_that_vary_together():
    rng = np.random.default_rng(0)
    X = rng.poisson(3.0, (80, 60)).astype(float)
    X[:, :12] += rng.poisson(6.0, (80, 1))
    adata = cells(80, convert=np.asarray)
    adata.X = X
    network = pd.concat([pd.DataFrame({"source": name, "target": GENES[start : start + 12], "weight": 1.0})
                         for name, start in (("together", 0), ("apart", 20))])  # fmt: skip
    settings = {"network": network, "filter_genes": False}
    analytic, permuted = (tables(adata, n_permutations=n, **settings)["results"].set_index("source")["nes"]
                          for n in (0, 400))  # fmt: skip
    assert abs(permuted["together"]) < 0.7 * abs(analytic["together"])
    assert permuted["apart"] == pytest.approx(analytic["apart"], rel=0.25)


def samples(n, n_reference, shift):
    """Samples of which the first regulator's targets differ by more than those of the second, and so on."""
    names = [f"g{i}" for i in range(150)]
    x = np.random.default_rng(0).normal(8, 0.2, (n + n_reference, 150))
    x[:n] += np.repeat(shift, 30)
    obs = pd.DataFrame({"g": ["drug"] * n + ["none"] * n_reference}, index=[f"s{i}" for i in range(len(x))])
    net = pd.DataFrame({"source": np.repeat(list("ABCDE"), 30), "target": names, "weight": 1.0})
    return ad.AnnData(x, obs=obs, var=pd.DataFrame(index=names)), net


FEW = "cells or samples .* can be labelled in"


@pytest.mark.parametrize(("n", "n_reference", "n_labellings"), [(3, 3, 20), (4, 4, 70), (2, 6, 28)])
@pytest.mark.filterwarnings(f"ignore:.*{FEW}")
def test_p_of_few_samples_is_the_share_of_all_labellings(n, n_reference, n_labellings):
    """Every labelling is a contrast of its own, whose analytic NES is compared with that of the observed one."""
    adata, net = samples(n, n_reference, [2, 0.1, 0, -0.1, -2])
    settings = {"network": net, "filter_genes": False}
    ps.tl.msviper(adata, "g", "drug", **settings)
    found = ps.get.msviper(adata).set_index("source")
    assert adata.uns["msviper"]["params"]["n_labellings"] == n_labellings
    sizes = []
    for chosen in combinations(range(n + n_reference), n):
        adata.obs["g"] = np.where(np.isin(np.arange(n + n_reference), chosen), "drug", "none")
        ps.tl.msviper(adata, "g", "drug", n_permutations=0, key_added="other", **settings)
        sizes.append(ps.get.msviper(adata, key="other").set_index("source")["nes"].abs()[list("ABCDE")].to_numpy())
    expected = np.mean([size >= sizes[0] - 1e-9 for size in sizes], axis=0)
    np.testing.assert_allclose(np.exp(found["log_pvalue"][list("ABCDE")]), expected, rtol=1e-9)
    assert np.exp(found["log_pvalue"].min()) == pytest.approx((1 + (n == n_reference)) / n_labellings)


def test_regulators_of_the_same_p_go_by_their_effect_not_by_name():
    adata, net = samples(4, 4, [0.5, 1, 2, 3, 4])
    ps.tl.msviper(adata, "g", "drug", network=net, filter_genes=False)
    ps.tl.msviper(adata, "g", "drug", network=net, filter_genes=False, n_permutations=0, key_added="analytic")
    found, analytic = ps.get.msviper(adata), ps.get.msviper(adata, key="analytic")
    effect = analytic.set_index("source")["nes"].abs()[found["source"]].to_numpy()
    tied = found["log_pvalue"] == found["log_pvalue"].min()
    assert tied.sum() > 1
    assert (np.diff(effect[tied]) <= 0).all()
    assert found["source"].tolist() != sorted(found["source"])


@pytest.mark.parametrize(
    ("n", "match"),
    [
        (3, "6 cells or samples .*3 against 3. can be labelled in 20 ways: no p is below 0.1, and no q below 0.05"),
        (4, "in 70 ways: no p is below 0.029, and a q below 0.05 takes 3 of the 5 regulators .*n_permutations=0"),
    ],
)
def test_samples_too_few_for_a_small_q_are_warned_of(n, match):
    adata, net = samples(n, n, [0.01, 0, 0, 0, 0])
    with pytest.warns(UserWarning, match=match):
        ps.tl.msviper(adata, "g", "drug", network=net, filter_genes=False)
    ps.tl.msviper(adata, "g", "drug", network=net, filter_genes=False, n_permutations=0)


@pytest.mark.filterwarnings("error::UserWarning")
def test_samples_in_which_a_small_q_came_out_are_not_warned_of():
    adata, net = samples(6, 6, [2, 0, 0, 0, -2])
    ps.tl.msviper(adata, "g", "drug", network=net, filter_genes=False)
    assert ps.get.msviper(adata)["log_qvalue"].min() < np.log(0.05)


def test_labels_of_no_meaning_give_uniform_p():
    p = []
    for seed in range(8):
        adata = cells(60)
        adata.obs["cell_type"] = np.random.default_rng(seed).permutation(adata.obs["cell_type"])
        p.append(
            np.exp(tables(adata, n_permutations=500, network=viper.network(GENES, 30, seed))["results"]["log_pvalue"])
        )
    p = np.concatenate(p)
    assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.12)
    assert (p < 0.1).mean() == pytest.approx(0.1, abs=0.07)


# --- shadows and combinations -----------------------------------------------------------------------------------------


def shadowed_cells():
    """CASTER's 24 targets rise; OTHER shares 12 of them and has 14 of its own that do not."""
    rng = np.random.default_rng(0)
    adata = cells(90, convert=np.asarray)
    adata = ad.AnnData(rng.poisson(4.0, (90, 120)).astype(float), obs=adata.obs)
    adata.var_names = viper.gene_names(120)
    adata.X[np.ix_(rows(adata, TREG), np.arange(24))] += rng.poisson(np.linspace(4, 6, 24), (30, 24))
    genes = adata.var_names
    caster = pd.DataFrame({"source": "CASTER", "target": genes[:24], "weight": 0.9})
    other = pd.DataFrame({"source": "OTHER", "target": genes[[*range(12), *range(60, 74)]], "weight": 0.9})
    other.loc[12:, "weight"] = np.resize([0.9, -0.9], 14)
    rest = pd.DataFrame({"source": "REST", "target": genes[90:115], "weight": 0.9})
    return adata, pd.concat([caster, other, rest], ignore_index=True)


@pytest.mark.filterwarnings("ignore:X holds counts")
def test_what_is_in_a_shadow_is_scored_without_the_shared_targets():
    adata, network = shadowed_cells()
    settings = {"n_permutations": 50, "filter_genes": False}
    before = tables(adata, network=network, **settings)
    found = tables(adata, network=network, shadow=0.3, **settings)
    assert found["shadow"].columns.tolist() == ["source", "shadowed", "n_shared", "pvalue"]
    assert found["shadow"].iloc[:, :3].to_numpy().tolist() == [["CASTER", "OTHER", 12]]
    alone = tables(adata, network=network.drop(index=network.index[24:36]), **settings)
    for name in ("results", "leading_edge"):
        pd.testing.assert_frame_equal(found[name], alone[name])
    p = [result["results"].set_index("source")["log_pvalue"]["OTHER"] for result in (before, found)]
    assert p[0] < np.log(0.3) < p[1]


@pytest.mark.filterwarnings("ignore:X holds counts")
@pytest.mark.parametrize(("min_targets", "left"), [(14, {"CASTER", "OTHER", "REST"}), (15, {"CASTER", "REST"})])
def test_what_keeps_too_few_targets_is_dropped(min_targets, left):
    adata, network = shadowed_cells()
    found = tables(adata, network=network, shadow=0.3, min_targets=min_targets)
    assert set(found["shadow"]["shadowed"]) == {"OTHER"}
    assert set(found["results"]["source"]) == left


def test_nothing_is_in_a_shadow_where_nothing_is_significant(adata):
    found = tables(adata, shadow=1e-12, n_permutations=20)
    assert found["shadow"].empty
    pd.testing.assert_frame_equal(found["results"], tables(adata, n_permutations=20)["results"])


def test_combinations_are_those_of_the_definition(adata):
    network = viper.network(GENES[:25], 8)
    found = tables(adata, network=network, combinations=1.0, min_targets=2)
    z = found["signature"].set_index("gene")["z"]
    place = {gene: i for i, gene in enumerate(z.index)}
    parts = {name: own.assign(gene=own["target"].map(place)).sort_values("gene")
             for name, own in network[network["target"].isin(place)].groupby("source")}  # fmt: skip
    names = sorted(parts)
    expected = oracle.combine(z.to_numpy(), [parts[name] for name in names], 2)
    table = found["combinations"]
    assert table.columns.tolist() == ["source", "n_targets", "nes", "log_pvalue", "synergy_pvalue"]
    assert dict(zip(table["source"], table["nes"], strict=True)) == pytest.approx(
        {"--".join(names[i] for i in members): nes for members, nes in expected.items()}
    )
    assert len(table) > 3
    assert table["log_pvalue"].is_monotonic_increasing
    assert table["synergy_pvalue"].between(1 / 1001, 1).all()


# --- where the data lie, and what must not matter ---------------------------------------------------------------------

ALL = {"n_permutations": 30, "n_bootstraps": 10, "shadow": 0.9, "combinations": 0.9}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_storage_changes_no_byte(as_format, dtype):
    assert_same(tables(cells(convert=as_format, dtype=dtype), **ALL), tables(cells(dtype=dtype), **ALL))


@pytest.mark.parametrize("chunks", [(7, 60), (25, 11)])
def test_dask_changes_no_byte(chunks):
    lazy = cells(convert=lambda X: da.from_array(X, chunks=chunks))
    assert_same(tables(lazy, **ALL), tables(cells(), **ALL))


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix, sp.csc_matrix], ids=["dense", "csr", "csc"])
def test_backed_data_change_no_byte(tmp_path, convert):
    adata = cells(convert=convert)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    msviper(backed, **ALL)
    assert backed.isbacked
    assert_same(backed.uns["msviper"], tables(adata, **ALL))


def test_threads_change_no_byte(adata):
    assert_same(tables(adata, n_threads=1, **ALL), tables(adata, n_threads=2, **ALL))


def test_the_seed_decides_on_the_draws(adata):
    first, again, other = (tables(adata, rng=rng, **ALL)["results"]["nes"].tolist() for rng in (1, 1, 2))
    assert first == again != other


def test_layers_raw_and_views_are_taken_as_x(adata):
    expected = tables(adata)
    elsewhere = adata.copy()
    elsewhere.layers["log"] = elsewhere.X
    elsewhere.raw = elsewhere
    elsewhere.X = None
    assert_same(tables(elsewhere, layer="log"), expected)
    assert_same(tables(elsewhere, use_raw=True), expected)
    part = adata[:, 10:]
    assert_same(tables(part), tables(part.copy()))


def test_cells_without_a_label_are_in_no_group(adata):
    part = adata[5:].copy()
    adata.obs.loc[adata.obs_names[:5], "cell_type"] = np.nan
    with pytest.warns(UserWarning, match="5 cells have no label"):
        found = tables(adata)
    assert_same(found, tables(part))


def test_of_a_grouped_network_the_edges_of_the_group_are_taken(adata):
    parts = [viper.network(GENES, seed=i).assign(group=label) for i, label in enumerate(LABELS)]
    network = pd.concat(parts, ignore_index=True).astype({"group": "category"})
    adata.uns["aracne"] = {"network": network}
    assert_same(tables(adata, group="B cell", network="aracne"), tables(adata, group="B cell", network=parts[1]))


# --- what is stored ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
@pytest.mark.parametrize("cutoff", [0.9, 1e-12], ids=["full", "empty"])
def test_results_survive_a_file(adata, tmp_path, suffix, cutoff):
    msviper(adata, **{**ALL, "shadow": cutoff, "combinations": cutoff})
    getattr(adata, f"write_{suffix}")(tmp_path / f"cells.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"cells.{suffix}").uns["msviper"]
    stored = adata.uns["msviper"]
    assert read.keys() == stored.keys() == {"results", "leading_edge", "signature", "shadow", "combinations", "params"}
    for name in stored.keys() - {"params"}:
        assert read[name].columns.tolist() == stored[name].columns.tolist()
        pd.testing.assert_frame_equal(read[name].astype(str), stored[name].astype(str), check_index_type=False)
    assert read["params"] == stored["params"]


def test_parameters_are_stored(adata):
    msviper(adata, reference="B cell", shadow=0.1, rng=3, key_added="contrast")
    params = adata.uns["contrast"]["params"]
    assert params["version_pysces"] == ps.__version__
    assert {name: of for name, of in params.items() if not name.startswith("version")} == {
        "groupby": "cell_type", "group": TREG, "reference": "B cell", "use_raw": False, "n_permutations": 0,
        "n_bootstraps": 0, "filter_genes": True, "all_genes_ranked": False,
        "min_targets": 1, "shadow": 0.1, "combinations": False, "rng": 3,
        "n_regulators": 8, "n_regulators_of_network": 8, "share_of_targets": 1.0,
    }  # fmt: skip


def test_only_its_own_key_is_written(adata):
    before = state(adata)
    assert msviper(adata, key_added="contrast") is None
    del adata.uns["contrast"]
    assert state(adata) == before
    result = msviper(adata, copy=True)
    assert "msviper" in result.uns
    assert state(adata) == before


def test_get_gives_a_copy_of_the_results(adata):
    msviper(adata, key_added="contrast")
    found = ps.get.msviper(adata, key="contrast")
    pd.testing.assert_frame_equal(found, adata.uns["contrast"]["results"])
    found["nes"] = 0
    assert (adata.uns["contrast"]["results"]["nes"] != 0).all()
    with pytest.raises(KeyError, match=r"adata.uns\['msviper'\] holds no results of a contrast; run pysces.tl.msviper"):
        ps.get.msviper(adata)


# --- errors -----------------------------------------------------------------------------------------------------------


def spoil_value(value):
    def spoil(adata):
        X = adata.X.toarray()
        X[21, 33] = value
        adata.X = sp.csr_matrix(X)

    return spoil


def relabel(n):
    """Give the first n cells a type of their own."""

    def spoil(adata):
        adata.obs["cell_type"] = adata.obs["cell_type"].cat.add_categories("rare")
        adata.obs.loc[adata.obs_names[:n], "cell_type"] = "rare"

    return spoil


def called_rest(adata):
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.rename_categories({"B cell": "rest"})


def one_label(adata):
    adata.obs["cell_type"] = pd.Categorical([TREG] * 60)


def constant(adata):
    adata.X = sp.csr_matrix(np.ones(adata.shape))


def nothing(_):
    pass


GROUPED = NETWORK.assign(group="B cell").astype({"group": "category"})


@pytest.mark.parametrize(
    ("spoil", "settings", "error", "match"),
    [
        (nothing, {"groupby": "louvain"}, KeyError, "groupby='louvain' is not a column of adata.obs, which has: 'cell"),
        (nothing, {"groupby": "healthy"}, TypeError, r"adata.obs\['healthy'\] holds labels of type bool"),
        (nothing, {"group": "NK"}, ValueError, r"group is 'NK', not among the labels of adata.obs\['cell_type'\]: 'CD"),
        (nothing, {"group": "rest"}, ValueError, "group is 'rest', not among the labels"),
        (nothing, {"reference": "NK"}, ValueError, "reference is 'NK', not among the labels"),
        (nothing, {"reference": TREG}, ValueError, "group and reference are both 'CD4.*; give another reference"),
        (relabel(1), {"group": "rare"}, ValueError, "group='rare' has 1 cells; a contrast needs at least 2 on each"),
        (relabel(1), {"reference": "rare"}, ValueError, "reference='rare' has 1 cells"),
        (one_label, {}, ValueError, "reference='rest' has 0 cells"),
        (called_rest, {}, ValueError, "reference='rest' is ambiguous: .* a label of adata.obs.*; rename the label"),
        (nothing, {"network": "aracne"}, KeyError, r"adata.uns\['aracne'\] holds no network; run pysces.tl.aracne"),
        (nothing, {"network": {"R": GENES}}, TypeError, "network is dict; give a DataFrame"),
        (nothing, {"network": NETWORK.assign(weight=7)}, ValueError, "must lie in"),
        (nothing, {"network": GROUPED}, ValueError, "network has no edges of group='CD4.*, only of: 'B cell'; choose"),
        (nothing, {"network": NETWORK.assign(target="x" + NETWORK["target"])}, ValueError, "no target of the network"),
        (nothing, {"layer": "counts"}, KeyError, "layer='counts' is not in adata.layers"),
        (nothing, {"use_raw": True}, ValueError, "use_raw=True, but adata.raw is None"),
        (nothing, {"min_targets": 0}, ValueError, "min_targets is 0"),
        (nothing, {"min_targets": 99}, ValueError, "no regulator has min_targets=99 targets among the genes; the"),
        (
            constant,
            {},
            ValueError,
            "among the genes that vary in these cells; .*has 0.* Compare with more or other cells.$",
        ),
        (nothing, {"n_permutations": -1}, ValueError, "n_permutations is -1"),
        (nothing, {"n_permutations": 9}, ValueError, "n_permutations is 9, too few to learn anything from; give at le"),
        (nothing, {"n_bootstraps": 1}, ValueError, "n_bootstraps is 1, too few"),
        (nothing, {"filter_genes": "yes"}, ValueError, "filter_genes is 'yes'"),
        (nothing, {"shadow": True}, ValueError, "shadow is True; give a number in"),
        (nothing, {"shadow": 25}, ValueError, "shadow is 25; give a number in"),
        (nothing, {"combinations": 0}, ValueError, "combinations is 0; give a number in"),
        (nothing, {"rng": -1}, ValueError, "rng is -1"),
        (nothing, {"n_threads": -2}, ValueError, "n_threads is -2"),
        (spoil_value(np.nan), {}, ValueError, "1 missing .* and 0 infinite values, the first at row 21"),
        (spoil_value(-2.0), {}, ValueError, r"X holds negative values \(such as -2\)"),
        (lambda a: setattr(a, "var_names", ["g1", *GENES[1:]]), {}, ValueError, "var_names holds duplicates: 'g1'"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, spoil, settings, error, match):
    spoil(adata)
    adata.uns["msviper"] = {"params": "of an earlier call"}
    before = state(adata)
    settings = {"groupby": "cell_type", "group": TREG, "network": NETWORK, "min_targets": 1, **settings}
    with pytest.raises(error, match=match):
        ps.tl.msviper(adata, settings.pop("groupby"), settings.pop("group"), **settings)
    assert state(adata) == before


def test_values_that_are_not_finite_do_no_harm_in_cells_that_are_not_compared(adata):
    relabel(1)(adata)
    expected = tables(adata, reference="B cell")
    X = adata.X.toarray()
    X[0, 0] = np.nan
    adata.X = sp.csr_matrix(X)
    assert_same(tables(adata, reference="B cell"), expected)
