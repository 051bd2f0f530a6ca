"""The cells that a network was inferred from, read again as ARACNe sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pysces._check import some, warn
from pysces._frame import column
from pysces._infer.estimator import GaussianCopula, Partition
from pysces._parallel import resolve_threads
from pysces._stale import stale_groups
from pysces._strata import ALL_CELLS, group_labels, named
from pysces.estimators._cells import ranked_cells
from pysces.pl._groups import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData
    from numpy.typing import NDArray

    from pysces._infer.estimator import Estimator
    from pysces._matrix import Choice
    from pysces._strata import GroupBy
    from pysces.estimators._cells import RankedCells


def rows_of(adata: AnnData, groupby: GroupBy | None, group: str | None) -> NDArray[np.intp]:
    """The cells of a group, or all."""
    if group is None:
        return np.arange(adata.n_obs)
    if groupby is None:
        msg = f"group={group!r} needs the column of adata.obs that holds it; give groupby, or leave group out."
        raise ValueError(msg)
    labels = group_labels(adata.obs, groupby)
    rows = np.flatnonzero(np.asarray(labels == group))
    if not len(rows) and group == ALL_CELLS:
        return np.arange(adata.n_obs)
    if not len(rows):
        msg = f"group={group!r} has no cells in adata.obs[{named(groupby)}], which has: {some(labels.unique())}."
        raise KeyError(msg)
    return rows


def warn_of_other_cells(adata: AnnData, network: str, groupby: GroupBy | None, group: str | None) -> None:
    """Warn if the network of a group was inferred from other cells than those that it holds now."""
    if group is None or groupby is None:
        return
    if stale := stale_groups(adata, network, groupby, "aracne(adata, ...)", [group]):
        warn(f"a network of other cells: {stale}")


def named_cells(rows: NDArray[np.intp], group: str | None) -> str:
    """Such as "1,200 cells of B"."""
    return counted(len(rows), "cell") + ("" if group in {None, ALL_CELLS} else f" of {group}")


def stored_estimator(settings: Mapping[str, Any]) -> Estimator:
    """The estimator of :func:`pysces.tl.aracne` by its parameters."""
    if settings["estimator"] == "apmi":
        return Partition(settings["convention"], settings["ties"])
    return GaussianCopula()


def ranked(
    adata: AnnData, chosen: Choice, settings: Mapping[str, Any], rows: NDArray[np.intp], genes: NDArray[np.intp]
) -> RankedCells:
    """Ranks of some genes (ascending) and strata of depth, by the parameters of :func:`pysces.tl.aracne`."""
    depth: Any = settings.get("depth")
    if depth is not None and depth != "auto":
        if depth not in adata.obs.columns:
            msg = f"the network has depth={depth!r}, which is not a column of adata.obs: {some(adata.obs)}."
            raise KeyError(msg)
        depth = column(adata.obs, depth).to_numpy(dtype=np.float64)
    return ranked_cells(
        chosen.x, rows, genes, depth,
        uses_depth=stored_estimator(settings).uses_depth, allow_negative=False, n_threads=resolve_threads(0),
    )  # fmt: skip
