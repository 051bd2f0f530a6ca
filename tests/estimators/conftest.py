"""Formats of X for the classes: one of each kind, as the tests of what reads X and those of storages have them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy as np


@pytest.fixture(params=["ndarray", "csr_int64", "csc_array"])
def as_format(
    request: pytest.FixtureRequest, formats: dict[str, Callable[[np.ndarray], Any]]
) -> Callable[[np.ndarray], Any]:
    """Turn a dense array into rows, dense or sparse, or into columns."""
    return formats[request.param]
