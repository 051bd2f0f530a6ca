"""Neighbourhoods that cover the cells; arrays in, arrays out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def neighbourhoods(x: NDArray[np.floating], size: int) -> NDArray[np.intp]:
    """Row i: cell i and its ``size - 1`` nearest others; of those equally near the first, whatever the threads."""
    from sklearn.neighbors import NearestNeighbors

    x = x.astype(np.float64)
    distance, near = NearestNeighbors(n_neighbors=min(size, len(x) - 1)).fit(x).kneighbors()
    if size < len(x):  # one more was found than is needed: where it is as near as the last, up to rounding, sort all
        rounding = 64 * x.shape[1] * np.finfo(np.float64).eps * (x**2).sum(axis=1).max()
        for cell in np.flatnonzero(distance[:, -1] ** 2 - distance[:, -2] ** 2 <= rounding):
            exact = ((x - x[cell]) ** 2).sum(axis=1)
            exact[cell] = np.inf
            near[cell, :-1] = np.argsort(exact, kind="stable")[: size - 1]
    return np.column_stack([np.arange(len(x)), near[:, : size - 1]])


def cover(
    neighbourhood: NDArray[np.intp], order: NDArray[np.intp], fewest_new: int, most: int | None
) -> NDArray[np.intp]:
    """Cells, at each step the one whose neighbourhood has most cells that are new; the first in ``order`` of several.

    Ends at ``most`` cells, or where no neighbourhood has ``fewest_new`` new ones. The number of new cells only falls:
    those that have n of them when no cell has more need to be seen once, in order, to be chosen as one by one.
    """
    is_new = np.ones(len(neighbourhood), np.bool_)
    chosen: list[int] = []
    for n_new in range(neighbourhood.shape[1], fewest_new - 1, -1):
        have = np.count_nonzero(is_new[neighbourhood], axis=1) == n_new
        for cell in order[have[order]]:
            if len(chosen) == most:
                break
            if np.count_nonzero(is_new[neighbourhood[cell]]) == n_new:
                chosen.append(cell)
                is_new[neighbourhood[cell]] = False
    return np.array(chosen)
