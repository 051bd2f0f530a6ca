"""How much of a network the data hold is told, and warned of where most is lost."""

from __future__ import annotations

import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc

import pysces as ps

pytestmark = pytest.mark.filterwarnings("ignore:X holds counts")

GENES = [f"G{i}" for i in range(300)]


def cells(genes=GENES):
    X = np.random.default_rng(0).poisson(2.0, (40, len(genes))).astype(np.float32)
    obs = pd.DataFrame({"type": pd.Categorical(["a", "b"] * 20)}, index=[f"c{i}" for i in range(40)])
    return ad.AnnData(X, obs=obs, var=pd.DataFrame(index=list(genes)))


def network(n_regulons, size, *, absent=0):
    """Regulons of ``size`` genes that are there and others that are not."""
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame(
            {"source": f"R{i}", "target": [*rng.choice(GENES, size, replace=False), *(f"X{j}" for j in range(absent))]}
        )
        for i in range(n_regulons)
    ]
    return pd.concat(parts, ignore_index=True).assign(weight=1.0)


@pytest.fixture
def log(capsys):
    before = sc.settings.verbosity, sc.settings.logfile
    sc.settings.verbosity, sc.settings.logfile = "info", sys.stderr
    yield lambda: capsys.readouterr().err
    sc.settings.verbosity, sc.settings.logfile = before


@pytest.mark.parametrize("call", ["viper", "msviper"])
def test_a_log_line_and_the_parameters_tell_how_much_was_scored(call, log):
    adata = cells()
    two = pd.concat([network(3, 20, absent=20), network(1, 4).assign(source="small")])
    if call == "viper":
        ps.tl.viper(adata, two, min_targets=10)
    else:
        ps.tl.msviper(adata, "type", "a", network=two, min_targets=10, n_permutations=0)
    n_here = two["target"].isin(GENES).groupby(two["target"]).first().sum()
    share = n_here / (n_here + 20)
    told = (
        f"scored 3 of 4 regulators (min_targets=10); {100 * share:.0f} % of the network's targets are among the genes"
    )
    assert told in log()
    parameters = adata.uns[call]["params"]
    assert (parameters["n_regulators"], parameters["n_regulators_of_network"]) == (3, 4)
    assert parameters["share_of_targets"] == pytest.approx(share)


def test_only_networks_of_groups_that_are_scored_count(log):
    adata = cells()
    grouped = pd.concat([network(2, 20).assign(group="a"), network(5, 20).assign(group="b")])
    ps.tl.viper(adata, grouped, groupby="type", groups=["a"], min_targets=10)
    assert "scored 2 of 2 regulators" in log()


def test_regulators_and_gene_sets_are_told_in_the_log(log):
    adata = cells()
    with pytest.warns(UserWarning, match="not among"):
        ps.tl.aracne(adata, [*GENES[:3], "no"], n_subnetworks=0, correction=None, dpi=None, depth=None)
    assert "3 of 4 regulators are among the genes" in log()
    ps.tl.viper(adata, network(20, 20), min_targets=10)
    ps.tl.pathways(adata, {"one": ["R1", "R2", "X"], "two": ["R3", "Y"]}, min_targets=2)
    assert "scored 1 of 2 gene sets (min_targets=2); 60 % of their members are among the regulators" in log()


@pytest.mark.parametrize("call", ["viper", "msviper"])
@pytest.mark.parametrize(("n_whole", "warned"), [(1, True), (3, False)], ids=["few", "enough"])
def test_the_loss_of_most_regulons_is_warned_of_with_the_way_out(call, n_whole, warned, recwarn):
    """Of ten regulons that are large enough in the network, so many are among the genes."""
    lost = network(10 - n_whole, 5, absent=30)
    both = pd.concat([lost, network(n_whole, 25).assign(source=lambda table: "W" + table["source"])])
    adata = cells()
    if call == "viper":
        ps.tl.viper(adata, both, min_targets=20, filter_genes=False)
    else:
        ps.tl.msviper(adata, "type", "a", network=both, min_targets=20, n_permutations=0, filter_genes=False)
    told = [str(warning.message) for warning in recwarn if "have as many among the genes" in str(warning.message)]
    assert len(told) == warned
    if warned:
        assert "only 1 of the 10 regulons with min_targets=20 targets" in told[0]
        assert "lower min_targets" in told[0]


def test_of_several_networks_the_one_that_is_lost_is_named():
    lost = pd.concat([network(9, 5, absent=30), network(1, 25).assign(source="W")])
    with pytest.warns(UserWarning, match="network 'other': only 1 of the 10 regulons"):
        ps.tl.viper(cells(), {"own": network(3, 25), "other": lost}, min_targets=20)


def test_names_of_another_alphabet_are_asked_for_in_place_of_fewer_targets():
    mouse = ["C3", "F2", "F7", *(f"Gene{i}" for i in range(97))]
    human = pd.DataFrame({"source": "R", "target": ["C3", "F2", "F7", *(f"GENE{i}" for i in range(97))], "weight": 1.0})
    adata = cells(mouse)
    for call in (
        lambda: ps.tl.viper(adata, human),
        lambda: ps.tl.msviper(adata, "type", "a", network=human),
        lambda: ps.VIPER(human).fit(adata.X, mouse),
    ):
        with pytest.raises(ValueError, match="3 of the network's 100 targets are among the 100 genes") as caught:
            call()
        assert "same alphabet" in str(caught.value)
        assert "symbols of mouse genes" in str(caught.value)
        assert "min_targets or" not in str(caught.value)


def test_a_network_without_common_genes_never_advises_fewer_targets():
    none = network(2, 5).replace(regex="^G", value="Y")
    for call in (lambda: ps.tl.viper(cells(), none), lambda: ps.tl.msviper(cells(), "type", "a", network=none)):
        with pytest.raises(ValueError, match="same alphabet") as caught:
            call()
        assert "ower min_targets" not in str(caught.value)
