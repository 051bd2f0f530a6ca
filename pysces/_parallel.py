"""Run serial, GIL-free kernels on several threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import islice
from threading import Event, Lock
from typing import TYPE_CHECKING

import numba
import numpy as np
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager


def resolve_threads(n_threads: int) -> int:
    """Number of threads to use: 0 is all that numba may use, never more than ``NUMBA_NUM_THREADS`` or the cores."""
    if isinstance(n_threads, bool) or not isinstance(n_threads, int | np.integer) or n_threads < 0:
        msg = f"n_threads is {n_threads!r}; give the number of threads as a whole number, 0 for all cores."
        raise ValueError(msg)
    allowed = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    return allowed if n_threads == 0 else min(int(n_threads), allowed)


STEPS_PER_BLOCK = 2**24


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


class _OneBlasThread:
    """Counts who is inside: the limit is one of the process, and the last to leave lifts what the first has set.

    No process forks while one of its threads has the lock, which nobody would release in the child. A child forked
    while a thread is inside stays limited.
    """

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0
        self._limit: AbstractContextManager[object] | None = None
        if hasattr(os, "register_at_fork"):  # not on Windows
            acquire, release = self._lock.acquire, self._lock.release
            os.register_at_fork(before=acquire, after_in_parent=release, after_in_child=release)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                self._limit = _libraries().limit(limits=1, user_api="blas")
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0 and self._limit is not None:
                    self._limit.__exit__(None, None, None)


one_blas_thread = _OneBlasThread()
"""Keep BLAS to one thread, for tasks that :func:`run` spreads over threads itself."""


def blocks(n: int, size: int) -> Iterator[slice]:
    """Cut ``range(n)`` into consecutive slices of at most ``size``."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def block_size(steps: int) -> int:
    """Items of one block if an item takes so many steps of about a nanosecond.

    Blocks are large against the overhead of a task, and short enough to balance threads and to stop soon when
    interrupted.
    """
    return int(np.clip(STEPS_PER_BLOCK // max(steps, 1), 8, 256))


def run(
    task: Callable[[slice], None], n: int, size: int, n_threads: int, on_done: Callable[[int], object] | None = None
) -> None:
    """Call ``task`` on every block of ``range(n)``; tasks write to disjoint parts of what they share.

    Blocks do not depend on the number of threads, so neither does any result. ``on_done`` is called with the number of
    items of every block that is done, from several threads.
    """
    if on_done is not None:
        task = _then(task, on_done)
    if n_threads == 1 or n <= size:
        for block in blocks(n, size):
            task(block)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for _ in pool.map(task, blocks(n, size)):
                pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _then(task: Callable[[slice], None], on_done: Callable[[int], object]) -> Callable[[slice], None]:
    def both(block: slice) -> None:
        task(block)
        on_done(block.stop - block.start)

    return both


def consume[T](task: Callable[[T], None], items: Iterable[T], n_threads: int) -> None:
    """Call ``task`` on every item; no more items exist at a time than there are threads.

    Items are made one after another, by whichever thread is free, so that files are read by one thread at a time.
    """
    source, turn, stopped = iter(items), Lock(), Event()

    def work(_: int) -> None:
        try:
            while not stopped.is_set():
                with turn:
                    made = list(islice(source, 1))
                if not made:
                    return
                task(made.pop())  # the item goes before the next is made
        except BaseException:
            stopped.set()
            raise

    if n_threads == 1:
        work(0)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for _ in pool.map(work, range(n_threads)):
                pass
        finally:
            stopped.set()
