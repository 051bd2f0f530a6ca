"""tl.aracne with checkpoints: a folder for each group, parts for several processes, adata as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from aracne_cases import REGULATORS, SLASHED, cells, digest, files
from states import state

import pysces as ps
from pysces._infer.subnetworks import Job

pytestmark = pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known")
"""Of few genes, or of values that are no counts."""
N = 3
GROUPS = {"groupby": "cell_type", "n_subnetworks": N, "n_threads": 1}


@pytest.fixture
def adata():
    return cells(240, 54)


@pytest.fixture
def computed(monkeypatch):
    """Numbers of the subnetworks that are computed."""
    numbers: list[int] = []
    subnetwork = Job.subnetwork
    monkeypatch.setattr(Job, "subnetwork", lambda job, i, threads: numbers.append(i) or subnetwork(job, i, threads))
    return numbers


def run(adata, folder=None, **settings) -> str:
    """Bytes of the network of a copy."""
    return digest(ps.get.network(ps.tl.aracne(adata, REGULATORS, checkpoint=folder, copy=True, **GROUPS | settings)))


def folders(folder: Path) -> dict[str, int]:
    return {path.name: len(list(path.iterdir())) for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("kind", [str, Path])
def test_groups_have_a_folder_each_and_no_label_is_a_name(adata, tmp_path, computed, kind):
    expected = run(adata)
    assert run(adata, kind(tmp_path)) == expected
    assert folders(tmp_path) == {"group-0000": 1 + N, "group-0001": 1 + N}
    computed.clear()
    assert run(adata, kind(tmp_path)) == expected
    assert not computed


def test_all_cells_are_the_same_with_and_without_groups(adata, tmp_path, computed):
    run(adata, tmp_path, groupby=None)
    assert folders(tmp_path) == {"all-cells": 1 + N}
    computed.clear()
    assert run(adata, tmp_path, all_cells=True) == run(adata, all_cells=True)
    assert folders(tmp_path) == {"all-cells": 1 + N, "group-0000": 1 + N, "group-0001": 1 + N}
    assert len(computed) == 2 * N + 3 * N  # the groups; then, without a checkpoint, all


def test_some_groups_are_those_of_a_run_with_all(adata, tmp_path, computed):
    run(adata, tmp_path, groups=[SLASHED])
    assert folders(tmp_path) == {"group-0001": 1 + N}
    computed.clear()
    run(adata, tmp_path)
    assert len(computed) == N


@pytest.mark.parametrize("copy", [False, True])
def test_parts_leave_adata_alone_and_add_up(adata, tmp_path, computed, copy):
    expected, before = run(adata), state(adata)
    computed.clear()
    for part in (range(1), range(1, N)):
        found = ps.tl.aracne(adata, REGULATORS, checkpoint=tmp_path, subnetworks=part, copy=copy, **GROUPS)
        assert state(found) == before if copy else found is None
    assert state(adata) == before
    assert len(computed) == 2 * N
    assert run(adata, tmp_path) == expected
    assert len(computed) == 2 * N


def test_a_stopped_run_leaves_adata_alone_and_goes_on(adata, tmp_path, monkeypatch):
    expected, before = run(adata), state(adata)
    subnetwork, left = Job.subnetwork, iter(range(4))

    def stopped(job, i, n_threads):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return subnetwork(job, i, n_threads)

    with monkeypatch.context() as patch:
        patch.setattr(Job, "subnetwork", stopped)
        with pytest.raises(KeyboardInterrupt):
            ps.tl.aracne(adata, REGULATORS, checkpoint=tmp_path, **GROUPS)
    assert state(adata) == before
    assert folders(tmp_path) == {"group-0000": 1 + N, "group-0001": 1 + 1}
    assert run(adata, tmp_path) == expected


def test_log_lines_tell_what_was_written_or_kept(adata, tmp_path, log):
    ps.tl.aracne(adata, REGULATORS, checkpoint=tmp_path, subnetworks=[1], **GROUPS)
    kept = log.getvalue()
    assert f"finished: kept 1 subnetworks of each network in '{tmp_path}'" in kept
    assert "adata.uns" not in kept
    ps.tl.aracne(adata, REGULATORS, checkpoint=tmp_path, **GROUPS)
    assert "finished: added\n    'aracne', " in log.getvalue()


def test_parameters_do_not_tell_of_the_folder(adata, tmp_path):
    with_folder = ps.tl.aracne(adata, REGULATORS, checkpoint=tmp_path, copy=True, **GROUPS)
    assert state(with_folder) == state(ps.tl.aracne(adata, REGULATORS, copy=True, **GROUPS))


def more_cells(adata):
    adata.X[0, 0] += 1


def another_label(adata):
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.add_categories("A").cat.reorder_categories(["A", "B", SLASHED])


def other_cells(adata):
    adata.obs["cell_type"] = adata.obs["cell_type"].to_numpy()[::-1]


@pytest.mark.parametrize(
    ("spoil", "settings", "error", "match"),
    [
        (None, {"checkpoint": 3}, TypeError, "checkpoint is 3; give the path of a folder"),
        (None, {"rng": 1}, ValueError, r"checkpoint='.*group-0000' is of another run: rng '0, \[0\].*here"),
        (None, {"rng": np.random.default_rng(0)}, ValueError, "rng "),
        (None, {"alpha": 0.01}, ValueError, "alpha '0.05' there, '0.01' here"),
        (None, {"subnetworks": [0], "checkpoint": None}, ValueError, "subnetworks are given without checkpoint"),
        (None, {"subnetworks": [N]}, ValueError, "subnetworks are 3; give numbers from 0 to 2"),
        (None, {"client": 3}, TypeError, "client is int; give a dask.distributed.Client"),
        (more_cells, {}, ValueError, "values of X"),
        (other_cells, {}, ValueError, "values of X"),
        (another_label, {}, ValueError, r"group-0001' is of another run"),
    ],
)
def test_what_is_of_another_run_is_refused_and_nothing_changes(adata, tmp_path, spoil, settings, error, match):
    ps.tl.aracne(adata, REGULATORS, checkpoint=tmp_path, **GROUPS)
    if spoil is not None:
        spoil(adata)
    before, kept = state(adata), files(tmp_path)
    with pytest.raises(error, match=match):
        ps.tl.aracne(adata, REGULATORS, **{"checkpoint": tmp_path, **GROUPS, **settings})
    assert state(adata) == before
    assert files(tmp_path) == kept


def test_a_folder_that_cannot_be_written_leaves_adata_alone(adata, tmp_path):
    before = state(adata)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match=r"file/group-0000/job.json cannot be read \(Not a directory\)"):
        ps.tl.aracne(adata, REGULATORS, checkpoint=tmp_path / "file", **GROUPS)
    assert state(adata) == before
