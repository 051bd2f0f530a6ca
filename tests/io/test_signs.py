"""Where tables of other programs have the sign of an edge (read_network, as_network)."""

from __future__ import annotations

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import pysces as ps

ENDS = {"source": ["R", "R", "Q"], "target": ["up", "down", "other"]}


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    genes = [f"g{i}" for i in range(80)]
    adata = ad.AnnData(np.log1p(rng.poisson(1.0, (20, 80))).astype(np.float32))
    adata.var_names = genes
    network = pd.DataFrame([(name, genes[10 * i + j], 1.0) for i, name in enumerate("ABCDEF") for j in range(10)])
    ps.tl.viper(adata, network.set_axis(["source", "target", "weight"], axis=1), min_targets=5)
    return adata


@pytest.mark.parametrize(
    ("columns", "weight", "likelihood"),
    [
        ({"coef_mean": [0.3, -0.6, 0.0], "coef_abs": [0.3, 0.6, 0.0]}, [1, -1, 0], [0.5, 1, np.finfo(float).tiny]),
        ({"Estimate": [2.0, -8.0, 4.0], "pval": [0.1, 0.2, 0.3]}, [1, -1, 1], [0.25, 1, 0.5]),
        ({"MI": [0.75, 1, 0.25], "spearman": [0.5, -0.6, 0.1]}, [0.5, -0.6, 0.1], [0.75, 1, 0.25]),
        ({"importance": [8, 2, 4], "rho": [0.5, -0.25, 0]}, [0.5, -0.25, 0], [1, 0.25, 0.5]),
        ({"importance": [8, 2, 4], "Sign": ["+", "-", "?"]}, [1, -1, 0], [1, 0.25, 0.5]),
        ({"mode": ["Activation", "Repression", "Unknown"]}, [1, -1, 0], None),
        ({"direction": [1, -1, None], "correlation": [-1, 1, 1]}, [1, -1, 0], None),
        ({"estimate": [3, -6, 6], "corr": [-0.5, 0.5, 0.1], "mi": [4, 2, 1]}, [1, -1, 1], [1, 0.5, 0.25]),
        ({"Cor": [0.5, -0.25, 0.75]}, [0.5, -0.25, 0.75], None),
        ({"effect": [3.0, -6.0, 1.5]}, [1, -1, 1], [0.5, 1, 0.25]),
        ({"effect": ["activator", "inhibitor", "unknown"]}, [1, -1, 0], None),
        ({"sign": ["+", "\N{MINUS SIGN}", "+"]}, [1, -1, 1], None),
        ({"direction": [1, 1, 1], "coef": [2.0, -4.0, 1.0]}, [1, -1, 1], [0.5, 1, 0.25]),
    ],
    ids=lambda value: "-".join(f"{name}={value[name][1]}" for name in value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ""], ids=["csv", "tsv", "in memory"])
def test_signs_are_found_under_their_usual_names(tmp_path, suffix, columns, weight, likelihood):
    frame = pd.DataFrame({**ENDS, **columns})
    if suffix:
        frame.to_csv(tmp_path / f"n{suffix}", index=False, sep="\t" if suffix == ".tsv" else ",")
        found = ps.io.read_network(tmp_path / f"n{suffix}")
    else:
        found = ps.io.as_network(frame)
    assert found["weight"].tolist() == weight
    assert found.get("likelihood", pd.Series()).tolist() == (likelihood or [])
    assert {name.lower() for name in columns} <= {name.lower() for name in found}


def test_a_coefficient_is_a_share_of_the_largest_of_its_group():
    frame = pd.DataFrame({"group": ["a", "a", "b"], **ENDS, "coef": [1.0, -4.0, 2.0]})
    assert ps.io.as_network(frame)["likelihood"].tolist() == [0.25, 1.0, 1.0]


def test_a_weight_goes_before_all_other_signs():
    frame = pd.DataFrame({**ENDS, "weight": [0.5, 0.5, -0.5], "coef": [-1.0, -1.0, 1.0]})
    found = ps.io.as_network(frame)
    assert found["weight"].tolist() == [0.5, 0.5, -0.5]
    assert "likelihood" not in found


