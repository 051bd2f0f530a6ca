"""Trees and bit planes of genes against the oracle's tree."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata

from pysces._csr import as_csc
from pysces._infer.partition import FIXED_POINT, SMALLEST, code, code_distinct, distinct_tree, first_splits
from pysces._infer.ranks import rank_genes

CONVENTIONS = pytest.mark.parametrize("convention", ["aracne3", "aracne-ap"])


def coded(X, convention="aracne3", ties="block", seed=0):
    seeds = np.random.SeedSequence(seed).generate_state(X.shape[1], np.uint64)
    return code(rank_genes(as_csc(X), 1), convention, ties, seeds)


def unpacked(words: np.ndarray, n_cells: int) -> np.ndarray:
    """Bits of 64-bit words as booleans, one per cell."""
    octets = words[..., None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)
    return octets.reshape(*words.shape[:-1], -1)[..., :n_cells].astype(bool)


def upper_cells(genes, n_cells: int) -> np.ndarray:
    """Which cells lie in the upper part of their node: genes x levels x cells."""
    top = unpacked(genes.top, n_cells)
    first, second = top[:, 2] | top[:, 3], top[:, 1] | top[:, 3]
    return np.concatenate([first[:, None], second[:, None], unpacked(genes.planes, n_cells)], axis=1)


def oracle_planes(values: np.ndarray, convention: str) -> list[np.ndarray]:
    """Which cells lie in the upper part of their node, level by level."""
    tree = oracles.Tree(values, convention)
    nodes, planes = [tree.root], []
    while nodes:
        large = [node for node in nodes if node is tree.root or node.cells.sum() >= SMALLEST[convention]]
        parts = [part for part in map(tree.split, large) if len(part) == 2]
        planes.append(np.any([high.cells for _, high in parts], axis=0) if parts else np.zeros(len(values), bool))
        nodes = [node for part in parts for node in part]
    return planes


def simulate(n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    columns = [rng.normal(size=n), rng.poisson(0.2, n), rng.poisson(1.5, n), rng.poisson(50, n), np.ones(n)]
    return np.column_stack([*columns, rng.integers(-3, 3, n), np.round(rng.normal(size=n), 1)])


def assert_planes_match_the_oracle(X: np.ndarray, convention: str) -> None:
    planes = upper_cells(coded(X, convention).genes, len(X))
    for gene, values in enumerate(X.T):
        expected = oracle_planes(values, convention)
        found = planes[gene]
        assert len(found) >= len(expected)
        for level, plane in enumerate(found):
            np.testing.assert_array_equal(plane, expected[level] if level < len(expected) else False)


@CONVENTIONS
@pytest.mark.parametrize("n", [2, 3, 10, 64, 65, 257])
def test_planes_match_the_tree_of_the_oracle(n, convention):
    assert_planes_match_the_oracle(simulate(n), convention)


@CONVENTIONS
@given(x=hnp.arrays(np.int64, st.integers(2, 70), elements=st.integers(-3, 6)))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_planes_of_any_gene_match_the_tree_of_the_oracle(x, convention):
    assert_planes_match_the_oracle(x[:, None], convention)


@CONVENTIONS
def test_equal_values_are_never_split(convention):
    X = simulate(200)
    planes = upper_cells(coded(X, convention).genes, 200)
    for gene, values in enumerate(X.T):
        for value in np.unique(values):
            block = planes[gene][:, values == value]
            assert (block == block[:, :1]).all()


@pytest.mark.parametrize("detected", [0.02, 0.15, 0.45])
def test_the_first_split_of_a_sparse_gene_is_its_detection(detected):
    rng = np.random.default_rng(0)
    x = (rng.random(300) < detected) * rng.integers(1, 5, 300)
    np.testing.assert_array_equal(upper_cells(coded(x[:, None]).genes, 300)[0, 0], x > 0)


@CONVENTIONS
@pytest.mark.parametrize("ties", ["block", "random"])
def test_top_masks_part_the_cells_and_margins_count_them(ties, convention):
    X = simulate(150)
    genes = coded(X, convention, ties).genes
    top = unpacked(genes.top, 150)
    np.testing.assert_array_equal(top.sum(axis=1), 1)
    np.testing.assert_array_equal(top.sum(axis=2), genes.margin)


@pytest.mark.parametrize("n_cells", [1, 63, 64, 65, 256, 257])
def test_no_bit_is_set_beyond_the_last_cell(n_cells):
    words = coded(simulate(n_cells)).genes.top
    assert np.bitwise_count(words).sum() == n_cells * len(words)


@pytest.mark.parametrize("n_cells", [2, 5, 100, 333])
def test_halves_of_the_copula_have_dyadic_margins(n_cells):
    tree = distinct_tree(n_cells, "aracne3")
    depth = -np.log2(tree.width)
    assert tree.width[0] == 1.0
    for node in np.flatnonzero(tree.child >= 0):
        low = tree.child[node]
        np.testing.assert_array_equal(depth[low : low + 2], depth[node] + 1)


@pytest.mark.parametrize("n_cells", [2, 5, 100, 333])
def test_rank_intervals_have_margins_that_add_up(n_cells):
    tree = distinct_tree(n_cells, "aracne-ap")
    assert tree.width[0] == 1.0
    for node in np.flatnonzero(tree.child >= 0):
        low, high = tree.width[tree.child[node] : tree.child[node] + 2]
        assert low + high == pytest.approx(tree.width[node], abs=1e-15)  # each a rounded multiple of 1 / n
        assert 0 <= round((low - high) * n_cells) <= 1  # the odd rank goes to the low part


@CONVENTIONS
def test_genes_with_ties_keep_the_margins_of_their_blocks(convention):
    X = simulate(120)[:, [1, 2, 3, 5, 6]]
    found = coded(X, convention)
    width = np.exp(found.trees.log_width / FIXED_POINT * 120)
    first = upper_cells(found.genes, 120)[:, 0]
    low = found.trees.child[found.genes.root]
    np.testing.assert_allclose(width[low], (~first).mean(axis=1), rtol=1e-12)  # through a logarithm and back
    np.testing.assert_allclose(width[low + 1], first.mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("values", "minority", "tied"),
    [
        ([0, 0, 0, 0], 0, True),
        ([3, 3, 3, 3], 0, True),
        ([0, 0, 0, 1], 1, True),
        ([0, 0, 0, -1], 1, True),
        ([0, 1, 2, 3], 2, False),
        ([0, 1, 1, 1, 2, 2], 2, True),  # boundaries at 1 and 4 of 6: the median lies nearer the second
        ([0, 0, 1, 1, 2, 2], 2, True),  # at 2 and 4: of two as near, the lower
        ([1, 1, 2, 2, 2], 2, True),
        ([-2.0, -1.0, 0.0], 1, False),
        ([7], 0, False),
    ],
)
def test_minority_is_the_smaller_side_of_the_first_split(values, minority, tied):
    ranks = rank_genes(as_csc(np.array(values, float)[:, None]), 1)
    found_minority, found_tied = first_splits(ranks)
    assert (found_minority[0], found_tied[0]) == (minority, tied)


@CONVENTIONS
def test_random_order_breaks_ties_and_keeps_everything_else(convention):
    X = simulate(90)
    seeds = np.random.SeedSequence(5).generate_state(X.shape[1], np.uint64)
    found = code(rank_genes(as_csc(X), 1), convention, "random", seeds)
    # any order of ties lies between the smallest and the largest rank of the block
    lowest, highest = rankdata(X, "min", axis=0), rankdata(X, "max", axis=0)
    first = upper_cells(found.genes, 90)[:, 0].T
    split = distinct_tree(90, convention).split[0]
    assert first[lowest > split].all()
    assert not first[highest <= split].any()
    np.testing.assert_array_equal(first.sum(axis=0), 90 - split)


@CONVENTIONS
def test_random_order_of_a_gene_without_ties_is_its_order(convention):
    x = np.random.default_rng(0).normal(size=(77, 3))
    by_rank = code_distinct((rankdata(x, axis=0).T - 1).astype(np.int32), convention)
    found = coded(x, convention, "random")
    np.testing.assert_array_equal(found.genes.top, by_rank.genes.top)
    np.testing.assert_array_equal(found.genes.planes, by_rank.genes.planes)


def test_random_order_treats_tied_cells_alike():
    n_genes, n_cells = 4000, 10
    found = coded(np.zeros((n_cells, n_genes)), ties="random")
    upper = upper_cells(found.genes, n_cells)[:, 0]
    share = upper.mean(axis=0)
    # each cell is in the upper half (5 of 10) with chance 1/2; 5 standard errors, the seed is fixed
    np.testing.assert_allclose(share, 0.5, atol=5 * 0.5 / np.sqrt(n_genes))
