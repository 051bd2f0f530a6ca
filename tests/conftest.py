"""Fixtures shared by all tests."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scanpy as sc
import scipy.sparse as sp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def _int64_indices(dense: np.ndarray) -> sp.csr_matrix:
    matrix = sp.csr_matrix(dense)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return matrix


FORMATS: dict[str, Callable[[np.ndarray], Any]] = {
    "ndarray": np.asarray,
    "csr_matrix": sp.csr_matrix,
    "csc_matrix": sp.csc_matrix,
    "csr_array": sp.csr_array,
    "csc_array": sp.csc_array,
    "csr_int64": _int64_indices,
}


@pytest.fixture(scope="session")
def formats() -> dict[str, Callable[[np.ndarray], Any]]:
    """What turns a dense array into each of the formats that X may have."""
    return FORMATS


@pytest.fixture(params=list(FORMATS))
def as_format(request: pytest.FixtureRequest) -> Callable[[np.ndarray], Any]:
    """Turn a dense array into one of the formats that X may have."""
    return FORMATS[request.param]


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What scanpy writes at the level of hints."""
    before = sc.settings.verbosity, sc.settings.logfile
    sc.settings.verbosity, sc.settings.logfile = 3, StringIO()
    yield sc.settings.logfile
    sc.settings.verbosity, sc.settings.logfile = before
