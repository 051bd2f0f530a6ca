"""Subnetworks as tasks of a dask cluster that is there already."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pysces._infer.subnetworks import Job, Subnetwork

TASKS_PER_THREAD = 2
"""Tasks that are handed out ahead of the result that is waited for."""
ATTEMPTS = 4
"""How often data that went with the workers that held them are sent anew."""


def active_client(client: Any | None) -> Any | None:
    """``client``, or the one that is active in this process; None without."""
    if client is not None:
        if not all(hasattr(client, name) for name in ("submit", "scatter", "nthreads")):
            msg = f"client is {type(client).__name__}; give a dask.distributed.Client."
            raise TypeError(msg)
        return client
    if "distributed" not in sys.modules:
        return None
    from distributed import default_client

    try:
        return default_client()  # type: ignore[no-untyped-call]
    except ValueError:
        return None


class OnCluster(NamedTuple):
    """Computes subnetworks on the workers of a cluster, each on one thread; the job is sent to them once."""

    client: Any

    def __call__(self, job: Job, numbers: Sequence[int]) -> Iterator[Subnetwork]:
        """See :class:`Runner`."""
        left = list(numbers)
        for attempt in range(ATTEMPTS):
            try:
                for found in self._computed(job, tuple(left)):
                    yield found
                    del left[0]
            except _lost() as error:
                if attempt == ATTEMPTS - 1:
                    msg = (
                        f"the workers of the cluster were lost {ATTEMPTS} times while they computed subnetwork "
                        f"{left[0]}; have they enough memory? With checkpoint=..., what is finished is kept."
                    )
                    raise RuntimeError(msg) from error
            else:
                return

    def _computed(self, job: Job, numbers: Sequence[int]) -> Iterator[Subnetwork]:
        ahead = TASKS_PER_THREAD * max(sum(self.client.nthreads().values()), 1)
        [sent] = self.client.scatter([job], broadcast=True, hash=False)
        waiting: deque[Any] = deque()
        to_do = iter(numbers)
        try:
            for i in to_do:
                waiting.append(self.client.submit(_subnetwork, sent, i, pure=False))
                if len(waiting) == ahead:
                    break
            while waiting:
                found = waiting.popleft().result()
                for i in to_do:
                    waiting.append(self.client.submit(_subnetwork, sent, i, pure=False))
                    break
                yield found
        finally:
            self.client.cancel(list(waiting), force=True)


def _subnetwork(job: Job, i: int) -> Subnetwork:
    return job.subnetwork(i, 1)


def _lost() -> tuple[type[BaseException], ...]:
    """What is raised when a worker that held data or a task is gone."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    return CancelledError, FutureCancelledError, KilledWorker
