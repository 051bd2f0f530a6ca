"""Regulators that differ between two groups of cells."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from pysces import _log, _slots
from pysces._check import flag, share, some, warn, whole_number
from pysces._coverage import tell_coverage
from pysces._enrich.contrast import Contrast
from pysces._enrich.labellings import n_as_extreme, n_labellings
from pysces._enrich.leading_edge import leading_edge
from pysces._enrich.null import log_pvalues
from pysces._enrich.shadow import find_shadows, without_shared
from pysces._enrich.synergy import find_combinations, synergy_pvalues
from pysces._infer.significance import log_qvalues
from pysces._matrix import choose, n_rows, row_blocks
from pysces._network import check_network
from pysces._parallel import resolve_threads
from pysces._random import child, seed_sequence
from pysces._stale import stale_groups
from pysces._strata import GroupBy, meaning_of, named, strata
from pysces.estimators._fitting import fit_network
from pysces.estimators._remarks import say
from pysces.tl._contrast_scorer import REMOVALS, SYNERGY, ContrastScorer
from pysces.tl._designs import warn_of_few_labellings
from pysces.tl._measured import OTHERS, codes_of, warn_of_unmeasured
from pysces.tl._raw_counts import warn_of_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from anndata import AnnData
    from numpy.typing import NDArray

    from pysces._csr import CSR
    from pysces._enrich.shadow import Shadows
    from pysces._enrich.synergy import Combinations
    from pysces._matrix import Choice
    from pysces._random import Seed
    from pysces._regulons import Regulons

LEAST_CELLS, LEAST_DRAWS = 2, 10
MOST_SHARED = 10
"""Regulators that share no more targets than this cast no shadow on each other."""
RANKED_IF = "vary in these cells"
"""What genes have in common that are ranked."""


def msviper(
    adata: AnnData,
    groupby: GroupBy,
    group: str,
    *,
    reference: str = "rest",
    network: str | pd.DataFrame = _slots.ARACNE,
    layer: str | None = None,
    use_raw: bool = False,
    n_permutations: int = 1000,
    n_bootstraps: int = 0,
    filter_genes: bool = True,
    min_targets: int = 25,
    shadow: float | Literal[False] = False,
    combinations: float | Literal[False] = False,
    rng: Seed = 0,
    n_threads: int = 0,
    key_added: str = _slots.MSVIPER,
    copy: bool = False,
) -> AnnData | None:
    r"""Find the regulators whose targets differ between two groups of cells (msVIPER).

    The signature of a gene that varies is its two-sample t between the groups,

    .. math::
        t = \frac{\bar x_1 - \bar x_2}{s \sqrt{1 / n_1 + 1 / n_2}}, \quad
        s^2 = \frac{\sum (x - \bar x_1)^2 + \sum (x - \bar x_2)^2}{n_1 + n_2 - 2},

    as the normal score :math:`z` of the same tail probability. The targets of each regulator are scored on it by aREA,
    see :class:`pysces.VIPER`, and the score is compared with those of signatures with the labels of the cells shuffled.

    Parameters
    ----------
    adata
        Annotated data; X or the layer holds log-normalised values, dense, CSR or CSC, never made dense.
    groupby
        Column of ``adata.obs`` with the groups, or several: their combinations.
    group
        Label of the cells to look at.
    reference
        Label of the cells to compare them with; ``"rest"``: all other cells that have a label.
    network
        Key in ``uns`` of a network from :func:`pysces.tl.aracne`, or a table with the columns ``source``, ``target``,
        ``weight`` and, optionally, ``likelihood``. Of a network with groups the edges of ``group`` are taken.
    layer, use_raw
        Which matrix; by default X.
    n_permutations
        Number of signatures with shuffled labels. The NES is the enrichment score (ES) over the standard deviation of
        theirs if they are fewer than 500, else sgn(ES) Phi^-1(1 - p / 2) with p the share of them that is as far from
        0, continued by an exponential tail through the largest 5 %. Where the cells (or samples) can be labelled in
        no more ways than that, every labelling counts once, the observed one too, and p is the exact share of them
        that is as far from 0; a warning says so where no p can be small. 0: the analytic NES of aREA, which is too
        large where the targets of a regulator vary together.
    n_bootstraps
        Number of signatures of cells drawn with replacement within each group; a gene that is constant in such a draw
        has the signature 0. The NES is then the mean of theirs, and ``se`` their standard deviation over
        sqrt(n_bootstraps). 0: the signature of the cells as they are.
    filter_genes
        Rank only genes that are a regulator or a target of the network. If one regulon holds so many of these that its
        scores would be more than 10 % too small, all genes are ranked, and a log line says so; if it holds as many of
        all genes, a warning says so.
    min_targets
        Regulators with fewer targets among the genes that vary are dropped. A warning names those that have more
        targets, but not enough that vary.
    shadow
        p-value, such as 0.05: regulators below it are tested against each other. Where they share more than 10 targets
        and one of them loses more by the removal of these than by that of as many random targets (p below ``shadow``),
        but not the other, it is in the shadow of the other: the shared targets are taken from it before all else, and
        it is dropped if fewer than ``min_targets`` are left.
    combinations
        p-value, such as 0.05: regulators below it are combined. The targets that all members share (mode: mean of mode
        x sgn(NES), likelihood: product) make a regulon, which is kept if its absolute NES is above those of all its
        parts: pairs, then what they grow to.
    rng
        Seed.
    n_threads
        Number of threads, 0 for all; never changes the result.
    key_added
        Key in ``uns``.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.uns[key_added]["results"]``
        Table of regulators, the most significant first, and of the same p that of the largest absolute ES over its
        analytic standard deviation: categorical ``source``; int64 ``n_targets``; float64 ``nes``,
        positive where the regulator is more active in ``group``, with bootstraps ``se``, ``log_pvalue`` (natural log of
        p = 2 Phi(-abs(NES))) and ``log_qvalue`` (Benjamini-Hochberg); int64 ``n_leading``.
    ``adata.uns[key_added]["leading_edge"]``
        Table of their edges: categorical ``source`` and ``target``; ``weight``, ``likelihood``, ``signature`` (z of the
        target) and ``in_edge``: whether the target is among those that make the enrichment.
    ``adata.uns[key_added]["signature"]``
        Table of the genes ranked: ``gene`` and ``z``.
    ``adata.uns[key_added]["shadow"]``
        If asked for, table of pairs: ``source`` casts a shadow on ``shadowed``; ``n_shared`` targets; ``pvalue``.
    ``adata.uns[key_added]["combinations"]``
        If asked for, table of sets of regulators: ``source`` (names joined by ``--``), ``n_targets``, ``nes``,
        ``log_pvalue``, and ``synergy_pvalue``: how often the union of their targets loses as much score without as many
        random targets as without the shared ones.
    ``adata.uns[key_added]["params"]``
        Parameters and versions; how much of the network is among the genes, as :func:`pysces.tl.viper` tells it;
        ``n_labellings`` where every labelling was looked at; and ``all_genes_ranked``: whether all genes were ranked in
        spite of ``filter_genes``.

    Warns
    -----
    UserWarning
        If the group holds other cells than when its network in ``uns`` was inferred, if genes that are common on one
        side have no count on the other, as after an outer join, or if X holds counts.

    Raises
    ------
    ValueError
        If a group is not among the labels, has fewer than 2 cells or is its own reference; if ``reference`` is
        ``"rest"``, and a label is so too; if X holds NaN, infinite or
        negative values, no gene varies, gene names are not unique, the network is not valid or shares no gene with the
        data, or no regulator has ``min_targets`` targets.
    KeyError
        If a column, layer or key is not there.
    TypeError
        If group labels are not strings.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> net = pd.DataFrame({"source": "B", "target": ["CD79A", "CD79B", "MS4A1", "CD74"], "weight": 1.0})
    >>> ps.tl.msviper(adata, "cell_type", "CD19+ B", network=net, min_targets=4)
    >>> bool(ps.get.msviper(adata).loc[0, "log_pvalue"] < -5)
    True
    """
    result = _slots.target(adata, copy=copy)
    flag(filter_genes, "filter_genes")
    whole_number(min_targets, "min_targets", least=1)
    for cutoff, name in ((shadow, "shadow"), (combinations, "combinations")):
        if cutoff is not False:
            share(cutoff, name, one=True)
    seed, n_threads = seed_sequence(rng), resolve_threads(n_threads)
    draws = _draws(n_permutations, "n_permutations"), _draws(n_bootstraps, "n_bootstraps")
    rows = _cells(adata, groupby, group, reference)
    table = _edges(adata, network, group)
    if isinstance(network, str) and (stale := stale_groups(adata, network, groupby, "aracne(adata, ...)", [group])):
        warn(f"a network of other cells: {stale}")
    chosen = choose(adata, layer=layer, use_raw=use_raw, mask_var=None)
    n_rows(chosen.x)
    warn_of_counts(chosen.x, "the t of a gene")
    warn_of_unmeasured(
        chosen.x, codes_of(adata.n_obs, rows), [repr(group), OTHERS if reference == "rest" else repr(reference)]
    )

    since = _log.start(f"comparing regulators of {len(rows[0])} cells with those of {len(rows[1])}")
    fitted = fit_network(
        table, chosen.genes, partial(_contrast, chosen, rows), filter_genes=filter_genes, min_targets=min_targets,
        ranked_if=RANKED_IF,
    )  # fmt: skip
    contrast, names, regulons, ranked = fitted.learned, fitted.regulators, fitted.regulons, fitted.genes
    score = ContrastScorer(contrast, *draws, seed, n_threads)
    nes, se = score(regulons)
    tables: dict[str, pd.DataFrame] = {}
    if shadow is not False:
        shadows = find_shadows(
            contrast.z, regulons, _below(nes, shadow), alpha=shadow, more_than=MOST_SHARED,
            seed=child(seed, REMOVALS), n_threads=n_threads,
        )  # fmt: skip
        tables[_slots.SHADOW] = _shadow_table(names, shadows)
        names, regulons = _large(names, without_shared(regulons, shadows), min_targets)
        nes, se = score(regulons)
    if combinations is not False:
        found = find_combinations(
            lambda own: score(own)[0], regulons, nes, _below(nes, combinations), least_targets=min_targets
        )
        synergy = synergy_pvalues(contrast.z, regulons, nes, found.members, child(seed, SYNERGY))
        tables[_slots.COMBINATIONS] = _combination_table(names, found, synergy, score.size(found.regulons))
    in_edge = leading_edge(contrast.z, regulons)
    tables[_slots.RESULTS] = results = _result_table(names, regulons, nes, se, score.size(regulons), in_edge)
    if score.enumerates:
        n, n_reference = len(rows[0]), len(rows[1])
        warn_of_few_labellings(
            n, n_reference, n_labellings(n, n_reference), n_as_extreme(n, n_reference),
            results["log_qvalue"].to_numpy(),
            "compare more samples, or give n_permutations=0 for p of the analytic NES, which are too small where the "
            "targets of a regulator vary together",
        )  # fmt: skip
    tables[_slots.LEADING_EDGE] = _edge_table(names, chosen.genes[ranked], regulons, contrast.z, in_edge)
    tables[_slots.SIGNATURE] = pd.DataFrame({"gene": chosen.genes[ranked], "z": contrast.z})
    say({"": fitted.remarks})
    covered = tell_coverage({"": table}, chosen.genes, len(names), min_targets)
    _slots.write_tables(
        result, key_added, tables,
        _slots.params(
            groupby=groupby, group=group, reference=reference, network=network if isinstance(network, str) else None,
            layer=layer, use_raw=use_raw, n_permutations=n_permutations, n_bootstraps=n_bootstraps,
            n_labellings=n_labellings(len(rows[0]), len(rows[1])) if score.enumerates else None,
            filter_genes=filter_genes, all_genes_ranked=bool(fitted.remarks.widened),
            min_targets=min_targets, shadow=shadow, combinations=combinations, rng=rng, **covered,
        ),
    )  # fmt: skip
    _log.done(since, f"added\n    {key_added!r}, {len(names)} regulators (adata.uns)")
    return result if copy else None


def _draws(n: int, argument: str) -> int:
    if whole_number(n, argument, least=0) not in range(1, LEAST_DRAWS):
        return int(n)
    msg = f"{argument} is {n!r}, too few to learn anything from; give at least {LEAST_DRAWS}, or 0 for none."
    raise ValueError(msg)


def _cells(adata: AnnData, groupby: GroupBy, group: str, reference: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the group and of its reference."""
    rows = {stratum.label: stratum.rows for stratum in strata(adata.obs, groupby)}
    meaning = meaning_of(reference, ("rest",), rows, groupby)
    for label, argument, known in ((group, "group", group in rows), (reference, "reference", meaning is not None)):
        if not known:
            msg = f"{argument} is {label!r}, not among the labels of adata.obs[{named(groupby)}]: {some(rows)}."
            raise ValueError(msg)
    if group == reference:
        msg = f"group and reference are both {group!r}; give another reference, or 'rest' for all other cells."
        raise ValueError(msg)
    others = [rows[label] for label in rows if label in ({reference} if reference != "rest" else rows.keys() - {group})]
    chosen = rows[group], np.sort(np.concatenate([np.empty(0, np.intp), *others]))
    for found, argument, label in zip(chosen, ("group", "reference"), (group, reference), strict=True):
        if len(found) < LEAST_CELLS:
            msg = f"{argument}={label!r} has {len(found)} cells; a contrast needs at least {LEAST_CELLS} on each side."
            raise ValueError(msg)
    return chosen


