"""Regulators that are active in one sample and in another, on AnnData."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.special import log_ndtr

from pysces import _log, _slots
from pysces._check import some, unique, warn, whole_number
from pysces._enrich.conservation import conservation
from pysces._infer.significance import log_qvalues
from pysces._parallel import resolve_threads
from pysces._stale import warn_of_foreign_cells
from pysces._strata import strata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._enrich.conservation import Conservation
    from pysces._strata import GroupBy

MOST_PAIRS = 10_000_000


def regulator_conservation(
    adata: AnnData,
    other: AnnData,
    *,
    key: str = _slots.VIPER,
    groupby: GroupBy | None = None,
    other_groupby: GroupBy | None = None,
    n_top: int = 50,
    n_threads: int = 0,
    key_added: str = _slots.CONSERVATION,
    copy: bool = False,
) -> AnnData | None:
    r"""Find out whether the most active and inactive regulators of each sample are so in samples of other data.

    The OncoMatch test, which tells how well a model keeps the regulators of a tumour. The ``n_top`` / 2 most active
    regulators of a sample, with mode 1, and the ``n_top`` / 2 least active, with mode -1, are a regulon, and its
    enrichment among the regulators of the other sample, ranked by activity, is scored by aREA: with :math:`r` the rank
    of regulator g among :math:`n`,

    .. math::
        NES = \frac{1}{\sqrt{n_{top}}} \sum_g m_g \Phi^{-1}\left(\frac{r_g}{n + 1}\right), \qquad p = \Phi(-NES).

    Parameters
    ----------
    adata, other
        Annotated data with activities: those in ``obsm[key]``, from :func:`pysces.tl.viper`, or else, in the result of
        :func:`pysces.get.activity`, those in X. Regulators are matched by name.
    key
        The ``key_added`` of :func:`pysces.tl.viper`, in both.
    groupby, other_groupby
        Column of ``adata.obs`` and of ``other.obs``, or list of columns: samples are the groups of cells, and their
        activity is the mean over the cells that have one. By default samples are the rows. Means compare only if all
        groups had the same reference, such as ``tl.viper(..., reference="all")``.
    n_top
        Number of regulators that are looked up, an even number: half at each end. Those tied across the border are left
        out.
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
        Table with one row per pair, by sample and falling ``nes``: categorical ``sample`` of ``adata`` and ``other``;
        float64 ``nes`` of the top of the sample in the other, ``nes_reverse`` of the top of the other in the sample;
        ``log_pvalue`` (natural log, one-sided: conserved) and ``log_qvalue`` (Benjamini-Hochberg over all pairs) of
        ``nes``; int64 ``n_regulators`` that both samples have, which are those ranked. Pairs that have fewer than
        ``n_top`` in common, or of which ties leave no top, are NaN.
    ``adata.uns[key_added]["params"]``
        Parameters and versions.

    Raises
    ------
    KeyError
        If there are no activities, or a column is not there.
    TypeError
        If ``other`` is no AnnData, activities are no table, or labels are not strings.
    ValueError
        If ``n_top`` is odd or more than the regulators in common, names of rows are not unique, no cell has a label,
        ``key_added`` is ``key``, or there are more than 10 million pairs.

    Notes
    -----
    The p-values are those of regulators chosen at random, as if activities were independent. Activities of regulators
    that share targets are not, so unrelated samples may get larger scores of both signs: with the genes of one half of
    2140 blood cells permuted, 6 % of the pairs of groups had p < 0.05, and 9 % (3.5 % p < 0.01) where the mean of each
    regulator was taken away first (``examples/conservation.py``). To judge a score, compare it with those of samples
    known to be unrelated.

    Regulators that are active in all samples alike, as many are in sparse data, make all pairs look conserved. To
    compare what sets the samples of each data apart, take the mean of each regulator away first:
    ``act = pysces.get.activity(adata)``, ``scanpy.pp.scale(act)``, and so with the other; then compare these two.

    References
    ----------
    Alvarez et al. 2018, doi:10.1038/s41588-018-0138-4.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=1)
    >>> ps.tl.viper(adata, min_targets=5)
    >>> some, others = adata[::2].copy(), adata[1::2].copy()
    >>> ps.tl.regulator_conservation(some, others, groupby="cell_type", other_groupby="cell_type", n_top=10)
    >>> matrix = ps.get.conservation(some).pivot(index="sample", columns="other", values="nes")
    >>> matrix.loc["CD34+"].idxmax()
    'CD34+'
    """
    if not isinstance(other, AnnData):
        msg = f"other is {type(other).__name__}; give an AnnData with activities, or what pysces.get.activity gives."
        raise TypeError(msg)
    if whole_number(n_top, "n_top", least=2) % 2:
        msg = f"n_top is {n_top}, of which half are the most active regulators; give an even number."
        raise ValueError(msg)
    if key_added == key:
        msg = f"key_added is {key_added!r}, where the activities are; choose another key."
        raise ValueError(msg)
    n_threads = resolve_threads(n_threads)
    result = _slots.target(adata, copy=copy)
    samples, others = _samples(adata, key, groupby, "adata"), _samples(other, key, other_groupby, "other")
    common = samples.columns.intersection(others.columns).sort_values()  # the order of columns decides nothing
    _check_sizes(samples, others, len(common), n_top)

    since = _log.start(f"comparing {len(samples)} samples with {len(others)} by {len(common)} regulators")
    found = conservation(samples[common].to_numpy(), others[common].to_numpy(), n_top, n_threads)
    table = _table(found, samples.index, others.index)
    without = int(np.isnan(found.nes).sum())
    if without:
        warn(
            f"{without} of {found.nes.size} pairs get no score (NaN): they have fewer than n_top={n_top} regulators in "
            "common, or the most and least active regulators of the sample are all tied with others."
        )
    parameters = _slots.params(key=key, groupby=groupby, other_groupby=other_groupby, n_top=n_top)
    _slots.write_tables(result, key_added, {_slots.TABLE: table}, parameters)
    _log.done(since, f"added\n    {key_added!r}, conservation of regulators in {len(table)} pairs (adata.uns)")
    return result if copy else None


def _samples(data: AnnData, key: str, groupby: GroupBy | None, argument: str) -> pd.DataFrame:
    """Activities of every row, or means of every group of rows, samples x regulators."""
    activity = _slots.activity_table(data, key, argument)
    warn_of_foreign_cells(data, key)
    unique(activity.columns.to_numpy(object), f"the regulators of {argument}", "Keep each once.")
    if groupby is None:
        unique(data.obs_names.to_numpy(object), f"{argument}.obs_names", "Make them unique: obs_names_make_unique().")
        return activity
    try:
        parts = strata(data.obs, groupby)
    except (KeyError, TypeError, ValueError) as error:
        if argument == "other":
            error.add_note("This is about other.obs, and groupby is other_groupby.")
        raise
    values = activity.to_numpy()
    means = np.full((len(parts), values.shape[1]), np.nan)
    for mean, part in zip(means, parts, strict=True):
        known = ~np.isnan(values[part.rows])
        total = values[part.rows].sum(axis=0, dtype=np.float64, where=known)
        np.divide(total, known.sum(axis=0), out=mean, where=known.any(axis=0))
    return pd.DataFrame(means, index=pd.Index([part.label for part in parts]), columns=activity.columns)


def _check_sizes(samples: pd.DataFrame, others: pd.DataFrame, n_common: int, n_top: int) -> None:
    for table, argument in ((samples, "adata"), (others, "other")):
        if table.empty:
            msg = f"{argument} has {len(table)} samples with {table.shape[1]} regulators; there is nothing to compare."
            raise ValueError(msg)
    if n_common < n_top:
        msg = (
            f"n_top is {n_top}, but adata and other have {n_common} regulators in common (such as "
            f"{some(samples.columns)} and {some(others.columns)}); give at most as many, or score both with one "
            "network."
        )
        raise ValueError(msg)
    if len(samples) * len(others) > MOST_PAIRS:
        msg = (
            f"{len(samples):,} samples with {len(others):,} others make {len(samples) * len(others):,} pairs; at "
            f"most {MOST_PAIRS:,} are compared. Compare means of groups: groupby=, other_groupby=."
        )
        raise ValueError(msg)


def _table(found: Conservation, samples: pd.Index[str], others: pd.Index[str]) -> pd.DataFrame:
    """One row per pair."""
    order = np.argsort(-found.nes, axis=1, kind="stable")  # NaN last
    nes, reverse = (np.take_along_axis(of, order, axis=1).ravel() for of in (found.nes, found.nes_reverse))
    n_regulators = np.take_along_axis(found.n_regulators, order, axis=1).ravel()
    log_p: NDArray[np.float64] = log_ndtr(-nes)
    return pd.DataFrame(
        {
            "sample": pd.Categorical.from_codes(np.repeat(np.arange(len(samples)), len(others)), samples),
            "other": pd.Categorical.from_codes(order.ravel(), others),
            "nes": nes, "nes_reverse": reverse, "log_pvalue": log_p, "log_qvalue": log_qvalues(log_p),
            "n_regulators": n_regulators,
        }
    )  # fmt: skip
