"""ARACNe on dask clusters: the bytes of one thread, whatever happens to the workers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anndata as ad
import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import viper_oracles
from aracne_cases import REGULATORS, SLASHED, cells, counts, digest, files, fit, fit_digest, watch, watched
from distributed import Client, KilledWorker, LocalCluster

import pysces as ps
from pysces import _cluster as module
from pysces._cluster import ATTEMPTS, TASKS_PER_THREAD, active_client
from pysces._infer.subnetworks import Subnetwork
from pysces.estimators._distributed import OnCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known|X holds counts")
"""Of few genes, or of values that are no counts."""
QUIET = {"dashboard_address": "127.0.0.1:0", "silence_logs": "CRITICAL"}  # any port that is free


def eventually(check: Callable[[], object], seconds: float = 60) -> bool:
    """Whether something comes true."""
    end = time.monotonic() + seconds
    while not check() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(check())


# --- a client that only looks like one --------------------------------------------------------------------------------


class FakeJob:
    """Subnetworks that tell their number and how many threads they were given."""

    def subnetwork(self, i: int, n_threads: int) -> Subnetwork:
        return Subnetwork(np.array([i]), i, n_threads)


class FakeFuture:
    def __init__(self, compute: Callable[[], object]) -> None:
        self.compute = compute

    def result(self) -> object:
        return self.compute()


class FakeClient:
    """Computes when a result is asked for; ``mishaps`` are raised by that many first results of a subnetwork."""

    asynchronous, status = False, "running"

    def __init__(self, mishaps: dict[int, list[BaseException]] | None = None, n_threads: int = 2) -> None:
        self.mishaps, self.n_threads = mishaps or {}, n_threads
        self.scattered: list[object] = []
        self.submitted: list[int] = []
        self.cancelled: list[object] = []
        self.n_taken = 0
        self.most_ahead = 0

    def nthreads(self) -> dict[str, int]:
        return {"a worker": self.n_threads} if self.n_threads else {}

    def scatter(self, data: list[object], *, broadcast: bool, hash: bool) -> list[object]:
        assert broadcast
        assert not hash
        self.scattered += data
        return data

    def submit(self, function: Callable[..., object], job: object, i: int, *, pure: bool) -> FakeFuture:
        assert not pure
        self.submitted.append(i)
        self.most_ahead = max(self.most_ahead, len(self.submitted) - self.n_taken)

        def compute() -> object:
            self.n_taken += 1
            if self.mishaps.get(i):
                raise self.mishaps[i].pop(0)
            return function(job, i)

        return FakeFuture(compute)

    def cancel(self, futures: list[object], *, force: bool) -> None:
        assert force
        self.n_taken += len(futures)
        self.cancelled += futures


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.0)


def numbers(client: FakeClient, wanted: object = range(9)) -> list[int]:
    return [found.n_tests for found in OnCluster(client)(FakeJob(), wanted)]


@pytest.mark.parametrize("n_threads", [0, 1, 2, 5, 50])
def test_subnetworks_come_in_their_order_and_few_are_ahead(n_threads):
    client = FakeClient(n_threads=n_threads)
    assert numbers(client, [3, 1, 4, 5, 9, 2, 6]) == [3, 1, 4, 5, 9, 2, 6]
    assert client.submitted == [3, 1, 4, 5, 9, 2, 6]
    assert client.most_ahead == min(7, TASKS_PER_THREAD * max(n_threads, 1))
    assert len(client.scattered) == 1
    assert not client.cancelled


def test_tasks_use_one_thread():
    assert [found.n_before for found in OnCluster(FakeClient())(FakeJob(), range(3))] == [1, 1, 1]


def test_nothing_is_sent_for_nothing():
    client = FakeClient()
    assert numbers(client, []) == []
    assert not client.scattered


def test_workers_that_join_get_tasks():
    client = FakeClient(n_threads=1)
    found = OnCluster(client)(FakeJob(), range(40))
    next(found)
    assert len(client.submitted) == TASKS_PER_THREAD
    client.n_threads = 10
    next(found)
    assert len(client.submitted) - client.n_taken == 10 * TASKS_PER_THREAD - 1


def test_what_was_ahead_is_cancelled_when_no_more_is_wanted():
    client = FakeClient()
    found = OnCluster(client)(FakeJob(), range(40))
    next(found)
    next(found)
    found.close()
    assert len(client.cancelled) == len(client.submitted) - 2 > 0


@pytest.mark.parametrize(
    "error", [CancelledError(), KilledWorker("task", None, 3), TimeoutError("No workers")], ids=repr
)
@pytest.mark.parametrize("i", [0, 4, 8])
def test_what_is_lost_is_sent_anew_and_what_is_there_is_kept(no_pause, error, i):
    client = FakeClient({i: [error] * (ATTEMPTS - 1)})
    assert numbers(client) == list(range(9))
    assert len(client.scattered) == ATTEMPTS
    assert {n for n, times in Counter(client.submitted).items() if times > 1} <= set(range(i, 9))


def test_losses_with_progress_between_them_have_no_end(no_pause):
    client = FakeClient({i: [CancelledError()] * (ATTEMPTS - 1) for i in range(9)})
    assert numbers(client) == list(range(9))


def test_a_subnetwork_that_is_lost_again_and_again_ends_the_run(no_pause):
    client = FakeClient({4: [CancelledError("gone")] * ATTEMPTS})
    with pytest.raises(
        RuntimeError, match=r"not given a subnetwork in 4 attempts \(CancelledError\('gone'\)\).*memory"
    ):
        numbers(client)
    assert len(client.submitted) - client.n_taken == 0


def test_errors_of_a_subnetwork_are_those_of_the_caller():
    client = FakeClient({4: [ZeroDivisionError("mine")]})
    with pytest.raises(ZeroDivisionError, match="mine"):
        numbers(client)
    assert len(client.scattered) == 1
    assert len(client.cancelled) == len(client.submitted) - 5


@pytest.mark.parametrize("wrong", [3, "tcp://127.0.0.1:8786", object(), LocalCluster])
def test_what_is_no_client_is_refused(wrong):
    with pytest.raises(TypeError, match=r"client is .*; give a dask.distributed.Client"):
        fit(client=wrong)


@pytest.mark.parametrize(("name", "value"), [("asynchronous", True), ("status", "closed"), ("status", "connecting")])
def test_clients_that_cannot_be_used_are_refused(name, value):
    client = FakeClient()
    setattr(client, name, value)
    state = name if name == "asynchronous" else value
    with pytest.raises(ValueError, match=f"client is {state}; give a dask.distributed.Client that is connected"):
        active_client(client)


def test_without_a_client_nothing_is_started(monkeypatch):
    monkeypatch.setattr(LocalCluster, "__init__", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(Client, "__init__", lambda *_, **__: 1 / 0)
    assert active_client(None) is None
    fit(n_subnetworks=1)


# --- a cluster --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two processes of one thread; its client is not the default, which other tests of this process would use."""
    with LocalCluster(n_workers=2, threads_per_worker=1, **QUIET) as started:
        yield started


