"""What VIPER learns from reference cells: signatures, resampled moments and null scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pysces._cluster import on_workers
from pysces._csr import CSR
from pysces._enrich.area import Area
from pysces._enrich.moments import Moments
from pysces._enrich.resampling import ResampledMoments, drawn_with_replacement, left_out
from pysces._enrich.signatures import FROM_COLUMNS, FROM_RANKS, DoubleRank, from_columns, from_moments
from pysces._matrix import columns, lazy_units, row_blocks
from pysces._parallel import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from pysces._enrich.signatures import Signature
    from pysces._regulons import Regulons

SAMPLES_AT_A_TIME = 100


class Cells(NamedTuple):
    """Some cells and genes of X, and the dask client, if any, whose workers read them."""

    x: Any
    rows: NDArray[np.intp]
    genes: NDArray[np.intp]
    allow_negative: bool
    client: Any = None

    def blocks(self) -> Iterator[tuple[slice, CSR]]:
        """Blocks of cells, and their place among the cells."""
        return row_blocks(self.x, self.rows, self.genes, allow_negative=self.allow_negative)

    def columns(self) -> CSR:
        """Genes over all cells."""
        return columns(self.x, self.rows, self.genes, allow_negative=self.allow_negative)


def reference_rows(reference: ArrayLike | None, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those of ``rows`` that a mask or positions choose; by default all."""
    if reference is None:
        return rows
    chosen = np.asarray(reference)
    if chosen.dtype == np.bool_:
        if chosen.shape != rows.shape:
            msg = f"reference is a mask of shape {chosen.shape}, but there are {len(rows)} cells."
            raise ValueError(msg)
        return rows[chosen.astype(np.bool_)]
    if not np.issubdtype(chosen.dtype, np.integer) or chosen.ndim != 1:
        msg = f"reference must be a mask or positions of cells; found {chosen.dtype} of shape {chosen.shape}."
        raise TypeError(msg)
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= len(rows)):
        msg = f"reference holds positions from {chosen.min()} to {chosen.max()} of {len(rows)} cells."
        raise ValueError(msg)
    return rows[np.unique(chosen).astype(np.intp)]


def learn_signature(cells: Cells, name: str, *, own: bool) -> Signature:
    """The signature ``name`` of genes against ``cells``; ``own``: these are the cells that will be scored."""
    if name in FROM_COLUMNS:
        return from_columns(name, cells.columns())
    if name in FROM_RANKS:
        return DoubleRank((block for _, block in cells.blocks()), len(cells.genes))
    moments = Moments(len(cells.genes)) if name == "none" else _moments(cells)
    return from_moments(name, moments, against_reference=not own)


def _moments(cells: Cells) -> Moments:
    if cells.client is not None and hasattr(cells.x, "compute"):
        return _moments_on_cluster(cells)
    moments = Moments(len(cells.genes))
    for _, block in cells.blocks():
        moments.add(block)
    return moments


def _moments_on_cluster(cells: Cells) -> Moments:
    """Moments of what is read together, by the workers, and of all."""
    rows, shared = cells.rows, (cells.genes, cells.allow_negative)
    items = ((rows[places] - rows[places[0]], part) for places, part in lazy_units(cells.x, rows))
    moments = Moments(len(cells.genes))
    try:
        for of_part in on_workers(cells.client, _moments_of, shared, items, "the moments of some cells"):
            moments.merge(of_part)
    except ValueError:
        for _ in cells.blocks():  # tells where in X the value is
            pass
        raise
    return moments


def _moments_of(shared: tuple[NDArray[np.intp], bool], rows: NDArray[np.intp], part: Any) -> Moments:
    genes, allow_negative = shared
    return _moments(Cells(part, rows, genes, allow_negative))


def bootstrap_moments(
    cells: Cells, n_samples: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of genes in bootstraps of ``cells``, samples x genes."""
    return _resampled_moments(cells, drawn_with_replacement(len(cells.rows), n_samples, rng))


def null_signatures(cells: Cells, n_null: int, rng: np.random.Generator, *, scaled: bool) -> NDArray[np.float64]:
    """Each a cell against a bootstrap of all others: (x - mean) / sd, or x - mean; n_null x genes."""
    found = np.empty((n_null, len(cells.genes)))
    left, counts = left_out(len(cells.rows), n_null, rng)
    for some in blocks(n_null, SAMPLES_AT_A_TIME):
        mean, sd = _resampled_moments(cells, counts[some])
        distinct, place = np.unique(left[some], return_inverse=True)
        values = np.zeros((len(distinct), len(cells.genes)))
        for at, block in cells._replace(rows=cells.rows[distinct]).blocks():
            values[at.start + np.repeat(np.arange(block.n_rows), np.diff(block.indptr)), block.indices] = block.data
        found[some] = (values[place] - mean) / sd if scaled else values[place] - mean
    return found


def null_scores(signatures: NDArray[np.float64], regulons: Regulons) -> NDArray[np.float64]:
    """Enrichment scores, not normalised, of null signatures; genes that are NaN are missing."""
    n_genes = signatures.shape[1]
    area = Area(np.zeros(n_genes), regulons, normalised=False)
    scores = np.empty((len(signatures), len(regulons.sizes)))
    for rows in blocks(len(signatures), SAMPLES_AT_A_TIME):
        values = np.ascontiguousarray(signatures[rows], np.float64)
        indptr = np.arange(len(values) + 1, dtype=np.int64) * n_genes
        every = np.tile(np.arange(n_genes, dtype=np.int32), len(values))
        scores[rows] = area(CSR(values.ravel(), every, indptr, n_genes))
    return scores


def _resampled_moments(cells: Cells, counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    moments = ResampledMoments(counts, len(cells.genes))
    for _, block in cells.blocks():
        moments.add(block)
    return moments.mean_and_sd()
