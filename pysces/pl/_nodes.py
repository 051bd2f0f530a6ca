"""The edges that a drawing of a network shows, and values of its nodes."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from pysces import _slots
from pysces._check import no_effect, one_of, some
from pysces._matrix import choose, columns
from pysces._network import check_network
from pysces._strata import group_labels, named
from pysces.pl._cells import warn_of_other_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

    from pysces._strata import GroupBy

type Color = Literal["expression", "activity"] | None

MEASURES = {"mi": "MI {:.2g} nats", "likelihood": "likelihood {:.2g}"}
"""What may be known of the strength of an edge, and how a legend writes it."""
BARS = {"expression": "expression, group $-$ others (sd)", "activity": "activity, mean of group (NES)"}


class Graph(NamedTuple):
    """Edges of one group, strongest first, and the column that says how strong they are (None: nothing does)."""

    edges: pd.DataFrame
    measure: str | None


def graph_of(
    adata: AnnData, network: str | pd.DataFrame, group: str | None, color: Color, groupby: GroupBy | None
) -> Graph:
    """The edges of ``group``; of a network without groups all, and ``group`` may say which cells to colour by."""
    one_of(color, (*BARS, None), "color")
    if color is None and groupby is not None:
        msg = f"groupby={groupby!r} says which cells to colour by; give color='expression' or 'activity' as well."
        raise ValueError(msg)
    table = _slots.given_network(adata, network)
    checked = check_network(table)
    if "group" in checked.columns:
        labels = checked["group"].unique().tolist()
        if group is None:
            msg = f"network has one part per group; choose one by group=: {some(labels)}."
            raise ValueError(msg)
        if group not in labels:
            msg = f"group={group!r} has no edges in the network; groups that have some: {some(labels)}."
            raise KeyError(msg)
        checked = checked[checked["group"] == group]
    elif group is not None and groupby is None:
        msg = f"group={group!r}, but network is one of all cells; leave group out, or colour by it: color=, groupby=."
        raise KeyError(msg)
    if color is not None and group is None:
        msg = f"color={color!r} is of a group of cells; name it: group=..., groupby=...."
        raise ValueError(msg)
    measure = next((name for name in MEASURES if name in table.columns), None)
    edges = checked.astype({"source": str, "target": str})
    strength = edges["weight"].abs() if measure is None else edges[measure]
    order = np.lexsort((edges["target"], edges["source"], -strength))
    return Graph(edges.iloc[order].reset_index(drop=True), measure)


def check_regulator(edges: pd.DataFrame, regulator: str) -> None:
    """Raise if it has no target."""
    names = edges["source"].unique().tolist()
    if regulator not in names:
        close = get_close_matches(str(regulator), names, 5)
        hint = f"did you mean {some(close)}?" if close else f"it has: {some(sorted(names))}."
        msg = f"regulator {regulator!r} has no target in the network; {hint}"
        raise ValueError(msg)


def node_values(
    adata: AnnData,
    names: Sequence[str],
    color: Color,
    group: str | None,
    groupby: GroupBy | None,
    network: str | pd.DataFrame,
    viper: str,
) -> NDArray[np.float64]:
    """What to colour each node by, NaN where there is no value."""
    if color != "activity":
        no_effect({"viper": (viper, _slots.VIPER)}, f"color={color!r}", "leave it out, or give color='activity'")
    if color is None:
        return np.full(len(names), np.nan)
    if groupby is None and isinstance(network, str):
        groupby = _slots.stored_groupby(_slots.read_parameters(adata, network))
    if groupby is None:
        msg = f"color={color!r} needs the column of adata.obs that holds group={group!r}; name it: groupby='...'."
        raise ValueError(msg)
    if isinstance(network, str):
        warn_of_other_cells(adata, network, groupby, group)
    labels = group_labels(adata.obs, groupby)
    inside, labelled = np.asarray(labels == group), np.asarray(labels.codes >= 0)
    if not inside.any():
        msg = f"group={group!r} has no cells in adata.obs[{named(groupby)}], which has: {some(labels.categories)}."
        raise ValueError(msg)
    if color == "activity":
        scores, _ = _slots.read_activity(adata, viper)
        here = [name for name in names if name in scores.columns]
        return scores.loc[inside, here].astype(np.float64).mean().reindex(list(names)).to_numpy(np.float64)
    if inside.sum() == labelled.sum():
        msg = f"color='expression' compares with other cells, but all are of group={group!r}; use color='activity'."
        raise ValueError(msg)
    return _differences(adata, names, np.flatnonzero(labelled), inside[labelled])


def _differences(
    adata: AnnData, names: Sequence[str], rows: NDArray[np.intp], inside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Mean inside minus mean of the others over the standard deviation of all, of genes that are there and vary."""
    chosen = choose(adata, layer=None, use_raw=False, mask_var=None)
    place = pd.Index(chosen.genes).get_indexer(pd.Index(names, dtype=object))
    found = np.flatnonzero(place >= 0)
    stored = columns(chosen.x, rows, place[found])
    values = np.full(len(names), np.nan)
    for i, gene in enumerate(found):
        entries = slice(stored.indptr[i], stored.indptr[i + 1])
        of_cells = np.zeros(len(rows))
        of_cells[stored.indices[entries]] = stored.data[entries]
        if np.ptp(of_cells) > 0:
            values[gene] = (of_cells[inside].mean() - of_cells[~inside].mean()) / of_cells.std()
    return values
