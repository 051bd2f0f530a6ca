"""Options of VIPER, checked alone and together."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pysces._check import flag, one_of, some, whole_number
from pysces._enrich.pleiotropy import Pleiotropy
from pysces._enrich.signatures import FROM_COLUMNS, FROM_MOMENTS, FROM_RANKS
from pysces._names import question

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

LEAST_NULL = 10
"""Fewer null signatures say nothing."""

type GeneWeights = Mapping[str, float] | pd.Series[float]


class Options(NamedTuple):
    """See :class:`pysces.VIPER`."""

    signature: str
    enrichment: str
    zeros: str
    filter_genes: bool
    min_targets: int
    adaptive_size: bool
    gene_weights: dict[str, float] | None
    normalised: bool
    pleiotropy: Pleiotropy | None
    n_bootstraps: int
    n_null: int
    has_reference: bool

    @property
    def alone(self) -> list[str]:
        """Options given of which any excludes all others, and null signatures."""
        of_area = {
            "normalised=False": not self.normalised,
            "pleiotropy": self.pleiotropy is not None,
            "n_bootstraps": self.n_bootstraps > 0,
            "n_null": self.n_null > 0,
        }
        return [name for name, is_given in of_area.items() if is_given]

    @property
    def allow_missing(self) -> bool:
        """Whether NaN in X is a missing value."""
        return self.signature == "none" and self.enrichment == "area" and self.pleiotropy is None


def checked_options(
    *,
    signature: str,
    enrichment: str,
    zeros: str,
    filter_genes: bool,
    min_targets: int,
    adaptive_size: bool,
    gene_weights: GeneWeights | None,
    normalised: bool,
    pleiotropy: bool | Pleiotropy,
    n_bootstraps: int,
    n_null: int,
    has_reference: bool,
) -> Options:
    """Options that have a meaning, alone and together."""
    options = Options(
        one_of(signature, (*FROM_MOMENTS, *FROM_COLUMNS, *FROM_RANKS), "signature"),
        one_of(enrichment, ("area", "narnea"), "enrichment"),
        one_of(zeros, ("average", "random"), "zeros"),
        flag(filter_genes, "filter_genes"),
        whole_number(min_targets, "min_targets", least=1),
        flag(adaptive_size, "adaptive_size"),
        _checked_weights(gene_weights),
        flag(normalised, "normalised"),
        _checked_pleiotropy(pleiotropy),
        whole_number(n_bootstraps, "n_bootstraps", least=0),
        whole_number(n_null, "n_null", least=0),
        has_reference,
    )
    problem = _contradiction(options)
    if problem:
        raise ValueError(problem)
    return options


def _contradiction(options: Options) -> str | None:  # noqa: PLR0911
    """What does not go together, and what to do."""
    given = options.alone
    if options.has_reference and options.signature == "none":
        return "reference has no meaning with signature='none'; choose another signature or leave it out."
    if given and options.enrichment == "narnea":
        return f"{given[0]} has no meaning with enrichment='narnea'; leave it out or choose 'area'."
    if options.zeros == "random" and options.enrichment == "area":
        return "zeros='random' has no meaning with enrichment='area'; leave it out or choose 'narnea'."
    if len(given) > 1:
        return f"{' and '.join(given)} exclude each other; choose one."
    if options.n_bootstraps and (options.signature != "scale" or options.n_bootstraps == 1):
        found = f"n_bootstraps={options.n_bootstraps} with signature={options.signature!r}"
        return f"{found}; give at least 2, with signature='scale'."
    if options.n_null and (options.signature not in {"scale", "mean", "ttest"} or not options.has_reference):
        found = f"signature={options.signature!r} and {'a' if options.has_reference else 'no'} reference"
        return f"n_null needs reference cells (reference=) and signature='scale', 'mean' or 'ttest'; found {found}."
    if 0 < options.n_null < LEAST_NULL:
        return f"n_null is {options.n_null}; give at least {LEAST_NULL} null signatures."
    return None


def _checked_weights(weights: GeneWeights | None) -> dict[str, float] | None:
    if weights is None:
        return None
    if not hasattr(weights, "items"):
        msg = f"gene_weights is {type(weights).__name__}; give a dict or a Series of weights by gene name."
        raise TypeError(msg)
    wrong = [item for item in weights.items() if not (isinstance(item[1], Real) and 0 < float(item[1]) < np.inf)]
    if wrong:
        msg = f"gene_weights must be above 0 and finite numbers; {len(wrong)} are not, such as {some(wrong)}."
        raise ValueError(msg)
    return {str(name): float(weight) for name, weight in weights.items()}


def check_gene_weights(weights: Mapping[str, float] | None, genes: NDArray[np.object_]) -> None:
    """Raise if there are weights, but of no gene that there is."""
    if weights and not any(str(gene) in weights for gene in genes):
        msg = f"gene_weights names none of the {len(genes)} genes: {question(list(weights), genes, 'weights')}"
        raise ValueError(msg)


def _checked_pleiotropy(pleiotropy: object) -> Pleiotropy | None:
    if isinstance(pleiotropy, Pleiotropy):
        return pleiotropy.checked()
    if not isinstance(pleiotropy, bool | np.bool_):
        msg = f"pleiotropy is {pleiotropy!r}; give True, False or pysces.estimators.Pleiotropy(...)."
        raise ValueError(msg)
    return Pleiotropy() if pleiotropy else None
