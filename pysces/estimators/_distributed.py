"""Subnetworks as tasks of a dask cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pysces._cluster import on_workers

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pysces._infer.subnetworks import Job, Subnetwork


class OnCluster(NamedTuple):
    """Computes subnetworks on the workers of a cluster, each on one thread; the job is sent to them once."""

    client: Any

    def __call__(self, job: Job, numbers: Sequence[int]) -> Generator[Subnetwork, None, None]:
        """See :class:`Runner`."""
        return on_workers(self.client, _subnetwork, job, ((i,) for i in numbers), "a subnetwork")


def _subnetwork(job: Job, i: int) -> Subnetwork:
    return job.subnetwork(i, 1)
