"""Ranks of sparse genes, whole, in subsets and permuted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import chisquare

from pysces._csr import as_csc
from pysces._infer.ranks import GENES_PER_BLOCK, permute_cells, rank_genes, take_cells

MATRIX = np.array(
    [
        [0.0, 1.0, -1.0, 0.0, 2.5],
        [0.0, 2.0, -3.0, 5.0, 2.5],
        [0.0, 3.0, -1.0, -5.0, 0.0],
        [0.0, 2.0, -2.0, 0.0, -2.5],
    ]
)


def dense_levels(ranks) -> np.ndarray:
    """Level of every cell (cells x genes)."""
    dense = np.tile(ranks.zero_level, (ranks.n_cells, 1))
    gene = np.repeat(np.arange(ranks.n_genes), np.diff(ranks.indptr))
    dense[ranks.cells, gene] = ranks.levels
    return dense


def assert_same(found, expected) -> None:
    for name in found._fields:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def counts(n_cells: int, n_genes: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.exponential(1.0, n_genes), (n_cells, n_genes)) - (rng.random((n_cells, n_genes)) < 0.1)


def test_levels_count_the_distinct_values_below_with_zero_among_them():
    ranks = rank_genes(as_csc(MATRIX), 1)
    np.testing.assert_array_equal(
        dense_levels(ranks), [[0, 1, 2, 1, 2], [0, 2, 0, 2, 2], [0, 3, 2, 0, 1], [0, 2, 1, 1, 0]]
    )
    np.testing.assert_array_equal(ranks.zero_level, [0, 0, 3, 1, 1])
    np.testing.assert_array_equal(ranks.n_levels, [1, 4, 4, 3, 3])
    assert ranks.n_cells == 4
    assert ranks.n_genes == 5


@given(
    X=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 12), st.integers(1, 4)),
        elements=st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0, 5e-324]), st.floats(-3, 3, width=16)),
    )
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_levels_rank_the_values_and_zeros_are_not_listed(X):
    ranks = rank_genes(as_csc(X), 1)
    found = dense_levels(ranks)
    for gene, column in enumerate(X.T):
        values = np.unique(np.append(column, 0.0))
        np.testing.assert_array_equal(found[:, gene], np.searchsorted(values, column))
        assert ranks.n_levels[gene] == len(values)
    assert len(ranks.cells) == np.count_nonzero(X)


def test_ranks_do_not_depend_on_format_or_threads(as_format):
    X = counts(30, 3 * GENES_PER_BLOCK + 5)
    assert_same(rank_genes(as_csc(as_format(X)), 2), rank_genes(as_csc(X), 1))


@pytest.mark.parametrize("chosen", [[0], [4, 2, 2], [1, 3]])
def test_chosen_genes_keep_their_ranks_in_the_order_given(chosen):
    ranks = rank_genes(as_csc(MATRIX), 1)
    np.testing.assert_array_equal(dense_levels(ranks.genes(np.array(chosen))), dense_levels(ranks)[:, chosen])


def test_a_slice_of_genes_is_the_same_as_its_positions():
    ranks = rank_genes(as_csc(counts(30, 20)), 1)
    assert_same(ranks.genes(slice(5, 12)), ranks.genes(np.arange(5, 12)))


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("n_taken", [0, 1, 17, 40])
def test_a_subset_of_cells_keeps_the_levels_of_the_whole(n_taken, n_threads):
    X = counts(40, 2 * GENES_PER_BLOCK + 1)
    taken = np.sort(np.random.default_rng(1).choice(40, n_taken, replace=False))
    ranks = rank_genes(as_csc(X), 1)
    subset = take_cells(ranks, taken, n_threads)
    assert subset.n_cells == n_taken
    np.testing.assert_array_equal(dense_levels(subset), dense_levels(ranks)[taken])
    assert len(subset.cells) == np.count_nonzero(X[taken])


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("taken", [[0] * 6, [2, 2, 2, 39], [*range(40), 39, 39]])
def test_cells_taken_repeatedly_repeat_their_levels(taken, n_threads):
    X = counts(40, 2 * GENES_PER_BLOCK + 1)
    taken = np.sort(taken)
    ranks = rank_genes(as_csc(X), 1)
    sample = take_cells(ranks, taken, n_threads)
    assert sample.n_cells == len(taken)
    assert sample.cells.dtype == ranks.cells.dtype
    np.testing.assert_array_equal(dense_levels(sample), dense_levels(ranks)[taken])
    assert len(sample.cells) == np.count_nonzero(X[taken])


@given(
    X=hnp.arrays(np.int64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(-2, 3)),
    draws=st.lists(st.floats(0, 1, exclude_max=True), max_size=30),
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_a_sample_with_replacement_ranks_like_the_values_of_its_cells(X, draws):
    taken = np.sort((np.array(draws) * len(X)).astype(np.intp))
    sample = take_cells(rank_genes(as_csc(X), 1), taken, 1)
    again = rank_genes(as_csc(X[taken]), 1)
    np.testing.assert_array_equal(sample.cells, again.cells)
    np.testing.assert_array_equal(sample.indptr, again.indptr)
    for gene in range(X.shape[1]):  # levels of values that were not taken are left out
        first, second = (np.unique(dense_levels(ranks)[:, gene], return_inverse=True)[1] for ranks in (sample, again))
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_permuted_genes_hold_the_same_values_in_other_cells(n_threads):
    ranks = rank_genes(as_csc(counts(50, 20)), 1)
    genes = np.arange(3 * GENES_PER_BLOCK) % 20
    seeds = np.arange(len(genes), dtype=np.uint64)
    permuted = permute_cells(ranks, genes, 50, seeds, n_threads)
    found, whole = dense_levels(permuted), dense_levels(ranks)[:, genes]
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(whole, axis=0))
    assert (found != whole).any(axis=0).mean() > 0.9
    for start, stop in zip(permuted.indptr[:-1], permuted.indptr[1:], strict=True):
        assert (np.diff(permuted.cells[start:stop]) > 0).all()


def test_a_permutation_follows_the_seed_of_its_gene_alone():
    ranks = rank_genes(as_csc(counts(50, 20)), 1)
    seeds = np.array([7, 8, 9], np.uint64)
    whole = permute_cells(ranks, np.array([4, 5, 4]), 50, seeds, 1)
    alone = permute_cells(ranks, np.array([4]), 50, seeds[2:], 1)
    assert_same(whole.genes(np.array([2])), alone)
    first, last = (whole.cells[whole.indptr[i] : whole.indptr[i + 1]].tolist() for i in (0, 2))
    assert first != last


def test_a_cut_permutation_is_the_beginning_of_the_whole():
    ranks = rank_genes(as_csc(counts(50, 20)), 1)
    genes, seeds = np.arange(20), np.arange(20, dtype=np.uint64)
    whole, cut = (dense_levels(permute_cells(ranks, genes, n, seeds, 1)) for n in (50, 30))
    np.testing.assert_array_equal(cut, whole[:30])


@pytest.mark.parametrize("n_cells", [7, 64])
def test_permutations_put_a_cell_anywhere_with_equal_chance(n_cells):
    X = np.zeros((n_cells, 1))
    X[2] = 1.0
    n_drawn = 200 * n_cells
    seeds = np.random.SeedSequence(0).generate_state(n_drawn, np.uint64)
    permuted = permute_cells(rank_genes(as_csc(X), 1), np.zeros(n_drawn, np.intp), n_cells, seeds, 1)
    assert chisquare(np.bincount(permuted.cells, minlength=n_cells)).pvalue > 1e-3  # the seeds are fixed
