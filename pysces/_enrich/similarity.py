"""Similarity of cells by the regulators that are most and least active in them (viperSimilarity)."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import expit, ndtri

from pysces._check import one_of, whole_number
from pysces._parallel import blocks, one_blas_thread, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

type Tail = Literal["two-sided", "greater", "less"]
type Weights = tuple[float, float] | float

TAILS: tuple[Tail, ...] = ("two-sided", "greater", "less")
SIGMOID = (4.0, 2.0)
CELLS_PER_BLOCK = 512


def common_regulators[F: np.floating](nes: NDArray[F]) -> NDArray[np.bool_]:
    """Regulators that have a score in every cell that has any; a cell of another network may lack some, as NaN."""
    missing = np.isnan(nes)
    scored: NDArray[np.bool_] = ~missing[~missing.all(axis=1)].any(axis=0)
    return scored


def similarity[F: np.floating](
    nes: NDArray[F],
    *,
    weights: Weights,
    n_top: int | None,
    tail: Tail,
    scale: bool,
    n_threads: int,
    on_done: Callable[[int], object] | None = None,
) -> NDArray[F]:
    """Similarity of every two cells, cells x cells, symmetric, in the precision of ``nes``.

    With weights w and t the normal quantiles of the ranks of a cell's scores over n + 1, s_ij = sum of w_i t_j over the
    regulators / sum of abs(w_i) x sqrt(sum of w_i^2), and the similarity is (s_ij^3 + s_ji^3) / (s_ij^2 + s_ji^2).

    A row of NaN is a cell without scores, which is like no cell: NaN. So is one without weights, having no regulator in
    the tail. ``on_done`` is called with every number of cells that was compared, from several threads.
    """
    weigh = _Weigh(weights, n_top, one_of(tail, TAILS, "tail"), nes.shape[1])
    weight, quantile = np.empty(nes.shape), np.empty(nes.shape)
    similar = np.empty((len(nes), len(nes)), nes.dtype)

    def prepare(cells: slice) -> None:
        weight[cells], quantile[cells] = weigh(nes[cells].astype(np.float64))

    def compare(cells: slice) -> None:
        for others in blocks(len(nes), CELLS_PER_BLOCK):
            if others.start < cells.start:
                continue  # the other of the two blocks writes both
            forth = weight[cells] @ quantile[others].T
            back = forth.T if others == cells else quantile[cells] @ weight[others].T
            found = _symmetric(forth, back)
            if scale:
                middle = (itself[cells, None] + itself[others]) / 2
                found /= np.where(middle > 0, middle, np.nan)
            similar[cells, others] = found
            similar[others, cells] = found.T

    with one_blas_thread():
        run(prepare, len(nes), CELLS_PER_BLOCK, n_threads)
        itself = np.einsum("ij,ij->i", weight, quantile)
        run(compare, len(nes), CELLS_PER_BLOCK, n_threads, on_done)
    return similar


class _Weigh:
    """Weights, over sum of abs(w) / sqrt(sum of w^2), and normal quantiles of the scores of cells."""

    def __init__(self, weights: Weights, n_top: int | None, tail: Tail, n_regulators: int) -> None:
        if n_regulators < 2:
            msg = f"cells can be compared by {n_regulators} regulators, but ranks need at least 2 that all cells have."
            raise ValueError(msg)
        self.weights = _checked(weights)
        if n_top is not None:
            if self.weights != SIGMOID:
                msg = f"weights is {weights!r} and n_top is {n_top!r}; give one of them."
                raise ValueError(msg)
            least = 2 if tail == "two-sided" else 1
            if whole_number(n_top, "n_top", least=least) > n_regulators:
                msg = f"n_top is {n_top}, but cells are compared by {n_regulators} regulators; give at most as many."
                raise ValueError(msg)
        self.n_top, self.tail = n_top, tail

    def __call__(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        from scipy.stats import rankdata

        rank = rankdata(x, axis=1)
        with np.errstate(invalid="ignore"):  # 0 / 0 in cells without weight
            weight = self._in_tail(x) if self.n_top is None else np.sign(x) * self._among_top(rank)
            weight *= np.sqrt((weight**2).sum(axis=1, keepdims=True)) / np.abs(weight).sum(axis=1, keepdims=True)
        return weight, ndtri(rank / (x.shape[1] + 1))

    def _in_tail(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        largest: NDArray[np.float64] = (x if self.tail == "greater" else np.abs(x)).max(axis=1, keepdims=True)
        if self.tail != "two-sided":
            x = np.maximum(x, 0) if self.tail == "greater" else np.minimum(x, 0)
        if isinstance(self.weights, tuple):
            inflection, tenth = self.weights
            return expit(math.log(9) / (inflection - tenth) * (np.abs(x) - inflection)) * np.sign(x)
        return np.abs(x / largest) ** self.weights * np.sign(x)  # of all NES, though in the lower tail: as in R viper

    def _among_top(self, rank: NDArray[np.float64]) -> NDArray[np.bool_]:
        n_top, n = self.n_top or 0, rank.shape[1]
        if self.tail == "two-sided":
            n_top //= 2
        high: NDArray[np.bool_] = rank > n - n_top
        low: NDArray[np.bool_] = rank <= n_top
        return high if self.tail == "greater" else low if self.tail == "less" else high | low


def _checked(weights: object) -> Weights:
    """A pair of numbers, the first the larger, or an exponent."""
    match weights.tolist() if isinstance(weights, np.ndarray) else weights:
        case [Real() as inflection, Real() as tenth] if 0 <= float(tenth) < float(inflection) < math.inf:
            return float(inflection), float(tenth)
        case Real() as exponent if not isinstance(exponent, bool) and 0 <= float(exponent) < math.inf:
            return float(exponent)
    msg = (
        f"weights is {weights!r}; give a pair (NES that weighs 0.5, smaller NES that weighs 0.1) such as {SIGMOID}, or "
        "an exponent of at least 0."
    )
    raise ValueError(msg)


def _symmetric(forth: NDArray[np.float64], back: NDArray[np.float64]) -> NDArray[np.float64]:
    """(a^3 + b^3) / (a^2 + b^2), which is 0 where both are."""
    squares, squares_back = forth**2, back**2
    total = squares + squares_back
    return (forth * squares + back * squares_back) / np.where(total == 0, 1, total)
