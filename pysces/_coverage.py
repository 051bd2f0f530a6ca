"""How much of a network the genes of the data hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pysces import _log
from pysces._check import some, warn
from pysces._names import differences, question, too_few

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FEW_REGULONS = 1 / 4
"""Of CollecTRI and DoRothEA on blood cells, 0.5 to 0.99 of the regulons are large enough with all genes that were
measured, and at most 0.16 (25 targets) or 0.58 (5 targets) with the 2,000 most variable."""


class Coverage(NamedTuple):
    """Targets of a network that are among the genes, and regulators (of each group) with enough of them."""

    n_regulators: int
    n_targets: int
    n_found: int
    n_large: int
    """Regulons with ``min_targets`` targets in the network."""
    n_kept: int
    """Those of them with as many among the genes."""
    question: str | None
    """What may be wrong with the names, where few targets are found."""

    @property
    def share(self) -> float:
        """Of the targets, those found."""
        return self.n_found / self.n_targets

    def warning(self, min_targets: int) -> str | None:
        """What to tell the user where most regulators are lost for lack of genes."""
        if self.n_kept >= FEW_REGULONS * self.n_large:
            return None
        remedy = self.question or (
            "Score data with all genes that were measured, not only the most variable ones, or lower min_targets."
        )
        return (
            f"only {self.n_kept:,} of the {self.n_large:,} regulons with min_targets={min_targets} targets in the "
            f"network have as many among the genes: {self.n_found:,} of its {self.n_targets:,} targets "
            f"({100 * self.share:.0f} %) are there. {remedy}"
        )


def tell_coverage(
    tables: Mapping[str, pd.DataFrame], genes: NDArray[np.object_], n_scored: int, min_targets: int
) -> dict[str, Any]:
    """Log how much of one or several networks was scored, warn where most is lost, and give the numbers."""
    for name, table in tables.items():
        warning = coverage(table, genes, min_targets).warning(min_targets)
        if warning is not None:
            warn(warning if len(tables) == 1 else f"network {name!r}: {warning}")
    ends = pd.concat([table[["source", "target"]].astype(object) for table in tables.values()])
    n_regulators, targets = ends["source"].nunique(), ends["target"].unique()
    share = float(np.isin(targets.astype(str), genes.astype(str)).mean())
    _log.info(
        f"scored {n_scored:,} of {n_regulators:,} regulators (min_targets={min_targets}); {100 * share:.0f} % of the "
        "network's targets are among the genes"
    )
    return {"n_regulators": n_scored, "n_regulators_of_network": n_regulators, "share_of_targets": share}


def coverage(table: pd.DataFrame, genes: NDArray[np.object_], min_targets: int) -> Coverage:
    """How much of a network is among ``genes``."""
    targets = table["target"].astype(object)
    found = targets.isin(genes).to_numpy()
    regulon = [name for name in ("group", "source") if name in table.columns]
    sizes = table.groupby(regulon, observed=True).size()
    kept = table[found].groupby(regulon, observed=True).size()
    names = targets.unique()
    n_found = targets[found].nunique()
    asked = question(names, genes, "targets") if doubtful(names, n_found, genes) else None
    return Coverage(
        table["source"].nunique(), len(names), n_found,
        int((sizes >= min_targets).sum()), int((kept >= min_targets).sum()), asked,
    )  # fmt: skip


def doubtful(targets: NDArray[np.object_], n_found: int, genes: NDArray[np.object_]) -> bool:
    """Whether so few targets are found that their names may be of another alphabet."""
    if too_few(n_found, len(targets), len(genes)) or not n_found:
        return True
    return 2 * n_found < len(targets) and differences(targets, genes, "targets") is not None


def no_common_target(table: pd.DataFrame, genes: NDArray[np.object_]) -> str:
    """What to say of a network without a target among the genes."""
    targets = table["target"].unique()
    return (
        f"no target of the network ({some(targets)}) is among the {len(genes):,} genes ({some(genes)}). "
        f"{question(targets, genes, 'targets')}"
    )


def no_large_regulon(
    table: pd.DataFrame, genes: NDArray[np.object_], min_targets: int, largest: float, ranked_if: str | None = None
) -> str:
    """Why no regulator has enough targets among the genes, or those that ``ranked_if`` says of, and what to do."""
    found = coverage(table, genes, min_targets)
    that = "" if ranked_if is None else f" that {ranked_if}"
    if ranked_if is None:
        remedy = found.question or "Lower min_targets, or give a larger network or data with more genes."
    else:
        remedy = f"Compare with more or other cells{', or lower min_targets' if largest else ''}."
    return (
        f"no regulator has min_targets={min_targets} targets among the genes{that}; "
        f"the largest of {found.n_regulators:,} has {largest:.4g}. {found.n_found:,} of the network's "
        f"{found.n_targets:,} targets are among the {len(genes):,} genes. {remedy}"
    )
