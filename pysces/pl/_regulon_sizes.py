"""Numbers of targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pysces import _slots
from pysces._check import whole_number
from pysces.pl._axes import BLUE, GREY, LIGHT, new_axes
from pysces.pl._groups import counted, label_rows, read_networks, row_size, whole_numbers

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pysces.pl._groups import Networks

FAINT = "#a6a6a6"
"""Of regulons that are too small."""
MEDIAN: dict[str, Any] = {"marker": "D", "markersize": 5, "markerfacecolor": "white", "markeredgecolor": "black"}
GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, are spread evenly whatever their number."""


def regulon_sizes(
    adata: AnnData, *, network: str | pd.DataFrame = _slots.ARACNE, min_targets: int = 25, ax: Axes | None = None
) -> Axes:
    """Number of targets of every regulator: which regulons are large enough to score.

    One network: regulators by falling number of targets, on a logarithmic scale, with the median. Several groups: one
    row for each, in their order: a point per regulator (heights within the row mean nothing), a line from the lower to
    the upper quartile with a diamond at the median, and on the right the numbers of regulators, of those with at least
    ``min_targets`` targets, of edges and, if known, of cells. Regulators without targets are not counted.

    Parameters
    ----------
    adata
        Annotated data.
    network
        Key in ``uns`` of a network from :func:`pysces.tl.aracne`, or a table with the columns ``source``, ``target``,
        ``weight`` and, optionally, ``group``. Of one group: ``network=ps.get.network(adata, group)``.
    min_targets
        The dashed line: :func:`pysces.tl.viper` scores regulators with as many targets among the genes of the data.
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    The axes.

    Raises
    ------
    KeyError
        If there is no network.
    ValueError, TypeError
        If the network is not valid or has no edges, or ``min_targets`` is not a number of targets.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=1)
    >>> ps.pl.regulon_sizes(adata).get_ylabel()
    'number of targets'
    """
    networks = read_networks(adata, network)
    least = whole_number(min_targets, "min_targets", least=1)
    sizes = {label: _sizes(edges) for label, edges in networks.edges.items()}
    if len(sizes) == 1:
        return _curve(networks, next(iter(sizes.values())), least, ax)
    columns = {
        "regulators": [f"{len(own):,}" for own in sizes.values()],
        f"≥ {least}\ntargets": [f"{(own >= least).sum():,}" for own in sizes.values()],
        "edges": [f"{own.sum():,}" for own in sizes.values()],
    }
    if networks.n_cells:
        columns["cells"] = [f"{networks.n_cells[label]:,}" if label in networks.n_cells else "" for label in sizes]
    ax = new_axes(ax, *row_size(list(sizes), len(columns)))
    label_rows(ax, list(sizes), columns)
    _rows(list(sizes.values()), least, ax)
    return ax


def _sizes(edges: pd.DataFrame) -> NDArray[np.int64]:
    """Numbers of targets, the largest first."""
    sizes = edges["source"].value_counts().to_numpy(np.int64)
    return np.asarray(np.sort(sizes[sizes > 0])[::-1], np.int64)


def _curve(networks: Networks, sizes: NDArray[np.int64], least: int, ax: Axes | None) -> Axes:
    """Falling numbers of targets of one network."""
    label = next(iter(networks.edges))
    ax = new_axes(ax, max(4.5, 0.08 * len(label)), 3.4)
    rank, kept = np.arange(1, len(sizes) + 1), int((sizes >= least).sum())
    middle = (len(sizes) + 1) / 2
    ax.plot(rank, sizes, color=FAINT, lw=1, zorder=1)
    ax.scatter(rank, sizes, s=9, c=np.where(sizes >= least, BLUE, FAINT), lw=0, zorder=2)
    ax.axhline(
        least, color=GREY, ls="--", lw=0.8, zorder=0,
        label=f"{kept:,} of {counted(len(sizes), 'regulator')} ({kept / len(sizes):.0%}) have at least {least} targets",
    )  # fmt: skip
    median = float(np.median(sizes))
    ax.plot(middle, median, label=f"median: {median:g} target{'s' * (median != 1)}", ls="", **MEDIAN)
    title = [counted(int(sizes.sum()), "edge")]
    title += [counted(networks.n_cells[label], "cell")] if label in networks.n_cells else []
    ax.legend(
        title=f"{label}\n{', '.join(title)}".strip(), title_fontsize=9, fontsize=8, frameon=False, alignment="left",
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, borderpad=0, handlelength=1.5,
    )  # fmt: skip
    ax.set_xlim(0.5 - 0.02 * len(sizes), 0.5 + 1.02 * len(sizes))
    ax.set_xlabel("regulators, by falling number of targets")
    ax.set_ylabel("number of targets")
    _logarithmic(ax, "y", sizes, least)
    ax.xaxis.set_major_locator(whole_numbers())
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _rows(sizes: list[NDArray[np.int64]], least: int, ax: Axes) -> None:
    """Numbers of targets of all groups, one row each."""
    everything = np.concatenate(sizes)
    row = np.repeat(np.arange(len(sizes)), [len(own) for own in sizes])
    spread = (0.5 + GOLDEN * np.concatenate([np.arange(len(own)) for own in sizes])) % 1 - 0.5
    colours = np.where(everything >= least, BLUE, FAINT)
    ax.scatter(everything, row + 0.56 * spread, s=7, c=colours, lw=0, alpha=0.7, zorder=2)
    filled = [place for place, own in enumerate(sizes) if len(own)]
    low, median, high = np.transpose([np.quantile(sizes[place], [0.25, 0.5, 0.75]) for place in filled])
    ax.hlines(range(len(sizes)), 0, 1, transform=ax.get_yaxis_transform(), color=LIGHT, lw=0.5, zorder=0)
    ax.hlines(filled, low, high, color="black", lw=1.5, zorder=3)
    ax.plot(median, filled, ls="", zorder=4, **MEDIAN)
    ax.axvline(least, color=GREY, ls="--", lw=0.8, zorder=1)
    above: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "color": GREY, "fontsize": 7}
    ax.annotate(str(least), (least, 1), (0, 2), xycoords=ax.get_xaxis_transform(), **above)
    ax.set_xlabel("number of targets")
    _logarithmic(ax, "x", everything, least)


def _logarithmic(ax: Axes, name: Literal["x", "y"], sizes: NDArray[np.int64], least: int) -> None:
    """A logarithmic scale with plain numbers, from 1 to the largest size and the least that is wanted."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis = ax.xaxis if name == "x" else ax.yaxis
    ax.set(**{f"{name}scale": "log", f"{name}lim": (0.8, 1.3 * max(int(sizes.max()), least))})
    axis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_minor_formatter(NullFormatter())
