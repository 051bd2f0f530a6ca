"""Ranked regulators in the shape that scanpy's functions of ranked genes read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pysces import _slots
from pysces._check import warn
from pysces._stale import stale_groups
from pysces._strata import BETWEEN, group_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from anndata import AnnData

TYPES = {"names": "O", "scores": "f4", "pvals": "f8", "pvals_adj": "f8", "logfoldchanges": "f4"}


def add_ranking(activity: AnnData, adata: AnnData, key: str) -> None:
    """Add to activities the regulators that were ranked by them, if any were in every group, and joined labels."""
    if not _slots.has_table(adata, _slots.RANK_REGULATORS, _slots.TABLE):
        return
    table = _slots.read_ranking(adata, _slots.RANK_REGULATORS)
    parameters = _slots.read_parameters(adata, _slots.RANK_REGULATORS)
    columns = _slots.stored_groupby(parameters)
    names = [columns] if isinstance(columns, str) else columns or []
    outdated = {*table["source"]} != {*activity.var_names} or not {*names} <= {*activity.obs.columns}
    if parameters["key"] != key or parameters["method"] == "kruskal" or outdated:
        return
    if stale := stale_groups(adata, _slots.RANK_REGULATORS, names, "rank_regulators(adata, ...)"):
        warn(f"the ranking is left out of uns['rank_genes_groups']: {stale}")
        return
    groupby = BETWEEN.join(names)
    if len(names) > 1:
        activity.obs[groupby] = group_labels(activity.obs, names)
    activity.uns["rank_genes_groups"] = _rank_genes_groups(table, parameters, groupby)


def _rank_genes_groups(table: pd.DataFrame, parameters: Mapping[str, Any], groupby: str) -> dict[str, Any]:
    """One record per rank with a field per group; "logfoldchanges" are differences of mean activities."""
    columns = {
        "names": table["source"].astype(str).astype(object),
        "scores": table["score"],
        "pvals": np.exp(table["log_pvalue"]),
        "pvals_adj": np.exp(table["log_qvalue"]),
        "logfoldchanges": table["mean"] - table["mean_reference"],
    }
    groups = list(table.groupby("group", observed=True).indices.items())
    records = {
        name: np.rec.fromarrays(
            [values.to_numpy()[rows] for _, rows in groups],
            dtype=[(str(label), TYPES[name]) for label, _ in groups],
        )
        for name, values in columns.items()
    }
    described = {
        "groupby": groupby,
        "reference": parameters["reference"],
        "method": parameters["method"],
        "use_raw": False,
        "layer": None,
        "corr_method": "benjamini-hochberg",
    }
    return {"params": described, **records}
