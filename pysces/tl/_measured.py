"""Warn where groups of cells were measured for different genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pysces import _slots
from pysces._check import warn
from pysces._matrix import choose, n_rows, unmeasured_genes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

REST = -1
OTHERS = "the others"


def warn_of_unmeasured(x: Any, codes: NDArray[np.intp], labels: Sequence[str], *, reference: int = REST) -> None:
    """Warn of genes that are common in one group and have no count in another, more than cells can differ by.

    ``codes`` has the group of every cell, -1 for none; every group is compared with group ``reference``, or else with
    all others. ``labels`` say what the message calls them.
    """
    n_groups = int(codes.max(initial=-1)) + 1
    if n_groups == 2:
        reference = 1
    if n_groups < 2:
        return
    found = unmeasured_genes(x, codes, [(group, reference) for group in range(n_groups) if group != reference])
    if not found:
        return
    worst, *others = found
    having, lacking = (OTHERS if i == REST else labels[i] for i in (worst.found_in, worst.absent_from))
    more = f" (and others in {len(others)} more comparisons)" if others else ""
    warn(
        f"{worst.n_genes} of {worst.n_common} genes that are common in {having} have no count in any of the "
        f"{worst.n_cells} cells of {lacking}{more}. Cells do not differ so: these genes were probably not measured "
        "there, as after anndata.concat(join='outer'), which fills them with zeros, and make all regulators differ. "
        "Join with join='inner', or keep only genes that were measured in all groups."
    )


def warn_of_unmeasured_activities(
    adata: AnnData, key: str, codes: NDArray[np.intp], labels: Sequence[str], *, rest: bool
) -> None:
    """The same of activities that are compared, if the matrix that was scored is still there.

    ``codes`` and ``rest`` are those of :func:`pysces._enrich.ranking.rank_groups`.
    """
    made = _slots.read_parameters(adata, key)
    try:
        x = choose(adata, layer=made.get("layer"), use_raw=bool(made.get("use_raw")), mask_var=None).x
        n_rows(x)
    except (KeyError, TypeError, ValueError):
        return
    warn_of_unmeasured(
        x, codes, [*map(repr, labels), OTHERS if rest else "the reference"], reference=REST if rest else len(labels)
    )


def codes_of(n_cells: int, rows: Iterable[NDArray[np.intp]]) -> NDArray[np.intp]:
    """The group of every cell, -1 for none, of groups given by their rows."""
    codes = np.full(n_cells, -1)
    for group, of_group in enumerate(rows):
        codes[of_group] = group
    return codes
