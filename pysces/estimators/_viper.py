"""VIPER on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pysces._check import one_of, some, whole_number
from pysces._enrich.area import farthest_rank, normalised_scores
from pysces._enrich.moments import Moments
from pysces._enrich.signatures import FROM_COLUMNS, FROM_MOMENTS, from_columns, from_moments
from pysces._matrix import columns, n_rows, row_blocks
from pysces._network import check_network, code_network, network_genes
from pysces._parallel import resolve_threads
from pysces.estimators._genes import gene_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from pysces._csr import CSR
    from pysces._enrich.signatures import Signature, SignatureName


class NotScorableError(ValueError):
    """No regulator can be scored: too few cells or targets, or no gene with a signature."""


class VIPER:
    r"""Activity of regulators in single cells from the expression of their targets.

    Genes of a cell are ranked by their signature, and the enrichment of each regulator's targets is scored by aREA:
    with :math:`q` the rank over :math:`n + 1`, mode of regulation :math:`m` and likelihood :math:`l`,

    .. math::
        s_1 = \sum m l \Phi^{-1}(q), \quad s_2 = \sum (1 - |m|) l \Phi^{-1}(\tilde q), \quad
        NES = \operatorname{sgn}(s_1) \frac{|s_1| + \max(s_2, 0)}{\sum l} \sqrt{\sum (l / l_{max})^2},

    where :math:`\tilde q` is :math:`2 |q - 1/2|`, moved so that it is symmetric about one half in the
    cell. Under the null the NES is close to standard normal for modes of 1 and -1.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target``, ``weight`` in [-1, 1] and, if there is one, ``likelihood`` in
        (0, 1]: from :class:`ARACNe`, CollecTRI, DoRothEA or any other.
    signature
        How a gene of a cell compares with the reference cells: ``"scale"`` (x - mean) / sd; ``"mean"`` x - mean;
        ``"mad"`` (x - median) / (1.4826 MAD); ``"rank"`` average rank within the gene; ``"ttest"`` t of the cell
        against the other cells, or against the reference; ``"none"`` the values of X themselves. Genes without spread
        over the reference are missing and count for no cell: those that are constant (``scale``, ``ttest``), and those
        with a MAD of 0, as most sparse genes have (``mad``).
    enrichment
        ``"area"``.
    filter_genes
        Rank only genes that are a regulator or a target of the network, as R viper does.
    min_targets
        Regulators with fewer targets among the genes are dropped; R viper's default is 25.
    reference
        Mask or positions of the reference cells among the rows given to :meth:`fit`; by default all.
    n_threads
        Number of threads; 0 for all that numba may use (``NUMBA_NUM_THREADS``). It never changes the result.

    Attributes
    ----------
    regulators_ : numpy.ndarray
        Names of the regulators, in the order of the columns of :meth:`transform`.
    n_targets_ : numpy.ndarray
        Number of targets of each among the genes.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593.

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
        enrichment: str = "area",
        filter_genes: bool = True,
        min_targets: int = 25,
        reference: ArrayLike | None = None,
        n_threads: int = 0,
    ) -> None:
        self.network = check_network(network)
        n_groups = len(self.network["group"].unique()) if "group" in self.network.columns else 1
        if n_groups > 1:
            msg = f"network holds {n_groups} groups; choose the edges of one, or give groupby to tl.viper."
            raise ValueError(msg)
        self.signature = one_of(signature, (*FROM_MOMENTS, *FROM_COLUMNS), "signature")
        self.enrichment = one_of(enrichment, ("area",), "enrichment")
        self.filter_genes = filter_genes
        self.min_targets = whole_number(min_targets, "min_targets", least=1)
        if reference is not None and signature == "none":
            msg = "reference has no meaning with signature='none'; choose another signature or leave it out."
            raise ValueError(msg)
        self.reference = reference
        self.n_threads = n_threads
        self._n_threads = resolve_threads(n_threads)

    def fit(
        self,
        X: Any,
        gene_names: Sequence[str] | NDArray[np.object_],
        *,
        rows: NDArray[np.intp] | None = None,
        allow_negative: bool = True,
    ) -> Self:
        """Learn the reference moments and match the network to the genes.

        Parameters
        ----------
        X
            Cells x genes: numpy, scipy CSR or CSC, backed or dask array of any real dtype, finite.
        gene_names
            Names of the genes.
        rows
            Cells to learn from, ascending; by default all.
        allow_negative
            Whether X may hold negative values.

        Returns
        -------
        The object itself, with ``regulators_`` and ``n_targets_`` set.

        Raises
        ------
        ValueError
            If X is not finite, has fewer than 2 reference cells (3 for ``ttest``), no gene has a signature, the network
            shares no gene with it, or no regulator has ``min_targets`` targets.
        """
        n_cells = n_rows(X)
        rows = np.arange(n_cells) if rows is None else rows
        names = gene_labels(gene_names, X.shape[1])
        self._n_genes = len(names)
        regulators, regulons = code_network(self.network, names)
        if not regulons.sizes.any():
            targets = some(self.network["target"].unique(), 3)
            msg = (
                f"no target of the network ({targets}) is among the {len(names)} genes ({some(names, 3)}); "
                "do the names use the same alphabet (symbols or Ensembl, human or mouse)?"
            )
            raise NotScorableError(msg)
        large = np.flatnonzero(regulons.sizes >= self.min_targets)
        if not len(large):
            msg = (
                f"no regulator has min_targets={self.min_targets} targets among the genes; the largest of "
                f"{len(regulators)} has {regulons.sizes.max()}. Lower min_targets or give a larger network."
            )
            raise NotScorableError(msg)
        self.regulators_, self.n_targets_ = regulators[large], regulons.sizes[large]

        genes = np.arange(len(names))
        if self.filter_genes:
            genes = np.flatnonzero(np.isin(names, list(network_genes(self.network))))
        reference = self._reference_rows(rows)
        signature = self._learn(X, reference, genes, allow_negative=allow_negative)
        present = np.flatnonzero(~signature.missing)
        if not len(present):
            msg = f"no gene has a {self.signature!r} signature: all are constant over the reference (or have MAD 0)."
            raise NotScorableError(msg)
        self._signature, self._genes, self._present = signature, genes, present
        self._zero = signature(np.zeros(len(present)), present.astype(np.int32))
        self._regulons = regulons.select(large).restrict(genes[present], len(names))
        self._least_far = 0
        if (
            self.signature == "rank"
        ):  # ranks within genes tie at the extremes: as in R, the farthest of all cells counts
            blocks = self._signatures(X, reference, allow_negative=allow_negative)
            self._least_far = max(farthest_rank(block, self._zero) for _, block in blocks)
        return self

    def transform(
        self, X: Any, *, rows: NDArray[np.intp] | None = None, allow_negative: bool = True
    ) -> NDArray[np.float64]:
        """Normalised enrichment scores.

        Parameters
        ----------
        X
            Cells x genes, the genes as in :meth:`fit`. With ``signature="ttest"`` and no reference the cells must be
            among those of :meth:`fit`, since each is compared with the others.
        rows
            Cells to score, ascending; by default all.
        allow_negative
            Whether X may hold negative values.

        Returns
        -------
        float64 array (n_cells, n_regulators); NaN where no target has a signature.

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
        n_cells = n_rows(X)
        rows = np.arange(n_cells) if rows is None else rows
        if X.shape[1] != self._n_genes:
            msg = f"X has {X.shape[1]} genes, but fit saw {self._n_genes}."
            raise ValueError(msg)
        scores = np.empty((len(rows), len(self.regulators_)))
        for place, block in self._signatures(X, rows, allow_negative=allow_negative):
            scores[place] = normalised_scores(
                block, self._zero, self._regulons, self._n_threads, least_far=self._least_far
            )
        return scores

    def _signatures(self, X: Any, rows: NDArray[np.intp], *, allow_negative: bool) -> Iterator[tuple[slice, CSR]]:
        """Signatures of blocks of cells where X is not zero, with their place in ``rows``."""
        present = self._present.astype(np.int32)
        for place, block in row_blocks(X, rows, self._genes[self._present], allow_negative=allow_negative):
            yield place, block._replace(data=self._signature(block.data, present[block.indices]))

    def _reference_rows(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        if self.reference is not None:
            reference = np.asarray(self.reference)
            if reference.dtype == np.bool_:
                if reference.shape != rows.shape:
                    msg = f"reference is a mask of shape {reference.shape}, but there are {len(rows)} cells."
                    raise ValueError(msg)
                reference = np.flatnonzero(reference)
            elif not np.issubdtype(reference.dtype, np.integer) or reference.ndim != 1:
                found = f"{reference.dtype} of shape {reference.shape}"
                msg = f"reference must be a mask or positions of cells; found {found}."
                raise TypeError(msg)
            elif len(reference) and (reference.min() < 0 or reference.max() >= len(rows)):
                msg = f"reference holds positions from {reference.min()} to {reference.max()} of {len(rows)} cells."
                raise ValueError(msg)
            rows = rows[np.unique(reference)]
        least = {"none": 1, "ttest": 3}.get(self.signature, 2)
        if len(rows) < least:
            msg = (
                f"{len(rows)} reference cell{'s' * (len(rows) != 1)} for signature={self.signature!r}, which needs at "
                f"least {least}; give more cells, or signature='none'."
            )
            raise NotScorableError(msg)
        return rows

    def _learn(self, X: Any, rows: NDArray[np.intp], genes: NDArray[np.intp], *, allow_negative: bool) -> Signature:
        if self.signature in FROM_COLUMNS:
            return from_columns(self.signature, columns(X, rows, genes, allow_negative=allow_negative))
        moments = Moments(len(genes))
        if self.signature != "none":
            for _, block in row_blocks(X, rows, genes, allow_negative=allow_negative):
                moments.add(block)
        return from_moments(self.signature, moments, against_reference=self.reference is not None)
