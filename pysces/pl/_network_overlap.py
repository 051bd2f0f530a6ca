"""What the networks of groups share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from pysces import _slots
from pysces._check import one_of
from pysces.pl._axes import GREY, LIGHT, SEQUENTIAL, colour_bar, new_axes
from pysces.pl._groups import MANY, SOME, by_number, font_size, read_networks
from pysces.pl._heatmap import beside

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

type Of = Literal["edges", "regulators", "targets"]
type Measure = Literal["jaccard", "containment"]

NAMES: dict[Of, list[str]] = {"edges": ["source", "target"], "regulators": ["source"], "targets": ["target"]}


def network_overlap(
    adata: AnnData,
    *,
    network: str | pd.DataFrame = _slots.ARACNE,
    of: Of = "edges",
    measure: Measure = "jaccard",
    ax: Axes | None = None,
) -> Axes:
    r"""How much the networks of all groups share, as a heat map.

    For groups with the edges :math:`A` and :math:`B`, the Jaccard index
    :math:`|A \cap B| / |A \cup B|` or the containment :math:`|A \cap B| / \min(|A|, |B|)`. Neither tells apart what
    differs and what was not found: groups of more cells have more edges, and the Jaccard index of networks of unequal
    size is small even where one holds the other.

    Groups are in the order of a hierarchical clustering (average linkage of 1 - overlap), whose tree is above, drawn
    from just below its lowest joint. Groups without edges come last, blank. Values are written for up to 15 groups, on
    the diagonal the number of edges, regulators or targets for up to 40.

    Parameters
    ----------
    adata
        Annotated data.
    network
        Key in ``uns`` of a network from :func:`pysces.tl.aracne` with groups, or a table with the columns ``group``,
        ``source``, ``target`` and ``weight``.
    of
        What is compared: ``"edges"`` (pairs of a regulator and a target, whatever the mode of regulation),
        ``"regulators"`` or ``"targets"``.
    measure
        ``"jaccard"`` or ``"containment"``.
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    The axes of the heat map.

    Raises
    ------
    KeyError
        If there is no network.
    ValueError, TypeError
        If the network is not valid, or has fewer than two groups.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"group": ["B", "B", "NK"], "source": "SPI1", "target": ["LYZ", "CD74", "LYZ"], "weight": 1})
    >>> [text.get_text() for text in ps.pl.network_overlap(adata, network=net).texts]
    ['2', '1', '.5', '.5']
    """
    columns = NAMES[one_of(of, tuple(NAMES), "of")]
    one_of(measure, ("jaccard", "containment"), "measure")
    edges = read_networks(adata, network).edges
    if len(edges) < 2:
        msg = (
            f"network has {'one group' if '' not in edges else 'no groups'}, and overlap needs at least two; infer one "
            "per group of cells: pysces.tl.aracne(adata, ..., groupby=...)."
        )
        raise ValueError(msg)
    shared = _shared([own[columns].drop_duplicates() for own in edges.values()])
    sizes = shared.diagonal()
    overlap = _overlap(shared, measure)
    filled = np.flatnonzero(sizes)
    leaves, joints = _tree(overlap[np.ix_(filled, filled)])
    order = np.concatenate([filled[leaves], np.flatnonzero(sizes == 0)])
    labels = np.array(list(edges))[order].tolist()
    cell = by_number(len(labels), max(0.45, 1.8 / len(labels)), 0.2, 0.12)
    side = cell * len(labels) + 0.065 * max(map(len, labels))
    ax = new_axes(ax, side + 1.0, side + 0.7)
    what = f"{'Jaccard index' if measure == 'jaccard' else 'containment'} of {of}"
    _draw(overlap[np.ix_(order, order)], sizes[order], labels, what, ax)
    if len(filled) > 2:
        _draw_tree(joints, len(labels), ax)
    return ax


def _shared(items: list[pd.DataFrame]) -> NDArray[np.int64]:
    """Numbers of rows that each two tables share."""
    import scipy.sparse as sp

    names = pd.concat(items)
    columns = names.groupby(names.columns.tolist(), observed=True).ngroup().to_numpy()
    rows = np.repeat(np.arange(len(items)), [len(own) for own in items])
    held = sp.csr_array((np.ones(len(rows), np.int64), (rows, columns)), shape=(len(items), columns.max() + 1))
    return np.asarray((held @ held.T).todense())


def _overlap(shared: NDArray[np.int64], measure: Measure) -> NDArray[np.float64]:
    """The measure for each two groups, NaN where one of them is empty."""
    sizes = shared.diagonal()
    smaller = np.minimum.outer(sizes, sizes)
    whole = np.add.outer(sizes, sizes) - shared if measure == "jaccard" else smaller
    overlap = np.full(shared.shape, np.nan)
    np.divide(shared, whole, out=overlap, where=smaller > 0)
    return overlap


def _tree(overlap: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The order of the leaves, and the joints: four points each, with leaves at 0, 1, ... and height 1 - overlap."""
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    if len(overlap) < 2:
        return np.arange(len(overlap)), np.empty((0, 4, 2))
    merged = linkage(squareform(1 - overlap, checks=False), "average", optimal_ordering=True)
    tree = dendrogram(merged, no_plot=True)
    place = (np.array(tree["icoord"]) - 5) / 10  # scipy puts leaves at 5, 15, ...
    return np.array(tree["leaves"], dtype=np.intp), np.stack([place, np.array(tree["dcoord"])], axis=-1)


