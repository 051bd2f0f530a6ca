"""Van Elteren's test: against all permutations within strata, and Wilcoxon's where there is one stratum."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from pysces._enrich.ranking import rank_groups


def ranked(x, codes, strata=None, n_groups=1, *, rest=True):
    return rank_groups(
        lambda block: x[:, block], x.shape[1], codes, n_groups, "wilcoxon", rest=rest, n_threads=1, strata=strata
    )


def statistic(chosen):
    """Sum over strata of the rank sum of the group over the number of cells + 1; of (values, whether in the group)."""
    return sum(stats.rankdata(values)[members].sum() / (len(values) + 1) for values, members in chosen)


@pytest.mark.parametrize("ties", [False, True])
def test_the_score_is_that_among_all_permutations_within_strata(ties):
    rng = np.random.default_rng(0)
    x = rng.normal(size=13).astype(np.float32)
    x = np.round(x) if ties else x
    values = x.astype(np.float64)
    strata = np.repeat([0, 1, 2], [5, 4, 4])
    members = np.array([1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0], bool)
    every = []
    for stratum in range(3):
        own = strata == stratum
        ways = combinations(range(own.sum()), int(members[own].sum()))
        every.append([(values[own], np.isin(np.arange(own.sum()), way)) for way in ways])
    null = np.array([statistic(chosen) for chosen in product(*every)])
    observed = statistic([(values[strata == s], members[strata == s]) for s in range(3)])
    found = ranked(x[:, None], np.where(members, 0, 1), strata)
    assert found.score[0, 0] == pytest.approx((observed - null.mean()) / null.std(), rel=1e-9)
    as_extreme = np.abs(null - null.mean()) > abs(observed - null.mean()) - 1e-9
    assert np.exp(found.log_p[0, 0]) == pytest.approx(as_extreme.mean(), rel=1e-9)


def test_many_cells_have_p_of_a_normal():
    rng = np.random.default_rng(4)
    found = ranked(rng.normal(size=(40, 5)).astype(np.float32), np.arange(40) % 2, np.arange(40) // 20)
    np.testing.assert_allclose(found.log_p, np.log(2 * stats.norm.sf(np.abs(found.score))), rtol=1e-9)


@pytest.mark.parametrize("rest", [True, False])
def test_pairs_have_the_p_of_a_sign_test(rest):
    """As pseudobulk of two conditions of four people: of 16 ways, two are as extreme as four equal signs."""
    codes, donors = np.tile([0, 1], 4), np.repeat(np.arange(4), 2)
    x = np.where(codes == 0, 1.0, 0.0) + 10 * donors
    found = ranked(x[:, None].astype(np.float32), codes, donors, rest=rest)
    assert np.exp(found.log_p[0, 0]) == pytest.approx(stats.binomtest(4, 4).pvalue)


@pytest.mark.parametrize("rest", [True, False])
def test_one_stratum_gives_the_test_of_wilcoxon(rest):
    rng = np.random.default_rng(1)
    x = np.round(rng.normal(size=(60, 5)), 1).astype(np.float32)
    x[3, 2] = np.nan
    codes = rng.integers(0, 3, 60)
    one = ranked(x, codes, np.zeros(60, np.intp), 2, rest=rest)
    for found, expected in zip(one, ranked(x, codes, n_groups=2, rest=rest), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_strata_of_one_side_only_count_for_nothing():
    rng = np.random.default_rng(2)
    x, codes, strata = rng.normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2, np.arange(40) // 20
    alone = np.r_[np.full((10, 3), 9), np.full((10, 3), -9)].astype(np.float32)
    more = ranked(np.r_[x, alone], np.r_[codes, [0] * 10, [1] * 10], np.r_[strata, [2] * 10, [3] * 10])
    for name in ("score", "effect", "log_p"):
        np.testing.assert_allclose(getattr(more, name), getattr(ranked(x, codes, strata), name), rtol=1e-12)
    apart = ranked(alone, np.repeat([0, 1], 10), np.repeat([0, 1], 10))
    assert np.isnan(apart.score).all()
    assert np.isnan(apart.log_p).all()
    assert not apart.enough.any()


def test_what_differs_between_strata_alone_is_no_difference():
    rng = np.random.default_rng(3)
    strata = np.repeat([0, 1], 100)
    codes = (rng.uniform(size=200) < np.where(strata == 0, 0.2, 0.8)).astype(np.intp)
    x = (rng.normal(size=(200, 50)) + 2 * strata[:, None]).astype(np.float32)
    assert (np.exp(ranked(x, codes).log_p) < 0.001).all()
    assert (np.exp(ranked(x, codes, strata).log_p) < 0.05).mean() < 0.15