def _edges(adata: AnnData, network: str | pd.DataFrame, group: str) -> pd.DataFrame:
    """The network, or its part of the group."""
    table = check_network(_slots.given_network(adata, network))
    if "group" not in table.columns:
        return table
    own = table[table["group"] == group]
    if own.empty:
        msg = (
            f"network has no edges of group={group!r}, only of: {some(table['group'].unique())}; choose one "
            "network: pysces.get.network(adata, group)."
        )
        raise ValueError(msg)
    return own


def _contrast(
    chosen: Choice, rows: tuple[NDArray[np.intp], NDArray[np.intp]], genes: NDArray[np.intp]
) -> tuple[Contrast, NDArray[np.intp]]:
    """The contrast of two groups of cells in some genes, and those that have a signature."""

    def reader(of: NDArray[np.intp]) -> Callable[[], Iterable[CSR]]:
        return lambda: (block for _, block in row_blocks(chosen.x, of, genes, allow_negative=False))

    contrast = Contrast(reader(rows[0]), reader(rows[1]), len(genes))
    return contrast, contrast.genes


def _large(names: NDArray[np.object_], regulons: Regulons, min_targets: int) -> tuple[NDArray[np.object_], Regulons]:
    large = np.flatnonzero(regulons.sizes >= min_targets)
    if not len(large):
        msg = (
            f"no regulator has min_targets={min_targets} targets that are not in the shadow of another; the largest of "
            f"{len(names)} has {regulons.sizes.max()}. Lower min_targets, or leave shadow out."
        )
        raise ValueError(msg)
    return names[large], regulons.select(large)


