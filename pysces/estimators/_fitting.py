"""Fit a network to cells: which genes are ranked, and which regulators have enough targets among them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._coverage import no_common_target, no_large_regulon
from pysces._enrich.area import adaptive_sizes
from pysces._enrich.coverage import HALF, genes_to_rank, large, shares
from pysces._network import code_network, in_network
from pysces.estimators._remarks import Remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from pysces._regulons import Regulons

    type Positions = NDArray[np.intp]


class NotScorableError(ValueError):
    """No regulator can be scored: too few cells or targets, or no gene with a signature."""


class Fitted[Learned](NamedTuple):
    """What was learned of the genes that are ranked, and the regulators that can be scored by them."""

    learned: Learned
    present: Positions
    """Genes that are ranked, among those learned from."""
    genes: Positions
    """The same, among all genes."""
    regulators: NDArray[np.object_]
    regulons: Regulons
    """Targets are positions in ``genes``."""
    remarks: Remarks


def fit_network[Learned](
    network: pd.DataFrame,
    names: NDArray[np.object_],
    learn: Callable[[Positions], tuple[Learned, Positions]],
    *,
    filter_genes: bool,
    min_targets: int,
    ranked_if: str,
    adaptive_size: bool = False,
    gene_weights: Mapping[str, float] | None = None,
) -> Fitted[Learned]:
    """Learn from the genes of the network, or from all if one regulon holds too many of these, and restrict regulons.

    ``learn`` gets genes, and gives what it learned of them and the places of those that can be ranked; ``ranked_if``
    tells users what these have in common.
    """
    every = np.arange(len(names))
    regulators, regulons = _matched(network, names, gene_weights)
    enough = partial(large, min_targets=min_targets, adaptive_size=adaptive_size)
    by_name = enough(regulons)

    def largest(of: Regulons) -> float:
        return float((adaptive_sizes(of) if adaptive_size else of.sizes).max())

    if not by_name.any():
        raise NotScorableError(no_large_regulon(network, names, min_targets, largest(regulons)))
    of_network = np.flatnonzero(in_network(network, names)) if filter_genes else every
    genes = genes_to_rank(regulons.select(np.flatnonzero(by_name)), of_network, len(names))
    learned, present = learn(genes)
    ranked = regulons.restrict(genes[present], len(names))
    if len(genes) < len(names):  # of the network, fewer genes may be ranked than there are
        chosen = ranked.select(np.flatnonzero(enough(ranked)))
        if len(genes_to_rank(chosen, genes[present], len(names))) == len(names):
            genes = every
            learned, present = learn(genes)
            ranked = regulons.restrict(genes[present], len(names))
    kept = enough(ranked)
    if not kept.any():
        raise NotScorableError(no_large_regulon(network, names, min_targets, largest(ranked), ranked_if))
    lost = np.flatnonzero(by_name & ~kept)
    chosen = ranked.select(np.flatnonzero(kept))
    remarks = Remarks(
        _holder(regulators, ranked, of_network) if len(genes) > len(of_network) else "",
        _holder(regulators[kept], chosen, present) if shares(chosen, len(present)).max() >= HALF else "",
        tuple(str(name) for name in regulators[lost]),
        "".join(
            f"fewer than min_targets={min_targets} of their targets {ranked_if} ({str(regulators[first])!r}: "
            f"{ranked.sizes[first]} of {regulons.sizes[first]})"
            for first in lost[:1]
        ),
    )
    return Fitted(learned, present, genes[present], regulators[kept], chosen, remarks)


def _matched(
    network: pd.DataFrame, names: NDArray[np.object_], gene_weights: Mapping[str, float] | None
) -> tuple[NDArray[np.object_], Regulons]:
    """Regulators, and their targets among the genes."""
    regulators, regulons = code_network(network, names)
    if not regulons.sizes.any():
        raise NotScorableError(no_common_target(network, names))
    if gene_weights is not None:
        weights = np.array([gene_weights.get(str(name), 1.0) for name in names])
        regulons = regulons._replace(likelihood=regulons.likelihood * weights[regulons.targets])
    return regulators, regulons


def _holder(regulators: NDArray[np.object_], regulons: Regulons, genes: Positions) -> str:
    """The regulon that holds the largest share of ``genes``."""
    first = int(shares(regulons, len(genes)).argmax())
    return f"{str(regulators[first])!r} holds {regulons.sizes[first]} of the {len(genes)}"
