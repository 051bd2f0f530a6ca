"""Targets of the regulators of a contrast along its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces import _slots, get
from pysces._check import whole_number
from pysces.pl._axes import BLUE, DIVERGING, GREY, LIGHT, RED, new_axes, symmetric
from pysces.pl._heatmap import (
    BAR_HEIGHT,
    BAR_WIDTH,
    LARGE,
    POINTS,
    beside,
    box_side,
    font_size,
    keep_room,
    name_items,
    pitch,
    scale_bar,
    text_width,
)

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

WIDTH, CURVE, BOX, GAP = 4.0, 0.5, 0.2, 0.15
"""Inches of the signature, of its curve above, of a box, and between columns."""
HALF = 0.44
"""Height of the longest tick; a row has 1."""
FAINT = 0.25


def msviper(adata: AnnData, *, n: int = 10, key: str = _slots.MSVIPER, ax: Axes | None = None) -> Axes:
    """Draw where the targets of the most significant regulators of a contrast stand in its signature.

    Above: z of the genes, ranked from the lowest. A row for each regulator, from the highest NES to the lowest: a tick
    for each target, red in the upper half where the regulator activates it (mode > 0), blue in the lower half where it
    represses it, grey in both where it does neither; the longer, the larger likelihood x abs(mode); faint if the target
    is not in the leading edge. At the left the number of targets and the q-value. At the right the activity of the
    regulator (NES) and its own expression (its z in the signature; crossed out if the gene was not ranked). Colours end
    at the 99th percentile of the absolute values.

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]``.
    n
        Number of regulators.
    key
        The ``key_added`` of :func:`pysces.tl.msviper`.
    ax
        Axes to draw on, those of the ticks; all else stands around them. By default a new figure, of a size that fits
        the number of regulators.

    Returns
    -------
    The axes of the ticks.

    Raises
    ------
    KeyError
        If there are no results of a contrast.
    ValueError
        If ``n`` is not valid.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593, figure 3.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.msviper(adata, "cell_type", "CD19+ B", network=net, min_targets=4, n_permutations=0)
    >>> ax = ps.pl.msviper(adata)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['B']
    """
    whole_number(n, "n", least=1)
    results = get.msviper(adata, key=key).head(n).sort_values("nes", ascending=False, kind="stable")
    tables, parameters = adata.uns[key], _slots.read_parameters(adata, key)
    names = results["source"].astype(str).tolist()
    z = tables[_slots.SIGNATURE].astype({"gene": str}).sort_values("z", kind="stable").set_index("gene")["z"]
    columns = {"q": results["log_qvalue"].map(_number).tolist(), "targets": results["n_targets"].map(str).tolist()}

    rows, size = len(names), font_size(len(names))
    widths = [text_width([title, *texts], size) + GAP for title, texts in columns.items()]
    right = GAP / 2 + 2 * (BOX + GAP + BAR_WIDTH)
    ax = new_axes(
        ax,
        text_width(names, size) + sum(widths) + WIDTH + right + 0.2,
        max(rows * pitch(rows, most=0.3), BAR_HEIGHT) + CURVE + 2 * GAP + 0.7,
    )
    keep_room(ax, left=sum(widths), right=right, top=CURVE + 2 * GAP)
    _ticks(ax, tables[_slots.LEADING_EDGE], names, z)
    ax.set_xlabel(f"rank of gene by z\n{parameters['group']} against {parameters['reference']}", size=LARGE)
    _curve(beside(ax, "top", 2 * GAP, CURVE), z.to_numpy(np.float64), ax)
    for (title, texts), offset in zip(columns.items(), np.cumsum([GAP / 2, *widths]), strict=False):
        _column(beside(ax, "left", offset, 0.01), title, texts)
    name_items(ax.yaxis, names)
    ax.tick_params(axis="y", pad=(sum(widths) + GAP / 2) * POINTS)
    values = {"activity (NES)": results["nes"].to_numpy(np.float64), "expression (z)": z.reindex(names).to_numpy()}
    _boxes(ax, values)
    return ax


def _number(log: float) -> str:
    """The number of this natural logarithm with two digits, however small it is."""
    if log > np.log(0.000995):
        return f"{np.exp(log):.2g}"
    if not np.isfinite(log):
        return "0" if log < 0 else ""
    exponent = int(np.floor(log / np.log(10)))
    digits = f"{np.exp(log - exponent * np.log(10)):.1f}"
    return f"1.0e{exponent + 1}" if digits == "10.0" else f"{digits}e{exponent}"


def _ticks(ax: Axes, edges: pd.DataFrame, names: list[str], z: pd.Series[float]) -> None:
    """A row of targets for each regulator."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb

    shown = edges[edges["source"].isin(names)]
    x = z.index.get_indexer(pd.Index(shown["target"].astype(str)))
    y = pd.Index(names).get_indexer(pd.Index(shown["source"].astype(str)))
    mode = shown["weight"].to_numpy(np.float64)
    strength = shown["likelihood"].to_numpy(np.float64) * np.abs(mode)
    half = HALF * (0.3 + 0.7 * strength / (strength.max() or 1))
    colours = np.empty((len(shown), 4))
    colours[:, :3] = np.array([to_rgb(BLUE), to_rgb(GREY), to_rgb(RED)])[np.sign(mode).astype(np.intp) + 1]
    colours[:, 3] = np.where(shown["in_edge"], 1, FAINT)
    low, high = y + half * (mode <= 0), y - half * (mode >= 0)
    lines = np.stack([np.stack([x, x], axis=1), np.stack([low, high], axis=1)], axis=2)
    faintest_first = np.argsort(colours[:, 3], kind="stable")
    ax.hlines(range(len(names)), -0.5, len(z) - 0.5, color=LIGHT, linewidth=0.5, zorder=0)
    ax.add_collection(LineCollection(list(lines[faintest_first]), colors=colours[faintest_first], linewidths=0.6))
    ax.set_xlim(-0.5, len(z) - 0.5)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.spines[["left", "top", "right"]].set_visible(False)
    ax.tick_params(axis="x", labelsize=LARGE)


