"""Lists of regulators that the package ships; ``SOURCES.md`` beside the lists tells how they were made."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pysces._check import one_of


def regulators(organism: Literal["human", "mouse"], *, kind: Literal["tf"] = "tf") -> list[str]:
    """Gene symbols of transcription factors.

    Human: protein-coding genes annotated with GO:0003700 (DNA-binding transcription factor activity) or a term below it
    by evidence other than electronic (Gene Ontology release 2022-07-01, CC BY 4.0), under their approved HGNC symbols.
    Mouse: the orthologs of these in HCOP. Cofactors, such as EP300, are not in.

    Parameters
    ----------
    organism
        ``"human"`` (1,392 symbols) or ``"mouse"`` (1,039).
    kind
        ``"tf"``, transcription factors.

    Returns
    -------
    Symbols in alphabetical order.

    Raises
    ------
    ValueError
        If the organism or kind is another.

    Examples
    --------
    >>> import pysces as ps
    >>> human = ps.datasets.regulators("human")
    >>> len(human), "SPI1" in human
    (1392, True)
    """
    one_of(organism, ("human", "mouse"), "organism")
    one_of(kind, ("tf",), "kind")
    return (Path(__file__).parent / f"{organism}_{kind}.txt").read_text("utf-8").split()
