"""Calls of everything that runs kernels, with options that choose others; run by a test in a process of its own."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from numba.core.registry import CPUDispatcher

import pysces as ps

N_CELLS, N_GENES = 100, 30
GENES = [str(i) for i in range(N_GENES)]
REGULATORS = ["0", "1", "16", "20"]
OF_ARACNE: list[dict[str, Any]] = [
    {"groupby": "group", "key_added": "grouped"},
    {"correction": None, "subsample": 20},
    {"n_subnetworks": 0, "depth": None, "targets": ["1"]},
    {"n_subnetworks": "auto", "min_targets": 1, "max_subnetworks": 3},
    {"replace": True, "consensus": "poisson"},
    {"estimator": "apmi"},
    {"estimator": "apmi", "ties": "random", "dpi_tolerance": 0.1, "correction": None},
    {"estimator": "apmi", "convention": "aracne-ap", "dpi": "target", "consensus": "binomial"},
    {"estimator": "apmi", "convention": "aracne-ap", "ties": "random", "dpi": None},
]
OF_VIPER: list[dict[str, Any]] = [
    *({"signature": name} for name in ("mean", "rank", "doublerank", "ttest", "none")),
    {"signature": "mad", "min_targets": 1},
    *({"signature": name, "enrichment": "narnea"} for name in ("scale", "rank")),
    {"enrichment": "narnea", "zeros": "random"},
    {"groupby": "group"},
    {"filter_genes": False, "adaptive_size": True, "gene_weights": {"0": 2.0}},
    {"pleiotropy": True},
    {"n_bootstraps": 3},
    {"normalised": False},
    {"reference": np.arange(N_CELLS) < N_CELLS // 2, "n_null": 10},
    {"n_threads": 2},
]


def counts() -> np.ndarray:
    """Counts of genes, of which most are found in few cells."""
    x = np.random.default_rng(1).poisson(np.repeat([0.5, 0.03], N_GENES // 2), (N_CELLS, N_GENES))
    x[:, 1] += x[:, 0]
    return x + np.eye(N_CELLS, N_GENES, dtype=int)


def cells(x: Any) -> AnnData:
    """Two groups of cells."""
    labels = pd.Categorical(np.tile(["x", "y"], N_CELLS // 2))
    obs = pd.DataFrame({"group": labels}, index=[str(i) for i in range(N_CELLS)])
    return AnnData(x, obs=obs, var=pd.DataFrame(index=GENES))


def every_network() -> None:
    """Networks, of single logarithms in rows, and what is made of them."""
    adata = cells(sp.csr_matrix(np.log1p(counts()), dtype=np.float32))
    for options in OF_ARACNE:
        level = {"alpha": 0.9} if options.get("correction", "fdr") else {}
        ps.tl.aracne(adata, REGULATORS, **{"n_subnetworks": 2} | level | options)
    ps.tl.compare_networks(adata, "x", "y", key="grouped", min_targets=1, n_permutations=10)
    ps.ARACNe().score(counts(), [0, 16], depth=counts().sum(axis=1))
    ps.ARACNe(estimator="apmi").mutual_information(sp.csc_array(counts()), [0, 16])
    ps.pl.mi(adata, "0", "1")
    ps.pl.null(adata, n_pairs=10)


def every_activity() -> None:
    """Activities, of counts, and what is made of them."""
    adata = cells(counts())
    network = pd.DataFrame({"source": np.repeat(REGULATORS, 15), "target": np.resize(GENES, 60), "mi": 0.1})
    network["weight"] = np.resize([1.0, -0.5, 0.3], len(network))
    ps.pp.regulons(adata, network.drop(columns="weight"))
    for options in (*OF_VIPER, {}):
        ps.tl.viper(adata, network, **{"min_targets": 2} | options)
    ps.VIPER(network, min_targets=2).fit(sp.csr_array(counts(), dtype=float), GENES).transform(counts())
    ps.get.pvalues(adata)
    for options in ({"n_permutations": 10, "shadow": 0.9, "combinations": 0.9}, {"n_bootstraps": 10}):
        ps.tl.msviper(adata, "group", "x", network=network, min_targets=2, **options)
    for method in ("wilcoxon", "t-test"):
        ps.tl.rank_regulators(adata, "group", method=method)
    ps.tl.similarity(adata)
    ps.tl.regulator_conservation(adata, adata, n_top=2)
    ps.tl.pathways(adata, {"some": REGULATORS[:3], "others": REGULATORS[1:]}, min_targets=2)


def signatures() -> set[tuple[str, str]]:
    """Kernels of the package, with the types that each is compiled for in this process."""
    modules = [(name, module) for name, module in list(sys.modules.items()) if name.startswith("pysces.")]
    return {
        (f"{name.rpartition('.')[2]}.{kernel.__name__.partition('-')[0]}", str(types))
        for name, module in modules
        if name.endswith("_kernels")
        for kernel in vars(module).values()
        if isinstance(kernel, CPUDispatcher)
        for types in kernel.signatures
    }
