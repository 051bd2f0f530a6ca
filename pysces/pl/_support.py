"""How many subnetworks hold an edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces import _slots
from pysces._check import some
from pysces.pl._axes import LIGHT, SEQUENTIAL, colour_bar, new_axes
from pysces.pl._groups import counted, label_rows, of_group, read_networks, row_size, whole_numbers

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pysces.pl._groups import Networks


def support(
    adata: AnnData, *, network: str | pd.DataFrame = _slots.ARACNE, group: str | None = None, ax: Axes | None = None
) -> Axes:
    """In how many subnetworks the edges are: how far a network hangs on which cells were drawn.

    One network: the number of edges by support, from 1 to the number of subnetworks. Several groups: one row for each,
    in their order, whose bars are scaled to its highest, with the number of edges and their median support on the
    right. Colours are the median mutual information (nats) of the edges of a bar.

    Parameters
    ----------
    adata
        Annotated data.
    network
        Key in ``uns`` of a network from :func:`pysces.tl.aracne`, or a table of edges with the columns of its result.
    group
        Only the network of this group.
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    The axes.

    Raises
    ------
    KeyError
        If there is no network, or not of this group.
    ValueError, TypeError
        If the network is not valid or was inferred without subnetworks (``n_subnetworks=0``).

    Notes
    -----
    Where the number of subnetworks is not known, with ``n_subnetworks="auto"`` or of a table, the axis ends at the
    largest support.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators=["CD79A", "LYZ"], n_subnetworks=3)
    >>> len(ps.pl.support(adata).patches)
    3
    """
    networks = read_networks(adata, network)
    n_subnetworks = _number(networks)
    networks = networks if group is None else of_group(networks, group)
    tallies = [_tally(edges, n_subnetworks) for edges in networks.edges.values()]
    number, mi = (np.stack([tally[name].to_numpy(np.float64) for tally in tallies]) for name in ("size", "median"))
    ax = _histogram(networks, number, mi, ax) if len(number) == 1 else _rows(networks, number, mi, ax)
    ax.set_xlim(0.5, n_subnetworks + 0.5)
    ax.xaxis.set_major_locator(whole_numbers())
    ax.set_xlabel("support (number of subnetworks that hold the edge)")
    return ax


def _number(networks: Networks) -> int:
    """The number of subnetworks, or the largest support; raise if edges have none."""
    known = networks.parameters.get("n_subnetworks", "auto")
    table = pd.concat(networks.edges.values())
    missing = [name for name in ("support", "mi") if name not in table.columns]
    if missing:
        msg = f"network lacks the columns {some(missing)}; give one from pysces.tl.aracne."
        raise ValueError(msg)
    if known == 0 or (table["support"] < 1).any():
        msg = (
            "network was inferred without subnetworks (n_subnetworks=0), so that its edges have no support; infer it "
            "with some, such as n_subnetworks=20."
        )
        raise ValueError(msg)
    return int(table["support"].max() if known == "auto" else known)


def _tally(edges: pd.DataFrame, n_subnetworks: int) -> pd.DataFrame:
    """Number of edges and their median mutual information by support, from 1 on."""
    by_support = edges.groupby("support")["mi"].agg(["size", "median"])
    return by_support.reindex(range(1, n_subnetworks + 1)).fillna({"size": 0})


def _histogram(networks: Networks, number: NDArray[np.float64], mi: NDArray[np.float64], ax: Axes | None) -> Axes:
    """One network."""
    label = next(iter(networks.edges))
    ax = new_axes(ax, max(4.5, 0.08 * len(label)), 3.2)
    _bars(number, mi, 0.0, ax)
    ax.set_title(f"{label}\n{counted(int(number.sum()), 'edge')}".strip(), fontsize=9, loc="left")
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(whole_numbers())
    ax.set_ylabel("number of edges")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _rows(networks: Networks, number: NDArray[np.float64], mi: NDArray[np.float64], ax: Axes | None) -> Axes:
    """A row for each group, its highest bar 0.8 of it."""
    labels = list(networks.edges)
    columns = {
        "edges": [f"{own:,.0f}" for own in number.sum(axis=1)],
        "median\nsupport": [f"{own['support'].median():g}" if len(own) else "" for own in networks.edges.values()],
    }
    ax = new_axes(ax, *row_size(labels, len(columns) + 1))
    label_rows(ax, labels, columns)
    ax.hlines(np.arange(len(labels)) + 0.4, 0.5, number.shape[1] + 0.5, color=LIGHT, lw=0.8, zorder=0)
    _bars(-0.8 * number / np.maximum(number.max(axis=1, keepdims=True), 1), mi, 0.4, ax)
    return ax


def _bars(heights: NDArray[np.float64], mi: NDArray[np.float64], base: float, ax: Axes) -> None:
    """Bars from ``base`` in rows 0, 1, ..., coloured by mutual information."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    known = mi[~np.isnan(mi)]
    colours = ScalarMappable(Normalize(*(known.min(), known.max()) if len(known) else (0, 1)), SEQUENTIAL)
    for row, (own, values) in enumerate(zip(heights, mi, strict=True)):
        held = np.flatnonzero(own)
        ax.bar(held + 1, own[held], 0.9, row + base, color=colours.to_rgba(values[held]))
    if len(known):
        bar = colour_bar(colours, ax, "median MI (nats)")
        bar.ax.tick_params(labelsize=8)
        bar.ax.yaxis.label.set_fontsize(8)
