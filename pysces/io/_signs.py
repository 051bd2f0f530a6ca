"""The sign of every edge in tables of other programs, which call it by many names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

SIGNS = ("sign", "mode", "effect", "direction", "interaction", "type")
COEFFICIENTS = ("coef_mean", "coef", "coefficient", "estimate", "beta", "slope", "effect")
CORRELATIONS = (
    "scc", "spearman", "spearmanr", "spearman_r", "rho", "rho_tf2g", "correlation", "corr", "cor", "pearson",
    "pearsonr", "pearson_r",
)  # fmt: skip
WORDS = {
    1.0: {
        "1", "1.0", "+1", "+", "activation", "activates", "activating", "activated", "activator", "stimulation",
        "stimulates", "positive", "pos", "up", "upregulation", "up-regulates",
    },
    -1.0: {
        "-1", "-1.0", "-", "\N{MINUS SIGN}", "\N{MINUS SIGN}1", "\N{EN DASH}", "repression", "represses", "repressing",
        "repressed", "repressor", "inhibition", "inhibits", "inhibiting", "inhibitor", "negative", "neg", "down",
        "downregulation", "down-regulates",
    },
    0.0: {"0", "0.0", "", "?", "nan", "none", "na", "<na>", "unknown", "regulates"},
}  # fmt: skip
"""What a column of signs may hold, in lower case."""
SIGN_OF = {word: sign for sign, words in WORDS.items() for word in words}


class Signed(NamedTuple):
    """The column that tells the signs of the edges, and what it holds."""

    column: str
    kind: Literal["words", "coefficients", "correlations"]


def signed(table: pd.DataFrame, numbers: Callable[[pd.Series[Any]], NDArray[np.float64]]) -> Signed | None:
    """The column that tells the signs: by words, by coefficients or by correlations.

    Columns of these names that hold something else, no known word or no number at all, are passed over. The first
    column with a negative sign is taken before one in which all are positive, such as a ``direction`` of 1.
    """
    found = list(_candidates(table, numbers))
    return next((sign for sign, values in found if (values < 0).any()), found[0][0] if found else None)


def _candidates(
    table: pd.DataFrame, numbers: Callable[[pd.Series[Any]], NDArray[np.float64]]
) -> Iterator[tuple[Signed, NDArray[np.float64]]]:
    """Columns that may tell the signs, and their values."""
    known = {str(column).lower(): column for column in reversed(table.columns)}
    for name in (name for name in SIGNS if name in known):
        signs = of_words(table[known[name]])
        if not np.isnan(signs).any() and signs.any():
            yield Signed(known[name], "words"), signs
    for name in (name for name in (*COEFFICIENTS, *CORRELATIONS) if name in known):
        values = numbers(table[known[name]])
        if np.isfinite(values).any():
            yield Signed(known[name], "coefficients" if name in COEFFICIENTS else "correlations"), values


def not_understood(table: pd.DataFrame) -> str:
    """The first column that is called ``sign`` or the like but holds other words, and one of them; or nothing."""
    for column in (column for column in table if str(column).lower() in SIGNS):
        unknown = np.isnan(of_words(table[column]))
        if unknown.any():
            word = table[column].astype(object)[unknown].iloc[0]
            return f"the column {column!r} holds {word!r}, which is no known sign"
    return ""


def of_words(column: pd.Series[Any]) -> NDArray[np.float64]:
    """1, -1 or 0 for every word of a column, NaN for words that are no sign."""
    words = column.astype(object).map(lambda value: SIGN_OF.get(str(value).strip().lower(), np.nan))
    return words.to_numpy(np.float64)
