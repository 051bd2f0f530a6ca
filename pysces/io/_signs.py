"""The sign of every edge in tables of other programs, which call it by many names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

SIGNS = ("sign", "direction", "mode")
COEFFICIENTS = ("coef_mean", "coef", "coefficient", "estimate")
CORRELATIONS = ("scc", "spearman", "rho", "correlation", "corr", "pearson")
WORDS = {
    1.0: {"1", "1.0", "+1", "+", "activation", "activates", "activating", "stimulation", "positive", "up"},
    -1.0: {"-1", "-1.0", "-", "repression", "represses", "repressing", "inhibition", "inhibits", "negative", "down"},
    0.0: {"0", "0.0", "", "?", "nan", "none", "na", "<na>", "unknown", "regulates"},
}
"""What a column of signs may hold, in lower case."""
SIGN_OF = {word: sign for sign, words in WORDS.items() for word in words}


class Signed(NamedTuple):
    """The column that tells the signs of the edges, and what it holds."""

    column: str
    kind: Literal["words", "coefficients", "correlations"]


def signed(table: pd.DataFrame, numbers: Callable[[pd.Series[Any]], NDArray[np.float64]]) -> Signed | None:
    """The first column that tells the signs: by words, by coefficients or by correlations.

    Columns of these names that hold something else, no known word or no number at all, are passed over.
    """
    known = {str(column).lower(): column for column in reversed(table.columns)}
    for name in (name for name in SIGNS if name in known):
        signs = of_words(table[known[name]])
        if not np.isnan(signs).any() and signs.any():
            return Signed(known[name], "words")
    for name in (*COEFFICIENTS, *CORRELATIONS):
        if name in known and np.isfinite(numbers(table[known[name]])).any():
            return Signed(known[name], "coefficients" if name in COEFFICIENTS else "correlations")
    return None


def of_words(column: pd.Series[Any]) -> NDArray[np.float64]:
    """1, -1 or 0 for every word of a column, NaN for words that are no sign."""
    words = column.astype(object).map(lambda value: SIGN_OF.get(str(value).strip().lower(), np.nan))
    return words.to_numpy(np.float64)
