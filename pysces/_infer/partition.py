"""Coded genes: the position of every cell and the binary tree of positions that partitions it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy.special import xlogy

from pysces._infer import _partition_kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._infer.ranks import Ranks

type Convention = Literal["aracne3", "aracne-ap"]
type Ties = Literal["block", "random"]

SMALLEST: dict[str, int] = {"aracne3": 4, "aracne-ap": 3}
"""Points that a cell must hold to be tested."""


FIXED_POINT = 2.0**56
"""Information is summed as multiples of 1 / FIXED_POINT nats."""
WORD = 64
VECTOR_WORDS = 4


class Trees(NamedTuple):
    """Nodes: codes below ``split`` go to node ``child``, others to the next (-1: a leaf); ``width``: the margin."""

    split: NDArray[np.int32]
    child: NDArray[np.int32]
    width: NDArray[np.float64]


class Genes(NamedTuple):
    """Genes as bits, and what the kernels need of their first split at hand."""

    top: NDArray[np.uint64]  # genes x 4 x words: masks of the second-level nodes
    margin: NDArray[np.int64]  # genes x 4: their counts
    planes: NDArray[np.uint64]  # genes x levels x words: high or low, from the third level on; the last is empty
    root: NDArray[np.int32]
    halves: NDArray[np.float64]  # genes x 4: 1 / share of the low and high part of the low half, then of the high half
    parts: NDArray[np.int64]  # genes x 2: whether the low and the high half can be split
    offset: NDArray[np.int64]  # genes: sum of count x ln(width) / n of both halves, in fixed point


class KernelTrees(NamedTuple):
    """Nodes as the information kernels need them."""

    child: NDArray[np.int32]
    inverse: NDArray[np.float64]  # nodes x 2: 1 / share of the low and of the high child; 1 and 0 for a leaf
    log_width: NDArray[np.int64]  # ln(width) / n in fixed point


class Coded(NamedTuple):
    """Genes ready for the mutual-information kernels."""

    genes: Genes
    trees: KernelTrees
    n_cells: int
    smallest: int

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return len(self.genes.root)


NO_TREES = Trees(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))


@lru_cache(maxsize=8)
def distinct_tree(n_cells: int, convention: Convention) -> Trees:
    """The tree shared by all genes without ties."""
    build = {"aracne3": kernels.dyadic_tree, "aracne-ap": kernels.interval_tree}[convention]
    split, child = np.zeros(2 * n_cells + 1, np.int32), np.empty(2 * n_cells + 1, np.int32)
    width = np.empty(2 * n_cells + 1)
    n_nodes = build(n_cells, SMALLEST[convention], split, child, width)
    return Trees(split[:n_nodes], child[:n_nodes], width[:n_nodes])


def first_splits(ranks: Ranks) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Cells on the smaller side of each gene's first split (0: constant) and which genes have ties, ties kept."""
    minority, tied = np.empty(ranks.n_genes, np.int32), np.empty(ranks.n_genes, np.bool_)
    kernels.first_splits(ranks.levels, ranks.indptr, ranks.zero_level, ranks.n_levels, ranks.n_cells, minority, tied)
    return minority, tied


def code(ranks: Ranks, convention: Convention, ties: Ties, seeds: NDArray[np.uint64]) -> Coded:
    """Code genes; ``ties="random"`` orders equal values by the seed of their gene, ``"block"`` keeps them together."""
    return _code_random(ranks, convention, seeds) if ties == "random" else _code_blocks(ranks, convention)


def _code_random(ranks: Ranks, convention: Convention, seeds: NDArray[np.uint64]) -> Coded:
    n_genes, n_cells = ranks.n_genes, ranks.n_cells
    codes = np.empty((n_genes, n_cells), np.int32)
    kernels.random_codes(
        ranks.cells, ranks.levels, ranks.indptr, ranks.zero_level, ranks.n_levels, n_cells, seeds, codes
    )
    return code_distinct(codes, convention)


def code_distinct(codes: NDArray[np.int32], convention: Convention) -> Coded:
    """Genes without ties, given as ranks from 0: genes x cells."""
    n_genes, n_cells = codes.shape
    cells = np.tile(np.arange(n_cells, dtype=np.int32), n_genes)
    indptr = np.arange(n_genes + 1, dtype=np.int64) * n_cells
    zeros = np.zeros(n_genes, np.int32)
    trees = distinct_tree(n_cells, convention)
    n_halved, smallest = len(trees.split), SMALLEST[convention]
    return _coded(cells, codes.ravel(), indptr, zeros - 1, zeros, trees, n_halved, n_cells, smallest)


