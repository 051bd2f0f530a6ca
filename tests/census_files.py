"""A small census in a folder, in the shape of schema 2 of the CELLxGENE Census, and the tables it was made of.

Rows written in two parts lie in the files in another order than their numbers, as they may in a census.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import scipy.sparse as sp

if TYPE_CHECKING:
    from pathlib import Path

    from tiledbsoma import Collection

FREE_ORDER = {"tiledb": {"create": {"allows_duplicates": True}}}
SYMBOLS = ["SPI1", "PAX5", "TBCE", "MS4A1", "TBCE"]


class Tables(NamedTuple):
    """Of the human cells: counts; obs and var by soma_joinid; data sets x genes, 1 if measured."""

    counts: np.ndarray
    obs: pd.DataFrame
    var: pd.DataFrame
    presence: pd.DataFrame


def human(n_cells: int = 400, n_genes: int = 40, seed: int = 0) -> Tables:
    """Cells of three data sets, with two programs of genes; the third holds copies, and lacks every third gene."""
    rng = np.random.default_rng(seed)
    datasets, types = ["a-1", "b-2", "c-3"], ["B cell", "T cell, CD4+/CD25", "classical monocyte"]
    obs = pd.DataFrame(
        {
            "dataset_id": pd.Categorical(rng.choice(datasets, n_cells), categories=datasets),
            "cell_type": pd.Categorical(rng.choice(types, n_cells), categories=[*types[::-1], "never seen"]),
            "tissue_general": pd.Categorical(rng.choice(["blood", "lung"], n_cells)),
            "disease": pd.Categorical(["normal"] * n_cells),
            "donor_id": pd.Categorical(rng.choice(["d1", "d2"], n_cells)),
        },
        index=pd.RangeIndex(n_cells, name="soma_joinid"),
    )
    obs["is_primary_data"] = obs["dataset_id"] != "c-3"
    presence = pd.DataFrame(1, index=[*datasets, "of the mouse"], columns=range(n_genes))
    presence.loc["c-3", ::3] = 0
    presence.loc["of the mouse"] = 0
    programs = rng.gamma(2, 1, (n_cells, 2))
    mean = programs[:, np.arange(n_genes) % 2] * (1 + rng.gamma(2, 1, n_genes))
    counts = rng.poisson(mean) * presence.loc[obs["dataset_id"]].to_numpy()
    obs["raw_sum"] = counts.sum(axis=1).astype(np.float32)
    var = pd.DataFrame(
        {
            "feature_id": [f"ENSG{gene:011d}" for gene in range(n_genes)],
            "feature_name": SYMBOLS + [f"GENE{gene}" for gene in range(len(SYMBOLS), n_genes)],
            "feature_type": ["protein_coding" if gene % 4 else "lncRNA" for gene in range(n_genes)],
        },
        index=pd.RangeIndex(n_genes, name="soma_joinid"),
    )
    return Tables(counts.astype(np.float32), obs, var, presence)


def write(folder: Path, tables: Tables, parts: int = 2) -> Path:
    """Write a census whose only organism is human."""
    from tiledbsoma import Collection, Experiment, Measurement  # not there where other tests run

    with Collection.create(str(folder)) as census:
        datasets = pd.DataFrame({"dataset_id": tables.presence.index})
        _frame(census.add_new_collection("census_info"), "datasets", datasets.rename_axis("soma_joinid"), parts)
        experiment = census.add_new_collection("census_data").add_new_collection("homo_sapiens", Experiment)
        _frame(experiment, "obs", tables.obs, parts)
        rna = experiment.add_new_collection("ms").add_new_collection("RNA", Measurement)
        _frame(rna, "var", tables.var, parts)
        _matrix(rna.add_new_collection("X"), "raw", tables.counts)
        _matrix(rna, "feature_dataset_presence_matrix", tables.presence.to_numpy(np.uint8))
    return folder


def _frame(parent: Collection, key: str, frame: pd.DataFrame, parts: int) -> None:
    from tiledbsoma import DataFrame

    table = pa.Table.from_pandas(frame.reset_index(), preserve_index=False)
    uri = parent.add_new_dataframe(
        key, schema=table.schema, index_column_names=["soma_joinid"], domain=[(0, len(frame) - 1)],
        platform_config=FREE_ORDER,
    ).uri  # fmt: skip
    for part in reversed(range(parts)):
        with DataFrame.open(uri, "w") as rows:
            rows.write(table.take([*range(part, len(frame), parts)]))


def _matrix(parent: Collection, key: str, dense: np.ndarray) -> None:
    x = sp.coo_array(dense)
    array = parent.add_new_sparse_ndarray(key, type=pa.from_numpy_dtype(x.dtype), shape=x.shape)
    array.write(
        pa.SparseCOOTensor.from_numpy(x.data[:, None], np.column_stack(x.coords).astype(np.int64), shape=x.shape)
    )
