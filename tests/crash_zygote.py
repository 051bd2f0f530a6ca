"""A process that has everything imported and compiled, and forks runs of ARACNe to be killed.

It reads a run as a line of JSON, forks, and answers with the process id; ``{"wait": id}`` is answered with how it
ended. A run writes the hash of its network to the file ``out``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from pathlib import Path

from aracne_cases import REGULATORS, cells, digest, fit_digest

import pysces as ps

N_SUBNETWORKS, N_GROUPS = 6, 2


def network(checkpoint: str | None) -> str:
    """The hash of the networks of two groups."""
    settings = {"groupby": "cell_type", "n_subnetworks": N_SUBNETWORKS, "estimator": "apmi", "n_threads": 1}
    return digest(ps.get.network(ps.tl.aracne(cells(), REGULATORS, checkpoint=checkpoint, copy=True, **settings)))


def run(checkpoint: str | None, out: str) -> None:
    """A whole run."""
    Path(out).write_text(network(checkpoint))


def run_beside_threads(n_forks: int, out: str) -> None:
    """Forks while other threads compute; each child computes, too."""
    os.setpgid(0, 0)  # children that are stuck can be killed with it
    stop = threading.Event()
    expected = fit_digest()

    def compute() -> None:
        while not stop.is_set():
            fit_digest(n_threads=2)

    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    right = []
    for i in range(n_forks):
        pid = os.fork()
        if pid == 0:
            os._exit(fit_digest(n_threads=1 + i % 2) != expected)
        right.append(os.waitpid(pid, 0)[1] == 0)
    stop.set()
    for thread in threads:
        thread.join()
    Path(out).write_text(json.dumps(right))


RUNS = {"run": run, "beside threads": run_beside_threads}


def main() -> None:
    """Serve runs."""
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, which are what is tested
    network(None)
    fit_digest()
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            print(os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1]), flush=True)  # noqa: T201
            continue
        pid = os.fork()
        if pid == 0:
            RUNS[asked.pop("what")](**asked)
            os._exit(0)
        print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