@pytest.fixture(autouse=True)
def no_scheduler_is_left() -> Iterator[None]:
    """A client that a task makes in this process becomes the scheduler of dask, and stays it."""
    yield
    dask.config.config.pop("scheduler", None)


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    with Client(cluster, set_as_default=False) as connected:
        connected.wait_for_workers(2)
        yield connected


@contextmanager
def counted(client: Client, name: str) -> Iterator[list[Any]]:
    """The last argument of every call of a method."""
    calls: list[Any] = []
    original = getattr(client, name)

    def call(*arguments: object, **keywords: object) -> object:
        calls.append(arguments[-1])  # no futures, which would keep their tasks
        return original(*arguments, **keywords)

    setattr(client, name, call)
    yield calls
    delattr(client, name)


def idle(cluster: LocalCluster) -> bool:
    return eventually(lambda: not cluster.scheduler.tasks)


GROUPED = {"groupby": "cell_type", "all_cells": True, "copy": True, "n_subnetworks": 3, "n_threads": 1}


@pytest.mark.parametrize("estimator", ["gcmi", "apmi"])
def test_a_cluster_gives_the_bytes_of_one_thread(cluster, client, estimator):
    adata = cells()
    expected = ps.get.network(ps.tl.aracne(adata, REGULATORS, estimator=estimator, **GROUPED))
    assert set(expected["group"]) == {"B", SLASHED, "all cells"}
    with counted(client, "scatter") as scattered, counted(client, "submit") as submitted:
        found = ps.get.network(ps.tl.aracne(adata, REGULATORS, estimator=estimator, client=client, **GROUPED))
    assert digest(found) == digest(expected)
    assert len(scattered) == 3  # once per group
    assert len(submitted) == 3 * 3
    assert idle(cluster)


