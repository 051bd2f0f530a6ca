"""A pair of genes, as ARACNe sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from pysces import _slots
from pysces._check import some
from pysces._infer.copula import signed_information
from pysces._infer.leaves import leaves
from pysces._infer.partition import code
from pysces._matrix import choose, columns
from pysces.pl._axes import DIVERGING, GREY, colour_bar, new_axes
from pysces.pl._cells import named_cells, ranked, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pysces._infer.leaves import Leaves
    from pysces._infer.ranks import Ranks
    from pysces._matrix import Choice
    from pysces._strata import GroupBy
    from pysces.estimators._cells import RankedCells

DEFAULTS = {"estimator": "gcmi", "convention": "aracne3", "ties": "block", "depth": "auto"}
"""As those of :func:`pysces.tl.aracne`, where no network is stored."""
MOST_ZEROS = 0.5
"""Of an axis."""
LEAST_BLOCK = 0.045
"""Of an axis: a narrower block of equal counts has no room for its label."""
MOST_RATIO = 8.0
"""Beyond this, more or fewer cells than expected make no other colour."""
LONG_NAMES = 45
"""Characters of two names that a line of the title has room for."""
FEW_CELLS = 3000
"""More make smaller and lighter points."""


def mi(
    adata: AnnData,
    regulator: str,
    target: str,
    *,
    group: str | None = None,
    groupby: GroupBy | None = None,
    layer: str | None = None,
    use_raw: bool = False,
    key: str = _slots.ARACNE,
    ax: Axes | None = None,
) -> Axes:
    r"""A regulator and a target as ARACNe sees them: ranks of the cells, and the adaptive partition of the plane.

    Each point is a cell, each rectangle a leaf of the partition of ``estimator="apmi"``, red where it holds more cells
    than independent genes would put there, :math:`k > n w_x w_y`, blue where fewer. Rectangles add
    :math:`\frac{k}{n} \ln \frac{k}{n w_x w_y}` each to the mutual information. Thin lines part blocks of equal
    values, which ARACNe keeps together; in a block, cells are in random order (fixed seed). Zeros of more than half of
    the cells take half of an axis. Axes of counts are labelled with counts, others with ranks.

    Parameters
    ----------
    adata
        Annotated data; counts or log-normalised values, as for :func:`pysces.tl.aracne`.
    regulator, target
        Names of genes: the horizontal and the vertical axis.
    group
        Only cells with this label; by default all.
    groupby
        Column or columns of ``adata.obs`` that hold the label; by default those of the network.
    layer, use_raw
        Which matrix; by default that of the network, or X.
    key
        The ``key_added`` of :func:`pysces.tl.aracne`: matrix, depth, estimator and convention are those of this network
        if there is one, else the defaults. Of a network with ``ties="random"``, too, ties are drawn together.
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    The axes. Their title has the mutual information of the partition, that is the sum over its leaves, and unless the
    network is of ``estimator="apmi"`` that of the Gaussian copula, within strata of depth where the depth is known, as
    in the column ``mi`` of a network of these cells. With the depth of counts found in log-normalised values, both are
    of these counts.

    Raises
    ------
    KeyError
        If a gene, layer or column is not there, or no cell has the label ``group``.
    ValueError
        If both genes are the same, ``group`` is given and no ``groupby`` is known, or X holds negative values.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ax = ps.pl.mi(adata, "SPI1", "LYZ", group="CD14+ Monocyte", groupby="cell_type")
    >>> print(ax.get_title(loc="left").splitlines()[0])
    SPI1 and LYZ
    """
    stored: dict[str, Any] = _slots.read_parameters(adata, key) if _slots.has_parameters(adata, key) else dict(DEFAULTS)
    own = layer is not None or use_raw
    chosen = choose(
        adata, mask_var=None,
        layer=layer if own else stored.get("layer"), use_raw=use_raw if own else stored.get("use_raw", False),
    )  # fmt: skip
    positions = _positions(chosen, regulator, target)
    rows = rows_of(adata, _slots.stored_groupby(stored) if groupby is None else groupby, group)
    genes = np.sort(positions)
    cells = ranked(adata, chosen, stored, rows, genes)
    places = np.searchsorted(genes, positions)
    pair = cells.ranks.genes(places)
    parts = _partition(pair, stored)
    x, y = (_Gene.of(pair, i, chosen, rows, positions[i]) for i in range(2))

    ax = new_axes(ax, 5.4, 4.8)
    _draw_leaves(ax, parts)
    ax.scatter(
        x.positions, y.positions, s=np.clip(2 * FEW_CELLS / len(rows), 0.3, 9), c="black",
        alpha=float(np.clip(FEW_CELLS / len(rows), 0.08, 0.7)), linewidths=0, rasterized=True, zorder=3,
    )  # fmt: skip
    _draw_axis(ax, "x", x, regulator)
    _draw_axis(ax, "y", y, target)
    names = f"{regulator} and" + ("\n" if len(regulator + target) > LONG_NAMES else " ") + target
    title = [names, named_cells(rows, group), *_information(cells, places, parts, stored)]
    ax.set_title("\n".join(title), loc="left", fontsize=9)
    return ax


def _positions(chosen: Choice, regulator: str, target: str) -> NDArray[np.intp]:
    """Places of both genes."""
    for argument, name in (("regulator", regulator), ("target", target)):
        if name not in chosen.genes:
            msg = f"{argument}={name!r} is not among the {len(chosen.genes)} genes ({some(chosen.genes)})."
            raise KeyError(msg)
    if regulator == target:
        msg = f"regulator and target are both {regulator!r}; give two genes."
        raise ValueError(msg)
    return np.array([np.flatnonzero(chosen.genes == name)[0] for name in (regulator, target)])


def _partition(pair: Ranks, settings: Mapping[str, Any]) -> Leaves:
    no_seeds = np.zeros(1, np.uint64)
    x, y = (code(pair.genes(slice(i, i + 1)), settings["convention"], "block", no_seeds) for i in range(2))
    return leaves(x, y)


def _information(cells: RankedCells, places: NDArray[np.intp], parts: Leaves, settings: Mapping[str, Any]) -> list[str]:
    """Mutual information of the partition and of the copula, in words."""
    found = [f"MI {parts.information.sum():z.4f} nats (partition)"]
    if settings["estimator"] == "gcmi":
        of_copula = abs(signed_information(cells.ranks, cells.depth.technical, places[:1], 1)[0, places[1]])
        within = ", within depth" if cells.are_stratified else ""
        constant = np.isnan(of_copula)
        found.append("no copula of a constant gene" if constant else f"MI {of_copula:.4f} nats (copula{within})")
    return found


class _Gene(NamedTuple):
    """Cells along one axis."""

    positions: NDArray[np.float64]
    ends: NDArray[np.intp]
    """Cells up to each block of equal values."""
    values: NDArray[np.str_] | None
    """What counts the blocks are of."""
    n_zero: int

    @classmethod
    def of(cls, pair: Ranks, i: int, chosen: Choice, rows: NDArray[np.intp], gene: np.intp) -> _Gene:
        """One gene of a pair, with the values in the matrix."""
        own = pair.genes(slice(i, i + 1))
        level = np.full(own.n_cells, own.zero_level[0])
        level[own.cells] = own.levels
        positions = np.empty(own.n_cells)
        positions[np.lexsort((np.random.default_rng(i).random(own.n_cells), level))] = np.arange(own.n_cells) + 0.5
        ends = np.cumsum(np.unique(level, return_counts=True)[1])
        n_zero = own.n_cells - len(own.cells)
        values = np.unique(columns(chosen.x, rows, np.array([gene])).data)
        values = np.concatenate([[0.0] * (n_zero > 0), values])
        are_counts = len(values) == len(ends) and (values == np.rint(values)).all()
        return cls(positions, ends, values.astype(np.int64).astype(str) if are_counts else None, n_zero)


def _draw_leaves(ax: Axes, parts: Leaves) -> None:
    """Rectangles by the ratio of observed to expected cells."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LogNorm

    corners = np.stack([np.stack([parts.x[:, i], parts.y[:, j]], axis=1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))])
    ratio = np.clip(parts.observed / parts.expected, 1 / MOST_RATIO, MOST_RATIO)
    shown = PolyCollection(
        list(corners.transpose(1, 0, 2)), array=ratio, cmap=DIVERGING, norm=LogNorm(1 / MOST_RATIO, MOST_RATIO),
        edgecolors=GREY, linewidths=0.6, alpha=0.6, zorder=1,
    )  # fmt: skip
    ax.add_collection(shown, autolim=False)
    bar = colour_bar(shown, ax, "cells / expected")
    bar.set_ticks([1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8], labels=["≤ 1/8", "1/4", "1/2", "1", "2", "4", "≥ 8"])
    bar.minorticks_off()


