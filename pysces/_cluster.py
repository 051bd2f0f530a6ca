"""Tasks on the workers of a dask cluster that is there already; none is ever started here."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import nullcontext
from itertools import islice
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import AbstractContextManager

TASKS_PER_THREAD = 2
"""Tasks that are handed out ahead of the result that is waited for."""
ATTEMPTS = 4
"""How often what tasks share is sent to the workers, if it goes with those that held it before the next result."""
PAUSE = 1.0
"""Seconds after which the cluster has noticed which workers are gone."""


def active_client(client: Any | None) -> Any | None:
    """``client``, or the one that is active in this process; None without."""
    if client is not None:
        if not all(hasattr(client, name) for name in ("submit", "scatter", "nthreads")):
            msg = f"client is {type(client).__name__}; give a dask.distributed.Client."
            raise TypeError(msg)
        if client.asynchronous or client.status != "running":
            state = "asynchronous" if client.asynchronous else client.status
            msg = f"client is {state}; give a dask.distributed.Client that is connected, and not asynchronous."
            raise ValueError(msg)
        return client
    if "distributed" not in sys.modules:
        return None
    from distributed import default_client, get_worker

    try:
        get_worker()
    except ValueError:
        pass
    else:
        return None  # a task that waits for tasks of its own cluster may wait for ever
    try:
        found = default_client()  # type: ignore[no-untyped-call]
    except ValueError:
        return None
    return None if found.asynchronous else found


def reading_with(client: Any) -> AbstractContextManager[object]:
    """Where dask arrays are computed by ``client``, which alone has those that were persisted; None: as by default."""
    if client is None:
        return nullcontext()
    import dask

    return dask.config.set(scheduler=client)


def on_workers[T](
    client: Any, function: Callable[..., T], shared: object, items: Iterable[tuple[Any, ...]], what: str
) -> Generator[T, None, None]:
    """``function(shared, *item)`` for every item, in their order; dask arrays in an item are computed by the worker.

    ``shared`` is sent to the workers once. Tasks of workers that are lost are done by others.
    """
    to_do = iter(items)
    handed_out = deque(islice(to_do, 1))  # nothing is sent for nothing
    n_attempts = 0
    while handed_out:
        waiting: deque[Any] = deque()
        try:
            [sent] = client.scatter([shared], broadcast=True, hash=False)
            waiting.extend(_submit(client, function, sent, item) for item in handed_out)
            while True:
                ahead = TASKS_PER_THREAD * max(sum(client.nthreads().values()), 1)  # workers come and go
                for item in islice(to_do, max(ahead - len(waiting), 0)):
                    handed_out.append(item)
                    waiting.append(_submit(client, function, sent, item))
                if not waiting:
                    return
                found = waiting.popleft().result()
                handed_out.popleft()
                n_attempts = 0
                yield found
        except _lost() as error:
            n_attempts += 1
            if n_attempts == ATTEMPTS:
                msg = (
                    f"the cluster has not given {what} in {ATTEMPTS} attempts ({error!r}). Are there workers, and have "
                    "they enough memory? With checkpoint=..., finished subnetworks are kept."
                )
                raise RuntimeError(msg) from error
            sleep(PAUSE)
        finally:
            client.cancel(list(waiting), force=True)


class _Unread(NamedTuple):
    """A dask array that the task computes itself, on the worker that it is for."""

    array: Any


def _submit(client: Any, function: Callable[..., Any], sent: Any, item: tuple[Any, ...]) -> Any:
    lazy = [part for part in item if hasattr(part, "__dask_graph__")]
    if not lazy:
        return client.submit(function, sent, *item, pure=False)
    from dask.delayed import delayed
    from distributed import futures_of

    if futures_of(lazy):  # type: ignore[no-untyped-call]
        return client.compute(delayed(function, pure=False)(sent, *item))  # some of it is on workers already
    parts = [_Unread(_culled(part)) if hasattr(part, "__dask_graph__") else part for part in item]
    return client.submit(_with_parts, function, sent, parts, pure=False)


def _culled(array: Any) -> Any:
    """The same array, with no more of its graph than it needs."""
    from dask.base import optimize

    return optimize(array)[0]  # type: ignore[no-untyped-call]


def _with_parts(function: Callable[..., Any], shared: Any, parts: list[Any]) -> Any:
    read = [part.array.compute(scheduler="synchronous") if isinstance(part, _Unread) else part for part in parts]
    return function(shared, *read)


def _lost() -> tuple[type[BaseException], ...]:
    """What is raised when a worker that held a task or what it needs is gone, or there is none."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    return CancelledError, KilledWorker, OSError
