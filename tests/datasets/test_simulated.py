"""Simulated cells: counts, conditions, and a network that drives them as it says."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from states import state

import pysces as ps

pytestmark = pytest.mark.filterwarnings("ignore:X holds counts")


def edges(adata: ad.AnnData) -> pd.DataFrame:
    """The true network, with names as strings."""
    return adata.uns["truth"].astype({"source": str, "target": str})


def test_counts_names_and_truth_have_the_form_that_is_documented() -> None:
    adata = ps.datasets.simulated(1200, n_genes=80, n_regulators=6, n_types=3, n_perturbed=3)
    assert adata.shape == (1200, 80)
    assert sp.issparse(adata.X)
    assert adata.X.format == "csr"
    assert adata.X.dtype == np.float32
    assert (adata.X.data == np.rint(adata.X.data)).all()
    assert adata.X.data.min() > 0
    assert adata.var_names[5:7].tolist() == ["R5", "G0"]
    assert adata.var["regulator"].tolist() == [True] * 6 + [False] * 74
    assert sorted(adata.var["shift"][adata.var["shift"] != 0]) == [-1, 1, 1]
    assert not adata.var.loc[~adata.var["regulator"], "shift"].any()
    assert adata.obs["condition"].value_counts().to_dict() == {"control": 600, "treated": 600}
    assert list(adata.obs["cell_type"].cat.categories) == ["type0", "type1", "type2"]
    assert adata.obs["cell_type"].value_counts().min() > 300
    assert list(adata.uns["truth"].dtypes.astype(str)) == ["category", "category", "float64"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_cells() -> None:
    first, second = (ps.datasets.simulated(1100, n_genes=50, n_regulators=5, n_perturbed=1, rng=3) for _ in range(2))
    assert state(first) == state(second)
    assert state(first) != state(ps.datasets.simulated(1100, n_genes=50, n_regulators=5, n_perturbed=1, rng=4))


@pytest.mark.parametrize("seed", range(5))
def test_weights_of_a_gene_have_norm_one_and_no_edge_leads_back(seed) -> None:
    truth = edges(ps.datasets.simulated(10, n_genes=300, n_regulators=40, rng=seed))
    assert not truth.duplicated(["source", "target"]).any()
    assert np.allclose((truth["weight"] ** 2).groupby(truth["target"]).sum(), 1)
    assert 1.35 * 300 < len(truth) < 1.65 * 300
    assert 0.2 < (truth["weight"] < 0).mean() < 0.45
    among = truth[truth["target"].str.startswith("R")]
    assert (among["source"].str[1:].astype(int) < among["target"].str[1:].astype(int)).all()


def deep(adata: ad.AnnData) -> pd.DataFrame:
    """Logs of counts so large that they have no noise of sampling, less their mean over genes that nothing drives."""
    log = pd.DataFrame(np.log(adata.X.toarray()), columns=adata.var_names)
    free = adata.var_names[~adata.var["regulator"]].difference(edges(adata)["target"])
    return log.sub(log[free].mean(axis=1), axis=0)


def test_regulators_drive_genes_with_their_weights_and_explain_sixty_percent() -> None:
    adata = ps.datasets.simulated(3000, n_genes=600, n_regulators=8, depth=1e9)
    log, truth = deep(adata), edges(adata)
    error, noise = [], []
    for target, own in truth.groupby("target"):
        design = np.c_[log[own["source"]], np.ones(len(log))]
        fit, rest = np.linalg.lstsq(design, log[target], rcond=None)[:2]
        error.append(np.abs(fit[:-1] - np.sqrt(0.6) * own["weight"]).max())
        noise.append(rest[0] / len(log))
    assert max(error) < 0.12
    assert np.mean(noise) == pytest.approx(0.4, abs=0.02)


def test_depth_is_log_normal_around_its_median() -> None:
    adata = ps.datasets.simulated(4000, n_genes=100, n_regulators=5, depth=20_000)
    depth = np.asarray(adata.X.sum(axis=1)).ravel()
    assert np.median(depth) == pytest.approx(20_000, rel=0.05)
    assert np.log(depth).std() == pytest.approx(0.5, abs=0.03)


def test_regulators_differ_between_types_where_there_are_several() -> None:
    for n_types, between in ((1, 0.0), (60, 0.5)):
        adata = ps.datasets.simulated(6000, n_genes=150, n_regulators=20, n_types=n_types, depth=1e9)
        free = adata.var_names[adata.var["regulator"]].difference(edges(adata)["target"])
        log = deep(adata)[free]
        within = log.groupby(adata.obs["cell_type"].to_numpy(), observed=True).transform("mean")
        assert (within.var() / log.var()).mean() == pytest.approx(between, abs=0.07)


def test_a_perturbed_regulator_moves_its_targets_but_not_its_own_mrna() -> None:
    adata = ps.datasets.simulated(6000, n_genes=300, n_regulators=10, n_perturbed=2, depth=1e9, rng=1)
    log, truth, shift = deep(adata), edges(adata), adata.var["shift"]
    treated = (adata.obs["condition"] == "treated").to_numpy()
    moved = log[treated].mean() - log[~treated].mean()
    expected = pd.Series(0.0, index=log.columns)
    for target in log.columns:  # regulators first, each before its targets
        for source, weight in truth.loc[truth["target"] == target, ["source", "weight"]].to_numpy():
            expected[target] += np.sqrt(0.6) * weight * (expected[source] + shift[source])
    assert (shift != 0).sum() == 2
    assert expected.abs().max() > 0.7
    assert (moved - expected).abs().max() < 0.15


def test_without_perturbation_conditions_do_not_differ() -> None:
    adata = ps.datasets.simulated(4000, n_genes=300, n_regulators=10, depth=1e9)
    log, treated = deep(adata), (adata.obs["condition"] == "treated").to_numpy()
    t = (log[treated].mean() - log[~treated].mean()) / (log.std() * np.sqrt(1 / 2000 + 1 / 2000))
    assert not adata.var["shift"].any()
    assert t.std() == pytest.approx(1, abs=0.25)


def test_aracne_finds_the_network_and_viper_takes_the_truth() -> None:
    adata = ps.datasets.simulated(800, n_genes=200, n_regulators=8)
    truth = edges(adata)
    ps.tl.aracne(adata, "regulator", n_subnetworks=2)
    found = (
        ps.get.network(adata).astype({"source": str, "target": str}).merge(truth, on=["source", "target"], how="left")
    )
    assert found["weight_y"].notna().mean() > 0.8
    known = found.dropna()
    assert (np.sign(known["weight_x"]) == np.sign(known["weight_y"])).all()
    ps.tl.viper(adata, adata.uns["truth"], min_targets=10)
    assert adata.obsm["viper"].shape == (800, truth["source"].value_counts().ge(10).sum())


def test_the_smallest_sets_are_made() -> None:
    adata = ps.datasets.simulated(1, n_genes=2, n_regulators=1, n_perturbed=1)
    assert adata.shape == (1, 2)
    assert edges(adata)["target"].tolist() == ["G0"]


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_all_of_it_survives_a_file(tmp_path, suffix) -> None:
    adata = ps.datasets.simulated(50, n_genes=30, n_regulators=3, n_types=2, n_perturbed=1)
    path = tmp_path / f"cells.{suffix}"
    getattr(adata, f"write_{suffix}")(path)
    again = getattr(ad, f"read_{suffix}")(path)
    assert (again.X != adata.X).nnz == 0
    pd.testing.assert_frame_equal(again.obs, adata.obs)
    pd.testing.assert_frame_equal(again.var, adata.var)
    pd.testing.assert_frame_equal(edges(again), edges(adata), check_index_type=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_cells": 0}, "n_cells is 0; give a whole number, at least 1"),
        ({"n_cells": 10.5}, "n_cells is 10.5"),
        ({"n_types": 0}, "n_types is 0"),
        ({"n_genes": 1}, "n_genes is 1; give a whole number, at least 2"),
        ({"n_genes": 30}, "n_regulators is 30 of n_genes=30; give fewer"),
        ({"n_regulators": 0}, "n_regulators is 0"),
        ({"n_perturbed": 31}, "n_perturbed is 31, more than n_regulators=30; give at most so many"),
        ({"n_perturbed": -1}, "n_perturbed is -1"),
        ({"depth": 0}, "depth is 0; give a number of counts above 0"),
        ({"depth": np.nan}, "depth is nan"),
        ({"depth": np.inf}, "depth is inf"),
        ({"depth": "deep"}, "depth is 'deep'"),
        ({"rng": -1}, "rng is -1"),
    ],
)
def test_numbers_out_of_range_are_errors(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        ps.datasets.simulated(**arguments)
