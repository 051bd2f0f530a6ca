"""Damage valid files of every format, and see that readers only ever read them or say what is wrong.

    python examples/fuzz_readers.py --minutes 10

Each format takes its turn in a process of its own, with limited memory. A try fails if the reader raises anything but
ValueError or OSError, takes longer than 5 seconds, or ends the process. Damaged files that made a reader fail are kept
in the folder ``--keep``.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import queue
import random
import resource
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

import pysces as ps

LONGEST = 5.0
"""Seconds that a small file may take."""
MEMORY = 2 << 30
"""Bytes that a reader may take beyond what is there at the start."""
TURN = 6.0
"""Seconds of a turn of one format."""
PIECES = [
    *(b"\t", b"\n", b"\r", b'"', b"'", b",", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b">", b"-", b"nan", b"inf", b"1_0"),
    *(b"[" * 5000, b"(" * 5000, b"-" * 5000, b"(1," * 3000, b"A" * 200_000, b"9" * 5000, b"\t" * 5000, b"\n" * 5000),
    *(
        b"1e999",
        b"-1e999",
        b"1e-999",
        b"18446744073709551616",
        b"0x1p3",
        b"\xf0\x9f\x8d\x8a",
        b"\xc3(",
        b"{}",
        b"np.float64(",
        b'<!DOCTYPE g [<!ENTITY a "' + b"x" * 1000 + b'"><!ENTITY b "' + b"&a;" * 1000 + b'">]><g>' + b"&b;" * 1000,
    ),
]
SCENIC = ",,Enrichment,Enrichment,Enrichment\n,,AUC,Context,TargetGenes\nTF,MotifID,,,\n" + "".join(
    f"TF{i},m{i},0.1,\"frozenset({{'activating'}})\",\"[('G1', 1.5), ('G2', np.float64(0.5)), ('TF{i}', 1.0)]\"\n"
    for i in range(20)
)


def network() -> pd.DataFrame:
    """A network with every column."""
    n = 60
    mi = np.linspace(0.5, 0.01, n)
    return pd.DataFrame(
        {
            "source": pd.Categorical([f"TF{i % 6}" for i in range(n)]),
            "target": pd.Categorical([f"gene {i // 6}, {i % 7}" for i in range(n)]),
            "weight": np.linspace(-1, 1, n),
            "likelihood": mi / mi[0],
            "mi": mi,
            "scc": np.linspace(-1, 1, n),
            "support": np.arange(n),
            "log_pvalue": -np.arange(n, dtype=float),
        }
    )


def valid_files(folder: Path) -> dict[str, Path]:
    """A valid file of every format."""
    net = network()
    files = {}
    for kind in ("3col", "adj", "aracne-ap", "aracne3", "pyviper", "grnboost2"):
        files[kind] = folder / f"{kind}{'.adj' if kind == 'adj' else '.tsv'}"
        ps.io.write_network(net, files[kind], format=kind)
    for name in ("tidy.csv", "tidy.tsv.gz", "tidy.parquet"):
        files[name] = folder / name
        ps.io.write_network(net, files[name])
    files["gmt"], files["gmt.gz"], files["scenic"] = folder / "sets.gmt", folder / "sets.gmt.gz", folder / "reg.csv"
    ps.io.write_gmt(net, files["gmt"])
    ps.io.write_gmt(net, files["gmt.gz"])
    files["scenic"].write_text(SCENIC)
    files["subnetworks"] = folder / "alone" / "subnetwork.tsv"
    files["subnetworks"].parent.mkdir()
    files["subnetworks"].write_text(
        "regulator.values\ttarget.values\tmi.values\n" + "".join(f"A\tg{i}\t0.{i + 1}\n" for i in range(30))
    )
    for kind, write in {"rds": ps.io.write_regulons, "sif": ps.io.write_sif, "graphml": ps.io.write_graphml}.items():
        files[kind] = folder / f"network.{kind}"
        write(net, files[kind])
    return files


def damaged(content: bytes, random: random.Random) -> bytes:
    """The content after a few changes; of half of what is compressed, the text is changed and compressed again."""
    if content.startswith(b"\x1f\x8b") and random.random() < 0.5:
        return gzip.compress(damaged(gzip.decompress(content), random))
    data = bytearray(content)
    for _ in range(random.choice([1, 1, 1, 2, 5, 20])):
        at = random.randrange(len(data) + 1)
        match random.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << random.randrange(8)
            case 1:
                del data[at : at + random.choice([1, 2, 10, 1000])]
            case 2:
                data[at:at] = random.choice(PIECES)
            case 3:
                piece = random.choice(PIECES)
                data[at : at + len(piece)] = piece
            case 4:
                lines = bytes(data).split(b"\n")
                random.shuffle(lines) if random.random() < 0.1 else lines.insert(
                    0, lines.pop(random.randrange(len(lines)))
                )
                data = bytearray(b"\n".join(lines))
            case _ if random.random() < 0.2:
                del data[at:]
    return bytes(data)


def read(kind: str, path: Path) -> None:
    """Read a file as its format is read."""
    if kind.startswith("gmt"):
        ps.io.read_gmt(path)
    elif kind in READERS:
        READERS[kind](path)
    elif kind == "subnetworks":
        ps.io.read_network(path.parent)
    else:
        ps.io.read_network(path, format=random.choice([None, kind]) if kind in FORMATS else None)


READERS = {"rds": ps.io.read_regulons, "sif": ps.io.read_sif, "graphml": ps.io.read_graphml}
FORMATS = ("3col", "adj", "aracne-ap", "aracne3", "pyviper", "grnboost2", "scenic")


def turn(kind: str, valid: Path, folder: Path, seed: int, results: multiprocessing.Queue) -> None:
    """Tries of one format for some seconds."""
    warnings.simplefilter("ignore")
    read(kind, valid)  # imports what it needs, before memory is limited
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    path = folder / kind / valid.name
    path.parent.mkdir(exist_ok=True)
    content, chance, found = valid.read_bytes(), random.Random(seed), Counter()
    until = time.perf_counter() + TURN
    while time.perf_counter() < until:
        path.write_bytes(damaged(content, chance))
        since = time.perf_counter()
        what, why = "read", ""
        try:
            read(kind, path)
        except (ValueError, OSError):
            what = "refused"
        except BaseException:  # noqa: BLE001  whatever else there is, is to be found
            what, why = "failed", traceback.format_exc(limit=-3)
        if time.perf_counter() - since > LONGEST:
            what, why = "failed", f"took {time.perf_counter() - since:.1f} s"
        found[what] += 1
        if why:
            results.put((why, path.read_bytes()))
    results.put(found)


def one_turn(kind: str, valid: Path, folder: Path, seed: int, found: Counter[str]) -> list[tuple[str, bytes]]:
    """Tries of one format in a process of its own, counted in ``found``; what failed, and on which content."""
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=turn, args=(kind, valid, folder, seed, results))
    process.start()
    failures = []
    until = time.perf_counter() + 12 * TURN
    while True:
        try:
            result = results.get(timeout=1)
        except queue.Empty:
            if process.is_alive() and time.perf_counter() < until:
                continue
            process.kill()
            process.join()
            found["failed"] += 1
            content = (folder / kind / valid.name).read_bytes()
            return [*failures, (f"the process ended with {process.exitcode}, or hung", content)]
        if isinstance(result, Counter):
            found += result
            process.join()
            return failures
        failures.append(result)


def main() -> None:
    """Take turns until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz_failures"), help="where files that failed are kept")
    options = parser.parse_args()
    until = time.perf_counter() + 60 * options.minutes
    totals: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "valid").mkdir()
        files = valid_files(folder / "valid")
        seed = options.seed
        while time.perf_counter() < until:
            for kind, valid in files.items():
                seed += 1
                failures = one_turn(kind, valid, folder, seed, totals.setdefault(kind, Counter()))
                for number, (why, content) in enumerate(failures):
                    options.keep.mkdir(exist_ok=True)
                    (options.keep / f"{kind}-{seed}-{number}-{valid.name}").write_bytes(content)
                    print(f"{kind}: {why}")
                if time.perf_counter() > until:
                    break
    print(f"{'format':<14}{'tries':>9}{'read':>9}{'refused':>9}{'failed':>9}")
    for kind, found in totals.items():
        print(f"{kind:<14}{found.total():>9}" + "".join(f"{found[what]:>9}" for what in ("read", "refused", "failed")))
    raise SystemExit(any(found["failed"] for found in totals.values()))


if __name__ == "__main__":
    main()
