"""Objects of R in .rds and .rda files; nothing in a file is ever run."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pysces._check import some
from pysces.io._text import decompressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BytesIO
    from pathlib import Path

    from rdata.parser import RObject

OPENERS: dict[bytes, Callable[[BytesIO], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
LATIN1 = 1 << 2
"""Flag of a string that is not UTF-8."""


class RValue(NamedTuple):
    """A value of R."""

    kind: str
    """numbers, text, list, NULL, or what else it is, such as clo (a function)."""
    values: Any
    """Numbers as an array (NA: NaN), text as a list (NA: None), a list as a list of these."""
    names: list[str | None] | None = None
    classes: tuple[str | None, ...] = ()
    levels: list[str | None] | None = None
    """Of a factor, whose numbers count them from 1."""


def read_r(path: Path, name: str | None) -> RValue:
    """The object of a file, or that of this name where it has several."""
    try:
        from pysces.io._r_parser import parse
    except ImportError as error:
        msg = "rdata 1.1 or later, below 2, which reads files of R, is not installed: pip install 'rdata>=1.1,<2'."
        raise ImportError(msg) from error
    content = _decompressed(path)
    several = content.startswith((b"RDX2\nX\n", b"RDX3\nX\n"))
    if not (several or content.startswith(b"X\n")):
        msg = f"{path} is no file of saveRDS() or save() in R, or is saved as text; in R: saveRDS(regulons, file)."
        raise ValueError(msg)
    try:
        found = parse(memoryview(content)[7 if several else 2 :])
        objects: dict[str | None, RObject] = dict(_pairs(found)) if several else {None: found}
        chosen = next(iter(objects)) if name is None and len(objects) == 1 else name
        value = _value(objects[chosen]) if chosen in objects else None
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        msg = f"{path} is damaged, or holds what cannot be read ({error!r}); in R, save the regulons alone: saveRDS()."
        raise ValueError(msg) from error
    if value is not None:
        return value
    if not several:
        msg = f"name is {name!r}, but {path} holds one object without a name; leave name out."
    elif name is None:
        msg = f"{path} holds {len(objects)} objects: {some(objects)}; give the name of one."
    else:
        msg = f"name is {name!r}, but {path} holds {some(objects)}; give one of these."
    raise ValueError(msg)


def _decompressed(path: Path) -> bytes:
    content = path.read_bytes()
    opener = next((opener for magic, opener in OPENERS.items() if content.startswith(magic)), None)
    return content if opener is None else decompressed(content, opener, path)


def _value(found: RObject) -> RValue:
    """A parsed object, with what it holds."""
    attributes = dict(_pairs(found.attributes))
    names, classes, levels = (
        _texts(attributes[key]) if key in attributes and attributes[key].info.type.name == "STR" else None
        for key in ("names", "class", "levels")
    )
    kind, values = found.info.type.name, found.value
    if names is not None and len(names) != len(values):
        msg = f"{len(names)} names of {len(values)} values"
        raise ValueError(msg)
    if kind in {"LGL", "INT", "REAL"}:
        numbers = np.ma.asarray(values, dtype=np.float64).filled(np.nan)
        return RValue("numbers", numbers, names, tuple(classes or ()), levels)
    if kind == "STR":
        return RValue("text", _texts(found), names, tuple(classes or ()))
    if kind == "VEC":
        return RValue("list", [_value(own) for own in values], names, tuple(classes or ()))
    return RValue("NULL" if kind in {"NIL", "NILVALUE"} else kind.lower(), [])


def _texts(found: RObject) -> list[str | None]:
    return [
        None if own.value is None else own.value.decode("cp1252" if own.info.gp & LATIN1 else "utf-8")
        for own in found.value
    ]


def _pairs(link: RObject | None) -> Iterator[tuple[str, RObject]]:
    """Names and values of a list of the kind that holds attributes, or the objects of a file."""
    while link is not None and link.tag is not None:
        symbol = link.tag.referenced_object or link.tag  # a name is given once, and referred to afterwards
        yield symbol.value.value.decode(), link.value[0]
        link = link.value[1]
