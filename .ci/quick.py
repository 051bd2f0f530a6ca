"""Tests of what differs from main (on main: from the commit before): quick.py [--list] [PATH ...] [OPTION ...].

A change of `pysces/tl/_viper.py` runs the examples of its docstrings and the tests that are called after it
(`tests/tl/test_viper*.py`), or else those that import it. A helper of tests runs the tests that import it, a page its
code blocks. Of parametrised tests a few cases run. Arguments that are no paths go to pytest.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
ANYWHERE = ["tests/test_scanpy.py", "tests/test_package.py"]
"""For changes that no test is called after."""


def git(*arguments: str) -> list[str]:
    """Lines that git prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True, text=True).stdout.splitlines()


def changed() -> list[str]:
    """Files that differ from main, or on main from the commit before, with new ones."""
    head, known = git("rev-parse", "HEAD"), git("for-each-ref", "--format=%(objectname)", "refs/heads/main")
    since = git("merge-base", "main", "HEAD") if known and known != head else ["HEAD~1"]
    return sorted({*git("diff", "--name-only", *since), *git("ls-files", "--others", "--exclude-standard")})


def importing(pattern: str) -> list[Path]:
    """Tests with a line that matches."""
    return [test for test in TESTS if re.search(pattern, test.read_text("utf-8"), re.MULTILINE)]


def tests_of(name: str) -> list[Path | str]:
    """What to run for a file."""
    path = ROOT / name
    stem = path.stem.removesuffix("_kernels").strip("_")
    match path.relative_to(ROOT).parts:
        case ["tests", *_] if path.name.startswith("test_"):
            return [path] if path.exists() else []
        case ["tests", *_] if path.suffix == ".py":
            return [*importing(rf"^\s*(import|from) {path.stem}\b")]
        case ["pysces", *rooms, _] if path.suffix == ".py":
            room = ROOT.joinpath("tests", *(part.strip("_") for part in rooms))
            module = ".".join(["pysces", *rooms])
            named = [test for test in TESTS if test.parent == room and test.stem.startswith(f"test_{stem}")]
            users = importing(rf"^\s*(from {module}\.{path.stem} import|from {module} import .*\b{path.stem}\b)")
            return [*([path] if path.exists() else []), *(named or users or ANYWHERE)]
        case ["examples", *_]:
            return ["tests/test_examples.py"]
        case ["README.md"] | ["docs", *_] if path.suffix == ".md":
            return [f"tests/test_documents.py::test_code_blocks_of_a_page_run_in_order[{name}]"] * (
                "```python" in path.read_text("utf-8")
            )
    return []


def main() -> int:
    """Run them."""
    named = [argument for argument in sys.argv[1:] if (ROOT / argument).exists()]
    options = [argument for argument in sys.argv[1:] if argument not in {*named, "--list"}]
    found = dict.fromkeys(str(test).removeprefix(f"{ROOT}/") for name in named or changed() for test in tests_of(name))
    print("\n".join(found) or "nothing that has changed has tests", flush=True)
    if not found or "--list" in sys.argv:
        return 0
    return subprocess.call([sys.executable, "-m", "pytest", "-p", "few_cases", *options, *found], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
