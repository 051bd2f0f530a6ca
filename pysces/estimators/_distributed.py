"""Subnetworks as tasks of a dask cluster that is there already."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import closing
from itertools import islice
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pysces._infer.subnetworks import Job, Subnetwork

TASKS_PER_THREAD = 2
"""Tasks that are handed out ahead of the result that is waited for."""
ATTEMPTS = 4
"""How often the job is sent to the workers, if it goes with those that held it before the next subnetwork is there."""
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


class OnCluster(NamedTuple):
    """Computes subnetworks on the workers of a cluster, each on one thread; the job is sent to them once."""

    client: Any

    def __call__(self, job: Job, numbers: Sequence[int]) -> Generator[Subnetwork, None, None]:
        """See :class:`Runner`."""
        left = deque(numbers)
        n_attempts = 0
        while left:
            try:
                with closing(self._computed(job, tuple(left))) as computed:
                    for found in computed:
                        yield found
                        left.popleft()
                        n_attempts = 0
            except _lost() as error:
                n_attempts += 1
                if n_attempts == ATTEMPTS:
                    msg = (
                        f"the cluster has not given subnetwork {left[0]} in {ATTEMPTS} attempts ({error!r}). Are there "
                        "workers, and have they enough memory? With checkpoint=..., what is finished is kept."
                    )
                    raise RuntimeError(msg) from error
                sleep(PAUSE)

    def _computed(self, job: Job, numbers: Sequence[int]) -> Generator[Subnetwork, None, None]:
        [sent] = self.client.scatter([job], broadcast=True, hash=False)
        to_do = iter(numbers)
        waiting: deque[Any] = deque()
        try:
            while True:
                ahead = TASKS_PER_THREAD * max(sum(self.client.nthreads().values()), 1)  # workers come and go
                for i in islice(to_do, max(ahead - len(waiting), 0)):
                    waiting.append(self.client.submit(_subnetwork, sent, i, pure=False))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            self.client.cancel(list(waiting), force=True)


def _subnetwork(job: Job, i: int) -> Subnetwork:
    return job.subnetwork(i, 1)


def _lost() -> tuple[type[BaseException], ...]:
    """What is raised when a worker that held the job or a task is gone, or there is none."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    return CancelledError, KilledWorker, OSError
