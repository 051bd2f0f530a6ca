"""Places of regulators on a circle, of what they share within it, and of what is theirs alone around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces.pl._graph import rays

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Floats = NDArray[np.float64]

RIM = 0.4
"""Inches from a regulator to its own targets, at least."""
GAP, FILLED = 0.18, 0.4
"""Inches between boxes within the circle, and the share of it that they may cover with these gaps."""
INWARDS = 0.8
"""Shared targets are drawn that much nearer to the middle than their regulators' is."""


def chain(shared: NDArray[np.int64]) -> list[int]:
    """An order in which each is followed by the one with which it shares most, from the one that shares most of all."""
    left = shared.astype(np.float64)
    np.fill_diagonal(left, 0)
    order = [int(left.sum(axis=1).argmax())]
    while len(order) < len(left):
        with_last = left[order[-1]].copy()
        with_last[order] = -1
        order.append(int(with_last.argmax()))
    return order


def around(
    n: int, of_single: NDArray[np.intp], boxes: list[Floats], size: float
) -> tuple[float, Floats, Floats, Floats]:
    """Radius for the shared targets, places of regulators and of their own targets, and angles of the latter.

    Every regulator has a sector with a line of text for each of its own targets, clockwise from the top.
    """
    regulators, shared = boxes
    line = 1.25 * size / 72
    wide = 2 * float(regulators[:, 0].max()) + 0.1
    counts = np.bincount(of_single, minlength=n)
    slots = np.maximum(counts, 1.3 * wide / line) + 1
    radius = np.sqrt((4 * np.prod(shared + GAP / 2, axis=1)).sum() / (np.pi * FILLED))
    circle = max(radius + wide / 2, wide, 0.6, wide / 2 / np.sin(np.pi * slots.min() / slots.sum())) if n > 1 else 0.0
    rim = max(circle + wide / 2 + RIM, slots.sum() * line / (2 * np.pi))
    circle = rim - wide / 2 - RIM if n > 1 else 0.0
    turn = 2 * np.pi / slots.sum()
    middle = np.pi / 2 - turn * (np.cumsum(slots) - slots / 2)
    from_middle = np.arange(len(of_single)) - np.searchsorted(of_single, of_single) - (counts[of_single] - 1) / 2
    apart = np.minimum((slots - 1) / np.maximum(counts, 1), 2)[of_single]
    angle = middle[of_single] - turn * apart * from_middle
    return max(circle - wide / 2, 0.0), circle * rays(middle), rim * rays(angle), angle


def spread(wanted: Floats, half: Floats, radius: float) -> Floats:
    """The free place nearest to the one wanted, box after box, so that boxes in a circle do not overlap.

    A box that finds no room goes where it overlaps least.
    """
    step = max(0.06, radius / 40)
    along = step * np.arange(-np.ceil(radius / step), np.ceil(radius / step) + 1)
    places = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    at = np.zeros_like(wanted)
    for i, (want, own) in enumerate(zip(INWARDS * wanted, half, strict=True)):
        beside = np.abs(along[:, None, None] - at[:i]) - half[:i] - own - GAP
        to_boxes = np.maximum(beside[None, ..., 0], beside[:, None, :, 1]).min(axis=2, initial=np.inf)
        to_circle = radius - np.linalg.norm(np.abs(places) + own, axis=1)
        room = np.minimum(to_circle, to_boxes.ravel())
        far = np.where(room >= 0, np.linalg.norm(places - want, axis=1), np.inf)
        at[i] = places[far.argmin() if np.isfinite(far).any() else room.argmax()]
    return at
