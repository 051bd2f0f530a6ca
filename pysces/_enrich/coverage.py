r"""How regulons cover the genes that are ranked, and which genes to rank.

The ranks of a cell are the same numbers whatever its expression, so the normal scores of all ranked genes sum to 0:
where one regulon holds most of these genes, its score can hardly move, and those of others are its mirror image.
Over random targets with weights w the score is narrower than a standard normal by sqrt(1 - share), with the share
(sum of w)^2 / (G sum of w^2) of the G genes: targets over genes if all weights are equal, and 0 if they cancel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces._enrich.area import adaptive_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._regulons import Regulons

MOST_NARROWED = 0.1
"""By how much the standard deviation of the NES over random targets may be too small."""
HALF = 0.5
"""From this share on, the score of all other genes is as large as that of the regulon, with the other sign."""


def shares(regulons: Regulons, n_genes: int) -> NDArray[np.float64]:
    """Share of ``n_genes`` that each regulon holds, with the weights of targets in both sums of aREA."""
    owner = np.repeat(np.arange(len(regulons.sizes)), regulons.sizes)
    sums, squares = np.zeros((2, len(regulons.sizes)))
    for mode in (regulons.mode, 1 - np.abs(regulons.mode)):
        weights = mode * regulons.likelihood
        sums += np.bincount(owner, weights, minlength=len(sums)) ** 2
        squares += np.bincount(owner, weights**2, minlength=len(sums))
    return np.divide(sums, squares * n_genes, out=np.zeros_like(sums), where=squares > 0)


def genes_to_rank(regulons: Regulons, genes: NDArray[np.intp], n_genes: int) -> NDArray[np.intp]:
    """``genes``, or all ``n_genes`` if a regulon holds so many of ``genes`` that its NES are too narrow among them."""
    if not len(genes):
        return genes
    free, free_among_all = 1 - shares(regulons, len(genes)), 1 - shares(regulons, n_genes)
    too_narrow = free < (1 - MOST_NARROWED) ** 2 * free_among_all
    return np.arange(n_genes) if too_narrow.any() else genes


def large(regulons: Regulons, min_targets: int, *, adaptive_size: bool = False) -> NDArray[np.bool_]:
    """Which regulons have ``min_targets`` targets."""
    with np.errstate(invalid="ignore"):  # regulons without targets
        return (adaptive_sizes(regulons) if adaptive_size else regulons.sizes) >= min_targets
