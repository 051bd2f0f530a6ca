"""Comparisons of groups that differ in sequencing depth."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from states import state

import pysces as ps

GENES = [f"g{i}" for i in range(600)]
DEPTHS = r"the sequencing depth of .* differs by a factor of up to (1.9|2.\d)"


def cells(kept=0.5, n=400):
    """Log-normalised cells that are alike, the counts of half of which were thinned."""
    rng = np.random.default_rng(0)
    level = 2 * np.sort(rng.gamma(0.4, 1, len(GENES)))[::-1]
    counts = rng.poisson(rng.lognormal(0, 0.3, (n, 1)) * level)
    shallow = np.arange(n) % 2 == 1
    counts[shallow] = rng.binomial(counts[shallow], kept)
    obs = pd.DataFrame(
        {"batch": np.where(shallow, "shallow", "deep"), "lane": np.where(np.arange(n) < n / 2, "1", "2")},
        index=[f"c{i}" for i in range(n)],
    )
    adata = ad.AnnData(counts.astype(np.float32), obs=obs.astype("category"), var=pd.DataFrame(index=GENES))
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    targets = [rng.choice(150 if k % 2 else 600, 40, replace=False) for k in range(40)]
    net = pd.DataFrame([(f"R{k}", GENES[t], 1.0) for k, of in enumerate(targets) for t in of])
    ps.tl.viper(adata, net.set_axis(["source", "target", "weight"], axis=1), filter_genes=False)
    return adata


@pytest.fixture(scope="module")
def thinned():
    return cells()


@pytest.fixture
def adata(thinned):
    return thinned.copy()


def share(adata):
    return (np.exp(ps.get.regulators(adata, "deep")["log_qvalue"]) < 0.05).mean()


def test_like_cells_of_different_depth_are_warned_of_and_alike_within_strata_of_depth(adata, recwarn):
    with pytest.warns(UserWarning, match=f"{DEPTHS}.*strata='depth'"):
        ps.tl.rank_regulators(adata, "batch")
    assert share(adata) > 0.3
    recwarn.clear()
    ps.tl.rank_regulators(adata, "batch", strata="depth")
    assert not [one for one in recwarn if "factor" in str(one.message)]
    assert share(adata) < 0.1
    assert adata.uns["rank_regulators"]["params"]["strata"] == "depth"


@pytest.mark.filterwarnings("error::UserWarning")
def test_cells_of_one_depth_are_not_warned_of():
    ps.tl.rank_regulators(cells(kept=1.0, n=200), "batch")


@pytest.mark.filterwarnings("error::UserWarning")
def test_types_of_cells_that_differ_in_depth_and_composition_are_not_warned_of():
    adata = ps.datasets.pbmc68k()
    net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    ps.tl.viper(adata, net, min_targets=4, filter_genes=False)
    ps.tl.rank_regulators(adata, "cell_type")


def test_strata_may_be_a_column_and_are_those_of_the_cells(adata):
    ps.tl.rank_regulators(adata, "batch", strata="lane")
    codes, table = (adata.obs["batch"] == "deep").to_numpy(), ps.get.regulators(adata, "deep").set_index("source")
    x, lane, larger, pairs = adata.obsm["viper"]["R3"].to_numpy(), adata.obs["lane"].to_numpy(), 0.0, 0
    for label in ("1", "2"):  # strata of equal size, so that their weights are the same
        own, others = x[codes & (lane == label)], x[~codes & (lane == label)]
        larger += (own[:, None] > others).sum() + (own[:, None] == others).sum() / 2
        pairs += len(own) * len(others)
    assert table.loc["R3", "effect"] == pytest.approx(larger / pairs, rel=1e-9)


def test_groups_that_hardly_meet_in_a_stratum_are_warned_of(adata):
    adata.obs["plate"] = np.where(np.arange(400) < 360, adata.obs["batch"].astype(str), "both")
    with pytest.warns(UserWarning, match="within strata='plate' only 10% of the cells of 'deep' have cells to be comp"):
        ps.tl.rank_regulators(adata, "batch", strata="plate")


def test_a_group_that_meets_no_other_in_a_stratum_is_left_out(adata):
    adata.obs["type"] = np.where(np.arange(400) < 100, "a", np.where(np.arange(400) < 250, "b", "c"))
    adata.obs["plate"] = np.where(np.arange(400) < 100, "1", "2")
    with pytest.warns(UserWarning, match="groups 'a' have fewer .* compared with in strata='plate', and"):
        ps.tl.rank_regulators(adata, "type", strata="plate")
    assert set(adata.uns["rank_regulators"]["table"]["group"]) == {"b", "c"}
    assert adata.uns["rank_regulators"]["params"]["groups_skipped"] == "a"


def test_cells_without_a_stratum_are_told(adata):
    adata.obs["plate"] = np.where(np.arange(400) < 40, None, "1")
    with pytest.warns(UserWarning, match="40 cells have no label in strata='plate' and are left out"):
        ps.tl.rank_regulators(adata, "batch", strata="plate")


def test_pairs_so_few_that_no_p_can_be_small_are_warned_of(adata):
    few = adata[:8].copy()
    few.obs["donor"] = np.repeat(list("abcd"), 2)
    with pytest.warns(UserWarning, match=r"8 cells or samples \(4 against 4\) .* in 16 ways: no p is below 0.12"):
        ps.tl.rank_regulators(few, "batch", strata="donor")


def test_cells_without_activities_are_not_asked_for_their_depth(recwarn):
    adata = cells(kept=1.0, n=200)
    adata.X[1:20:2] = 0
    adata.obsm["viper"].iloc[1:20:2] = np.nan
    ps.tl.rank_regulators(adata, "batch")
    assert not [one for one in recwarn if "depth" in str(one.message)]


def scaled(adata):
    adata.X = np.asarray(adata.X) - 1


def labels(adata):
    adata.obs["depth"] = adata.obs["batch"]


def numbers(adata):
    adata.obs["score"] = np.linspace(0, 1, adata.n_obs)


def apart(adata):
    adata.obs["plate"] = adata.obs["batch"]


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("spoil", "settings", "match"),
    [
        (nothing, {"strata": "plate"}, "strata='plate' is neither 'depth' nor a column"),
        (numbers, {"strata": "score"}, "strata='score' holds numbers, not labels; divide them"),
        (apart, {"strata": "plate"}, "no group .* to be compared with in strata='plate': .* or other strata"),
        (nothing, {"strata": "lane", "method": "t-test"}, "strata='lane' has no meaning with method='t-test'; use"),
        (scaled, {"strata": "depth"}, "strata='depth' needs counts, or values that counts can be had back from"),
        (labels, {"strata": "depth"}, "strata='depth' is ambiguous: adata.obs has a column of labels 'depth'"),
    ],
)
def test_errors_leave_adata_as_it_is(adata, spoil, settings, match):
    spoil(adata)
    before = state(adata)
    with pytest.raises((ValueError, KeyError, TypeError), match=match):
        ps.tl.rank_regulators(adata, "batch", **settings)
    assert state(adata) == before


def test_a_matrix_that_holds_no_depth_is_not_looked_at(adata, recwarn):
    scaled(adata)
    ps.tl.rank_regulators(adata, "batch")
    assert not [one for one in recwarn if "depth" in str(one.message)]