def _below(nes: NDArray[np.float64], p: float) -> NDArray[np.intp]:
    """Regulators with a p-value up to ``p``."""
    return np.flatnonzero(log_pvalues(nes) <= np.log(p))


def _result_table(
    names: NDArray[np.object_],
    regulons: Regulons,
    nes: NDArray[np.float64],
    se: NDArray[np.float64] | None,
    size: NDArray[np.float64],
    in_edge: NDArray[np.bool_],
) -> pd.DataFrame:
    n_leading = np.diff(np.concatenate([[0], np.cumsum(in_edge)])[regulons.indptr])
    log_p = log_pvalues(nes)
    columns = {
        "source": pd.Categorical(names), "n_targets": regulons.sizes, "nes": nes, "se": se, "log_pvalue": log_p,
        "log_qvalue": log_qvalues(log_p), "n_leading": n_leading,
    }  # fmt: skip
    return _by_significance(pd.DataFrame({name: of for name, of in columns.items() if of is not None}), size)


def _edge_table(
    names: NDArray[np.object_],
    genes: NDArray[np.object_],
    regulons: Regulons,
    signature: NDArray[np.float64],
    in_edge: NDArray[np.bool_],
) -> pd.DataFrame:
    source = pd.Categorical.from_codes(np.repeat(np.arange(len(names)), regulons.sizes), names.tolist())
    return pd.DataFrame(
        {
            "source": source, "target": pd.Categorical(genes[regulons.targets]), "weight": regulons.mode,
            "likelihood": regulons.likelihood, "signature": signature[regulons.targets], "in_edge": in_edge,
        }
    )  # fmt: skip


def _combination_table(
    names: NDArray[np.object_], found: Combinations, synergy: NDArray[np.float64], size: NDArray[np.float64]
) -> pd.DataFrame:
    source = np.array(["--".join(names[list(members)]) for members in found.members], dtype=object)
    table = pd.DataFrame(
        {
            "source": pd.Categorical(source), "n_targets": found.regulons.sizes, "nes": found.nes,
            "log_pvalue": log_pvalues(found.nes), "synergy_pvalue": synergy,
        }
    )  # fmt: skip
    return _by_significance(table, size)


def _shadow_table(names: NDArray[np.object_], shadows: Shadows) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "source": pd.Categorical(names[shadows.caster]), "shadowed": pd.Categorical(names[shadows.shadowed]),
            "n_shared": shadows.n_shared, "pvalue": shadows.p,
        }
    )  # fmt: skip
    return table.sort_values(["pvalue", "source", "shadowed"], ignore_index=True)


def _by_significance(table: pd.DataFrame, size: NDArray[np.float64]) -> pd.DataFrame:
    """Sorted by p; ties by the size of the effect."""
    order = table.assign(size=-size).sort_values(["log_pvalue", "size", "source"], ignore_index=True)
    return order.drop(columns="size")
