"""Preprocessing: metacells from cells (:func:`metacells`), genes, regulons from networks and their care.

:func:`regulators` marks regulators among the genes, :func:`translate_genes` names genes in another alphabet;
:func:`regulons` and :func:`mode_of_regulation` make regulons; :func:`prune_regulons`, :func:`normalise_likelihood`,
:func:`scale_weights` and :func:`merge_duplicates` change networks.
"""

from __future__ import annotations

from pysces.pp._gene_names import translate_genes
from pysces.pp._metacells import metacells
from pysces.pp._networks import merge_duplicates, normalise_likelihood, prune_regulons, scale_weights
from pysces.pp._regulators import regulators
from pysces.pp._regulons import mode_of_regulation, regulons

__all__ = [
    "merge_duplicates",
    "metacells",
    "mode_of_regulation",
    "normalise_likelihood",
    "prune_regulons",
    "regulators",
    "regulons",
    "scale_weights",
    "translate_genes",
]
