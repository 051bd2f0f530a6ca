"""A census as the client cellxgene-census reads it: conditions, counts, names of genes and where they were measured.

Rows of obs and var have numbers in a census (``soma_joinid``), the index of tables here. Storage need not keep their
order, results do.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import ImplicitModificationWarning

from pysces._check import some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

NUMBER = "soma_joinid"


@contextmanager
def opened(version: str, source: Any) -> Iterator[Any]:
    """A census, closed again unless it was given open."""
    try:
        from cellxgene_census import open_soma
        from tiledbsoma import Collection, SOMAError
    except ImportError as error:
        msg = "cellxgene-census is not installed: pip install cellxgene-census."
        raise ImportError(msg) from error

    if isinstance(source, Collection):
        yield _whole(source)
        return
    if source is not None and not isinstance(source, str | Path):
        msg = f"source is {type(source).__name__}; give the folder or URI of a census, or one that is open."
        raise TypeError(msg)
    try:
        census = open_soma(census_version=version, uri=None if source is None else str(source))
    except SOMAError as error:
        msg = f"{version if source is None else str(source)!r} cannot be opened as a census: {error}"
        raise ValueError(msg) from error
    with census:
        yield _whole(census)


def _whole(census: Any) -> Any:
    if "census_data" not in census:
        msg = f"source holds {some(census) or 'nothing'}, but no 'census_data'; give a census as a whole."
        raise ValueError(msg)
    return census


def columns(obs: Any, wanted: Sequence[str] | None) -> list[str] | None:
    """Columns to read: those wanted, and the number of the cell."""
    if wanted is None:
        return None
    if isinstance(wanted, str) or not set(wanted) <= set(obs.keys()):
        msg = f"obs_column_names={wanted!r} is not a list of columns of obs, which has: {some(obs.keys())}."
        raise KeyError(msg)
    return [*dict.fromkeys([*wanted, NUMBER])]


def matching(frame: Any, argument: str, condition: str | None, wanted: list[str]) -> pd.DataFrame:
    """Columns of the rows of obs or var that meet a condition."""
    from tiledbsoma import SOMAError

    try:
        rows = _table(frame, wanted, condition)
    except SOMAError as error:
        reason, columns = str(error).splitlines()[0], some(frame.keys())
        msg = f"{argument}={condition!r} cannot be read: {reason}. The columns are {columns}."
        raise ValueError(msg) from error
    if rows.empty:
        msg = f"{argument}={condition!r} matches nothing in the census."
        raise ValueError(msg)
    return rows


def counts(
    census: Any,
    species: str,
    cells: pd.Index[int],
    genes: pd.Index[int],
    columns: list[str] | None,
    condition: str | None,
) -> AnnData:
    """Raw counts of cells and of the genes that meet a condition, in order."""
    from cellxgene_census import get_anndata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImplicitModificationWarning)  # the client leaves numbers as names
        adata: Any = get_anndata(
            census, species, obs_coords=cells.to_numpy(), var_value_filter=condition, obs_column_names=columns
        )
    order = pd.Index(adata.obs[NUMBER]).get_indexer(cells), pd.Index(adata.var[NUMBER]).get_indexer(genes)
    if any((np.diff(positions) < 0).any() for positions in order):
        adata = adata[order].copy()
    adata.obs_names = adata.obs[NUMBER].astype(str).rename(None)
    for frame in (adata.obs, adata.var):
        del frame[NUMBER]
        for name in frame.select_dtypes("category"):
            frame[name] = frame[name].cat.remove_unused_categories()
    whole: AnnData = adata
    return whole


def unique_symbols(var: Any, chosen: pd.Index[int]) -> list[str]:
    """Names of genes: the symbol, with the identifier behind it where genes of the census share the symbol."""
    genes = _table(var, ["feature_id", "feature_name"]).astype(str)
    shared = genes["feature_name"].duplicated(keep=False)
    names = genes["feature_name"].where(~shared, genes["feature_name"] + "_" + genes["feature_id"])
    unique: list[str] = names[chosen].tolist()
    return unique


def cells_with_gene(census: Any, experiment: Any, dataset: pd.Series[str], genes: pd.Index[int]) -> NDArray[np.int64]:
    """For each gene, the number of cells in whose data set it was measured."""
    known = _table(census["census_info"]["datasets"], ["dataset_id"])["dataset_id"]
    n_cells = known.map(dataset.astype(str).value_counts()).dropna()
    presence = experiment.ms["RNA"]["feature_dataset_presence_matrix"].read((n_cells.index.to_numpy(),))
    entries = presence.tables().concat().to_pandas()
    cells = entries["soma_dim_0"].map(n_cells).astype(np.int64) * (entries["soma_data"] != 0)
    found: NDArray[np.int64] = cells.groupby(entries["soma_dim_1"]).sum().reindex(genes, fill_value=0).to_numpy()
    return found


def _table(frame: Any, wanted: list[str], condition: str | None = None) -> pd.DataFrame:
    rows: pd.DataFrame = frame.read(value_filter=condition, column_names=[NUMBER, *wanted]).concat().to_pandas()
    return rows.set_index(NUMBER)[wanted].sort_index()
