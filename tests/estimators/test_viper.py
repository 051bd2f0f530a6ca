from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import viper_oracles as oracle
from scipy.stats import kstest

from pysces import VIPER
from pysces.estimators import NotScorableError

SIGNATURES = ["none", "mean", "scale", "rank", "mad", "ttest"]
GENES = oracle.gene_names(60)
NETWORK = oracle.network(GENES)
# Scores are short sums of normal quantiles below 5: errors of a few 1e-15, unless a tie is split.
EXACT = {"rtol": 0, "atol": 1e-12}


def fit(X, network=NETWORK, genes=GENES, *, min_targets=1, rows=None, allow_negative=True, **settings):
    model = VIPER(network, min_targets=min_targets, **settings)
    return model.fit(X, genes, rows=rows, allow_negative=allow_negative)


def scores(X, network=NETWORK, genes=GENES, **settings):
    return fit(X, network, genes, **settings).transform(X)


TOO_NARROW = {("mad", "counts", 0), ("mad", "log", 0)}
"""Few genes have a MAD above 0, of which one regulon holds too many: all genes are ranked."""

# --- against the definition -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("filter_genes", [True, False])
@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.filterwarnings("ignore:1 regulator drops out")  # most sparse genes have a MAD of 0
def test_scores_are_those_of_the_definition(signature, kind, filter_genes):
    network = NETWORK[~NETWORK["target"].isin(GENES[12:20])]  # these genes are in no regulon
    network = pd.concat([network, pd.DataFrame({"source": ["R0", GENES[12]], "target": ["absent", GENES[3]]})])
    network = network.fillna({"weight": 0.5, "likelihood": 1.0})
    for seed in range(2):
        X = oracle.cells(kind, seed=seed)
        model = fit(X, network, signature=signature, filter_genes=filter_genes)
        expected = oracle.viper(X, GENES, network, signature, filter_genes=model.filter_genes_)
        assert model.filter_genes_ is (filter_genes and (signature, kind, seed) not in TOO_NARROW)
        assert model.regulators_.tolist() == expected.columns.tolist()
        np.testing.assert_allclose(model.transform(X), expected, **EXACT)


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize("signature", [name for name in SIGNATURES if name != "none"])
def test_scores_against_a_reference_are_those_of_the_definition(signature, kind):
    X, reference = oracle.cells(kind), np.arange(40) % 3 == 0
    expected = oracle.viper(X, GENES, NETWORK, signature, reference=reference)
    found = scores(X, signature=signature, reference=reference)
    np.testing.assert_allclose(found, expected, **EXACT)
    positions = scores(X, signature=signature, reference=np.flatnonzero(reference)[::-1])
    assert positions.tobytes() == found.tobytes()


def test_scores_are_those_of_decoupler():
    import decoupler

    X = oracle.cells("smooth", n_genes=100)
    genes = oracle.gene_names(100)
    network = oracle.network(genes, n_regulators=20).assign(likelihood=1.0)
    theirs, _ = decoupler.mt.viper(pd.DataFrame(X, columns=genes), network, tmin=6, pleiotropy=False)
    model = fit(X, network, genes, signature="none", filter_genes=False, min_targets=6)
    assert 0 < len(model.regulators_) < 20
    assert model.regulators_.tolist() == theirs.columns.tolist()
    np.testing.assert_allclose(model.transform(X), theirs, rtol=0, atol=1e-10)


def test_likelihood_is_one_unless_given():
    X = oracle.cells("log")
    without = NETWORK.drop(columns="likelihood")
    np.testing.assert_array_equal(scores(X, without), scores(X, without.assign(likelihood=1.0)))
    assert not np.allclose(scores(X, without), scores(X))


def test_scores_of_random_cells_are_standard_normal():
    genes = oracle.gene_names(2000)
    network = pd.DataFrame({"source": np.repeat(oracle.gene_names(20), 30), "target": genes[:600]})
    network["weight"] = np.random.default_rng(0).choice([-1.0, 1.0], 600)
    X = np.random.default_rng(1).random((1000, 2000))
    found = scores(X, network, genes, signature="none", filter_genes=False)
    # 0.0096 is the 95% point of the distance for 20,000 draws; quantiles of ranks have a variance 1% below 1
    assert kstest(found.ravel(), "norm").statistic < 0.012


