from __future__ import annotations

import decoupler as dc
import numpy as np
import pandas as pd
import pleiotropy_oracles as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from regulon_cases import coded, regulon
from scipy.special import log_ndtr
from scipy.stats import norm, rankdata

from pysces._csr import as_csr
from pysces._enrich import _pleiotropy_kernels as kernels
from pysces._enrich.area import normalised_scores
from pysces._enrich.pleiotropy import Pleiotropy, corrected_scores, prepare

REGULONS = oracle.overlapping_regulons()
RAMP = np.arange(100.0)[None]
"""A cell of which the last genes are the highest."""


REAL = regulon(range(70, 100))
SHADOW = regulon([*range(70, 100, 2), *range(45, 60)])
"""Its active targets are half of those of REAL, and not the highest."""


def scores(S, regulons, *, eligible=None, n_threads=1, least_far=0, zero=None, **options):
    """Plain and corrected scores; X that is zero has the signature ``zero``."""
    S = as_csr(S)
    zero = np.zeros(S.n_columns) if zero is None else zero
    eligible = np.ones(len(regulons), np.bool_) if eligible is None else np.asarray(eligible)
    correction = prepare(coded(regulons), zero, Pleiotropy(**options), eligible)
    plain = normalised_scores(S, zero, coded(regulons), n_threads, least_far=least_far)
    return plain, corrected_scores(S, zero, plain, correction, n_threads, least_far=least_far)


def corrected(S, regulons=REGULONS, **settings):
    return scores(S, regulons, **settings)[1]


def n_changed(S, regulons=REGULONS, **settings) -> int:
    plain, found = scores(S, regulons, **settings)
    return np.count_nonzero(~np.isclose(plain, found, rtol=1e-12, atol=0, equal_nan=True))


# --- log of the normal distribution function --------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high"), [(-1e10, -1e3), (-1e3, -30), (-30, -15), (-15, 0), (0, 8), (8, 35)])
def test_log_ndtr_is_accurate(low, high):
    x = np.linspace(low, high, 501)
    np.testing.assert_allclose([kernels.log_ndtr(v) for v in x], log_ndtr(x), rtol=1e-12, atol=0)


def test_log_ndtr_at_the_ends_of_its_range():
    assert kernels.log_ndtr(-np.inf) == -np.inf
    assert kernels.log_ndtr(np.inf) == 0
    assert kernels.log_ndtr(0.0) == pytest.approx(np.log(0.5), rel=1e-15)
    assert np.isnan(kernels.log_ndtr(np.nan))
    assert kernels.log_ndtr(-1e200) == -np.inf


@settings(deadline=None, max_examples=200)
@given(st.floats(-1e4, 37), st.floats(-1e4, 37))
def test_log_ndtr_never_falls(a, b):
    low, high = kernels.log_ndtr(min(a, b)), kernels.log_ndtr(max(a, b))
    assert low <= high or high == pytest.approx(low, rel=1e-12)


# --- ranks among the targets of a regulator ---------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 400), n_genes=st.sampled_from([400, 3000]), tied=st.booleans())
def test_ranks_within_a_regulon_are_average_ranks(seed, n, n_genes, tied):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 20, n_genes) if tied else rng.normal(size=n_genes)
    twice = (2 * rankdata(values)).astype(np.int32)
    targets = rng.choice(n_genes, n, replace=False).astype(np.int32)
    ordered, order, within = (np.empty(n, np.int32) for _ in range(3))
    kernels.sort_targets(targets, twice, np.empty(kernels.N_VALUES, np.int32), ordered, order)
    farthest = kernels.twice_ranks_within(ordered, order, within)
    expected = 2 * rankdata(values[targets])
    assert within.tolist() == expected.tolist()
    assert farthest == np.abs(expected - (n + 1)).max()


# --- corrected scores -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["smooth", "counts", "log"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"regulators": 5},
        {"regulators": 100, "penalty": 2},
        {"penalty": 300.0},
        {"min_overlap": 1},
        {"method": "absolute", "shadow": 0.2},
        {"method": "absolute", "shadow": 0.2, "regulators": 6, "penalty": 3},
    ],
)
def test_scores_are_those_of_the_definition(kind, options):
    S = oracle.active_cells(kind)
    options = {"regulators": 0.2, "min_overlap": 5} | options
    expected = oracle.corrected(S, REGULONS, **options)
    np.testing.assert_allclose(corrected(S, **options), expected, rtol=0, atol=1e-11)
    assert n_changed(S, **options) > 0


