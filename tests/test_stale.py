"""Results are not used in silence for other cells than those that they were made from."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import pysces as ps
from pysces._cells import NAMES, moved_groups, n_foreign, remembered

N = 120
GENES = [f"g{i}" for i in range(30)]
NETWORK = pd.DataFrame({"source": np.repeat(["R0", "R1", "R2", "R3"], 12), "target": [*GENES[:24], *GENES[6:]]})
NETWORK["weight"] = 1.0


def cells(prefix="c", seed=0) -> ad.AnnData:
    """Cells of two clusters that do not differ, two thirds and one third."""
    x = np.random.default_rng(seed).gamma(2.0, 1.0, (N, len(GENES)))
    obs = pd.DataFrame({"leiden": pd.Categorical(np.where(np.arange(N) % 3 < 2, "0", "1"))})
    return ad.AnnData(x, obs=obs.set_index(pd.Index([f"{prefix}{i}" for i in range(N)])), var=pd.DataFrame(index=GENES))


def swapped(adata):
    adata.obs["leiden"] = adata.obs["leiden"].cat.rename_categories({"0": "1", "1": "0"})


def labels(adata):
    return pd.Categorical(adata.obs["leiden"])


# --- what is remembered -----------------------------------------------------------------------------------------------


def subset(adata):
    return adata[adata.obs["leiden"].isin(["0"]) | (np.arange(N) % 2 == 0)].copy()


def shuffled(adata):
    return adata[np.random.default_rng(0).permutation(N)].copy()


def with_new_cells(adata):
    return ad.concat([adata, cells("new", 1)], merge="same", uns_merge="first")


def renamed(adata):
    adata.obs_names = [f"{name}-1" for name in adata.obs_names]
    return adata


def other_order_of_labels(adata):
    adata.obs["leiden"] = adata.obs["leiden"].cat.reorder_categories(["1", "0"])
    return adata


def some_without_label(adata):
    adata.obs.iloc[:30, 0] = np.nan
    return adata


def few_moved(adata):
    adata.obs.iloc[[0, 1], 0] = "1"
    return adata


LEGITIMATE = [subset, shuffled, renamed, other_order_of_labels, some_without_label, few_moved, with_new_cells]


def swap(adata):
    swapped(adata)
    return adata


def split(adata):
    adata.obs["leiden"] = pd.Categorical(np.where(np.arange(N) < 40, "2", adata.obs["leiden"].astype(str)))
    return adata


def merged(adata):
    adata.obs["leiden"] = pd.Categorical(np.repeat("0", N))
    return adata


def swap_and_subset(adata):
    return shuffled(swap(adata))[:70].copy()


ANEW = [swap, split, merged, swap_and_subset]


@pytest.mark.parametrize("change", LEGITIMATE)
def test_groups_stay_known_when_cells_go_come_or_change_places(change):
    adata = cells()
    made = remembered(adata.obs_names, labels(adata))
    changed = change(adata)
    assert not moved_groups(made, changed.obs_names, labels(changed))


@pytest.mark.parametrize("change", ANEW)
def test_groups_made_anew_are_found_out(change):
    adata = cells()
    made = remembered(adata.obs_names, labels(adata))
    changed = change(adata)
    assert "0" in {group.label for group in moved_groups(made, changed.obs_names, labels(changed))}


def test_numbers_of_cells_are_those_before_now_and_in_both():
    adata = cells()
    made = remembered(adata.obs_names, labels(adata))
    split(adata)
    assert moved_groups(made, adata.obs_names, labels(adata)) == [("0", 80, 53, 53), ("1", 40, 27, 27)]


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_memory_survives_files(tmp_path, suffix):
    adata = cells()
    adata.uns["made"] = remembered(adata.obs_names, labels(adata))
    getattr(adata, f"write_{suffix}")(tmp_path / f"x.{suffix}")
    read = getattr(ad, f"read_{suffix}")(tmp_path / f"x.{suffix}")
    assert not moved_groups(read.uns["made"], read.obs_names, labels(read))
    swapped(read)
    assert len(moved_groups(read.uns["made"], read.obs_names, labels(read))) == 2
    assert n_foreign(read.uns["made"], read.obs_names) == 0


def test_names_have_the_same_hashes_in_every_process():
    expected = np.array([13950350942979735504, 16908809132758853863], np.uint64).view(np.int64)
    np.testing.assert_array_equal(remembered(pd.Index(["a", "é"]))[NAMES], expected)


def test_cells_that_share_a_name_are_not_remembered():
    assert remembered(pd.Index(["a", "a"])) == {}


# --- what is refused or warned of -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inferred():
    adata = cells()
    counts = np.rint(3 * adata.X)
    counts[:, :12] += counts[:, [12]]  # so that there are edges
    adata.layers["counts"] = counts
    options = {"n_subnetworks": 1, "dpi": None, "correction": "p", "depth": None, "layer": "counts", "min_cells": 20}
    ps.tl.aracne(adata, ["g12", "g13"], groupby="leiden", **options)
    ps.tl.viper(adata, NETWORK, groupby="leiden", reference="all", min_targets=5)
    ps.tl.rank_regulators(adata, "leiden")
    return adata


STALE = r"2 groups \('0', '1'\).*group '0' had 80 cells and has 40 now, of which 0 are the same"
USES = {
    "viper": lambda a: ps.tl.viper(a, groupby="leiden", min_targets=2, key_added="other"),
    "viper of several": lambda a: ps.tl.viper(
        a, {"a": "aracne", "b": NETWORK}, groupby="leiden", min_targets=2, key_added="other"
    ),
    "get.activity": ps.get.activity,
    "pl.rank_regulators": ps.pl.rank_regulators,
    "pl.activity_heatmap": ps.pl.activity_heatmap,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_results_of_groups_that_were_made_anew_are_warned_of(inferred, use):
    adata = inferred.copy()
    use(adata)
    swapped(adata)
    with pytest.warns(UserWarning, match=STALE):
        use(adata)


def test_a_network_of_a_group_that_was_made_anew_is_warned_of(inferred):
    adata = inferred.copy()
    swapped(adata)
    with pytest.warns(UserWarning, match=r"1 group \('0'\).*pysces.tl.aracne\(adata, ...\) again"):
        ps.tl.msviper(adata, "leiden", "0", min_targets=2, n_permutations=0)


DRAWINGS = {
    "null": lambda a: ps.pl.null(a, group="0"),
    "regulon": lambda a: ps.pl.regulon(a, "g12", group="0", color="expression"),
    "network": lambda a: ps.pl.network(a, regulators=["g12"], group="0", color="expression"),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_drawings_of_a_group_that_was_made_anew_are_warned_of(inferred, draw):
    adata = inferred.copy()
    draw(adata)
    swapped(adata)
    with pytest.warns(UserWarning, match=r"a network of other cells: 1 group \('0'\).*pysces.tl.aracne"):
        draw(adata)


def test_regulators_of_a_drawing_that_were_ranked_in_other_cells_are_warned_of(inferred):
    adata = inferred.copy()
    edges = adata.uns["aracne"]["network"]
    edges["source"] = edges["source"].astype(str).replace({"g12": "R0", "g13": "R1"})
    ps.pl.network(adata, group="0")
    swapped(adata)
    with pytest.warns(UserWarning, match=r"regulators are those of other cells: 1 group \('0'\).*rank_regulators"):
        ps.pl.network(adata, group="0")


@pytest.mark.parametrize(
    "use",
    [
        lambda a: ps.tl.compare_networks(a, "0", "1", n_permutations=10, min_targets=1),
        lambda a: ps.get.pvalues(a, calibrated=True),
    ],
    ids=["compare_networks", "pvalues"],
)
def test_what_would_be_wrong_with_other_groups_is_refused(inferred, use):
    adata = inferred.copy()
    use(adata)
    swapped(adata)
    with pytest.raises(ValueError, match=STALE):
        use(adata)


def test_a_network_given_as_a_table_is_for_any_cells(inferred):
    adata = inferred.copy()
    swapped(adata)
    ps.tl.viper(adata, ps.get.network(adata), groupby="leiden", min_targets=2, key_added="other")


def joined(**options):
    parts = [cells("x"), cells("y", 1)]
    for name, part in zip("xy", parts, strict=True):
        part.obs["sample"] = name
        ps.tl.viper(part, NETWORK, min_targets=5, **options)
    return ad.concat(parts, uns_merge="first")


FOREIGN = {
    "rank_regulators": lambda a: ps.tl.rank_regulators(a, "sample"),
    "similarity": ps.tl.similarity,
    "get.activity": ps.get.activity,
    "pl.activity_heatmap": ps.pl.activity_heatmap,
    "conservation": lambda a: ps.tl.regulator_conservation(a[a.obs["sample"] == "y"].copy(), a, n_top=2),
    "pathways": lambda a: ps.tl.rank_regulators(pathways(a), "sample", key="pathways"),
}


def pathways(adata):
    ps.tl.pathways(adata, {"set": ["R0", "R1"]}, min_targets=2)
    return adata


@pytest.mark.filterwarnings("ignore:gene set 'set' holds 2 of the 4 regulators")
@pytest.mark.parametrize("use", FOREIGN.values(), ids=FOREIGN)
def test_activities_of_samples_scored_one_by_one_are_warned_of(use):
    with pytest.warns(UserWarning, match="120 of the 240 cells were not among the 120 cells.*no common reference"):
        use(joined())


def test_foreign_cells_are_found_among_few():
    adata = joined()[::3].copy()
    with pytest.warns(UserWarning, match="40 of the 80 cells were not among the 120 cells"):
        ps.get.activity(adata)
    more = joined()
    more.obs_names = [f"{name}-1" for name in more.obs_names]
    with pytest.warns(UserWarning, match="120 of the 240 cells"):
        ps.get.activity(more)


def test_fewer_or_renamed_cells_and_scores_without_a_reference_are_no_matter():
    adata = cells()
    ps.tl.viper(adata, NETWORK, min_targets=5)
    ps.tl.rank_regulators(adata[::2].copy(), "leiden")
    ps.get.activity(renamed(adata))
    ps.tl.rank_regulators(joined(signature="none"), "sample")


def test_activities_without_uns_are_said_to_lack_it():
    adata = joined()
    del adata.uns["viper"]
    with pytest.raises(
        KeyError, match=r"adata.uns\['viper'\] is missing.*anndata.concat drops.*Score all cells together"
    ):
        ps.get.activity(adata)
