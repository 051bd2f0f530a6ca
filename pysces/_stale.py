"""Results in an AnnData whose cells or groups are other ones now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pysces import _slots
from pysces._cells import NAMES, moved_groups, n_foreign
from pysces._check import some, warn
from pysces._strata import group_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from pysces._strata import GroupBy


def stale_groups(adata: AnnData, key: str, groupby: GroupBy, made_by: str, groups: Sequence[str] | None = None) -> str:
    """What a message says of groups that hold other cells than when ``uns[key]`` was made by ``made_by``; else ""."""
    moved = moved_groups(_slots.read_cells(adata, key), adata.obs_names, group_labels(adata.obs, groupby))
    moved = [group for group in moved if groups is None or group.label in groups]
    if not moved:
        return ""
    first = moved[0]
    return (
        f"{len(moved)} group{'s' * (len(moved) != 1)} ({some([group.label for group in moved])}) of adata.uns[{key!r}] "
        f"held other cells when it was made: group {first.label!r} had {first.n_then} cells and has {first.n_now} now, "
        f"of which {first.n_same} are the same. If the groups were computed anew, run pysces.tl.{made_by} again."
    )


def warn_of_foreign_cells(adata: AnnData, key: str) -> None:
    """Warn of activities of several runs, joined afterwards, which were not compared with one reference."""
    known = _slots.read_cells(adata, key)
    foreign = n_foreign(known, adata.obs_names)
    if foreign and _slots.comparison(adata, key).get("signature") != "none":
        warn(
            f"{foreign} of the {adata.n_obs} cells were not among the {len(known[NAMES])} cells of the run that made "
            f"adata.uns[{key!r}]: activities of separate runs have no common reference and cannot be compared. Score "
            "all cells together: pysces.tl.viper(adata, ...)."
        )