def test_the_active_client_is_used(client):
    expected = fit_digest()
    with counted(client, "submit") as submitted:
        assert fit_digest() == expected
        assert not submitted
        with client.as_current():
            assert fit_digest() == expected
        assert len(submitted) == 4


def test_a_checkpoint_and_a_cluster_go_together(cluster, client, tmp_path):
    expected = fit_digest()
    fit(tmp_path, n_subnetworks=2)
    kept = files(tmp_path)
    with counted(client, "submit") as submitted:
        assert digest(fit(tmp_path, client=client)) == expected
        assert submitted == [2, 3]
        (tmp_path / "subnetwork-00001.npz").write_bytes(b"damaged")
        with pytest.warns(UserWarning, match="subnetwork-00001.npz is damaged"):
            assert digest(fit(tmp_path, client=client)) == expected
        assert submitted == [2, 3, 1]
    assert {name: files(tmp_path)[name] for name in kept} == kept
    assert digest(fit(tmp_path)) == expected
    assert idle(cluster)


@pytest.mark.parametrize("checkpoint", [False, True])
def test_auto_stops_at_the_same_number_and_cancels_what_was_ahead(cluster, client, tmp_path, checkpoint):
    auto = {"n_subnetworks": "auto", "min_targets": 2, "max_subnetworks": 30}
    heard: list[int] = []
    expected = digest(fit(**auto, on_subnetwork=lambda: heard.append(0)))
    n = len(heard)
    folder = tmp_path if checkpoint else None
    assert digest(fit(folder, **auto, client=client, on_subnetwork=lambda: heard.append(1))) == expected
    assert sum(heard) == n
    assert len(files(tmp_path)) == (1 + n if checkpoint else 0)
    assert idle(cluster)


def test_an_error_of_the_caller_cancels_what_was_ahead(cluster, client, tmp_path):
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        fit(tmp_path, client=client, n_subnetworks=50, on_subnetwork=stop)
    assert raised.tb is not None  # which holds the frames of the run
    assert idle(cluster)
    assert len(files(tmp_path)) == 2


def test_more_than_one_client_may_be_there(cluster, client):
    expected = fit_digest()
    with (
        Client(cluster, set_as_default=False) as other,
        counted(client, "submit") as submitted,
        counted(other, "submit") as of_other,
        client.as_current(),
    ):
        assert digest(fit(client=other)) == expected
        assert (len(submitted), len(of_other)) == (0, 4)


def test_a_closed_client_is_refused(cluster):
    with Client(cluster, set_as_default=False) as closed:
        pass
    with pytest.raises(ValueError, match="client is closed"):
        fit(client=closed)


def test_a_task_of_a_cluster_may_run_aracne(client):
    assert client.submit(fit_digest, pure=False).result() == fit_digest()


def test_a_task_does_not_wait_for_the_one_thread_that_it_runs_on():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **QUIET) as small,
        Client(small, set_as_default=False) as connected,
        connected.as_current(),
    ):
        inside = connected.submit(fit_in_task, pure=False)
        assert inside.result(timeout=60) == fit_digest()


def fit_in_task() -> str:
    from distributed import get_client

    with get_client().as_current():
        return fit_digest()


def test_a_worker_that_is_killed_loses_no_result(cluster, client):
    many = {"x": counts(200, 60), "n_subnetworks": 24}
    expected = fit_digest(**many)
    pids, heard = list(client.run(os.getpid).values()), []

    def kill() -> None:
        heard.append(1)
        if len(heard) == 3:
            os.kill(pids[0], signal.SIGKILL)

    assert digest(fit(**many, client=client, on_subnetwork=kill)) == expected
    assert len(heard) == 24
    client.wait_for_workers(2, timeout=60)
    assert pids[0] not in client.run(os.getpid).values()


def test_all_workers_that_are_killed_lose_no_result(cluster, client):
    expected, heard = fit_digest(n_subnetworks=12), []
    client.wait_for_workers(2, timeout=60)
    pids = list(client.run(os.getpid).values())

    def kill() -> None:
        heard.append(1)
        if len(heard) == 3:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)

    with counted(client, "scatter") as scattered:
        assert digest(fit(n_subnetworks=12, client=client, on_subnetwork=kill)) == expected
    assert len(heard) == 12
    assert 2 <= len(scattered) <= ATTEMPTS
    client.wait_for_workers(2, timeout=60)


