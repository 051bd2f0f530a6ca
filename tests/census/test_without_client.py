"""ps.datasets.census where there is no client."""

from __future__ import annotations

import sys

import pytest

import pysces as ps

BLOOD = "tissue_general == 'blood' and is_primary_data == True"


@pytest.fixture(autouse=True)
def no_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "cellxgene_census", None)


def test_the_error_says_what_to_install():
    with pytest.raises(ImportError, match=r"cellxgene-census is not installed: pip install cellxgene-census"):
        ps.datasets.census("human", BLOOD)


@pytest.mark.parametrize("max_cells", [0, 2.5, None, "all"])
def test_number_of_cells_is_checked_first(max_cells):
    with pytest.raises(ValueError, match=r"max_cells is .*; give a whole number, at least 1"):
        ps.datasets.census("human", BLOOD, max_cells=max_cells)


def test_seed_is_checked_first():
    with pytest.raises(ValueError, match="rng is -1"):
        ps.datasets.census("human", BLOOD, rng=-1)