# --- what X may be ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", SIGNATURES)
def test_every_format_gives_the_same_scores(signature, as_format):
    X = oracle.cells("log")
    given = as_format(X)
    assert scores(given, signature=signature).tobytes() == scores(X, signature=signature).tobytes()


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int64, np.uint16, np.int8])
def test_every_dtype_gives_the_scores_of_its_float64_copy(signature, dtype):
    X = oracle.cells("log" if dtype == np.float32 else "counts").astype(dtype)
    # 1e-6 is for float32; a rank that flipped would cost 1e-2
    np.testing.assert_allclose(
        scores(X, signature=signature), scores(X.astype(np.float64), signature=signature), rtol=0, atol=1e-6
    )


def test_booleans_are_zeros_and_ones():
    X = oracle.cells("counts") > 0
    np.testing.assert_array_equal(scores(X), scores(X.astype(float)))


def test_x_and_the_network_are_left_as_they_are(as_format):
    X = as_format(oracle.cells("log"))
    before, network = X.copy(), NETWORK.copy()
    scores(X, network)
    assert abs(X - before).sum() == 0
    pd.testing.assert_frame_equal(network, NETWORK)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_scores_do_not_depend_on_the_number_of_threads(signature):
    X = oracle.cells("log", n_cells=100)
    one, two = (scores(X, signature=signature, n_threads=n) for n in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_more_cells_than_a_block_are_scored_alike():
    X = np.tile(oracle.cells("log"), (60, 1))  # 2,400 cells: blocks cut between the copies
    found = scores(X, signature="mean").reshape(60, 40, -1)
    np.testing.assert_array_equal(found, np.broadcast_to(found[0], found.shape))
    np.testing.assert_allclose(found[0], scores(X[:40], signature="mean"), **EXACT)


# --- which cells ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("rows", [[0], [3, 17, 39], range(20, 40)], ids=["one", "some", "half"])
def test_any_cells_are_scored_as_among_all(signature, rows, as_format):
    rows = np.array(rows)
    X = oracle.cells("log")
    model = fit(X, signature=signature)
    expected = model.transform(X)[rows]
    assert model.transform(as_format(X), rows=rows).tobytes() == expected.tobytes()
    assert model.transform(as_format(X[rows])).tobytes() == expected.tobytes()


def test_no_cells_have_no_scores():
    X = oracle.cells("log")
    assert fit(X).transform(X[:0]).shape == (0, 8)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_fit_learns_from_the_rows_given(signature):
    X, rows = oracle.cells("log"), np.arange(5, 30)
    found = fit(X, signature=signature, rows=rows).transform(X, rows=rows)
    assert found.tobytes() == scores(X[rows], signature=signature).tobytes()


def test_a_reference_is_among_the_rows_given():
    X, rows = oracle.cells("log"), np.arange(5, 30)
    found = fit(X, rows=rows, reference=np.arange(10)).transform(X)
    np.testing.assert_array_equal(found, scores(X, reference=np.arange(5, 15)))


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize("signature", SIGNATURES)
def test_permuted_cells_have_permuted_scores(signature, kind):
    X = oracle.cells(kind)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(scores(X[order], signature=signature), scores(X, signature=signature)[order])


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize("signature", SIGNATURES)
def test_the_order_of_genes_and_of_edges_does_not_matter(signature, kind):
    X, rng = oracle.cells(kind), np.random.default_rng(0)
    order = rng.permutation(X.shape[1])
    network = NETWORK.sample(frac=1, random_state=0)
    found = scores(X[:, order], network, [GENES[i] for i in order], signature=signature)
    np.testing.assert_allclose(found, scores(X, signature=signature), **EXACT)


@pytest.mark.filterwarnings("ignore:regulator 'R' holds 3 of the 6 genes")
def test_one_tail_of_rank_is_measured_from_the_farthest_rank_of_the_fitted_cells_otherwise_of_the_cell():
    X = np.array([[0.0, 0, 0, 0, 0, 5], [1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1]])
    network = pd.DataFrame({"source": "R", "target": GENES[3:6], "weight": 0.2})
    first = fit(X[:1], network, GENES[:6], signature="none").transform(X)
    assert first.tobytes() == scores(X, network, GENES[:6], signature="none").tobytes()

    tied = np.array([[0.0, 0, 1, 1, 1, 1], [1, 1, 0, 0, 1, 1], [1, 1, 1, 1, 0, 1]])
    S = oracle.signature(tied, "rank")
    regulon = network.assign(gene=[3, 4, 5], likelihood=1.0)
    found = scores(tied, network, GENES[:6], signature="rank", filter_genes=False)
    np.testing.assert_allclose(found, oracle.area(S, [regulon], oracle.farthest(S)), **EXACT)
    assert not np.allclose(found, oracle.area(S, [regulon]))


# --- which genes and regulons -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", SIGNATURES)
def test_turning_the_weights_turns_the_scores_of_signed_regulons(signature):
    X, network = oracle.cells("log"), oracle.network(GENES, signed=True)
    turned = network.assign(weight=network["weight"].where(network["source"] != "R3", -network["weight"]))
    sign = np.where(np.arange(8) == 3, -1, 1)
    np.testing.assert_allclose(
        scores(X, turned, signature=signature), scores(X, network, signature=signature) * sign, **EXACT
    )


@pytest.mark.parametrize("monotone", [np.cbrt, np.exp, lambda x: 3 * x - 7], ids=["cube root", "exp", "linear"])
@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
def test_monotone_maps_of_x_leave_scores_of_its_values(monotone, kind):
    X = oracle.cells(kind)
    np.testing.assert_array_equal(scores(monotone(X), signature="none"), scores(X, signature="none"))


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize("signature", ["scale", "mad", "ttest", "rank"])
def test_the_unit_of_a_gene_does_not_matter(signature, kind):
    # Genes seen in one cell have the same z in that cell, and in all others, however high they are: these are ties.
    X = oracle.cells(kind)
    unit = np.random.default_rng(0).uniform(0.1, 10, X.shape[1])
    np.testing.assert_allclose(scores(X * unit, signature=signature), scores(X, signature=signature), **EXACT)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_another_regulon_changes_no_score_if_all_genes_are_ranked(signature):
    X = oracle.cells("log")
    more = pd.concat([NETWORK, NETWORK[NETWORK["source"] == "R1"].assign(source="R00", weight=0.3)])
    both = fit(X, more, signature=signature, filter_genes=False)
    assert both.regulators_.tolist() == ["R0", "R00", *NETWORK["source"].unique()[1:]]
    found = np.delete(both.transform(X), 1, axis=1)
    np.testing.assert_array_equal(found, scores(X, signature=signature, filter_genes=False))


def test_filter_genes_ranks_regulators_and_targets_only():
    X = oracle.cells("log")
    network = NETWORK[~NETWORK["target"].isin(GENES[12:20])]
    kept = [i for i, gene in enumerate(GENES) if gene in set(network["target"])]
    among = scores(X[:, kept], network, [GENES[i] for i in kept], filter_genes=False)
    np.testing.assert_array_equal(scores(X, network), among)
    assert not np.allclose(among, scores(X, network, filter_genes=False))


@pytest.mark.parametrize("signature", ["scale", "mad", "ttest"])
def test_constant_genes_count_for_no_cell(signature):
    X = oracle.cells("smooth")
    constant = [4, 30, 31]
    X[:, constant] = [0.0, 1 / 3, -2.0]
    varying = np.setdiff1d(np.arange(60), constant)
    rest = NETWORK[NETWORK["target"].isin([GENES[i] for i in varying])]
    found = scores(X, signature=signature, filter_genes=False)
    assert np.isfinite(found).all()
    expected = scores(X[:, varying], rest, [GENES[i] for i in varying], signature=signature, filter_genes=False)
    np.testing.assert_allclose(found, expected, **EXACT)


def test_a_regulon_of_constant_genes_drops_out_and_no_other():
    X = oracle.cells("smooth")
    X[:, :5] = 1.0
    network = pd.concat([NETWORK, pd.DataFrame({"source": "Z", "target": GENES[:5], "weight": 1.0, "likelihood": 1.0})])
    with pytest.warns(UserWarning, match=r"^1 regulator drops out \('Z'\): .* vary in the reference cells .*0 of 5"):
        model = fit(X, network)
    assert model.regulators_.tolist() == fit(X).regulators_.tolist()
    assert np.isfinite(model.transform(X)).all()


def test_regulators_are_in_alphabetical_order_with_their_targets_among_the_genes():
    network = pd.DataFrame(
        {
            "source": ["b"] * 3 + ["B"] * 2 + ["a10"] * 4 + ["a9"] * 2,
            "target": ["g1", "g2", "absent", "g1", "g5", "g1", "g2", "g3", "g4", "g1", "absent"],
            "weight": 1.0,
        }
    )
    model = fit(oracle.cells("log"), network)
    assert model.regulators_.tolist() == ["B", "a10", "a9", "b"]
    assert model.n_targets_.tolist() == [2, 4, 1, 2]
    assert fit(oracle.cells("log"), network.astype("category").astype({"weight": float})).n_targets_.tolist() == [
        2,
        4,
        1,
        2,
    ]


@pytest.mark.parametrize("min_targets", [2, 3, 4, np.int64(4)])
def test_regulators_with_too_few_targets_among_the_genes_are_dropped(min_targets):
    sizes = {"two": 2, "three": 3, "four": 4}
    targets = [gene for size in sizes.values() for gene in GENES[:size]]
    network = pd.DataFrame({"source": np.repeat(list(sizes), list(sizes.values())), "target": targets, "weight": 1.0})
    network = pd.concat([network, pd.DataFrame({"source": "three", "target": ["absent"], "weight": 1.0})])
    model = fit(oracle.cells("log"), network, min_targets=min_targets)
    found = dict(zip(model.regulators_, model.n_targets_, strict=True))
    assert found == {name: size for name, size in sizes.items() if size >= min_targets}


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"network": "aracne"}, TypeError, "network is str; give a DataFrame"),
        ({"network": NETWORK.rename(columns={"source": "tf"})}, ValueError, "network lacks the columns 'source'"),
        ({"network": NETWORK.drop(columns=["target", "weight"])}, ValueError, "lacks the columns 'target', 'weight'"),
        ({"network": NETWORK[:0]}, ValueError, "network has no edges"),
        ({"network": NETWORK.assign(weight=1.5)}, ValueError, r"'weight'\] must lie in \[-1, 1\]"),
        ({"network": NETWORK.assign(weight=np.nan)}, ValueError, r"'weight'\] must lie"),
        ({"network": NETWORK.assign(likelihood=0.0)}, ValueError, r"'likelihood'\] must lie in \(0, 1\]"),
        ({"network": NETWORK.assign(likelihood=2.0)}, ValueError, r"'likelihood'\] must lie"),
        ({"network": pd.concat([NETWORK, NETWORK[:2]])}, ValueError, "network holds 2 edges twice, such as"),
        ({"network": NETWORK.assign(source=None)}, ValueError, "network has edges without source"),
        ({"network": NETWORK.assign(group=NETWORK["source"])}, ValueError, "network holds 8 groups"),
        ({"signature": "zscore"}, ValueError, "signature is 'zscore'; choose one of 'none', "),
        ({"enrichment": "gsea"}, ValueError, "enrichment is 'gsea'; choose one of 'area'"),
        ({"min_targets": True}, ValueError, "min_targets is True; give a whole number, at least 1"),
        ({"min_targets": 0}, ValueError, "min_targets is 0"),
        ({"min_targets": 2.5}, ValueError, "min_targets is 2.5"),
        ({"n_threads": -1}, ValueError, "n_threads is -1"),
        ({"signature": "none", "reference": [0, 1]}, ValueError, "reference has no meaning with signature='none'"),
    ],
)
def test_bad_settings_are_refused_at_once(change, error, match):
    with pytest.raises(error, match=match):
        VIPER(**{"network": NETWORK, **change})


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"min_targets": 15}, NotScorableError, "no regulator has min_targets=15 targets among the genes; the largest"),
        (
            {"network": NETWORK.assign(target="ENSG1" + NETWORK["target"])},
            ValueError,
            "no target of the network .* is amo",
        ),
        ({"reference": np.ones(39, bool)}, ValueError, "reference is a mask of shape .39,., but there are 40 cells"),
        ({"reference": [3, 40]}, ValueError, "reference holds positions from 3 to 40 of 40 cells"),
        ({"reference": [-1, 4]}, ValueError, "reference holds positions from -1 to 4"),
        ({"reference": ["a", "b"]}, TypeError, "reference must be a mask or positions of cells"),
        ({"reference": np.zeros(40, bool)}, NotScorableError, "0 reference cells for signature='scale'"),
        ({"reference": [7]}, NotScorableError, "1 reference cell for signature='scale', which needs at least 2"),
        ({"genes": GENES[:-1]}, ValueError, "gene_names has shape .59,., but X has 60 columns"),
        ({"genes": [*GENES[:-1], "g0"]}, ValueError, "gene_names holds duplicates: 'g0'"),
    ],
)
def test_settings_that_do_not_fit_the_data_are_refused(settings, error, match):
    with pytest.raises(error, match=match):
        fit(oracle.cells("log"), **settings)


