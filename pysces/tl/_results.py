"""Where scores go as they come: to arrays, or to a file that :func:`anndata.read_h5ad` or ``read_zarr`` opens."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from pysces import _slots
from pysces._matrix import CELLS_PER_BLOCK

if TYPE_CHECKING:
    from typing import Self

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
    """Scores in a new h5ad or zarr file, of the cells and regulators of ``empty``; it has its name when it is whole."""

    def __init__(self, path: str | Path, empty: AnnData, fields: list[str]) -> None:
        self._path, self._empty, self._fields = checked_path(path), empty, fields
        self._part = self._path.with_name(f".{self._path.name}.part{self._path.suffix}")
        self.network = np.full(empty.n_obs, -1, np.intp)
        self._lock = Lock()

    def __enter__(self) -> Self:
        self._remove()
        if self._path.suffix == ".zarr":
            import zarr

            self._empty.write_zarr(self._part)
            self._store: Any = zarr.open_group(self._part, mode="r+", use_consolidated=False)
        else:
            import h5py

            self._empty.write_h5ad(self._part)
            self._store = h5py.File(self._part, mode="r+")
        self._tables = {
            name: self._created(f"layers/{LAYERS[name]}" if name in LAYERS else "X") for name in self._fields
        }
        return self

    def _created(self, key: str) -> Any:
        shape = self._empty.shape
        chunks = min(CELLS_PER_BLOCK, shape[0]), shape[1]
        if self._path.suffix == ".zarr":
            table = self._store.create_array(key, shape=shape, chunks=chunks, dtype=np.float32, fill_value=np.nan)
        else:
            table = self._store.create_dataset(key, shape, np.float32, chunks=chunks, fillvalue=np.nan)
        table.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        return table

    def write(self, rows: NDArray[np.intp], scored: Scored) -> None:
        """Scores of some cells, ascending, which no one else writes."""
        first, last = int(rows[0]), int(rows[-1]) + 1
        with self._lock:
            for name, table in self._tables.items():
                values = getattr(scored, name)
                if last - first > len(rows):  # cells between are not scored now
                    values, some = table[first:last], values
                    values[rows - first] = some
                table[first:last] = values
        if scored.network is not None:
            self.network[rows] = scored.network

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:
            self._write_obs()
        if self._path.suffix == ".h5ad":
            self._store.close()
        if failed is not None:
            self._remove()
            return
        if self._path.suffix == ".zarr":
            import zarr

            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Consolidated metadata")  # as anndata writes them
                zarr.consolidate_metadata(self._part)
        self._part.rename(self._path)

    def _write_obs(self) -> None:
        """The cells as they are now: what is known of them only after scoring is in ``empty.obs``."""
        import anndata as ad

        ad.io.write_elem(self._store, "obs", self._empty.obs)

    def _remove(self) -> None:
        if self._part.is_dir():
            shutil.rmtree(self._part)
        self._part.unlink(missing_ok=True)


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
