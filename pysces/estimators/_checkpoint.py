"""Finished subnetworks in a folder, from which a run that was stopped goes on."""

from __future__ import annotations

import json
import os
from contextlib import closing, suppress
from hashlib import blake2b
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import numpy as np

from pysces._check import warn
from pysces._infer.subnetworks import Subnetwork

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from pysces._infer.subnetworks import Job, Runner

ABOUT = "job.json"
SETTINGS = ("estimator", "subsample", "replace", "alpha", "correction", "dpi", "dpi_tolerance")
"""What a subnetwork depends on."""
DECIMALS = 6
"""Beyond these, trends of the depth are the rounding of the BLAS of one kind of processor."""


def checkpoint_folder(checkpoint: str | os.PathLike[str]) -> Path:
    """The folder that an argument names."""
    if not isinstance(checkpoint, str | os.PathLike):
        msg = f"checkpoint is {checkpoint!r}; give the path of a folder."
        raise TypeError(msg)
    return Path(checkpoint).expanduser()


class Checkpoint(NamedTuple):
    """Takes subnetworks from a folder, and those that it lacks from ``runner``, which it keeps there.

    Each is a file of its own, written under another name and moved into place when it is whole; several processes may
    work on one folder. ``job.json`` tells what they follow from: a folder of other cells, genes or settings is refused.
    """

    folder: Path
    names: NDArray[np.object_]
    """Of the genes of the job."""
    runner: Runner

    def __call__(self, job: Job, numbers: Sequence[int]) -> Generator[Subnetwork, None, None]:
        """See :class:`Runner`."""
        digest = self._checked(job)
        there = {i for i in numbers if self._file(i).exists()}
        with closing(self.runner(job, [i for i in numbers if i not in there])) as computed:
            for i in numbers:
                found = self._load(i, digest) if i in there else None
                if found is None:
                    found = next(self.runner(job, [i]) if i in there else computed)
                    _write(self._file(i), _packed(i, found, digest))
                yield found

    def _checked(self, job: Job) -> str:
        """Note what the folder is for; it raises if it is there for anything else."""
        about = described(job, self.names)
        path = self.folder / ABOUT
        content = _read(path)
        if content is None:
            _write(path, json.dumps(about, indent=1, sort_keys=True).encode())
        elif other := _differences(content, about):
            msg = (
                f"checkpoint={str(self.folder)!r} is of another run: {other}. Give another folder, or the same cells, "
                "genes and settings; nothing was changed."
            )
            raise ValueError(msg)
        return blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16).hexdigest()

    def _file(self, i: int) -> Path:
        return self.folder / f"subnetwork-{i:05d}.npz"

    def _load(self, i: int, digest: str) -> Subnetwork | None:
        """Subnetwork ``i`` if it is there and whole."""
        content = _read(self._file(i))
        found = None if content is None else _unpacked(i, content, digest)
        if content is not None and found is None:
            warn(f"{self._file(i)} is damaged or of another run, and is computed anew.")
        return found


def described(job: Job, names: NDArray[np.object_]) -> dict[str, Any]:
    """What the subnetworks of a job follow from, in words and numbers."""
    problem, settings, _, seed = job
    about = {name: str(getattr(settings, name)) for name in SETTINGS}
    genes = "\n".join(map(str, names))
    return about | {
        "n_cells": problem.ranks.n_cells,
        "n_genes": len(names),
        "n_regulators": len(problem.regulators),
        "rng": f"{seed.entropy}, {[int(key) for key in seed.spawn_key]}, {seed.pool_size}",
        "version": version("pysces-grn"),
        "names of the genes (digest)": _digest(np.frombuffer(genes.encode(), np.uint8)),
        "regulators and targets (digest)": _digest(problem.regulators, problem.is_target),
        "values of X (digest)": _digest(*problem.ranks[:-1]),
        "depth of the cells (digest)": _digest(
            *(part.labels for part in problem.depth),
            *(np.round(part.trends, DECIMALS) + 0.0 for part in problem.depth),  # -0.0 has other bytes
        ),
    }


def _differences(content: bytes, about: dict[str, Any]) -> str:
    """In what a noted job is not this one."""
    try:
        noted = dict(json.loads(content))
    except (TypeError, ValueError):
        return f"its {ABOUT} is not readable"
    return "; ".join(
        f"{name} {noted.get(name)!r} there, {about.get(name)!r} here"
        for name in about | noted
        if noted.get(name) != about.get(name)
    )


def _digest(*arrays: NDArray[Any]) -> str:
    found = blake2b(digest_size=16)
    for array in arrays:
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _packed(i: int, found: Subnetwork, digest: str) -> bytes:
    numbers = np.array([i, found.n_tests, found.n_before], np.int64)
    buffer = BytesIO()
    np.savez_compressed(
        buffer, edges=found.edges, numbers=numbers, of=np.array([digest, _digest(found.edges, numbers)])
    )
    return buffer.getvalue()


def _unpacked(i: int, content: bytes, digest: str) -> Subnetwork | None:
    """None if the content is not what was packed, or is of another run or number."""
    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            edges, numbers, of = file["edges"], file["numbers"], file["of"]
        whole = of.tolist() == [digest, _digest(edges, numbers)] and numbers[0] == i
    except Exception:  # noqa: BLE001  a damaged archive fails in as many ways as there are bytes
        return None
    return Subnetwork(edges, *map(int, numbers[1:])) if whole else None


def _read(path: Path) -> bytes | None:
    """The content of a file, None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _explained(error, path, "read", "Give a folder that can be read and written as checkpoint.") from error


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none, and only then return; what killed processes left of it goes."""
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _move(part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        remedy = "The subnetworks that are there are whole: make room, or give another checkpoint, and call again."
        raise _explained(error, path, "written", remedy) from error
    with suppress(OSError):
        for left in path.parent.glob(f".{path.name}.*.part"):
            left.unlink()


def _move(part: Path, path: Path) -> None:
    try:
        part.replace(path)
    except FileNotFoundError:
        if not path.exists():  # a process that wrote the same just before took the part for a leftover
            raise


def _explained(error: OSError, path: Path, what: str, remedy: str) -> OSError:
    return OSError(error.errno, f"{path} cannot be {what} ({error.strerror or error}). {remedy}")
