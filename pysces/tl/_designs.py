"""Designs of so few cells or samples that no p-value can be small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pysces._check import warn

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNIFICANT = 0.05


def warn_of_few_labellings(
    n: int, n_reference: int, ways: int, n_as_extreme: int, log_q: NDArray[np.float64], remedy: str
) -> None:
    """Warn if nothing is significant where one regulator alone could not be, whatever its activities are.

    Of all ``ways`` to label the cells, at least ``n_as_extreme`` are as extreme as any one.
    """
    tested, least = int((~np.isnan(log_q)).sum()), n_as_extreme / ways
    if least * tested < SIGNIFICANT or (log_q < np.log(SIGNIFICANT)).any():
        return
    if least >= SIGNIFICANT:
        consequence = f"and no q below {SIGNIFICANT}"
    else:
        together = int(np.ceil(least * tested / SIGNIFICANT))
        consequence = f"and a q below {SIGNIFICANT} takes {together} of the {tested} regulators at this p"
    cells = f"{n + n_reference} cells or samples ({n} against {n_reference})"
    warn(f"{cells} can be labelled in {ways} ways: no p is below {least:.2g}, {consequence}; {remedy}.")
