from __future__ import annotations

import msviper_oracles as oracle
import numpy as np
import pytest
import viper_oracles as viper
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pysces._csr import as_csr
from pysces._enrich.contrast import Contrast, normal_score

KINDS = ["smooth", "counts", "log"]


def reader(X, size=16):
    return lambda: (as_csr(X[start : start + size]) for start in range(0, len(X), size))


def contrast(X, n_group=15, size=16):
    return Contrast(reader(X[:n_group], size), reader(X[n_group:], size), X.shape[1])


def rows(X, n_group=15):
    return np.arange(n_group), np.arange(n_group, len(X))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_group", [2, 15, 38])
def test_z_is_that_of_the_two_sample_t_and_constant_genes_have_none(kind, n_group):
    X = viper.cells(kind)
    X[:, 9] = 0.1  # three times 0.1 is not 0.3
    X[:, 10] = 0
    found = contrast(X, n_group)
    expected = oracle.contrast(X, *rows(X, n_group))
    np.testing.assert_array_equal(found.genes, np.flatnonzero(~np.isnan(expected)))
    assert not set(found.genes) & {9, 10}
    finite = np.isfinite(expected[found.genes])
    np.testing.assert_allclose(found.z[finite], expected[found.genes][finite], rtol=1e-9, atol=1e-9)


def test_z_is_that_of_scipy():
    X = viper.cells("smooth")
    expected = stats.ttest_ind(X[:15], X[15:], equal_var=True)
    found = contrast(X).z
    np.testing.assert_allclose(2 * stats.norm.sf(np.abs(found)), expected.pvalue, rtol=1e-8)
    np.testing.assert_array_equal(np.sign(found), np.sign(expected.statistic))


def test_groups_that_do_not_overlap_have_the_largest_z_and_it_is_finite():
    X = viper.cells("smooth")
    X[:, 0] = np.repeat([1.0, 0.0], [15, 25])
    X[:, 1] = np.repeat([0.3, 0.7], [15, 25])
    X[:, 2] = np.repeat([100.0, 0.0], [15, 25]) + X[:, 2]
    z = contrast(X).z
    assert np.isfinite(z).all()
    assert z[0] == -z[1] == z.max() > z[2] > z[3:].max()


def test_genes_found_in_one_cell_are_tied_whatever_their_height():
    X = viper.cells("log")
    single = contrast(X).z[:8]
    assert len(np.unique(single)) == 2  # in a cell of the group or of the reference


@pytest.mark.parametrize("kind", KINDS)
def test_shuffled_signatures_are_ordered_as_t_of_shuffled_labels(kind):
    X = viper.cells(kind)
    seed = np.random.SeedSequence(3)
    found = np.concatenate(list(contrast(X).shuffled(9, seed, 1)))
    expected = np.stack(list(oracle.shuffled(X, *rows(X), 9, seed)))[:, contrast(X).genes]
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(stats.rankdata(own), viper.average_ranks(other))


@pytest.mark.parametrize("kind", KINDS)
def test_resampled_signatures_are_t_of_cells_drawn_again(kind):
    X = viper.cells(kind)
    seed = np.random.SeedSequence(3)
    found = np.concatenate(list(contrast(X).resampled(9, seed, 1)))
    expected = np.stack(list(oracle.resampled(X, *rows(X), 9, seed)))[:, contrast(X).genes]
    separate = np.abs(expected) == 1e9
    assert (np.abs(found[separate]) > 1e5).all()
    np.testing.assert_allclose(found[~separate], expected[~separate], rtol=1e-8, atol=1e-8)
    assert kind != "log" or (found == 0).any()


def test_draws_depend_neither_on_their_number_nor_on_threads_nor_on_blocks():
    X = viper.cells("log")
    seed = np.random.SeedSequence(1)
    for name in ("shuffled", "resampled"):
        few = np.concatenate(list(getattr(contrast(X), name)(20, seed, 1)))
        many = np.concatenate(list(getattr(contrast(X, size=7), name)(300, seed, 2)))
        assert few.tobytes() == many[:20].tobytes()
        assert len(many) == 300


def test_shuffles_keep_the_size_of_the_group():
    one_in_all = np.eye(40)  # each gene in one cell: positive where the cell is in the group
    found = np.concatenate(list(contrast(one_in_all).shuffled(50, np.random.SeedSequence(0), 1)))
    np.testing.assert_array_equal((found > 0).sum(axis=1), 15)
    assert len(np.unique(found > 0, axis=0)) == 50


@pytest.mark.parametrize("freedom", [2, 10, 58, 2000, 24000])
def test_normal_scores_are_finite_and_in_order_however_far_out(freedom):
    t = np.exp(np.linspace(-14, 16, 20001))
    z = normal_score(t, freedom)
    assert np.isfinite(z).all()
    assert (np.diff(z) > 0).all()
    np.testing.assert_array_equal(normal_score(-t, freedom), -z)


@given(st.floats(-1e3, 1e3), st.integers(1, 500))
@settings(deadline=None)
def test_normal_scores_have_the_tail_of_t(t, freedom):
    z = normal_score(np.array([t]), freedom)[0]
    p = stats.cauchy.sf(abs(t)) if freedom == 1 else stats.t.sf(abs(t), freedom)  # sf of t is 1/2 up to 5e-9 for 1
    if p > 1e-290:
        np.testing.assert_allclose(stats.norm.logsf(abs(z)), np.log(p), rtol=1e-9)
    else:
        assert abs(z) > 36
    assert np.signbit(z) == np.signbit(t)


def test_the_far_tail_continues_the_near_one():
    # log P(T > t) for large t: -(n - 1) / 2 log(1 + t^2 / n) - log t + a constant, up to 1 / t^2
    freedom, t = 300, np.array([900.0, 1800.0])
    log_p = stats.norm.logsf(normal_score(t, freedom))
    slope = (log_p[1] - log_p[0]) / np.log(2)
    np.testing.assert_allclose(slope, -freedom, rtol=1e-3)
    just = stats.t.isf(np.exp([-598.0, -602.0]), freedom)
    np.testing.assert_allclose(stats.norm.logsf(normal_score(just, freedom)), [-598, -602], rtol=1e-9)
