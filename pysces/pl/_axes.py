"""What the figures share: axes to draw on, and colours that the colour-blind can tell apart."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from pysces._frame import column, in_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Normalize
    from numpy.typing import ArrayLike

RED, BLUE, GREY, LIGHT = "#b2182b", "#2166ac", "#4d4d4d", "#d9d9d9"
"""Activated (mode > 0), repressed (mode < 0), neither, and what is only there as a background."""
DIVERGING, SEQUENTIAL = "RdBu_r", "viridis"
QUALITATIVE = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442", "#000000")
"""Okabe and Ito 2008."""


def new_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """``ax``, or axes of a new figure of this size in inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def symmetric(values: ArrayLike) -> Normalize:
    """A scale around 0 that leaves out the largest hundredth of ``values``; NaN do not count."""
    from matplotlib.colors import Normalize

    sizes = np.abs(np.asarray(values, dtype=np.float64))
    sizes = sizes[~np.isnan(sizes)]
    most = float(np.quantile(sizes, 0.99)) if len(sizes) else 0.0
    return Normalize(-most or -1.0, most or 1.0)


def colour_bar(shown: ScalarMappable, ax: Axes, label: str) -> Colorbar:
    """A slim colour bar to the right of ``ax``."""
    bar = ax.figure.colorbar(shown, ax=ax, shrink=0.5, aspect=12, pad=0.02)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar


def group_colours(adata: AnnData, groupby: str | None, labels: Sequence[str]) -> dict[str, str]:
    """Colours of groups: those that scanpy keeps in ``uns``, or else ours."""
    stored = in_memory(adata.uns.get(f"{groupby}_colors", ()))
    if groupby is not None and groupby in adata.obs.columns and hasattr(values := column(adata.obs, groupby), "cat"):
        known = values.cat.categories.tolist()
        if len(stored) >= len(known) and set(labels) <= set(known):
            return {label: str(stored[known.index(label)]) for label in labels}
    if len(labels) <= len(QUALITATIVE):
        return dict(zip(labels, QUALITATIVE, strict=False))
    from scanpy.plotting.palettes import default_20, default_102

    shades = default_20 if len(labels) <= len(default_20) else default_102
    return dict(zip(labels, cycle(shades), strict=False))
