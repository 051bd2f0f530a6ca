"""Cells of the CELLxGENE Census, as tl.aracne takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pysces import _log
from pysces._check import one_of, warn, whole_number
from pysces._random import seed_sequence
from pysces.datasets import _soma as soma

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData
    from numpy.typing import NDArray

    from pysces._random import Seed

SPECIES = {"human": "homo_sapiens", "mouse": "mus_musculus"}


def census(
    organism: str,
    obs_value_filter: str,
    *,
    var_value_filter: str | None = None,
    obs_column_names: Sequence[str] | None = None,
    max_cells: int = 20_000,
    census_version: str = "stable",
    source: Any = None,
    rng: Seed = 0,
) -> AnnData:
    """Raw counts of cells of the CELLxGENE Census; needs ``pip install cellxgene-census``.

    The Census (CZI Cell Science Program 2025, doi:10.1093/nar/gkae1142) is read with its own client,
    ``cellxgene-census``. Which cells match is read first, and logged; then a random sample of at most ``max_cells`` of
    them is downloaded. A count that is not zero takes 8 bytes, and several times that while it is read.

    Cells of many data sets, donors and assays come together: name those you want in the filter (``assay``,
    ``suspension_type``, ``dataset_id``). Read counts of full-length assays, such as Smart-seq2, are not UMI counts.
    The same cell may be in several data sets: keep one copy with ``is_primary_data == True``.

    Parameters
    ----------
    organism
        ``"human"``, ``"mouse"``, or another that the Census holds, such as ``"Macaca mulatta"``.
    obs_value_filter
        Which cells: a condition on the columns of ``obs``, as for ``cellxgene_census.get_anndata``.
    var_value_filter
        Which genes, likewise: ``f"feature_name in {symbols}"`` for a list of symbols. The depth of cells then is in
        ``obs["raw_sum"]`` alone: ``ps.tl.aracne(adata, ..., depth="raw_sum")``.
    obs_column_names
        Columns of ``obs`` to read; by default all.
    max_cells
        Number of cells at most. More are sampled at random, without replacement.
    census_version
        A release, such as ``"2025-11-08"``. ``"stable"`` is the last long-term one, which changes.
    source
        A census opened with ``cellxgene_census.open_soma``, which stays open, or the URI or folder of one, in place of
        ``census_version``.
    rng
        Seed of the sample. The same seed draws the same cells of a release.

    Returns
    -------
    AnnData in the order of the Census.

    ``X``
        Counts, float32 CSR.
    ``obs``
        The columns, without unused categories. Names of cells are their ``soma_joinid``.
    ``var``
        Names of genes are their symbols (``feature_name``). Where several genes of the Census share a symbol, each is
        named symbol_identifier, such as ``"TBCE_ENSG00000284770"``. Columns are those of the Census, such as
        ``feature_id`` (Ensembl) and ``feature_type``, and ``measured``, the share of cells whose data set holds the
        gene. Where it is below 1, the zeros of the other cells say nothing, and genes that lack in the same data sets
        look dependent: ``adata[:, adata.var["measured"] == 1]`` has the others.

    Warns
    -----
    UserWarning
        If there are copies of cells, and the filter does not mention ``is_primary_data``.

    Raises
    ------
    ImportError
        If the client is not installed. It has wheels for Python 3.12 and 3.13, and needs pandas 2.
    ValueError
        If the organism, release or ``source`` is not there, a filter cannot be read, or no cell or gene matches.
    KeyError
        If a column of ``obs`` is not there.
    TypeError
        If ``source`` is no collection of tiledbsoma.
    OSError
        If the Census cannot be reached.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.census(  # doctest: +SKIP
    ...     "human",
    ...     "cell_type in ['B cell', 'classical monocyte'] and tissue_general == 'blood' and disease == 'normal' "
    ...     "and is_primary_data == True",
    ... )
    >>> adata = adata[:, adata.var["measured"] == 1].copy()  # doctest: +SKIP
    >>> ps.tl.aracne(adata, "human_tfs", groupby="cell_type")  # doctest: +SKIP
    """
    most, seed = whole_number(max_cells, "max_cells", least=1), seed_sequence(rng)
    with soma.opened(census_version, source) as whole:
        experiment = whole["census_data"][one_of(_species(organism), list(whole["census_data"]), "organism")]
        genes = soma.matching(experiment.ms["RNA"].var, "var_value_filter", var_value_filter, ["feature_id"])
        found = soma.matching(experiment.obs, "obs_value_filter", obs_value_filter, ["dataset_id", "is_primary_data"])
        columns = soma.columns(experiment.obs, obs_column_names)
        cells = found.iloc[_sample(len(found), most, seed)]
        _warn_of_copies(cells, obs_value_filter)
        since = _log.start(f"reading {len(cells):,} of {len(found):,} cells that match")
        adata = soma.counts(whole, _species(organism), cells.index, genes.index, columns, var_value_filter)
        adata.var_names = soma.unique_symbols(experiment.ms["RNA"].var, genes.index)
        measured = soma.cells_with_gene(whole, experiment, cells["dataset_id"], genes.index) / len(cells)
        adata.var["measured"] = measured
    _log.done(since, f"read counts of {adata.n_obs:,} cells and {adata.n_vars:,} genes")
    _hint_at_genes(measured)
    return adata


def _species(organism: str) -> str:
    """The organism as the Census names it."""
    return SPECIES.get(organism, str(organism).lower().replace(" ", "_"))


def _sample(n: int, most: int, seed: np.random.SeedSequence) -> NDArray[np.intp]:
    """Positions of at most so many of n, in order."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False, shuffle=False))


def _warn_of_copies(cells: pd.DataFrame, condition: str) -> None:
    copies = int((~cells["is_primary_data"]).sum())
    if copies and "is_primary_data" not in condition:
        warn(
            f"{copies:,} of {len(cells):,} cells are copies of cells in other data sets, which may be here too; add "
            "'and is_primary_data == True' to obs_value_filter."
        )


def _hint_at_genes(measured: NDArray[np.float64]) -> None:
    partly = int((measured < 1).sum())
    if partly:
        _log.hint(
            f"{partly:,} of {len(measured):,} genes are not in the data sets of all cells, and zeros there are not "
            "counts. The others: adata[:, adata.var['measured'] == 1]."
        )