def test_threads_may_share_a_client(client):
    expected, found = fit_digest(), []
    threads = [threading.Thread(target=lambda: found.append(digest(fit(client=client)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [expected] * 3


def test_workers_compute_on_one_thread(client):
    client.run(watch)
    fit(client=client, n_threads=0)
    seen = [found for found in client.run(watched).values() if found]
    assert seen
    assert all(found == [(1, 1)] for found in seen)


# --- activities -------------------------------------------------------------------------------------------------------

N_CELLS = 2600
"""Chunks of 500 rows: three of what is read together."""


@pytest.fixture(scope="module")
def scored() -> ad.AnnData:
    """Cells in dask, and with activities of one thread."""
    rng = np.random.default_rng(0)
    x = sp.csr_matrix(rng.poisson(0.4, (N_CELLS, 60)).astype(np.float32))
    obs = pd.DataFrame({"cell_type": pd.Categorical(["B", SLASHED] * (N_CELLS // 2))}, index=map(str, range(N_CELLS)))
    adata = ad.AnnData(x, obs=obs, var=pd.DataFrame(index=viper_oracles.gene_names(60)))
    ps.tl.viper(adata, NETWORK, n_threads=1, **SCORING)
    return adata


NETWORK = viper_oracles.network(viper_oracles.gene_names(60))
SCORING: dict[str, Any] = {"groupby": "cell_type", "reference": "all", "min_targets": 1}


def in_dask(adata: ad.AnnData) -> ad.AnnData:
    chunks = [da.from_array(adata.X[start : start + 500], asarray=False) for start in range(0, N_CELLS, 500)]
    return ad.AnnData(da.concatenate(chunks), obs=adata.obs.copy(), var=adata.var.copy())


@pytest.mark.parametrize(("signature", "persisted"), [("scale", False), ("none", False), ("mean", True)])
def test_a_cluster_scores_cells_to_the_bytes_of_one_thread(scored, client, monkeypatch, signature, *, persisted):
    monkeypatch.setattr("pysces._matrix._read.CELLS_PER_READ", 1000)
    settings = {**SCORING, "signature": signature, "reference": None if signature == "none" else "all"}
    expected = ps.tl.viper(scored, NETWORK, n_threads=1, copy=True, **settings).obsm["viper"]
    lazy = in_dask(scored)
    if persisted:
        lazy.X = client.persist(lazy.X)
    with counted(client, "compute" if persisted else "submit") as submitted:
        ps.tl.viper(lazy, NETWORK, client=client, **settings)
    pd.testing.assert_frame_equal(lazy.obsm["viper"], expected, check_exact=True)
    assert len(submitted) >= 3


def test_a_cluster_writes_activities_to_a_file(scored, client, tmp_path):
    lazy = in_dask(scored)
    ps.tl.viper(lazy, NETWORK, client=client, out=tmp_path / "a.zarr", **SCORING)
    np.testing.assert_array_equal(ad.read_zarr(tmp_path / "a.zarr").X, scored.obsm["viper"])


def test_cells_in_memory_are_scored_in_place(scored, client):
    with counted(client, "submit") as submitted, counted(client, "compute") as computed:
        found = ps.tl.viper(scored, NETWORK, client=client, copy=True, **SCORING)
    assert not submitted + computed
    pd.testing.assert_frame_equal(found.obsm["viper"], scored.obsm["viper"], check_exact=True)


@pytest.mark.parametrize(
    ("value", "signature", "match"),
    [
        (np.nan, "scale", r"1 missing \(NaN\) and 0 infinite values, the first at row 1703, column 8"),
        (np.inf, "none", "0 missing .* 1 infinite values, the first at row 1703, column 8"),
        (-1.0, "scale", "X holds negative values"),
    ],
)
def test_values_are_found_where_they_are_in_x(scored, client, value, signature, match):
    bad = scored.copy()
    changed = bad.X.tolil()
    changed[1703, 8] = value
    bad.X = changed.tocsr()
    del bad.obsm["viper"], bad.uns["viper"]
    lazy = in_dask(bad)
    with pytest.raises(ValueError, match=match):
        ps.tl.viper(
            lazy, NETWORK, client=client, signature=signature, min_targets=1,
            enrichment="narnea" if signature == "none" else "area",
        )  # fmt: skip
    assert "viper" not in lazy.obsm
    assert "viper" not in lazy.uns
