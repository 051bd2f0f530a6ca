"""Whether the null holds, and where the threshold is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pysces import _slots
from pysces._check import some, whole_number
from pysces._infer.null_check import check_null
from pysces._matrix import choose
from pysces._parallel import resolve_threads
from pysces.get import network
from pysces.pl._axes import BLUE, GREY, LIGHT, RED, new_axes
from pysces.pl._cells import named_cells, ranked, rows_of, stored_estimator, warn_of_other_cells
from pysces.pl._groups import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pysces._infer.null_check import NullCheck
    from pysces._matrix import Choice

MOST_REGULATORS = 200
SEED = 20100731
"""Of the sample of genes and the permutations: the same figure in every run."""
LN_10 = np.log(10)
BEYOND = 1.8
"""How far the p-values of observed pairs are shown, over the smallest that a permuted one should have."""
FEW_PAIRS = 20
"""So few are points, as a line of them may not be seen."""
MOST_POINTS = 500
"""Of a curve, spaced evenly in the logarithm of the share of pairs."""


def null(
    adata: AnnData,
    *,
    group: str | None = None,
    key: str = _slots.ARACNE,
    n_pairs: int = 400_000,
    ax: Axes | None = None,
) -> Axes:
    r"""Whether the p-values of a network hold under the null, and where its threshold is.

    A sample of regulators (up to 200) and genes (fixed seed) is scored twice: as the cells are (observed), and with the
    cells of each regulator permuted on its own (permuted), for ``estimator="gcmi"`` within the strata of the whole
    depth, for ``"apmi"`` freely.

    - Right, the test: the share of pairs whose p-value is at most p, against p, both as :math:`-\log_{10}`. Where the
      p-values hold, permuted pairs lie on the diagonal; the band is a factor 1.5 to both sides. Observed pairs leave it
      where there is dependence. The vertical line is the largest p of an edge, unless p is that of the support
      (``consensus``).
    - Left, the same pairs by mutual information in nats: the share of pairs with at least as much, as
      :math:`-\log_{10}`. For ``"apmi"`` the vertical line is the smallest mutual information of an edge, and a dashed
      line is what the p-values predict: the mean over pairs of the p that each would have there. For ``"gcmi"`` there
      are none: mutual information is that within strata of technical depth, p that within strata of the whole depth,
      and p depends on the pair.

    Parameters
    ----------
    adata
        Annotated data with a network, and the cells and genes that it was inferred from.
    group
        The group whose network it is; needed for networks of groups.
    key
        The ``key_added`` of :func:`pysces.tl.aracne`.
    n_pairs
        About how many pairs to score.
    ax
        Axes to draw on; by default those of a new figure. Both panels are drawn in their place.

    Returns
    -------
    The axes on the left; those on the right are the last of the figure.

    Warns
    -----
    UserWarning
        If the group held other cells when its network was inferred.

    Raises
    ------
    KeyError
        If there is no network of :func:`pysces.tl.aracne`, or none of this group, or a layer or column that it was
        inferred from is gone, or the cells of the group are.
    ValueError
        If ``group`` is missing, or genes of the network are gone.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=2)
    >>> ax = ps.pl.null(adata)
    >>> ax.get_xlabel()
    'mutual information (nats)'
    """
    edges, settings = _stored(adata, group, key)
    chosen = choose(
        adata, layer=settings.get("layer"), use_raw=settings.get("use_raw", False), mask_var=settings.get("mask_var")
    )
    groupby = _slots.stored_groupby(settings)
    warn_of_other_cells(adata, key, groupby, group)
    rows = rows_of(adata, groupby, group)
    regulators, targets = _genes(edges, settings, chosen)
    genes = np.union1d(regulators, targets)
    cells = ranked(adata, chosen, settings, rows, genes)
    regulators, targets = _sample(regulators, targets, whole_number(n_pairs, "n_pairs", least=1))
    found = check_null(
        cells.ranks, cells.depth, stored_estimator(settings),
        np.searchsorted(genes, regulators), np.searchsorted(genes, targets),
        np.random.default_rng(SEED), resolve_threads(0),
    )  # fmt: skip

    ax = new_axes(ax, 8.4, 3.9)
    tests = _panel_beside(ax)
    within = " within depth" if cells.depth.whole.n > 1 else ""
    for scored, name, colour, width in (
        (found.observed, "observed", RED, 1.2), (found.permuted, f"regulators permuted{within}", BLUE, 2),
    ):  # fmt: skip
        for panel, values in ((ax, scored.mi), (tests, -scored.log_p / LN_10)):
            marker = "o" if len(values) <= FEW_PAIRS else ""
            panel.plot(*_survival(values), color=colour, linewidth=width, label=name, marker=marker, markersize=6)
    _draw_prediction(ax, tests, found)
    _draw_threshold(ax, tests, edges, settings)
    pairs = f"{counted(len(regulators), 'regulator')} x {counted(len(targets), 'target')}"
    ax.set_title(f"{named_cells(rows, group)}, {settings['estimator']}\n{pairs}", loc="left", fontsize=9)
    return ax


def _stored(adata: AnnData, group: str | None, key: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The edges and the parameters of a network."""
    edges = network(adata, group, key=key)
    settings = _slots.read_parameters(adata, key) if _slots.PARAMS in adata.uns[key] else {}
    if "regulators" not in settings:
        msg = f"adata.uns[{key!r}] lacks the parameters of pysces.tl.aracne, with which its null could be had again."
        raise KeyError(msg)
    if "group" in edges.columns:
        msg = f"adata.uns[{key!r}] has networks of groups; give group, one of {some(edges['group'].cat.categories)}."
        raise ValueError(msg)
    return edges, settings


