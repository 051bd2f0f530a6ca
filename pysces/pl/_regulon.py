"""The targets of one regulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces import _slots
from pysces._check import whole_number
from pysces.pl._axes import LIGHT
from pysces.pl._graph import (
    DOT,
    SMALLEST,
    UNMEASURED,
    box_halves,
    draw_box,
    draw_dots,
    draw_edges,
    draw_outward_labels,
    edge_legend,
    edge_paths,
    graph_axes,
    label_ends,
    line_widths,
    loop_paths,
    node_colours,
    rays,
)
from pysces.pl._groups import counted
from pysces.pl._nodes import BARS, MEASURES, check_regulator, graph_of, node_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes

    from pysces._strata import GroupBy
    from pysces.pl._graph import Floats
    from pysces.pl._nodes import Color

ONE_RING = 100
"""More targets lie on two rings in turn."""
SMALLEST_RADIUS = 1.1


def regulon(
    adata: AnnData,
    regulator: str,
    *,
    group: str | None = None,
    n_top: int = 30,
    color: Color = None,
    groupby: GroupBy | None = None,
    network: str | pd.DataFrame = _slots.ARACNE,
    viper: str = _slots.VIPER,
    ax: Axes | None = None,
) -> Axes:
    """The targets of a regulator, clockwise from the top: activated, strongest first, then repressed.

    Activated (mode of regulation above 0): red, solid, ending in an arrow. Repressed (below 0): blue, dashed, ending in
    a bar. Exactly 0: grey. The width of a line grows with the mutual information, from none at 0; in networks
    without it with the likelihood, and without both all lines are alike. A regulator of itself has a loop.

    Parameters
    ----------
    adata
        Annotated data.
    regulator
        Name of the regulator.
    group
        Which part of a network with groups; with ``color``, the cells to colour by.
    n_top
        Number of targets, by falling mutual information (or likelihood, or absolute weight).
    color
        ``"expression"``: nodes are coloured by the mean of X in the cells of ``group`` minus that in all others with a
        label, over the standard deviation (of the population) of both. ``"activity"``: by the mean activity (NES) of
        the cells of ``group``, where the node is a regulator that has activities. Nodes without a value stay light, and
        the scale leaves out the largest hundredth.
    groupby
        Column of ``adata.obs`` that holds ``group``, or a list of columns; by default that of the network.
    network
        Key in ``uns`` of a network from :func:`pysces.tl.aracne`, or a table with the columns ``source``, ``target``,
        ``weight`` and, optionally, ``mi``, ``likelihood`` and ``group``.
    viper
        The ``key_added`` of :func:`pysces.tl.viper`, for ``color="activity"``.
    ax
        Axes to draw on; by default those of a new figure, whose size follows the number of targets.

    Returns
    -------
    The axes; one unit is an inch of a new figure. In smaller axes names may overlap.

    Warns
    -----
    UserWarning
        If, with ``color``, the group held other cells when its network was inferred.

    Raises
    ------
    KeyError
        If there is no network, no activities, no such group of the network or no such column.
    ValueError
        If the regulator has no targets, a group is needed, the group has no cells, or a parameter is not valid.
    TypeError
        If the network is no table.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators=["SPI1", "LYZ"], n_subnetworks=1)
    >>> ps.pl.regulon(adata, "SPI1", n_top=20).get_title().startswith("SPI1: 20 of ")
    True
    """
    whole_number(n_top, "n_top", least=1)
    edges, measure = graph_of(adata, network, group, color, groupby)
    check_regulator(edges, regulator)
    own = edges[edges["source"] == regulator]
    shown = own.head(n_top)
    order = np.argsort(-np.sign(shown["weight"].to_numpy(np.float64)), kind="stable")
    shown = shown.iloc[order]
    around = shown[shown["target"] != regulator]
    names = around["target"].tolist()
    values = node_values(adata, [regulator, *names], color, group, groupby, network, viper)

    size = float(np.clip(10 - len(names) / 30, SMALLEST, 8))
    box = box_halves([regulator], size + 1.5, "bold")
    at, angle, ends = _rings(names, size, least=max(SMALLEST_RADIUS, box[0, 0] + 0.4))
    to_itself = shown[shown["target"] == regulator]
    loops = loop_paths(np.zeros((1, 2)), box)[: len(to_itself)]
    ax, scale = graph_axes(ax, np.concatenate([at, ends, box, -box, *loops]), bar=color is not None)
    size = max(SMALLEST, size * scale)
    fills = node_colours(ax, values, [UNMEASURED] + [LIGHT] * len(names), None if color is None else BARS[color])

    n = len(names)
    drawn = shown.loc[[*around.index, *to_itself.index]]
    mode = drawn["weight"].to_numpy(np.float64)
    strength = None if measure is None else drawn[measure].to_numpy(np.float64)
    widths = line_widths(strength, len(drawn))
    apart = 1.5 * widths.sum() / 72 / (2 * np.pi)
    out = edge_paths(apart * rays(angle), at, np.maximum(np.repeat(box, n, axis=0) - apart, 0), np.full((n, 2), DOT))
    paths = np.concatenate([out, loops])
    draw_edges(ax, paths, mode, widths)
    draw_dots(ax, at, fills[1:], scale)
    draw_outward_labels(ax, at, angle, names, size)
    draw_box(ax, (0, 0), regulator, fills[0], size + 1.5, regulator=True)
    edge_legend(ax, mode, widths, strength, MEASURES.get(measure or "", ""), max(SMALLEST, 8 * scale))
    some_of = f"{len(shown)} of " if len(shown) < len(own) else ""
    title = f"{regulator}: {some_of}{counted(len(own), 'target')}"
    ax.set_title(title if group is None else f"{title}\n{group}", size=10)
    return ax


def _rings(names: Sequence[str], size: float, least: float) -> tuple[Floats, Floats, Floats]:
    """Places clockwise from the top, with room for a line of text each, their angles, and where their labels end."""
    n, rings = len(names), 1 if len(names) <= ONE_RING else 2
    slots = max(n + n % rings, 1)
    angle = np.pi / 2 - 2 * np.pi * (np.arange(n) + 0.5) / slots
    radius = max(least, slots * size / 72 * (1.25 if rings == 1 else 0.85) / (2 * np.pi))
    at = radius * rays(angle)
    ends = label_ends(at, angle, names, size)
    longest = np.linalg.norm(ends - at, axis=1).max(initial=0)
    out = (np.arange(n) % rings * (longest + 0.1))[:, None] * rays(angle)
    return at + out, angle, ends + out
