"""Similarity of cells by regulator activity, on AnnData."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces import _log, _slots
from pysces._check import flag, no_effect, warn
from pysces._enrich.similarity import SIGMOID, common_regulators
from pysces._enrich.similarity import similarity as similarity_of_cells
from pysces._parallel import resolve_threads
from pysces._stale import warn_of_foreign_cells

if TYPE_CHECKING:
    from anndata import AnnData

    from pysces._enrich.similarity import Tail, Weights

MOST_CELLS = 50_000
"""With more, the matrix would take more than 10 GB."""


def similarity(
    adata: AnnData,
    *,
    key: str = _slots.VIPER,
    weights: Weights = SIGMOID,
    n_top: int | None = None,
    tail: Tail = "two-sided",
    scale: bool = False,
    n_threads: int = 0,
    key_added: str | None = None,
    copy: bool = False,
) -> AnnData | None:
    r"""Compare every two cells by their most active and inactive regulators (viperSimilarity).

    The regulators of cell i, with weights :math:`w_i` that favour large scores, are enriched among the regulators of
    cell j, ranked by score, :math:`t_j = \Phi^{-1}(rank / (n + 1))`:

    .. math::
        s_{ij} = \frac{\sum_g w_{ig} t_{jg}}{\sum_g |w_{ig}|} \sqrt{\sum_g w_{ig}^2}, \qquad
        \text{similarity} = \frac{s_{ij}^3 + s_{ji}^3}{s_{ij}^2 + s_{ji}^2}.

    Parameters
    ----------
    adata
        Annotated data with activities from :func:`pysces.tl.viper`.
    key
        The ``key_added`` of :func:`pysces.tl.viper`.
    weights
        A pair: a score weighs 0.5 if its size is the first number and 0.1 if it is the second, less than the first,
        along a sigmoid. A number k of at least 0: a score weighs (size / largest of the cell)^k, where the largest is
        that of all sizes, or with ``tail="greater"`` of the scores. Weights have the sign of the score.
    n_top
        Instead of ``weights``: that many scores at the end ``tail`` of a cell, or half of them at each end, weigh 1, or
        -1 if they are negative, and all others 0.
    tail
        ``"two-sided"``: positive and negative scores have weights; ``"greater"``, ``"less"``: only positive or only
        negative ones, so that cells are alike in what is active or in what is inactive.
    scale
        Divide by the mean of the similarities of the two cells to themselves (NaN unless positive); then 1 - similarity
        is a distance.
    n_threads
        Number of threads, 0 for all; never changes the result.
    key_added
        Key in ``obsp`` and ``uns``; by default ``key`` with ``"_similarity"``.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.obsp[key_added]``
        float32 array, cells x cells, symmetric, dense: 10 GB for 50,000 cells. Only regulators count that all cells
        with activities have (networks of groups may lack some). Cells without activities, and those without a score in
        the tail, are NaN.
    ``adata.uns[key_added]["params"]``
        Parameters and versions.

    Raises
    ------
    KeyError
        If there are no activities.
    ValueError
        If there are more than 50,000 cells, fewer than 2 regulators that all cells have, ``key_added`` is ``key``, or a
        parameter is not valid.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> markers = {"B": ["CD79A", "CD79B", "MS4A1", "CD74"], "M": ["LYZ", "CST3", "S100A9", "S100A8"]}
    >>> net = pd.DataFrame([(name, gene, 1.0) for name in markers for gene in markers[name]])
    >>> ps.tl.viper(adata, net.set_axis(["source", "target", "weight"], axis=1), min_targets=3)
    >>> ps.tl.similarity(adata, scale=True)
    >>> adata.obsp["viper_similarity"].shape
    (700, 700)
    """
    result = _slots.target(adata, copy=copy)
    if adata.n_obs > MOST_CELLS:
        msg = (
            f"a similarity of {adata.n_obs:,} x {adata.n_obs:,} cells takes {adata.n_obs**2 * 4 / 1e9:.0f} GB; at most "
            f"{MOST_CELLS:,} cells are compared. Choose some cells, or pool them first (pysces.pp.metacells)."
        )
        raise ValueError(msg)
    flag(scale, "scale")
    if n_top is not None:
        no_effect({"weights": (weights, SIGMOID)}, f"n_top={n_top!r}", "leave one of them out")
    n_threads = resolve_threads(n_threads)
    key_added = _slots.similarity_key(key) if key_added is None else key_added
    if key_added == key:
        msg = f"key_added is {key_added!r}, where the activities are; choose another key."
        raise ValueError(msg)
    activity, _ = _slots.read_activity(adata, key)
    warn_of_foreign_cells(adata, key)
    nes = activity.to_numpy(np.float32)
    common = common_regulators(nes)
    since = _log.start(f"comparing {adata.n_obs} cells by {common.sum()} of {len(common)} regulators")
    with _log.progress(len(nes), "cells") as done:
        similar = similarity_of_cells(
            nes[:, common], weights=weights, n_top=n_top, tail=tail, scale=scale, n_threads=n_threads, on_done=done
        )
    without = np.isnan(similar.diagonal()).sum()
    if without:
        warn(f"{without} cells have no activities, or none to be compared by: their similarities are NaN.")
    parameters = _slots.params(key=key, weights=weights if n_top is None else None, n_top=n_top, tail=tail, scale=scale)
    _slots.write_similarity(result, key_added, similar, parameters)
    _log.done(since, f"added\n    {key_added!r}, similarity of cells (adata.obsp)")
    return result if copy else None
