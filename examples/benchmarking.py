"""What benchmark_aracne.py and benchmark_viper.py share: versions in processes of their own, table, figure and JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np
import scipy.sparse as sp

import pysces as ps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SETS = ("small", "medium", "large")
PYSCES, COLD, THREADS, PYTHON = "numba, one thread", "numba, first call", "numba, all threads", "Python"
RUNS = {COLD: (1, 1), PYSCES: (2, 5), THREADS: (2, 5), PYTHON: (1, 3), "numpy": (1, 3), "decoupler": (2, 2)}
"""How often each is run, at least and at most; the first run is not counted if there are others."""
ENOUGH = 5.0
"""Seconds after which a version is not run again."""
LEAST_CELLS = 10
"""Cells that a gene of a set is detected in."""
COLOURS = {"numpy": "#E69F00", "decoupler": "#009E73", COLD: "#CC79A7", PYSCES: "#0072B2", THREADS: "#56B4E9"}
"""In the order of the bars; of Okabe and Ito, told apart by the colour-blind."""


class Size(NamedTuple):
    """Of a set."""

    n_cells: int
    n_genes: int
    n_regulators: int

    def __str__(self) -> str:
        return f"{self.n_cells:,} cells x {self.n_genes:,} genes x {self.n_regulators:,} regulators"


class Part(NamedTuple):
    """Seconds that a stage took, of the clock and of all cores, and on how many of how many items."""

    seconds: float
    cpu_seconds: float
    done: int
    of: int

    def whole(self, seconds: float) -> float:
        """Of all items."""
        return seconds * self.of / self.done


class Script(NamedTuple):
    """One benchmark."""

    name: str
    file: str
    sizes: dict[str, Size]
    quick: dict[str, Size]
    methods: tuple[str, ...]
    versions: tuple[str, ...]
    save: Callable[[Size, Path], None]
    """Make a set and write it to a folder."""
    run: Callable[[str, str, Path], tuple[dict[str, Part], float]]
    """Method, version and folder: the parts of one run, and the largest difference to what pysces wrote there."""
    tolerance: dict[str, float]
    note: str


def main(script: Script, doc: str | None) -> None:
    """Print the table, and write JSON and figure."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="sets to run (default: all)")
    parser.add_argument(
        "--size", nargs=3, type=int, metavar=("CELLS", "GENES", "REGULATORS"), help="one set of this size instead"
    )
    parser.add_argument("--quick", action="store_true", help="a tiny set, to see that it runs")
    parser.add_argument("--json", type=Path, default=Path(f"benchmark_{script.name}.json"))
    parser.add_argument("--figure", type=Path, default=Path(f"benchmark_{script.name}.png"))
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(script, *given.child)))
        return
    sizes = {name: script.sizes[name] for name in given.sets}
    if given.quick:
        sizes = script.quick
    if given.size:
        sizes = {"own": Size(*given.size)}
    found = {"machine": machine(), "note": script.note, "sets": {}, "rows": []}
    print("\n".join(f"{key}: {value}" for key, value in found["machine"].items()), script.note, sep="\n")
    for name, size in sizes.items():
        found["sets"][name] = size._asdict()
        print(f"\n{name}: {size}\n{columns(*HEADING)}", flush=True)
        for row in rows_of(script, size, is_quick=given.quick):
            found["rows"].append({"set": name} | row)
            print(line(row), flush=True)
    for file in (given.json, given.figure):
        file.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(found, script, given.figure)


def machine() -> dict[str, str]:
    """What the numbers are of."""
    cpu = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        models = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = next(iter(models), cpu)
    packages = ("numpy", "scipy", "numba", "decoupler")
    return {
        "CPU": f"{cpu}, {os.cpu_count()} cores, {numba.config.NUMBA_NUM_THREADS} threads of numba",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown",
        "versions": f"Python {platform.python_version()}, pysces {ps.__version__}, "
        + ", ".join(f"{name} {version(name)}" for name in packages),
        "system": platform.platform(),
    }


def rows_of(script: Script, size: Size, *, is_quick: bool) -> Iterator[dict[str, Any]]:
    """Rows of the table of one set. The first version also writes what others are compared with.

    It is the first call, whose kernels the others then load from the cache. If it must be quick, kernels are those that
    are cached already, and all versions run in this process.
    """
    versions = script.versions if is_quick else (COLD, *script.versions)
    with tempfile.TemporaryDirectory() as folder:
        process(script, folder, "save", *map(str, size))
        for method in script.methods:
            environment = {"NUMBA_CACHE_DIR": str(Path(folder, "cache", method))}
            if is_quick:
                of = {which: child(script, folder, method, which) for which in versions}
            else:
                of = {which: process(script, folder, method, which, **environment) for which in versions}
            for which, row in of.items():
                if row["difference"] > script.tolerance[method]:
                    msg = f"{method}, {which}: scores differ from those of pysces by {row['difference']:.1e}."
                    raise RuntimeError(msg)
                row["speed_up"] = of[PYTHON]["seconds"] / row["seconds"]
                yield {"method": method, "version": which} | row


