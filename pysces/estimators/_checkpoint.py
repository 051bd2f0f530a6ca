"""Finished subnetworks in a folder, from which a run that was stopped goes on."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pysces._check import warn
from pysces._infer.subnetworks import Subnetwork

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pysces._infer.subnetworks import Job, Runner

ABOUT = "job.json"
SETTINGS = ("estimator", "subsample", "replace", "alpha", "correction", "dpi", "dpi_tolerance")
"""What a subnetwork depends on."""


class Checkpoint(NamedTuple):
    """Takes subnetworks from a folder, and those that it lacks from ``runner``, which it keeps there.

    Each is a file of its own, written under another name and moved into place when it is whole; several processes may
    work on one folder. ``job.json`` tells what they follow from: a folder of other cells, genes or settings is refused.
    """

    folder: Path
    names: NDArray[np.object_]
    """Of the genes of the job."""
    runner: Runner

    def __call__(self, job: Job, numbers: Sequence[int]) -> Iterator[Subnetwork]:
        """See :class:`Runner`."""
        digest = self._checked(job)
        stored = {i: found for i in numbers if (found := self._load(i, digest)) is not None}
        computed = self.runner(job, [i for i in numbers if i not in stored])
        for i in numbers:
            if i in stored:
                yield stored.pop(i)
                continue
            found = next(computed)
            self._save(i, found, digest)
            yield found

    def _checked(self, job: Job) -> str:
        """Note what the folder is for; it raises if it is there for anything else."""
        about = described(job, self.names)
        digest = blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16).hexdigest()
        path = self.folder / ABOUT
        try:
            noted = json.loads(path.read_text())
        except FileNotFoundError:
            noted = None
        except (OSError, ValueError) as error:
            msg = f"checkpoint={str(self.folder)!r} holds no readable {ABOUT} ({error}); give another folder."
            raise ValueError(msg) from error
        if noted is None:
            _write(path, json.dumps(about, indent=1, sort_keys=True).encode())
        elif noted != about:
            other = [
                f"{name} {noted.get(name)!r} there, {about[name]!r} here"
                for name in about
                if noted.get(name) != about[name]
            ]
            msg = (
                f"checkpoint={str(self.folder)!r} is of another run: {'; '.join(other)}. Give another folder, or the "
                "same cells, genes and settings; nothing was changed."
            )
            raise ValueError(msg)
        return digest

    def _file(self, i: int) -> Path:
        return self.folder / f"subnetwork-{i:05d}.npz"

    def _load(self, i: int, digest: str) -> Subnetwork | None:
        """Subnetwork ``i`` if it is there and whole."""
        try:
            content = self._file(i).read_bytes()
        except FileNotFoundError:
            return None
        found = _unpacked(content, digest)
        if found is None:
            warn(f"{self._file(i)} is damaged, and is computed anew.")
        return found

    def _save(self, i: int, found: Subnetwork, digest: str) -> None:
        _write(self._file(i), _packed(found, digest))


def described(job: Job, names: NDArray[np.object_]) -> dict[str, Any]:
    """What the subnetworks of a job follow from, in words and numbers."""
    problem, settings, _, seed = job
    about = {name: str(getattr(settings, name)) for name in SETTINGS}
    genes = "\n".join(map(str, names))
    return about | {
        "n_cells": problem.ranks.n_cells,
        "n_genes": len(names),
        "n_regulators": len(problem.regulators),
        "rng": f"{seed.entropy}, {list(seed.spawn_key)}",
        "version": version("pysces-grn"),
        "names of the genes (digest)": _digest(np.frombuffer(genes.encode(), np.uint8)),
        "regulators and targets (digest)": _digest(problem.regulators, problem.is_target),
        "values of X (digest)": _digest(*problem.ranks[:-1]),
        "depth of the cells (digest)": _digest(
            *(array for part in problem.depth for array in (part.labels, part.trends))
        ),
    }


def _digest(*arrays: NDArray[Any]) -> str:
    found = blake2b(digest_size=16)
    for array in arrays:
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _packed(found: Subnetwork, digest: str) -> bytes:
    numbers = np.array([found.n_tests, found.n_before])
    buffer = BytesIO()
    check = _digest(found.edges, numbers)
    np.savez_compressed(buffer, edges=found.edges, numbers=numbers, of=np.array([digest, check]))
    return buffer.getvalue()


def _unpacked(content: bytes, digest: str) -> Subnetwork | None:
    """None if the content is not what was packed, or is of another run."""
    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            edges, numbers, of = file["edges"], file["numbers"], file["of"]
        whole = of.tolist() == [digest, _digest(edges, numbers)]
    except Exception:  # noqa: BLE001  a damaged archive fails in as many ways as there are bytes
        return None
    return Subnetwork(edges, *map(int, numbers)) if whole else None


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none, and only then return."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False) as file:
            part = Path(file.name)
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                part.replace(path)
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                raise
    except OSError as error:
        msg = (
            f"{path} cannot be written ({error.strerror or error}). The subnetworks that are there are whole: make "
            "room, or give another checkpoint, and call again."
        )
        raise OSError(error.errno, msg) from error