def _curve(panel: Axes, z: NDArray[np.float64], ax: Axes) -> None:
    """The signature above the ticks, and where it changes its sign."""
    x = np.arange(len(z))
    panel.fill_between(x, z, where=z > 0, color=RED, linewidth=0, alpha=0.6)
    panel.fill_between(x, z, where=z < 0, color=BLUE, linewidth=0, alpha=0.6)
    panel.set_xlim(ax.get_xlim())
    panel.set_xticks([])
    panel.set_ylabel("z", size=LARGE, rotation=0, va="center")
    panel.tick_params(labelsize=7)
    panel.spines[["bottom", "top", "right"]].set_visible(False)
    for place in (panel, ax):
        place.axvline(np.searchsorted(z, 0) - 0.5, color=GREY, linewidth=0.5, linestyle=":", zorder=0)


def _column(panel: Axes, title: str, texts: list[str]) -> None:
    """Text beside the rows."""
    panel.set_ylim(len(texts) - 0.5, -0.5)
    panel.set_xticks([])
    panel.spines[:].set_visible(False)
    panel.patch.set_visible(False)
    name_items(panel.yaxis, texts)
    panel.set_title(title, loc="right", size=LARGE)


def _boxes(ax: Axes, values: dict[str, NDArray[np.float64]]) -> None:
    """Coloured boxes beside the rows, with their scales; NaN are crossed out."""
    panel, n = beside(ax, "right", GAP / 2, BOX * len(values)), len(next(iter(values.values())))
    cross = min(0.5 * box_side(panel, len(values), n), 4)
    for place, (label, of_rows) in enumerate(values.items()):
        boxes = panel.pcolormesh(
            [place - 0.5, place + 0.5], np.arange(n + 1) - 0.5, of_rows[:, None], cmap=DIVERGING,
            norm=symmetric(of_rows), edgecolors="white", linewidth=0.5,
        )  # fmt: skip
        missing = np.flatnonzero(np.isnan(of_rows))
        panel.plot(np.full(len(missing), place), missing, "x", color=GREY, markersize=cross)
        scale_bar(boxes, ax, label, GAP / 2 + len(values) * BOX + GAP + place * (BAR_WIDTH + GAP))
    panel.set_xlim(-0.5, len(values) - 0.5)
    panel.set_ylim(ax.get_ylim())
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
    panel.xaxis.tick_top()
    name_items(panel.xaxis, [label.split()[0] for label in values], rotation=90)
