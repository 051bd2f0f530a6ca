from __future__ import annotations

import msviper_oracles
import narnea_oracles
import numpy as np
import pandas as pd
import pleiotropy_oracles
import pytest
import scipy.sparse as sp
import viper_oracles as oracle
from scipy.stats import kstest

from pysces import VIPER
from pysces._enrich.resampling import drawn_with_replacement, left_out
from pysces.estimators import NotScorableError, Pleiotropy

GENES = oracle.gene_names(60)
NETWORK = oracle.network(GENES)
REFERENCE = np.arange(40) % 3 == 0
WEIGHTS = {gene: 0.2 + (i % 7) / 4 for i, gene in enumerate(GENES) if i % 3}
OVERLAPPING = pd.concat(
    r.assign(source=f"R{i}", target=[GENES[g] for g in r["gene"]]).drop(columns="gene")
    for i, r in enumerate(pleiotropy_oracles.overlapping_regulons())
)
# Scores are short sums of normal quantiles below 5: errors of a few 1e-15, unless a tie is split.
EXACT = {"rtol": 0, "atol": 1e-12}

OPTIONS = {
    "es": {"normalised": False},
    "adaptive": {"adaptive_size": True, "min_targets": 3},
    "weights": {"gene_weights": WEIGHTS},
    "doublerank": {"signature": "doublerank"},
    "doublerank reference": {"signature": "doublerank", "reference": REFERENCE},
    "narnea": {"enrichment": "narnea"},
    "narnea of values": {"enrichment": "narnea", "signature": "none"},
    "pleiotropy": {"pleiotropy": Pleiotropy(regulators=6, min_overlap=3), "network": OVERLAPPING},
    "bootstraps": {"n_bootstraps": 5},
    "few null": {"n_null": 12, "reference": REFERENCE},
    "many null": {"n_null": 500, "reference": REFERENCE, "signature": "mean"},
}
options = pytest.mark.parametrize("settings", OPTIONS.values(), ids=OPTIONS)


def fit(X, *, network=NETWORK, genes=GENES, min_targets=1, null=None, rows=None, **settings):
    return VIPER(network, min_targets=min_targets, **settings).fit(X, genes, null=null, rows=rows)


def scores(X, **settings):
    return fit(X, **settings).score(X)


def assert_same(found, expected) -> None:
    """To the bit."""
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        assert one is None or one.tobytes() == other.tobytes()


def assert_close(found, expected, *, sign=1, **tolerance) -> None:
    """``sign`` is that of the scores, not of their spread."""
    for name, one, other in zip(found._fields, found, expected, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, other * (1 if name in {"sd", "empty"} else sign), **(tolerance or EXACT))


def coded(network=NETWORK, genes=GENES) -> list[pd.DataFrame]:
    """Regulons of the oracles, in the order of the regulators."""
    place = {gene: i for i, gene in enumerate(genes)}
    edges = network.assign(gene=[place[target] for target in network["target"]])
    return [edges[edges["source"] == source] for source in sorted(edges["source"].unique())]


def log_cells(n_cells=40, seed=0):
    """Cells in which no gene is in one cell only, so that it may be constant in a sample: these have their own test."""
    X = oracle.cells("log", n_cells, seed=seed)
    X[:, :8] = oracle.cells("log", n_cells, seed=seed + 1)[:, 8:16]
    return X


# --- size, weight and scale of scores ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["smooth", "log"])
@pytest.mark.parametrize("signature", ["none", "scale", "rank", "doublerank"])
def test_enrichment_scores_are_those_of_the_definition(signature, kind):
    X = oracle.cells(kind, 10)
    expected = oracle.viper(X, GENES, NETWORK, signature, normalised=False)
    np.testing.assert_allclose(scores(X, signature=signature, normalised=False).nes, expected, **EXACT)


def test_normalised_scores_are_enrichment_scores_times_the_root_of_the_size():
    X = oracle.cells("log")
    factor = [np.sqrt(oracle.effective_size(r["likelihood"].to_numpy())) for r in coded()]
    np.testing.assert_allclose(scores(X).nes, scores(X, normalised=False).nes * factor, **EXACT)


