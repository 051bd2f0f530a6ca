"""Gene sets among the active regulators of a cell, on AnnData."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces import _log, _slots
from pysces._check import some, whole_number
from pysces._names import as_text, question
from pysces._network import check_network
from pysces.estimators import VIPER
from pysces.estimators._remarks import say
from pysces.io._columns import sign_column

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray


def pathways(
    adata: AnnData,
    gene_sets: pd.DataFrame | Mapping[str, Iterable[str]],
    *,
    key: str = _slots.VIPER,
    min_targets: int = 5,
    n_threads: int = 0,
    key_added: str = _slots.PATHWAYS,
    copy: bool = False,
) -> AnnData | None:
    """Score in every cell whether the members of gene sets are among the most active regulators.

    The regulators of a cell are ranked by their activity, and the enrichment of each set among them is scored by aREA:
    :class:`pysces.VIPER` with ``signature="none"``, activities in place of expression and sets in place of regulons.
    Members weigh 1 unless a table says otherwise: the score is high where they are among the most active regulators,
    low where they are among the least active, and near 0 where they are at both ends or in the middle. Activities of
    regulators that share targets go together: sets of such get scores wider than a standard normal, and p-values that
    are too small.

    The same sets go into :func:`pysces.tl.viper` to score the expression of their genes in every cell, and into
    :func:`pysces.tl.msviper` to compare it between groups of cells (see the examples).

    Parameters
    ----------
    adata
        Annotated data with activities from :func:`pysces.tl.viper`.
    gene_sets
        Names of sets and their genes, ``{"T cell activation": ["NFATC1", ...]}``; or a table with the columns
        ``source`` (the set), ``target`` (the gene) and, if there are such, ``weight`` in [-1, 1] and ``likelihood`` in
        (0, 1]: from :func:`pysces.io.read_gmt`, decoupler or any other.
    key
        The ``key_added`` of :func:`pysces.tl.viper`.
    min_targets
        Sets with fewer members among the regulators are dropped.
    n_threads
        Number of threads, 0 for all; never changes the result.
    key_added
        Key in ``obsm`` and ``uns``; what reads activities reads it as well: ``pysces.get.activity(adata, key=...)``.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.obsm[key_added]``
        float32 table, cells x gene sets: normalised enrichment scores. Regulators without activity in a cell (NaN)
        count neither as members nor as others there; NaN where no member has an activity.
    ``adata.uns[key_added]["regulons"]``
        Table with the columns ``source``, ``n_targets`` (members among the regulators), ``null_shift``,
        ``null_spread`` and ``null_coupling``: ``null_spreads_`` of :class:`pysces.VIPER`.
    ``adata.uns[key_added]["params"]``
        Parameters, with what cells were compared for the activities, and versions.

    Raises
    ------
    KeyError
        If there are no activities.
    ValueError
        If no set has ``min_targets`` members among the regulators, the table is not valid, or ``key_added`` is ``key``.
    TypeError
        If ``gene_sets`` is neither a table nor names with lists of genes.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=1)
    >>> ps.tl.viper(adata, min_targets=5)
    >>> sets = {"dendritic": ["IRF8", "SPI1", "FOS"], "nuclear bodies": ["SP100", "SP110", "SP140"]}
    >>> ps.tl.pathways(adata, sets, min_targets=3)
    >>> adata.obsm["pathways"].groupby(adata.obs["cell_type"], observed=True)["dendritic"].mean().idxmax()
    'Dendritic'

    Sets of the genes that cells express, by cell and between groups:

    >>> net = ps.io.read_gmt("sets.gmt")  # doctest: +SKIP
    >>> ps.tl.viper(adata, net, min_targets=5, key_added="expressed")  # doctest: +SKIP
    >>> ps.tl.msviper(adata, "cell_type", "CD19+ B", network=net, min_targets=5)  # doctest: +SKIP
    """
    result = _slots.target(adata, copy=copy)
    whole_number(min_targets, "min_targets", least=1)
    if key_added == key:
        msg = f"key_added is {key_added!r}, where the activities are; choose another key."
        raise ValueError(msg)
    activity, _ = _slots.read_activity(adata, key)
    regulators = np.asarray(activity.columns, dtype=object)
    network = _network(gene_sets)
    _check_members(network, regulators, min_targets, key)

    since = _log.start(f"scoring gene sets among {len(regulators)} regulators")
    nes = activity.to_numpy(np.float32)
    model = VIPER(network, signature="none", filter_genes=False, min_targets=min_targets, n_threads=n_threads)
    scores = model._fit(nes, regulators).transform(nes).astype(np.float32)
    say({"": model.remarks_}, units=("gene set", "regulators"))
    names = model.regulators_
    share = float(np.isin(network["target"].unique().astype(str), regulators.astype(str)).mean())
    n_sets = network["source"].nunique()
    _log.info(
        f"scored {len(names):,} of {n_sets:,} gene sets (min_targets={min_targets}); {100 * share:.0f} % of their "
        "members are among the regulators"
    )
    regulons = pd.DataFrame({"source": pd.Categorical(names), "n_targets": model.n_targets_})
    regulons[list(_slots.NULL_SPREADS)] = model.null_spreads_
    table = pd.DataFrame(scores, index=adata.obs_names, columns=names)
    parameters = _slots.params(
        key=key, min_targets=min_targets, n_gene_sets=n_sets, share_of_members=share, **_slots.comparison(adata, key)
    )
    _slots.write_activity(result, key_added, {"": table}, None, regulons, parameters, _slots.read_cells(adata, key))
    _log.done(since, f"added\n    {key_added!r}, scores of {len(names)} gene sets (adata.obsm)")
    return result if copy else None


def _network(gene_sets: object) -> pd.DataFrame:
    """Gene sets as a network."""
    if isinstance(gene_sets, pd.DataFrame):
        if "weight" not in gene_sets.columns and (found := sign_column(gene_sets)) is not None:
            msg = (
                f"gene_sets has no column 'weight', but {found!r} may hold the signs of the genes; read it with "
                "pysces.io.as_network(gene_sets), or drop it."
            )
            raise ValueError(msg)
        table = gene_sets if "weight" in gene_sets.columns else gene_sets.assign(weight=1.0)
        table = table[[name for name in ("source", "target", "weight", "likelihood") if name in table.columns]]
    elif isinstance(gene_sets, Mapping):
        table = _of_mapping(gene_sets)
    else:
        msg = (
            f"gene_sets is {type(gene_sets).__name__}; give a table with the columns source and target, such as from "
            "pysces.io.read_gmt, or a dict of lists of genes."
        )
        raise TypeError(msg)
    if table.empty:
        msg = "gene_sets holds no genes; give at least one set."
        raise ValueError(msg)
    try:
        return check_network(table)
    except ValueError as error:
        msg = f"gene_sets must be a valid network, but {error}"
        raise ValueError(msg) from error


def _of_mapping(gene_sets: Mapping[str, Iterable[str]]) -> pd.DataFrame:
    """One row per set and gene; a gene that a set holds twice counts once."""
    for name, genes in gene_sets.items():
        if not isinstance(name, str) or isinstance(genes, str) or not isinstance(genes, Iterable):
            msg = (
                f"gene_sets[{name!r}] is {genes!r}; give sets by name, each a list of genes: {{'name': ['gene', ...]}}."
            )
            raise TypeError(msg)
    named = {name: as_text(genes, f"gene_sets[{name!r}]") for name, genes in gene_sets.items()}
    members = [(name, gene) for name, genes in named.items() for gene in dict.fromkeys(genes)]
    return pd.DataFrame(members, columns=["source", "target"]).assign(weight=1.0)


def _check_members(network: pd.DataFrame, regulators: NDArray[np.object_], min_targets: int, key: str) -> None:
    """Raise if all sets are too small, saying how many regulators there are for them to hold."""
    among = network["source"].astype(str)[network["target"].astype(object).isin(regulators)]
    overlaps = among.value_counts()
    if len(overlaps) and overlaps.iloc[0] >= min_targets:
        return
    if len(overlaps):
        largest = f"the largest overlap is {overlaps.iloc[0]} ({overlaps.index[0]!r})"
        remedy = "Lower min_targets, or give sets that hold more regulators."
    else:
        largest, remedy = "none has any", question(network["target"].unique(), regulators, "members", "regulators")
    msg = (
        f"no gene set has min_targets={min_targets} members among the {len(regulators)} regulators of "
        f"adata.obsm[{key!r}] ({some(regulators)}): {largest}. {remedy}"
    )
    raise ValueError(msg)
