"""What users of VIPER are told about their cells and network, in one warning per call."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pysces import _log
from pysces._check import some, warn

if TYPE_CHECKING:
    from collections.abc import Mapping


class Remarks(NamedTuple):
    """What is to be said of a network and the cells that it was fitted to."""

    widened: str = ""
    """Which regulator holds too much of the network, where all genes are ranked for that reason."""
    narrowed: str = ""
    """Which regulator holds so many of the ranked genes that its scores are too small."""
    dropped: tuple[str, ...] = ()
    """Regulators that drop out since too few of their targets are ranked."""
    why: str = ""
    """How many targets they lack, and an example."""


def say(remarks: Mapping[str, Remarks], *, units: tuple[str, str] = ("regulator", "genes")) -> None:
    """Say what there is to say, once for all groups or networks, by their names ("" for all cells).

    ``units`` are what has targets and what is ranked.
    """
    unit, ranked = units
    widened = {name: of.widened for name, of in remarks.items() if of.widened}
    if widened:
        _log.info(
            f"ranking all genes, not only those of the network{_where(widened)}: {unit} {_first(widened)} genes of the "
            "network, and scores among these alone would be too small"
        )
    narrowed = {name: of.narrowed for name, of in remarks.items() if of.narrowed}
    if narrowed:
        warn(
            f"{unit} {_first(narrowed)} {ranked} that are ranked{_where(narrowed)}: its scores are too small, and "
            f"others mirror them. Rank more {ranked}, or leave this {unit} out."
        )
    dropped = {name: of for name, of in remarks.items() if of.dropped}
    if dropped:
        names = sorted({name for of in dropped.values() for name in of.dropped})
        why = _first({name: of.why for name, of in dropped.items()})
        drop_out = f"{len(names)} {unit}s drop out" if len(names) > 1 else f"1 {unit} drops out"
        warn(f"{drop_out}{_where(dropped)} ({some(names)}): {why}. Lower min_targets, or compare with more cells.")


def _first(texts: Mapping[str, str]) -> str:
    return next(iter(texts.values()))


def _where(names: Mapping[str, object]) -> str:
    """In which groups or networks."""
    return "" if "" in names else f" in {some(names)}"


def warn_of_empty_cells(n_empty: int, n_cells: int) -> None:
    """Some cells have no scores, as they hold nothing to rank genes by."""
    if n_empty:
        warn(
            f"{n_empty} of {n_cells} cells get no scores (NaN): they have no count, or the value 0, of all genes that "
            "are ranked. Remove cells with few genes first: sc.pp.filter_cells(adata, min_genes=...)."
        )
