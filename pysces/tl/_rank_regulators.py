"""Regulators that are more active in one group of cells than in others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from pysces import _log, _slots
from pysces._cells import remembered
from pysces._check import one_of, some, warn
from pysces._enrich.labellings import MOST_LABELLINGS, n_as_extreme, n_ways
from pysces._enrich.ranking import EXACT, LEAST_CELLS, TESTS, rank_groups
from pysces._infer.significance import log_qvalues
from pysces._parallel import resolve_threads
from pysces._stale import warn_of_foreign_cells
from pysces._strata import group_labels, meaning_of, named, strata
from pysces.tl._comparable import warn_of_own_references
from pysces.tl._depth_strata import cells_per_stratum, strata_of, warn_of_depths, warn_of_few_compared
from pysces.tl._designs import SIGNIFICANT, warn_of_few_labellings
from pysces.tl._measured import warn_of_unmeasured_activities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

    from pysces._enrich.ranking import Method, Ranking
    from pysces._strata import GroupBy


def rank_regulators(
    adata: AnnData,
    groupby: GroupBy,
    *,
    method: Method = "wilcoxon",
    key: str = _slots.VIPER,
    groups: Sequence[str] | None = None,
    reference: str = "rest",
    strata: str | None = None,
    n_threads: int = 0,
    key_added: str = _slots.RANK_REGULATORS,
    copy: bool = False,
) -> AnnData | None:
    r"""Rank regulators by how much more active they are in one group of cells than in others.

    Of each regulator, :math:`n` cells of the group and :math:`N - n` cells of the reference have an activity :math:`x`.

    ==============  ================================================  ==============================================
    ``method``      ``score``                                         ``effect``
    ==============  ================================================  ==============================================
    ``"wilcoxon"``  :math:`(U - E U) / sd(U)` of the rank sum         area under the ROC curve,
                    statistic :math:`U` of Mann and Whitney, with     :math:`U / (n (N - n))`: share of the pairs of
                    the variance of ties, without correction of       cells in which that of the group has the larger
                    continuity                                        activity, ties a half
    ``"t-test"``    Welch's t                                         Cohen's d, with the pooled variance
    ``"stouffer"``  :math:`(\sum x - n \mu) / \sqrt{n \sigma^2        Stouffer's integrated activity,
                    (N - n) / (N - 1)}`, with the mean and the        :math:`\sum x / \sqrt n`
                    variance of all N cells
    ``"kappa"``     normal score of p, with the sign of the effect    Cohen's kappa, :math:`(k - n^2 / N) / (n - n^2 /
                                                                      N)`, with k of the group among the n cells of
                                                                      highest activity
    ``"kruskal"``   H of Kruskal and Wallis, with ties, of all        :math:`\varepsilon^2 = H / (N - 1)`: share of
                    groups together                                   the variance of the ranks between groups
    ==============  ================================================  ==============================================

    Activities of cells of one data set are no independent draws from N(0, 1), as Stouffer's method assumes: the score
    is that of the sum among all permutations of the labels, whose mean and variance are known without drawing any. So
    is that of kappa, where k is hypergeometric; where cells are tied for the last of the n places, each counts as the
    share of the places left, and for p a broken k is rounded towards its expectation. All p-values are two-sided, of a
    normal, t (``"t-test"``) or chi-squared (``"kruskal"``) distribution, or twice the smaller tail (``"kappa"``). Those
    of ``"wilcoxon"`` and ``"stouffer"`` are exact where the cells can be labelled in at most 1,000 ways (with
    of ``"wilcoxon"`` and ``"stouffer"`` are exact where the cells can be labelled in at most 1,000 ways (within their
    strata, if there are such): a share of these ways, which for three cells against three is at least 0.1. A warning is
    raised where none can be below 0.05, with ``"kappa"`` too. ``"t-test"`` and ``"kruskal"`` are not exact: of a
    handful of cells or samples, their p-values can be below what any labelling can give.

    The p-values are over cells. Cells of one person are not independent samples of people: with many cells, small
    differences have small p-values. To compare data sets, compare the effects.

    Parameters
    ----------
    adata
        Annotated data with activities from :func:`pysces.tl.viper`. A warning is raised where cells are compared that
        were scored against different cells: give ``tl.viper`` one reference for all, such as ``"all"``.
    groupby
        Column of ``adata.obs`` with the groups, or a list of columns, whose labels are joined: ``"a | b"``.
    method
        Test, see above.
    key
        The ``key_added`` of :func:`pysces.tl.viper`.
    groups
        Only these groups; with ``"kruskal"`` only their cells count.
    reference
        ``"rest"``: a group is compared with all other cells that have a label; or the label of one group, with which
        all others are compared.
    strata
        Compare only cells of one stratum with each other, by van Elteren's test (``"wilcoxon"`` only): the name of a
        column of ``adata.obs``, such as a batch, or ``"depth"``: up to 20 strata of the sequencing depth, less the part
        of it that goes with the composition of the cells, as :func:`pysces.tl.aracne` finds it. Scores follow the depth
        of a cell, and a warning is raised where groups differ in it. Score and effect are then the weighted sums over
        strata, each of N cells with the weight 1 / (N + 1).
    n_threads
        Number of threads, 0 for all; never changes the result.
    key_added
        Key in ``uns``.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.uns[key_added]["table"]``
        One row per group and regulator: categorical ``group``, in the order of the groups, and ``source``; float64
        ``score`` and ``effect``; ``mean`` and ``mean_reference``, mean activity (NES) of the group and the reference;
        ``log_pvalue`` and ``log_qvalue`` (Benjamini-Hochberg over the regulators of a group), natural logs. Sorted by
        group, then by falling score; equal scores, such as those of regulators that separate two groups completely,
        by falling difference of the means. Statistics are NaN, and last, where the group or the reference has fewer
        than 2 cells with an activity, or activities do not vary (with ``"t-test"``, do not vary within groups). With
        ``"kruskal"``, one row per regulator that can be tested, of the group of the highest mean rank, and
        ``log_qvalue`` over all regulators.
    ``adata.uns[key_added]["params"]``
        Parameters and versions, and ``groups_skipped``: groups without 2 cells with activities on both sides, or that
        meet no cell to be compared with in any stratum.
    ``adata.uns[key_added]["cells"]``
        Hashes of the names of the cells and the group of each, by which groups that were made anew since are found out.

    Warns
    -----
    UserWarning
        If groups are left out, or cells have no label in ``strata``; if cells were not scored against the same cells:
        groups with references of their own, or cells that the run of ``viper`` did not see; if genes that are common on
        one side have no count on the other, as after an outer join (looked for in the matrix that was scored, if it is
        there).

    Raises
    ------
    ValueError
        If fewer than two groups have cells, or none can be compared; if ``groups`` or ``reference`` is not among the
        labels, or a label is ``"rest"`` too; if ``"kruskal"`` has a ``reference``, ``key_added`` is ``key``, or a
        parameter is not valid.
    KeyError
        If there are no activities, or a column is not there.
    TypeError
        If group labels are not strings.

    References
    ----------
    Mann and Whitney 1947, doi:10.1214/aoms/1177730491; van Elteren 1960, Bulletin de l'Institut International de
    Statistique 37; Welch 1947, doi:10.1093/biomet/34.1-2.28; Stouffer et al. 1949, The American Soldier; Cohen 1960,
    doi:10.1177/001316446002000104; Kruskal and Wallis 1952, doi:10.1080/01621459.1952.10483441; Benjamini and Hochberg
    1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> markers = {"B": ["CD79A", "CD79B", "MS4A1", "CD74"], "M": ["LYZ", "CST3", "S100A9", "S100A8"]}
    >>> net = pd.DataFrame([(name, gene, 1.0) for name in markers for gene in markers[name]])
    >>> ps.tl.viper(adata, net.set_axis(["source", "target", "weight"], axis=1), min_targets=3)
    >>> ps.tl.rank_regulators(adata, "cell_type")
    >>> ps.get.regulators(adata, "CD14+ Monocyte", 1)["source"].tolist()
    ['M']
    """
    one_of(method, list(TESTS), "method")
    n_threads = resolve_threads(n_threads)
    if strata is not None and method != "wilcoxon":
        msg = f"strata={strata!r} has no meaning with method={method!r}; use method='wilcoxon', or leave strata out."
        raise ValueError(msg)
    if key_added == key:
        msg = f"key_added is {key_added!r}, where the activities are; choose another key."
        raise ValueError(msg)
    result = _slots.target(adata, copy=copy)
    activity, _ = _slots.read_activity(adata, key)
    warn_of_foreign_cells(adata, key)
    chosen = _choose(adata, groupby, groups, reference, method)
    warn_of_own_references(adata, key, chosen.codes, chosen.labels, rest=reference == "rest")
    warn_of_unmeasured_activities(adata, key, chosen.codes, chosen.labels, rest=reference == "rest")
    of_cell = None
    if strata is None:
        warn_of_depths(adata, key, chosen.codes, chosen.labels, rest=reference == "rest")
    else:
        of_cell = strata_of(adata, strata, key, chosen.codes)
        warn_of_few_compared(chosen.codes, of_cell, chosen.labels, strata, rest=reference == "rest")
        chosen.codes[of_cell < 0] = -1

    def columns(block: slice) -> NDArray[np.float32]:
        return activity.iloc[:, block].to_numpy(np.float32)

    names = activity.columns.astype(str).to_numpy(dtype=object)
    since = _log.start(f"ranking {len(names)} regulators in {len(chosen.labels)} groups of cells ({method})")
    with _log.progress(len(names), "regulators") as done:
        ranking = rank_groups(
            columns, len(names), chosen.codes, len(chosen.labels), method,
            rest=reference == "rest", n_threads=n_threads, strata=of_cell, on_done=done,
        )  # fmt: skip
    compared = ranking.enough.any(axis=1)
    skipped = [label for label, kept in zip(chosen.labels, compared, strict=True) if not kept]
    within, or_strata = ("", "") if strata is None else (f" in strata={strata!r}", ", or other strata")
    if not compared.any():
        msg = (
            f"no group of adata.obs[{named(groupby)}] has {LEAST_CELLS} cells with activities and as many to be "
            f"compared with{within}: {some(chosen.labels)}; choose other groups or another reference{or_strata}."
        )
        raise ValueError(msg)
    if skipped:
        warn(
            f"groups {some(skipped)} have fewer than {LEAST_CELLS} cells with activities, or fewer to be compared "
            f"with{within}, and are left out."
        )
    table = _table(ranking, np.flatnonzero(compared), chosen.labels, names, method)
    if method in (*EXACT, "kappa"):
        _warn_of_few_cells(table, chosen, method, of_cell, rest=reference == "rest")
    _slots.write_tables(
        result, key_added, {_slots.TABLE: table},
        _slots.params(
            groupby=groupby if isinstance(groupby, str) else list(groupby), method=method, key=key,
            groups=None if groups is None else list(groups), reference=reference, strata=strata,
            groups_skipped=skipped or None,
        ),
        remembered(adata.obs_names, group_labels(adata.obs, groupby)),
    )  # fmt: skip
    _log.done(since, f"added\n    {key_added!r}, regulators of {compared.sum()} groups (adata.uns)")
    return result if copy else None


class _Chosen(NamedTuple):
    """Labels of the groups to look at, and which of them every cell is in: their number if it is a reference only."""

    labels: list[str]
    codes: NDArray[np.intp]


def _choose(adata: AnnData, groupby: GroupBy, groups: Sequence[str] | None, reference: str, method: Method) -> _Chosen:
    parts = strata(adata.obs, groupby, groups)
    of_cell = group_labels(adata.obs, groupby)
    present = list(of_cell.remove_unused_categories().categories)
    if len(present) < 2:
        msg = f"groupby={named(groupby)} has cells of {len(present)} groups, and comparing needs two at least."
        raise ValueError(msg)
    if method != "kruskal" and meaning_of(reference, ("rest",), present, groupby) is None:
        msg = f"reference is {reference!r}, not among the labels of adata.obs[{named(groupby)}]: {some(present)}."
        raise ValueError(msg)
    if reference != "rest" and method == "kruskal":
        msg = f"reference is {reference!r}, but method='kruskal' compares all groups together; leave reference out."
        raise ValueError(msg)
    tested = [part for part in parts if reference == "rest" or part.label != reference]
    if not tested:
        msg = f"groups={groups!r} leaves no group to compare with reference={reference!r}; name others."
        raise ValueError(msg)
    codes = np.full(adata.n_obs, -1)
    if method != "kruskal":
        codes[of_cell.codes >= 0 if reference == "rest" else of_cell == reference] = len(tested)
    for place, part in enumerate(tested):
        codes[part.rows] = place
    return _Chosen([part.label for part in tested], codes)


def _warn_of_few_cells(
    table: pd.DataFrame, chosen: _Chosen, method: Method, of_cell: NDArray[np.intp] | None, *, rest: bool
) -> None:
    """Warn of groups of so few cells that none of their regulators could be significant."""
    sides = cells_per_stratum(chosen.codes, of_cell, len(chosen.labels), rest=rest)
    for label, log_q in table.groupby("group", observed=True)["log_qvalue"]:
        n, n_reference = (side[:, chosen.labels.index(str(label))] for side in sides)
        compared = (n > 0) & (n_reference > 0)
        counts = int(n[compared].sum()), int(n_reference[compared].sum())
        ways = n_ways(n[compared], n_reference[compared])
        extreme = n_as_extreme(*counts) if method == "stouffer" else 2  # ranks and overlaps have two extremes
        if ways <= MOST_LABELLINGS and extreme >= SIGNIFICANT * ways:
            remedy = f"compare {label!r} with more cells, or join groups"
            warn_of_few_labellings(*counts, ways, extreme, log_q.to_numpy(), remedy)


def _table(
    ranking: Ranking, compared: NDArray[np.intp], labels: list[str], names: NDArray[np.object_], method: Method
) -> pd.DataFrame:
    """One row per group and regulator, or per regulator."""
    log_p = ranking.log_p[compared]
    log_q = log_qvalues(log_p) if method == "kruskal" else np.stack([log_qvalues(of_group) for of_group in log_p])
    place, regulator = (at.ravel() for at in np.indices(log_p.shape))
    columns = {
        "score": ranking.score, "effect": ranking.effect, "mean": ranking.mean,
        "mean_reference": ranking.mean_reference, "log_pvalue": ranking.log_p,
    }  # fmt: skip
    table = pd.DataFrame(
        {
            "group": pd.Categorical.from_codes(place, pd.Index([labels[group] for group in compared])),
            "source": pd.Categorical(names[regulator]),
            **{name: of[compared].ravel() for name, of in columns.items()},
            "log_qvalue": log_q.ravel(),
        }
    )
    if method == "kruskal":
        table = table[table["score"].notna()]
    order = table.assign(shift=table["mean"] - table["mean_reference"])
    order = order.sort_values(["group", "score", "shift", "source"], ascending=[True, False, False, True])
    return order.drop(columns="shift").reset_index(drop=True)