def _draw_axis(ax: Axes, which: Literal["x", "y"], gene: _Gene, name: str) -> None:
    """Scale, blocks, ticks and the label of an axis."""
    from matplotlib.scale import FuncScale

    axis, line = (ax.xaxis, ax.axvline) if which == "x" else (ax.yaxis, ax.axhline)
    n_cells = len(gene.positions)
    share = gene.n_zero / n_cells
    knots: list[float] = [0, gene.n_zero if MOST_ZEROS < share < 1 else MOST_ZEROS * n_cells, n_cells]
    shares: list[float] = [0, MOST_ZEROS, 1]

    def place(rank: Any) -> Any:
        return np.interp(rank, knots, shares)

    def rank(place: Any) -> Any:
        return np.interp(place, shares, knots)

    ax.set(**{f"{which}scale": FuncScale(axis, (place, rank)), f"{which}lim": (0, n_cells)})
    starts = np.concatenate([[0], gene.ends[:-1]])
    wide = place(gene.ends) - place(starts) >= LEAST_BLOCK
    for end in np.setdiff1d(np.union1d(starts[wide], gene.ends[wide]), [0, n_cells]):
        line(end, color=GREY, linewidth=0.5, linestyle=":", zorder=2)
    if gene.values is None:
        axis.set_ticks(_rank_ticks(gene.n_zero, n_cells))
        kind = "rank of the cells"
    else:
        axis.set_ticks((starts[wide] + gene.ends[wide]) / 2, gene.values[wide])
        kind = "counts"
    axis.set_label_text(f"{name}\n{kind}, 0 in {100 * share:.0f} % of cells" if gene.n_zero else f"{name}\n{kind}")
    axis.label.set_fontsize(9)


def _rank_ticks(n_zero: int, n_cells: int) -> NDArray[np.float64]:
    """Round ranks, or the ends of the zeros and of all where the zeros are shown narrower than they are."""
    from matplotlib.ticker import MaxNLocator

    if n_zero > MOST_ZEROS * n_cells:
        return np.unique([0.0, n_zero, n_cells])
    ticks = np.asarray(MaxNLocator(5).tick_values(0, n_cells))
    return ticks[ticks <= n_cells]
