"""The scorer that options ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces._enrich.area import Area, farthest_rank
from pysces._enrich.pleiotropy import prepare
from pysces._enrich.scorers import Bootstrapped, ByArea, ByNarnea
from pysces.estimators import _learning as learning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._enrich.scorers import Scorer
    from pysces._enrich.signatures import Signature
    from pysces._regulons import Regulons
    from pysces.estimators._options import Options


def scorer_of(
    options: Options,
    reference: learning.Cells,
    signature: Signature,
    genes: NDArray[np.int32],
    regulons: Regulons,
    regulators: NDArray[np.object_],
    null: NDArray[np.float64] | None,
    rng: np.random.Generator,
) -> Scorer:
    """What scores cells by regulons of ``genes``, positions in the signature; ``null`` are null signatures of these."""
    zero = signature(np.zeros(len(genes)), genes)
    if options.enrichment == "narnea":
        seed = rng.bytes(16) if options.zeros == "random" else None
        return ByNarnea(signature, genes, zero, regulons, seed=seed)
    if options.n_bootstraps:
        return Bootstrapped(*learning.bootstrap_moments(reference, options.n_bootstraps, rng), regulons)
    if options.n_null and null is None:
        null = learning.null_signatures(reference, options.n_null, rng, scaled=options.signature != "mean")
    null_es = None if null is None else learning.null_scores(null, regulons)
    least_far = 0
    if options.signature == "rank":  # ranks within genes tie at the extremes: as in R, the farthest of all cells counts
        blocks = (signature.of_cells(block, genes) for _, block in reference.blocks())
        least_far = max(farthest_rank(block, zero) for block in blocks)
    area = Area(zero, regulons, least_far=least_far, normalised=options.normalised and null_es is None)
    pleiotropy = None
    if options.pleiotropy is not None:
        single = np.array(["--" not in str(name) for name in regulators])  # others are co-regulons of two
        pleiotropy = prepare(regulons, zero, options.pleiotropy, single)
    return ByArea(signature, genes, zero, area, pleiotropy=pleiotropy, null=null_es, least_far=least_far)
