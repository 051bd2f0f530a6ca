"""Genes as arguments of functions of AnnData: names, a mask, a column of var, the name of a list or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from pysces._check import some, warn
from pysces._frame import column
from pysces._names import question, too_few
from pysces.datasets import regulators as known_regulators
from pysces.estimators import gene_positions, named_genes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

KNOWN: dict[str, Literal["human", "mouse"]] = {"human_tfs": "human", "mouse_tfs": "mouse"}


class Genes(NamedTuple):
    """Ascending positions of genes, and the names given that are not among the genes."""

    positions: NDArray[np.intp]
    absent: list[str]


def find_genes(given: str | Path | ArrayLike, genes: NDArray[np.object_], var: Any, argument: str) -> Genes:
    """Genes that ``given`` stands for, of those that ``var`` describes.

    Names that are absent are warned of, but those of a list or file, which are of a whole organism, only if next to
    none are among the genes.
    """
    if isinstance(given, str) and given in var.columns:
        mask = column(var, given).to_numpy()
        if mask.dtype != np.bool_:
            msg = f"{argument}={given!r} names a column of adata.var that holds {mask.dtype}, not booleans."
            raise TypeError(msg)
        return Genes(gene_positions(mask, genes, argument), [])
    if isinstance(given, str | Path):
        wanted, name = _listed(given, argument)
        present = np.isin(genes, wanted)
        n_found, distinct = int(present.sum()), set(wanted)
        if too_few(n_found, len(distinct), len(genes)) or not n_found:
            found = f"{n_found or 'none'} of the {len(distinct)} {name} {'is' if n_found < 2 else 'are'} among the"
            msg = f"{found} {len(genes)} genes. {question(wanted, genes, argument)}"
            if not n_found:
                raise ValueError(msg)
            warn(msg)
        return Genes(np.flatnonzero(present), sorted(distinct.difference(genes[present])))
    positions, absent = named_genes(given, genes, argument)
    return Genes(positions, absent.tolist())


def _listed(given: str | Path, argument: str) -> tuple[list[str], str]:
    """The names in a list, and what a message calls them."""
    if str(given) in KNOWN:
        return known_regulators(KNOWN[str(given)]), str(given)
    path = Path(given).expanduser()
    if not path.is_file():
        msg = (
            f"{argument}={str(given)!r} is neither a boolean column of adata.var, nor one of {some(KNOWN)}, nor a "
            "file; give a list of gene names."
        )
        raise ValueError(msg)
    names = [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    if not names:
        msg = f"{argument}={str(given)!r} is a file without names; give one with a gene name on every line."
        raise ValueError(msg)
    return names, f"names in {str(given)!r}"
