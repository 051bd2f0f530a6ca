"""Data processing inequality: of three genes that all inform on each other, the weakest link is taken as indirect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from pysces._infer import _pruning_kernels as kernels
from pysces._parallel import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

REGULATORS_PER_TASK = 8

type Pruning = Literal["all", "target"] | None


def prune(
    edges: NDArray[np.bool_],
    mi: NDArray[np.float64],
    regulators: NDArray[np.intp],
    *,
    dpi: Pruning,
    tolerance: float,
    n_threads: int,
) -> NDArray[np.bool_]:
    """Edges (regulators x genes) that survive; every triangle is judged on the unpruned network.

    A triangle is two regulators that share an edge and a common target. Its strictly weakest edge goes, with a
    tolerance e only if it is below (1 - e) times both others. ``"target"`` removes regulator-target edges only.
    ``"all"`` also removes the edge between the regulators, in both directions; without tolerance it goes whenever no
    target edge is strictly the weakest, as in ARACNe3.
    """
    if dpi is None:
        return edges
    strength = np.where(edges, mi, -np.inf)
    links = strength[:, regulators]
    links = np.maximum(links, links.T)
    partners = np.argsort(-links, axis=1, kind="stable")
    factor = 1.0 - tolerance
    removed = np.zeros_like(edges)

    def mark(rows: slice) -> None:
        kernels.mark_weakest_targets(strength, links, partners, factor, removed, rows.start, rows.stop)

    run(mark, len(edges), REGULATORS_PER_TASK, n_threads)
    kept: NDArray[np.bool_] = edges & ~removed
    if dpi == "all":
        indirect = np.zeros(links.shape, np.bool_)

        def find(rows: slice) -> None:
            kernels.find_indirect_links(strength, links, partners, factor, rows.start, rows.stop, indirect)

        run(find, len(edges), REGULATORS_PER_TASK, n_threads)
        kept[:, regulators] &= ~(indirect | indirect.T)
    return kept
