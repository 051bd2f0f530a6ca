"""The settings of ARACNe, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from pysces._check import flag, no_effect, one_of, share, some, warn, whole_number
from pysces._infer.estimator import GaussianCopula, Partition
from pysces._infer.subnetworks import SUBSAMPLE, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pysces._infer.consensus import Consensus
    from pysces._infer.partition import Convention, Ties
    from pysces._infer.pruning import Pruning
    from pysces._infer.significance import Correction

ALPHA, MIN_TARGETS, MAX_SUBNETWORKS = 0.05, 30, 200
"""Defaults."""
MIN_CELLS = 10
"""Fewer cells give no network."""


def checked_settings(
    *,
    estimator: Literal["gcmi", "apmi"],
    convention: Convention,
    ties: Ties,
    n_subnetworks: int | Literal["auto"],
    min_targets: int,
    max_subnetworks: int,
    subsample: float,
    replace: bool,
    alpha: float,
    correction: Correction,
    dpi: Pruning,
    dpi_tolerance: float,
    consensus: Consensus,
) -> Settings:
    """The arguments of :class:`pysces.ARACNe` as settings; it raises for those that are not valid or exclude others."""
    partition = Partition(
        one_of(convention, ("aracne3", "aracne-ap"), "convention"), one_of(ties, ("block", "random"), "ties")
    )
    auto = isinstance(n_subnetworks, str) and n_subnetworks == "auto"
    if isinstance(n_subnetworks, str) and not auto:
        msg = f"n_subnetworks is {n_subnetworks!r}; give a whole number, at least 0, or 'auto'."
        raise ValueError(msg)
    least_targets = whole_number(min_targets, "min_targets", least=1)
    most = whole_number(max_subnetworks, "max_subnetworks", least=1)
    settings = Settings(
        estimator=partition if one_of(estimator, ("gcmi", "apmi"), "estimator") == "apmi" else GaussianCopula(),
        n_subnetworks=most if auto else whole_number(n_subnetworks, "n_subnetworks", least=0),
        min_targets=least_targets if auto else 0,
        subsample=_sample_size(subsample),
        replace=flag(replace, "replace"),
        alpha=share(alpha, "alpha"),
        correction=one_of(correction, ("fdr", "fwer", "p", None), "correction"),
        dpi=one_of(dpi, ("all", "target", None), "dpi"),
        dpi_tolerance=share(dpi_tolerance, "dpi_tolerance", zero=True),
        consensus=one_of(consensus, ("data", "poisson", "binomial"), "consensus"),
    )
    if estimator != "apmi":
        of_apmi = {"convention": (convention, "aracne3"), "ties": (ties, "block")}
        no_effect(of_apmi, f"estimator={estimator!r}", "leave it out, or choose estimator='apmi'")
    if not auto:
        of_auto = {"min_targets": (min_targets, MIN_TARGETS), "max_subnetworks": (max_subnetworks, MAX_SUBNETWORKS)}
        no_effect(of_auto, f"n_subnetworks={n_subnetworks!r}", "leave it out, or give n_subnetworks='auto'")
    if dpi is None:
        no_effect({"dpi_tolerance": (dpi_tolerance, 0)}, "dpi=None", "leave it out, or choose 'all' or 'target'")
    if correction is None:
        no_effect({"alpha": (alpha, ALPHA)}, "correction=None", "leave it out, or choose 'fdr', 'fwer' or 'p'")
    if replace or settings.n_subnetworks == 0:
        no_effect({"subsample": (subsample, SUBSAMPLE)}, "replace=True" if replace else "n_subnetworks=0")
    if settings.n_subnetworks == 0 and (consensus != "data" or replace):
        given = "replace=True" if replace else f"consensus={consensus!r}"
        msg = f"{given} needs subnetworks, but n_subnetworks is 0; give a number of them."
        raise ValueError(msg)
    if consensus == "binomial" and correction is None:
        msg = "consensus='binomial' needs a correction, which tells how many edges are false: 'fdr', 'fwer' or 'p'."
        raise ValueError(msg)
    if replace:
        warn(
            "replace=True draws copies of cells, which look like dependence: subnetworks hold many false edges, "
            "and support and what follows from it are too high. It is there to compare with ARACNe-AP; leave it "
            "out for results."
        )
    return settings


def _sample_size(subsample: float) -> float | int:
    """A share of the cells, or a number of them."""
    if isinstance(subsample, int | np.integer) and not isinstance(subsample, bool) and subsample != 1:
        return whole_number(subsample, "subsample", least=MIN_CELLS)
    return share(subsample, "subsample", one=True)


def chosen_numbers(
    subnetworks: Sequence[int] | None, checkpoint: str | Path | None, n_subnetworks: int
) -> list[int] | None:
    """Which subnetworks to infer and keep, None for the whole network."""
    if subnetworks is None:
        return None
    if checkpoint is None:
        msg = "subnetworks are given without checkpoint, the folder to keep them in; give both."
        raise ValueError(msg)
    if not isinstance(subnetworks, Sequence | np.ndarray) or isinstance(subnetworks, str):
        msg = f"subnetworks is {subnetworks!r}; give numbers of subnetworks, such as range(5) or [3, 4]."
        raise TypeError(msg)
    numbers = [whole_number(i, "a number in subnetworks", least=0) for i in subnetworks]
    if not numbers or max(numbers) >= n_subnetworks:
        valid = f"numbers from 0 to {n_subnetworks - 1}" if n_subnetworks else "none, as n_subnetworks is 0"
        msg = f"subnetworks are {some(numbers) or 'none'}; give {valid}."
        raise ValueError(msg)
    return sorted(set(numbers))
