"""Counts of cells in which known regulators drive known targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData

from pysces import _slots
from pysces._check import whole_number
from pysces._random import seed_sequence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pysces._random import Seed

EXPLAINED = 0.6
"""Share of the variance of a target that its regulators explain."""
BETWEEN = 0.5
"""Share of the variance of a regulator that lies between cell types."""
SHIFT = 1.0
"""Of the activity of a perturbed regulator, in standard deviations."""
REGULATORS_PER_GENE = 1.5
REGULATED_REGULATORS = 0.2
LEVEL_SPREAD, DEPTH_SPREAD, SIZE_SPREAD = 1.5, 0.5, 0.5
"""Standard deviations of the logs of the levels of genes, the depths of cells and the sizes of regulons."""
BLOCK = 1000


def simulated(
    n_cells: int = 1000,
    *,
    n_genes: int = 1000,
    n_regulators: int = 30,
    n_types: int = 1,
    n_perturbed: int = 0,
    depth: float = 2000.0,
    rng: Seed = 0,
) -> AnnData:
    r"""Simulate counts of cells from a network that is known, in two conditions.

    Each regulator has targets, 1.5 regulators for a gene on average, a third of them repressed; a fifth of the
    regulators may be targets of earlier ones. The activity :math:`a_{cr}` of a regulator and the expression
    :math:`v_{cg}` of a gene in cell :math:`c` are

    .. math::
        v_{cg} = \sqrt{0.6} \sum_r w_{rg} a_{cr} + \sqrt{0.4}\, e_{cg}, \quad
        a_{cr} = v_{cr} + s_r [c \text{ is treated}], \quad
        x_{cg} \sim \text{Poisson}\left(d_c\, \frac{e^{l_g + v_{cg}}}{\sum_h e^{l_h + v_{ch}}}\right),

    with weights :math:`w` of a norm of 1 over the regulators of a gene, :math:`e` standard normal, and log-normal
    levels :math:`e^{l_g}` (standard deviation of the log 1.5) and depths :math:`d_c` (0.5, median ``depth``). A gene
    without regulators has :math:`v = e`; of a regulator without regulators, half of the variance lies between types if
    there are several. The shift :math:`s_r` of a perturbed regulator is 1 or -1, and 0 for all others: it changes the
    activity, not the regulator's own mRNA, as a drug, ligand or modification of the protein does.

    It is no tissue: effects add up and are monotone, no regulator drives itself or, in a circle, its own regulators,
    activity differs from mRNA by the shift alone, and counts have no other noise than sampling. What fails here fails
    in real cells; what works here need not work there.

    Parameters
    ----------
    n_cells
        Number of cells, each of a random type; half of them, at random, are treated.
    n_genes
        Number of genes, regulators among them: ``R0``, ``R1``, ..., then ``G0``, ``G1``, ...
    n_regulators
        Number of regulators, fewer than genes.
    n_types
        Number of cell types.
    n_perturbed
        Number of regulators whose activity is shifted in treated cells. 0: conditions do not differ.
    depth
        Median over cells of the expected sum of counts.
    rng
        Seed. The same seed gives the same bytes.

    Returns
    -------
    AnnData, cells x genes.

    ``X``
        Counts, float32 CSR.
    ``obs``
        Categoricals ``cell_type`` (``"type0"``, ...) and ``condition`` (``"control"`` or ``"treated"``).
    ``var``
        ``regulator``: whether the gene is one, for ``ps.tl.aracne(adata, "regulator")``; ``shift``: :math:`s`.
    ``uns["truth"]``
        The network, a table that ``ps.tl.viper`` takes: categoricals ``source`` and ``target``, float64 ``weight``,
        :math:`w`.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> import pysces as ps, scanpy as sc
    >>> adata = ps.datasets.simulated(n_cells=200, n_perturbed=2)
    >>> sc.pp.normalize_total(adata)
    >>> sc.pp.log1p(adata)
    >>> ps.tl.viper(adata, adata.uns["truth"], reference="all")
    >>> list(adata.var_names[adata.var["shift"] != 0])
    ['R14', 'R17']
    """
    whole_number(n_cells, "n_cells", least=1)
    whole_number(n_types, "n_types", least=1)
    if whole_number(n_genes, "n_genes", least=2) <= whole_number(n_regulators, "n_regulators", least=1):
        msg = f"n_regulators is {n_regulators} of n_genes={n_genes}; give fewer, so that there are targets."
        raise ValueError(msg)
    if whole_number(n_perturbed, "n_perturbed", least=0) > n_regulators:
        msg = f"n_perturbed is {n_perturbed}, more than n_regulators={n_regulators}; give at most so many."
        raise ValueError(msg)
    if not isinstance(depth, int | float | np.number) or not 0 < depth < np.inf:
        msg = f"depth is {depth!r}; give a number of counts above 0."
        raise ValueError(msg)
    draw = np.random.default_rng(seed_sequence(rng))
    weight = _network(n_regulators, n_genes, draw)
    shift = np.zeros(n_genes)
    shift[np.sort(draw.choice(n_regulators, n_perturbed, replace=False))] = SHIFT * (-1.0) ** np.arange(n_perturbed)
    cell_type, treated = draw.integers(n_types, size=n_cells), draw.permutation(n_cells) < n_cells // 2
    own, activity = _regulators(weight, cell_type, n_types, np.outer(treated, shift[:n_regulators]), draw)
    level = draw.normal(0, LEVEL_SPREAD, n_genes)
    depths = depth * np.exp(draw.normal(0, DEPTH_SPREAD, n_cells))
    blocks = [slice(start, start + BLOCK) for start in range(0, n_cells, BLOCK)]
    counts = [_counts(own[rows], activity[rows], weight, level, depths[rows], draw) for rows in blocks]

    names = pd.Index([f"R{i}" for i in range(n_regulators)] + [f"G{i}" for i in range(n_genes - n_regulators)])
    types = pd.Categorical.from_codes(cell_type, categories=pd.Index([f"type{i}" for i in range(n_types)]))
    condition = pd.Categorical.from_codes(treated.astype(np.int8), categories=pd.Index(["control", "treated"]))
    return AnnData(
        sp.csr_matrix(sp.vstack(counts, format="csr")),
        obs=pd.DataFrame({"cell_type": types, "condition": condition}, index=[f"cell{i}" for i in range(n_cells)]),
        var=pd.DataFrame({_slots.REGULATOR: np.arange(n_genes) < n_regulators, "shift": shift}, index=names),
        uns={"truth": _edges(weight, names)},
    )


def _network(n_regulators: int, n_genes: int, draw: np.random.Generator) -> sp.csc_array:
    """Weights, regulators x genes; edges among regulators lead to later ones."""
    weight = np.zeros((n_regulators, n_genes))
    is_target = (np.arange(n_genes) >= n_regulators) | (draw.random(n_genes) < REGULATED_REGULATORS)
    size = draw.lognormal(0, SIZE_SPREAD, n_regulators)
    for regulator, n_targets in enumerate(np.ceil(REGULATORS_PER_GENE * n_genes * size / size.sum()).astype(int)):
        candidates = regulator + 1 + np.flatnonzero(is_target[regulator + 1 :])
        chosen = draw.choice(candidates, min(n_targets, len(candidates)), replace=False)
        weight[regulator, chosen] = draw.choice([1, 1, -1], len(chosen)) * draw.uniform(0.5, 1.5, len(chosen))
    return sp.csc_array(weight / np.maximum(np.sqrt((weight**2).sum(axis=0)), 1e-12))


def _regulators(
    weight: sp.csc_array,
    cell_type: NDArray[np.intp],
    n_types: int,
    shift: NDArray[np.float64],
    draw: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expression and activity of the regulators, cells x regulators."""
    own, regulated = draw.normal(size=shift.shape), np.diff(weight.indptr) > 0
    activity = np.zeros_like(own)
    between = BETWEEN if n_types > 1 else 0.0
    for r in range(own.shape[1]):
        explained, driven = between, draw.normal(size=n_types)[cell_type]
        if regulated[r]:
            explained, driven = EXPLAINED, (activity @ weight[:, [r]])[:, 0]
        own[:, r] = np.sqrt(explained) * driven + np.sqrt(1 - explained) * own[:, r]
        activity[:, r] = own[:, r] + shift[:, r]
    return own, activity


def _counts(
    own: NDArray[np.float64],
    activity: NDArray[np.float64],
    weight: sp.csc_array,
    level: NDArray[np.float64],
    depth: NDArray[np.float64],
    draw: np.random.Generator,
) -> sp.csr_matrix:
    """Counts of some cells."""
    noise = np.where(np.diff(weight.indptr) > 0, 1 - EXPLAINED, 1.0)
    value = np.sqrt(EXPLAINED) * (activity @ weight) + np.sqrt(noise) * draw.normal(size=(len(own), len(level)))
    value[:, : own.shape[1]] = own
    rate = np.exp(level + value)
    rate *= (depth / rate.sum(axis=1))[:, None]
    return sp.csr_matrix(draw.poisson(rate).astype(np.float32))


def _edges(weight: sp.csc_array, names: pd.Index[str]) -> pd.DataFrame:
    edges = weight.tocsr().tocoo()
    source = pd.Categorical.from_codes(edges.row, categories=names[: weight.shape[0]])
    target = pd.Categorical.from_codes(edges.col, categories=names).remove_unused_categories()
    return pd.DataFrame({"source": source, "target": target, "weight": edges.data})
