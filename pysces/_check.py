"""Checks of arguments: each error names the argument, what was found and what to do."""

from __future__ import annotations

import warnings
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

PACKAGE = str(Path(__file__).parent)


def warn(message: str) -> None:
    """Warn at the line of the user's code that called pysces."""
    warnings.warn(message, UserWarning, skip_file_prefixes=(PACKAGE,), stacklevel=2)


def warn_of_name_clash() -> None:
    """Another project on PyPI installs an import package of this name."""
    try:
        distribution("pysces")
    except PackageNotFoundError:
        return
    warn(
        "The distribution 'pysces' (a simulator of cellular systems) is installed beside 'pysces-grn', and both "
        "provide the import package 'pysces': parts of one overwrite the other. Use them in separate environments."
    )


def one_of[T](value: T, options: Sequence[T], name: str) -> T:
    """``value`` if it is among ``options``."""
    if value not in options:
        msg = f"{name} is {value!r}; choose one of {', '.join(map(repr, options))}."
        raise ValueError(msg)
    return value


def whole_number(value: object, name: str, *, least: int) -> int:
    """``value`` as an int that is at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        msg = f"{name} is {value!r}; give a whole number, at least {least}."
        raise ValueError(msg)
    return int(value)


def flag(value: object, name: str) -> bool:
    """``value`` if it is True or False."""
    if not isinstance(value, bool | np.bool_):
        msg = f"{name} is {value!r}; give True or False."
        raise ValueError(msg)
    return bool(value)


def no_effect(options: Mapping[str, tuple[object, object]], cause: str, remedy: str = "leave it out") -> None:
    """Raise if an option, given with its default, is another although it has no effect for this cause."""
    for name, (value, default) in options.items():
        if value is not default and value != default:
            msg = f"{name}={value!r} has no meaning with {cause}; {remedy}."
            raise ValueError(msg)


def share(value: object, name: str, *, zero: bool = False, one: bool = False) -> float:
    """``value`` as a float in (0, 1), with the ends if asked for."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not (0 < value < 1 or (zero and value == 0) or (one and value == 1)):  # type: ignore[operator]
        msg = f"{name} is {value!r}; give a number in {'[' if zero else '('}0, 1{']' if one else ')'}."
        raise ValueError(msg)
    return float(value)  # type: ignore[arg-type]


SHOWN = 3
"""Names of a list that a message shows."""


def some(items: Iterable[object]) -> str:
    """The first names of a list and, where there are more, how many there are, for a message."""
    plain = [item.item() if isinstance(item, np.generic) else item for item in items]
    more = f", ... ({len(plain):,} in all)" if len(plain) > SHOWN else ""
    return ", ".join(map(repr, plain[:SHOWN])) + more


def unique(names: Sequence[str] | NDArray[np.object_], what: str, remedy: str) -> None:
    """Raise if a name occurs twice."""
    found, counts = np.unique(np.asarray(names, dtype=str), return_counts=True)
    if (counts > 1).any():
        msg = f"{what} holds duplicates: {some(found[counts > 1].tolist())}. {remedy}"
        raise ValueError(msg)
