"""Lists, named vectors and classes as the bytes of an .rds file: the XDR format of R, version 2."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

R_2_3 = 0x020300
"""The version of R from which on the format is read."""
SYMBOL, PAIR, STRING, REAL, TEXT, LIST, END = 1, 2, 9, 14, 16, 19, 254
IS_OBJECT, HAS_ATTRIBUTES, HAS_TAG, UTF8, ASCII = 1 << 8, 1 << 9, 1 << 10, 1 << 15, 1 << 18


def rds(value: bytes) -> bytes:
    """The content of a file that holds a value."""
    return b"X\n" + struct.pack(">3i", 2, R_2_3, R_2_3) + value


def text(values: Sequence[str]) -> bytes:
    """A vector of text."""
    return struct.pack(">2i", TEXT, len(values)) + b"".join(map(_string, values))


def numbers(values: NDArray[np.float64], **attributes: Sequence[str]) -> bytes:
    """A vector of numbers."""
    return _with(REAL, len(values), [np.asarray(values, ">f8").tobytes()], attributes)


def as_list(values: Sequence[bytes], **attributes: Sequence[str]) -> bytes:
    """A list."""
    return _with(LIST, len(values), values, attributes)


def _with(kind: int, length: int, content: Iterable[bytes], attributes: dict[str, Sequence[str]]) -> bytes:
    """A vector and its attributes; ``class_`` is called class."""
    flags = kind | (HAS_ATTRIBUTES if attributes else 0) | (IS_OBJECT if "class_" in attributes else 0)
    pairs = [_symbol(name.rstrip("_")) + text(values) for name, values in attributes.items()]
    end = [struct.pack(">i", END)] if attributes else []
    return b"".join([struct.pack(">2i", flags, length), *content, *pairs, *end])


def _symbol(name: str) -> bytes:
    """The head of a pair of a name and a value; R takes names that are spelled out as well as references to them."""
    return struct.pack(">2i", PAIR | HAS_TAG, SYMBOL) + _string(name)


def _string(value: str) -> bytes:
    content = value.encode()
    return struct.pack(">2i", STRING | (ASCII if content.isascii() else UTF8), len(content)) + content
