"""Log lines and progress bars in scanpy's manner; scanpy is imported when the first line is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from datetime import datetime

    from tqdm import tqdm


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


def progress(total: int, what: str) -> tqdm[object]:
    """A bar over ``total`` steps, shown where log lines of level info are."""
    from scanpy import settings
    from tqdm.auto import tqdm

    shown = getattr(settings.verbosity, "value", settings.verbosity) >= 2
    return tqdm(total=total, desc=what, disable=None if shown else True, leave=False)
