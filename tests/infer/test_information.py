"""Mutual information by adaptive partitioning, against the oracle and by its invariances."""

from __future__ import annotations

import itertools

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pysces as ps
from pysces._csr import as_csc
from pysces._infer.information import genes_per_task, mutual_information, pairwise
from pysces._infer.partition import code
from pysces._infer.ranks import rank_genes

# Sums of at most a few hundred terms, each rounded to 2**-56 here and to a double in the oracle.
ROUNDING = 1e-12
CONVENTIONS = pytest.mark.parametrize("convention", ["aracne3", "aracne-ap"])
TIES = pytest.mark.parametrize("ties", ["block", "random"])


def information(X, convention="aracne3", ties="block", *, regulators=None, seed=0, n_threads=1):
    ranks = rank_genes(as_csc(X), n_threads)
    regulators = np.arange(X.shape[1]) if regulators is None else np.asarray(regulators)
    return mutual_information(ranks, regulators, convention=convention, ties=ties, seed=seed, n_threads=n_threads)


def simulate(kind: str, n: int, seed: int = 0) -> np.ndarray:
    """Six genes that depend on each other, some strongly."""
    rng = np.random.default_rng([seed, n])
    common = rng.normal(size=n)
    X = np.column_stack([common + width * rng.normal(size=n) for width in (0.05, 0.3, 1.0, 3.0, 1.0, 1.0)])
    X[:, 4] = common**2 + 0.1 * X[:, 4]
    rates = np.exp(X - [2.0, 1.0, 0.0, 0.0, -1.0, 3.0])
    match kind:
        case "distinct":
            return X
        case "counts":
            return rng.poisson(rates)
        case "negative":
            return np.round(X)
        case "two-valued":
            return (X > [0.0, 0.5, -0.5, 1.0, 0.0, 1.5]).astype(float)
        case "mixed":  # genes with and without ties, one constant
            return np.column_stack([X[:, :2], rng.poisson(rates[:, 2:5]), np.full(n, 3.0)])
    raise ValueError(kind)


@CONVENTIONS
@pytest.mark.parametrize("kind", ["distinct", "counts", "negative", "two-valued", "mixed"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 17, 63, 64, 65, 130, 256, 257, 400])
def test_information_matches_the_oracle(n, kind, convention):
    X = simulate(kind, n)
    mi = information(X, convention)
    for i, j in itertools.permutations(range(X.shape[1]), 2):
        expected = oracles.apmi(X[:, i], X[:, j], convention)
        assert mi[i, j] == pytest.approx(expected, abs=ROUNDING), (i, j)


@CONVENTIONS
@pytest.mark.parametrize("kind", ["distinct", "counts", "mixed"])
def test_information_in_thousands_of_cells_matches_the_oracle(kind, convention):
    X = simulate(kind, 5000)  # parts grow small against the number of cells
    mi = information(X, convention)
    for i, j in [(0, 1), (1, 4), (0, 2)]:
        assert mi[i, j] == pytest.approx(oracles.apmi(X[:, i], X[:, j], convention), abs=ROUNDING), (i, j)


few_values = hnp.arrays(np.int64, st.tuples(st.integers(1, 70), st.just(2)), elements=st.integers(-2, 3))
any_values = hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(-1e300, 1e300))
detected = st.builds(
    lambda values, keep: values * keep[: len(values)],
    hnp.arrays(np.int64, st.tuples(st.integers(20, 70), st.just(2)), elements=st.integers(1, 50)),
    hnp.arrays(np.bool_, (70, 2)),
)


@CONVENTIONS
@given(X=st.one_of(few_values, any_values, detected))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_information_of_any_two_genes_matches_the_oracle(X, convention):
    mi = information(X, convention)
    assert mi[0, 1] == pytest.approx(oracles.apmi(X[:, 0], X[:, 1], convention), abs=ROUNDING)


