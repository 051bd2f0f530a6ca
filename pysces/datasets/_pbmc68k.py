"""Real cells without a download."""

from __future__ import annotations

from typing import TYPE_CHECKING

import scipy.sparse as sp
from anndata import AnnData

if TYPE_CHECKING:
    import pandas as pd


def pbmc68k() -> AnnData:
    """700 peripheral blood mononuclear cells of ten types, from the data set that scanpy ships.

    ``scanpy.datasets.pbmc68k_reduced`` (Zheng et al. 2017, doi:10.1038/ncomms14049) without its scaled values and
    results of analyses: 765 genes that vary, log-normalised.

    Returns
    -------
    AnnData with ``X`` float32 CSR, 700 x 765, log-normalised; ``obs`` with the categorical ``cell_type`` (labels such
    as ``"CD4+/CD25 T Reg"``), ``n_counts`` and ``percent_mito``; ``obsm`` with ``X_pca`` and ``X_umap``; ``uns`` with
    ``cell_type_colors``.

    Examples
    --------
    >>> import pysces as ps
    >>> ps.datasets.pbmc68k().obs["cell_type"].nunique()
    10
    """
    from scanpy.datasets import pbmc68k_reduced

    source = pbmc68k_reduced()
    obs: pd.DataFrame = source.obs[["bulk_labels", "n_counts", "percent_mito"]]
    return AnnData(
        sp.csr_matrix(source.raw.X),
        obs=obs.rename(columns={"bulk_labels": "cell_type"}),
        var=source.raw.var[[]],
        obsm={name: source.obsm[name] for name in ("X_pca", "X_umap")},
        uns={"cell_type_colors": source.uns["bulk_labels_colors"]},
    )
