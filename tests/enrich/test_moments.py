from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from pysces._csr import as_csr
from pysces._enrich.moments import Moments


def moments(X: np.ndarray, n_blocks: int = 1) -> Moments:
    found = Moments(X.shape[1])
    for block in np.array_split(X, n_blocks):
        found.add(as_csr(block))
    return found


def exact(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation in rational arithmetic."""
    x = [Fraction(v) for v in values.tolist()]
    mean = sum(x) / len(x)
    return float(mean), float(sum((v - mean) ** 2 for v in x) / (len(x) - 1)) ** 0.5


def values(kind: str, n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    match kind:
        case "signed":
            return rng.normal(size=n)
        case "counts":
            return rng.poisson(0.7, n).astype(np.float64)
        case "log":
            return np.log1p(rng.poisson(0.7, n) / rng.uniform(0.3, 3, n))
        case "log32":
            return np.log1p(rng.poisson(0.7, n) / rng.uniform(0.3, 3, n)).astype(np.float32).astype(np.float64)
        case _:
            return 10.0 ** rng.uniform(-150, 150, n)


@pytest.mark.parametrize("n", [2, 30, 2000])
@pytest.mark.parametrize("kind", ["signed", "counts", "log", "log32", "wide"])
def test_moments_are_those_of_rational_arithmetic(kind, n):
    X = np.stack([values(kind, n, seed) for seed in range(5)], axis=1)
    found = moments(X)
    mean, sd = np.array([exact(x) for x in X.T]).T
    # a few roundings of the result; nothing is lost to cancellation
    np.testing.assert_allclose(found.mean, mean, rtol=1e-15, atol=0)
    np.testing.assert_allclose(found.sd, sd, rtol=1e-15, atol=0)


@pytest.mark.parametrize(
    ("spread", "tolerance"),
    # 32 digits less those that cancel, twice log10(1e8 / spread), and a few for the sums
    [pytest.param(1.0, 1e-12, id="16 digits cancel"), pytest.param(1e-2, 1e-9, id="20 digits cancel")],
)
def test_a_small_spread_on_a_large_offset_is_not_lost(spread, tolerance):
    X = 1e8 + spread * np.random.default_rng(0).normal(size=(1000, 5))
    found = moments(X)
    mean, sd = np.array([exact(x) for x in X.T]).T
    np.testing.assert_allclose(found.mean, mean, rtol=1e-15, atol=0)
    np.testing.assert_allclose(found.sd, sd, rtol=tolerance, atol=0)


@pytest.mark.parametrize("n", [20, 50, 200, 1000])
@pytest.mark.parametrize("kind", ["signed", "counts", "log", "log32"])
def test_genes_with_the_same_values_have_the_same_moments_to_the_last_bit(kind, n):
    rng = np.random.default_rng(n)
    for seed in range(25):
        gene = values(kind, n, seed)
        found = moments(np.stack([rng.permutation(gene) for _ in range(20)], axis=1))
        assert len(np.unique(found.mean)) == 1
        assert len(np.unique(found.sd)) == 1


@pytest.mark.parametrize("kind", ["signed", "log"])
def test_moments_do_not_depend_on_how_the_cells_are_cut_into_blocks(kind):
    X = np.stack([values(kind, 100, seed) for seed in range(20)], axis=1)
    whole, pieces = moments(X), moments(X, n_blocks=7)
    assert pieces.n_cells == 100
    assert whole.mean.tobytes() == pieces.mean.tobytes()
    assert whole.sd.tobytes() == pieces.sd.tobytes()


@pytest.mark.parametrize("n", [2, 7, 1000, 20_000])
@pytest.mark.parametrize("constant", [0.0, 0.1, -1 / 3, 1e8 + 0.1, 1e-7, 12345.678])
def test_constant_genes_have_no_spread_at_all(constant, n):
    found = moments(np.full((n, 2), constant))
    assert (found.sd == 0).all()
    np.testing.assert_allclose(found.mean, constant, rtol=1e-15)


def test_zeros_count_though_they_are_not_stored():
    found = moments(np.array([[0.0, 0.0], [0.0, 3.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found.mean, [0.0, 1.0], rtol=1e-15)
    np.testing.assert_allclose(found.sd, [0.0, np.sqrt(3)], rtol=1e-15)


@pytest.mark.parametrize("kind", ["signed", "log"])
@pytest.mark.parametrize("n_parts", [1, 3, 50])
def test_moments_of_parts_make_those_of_the_whole_to_the_last_bit(kind, n_parts):
    X = np.stack([values(kind, 100, seed) for seed in range(20)], axis=1)
    whole, merged = moments(X), Moments(20)
    for part in np.array_split(X, n_parts):
        merged.merge(moments(part))
    assert merged.n_cells == 100
    assert whole.mean.tobytes() == merged.mean.tobytes()
    assert whole.sd.tobytes() == merged.sd.tobytes()