@CONVENTIONS
@given(X=st.one_of(few_values, any_values, detected))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_information_of_any_two_genes_is_symmetric_and_not_negative(X, convention):
    mi = information(X, convention)
    assert mi[0, 1] == mi[1, 0]
    assert mi[0, 1] >= -ROUNDING  # a divergence of two distributions


@CONVENTIONS
@TIES
@pytest.mark.parametrize("kind", ["distinct", "counts", "mixed"])
@pytest.mark.parametrize("n", [37, 300])
def test_information_is_symmetric_to_the_last_bit(n, kind, ties, convention):
    mi = information(simulate(kind, n), convention, ties)
    np.testing.assert_array_equal(mi, mi.T)


MAPS = {
    "stretched": lambda x: 3.0 * x,
    "exponential": lambda x: np.exp(x / 50.0),  # no zero is left
    "above zero": lambda x: x + 100.0,
    "below zero": lambda x: x - 100.0,
    "cubed": lambda x: x**3,
}


@CONVENTIONS
@TIES
@pytest.mark.parametrize("mapping", list(MAPS))
@pytest.mark.parametrize("kind", ["distinct", "counts", "negative"])
def test_information_survives_strictly_increasing_maps(kind, mapping, ties, convention):
    X = simulate(kind, 150).astype(float)
    mapped = X.copy()
    mapped[:, ::2] = MAPS[mapping](X[:, ::2])
    assert information(mapped, convention, ties).tobytes() == information(X, convention, ties).tobytes()


@CONVENTIONS
@pytest.mark.parametrize("kind", ["distinct", "counts", "negative", "mixed"])
def test_the_order_of_cells_does_not_matter(kind, convention):
    X = simulate(kind, 200)
    shuffled = np.random.default_rng(1).permutation(X)
    assert information(shuffled, convention).tobytes() == information(X, convention).tobytes()


@CONVENTIONS
@pytest.mark.parametrize("n", [1, 5, 100])
def test_without_ties_both_treatments_of_ties_agree(n, convention):
    X = simulate("distinct", n)
    expected = information(X, convention, "block").tobytes()
    assert information(X, convention, "random", seed=1).tobytes() == expected
    assert information(X, convention, "random", seed=2).tobytes() == expected


@CONVENTIONS
def test_random_ties_follow_the_seed(convention):
    X = simulate("counts", 200)
    first, again, other = (information(X, convention, "random", seed=seed).tobytes() for seed in (1, 1, 2))
    assert first == again
    assert first != other


@CONVENTIONS
def test_random_ties_of_a_regulator_are_the_same_whichever_genes_are_regulators(convention):
    X = simulate("counts", 200)
    whole = information(X, convention, "random")
    np.testing.assert_array_equal(information(X, convention, "random", regulators=[1, 4]), whole[[1, 4]])


@pytest.mark.parametrize("table", [[[40, 10], [5, 45]], [[85, 5], [5, 5]], [[0, 3], [17, 0]], [[1, 1], [1, 1]]])
@CONVENTIONS
def test_two_valued_genes_have_the_information_of_their_table(table, convention):
    table = np.array(table)
    cells = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], table.ravel(), axis=0)
    joint = table / table.sum()
    margins = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    filled = joint > 0
    plug_in = np.sum(joint[filled] * np.log(joint[filled] / margins[filled]))
    assert information(cells, convention)[0, 1] == pytest.approx(plug_in, abs=ROUNDING)


