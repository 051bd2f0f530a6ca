"""Where scores go as they come: to arrays, or to a file that :func:`anndata.read_h5ad` or ``read_zarr`` opens."""

from __future__ import annotations

import shutil
import warnings
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from pysces import _slots
from pysces._matrix import CELLS_PER_BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from anndata import AnnData
    from numpy.typing import NDArray

    from pysces.tl._panel import Scored

LAYERS = {"sd": _slots.SD.lstrip("_"), "pes": _slots.PES.lstrip("_")}
"""Where a file has what is beside the scores."""
SUFFIXES = (".zarr", ".h5ad")


class Arrays:
    """Scores in memory, cells x regulators, NaN where there are none."""

    def __init__(self, shape: tuple[int, int], fields: list[str]) -> None:
        self.tables = {name: np.full(shape, np.nan, np.float32) for name in fields}
        self.network = np.full(shape[0], -1, np.intp)

    def write(self, rows: NDArray[np.intp], scored: Scored) -> None:
        """Scores of some cells, which no one else writes."""
        for name, table in self.tables.items():
            table[rows] = getattr(scored, name)
        if scored.network is not None:
            self.network[rows] = scored.network


class File:
    """Scores in an open file, see :func:`new_file`."""

    def __init__(self, store: Any, shape: tuple[int, int], fields: list[str]) -> None:
        self._tables = {name: _table(store, shape, name) for name in fields}
        self.network = np.full(shape[0], -1, np.intp)
        self._lock = Lock()

    def write(self, rows: NDArray[np.intp], scored: Scored) -> None:
        """Scores of some cells, ascending, which no one else writes."""
        chunks = np.arange(rows[0] // CELLS_PER_BLOCK + 1, rows[-1] // CELLS_PER_BLOCK + 1) * CELLS_PER_BLOCK
        ends = np.unique([0, *np.searchsorted(rows, chunks), len(rows)])
        with self._lock:  # two blocks may share a chunk
            for name, table in self._tables.items():
                for start, stop in pairwise(ends):
                    _write(table, rows[start:stop], getattr(scored, name)[start:stop])
        if scored.network is not None:
            self.network[rows] = scored.network


def _table(store: Any, shape: tuple[int, int], name: str) -> Any:
    """An array in chunks of blocks of cells, which are written once; scores are noise that hardly compresses."""
    key = f"layers/{LAYERS[name]}" if name in LAYERS else "X"
    form = {"shape": shape, "dtype": np.float32, "chunks": (min(CELLS_PER_BLOCK, shape[0]), shape[1])}
    if key in store:  # anndata 0.12.0 writes an X that is None
        del store[key]
    if hasattr(store, "create_array"):  # of zarr
        table = store.create_array(key, fill_value=np.nan, **form)
    else:
        table = store.create_dataset(key, fillvalue=np.nan, **form)
    table.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    return table


def _write(table: Any, rows: NDArray[np.intp], values: NDArray[np.floating]) -> None:
    """Rows of a table; between them may be cells that are not scored now."""
    stretch = slice(int(rows[0]), int(rows[-1]) + 1)
    if stretch.stop - stretch.start > len(rows):
        values, some = table[stretch], values
        values[rows - stretch.start] = some
    table[stretch] = values


@contextmanager
def new_file(path: str | Path, empty: AnnData, fields: list[str]) -> Iterator[File]:
    """Make an h5ad or zarr file of ``empty`` and of scores of its cells; it has its name only when it is whole.

    What is known of the cells only after scoring is put into ``empty.obs``. After an error nothing is left behind.
    """
    import anndata as ad

    path = checked_path(path)
    part = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        (empty.write_zarr if path.suffix == ".zarr" else empty.write_h5ad)(part)
        with _opened(part) as store:
            yield File(store, empty.shape, fields)
            ad.io.write_elem(store, "obs", empty.obs)
        if path.suffix == ".zarr":
            _consolidate(part)
        part.rename(path)
    finally:
        _remove(part)


def _opened(part: Path) -> AbstractContextManager[Any]:
    if part.suffix == ".zarr":
        import zarr

        return nullcontext(zarr.open_group(part, mode="r+", use_consolidated=False))
    import h5py

    return h5py.File(part, mode="r+")  # type: ignore[no-any-return]


def _consolidate(part: Path) -> None:
    import zarr

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Consolidated metadata")  # as anndata writes them
        zarr.consolidate_metadata(part)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    part.unlink(missing_ok=True)


def checked_path(path: object) -> Path:
    """A path at which a file can be made."""
    if not isinstance(path, str | Path) or Path(path).suffix not in SUFFIXES:
        msg = f"out is {path!r}; give a path that ends in {' or '.join(SUFFIXES)}."
        raise ValueError(msg)
    found = Path(path).expanduser()
    if found.exists():
        msg = f"out={str(found)!r} is there already; remove it, or give another path."
        raise FileExistsError(msg)
    if not found.parent.is_dir():
        msg = f"out={str(found)!r} is in a folder that does not exist; make it first."
        raise FileNotFoundError(msg)
    return found
