"""VIPER on arrays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from pysces._enrich import narnea_null
from pysces._enrich.area import normalisation
from pysces._enrich.calibration import null_spreads
from pysces._enrich.scorers import Scores, without_empty
from pysces._matrix import checked_blocks, n_rows, restriction
from pysces._network import check_network
from pysces._parallel import consume, resolve_threads
from pysces._random import seed_sequence
from pysces.estimators import _learning as learning
from pysces.estimators._fitting import NotScorableError, fit_network
from pysces.estimators._genes import gene_labels
from pysces.estimators._options import LEAST_NULL, check_gene_weights, checked_options
from pysces.estimators._remarks import say, warn_of_empty_cells
from pysces.estimators._rows import chosen_rows
from pysces.estimators._scorer import scorer_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from pysces._enrich.pleiotropy import Pleiotropy
    from pysces._enrich.signatures import Signature, SignatureName
    from pysces._random import Seed
    from pysces.estimators._options import GeneWeights

LEAST_CELLS = {"none": 1, "ttest": 3}
LEAST_OF_NULL = 6
"""Reference cells that null signatures are made of."""
BY_MAD = ("mad", "doublerank")
"""Signatures that most sparse genes lack."""


class VIPER:
    r"""Activity of regulators in single cells from the expression of their targets.

    Genes of a cell are ranked by their signature, and the enrichment of each regulator's targets is scored, by aREA:
    with :math:`q` the rank over :math:`n + 1`, mode of regulation :math:`m` and likelihood :math:`l`,

    .. math::
        s_1 = \sum m l \Phi^{-1}(q), \quad s_2 = \sum (1 - |m|) l \Phi^{-1}(\tilde q), \quad
        ES = \operatorname{sgn}(s_1) \frac{|s_1| + \max(s_2, 0)}{\sum l}, \quad
        NES = ES \sqrt{\sum (l / l_{max})^2},

    where :math:`\tilde q` is :math:`2 |q - 1/2|`, moved so that it is symmetric about one half in the
    cell. Or by NaRnEA (see ``enrichment``).

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target``, ``weight`` in [-1, 1] and, if there is one, ``likelihood`` in
        (0, 1]: from :class:`ARACNe`, CollecTRI, DoRothEA or any other.
    signature
        How a gene of a cell compares with the reference cells: ``"scale"`` (x - mean) / sd; ``"mean"`` x - mean;
        ``"mad"`` (x - median) / (1.4826 MAD); ``"rank"`` average rank within the gene; ``"doublerank"`` rank r of the
        gene within the cell, then (r - median) / (1.4826 MAD) over cells; ``"ttest"`` t of the cell against the other
        cells, or against the reference; ``"none"`` the values of X themselves, a ready signature in which NaN is
        missing. Genes without spread over the reference are missing and count for no cell: those that are constant
        (``scale``, ``ttest``), and those with a MAD of 0, as most sparse genes have (``mad``).
    enrichment
        ``"area"``, or ``"narnea"``: genes are ranked by the absolute value of their signature (average ranks
        :math:`r`; sign :math:`s`, 0 where the signature is 0, which needs no random numbers), and the sums of
        :math:`m l r s` and of :math:`(1 - |m|) l r` are standardised by their moments over random targets; the NES
        is that of the larger of their sum and difference, and the PES, in [-1, 1], its ratio to the largest possible.
    zeros
        Genes of a cell of which the signature is 0, with ``"narnea"``: ``"average"`` rank, without a sign; or
        ``"random"`` ranks below all others, and signs as frequent as those of the others, as published: scores of
        sparse values then depend on the seed. Equal cells draw the same.
    filter_genes
        Rank only genes that are a regulator or a target of the network, as R viper does. If one regulon holds so many
        of these that its scores would be more than 10 % too small, all genes are ranked (a log line says so, and
        ``filter_genes_`` is False). If it holds as many of all genes, a warning says so.
    min_targets
        Regulators with fewer targets among the genes that are ranked are dropped; R viper's default is 25. A warning
        names those that lose targets which do not vary in the reference cells.
    adaptive_size
        Count :math:`\sum (l / l_{max})^2` instead of targets.
    gene_weights
        Weight of genes by name, above 0, which multiplies the likelihoods of edges to them; 1 for those not named.
    normalised
        ``False`` gives ES in place of NES. Of ``"area"`` only.
    pleiotropy
        Correct for regulators that share targets, with :class:`pysces.estimators.Pleiotropy` (``True``: its defaults).
        Of two regulators of a cell with p < 0.05 and at least 10 common targets, the one whose activity owes more to
        these loses likelihood at them. Of ``"area"`` only.
    n_bootstraps
        Compare with so many resampled references: scores are means over them, and :meth:`score` gives their standard
        deviation. Of ``"area"`` and ``"scale"`` only.
    n_null
        Compare the ES with those of so many null signatures, each a reference cell against resampled others:
        over their standard deviation, or, if there are 500 and more, as a normal deviate of their tail. Needs a
        reference. Of ``"area"``, and ``"scale"``, ``"mean"`` or ``"ttest"``.
    reference
        Mask or positions of the reference cells among the rows given to :meth:`fit`; by default all.
    rng
        Seed of resampling and of random zeros. The same seed gives the same bytes.
    n_threads
        Number of threads; 0 for all that numba may use (``NUMBA_NUM_THREADS``). It never changes the result.

    Attributes
    ----------
    regulators_ : numpy.ndarray
        Names of the regulators, in the order of the columns of :meth:`transform`.
    n_targets_ : numpy.ndarray
        Number of targets of each among the genes that are ranked. Targets that are missing in single cells
        (``signature="none"``) count.
    filter_genes_ : bool
        Whether only genes of the network are ranked.
    null_spreads_ : numpy.ndarray
        Regulators x 3: standard deviations of the two parts of the NES (:math:`s_1` and :math:`s_2` of ``"area"``,
        :math:`z_D` and :math:`z_U` of ``"narnea"``) if targets were random genes, and how the first grows with the
        second. Under this null the NES of ``"area"`` is standard normal where all modes are 1 or -1;
        :func:`pysces.get.pvalues` uses them.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593; Griffin et al. 2023, doi:10.3390/e25030542.

    Examples
    --------
    >>> import numpy as np, pandas as pd, pysces as ps
    >>> X = np.random.default_rng(0).poisson(1.0, (50, 20))
    >>> genes = [f"gene{i}" for i in range(20)]
    >>> network = pd.DataFrame({"source": "TF", "target": genes[1:6], "weight": 1.0})
    >>> ps.VIPER(network, min_targets=5).fit(X, genes).transform(X).shape
    (50, 1)
    """

    def __init__(
        self,
        network: pd.DataFrame,
        *,
        signature: SignatureName = "scale",
        enrichment: Literal["area", "narnea"] = "area",
        zeros: Literal["average", "random"] = "average",
        filter_genes: bool = True,
        min_targets: int = 25,
        adaptive_size: bool = False,
        gene_weights: GeneWeights | None = None,
        normalised: bool = True,
        pleiotropy: bool | Pleiotropy = False,
        n_bootstraps: int = 0,
        n_null: int = 0,
        reference: ArrayLike | None = None,
        rng: Seed = 0,
        n_threads: int = 0,
    ) -> None:
        self.network = check_network(network)
        n_groups = len(self.network["group"].unique()) if "group" in self.network.columns else 1
        if n_groups > 1:
            msg = f"network holds {n_groups} groups; choose the edges of one, or give groupby to tl.viper."
            raise ValueError(msg)
        self.reference, self.rng = reference, rng
        self._options = checked_options(
            signature=signature, enrichment=enrichment, zeros=zeros, filter_genes=filter_genes,
            min_targets=min_targets, adaptive_size=adaptive_size, gene_weights=gene_weights, normalised=normalised,
            pleiotropy=pleiotropy, n_bootstraps=n_bootstraps, n_null=n_null, has_reference=reference is not None,
        )  # fmt: skip
        self._n_threads = resolve_threads(n_threads)

    def fit(
        self,
        X: Any,
        gene_names: Sequence[str] | NDArray[np.object_],
        *,
        null: ArrayLike | None = None,
        rows: ArrayLike | None = None,
        allow_negative: bool = True,
        client: Any = None,
    ) -> Self:
        """Learn the reference moments and match the network to the genes.

        Parameters
        ----------
        X
            Cells x genes: numpy, scipy CSR or CSC, backed or dask array of any real dtype, finite (with
            ``signature="none"`` and ``"area"``, NaN is missing).
        gene_names
            Names of the genes.
        null
            Null signatures of your own, signatures x genes, with which ES are compared as with those of ``n_null``.
        rows
            Cells to learn from: a boolean mask, or positions that ascend, each once; by default all.
        allow_negative
            Whether X may hold negative values.
        client
            A ``dask.distributed.Client`` whose workers take the moments of genes, if X is a dask array.

        Returns
        -------
        The object itself, with ``regulators_`` and ``n_targets_`` set.

        Raises
        ------
        ValueError
            If X is not finite, has fewer than 2 reference cells (3 for ``ttest``), no gene has a signature, the network
            shares no gene with it, or no regulator has ``min_targets`` targets.
        """
        self._fit(X, gene_names, null=null, rows=rows, allow_negative=allow_negative, client=client)
        say({"": self.remarks_})
        return self

    def _fit(
        self,
        X: Any,
        gene_names: Sequence[str] | NDArray[np.object_],
        *,
        null: ArrayLike | None = None,
        rows: ArrayLike | None = None,
        allow_negative: bool = True,
        client: Any = None,
    ) -> Self:
        """The same, leaving what there is to say in ``remarks_``: of several groups it is said once."""
        rows = chosen_rows(rows, n_rows(X))
        names = gene_labels(gene_names, X.shape[1])
        check_gene_weights(self._options.gene_weights, names)
        self._n_genes = len(names)
        null = self._checked_null(null)
        cells = learning.Cells(X, self._reference_rows(rows), np.arange(len(names)), allow_negative, client)
        fitted = fit_network(
            self.network, names, partial(self._learned, cells), filter_genes=self._options.filter_genes,
            min_targets=self._options.min_targets, adaptive_size=self._options.adaptive_size,
            gene_weights=self._options.gene_weights,
            ranked_if=f"{'have a MAD above 0' if self._options.signature in BY_MAD else 'vary'} in the reference cells",
        )  # fmt: skip
        self._genes = fitted.genes
        self._scorer = scorer_of(
            self._options, cells._replace(genes=self._genes), fitted.learned, fitted.present.astype(np.int32),
            fitted.regulons, fitted.regulators, None if null is None else null[:, self._genes],
            np.random.default_rng(seed_sequence(self.rng)),
        )  # fmt: skip
        self.regulators_, self.n_targets_ = fitted.regulators, fitted.regulons.sizes
        self.filter_genes_ = self._options.filter_genes and not fitted.remarks.widened
        self.remarks_ = fitted.remarks
        regulons = fitted.regulons
        if self._options.enrichment == "narnea":
            self.null_spreads_ = narnea_null.null_spreads(regulons, len(self._genes))
        else:
            self.null_spreads_ = null_spreads(regulons, normalisation(regulons), len(self._genes))
        return self

    def transform(self, X: Any, *, rows: ArrayLike | None = None, allow_negative: bool = True) -> NDArray[np.float64]:
        """Normalised enrichment scores (plain ones with ``normalised=False``).

        Any block of rows gets the scores that it has among all rows.

        Parameters
        ----------
        X
            Cells x genes, the genes as in :meth:`fit`. With ``signature="ttest"`` and no reference the cells must be
            among those of :meth:`fit`, since each is compared with the others.
        rows
            Cells to score: a boolean mask, or positions that ascend, each once; by default all.
        allow_negative
            Whether X may hold negative values.

        Returns
        -------
        float64 array (n_cells, n_regulators); NaN where no target has a signature, and in cells without a value other
        than 0 in the genes ranked, of which a warning gives the number.

        Raises
        ------
        ValueError
            If X is not finite or has another number of genes.
        RuntimeError
            If :meth:`fit` was not called.
        """
        return self.score(X, rows=rows, allow_negative=allow_negative).nes

    def score(self, X: Any, *, rows: ArrayLike | None = None, allow_negative: bool = True) -> Scores:
        """Scores as from :meth:`transform`, and what comes with them.

        Parameters
        ----------
        X, rows, allow_negative
            As for :meth:`transform`.

        Returns
        -------
        A named tuple of float64 arrays (n_cells, n_regulators): ``nes``; ``sd`` of the NES over bootstraps, or None;
        ``pes`` of NaRnEA, or None; and ``empty``, a mask of the cells without a value other than 0 in the genes ranked.

        Raises
        ------
        ValueError
            If X is not finite or has another number of genes.
        RuntimeError
            If :meth:`fit` was not called.
        """
        if not hasattr(self, "regulators_"):
            msg = "this VIPER has learned nothing yet; call fit(X, gene_names) first."
            raise RuntimeError(msg)
        rows = chosen_rows(rows, n_rows(X))
        if X.shape[1] != self._n_genes:
            msg = f"X has {X.shape[1]} genes, but fit saw {self._n_genes}."
            raise ValueError(msg)
        nes = np.empty((len(rows), len(self.regulators_)))
        sd = np.empty_like(nes) if self._options.n_bootstraps else None
        pes = np.empty_like(nes) if self._options.enrichment == "narnea" else None
        empty = np.zeros(len(rows), np.bool_)
        scores = Scores(nes, sd, pes, empty)
        restrict, scorer = restriction(self._genes, self._n_genes), self._scorer

        def enrich(item: tuple[slice, Any]) -> None:
            place, part = item
            for all_cells, of_block in zip(scores, without_empty(scorer, restrict(part)), strict=True):
                if all_cells is not None and of_block is not None:
                    all_cells[place] = of_block

        cells = checked_blocks(X, rows, allow_negative=allow_negative, allow_missing=self._options.allow_missing)
        consume(enrich, cells, self._n_threads)
        warn_of_empty_cells(int(empty.sum()), len(rows))
        return scores

    def score_block(self, block: Any) -> Scores:
        """Scores of some cells, see :meth:`score`, on the thread that calls and without checks.

        Parameters
        ----------
        block
            Cells x genes in memory, the genes as in :meth:`fit`, finite.

        Returns
        -------
        As from :meth:`score`.
        """
        return without_empty(self._scorer, restriction(self._genes, self._n_genes)(block))

    def _learned(self, cells: learning.Cells, genes: NDArray[np.intp]) -> tuple[Signature, NDArray[np.intp]]:
        """The signature of genes, and which of them have one."""
        name = self._options.signature
        signature = learning.learn_signature(cells._replace(genes=genes), name, own=self.reference is None)
        present = np.flatnonzero(~signature.missing)
        if not len(present):
            lacked, remedy = "varies", "compare with more or other cells"
            if name in BY_MAD:
                lacked, remedy = "has a MAD above 0", "use signature='scale'"
            found = f"none of the {len(genes)} genes {lacked} in the reference cells"
            msg = f"{found}, as signature={name!r} needs; {remedy}."
            raise NotScorableError(msg)
        return signature, present

    def _reference_rows(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        rows = learning.reference_rows(self.reference, rows)
        name = self._options.signature
        least = LEAST_OF_NULL if self._options.n_null else LEAST_CELLS.get(name, 2)
        if len(rows) < least:
            with_null = f" with n_null={self._options.n_null}" * (self._options.n_null > 0)
            msg = (
                f"{len(rows)} reference cell{'s' * (len(rows) != 1)} for signature={name!r}{with_null}, which needs at "
                f"least {least}; give more cells, or signature='none'."
            )
            raise NotScorableError(msg)
        return rows

    def _checked_null(self, null: ArrayLike | None) -> NDArray[np.float64] | None:
        if null is None:
            return None
        excluded = self._options.alone + ["enrichment='narnea'"] * (self._options.enrichment == "narnea")
        if excluded:
            msg = f"null has no meaning with {excluded[0]}; leave one of them out."
            raise ValueError(msg)
        signatures = np.asarray(null, np.float64)
        if signatures.ndim != 2 or signatures.shape[1] != self._n_genes or len(signatures) < LEAST_NULL:
            msg = (
                f"null has shape {signatures.shape}; give signatures x genes, at least {LEAST_NULL} signatures of the "
                f"{self._n_genes} genes."
            )
            raise ValueError(msg)
        return signatures