@pytest.mark.parametrize(
    ("n_cells", "signature", "match"),
    [
        (1, "scale", "1 reference cell for signature='scale'.* at least 2"),
        (1, "mean", "1 reference cell for signature='mean'"),
        (1, "rank", "1 reference cell for signature='rank'"),
        (2, "ttest", "2 reference cells for signature='ttest'.* at least 3"),
        (0, "none", "0 reference cells for signature='none'"),
    ],
)
def test_too_few_cells_are_refused(n_cells, signature, match):
    with pytest.raises(NotScorableError, match=match):
        fit(oracle.cells("smooth")[:n_cells], signature=signature)


def test_one_cell_is_enough_for_its_own_values():
    X = oracle.cells("smooth")
    np.testing.assert_array_equal(scores(X[:1], signature="none"), scores(X, signature="none")[:1])


@pytest.mark.parametrize("signature", ["scale", "ttest", "mad"])
def test_only_constant_genes_are_refused(signature):
    with pytest.raises(NotScorableError, match=f"genes .* in the reference cells, as signature='{signature}' needs"):
        fit(np.broadcast_to(np.arange(60.0), (10, 60)), signature=signature)


@pytest.mark.parametrize(
    ("signature", "bad", "match"),
    [  # NaN is missing from a ready signature
        *((name, np.nan, "1 missing .* and 0 infinite") for name in SIGNATURES if name != "none"),
        *((name, np.inf, "0 missing .* and 1 inf") for name in SIGNATURES),
    ],
)
def test_values_that_are_not_finite_are_refused_with_their_place(signature, bad, match, as_format):
    X = oracle.cells("log")
    X[21, 33] = bad
    with pytest.raises(ValueError, match=f"{match}.* the first at row 21, column 33"):
        scores(as_format(X), signature=signature)


