"""Values as words that sort alike, and what genes have where X is zero as sorted constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from pysces._enrich._order_kernels import FREE_BITS, VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGN = np.uint64(1 << 63)
HALF = np.uint64(1 << 19)
MOST_GENES = 1 << FREE_BITS


def ordered_keys(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Unsigned words in the order of ``values`` to 33 bits, the last 20 bits 0; NaN is 0 and below all.

    What differs by rounding only has the same key and is tied.
    """
    with np.errstate(invalid="ignore"):  # the missing value of R is a signalling NaN
        bits = ((values + 0.0).view(np.uint64) + HALF) & VALUE  # + 0.0: minus zero is zero
    negative = (bits.view(np.int64) >> np.int64(63)).view(np.uint64)
    keys: NDArray[np.uint64] = (bits ^ (negative | SIGN)) & VALUE
    missing = np.isnan(values)
    if missing.any():
        keys[missing] = 0
    return keys


class Constants(NamedTuple):
    """Keys that genes have where X is zero: distinct and ascending, which of them each gene has, and how many do."""

    keys: NDArray[np.uint64]
    group: NDArray[np.int32]
    sizes: NDArray[np.int32]

    @classmethod
    def of(cls, zero: NDArray[np.float64]) -> Self:
        """Of one value per gene.

        Raises
        ------
        ValueError
            If a key has not enough free bits for the number of a gene.
        """
        if len(zero) > MOST_GENES:
            msg = (
                f"X has {len(zero)} genes to rank, but at most {MOST_GENES} can be; choose some of them, or leave "
                "filter_genes=True, which ranks those of the network."
            )
            raise ValueError(msg)
        keys, group = np.unique(ordered_keys(zero), return_inverse=True)
        sizes = np.bincount(group, minlength=len(keys))
        return cls(keys, group.astype(np.int32), sizes.astype(np.int32))
