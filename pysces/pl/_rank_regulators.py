"""Heat map of the regulators that are most active in each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from pysces import _slots
from pysces._check import some, warn, whole_number
from pysces._stale import stale_groups
from pysces._strata import group_labels
from pysces.get._regulators import ties_at_cut
from pysces.pl._axes import new_axes, symmetric
from pysces.pl._heatmap import (
    BAR_HEIGHT,
    BAR_WIDTH,
    SMALL,
    beside,
    box_side,
    draw_tree,
    font_size,
    heat_map,
    keep_room,
    name_items,
    pitch,
    scale_bar,
    text_width,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from matplotlib.axes import Axes

SIGNIFICANT = 0.05
TREE = 0.4
"""Inches for the tree."""
LINE = 0.11
"""Inches for a line of the title."""


def rank_regulators(
    adata: AnnData,
    *,
    n: int = 5,
    groups: Sequence[str] | None = None,
    key: str = _slots.RANK_REGULATORS,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean activities of the regulators that are most active in each group.

    Rows: groups, in the order of a tree of the mean activities of all regulators (average linkage, 1 - correlation;
    no activity counts as 0). Columns: the ``n`` regulators of highest score above 0 of each group, in the order of the
    rows, each once; of equal scores those of the largest difference of the means. Where regulators of the same score
    are left out, the title says how many of the tied ones are drawn ("NK: 5 of 17"). A dot: the regulator is one
    of these of that group, with q < 0.05. The colours end at the 99th percentile of the absolute values; what has no
    activity is grey.

    Parameters
    ----------
    adata
        Annotated data with ``uns[key]`` and the activities that were ranked.
    n
        Number of regulators of each group.
    groups
        Labels of the groups to draw; by default all that were ranked.
    key
        The ``key_added`` of :func:`pysces.tl.rank_regulators`.
    ax
        Axes to draw on, those of the heat map; the tree and the colour bar stand to their right. By default a new
        figure, of a size that fits the names.

    Returns
    -------
    The axes of the heat map.

    Raises
    ------
    KeyError
        If there is no ranking, or not the activities that were ranked.
    ValueError
        If a group was not ranked, or no regulator is more active in one of the groups.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> markers = {"B": ["CD79A", "CD79B", "MS4A1", "CD74"], "M": ["LYZ", "CST3", "S100A9", "S100A8"]}
    >>> net = pd.DataFrame([(name, gene, 1.0) for name in markers for gene in markers[name]])
    >>> ps.tl.viper(adata, net.set_axis(["source", "target", "weight"], axis=1), min_targets=3)
    >>> ps.tl.rank_regulators(adata, "cell_type")
    >>> ax = ps.pl.rank_regulators(adata, n=1)
    >>> sorted(label.get_text() for label in ax.get_xticklabels())
    ['B', 'M']
    """
    whole_number(n, "n", least=1)
    table = _slots.read_ranking(adata, key)
    shown = _chosen(table, groups, key)
    means = _means(adata, key, shown)
    linkage = tree(means) if len(means) > 1 else None
    if linkage is not None:
        from scipy.cluster.hierarchy import leaves_list

        means = means.iloc[leaves_list(linkage)]
    top = _top(table, n, means.index)
    names = list(dict.fromkeys(top["source"]))
    values = means[names].to_numpy(np.float64)

    ties = ties_at_cut(table[(table["score"] > 0) & table["group"].isin(shown)], n)
    title = ["tied", *ties[:3], *["..."] * (len(ties) > 3)] if ties else []
    bar = 0.15 if linkage is None else TREE + 0.15
    height, width = len(means) * pitch(len(means)), len(names) * pitch(len(names))
    ax = new_axes(
        ax,
        width + text_width(means.index.tolist(), font_size(len(means))) + bar + BAR_WIDTH + 0.1,
        max(height, BAR_HEIGHT) + text_width(names, font_size(len(names))) + 0.2 + LINE * len(title),
    )
    keep_room(ax, right=bar + BAR_WIDTH)
    image = heat_map(ax, values, symmetric(values))
    name_items(ax.yaxis, means.index.tolist())
    name_items(ax.xaxis, names, rotation=90)
    marked = top[top["log_qvalue"] < np.log(SIGNIFICANT)]
    dot = min(0.5 * box_side(ax, len(names), len(means)), 3.5)
    ax.plot(
        pd.Index(names).get_indexer(marked["source"]), means.index.get_indexer(marked["group"]),
        "o", color="black", markersize=dot, markeredgecolor="white", markeredgewidth=dot / 6,
    )  # fmt: skip
    ax.set_title("\n".join(title), loc="left", size=SMALL)
    if linkage is not None:
        draw_tree(beside(ax, "right", 0.03, TREE), linkage)
    scale_bar(image, ax, "mean activity (NES)", bar)
    return ax


def _chosen(table: pd.DataFrame, groups: Sequence[str] | None, key: str) -> list[str]:
    """The groups to draw."""
    ranked = table["group"].cat.categories.tolist()
    if groups is None:
        return ranked
    if isinstance(groups, str):
        msg = f"groups={groups!r} is a string; give a list of labels."
        raise TypeError(msg)
    unknown = [label for label in groups if label not in ranked]
    if unknown or not len(groups):
        msg = f"groups holds {some(unknown) or 'nothing'}; groups ranked in adata.uns[{key!r}]: {some(ranked)}."
        raise ValueError(msg)
    return [label for label in ranked if label in groups]


def _means(adata: AnnData, key: str, groups: list[str]) -> pd.DataFrame:
    """Mean activities, groups x regulators, of the cells that have any."""
    parameters = _slots.read_parameters(adata, key)
    activity, _ = _slots.read_activity(adata, str(parameters["key"]))
    groupby = cast("str | list[str]", _slots.stored_groupby(parameters))
    if stale := stale_groups(adata, key, groupby, "rank_regulators(adata, ...)", groups):
        warn(f"mean activities are of other cells than those ranked: {stale}")
    labels = group_labels(adata.obs, groupby)
    return pd.DataFrame({group: activity[labels == group].mean() for group in groups}).T


def _top(table: pd.DataFrame, n: int, groups: pd.Index[str]) -> pd.DataFrame:
    """The rows of the first ``n`` regulators of each group, group after group."""
    more = table[table["score"] > 0]
    top = pd.concat([more[more["group"] == group].head(n) for group in groups])
    if top.empty:
        msg = f"no regulator is more active in one of the groups {some(groups)}: there is nothing to draw."
        raise ValueError(msg)
    return top.astype({"group": str, "source": str})
