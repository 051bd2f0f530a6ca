"""Log lines and progress bars in scanpy's manner; scanpy is imported when the first of them is written."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from numba.core import event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

SHORT = 3.0
"""Seconds. Work that takes less has no bar."""


def start(what: str) -> datetime:
    """Log that work begins; the time returned goes to :func:`done`."""
    from scanpy import logging

    return cast("datetime", logging.info(what))


def done(since: datetime, wrote: str) -> None:
    """Log that work is finished, and which slots were written."""
    from scanpy import logging

    logging.info("    finished", time=since, deep=wrote)


def info(what: str) -> None:
    """Log what is good to know of the work."""
    from scanpy import logging

    logging.info(f"    {what}")


def hint(what: str) -> None:
    """Log advice."""
    from scanpy import logging

    logging.hint(what)


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A bar over ``total`` steps; call what it gives with the number of steps done, from any thread.

    It is shown on terminals and in notebooks, once the work has taken :data:`SHORT` seconds and unless scanpy's
    verbosity is 0, and goes away at the end.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of notebooks without ipywidgets, where the bar is made of characters
        from tqdm.auto import tqdm

    seen = "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())
    turn = Lock()
    with tqdm(total=total, desc=what, delay=SHORT, leave=False, disable=not seen or _silent()) as bar:

        def done(steps: int) -> None:
            with turn:
                bar.update(steps)

        yield done


def announce_compilation() -> None:
    """From now on, write a line before the first kernel of this package is compiled in this process."""
    event.register("numba:compile", _Announcement())  # type: ignore[no-untyped-call]


class _Announcement(event.Listener):
    """Numba compiles in one thread at a time, and tells of no kernel that it loads from its cache."""

    def __init__(self) -> None:
        self._made = False

    def on_start(self, event: Any) -> None:
        kernel = event.data["dispatcher"]
        if self._made or _silent() or not str(kernel.__module__).startswith("pysces.") or sys.stderr is None:
            return
        from tqdm import tqdm

        self._made = True
        kept = "once" if kernel.stats.cache_path else "in every process, as numba finds no folder to keep them in"
        tqdm.write(f"pysces: compiling kernels {kept}, about 15 s", file=sys.stderr)  # above any bar

    def on_end(self, event: Any) -> None:
        pass


def _silent() -> bool:
    """Whether scanpy's verbosity is 0. Without scanpy, which must not be imported while numba compiles, it is 1."""
    settings = getattr(sys.modules.get("scanpy"), "settings", None)
    verbosity = getattr(settings, "verbosity", 1)
    return bool(getattr(verbosity, "value", verbosity) < 1)
