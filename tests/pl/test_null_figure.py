"""pl.null: the curves, the threshold and what they are called."""

from __future__ import annotations

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from states import state

import pysces as ps

N_GENES = 80


@pytest.fixture(scope="module")
def made():
    """Counts of two groups with networks: "aracne" by group, "apmi" of all cells."""
    rng = np.random.default_rng(3)
    X = rng.poisson(rng.lognormal(0, 0.5, 260)[:, None] * rng.lognormal(0, 0.7, N_GENES))
    for target in range(40, 50):
        X[:, target] = rng.poisson(0.8 * X[:, target - 40] + 0.2)
    names = [f"g{i}" for i in range(N_GENES)]
    obs = pd.DataFrame({"type": ["T/NK"] * 140 + ["B"] * 120}, index=map(str, range(260)))
    adata = ad.AnnData(sp.csr_matrix(X.astype(np.float32)), obs=obs, var=pd.DataFrame(index=names))
    ps.tl.aracne(adata, names[:30], groupby="type", n_subnetworks=0)
    ps.tl.aracne(adata, names[:30], estimator="apmi", n_subnetworks=0, key_added="apmi")
    return adata


@pytest.fixture
def adata(made):
    return made.copy()


def lines(ax):
    return {line.get_label(): line for line in ax.lines}


def panels(ax):
    """Both panels of a new figure."""
    mi, tests = ax.figure.axes
    assert mi is ax
    return mi, tests


def named(ax, start):
    (found,) = [line for label, line in lines(ax).items() if label.startswith(start)]
    return found


def shares(line):
    """Values of a curve, and the share of pairs beyond."""
    return np.asarray(line.get_xdata()), 10 ** -np.asarray(line.get_ydata())


# --- what is drawn ----------------------------------------------------------------------------------------------------


def test_observed_pairs_are_those_of_the_network(adata):
    mi, tests = panels(ps.pl.null(adata, key="apmi"))
    scored = ps.ARACNe(estimator="apmi").score(adata.X, np.arange(30))
    tested = ~np.isnan(scored.log_pvalue)
    for panel, values in ((mi, scored.mi[tested]), (tests, -scored.log_pvalue[tested] / np.log(10))):
        at, share = shares(lines(panel)["observed"])
        assert at[0] == pytest.approx(values.max())
        expected = [(values >= value - 1e-12 * abs(value)).mean() for value in at]
        np.testing.assert_allclose(share, expected, rtol=1e-9)
        assert share[-1] == 1


@pytest.mark.parametrize("options", [{"key": "apmi"}, {"group": "T/NK"}])
def test_permuted_pairs_lie_on_the_diagonal_and_observed_ones_leave_it(adata, options):
    _, tests = panels(ps.pl.null(adata, **options))
    diagonal = lines(tests)["predicted, within a factor 1.5"]
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    at, share = shares(named(tests, "regulators permuted"))
    usual = (share > 0.01) & (share < 0.3)
    assert (np.abs(np.log10(share[usual]) + at[usual]) < np.log10(1.6)).all()
    at, share = shares(lines(tests)["observed"])
    assert (share > 10 * 10**-at).any()


def test_regulators_are_permuted_within_depth_where_the_estimator_knows_it(adata):
    assert "regulators permuted within depth" in lines(ps.pl.null(adata, group="B"))
    assert "regulators permuted" in lines(ps.pl.null(adata, key="apmi"))
    ps.tl.aracne(adata, ["g1"], depth=None, n_subnetworks=0)
    assert "regulators permuted" in lines(ps.pl.null(adata))


def test_the_partition_predicts_the_information_of_permuted_pairs(adata):
    mi, _ = panels(ps.pl.null(adata, key="apmi"))
    predicted_at, predicted = shares(lines(mi)["predicted"])
    at, share = shares(lines(mi)["regulators permuted"])
    usual = (share > 0.01) & (share < 0.3)
    expected = np.interp(at[usual], predicted_at, predicted)
    assert (np.abs(np.log(expected / share[usual])) < np.log(1.5)).all()
    assert "predicted" not in lines(ps.pl.null(adata, group="B"))