@pytest.mark.parametrize("min_targets", [3, 4, 6])
@pytest.mark.filterwarnings("ignore:1 regulator drops out")
def test_adaptive_size_counts_targets_by_their_likelihood(min_targets):
    X = oracle.cells("log", 10)
    model = fit(X, adaptive_size=True, min_targets=min_targets)
    expected = oracle.viper(X, GENES, NETWORK, "scale", adaptive_size=True, min_targets=min_targets)
    assert model.regulators_.tolist() == expected.columns.tolist()
    assert len(expected.columns) < len(fit(X, min_targets=min_targets).regulators_)
    np.testing.assert_allclose(model.transform(X), expected, **EXACT)
    varying = [gene for gene, x in zip(GENES, X.T, strict=True) if np.ptp(x) > 0]
    sizes = NETWORK[NETWORK["target"].isin(varying)].groupby("source").size()
    assert model.n_targets_.tolist() == sizes[model.regulators_].tolist()


def test_adaptive_size_has_its_own_message():
    with pytest.raises(NotScorableError, match=r"no regulator has min_targets=15 .* largest of 8 has \d+\.\d+"):
        fit(oracle.cells("log"), adaptive_size=True, min_targets=15)


@pytest.mark.parametrize("given", [dict, pd.Series])
@pytest.mark.parametrize("settings", [{}, {"normalised": False}, {"adaptive_size": True, "min_targets": 3}])
def test_gene_weights_multiply_likelihoods(given, settings):
    X = oracle.cells("log", 12)
    expected = oracle.viper(X, GENES, NETWORK, "scale", gene_weights=WEIGHTS, **settings)
    found = scores(X, gene_weights=given({**WEIGHTS, "absent": 7.0}), **settings).nes
    np.testing.assert_allclose(found, expected, **EXACT)
    assert not np.allclose(
        found, oracle.viper(X, GENES, NETWORK, "scale", **settings).reindex(columns=expected.columns)
    )


def test_one_weight_for_all_genes_changes_nothing():
    X = oracle.cells("log")
    np.testing.assert_allclose(scores(X, gene_weights=dict.fromkeys(GENES, 3.7)).nes, scores(X).nes, **EXACT)


def test_gene_weights_count_for_narnea_too():
    X = oracle.cells("log", 10)[:, 8:]
    network = NETWORK[NETWORK["target"].isin(GENES[8:])]
    weighted = network.assign(likelihood=network["likelihood"] * [WEIGHTS.get(g, 1) for g in network["target"]])
    S = oracle.signature(X, "scale")
    nes, pes = narnea_oracles.narnea(S, coded(weighted, GENES[8:]))
    settings = {"network": network, "genes": GENES[8:], "enrichment": "narnea", "filter_genes": False}
    found = scores(X, gene_weights=WEIGHTS, **settings)
    np.testing.assert_allclose(found.nes, nes, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.pes, pes, rtol=1e-9, atol=1e-10)


# --- missing values ---------------------------------------------------------------------------------------------------


def with_missing(kind="smooth", n_cells=40):
    """A third of the values is missing from a third of the cells, and one gene is from all."""
    X = oracle.cells(kind, n_cells)
    rng = np.random.default_rng(0)
    X[(rng.random(X.shape) < 0.3) & (np.arange(n_cells) % 3 == 0)[:, None]] = np.nan
    X[:, 50] = np.nan
    return X


@pytest.mark.parametrize("kind", ["smooth", "counts"])
@pytest.mark.parametrize("settings", [{}, {"normalised": False}, {"filter_genes": False}, {"gene_weights": WEIGHTS}])
def test_genes_missing_from_a_cell_are_in_none_of_its_ranks_and_sums(kind, settings):
    X = with_missing(kind, 18)
    found = scores(X, signature="none", **settings).nes
    np.testing.assert_allclose(found, oracle.viper(X, GENES, NETWORK, "none", **settings), **EXACT)
    assert np.isfinite(found).any(axis=0).all()


