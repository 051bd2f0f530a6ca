"""Genes as arguments of functions of AnnData: names, a mask, a column of var, the name of a list or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np

from pysces._check import some
from pysces._frame import column
from pysces.datasets import regulators as known_regulators
from pysces.estimators import gene_positions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

KNOWN: dict[str, Literal["human", "mouse"]] = {"human_tfs": "human", "mouse_tfs": "mouse"}


class Genes(NamedTuple):
    """Ascending positions of genes, and the names given that are not among the genes."""

    positions: NDArray[np.intp]
    absent: list[str]


def find_genes(given: str | Path | ArrayLike, genes: NDArray[np.object_], var: Any, argument: str) -> Genes:
    """Genes that ``given`` stands for, of those that ``var`` describes.

    Names that are absent are warned of, but not those of a list or file: they are of a whole organism.
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
        if not present.any():
            msg = (
                f"none of the {len(wanted)} {name} is among the genes ({some(genes)}); do the names use the same "
                f"alphabet (symbols or Ensembl, human or mouse)? pysces.pp.translate_genes translates those of adata."
            )
            raise ValueError(msg)
        return Genes(np.flatnonzero(present), sorted(set(wanted).difference(genes[present])))
    positions = gene_positions(given, genes, argument)
    names = {name for name in cast("Any", given) if isinstance(name, str)}
    return Genes(positions, sorted(names.difference(genes[positions])))


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
