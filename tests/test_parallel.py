"""Blocks of work on several threads."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import numba
import numpy as np
import pytest

from pysces._parallel import blocks, consume, resolve_threads, run


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
        time.sleep(1e-3)  # all blocks are queued before the first result is looked at
        msg = "broken"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="broken"):
        run(fail, 10_000, 1, 2)
    assert len(started) < 10_000


# --- items that are made one after another ----------------------------------------------------------------------------

THREADS = pytest.mark.parametrize("threads", [1, 2, 5])


@THREADS
@pytest.mark.parametrize("n", [0, 1, 3, 200])
def test_every_item_is_consumed_once(threads, n) -> None:
    seen, lock = [], threading.Lock()

    def task(item: int) -> None:
        with lock:
            seen.append(item)

    consume(task, iter(range(n)), threads)
    assert sorted(seen) == list(range(n))


@pytest.mark.parametrize("nothing", [None, 0, [], ()])
def test_items_may_be_anything(nothing) -> None:
    seen: list[object] = []
    consume(seen.append, [nothing, nothing, nothing], 2)
    assert seen == [nothing] * 3


@THREADS
def test_items_are_made_by_one_thread_at_a_time(threads) -> None:
    making = threading.Lock()

    class Items:
        left = 50

        def __iter__(self) -> Items:
            return self

        def __next__(self) -> int:
            assert making.acquire(blocking=False)
            time.sleep(1e-4)
            self.left -= 1
            making.release()
            if self.left < 0:
                raise StopIteration
            return self.left

    seen: list[int] = []
    consume(seen.append, Items(), threads)
    assert sorted(seen) == list(range(50))


class Item:
    """Something large."""


@THREADS
def test_no_more_items_are_alive_than_there_are_threads(threads) -> None:
    alive: weakref.WeakSet[Item] = weakref.WeakSet()
    most = 0

    def make() -> Item:
        nonlocal most
        item = Item()
        alive.add(item)
        most = max(most, len(alive))
        return item

    def task(_: Item) -> None:
        time.sleep(1e-3)

    consume(task, (make() for _ in range(40)), threads)
    assert most <= threads
    gc.collect()
    assert not alive


@THREADS
def test_an_error_of_a_task_comes_through_and_stops_the_rest(threads) -> None:
    started: list[int] = []

    def task(item: int) -> None:
        started.append(item)
        time.sleep(1e-4)
        if item == 5:
            msg = "broken"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="broken"):
        consume(task, range(10_000), threads)
    assert 6 <= len(started) < 1000


def fail_at_5(item: int) -> int:
    if item == 5:
        msg = "unreadable"
        raise OSError(msg)
    return item


@THREADS
@pytest.mark.parametrize(
    "items", [lambda: (fail_at_5(i) for i in range(10_000)), lambda: map(fail_at_5, range(10_000))], ids=["gen", "map"]
)
def test_an_error_in_making_an_item_comes_through_and_stops_the_rest(threads, items) -> None:
    seen: list[int] = []

    def task(item: int) -> None:
        seen.append(item)
        time.sleep(1e-5)

    with pytest.raises(OSError, match="unreadable"):
        consume(task, items(), threads)
    assert len(seen) < 1000
    assert set(seen) >= set(range(5))


def test_more_than_one_thread_is_at_work() -> None:
    together = threading.Barrier(2, timeout=10)
    consume(lambda _: together.wait(), range(2), 2)  # would break, if one waited for the other to end
