"""ARACNe on arrays."""

from __future__ import annotations

import copy
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from pysces._cluster import active_client
from pysces._infer.inference import infer, job_of, score_all_cells
from pysces._infer.partition import first_splits
from pysces._infer.significance import log_qvalues
from pysces._infer.subnetworks import SUBSAMPLE, Here, Problem
from pysces._matrix import n_rows
from pysces._network import network_table
from pysces._parallel import resolve_threads
from pysces._random import child, kernel_seed, seed_sequence
from pysces.estimators._cells import ranked_cells, warn_of_depth
from pysces.estimators._checkpoint import Checkpoint, checkpoint_folder
from pysces.estimators._distributed import OnCluster
from pysces.estimators._genes import gene_labels, gene_positions
from pysces.estimators._pairs import PairScores
from pysces.estimators._rows import chosen_rows
from pysces.estimators._settings import ALPHA, MAX_SUBNETWORKS, MIN_CELLS, MIN_TARGETS, checked_settings, chosen_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from pysces._infer.consensus import Consensus
    from pysces._infer.partition import Convention, Ties
    from pysces._infer.pruning import Pruning
    from pysces._infer.significance import Correction
    from pysces._infer.subnetworks import Runner
    from pysces._random import Seed
    from pysces.estimators._cells import RankedCells


class ConstantRegulatorsError(ValueError):
    """No regulator varies."""