@pytest.mark.parametrize("least_far", [0, 20, 59])
def test_rescoring_measures_one_tail_as_the_scores_before(least_far):
    S = oracle.active_cells("counts")
    options = {"regulators": 0.4, "min_overlap": 5}
    expected = oracle.corrected(S, REGULONS, least_far=least_far / 61, **options)
    np.testing.assert_allclose(corrected(S, least_far=least_far, **options), expected, rtol=0, atol=1e-11)


def test_signature_where_x_is_zero_is_that_of_the_gene():
    X, zero = oracle.active_cells("counts"), np.random.default_rng(0).normal(size=60)
    expected = oracle.corrected(np.where(X == 0, zero, X), REGULONS, regulators=0.4, min_overlap=5)
    np.testing.assert_allclose(corrected(X, zero=zero, regulators=0.4, min_overlap=5), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_agree_with_decoupler(seed):
    """Which has no likelihoods, and needs more common targets than its ``n_targets``."""
    S, regulons = oracle.active_cells("smooth", 40, seed=seed), oracle.overlapping_regulons(seed=seed)[:6]
    regulons = [r.assign(likelihood=1.0) for r in regulons]
    names = [f"g{i}" for i in range(60)]
    network = pd.concat(
        [r.assign(source=f"R{i}", target=[names[g] for g in r["gene"]]) for i, r in enumerate(regulons)]
    )
    frame = pd.DataFrame(S, [f"cell{i}" for i in range(len(S))], names)
    expected, _ = dc.mt.viper(
        frame, network[["source", "target", "weight"]], tmin=1, pleiotropy=True, reg_sign=0.2, n_targets=5
    )
    found = corrected(S, regulons, regulators=0.2, min_overlap=6)
    np.testing.assert_allclose(found, expected[[f"R{i}" for i in range(6)]], rtol=0, atol=1e-9)
    assert n_changed(S, regulons, regulators=0.2, min_overlap=6) > 20


def test_regulator_that_is_active_only_for_shared_targets_is_the_one_corrected():
    plain, found = scores(RAMP, [REAL, SHADOW])
    assert found[0, 0] == plain[0, 0]
    assert abs(found[0, 1]) < 1.96 < plain[0, 1]


def test_both_directions_of_activity_are_corrected_alike():
    up, down = [REAL, SHADOW], [r.assign(weight=-1.0) for r in (REAL, SHADOW)]
    np.testing.assert_allclose(corrected(RAMP, down), -corrected(RAMP, up), rtol=1e-12)
    np.testing.assert_allclose(corrected(-RAMP, up), -corrected(RAMP, up), rtol=1e-12)


def test_extreme_penalty_leaves_the_targets_of_the_regulator_alone():
    own = regulon(range(40, 60), 0.7, np.linspace(0.2, 0.9, 20))
    shadow = pd.concat([SHADOW[:15], own])
    alone = normalised_scores(as_csr(RAMP), np.zeros(100), coded([own]), 1)
    found = corrected(RAMP, [REAL, shadow], penalty=1e6)
    np.testing.assert_allclose(found[0, 1], alone[0, 0], rtol=1e-12)


def test_regulator_with_no_targets_of_its_own_keeps_its_score():
    """All its likelihoods are divided alike, by however much."""
    for penalty in (20, 1e6):
        plain, found = scores(RAMP, [regulon(range(60, 100)), regulon(range(60, 75))], penalty=penalty, regulators=2)
        np.testing.assert_allclose(found, plain, rtol=1e-13)


def test_regulators_with_the_same_targets_keep_their_scores():
    S = oracle.active_cells("smooth")
    twin = REGULONS[0]
    assert n_changed(S, [twin, twin], regulators=2, min_overlap=1) == 0


@pytest.mark.parametrize("method", ["adaptive", "absolute"])
def test_strong_regulators_with_many_common_targets_stay_finite(method):
    """Both p-values are below the smallest double, so that their ratio needs logarithms."""
    rng = np.random.default_rng(0)
    S = rng.normal(size=(1, 15_000))
    S[:, :2_500] += 12
    regulons = [regulon([*range(2_500), *range(first, first + 2_500)]) for first in (8_000, 12_000)]
    plain, found = scores(S, regulons, method=method)
    assert np.isfinite(found).all()
    assert (plain > 38).all()
    np.testing.assert_allclose(found, oracle.corrected(S, regulons, method=method), rtol=1e-10)


@pytest.mark.parametrize("method", ["adaptive", "absolute"])
def test_a_single_pair_is_enough(method):
    regulons = [REAL, SHADOW, regulon(range(30))]
    expected = oracle.corrected(RAMP, regulons, method=method)
    np.testing.assert_allclose(corrected(RAMP, regulons, method=method), expected, rtol=1e-12)
    assert n_changed(RAMP, regulons, method=method) == 1


def test_penalty_of_nothing_changes_nothing():
    S = oracle.active_cells("smooth")
    assert n_changed(S, regulators=8, min_overlap=1, penalty=0) == 0
    assert n_changed(S, regulators=8, min_overlap=1, penalty=1, method="absolute") == 0


@pytest.mark.parametrize("n_shared", [9, 10])
def test_overlap_of_min_overlap_is_enough(n_shared):
    regulons = [REAL, regulon([*range(100 - n_shared, 100), *range(45, 55)])]
    assert n_changed(RAMP, regulons, min_overlap=10) == (n_shared == 10)
    assert n_changed(RAMP, regulons, min_overlap=101) == 0


@pytest.mark.parametrize("n_targets", [4, 5])
def test_regulators_with_fewer_than_five_targets_keep_their_scores(n_targets):
    regulons = [REAL, regulon([80, 84, 88, 40, 50][:n_targets])]
    assert n_changed(RAMP, regulons, min_overlap=3, regulators=2) == (n_targets == 5)


def test_only_significant_regulators_take_part():
    p = 2 * norm.sf(scores(RAMP, [REAL, SHADOW])[0].min())
    assert n_changed(RAMP, [REAL, SHADOW], regulators=p * 1.001) == 1
    assert n_changed(RAMP, [REAL, SHADOW], regulators=p * 0.999) == 0


def test_the_strongest_take_part_and_of_equals_the_first():
    assert n_changed(RAMP, [REAL, SHADOW, SHADOW], regulators=1) == 0
    plain, found = scores(RAMP, [REAL, SHADOW, SHADOW], regulators=2)
    assert (found != plain).tolist() == [[False, True, False]]
    S = oracle.active_cells("smooth")
    np.testing.assert_array_equal(corrected(S, regulators=8), corrected(S, regulators=np.int64(1000)))


def test_regulators_that_are_not_eligible_take_no_part():
    S = oracle.active_cells("smooth")
    eligible = np.array([True, True, False, True, False, True, True, True])
    for regulators in (0.5, 4):
        plain, found = scores(S, REGULONS, eligible=eligible, regulators=regulators, min_overlap=4)
        np.testing.assert_array_equal(found[:, ~eligible], plain[:, ~eligible])
        others = [r for r, may in zip(REGULONS, eligible, strict=True) if may]
        np.testing.assert_array_equal(found[:, eligible], corrected(S, others, regulators=regulators, min_overlap=4))


def test_regulators_without_targets_have_no_score():
    found = corrected(oracle.active_cells("smooth"), regulators=0.5, min_overlap=4)
    assert np.isnan(found).any(axis=0).tolist() == [False] * 7 + [True]


def test_likelihoods_count_only_relative_to_each_other():
    S = oracle.active_cells("smooth")
    scales = [1, 0.5, 1e-3, 1e-150, 1e-300, 1, 1, 1]
    scaled = [r.assign(likelihood=r["likelihood"] * scale) for r, scale in zip(REGULONS, scales, strict=True)]
    found = corrected(S, scaled, regulators=0.5, min_overlap=4)
    np.testing.assert_allclose(found, corrected(S, regulators=0.5, min_overlap=4), rtol=1e-9)


def test_order_of_regulators_and_targets_does_not_matter():
    S = oracle.active_cells("counts")
    mirrored = [r[::-1] for r in REGULONS[::-1]]
    found = corrected(S, mirrored, regulators=0.5, min_overlap=4)[:, ::-1]
    np.testing.assert_allclose(found, corrected(S, regulators=0.5, min_overlap=4), rtol=1e-10, atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["smooth", "counts"]))
