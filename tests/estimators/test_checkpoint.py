"""Checkpoints: what is finished is taken from a folder, nothing else is, and nothing in it is lost."""

from __future__ import annotations

import errno
import json
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from aracne_cases import SMALL, counts, digest, files, fit

import pysces as ps
from pysces._infer.subnetworks import Job, Settings, Subnetwork
from pysces.estimators._checkpoint import _packed, _unpacked, described

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known")
"""Of few genes, or of values that are no counts."""
N = 4
JOB, NUMBERED = "job.json", "subnetwork-{:05d}.npz".format
both = pytest.mark.parametrize("estimator", ["gcmi", "apmi"])


@pytest.fixture(autouse=True)
def small_null(monkeypatch):
    """Nulls of 180,000 values instead of a million."""
    monkeypatch.setattr("pysces._infer.null.N_PERMUTED", 600)
    monkeypatch.setattr("pysces._infer.null._distinct_tails", {})


@pytest.fixture
def computed(monkeypatch):
    """Numbers of the subnetworks that are computed."""
    numbers: list[int] = []
    subnetwork = Job.subnetwork

    def recorded(job: Job, i: int, n_threads: int) -> Subnetwork:
        numbers.append(i)
        return subnetwork(job, i, n_threads)

    monkeypatch.setattr(Job, "subnetwork", recorded)
    return numbers


@pytest.fixture(scope="module")
def plain():
    """Bytes of the network without a checkpoint."""
    return digest(fit(n_subnetworks=N))


def stop_after(n: int):
    """What stops a run that has inferred n subnetworks."""
    left = iter(range(n - 1))

    def stop() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return stop


# --- going on ---------------------------------------------------------------------------------------------------------


@both
def test_a_network_with_a_checkpoint_is_that_without(tmp_path, estimator):
    expected = digest(fit(n_subnetworks=2, estimator=estimator))
    assert digest(fit(tmp_path, n_subnetworks=2, estimator=estimator)) == expected
    assert list(files(tmp_path)) == [JOB, NUMBERED(0), NUMBERED(1)]
    assert digest(fit(tmp_path, n_subnetworks=2, estimator=estimator)) == expected


@pytest.mark.parametrize("finished", [1, 2, 3])
def test_a_stopped_run_goes_on_where_it_was(tmp_path, computed, plain, finished):
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, on_subnetwork=stop_after(finished))
    computed.clear()
    assert digest(fit(tmp_path)) == plain
    assert computed == list(range(finished, N))


def test_a_finished_run_computes_no_subnetwork_again(tmp_path, computed, plain):
    fit(tmp_path)
    kept = files(tmp_path)
    computed.clear()
    heard: list[int] = []
    assert digest(fit(tmp_path, on_subnetwork=lambda: heard.append(1))) == plain
    assert not computed
    assert len(heard) == N
    assert files(tmp_path) == kept


def test_more_subnetworks_use_those_that_are_there(tmp_path, computed, plain):
    fit(tmp_path, n_subnetworks=2)
    computed.clear()
    assert digest(fit(tmp_path)) == plain
    assert computed == [2, 3]


def test_fewer_subnetworks_leave_the_others_out(tmp_path, computed):
    fit(tmp_path)
    computed.clear()
    found = digest(fit(tmp_path, n_subnetworks=2))
    assert not computed
    assert found == digest(fit(n_subnetworks=2))


@pytest.mark.parametrize("settings", [{"consensus": "poisson"}, {"n_threads": 2}], ids=str)
def test_what_subnetworks_do_not_depend_on_may_differ(tmp_path, computed, settings):
    fit(tmp_path)
    computed.clear()
    found = digest(fit(tmp_path, **settings))
    assert not computed
    assert found == digest(fit(**settings))


@pytest.mark.parametrize("storage", [sp.csr_matrix, sp.csc_array, lambda x: x.astype(np.int64), np.asfortranarray])
def test_the_storage_of_x_may_differ(tmp_path, computed, plain, storage):
    fit(tmp_path)
    computed.clear()
    assert digest(fit(tmp_path, x=storage(counts(**SMALL)))) == plain
    assert not computed


