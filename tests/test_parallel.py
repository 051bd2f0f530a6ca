"""Blocks of work on several threads."""

from __future__ import annotations

import threading

import numba
import numpy as np
import pytest

from pysces._parallel import blocks, resolve_threads, run


@pytest.mark.parametrize(
    ("asked", "allowed", "given"), [(0, 3, 3), (1, 3, 1), (2, 3, 2), (8, 3, 3), (np.int32(2), 4, 2)]
)
def test_threads_are_limited_by_what_numba_may_use(monkeypatch, asked, allowed, given) -> None:
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", allowed)
    assert resolve_threads(asked) == given


@pytest.mark.parametrize("wrong", [-1, 1.5, True, None, "2"])
def test_what_is_no_number_of_threads_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="n_threads is"):
        resolve_threads(wrong)


def test_blocks_cover_everything_once() -> None:
    for n in (0, 1, 7, 8, 9):
        assert [i for block in blocks(n, 4) for i in range(block.start, block.stop)] == list(range(n))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_block_is_run_once(threads) -> None:
    seen = np.zeros(100, int)
    run(lambda block: np.add(seen[block], 1, out=seen[block]), 100, 7, threads)
    assert (seen == 1).all()


def test_an_error_in_a_block_reaches_the_caller_and_stops_the_rest() -> None:
    started, lock = [], threading.Lock()

    def fail(block: slice) -> None:
        with lock:
            started.append(block.start)
        msg = "broken"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="broken"):
        run(fail, 10_000, 1, 2)
    assert len(started) < 10_000
