"""The cells that a result was made from, and their groups, remembered beside it by hashes of the names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NAMES, GROUP, GROUPS = "names", "group", "groups"
"""Hashes of the names of the cells, the number of the group of each (-1 for none), and the labels of the groups."""
SAME = 0.9
"""A group is the same as long as so many of the cells that are in it, or were, are in both."""


class Moved(NamedTuple):
    """A group that held ``n_then`` cells and holds ``n_now``, ``n_same`` of which are the same."""

    label: str
    n_then: int
    n_now: int
    n_same: int


def remembered(names: pd.Index[str], labels: pd.Categorical[str] | None = None) -> dict[str, NDArray[Any]]:
    """By what cells and groups are told again; empty if cells share names."""
    if not names.is_unique:
        return {}
    known: dict[str, NDArray[Any]] = {NAMES: _hashes(names)}
    if labels is not None:
        used = labels.remove_unused_categories()
        known |= {GROUP: used.codes.astype(np.int32), GROUPS: used.categories.to_numpy(dtype=object).astype(str)}
    return known


def moved_groups(known: Mapping[str, NDArray[Any]], names: pd.Index[str], labels: pd.Categorical[str]) -> list[Moved]:
    """Groups that hold other cells than those ``known``.

    Only cells count that had a label then and have one now: those removed, added or renamed since do not.
    """
    if GROUP not in known:
        return []
    place = pd.Index(known[NAMES]).get_indexer(pd.Index(_hashes(names)))
    then = np.where(place >= 0, known[GROUP][place], -1)
    groups = known[GROUPS].astype(object)
    now = np.where(labels.codes >= 0, pd.Index(groups).get_indexer(labels.categories.astype(object))[labels.codes], -2)
    counted = (then >= 0) & (now != -2)
    moved = []
    for group, label in enumerate(groups):
        was, is_now = counted & (then == group), counted & (now == group)
        same = int((was & is_now).sum())
        if is_now.any() and same < SAME * (was | is_now).sum():
            n_then, n_now = int((known[GROUP] == group).sum()), int((now == group).sum())
            moved.append(Moved(str(label), n_then, n_now, same))
    return moved


def n_foreign(known: Mapping[str, NDArray[Any]], names: pd.Index[str]) -> int:
    """How many cells are not among those ``known``; of renamed cells, how many are too many."""
    if NAMES not in known:
        return 0
    n_known = int(np.isin(_hashes(names), known[NAMES]).sum())
    return len(names) - n_known if n_known else max(len(names) - len(known[NAMES]), 0)


def _hashes(names: pd.Index[str]) -> NDArray[np.int64]:
    """64 bits of each name, the same in every process."""
    return pd.util.hash_array(names.to_numpy(dtype=object), categorize=False).view(np.int64)