def test_missing_values_are_the_same_in_every_format(as_format):
    X = with_missing("counts")
    assert_same(scores(as_format(X), signature="none"), scores(X, signature="none"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_missing_values_change_no_other_cell(dtype):
    X, whole = with_missing().astype(dtype), oracle.cells("smooth").astype(dtype)
    whole[:, 50] = np.nan
    found, expected = scores(X, signature="none").nes, scores(whole, signature="none").nes
    np.testing.assert_array_equal(found[np.arange(40) % 3 != 0], expected[np.arange(40) % 3 != 0])


def test_a_regulon_all_of_whose_targets_are_missing_from_a_cell_is_nan_there():
    X = oracle.cells("smooth")
    X[3] = np.nan
    X[np.ix_([4, 7], [GENES.index(g) for g in NETWORK.loc[NETWORK["source"] == "R2", "target"]])] = np.nan
    missing = np.isnan(scores(X, signature="none").nes)
    assert missing[3].all()
    assert missing[[4, 7], 2].all()
    assert missing.sum() == 10


def test_values_that_are_missing_are_refused_where_they_mean_nothing():
    X = with_missing()
    for settings in ({}, {"enrichment": "narnea", "signature": "none"}, {"pleiotropy": True, "signature": "none"}):
        with pytest.raises(ValueError, match=r"X holds 2.. missing .* the first at row 0"):
            scores(np.where(np.isnan(X) & (np.arange(60) == 50), 0, X), **settings)
    X[5, 5] = np.inf
    with pytest.raises(ValueError, match="1 infinite values"):
        scores(X, signature="none")


# --- signatures and enrichments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", [None, REFERENCE])
@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
def test_doublerank_scores_are_those_of_the_definition(kind, reference):
    X = oracle.cells(kind)
    expected = oracle.viper(X, GENES, NETWORK, "doublerank", reference=reference)
    np.testing.assert_allclose(scores(X, signature="doublerank", reference=reference).nes, expected, **EXACT)


def test_genes_without_spread_of_ranks_are_no_part_of_them():
    X = oracle.cells("smooth")
    X[:, 7], X[:, 31], X[:, 12] = 100.0, -100.0, 99.0
    X[3, 31] = 0.0
    kept = np.setdiff1d(np.arange(60), [7, 31, 12])
    rest = NETWORK[NETWORK["target"].isin([GENES[i] for i in kept])]
    settings = {"signature": "doublerank", "filter_genes": False}
    expected = scores(X[:, kept], network=rest, genes=[GENES[i] for i in kept], **settings)
    assert_close(scores(X, **settings), expected)


@pytest.mark.parametrize("signature", ["none", "scale", "rank", "doublerank"])
@pytest.mark.parametrize("kind", ["smooth", "log"])
def test_narnea_scores_are_those_of_the_definition(signature, kind):
    X = oracle.cells(kind, 8)
    kept = np.isin(GENES, [*NETWORK["source"], *NETWORK["target"]])
    S = oracle.signature(X[:, kept], signature)
    nes, pes = narnea_oracles.narnea(S, coded(genes=np.array(GENES)[kept]))
    found = scores(X, signature=signature, enrichment="narnea")
    np.testing.assert_allclose(found.nes, nes, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found.pes, pes, rtol=1e-8, atol=1e-9)
    assert found.sd is None
    np.testing.assert_array_equal(fit(X, signature=signature, enrichment="narnea").transform(X), found.nes)


@pytest.mark.parametrize(
    ("kind", "name", "pleiotropy"),
    [
        ("smooth", "none", Pleiotropy(0.4, 6)),
        ("smooth", "scale", Pleiotropy(6, 3)),
        ("counts", "scale", Pleiotropy(6, 3)),
        ("counts", "rank", Pleiotropy(4, 8, penalty=3.0)),
        ("counts", "none", Pleiotropy(0.2, 5, "absolute", 3.0, 0.2)),
    ],
)
def test_pleiotropy_is_corrected_as_defined(kind, name, pleiotropy):
    X = pleiotropy_oracles.active_cells(kind)
    network = OVERLAPPING.assign(source=OVERLAPPING["source"].replace("R2", "R2--R3"))
    regulons = coded(network)
    eligible = ["--" not in r["source"].iloc[0] for r in regulons]
    S = oracle.signature(X, name)
    least_far = oracle.farthest(S) if name == "rank" else 0.0
    expected = pleiotropy_oracles.corrected(S, regulons, eligible=eligible, least_far=least_far, **pleiotropy._asdict())
    settings = {"network": network, "signature": name, "filter_genes": False}
    found = scores(X, pleiotropy=pleiotropy, **settings)
    np.testing.assert_allclose(found.nes, expected, rtol=0, atol=1e-9)
    assert np.abs(found.nes - scores(X, **settings).nes).max() > 0.01


def test_pleiotropy_has_defaults():
    X = oracle.cells("smooth", 12)
    X[:, :15] += 3
    targets = {"A": range(15), "B": range(3, 21), "C": [0, 1, *range(20, 40)]}
    network = pd.concat(
        pd.DataFrame({"source": name, "target": [GENES[g] for g in genes]}) for name, genes in targets.items()
    )
    network["weight"], network["likelihood"] = np.random.default_rng(0).uniform(0.8, 1, (2, len(network)))
    settings = {"network": network, "signature": "none", "filter_genes": False}
    found = scores(X, pleiotropy=True, **settings)
    assert_same(found, scores(X, pleiotropy=Pleiotropy(), **settings))
    np.testing.assert_allclose(found.nes, pleiotropy_oracles.corrected(X, coded(network)), rtol=0, atol=1e-9)
    assert np.abs(found.nes - scores(X, **settings).nes).max() > 0.01


def test_only_area_has_no_proportional_scores_and_only_bootstraps_have_a_spread():
    X = oracle.cells("smooth", 40)
    for name, settings in OPTIONS.items():
        found = scores(X, **settings)
        assert (found.pes is not None) == ("narnea" in name)
        assert (found.sd is not None) == (name == "bootstraps")


# --- resampled references ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", [None, REFERENCE])
def test_bootstraps_are_means_over_resampled_references(reference):
    X = log_cells(24)
    reference = None if reference is None else reference[:24]
    own = X if reference is None else X[reference]
    counts = drawn_with_replacement(len(own), 4, np.random.default_rng(np.random.SeedSequence(7)))
    kept = np.isin(GENES, [*NETWORK["source"], *NETWORK["target"]])
    moments = [oracle.resampled(own[:, kept], of_sample) for of_sample in counts]
    nes, sd = oracle.bootstrapped(X[:, kept], moments, coded(genes=np.array(GENES)[kept]))
    found = scores(X, n_bootstraps=4, reference=reference, rng=7)
    np.testing.assert_allclose(found.nes, nes, rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.sd, sd, rtol=0, atol=1e-11)


def test_many_bootstraps_are_near_the_score_and_their_sd_falls_with_the_number_of_cells():
    small, large = (oracle.cells("smooth", n) for n in (40, 400))
    of_small, of_large = (scores(X, n_bootstraps=40) for X in (small, large))
    assert np.corrcoef(of_large.nes.ravel(), scores(large).nes.ravel())[0, 1] > 0.99
    assert of_large.sd.mean() < of_small.sd.mean() / 2


@pytest.mark.parametrize("settings", [{"n_bootstraps": 30}, {"n_null": 30}, {"n_null": 500}])
def test_samples_in_which_all_targets_of_a_regulon_are_constant_are_left_out(settings):
    X = oracle.cells("smooth")
    X[:, 20:23] = (np.arange(40) < 2)[:, None]  # in one of seven samples no cell of these
    network = pd.DataFrame({"source": ["A"] * 3 + ["B"] * 3, "target": GENES[20:26], "weight": 1.0})
    found = scores(X, network=network, filter_genes=False, reference=np.arange(40), **settings)
    assert np.isfinite(found.nes).all()
    assert found.sd is None or np.isfinite(found.sd).all()


@pytest.mark.parametrize(("signature", "n_null"), [("scale", 500), ("scale", 12), ("mean", 12), ("ttest", 12)])
def test_null_signatures_are_cells_of_the_reference_against_others(signature, n_null):
    X = oracle.cells("smooth")
    cells, counts = left_out(14, n_null, np.random.default_rng(np.random.SeedSequence(3)))
    network = NETWORK[NETWORK["source"].isin(["R1", "R4"])]
    null = oracle.null_signatures(X[REFERENCE], cells, counts, scaled=signature != "mean")
    expected = compared(X, null, network, signature, reference=REFERENCE)
    settings = {"signature": signature, "reference": REFERENCE, "filter_genes": False, "network": network}
    found = scores(X, n_null=n_null, rng=3, **settings)
    np.testing.assert_allclose(found.nes, expected, rtol=1e-8, atol=1e-9)


def compared(X, null, network, signature, reference=None):
    """ES against those of null signatures of all genes."""
    es = oracle.viper(
        X, GENES, network, signature, normalised=False, filter_genes=False, reference=reference
    ).to_numpy()
    of_null = oracle.area(null, coded(network), normalised=False).T
    return [[msviper_oracles.against_null(x, own) for x, own in zip(cell, of_null, strict=True)] for cell in es]


@pytest.mark.parametrize("n_null", [10, 500])
@pytest.mark.parametrize("missing", [False, True])
def test_scores_are_compared_with_null_signatures_that_are_given(n_null, missing):
    X, network = oracle.cells("smooth", 12), NETWORK[NETWORK["source"].isin(["R1", "R4"])]
    null = np.random.default_rng(0).normal(size=(n_null, 60))
    if missing:
        null[::2, ::3] = np.nan
    expected = compared(X, null, network, "scale")
    settings = {"network": network, "filter_genes": False}
    np.testing.assert_allclose(scores(X, null=null, **settings).nes, expected, rtol=1e-8, atol=1e-9)
    as_list = scores(X, null=null.astype(np.float32).tolist(), **settings)
    assert_same(as_list, scores(X, null=null.astype(np.float32), **settings))


def test_null_signatures_are_ranked_among_the_genes_that_are_scored():
    X, null = oracle.cells("smooth"), np.random.default_rng(0).normal(size=(20, 60))
    X[:, 17] = 3.0
    kept = np.isin(GENES, [*NETWORK["source"], *NETWORK["target"]]) & (np.arange(60) != 17)
    names = np.array(GENES)[kept]
    network = NETWORK[NETWORK["target"].isin(names)]
    found = scores(X, null=null)
    assert_close(found, scores(X[:, kept], genes=names, network=network, null=null[:, kept], filter_genes=False))


def test_scores_against_a_null_of_their_kind_are_nearly_standard_normal():
    genes = oracle.gene_names(300)
    X = np.random.default_rng(0).normal(size=(1500, 300))
    network = oracle.network(genes, 12)
    settings = {"network": network, "genes": genes, "reference": np.arange(500), "filter_genes": False}
    for n_null in (400, 1000):
        found = scores(X, n_null=n_null, **settings).nes
        assert found.std() == pytest.approx(1, abs=0.05)  # the sd of 400 draws is known to 4 %


@pytest.mark.parametrize("settings", [{"n_bootstraps": 4}, {"n_null": 12, "reference": REFERENCE}])
def test_the_same_seed_gives_the_same_bytes(settings):
    X = log_cells()
    found = scores(X, rng=5, **settings)
    assert_same(scores(X, rng=np.random.SeedSequence(5), **settings), found)
    assert_same(scores(X, rng=np.int64(5), **settings), found)
    assert scores(X, rng=6, **settings).nes.tobytes() != found.nes.tobytes()
    one, other = (scores(X, rng=np.random.default_rng(5), **settings) for _ in range(2))
    assert_same(one, other)


# --- what holds for every option --------------------------------------------------------------------------------------


@options
def test_every_format_gives_the_same_scores(settings, as_format):
    X = log_cells()
    assert_same(scores(as_format(X), **settings), scores(X, **settings))


@options
def test_float32_gives_the_scores_of_its_float64_copy(settings):
    X = log_cells().astype(np.float32)
    # 1e-6 is for float32; a rank that flipped would cost 1e-2
    assert_close(scores(X, **settings), scores(X.astype(np.float64), **settings), rtol=0, atol=1e-6)


@options
def test_scores_do_not_depend_on_the_number_of_threads(settings):
    X = log_cells(100)
    settings = {**settings, **({"reference": np.arange(30)} if "reference" in settings else {})}
    one, two = (scores(np.tile(X, (12, 1)), n_threads=n, **settings) for n in (1, 2))
    assert_same(one, two)


@options
def test_blocks_of_cells_score_as_among_all(settings):
    X = log_cells()
    model = fit(X, **settings)
    expected = model.score(X)
    many = model.score(np.tile(X, (30, 1)))  # 1,200 cells: blocks cut between the copies
    for rows in map(np.array, ([0], [3, 17, 39], range(20, 40))):
        part = [None if of_all is None else of_all[rows] for of_all in expected]
        assert_same(model.score(X, rows=rows), part)
        assert_same(model.score(X[rows]), part)
    for of_many, of_all in zip(many, expected, strict=True):
        assert of_all is None or of_many.tobytes() == np.tile(of_all, (30, 1)).tobytes()


@options
def test_permuted_cells_have_permuted_scores(settings):
    X = log_cells()
    order = np.random.default_rng(0).permutation(40)
    expected = [None if of_all is None else of_all[order] for of_all in scores(X, **settings)]
    if settings.keys() & {"n_null", "n_bootstraps"}:  # draws are of cells by their place
        assert_same(fit(X, **settings).score(X[order]), expected)
    else:
        if "reference" in settings:
            settings = {**settings, "reference": REFERENCE[order]}
        assert_same(scores(X[order], **settings), expected)


@options
def test_the_order_of_genes_and_of_edges_does_not_matter(settings):
    X, order = log_cells(), np.random.default_rng(0).permutation(60)
    edges = settings.get("network", NETWORK).sample(frac=1, random_state=0)
    found = scores(X[:, order], genes=[GENES[i] for i in order], **{**settings, "network": edges})
    assert_close(found, scores(X, **settings), rtol=1e-9, atol=1e-10)


@options
def test_turning_the_weights_of_a_regulon_turns_its_scores_and_no_other(settings):
    X, network = log_cells(), settings.get("network", NETWORK)
    names = fit(X, **settings).regulators_
    turned = network.assign(weight=network["weight"].where(network["source"] != names[2], -network["weight"]))
    sign = np.where(np.arange(len(names)) == 2, -1, 1)
    found = scores(X, **{**settings, "network": turned})
    assert_close(found, scores(X, **settings), sign=sign, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", sorted(OPTIONS.keys() - {"pleiotropy"}))  # which compares regulators
def test_another_regulon_changes_no_score_if_all_genes_are_ranked(name):
    settings = OPTIONS[name]
    X = log_cells()
    names = fit(X, **settings).regulators_
    more = pd.concat([NETWORK, NETWORK[NETWORK["source"] == names[2]].assign(source="R00", weight=0.3)])
    both = fit(X, filter_genes=False, **{**settings, "network": more})
    assert both.regulators_.tolist() == sorted([*names, "R00"])
    found = [f if f is None or f.ndim == 1 else f[:, both.regulators_ != "R00"] for f in both.score(X)]
    assert_same(scores(X, filter_genes=False, **settings), found)


@pytest.mark.parametrize("signature", ["scale", "mad", "ttest", "rank", "mean"])
@pytest.mark.parametrize("enrichment", ["area", "narnea"])
def test_permuted_copies_of_a_gene_stay_tied(signature, enrichment):
    X = oracle.cells("log", 60).astype(np.float32)
    rng = np.random.default_rng(0)
    for i in range(10, 20):
        X[:, i] = rng.permutation(np.log1p(rng.poisson(2, 60) / np.float32(1.7)))
        X[:, i + 10] = rng.permutation(X[:, i])
    pairs = {"source": [f"R{i}" for i in range(10, 30)], "target": GENES[10:30], "weight": 1.0}
    settings = {"signature": signature, "enrichment": enrichment, "filter_genes": False}
    found = scores(X, network=pd.DataFrame(pairs), **settings).nes
    same = X[:, 10:20] == X[:, 20:30]
    assert same.sum() > 50
    np.testing.assert_array_equal(found[:, :10][same], found[:, 10:][same])


@options
@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix])
def test_x_and_what_is_asked_are_left_as_they_are(settings, convert):
    X = convert(log_cells())
    network = settings.get("network", NETWORK)
    before, edges, weights = X.copy(), network.copy(), dict(WEIGHTS)
    scores(X, **settings)
    assert abs(X - before).sum() == 0
    pd.testing.assert_frame_equal(network, edges)
    assert weights == WEIGHTS


@pytest.mark.parametrize("settings", [{}, {"enrichment": "narnea"}, {"n_null": 1000, "reference": np.arange(600)}])
def test_scores_of_random_cells_are_standard_normal(settings):
    genes = oracle.gene_names(1000)
    network = pd.DataFrame({"source": np.repeat(oracle.gene_names(20), 30), "target": genes[:600]})
    network["weight"] = np.random.default_rng(0).choice([-1.0, 1.0], 600)
    rng = np.random.default_rng(2)
    X = rng.permuted(rng.normal(size=(1000, 1000)) * 1.5, axis=1)
    found = scores(X, network=network, genes=genes, filter_genes=False, **settings).nes
    # 0.0096 is the 95% point of the distance for 20,000 draws; quantiles of ranks have a variance 1% below 1, and a
    # null of 1,000 draws is known to 0.03 at any of 20 regulators
    assert kstest(found.ravel(), "norm").statistic < (0.02 if "n_null" in settings else 0.013)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"adaptive_size": 1}, ValueError, "adaptive_size is 1; give True or False"),
        ({"normalised": "no"}, ValueError, "normalised is 'no'; give True or False"),
        ({"filter_genes": None}, ValueError, "filter_genes is None; give True or False"),
        ({"gene_weights": [1.0, 2.0]}, TypeError, "gene_weights is list; give a dict or a Series"),
        ({"gene_weights": {"g1": 0.0, "g2": 1}}, ValueError, r"gene_weights must .*; 1 are not, .*\('g1', 0"),
        ({"gene_weights": {"g1": -1, "g2": np.nan, "g3": np.inf}}, ValueError, "gene_weights .*; 3 are not"),
        ({"gene_weights": {"g1": "a"}}, (ValueError, TypeError), "gene_weights"),
        ({"pleiotropy": 0.05}, ValueError, "pleiotropy is 0.05; give True"),
        ({"pleiotropy": Pleiotropy(regulators=0)}, ValueError, "regulators is 0; give a p-value in"),
        ({"pleiotropy": Pleiotropy(min_overlap=0)}, ValueError, "min_overlap is 0"),
        ({"n_bootstraps": -1}, ValueError, "n_bootstraps is -1; give a whole number, at least 0"),
        ({"n_bootstraps": 2.0}, ValueError, "n_bootstraps is 2.0"),
        ({"n_bootstraps": True}, ValueError, "n_bootstraps is True"),
        ({"n_bootstraps": 1}, ValueError, "n_bootstraps=1 with signature='scale'; give at least 2"),
        ({"n_bootstraps": 9, "signature": "mad"}, ValueError, "n_bootstraps=9 with .*'mad'; .*signature='scale'"),
        ({"n_null": -1}, ValueError, "n_null is -1; give a whole number, at least 0"),
        ({"n_null": 9, "reference": [0, 1]}, ValueError, "n_null is 9; give at least 10 null signatures"),
        ({"n_null": 10}, ValueError, "n_null needs reference cells .* found signature='scale' and no reference"),
        ({"n_null": 10, "reference": [0], "signature": "mad"}, ValueError, "n_null .* or 'ttest'; found .*'mad'"),
        ({"n_null": 10, "n_bootstraps": 5, "reference": [0]}, ValueError, "n_bootstraps and n_null exclude each other"),
        ({"pleiotropy": True, "n_bootstraps": 5}, ValueError, "pleiotropy and n_bootstraps exclude each other"),
        ({"pleiotropy": True, "normalised": False}, ValueError, "normalised=False and pleiotropy exclude each other"),
        ({"n_null": 10, "normalised": False, "reference": [0]}, ValueError, "normalised=False and n_null exclude each"),
        ({"normalised": False, "n_bootstraps": 5}, ValueError, "normalised=False and n_bootstraps exclude each"),
        ({"enrichment": "narnea", "normalised": False}, ValueError, "normalised=False has no meaning with .*'narnea'"),
        ({"enrichment": "narnea", "pleiotropy": True}, ValueError, "pleiotropy has no meaning with .*'narnea'"),
        ({"enrichment": "narnea", "n_bootstraps": 5}, ValueError, "n_bootstraps has no meaning with .*'narnea'"),
        ({"enrichment": "narnea", "n_null": 50, "reference": [0]}, ValueError, "n_null has no meaning with enrichment"),
        ({"signature": "none", "reference": [0, 1]}, ValueError, "reference has no meaning with signature='none'"),
        ({"signature": "none", "n_null": 50}, ValueError, "n_null needs reference cells"),
    ],
)  # fmt: skip
def test_settings_that_have_no_meaning_are_refused_at_once(settings, error, match):
    with pytest.raises(error, match=match):
        VIPER(NETWORK, **settings)


