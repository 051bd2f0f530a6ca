"""The one decorator that compiles kernels, and the one machine instruction they need that numba lacks."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable


def _kernel_salt() -> str:
    """Hash of all kernel sources: numba's cache watches only the file of the kernel itself, not of what it calls."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*_kernels.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_SALT = _kernel_salt()


def kernel[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Compile without the interpreter and without the GIL, cached on disk where a cache can be written.

    Kernels are serial: :func:`pysces._parallel.run` calls them from several threads on disjoint outputs, which needs no
    threading layer, obeys ``n_threads`` per call and is safe in dask workers and forked processes.
    """
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return np.errstate(all="ignore")(function)  # numpy scalars warn where machine words wrap around
    function.__qualname__ += f"-{_SALT}"
    try:
        return numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # a read-only installation has no place for the cache
        return numba.njit(nogil=True, error_model="numpy")(function)


@intrinsic
def _ctpop(_context: Any, word: Any) -> Any:
    def generate(_ctx: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return word(word), generate


if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]

    def population_count(word: int) -> int:
        """Number of bits that are set."""
        return int(word).bit_count()

else:
    population_count = _ctpop  # type: ignore[assignment]
