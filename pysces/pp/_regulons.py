"""Regulons from networks: the mode of regulation of every edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pysces import _log
from pysces._check import some, warn
from pysces._enrich import mixture
from pysces._matrix import choose, choose_depth
from pysces._names import question
from pysces.estimators._cells import warn_of_depth
from pysces.estimators._edges import edge_correlations
from pysces.pp._networks import checked

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

FEWEST_EDGES = 30
"""Seven parameters are not told from fewer."""


def regulons(
    adata: AnnData,
    network: pd.DataFrame,
    *,
    layer: str | None = None,
    use_raw: bool = False,
    depth: str | None = "auto",
    n_threads: int = 0,
) -> pd.DataFrame:
    """Turn the edges of another program into regulons, with the expression that the network was inferred from.

    Every edge gets the Spearman correlation of its regulator and target (average ranks, among cells of the same
    sequencing depth as in :func:`pysces.tl.aracne`), a likelihood, which is its mutual information over the largest of
    the network, and the mode of regulation that :func:`mode_of_regulation` makes of the correlations. Networks of
    :func:`pysces.tl.aracne` have correlations and likelihoods: :func:`mode_of_regulation` is enough for them.

    Parameters
    ----------
    adata
        Annotated data; X or the layer is dense, CSR or CSC, in memory, backed or dask, never made dense.
    network
        Table with the columns ``source``, ``target`` and ``mi``, any unit, or ``likelihood`` in (0, 1]; without either,
        all likelihoods are 1. It is left as it is.
    layer, use_raw
        Which matrix; by default X.
    depth
        Sequencing depth, without which repressed targets look activated in counts, as in :func:`pysces.tl.aracne`:
        ``"auto"``, a column of ``adata.obs`` or ``None``. A warning says where it is not known.
    n_threads
        Number of threads, 0 for all; never changes the result.

    Returns
    -------
    A new table: ``source``, ``target``, float64 ``weight`` (mode of regulation) in [-1, 1] and ``likelihood`` in
    (0, 1], the other columns of ``network`` and float64 ``scc`` (Spearman); in ``attrs["mixture"]`` the fit. Edges with
    a gene that is absent or constant have no correlation; they are left out with a warning.

    Raises
    ------
    ValueError
        If X is not finite, gene names are not unique, the network is not valid, has groups (correlations of a group are
        of its cells: give the cells and edges of one group at a time), or fewer than 30 edges with a correlation.
    KeyError
        If the layer, or the column of the depth, is not there.
    TypeError
        If X is not a matrix of real numbers, ``network`` not a DataFrame, or the depth not numbers.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> edges = pd.DataFrame({"source": "LYZ", "target": adata.var_names[:50].drop("LYZ", errors="ignore"), "mi": 0.1})
    >>> net = ps.pp.regulons(adata, edges)
    >>> net.columns.tolist()
    ['source', 'target', 'weight', 'likelihood', 'mi', 'scc']
    """
    ends = checked(network, weight=0.0)[["source", "target"]].astype(object)
    if "group" in network.columns:
        msg = (
            "network has one part per group, and correlations of a group are of its own cells; for each group, call "
            "regulons with its cells and its edges: adata[cells], network[network['group'] == label].drop(columns="
            "'group')."
        )
        raise ValueError(msg)
    chosen = choose(adata, layer=layer, use_raw=use_raw, mask_var=None)
    of_cells = choose_depth(adata, depth)
    since = _log.start(f"correlating the genes of {len(network)} edges")
    correlation, depth_source = edge_correlations(
        chosen.x, chosen.genes, ends["source"], ends["target"], of_cells, n_threads=n_threads
    )
    known = np.isfinite(correlation)
    if not known.any():
        genes = pd.unique(ends.to_numpy().ravel())
        msg = (
            f"no edge of the network ({some(genes)}) has two genes that are among those of adata "
            f"({some(chosen.genes)}) and vary. {question(genes, chosen.genes, 'genes of the network')}"
        )
        raise ValueError(msg)
    if not known.all():
        warn(f"{(~known).sum()} of {len(known)} edges have a gene that is absent or constant and are left out.")
    warn_of_depth([depth_source], depth="a column of adata.obs")
    table = network.loc[known].assign(scc=correlation[known]).reset_index(drop=True)
    if "likelihood" not in table.columns:
        table["likelihood"] = _share_of_largest(table["mi"]) if "mi" in table.columns else 1.0
    table = mode_of_regulation(table)
    _log.done(since, f"returned\n    regulons of {table['source'].nunique()} regulators, {len(table)} edges")
    front = ["source", "target", "weight", "likelihood"]
    return table[[*front, *(name for name in table.columns if name not in front)]]


def _share_of_largest(mi: pd.Series[Any]) -> NDArray[np.float64]:
    """Mutual information over its largest, above 0."""
    values = mi.to_numpy(np.float64)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() > 0):
        msg = (
            f"network['mi'] runs from {values.min():g} to {values.max():g}; mutual information must be finite, not "
            "below 0, and above 0 for some edge. Drop the other edges, or give a column likelihood in (0, 1]."
        )
        raise ValueError(msg)
    likelihood: NDArray[np.float64] = np.maximum(values / values.max(), np.finfo(np.float64).tiny)
    return likelihood


def mode_of_regulation(network: pd.DataFrame, *, correlation: str = "scc") -> pd.DataFrame:
    r"""Mode of regulation of every edge, from where its correlation lies among those of all edges.

    Three Gaussians are fitted to the Spearman correlations :math:`\rho` of all edges, or of each group: repression,
    activation, and in between, with mean 0, edges without a clear direction. With the cumulative distributions
    :math:`F_-`, :math:`F_+` and :math:`F_0`,

    .. math::
        m = \frac{F_+(\rho)}{1 - F_-(\rho) + 1 - F_0(\rho) + F_+(\rho)} \;(\rho \ge 0), \quad
        m = -\frac{1 - F_-(\rho)}{1 - F_-(\rho) + F_0(\rho) + F_+(\rho)} \;(\rho < 0),

    is the weight: near 1 or -1 for edges that are clearly activating or repressing, near 0 for those that are not,
    which VIPER scores in both directions.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target`` and ``correlation``, and perhaps ``likelihood`` and ``group``;
        such as :func:`pysces.tl.aracne` stores. It is left as it is.
    correlation
        The column of correlations, in [-1, 1].

    Returns
    -------
    A copy of the table with the float64 column ``weight``. The fit is in ``attrs["mixture"]``, which files do not keep:
    lists ``mean``, ``sd``, ``proportion`` of the components (repression, none, activation) and ``log_likelihood``;
    with groups, a dict of these by group.

    Raises
    ------
    ValueError
        If the network is not valid, lacks the column, holds values outside [-1, 1], or if it, or a group of it, has
        fewer than 30 edges or correlations that are all the same.
    TypeError
        If ``network`` is not a DataFrame.

    Notes
    -----
    Maximum likelihood by expectation maximisation, from means of -0.5, 0 and 0.5, standard deviations of 0.15, 0.25 and
    0.15 and proportions of 0.2, 0.4 and 0.4, until a step changes no parameter by 1e-10. The mean of repression stays
    at most 0 and that of activation at least 0: where all correlations are positive, repression is like no effect, with
    a mean of 0 and next to no edges. Standard deviations stay at least 0.001, below which a component would be one
    value that several edges share. Where components overlap so much that 2,500 rounds do not settle them, a warning
    says so.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593; Varadhan and Roland 2008, doi:10.1111/j.1467-9469.2007.00585.x.

    Examples
    --------
    >>> import numpy as np, pandas as pd, pysces as ps
    >>> rho = np.concatenate([np.linspace(-0.6, -0.4, 30), np.linspace(-0.2, 0.2, 40), np.linspace(0.4, 0.6, 30)])
    >>> net = pd.DataFrame({"source": "TF", "target": [f"gene{i}" for i in range(100)], "scc": rho})
    >>> ps.pp.mode_of_regulation(net)["weight"].iloc[[0, 45, 55, 99]].round(2).tolist()
    [-1.0, -0.0, 0.0, 1.0]
    """
    checked(network, weight=0.0)
    if correlation not in network.columns:
        msg = (
            f"network lacks the column {correlation!r}; it has: {some(network.columns)}. Name the column of "
            "Spearman correlations (correlation=), or compute them: pysces.pp.regulons(adata, network)."
        )
        raise ValueError(msg)
    rho = network[correlation].to_numpy(np.float64)
    outside = ~(np.abs(rho) <= 1)
    if outside.any():
        msg = (
            f"network[{correlation!r}] must hold correlations in [-1, 1]; {outside.sum()} of {len(rho)} values are not "
            f"(such as {rho[outside][0]:g}). Drop these edges."
        )
        raise ValueError(msg)
    if "group" not in network.columns:
        weight, fitted = _fit(rho, f"network[{correlation!r}]")
        result = network.assign(weight=weight)
        result.attrs["mixture"] = fitted
        return result
    weight, fits = np.empty(len(rho)), {}
    for label, edges in network.groupby("group", observed=True).indices.items():
        weight[edges], fits[label] = _fit(rho[edges], f"network[{correlation!r}] of group {label!r}")
    result = network.assign(weight=weight)
    result.attrs["mixture"] = fits
    return result


def _fit(rho: NDArray[np.float64], name: str) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Modes of regulation, and the mixture as plain lists, which any table can carry."""
    if len(rho) < FEWEST_EDGES or np.ptp(rho) == 0:
        same = "" if len(rho) < FEWEST_EDGES else f", all {rho[0]:g}"
        msg = (
            f"{name} holds {len(rho)} correlations{same}; three Gaussians need at least {FEWEST_EDGES} that are not "
            "all the same. Leave these edges out, give more (those of all groups as one: drop the column group), or "
            "take the correlations as they are: network.assign(weight=network['scc'])."
        )
        raise ValueError(msg)
    fitted = mixture.fit(rho)
    values = {name: np.asarray(value).tolist() for name, value in fitted._asdict().items()}
    return mixture.modes_of_regulation(rho, fitted.mean, fitted.sd), values
