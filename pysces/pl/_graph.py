"""What drawings of networks share: nodes, edges with a sign, and their legend.

One unit of the axes is an inch of the figure as designed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pysces.pl._axes import BLUE, DIVERGING, GREY, RED, colour_bar, new_axes, symmetric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]

SMALLEST, HEAD, DOT, PAD = 6.0, 0.06, 0.05, 0.3
"""Points of a font; inches of the head of a thin arrow and of the radius of a dot; space around boxed text, in font
sizes."""
THINNEST, THICKEST = 0.5, 3.5
DASHES = (0, (3, 1.5))
UNMEASURED = "#f7f7f7"
"""Regulators without a value: nearly white."""


def graph_axes(ax: Axes | None, corners: Floats, *, bar: bool) -> tuple[Axes, float]:
    """Axes that hold all ``corners``, with room for what stands around them, and inches per unit: 1 in a new figure."""
    low, high = corners.min(axis=0) - 0.1, corners.max(axis=0) + 0.1
    size = high - low
    scale = 1.0
    if ax is not None:
        given = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
        scale = min(1.0, given.width / size[0], given.height / size[1])
    ax = new_axes(ax, max(size[0], 3.0) + bar, size[1] + 0.9)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.set_axis_off()
    return ax, scale


def _text_length(text: str, size: float, weight: str = "normal") -> float:
    """Inches that a text takes."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    outline = TextPath((0, 0), text, prop=FontProperties(weight=weight, size=size)).vertices
    return float(np.ptp(outline[:, 0]) / 72) if len(outline) else 0.0


def box_halves(names: Sequence[str], size: float, weight: str = "normal") -> Floats:
    """Half the width and height of each name in a box."""
    widths = [_text_length(name, size, weight) / 2 + PAD * size / 72 for name in names]
    return np.column_stack([widths, np.full(len(names), (0.6 + PAD) * size / 72)])


def edge_paths(start: Floats, end: Floats, start_half: Floats, end_half: Floats, bend: float = 0.0) -> Floats:
    """Edges x points x 2: from the border of one node to that of another, bent to the left by a share of the length."""
    along = end - start
    control = (start + end) / 2 + bend * np.column_stack([-along[:, 1], along[:, 0]])
    a = start + _to_border(control - start, start_half)
    b = end + _to_border(control - end, end_half)
    t = np.linspace(0, 1, 16)[None, :, None]
    paths: Floats = (1 - t) ** 2 * a[:, None] + 2 * t * (1 - t) * control[:, None] + t**2 * b[:, None]
    return paths


def loop_paths(centre: Floats, half: Floats) -> Floats:
    """Edges from a node to itself, above it."""
    angle = np.deg2rad(np.linspace(-55, 235, 16))
    circle = 0.13 * np.column_stack([np.cos(angle), np.sin(angle)])
    top = centre + np.column_stack([np.zeros(len(half)), half[:, 1] + 0.11])
    return top[:, None] + circle


def _to_border(direction: Floats, half: Floats) -> Floats:
    """From the centre of a box to its border."""
    sizes = np.abs(direction)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(sizes > 0, half / sizes, np.inf).min(axis=1)
    reached: Floats = direction * np.minimum(share, 0.9)[:, None]
    return reached


def line_widths(strength: Floats | None, n: int) -> Floats:
    """Points, growing with what is measured, less so for many lines; all the same where nothing is."""
    largest = np.clip(THICKEST * np.sqrt(50 / max(n, 1)), 2 * THINNEST, THICKEST)
    if strength is None or not len(strength):
        return np.full(n, min(1.0, float(largest) / 2))
    widths: Floats = THINNEST + (largest - THINNEST) * strength / strength.max()
    return widths


def draw_edges(ax: Axes, paths: Floats, mode: Floats, widths: Floats) -> None:
    """Activation red, solid, with an arrow; repression blue, dashed, with a bar; neither grey."""
    from matplotlib.collections import LineCollection, PolyCollection

    tip = paths[:, -1]
    ahead = tip - paths[:, -2]
    ahead = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.column_stack([-ahead[:, 1], ahead[:, 0]])
    length = (HEAD + 0.02 * widths)[:, None]
    for sign, colour, dashes, name in (
        (0, GREY, "solid", "neither"), (-1, BLUE, DASHES, "repressed"), (1, RED, "solid", "activated"),
    ):  # fmt: skip
        of = np.sign(mode) == sign
        if not of.any():
            continue
        lines, wide = paths[of].copy(), widths[of]
        if sign > 0:
            lines[:, -1] = (tip - 0.8 * length * ahead)[of]
            heads = np.stack([tip, tip - length * (ahead - 0.4 * side), tip - length * (ahead + 0.4 * side)], axis=1)
            ax.add_collection(PolyCollection(list(heads[of]), color=colour, lw=0, zorder=2.5, gid="heads"))
        if sign < 0:
            bars = list(np.stack([tip - 0.45 * length * side, tip + 0.45 * length * side], axis=1)[of])
            thick = np.clip(wide, 1, 2)
            ax.add_collection(LineCollection(bars, color=colour, lw=thick, capstyle="butt", zorder=2.5, gid="bars"))
        shown = LineCollection(list(lines), color=colour, lw=wide, linestyle=dashes, zorder=2, alpha=0.8, gid=name)
        ax.add_collection(shown)


