"""What users are told, once per call, of networks that are small beside the genes, and of cells without counts."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import pysces as ps

GENES = [f"g{i}" for i in range(200)]
UP = np.arange(80) < 40


def regulons(n, size=20, first=0):
    names = np.repeat([f"R{i}" for i in range(n)], size)
    return pd.DataFrame({"source": names, "target": GENES[first : first + n * size], "weight": 1.0})


@pytest.fixture
def adata():
    """The targets of R0 are higher in the first half of the cells."""
    x = np.random.default_rng(0).gamma(2, 1, (80, 200))
    x[UP, :20] *= 3
    obs = pd.DataFrame({"half": np.where(UP, "up", "down")}, index=[f"c{i}" for i in range(80)])
    return ad.AnnData(x, obs=obs.astype("category"), var=pd.DataFrame(index=GENES))


def viper(adata, network, **settings):
    ps.tl.viper(adata, network, min_targets=settings.pop("min_targets", 5), **settings)
    return adata.obsm["viper"]


@pytest.mark.parametrize("enrichment", ["area", "narnea"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_regulons_are_scored_among_all_genes(adata, n, enrichment):
    found = viper(adata, regulons(n), enrichment=enrichment)
    assert found["R0"][UP].mean() > found["R0"][~UP].mean() + 2
    assert np.abs(np.corrcoef(found.T) - np.eye(n)).max() < 0.5 if n > 1 else True
    assert adata.uns["viper"]["params"]["all_genes_ranked"] is True
    pd.testing.assert_frame_equal(found, viper(adata, regulons(n), enrichment=enrichment, filter_genes=False))


def test_many_regulons_are_scored_among_the_genes_of_the_network(adata):
    network = regulons(8)
    among = viper(adata[:, :160].copy(), network, filter_genes=False)
    pd.testing.assert_frame_equal(viper(adata, network), among)
    assert adata.uns["viper"]["params"]["all_genes_ranked"] is False


def test_genes_without_a_signature_do_not_count_as_ranked(adata):
    adata.X[:, 20:160] = 1.0  # of eight regulons only that of R0 varies
    with pytest.warns(UserWarning, match="7 regulators drop out"):
        model = ps.VIPER(regulons(8), min_targets=5).fit(adata.X, GENES)
    assert not model.filter_genes_
    assert model.regulators_.tolist() == ["R0"]


def test_contrasts_rank_all_genes_beside_few_regulons(adata):
    ps.tl.msviper(adata, "half", "up", network=regulons(2), min_targets=5, n_permutations=0)
    assert len(adata.uns["msviper"]["signature"]) == 200
    assert adata.uns["msviper"]["params"]["all_genes_ranked"] is True


def test_one_log_line_says_that_all_genes_are_ranked_and_why(adata, log):
    viper(adata, regulons(2), groupby="half")
    lines = [line for line in log.getvalue().splitlines() if "ranking all genes" in line]
    assert len(lines) == 1
    assert "in 'down', 'up': regulator 'R0' holds 20 of the 40 genes of the network" in lines[0]
    assert adata.uns["viper"]["params"]["all_genes_ranked"].tolist() == ["down", "up"]


def test_a_panel_of_which_a_regulon_holds_half_is_warned_of_once(adata):
    panel = adata[:, :40].copy()
    with pytest.warns(UserWarning, match="'R0' holds 20 of the 40 genes that are ranked.*mirror") as seen:
        viper(panel, regulons(2), groupby="half")
    assert len(seen) == 1


def test_gene_sets_that_hold_half_of_the_regulators_are_warned_of(adata):
    viper(adata, regulons(8))
    with pytest.warns(UserWarning, match="gene set 'many' holds 5 of the 8 regulators that are ranked"):
        ps.tl.pathways(adata, {"many": [f"R{i}" for i in range(5)]})


@pytest.mark.filterwarnings("ignore:37 of 200 genes")  # they look as if they were not measured
@pytest.mark.parametrize("groupby", [None, "half"])
def test_targets_that_do_not_vary_in_the_reference_do_not_count(adata, groupby):
    adata.X[~UP, 0:17] = adata.X[~UP, 20:40] = 0  # of R0 three targets vary in the reference, of R1 none
    with pytest.warns(
        UserWarning, match=r"2 regulators drop out.*'R0', 'R1'.*min_targets=5.*\('R0': 3 of 20\)"
    ) as seen:
        found = viper(adata, regulons(9), groupby=groupby, reference="down" if groupby else ~UP)
    assert sum("drop out" in str(warning.message) for warning in seen) == 1
    assert found.columns.tolist() == [f"R{i}" for i in range(2, 9)]
    assert ps.get.regulons(adata)["source"].unique().tolist() == found.columns.tolist()


def test_targets_are_counted_alike_for_cells_and_for_contrasts(adata):
    adata.X[:, [3, 5, 25]] = 1.0
    viper(adata, regulons(9))
    ps.tl.msviper(adata, "half", "up", network=regulons(9), min_targets=5, n_permutations=0)
    of_contrast = ps.get.msviper(adata).set_index("source")["n_targets"]
    assert ps.get.regulons(adata).set_index("source")["n_targets"].to_dict() == of_contrast.to_dict()
    assert of_contrast.loc[["R0", "R1", "R2"]].tolist() == [18, 19, 20]


def test_a_contrast_warns_of_regulators_whose_targets_do_not_vary(adata):
    adata.X[:, :18] = 1.0
    with pytest.warns(UserWarning, match=r"1 regulator drops out \('R0'\).*vary in these cells"):
        ps.tl.msviper(adata, "half", "up", network=regulons(9), min_targets=5, n_permutations=0)


def test_if_no_regulator_is_left_the_error_says_that_targets_do_not_vary(adata):
    adata.X[:, :198] = 1.0
    with pytest.raises(ValueError, match="no regulator has min_targets=5 targets among the genes that vary in the ref"):
        viper(adata, regulons(9), filter_genes=False)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize(
    "settings",
    [{}, {"signature": "none"}, {"signature": "rank"}, {"enrichment": "narnea"}, {"n_bootstraps": 3}],
    ids=lambda settings: next(iter(settings.values()), "scale"),
)
def test_cells_without_a_value_get_no_scores_and_are_counted(adata, form, settings):
    before = viper(adata, regulons(9), **settings)
    adata.X[[4, 70]] = 0
    adata.X[9, :180] = 0  # none among the genes of the network
    adata.X = form(adata.X)
    with pytest.warns(UserWarning, match="^3 of 80 cells get no scores"):
        found = viper(adata, regulons(9), **settings)
    assert np.flatnonzero(found.isna().all(axis=1)).tolist() == [4, 9, 70]
    assert found.notna().sum().sum() == 77 * 9
    assert before.notna().all(axis=None)
    for name in adata.obsm:
        assert adata.obsm[name].iloc[[4, 9, 70]].isna().all(axis=None)


def test_the_class_counts_empty_cells_too(adata):
    adata.X[3] = 0
    model = ps.VIPER(regulons(9), min_targets=5).fit(adata.X, GENES)
    with pytest.warns(UserWarning, match="^1 of 10 cells"):
        found = model.score(adata.X, rows=np.arange(10))
    assert found.empty.tolist() == np.isnan(found.nes).all(axis=1).tolist() == [i == 3 for i in range(10)]


def test_empty_cells_have_no_network_among_several(adata):
    adata.X[3] = 0
    with pytest.warns(UserWarning, match="^1 of 80 cells"):
        viper(adata, {"a": regulons(9), "b": regulons(9).assign(weight=-1.0)})
    assert adata.obs["viper_network"].isna().tolist() == [i == 3 for i in range(80)]


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_empty_cells_are_counted_on_the_way_to_a_file(adata, tmp_path, suffix):
    adata.X[3] = 0
    path = tmp_path / f"a.{suffix}"
    with pytest.warns(UserWarning, match="^1 of 80 cells"):
        ps.tl.viper(adata, regulons(9), min_targets=5, out=path)
    x = getattr(ad, f"read_{suffix}")(path).X
    assert np.flatnonzero(np.isnan(x).all(axis=1)).tolist() == [3]
