"""Text files: decoded, decompressed, and written whole or not at all."""

from __future__ import annotations

import gzip
import lzma
import zlib
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LEAST_ROOM, MOST_GAIN = 1 << 20, 200
"""What is decompressed may have 1 MB, or 200 times the size of the file; of networks it is three to thirty times."""


def read_text(path: Path) -> str:
    r"""The text of a file, plain or ``.gz``; every line ends with ``\n``."""
    if path.is_dir():
        msg = f"{path} is a folder; give a file (a folder only of subnetworks of ARACNe3)."
        raise IsADirectoryError(msg)
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = decompressed(content, gzip.open, path)
    try:
        text = content.decode("utf-8-sig")  # some editors put a mark in front
    except UnicodeDecodeError as error:
        number = len((error.object[: error.start] + b".").splitlines())
        msg = f"{path} is not UTF-8 text (line {number}); convert it, or decompress it if it is compressed but not .gz."
        raise ValueError(msg) from error
    if "\0" in text:
        number = len((text[: text.index("\0")] + ".").splitlines())
        msg = f"{path} is not text: it holds a NUL byte in line {number}; is it another kind of file, or damaged?"
        raise ValueError(msg)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def decompressed(content: bytes, opener: Callable[[BytesIO], Any], path: Path) -> bytes:
    """The content of a compressed file, unless it is damaged or grows as no network does."""
    most = max(LEAST_ROOM, MOST_GAIN * len(content))
    try:
        with opener(BytesIO(content)) as file:
            found: bytes = file.read(most + 1)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        msg = f"{path} is damaged or incomplete ({error}); copy it again, or drop the suffix .gz if it is plain text."
        raise ValueError(msg) from error
    if len(found) > most:
        msg = f"{path} grows more than {MOST_GAIN} times when decompressed, as no network does; decompress it before."
        raise ValueError(msg)
    return found


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to, which is moved to ``path`` once all is written; on an error nothing is left or replaced."""
    if path.is_dir():
        msg = f"{path} is a folder; give the name of a file."
        raise IsADirectoryError(msg)
    if not path.parent.is_dir():
        msg = f"there is no folder {path.parent} to write {path.name} into; make it first."
        raise FileNotFoundError(msg)
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def write_text(path: Path, text: str) -> None:
    """Write a file as UTF-8, compressed if it ends with ``.gz``; the same text gives the same bytes."""
    content = text.encode()
    with whole(path) as part:
        part.write_bytes(gzip.compress(content, compresslevel=6, mtime=0) if path.suffix == ".gz" else content)
