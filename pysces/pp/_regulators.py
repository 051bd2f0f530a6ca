"""Which genes are regulators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces import _log, _slots
from pysces._check import some, unique
from pysces._genes import find_genes

if TYPE_CHECKING:
    from pathlib import Path

    from anndata import AnnData
    from numpy.typing import ArrayLike


def regulators(
    adata: AnnData,
    regulators: str | Path | ArrayLike = "human_tfs",
    *,
    key_added: str = _slots.REGULATOR,
    copy: bool = False,
) -> AnnData | None:
    """Mark the genes that are regulators.

    :func:`pysces.tl.aracne` takes what is given here itself; the mark shows what was found, joins lists
    (``adata.var["regulator"] |= adata.var_names.isin([...])``) and stays with the data.

    Parameters
    ----------
    adata
        Annotated data.
    regulators
        ``"human_tfs"`` or ``"mouse_tfs"`` for :func:`pysces.datasets.regulators`, names of genes, a file with one name
        per line, a boolean column of ``adata.var``, or a mask of genes. Whole numbers, such as those of Entrez, are
        names, never positions. A warning says if next to none of a list or file are among the genes.
    key_added
        Column of ``var``.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.var[key_added]``
        bool: whether the gene is a regulator. Its name goes into :func:`pysces.tl.aracne`. The log line tells how many
        were found, and which were not.

    Raises
    ------
    ValueError
        If no regulator is among the genes, names of genes are not unique, or a list or file is not there.
    TypeError
        If a column of ``adata.var`` does not hold booleans.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.pp.regulators(adata)
    >>> adata.var_names[adata.var["regulator"]][:4].tolist()
    ['HES4', 'SP110', 'SP140', 'SP100']
    >>> ps.tl.aracne(adata, "regulator", n_subnetworks=1)
    """
    result = _slots.target(adata, copy=copy)
    genes = adata.var_names.to_numpy(dtype=object)
    unique(genes, "var_names", "Make them unique first: adata.var_names_make_unique().")
    since = _log.start("marking regulators")
    found = find_genes(regulators, genes, adata.var, "regulators")
    mask = np.zeros(len(genes), np.bool_)
    mask[found.positions] = True
    _slots.warn_of_columns([key_added], "adata.var")
    result.var[key_added] = mask
    absent = f"\n    {len(found.absent)} are not among the genes: {some(found.absent)}" if found.absent else ""
    _log.done(since, f"added\n    {key_added!r}, {mask.sum()} regulators among {len(mask)} genes (adata.var){absent}")
    return result if copy else None
