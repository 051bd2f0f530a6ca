"""What can be read off a drawn heat map."""

from __future__ import annotations

from itertools import pairwise

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from pysces import _slots


def cells_with_activities(activity, labels, **columns) -> ad.AnnData:
    """Cells with these activities (cells x regulators R0, R1, ...) and labels in obs["type"]."""
    activity = np.asarray(activity, dtype=np.float32)
    names = [f"cell{i}" for i in range(len(activity))]
    table = pd.DataFrame(activity, index=names, columns=[f"R{j}" for j in range(activity.shape[1])])
    obs = pd.DataFrame({"type": labels, **columns}, index=names)
    adata = ad.AnnData(sp.csr_matrix((len(activity), 1), dtype=np.float32), obs=obs)
    regulons = pd.DataFrame({"source": pd.Categorical(table.columns), "n_targets": 30})
    _slots.write_activity(adata, "viper", {"": table}, None, regulons, _slots.params(signature="scale"))
    return adata


def names(axis) -> list[str]:
    """The names along an axis."""
    return [label.get_text() for label in axis.get_ticklabels() if label.get_text()]


def laid_out(ax):
    """``ax``, after all has found its place."""
    ax.figure.draw_without_rendering()
    return ax


def overlapping(axis) -> int:
    """How many names overlap the one before."""
    along = 0 if axis is axis.axes.xaxis else 1
    boxes = [label.get_window_extent() for label in axis.get_ticklabels() if label.get_text()]
    ends = sorted((box.min[along], box.max[along]) for box in boxes)
    return sum(after[0] < before[1] for before, after in pairwise(ends))


def clipped(figure) -> bool:
    """Whether something is drawn beyond the edge of the figure."""
    box, width, height = figure.get_tightbbox(), *figure.get_size_inches()
    return bool(box.x0 < -0.01 or box.y0 < -0.01 or box.x1 > width + 0.01 or box.y1 > height + 0.01)
