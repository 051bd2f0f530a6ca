"""Speed and memory of VIPER, against decoupler's viper and a straight numpy implementation in the same run.

    python examples/stages_viper.py [--long] [--json FILE]

decoupler gets a ready dense signature and a network without likelihoods, pysces the sparse cells: its time holds
matching the network to the genes and moments. Then options, growth with fitted exponents, and with ``--long`` the
large set (10,000 cells x 15,000 genes x 1,000 regulons), each in a process of its own for its peak memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.special import ndtri
from scipy.stats import rankdata

import pysces as ps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

TARGETS = 100
SMALL_CELLS = 2000
PLEIOTROPY_CELLS = 20
"""decoupler's correction is timed on so many cells, and the time multiplied."""


def main() -> None:
    """Print every stage as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs=2, metavar=("WHAT", "SIGNATURE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(one_large(*arguments.only)))
        return
    found: dict[str, float] = {}
    for part in (small, options, growth, *([large] if arguments.long else [])):
        for name, value, unit in part():
            found[name] = value
            print(f"{name:74s} {value:10.3f} {unit}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


def cells(n_cells: int, n_genes: int, density: float = 0.1, seed: int = 0) -> sp.csr_array[np.float32]:
    """log1p of counts per 10,000 of Poisson counts with genes of different means, in cells of different depth."""
    rng = np.random.default_rng(seed)
    mean, depth = np.exp(rng.normal(0, 1.5, n_genes)), rng.lognormal(0, 0.5, n_cells)
    some = np.outer(depth[:200], mean)
    low, high = 1e-6, 1e3
    for _ in range(50):
        scale = np.sqrt(low * high)
        low, high = (low, scale) if (1 - np.exp(-scale * some)).mean() > density else (scale, high)
    pieces = [
        sp.csr_array(rng.poisson(np.outer(depth[i : i + 500], mean * low)).astype(np.float32))
        for i in range(0, n_cells, 500)
    ]
    x = sp.csr_array(sp.vstack(pieces, format="csr"))
    x.data = np.log1p(x.data * np.repeat(1e4 / np.maximum(x.sum(axis=1), 1), np.diff(x.indptr))).astype(np.float32)
    return x


def network(n_genes: int, n_regulons: int, n_targets: int = TARGETS, seed: int = 0) -> pd.DataFrame:
    """Random regulons with modes in [-1, 1] and likelihoods in [0.1, 1]."""
    rng = np.random.default_rng(seed)
    target = np.concatenate([rng.choice(n_genes, n_targets, replace=False) for _ in range(n_regulons)])
    return pd.DataFrame(
        {
            "source": np.repeat([f"R{i}" for i in range(n_regulons)], n_targets),
            "target": np.array(names(n_genes))[target],
            "weight": rng.uniform(-1, 1, len(target)),
            "likelihood": rng.uniform(0.1, 1, len(target)),
        }
    )


def names(n_genes: int) -> list[str]:
    """Names of genes."""
    return [f"g{i}" for i in range(n_genes)]


def best(run: Callable[[], Any], repeats: int = 5) -> float:
    """Shortest time of some runs, in seconds."""
    seconds = []
    for _ in range(repeats):
        since = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - since)
    return min(seconds)


def viper(x: Any, net: pd.DataFrame, **settings: Any) -> NDArray[np.float64]:
    """NES by pysces, from nothing."""
    return ps.VIPER(net, **settings).fit(x, names(x.shape[1])).transform(x)


def dense_signature(x: sp.csr_array, signature: str) -> pd.DataFrame:
    """What decoupler is given: X, or its z-scores, 0 for constant genes."""
    values = x.toarray().astype(np.float64)
    if signature == "scale":
        sd = values.std(axis=0, ddof=1)
        values -= values.mean(axis=0)
        values /= np.where(sd > 0, sd, 1)
    return pd.DataFrame(values, columns=names(x.shape[1]))


def decoupler(signature: pd.DataFrame, net: pd.DataFrame, *, pleiotropy: bool = False) -> Any:
    """NES by decoupler, likelihoods of 1."""
    import decoupler as dc

    return dc.mt.viper(signature, net.drop(columns="likelihood"), tmin=5, pleiotropy=pleiotropy)[0]


def straight(signature: pd.DataFrame, net: pd.DataFrame) -> NDArray[np.float64]:
    """NES by dense ranks and dense products."""
    n_genes = signature.shape[1]
    place = {gene: i for i, gene in enumerate(signature.columns)}
    source, labels = pd.factorize(net["source"], sort=True)
    target = [place[gene] for gene in net["target"]]
    mode, likelihood = np.zeros((2, len(labels), n_genes))
    mode[source, target], likelihood[source, target] = net["weight"], net["likelihood"]
    q = rankdata(signature.to_numpy(), axis=1) / (n_genes + 1)
    distance = 2 * np.abs(q - 0.5)
    one_tail = ndtri(distance + (1 - distance.max(axis=1, keepdims=True)) / 2)
    shift, spread = ndtri(q) @ (mode * likelihood).T, one_tail @ ((1 - np.abs(mode)) * likelihood).T
    scores = (np.abs(shift) + np.maximum(spread, 0)) * np.where(shift >= 0, 1, -1) / likelihood.sum(axis=1)
    return scores * np.sqrt(((likelihood / likelihood.max(axis=1, keepdims=True)) ** 2).sum(axis=1))


def small() -> Iterator[tuple[str, float, str]]:
    """2,000 cells x 5,000 genes x 300 regulons, 10 % dense."""
    x, net = cells(SMALL_CELLS, 5000), network(5000, 300)
    for signature in ("none", "scale"):
        viper(x, net, signature=signature)
        ours = best(lambda s=signature: viper(x, net, signature=s))
        single = best(lambda s=signature: viper(x, net, signature=s, n_threads=1))
        given = dense_signature(x, signature)
        theirs, plain = best(lambda g=given: decoupler(g, net), 2), best(lambda g=given: straight(g, net), 2)
        yield f"{signature}, 2k x 5k x 300, pysces", ours, "s"
        yield f"{signature}, 2k x 5k x 300, pysces, one thread", single, "s"
        yield f"{signature}, 2k x 5k x 300, decoupler over pysces", theirs / ours, "x"
        yield f"{signature}, 2k x 5k x 300, numpy over pysces", plain / ours, "x"
        if signature == "none":
            difference = np.abs(viper(x, net, signature="none", filter_genes=False) - straight(given, net)).max()
            yield "none, largest difference to numpy", difference, ""


def options() -> Iterator[tuple[str, float, str]]:
    """Other signatures and options over the plain run; for pleiotropy, regulons that share targets."""
    x, net = cells(SMALL_CELLS, 5000), network(5000, 300)
    plain = best(lambda: viper(x, net))
    for name, settings in {
        "ttest": {"signature": "ttest"},
        "mad": {"signature": "mad"},
        "rank": {"signature": "rank"},
        "doublerank": {"signature": "doublerank"},
        "narnea": {"enrichment": "narnea"},
        "100 bootstraps": {"n_bootstraps": 100},
    }.items():
        viper(x[:50], net, **settings)
        seconds = best(lambda s=settings: viper(x, net, **s), 1 if "boot" in name else 3)
        yield f"{name}, 2k x 5k x 300, over the plain run", seconds / plain, "x"
    overlapping = network(1000, 300)
    viper(x[:50], overlapping, pleiotropy=True)
    plain, seconds = (
        best(lambda c=c: viper(x, overlapping, pleiotropy=c, filter_genes=False), 3) for c in (False, True)
    )
    yield "pleiotropy, 2k x 5k x 300, targets among 1000, over the plain run", seconds / plain, "x"
    some = dense_signature(x, "scale")[:PLEIOTROPY_CELLS]
    theirs = best(lambda: decoupler(some, overlapping, pleiotropy=True), 1) * (SMALL_CELLS / PLEIOTROPY_CELLS)
    name = f"pleiotropy, decoupler ({PLEIOTROPY_CELLS} cells, times {SMALL_CELLS // PLEIOTROPY_CELLS}) over pysces"
    yield name, theirs / seconds, "x"


def growth() -> Iterator[tuple[str, float, str]]:
    """Fitted exponents of the time of signature "scale"."""
    standard = {"n_cells": 2000, "n_genes": 4000, "density": 0.1, "n_regulons": 200, "n_targets": 50}
    for name, values in {
        "n_cells": (1000, 2000, 4000, 8000),
        "n_genes": (2000, 4000, 8000, 16000),
        "density": (0.02, 0.05, 0.1, 0.2),
        "n_regulons": (100, 200, 400, 800),
        "n_targets": (25, 50, 100, 200),
    }.items():
        seconds = []
        for value in values:
            size = standard | {name: value}
            x = cells(size["n_cells"], size["n_genes"], size["density"])
            net = network(size["n_genes"], size["n_regulons"], size["n_targets"])
            seconds.append(best(lambda x=x, net=net: viper(x, net, n_threads=1, filter_genes=False), 3))
        exponent = np.polyfit(np.log(values), np.log(seconds), 1)[0]
        yield f"growth with {name} {values[0]} to {values[-1]}: exponent", exponent, ""


def large() -> Iterator[tuple[str, float, str]]:
    """10,000 cells x 15,000 genes x 1,000 regulons, 10 % dense."""
    for signature in ("none", "scale"):
        ours, theirs = (
            json.loads(
                subprocess.run(
                    [sys.executable, __file__, "--only", what, signature], check=True, capture_output=True, text=True
                ).stdout.splitlines()[-1]
            )
            for what in ("pysces", "decoupler")
        )
        yield f"{signature}, 10k x 15k x 1000, pysces", ours["seconds"], "s"
        yield f"{signature}, 10k x 15k x 1000, pysces, peak memory over the input", ours["memory"], "GB"
        yield f"{signature}, 10k x 15k x 1000, decoupler over pysces", theirs["seconds"] / ours["seconds"], "x"
        yield f"{signature}, 10k x 15k x 1000, decoupler, peak memory over its input", theirs["memory"], "GB"


def one_large(what: str, signature: str) -> dict[str, float]:
    """Seconds and gigabytes of one program."""
    x, net = cells(10_000, 15_000), network(15_000, 1000)
    viper(x[:50], net, signature=signature)
    given = dense_signature(x, signature) if what == "decoupler" else None
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = resident("VmRSS")
    if given is None:
        seconds = best(lambda: viper(x, net, signature=signature), 2)
    else:
        seconds = best(lambda: decoupler(given, net), 1)
    return {"seconds": seconds, "memory": resident("VmHWM") - before}


def resident(what: str) -> float:
    """Gigabytes of this process, at present or at most (Linux)."""
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[what].split()[0]) / 2**20


if __name__ == "__main__":
    main()
