"""Heat map of the activities of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces import _slots
from pysces._check import no_effect, some, unique, warn, whole_number
from pysces._random import child, seed_sequence
from pysces._stale import stale_groups, warn_of_foreign_cells
from pysces._strata import strata
from pysces.pl._axes import group_colours, new_axes, symmetric
from pysces.pl._heatmap import (
    BAR_HEIGHT,
    BAR_WIDTH,
    LARGE,
    POINTS,
    alike,
    beside,
    font_size,
    heat_map,
    keep_room,
    name_items,
    pitch,
    scale_bar,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pysces._strata import GroupBy, Stratum

N_REGULATORS = 40
WIDTH = 5.0
STRIP = 0.1
"""Inches of the colours of the groups."""


def activity_heatmap(
    adata: AnnData,
    regulators: Sequence[str] | None = None,
    *,
    groupby: GroupBy | None = None,
    key: str = _slots.VIPER,
    n: int = N_REGULATORS,
    max_cells: int = 2000,
    ax: Axes | None = None,
) -> Axes:
    """Draw the activities of regulators (rows) in cells (columns), group by group.

    Regulators stand in the order of a tree (average linkage, 1 - correlation; no activity counts as 0), groups in the
    order of their categories and cells in that of ``adata``. Of more than ``max_cells`` cells the same share of each
    group is drawn, at random with a fixed seed. A group too small to be seen is drawn as wide as its name needs, its
    cells repeated or more of them drawn. The colours end at the 99th percentile of the absolute values; what has no
    activity is grey.

    Parameters
    ----------
    adata
        Annotated data with ``obsm[key]``.
    regulators
        Names of regulators. By default the first ``n`` of the rankings of all groups in ``uns["rank_regulators"]`` with
        a score above 0: the first of each group, then the second, and so on. Without a ranking of these activities and
        groups: the ``n`` whose activities vary most among the cells drawn.
    groupby
        Column of ``adata.obs`` with the groups, or a list of columns, for all combinations of their labels. By default
        what ``uns["rank_regulators"]`` ranked these activities by, if it is there; else the cells are not grouped.
    key
        The ``key_added`` of :func:`pysces.tl.viper`.
    n
        Number of regulators that are chosen.
    max_cells
        With more cells, a share of each group is drawn.
    ax
        Axes to draw on, those of the heat map; groups stand above and the colour bar to the right. By default a new
        figure, of a size that fits the names.

    Returns
    -------
    The axes of the heat map.

    Warns
    -----
    UserWarning
        If the groups held other cells when they were ranked, as clusters that were computed anew, or if cells are of
        several runs of :func:`pysces.tl.viper`, joined afterwards.

    Raises
    ------
    KeyError
        If there are no activities, or a column is not there.
    ValueError
        If a regulator has no activities or is named twice, or no cell has a label.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> markers = {"B": ["CD79A", "CD79B", "MS4A1", "CD74"], "M": ["LYZ", "CST3", "S100A9", "S100A8"]}
    >>> net = pd.DataFrame([(name, gene, 1.0) for name in markers for gene in markers[name]])
    >>> ps.tl.viper(adata, net.set_axis(["source", "target", "weight"], axis=1), min_targets=3)
    >>> ax = ps.pl.activity_heatmap(adata, groupby="cell_type")
    >>> ax.get_xlabel()
    '700 cells'
    """
    whole_number(n, "n", least=1)
    if regulators is not None:
        no_effect({"n": (n, N_REGULATORS)}, "regulators, which are drawn as named")
    whole_number(max_cells, "max_cells", least=1)
    activity, _ = _slots.read_activity(adata, key)
    warn_of_foreign_cells(adata, key)
    groupby, ranking = _ranked(adata, key, groupby)
    groups = strata(adata.obs, groupby)
    if not groups:
        msg = f"no cell has a label in adata.obs[{groupby!r}]; there is nothing to draw."
        raise ValueError(msg)
    labels, size, right = [stratum.label for stratum in groups], font_size(len(groups)), 0.15 + BAR_WIDTH
    least = 1.3 * size / POINTS
    inches = max(WIDTH, len(groups) * least) if ax is None else ax.bbox.width / ax.figure.dpi - right
    columns = _columns(groups, max_cells, min(least / max(inches, least), 0.99 / len(groups)))
    drawn = np.unique(np.concatenate(columns))
    names = _names(activity, regulators, ranking, drawn, n)
    values = activity.iloc[np.concatenate(columns)][names].to_numpy(np.float64).T
    order = alike(values)

    widths = np.array(list(map(len, columns)))
    space = widths * inches / widths.sum()
    flat = all(text_width([label], size) <= own for label, own in zip(labels, space, strict=True))
    top = 0.0 if groupby is None else STRIP + 0.1 + (2 * size / POINTS if flat else text_width(labels, size))
    height = max(len(names) * pitch(len(names)), BAR_HEIGHT)
    ax = new_axes(ax, inches + right + text_width(names, font_size(len(names))) + 0.1, height + top + 0.3)
    keep_room(ax, right=right, top=top)
    image = heat_map(ax, values[order], symmetric(values))
    name_items(ax.yaxis, [names[i] for i in order])
    ax.set_xticks([])
    n_cells = sum(len(stratum.rows) for stratum in groups)
    shown = f"{n_cells:,} cells" if len(drawn) == n_cells else f"{len(drawn):,} of {n_cells:,} cells"
    ax.set_xlabel(shown, size=LARGE)
    if groupby is not None:
        colours = group_colours(adata, groupby if isinstance(groupby, str) else None, labels)
        _name_groups(ax, labels, widths, colours, rotation=0 if flat else 90)
    scale_bar(image, ax, "activity (NES)", 0.15)
    return ax


def _ranked(adata: AnnData, key: str, groupby: GroupBy | None) -> tuple[GroupBy | None, pd.DataFrame | None]:
    """What the cells are grouped by, and the ranking of these activities and groups, if there is one."""
    if not _slots.has_table(adata, _slots.RANK_REGULATORS, _slots.TABLE):
        return groupby, None
    parameters = _slots.read_parameters(adata, _slots.RANK_REGULATORS)
    by = _slots.stored_groupby(parameters)
    same = groupby is None or groupby == by or (isinstance(by, list) and list(groupby) == by)
    if parameters["key"] != key or not same or by is None:
        return groupby, None
    if stale := stale_groups(adata, _slots.RANK_REGULATORS, by, "rank_regulators(adata, ...)"):
        warn(f"groups are of other cells than those ranked: {stale}")
    return by, _slots.read_ranking(adata, _slots.RANK_REGULATORS)


def _columns(groups: list[Stratum], max_cells: int, least: float) -> list[NDArray[np.intp]]:
    """The cells to draw, group by group; ``least``: the share of all columns that every group has."""
    cells = np.array([len(stratum.rows) for stratum in groups], dtype=np.float64)
    cells *= min(1.0, max_cells / cells.sum())
    small = np.zeros(len(groups), np.bool_)
    while True:
        total = cells[~small].sum() / (1 - least * small.sum())
        smaller = ~small & (cells < least * total)
        if not smaller.any():
            break
        small |= smaller
    widths = np.maximum(np.rint(np.where(small, least * total, cells)), 1).astype(np.intp)
    return [_spread(stratum, width) for stratum, width in zip(groups, widths, strict=True)]


def _spread(stratum: Stratum, width: int) -> NDArray[np.intp]:
    """``width`` cells of a group: some, or each once or more."""
    n = len(stratum.rows)
    if width >= n:
        return stratum.rows[np.arange(width) * n // width]
    generator = np.random.default_rng(child(seed_sequence(0), stratum.place))
    return stratum.rows[np.sort(generator.choice(n, width, replace=False))]


def _names(
    activity: pd.DataFrame,
    regulators: Sequence[str] | None,
    ranking: pd.DataFrame | None,
    drawn: NDArray[np.intp],
    n: int,
) -> list[str]:
    """The regulators to draw."""
    if regulators is None:
        if ranking is None:
            varies = activity.iloc[drawn].var().sort_values(ascending=False, kind="stable")
            return list(varies.index[:n])
        more = ranking[ranking["score"] > 0]
        place = more.groupby("group", observed=True).cumcount().sort_values(kind="stable")
        return list(more.loc[place.index, "source"].drop_duplicates()[:n])
    if isinstance(regulators, str):
        msg = f"regulators={regulators!r} is a string; give a list of names."
        raise TypeError(msg)
    unknown = [name for name in regulators if name not in activity.columns]
    if unknown or not len(regulators):
        msg = f"regulators holds {some(unknown) or 'nothing'}; regulators with activities: {some(activity.columns)}."
        raise ValueError(msg)
    unique(list(regulators), "regulators", "Name each once.")
    return list(regulators)


def _name_groups(
    ax: Axes, labels: list[str], widths: NDArray[np.intp], colours: dict[str, str], *, rotation: float
) -> None:
    """A strip of colours with names above it, and lines between the groups."""
    from matplotlib.colors import to_rgb

    ends = np.cumsum(widths) - 0.5
    strip = beside(ax, "top", 0.04, STRIP)
    shades = np.repeat([to_rgb(colours[label]) for label in labels], widths, axis=0)
    strip.imshow(shades[None], aspect="auto", interpolation="nearest")
    strip.spines[:].set_visible(False)
    strip.set_yticks([])
    strip.xaxis.tick_top()
    name_items(strip.xaxis, labels, places=ends - widths / 2, rotation=rotation)
    for panel in (ax, strip):
        panel.vlines(ends[:-1], *panel.get_ylim(), color="white", linewidth=0.8)
