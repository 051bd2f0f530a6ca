"""Strata of cells by sequencing depth: of about equal sizes, and of what is technical rather than biology."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import oracles
import pytest
from scipy.stats import norm

from pysces._csr import as_csc
from pysces._infer import depth as depths
from pysces._infer.depth import MOST_TECHNICAL, MOST_WHOLE, Depth, Strata
from pysces.estimators._cells import FEWEST_GENES, RankedCells, ranked_cells

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known")

MOST_OF_TYPES = 0.06
"""Of the variance of the technical part, between types; 0.036 in the worst of 12 seeds."""
TECHNICAL_FOUND = 0.9
"""Correlation of the technical part with what is technical; 0.92 in the worst of 12 seeds."""
EITHER_MOST = pytest.mark.parametrize("most", [MOST_TECHNICAL, MOST_WHOLE])
SIZES = pytest.mark.parametrize("n", [1, 2, 29, 30, 31, 59, 60, 75, 90, 149, 180, 479, 480, 1000, 2001])


def n_expected(n_cells: int, most: int) -> int:
    """As many strata as have 30 cells each, or up to 5 of 15; at least one."""
    return max(1, min(max(min(n_cells // 30, 16), min(n_cells // 15, 5), n_cells // 125), most))


# --- strata of values -------------------------------------------------------------------------------------------------


@SIZES
@EITHER_MOST
def test_strata_of_distinct_values_are_as_many_as_asked_for_and_of_about_equal_sizes(most, n):
    strata = Strata.of(np.random.default_rng(n).normal(size=n), most)
    assert strata.n == n_expected(n, most)
    assert strata.labels.dtype == np.int32
    sizes = np.bincount(strata.labels)
    assert len(sizes) == strata.n
    assert sizes.max() - sizes.min() <= 1
    assert strata.n == 1 or sizes.min() >= (30 if n >= 150 else 15)
    np.testing.assert_array_equal(strata.sizes(), sizes)


@SIZES
@EITHER_MOST
@pytest.mark.parametrize("n_levels", [1, 2, 3, 10, 40])
def test_equal_values_are_not_torn_apart_and_larger_ones_are_never_lower(n_levels, most, n):
    values = np.random.default_rng([n, n_levels]).integers(n_levels, size=n) ** 2 - 5.0
    strata = Strata.of(values, most)
    assert strata.n == n_expected(n, most)
    order = np.argsort(values, kind="stable")
    steps = np.diff(strata.labels[order])
    assert (steps >= 0).all()
    assert (steps[np.diff(values[order]) == 0] == 0).all()
    assert 0 <= strata.labels.min() <= strata.labels.max() < strata.n
    below = np.array([(values < value).mean() for value in values])  # a stratum starts where its share of cells does
    np.testing.assert_array_equal(strata.labels, np.floor(below * strata.n + 1e-9))


@SIZES
@EITHER_MOST
@pytest.mark.parametrize("value", [0.0, -3.5, 1e6])
def test_values_that_are_all_equal_make_one_stratum(value, most, n):
    strata = Strata.of(np.full(n, value), most)
    assert (strata.labels == strata.labels[0]).all()
    assert sorted(strata.sizes()) == [0.0] * (strata.n - 1) + [n]


@SIZES
@EITHER_MOST
@pytest.mark.parametrize("decimals", [1, 12])
def test_strata_follow_the_cells_wherever_they_stand(decimals, most, n):
    rng = np.random.default_rng(n)
    values, order = np.round(rng.normal(size=n), decimals), rng.permutation(n)
    strata, permuted = Strata.of(values, most), Strata.of(values[order], most)
    assert permuted.n == strata.n
    np.testing.assert_array_equal(permuted.labels, strata.labels[order])


@EITHER_MOST
def test_strata_depend_on_the_order_of_values_alone(most):
    values = np.random.default_rng(0).lognormal(5.0, 1.0, 700)
    expected = Strata.of(values, most).labels
    for mapped in (np.log(values), values / values.max(), 1e4 * values, values - 1e5, 1e-12 * values, 1e300 * values):
        np.testing.assert_array_equal(Strata.of(mapped, most).labels, expected)


def test_strata_of_some_cells_are_those_they_had():
    strata = Strata.of(np.random.default_rng(0).normal(size=200), 6)
    taken = np.array([3, 3, 8, 150, 199])
    some = strata.take(taken)
    assert some.n == strata.n
    np.testing.assert_array_equal(some.labels, strata.labels[taken])
    assert some.sizes().sum() == 5
    assert len(some.sizes()) == strata.n


@SIZES
@EITHER_MOST
@pytest.mark.parametrize("n_levels", [1, 3, 10**9])
def test_trends_are_of_normal_scores_of_the_values_within_strata(n_levels, most, n):
    values = np.random.default_rng([n, n_levels]).integers(n_levels, size=n).astype(float)
    strata = Strata.of(values, most, trend=True)
    plain = Strata.of(values, most)
    assert not len(plain.trends)
    assert strata.trends.shape == (1, n)
    np.testing.assert_array_equal(strata.labels, plain.labels)
    trend = strata.trends[0]
    np.testing.assert_allclose(np.bincount(strata.labels, trend), 0.0, atol=1e-12)
    varies = any(len(set(values[strata.labels == label])) > 1 for label in range(strata.n))
    assert trend @ trend == pytest.approx(float(varies))
    for label in range(strata.n):
        inside = strata.labels == label
        order = np.argsort(values[inside], kind="stable")
        assert (np.sign(np.diff(trend[inside][order])) == np.sign(np.diff(values[inside][order]))).all() or not varies
    if varies and n_levels > n:
        lowest = np.searchsorted(np.sort(values), values)
        assert correlation(trend, oracles.within(norm.ppf((lowest + 0.5) / n), strata.labels)) > 1 - 1e-12


@pytest.mark.parametrize("replace", [False, True])
def test_trends_of_some_cells_are_centred_again(replace):
    strata = Strata.of(np.random.default_rng(0).normal(size=600), 16, trend=True)
    taken = np.sort(np.random.default_rng(1).choice(600, 300, replace=replace))
    some = strata.take(taken)
    expected = oracles.within(strata.trends[0][taken], strata.labels[taken])
    np.testing.assert_allclose(some.trends[0], expected / np.linalg.norm(expected), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.bincount(some.labels, some.trends[0]), 0.0, atol=1e-12)
    assert not strata.take(np.array([3])).trends.any()


# --- depth ------------------------------------------------------------------------------------------------------------


def assert_one_stratum(strata: Strata, n: int) -> None:
    assert strata.labels.shape == (n,)
    assert len(set(strata.labels.tolist())) == 1


@pytest.mark.parametrize("n", [1, 30, 1000])
def test_no_depth_is_one_stratum(n):
    for strata in Depth.none(n):
        assert strata.n == 1
        assert not len(strata.trends)
        assert_one_stratum(strata, n)


@SIZES
def test_a_given_depth_is_all_technical(n):
    values = np.random.default_rng(n).lognormal(8.0, 1.0, n)
    depth = Depth.given(values)
    for strata, most in ((depth.technical, MOST_TECHNICAL), (depth.whole, MOST_WHOLE)):
        np.testing.assert_array_equal(strata.labels, Strata.of(values, most).labels)
        assert strata.n == n_expected(n, most)
    assert not len(depth.technical.trends)  # information is not corrected twice
    np.testing.assert_array_equal(depth.whole.trends, Strata.of(values, MOST_WHOLE, trend=True).trends)


def test_the_depth_of_some_cells_is_that_which_they_had():
    depth = Depth.given(np.random.default_rng(0).normal(size=600))
    taken = np.sort(np.random.default_rng(1).choice(600, 300))
    for strata, some in zip(depth, depth.take(taken), strict=True):
        np.testing.assert_array_equal(some.labels, strata.labels[taken])
        assert some.n == strata.n


class Cells(NamedTuple):
    """Simulated counts, and what they are made of."""

    X: np.ndarray
    types: np.ndarray
    technical: np.ndarray  # log depth
    content: np.ndarray  # log RNA content of the type


def simulate(
    n_cells: int = 1200,
    n_genes: int = 200,
    n_types: int = 1,
    content: float = 0.0,
    technical: float = 0.6,
    counts: float = 1000.0,
    seed: int = 0,
) -> Cells:
    """Types of cell that differ in a third of their genes and in their RNA content, sequenced to different depths."""
    rng = np.random.default_rng([seed, n_cells, n_genes])
    changed = rng.random((n_types, n_genes)) < 0.3
    shares = rng.lognormal(0.0, 1.0, n_genes) * np.exp(changed * rng.normal(size=(n_types, n_genes)))
    shares /= shares.sum(axis=1, keepdims=True)
    types = rng.integers(n_types, size=n_cells)
    of_types = content * rng.permutation(np.linspace(-1, 1, n_types)) if n_types > 1 else np.zeros(1)
    of_cells = technical * rng.normal(size=n_cells)
    X = rng.poisson(counts * np.exp(of_cells + of_types[types])[:, None] * shares[types]).astype(float)
    return Cells(X, types, of_cells, of_types[types])


def of_counts(X: np.ndarray) -> Depth:
    return Depth.of_counts(as_csc(X), len(X))


@pytest.fixture
def parts_of(monkeypatch):
    """The technical part of the log depth, and the log depth."""
    original = Strata.of.__func__

    def parts(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen = {}

        def spy(cls, values: np.ndarray, most: int, **options: bool) -> Strata:
            seen[most] = values
            return original(cls, values, most, **options)

        with monkeypatch.context() as spying:
            spying.setattr(Strata, "of", classmethod(spy))
            of_counts(X)
        return seen[MOST_TECHNICAL], np.log(seen[MOST_WHOLE])

    return parts


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1])


def explained_by(types: np.ndarray, values: np.ndarray) -> float:
    """Share of the variance between types."""
    means = np.array([values[types == label].mean() for label in range(types.max() + 1)])
    return float(means[types].var() / values.var())


@pytest.mark.parametrize("n_cells", [60, 300, 1200])
def test_the_whole_depth_is_the_sum_of_counts(n_cells):
    X = simulate(n_cells, n_types=3, content=0.5).X
    depth = of_counts(X)
    np.testing.assert_array_equal(depth.whole.labels, Strata.of(np.log(X.sum(axis=1)), MOST_WHOLE).labels)
    assert depth.whole.n == n_expected(n_cells, MOST_WHOLE)
    assert depth.technical.n == n_expected(n_cells, MOST_TECHNICAL)
    sizes = depth.technical.sizes()
    assert sizes.max() - sizes.min() <= 1
    assert not len(depth.technical.trends)
    np.testing.assert_array_equal(depth.whole.trends, Strata.of(X.sum(axis=1), MOST_WHOLE, trend=True).trends)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("counts", [100, 1000, 10_000])
@pytest.mark.parametrize(("n_cells", "n_genes"), [(100, 100), (300, 200), (1200, 200), (1200, 1000)])
def test_depth_that_has_nothing_to_do_with_composition_is_technical(n_cells, n_genes, counts, seed, parts_of):
    technical, whole = parts_of(simulate(n_cells, n_genes, counts=counts, seed=seed).X)
    assert correlation(technical, whole) > 0.95


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_cells", "n_genes"), [(300, 200), (1200, 200), (1200, 1000)])
def test_types_of_cell_of_different_rna_content_are_not_technical(n_cells, n_genes, seed, parts_of):
    cells = simulate(n_cells, n_genes, 4, content=0.8, technical=0.0, seed=seed)
    technical, whole = parts_of(cells.X)
    assert explained_by(cells.types, whole) > 0.99
    assert explained_by(cells.types, technical) < MOST_OF_TYPES
    assert technical.std() < 0.25 * whole.std()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_cells", "n_genes"), [(300, 200), (1200, 200), (1200, 1000)])
def test_technical_depth_is_told_from_rna_content(n_cells, n_genes, seed, parts_of):
    cells = simulate(n_cells, n_genes, 4, content=0.8, technical=0.6, seed=seed)
    technical, whole = parts_of(cells.X)
    assert explained_by(cells.types, whole) > 0.35
    assert explained_by(cells.types, technical) < MOST_OF_TYPES
    assert correlation(technical, cells.technical) > TECHNICAL_FOUND > correlation(whole, cells.technical)


def test_cells_of_the_same_depth_are_one_stratum():
    X = np.random.default_rng(0).multinomial(1000, np.full(60, 1 / 60), size=300).astype(float)
    for strata in of_counts(X):
        assert_one_stratum(strata, 300)


def test_depth_that_composition_explains_whole_is_not_technical():
    kinds = np.random.default_rng(0).poisson([[5.0], [2.0]], (2, 60)).astype(float)
    types = np.arange(200) % 2
    depth = of_counts(kinds[types])
    assert_one_stratum(depth.technical, 200)
    np.testing.assert_array_equal(depth.whole.labels == depth.whole.labels[0], types == 0)


PERMUTED = np.random.default_rng(0).permutation(np.arange(1.0, 201.0))


@pytest.mark.parametrize("shares", [np.ones(60), np.arange(1, 61)], ids=["equal", "unequal"])
def test_cells_of_the_same_composition_differ_in_technical_depth_alone(shares):
    X = np.outer(PERMUTED, shares)
    depth = of_counts(X)
    for strata, most in zip(depth, (MOST_TECHNICAL, MOST_WHOLE), strict=True):
        np.testing.assert_array_equal(strata.labels, Strata.of(X.sum(axis=1), most).labels)


def from_x(X: np.ndarray) -> RankedCells:
    cells, genes = (np.arange(n) for n in X.shape)
    return ranked_cells(X, cells, genes, "auto", uses_depth=True, allow_negative=True, n_threads=1)


@pytest.mark.parametrize("n_detected", [0, 1, FEWEST_GENES - 1])
def test_few_detected_genes_give_one_stratum(n_detected):
    X = simulate(300, 100, n_types=2).X + 1.0
    X[:, n_detected:] = 0.0
    sample = from_x(X)
    assert sample.source == ("few genes" if n_detected else "equal depth")
    for strata in sample.depth:
        assert strata.n == 1
        assert_one_stratum(strata, 300)
        assert not len(strata.trends)


def test_enough_detected_genes_give_strata_whatever_else_there_is():
    X = simulate(300, FEWEST_GENES, n_types=2).X
    X[0] += 1.0
    among_zeros = np.zeros((300, 4 * FEWEST_GENES))
    among_zeros[:, 1::4] = X
    expected, found = from_x(X), from_x(among_zeros)
    assert expected.source == found.source == "counts"
    assert expected.depth.technical.n == MOST_TECHNICAL
    for strata, other in zip(expected.depth, found.depth, strict=True):
        assert other.n == strata.n
        assert (other.labels == strata.labels).mean() > 0.98


@pytest.mark.parametrize("n_genes", [1, 2, 5, 12, 20])
def test_the_depth_of_few_genes_is_technical_if_there_are_not_enough_for_axes(n_genes):
    X = simulate(400, n_genes).X + 1.0
    depth = of_counts(X)
    assert depth.technical.n == MOST_TECHNICAL
    if n_genes <= 11:
        np.testing.assert_array_equal(depth.technical.labels, Strata.of(X.sum(axis=1), MOST_TECHNICAL).labels)


@pytest.mark.parametrize("n", [1, 2, 10, 29])
def test_few_cells_are_one_stratum(n):
    for strata in of_counts(simulate(n, 100).X + 1.0):
        assert strata.n == 1
        assert_one_stratum(strata, n)


@pytest.mark.parametrize("n_zero", [1, 100, 299])
def test_cells_without_counts_are_in_the_stratum_of_least_depth(n_zero):
    X = simulate(300, 100).X + 1.0
    X[:n_zero] = 0.0
    depth = from_x(X).depth
    assert (depth.whole.labels[:n_zero] == 0).all()
    np.testing.assert_array_equal(depth.whole.labels, Strata.of(X.sum(axis=1), MOST_WHOLE).labels)
    assert depth.technical.labels.shape == (300,)
    assert len(set(depth.technical.labels[:n_zero].tolist())) == 1


@pytest.mark.parametrize(
    "X",
    [np.eye(100), np.kron(np.eye(10), np.ones((12, 6))), np.ones((100, 60)), np.tile(np.arange(60), (100, 1))],
    ids=["one count each", "disjoint", "the same", "the same, unequal"],
)
def test_degenerate_counts_have_strata(X):
    for strata in of_counts(X.astype(float)):
        assert_one_stratum(strata, len(X))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint16", "float32"])
def test_the_dtype_and_the_format_of_counts_do_not_change_a_label(dtype, as_format):
    X = simulate(300, 100, n_types=2, content=0.5).X
    for strata, other in zip(of_counts(X), Depth.of_counts(as_csc(as_format(X.astype(dtype))), 300), strict=True):
        assert other.n == strata.n
        assert other.labels.tobytes() == strata.labels.tobytes()


LOW_RANK = np.random.default_rng(0).poisson(3.0, (4, 80))[np.arange(300) % 4] * (1.0 + np.arange(300) % 7)[:, None]


@pytest.mark.parametrize(
    "X",
    [simulate(400, 300, n_types=3, content=0.5).X, LOW_RANK, np.outer(PERMUTED, np.ones(60))],
    ids=["types", "four kinds of cell", "one kind of cell"],
)
def test_strata_are_the_same_bytes_every_time(X):
    first = of_counts(X)
    np.random.default_rng(0).normal(size=5)
    for _ in range(10):
        for strata, other in zip(first, of_counts(X.copy()), strict=True):
            assert other.labels.tobytes() == strata.labels.tobytes()


def test_counts_are_not_changed():
    counts = as_csc(simulate(300, 100).X)
    before = [of.tobytes() for of in counts[:3]]
    Depth.of_counts(counts, 300)
    assert [of.tobytes() for of in counts[:3]] == before


@pytest.mark.parametrize("seed", range(3))
def test_strata_of_counts_follow_the_cells_wherever_they_stand(seed):
    X = simulate(1200, 200, 4, content=0.8, seed=seed).X
    order = np.random.default_rng(seed).permutation(len(X))
    depth, permuted = of_counts(X), of_counts(X[order])
    np.testing.assert_array_equal(permuted.whole.labels, depth.whole.labels[order])
    assert (permuted.technical.labels == depth.technical.labels[order]).mean() > 0.995  # up to ties at a boundary


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most_cells", [100, 200, 599, 600, 1199])
def test_axes_found_in_some_of_the_cells_give_nearly_the_same_strata(most_cells, seed, parts_of, monkeypatch):
    cells = simulate(1200, 200, 4, content=0.8, seed=seed)
    (technical, _), depth = parts_of(cells.X), of_counts(cells.X)
    monkeypatch.setattr(depths, "MOST_CELLS", most_cells)
    (projected, _), other = parts_of(cells.X), of_counts(cells.X)
    assert correlation(projected, technical) > 0.985  # 0.992 in the worst of 8 seeds
    np.testing.assert_array_equal(other.whole.labels, depth.whole.labels)
    apart = np.abs(other.technical.labels - depth.technical.labels)
    assert (apart == 0).mean() > 0.78  # 0.84
    assert (apart > 1).mean() < 0.01
    assert explained_by(cells.types, projected) < MOST_OF_TYPES


@pytest.mark.parametrize("most_cells", [1200, 5000])
def test_axes_of_few_cells_are_found_in_all_of_them(most_cells, monkeypatch):
    X = simulate(1200, 200, 4, content=0.8).X
    depth = of_counts(X)
    monkeypatch.setattr(depths, "MOST_CELLS", most_cells)
    for strata, other in zip(depth, of_counts(X), strict=True):
        assert other.labels.tobytes() == strata.labels.tobytes()
