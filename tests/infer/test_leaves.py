"""The partition of one pair, leaf by leaf, against the kernels, the oracle and by what holds of any partition."""

from __future__ import annotations

import leaf_oracles
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pysces._csr import as_csc
from pysces._infer.information import gene_seeds, mutual_information
from pysces._infer.leaves import leaves
from pysces._infer.partition import code
from pysces._infer.ranks import rank_genes

# The kernels sum in steps of 2**-56 nats, which halves and logarithms of widths are rounded to.
ROUNDING = 1e-15
CONVENTIONS = pytest.mark.parametrize("convention", ["aracne3", "aracne-ap"])
TIES = pytest.mark.parametrize("ties", ["block", "random"])


def partition(X, convention="aracne3", ties="block", seed=0):
    """The leaves of the two columns of X, and the mutual information that the kernels give."""
    ranks, seeds = rank_genes(as_csc(X), 1), gene_seeds(seed, 2)
    x, y = (code(ranks.genes(slice(i, i + 1)), convention, ties, seeds[i : i + 1]) for i in range(2))
    of_kernels = mutual_information(ranks, np.array([0]), convention=convention, ties=ties, seed=seed, n_threads=1)
    return leaves(x, y), of_kernels[0, 1]


def pair(kind: str, n: int) -> np.ndarray:
    rng = np.random.default_rng([n, 7])
    common = rng.normal(size=n)
    other = {"strong": 0.1, "weak": 2.0, "counts": 0.3, "sparse": 0.3, "mixed": 0.3}[kind] * rng.normal(size=n) + common
    match kind:
        case "counts":
            return rng.poisson(np.exp(np.column_stack([common, other])))
        case "sparse":
            return rng.poisson(np.exp(np.column_stack([common - 3, 2 * other - 2])))
        case "mixed":
            return np.column_stack([common, rng.poisson(np.exp(other))])
    return np.column_stack([common, other**2 if kind == "weak" else other])


def as_set(found):
    return {tuple(map(int, row)) for row in np.column_stack([found.x, found.y, found.observed])}


def covers_each_place_once(found):
    plane = np.zeros((found.n_cells, found.n_cells), np.int64)
    for (left, right), (low, high) in zip(found.x, found.y, strict=True):
        plane[left:right, low:high] += 1
    return bool((plane == 1).all())


@TIES
@CONVENTIONS
@pytest.mark.parametrize("kind", ["strong", "weak", "counts", "sparse", "mixed"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 64, 65, 300])
def test_leaves_sum_to_the_mutual_information_of_the_kernels(n, kind, convention, ties):
    found, mi = partition(pair(kind, n), convention, ties)
    assert found.information.sum() == pytest.approx(mi, abs=1e-12)


@CONVENTIONS
@pytest.mark.parametrize("kind", ["strong", "weak", "counts", "sparse", "mixed"])
@pytest.mark.parametrize("n", [4, 65, 300])
def test_leaves_are_those_of_the_oracle(n, kind, convention):
    X = pair(kind, n)
    found, _ = partition(X, convention)
    assert as_set(found) == leaf_oracles.leaves(X[:, 0], X[:, 1], convention)


values = st.one_of(
    hnp.arrays(np.int64, st.tuples(st.integers(1, 60), st.just(2)), elements=st.integers(0, 4)),
    hnp.arrays(np.float64, st.tuples(st.integers(1, 60), st.just(2)), elements=st.floats(0, 9), unique=True),
)


@settings(max_examples=150, deadline=None)
@given(values, st.sampled_from(["aracne3", "aracne-ap"]), st.sampled_from(["block", "random"]), st.integers(0, 99))
def test_leaves_tile_the_plane_and_hold_every_cell_once(X, convention, ties, seed):
    found, mi = partition(X, convention, ties, seed)
    assert covers_each_place_once(found)
    assert found.observed.sum() == len(X)
    assert found.information.sum() == pytest.approx(mi, abs=1e-12)
    if ties == "block":
        assert as_set(found) == leaf_oracles.leaves(X[:, 0], X[:, 1], convention)


def test_cells_lie_in_the_leaf_that_counts_them():
    X = pair("strong", 200)
    found, _ = partition(X)
    x, y = X.argsort(axis=0).argsort(axis=0).T
    inside = (found.x[:, :1] <= x) & (x < found.x[:, 1:]) & (found.y[:, :1] <= y) & (y < found.y[:, 1:])
    np.testing.assert_array_equal(inside.sum(axis=1), found.observed)
    assert len(found.observed) > 20


def test_independent_genes_are_cut_once_into_four():
    x = np.repeat(np.arange(8.0), 8)
    found, mi = partition(np.column_stack([x, np.tile(np.arange(8.0), 8)]))
    assert as_set(found) == {(a, a + 32, b, b + 32, 16) for a in (0, 32) for b in (0, 32)}
    np.testing.assert_allclose(found.expected, 16, rtol=1e-12)
    assert mi == pytest.approx(0, abs=ROUNDING)


def test_a_gene_of_two_values_gives_the_information_of_a_table():
    x, y = np.repeat([0, 1], [30, 10]), np.concatenate([np.zeros(25), np.ones(5), np.zeros(2), np.ones(8)])
    found, _ = partition(np.column_stack([x, y]))
    assert as_set(found) == {(0, 30, 0, 27, 25), (0, 30, 27, 40, 5), (30, 40, 0, 27, 2), (30, 40, 27, 40, 8)}
    expected = dict(zip(found.observed.tolist(), found.expected.tolist(), strict=True))
    assert expected == pytest.approx({25: 20.25, 5: 9.75, 2: 6.75, 8: 3.25})


def test_a_constant_gene_is_never_cut():
    found, mi = partition(np.column_stack([np.zeros(20), np.arange(20.0)]))
    assert {tuple(row) for row in found.x.tolist()} == {(0, 20)}
    assert mi == pytest.approx(0, abs=ROUNDING)
    both, _ = partition(np.zeros((20, 2)))
    assert as_set(both) == {(0, 20, 0, 20, 20)}


def test_leaves_without_cells_add_nothing():
    found, _ = partition(np.column_stack([np.arange(64.0), np.arange(64.0)]))
    assert (found.information[found.observed == 0] == 0).all()
    assert (found.observed == 0).any()