class ARACNe:
    r"""Gene regulatory network by mutual information, pruned by the data processing inequality.

    For every regulator and gene, the mutual information of a Gaussian copula is estimated among cells of about the same
    sequencing depth,

    .. math:: I = -\tfrac{1}{2} \ln(1 - \rho^2) \quad \text{(nats)},

    with :math:`\rho` the correlation of the normal scores of average ranks, :math:`\Phi^{-1}(r / (n + 1))`, within
    strata of depth. In each of ``n_subnetworks`` random samples of the cells, significant pairs are edges, and the
    weakest edge of every triangle of two regulators and a common target is removed. The network holds the edges that a
    subnetwork holds and that are significant on all cells.

    Parameters
    ----------
    estimator
        ``"gcmi"``, a Gaussian copula as above, which sees monotone dependence, or ``"apmi"``, the adaptive partitioning
        of ARACNe3 and ARACNe-AP, which sees any: the plane is cut into quadrants, and cut again where the counts of a
        cell's quadrants differ from what its margins predict (chi-square, 5 %). With :math:`k` of :math:`n` cells in a
        part of margins :math:`w_x` and :math:`w_y`, :math:`I = \sum \frac{k}{n} \ln \frac{k / n}{w_x w_y}`. It does
        not know of depth, and finds less in sparse counts.
    convention
        Details of the partition, ``"aracne3"`` or ``"aracne-ap"``: how nodes are halved, how many points a cell needs
        to be tested (4 or 3) and which margins it has. Of ``"apmi"`` only.
    ties
        ``"block"`` never splits equal values, such as the zeros of a sparse gene, which keeps sparse signal and needs
        no random numbers. ``"random"`` puts equal values in random order, as both programs do. Of ``"apmi"`` only.
    n_subnetworks
        Number of random samples of the cells. ``"auto"`` goes on until every regulator that has any target, in any
        subnetwork, has at least ``min_targets``, or there are ``max_subnetworks``. 0 takes no samples: the network is
        what is significant on all cells and survives pruning, with support 1.
    min_targets, max_subnetworks
        When ``n_subnetworks="auto"`` stops.
    subsample
        Share of the cells in each sample, drawn without replacement; by default 1 - 1/e. Or a whole number, at least
        10: that many cells, or all if there are fewer.
    replace
        Draw as many cells as there are, with replacement, as ARACNe-AP does; ``subsample`` is not used. For comparison
        only: copies of a cell look like dependence, and subnetworks hold many false edges.
    alpha
        Level of the correction.
    correction
        ``"fdr"`` (Benjamini-Hochberg), ``"fwer"`` (Bonferroni), ``"p"`` (none), over all pairs tested; ``None`` keeps
        every pair: about 60 bytes each in the table and 240 while it is made; :meth:`score` takes less.
    dpi
        ``"all"`` removes the weakest of the three edges of a triangle, ``"target"`` only an edge from a regulator to
        the common target, ``None`` nothing.
    dpi_tolerance
        An edge goes only if it is below (1 - ``dpi_tolerance``) times both others.
    consensus
        Where the p-value of an edge comes from. ``"data"``: its mutual information on all cells. For comparison only,
        since subnetworks share cells and these p-values are too small: ``"poisson"`` (ARACNe-AP: the support against
        its mean over all pairs of a regulator and a target that occur) and ``"binomial"`` (ARACNe3: the support
        against the share of false edges expected from ``alpha``). ``alpha`` and ``correction`` apply to it.
    n_threads
        Number of threads; 0 for all that numba may use (``NUMBA_NUM_THREADS``). It never changes the result.
    rng
        Seed, :class:`numpy.random.SeedSequence` or :class:`numpy.random.Generator`. The same seed gives the same bytes.

    Attributes
    ----------
    network_ : pandas.DataFrame
        One row per edge: categoricals ``source``, ``target``; float64 ``weight`` (mode of regulation, here ``scc``),
        ``likelihood`` (``mi`` over the largest), ``mi`` (nats, all cells), ``scc`` (Spearman's, average ranks, within
        the same strata),
        int64 ``support`` (subnetworks that hold the edge), float64 ``log_pvalue`` and ``log_qvalue`` (natural logs).
    depth_ : str
        Where the depth of the cells came from: ``"counts"``; ``"normalised counts"``, ``"log of counts, base 2"``,
        ``"log of normalised counts, base e"`` and the like, where counts come back; ``"sum of values"`` of fractional
        counts; ``"given"``. Cells are not stratified where it is ``"unused"``, ``"unknown"``, ``"few genes"`` (counts
        of fewer than 50) or ``"equal depth"`` (of so few too, and the sums of cells differ by chance alone).

    Notes
    -----
    Depth. Deep cells have more counts of every gene, so that in counts unrelated genes look related. Cells are put in
    strata of equal depth, and genes are compared within strata. Some depth is biology, since some types of cell hold
    more RNA: the log depth is regressed on the ten leading axes of a correspondence analysis of the counts, the
    composition of the cells, and strata are of what is left: six of about as many cells, fewer in groups of less than
    180. p-values are those within strata of the whole depth (sixteen in 500 to 2,000 cells, up to 100), less its trend
    within strata, so that edges are not there for depth alone.

    p of ``"gcmi"`` follows for each pair from the variance, the skewness :math:`g` and the excess kurtosis :math:`k`
    that the sum of products of scores has over all permutations of the cells within strata (Pitman 1937). With
    :math:`T` this sum in standard deviations, it is that of a normal beyond :math:`\sqrt{2d}`, with :math:`u = gT` and

    .. math:: d = \frac{(1 + u) \ln(1 + u) - u}{g^2} + \frac{(g^2 - k) T^4}{24 (1 + |u|)},

    the second term at most a fifth of the first, and doubled where the other sign can reach as far. That of ``"apmi"``
    is counted in a null of permuted genes without ties, or with about the same share of cells on the smaller side of
    their first split (strata of a factor 1.5), and goes on along a line of ln p on the mutual information below 1e-3.

    References
    ----------
    Margolin et al. 2006, doi:10.1186/1471-2105-7-S1-S7; Lachmann et al. 2016, doi:10.1093/bioinformatics/btw216;
    Griffin et al. 2023, doi:10.3390/e25030542; Pitman 1937, doi:10.2307/2983647.

    Examples
    --------
    >>> import numpy as np, pysces as ps
    >>> rng = np.random.default_rng(1)
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
        estimator: Literal["gcmi", "apmi"] = "gcmi",
        convention: Convention = "aracne3",
        ties: Ties = "block",
        n_subnetworks: int | Literal["auto"] = 20,
        min_targets: int = MIN_TARGETS,
        max_subnetworks: int = MAX_SUBNETWORKS,
        subsample: float = SUBSAMPLE,
        replace: bool = False,
        alpha: float = ALPHA,
        correction: Correction = "fdr",
        dpi: Pruning = "all",
        dpi_tolerance: float = 0.0,
        consensus: Consensus = "data",
        n_threads: int = 0,
        rng: Seed = 0,
    ) -> None:
        self._settings = checked_settings(
            estimator=estimator, convention=convention, ties=ties, n_subnetworks=n_subnetworks,
            min_targets=min_targets, max_subnetworks=max_subnetworks, subsample=subsample, replace=replace,
            alpha=alpha, correction=correction, dpi=dpi, dpi_tolerance=dpi_tolerance, consensus=consensus,
        )  # fmt: skip
        self.n_threads = n_threads
        self._n_threads = resolve_threads(n_threads)
        self._seed = seed_sequence(rng)
        self._warns = True

    def for_group(self, rng: Seed) -> Self:
        """The same settings with another seed, for one of several groups, whose unknown depth the caller tells of."""
        other = copy.copy(self)
        other._seed, other._warns = seed_sequence(rng), False
        return other

    @property
    def n_steps(self) -> int:
        """Largest number of subnetworks of one fit."""
        return self._settings.n_subnetworks

    def fit(
        self,
        X: Any,
        regulators: ArrayLike,
        gene_names: Sequence[str] | NDArray[np.object_] | None = None,
        *,
        targets: ArrayLike | None = None,
        depth: ArrayLike | Literal["auto"] | None = "auto",
        rows: ArrayLike | None = None,
        allow_negative: bool = True,
        on_subnetwork: Callable[[], object] = lambda: None,
        checkpoint: str | Path | None = None,
        subnetworks: Sequence[int] | None = None,
        client: Any = None,
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
        depth
            Sequencing depth of ``"gcmi"``. ``"auto"``: the sum of all counts of a cell. Normalised counts, and
            logarithms to any base of 1 + counts or normalised counts, are turned back to counts; of fractional counts,
            such as those less ambient ones, it is the sum of the values. Of anything else it is not known, nor of fewer
            than 50 detected genes, whose counts tell composition rather than depth, and cells are not stratified, which
            is warned of. A number per row of X: this depth, all of it technical. ``None``: cells are not stratified,
            values are taken as they are.
        rows
            Cells to use: a boolean mask, or positions that ascend, each once; by default all.
        allow_negative
            Whether X may hold negative values; ranks are taken of them like of any other.
        on_subnetwork
            Called after every subnetwork.
        checkpoint
            Folder for finished subnetworks, made if it is not there: a file each, written whole or not at all. A call
            with the same cells, genes and settings takes what is there and goes on; ``n_subnetworks`` and
            ``consensus`` may differ. Damaged files are computed anew.
        subnetworks
            Infer only these, numbered from 0, and keep them in ``checkpoint``, for several processes that share the
            work; no network is made until a call without.
        client
            A ``dask.distributed.Client`` whose workers compute subnetworks, a thread each; by default the one that is
            active in this process, if there is one. It never changes the result.

        Returns
        -------
        The object itself, with ``network_`` set, unless only some ``subnetworks`` were asked for.

        Raises
        ------
        ValueError
            If X is not finite, has fewer than 10 cells, or if the regulators are not among the genes or all constant;
            if ``checkpoint`` is of another run.
        TypeError
            If X is not a matrix of real numbers.
        OSError
            If ``checkpoint`` cannot be written; what is there stays whole.
        """
        numbers = chosen_numbers(subnetworks, checkpoint, self.n_steps)
        folder = None if checkpoint is None else checkpoint_folder(checkpoint)
        cluster = active_client(client)
        problem, names = self._problem(X, regulators, gene_names, targets, depth, rows, allow_negative=allow_negative)
        runner: Runner = Here(self._n_threads) if cluster is None else OnCluster(cluster)
        if folder is not None:
            runner = Checkpoint(folder, names, runner)
        if numbers is not None:
            job = job_of(problem, self._settings, self._seed, self._n_threads)
            with closing(runner(job, numbers)) as kept:
                for _ in kept:
                    on_subnetwork()
            return self
        edges = infer(problem, self._settings, self._seed, self._n_threads, on_subnetwork, runner)
        self.network_ = network_table(
            names[edges.source],
            names[edges.target],
            {
                "mi": edges.mi,
                "scc": edges.scc,
                "support": edges.support,
                "log_pvalue": edges.log_p,
                "log_qvalue": edges.log_q,
            },
        )
        return self

    def score(
        self,
        X: Any,
        regulators: ArrayLike,
        gene_names: Sequence[str] | NDArray[np.object_] | None = None,
        *,
        targets: ArrayLike | None = None,
        depth: ArrayLike | Literal["auto"] | None = "auto",
        rows: ArrayLike | None = None,
        allow_negative: bool = True,
    ) -> PairScores:
        """Score every pair on all cells: the full ranking, without subnetworks, threshold or pruning.

        Parameters
        ----------
        X, regulators, gene_names, targets, depth, rows, allow_negative
            As in :meth:`fit`.

        Returns
        -------
        Matrices of mutual information in nats, log p and log q, regulators x all genes that take part (targets and
        regulators), 24 bytes per pair, 70 while they are made; ``tables()`` of it streams them as tables. The ranks of
        these genes are held beside them while it runs.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`.
        """
        problem, names = self._problem(X, regulators, gene_names, targets, depth, rows, allow_negative=allow_negative)
        ties_seed = child(self._seed, self._settings.n_subnetworks)
        mi, log_p = score_all_cells(problem, self._settings.estimator, ties_seed, self._n_threads)
        return PairScores(names[problem.regulators], names, mi, log_p, log_qvalues(log_p))

    def _problem(
        self,
        X: Any,
        regulators: ArrayLike,
        gene_names: Sequence[str] | NDArray[np.object_] | None,
        targets: ArrayLike | None,
        depth: ArrayLike | Literal["auto"] | None,
        rows: ArrayLike | None,
        *,
        allow_negative: bool,
    ) -> tuple[Problem, NDArray[np.object_]]:
        """The genes that take part, ranked, and their names; sets ``depth_``."""
        rows = chosen_rows(rows, n_rows(X))
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
        sample = ranked_cells(
            X, rows, used, depth, uses_depth=self._settings.estimator.uses_depth,
            allow_negative=allow_negative, n_threads=self._n_threads,
        )  # fmt: skip
        positions = np.searchsorted(used, chosen)
        if not first_splits(sample.ranks)[0][positions].any():
            msg = f"every regulator ({len(chosen)}) is constant over the {len(rows)} cells; give others, or more cells."
            raise ConstantRegulatorsError(msg)
        self._note_depth(sample)
        return Problem(sample.ranks, sample.depth, positions, allowed[used]), names[used]

    def _note_depth(self, cells: RankedCells) -> None:
        """Say where the depth came from, aloud if it is not known."""
        self.depth_ = cells.source
        if self._warns:
            warn_of_depth([cells.source])

    def mutual_information(
        self, X: Any, regulators: ArrayLike, *, depth: ArrayLike | Literal["auto"] | None = "auto"
    ) -> NDArray[np.float64]:
        """Mutual information of regulators with all genes, on all cells of X.

        Parameters
        ----------
        X
            Cells x genes, as in :meth:`fit`.
        regulators
            Positions of genes, or a boolean mask.
        depth
            As in :meth:`fit`.

        Returns
        -------
        float64 array (n_regulators, n_genes) in nats, NaN where a gene meets itself and, with ``"gcmi"``, for
        constant genes.

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
        chosen = gene_positions(regulators, names, "regulators")
        estimator = self._settings.estimator
        sample = ranked_cells(
            X, rows, np.arange(len(names)), depth,
            uses_depth=estimator.uses_depth, allow_negative=True, n_threads=self._n_threads,
        )  # fmt: skip
        self._note_depth(sample)
        return estimator.information(sample.ranks, sample.depth, chosen, kernel_seed(self._seed), self._n_threads)
