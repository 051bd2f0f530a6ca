"""Strata of cells for comparisons of groups, and groups that differ in sequencing depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces import _slots
from pysces._check import some, warn
from pysces._frame import column
from pysces._infer.depth import Strata, technical_depth
from pysces._matrix import choose, columns, counts_of
from pysces._strata import group_labels

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

DEPTH = "depth"
MOST_STRATA = 20
LEAST_COMPARED = 0.5
"""A smaller share of cells in strata that hold cells of both sides is warned of."""
LOOKED_AT, LEAST_CELLS, FEWEST_GENES = 4000, 20, 50
"""Cells in which depths are compared, and those that a group needs; fewer genes tell no depth."""
MOST_RATIO = 1.2
"""From this ratio of depths on, more than a tenth of the regulators of like cells differ (docs/methods_groups.md)."""


def strata_of(adata: AnnData, strata: str, key: str, codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """The stratum of each cell, negative for cells that are in none."""
    if strata != DEPTH:
        return _column(adata, strata, codes)
    if DEPTH in adata.obs.columns and column(adata.obs, DEPTH).dtype.kind not in "iuf":
        msg = "strata='depth' is ambiguous: adata.obs has a column of labels 'depth'; rename the column."
        raise ValueError(msg)
    rows = np.flatnonzero(codes >= 0)
    technical = _technical(adata, key, rows)
    if technical is None:
        msg = (
            "strata='depth' needs counts, or values that counts can be had back from, in the matrix that activities "
            f"were scored on (adata.uns[{key!r}]['params']); give an obs column of strata instead: strata='...'."
        )
        raise ValueError(msg)
    found = np.full(adata.n_obs, -1)
    found[rows] = Strata.of(technical[1], MOST_STRATA).labels
    return found


def _column(adata: AnnData, strata: str, codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Strata that are labels of a column."""
    if isinstance(strata, str):
        if strata not in adata.obs.columns:
            msg = f"strata={strata!r} is neither 'depth' nor a column of adata.obs, which has: {some(adata.obs)}."
            raise KeyError(msg)
        if column(adata.obs, strata).dtype.kind == "f":
            msg = (
                f"strata={strata!r} holds numbers, not labels; divide them into classes: "
                f"adata.obs['classes'] = pandas.qcut(adata.obs[{strata!r}], 5).astype(str), strata='classes'."
            )
            raise TypeError(msg)
    found = group_labels(adata.obs, strata).codes.astype(np.intp)
    n_without = int(((found < 0) & (codes >= 0)).sum())
    if n_without:
        warn(f"{n_without} cells have no label in strata={strata!r} and are left out.")
    return found


def cells_per_stratum(
    codes: NDArray[np.intp], of_cell: NDArray[np.intp] | None, n_groups: int, *, rest: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cells of each group and of those it is compared with, strata x groups; one stratum without ``of_cell``."""
    if of_cell is None:
        of_cell = np.zeros(len(codes), np.intp)
    counted = (codes >= 0) & (of_cell >= 0)
    n_cells = np.zeros((of_cell.max(initial=0) + 1, n_groups + 1))
    np.add.at(n_cells, (of_cell[counted], codes[counted]), 1)
    group = n_cells[:, :-1]
    reference = n_cells.sum(axis=1, keepdims=True) - group if rest else np.broadcast_to(n_cells[:, -1:], group.shape)
    return group, reference


def warn_of_few_compared(
    codes: NDArray[np.intp], of_cell: NDArray[np.intp], labels: list[str], strata: str, *, rest: bool
) -> None:
    """Warn of groups many of whose cells have no cell to be compared with in their stratum.

    Groups of which no cell has any are left out later, which is told then.
    """
    group, reference = cells_per_stratum(codes, of_cell, len(labels), rest=rest)
    shares = np.where(reference > 0, group, 0).sum(axis=0) / np.maximum(np.bincount(codes[codes >= 0],
                      minlength=len(labels) + 1)[:-1], 1)  # fmt: skip
    few = {label: share for label, share in zip(labels, shares, strict=True) if 0 < share < LEAST_COMPARED}
    if few:
        fewest = min(few, key=lambda label: few[label])
        others = [label for label in few if label != fewest]
        warn(
            f"within strata={strata!r} only {few[fewest]:.0%} of the cells of {fewest!r} have cells to be compared "
            f"with{f'; few also of {some(others)}' if others else ''}. Their results stand for these cells only; use "
            "fewer strata, or compare other groups."
        )


def warn_of_depths(adata: AnnData, key: str, codes: NDArray[np.intp], labels: list[str], *, rest: bool) -> None:
    """Warn of groups whose depth differs from that of their reference by more than their composition explains."""
    counted = np.flatnonzero(codes >= 0)
    rows = counted[np.unique(np.linspace(0, len(counted) - 1, min(LOOKED_AT, len(counted))).astype(np.intp))]
    activity, _ = _slots.read_activity(adata, key)
    rows = rows[activity.iloc[rows].notna().any(axis=1).to_numpy()]  # cells without counts are not compared
    technical = _technical(adata, key, rows)
    if technical is None:
        return
    n = np.bincount(codes[rows], minlength=len(labels) + 1).astype(np.float64)
    ratios = np.full(len(labels), np.inf)
    for values in technical:
        sums = np.bincount(codes[rows], values, len(labels) + 1)
        n_other, other = (n.sum() - n[:-1], sums.sum() - sums[:-1]) if rest else (n[-1], sums[-1])
        enough = (n[:-1] >= LEAST_CELLS) & (n_other >= LEAST_CELLS)
        difference = sums[:-1] / np.maximum(n[:-1], 1) - other / np.maximum(n_other, 1)
        ratios = np.minimum(ratios, np.where(enough, np.exp(np.abs(difference)), 1.0))
    apart = [label for label, ratio in zip(labels, ratios, strict=True) if ratio >= MOST_RATIO]
    if apart:
        warn(
            f"the sequencing depth of {some(apart)} and of the cells they are compared with differs by a factor of up "
            f"to {ratios.max():.1f} that the composition of the cells does not explain. Scores follow the depth, so "
            "that regulators can differ for this reason alone; compare cells of like depth: strata='depth'."
        )


def _technical(
    adata: AnnData, key: str, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Log depth of cells in the matrix that was scored, and the part that composition does not explain."""
    made = _slots.read_parameters(adata, key)
    while "key" in made and made["key"] in adata.uns:  # scores of sets of regulators are made of other activities
        made = _slots.read_parameters(adata, made["key"])
    layer, use_raw = made.get("layer"), bool(made.get("use_raw", False))
    source = adata.raw if use_raw else adata
    if source is None or (source.X if layer is None else adata.layers.get(layer)) is None:
        return None
    chosen = choose(adata, layer=layer, use_raw=use_raw, mask_var=None)
    counts = counts_of(columns(chosen.x, rows, np.arange(len(chosen.genes))), len(rows)).values
    if counts is None or np.count_nonzero(np.diff(counts.indptr)) < FEWEST_GENES:
        return None
    depth, technical = technical_depth(counts, len(rows))
    return np.log(depth), technical
