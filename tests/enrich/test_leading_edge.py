from __future__ import annotations

import msviper_oracles as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysces._enrich.leading_edge import leading_edge
from pysces._regulons import Regulons


def regulons(*parts):
    """From pairs of targets and modes."""
    indptr = np.cumsum([0, *(len(targets) for targets, _ in parts)])
    targets = np.concatenate([np.asarray(targets, np.int32) for targets, _ in parts])
    return Regulons(
        indptr, targets, np.concatenate([np.asarray(modes, float) for _, modes in parts]), np.ones(len(targets))
    )


def edges(signature, *parts):
    inside = leading_edge(np.asarray(signature, float), regulons(*parts))
    return [set(targets[chosen].tolist()) for targets, chosen in
            ((np.asarray(t), inside[a : a + len(t)]) for (t, _), a in
             zip(parts, np.cumsum([0, *(len(t) for t, _ in parts)]), strict=False))]  # fmt: skip


@given(st.integers(0, 10**6), st.integers(2, 30), st.booleans())
@settings(deadline=None)
def test_it_is_that_of_the_walk(seed, n_targets, ties):
    rng = np.random.default_rng(seed)
    signature = rng.normal(size=40)
    if ties:
        signature = np.rint(2 * signature)
        signature[0] = 3
    targets = np.sort(np.append(rng.permutation(np.arange(1, 40))[: n_targets - 1], 0))
    modes = np.rint(3 * rng.uniform(-1, 1, n_targets)) / 3
    assert edges(signature, (targets, modes)) == [oracle.leading_edge(signature, targets.tolist(), modes.tolist())]


def test_it_holds_activated_targets_that_rise_and_repressed_ones_that_fall():
    signature = np.linspace(-5, 5, 21)
    assert edges(signature, ([0, 1, 10, 19, 20], [-1, -1, 1, 1, 1])) == [{0, 1, 19, 20}]


def test_it_is_the_end_of_the_list_where_the_activity_falls():
    signature = np.linspace(-5, 5, 21)
    assert edges(signature, ([0, 1, 10], [1, 1, 1]), ([18, 19, 20], [-1, -1, -1])) == [{0, 1}, {18, 19, 20}]


def test_a_regulon_whose_targets_do_not_change_has_none():
    assert edges([0, 0, 1, -1], ([0, 1], [1, 1]), ([2, 3], [1, -1])) == [set(), {2, 3}]


@pytest.mark.parametrize("modes", [[1, 1, 1], [1, -1, 1]])
def test_a_regulon_of_all_genes_has_one(modes):
    assert edges([1.0, -2.0, 3.0], ([0, 1, 2], modes)) == [{0, 1, 2}]
