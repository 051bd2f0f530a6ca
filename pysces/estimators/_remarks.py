"""What users of VIPER are told about their cells and network, in one warning per call."""

from __future__ import annotations

from pysces._check import warn


def warn_of_empty_cells(n_empty: int, n_cells: int) -> None:
    """Some cells have no scores, as they hold nothing to rank genes by."""
    if n_empty:
        warn(
            f"{n_empty} of {n_cells} cells get no scores (NaN): they have no count, or no value but 0, of any gene that "
            "is ranked. Remove cells with few genes first: sc.pp.filter_cells(adata, min_genes=...)."
        )
