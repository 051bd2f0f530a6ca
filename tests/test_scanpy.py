"""scanpy works on activities: its tools on ``get.activity``, its figures with the values they should have."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba

import pysces as ps

pytestmark = pytest.mark.filterwarnings(  # inside scanpy
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::PendingDeprecationWarning",
    "ignore:invalid value encountered in log2",  # fold changes of negative scores
)
NAMES = ["SPI1", "SP140", "SPIB"]


@pytest.fixture(scope="module")
def scored():
    adata = ps.datasets.pbmc68k()
    ps.tl.aracne(adata, "human_tfs", n_subnetworks=1)
    ps.tl.viper(adata, min_targets=5)
    ps.tl.rank_regulators(adata, "cell_type")
    return adata


@pytest.fixture(scope="module")
def with_tools(scored):
    activity = ps.get.activity(scored)
    sc.pp.pca(activity, n_comps=10)
    sc.pp.neighbors(activity, n_pcs=10)
    sc.tl.leiden(activity, flavor="igraph", n_iterations=2, directed=False)
    sc.tl.dendrogram(activity, "cell_type", use_rep="X_pca")
    return activity


@pytest.fixture
def act(with_tools):
    with mpl.rc_context({"backend": "Agg"}):
        yield with_tools.copy()
    plt.close("all")


@pytest.fixture
def means(act):
    """Mean activity of the groups, by hand."""
    return act.to_df()[NAMES].groupby(act.obs["cell_type"], observed=True).mean()


def agreement(clusters, types):
    """Share of cells of the most frequent type of their cluster."""
    table = pd.crosstab(clusters, types)
    return table.max(axis=1).sum() / table.to_numpy().sum()


# --- tools ------------------------------------------------------------------------------------------------------------


def test_components_are_those_of_the_activities(act):
    x = act.X.astype(np.float64) - act.X.mean(axis=0, dtype=np.float64)
    found = np.abs(act.obsm["X_pca"][:, 0])
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    np.testing.assert_allclose(found, np.abs(u[:, 0] * s[0]), rtol=1e-2, atol=1e-2)  # float32


def test_clusters_of_activities_are_cell_types(act):
    shuffled = np.random.default_rng(0).permutation(act.obs["cell_type"])
    found = agreement(act.obs["leiden"], act.obs["cell_type"])
    assert found > agreement(act.obs["leiden"], shuffled) + 0.2


def test_activities_are_a_representation_of_the_cells(scored):
    adata = scored.copy()
    sc.pp.neighbors(adata, use_rep="viper", n_neighbors=5)
    x = adata.obsm["viper"].to_numpy(np.float64)
    for cell in (0, 350, 699):
        distance = np.linalg.norm(x - x[cell], axis=1)
        near = np.flatnonzero(adata.obsp["distances"][[cell]].toarray()[0])
        assert distance[near].max() <= np.sort(distance)[5] + 1e-3
    act = ps.get.activity(scored)
    sc.pp.neighbors(act, use_rep="X", n_neighbors=5)
    np.testing.assert_allclose(adata.obsp["distances"].toarray(), act.obsp["distances"].toarray(), rtol=1e-5, atol=1e-5)


def test_regulators_of_groups_are_tested(act):
    ours = act.uns.pop("rank_genes_groups")
    sc.tl.rank_genes_groups(act, "cell_type", method="wilcoxon", tie_correct=True)
    theirs = sc.get.rank_genes_groups_df(act, "Dendritic")
    np.testing.assert_allclose(theirs["scores"], ours["scores"]["Dendritic"], rtol=1e-5)


# --- figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["matrixplot", "dotplot", "stacked_violin"])
def test_groups_by_regulators_show_mean_activities(act, means, kind):
    options = {"expression_cutoff": 0} if kind == "dotplot" else {}
    figure = getattr(sc.pl, kind)(act, NAMES, "cell_type", return_fig=True, **options)
    figure.make_figure()
    axes = figure.get_axes()["mainplot_ax"]
    assert [text.get_text() for text in axes.get_xticklabels()] == NAMES
    assert [text.get_text() for text in axes.get_yticklabels()] == means.index.tolist()
    match kind:
        case "matrixplot":
            (mesh,) = axes.collections
            np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(means.shape), means, rtol=1e-4, atol=1e-4)
        case "dotplot":
            np.testing.assert_allclose(figure.dot_color_df, means, rtol=1e-4, atol=1e-4)
            active = (act.to_df()[NAMES] > 0).groupby(act.obs["cell_type"], observed=True).mean()
            np.testing.assert_allclose(figure.dot_size_df, active)
        case "stacked_violin":
            bodies = [
                part for each in axes.figure.axes for part in each.collections if isinstance(part, PolyCollection)
            ]
            assert len(bodies) == means.size


def test_a_heatmap_shows_every_cell(act):
    axes = sc.pl.heatmap(act, NAMES, "cell_type", show=False)["heatmap_ax"]
    (image,) = axes.images
    shown = np.asarray(image.get_array())
    assert shown.shape == (act.n_obs, len(NAMES))
    ends = np.cumsum([0, *act.obs["cell_type"].value_counts(sort=False)])
    for group, start, stop in zip(act.obs["cell_type"].cat.categories, ends, ends[1:], strict=False):
        expected = act[act.obs["cell_type"] == group, NAMES].X
        np.testing.assert_array_equal(
            shown[start:stop][np.lexsort(shown[start:stop].T)], expected[np.lexsort(expected.T)]
        )


def test_cells_are_coloured_by_activity_and_by_the_colours_of_adata(act):
    by_activity, by_type = sc.pl.umap(act, color=["SPI1", "cell_type"], show=False, sort_order=False)
    points = by_activity.collections[0]
    np.testing.assert_allclose(points.get_offsets(), act.obsm["X_umap"])
    np.testing.assert_allclose(points.get_array(), act.to_df()["SPI1"])
    colours = [to_rgba(colour) for colour in act.uns["cell_type_colors"]]
    expected = [colours[code] for code in act.obs["cell_type"].cat.codes]
    np.testing.assert_allclose(by_type.collections[0].get_facecolors(), expected)


def test_the_dendrogram_has_a_leaf_per_group(act):
    axes = sc.pl.dendrogram(act, "cell_type", show=False)
    leaves = [text.get_text() for text in axes.get_xticklabels()]
    assert sorted(leaves) == sorted(act.obs["cell_type"].cat.categories)


def test_ranked_regulators_are_drawn_with_their_dendrogram(act):
    first = {group: act.uns["rank_genes_groups"]["names"][group][0] for group in act.obs["cell_type"].cat.categories}
    axes = sc.pl.rank_genes_groups_matrixplot(act, n_genes=1, show=False, dendrogram=True)
    groups = [text.get_text() for text in axes["mainplot_ax"].get_yticklabels()]
    assert groups == act.uns["dendrogram_cell_type"]["categories_ordered"]
    shown = [text.get_text() for text in axes["mainplot_ax"].get_xticklabels()]
    assert shown == [first[group] for group in groups]


def test_ranked_regulators_are_drawn_as_violins(act):
    (axes,) = np.ravel(sc.pl.rank_genes_groups_violin(act, "Dendritic", n_genes=3, show=False, strip=False))
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == act.uns["rank_genes_groups"]["names"]["Dendritic"][:3].tolist()
