"""The adaptive partition of one pair of genes, leaf by leaf: to look at what the kernels only sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import xlogy

from pysces._infer._information_kernels import is_uneven
from pysces._infer.information import CRITICAL
from pysces._infer.partition import FIXED_POINT, WORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pysces._infer.partition import Coded


class Leaves(NamedTuple):
    """Leaves of a partition; a gene's cells are in ascending order, from 0."""

    x: NDArray[np.int64]  # leaves x 2: the first place of a leaf, and that after its last
    y: NDArray[np.int64]
    observed: NDArray[np.int64]  # cells
    margins: NDArray[np.float64]  # product of the two margins
    n_cells: int

    @property
    def expected(self) -> NDArray[np.float64]:
        """Cells that each leaf would hold if the genes were independent."""
        return self.n_cells * self.margins

    @property
    def information(self) -> NDArray[np.float64]:
        """What each leaf adds to the mutual information, in nats: k / n ln(k / n / (w_x w_y)), 0 without cells."""
        share = self.observed / self.n_cells
        return np.asarray(xlogy(share, share / np.where(self.observed > 0, self.margins, 1.0)))


def leaves(x: Coded, y: Coded) -> Leaves:
    """The partition of the first gene of ``x`` and the first of ``y``."""
    found = list(_cut(_Side.whole(x), _Side.whole(y), x.smallest))
    return Leaves(
        np.array([(of_x.first, of_x.first + of_x.n_cells) for of_x, _ in found]),
        np.array([(of_y.first, of_y.first + of_y.n_cells) for _, of_y in found]),
        np.array([_common(of_x, of_y) for of_x, of_y in found]),
        np.array([of_x.width * of_y.width for of_x, of_y in found]),
        x.n_cells,
    )


class _Side(NamedTuple):
    """A node of one gene: which cells it holds, and how many come before them."""

    gene: Coded
    node: int
    level: int
    first: int
    cells: NDArray[np.bool_]

    @classmethod
    def whole(cls, gene: Coded) -> _Side:
        return cls(gene, int(gene.genes.root[0]), 0, 0, np.ones(gene.n_cells, np.bool_))

    @property
    def n_cells(self) -> int:
        return int(np.count_nonzero(self.cells))

    @property
    def width(self) -> float:
        """The margin."""
        return float(np.exp(self.gene.trees.log_width[self.node] * self.gene.n_cells / FIXED_POINT))

    @property
    def is_split(self) -> bool:
        return bool(self.gene.trees.child[self.node] >= 0)

    def parts(self) -> tuple[_Side, ...]:
        """The low and the high child, or the node alone."""
        if not self.is_split:
            return (self,)
        child, high = int(self.gene.trees.child[self.node]), self.cells & _high(self.gene, self.level)
        low = self._replace(node=child, level=self.level + 1, cells=self.cells & ~high)
        return low, self._replace(node=child + 1, level=self.level + 1, first=self.first + low.n_cells, cells=high)


def _high(gene: Coded, level: int) -> NDArray[np.bool_]:
    """Cells in the high child of whichever node of this level they are in."""
    top = gene.genes.top[0]
    words = (top[2] | top[3], top[1] | top[3])[level] if level < 2 else gene.genes.planes[0, level - 2]
    bits = (words[:, None] >> np.arange(WORD, dtype=np.uint64)) & np.uint64(1)
    return np.asarray(bits.ravel()[: gene.n_cells], np.bool_)


def _cut(x: _Side, y: _Side, smallest: int) -> Iterator[tuple[_Side, _Side]]:
    """Leaves below two nodes, but for those without a place; the whole is always cut."""
    if not (x.n_cells and y.n_cells):
        return
    x_parts, y_parts = x.parts(), y.parts()
    counts = np.zeros((2, 2))
    counts[: len(x_parts), : len(y_parts)] = [[_common(of_x, of_y) for of_y in y_parts] for of_x in x_parts]
    whole = x.level == y.level == 0
    if not (x.is_split or y.is_split) or not (whole or (counts.sum() >= smallest and _is_uneven(x, y, counts))):
        yield x, y
        return
    for of_x in x_parts:
        for of_y in y_parts:
            yield from _cut(of_x, of_y, smallest)


def _is_uneven(x: _Side, y: _Side, counts: NDArray[np.float64]) -> bool:
    """Whether counts of the parts differ from what the margins predict, as the kernels find it."""
    (c00, c01), (c10, c11) = counts
    (x_low, x_high), (y_low, y_high) = x.gene.trees.inverse[x.node], y.gene.trees.inverse[y.node]
    return bool(is_uneven(c00, c01, c10, c11, x_low, x_high, y_low, y_high, CRITICAL[x.is_split + y.is_split]))


def _common(x: _Side, y: _Side) -> int:
    return int(np.count_nonzero(x.cells & y.cells))