def edge_legend(ax: Axes, mode: Floats, widths: Floats, strength: Floats | None, unit: str, size: float) -> None:
    """What lines and their widths mean, below the axes: signs in one column, examples of widths in the other."""
    from matplotlib.legend_handler import HandlerLine2D
    from matplotlib.lines import Line2D

    def end(shown: Line2D, given: Line2D) -> None:
        shown.update_from(given)
        shown.set_markevery([2])

    signs = [
        Line2D([], [], color=RED, marker=">", ms=5, label="activated"),
        Line2D([], [], color=BLUE, ls=DASHES, marker="|", ms=7, mew=1.5, label="repressed"),
    ]
    if (mode == 0).any():
        signs.append(Line2D([], [], color=GREY, label="neither"))
    examples: list[Line2D] = []
    if strength is not None:
        chosen = np.argsort(strength, kind="stable")[np.linspace(0, len(strength) - 1, len(signs)).astype(int)]
        labels = {unit.format(strength[i]): widths[i] for i in chosen}
        examples = [Line2D([], [], color=GREY, lw=width, label=label) for label, width in labels.items()]
        examples += [Line2D([], [], ls="none", label=" ")] * (len(signs) - len(examples))
    ax.legend(
        handles=signs + examples, handler_map=dict.fromkeys(signs, HandlerLine2D(update_func=end)),
        loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=1 + bool(examples), frameon=False, fontsize=size,
        handlelength=2.6, borderaxespad=0.2,
    )  # fmt: skip


def node_colours(ax: Axes, values: Floats, missing: Sequence[str], label: str | None) -> list[Any]:
    """Colours of nodes and, if there are values, their bar; nodes without a value get theirs of ``missing``."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import to_rgba

    plain = [to_rgba(colour) for colour in missing]
    if label is None:
        return plain
    shown = ScalarMappable(symmetric(values), DIVERGING)
    bar = colour_bar(shown, ax, label)
    bar.ax.tick_params(labelsize=8)
    bar.ax.yaxis.label.set_fontsize(8)
    known = ~np.isnan(values)
    return [tuple(of) if has else other for of, has, other in zip(shown.to_rgba(values), known, plain, strict=True)]


def draw_box(ax: Axes, at: ArrayLike, name: str, fill: Any, size: float, *, regulator: bool) -> None:
    """A name in a box: regulators bold, with a border."""
    x, y = np.asarray(at, dtype=np.float64)
    dark = np.dot(fill[:3], (0.299, 0.587, 0.114)) < 0.5
    border = {"ec": "black", "lw": 1.3} if regulator else {"ec": GREY, "lw": 0.5}
    ax.text(
        x, y, name, ha="center", va="center", size=size, weight="bold" if regulator else "normal",
        color="white" if dark else "black", zorder=5 if regulator else 4,
        bbox={"boxstyle": f"square,pad={PAD}" if regulator else f"round,pad={PAD}", "fc": fill, **border},
    )  # fmt: skip


def draw_dots(ax: Axes, at: Floats, fill: Sequence[Any], scale: float) -> None:
    """Nodes without a box."""
    ax.scatter(
        at[:, 0], at[:, 1], (144 * DOT * scale) ** 2, list(fill), edgecolors=GREY, linewidths=0.6, zorder=3,
        gid="targets",
    )  # fmt: skip


def label_ends(at: Floats, angle: Floats, names: Sequence[str], size: float) -> Floats:
    """Where the labels of nodes end."""
    lengths = np.array([_text_length(name, size) for name in names])
    return at + (1.7 * DOT + lengths)[:, None] * rays(angle)


def draw_outward_labels(ax: Axes, at: Floats, angle: Floats, names: Sequence[str], size: float) -> None:
    """Names beyond nodes, along the direction in which these lie."""
    for (x, y), direction, name in zip(at + 1.7 * DOT * rays(angle), angle, names, strict=True):
        left = np.cos(direction) < 0
        ax.text(
            x, y, name, size=size, rotation=np.rad2deg(direction) + 180 * left, rotation_mode="anchor",
            ha="right" if left else "left", va="center", zorder=4,
        )  # fmt: skip


def rays(angle: Floats) -> Floats:
    """Points on the unit circle."""
    return np.column_stack([np.cos(angle), np.sin(angle)])