@CONVENTIONS
@pytest.mark.parametrize("constant", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("kind", ["counts", "two-valued"])
def test_a_constant_gene_tells_nothing_about_a_gene_with_ties(kind, constant, convention):
    X = simulate(kind, 120)
    mi = information(np.column_stack([np.full(len(X), constant), X]), convention)
    np.testing.assert_allclose(mi[0, 1:], 0.0, atol=ROUNDING)


@CONVENTIONS
@pytest.mark.parametrize("n", [64, 256])
def test_a_gene_without_ties_has_the_most_information_with_itself(n, convention):
    x = np.random.default_rng(0).normal(size=n)
    mi = information(np.column_stack([x, x, -x, simulate("distinct", n)]), convention)
    assert mi[0, 1] > np.log(n) / 2
    assert mi[0, 1] == pytest.approx(mi[0, 2], abs=0.2)  # halves of the aracne3 copula are not mirror images
    assert mi[0, 1] > mi[0, 3:].max()


@pytest.mark.parametrize("seed", range(5))
def test_random_order_loses_sparse_signal_that_blocks_keep(seed):
    rng = np.random.default_rng(seed)
    on = rng.random(500) < 0.03
    X = np.column_stack([on * rng.poisson(5, 500), on * rng.poisson(5, 500)])
    assert information(X)[0, 1] > information(X, ties="random", seed=seed)[0, 1]


def test_a_triangle_of_pairs_has_the_information_of_the_square():
    X = simulate("mixed", 100)
    coded = code(rank_genes(as_csc(X), 1), "aracne3", "block", np.empty(0, np.uint64))
    above = np.triu_indices(X.shape[1], 1)
    square, triangle = (pairwise(coded, coded, 1, triangle=triangle) for triangle in (False, True))
    np.testing.assert_array_equal(triangle[above], square[above])


@TIES
def test_tiles_of_genes_do_not_show(ties):
    tile = genes_per_task(3, 40)
    X = np.random.default_rng(0).poisson(1.0, (40, 2 * tile + 9))
    regulators = np.array([3, tile, 2 * tile + 8])  # one in each tile
    mi = information(X, ties=ties, regulators=regulators)
    between = mi[:, regulators]
    np.testing.assert_array_equal(between, between.T)
    if ties == "block":
        genes = np.arange(1, X.shape[1], 40)
        alone = information(np.hstack([X[:, regulators], X[:, genes]]), regulators=range(3))
        np.testing.assert_array_equal(mi[:, genes], alone[:, 3:])


@CONVENTIONS
@TIES
def test_the_number_of_threads_does_not_change_a_byte(ties, convention):
    X = np.random.default_rng(0).poisson(1.0, (90, 150))  # several blocks of genes for every loop with threads
    one, two = (information(X, convention, ties, regulators=range(40), n_threads=n) for n in (1, 2))
    assert one.tobytes() == two.tobytes()


@TIES
@pytest.mark.parametrize("kind", ["counts", "negative", "mixed"])
def test_the_format_of_x_does_not_change_a_byte(as_format, kind, ties):
    X = simulate(kind, 100)
    model = ps.ARACNe(estimator="apmi", ties=ties, rng=3)
    expected = model.mutual_information(X, [0, 2, 5]).tobytes()
    assert model.mutual_information(as_format(X), [0, 2, 5]).tobytes() == expected


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "int64"])
def test_the_dtype_of_counts_does_not_change_a_byte(dtype):
    X = simulate("counts", 100).clip(max=100)
    model = ps.ARACNe(estimator="apmi")
    assert model.mutual_information(X.astype(dtype), [0]).tobytes() == model.mutual_information(X, [0]).tobytes()


@CONVENTIONS
@TIES
def test_the_estimator_gives_nats_of_regulators_with_all_genes(ties, convention):
    X = simulate("distinct", 80)
    mi = ps.ARACNe(estimator="apmi", convention=convention, ties=ties, n_threads=1).mutual_information(X, [1, 4])
    assert mi.shape == (2, 6)
    assert mi.dtype == np.float64
    np.testing.assert_array_equal(np.argwhere(np.isnan(mi)), [[0, 1], [1, 4]])
    assert mi[0, 3] == pytest.approx(oracles.apmi(X[:, 1], X[:, 3], convention), abs=ROUNDING)
    np.testing.assert_array_equal(mi[0, 4], mi[1, 1])


def test_the_estimator_takes_regulators_as_a_mask():
    X = simulate("counts", 80)
    mask = np.array([False, True, False, False, True, False])
    model = ps.ARACNe(estimator="apmi")
    np.testing.assert_array_equal(model.mutual_information(X, mask), model.mutual_information(X, [1, 4]))
