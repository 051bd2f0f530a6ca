"""Regulator activities of the cells of an AnnData."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pysces import _log, _slots
from pysces._cells import remembered
from pysces._check import one_of, some, warn
from pysces._cluster import active_client, reading_with
from pysces._coverage import tell_coverage
from pysces._enrich.calibration import lost_to_ties
from pysces._frame import in_memory
from pysces._matrix import checked_blocks, choose, n_rows
from pysces._network import check_network
from pysces._random import seed_sequence
from pysces._stale import stale_groups
from pysces._strata import group_labels, strata
from pysces.estimators._remarks import say, warn_of_empty_cells
from pysces.get._activity import without_scores
from pysces.tl._measured import codes_of, warn_of_unmeasured
from pysces.tl._panel import default_weights
from pysces.tl._plan import Run
from pysces.tl._raw_counts import BY_VALUE, warn_of_counts
from pysces.tl._results import Arrays, checked_path, new_file
from pysces.tl._scoring import plan_of, references

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from anndata import AnnData
    from numpy.typing import ArrayLike, NDArray

    from pysces._enrich.signatures import SignatureName
    from pysces._matrix import Choice
    from pysces._random import Seed
    from pysces._strata import GroupBy, Stratum
    from pysces.estimators import Pleiotropy
    from pysces.estimators._options import GeneWeights
    from pysces.tl._panel import NetworkWeights
    from pysces.tl._plan import Plan
    from pysces.tl._scoring import Reference

MIN_NETWORKS = 2
CELLS_FOR_TIES = 16


def viper(
    adata: AnnData,
    network: str | pd.DataFrame | Mapping[str, str | pd.DataFrame] = _slots.ARACNE,
    *,
    groupby: GroupBy | None = None,
    groups: Sequence[str] | None = None,
    without_network: Literal["nan", "meta"] = "nan",
    reference: str | ArrayLike | None = None,
    layer: str | None = None,
    use_raw: bool = False,
    signature: SignatureName = "scale",
    enrichment: Literal["area", "narnea"] = "area",
    zeros: Literal["average", "random"] = "average",
    filter_genes: bool = True,
    min_targets: int = 25,
    adaptive_size: bool = False,
    gene_weights: GeneWeights | None = None,
    normalised: bool = True,
    pleiotropy: bool | Pleiotropy = False,
    n_bootstraps: int = 0,
    n_null: int = 0,
    network_weights: NetworkWeights | None = None,
    out: str | Path | None = None,
    client: Any = None,
    rng: Seed = 0,
    n_threads: int = 0,
    key_added: str = _slots.VIPER,
    copy: bool = False,
) -> AnnData | None:
    """Score the activity of regulators in every cell by the expression of their targets.

    Runs :class:`pysces.VIPER`, whose page has the formulas.

    Parameters
    ----------
    adata
        Annotated data; X or the layer holds log-normalised values, dense, CSR or CSC, never made dense.
    network
        Key in ``uns`` of a network from :func:`pysces.tl.aracne`, or a table with the columns ``source``, ``target``,
        ``weight`` and, optionally, ``likelihood`` and ``group``. Or several of these by name (metaVIPER): every cell is
        scored with all of them, and the scores are integrated (``network_weights``).
    groupby
        Column of ``adata.obs``, or several (their combinations): each group of cells is scored with its own network, if
        the network has groups, and by default against its own cells.
    groups
        Only these groups; the activities of all other cells are NaN.
    without_network
        What cells of a group get that has no network of its own, or none that can be scored: ``"nan"``, or ``"meta"``:
        they are scored with the networks of all other groups (and of all cells, if there is one), and the scores are
        integrated as those of several networks.
    reference
        Cells with which every cell is compared: ``"all"``, ``"rest"`` (those outside the group of the cell), a group of
        ``groupby``, the name of a boolean column of ``adata.obs``, or a mask of cells; by default all cells of the
        same group. Comparing activities between groups needs one reference for all, such as ``"all"``.
    layer, use_raw
        Which matrix; by default X.
    signature, enrichment, zeros, filter_genes, min_targets, adaptive_size, gene_weights, normalised, pleiotropy
        See :class:`pysces.VIPER`.
    n_bootstraps, n_null, rng
        See :class:`pysces.VIPER`. Every group draws anew from the same seed.
    network_weights
        How scores of several networks become one: an exponent k, for a mean of the NES weighted by abs(NES)^k (1 by
        default); a pair (inflection, slope), for weights 1 / (1 + exp(-slope (abs(NES) - inflection))); ``"stouffer"``,
        for the sum over the root of the number of networks. With ``"narnea"``, ``"vote"`` (the default): the weight of
        a network in a cell is the share of the regulators common to all whose abs(PES) is largest there, or
        ``"stouffer"``. Networks that lack a regulator do not count for it.
    out
        Path of a new ``.zarr`` or ``.h5ad`` file, for activities that do not fit in memory: scores are written as they
        come, and nothing to ``obsm``. The file is what :func:`pysces.get.activity` gives, with what else is asked for
        in the layers ``"sd"`` and ``"pes"``; it has its name only when it is whole. In memory are then at most what is
        read of X at a time (8,192 cells of a file, or whole chunks of a dask array, as many as hold about these; 1,024
        of what is dense; rows of a CSC matrix are read through all of it), one block of 512 cells per thread and its
        scores, and a few numbers per gene. Signatures ``"rank"``, ``"mad"`` and ``"doublerank"`` also keep the genes of
        the network of all reference cells, as sparse as they are. Of a view of a backed ``adata``, which nothing can be
        written to, the file is all that there is.
    client
        A ``dask.distributed.Client`` whose workers read and score blocks of cells where X is a dask array; by default
        the one that is active, if any.
    n_threads
        Number of threads, 0 for all; never changes the result.
    key_added
        Key in ``obsm`` and ``uns``, and beginning of the other keys.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.obsm[key_added]``
        float32 table, cells x regulators: normalised enrichment scores, NaN where a group lacks the regulon, and in
        cells without a value other than 0 in the genes ranked (a warning gives their number). Not with ``out``.
    ``adata.obsm[key_added + "_sd"]``
        With ``n_bootstraps``: float32 table, standard deviations of the scores.
    ``adata.obsm[key_added + "_pes"]``
        With ``enrichment="narnea"``: float32 table, proportional enrichment scores in [-1, 1].
    ``adata.obs[key_added + "_network"]``
        With several networks, or ``without_network="meta"``: categorical, the network whose scores are widest in the
        cell ((mean of the 50 largest - mean of the 50 smallest) / 2), or that has most votes; with ``"meta"`` that of
        its group where there is one.
    ``adata.uns[key_added]["regulons"]``
        Table with the columns ``source``, ``n_targets`` (and ``group``, and ``network``), and ``null_shift``,
        ``null_spread`` and ``null_coupling``: ``null_spreads_`` of :class:`pysces.VIPER`.
    ``adata.uns[key_added]["params"]``
        Parameters and versions; ``n_regulators`` scored, ``n_regulators_of_network`` and ``share_of_targets``, the
        share of the network's targets that are among the genes, which a log line tells as well. A warning says if
        fewer than a quarter of the regulons of ``min_targets`` targets have as many among the genes, as with the 2,000
        most variable genes and a network of prior knowledge. ``all_genes_ranked`` tells whether
        all genes were ranked in spite of ``filter_genes``, or in which groups or networks.
    ``adata.uns[key_added]["cells"]``
        Hashes of the names of the cells and, with groups, the group of each, by which cells that were not scored
        together, and groups that were made anew since, are found out.

    Warns
    -----
    UserWarning
        If groups hold other cells than when their networks in ``uns`` were inferred; if genes that are common in one
        group have no count in another, as after an outer join; if groups get no scores; if X holds counts, and the
        signature compares values of genes (all but ``"doublerank"`` and ``"none"``).

    Raises
    ------
    ValueError
        If X holds NaN, infinite or (with a signature other than ``"none"``) negative values, gene names are not unique,
        the network is not valid or shares no gene with the data, no regulator has ``min_targets``
        targets, ``reference`` means more than one thing (a label ``"rest"``), options exclude each other, or ``adata``
        is a view of a backed file, without ``out``.
    KeyError
        If a column, layer or key is not there.
    TypeError
        If group labels are not strings.
    FileExistsError, FileNotFoundError
        If ``out`` is there already, or its folder is not.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.viper(adata, net, min_targets=4)
    >>> adata.obsm["viper"].groupby(adata.obs["cell_type"], observed=True)["B"].mean().idxmax()
    'CD19+ B'
    """
    only_file = out is not None and not copy and _slots.is_part_of_file(adata)
    result = adata if only_file else _slots.target(adata, copy=copy)
    cluster = active_client(client)
    if out is not None:
        checked_path(out)
    named = network if isinstance(network, Mapping) else {"": network}
    tables = {name: _table(adata, given, grouped=groupby is not None) for name, given in named.items()}
    weights = default_weights(network_weights, enrichment)
    several, borrow = (
        isinstance(network, Mapping),
        one_of(without_network, ("nan", "meta"), "without_network") == "meta",
    )
    if several:
        _check_several(tables, n_bootstraps)
    elif network_weights is not None and not borrow:
        msg = f"network_weights={network_weights!r} needs several networks; give them by name: network={{'a': ...}}."
        raise ValueError(msg)
    if borrow:
        _check_borrowing(tables, n_bootstraps)
    settings = {
        "signature": signature, "enrichment": enrichment, "zeros": zeros, "filter_genes": filter_genes,
        "min_targets": min_targets, "adaptive_size": adaptive_size, "gene_weights": gene_weights,
        "normalised": normalised, "pleiotropy": pleiotropy, "n_bootstraps": n_bootstraps, "n_null": n_null,
        "rng": seed_sequence(rng), "n_threads": n_threads,
    }  # fmt: skip
    chosen = choose(adata, layer=layer, use_raw=use_raw, mask_var=None)
    parts = strata(adata.obs, groupby, groups)
    if groupby is not None:
        for table_key in [given for given in named.values() if isinstance(given, str)]:
            if stale := stale_groups(adata, table_key, groupby, "aracne(adata, ...)", [part.label for part in parts]):
                warn(f"networks of other cells: {stale}")
    against = references(adata, parts, groupby, reference)
    with reading_with(cluster):
        if signature in BY_VALUE:
            warn_of_counts(chosen.x, f"signature={signature!r}")
        _warn_of_unmeasured(chosen, parts, against)
    since = _log.start(f"scoring regulators in {len(parts)} group{'s' * (len(parts) != 1)} of cells")
    plan = plan_of(chosen, tables, parts, against, groupby, settings, weights, borrow=borrow, client=cluster)
    used = {name: _of_parts(table, parts) if not borrow else table for name, table in tables.items()}
    covered = tell_coverage(used, chosen.genes, len(plan.regulators), min_targets)
    fields = ["nes", *["sd"] * (n_bootstraps > 0), *["pes"] * (enrichment == "narnea")]
    parameters = _slots.params(
        network=network if isinstance(network, str) else None, networks=list(named) if several else None,
        network_weights=weights if several or borrow else None, groupby=groupby,
        without_network=without_network if groupby else None, groups=None if groups is None else list(groups),
        reference=reference if reference is None or isinstance(reference, str) else "mask of cells",
        layer=layer, use_raw=use_raw,
        signature=signature, enrichment=enrichment, zeros=zeros, filter_genes=filter_genes,
        all_genes_ranked=_widened(plan), min_targets=min_targets, adaptive_size=adaptive_size, normalised=normalised,
        pleiotropy=bool(pleiotropy),
        **_flat(pleiotropy, gene_weights), n_bootstraps=n_bootstraps, n_null=n_null,
        rng=rng if isinstance(rng, int | np.integer) else None, out=None if out is None else str(out),
        **covered,
    )  # fmt: skip
    allow_missing = signature == "none" and enrichment == "area" and not pleiotropy
    cells = remembered(adata.obs_names, None if groupby is None else group_labels(adata.obs, groupby))
    run = Run(plan, allow_negative=signature == "none", allow_missing=allow_missing)
    on_cluster = cluster is not None and hasattr(chosen.x, "compute")
    score = partial(run.on_cluster, chosen.x, cluster) if on_cluster else partial(run.here, chosen.x, n_threads)
    tied = partial(_tied, chosen.x, plan, signature, cluster)
    if out is None:
        arrays = Arrays((adata.n_obs, len(plan.regulators)), fields)
        n_empty = score(arrays.write)
        _slots.write_activity(
            result, key_added, {
                _slots.OF_FIELD[name]: pd.DataFrame(table, index=adata.obs_names, columns=plan.regulators)
                for name, table in arrays.tables.items()
            }, _networks(plan, arrays.network), plan.regulons, parameters | tied(), cells,
        )  # fmt: skip
    else:
        empty, of_network = without_scores(result, plan.regulons, plan.regulators), key_added + _slots.OF_NETWORK
        empty.obs = in_memory(empty.obs).drop(columns=of_network, errors="ignore")
        if plan.labels:  # a name that no file can hold is better found now than after scoring
            empty.obs[of_network] = _networks(plan, np.full(adata.n_obs, -1))
        with new_file(out, empty, fields) as file:
            n_empty = score(file.write)
            chosen_network = _networks(plan, file.network)
            if chosen_network is not None:
                empty.obs[of_network] = chosen_network
        if not only_file:
            parameters |= tied()
            _slots.write_activity(result, key_added, {}, chosen_network, plan.regulons, parameters, cells)
    say(plan.remarks)
    warn_of_empty_cells(n_empty, len(run.rows))
    where = "adata.obsm" if out is None else str(out)
    _log.done(since, f"added\n    {key_added!r}, activities of {len(plan.regulators)} regulators ({where})")
    return result if copy else None


def _warn_of_unmeasured(chosen: Choice, parts: list[Stratum], against: list[Reference | None]) -> None:
    """Genes that were not measured in a group or, of one group, in the cells that it is compared with."""
    n_rows(chosen.x)
    rows, labels = [part.rows for part in parts], [repr(part.label) for part in parts]
    if len(parts) == 1 and against[0] is not None:
        rows, labels = [*rows, against[0].rows], ["the other cells", "the reference"]
    warn_of_unmeasured(chosen.x, codes_of(chosen.x.shape[0], rows), labels)


def _networks(plan: Plan, network: NDArray[np.intp]) -> pd.Categorical[str] | None:
    """The network of every cell, where it may be one of several."""
    if not plan.labels:
        return None
    return pd.Categorical.from_codes(network, categories=pd.Index(plan.labels))


def _tied(x: Any, plan: Plan, signature: str, client: Any) -> dict[str, float]:
    """Share of the variance of ready signatures that is lost to ties, in the median of some cells that were scored."""
    if signature != "none":
        return {}
    rows = np.flatnonzero(plan.part_of >= 0)
    few = rows[np.linspace(0, len(rows) - 1, min(len(rows), CELLS_FOR_TIES)).astype(np.intp)]
    with reading_with(client):
        parts: list[Any] = [part for _, part in checked_blocks(x, few, allow_negative=True, allow_missing=True)]
    cells = [np.asarray(part if isinstance(part, np.ndarray) else part.toarray(), np.float64) for part in parts]
    return {"tied": float(np.median([lost_to_ties(cell) for cell in np.concatenate(cells)]))}


def _widened(plan: Plan) -> bool | list[str]:
    """Whether all genes are ranked though only those of the network were asked for, or in which groups or networks."""
    if "" in plan.remarks:
        return bool(plan.remarks[""].widened)
    return [name for name, of in plan.remarks.items() if of.widened]


def _table(adata: AnnData, network: str | pd.DataFrame, *, grouped: bool) -> pd.DataFrame:
    table = check_network(_slots.given_network(adata, network))
    if "group" in table.columns and not grouped:
        msg = (
            "network has one part per group; name the obs column of the groups (groupby=), or choose one network: "
            "pysces.get.network(adata, group)."
        )
        raise ValueError(msg)
    return table


def _of_parts(table: pd.DataFrame, parts: list[Stratum]) -> pd.DataFrame:
    """The networks of some groups."""
    if "group" not in table.columns:
        return table
    return table[table["group"].isin([part.label for part in parts])]


def _check_several(tables: Mapping[str, pd.DataFrame], n_bootstraps: int) -> None:
    if len(tables) < MIN_NETWORKS or not all(isinstance(name, str) and name for name in tables):
        msg = f"network has the names {some(tables) or 'none'}; give at least {MIN_NETWORKS} networks, named by text."
        raise ValueError(msg)
    if n_bootstraps:
        msg = "n_bootstraps has no meaning with several networks; leave it out, or score with one network."
        raise ValueError(msg)


def _check_borrowing(tables: Mapping[str, pd.DataFrame], n_bootstraps: int) -> None:
    if len(tables) > 1 or "group" not in tables[""].columns:
        msg = "without_network='meta' needs one network with groups, such as that of tl.aracne(groupby=...)."
        raise ValueError(msg)
    if n_bootstraps:
        msg = "n_bootstraps has no meaning with several networks for a cell; use without_network='nan'."
        raise ValueError(msg)


def _flat(pleiotropy: bool | Pleiotropy, gene_weights: GeneWeights | None) -> dict[str, Any]:  # noqa: FBT001
    """Options that are no plain values, as plain values."""
    options = pleiotropy._asdict() if isinstance(pleiotropy, tuple) else {}
    flat: dict[str, Any] = {f"pleiotropy_{name}": value for name, value in options.items()}
    if gene_weights is not None:
        weights = dict(gene_weights.items())
        flat |= {"gene_weights_of": list(map(str, weights)), "gene_weights": list(weights.values())}
    return flat