def test_mirrored_signatures_mirror_the_scores(seed, kind):
    S = oracle.active_cells(kind, 3, seed=seed)
    regulons = [r.assign(weight=np.sign(r["weight"])) for r in oracle.overlapping_regulons(seed=seed)]
    found, mirror = (corrected(sign * S, regulons, regulators=8, min_overlap=4) for sign in (1, -1))
    np.testing.assert_allclose(mirror, -found, rtol=0, atol=1e-9)


# --- missing genes ----------------------------------------------------------------------------------------------------


def test_genes_missing_in_a_cell_are_nobodys_targets_there():
    S = oracle.active_cells("smooth")
    S[:5][np.random.default_rng(0).random((5, 60)) < 0.1] = np.nan
    expected = oracle.corrected(S, REGULONS, regulators=0.4, min_overlap=4)
    np.testing.assert_allclose(corrected(S, regulators=0.4, min_overlap=4), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("entry", [0, np.nan])
def test_genes_missing_in_all_cells_are_nobodys_targets(entry):
    X, zero = oracle.active_cells("counts"), np.zeros(60)
    absent = [3, 30, 59]
    X[:, absent], zero[absent] = entry, np.nan
    expected = oracle.corrected(np.where(X == 0, zero, X), REGULONS, regulators=0.4, min_overlap=4)
    np.testing.assert_allclose(corrected(X, zero=zero, regulators=0.4, min_overlap=4), expected, rtol=0, atol=1e-11)


def test_cells_without_genes_have_no_score():
    S = oracle.active_cells("smooth", 3)
    S[1] = np.nan
    assert np.isnan(corrected(S, regulators=0.5, min_overlap=4)[1]).all()


# --- the same in any way ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_scores_do_not_depend_on_storage(as_format, dtype):
    X = oracle.active_cells("counts").astype(dtype)
    found = corrected(as_format(X), regulators=0.5, min_overlap=4)
    assert found.tobytes() == corrected(X.astype(np.float64), regulators=0.5, min_overlap=4).tobytes()


def test_scores_do_not_depend_on_threads_or_blocks():
    S = oracle.active_cells("log", 100)
    whole = corrected(S, regulators=0.5, min_overlap=4)
    assert corrected(S, regulators=0.5, min_overlap=4, n_threads=2).tobytes() == whole.tobytes()
    parts = [corrected(part, regulators=0.5, min_overlap=4) for part in np.split(S, [1, 17, 60])]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_scores_before_stay_as_they_are():
    S = oracle.active_cells("smooth")
    first, again = (scores(S, REGULONS, regulators=0.5, min_overlap=4)[0] for _ in range(2))
    np.testing.assert_array_equal(first, normalised_scores(as_csr(S), np.zeros(60), coded(REGULONS), 1))
    np.testing.assert_array_equal(first, again)


# --- bad options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regulators": 0}, "regulators is 0; give a p-value in (0, 1), or how many"),
        ({"regulators": 0.0}, "regulators is 0.0; give a p-value"),
        ({"regulators": 8.0}, "regulators is 8.0; give a p-value"),
        ({"regulators": True}, "regulators is True; give a p-value"),
        ({"regulators": np.nan}, "regulators is nan; give a p-value"),
        ({"regulators": "all"}, "regulators is 'all'; give a p-value"),
        ({"min_overlap": 0}, "min_overlap is 0; give a whole number, at least 1."),
        ({"min_overlap": 2.5}, "min_overlap is 2.5; give a whole number"),
        ({"method": "relative"}, "method is 'relative'; choose one of 'adaptive', 'absolute'."),
        ({"penalty": -1}, "penalty is -1; give a number, at least 0 with method='adaptive'."),
        ({"penalty": 0.5, "method": "absolute"}, "penalty is 0.5; give a number, at least 1 with method='absolute'."),
        ({"penalty": np.inf}, "penalty is inf; give a number"),
        ({"penalty": "20"}, "penalty is '20'; give a number"),
        ({"shadow": 1.0}, "shadow is 1.0; give a number in (0, 1)."),
    ],
)
def test_options_without_meaning_are_errors(options, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Pleiotropy(**options).checked()
    assert str(error.value).startswith(message)
    with pytest.raises(ValueError, match="is"):
        prepare(coded(REGULONS), np.zeros(60), Pleiotropy(**options), np.ones(8, np.bool_))
