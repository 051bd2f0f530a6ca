"""Names of genes: as text, and why those of one list may not be among those of another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pysces._check import some

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from numpy.typing import NDArray

SAMPLE = 1000
"""Names that tell the kind of a list."""
VERSION = re.compile(r"(ENS[A-Z]*[0-9]{11})\.[0-9]+")
"""An Ensembl identifier with a version."""
KINDS = {
    "Ensembl identifiers of human genes": re.compile(r"ENSG[0-9]{11}(\.[0-9]+)?"),
    "Ensembl identifiers of mouse genes": re.compile(r"ENSMUSG[0-9]{11}(\.[0-9]+)?"),
    "Ensembl identifiers": re.compile(r"ENS[A-Z]*[0-9]{11}(\.[0-9]+)?"),
    "numbers, such as those of Entrez": re.compile(r"[0-9]+"),
    "symbols of human genes": re.compile(r"[A-Z][A-Z0-9.-]+(orf[0-9A-Z]+)?"),
    "symbols of mouse genes": re.compile(r"[A-Z][a-z][A-Za-z0-9.-]*"),
}
GENES_OF_AN_ORGANISM = 20_000


def as_text(names: Iterable[object], what: str) -> NDArray[np.object_]:
    """Names as text, whole numbers as their digits; raises for missing names and other things."""
    given = list(names)
    text = [str(name) if isinstance(name, int | np.integer) and not isinstance(name, bool) else name for name in given]
    wrong = [name for name in text if not isinstance(name, str)]
    missing = sum(pd.api.types.is_scalar(name) and bool(pd.isna(name)) for name in wrong)  # type: ignore[call-overload]
    if missing:
        verb = "is" if missing == 1 else "are"
        msg = f"{what} must be names of genes, but {missing} of {len(given)} {verb} missing (NaN); leave these out."
        raise TypeError(msg)
    if wrong:
        kind = type(wrong[0]).__name__
        msg = f"{what} must be names of genes; found {kind} ({some(wrong)}). Convert them to text, such as '7157'."
        raise TypeError(msg)
    return np.array(text, dtype=object)


def columns_as_text(table: pd.DataFrame, columns: Iterable[str], what: str) -> pd.DataFrame:
    """A table in which whole numbers among the names in ``columns`` are their digits."""
    for name in columns:
        column = table[name]
        categorical = isinstance(column.dtype, pd.CategoricalDtype)
        found = column.cat.categories if categorical else column
        if isinstance(found.dtype, pd.StringDtype) or pd.api.types.infer_dtype(found, skipna=False) == "string":
            continue
        text = as_text(found, f"{what}[{name!r}]")
        if categorical and len(set(text)) == len(text):
            table = table.assign(**{name: column.cat.rename_categories(text.tolist())})
        else:
            table = table.assign(**{name: as_text(column, f"{what}[{name!r}]")})
    return table


def too_few(n_found: int, n_wanted: int, n_genes: int) -> bool:
    """Whether next to none of a list are among the genes.

    A list of an organism never matches whole, and few genes hold few of it. Lists of transcription factors have 0.5 to
    1.1 of the matches that as many random genes have, whether all genes of the data are there or the 500 most variable.
    """
    expected = n_wanted * min(n_genes / GENES_OF_AN_ORGANISM, 1.0)
    return n_found < n_wanted / 10 and n_found < expected / 4


def question(wanted: Collection[str], genes: Collection[str], what: str, others: str = "genes") -> str:
    """The question of the alphabet, with what is seen of it."""
    seen = differences(wanted, genes, what, others) or "They may be symbols or Ensembl, human or mouse."
    return f"Do the names use the same alphabet? {seen} pysces.pp.translate_genes translates names."


def differences(wanted: Collection[str], genes: Collection[str], what: str, others: str = "genes") -> str | None:
    """What tells the names of two lists apart, a sentence; None if nothing is seen."""
    ours, theirs = dict.fromkeys(map(str, wanted)), dict.fromkeys(map(str, genes))
    absent = [name for name in ours if name not in theirs]
    n_found = len(ours) - len(absent)
    pair = _alike(absent, theirs, lambda name: match[1] if (match := VERSION.fullmatch(name)) else name, n_found)
    if pair is not None:
        return f"{pair} are the same but for the version of Ensembl: leave it out (names.str.split('.').str[0])."
    kinds = _kind(absent), _kind(list(theirs))
    if None not in kinds and kinds[0] != kinds[1]:
        return f"The {what} look like {kinds[0]} ({some(absent)}), the {others} like {kinds[1]} ({some(theirs)})."
    pair = _alike(absent, theirs, str.casefold, n_found)
    return None if pair is None else f"{pair} are the same but for upper and lower case."


def _alike(absent: list[str], genes: Iterable[str], plain: Callable[[str], str], n_found: int) -> str | None:
    """An example of names that match once made plain, if more do than match as they are."""
    known = {plain(gene): gene for gene in genes}
    alike = [name for name in absent if plain(name) in known]
    return f"{alike[0]!r} and {known[plain(alike[0])]!r}" if len(alike) > n_found else None


def _kind(names: list[str]) -> str | None:
    """What more than half of the names look like."""
    sample = names[:: max(len(names) // SAMPLE, 1)]
    for kind, pattern in KINDS.items():
        if sum(pattern.fullmatch(name) is not None for name in sample) > len(sample) / 2:
            return kind
    return None
