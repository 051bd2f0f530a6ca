"""Three Gaussians of correlations, and the mode of regulation: against plain algorithms and definitions."""

from __future__ import annotations

import numpy as np
import pytest
import regulon_oracles as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from pysces._enrich import mixture


def sample(kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    match kind:
        case "both signs":
            parts = rng.normal(-0.3, 0.08, 150), rng.normal(0, 0.1, 100), rng.normal(0.4, 0.1, 250)
        case "wide middle":  # as where weak edges are not in the network
            parts = rng.normal(-0.2, 0.06, 300), rng.normal(0, 0.3, 150), rng.normal(0.2, 0.06, 350)
        case "mostly positive":
            parts = rng.normal(-0.4, 0.1, 30), rng.normal(0, 0.05, 300), rng.normal(0.5, 0.15, 600)
        case "ties":
            return np.round(sample("both signs"), 2)
        case "few":
            return sample("both signs")[::15]
        case "several maxima":  # where extrapolation of the first steps ends elsewhere
            return np.round(np.random.default_rng(120).normal(0.02, 0.2, 50), 3)
        case "uniform":
            return rng.uniform(-1, 1, 400)
        case _:
            raise ValueError(kind)
    return np.clip(np.concatenate(parts), -1, 1)


KINDS = pytest.mark.parametrize(
    "kind",
    ["both signs", "wide middle", "mostly positive", "ties", "few", "several maxima", "uniform"],
)

AWKWARD = {
    "constant": np.full(40, 0.3),
    "zeros": np.zeros(40),
    "nearly constant": 0.3 + 1e-12 * np.arange(40),
    "two values": np.repeat([0.2, 0.5], 30),
    "ends": np.repeat([-1.0, 1.0], 30),
    "one value beside many": np.concatenate([np.full(30, 0.5), np.linspace(-0.3, 0.3, 61)]),
    "positive": np.random.default_rng(0).beta(2, 6, 500),
    "far from zero": np.random.default_rng(0).normal(0.7, 0.05, 500),
    "negative": -np.random.default_rng(0).beta(2, 6, 500),
    "heavy tails": np.clip(0.05 * np.random.default_rng(0).standard_t(2, 500), -1, 1),
    "one": np.array([0.2]),
}


def parameters(fitted: mixture.Mixture) -> np.ndarray:
    return np.array(fitted[:3])


# --- the fit ----------------------------------------------------------------------------------------------------------


@KINDS
def test_fit_is_where_plain_expectation_maximisation_ends(kind):
    x = sample(kind)
    np.testing.assert_allclose(parameters(mixture.fit(x)), oracle.mixture(x), atol=1e-7)


def test_extrapolation_to_what_is_less_likely_is_not_taken(monkeypatch):
    unlikely = np.array([[-0.9, 0.0, 0.9], [0.05, 0.05, 0.05], [0.2, 0.4, 0.4]])
    monkeypatch.setattr(mixture, "_extrapolate", lambda *_: unlikely)
    x = sample("both signs")
    np.testing.assert_allclose(parameters(mixture.fit(x)), oracle.mixture(x), atol=1e-7)


@KINDS
def test_log_likelihood_is_that_of_the_fit_and_a_maximum(kind):
    x = sample(kind)
    fitted = mixture.fit(x)
    assert fitted.log_likelihood == pytest.approx(oracle.log_likelihood(x, *parameters(fitted)), rel=1e-12)
    for row, column in [(0, 0), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]:
        for change in (-1e-3, 1e-3):
            other = parameters(fitted)
            other[row, column] += change * (other[row, column] if row else 1)
            other[2] /= other[2].sum()
            assert oracle.log_likelihood(x, *other) < fitted.log_likelihood


def test_fit_finds_what_correlations_were_drawn_from():
    rng = np.random.default_rng(1)
    mean, sd, proportion = np.array([-0.4, 0.0, 0.35]), np.array([0.1, 0.12, 0.08]), np.array([0.3, 0.3, 0.4])
    component = rng.choice(3, 40_000, p=proportion)
    fitted = mixture.fit(rng.normal(mean[component], sd[component]))
    np.testing.assert_allclose(parameters(fitted), [mean, sd, proportion], atol=0.02)


@KINDS
def test_order_of_edges_changes_no_bit(kind):
    x = sample(kind)
    assert (
        parameters(mixture.fit(x)).tobytes()
        == parameters(mixture.fit(np.random.default_rng(2).permutation(x))).tobytes()
    )


def test_fit_leaves_its_input_and_its_start_alone():
    x, start = sample("both signs"), mixture.START.copy()
    mixture.fit(x)
    np.testing.assert_array_equal(x, sample("both signs"))
    np.testing.assert_array_equal(mixture.START, start)


@pytest.mark.parametrize("kind", list(AWKWARD))
def test_whatever_the_correlations_components_keep_their_meaning(kind):
    fitted = mixture.fit(AWKWARD[kind])
    assert np.isfinite(parameters(fitted)).all()
    assert np.isfinite(fitted.log_likelihood)
    assert -1 <= fitted.mean[0] <= fitted.mean[1] == 0 <= fitted.mean[2] <= 1
    assert (fitted.sd >= mixture.LEAST_SD).all()
    assert (fitted.proportion > 0).all()
    assert fitted.proportion.sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("kind", ["positive", "far from zero", "negative"])
def test_where_all_have_one_sign_the_component_of_the_other_is_like_none(kind):
    x = AWKWARD[kind]
    fitted = mixture.fit(x)
    other = 0 if x[0] > 0 else 2
    assert fitted.mean[other] == 0
    assert fitted.sd[other] == pytest.approx(fitted.sd[1], rel=1e-3)
    assert fitted.proportion[other] < 1e-3


def test_a_component_without_edges_does_no_harm(monkeypatch):
    monkeypatch.setattr(mixture, "START", np.array([[-1.0, 0.0, 0.7], [1e-3, 0.2, 0.1], [0.2, 0.4, 0.4]]))
    fitted = mixture.fit(AWKWARD["far from zero"])
    assert np.isfinite(parameters(fitted)).all()
    assert fitted.mean[2] == pytest.approx(AWKWARD["far from zero"].mean(), abs=1e-6)


def test_correlations_that_tell_no_components_apart_are_warned_of(monkeypatch):
    monkeypatch.setattr(mixture, "MOST_ROUNDS", 3)
    with pytest.warns(UserWarning, match="three Gaussians of 400 correlations have not settled after 3 rounds"):
        mixture.fit(sample("uniform"))


# --- modes of regulation ----------------------------------------------------------------------------------------------

CORRELATION = st.floats(-1, 1)
MEAN = st.floats(0.02, 0.9)
SD = st.tuples(*[st.floats(0.05, 0.5)] * 3)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.lists(CORRELATION, min_size=1, max_size=20), MEAN, MEAN, SD)
def test_modes_are_those_of_the_definition(rho, repression, activation, sd):
    mean = np.array([-repression, 0.0, activation])
    expected = [oracle.mode(r, mean, sd) for r in rho]
    np.testing.assert_allclose(
        mixture.modes_of_regulation(np.array(rho), mean, np.array(sd)), expected, rtol=1e-11, atol=1e-300
    )


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.lists(CORRELATION, min_size=1, max_size=20), MEAN, MEAN, SD)
def test_the_mirror_image_of_a_network_has_the_opposite_modes(rho, repression, activation, sd):
    x = np.array([r for r in rho if r != 0])
    mean = np.array([-repression, 0.0, activation])
    found = mixture.modes_of_regulation(x, mean, np.array(sd))
    np.testing.assert_allclose(-mixture.modes_of_regulation(-x, -mean[::-1], np.array(sd[::-1])), found, rtol=1e-12)


@pytest.mark.parametrize("sd", [[0.1, 0.2, 0.1], [0.001, 0.001, 0.001], [0.3, 0.001, 0.05]])
@pytest.mark.parametrize("mean", [[-0.4, 0.0, 0.5], [0.0, 0.0, 0.9], [-1.0, 0.0, 1.0]])
def test_modes_rise_with_the_correlation_on_either_side_and_have_its_sign(mean, sd):
    rho = np.linspace(-1, 1, 2001)
    modes = mixture.modes_of_regulation(rho, np.array(mean), np.array(sd))
    assert (modes[rho < 0] <= 0).all()
    assert (modes[rho >= 0] >= 0).all()
    assert (np.abs(modes) <= 1).all()
    for side in (rho < 0, rho >= 0):
        assert (np.diff(modes[side]) >= -1e-15).all()
