"""Regulator activities of the cells of an AnnData."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces import _log, _slots
from pysces._check import some, warn
from pysces._matrix import choose
from pysces._network import check_network
from pysces._strata import Stratum, strata
from pysces.estimators import VIPER, NotScorableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import ArrayLike, NDArray

    from pysces._enrich.signatures import SignatureName

FEW_CELLS = 10
"""Groups with fewer cells have unreliable moments of their own."""


def viper(
    adata: AnnData,
    network: str | pd.DataFrame = _slots.ARACNE,
    *,
    groupby: str | None = None,
    groups: Sequence[str] | None = None,
    reference: str | ArrayLike | None = None,
    layer: str | None = None,
    use_raw: bool = False,
    signature: SignatureName = "scale",
    enrichment: str = "area",
    filter_genes: bool = True,
    min_targets: int = 25,
    n_threads: int = 0,
    key_added: str = _slots.VIPER,
    copy: bool = False,
) -> AnnData | None:
    """Score the activity of regulators in every cell by the expression of their targets.

    Runs :class:`pysces.VIPER`, whose page has the formulas.

    Parameters
    ----------
    adata
        Annotated data; X or the layer holds log-normalised values or counts, dense, CSR or CSC, never made dense.
    network
        Key in ``uns`` of a network from :func:`pysces.tl.aracne`, or a table with the columns ``source``, ``target``,
        ``weight`` and, optionally, ``likelihood`` and ``group``.
    groupby
        Column of ``adata.obs``: each group of cells is scored with its own network, if the network has groups, and by
        default against its own cells.
    groups
        Only these groups; the activities of all other cells are NaN.
    reference
        Cells with which every cell is compared: ``"all"``, the name of a boolean column of ``adata.obs``, or a mask of
        cells; by default all cells of the same group. Comparing activities between groups needs ``"all"``.
    layer, use_raw
        Which matrix; by default X.
    signature, enrichment, filter_genes, min_targets
        See :class:`pysces.VIPER`.
    n_threads
        Number of threads, 0 for all; never changes the result.
    key_added
        Key in ``obsm`` and ``uns``.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.obsm[key_added]``
        float32 table, cells x regulators: normalised enrichment scores, NaN where a group lacks the regulon.
    ``adata.uns[key_added]["regulons"]``
        Table with the columns ``source`` and ``n_targets`` (and ``group``).
    ``adata.uns[key_added]["params"]``
        Parameters and versions.

    Raises
    ------
    ValueError
        If X holds NaN, infinite or (with a signature other than ``"none"``) negative values, gene names are not unique,
        the network is not valid or shares no gene with the data, or no regulator has ``min_targets`` targets.
    KeyError
        If a column, layer or key is not there.
    TypeError
        If group labels are not strings.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.viper(adata, net, min_targets=4, filter_genes=False)
    >>> adata.obsm["viper"].groupby(adata.obs["cell_type"], observed=True)["B"].mean().idxmax()
    'CD19+ B'
    """
    result = _slots.target(adata, copy=copy)
    table = check_network(_slots.read_network(adata, network) if isinstance(network, str) else network)
    chosen = choose(adata, layer=layer, use_raw=use_raw, mask_var=None)
    grouped = "group" in table.columns
    if grouped and groupby is None:
        msg = (
            "network has one part per group; name the obs column of the groups (groupby=), or choose one network: "
            "pysces.get.network(adata, group)."
        )
        raise ValueError(msg)
    parts = strata(adata.obs, groupby, groups)
    reference_rows = _reference_rows(adata, reference)
    since = _log.start(f"scoring regulators in {len(parts)} group{'s' * (len(parts) != 1)} of cells")
    models: dict[str, VIPER] = {}
    scores: dict[str, NDArray[np.float32]] = {}
    reason: NotScorableError | None = None
    for part in parts:
        own = table[table["group"] == part.label] if grouped else table
        if own.empty:
            continue
        model = VIPER(
            own, signature=signature, enrichment=enrichment, filter_genes=filter_genes, min_targets=min_targets,
            reference=None if reference_rows is None else np.arange(len(reference_rows)), n_threads=n_threads,
        )  # fmt: skip
        allow_negative = signature == "none"
        try:
            model.fit(
                chosen.x, chosen.genes, rows=part.rows if reference_rows is None else reference_rows,
                allow_negative=allow_negative,
            )  # fmt: skip
        except NotScorableError as error:
            if len(parts) == 1:
                raise
            reason = error
            continue
        scored = model.transform(chosen.x, rows=part.rows, allow_negative=allow_negative)
        models[part.label], scores[part.label] = model, scored.astype(np.float32)
    own_reference = reference_rows is None and signature != "none"
    if not scores:
        msg = f"no group of adata.obs[{groupby!r}] can be scored. The last one: {reason or 'it has no network.'}"
        raise ValueError(msg) from reason
    _report(parts, scores, own_reference=own_reference, groupby=groupby, min_targets=min_targets)

    slashed = sorted({str(name) for model in models.values() for name in model.regulators_ if "/" in name})
    if slashed:
        warn(f"regulators {some(slashed)} hold '/', which files of anndata cannot keep in obsm; rename them to save.")
    activity, regulons = _tables(adata, parts, models, scores, grouped=groupby is not None)
    _slots.write_activity(
        result, key_added, activity, regulons,
        _slots.params(
            network=network if isinstance(network, str) else None, groupby=groupby,
            groups=None if groups is None else list(groups),
            reference=reference if isinstance(reference, str) else None, layer=layer, use_raw=use_raw,
            signature=signature, enrichment=enrichment, filter_genes=filter_genes, min_targets=min_targets,
        ),
    )  # fmt: skip
    _log.done(since, f"added\n    {key_added!r}, activities of {activity.shape[1]} regulators (adata.obsm)")
    return result if copy else None


def _reference_rows(adata: AnnData, reference: str | ArrayLike | None) -> NDArray[np.intp] | None:
    """Rows of the reference cells; None: those of the group itself."""
    if reference is None:
        return None
    if isinstance(reference, str):
        if reference == "all":
            return np.arange(adata.n_obs)
        if reference not in adata.obs.columns:
            msg = f"reference={reference!r} is neither 'all' nor a column of adata.obs: {some(adata.obs.columns, 20)}."
            raise KeyError(msg)
        mask = adata.obs[reference].to_numpy()
    else:
        mask = np.asarray(reference)
    if mask.dtype != np.bool_ or mask.shape != (adata.n_obs,):
        msg = f"reference must be {adata.n_obs} booleans, one per cell; found {mask.dtype} of shape {mask.shape}."
        raise ValueError(msg)
    return np.flatnonzero(mask)


def _report(
    parts: list[Stratum],
    scores: dict[str, NDArray[np.float32]],
    *,
    own_reference: bool,
    groupby: str | None,
    min_targets: int,
) -> None:
    """Warn of groups without scores, or with few cells to learn from."""
    without = [part.label for part in parts if part.label not in scores]
    if without:
        warn(
            f"{len(without)} groups get no scores (NaN), for lack of a network in which a regulator has "
            f"min_targets={min_targets} targets, or of cells: {some(without, 20)}."
        )
    few = [part.label for part in parts if part.label in scores and len(part.rows) < FEW_CELLS]
    if groupby is not None and own_reference and few:
        warn(f"{len(few)} groups have fewer than {FEW_CELLS} cells to be compared with: {some(few, 20)}.")


def _tables(
    adata: AnnData,
    parts: list[Stratum],
    models: dict[str, VIPER],
    scores: dict[str, NDArray[np.float32]],
    *,
    grouped: bool,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Activities of all cells, in the order of the cells, and the regulons they come from."""
    names = np.unique(np.concatenate([model.regulators_ for model in models.values()]))
    activity = np.full((adata.n_obs, len(names)), np.nan, np.float32)
    for part in parts:
        if part.label in scores:
            activity[np.ix_(part.rows, np.searchsorted(names, models[part.label].regulators_))] = scores[part.label]
    source = np.concatenate([model.regulators_ for model in models.values()])
    regulons = pd.DataFrame(
        {
            "source": pd.Categorical(source, categories=names.tolist()),
            "n_targets": np.concatenate([model.n_targets_ for model in models.values()]),
        }
    )
    if grouped:
        group = np.repeat(list(models), [len(model.regulators_) for model in models.values()])
        regulons["group"] = pd.Categorical(group, categories=list(models))
        regulons = regulons[["group", "source", "n_targets"]]
    return pd.DataFrame(activity, index=adata.obs_names, columns=names), regulons
