"""Networks from the cells of an AnnData."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import ndtri

from pysces import _log, _slots
from pysces._cells import remembered
from pysces._check import flag, no_effect, some, warn, whole_number
from pysces._genes import find_genes
from pysces._matrix import choose, choose_depth
from pysces._network import join_groups
from pysces._random import child, seed_sequence
from pysces._strata import ALL_CELLS, GroupBy, Stratum, group_labels, named, strata
from pysces.estimators import SUBSAMPLE, ARACNe, ConstantRegulatorsError, checkpoint_folder
from pysces.estimators._cells import GIVEN, NOT_KNOWN, warn_of_depth
from pysces.estimators._settings import ALPHA, MAX_SUBNETWORKS, MIN_TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from anndata import AnnData
    from numpy.typing import ArrayLike, NDArray

    from pysces._infer.consensus import Consensus
    from pysces._infer.partition import Convention, Ties
    from pysces._infer.pruning import Pruning
    from pysces._infer.significance import Correction
    from pysces._matrix import Choice
    from pysces._random import Seed

MIN_CELLS = 30
"""By default, groups of fewer cells get no network."""


def aracne(
    adata: AnnData,
    regulators: str | Path | ArrayLike,
    *,
    groupby: GroupBy | None = None,
    groups: Sequence[str] | None = None,
    all_cells: bool = False,
    min_cells: int = MIN_CELLS,
    layer: str | None = None,
    use_raw: bool = False,
    mask_var: str | ArrayLike | None = None,
    targets: str | Path | ArrayLike | None = None,
    depth: str | None = "auto",
    estimator: Literal["gcmi", "apmi"] = "gcmi",
    convention: Convention = "aracne3",
    ties: Ties = "block",
    n_subnetworks: int | Literal["auto"] = 20,
    min_targets: int = MIN_TARGETS,
    max_subnetworks: int = MAX_SUBNETWORKS,
    subsample: float = SUBSAMPLE,
    replace: bool = False,
    alpha: float = ALPHA,
    correction: Correction = "fdr",
    dpi: Pruning = "all",
    dpi_tolerance: float = 0.0,
    consensus: Consensus = "data",
    checkpoint: str | Path | None = None,
    subnetworks: Sequence[int] | None = None,
    client: Any = None,
    rng: Seed = 0,
    n_threads: int = 0,
    key_added: str = _slots.ARACNE,
    copy: bool = False,
) -> AnnData | None:
    """Infer a gene regulatory network, of all cells or of each group of cells.

    Runs :class:`pysces.ARACNe`, whose page has the method and the meaning of its parameters.

    Parameters
    ----------
    adata
        Annotated data; X or the layer holds counts or log-normalised values, dense, CSR or CSC, never made dense.
    regulators
        Names of genes, a boolean column of ``adata.var`` such as that of :func:`pysces.pp.regulators`, a mask of genes,
        ``"human_tfs"`` or ``"mouse_tfs"`` for :func:`pysces.datasets.regulators`, or a file with one name per line.
        Whole numbers, such as those of Entrez, are names, never positions. Names that are not among the genes are
        warned of, but of a list or file only if next to none are among them.
    groupby
        Column of ``adata.obs``: one network per group, each from the cells of its group alone. Of several columns, such
        as ``["tissue", "cell_type"]``, the groups are all combinations, with labels such as ``"lung | B cell"``.
    groups
        Only these groups; their networks are those of a run with all groups.
    all_cells
        Beside the groups, a network of all cells, with the label ``"all cells"``: that of a run without ``groupby``.
    min_cells
        Groups with fewer cells, or in which no regulator varies, are skipped with a warning.
    layer, use_raw
        Which matrix; by default X.
    mask_var
        Boolean column of ``adata.var``, or mask of genes: only these may be targets.
    targets
        Genes that may be targets, given like ``regulators``; by default all, of those in ``mask_var``. Regulators need
        not be among them. No gene is its own target.
    depth
        Sequencing depth, which ``estimator="gcmi"`` stratifies by. ``"auto"``: the sum of all counts of a cell, if X
        holds counts, normalised or not, logarithms of either to any base, or fractional counts; a warning says where it
        is not known. Else a column of ``adata.obs`` with numbers, or ``None``. See :meth:`pysces.ARACNe.fit`.
    estimator, convention, ties, n_subnetworks, min_targets, max_subnetworks, subsample, replace, alpha, correction, dpi
        See :class:`pysces.ARACNe`.
    dpi_tolerance, consensus
        See :class:`pysces.ARACNe`.
    checkpoint
        Folder for finished subnetworks, a folder in it for each group. The same call goes on from there after it was
        stopped at any moment, and ends in the same bytes; other cells, genes or settings are refused. See
        :meth:`pysces.ARACNe.fit`.
    subnetworks
        Infer only these of every group, such as ``range(5)``, and keep them in ``checkpoint``, for jobs that share the
        work; nothing is written to ``adata`` until a call without.
    client
        A ``dask.distributed.Client`` whose workers compute subnetworks; by default the one that is active, if any. It
        never changes the result.
    rng
        Seed; group ``i`` (in the order of the categories, of several columns all combinations of theirs) uses
        ``SeedSequence.spawn``'s child ``i``.
    n_threads
        Number of threads, 0 for all; never changes the result.
    key_added
        Key in ``uns``.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.uns[key_added]["network"]``
        Table of edges, see :attr:`pysces.ARACNe.network_`; with groups after a categorical column ``group``.
    ``adata.uns[key_added]["params"]``
        Parameters, groups and their numbers of cells, groups skipped, and versions; ``depth_source``, where the depth
        is from (see :attr:`pysces.ARACNe.depth_`), as an array of the groups if they differ.
    ``adata.uns[key_added]["cells"]``
        With groups: hashes of the names of the cells and the group of each, by which groups that were made anew since
        are found out.

    Raises
    ------
    ValueError
        If X holds NaN, infinite or negative values, gene names are not unique, no regulator is among the genes or none
        varies, or no group is large enough.
    KeyError
        If a column or layer is not there.
    TypeError
        If group labels are not strings.
    OSError
        If ``checkpoint`` cannot be written; what is there stays whole.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=2)
    >>> ps.get.network(adata)["source"].nunique() > 20
    True
    """
    result = _slots.target(adata, copy=copy)
    if groupby is None:
        no_effect({"min_cells": (min_cells, MIN_CELLS)}, "groupby=None", "leave it out, or name the groups")
    chosen = choose(adata, layer=layer, use_raw=use_raw, mask_var=mask_var)
    positions, absent = find_genes(regulators, chosen.genes, chosen.var, "regulators")
    allowed = chosen.mask if targets is None else _targets(targets, chosen)
    of_cells = choose_depth(adata, depth)
    seed = seed_sequence(rng)
    used, skipped = _parts(adata, groupby, groups, whole_number(min_cells, "min_cells", least=1))
    if flag(all_cells, "all_cells"):
        used.append(_all_cells(adata, groupby, used, skipped))
    settings = {
        "estimator": estimator, "convention": convention, "ties": ties, "n_subnetworks": n_subnetworks,
        "min_targets": min_targets, "max_subnetworks": max_subnetworks, "subsample": subsample, "replace": replace,
        "alpha": alpha, "correction": correction, "dpi": dpi, "dpi_tolerance": dpi_tolerance, "consensus": consensus,
    }  # fmt: skip
    model = ARACNe(**settings, n_threads=n_threads, rng=seed)  # type: ignore[arg-type]
    where = "" if groupby is None else f"adata.obs[{named(groupby)}]"
    since = _log.start(f"inferring networks of {len(used)} group{'s' * (len(used) != 1)} of cells")
    _log.info(f"{len(positions):,} of {len(positions) + len(absent):,} regulators are among the genes")
    tables, constant, depths = _infer(
        model, seed, used, chosen, checkpoint, regulators=positions, targets=allowed, depth=of_cells,
        allow_negative=False, subnetworks=subnetworks, client=client,
    )  # fmt: skip
    unknown = [label for label, source in depths.items() if source in NOT_KNOWN]
    of_groups = "" if groupby is None else f" in {len(unknown)} of {len(depths)} groups ({some(unknown)})"
    warn_of_depth(depths.values(), of_groups, depth="a column of adata.obs")
    if constant:
        warn(f"all regulators are constant in {len(constant)} groups of {where}, which get no network: "
             f"{some(constant)}.")  # fmt: skip
    if subnetworks is not None:
        _log.done(since, f"kept {len(subnetworks)} subnetworks of each network in {str(checkpoint)!r}")
        return result if copy else None
    network = join_groups(tables, list(tables)) if groupby is not None else tables[""]
    _warn_of_empty([part for part in used if part.label in tables and tables[part.label].empty], groupby,
                   alpha if correction == "p" else alpha / (len(positions) * int(allowed.sum())))  # fmt: skip
    _slots.write_tables(
        result, key_added, {_slots.NETWORK: network},
        _slots.params(
            **settings, regulators=chosen.genes[positions].astype(str), groupby=groupby,
            groups=list(tables) if groupby else None, groups_skipped=skipped + constant or None,
            groups_n_cells=[len(part.rows) for part in used if part.label in tables] if groupby else None,
            all_cells=all_cells, min_cells=min_cells, layer=layer, use_raw=use_raw,
            mask_var=mask_var if isinstance(mask_var, str) else None,
            targets=None if targets is None else chosen.genes[allowed].astype(str), depth=depth,
            depth_source=_one_or_all([depths[label] for label in tables], depth), rng=rng,
        ),
        None if groupby is None else remembered(adata.obs_names, group_labels(adata.obs, groupby)),
    )  # fmt: skip
    _log.done(since, f"added\n    {key_added!r}, {len(network)} edges (adata.uns)")
    return result if copy else None


def _infer(
    model: ARACNe,
    seed: np.random.SeedSequence,
    parts: list[Stratum],
    chosen: Choice,
    checkpoint: str | Path | None,
    **data: Any,
) -> tuple[dict[str, pd.DataFrame], list[str], dict[str, str]]:
    """Networks by group, groups whose regulators are all constant, and where the depth of the others is from."""
    tables: dict[str, pd.DataFrame] = {}
    constant: list[str] = []
    depths: dict[str, str] = {}
    with _log.progress(model.n_steps * len(parts), "subnetworks") as done:
        for part in parts:
            of_part = model.for_group(seed if part.place < 0 else child(seed, part.place))
            folder = None if checkpoint is None else checkpoint_folder(checkpoint) / _folder(part)
            try:
                of_part.fit(
                    chosen.x,
                    gene_names=chosen.genes,
                    rows=part.rows,
                    on_subnetwork=partial(done, 1),
                    checkpoint=folder,
                    **data,
                )
            except ConstantRegulatorsError:
                constant.append(part.label)
                if len(constant) == len(parts):
                    raise
                continue
            if data["subnetworks"] is None:
                tables[part.label] = of_part.network_
            depths[part.label] = of_part.depth_
    return tables, constant, depths


def _one_or_all(sources: list[str], depth: str | None) -> str | list[str]:
    """Where the depth is from: of each group, if they differ."""
    if GIVEN in sources:
        return f"adata.obs[{depth!r}]"
    return sources[0] if len(set(sources)) == 1 else sources


def _folder(part: Stratum) -> str:
    """Where subnetworks of a group are kept; its label may hold what no folder may be called."""
    return "all-cells" if part.place < 0 else f"group-{part.place:04d}"


def _targets(targets: str | Path | ArrayLike, chosen: Choice) -> NDArray[np.bool_]:
    """Mask of the genes that may be targets: those given, within ``mask_var``."""
    allowed = np.zeros(len(chosen.genes), np.bool_)
    allowed[find_genes(targets, chosen.genes, chosen.var, "targets").positions] = True
    allowed &= chosen.mask
    if not allowed.any():
        msg = "none of the targets is in mask_var; leave one of them out."
        raise ValueError(msg)
    return allowed


def _warn_of_empty(parts: list[Stratum], groupby: GroupBy | None, level: float) -> None:
    """Say how strong a pair must be to be found alone, where its p-value must pass ``level``."""
    if not parts:
        return
    least = -float(ndtri(level / 2)) / np.sqrt([len(part.rows) - 1 for part in parts])
    needed = [f"{min(r, 1):.2f} in {len(part.rows)} cells" for r, part in zip(least[:3], parts, strict=False)]
    where = "" if groupby is None else f" in {len(parts)} groups ({some([part.label for part in parts])})"
    warn(
        f"no edge is significant{where}: a single pair is found only if its correlation is above {', '.join(needed)}. "
        "Join similar groups, test fewer pairs (regulators=, targets=), or pool shallow cells of many states "
        "(pysces.pp.metacells)."
    )


def _parts(
    adata: AnnData, groupby: GroupBy | None, groups: Sequence[str] | None, min_cells: int
) -> tuple[list[Stratum], list[str]]:
    """Groups to use, and the labels of those that are too small; place -1: the seed of the run itself."""
    found = strata(adata.obs, groupby, groups)
    if groupby is None:
        return [part._replace(place=-1) for part in found], []
    where = f"adata.obs[{named(groupby)}]"
    used = [part for part in found if len(part.rows) >= min_cells]
    small = [part.label for part in found if len(part.rows) < min_cells]
    if not used:
        most = max((len(part.rows) for part in found), default=0)
        msg = f"no group of {where} has min_cells={min_cells} cells; the largest has {most}."
        raise ValueError(msg)
    if small:
        warn(f"{len(small)} groups of {where} have fewer than min_cells={min_cells} cells and get no network: "
             f"{some(small)}.")  # fmt: skip
    return used, small


def _all_cells(adata: AnnData, groupby: GroupBy | None, used: list[Stratum], skipped: list[str]) -> Stratum:
    """All cells as one more group."""
    if groupby is None:
        msg = "all_cells=True has no meaning without groupby: the network is that of all cells."
        raise ValueError(msg)
    if ALL_CELLS in {*skipped, *(part.label for part in used)}:
        msg = f"all_cells=True, but adata.obs[{named(groupby)}] has the label {ALL_CELLS!r}; rename it."
        raise ValueError(msg)
    return Stratum(ALL_CELLS, -1, np.arange(adata.n_obs))