def process(script: Script, *arguments: str, **environment: str) -> Any:
    """What a process of its own finds."""
    command = [sys.executable, script.file, "--child", *arguments]
    done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def child(script: Script, folder: str, method: str, *more: str) -> dict[str, Any]:
    """Make a set, or run one version and measure it."""
    if method == "save":
        script.save(Size(*map(int, more)), Path(folder))
        return {}
    (which,) = more
    runs, since = [], time.perf_counter()
    least, most = RUNS[which]
    while len(runs) < least or (len(runs) < most and time.perf_counter() - since < ENOUGH):
        runs.append(script.run(method, which, Path(folder)))
    seconds = [sum(part.whole(part.seconds) for part in parts.values()) for parts, _ in runs]
    cpu_seconds = [sum(part.whole(part.cpu_seconds) for part in parts.values()) for parts, _ in runs]
    first, warm = seconds[0], seconds[1:] or seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    return {
        "seconds": min(warm),
        "slowest": max(warm),
        "first": first,
        "cpu_seconds": min(cpu_seconds[1:] or cpu_seconds),
        "n_runs": len(runs),
        "parts": {stage: part._asdict() for stage, part in runs[-1][0].items() if part.done < part.of},
        "peak_memory": peak,
        "difference": max(difference for _, difference in runs),
    }


def detected(counts: sp.csc_array, n_genes: int) -> sp.csr_array:
    """The first so many genes that are detected in enough cells."""
    genes = np.flatnonzero(np.diff(counts.indptr) >= LEAST_CELLS)[:n_genes]
    if len(genes) < n_genes:
        msg = f"only {len(genes)} of {n_genes} genes are detected in {LEAST_CELLS} cells; choose more cells."
        raise ValueError(msg)
    return sp.csr_array(counts[:, genes])


def timed(call: Callable[[], Any], done: int = 1, of: int = 1) -> tuple[Any, Part]:
    """What a call gives, and how long it takes."""
    since, cpu_since = time.perf_counter(), time.process_time()
    given = call()
    return given, Part(time.perf_counter() - since, time.process_time() - cpu_since, done, of)


def some(n: int, most: int) -> np.ndarray:
    """At most so many of ``range(n)``, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


WIDTHS = (8, 20, -10, -20, -9, -11, -9, -11)
HEADING = ("", "", "speed-up", "seconds", "CPU s", "first run", "peak GB", "difference", "  measured on")


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    seconds = number(row["seconds"])
    if row["slowest"] > row["seconds"]:
        seconds += f" to {number(row['slowest'])}"
    parts = "; ".join(f"{part['done']:,} of {part['of']:,} {stage}, scaled" for stage, part in row["parts"].items())
    return columns(
        row["method"], row["version"], number(row["speed_up"]), seconds, number(row["cpu_seconds"]),
        number(row["first"]), f"{row['peak_memory']:.2f}", f"{row['difference']:.0e}", f"  {parts or 'all'}",
    )  # fmt: skip


def columns(*texts: str) -> str:
    """Texts side by side, to the right where the width is negative."""
    *most, last = texts
    return "".join(t.rjust(-w) if w < 0 else t.ljust(w) for t, w in zip(most, WIDTHS, strict=True)) + last


def number(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def draw(found: dict[str, Any], script: Script, file: Path) -> None:
    """Bars of the speed-up over pure Python; hatched where a part was measured."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    versions = [name for name in COLOURS if any(row["version"] == name for row in found["rows"])]
    width = 0.84 / len(versions)
    figure, axes = plt.subplots(
        1, len(script.methods), figsize=(5.5 * len(script.methods) + 1.5, 4.2), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axis, method in zip(axes[0], script.methods, strict=True):
        of = {which: [row for row in found["rows"] if (row["method"], row["version"]) == (method, which)]
              for which in (PYTHON, *versions)}  # fmt: skip
        for i, which in enumerate(versions):
            at = np.arange(len(of[which])) + (i - (len(versions) - 1) / 2) * width
            speed_ups = np.array([row["speed_up"] for row in of[which]])
            hatch = ["///" if row["parts"] else "" for row in of[which]]
            bars = axis.bar(
                at, speed_ups - 1, 0.95 * width, bottom=1, color=COLOURS[which], hatch=hatch, edgecolor="white", lw=0
            )  # fmt: skip
            for bar, speed_up in zip(bars, speed_ups, strict=True):
                offset, side = ((0, 1), "bottom") if speed_up >= 1 else ((0, -1), "top")
                place = (bar.get_x() + bar.get_width() / 2, speed_up)
                axis.annotate(
                    number(speed_up), place, offset, textcoords="offset points", ha="center", va=side, fontsize=7
                )
        axis.set_yscale("log")
        axis.margins(y=0.1)
        axis.axhline(1, color="0.3", lw=0.8)
        sizes = [" x ".join(f"{n:,}" for n in size.values()) for size in found["sets"].values()]
        scaled = [f"{number(row['seconds'])} s{' (scaled)' if row['parts'] else ''}" for row in of[PYTHON]]
        labels = [
            f"{name}\n{size}\nPython {took}" for name, size, took in zip(found["sets"], sizes, scaled, strict=True)
        ]
        axis.set_xticks(range(len(labels)), labels, fontsize="small")
        axis.set_title(method, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("times as fast as pure Python")
    figure.supxlabel("cells x genes x regulators; hatched: measured on a part and scaled", fontsize="small")
    legend = [Patch(color=COLOURS[which], label=which) for which in versions]
    figure.legend(handles=legend, loc="outside upper center", ncols=len(versions), frameon=False, fontsize="small")
    figure.savefig(file, dpi=150)
