"""The top regulators and the targets they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from pysces import _slots
from pysces._check import no_effect, unique, warn, whole_number
from pysces._stale import stale_groups
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
)
from pysces.pl._groups import counted
from pysces.pl._layout import around, chain, spread
from pysces.pl._nodes import BARS, MEASURES, check_regulator, graph_of, node_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pysces._strata import GroupBy
    from pysces.pl._nodes import Color

N_REGULATORS = 10
SHADES = ("#e6e6e6", "#cccccc", "#b3b3b3")
"""Of targets of two, three, and more regulators."""


class Members(NamedTuple):
    """Who is drawn: regulators, targets of several of them, and targets of one in the order of the regulators."""

    regulators: list[str]
    shared: list[str]
    single: list[str]
    of_single: NDArray[np.intp]
    """Positions of their regulators."""


def network(
    adata: AnnData,
    *,
    group: str | None = None,
    regulators: Sequence[str] | None = None,
    n_regulators: int = N_REGULATORS,
    n_targets: int = 10,
    color: Color = None,
    groupby: GroupBy | None = None,
    network: str | pd.DataFrame = _slots.ARACNE,
    viper: str = _slots.VIPER,
    ax: Axes | None = None,
) -> Axes:
    """The strongest targets of some regulators, those of several regulators in their midst.

    Regulators (bold) lie on a circle, next to those with which they share targets. Inside it are the targets of several
    of them, the darker the more, and outside those of one. All edges between the regulators and these targets are
    drawn, and between the regulators: activation red, solid, ending in an arrow; repression blue, dashed, ending in a
    bar; a mode of exactly 0 grey. The width of a line grows with the mutual information, from none at 0; in networks
    without it with the likelihood, and without both all lines are alike.

    Parameters
    ----------
    adata
        Annotated data.
    group
        Which part of a network with groups; with ``color``, the cells to colour by.
    regulators
        Names of regulators. By default the first of ``group`` by :func:`pysces.tl.rank_regulators`, if
        ``uns["rank_regulators"]`` has some that are in the network, or else those with most targets.
    n_regulators
        Number of regulators, unless they are named.
    n_targets
        Number of targets of each regulator, by falling mutual information (or likelihood, or absolute weight).
        Regulators do not count as targets.
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
        Axes to draw on; by default those of a new figure, whose size follows the number of nodes.

    Returns
    -------
    The axes; one unit is an inch of a new figure. In smaller axes names may overlap.

    Warns
    -----
    UserWarning
        If the group held other cells when its regulators were ranked or, with ``color``, its network was inferred.

    Raises
    ------
    KeyError
        If there is no network, no activities, no such group of the network or no such column.
    ValueError
        If a regulator has no targets or is given twice, a group is needed, the group has no cells, or a parameter is
        not valid.
    TypeError
        If ``regulators`` is a string, or the network is no table.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators=["SPI1", "IRF8", "SPIB"], n_subnetworks=1)
    >>> ps.pl.network(adata, n_targets=5).get_title().startswith("3 of 3 regulators")
    True
    """
    whole_number(n_regulators, "n_regulators", least=1)
    whole_number(n_targets, "n_targets", least=1)
    if regulators is not None:
        no_effect({"n_regulators": (n_regulators, N_REGULATORS)}, "regulators, which are drawn as named")
    edges, measure = graph_of(adata, network, group, color, groupby)
    chosen = _regulators(adata, edges, regulators, group, n_regulators)
    members, drawn = _members(edges, chosen, n_targets)
    names = [*members.regulators, *members.shared, *members.single]
    values = node_values(adata, names, color, group, groupby, network, viper)

    source = pd.Index(names).get_indexer(pd.Index(drawn["source"]))
    target = pd.Index(names).get_indexer(pd.Index(drawn["target"]))
    n, n_shared = len(members.regulators), len(members.shared)
    size = 7.5 if len(names) <= 120 else SMALLEST
    boxes = [box_halves(members.regulators, size + 1, "bold"), box_halves(members.shared, size)]
    halves = np.concatenate([*boxes, np.full((len(members.single), 2), DOT)])
    radius, at_regulators, at_single, angle = around(n, members.of_single, boxes, size)
    at_shared = spread(_barycentres(n, n_shared, source, target, at_regulators), boxes[1], radius)
    at = np.concatenate([at_regulators, at_shared, at_single])

    ends = label_ends(at_single, angle, members.single, size)
    paths = _paths(at, halves, source, target, n)
    corners = np.concatenate([at - halves, at + halves, ends, paths.reshape(-1, 2)])
    ax, scale = graph_axes(ax, corners, bar=color is not None)
    size = max(SMALLEST, size * scale)
    fills = node_colours(ax, values, _plain(members, target), None if color is None else BARS[color])
    mode = drawn["weight"].to_numpy(np.float64)
    strength = None if measure is None else drawn[measure].to_numpy(np.float64)
    widths = line_widths(strength, len(drawn))
    draw_edges(ax, paths, mode, widths)
    draw_dots(ax, at_single, fills[n + n_shared :], scale)
    draw_outward_labels(ax, at_single, angle, members.single, size)
    for i, name in enumerate(names[: n + n_shared]):
        draw_box(ax, at[i], name, fills[i], size + (i < n), regulator=i < n)
    edge_legend(ax, mode, widths, strength, MEASURES.get(measure or "", ""), max(SMALLEST, 8 * scale))
    n_targets = n_shared + len(members.single)
    title = f"{n} of {counted(edges['source'].nunique(), 'regulator')}, {counted(n_targets, 'target')}"
    title += f" ({n_shared} of several regulators)" if n_shared else ""
    ax.set_title(title if group is None else f"{title}\n{group}", size=10)
    return ax


def _regulators(
    adata: AnnData, edges: pd.DataFrame, regulators: Sequence[str] | None, group: str | None, n: int
) -> list[str]:
    """Those named, the top of the group, or those with most targets."""
    if isinstance(regulators, str) or (regulators is not None and not len(regulators)):
        msg = f"regulators={regulators!r}; give a list of names, or leave it out."
        raise TypeError(msg) if isinstance(regulators, str) else ValueError(msg)
    if regulators is not None:
        unique(list(regulators), "regulators", "Name each once.")
        for name in regulators:
            check_regulator(edges, name)
        return list(regulators)
    sizes = edges["source"].value_counts()
    if group is not None and _slots.RANK_REGULATORS in adata.uns:
        table = _slots.read_ranking(adata, _slots.RANK_REGULATORS)
        top = table.loc[(table["group"] == group) & table["score"].notna(), "source"].astype(str)
        here = top[top.isin(sizes.index)].tolist()
        if here:
            key = _slots.RANK_REGULATORS
            by = _slots.stored_groupby(_slots.read_parameters(adata, key))
            if by and (stale := stale_groups(adata, key, by, "rank_regulators(adata, ...)", [group])):
                warn(f"regulators are those of other cells: {stale}")
            return here[:n]
    return sorted(sizes.index, key=lambda name: (-sizes[name], name))[:n]


def _members(edges: pd.DataFrame, regulators: list[str], n_targets: int) -> tuple[Members, pd.DataFrame]:
    """Who is drawn, and the edges between them."""
    own = edges[edges["source"].isin(regulators)]
    to_targets = own[~own["target"].isin(regulators)]
    strongest = to_targets.groupby("source", sort=False).head(n_targets)["target"].unique()
    to_targets = to_targets[to_targets["target"].isin(strongest)]
    together = pd.crosstab(to_targets["source"], to_targets["target"]).reindex(regulators, fill_value=0)
    ordered = [regulators[i] for i in chain(together.to_numpy() @ together.to_numpy().T)]
    together = together.loc[ordered]
    count = together.sum()
    rank = {name: i for i, name in enumerate(strongest)}
    shared = sorted(count.index[count > 1], key=lambda name: (-count[name], rank[name]))
    owner = pd.Series({name: together[name].to_numpy().argmax() for name in count.index[count == 1]}, dtype=np.intp)
    single = sorted(owner.index, key=lambda name: (owner[name], rank[name]))
    of_single = owner[single].to_numpy(np.intp)
    drawn = own[own["target"].isin({*regulators, *strongest})]
    return Members(ordered, shared, single, of_single), drawn


def _barycentres(
    n: int, n_shared: int, source: NDArray[np.intp], target: NDArray[np.intp], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The middle of the regulators of each shared target."""
    inner = (target >= n) & (target < n + n_shared)
    sums = np.zeros((n_shared, 2))
    np.add.at(sums, target[inner] - n, at[source[inner]])
    return sums / np.bincount(target[inner] - n, minlength=n_shared)[:, None]


def _plain(members: Members, target: NDArray[np.intp]) -> list[str]:
    """Colours of nodes without values."""
    n = len(members.regulators)
    count = np.bincount(target, minlength=n + len(members.shared))[n : n + len(members.shared)]
    shades = [SHADES[min(times, 4) - 2] for times in count]
    return [*([UNMEASURED] * n), *shades, *([LIGHT] * len(members.single))]


def _paths(
    at: NDArray[np.float64],
    halves: NDArray[np.float64],
    source: NDArray[np.intp],
    target: NDArray[np.intp],
    n: int,
) -> NDArray[np.float64]:
    """Straight edges to targets, and bent ones between regulators, so that both directions are seen."""
    paths = edge_paths(at[source], at[target], halves[source], halves[target])
    between = target < n
    bent = edge_paths(at[source], at[target], halves[source], halves[target], bend=0.12)
    paths[between] = bent[between]
    itself = source == target
    paths[itself] = loop_paths(at[source[itself]], halves[source[itself]])
    return paths
