"""Data that come along."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import pysces as ps


def test_pbmc68k_is_log_normalised_csr_with_labels_and_embeddings() -> None:
    adata = ps.datasets.pbmc68k()
    assert sp.issparse(adata.X)
    assert adata.X.format == "csr"
    assert adata.shape == (700, 765)
    assert adata.X.data.min() > 0
    # within a cell, expm1 of log-normalised counts are multiples of the smallest, here of values rounded to 3 digits
    counts = np.expm1(adata.X[0].data.astype(float))
    multiples = (counts / counts.min())[counts < 6 * counts.min()]
    assert np.allclose(multiples, np.round(multiples), atol=0.02)
    assert "CD4+/CD25 T Reg" in adata.obs["cell_type"].cat.categories
    assert {"X_pca", "X_umap"} <= set(adata.obsm)
    assert len(adata.uns["cell_type_colors"]) == 10


@pytest.mark.parametrize(
    ("organism", "size", "members", "strangers"),
    [
        ("human", 1392, ["SPI1", "PAX5", "EBF1", "CEBPA", "STAT1", "IRF9", "TP53"], ["EP300", "ACTB", "Spi1"]),
        ("mouse", 1039, ["Spi1", "Pax5", "Ebf1", "Trp53", "Pou5f1"], ["Actb", "SPI1"]),
    ],
)
def test_regulators_are_transcription_factors(organism, size, members, strangers) -> None:
    regulators = ps.datasets.regulators(organism)
    assert len(regulators) == len(set(regulators)) == size
    assert regulators == sorted(regulators)
    assert set(members) <= set(regulators)
    assert not set(strangers) & set(regulators)


def test_unknown_organism_or_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="organism is 'fly'; choose one of 'human', 'mouse'"):
        ps.datasets.regulators("fly")
    with pytest.raises(ValueError, match="kind is 'cofactor'"):
        ps.datasets.regulators("human", kind="cofactor")
