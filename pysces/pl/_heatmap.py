"""What heat maps share: names that do not overlap, panels beside the axes, and an order of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from pysces.pl._axes import DIVERGING, GREY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.image import AxesImage
    from matplotlib.transforms import Affine2DBase, Transform
    from numpy.typing import ArrayLike, NDArray

POINTS = 72
"""In an inch."""
SMALL, LARGE = 6.0, 8.0
"""Font sizes of names, in points."""
LEAST_PITCH = 0.11
"""Inches that one name of the smallest size needs."""
MISSING = "#b3b3b3"
BAR_HEIGHT, BAR_WIDTH = 0.9, 0.6
"""Inches of a colour bar, and of the bar, its numbers and its name side by side."""


def pitch(n: int, most: float = 0.2) -> float:
    """Inches for each of ``n`` items on a new figure."""
    return float(np.clip(40 * most / max(n, 1), LEAST_PITCH, most))


def font_size(n: int) -> float:
    """Size of the names of ``n`` items, in points."""
    return float(np.clip(0.7 * POINTS * pitch(n), SMALL, LARGE))


def text_width(names: Sequence[str], size: float = LARGE) -> float:
    """About how many inches the longest of ``names`` takes."""
    return 0.6 * size / POINTS * max(map(len, names), default=0)


def name_items(axis: Axis, names: Sequence[str], *, places: Iterable[float] | None = None, rotation: float = 0) -> None:
    """Names at ``places`` (0, 1, ...); where an axis is too short for all, those that are too near to the last go."""
    from matplotlib.ticker import FuncFormatter, Locator

    centres = [float(place) for place in (range(len(names)) if places is None else places)]
    size = font_size(len(names))

    class Apart(Locator):
        """Looks at the length of the axis whenever it is drawn."""

        def __call__(self) -> list[float]:
            box, (low, high) = axis.axes.bbox, axis.get_view_interval()
            pixels = box.width if axis is axis.axes.xaxis else box.height
            least = 1.1 * size / POINTS * axis.axes.figure.dpi * abs(high - low) / max(pixels, 1e-9)
            kept: list[float] = []
            for centre in centres:
                if not kept or centre - kept[-1] >= least:
                    kept.append(centre)
            return kept

    shown = dict(zip(centres, names, strict=True))
    axis.set_major_locator(Apart())
    axis.set_major_formatter(FuncFormatter(lambda place, _: shown.get(place, "")))
    axis.set_tick_params(labelsize=size, rotation=rotation, length=0)


def box_side(ax: Axes, n_columns: int, n_rows: int) -> float:
    """Points of the shorter side of each box."""
    return min(ax.bbox.width / n_columns, ax.bbox.height / n_rows) / ax.figure.dpi * POINTS


def heat_map(ax: Axes, values: NDArray[Any], norm: Normalize) -> AxesImage:
    """Values in diverging colours; NaN are grey."""
    from matplotlib import colormaps

    ax.spines[:].set_visible(False)
    colours = colormaps[DIVERGING].with_extremes(bad=MISSING)
    return ax.imshow(values, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")


def keep_room(ax: Axes, *, left: float = 0, right: float = 0, top: float = 0) -> None:
    """Draw ``ax`` smaller by so many inches, at most by half, so that what stands beside it keeps to its place."""
    from matplotlib.transforms import Bbox

    def inner(ax: Any, _: Any) -> Bbox:
        box, page = ax.get_position(original=True), ax.figure.bbox
        dots = ax.figure.dpi
        across = min(1, box.width * page.width / dots / 2 / max(left + right, 1e-9)) * dots / page.width
        upward = min(1, box.height * page.height / dots / 2 / max(top, 1e-9)) * dots / page.height
        return Bbox.from_extents(box.x0 + left * across, box.y0, box.x1 - right * across, box.y1 - top * upward)

    ax.set_axes_locator(inner)
    ax.apply_aspect(inner(ax, None))


def beside(ax: Axes, side: Literal["left", "right", "top"], offset: float, size: float) -> Axes:
    """A panel as long as this side of ``ax``, ``offset`` inches from it and ``size`` inches wide."""
    from matplotlib.transforms import blended_transform_factory

    match side:
        case "left":
            bounds, across = (-offset - size, 0.0, size, 1.0), _inches(ax, 0, 0)
        case "right":
            bounds, across = (offset, 0.0, size, 1.0), _inches(ax, 1, 0)
        case "top":
            along = blended_transform_factory(ax.transAxes, _inches(ax, 0, 1))
            return ax.inset_axes((0.0, offset, 1.0, size), transform=along)
    return ax.inset_axes(bounds, transform=blended_transform_factory(across, ax.transAxes))


def scale_bar(shown: ScalarMappable, ax: Axes, label: str, offset: float) -> None:
    """A colour bar ``offset`` inches to the right of ``ax``, of the same size whatever the size of ``ax``."""
    place = ax.inset_axes((offset, -BAR_HEIGHT, 0.1, BAR_HEIGHT), transform=_inches(ax, 1, 1))
    bar = ax.figure.colorbar(shown, cax=place)
    bar.outline.set_visible(False)
    bar.set_label(label, size=LARGE)
    place.tick_params(labelsize=7, width=0.5)


def tree(values: ArrayLike) -> NDArray[np.float64]:
    """Average linkage of at least two rows by 1 - correlation; NaN count as 0."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    rows = np.nan_to_num(np.asarray(values, dtype=np.float64))
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    apart = np.maximum(1 - rows @ rows.T, 0)
    return linkage(squareform(apart, checks=False), "average", optimal_ordering=True)


def alike(values: ArrayLike) -> NDArray[np.intp]:
    """An order of the rows that puts like ones together."""
    from scipy.cluster.hierarchy import leaves_list

    n = len(np.asarray(values))
    return leaves_list(tree(values)).astype(np.intp) if n > 1 else np.arange(n)


def draw_tree(ax: Axes, linkage: NDArray[np.float64]) -> None:
    """The tree of the rows of the heat map at the left."""
    from matplotlib.collections import LineCollection
    from scipy.cluster.hierarchy import dendrogram

    drawn = dendrogram(linkage, no_plot=True)
    rows = (np.array(drawn["icoord"]) - 5) / 10
    ax.add_collection(LineCollection(list(np.stack([drawn["dcoord"], rows], axis=-1)), colors=GREY, linewidths=0.8))
    ax.set_xlim(0, linkage[:, 2].max() * 1.02 or 1)
    ax.set_ylim(len(linkage) + 0.5, -0.5)
    ax.set_axis_off()


def _inches(ax: Axes, x: float, y: float) -> Transform:
    """Inches from the corner of ``ax`` at ``x``, ``y``."""
    from matplotlib.transforms import ScaledTranslation

    return ax.figure.dpi_scale_trans + ScaledTranslation(x, y, cast("Affine2DBase", ax.transAxes))