def test_auto_stops_where_it_would_have_without_a_checkpoint(tmp_path, computed):
    auto = {"n_subnetworks": "auto", "min_targets": 2, "max_subnetworks": 9}
    expected = digest(fit(**auto))
    needed = len(computed)
    assert 1 <= needed < 9
    fit(tmp_path, n_subnetworks=9)  # more are there than are needed
    computed.clear()
    heard: list[int] = []
    assert digest(fit(tmp_path, **auto, on_subnetwork=lambda: heard.append(1))) == expected
    assert len(heard) == needed
    assert not computed
    assert digest(fit(tmp_path / "new", **auto)) == expected
    assert len(files(tmp_path / "new")) == 1 + needed


def test_without_subnetworks_nothing_is_kept(tmp_path):
    assert digest(fit(tmp_path / "none", n_subnetworks=0)) == digest(fit(n_subnetworks=0))
    assert not (tmp_path / "none").exists()


def test_parts_add_up_to_the_network(tmp_path, computed, plain):
    x = counts(**SMALL)
    for part in (range(2, 4), [0, 0], np.array([1])):
        model = ps.ARACNe(n_subnetworks=N, n_threads=1).fit(x, np.arange(6), checkpoint=tmp_path, subnetworks=part)
        assert not hasattr(model, "network_")
    assert computed == [2, 3, 0, 1]
    assert digest(fit(tmp_path)) == plain
    assert len(computed) == N


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"subnetworks": range(2)}, "subnetworks are given without checkpoint"),
        ({"subnetworks": [N], "checkpoint": "here"}, "subnetworks are 4; give numbers from 0 to 3"),
        ({"subnetworks": [], "checkpoint": "here"}, "subnetworks are none"),
        ({"subnetworks": [0.5], "checkpoint": "here"}, "a number in subnetworks is 0.5"),
    ],
)
def test_parts_that_are_none_are_refused(tmp_path, monkeypatch, wrong, match):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=match):
        ps.ARACNe(n_subnetworks=N).fit(counts(**SMALL), np.arange(6), **wrong)
    assert not files(tmp_path)


def test_threads_may_share_a_folder(tmp_path, plain):
    together = threading.Barrier(4, timeout=60)

    def one(_: int) -> str:
        together.wait()
        return digest(fit(tmp_path))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [plain] * 4
    assert list(files(tmp_path)) == [JOB, *map(NUMBERED, range(N))]


