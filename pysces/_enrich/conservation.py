"""Whether the most active and most inactive regulators of one sample are also those of another (OncoMatch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pysces._csr import as_csr
from pysces._enrich.area import normalised_scores
from pysces._enrich.order import ordered_keys
from pysces._parallel import blocks
from pysces._regulons import Regulons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SAMPLES_AT_A_TIME = 4096


class Conservation(NamedTuple):
    """Of every sample and every other, samples x others; NaN where they have too few regulators in common."""

    nes: NDArray[np.float64]
    """Top regulators of the sample in the other."""
    nes_reverse: NDArray[np.float64]
    """Top regulators of the other in the sample."""
    n_regulators: NDArray[np.int64]
    """Regulators that both have."""


def conservation(
    samples: NDArray[np.floating[Any]], others: NDArray[np.floating[Any]], n_top: int, n_threads: int
) -> Conservation:
    """Compare activities, samples x regulators, by the regulators that are not NaN in either of two samples."""
    shape = len(samples), len(others)
    found = Conservation(np.full(shape, np.nan), np.full(shape, np.nan), np.empty(shape, np.int64))
    for rows, known in _alike(samples):
        for columns, known_too in _alike(others):
            pairs, common = np.ix_(rows, columns), np.flatnonzero(known & known_too)
            found.n_regulators[pairs] = len(common)
            if len(common) < n_top:
                continue
            own, theirs = samples[np.ix_(rows, common)], others[np.ix_(columns, common)]
            found.nes[pairs] = top_in(own, theirs, n_top, n_threads)
            found.nes_reverse[pairs] = top_in(theirs, own, n_top, n_threads).T
    return found


def top_in(
    queries: NDArray[np.floating[Any]], signatures: NDArray[np.floating[Any]], n_top: int, n_threads: int
) -> NDArray[np.float64]:
    """Normalised enrichment scores of the top of each query in each signature, queries x signatures."""
    nes = np.empty((len(queries), len(signatures)))
    zero = np.zeros(queries.shape[1])
    for some in blocks(len(queries), SAMPLES_AT_A_TIME):
        regulons = top_regulators(queries[some].astype(np.float64), n_top)
        for others in blocks(len(signatures), SAMPLES_AT_A_TIME):
            nes[some, others] = normalised_scores(as_csr(signatures[others]), zero, regulons, n_threads).T
    return nes


def top_regulators(activity: NDArray[np.float64], n_top: int) -> Regulons:
    """The ``n_top`` / 2 most active regulators of each row with mode 1, and as many least active ones with mode -1.

    Regulators that are tied across the border of these are left out, so that the order of columns decides nothing.
    """
    keys, half, n = ordered_keys(activity), n_top // 2, activity.shape[1]
    ordered = np.partition(keys, (half, n - half - 1), axis=1)
    high, low = keys > ordered[:, [n - half - 1]], keys < ordered[:, [half]]
    members = high | low
    targets = np.nonzero(members)[1].astype(np.int32)
    indptr = np.concatenate([[0], np.cumsum(members.sum(axis=1))]).astype(np.int64)
    return Regulons(indptr, targets, np.where(high, 1.0, -1.0)[members], np.ones(len(targets)))


def _alike(activity: NDArray[np.floating[Any]]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Rows that have the same regulators, and which these are."""
    known = ~np.isnan(activity)
    _, first, pattern = np.unique(np.packbits(known, axis=1), axis=0, return_index=True, return_inverse=True)
    for number, row in enumerate(first):
        yield np.flatnonzero(pattern == number), known[row]
