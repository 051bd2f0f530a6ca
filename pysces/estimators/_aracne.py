"""ARACNe on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pysces._check import one_of, share, whole_number
from pysces._infer.information import mutual_information
from pysces._infer.partition import first_splits
from pysces._infer.ranks import rank_genes
from pysces._infer.subnetworks import SUBSAMPLE, Settings, consensus
from pysces._matrix import columns, n_rows
from pysces._network import network_table
from pysces._parallel import resolve_threads
from pysces._random import kernel_seed, seed_sequence
from pysces.estimators._genes import gene_labels, gene_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from pysces._infer.partition import Convention, Ties
    from pysces._infer.pruning import Pruning
    from pysces._infer.significance import Correction
    from pysces._random import Seed

MIN_CELLS = 10
"""Fewer cells give no network."""


class ARACNe:
    r"""Gene regulatory network by mutual information, pruned by the data processing inequality.

    For every regulator and gene, the mutual information of their ranks is estimated by adaptive partitioning: the plane
    is cut into quadrants, and cut again where the counts of a cell's quadrants differ from what its margins predict
    (chi-square, 5 %). With :math:`k` of :math:`n` cells in a part of margins :math:`w_x` and :math:`w_y`,

    .. math:: I = \sum \frac{k}{n} \ln \frac{k / n}{w_x w_y} \quad \text{(nats)}.

    A p-value comes from permuted genes. In each of ``n_subnetworks`` random samples of the cells, significant pairs are
    edges, and the weakest edge of every triangle of two regulators and a common target is removed. The network holds
    the edges that a subnetwork holds and that are significant on all cells.

    Parameters
    ----------
    estimator
        ``"apmi"``, adaptive partitioning.
    convention
        Details of the partition, ``"aracne3"`` or ``"aracne-ap"``: how nodes are halved, how many points a cell needs
        to be tested (4 or 3) and which margins it has.
    ties
        ``"block"`` never splits equal values, such as the zeros of a sparse gene, which keeps sparse signal and needs
        no random numbers. ``"random"`` puts equal values in random order, as both programs do.
    n_subnetworks
        Number of random samples of the cells.
    subsample
        Share of the cells in each sample, drawn without replacement; by default 1 - 1/e.
    alpha
        Level of the correction.
    correction
        ``"fdr"`` (Benjamini-Hochberg), ``"fwer"`` (Bonferroni), ``"p"`` (none), over all pairs tested; ``None`` keeps
        every pair.
    dpi
        ``"all"`` removes the weakest of the three edges of a triangle, ``"target"`` only an edge from a regulator to
        the common target, ``None`` nothing.
    dpi_tolerance
        An edge goes only if it is below (1 - ``dpi_tolerance``) times both others.
    n_threads
        Number of threads; 0 for all that numba may use (``NUMBA_NUM_THREADS``). It never changes the result.
    rng
        Seed, :class:`numpy.random.SeedSequence` or :class:`numpy.random.Generator`. The same seed gives the same bytes.

    Attributes
    ----------
    network_ : pandas.DataFrame
        One row per edge: categoricals ``source``, ``target``; float64 ``weight`` (mode of regulation, here ``scc``),
        ``likelihood`` (``mi`` over the largest), ``mi`` (nats, all cells), ``scc`` (Spearman's, average ranks),
        int64 ``support`` (subnetworks that hold the edge), float64 ``log_pvalue`` and ``log_qvalue`` (natural logs).

    References
    ----------
    Margolin et al. 2006, doi:10.1186/1471-2105-7-S1-S7; Lachmann et al. 2016, doi:10.1093/bioinformatics/btw216;
    Griffin et al. 2023, doi:10.3390/e25030542.

    Examples
    --------
    >>> import numpy as np, pysces as ps
    >>> rng = np.random.default_rng(0)
    >>> X = rng.poisson(2.0, (300, 10))
    >>> X[:, 1] = X[:, 0] + rng.poisson(0.5, 300)
    >>> model = ps.ARACNe(n_subnetworks=5).fit(X, regulators=[0])
    >>> model.network_[["source", "target", "support"]]
      source target  support
    0      0      1        5
    """

    def __init__(
        self,
        *,
        estimator: str = "apmi",
        convention: Convention = "aracne3",
        ties: Ties = "block",
        n_subnetworks: int = 20,
        subsample: float = SUBSAMPLE,
        alpha: float = 0.05,
        correction: Correction = "fdr",
        dpi: Pruning = "all",
        dpi_tolerance: float = 0.0,
        n_threads: int = 0,
        rng: Seed = 0,
    ) -> None:
        self.estimator = one_of(estimator, ("apmi",), "estimator")
        self._settings = Settings(
            convention=one_of(convention, ("aracne3", "aracne-ap"), "convention"),
            ties=one_of(ties, ("block", "random"), "ties"),
            n_subnetworks=whole_number(n_subnetworks, "n_subnetworks", least=1),
            subsample=share(subsample, "subsample", one=True),
            alpha=share(alpha, "alpha"),
            correction=one_of(correction, ("fdr", "fwer", "p", None), "correction"),
            dpi=one_of(dpi, ("all", "target", None), "dpi"),
            dpi_tolerance=share(dpi_tolerance, "dpi_tolerance", zero=True),
        )
        self.n_threads = n_threads
        self._n_threads = resolve_threads(n_threads)
        self._seed = seed_sequence(rng)

    def fit(
        self,
        X: Any,
        regulators: ArrayLike,
        gene_names: Sequence[str] | NDArray[np.object_] | None = None,
        *,
        targets: ArrayLike | None = None,
        rows: NDArray[np.intp] | None = None,
        allow_negative: bool = True,
        on_subnetwork: Callable[[], object] = lambda: None,
    ) -> Self:
        """Infer the network of a matrix of cells x genes.

        Parameters
        ----------
        X
            Cells x genes: numpy, scipy CSR or CSC, backed or dask array of any real dtype, finite.
        regulators
            Names among ``gene_names``, or positions, or a boolean mask of genes.
        gene_names
            Names of the genes; by default their positions.
        targets
            Genes that may be targets, given like ``regulators``; by default all. Edges between regulators, and with
            them triangles to prune, are only found among regulators that may be targets.
        rows
            Cells to use, ascending; by default all.
        allow_negative
            Whether X may hold negative values; ranks are taken of them like of any other.
        on_subnetwork
            Called after every subnetwork.

        Returns
        -------
        The object itself, with ``network_`` set.

        Raises
        ------
        ValueError
            If X is not finite, has fewer than 10 cells, or if the regulators are not among the genes or all constant.
        TypeError
            If X is not a matrix of real numbers.
        """
        n_cells = n_rows(X)
        rows = np.arange(n_cells) if rows is None else rows
        if len(rows) < MIN_CELLS:
            msg = f"X has {len(rows)} cell{'s' * (len(rows) != 1)}; a network needs at least {MIN_CELLS}."
            raise ValueError(msg)
        names = gene_labels(gene_names, X.shape[1])
        chosen = gene_positions(regulators, names, "regulators")
        allowed = np.ones(len(names), np.bool_)
        if targets is not None:
            allowed[:] = False
            allowed[gene_positions(targets, names, "targets")] = True
        used = np.flatnonzero(allowed | np.isin(np.arange(len(names)), chosen))
        ranks = rank_genes(columns(X, rows, used, allow_negative=allow_negative), self._n_threads)
        if not first_splits(ranks)[0][np.searchsorted(used, chosen)].any():
            msg = f"every regulator ({len(chosen)}) is constant over the {len(rows)} cells; give others, or more cells."
            raise ValueError(msg)
        edges = consensus(
            ranks,
            np.searchsorted(used, chosen),
            allowed[used],
            self._settings,
            self._seed,
            self._n_threads,
            on_subnetwork,
        )
        self.network_ = network_table(
            names[used[edges.source]],
            names[used[edges.target]],
            {
                "mi": edges.mi,
                "scc": edges.scc,
                "support": edges.support,
                "log_pvalue": edges.log_p,
                "log_qvalue": edges.log_q,
            },
        )
        return self

    def mutual_information(self, X: Any, regulators: ArrayLike) -> NDArray[np.float64]:
        """Mutual information of regulators with all genes, on all cells of X.

        Parameters
        ----------
        X
            Cells x genes, as in :meth:`fit`.
        regulators
            Positions of genes, or a boolean mask.

        Returns
        -------
        float64 array (n_regulators, n_genes) in nats, NaN where a gene meets itself.

        Raises
        ------
        ValueError
            If X has no cells or is not finite, or if a regulator is not among the genes.
        """
        rows = np.arange(n_rows(X))
        if not len(rows):
            msg = "X has no cells."
            raise ValueError(msg)
        names = gene_labels(None, X.shape[1])
        ranks = rank_genes(columns(X, rows, np.arange(len(names))), self._n_threads)
        return mutual_information(
            ranks,
            gene_positions(regulators, names, "regulators"),
            convention=self._settings.convention,
            ties=self._settings.ties,
            seed=int(kernel_seed(self._seed)),
            n_threads=self._n_threads,
        )