def _code_blocks(ranks: Ranks, convention: Convention) -> Coded:
    levels, indptr, zero_level, n_levels = ranks.levels, ranks.indptr, ranks.zero_level, ranks.n_levels
    codes = np.empty(len(levels), np.int32)
    zero_code, n_blocks = np.empty(ranks.n_genes, np.int32), np.empty(ranks.n_genes, np.int32)
    kernels.block_codes(levels, indptr, zero_level, n_levels, ranks.n_cells, codes, zero_code, n_blocks)

    tied = n_blocks < ranks.n_cells
    shared = NO_TREES if tied.all() else distinct_tree(ranks.n_cells, convention)
    room = np.where(tied, 2 * n_blocks - 1, 0)
    n_shared = len(shared.split)
    root = n_shared + np.concatenate([[0], np.cumsum(room)[:-1]])
    n_nodes = n_shared + int(room.sum())
    trees = Trees(np.zeros(n_nodes, np.int32), np.full(n_nodes, -1, np.int32), np.ones(n_nodes))
    for own, common in ((trees.split, shared.split), (trees.child, shared.child), (trees.width, shared.width)):
        own[:n_shared] = common
    own_root = np.where(tied, root, -1).astype(np.int32)
    smallest = SMALLEST[convention]
    kernels.tied_trees(levels, indptr, zero_level, n_levels, ranks.n_cells, n_blocks, smallest, own_root, *trees)
    roots = np.maximum(own_root, 0)
    return _coded(ranks.cells, codes, indptr, zero_code, roots, trees, n_shared, ranks.n_cells, smallest)


def _coded(
    cells: NDArray[np.int32],
    codes: NDArray[np.int32],
    indptr: NDArray[np.int64],
    zero_code: NDArray[np.int32],
    root: NDArray[np.int32],
    trees: Trees,
    n_halved: int,
    n_cells: int,
    smallest: int,
) -> Coded:
    n_words = -(-n_cells // (WORD * VECTOR_WORDS)) * VECTOR_WORDS  # whole vectors, so that loops need no tail
    n_levels = max(kernels.tree_depth(root, trees.child) - 2, 0) + 1
    planes = np.empty((len(root), n_levels, n_words), np.uint64)
    top, margin = np.empty((len(root), 4, n_words), np.uint64), np.empty((len(root), 4), np.int64)
    kernels.fill_planes(cells, codes, indptr, zero_code, root, trees.split, trees.child, n_cells, top, margin, planes)

    nodes = _kernel_trees(trees, n_halved, n_cells)
    low = np.where(nodes.child[root] < 0, root, nodes.child[root])
    high = np.where(nodes.child[root] < 0, root, nodes.child[root] + 1)
    halves = np.hstack([nodes.inverse[low], nodes.inverse[high]])
    parts = (np.column_stack([nodes.child[low], nodes.child[high]]) >= 0).astype(np.int64)
    parts[nodes.child[root] < 0] = 0
    n_low, n_high = margin[:, 0] + margin[:, 1], margin[:, 2] + margin[:, 3]
    offset = n_low * nodes.log_width[low] + n_high * nodes.log_width[high]
    return Coded(Genes(top, margin, planes, root, halves, parts, offset), nodes, n_cells, smallest)


def _kernel_trees(trees: Trees, n_halved: int, n_cells: int) -> KernelTrees:
    """Shares of children and logarithms; the first ``n_halved`` nodes are taken to be halved, whatever their widths."""
    width = np.where(trees.width > 0, trees.width, 1.0)  # a part of one cell may be empty
    low = trees.width[np.maximum(trees.child, 0)] / width
    low[:n_halved] = 0.5
    with np.errstate(divide="ignore"):
        inverse = np.column_stack([1 / low, 1 / (1 - low)])
    inverse[trees.child < 0] = (1, 0)
    log_width = np.rint(xlogy(1.0, width) / n_cells * FIXED_POINT).astype(np.int64)  # np.log varies with the CPU
    return KernelTrees(trees.child, inverse, log_width)