@pytest.mark.parametrize(
    "columns",
    [
        {"mi": [0.1, 0.2, 0.3]},
        {"mode": ["ChIP", "motif", "motif"]},
        {"sign": [0, 0, 0]},
        {"corr": ["a", "b", "c"]},
        {},
    ],
    ids=str,
)
def test_edges_without_a_sign_are_warned_of(tmp_path, columns):
    frame = pd.DataFrame({**ENDS, **columns})
    frame.to_csv(tmp_path / "n.csv", index=False)
    for call, what in ((ps.io.read_network, tmp_path / "n.csv"), (ps.io.as_network, frame)):
        with pytest.warns(UserWarning, match=r"all weights are 1.*pp\.regulons") as seen:
            assert call(what)["weight"].tolist() == [1.0] * 3
        assert len(seen) == 1
        assert seen[0].filename == __file__


@pytest.mark.parametrize("word", ["maybe", True])
def test_a_sign_that_is_not_understood_is_named(word):
    with pytest.warns(UserWarning, match=f"column 'Sign' holds {word!r}, which is no known sign"):
        ps.io.as_network(pd.DataFrame({**ENDS, "Sign": [word, word, word]}))


def test_weights_in_words_are_signs():
    found = ps.io.as_network(pd.DataFrame({**ENDS, "Regulation": ["Activation", "Repression", "Unknown"]}))
    assert found["weight"].tolist() == [1.0, -1.0, 0.0]


@pytest.mark.parametrize("signs", [{"sign": ["+", "-", "+"]}, {"coef": [1.0, -2.0, 3.0]}, {"rho": [0.1, -0.2, 0.3]}])
def test_weights_that_hide_negative_signs_are_warned_of(signs):
    frame = pd.DataFrame({**ENDS, "weight": [0.5, 0.2, 1.0], **signs})
    with pytest.warns(UserWarning, match=rf"1 of 3 values of {next(iter(signs))!r} are.*rename the column 'weight'"):
        ps.io.as_network(frame)
    assert ps.io.as_network(frame.rename(columns={"weight": "importance"}))["weight"].iloc[1] < 0


def test_signed_networks_and_gene_sets_are_not_warned_of(tmp_path):
    (tmp_path / "sets.gmt").write_text("R\t\tup\tdown\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ps.io.read_gmt(tmp_path / "sets.gmt")
        ps.io.as_network(pd.DataFrame({**ENDS, "regulation": [1, -1, 1]}))


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"coef": [1.0, np.nan, 1.0]}, "row 1 of frame has coef nan; it must be finite"),
        ({"spearman": [1.0, 0.5, 1.5]}, r"row 2 of frame has spearman 1.5; it must be in \[-1, 1\]"),
        ({"weight": [1.0, 0.5, 15.0]}, r"row 2 of frame has weight 15.0; it must be in \[-1, 1\].*pp\.scale_weights"),
        ({"coef": [0.0, 0.0, 0.0]}, "all coef of frame are 0"),
    ],
)
def test_signs_that_cannot_be_are_refused_by_row(columns, match):
    with pytest.raises(ValueError, match=match):
        ps.io.as_network(pd.DataFrame({**ENDS, **columns}))


def test_pathways_refuse_to_lose_the_signs_of_a_table(scored):
    sets = pd.DataFrame({"source": "set", "target": ["A", "B"], "mor": [1, -1]})
    with pytest.raises(ValueError, match=r"'mor' may hold the signs.*as_network"):
        ps.tl.pathways(scored, sets, min_targets=2)
    ps.tl.pathways(scored, ps.io.as_network(sets), min_targets=2, key_added="signed")
    ps.tl.pathways(scored, sets.drop(columns="mor"), min_targets=2, key_added="plain")
    assert (scored.obsm["signed"] != scored.obsm["plain"]).any(axis=None)
