"""Metacells: the pooled counts of neighbouring cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData

from pysces import _log, _slots
from pysces._check import share, some, unique, warn, whole_number
from pysces._frame import check_anndata, column, in_memory
from pysces._matrix import choose
from pysces._random import child, seed_sequence
from pysces._strata import GroupBy, Stratum, named, strata
from pysces.pp._cover import cover, neighbourhoods
from pysces.pp._pool import checked_counts, sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pysces._random import Seed


def metacells(
    adata: AnnData,
    *,
    use_rep: str = "X_pca",
    groupby: GroupBy | None = None,
    groups: Sequence[str] | None = None,
    size: int = 20,
    n_metacells: int | None = None,
    max_reuse: float = 0.5,
    layer: str | None = None,
    rng: Seed = 0,
) -> AnnData:
    """Pool the counts of neighbouring cells, so that fewer of them are zero.

    A metacell is a cell, its representative, and the ``size - 1`` cells of its group that lie nearest to it in an
    embedding (Euclidean; of cells equally near those that come first in ``adata``). Representatives are chosen one by
    one: each time the cell whose metacell has the most cells that are in no metacell yet, in a random order where
    several have. The choice ends when all metacells left would take more than the share ``max_reuse`` of their cells
    from those already chosen. Normalise and log-transform the result as if it were cells.

    Parameters
    ----------
    adata
        Annotated data; X or the layer holds counts, dense, CSR or CSC, in memory, backed or dask, never made dense.
    use_rep
        Key in ``adata.obsm`` of the embedding.
    groupby
        Column of ``adata.obs``, or several: metacells pool cells of one group (combination) only; cells without a label
        are in none.
    groups
        Only these groups; their metacells are those of a run with all groups.
    size
        Number of cells in a metacell, its representative among them. Groups with fewer cells are skipped with a
        warning.
    n_metacells
        Most metacells in a group; by default as many as ``max_reuse`` allows.
    max_reuse
        Largest share of the cells of a metacell that metacells chosen before may hold, at least 0 and below 1. With 0,
        no cell is in two metacells; the more, the fewer cells are in none: with 0.5 about a quarter in an embedding of
        30 to 50 axes, with 0.75 a tenth, where a cell that is in any is in 1.2 and 1.5 on average.
    layer
        Which matrix; by default X.
    rng
        Seed; group ``i`` (in the order of the categories) uses ``SeedSequence.spawn``'s child ``i``.

    Returns
    -------
    A new AnnData of metacells x genes, in the order of the groups and, within them, of the choice:

    ``X``
        Summed counts in CSR format: float32 if the counts are floats, else int64.
    ``obs``
        The columns of ``groupby``, with their categories; ``representative``, the name of that cell; ``n_cells``, the
        number of cells.
    ``var``
        That of ``adata``.
    ``obsm[use_rep]``
        Mean embedding of the cells.
    ``obsm["membership"]``
        Boolean CSR matrix, metacells x cells of ``adata``: which cells are in which metacell.
    ``uns["metacells"]["cells"]``
        Names of the cells of ``adata``.
    ``uns["metacells"]["params"]``
        Parameters, groups skipped and versions.

    Raises
    ------
    ValueError
        If X holds NaN, infinite or negative values or fractions, the embedding holds NaN, names of cells or genes are
        not unique, or no group has ``size`` cells.
    KeyError
        If the embedding, a column or a layer is not there.
    TypeError
        If group labels are not strings, or the embedding is not a table of numbers.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> adata.layers["counts"] = adata.X.expm1().rint()  # in place of the counts, which these data lack
    >>> meta = ps.pp.metacells(adata, groupby="cell_type", groups=["CD19+ B", "Dendritic"], size=10, layer="counts")
    >>> meta.obs.columns.tolist()
    ['cell_type', 'representative', 'n_cells']
    >>> bool(meta.X.nnz / meta.n_obs > 2 * adata.X.nnz / adata.n_obs)  # genes found in one
    True
    """
    size = whole_number(size, "size", least=2)
    n_metacells = None if n_metacells is None else whole_number(n_metacells, "n_metacells", least=1)
    max_reuse = share(max_reuse, "max_reuse", zero=True)
    seed = seed_sequence(rng)
    check_anndata(adata)
    unique(adata.obs_names.to_numpy(), "obs_names", "Make them unique first: adata.obs_names_make_unique().")
    chosen = choose(adata, layer=layer, use_raw=False, mask_var=None)
    name = "X" if layer is None else f"layer={layer!r}"
    used, skipped = _parts(adata, groupby, groups, size)
    rows = np.sort(np.concatenate([part.rows for part in used]))
    embedding = _embedding(adata, use_rep, rows)
    next(checked_counts(chosen.x, rows, name))  # fails at the first block, before the search for neighbours

    since = _log.start(f"pooling cells of {len(used)} group{'s' * (len(used) != 1)} into metacells")
    members = _members(used, embedding, seed, size=size, max_reuse=max_reuse, n_metacells=n_metacells)
    ends = np.arange(0, members.size + 1, size)
    shape = (len(members), adata.n_obs)
    membership = sp.csr_matrix((np.ones(members.size, np.bool_), np.sort(members).ravel(), ends), shape=shape)
    pooled = sums(chosen.x, membership, rows, name)
    result = AnnData(pooled, obs=_obs(adata, members[:, 0], size, groupby), var=in_memory(chosen.var).copy())
    result.obsm[use_rep] = (membership @ embedding.astype(np.float64) / size).astype(embedding.dtype)
    _slots.write_metacells(
        result, membership, adata.obs_names.to_numpy(dtype=object, copy=True),
        _slots.params(
            use_rep=use_rep, groupby=groupby, groups=[part.label for part in used] if groupby else None,
            groups_skipped=skipped or None, size=size, n_metacells=n_metacells, max_reuse=max_reuse, layer=layer,
            rng=rng,
        ),
    )  # fmt: skip
    n_pooled = len(np.unique(members))
    _log.done(since, f"returned\n    {len(members)} metacells, which hold {n_pooled} of {len(rows)} cells")
    return result


def _parts(
    adata: AnnData, groupby: GroupBy | None, groups: Sequence[str] | None, size: int
) -> tuple[list[Stratum], list[str]]:
    """Groups to use, and the labels of those that are too small."""
    found = strata(adata.obs, groupby, groups)
    column = "" if groupby is None else f"adata.obs[{named(groupby)}]"
    used = [part for part in found if len(part.rows) >= size]
    small = [part.label for part in found if len(part.rows) < size]
    if not used:
        where = "adata" if groupby is None else f"the largest group of {column}"
        largest = max((len(part.rows) for part in found), default=0)
        msg = f"size={size} is more than the {largest} cells of {where}; choose a smaller size."
        raise ValueError(msg)
    if small:
        warn(f"{len(small)} groups of {column} have fewer than size={size} cells and get no metacells: "
             f"{some(small)}.")  # fmt: skip
    return used, small


def _embedding(adata: AnnData, use_rep: str, rows: NDArray[np.intp]) -> NDArray[np.floating]:
    """The embedding, finite in ``rows``."""
    if use_rep not in adata.obsm:
        have = some(adata.obsm.keys()) or "nothing"
        msg = f"use_rep={use_rep!r} is not in adata.obsm, which has: {have}. For 'X_pca', run sc.pp.pca(adata) first."
        raise KeyError(msg)
    found = in_memory(adata.obsm[use_rep])
    x = np.asarray(found)
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.number) or np.iscomplexobj(x):
        msg = f"use_rep={use_rep!r} names a {type(found).__name__}; it must be a dense table of numbers, cells x axes."
        raise TypeError(msg)
    bad = rows[~np.isfinite(x[rows]).all(axis=1)]
    if len(bad):
        names = some(adata.obs_names[bad])
        msg = f"use_rep={use_rep!r} holds NaN or infinite values in {len(bad)} cells: {names}. Remove these cells."
        raise ValueError(msg)
    return x.astype(np.result_type(x, np.float32), copy=False)


def _members(
    parts: list[Stratum],
    embedding: NDArray[np.floating],
    seed: np.random.SeedSequence,
    *,
    size: int,
    max_reuse: float,
    n_metacells: int | None,
) -> NDArray[np.intp]:
    """Rows of the cells of each metacell, the representative first."""
    fewest_new = max(1, size - int(max_reuse * size + 1e-9))  # 0.29 * 100 is 28.999999999999996
    pooled: list[NDArray[np.intp]] = []
    for part in parts:
        near = neighbourhoods(embedding[part.rows], size)
        order = np.random.default_rng(child(seed, part.place)).permutation(len(near))
        pooled.append(part.rows[near[cover(near, order, fewest_new, n_metacells)]])
    sizes = zip(parts, pooled, strict=True)
    fewer = [part.label or "all cells" for part, of_part in sizes if len(of_part) < (n_metacells or 0)]
    if fewer:
        warn(f"max_reuse={max_reuse} allows fewer than n_metacells={n_metacells} metacells in {some(fewer)}.")
    return np.concatenate(pooled)


def _obs(adata: AnnData, representatives: NDArray[np.intp], size: int, groupby: GroupBy | None) -> pd.DataFrame:
    names = [f"metacell-{i}" for i in range(len(representatives))]
    columns = {"representative": adata.obs_names[representatives], "n_cells": size}
    obs = pd.DataFrame(columns, index=names)
    if groupby is None:
        return obs
    names_of_groups = [groupby] if isinstance(groupby, str) else list(groupby)
    for place, name in enumerate(names_of_groups):
        obs.insert(place, name, column(adata.obs, name).astype("category").array[representatives])
    return obs