# --- where ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["new", "with space/and (more)", "~/home", Path("path"), Path("~/path"), "é/名"])
def test_a_folder_is_given_as_text_or_path(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    fit(given, n_subnetworks=1)
    place = tmp_path / str(given).replace("~", "home")
    assert list(files(place)) == [JOB, NUMBERED(0)]


@pytest.mark.parametrize("wrong", [3, True, b"bytes", ["list"]])
def test_what_is_no_path_is_refused(wrong):
    with pytest.raises(TypeError, match=r"checkpoint is .*; give the path of a folder"):
        fit(wrong)


def test_a_file_is_no_folder(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(OSError, match=r"file/job.json cannot be read \(Not a directory\). Give a folder"):
        fit(path)
    assert path.read_text() == "mine"


def test_files_may_be_read_by_whom_the_user_lets(tmp_path):
    before = os.umask(0o027)
    try:
        fit(tmp_path / "new", n_subnetworks=1)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o640}


# --- of another run ---------------------------------------------------------------------------------------------------

X = counts(**SMALL)
SWAPPED = X[:, [0, 1, 2, 3, 4, 5, 7, 6, *range(8, X.shape[1])]]
RAISED = X + (np.arange(X.size).reshape(X.shape) == 700)
OTHERS = {
    "rng": ({"rng": 1}, "rng '0, .*' there, '1, "),
    "seed": ({"rng": np.random.SeedSequence(0, spawn_key=(2,))}, r"rng '0, \[\], 4' there, '0, \[2\], 4' here"),
    "pool": ({"rng": np.random.SeedSequence(0, pool_size=8)}, r"rng '0, \[\], 4' there, '0, \[\], 8' here"),
    "alpha": ({"alpha": 0.1}, "alpha '0.05' there, '0.1' here"),
    "subsample": ({"subsample": 50}, "subsample '0.63.*' there, '50' here"),
    "correction": ({"correction": "p"}, "correction 'fdr' there, 'p' here"),
    "dpi": ({"dpi": None}, "dpi 'all' there, 'None' here"),
    "tolerance": ({"dpi_tolerance": 0.1}, "dpi_tolerance '0.0' there, '0.1' here"),
    "estimator": ({"estimator": "apmi"}, "estimator 'GaussianCopula"),
    "cells": ({"rows": np.arange(100)}, "n_cells 120 there, 100 here"),
    "genes": ({"x": X[:, :53]}, "n_genes 54 there, 53 here"),
    "names": ({"gene_names": [f"g{i}" for i in range(X.shape[1])]}, "names of the genes"),
    "order": ({"x": SWAPPED}, "values of X"),
    "values": ({"x": RAISED}, "values of X"),
    "cells swapped": ({"x": X[::-1]}, "values of X"),
    "regulators": ({"regulators": np.arange(5)}, "n_regulators 6 there, 5 here"),
    "other regulators": ({"regulators": [0, 1, 2, 3, 4, 6]}, "regulators and targets"),
    "targets": ({"targets": np.arange(40)}, "n_genes 54 there, 40 here"),
    "no depth": ({"depth": None}, "depth of the cells"),
    "depth": ({"depth": np.arange(120)}, "depth of the cells"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with one subnetwork."""
    folder = tmp_path_factory.mktemp("finished")
    fit(folder, n_subnetworks=1)
    return folder


@pytest.mark.parametrize("change", OTHERS)
def test_a_folder_of_another_run_is_refused_by_name_and_left_alone(finished, change):
    options, match = OTHERS[change]
    kept = files(finished)
    with pytest.raises(ValueError, match=rf"checkpoint='.*' is of another run: .*{match}") as raised:
        fit(finished, n_subnetworks=1, **options)
    assert "nothing was changed" in str(raised.value)
    assert files(finished) == kept


def test_samples_with_copies_are_another_run(finished):
    with (
        pytest.warns(UserWarning, match="replace=True"),
        pytest.raises(ValueError, match="replace 'False' there, 'True' here"),
    ):
        fit(finished, n_subnetworks=1, replace=True)


def test_every_setting_that_a_subnetwork_depends_on_is_told_apart():
    of_the_whole = {"n_subnetworks", "min_targets", "consensus"}
    assert set(Settings._fields) - of_the_whole == {*ps.estimators._checkpoint.SETTINGS}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"3", b'"text"', b"[1]", b"\xff\xfe\x00", b'{"alpha": "0.0'], ids=repr
)
def test_a_folder_that_does_not_tell_what_it_is_of_is_refused(tmp_path, content):
    fit(tmp_path, n_subnetworks=1)
    (tmp_path / JOB).write_bytes(content)
    kept = files(tmp_path)
    with pytest.raises(ValueError, match=r"is of another run: its job.json is not readable. Give another folder"):
        fit(tmp_path, n_subnetworks=1)
    assert files(tmp_path) == kept


def test_a_job_of_a_later_version_with_more_to_tell_is_refused(tmp_path):
    fit(tmp_path, n_subnetworks=1)
    about = json.loads((tmp_path / JOB).read_text())
    (tmp_path / JOB).write_text(json.dumps(about | {"sparing": 2}))
    with pytest.raises(ValueError, match="another run: sparing 2 there, None here"):
        fit(tmp_path, n_subnetworks=1)


def described_with(monkeypatch, change: float) -> dict:
    """The description of a job whose trends of the depth are a little off."""
    jobs: list[Job] = []
    monkeypatch.setattr("pysces.estimators._aracne.infer", lambda problem, *_, **__: jobs.append(problem) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fit()
    [problem] = jobs
    monkeypatch.undo()
    whole = problem.depth.whole
    assert len(whole.trends)
    problem = problem._replace(depth=problem.depth._replace(whole=whole._replace(trends=whole.trends + change)))
    settings = ps.ARACNe()._settings
    return described(Job(problem, settings, None, np.random.SeedSequence(0)), np.array(["a"], object))


def test_processors_that_round_otherwise_may_share_a_folder(monkeypatch):
    same = described_with(monkeypatch, 0.0)
    assert described_with(monkeypatch, 1e-15) == same
    assert described_with(monkeypatch, 1e-4) != same


# --- damage -----------------------------------------------------------------------------------------------------------

EDGES = Subnetwork(np.array([1, 5, 2**40]), 300, 12)


def assert_told(content: bytes) -> None:
    """It is either refused or right."""
    found = _unpacked(7, content, "of this run")
    if found is not None:
        np.testing.assert_array_equal(found.edges, EDGES.edges)
        assert found[1:] == EDGES[1:]


def test_whatever_byte_is_wrong_no_wrong_subnetwork_is_taken():
    content = _packed(7, EDGES, "of this run")
    assert _unpacked(7, content, "of this run")[1:] == EDGES[1:]
    for place in range(len(content)):
        for mask in (1, 0x80, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= mask
            assert_told(bytes(damaged))


def test_however_much_is_there_no_part_of_a_subnetwork_is_taken():
    content = _packed(7, EDGES, "of this run")
    for length in range(len(content)):
        assert _unpacked(7, content[:length], "of this run") is None


def test_subnetworks_of_other_runs_and_numbers_are_not_taken():
    content = _packed(7, EDGES, "of this run")
    assert _unpacked(7, content, "of another run") is None
    assert _unpacked(6, content, "of this run") is None


@pytest.mark.parametrize("edges", [np.array([], np.int64), np.arange(100_000)], ids=len)
def test_what_is_packed_is_unpacked(edges):
    found = _unpacked(0, _packed(0, Subnetwork(edges, 9, 8), "of"), "of")
    np.testing.assert_array_equal(found.edges, edges)
    assert found.edges.dtype == np.int64
    assert found[1:] == (9, 8)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[60] ^= 4
    path.write_bytes(bytes(content))


def of_another_number(path: Path) -> None:
    path.write_bytes((path.parent / NUMBERED(3)).read_bytes())


def of_another_run(path: Path) -> None:
    fit(path.parent / "other", rng=1, n_subnetworks=2)
    (path.parent / "other" / NUMBERED(1)).replace(path)


def of_objects(path: Path) -> None:
    np.savez(path, edges=np.array([{}], object), numbers=np.arange(3), of=np.array(["a", "b"]))


@pytest.mark.parametrize("damage", [emptied, halved, flipped, of_another_number, of_another_run, of_objects])
def test_a_damaged_subnetwork_is_computed_anew(tmp_path, computed, plain, damage):
    fit(tmp_path)
    whole = files(tmp_path)
    damage(tmp_path / NUMBERED(1))
    computed.clear()
    with pytest.warns(UserWarning, match="subnetwork-00001.npz is damaged or of another run, and is computed anew"):
        assert digest(fit(tmp_path)) == plain
    assert computed == [1]
    assert {name: files(tmp_path)[name] for name in whole} == whole


def test_a_damaged_subnetwork_and_missing_ones_are_computed_each_once(tmp_path, computed, plain):
    fit(tmp_path)
    emptied(tmp_path / NUMBERED(2))
    (tmp_path / NUMBERED(0)).unlink()
    (tmp_path / NUMBERED(3)).unlink()
    computed.clear()
    with pytest.warns(UserWarning, match="subnetwork-00002.npz is damaged"):
        assert digest(fit(tmp_path)) == plain
    assert computed == [0, 2, 3]


# --- a write that fails -----------------------------------------------------------------------------------------------


def fails(error: BaseException, from_call: int = 1):
    """A function that raises from its n-th call on, and does nothing before."""
    calls = iter(range(from_call - 1))

    def call(*_: object, **__: object) -> None:
        if next(calls, None) is None:
            raise error

    return call


@contextmanager
def failing(monkeypatch, where: str, error: BaseException, from_call: int):
    with monkeypatch.context() as patch:
        if where == "fsync":
            patch.setattr(os, "fsync", fails(error, from_call))
        else:
            check, original = fails(error, from_call), getattr(Path, where)

            def call(path: Path, *arguments: object, **keywords: object) -> object:
                if path.suffix == ".part":
                    check()
                return original(path, *arguments, **keywords)

            patch.setattr(Path, where, call)
        yield


@pytest.mark.parametrize("kept", [0, 1, 3])
@pytest.mark.parametrize("where", ["open", "fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "text"),
    [(errno.ENOSPC, "No space left on device"), (errno.EACCES, "Permission denied"), (errno.EROFS, "Read-only")],
)
def test_what_cannot_be_written_is_told_and_what_is_there_stays_whole(
    tmp_path, monkeypatch, computed, plain, where, code, text, kept
):
    with (
        failing(monkeypatch, where, OSError(code, os.strerror(code)), kept + 1),
        pytest.raises(OSError, match=rf"cannot be written \({text}.*whole: make room, or give another") as raised,
    ):
        fit(tmp_path)
    assert raised.value.errno == code
    expected = [JOB, *map(NUMBERED, range(N))][:kept]
    assert list(files(tmp_path)) == expected  # and nothing half written
    computed.clear()
    assert digest(fit(tmp_path)) == plain
    assert computed == list(range(max(kept - 1, 0), N))


@pytest.mark.parametrize("where", ["open", "fsync", "replace"])
def test_an_interrupt_in_the_middle_of_a_write_leaves_nothing_half_written(tmp_path, monkeypatch, plain, where):
    with failing(monkeypatch, where, KeyboardInterrupt(), 3), pytest.raises(KeyboardInterrupt):
        fit(tmp_path)
    assert list(files(tmp_path)) == [JOB, NUMBERED(0)]
    assert digest(fit(tmp_path)) == plain


def test_a_disk_that_is_really_full_is_told(tmp_path, plain):
    fit(tmp_path, n_subnetworks=1)
    kept = files(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))  # the next file is cut there
    try:
        with pytest.raises(OSError, match=r"subnetwork-00001.npz cannot be written \(File too large\)"):
            fit(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(tmp_path) == kept
    assert digest(fit(tmp_path)) == plain


def test_what_cannot_be_read_is_told(tmp_path):
    fit(tmp_path, n_subnetworks=1)
    (tmp_path / NUMBERED(0)).unlink()
    (tmp_path / NUMBERED(0)).mkdir()
    with pytest.raises(IsADirectoryError, match=r"subnetwork-00000.npz cannot be read \(Is a directory\)"):
        fit(tmp_path, n_subnetworks=1)


def test_leftovers_of_killed_processes_go_when_their_subnetwork_is_there(tmp_path, plain):
    fit(tmp_path, n_subnetworks=1)
    for name in (".subnetwork-00001.npz.a1.part", ".subnetwork-00001.npz.b2.part", ".subnetwork-00009.npz.c3.part"):
        (tmp_path / name).write_bytes(b"half")
    assert digest(fit(tmp_path)) == plain
    assert [name for name in files(tmp_path) if name.endswith(".part")] == [".subnetwork-00009.npz.c3.part"]


def test_a_process_whose_file_was_taken_for_a_leftover_goes_on(tmp_path, monkeypatch, plain):
    replace = Path.replace

    def overtaken(part: Path, path: Path) -> Path:
        path.write_bytes(part.read_bytes())  # another process was faster, with the same
        part.unlink()
        return replace(part, path)

    monkeypatch.setattr(Path, "replace", overtaken)
    assert digest(fit(tmp_path)) == plain
    monkeypatch.undo()
    assert digest(fit(tmp_path)) == plain