def _genes(
    edges: pd.DataFrame, settings: Mapping[str, Any], chosen: Choice
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Regulators, and genes that may be targets, all of which must be there."""
    regulators = _positions(settings["regulators"], chosen.genes, "regulators")
    _positions(edges["target"].unique(), chosen.genes, "targets")
    if "targets" in settings:
        return regulators, _positions(settings["targets"], chosen.genes, "targets")
    return regulators, np.flatnonzero(chosen.mask)


def _sample(
    regulators: NDArray[np.intp], targets: NDArray[np.intp], n_pairs: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Some regulators and targets, the same in every run."""
    rng = np.random.default_rng(SEED)
    some_regulators = rng.choice(regulators, min(MOST_REGULATORS, len(regulators), n_pairs), replace=False)
    n_targets = min(max(n_pairs // len(some_regulators), 1), len(targets))
    return some_regulators, rng.choice(targets, n_targets, replace=False)


def _positions(names: Iterable[str], genes: NDArray[np.object_], what: str) -> NDArray[np.intp]:
    """Places of genes of the network, all of which must be there."""
    wanted = pd.Index(np.asarray(names, dtype=object))
    found = pd.Index(genes).get_indexer(wanted)
    if (found < 0).any():
        msg = (
            f"{int((found < 0).sum())} of {len(found)} {what} of the network ({some(wanted[found < 0])}) are not "
            "among the genes; give the adata that the network was inferred from."
        )
        raise ValueError(msg)
    return np.sort(found)


def _survival(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Some of the values, falling, and -log10 of the share that is at least as large."""
    ascending = np.sort(values)
    ranks = np.unique(np.geomspace(1, max(len(values), 1), MOST_POINTS).astype(np.int64))[: len(values)]
    chosen = ascending[len(values) - ranks]
    return chosen, -np.log10((len(values) - np.searchsorted(ascending, chosen)) / max(len(values), 1))


def _panel_beside(ax: Axes) -> Axes:
    """Axes on the right half of the place of ``ax``, with the same vertical axis."""
    from mpl_toolkits.axes_grid1 import make_axes_locatable  # type: ignore[import-untyped]

    beside: Axes = make_axes_locatable(ax).append_axes("right", size="100%", pad=0.25, sharey=ax)
    beside.tick_params(labelleft=False)
    for panel, label in ((ax, "mutual information (nats)"), (beside, r"$-\log_{10}$ p of the estimator")):
        panel.set_xlabel(label)
        panel.spines[["top", "right"]].set_visible(False)
    ax.set_ylabel(r"$-\log_{10}$ share of pairs beyond")
    return beside


def _draw_prediction(ax: Axes, tests: Axes, found: NullCheck) -> None:
    """Where permuted pairs should lie."""
    most = np.log10(max(len(found.permuted.mi), 10))
    if found.predicted is not None:
        mi, p = found.predicted
        within = -np.log10(p) <= most
        ax.plot(mi[within], -np.log10(p[within]), color="black", linestyle="--", linewidth=1, label="predicted")
    ends, off = np.array([0.0, most]), np.log10(1.5)
    tests.fill_between(ends, ends - off, ends + off, color=LIGHT, linewidth=0, zorder=0)
    tests.plot(ends, ends, color="black", linestyle="--", linewidth=1, label="predicted, within a factor 1.5")
    tests.set(xlim=(0, BEYOND * most), ylim=(0, 1.05 * most))
    left = float(np.median(found.permuted.mi)) if len(found.permuted.mi) else 0.0
    ax.set_xscale("log")
    ax.set_xlim(left=left if left > 0 else None)


def _draw_threshold(ax: Axes, tests: Axes, edges: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """The weakest edge of the network, and legends."""
    level = f"{settings['correction']} {settings['alpha']:g}" if "correction" in settings else "no correction"
    shown: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "linestyle": ":"}
    if edges.empty:
        tests.plot([], [], label=f"no edge ({level})", **shown)
    elif settings["estimator"] == "apmi":  # p of "gcmi" does not follow from its information
        least = float(edges["mi"].min())
        ax.axvline(least, label=f"edges: at least {least:.2g} nats", **shown)
    if len(edges) and settings["consensus"] == "data":
        limit = float(edges["log_pvalue"].max()) / LN_10
        tests.axvline(-limit, label=f"edges: p at most {10**limit:.1g} ({level})", **shown)
        tests.set_xlim(right=max(tests.get_xlim()[1], -1.3 * limit))
    ax.legend(loc="lower right", fontsize=7, framealpha=0.9, edgecolor="none")
    tests.legend(loc="lower right", fontsize=7, framealpha=0.9, edgecolor="none")