@pytest.mark.parametrize(("key", "group"), [("aracne", "T/NK"), ("apmi", None)])
def test_the_weakest_edge_is_a_line_of_p_and_where_p_follows_from_it_of_information(adata, key, group):
    mi, tests = panels(ps.pl.null(adata, group=group, key=key))
    edges = ps.get.network(adata, group, key=key)
    least, most_p = edges["mi"].min(), np.exp(edges["log_pvalue"].max())
    of_p = lines(tests)[f"edges: p at most {most_p:.1g} (fdr 0.05)"]
    name = f"edges: at least {least:.2g} nats"
    assert (name in lines(mi)) == (key == "apmi")
    if key == "apmi":
        assert lines(mi)[name].get_xdata()[0] == least
    assert of_p.get_xdata()[0] == pytest.approx(-np.log10(most_p))
    assert tests.get_xlim()[1] > of_p.get_xdata()[0]


def test_p_of_the_support_is_no_threshold(adata):
    settings = {"consensus": "poisson", "alpha": 0.5, "correction": "p", "estimator": "apmi", "key_added": "old"}
    ps.tl.aracne(adata, ["g1", "g2"], n_subnetworks=3, **settings)
    mi, tests = panels(ps.pl.null(adata, key="old"))
    assert any(label.startswith("edges: at least") for label in lines(mi))
    assert not any(label.startswith("edges") for label in lines(tests))


def test_a_network_without_edges_says_so(adata):
    with pytest.warns(UserWarning, match="no edge is significant"):
        ps.tl.aracne(adata, ["g70"], alpha=1e-12, correction="fwer", n_subnetworks=0)
    mi, tests = panels(ps.pl.null(adata))
    assert "no edge (fwer 1e-12)" in lines(tests)
    assert not any(label.startswith("edges") for label in lines(mi))


def test_no_correction_has_a_name(adata):
    ps.tl.aracne(adata, ["g1"], correction=None, n_subnetworks=0, dpi=None)
    _, tests = panels(ps.pl.null(adata))
    assert named(tests, "edges: p at most").get_label().endswith("(no correction)")


def test_labels_say_what_is_drawn(adata):
    mi, tests = panels(ps.pl.null(adata, group="T/NK"))
    assert mi.get_title(loc="left") == "140 cells of T/NK, gcmi\n30 regulators x 80 targets"
    assert ps.pl.null(adata, key="apmi").get_title(loc="left").startswith("260 cells, apmi\n")
    assert mi.get_xlabel() == "mutual information (nats)"
    assert tests.get_xlabel() == r"$-\log_{10}$ p of the estimator"
    assert mi.get_ylabel() == r"$-\log_{10}$ share of pairs beyond"
    assert mi.get_xscale() == "log"
    assert mi.get_ylim() == tests.get_ylim()
    for panel in (mi, tests):
        shown = [text.get_text() for text in panel.get_legend().get_texts()]
        assert shown == [line.get_label() for line in panel.lines]
        assert min(text.get_fontsize() for text in panel.get_legend().get_texts()) >= 6


def test_the_sample_is_bounded_and_the_same_each_time(adata):
    one, other = (ps.pl.null(adata, key="apmi", n_pairs=300) for _ in range(2))
    assert one.get_title(loc="left").endswith("30 regulators x 10 targets")
    for a, b in zip(one.lines, other.lines, strict=True):
        np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())


def test_fewer_pairs_than_regulators(adata):
    assert ps.pl.null(adata, key="apmi", n_pairs=1).get_title(loc="left").endswith("1 regulator x 1 target")


# --- which cells, genes and values ------------------------------------------------------------------------------------


def test_one_regulator_and_one_target(adata):
    ps.tl.aracne(adata, ["g0"], targets=["g40"], n_subnetworks=0, dpi=None)
    mi, tests = panels(ps.pl.null(adata))
    assert mi.get_title(loc="left").endswith("1 regulator x 1 target")
    assert len(lines(mi)["observed"].get_xdata()) == len(lines(tests)["observed"].get_xdata()) == 1
    assert lines(mi)["observed"].get_marker() == "o"  # a line of one point would not be seen


def test_targets_and_layer_and_depth_are_those_of_the_network(adata):
    adata.layers["counts"], adata.var["mask"] = adata.X.copy(), np.arange(N_GENES) % 2 == 0
    adata.obs["depth"] = np.asarray(adata.X.sum(axis=1)).ravel()
    adata.X = sp.csr_matrix(adata.X.shape, dtype=np.float32)
    ps.tl.aracne(adata, ["g0", "g1"], layer="counts", mask_var="mask", depth="depth", n_subnetworks=0)
    ax = ps.pl.null(adata)
    assert ax.get_title(loc="left").endswith("2 regulators x 40 targets")
    scored = ps.ARACNe().score(
        adata.layers["counts"], [0, 1], targets=np.arange(0, N_GENES, 2), depth=adata.obs["depth"]
    )
    assert lines(ax)["observed"].get_xdata()[0] == pytest.approx(np.nanmax(scored.mi))


