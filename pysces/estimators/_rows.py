"""Which cells of X a call uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def chosen_rows(rows: ArrayLike | None, n_cells: int) -> NDArray[np.intp]:
    """Ascending positions of the cells that a mask or positions choose; by default all.

    Cells are read in the order in which they are stored, so positions in another order, or given twice, are refused.
    """
    if rows is None:
        return np.arange(n_cells)
    chosen = np.asarray(rows)
    if chosen.dtype == np.bool_:
        if chosen.shape != (n_cells,):
            msg = f"rows is a mask of shape {chosen.shape}, but X has {n_cells} cells; give one value per cell."
            raise ValueError(msg)
        return np.flatnonzero(chosen)
    if chosen.ndim != 1 or not (np.issubdtype(chosen.dtype, np.integer) or not chosen.size):
        msg = f"rows must be positions of cells or a boolean mask; found {chosen.dtype} of shape {chosen.shape}."
        raise TypeError(msg)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= n_cells):
        msg = f"rows holds positions from {chosen.min()} to {chosen.max()}; X has the rows 0 to {n_cells - 1}."
        raise ValueError(msg)
    positions = chosen.astype(np.intp)
    wrong = np.flatnonzero(np.diff(positions) <= 0)
    if len(wrong):
        before, after = positions[wrong[0]], positions[wrong[0] + 1]
        found = f"row {after} is given twice" if before == after else f"row {before} stands before row {after}"
        msg = f"rows must ascend and hold each row once, but {found}; give numpy.unique(rows), or a boolean mask."
        raise ValueError(msg)
    return positions
