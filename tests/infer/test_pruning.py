"""The data processing inequality against a brute-force walk over all triangles."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysces._infer._pruning_kernels import TARGETS_PER_LOOK
from pysces._infer.pruning import REGULATORS_PER_TASK, prune

VARIANTS = pytest.mark.parametrize("dpi", ["all", "target"])


TOLERANCES = pytest.mark.parametrize("tolerance", [0.0, 0.1, 0.5])


def random_graph(seed: int, n_regulators: int, n_genes: int, n_levels: int, density: float, share_targets: float = 1.0):
    """Edges, mutual information from a few values (ties) that is symmetric among regulators, and the regulators.

    Only some regulators need be targets.
    """
    rng = np.random.default_rng(seed)
    regulators = np.sort(rng.choice(n_genes, n_regulators, replace=False))
    strength = rng.integers(1, n_levels + 1, (n_genes, n_genes)) / 8
    strength = np.triu(strength) + np.triu(strength, 1).T
    mi = strength[regulators]
    edges = rng.random(mi.shape) < density  # each direction on its own: edges between regulators go one way or both
    edges[np.arange(n_regulators), regulators] = False
    mi[np.arange(n_regulators), regulators] = np.nan
    no_targets = regulators[rng.random(n_regulators) >= share_targets]
    edges[:, no_targets] = False
    mi[:, no_targets] = np.nan
    return edges, mi, regulators


graphs = st.builds(
    random_graph,
    seed=st.integers(0, 2**32),
    n_regulators=st.integers(1, 6),
    n_genes=st.integers(6, 12),
    n_levels=st.sampled_from([2, 5, 1000]),
    density=st.sampled_from([0.2, 0.6, 1.0]),
    share_targets=st.sampled_from([0.0, 0.5, 1.0]),
)


def triangle(first: float, second: float, between: float, directions: tuple[bool, bool] = (True, True)):
    """Regulators 0 and 1 and their common target 2."""
    mi = np.array([[np.nan, between, first], [between, np.nan, second]])
    edges = np.array([[False, directions[0], True], [directions[1], False, True]])
    return edges, mi, np.array([0, 1])


def assert_matches_the_oracle(graph, dpi, tolerance, n_threads=1) -> np.ndarray:
    edges, mi, regulators = graph
    kept = prune(edges, mi, regulators, dpi=dpi, tolerance=tolerance, n_threads=n_threads)
    expected = oracles.dpi(edges, mi, regulators, all_sides=dpi == "all", tolerance=tolerance)
    np.testing.assert_array_equal(kept, expected)
    return kept


@VARIANTS
@TOLERANCES
@given(graph=graphs)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_surviving_edges_match_the_oracle(graph, dpi, tolerance):
    assert_matches_the_oracle(graph, dpi, tolerance)


@VARIANTS
@TOLERANCES
@pytest.mark.parametrize("share_targets", [0.6, 1.0])
@pytest.mark.parametrize("n_levels", [5, 10**6])
def test_surviving_edges_of_more_targets_than_a_look_match_the_oracle(n_levels, share_targets, dpi, tolerance):
    n_regulators, n_genes = 3 * REGULATORS_PER_TASK, 2 * TARGETS_PER_LOOK + 50
    graph = random_graph(0, n_regulators, n_genes, n_levels, 0.15, share_targets)
    kept = assert_matches_the_oracle(graph, dpi, tolerance)
    one, two = (prune(*graph, dpi=dpi, tolerance=tolerance, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert 0 < kept.sum() < graph[0].sum()


@VARIANTS
@pytest.mark.parametrize("place", [0, TARGETS_PER_LOOK - 1, TARGETS_PER_LOOK, 2 * TARGETS_PER_LOOK + 7])
def test_a_single_common_target_is_found_wherever_it_is(place, dpi):
    n_genes = 2 * TARGETS_PER_LOOK + 12
    regulators = np.array([n_genes - 2, n_genes - 1])
    for first, second, between in [(1.0, 2.0, 3.0), (2.0, 3.0, 1.0)]:
        mi = np.full((2, n_genes), 9.0)
        edges = np.zeros((2, n_genes), bool)
        mi[:, place] = first, second
        mi[[0, 1], regulators[::-1]] = between
        edges[:, place] = edges[[0, 1], regulators[::-1]] = True
        for tolerance in (0.0, 0.1):
            kept = assert_matches_the_oracle((edges, mi, regulators), dpi, tolerance)
            gone = (first < between) + 2 * (between < first and dpi == "all")
            assert kept.sum() == edges.sum() - gone


@VARIANTS
@TOLERANCES
@given(graph=graphs)
@settings(deadline=None, max_examples=50, derandomize=True)
def test_a_pruned_network_is_not_pruned_again(graph, dpi, tolerance):
    edges, mi, regulators = graph  # every triangle that is left was there before, and lost nothing to its weakest edge
    once = prune(edges, mi, regulators, dpi=dpi, tolerance=tolerance, n_threads=1)
    twice = prune(once, mi, regulators, dpi=dpi, tolerance=tolerance, n_threads=1)
    np.testing.assert_array_equal(twice, once)


@TOLERANCES
@given(graph=graphs)
@settings(deadline=None, max_examples=50, derandomize=True)
def test_pruning_all_sides_only_takes_more_between_regulators(graph, tolerance):
    edges, mi, regulators = graph
    all_sides, targets = (
        prune(edges, mi, regulators, dpi=dpi, tolerance=tolerance, n_threads=1) for dpi in ("all", "target")
    )
    assert not (all_sides & ~targets).any()
    assert not (targets & ~edges).any()
    others = np.setdiff1d(np.arange(edges.shape[1]), regulators)
    np.testing.assert_array_equal(all_sides[:, others], targets[:, others])


@VARIANTS
@given(graph=graphs, seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_the_order_of_regulators_and_genes_does_not_matter(graph, seed, dpi):
    edges, mi, regulators = graph
    rng = np.random.default_rng(seed)
    rows, genes = rng.permutation(len(regulators)), rng.permutation(edges.shape[1])
    renamed = np.argsort(genes)[regulators[rows]]
    kept = prune(edges, mi, regulators, dpi=dpi, tolerance=0.0, n_threads=1)
    shuffled = prune(edges[rows][:, genes], mi[rows][:, genes], renamed, dpi=dpi, tolerance=0.0, n_threads=1)
    np.testing.assert_array_equal(shuffled, kept[rows][:, genes])


@VARIANTS
@given(graph=graphs)
@settings(deadline=None, max_examples=50, derandomize=True)
def test_edges_are_only_removed_and_fewer_with_a_tolerance(graph, dpi):
    edges, mi, regulators = graph
    before = edges.copy()
    strict = prune(edges, mi, regulators, dpi=dpi, tolerance=0.0, n_threads=1)
    tolerant = prune(edges, mi, regulators, dpi=dpi, tolerance=0.3, n_threads=1)
    assert not (strict & ~tolerant).any()
    assert not (tolerant & ~edges).any()
    np.testing.assert_array_equal(edges, before)


@pytest.mark.parametrize(
    ("first", "second", "between", "dpi", "removed"),
    [
        (1.0, 2.0, 3.0, "all", {(0, 2)}),
        (3.0, 1.0, 2.0, "all", {(1, 2)}),
        (2.0, 3.0, 1.0, "all", {(0, 1), (1, 0)}),
        (1.0, 1.0, 2.0, "all", {(0, 1), (1, 0)}),
        (1.0, 2.0, 1.0, "all", {(0, 1), (1, 0)}),
        (2.0, 2.0, 2.0, "all", {(0, 1), (1, 0)}),
        (1.0, 2.0, 3.0, "target", {(0, 2)}),
        (2.0, 3.0, 1.0, "target", set()),
        (1.0, 1.0, 2.0, "target", set()),
        (1.0, 2.0, 1.0, "target", set()),
    ],
)
def test_the_strictly_weakest_side_of_a_triangle_goes(first, second, between, dpi, removed):
    edges, mi, regulators = triangle(first, second, between)
    kept = prune(edges, mi, regulators, dpi=dpi, tolerance=0.0, n_threads=1)
    assert set(zip(*np.nonzero(edges & ~kept), strict=True)) == removed


@pytest.mark.parametrize("sides", [(0.7, 1.0, 1.0), (1.0, 0.7, 1.0), (1.0, 1.0, 0.7)])
@pytest.mark.parametrize(("tolerance", "n_kept"), [(0.29, 3), (0.31, 4)])
def test_a_side_within_the_tolerance_stays(sides, tolerance, n_kept):
    edges, mi, regulators = triangle(*sides)
    kept = prune(edges, mi, regulators, dpi="all", tolerance=tolerance, n_threads=1)
    both_ways = sides[2] < 1 and tolerance < 0.3  # the edge between regulators goes in both directions
    assert kept.sum() == n_kept - both_ways


@pytest.mark.parametrize("directions", [(True, False), (False, True), (True, True)])
def test_an_edge_between_regulators_counts_in_either_direction(directions):
    edges, mi, regulators = triangle(1.0, 2.0, 3.0, directions)
    kept = prune(edges, mi, regulators, dpi="target", tolerance=0.0, n_threads=1)
    assert not kept[0, 2]
    assert kept.sum() == edges.sum() - 1


@VARIANTS
def test_regulators_without_an_edge_between_them_form_no_triangle(dpi):
    edges, mi, regulators = triangle(1.0, 2.0, 3.0, (False, False))
    np.testing.assert_array_equal(prune(edges, mi, regulators, dpi=dpi, tolerance=0.0, n_threads=1), edges)


def test_triangles_are_judged_on_the_unpruned_network():
    mi = np.array([[np.nan, 5.0, 4.0, 1.0], [5.0, np.nan, 3.0, 2.0], [4.0, 3.0, np.nan, 6.0]])
    edges = ~np.isnan(mi)
    kept = prune(edges, mi, np.arange(3), dpi="all", tolerance=0.0, n_threads=1)
    # 1-2 is the weakest of 0, 1, 2 and goes; it still makes 1-3 the weakest of 1, 2, 3
    assert not kept[1, 2]
    assert not kept[2, 1]
    assert not kept[1, 3]


def test_without_pruning_all_edges_stay():
    edges, mi, regulators = random_graph(0, 5, 10, 5, 0.6)
    np.testing.assert_array_equal(prune(edges, mi, regulators, dpi=None, tolerance=0.0, n_threads=1), edges)
