"""Networks group by group, and figures with one row per group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pysces import _slots
from pysces._check import some
from pysces._network import check_network
from pysces.pl._axes import GREY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

SOME, MANY = 15, 40
"""Groups up to which a figure is roomy, and up to which it is not yet tight."""
COLUMN = 44
"""Points between two columns of text."""


class Networks(NamedTuple):
    """The networks of all groups, in their order; one without groups has the label ""."""

    edges: dict[str, pd.DataFrame]
    """By label; a group may have no edges."""
    grouped: bool
    n_cells: dict[str, int]
    """By label, as far as known."""
    parameters: dict[str, Any]
    """Those of :func:`pysces.tl.aracne`, none of a table."""


def read_networks(adata: AnnData, network: str | pd.DataFrame) -> Networks:
    """The networks in ``uns[network]``, or of a table."""
    table = check_network(_slots.given_network(adata, network))
    parameters = _slots.read_parameters(adata, network) if isinstance(network, str) else {}
    if "group" not in table.columns:
        return Networks({"": table}, grouped=False, n_cells={}, parameters=parameters)
    group = table["group"].astype("category")
    known = [str(label) for label in parameters.get("groups", ())]
    empty = table.iloc[:0]
    edges = dict.fromkeys([*known, *map(str, group.cat.categories)], empty)
    edges.update((str(label), own) for label, own in table.groupby(group, observed=True))
    n_cells = dict(zip(known, map(int, parameters.get("groups_n_cells", ())), strict=False))
    return Networks(edges, grouped=True, n_cells=n_cells, parameters=parameters)


def of_group(networks: Networks, group: str) -> Networks:
    """The network of one group alone."""
    if not networks.grouped:
        msg = f"group={group!r}, but the network has no groups; leave group out."
        raise KeyError(msg)
    if group not in networks.edges:
        msg = f"group={group!r} has no network; groups that have one: {some(networks.edges)}."
        raise KeyError(msg)
    return networks._replace(edges={group: networks.edges[group]})


def counted(number: int, what: str) -> str:
    """Such as "1 edge" and "1,200 edges"."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def whole_numbers() -> Locator:
    """Ticks at few whole numbers."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)


def by_number[T](n_groups: int, roomy: T, close: T, tight: T) -> T:
    """What suits so many groups."""
    return roomy if n_groups <= SOME else close if n_groups <= MANY else tight


def font_size(n_groups: int) -> float:
    """Of the names of groups, in points."""
    return by_number(n_groups, 8.0, 7.0, 6.0)


def row_size(labels: Sequence[str], n_columns: int) -> tuple[float, float]:
    """Inches that a new figure of :func:`label_rows` needs."""
    height = by_number(len(labels), 0.32, 0.2, 0.13)
    width = 3.4 + 0.07 * max(map(len, labels)) + n_columns * COLUMN / 72
    return width, 1.1 + max(1.4, height * len(labels))


def label_rows(ax: Axes, labels: Sequence[str], columns: Mapping[str, Sequence[str]]) -> None:
    """Rows 0, 1, ... from above, with the label on the left and columns of text, each with its title, on the right."""
    size = font_size(len(labels))
    ax.set_yticks(range(len(labels)), labels, fontsize=size)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    for place, (title, texts) in enumerate(columns.items(), start=1):
        where: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "color": GREY, "annotation_clip": False}
        ax.annotate(title, (1, 1), (place * COLUMN, 2), xycoords="axes fraction", va="bottom", fontsize=7, **where)
        for row, text in enumerate(texts):
            ax.annotate(
                text, (1, row), (place * COLUMN, 0), xycoords=ax.get_yaxis_transform(),
                va="center_baseline", fontsize=size, **where,
            )  # fmt: skip