def test_raw_and_several_columns_and_all_cells(adata):
    adata.raw = adata.copy()
    adata = adata[:, :40].copy()
    adata.obs["batch"] = np.where(np.arange(260) % 2, "1", "2")
    ps.tl.aracne(
        adata, ["g0", "g50"], groupby=["type", "batch"], all_cells=True, use_raw=True, n_subnetworks=0, dpi=None
    )
    title = ps.pl.null(adata, group="B | 1").get_title(loc="left")
    assert title.startswith("60 cells of B | 1")
    assert title.endswith("2 regulators x 80 targets")
    assert ps.pl.null(adata, group="all cells").get_title(loc="left").startswith("260 cells, gcmi")


@pytest.mark.parametrize("kind", ["h5ad", "zarr"])
def test_networks_from_files(adata, tmp_path, kind):
    expected = ps.pl.null(adata, group="B")
    path = tmp_path / f"a.{kind}"
    getattr(adata, f"write_{kind}")(path)
    again = ps.pl.null(getattr(ad, f"read_{kind}")(path), group="B")
    for a, b in zip(expected.lines, again.lines, strict=True):
        np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())


# --- axes and errors --------------------------------------------------------------------------------------------------


def test_axes_that_are_given_hold_both_panels(adata):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
    place = left.get_position()
    assert ps.pl.null(adata, key="apmi", ax=left) is left
    figure.canvas.draw()
    assert len(figure.axes) == 3
    for panel in (left, figure.axes[-1]):
        box = panel.get_window_extent().transformed(figure.transFigure.inverted())
        assert place.x0 - 1e-9 <= box.x0 < box.x1 <= place.x1 + 1e-9
    assert not right.lines


def test_adata_is_left_as_it_is(adata):
    before = state(adata)
    ps.pl.null(adata, group="B")
    assert state(adata) == before


def without_genes(adata):
    return adata[:, 5:].copy()


def without_targets(adata):
    targets = set(ps.get.network(adata, "T/NK")["target"]) - {f"g{i}" for i in range(30)}
    return adata[:, [name not in targets for name in adata.var_names]].copy()


def without_groups(adata):
    del adata.obs["type"]
    return adata


def without_cells(adata):
    return adata[adata.obs["type"] == "B"].copy()


def without_parameters(adata):
    adata.uns["aracne"]["params"] = {}
    return adata


def as_it_is(adata):
    return adata


@pytest.mark.parametrize(
    ("spoil", "options", "error", "match"),
    [
        (as_it_is, {"key": "no"}, KeyError, r"adata.uns\['no'\] holds no network"),
        (
            as_it_is,
            {},
            ValueError,
            r"adata.uns\['aracne'\] has networks of groups; give group, one of 'T/NK', 'B'|'B', 'T/NK'",
        ),
        (as_it_is, {"group": "no"}, KeyError, "group='no' has no network"),
        (as_it_is, {"group": "B", "key": "apmi"}, KeyError, "one network of all cells; leave group out"),
        (as_it_is, {"group": "B", "n_pairs": 0}, ValueError, "n_pairs is 0; give a whole number, at least 1"),
        (
            without_genes,
            {"group": "B"},
            ValueError,
            r"5 of 30 regulators of the network \('g0', 'g1', 'g2', ... \(5 in all\)\) are not",
        ),
        (without_targets, {"group": "T/NK"}, ValueError, "targets of the network .* are not among the genes; give the"),
        (without_groups, {"group": "B"}, KeyError, "groupby='type' is not a column of adata.obs"),
        (
            without_cells,
            {"group": "T/NK"},
            KeyError,
            r"group='T/NK' has no cells in adata.obs\['type'\], which has: 'B'",
        ),
        (without_parameters, {}, KeyError, r"adata.uns\['aracne'\] lacks the parameters of pysces.tl.aracne"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, spoil, options, error, match):
    adata = spoil(adata)
    before = state(adata)
    with pytest.raises(error, match=match):
        ps.pl.null(adata, **options)
    assert state(adata) == before
    assert not plt.get_fignums()
