"""The leaves of the partition of a pair of genes, by definition; slow on purpose, sharing no code with the package."""

from __future__ import annotations

from itertools import product

import numpy as np
from oracles import Node, Tree

CRITICAL = {4: 7.815, 2: 3.841}
SMALLEST = {"aracne3": 4, "aracne-ap": 3}


def leaves(x: np.ndarray, y: np.ndarray, convention: str = "aracne3") -> set[tuple[int, ...]]:
    """First place and that after the last along x, the same along y, and the number of cells; no place, no leaf."""
    x_tree, y_tree = Tree(np.asarray(x), convention), Tree(np.asarray(y), convention)

    def cut(of_x: Node, of_y: Node, *, whole: bool) -> list[tuple[Node, Node]]:
        k = int((of_x.cells & of_y.cells).sum())
        parts = list(product(x_tree.split(of_x), y_tree.split(of_y)))
        if len(parts) == 1 or not (whole or (k >= SMALLEST[convention] and uneven(of_x, of_y, parts, k))):
            return [(of_x, of_y)]
        return [leaf for part in parts for leaf in cut(*part, whole=False)]

    def uneven(of_x: Node, of_y: Node, parts: list[tuple[Node, Node]], k: int) -> bool:
        shares = [(1.0 if a is of_x else a.share) * (1.0 if b is of_y else b.share) for a, b in parts]
        counts = np.array([(a.cells & b.cells).sum() for a, b in parts])
        expected = k * np.array(shares)
        return float(((counts - expected) ** 2 / expected).sum()) > CRITICAL[len(parts)]

    found = cut(x_tree.root, y_tree.root, whole=True)
    places = [(*_places(a, x), *_places(b, y), int((a.cells & b.cells).sum())) for a, b in found]
    return {place for place in places if place[0] < place[1] and place[2] < place[3]}


def _places(node: Node, values: np.ndarray) -> tuple[int, int]:
    """How many cells come before those of a node, and how many with them."""
    inside = np.asarray(values)[node.cells]
    first = int((np.asarray(values) < inside.min()).sum()) if len(inside) else 0
    return first, first + len(inside)
