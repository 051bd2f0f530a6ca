from __future__ import annotations

import numpy as np
import pytest
import viper_oracles as oracle
from scipy.stats import binom, chisquare

from pysces._csr import as_csr
from pysces._enrich.resampling import ResampledMoments, drawn_with_replacement, left_out


def rng(seed=0):
    return np.random.default_rng(seed)


# --- draws ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_cells", "n_samples"), [(1, 1), (2, 7), (40, 100)])
def test_every_sample_has_as_many_cells(n_cells, n_samples):
    counts = drawn_with_replacement(n_cells, n_samples, rng())
    assert counts.shape == (n_samples, n_cells)
    assert counts.dtype == np.float64
    assert (counts == np.rint(counts)).all()
    assert (counts >= 0).all()
    assert (counts.sum(axis=1) == n_cells).all()


def test_cells_are_drawn_with_replacement_and_alike():
    counts = drawn_with_replacement(20, 5000, rng())
    times = np.arange(5)
    found = [(counts == k).sum() for k in times] + [(counts >= 5).sum()]
    expected = [binom.pmf(k, 20, 1 / 20) for k in times] + [binom.sf(4, 20, 1 / 20)]
    assert chisquare(found, np.array(expected) * counts.size).pvalue > 1e-3
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=5 / np.sqrt(5000))


@pytest.mark.parametrize("draw", [drawn_with_replacement, lambda *given: left_out(*given)[1]])
def test_draws_hang_on_the_seed_alone(draw):
    one, again, other = draw(30, 10, rng(1)), draw(30, 10, rng(1)), draw(30, 10, rng(2))
    assert one.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("n_samples", [1, 9, 10, 11, 35])
def test_one_cell_is_left_out_each_as_often_as_any_other(n_samples):
    cells, counts = left_out(10, n_samples, rng())
    assert cells.shape == (n_samples,)
    assert counts.shape == (n_samples, 10)
    times = np.bincount(cells, minlength=10)
    assert times.max() - times.min() <= 1
    assert times.sum() == n_samples
    assert not counts[np.arange(n_samples), cells].any()
    assert (counts.sum(axis=1) == 9).all()


def test_the_others_are_drawn_alike():
    cells, counts = left_out(6, 6000, rng())
    of_others = np.stack([counts[cells == cell].mean(axis=0) for cell in range(6)])
    np.testing.assert_allclose(of_others, 1 - np.eye(6), atol=5 / np.sqrt(1000))
    assert 0 < (counts == 0).sum() - 6000 < 6000 * 5  # with replacement
    assert cells[:6].tolist() != cells[6:12].tolist()  # in another order each time


# --- moments ----------------------------------------------------------------------------------------------------------


def moments(X, counts, cuts=()):
    found = ResampledMoments(counts, X.shape[1])
    for block in np.split(X, cuts):
        found.add(as_csr(block))
    return found.mean_and_sd()


@pytest.mark.parametrize("cuts", [[], [13], [1, 2, 30, 39]], ids=["whole", "two", "five"])
@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
def test_moments_are_those_of_cells_that_are_there_as_often_as_they_count(kind, cuts):
    X = oracle.cells(kind)
    counts = np.concatenate([drawn_with_replacement(40, 5, rng()), left_out(40, 3, rng())[1], np.ones((1, 40))])
    mean, sd = moments(X, counts, cuts)
    assert mean.shape == sd.shape == (9, 60)
    for own_mean, own_sd, of_sample in zip(mean, sd, counts, strict=True):
        expected_mean, expected_sd = oracle.resampled(X, of_sample)
        np.testing.assert_allclose(own_mean, expected_mean, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(own_sd, expected_sd, rtol=1e-12)  # NaN where NaN


@pytest.mark.parametrize("value", [0.0, 1.0, 1 / 3, -1e4, 0.1])
def test_constant_genes_have_no_sd(value):
    X = np.stack(
        [np.full(40, value), np.where(np.arange(40) < 20, value, value + 1), oracle.cells("log")[:, 20]], axis=1
    )
    halves = np.stack([np.repeat([2.0, 0.0], 20), np.repeat([0.0, 2.0], 20), np.ones(40)])
    mean, sd = moments(X, halves, [7])
    assert np.isnan(sd).tolist() == [[True, True, False], [True, True, False], [True, False, False]]
    np.testing.assert_allclose(mean[:, 0], value, rtol=1e-15)
    np.testing.assert_allclose(mean[:, 1], [value, value + 1, value + 0.5], rtol=1e-15)


def test_a_small_spread_on_an_offset_is_not_taken_for_none():
    X = 100 + 0.01 * rng().normal(size=(40, 3))
    counts = drawn_with_replacement(40, 4, rng())
    expected = np.stack([oracle.resampled(X, of_sample)[1] for of_sample in counts])
    np.testing.assert_allclose(moments(X, counts)[1], expected, rtol=1e-6)  # 1e-16 x (100 / 0.01)^2 and a few sums
