"""Runs that die: killed at any moment they go on and end in the same bytes; threads, forks and spawned processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numba
import numpy as np
import pytest
from aracne_cases import fit_digest, watch, watched
from crash_zygote import N_GROUPS, N_SUBNETWORKS
from threadpoolctl import threadpool_info

if TYPE_CHECKING:
    from collections.abc import Iterator

N_FILES = N_GROUPS * (1 + N_SUBNETWORKS)
N_KILLS, N_FORKS = 8, 10


class Zygote:
    """Forks of a process that has everything imported."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, **what: object) -> str:
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> str:
        return self.process.stdout.readline().strip()

    def start(self, folder: Path, out: Path) -> int:
        return int(self.ask(what="run", checkpoint=str(folder), out=str(out)))

    def wait(self, pid: int) -> int:
        return int(self.ask(wait=pid))

    def finished(self, folder: Path, out: Path) -> str:
        assert self.wait(self.start(folder, out)) == 0
        return out.read_text()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    command = [sys.executable, str(Path(__file__).with_name("crash_zygote.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        started = Zygote(process)
        assert started.answer() == "ready"
        yield started
        process.stdin.close()


def n_finished(folder: Path) -> int:
    """Files that are whole."""
    return sum(path.suffix != ".part" for path in folder.rglob("*.*"))


def kill_when(zygote: Zygote, folder: Path, n_files: int, delay: float) -> int:
    """Start a run, and kill it some time after it has finished so many files; how it ended."""
    pid = zygote.start(folder, folder.parent / "killed")
    while n_finished(folder) < n_files:
        time.sleep(5e-4)
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    return zygote.wait(pid)


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


def test_runs_killed_at_any_moment_go_on_and_end_in_the_same_bytes(zygote, tmp_path):
    since = time.monotonic()
    expected = zygote.finished(tmp_path / "whole", tmp_path / "out")
    one = (time.monotonic() - since) / N_FILES
    assert n_finished(tmp_path / "whole") == N_FILES
    rng = np.random.default_rng(0)
    n_killed = 0
    for i in range(N_KILLS):
        folder = tmp_path / f"run{i}"
        ended = kill_when(zygote, folder, i * N_FILES // N_KILLS, rng.uniform(0, 2 * one))
        assert ended in {0, -signal.SIGKILL}
        n_killed += ended != 0 and n_finished(folder) < N_FILES
        out = tmp_path / f"out{i}"
        assert zygote.finished(folder, out) == expected
        assert n_finished(folder) == N_FILES
        assert not leftovers(folder)
    assert n_killed >= N_KILLS // 2


def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bytes(zygote, tmp_path):
    expected = zygote.finished(tmp_path / "whole", tmp_path / "out")
    for n_files in range(1, N_FILES, 4):
        kill_when(zygote, tmp_path / "run", n_files, 0.0)
        assert n_finished(tmp_path / "run") >= n_files
    assert zygote.finished(tmp_path / "run", tmp_path / "again") == expected
    assert not leftovers(tmp_path / "run")


def test_processes_that_work_in_one_folder_at_once_end_in_the_same_bytes(zygote, tmp_path):
    expected = zygote.finished(tmp_path / "whole", tmp_path / "out")
    outs = [tmp_path / f"out{i}" for i in range(3)]
    pids = [zygote.start(tmp_path / "shared", out) for out in outs]
    assert [zygote.wait(pid) for pid in pids] == [0, 0, 0]
    assert [out.read_text() for out in outs] == [expected] * 3
    assert n_finished(tmp_path / "shared") == N_FILES
    assert not leftovers(tmp_path / "shared")


def test_processes_forked_while_threads_compute_are_not_stuck(zygote, tmp_path):
    pid = int(zygote.ask(what="beside threads", n_forks=N_FORKS, out=str(tmp_path / "out")))
    timer = threading.Timer(90, os.killpg, (pid, signal.SIGKILL))
    timer.start()
    ended = zygote.wait(pid)
    timer.cancel()
    assert ended == 0
    assert json.loads((tmp_path / "out").read_text()) == [True] * N_FORKS


def test_a_spawned_process_gives_the_same_bytes():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(fit_digest, n_threads=0).result(timeout=120) == fit_digest()


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("estimator", ["gcmi", "apmi"])
def test_threads_that_call_at_once_get_the_same_bytes(monkeypatch, estimator, n_threads):
    monkeypatch.setattr("pysces._infer.null.N_PERMUTED", 600)
    monkeypatch.setattr("pysces._infer.null._distinct_tails", {})
    expected = fit_digest(estimator=estimator)
    together = threading.Barrier(4, timeout=60)

    def one(_: int) -> str:
        together.wait()
        return fit_digest(estimator=estimator, n_threads=n_threads)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(8))) == [expected] * 8


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_number_of_threads_is_obeyed_and_blas_adds_none(monkeypatch, n_threads):
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 3)
    monkeypatch.setattr("pysces._infer.copula.genes_per_task", lambda *_: 4)  # more blocks than threads
    before, most, start = threading.active_count(), [0], threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        start(thread)
        most[0] = max(most[0], threading.active_count() - before)

    monkeypatch.setattr(threading.Thread, "start", counted)
    limits = blas_threads()
    watch()
    fit_digest(n_threads=n_threads)
    assert watched() == [(n_threads, 1)]
    assert most[0] == (n_threads if n_threads > 1 else 0)
    assert blas_threads() == limits
