"""The network table: its schema, checks, and the way to integer-coded regulons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pysces._check import some
from pysces._names import columns_as_text
from pysces._regulons import Regulons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

REQUIRED = ("source", "target", "weight")
RANGES = {
    "weight": (
        -1,
        "in [-1, 1], as it is the mode of regulation",
        (
            "If these are strengths, pysces.pp.scale_weights(network) makes them the likelihood and keeps their sign "
            "as the weight; drop edges without a weight"
        ),
    ),
    "likelihood": (
        0,
        "in (0, 1]",
        "Divide by the largest: pysces.pp.normalise_likelihood(network); drop edges without a likelihood",
    ),
}
"""What the numbers of an edge may be, and what to do about others."""


def network_table(
    source: NDArray[np.object_], target: NDArray[np.object_], columns: Mapping[str, NDArray[np.generic]]
) -> pd.DataFrame:
    """A tidy network, sorted by source and falling mutual information.

    The likelihood is the mutual information over the largest of the network; the mode of regulation (weight) is the
    Spearman correlation.
    """
    mi = np.maximum(columns["mi"], np.finfo(np.float64).tiny)
    likelihood = np.maximum(mi / mi.max(initial=0), np.finfo(np.float64).tiny) if len(mi) else mi
    table = pd.DataFrame(
        {
            "source": pd.Categorical(source, categories=sorted(set(source))),
            "target": pd.Categorical(target, categories=sorted(set(target))),
            "weight": columns["scc"],
            "likelihood": likelihood,
            **columns,
        }
    )
    order = np.lexsort((table["target"].cat.codes, -table["mi"], table["source"].cat.codes))
    return table.iloc[order].reset_index(drop=True)


def join_groups(tables: Mapping[str, pd.DataFrame], labels: Sequence[str]) -> pd.DataFrame:
    """One table for all groups, with the categorical column ``group`` in front."""
    joined = pd.concat([table.astype({"source": object, "target": object}) for table in tables.values()])
    group = np.repeat(np.array(list(tables), dtype=object), [len(table) for table in tables.values()])
    joined = joined.reset_index(drop=True)
    for name in ("source", "target"):
        joined[name] = pd.Categorical(joined[name], categories=sorted(set(joined[name])))
    joined["group"] = pd.Categorical(group, categories=list(labels))
    return joined[["group", *joined.columns[:-1]]]


def check_network(network: object) -> pd.DataFrame:
    """The network if it is a table of weighted edges, each given once (per group); the likelihood is 1 by default."""
    if not isinstance(network, pd.DataFrame):
        msg = f"network is {type(network).__name__}; give a DataFrame with the columns source, target and weight."
        raise TypeError(msg)
    missing = [name for name in REQUIRED if name not in network.columns]
    if missing:
        have = some(network.columns)
        msg = (
            f"network lacks the columns {some(missing)}; it has: {have}. pysces.io.as_network(network) knows the "
            "columns of other programs; or rename them, or add weight = 1 or -1."
        )
        raise ValueError(msg)
    if network.empty:
        msg = "network has no edges; infer it with weaker thresholds (alpha, correction) or give another."
        raise ValueError(msg)
    table = network if "likelihood" in network.columns else network.assign(likelihood=1.0)
    for name, (low, meaning, remedy) in RANGES.items():
        values = numbers(table[name])
        outside = ~((values >= low) & (values <= 1)) | ((values == 0) & (name == "likelihood"))
        if outside.any():
            msg = (
                f"network[{name!r}] must lie {meaning}; {outside.sum()} of {len(values)} values do not "
                f"(such as {values[outside][0]:g}). {remedy}."
            )
            raise ValueError(msg)
    edge = [name for name in ("group", "source", "target") if name in table.columns]
    if table[edge].isna().any(axis=None):
        msg = f"network has edges without {' or '.join(edge)}; drop them: network.dropna(subset={edge})."
        raise ValueError(msg)
    table = columns_as_text(table, ("source", "target"), "network")
    duplicated = table.duplicated(edge)
    if duplicated.any():
        first = table.loc[duplicated, ["source", "target"]].iloc[0].tolist()
        msg = f"network holds {duplicated.sum()} edges twice, such as {first}; pysces.pp.merge_duplicates joins them."
        raise ValueError(msg)
    return table


def numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    """The numbers in a column of a network."""
    try:
        return column.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"network[{column.name!r}] holds what is no number ({error}); give numbers: pandas.to_numeric helps."
        raise ValueError(msg) from error


def in_network(table: pd.DataFrame, genes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which of ``genes`` are a regulator or a target."""
    names = {*np.asarray(table["source"].unique(), dtype=object), *np.asarray(table["target"].unique(), dtype=object)}
    return np.fromiter((gene in names for gene in genes), np.bool_, len(genes))


def code_network(table: pd.DataFrame, genes: NDArray[np.object_]) -> tuple[NDArray[np.object_], Regulons]:
    """Regulators by name and their targets as positions in ``genes``; absent targets are dropped."""
    target = pd.Index(genes).get_indexer(pd.Index(table["target"].astype(object)))
    source, labels = pd.factorize(table["source"].astype(str), sort=True)
    names = labels.to_numpy(dtype=object)
    order = np.lexsort((target, source))
    order = order[target[order] >= 0]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source[order], minlength=len(names)))]).astype(np.int64)
    mode = table["weight"].to_numpy(np.float64)[order]
    likelihood = table["likelihood"].to_numpy(np.float64)[order]
    return names, Regulons(indptr, target[order].astype(np.int32), mode, likelihood)