def _draw(overlap: NDArray[np.float64], sizes: NDArray[np.int64], labels: list[str], what: str, ax: Axes) -> None:
    """The heat map, from 0 to the largest overlap of two groups, with what is written in it."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    between = np.where(np.eye(len(labels), dtype=bool), np.nan, overlap)
    most = float(np.nanmax(between, initial=0.0)) or 1.0
    colours = colormaps[SEQUENTIAL].with_extremes(bad="none")
    bar = colour_bar(ax.imshow(between, cmap=colours, vmin=0, vmax=most, aspect="auto"), ax, what)
    bar.ax.tick_params(labelsize=8)
    bar.ax.yaxis.label.set_fontsize(8)
    size = font_size(len(labels))
    ax.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size)
    ax.set_yticks(range(len(labels)), labels, fontsize=size)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for place, number in enumerate(sizes):
        ax.add_patch(Rectangle((place - 0.5, place - 0.5), 1, 1, color=LIGHT, lw=0))
        if len(labels) <= MANY:
            ax.text(place, place, _short(number), ha="center", va="center", fontsize=size - 1)
    if len(labels) <= SOME:
        for row, column in np.argwhere(~np.isnan(between)):
            value = between[row, column]
            colour = "black" if value > 0.6 * most else "white"
            text = f"{value:.2g}".removeprefix("0") or "0"
            ax.text(column, row, text, ha="center", va="center", fontsize=size - 1, color=colour)


def _short(number: int) -> str:
    """In at most four characters."""
    if number < 10_000:
        return str(number)
    return f"{number / 1e3:.0f}k" if number < 999_500 else f"{number / 1e6:.1f}M"


def _draw_tree(joints: NDArray[np.float64], n_groups: int, ax: Axes) -> None:
    """The tree above the heat map, 0.4 inches high."""
    from matplotlib.collections import LineCollection

    above = beside(ax, "top", 0.03, 0.4)
    above.add_collection(LineCollection(list(joints), colors=GREY, linewidths=0.8))
    lowest, highest = joints[:, 1, 1].min(), joints[:, 1, 1].max()
    margin = 0.2 * (highest - lowest) or 1.0
    above.set(xlim=(-0.5, n_groups - 0.5), ylim=(lowest - margin, highest + 0.1 * margin), xticks=[], yticks=[])
    above.spines[:].set_visible(False)