@pytest.mark.parametrize("genes", [59, 61])
def test_transform_refuses_another_number_of_genes(genes):
    model = fit(oracle.cells("log"))
    with pytest.raises(ValueError, match=f"X has {genes} genes, but fit saw 60"):
        model.transform(np.ones((3, genes)))


@pytest.mark.parametrize(
    ("X", "match"),
    [
        ([[1.0, 2.0]], "X is list, not a matrix"),
        (np.zeros(60), "X is ndarray, not a matrix"),
        (pd.DataFrame(np.zeros((3, 60))), "X is DataFrame, not a matrix"),
        (np.zeros((3, 60), "U1"), "X holds <U1, not real numbers"),
        (np.zeros((3, 60), complex), "X holds complex128, not real numbers"),
    ],
    ids=["list", "vector", "frame", "text", "complex"],
)
def test_what_is_no_matrix_of_numbers_is_refused(X, match):
    with pytest.raises(TypeError, match=match):
        fit(X)


@pytest.mark.parametrize("signature", ["none", "scale", "rank"])
def test_negative_values_are_refused_only_where_asked(signature):
    X = oracle.cells("smooth")
    model = fit(X, signature=signature)
    with pytest.raises(ValueError, match="X holds negative values"):
        model.transform(X, allow_negative=False)
    np.testing.assert_array_equal(model.transform(X), scores(X, signature=signature))


def test_transform_before_fit_says_so() -> None:
    network = pd.DataFrame({"source": ["a"], "target": ["b"], "weight": [1.0]})
    with pytest.raises(RuntimeError, match="call fit"):
        VIPER(network).transform(np.ones((2, 2)))
