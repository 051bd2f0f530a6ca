"""What the pages show runs, and the API page names what is public."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from unittest import SkipTest

import matplotlib as mpl
import pytest
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import pysces as ps

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/api").glob("*.md"))]
WITH_CODE = [page for page in PAGES if "```python" in page.read_text("utf-8")]


@pytest.mark.filterwarnings("ignore:.*(fewer than min_cells|groups get no scores|no edge is significant)")
@pytest.mark.filterwarnings("ignore:.*non-interactive")  # sc.pl shows its figures
@pytest.mark.filterwarnings("ignore:invalid value encountered in log2")  # scanpy's fold changes of scores
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_code_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    for block in Document.parse(str(page), PythonCodeBlockParser(), SkipParser()).examples():
        with suppress(SkipTest):  # <!-- skip: next "why" -->
            block.evaluate()


def test_what_is_not_run_says_why():
    skips = re.findall(r"<!-- skip: .*?-->", "".join(page.read_text("utf-8") for page in PAGES))
    assert [skip for skip in skips if not re.fullmatch(r'<!-- skip: next ".+" -->', skip)] == []


def test_the_api_page_names_all_that_is_public():
    listed = re.findall(r"^   (\w+)$", (ROOT / "docs/api/index.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(set(ps.__all__) - {"__version__"})


def test_the_table_of_arrays_names_what_is_tested_on_all_of_them():
    rows = re.findall(r"^\| (`.*?) \| ✓", (ROOT / "docs/api/index.md").read_text("utf-8"), re.MULTILINE)
    tested = (ROOT / "tests/test_storages.py").read_text("utf-8")
    names = re.findall(r"`([\w.]+)`", " ".join(rows))
    assert names
    assert [name for name in names if f"ps.{name}(" not in tested] == []


def test_the_citation_is_of_this_version():
    assert f"version: {ps.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
