"""Which pairs are edges: false discovery rate, family-wise error rate or raw p-values, over all pairs tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Correction = Literal["fdr", "fwer", "p"] | None


def log_qvalues(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini-Hochberg adjusted p-values of all entries that are not NaN, as natural logs, in the shape given."""
    flat = log_p.ravel()
    tested = np.flatnonzero(~np.isnan(flat))
    order = tested[np.argsort(flat[tested], kind="stable")]
    adjusted = flat[order] + np.log(len(order)) - np.log(np.arange(1, len(order) + 1))
    log_q = np.full(flat.shape, np.nan)
    log_q[order] = np.minimum(np.minimum.accumulate(adjusted[::-1])[::-1], 0.0)
    return log_q.reshape(log_p.shape)


def significant(
    log_p: NDArray[np.float64], log_q: NDArray[np.float64], alpha: float, correction: Correction
) -> NDArray[np.bool_]:
    """Pairs that pass; ``None`` passes every pair that was tested."""
    tested: NDArray[np.bool_] = ~np.isnan(log_p)
    passed = tested
    match correction:
        case "fdr":
            passed = log_q <= np.log(alpha)
        case "fwer":
            passed = log_p <= np.log(alpha) - np.log(max(int(tested.sum()), 1))
        case "p":
            passed = log_p <= np.log(alpha)
    return passed