@pytest.mark.parametrize(
    ("null", "match"),
    [
        (np.zeros(60), r"null has shape \(60,\); give signatures x genes, at least 10 signatures of the 60 genes"),
        (np.zeros((9, 60)), r"null has shape \(9, 60\); .* at least 10 signatures"),
        (np.zeros((60, 20)), r"null has shape \(60, 20\); .* of the 60 genes"),
    ],
)
def test_what_are_no_null_signatures_of_the_genes_is_refused(null, match):
    with pytest.raises(ValueError, match=match):
        fit(oracle.cells("log"), null=null)


@pytest.mark.parametrize(
    "settings",
    [
        {"enrichment": "narnea"},
        {"normalised": False},
        {"pleiotropy": True},
        {"n_bootstraps": 5},
        {"n_null": 20, "reference": REFERENCE},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_null_signatures_are_refused_with_what_excludes_them(settings):
    null = np.random.default_rng(0).normal(size=(20, 60))
    with pytest.raises(ValueError, match="null"):
        fit(oracle.cells("smooth"), null=null, **settings)


@pytest.mark.parametrize("settings", [{"n_bootstraps": 5}, {"n_null": 10, "reference": REFERENCE}])
@pytest.mark.parametrize("rng", [-1, 1.5, "x", True])
def test_what_is_no_seed_is_refused(settings, rng):
    with pytest.raises(ValueError, match="rng is "):
        fit(oracle.cells("smooth"), rng=rng, **settings)


def test_null_signatures_need_cells_to_resample():
    with pytest.raises(NotScorableError, match="reference cells"):
        fit(oracle.cells("smooth"), n_null=10, reference=[3, 4])


def test_bootstraps_need_two_cells():
    with pytest.raises(NotScorableError, match="1 reference cell for signature='scale', which needs at least 2"):
        fit(oracle.cells("smooth"), n_bootstraps=10, reference=[3])


def test_score_before_fit_says_so():
    with pytest.raises(RuntimeError, match="call fit"):
        VIPER(NETWORK, enrichment="narnea").score(np.ones((2, 60)))
