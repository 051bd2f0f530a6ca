"""What differs between the networks of two groups of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from pysces import _log, _slots
from pysces._check import no_effect, some, warn, whole_number
from pysces._frame import column
from pysces._infer.depth import Depth
from pysces._infer.rewiring import LEAST_DETECTED, Residuals, differences, equally_expressed, rewiring
from pysces._infer.significance import log_qvalues
from pysces._matrix import FRACTIONAL, choose, columns, n_rows
from pysces._parallel import resolve_threads
from pysces._random import child, seed_sequence
from pysces._stale import stale_groups
from pysces._strata import ALL_CELLS, named, strata
from pysces.estimators._cells import GIVEN, UNUSED, CellsOfDepth, warn_of_depth
from pysces.tl._measured import codes_of, warn_of_unmeasured

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

    from pysces._csr import CSR
    from pysces._infer.depth import Strata
    from pysces._matrix import Choice
    from pysces._random import Seed
    from pysces._strata import GroupBy, Stratum

LEAST_DRAWS, MIN_TARGETS = 10, 5
THINNING, PERMUTATIONS = range(2)
"""Children of the seed."""


def compare_networks(
    adata: AnnData,
    a: str,
    b: str,
    *,
    key: str = _slots.ARACNE,
    min_targets: int = MIN_TARGETS,
    n_permutations: int = 100,
    rng: Seed = 0,
    n_threads: int = 0,
    key_added: str = _slots.COMPARE_NETWORKS,
    copy: bool = False,
) -> AnnData | None:
    r"""Find the edges that the networks of two groups share, and the regulators that are rewired between them.

    A difference of lists of edges mixes rewiring with power: the network of more cells has more edges, and of two weak
    edges one passes by chance. Rewiring is therefore measured on the expression of all genes, whatever edges they have,
    and tested against cells of both groups that are shuffled.

    In each group alone, expression becomes normal scores of average ranks, less their mean within strata of the
    technical depth of the cells (see :class:`pysces.ARACNe`), over their standard deviation: :math:`e`. Of regulator r
    and gene g the group has products :math:`u = e_r e_g`, whose mean is the correlation :math:`\rho`. The correlations
    are compared by Welch's t, and a regulator by

    .. math::
        t_{rg} = \frac{\rho^a_{rg} - \rho^b_{rg}}{\sqrt{var(u^a) / f_a + var(u^b) / f_b}}, \qquad
        \text{rewiring}_r = \sum_{g \neq r} \max(t_{rg}^2 - 4, 0).

    where f is the number of cells less that of the strata. Genes detected in fewer than 20 cells of a group, or
    constant, do not count. The same is computed with the scores of the cells shuffled between the groups. Each sum,
    that of the groups included, counts in standard deviations of the sums of its regulator, and p is the share of all
    these values, pooled over the regulators, that are as large. So p can be as small as 1 over the number of regulators
    times ``n_permutations + 1``, and q as small as 1 / (``n_permutations`` + 1).

    Levels of expression, depths and numbers of cells that differ are no rewiring: ranks and strata see to it, and
    counts are first thinned at random, each gene to its mean in the group where it is lower, as fewer counts follow
    expression less closely and make the same dependence look weaker. That takes counts, as they are or, in networks
    with ``depth="auto"``, normalised or behind a logarithm; of other values, fractional counts among them, genes that
    are measured better in one group may look rewired.

    p is over cells: cells of one person are no sample of people. A target that many regulators follow changes with all
    of them, so that not every rewired regulator is a cause.

    Parameters
    ----------
    adata
        Annotated data with a network of groups from :func:`pysces.tl.aracne`, and the matrix that it was inferred from.
    a, b
        Labels of the groups.
    key
        The ``key_added`` of :func:`pysces.tl.aracne`.
    min_targets
        Only regulators with so many edges in both networks together are tested.
    n_permutations
        Number of times that the cells are shuffled, at least 10; 20 and more for q below 0.05. 0: compare edges only,
        without reading expression.
    rng
        Seed.
    n_threads
        Number of threads, 0 for all; never changes the result.
    key_added
        Key in ``uns``.
    copy
        Return a copy instead of writing to ``adata``.

    Returns
    -------
    ``None``, or the copy. Sets:

    ``adata.uns[key_added]["edges"]``
        Table of the edges of either network, by source and target: categorical ``source`` and ``target``; bool ``in_a``
        and ``in_b``; float64 ``weight_a`` and ``weight_b``, NaN where the edge is not there; with permutations
        ``difference``, the :math:`t` above, positive where the correlation is larger in ``a``, NaN for genes that do
        not count.
    ``adata.uns[key_added]["regulators"]``
        Table of their regulators: categorical ``source``; int64 ``n_a``, ``n_b`` and ``n_shared``, numbers of edges;
        float64 ``jaccard``, the shared edges over those of either network. With permutations float64 ``rewiring`` and
        the natural logs ``log_pvalue`` and ``log_qvalue`` (Benjamini-Hochberg), NaN if not tested: too few edges, or
        a regulator that does not count. The most significant first, without permutations the smallest ``jaccard``, then
        by source. Exchanging ``a`` and ``b`` exchanges their columns and the sign of ``difference``, nothing else.
    ``adata.uns[key_added]["params"]``
        Parameters and versions, ``n_a``, ``n_b``, ``n_shared`` and ``jaccard`` of all edges, and with permutations
        ``thinned``: whether there were counts.

    Warns
    -----
    UserWarning
        If genes that are common in one group have no count in the other, as after an outer join.

    Raises
    ------
    KeyError
        If there is no network of groups, or not of ``a`` and ``b``, or the layer or a column is gone.
    ValueError
        If ``a`` and ``b`` are the same, the groups hold other cells than when their networks were inferred (cells
        removed since, added or renamed do not count), genes are gone, a group has fewer than 20 cells, neither network
        has an edge, no regulator can be tested, X holds NaN, infinite or negative values, or a parameter is not valid.

    References
    ----------
    Welch 1947, doi:10.1093/biomet/34.1-2.28; permutations of studentised differences: Janssen 1997,
    doi:10.1016/S0167-7152(97)00043-6. The statistic is our own.

    Examples
    --------
    >>> import pysces as ps
    >>> adata = ps.datasets.pbmc68k()
    >>> two = ["CD14+ Monocyte", "Dendritic"]
    >>> ps.tl.aracne(adata, "human_tfs", groupby="cell_type", groups=two, n_subnetworks=1, correction="p", alpha=1e-3)
    >>> ps.tl.compare_networks(adata, *two, n_permutations=10)
    >>> ps.get.comparison(adata).columns.tolist()
    ['source', 'n_a', 'n_b', 'n_shared', 'jaccard', 'rewiring', 'log_pvalue', 'log_qvalue']
    """
    result = _slots.target(adata, copy=copy)
    whole_number(min_targets, "min_targets", least=1)
    if whole_number(n_permutations, "n_permutations", least=0) in range(1, LEAST_DRAWS):
        msg = f"n_permutations is {n_permutations!r}, too few; give at least {LEAST_DRAWS}, or 0 to compare edges only."
        raise ValueError(msg)
    if n_permutations == 0:
        no_effect({"min_targets": (min_targets, MIN_TARGETS)}, "n_permutations=0, where no regulator is tested")
    seed, n_threads = seed_sequence(rng), resolve_threads(n_threads)
    if key_added == key:
        msg = f"key_added is {key_added!r}, where the network is; choose another key."
        raise ValueError(msg)
    edges = _edges(adata, key, a, b)
    regulators = _regulators(edges)
    n_a, n_b, n_shared = (int(regulators[name].sum()) for name in ("n_a", "n_b", "n_shared"))
    since = _log.start(f"comparing the networks of {a!r} and {b!r}")
    thinned = None
    if n_permutations:
        cells = _read(adata, key, a, b, edges, child(seed, THINNING), n_threads)
        places = cells.places(edges["source"]), cells.places(edges["target"])
        compared = cells.varies[places[0]] & cells.varies[places[1]]
        edges["difference"] = np.where(compared, cells.sign * differences(*cells.residuals, *places, n_threads), np.nan)
        tested = _tested(regulators, cells, min_targets)
        with _log.progress(int(tested.sum()) * n_permutations, "permutations of regulators") as done:
            found = rewiring(
                *cells.residuals, cells.places(regulators["source"])[tested], n_permutations,
                child(seed, PERMUTATIONS), n_threads, done,
            )  # fmt: skip
        for name, values in (("rewiring", found.statistic), ("log_pvalue", found.log_p)):
            regulators[name] = np.nan
            regulators.loc[tested, name] = values
        regulators["log_qvalue"] = log_qvalues(regulators["log_pvalue"].to_numpy(np.float64))
        thinned = cells.thinned
    by = "log_pvalue" if n_permutations else "jaccard"
    regulators = regulators.sort_values([by, "source"], ignore_index=True)
    _slots.write_tables(
        result, key_added, {_slots.EDGES: edges, _slots.REGULATORS: regulators},
        _slots.params(
            a=a, b=b, key=key, min_targets=min_targets, n_permutations=n_permutations, rng=rng, n_a=n_a, n_b=n_b,
            n_shared=n_shared, jaccard=n_shared / len(edges), thinned=thinned,
        ),
    )  # fmt: skip
    _log.done(since, f"added\n    {key_added!r}, {len(edges)} edges of {len(regulators)} regulators (adata.uns)")
    return result if copy else None


def _edges(adata: AnnData, key: str, a: str, b: str) -> pd.DataFrame:
    """Edges of either network."""
    network = _slots.read_network(adata, key)
    if "group" not in network.columns:
        msg = f"adata.uns[{key!r}] is one network of all cells; run pysces.tl.aracne(adata, ..., groupby=...) first."
        raise KeyError(msg)
    labels = network["group"].cat.categories
    for label, argument in ((a, "a"), (b, "b")):
        if label not in labels:
            msg = f"{argument} is {label!r}, which has no network in adata.uns[{key!r}]; these have: {some(labels)}."
            raise KeyError(msg)
        if label == ALL_CELLS:
            msg = f"{argument} is {label!r}: cells of both groups cannot be shuffled where one holds the other."
            raise ValueError(msg)
    if a == b:
        msg = f"a and b are both {a!r}; name two groups."
        raise ValueError(msg)
    parts = [
        network.loc[network["group"] == label, ["source", "target", "weight"]].astype({"source": str, "target": str})
        for label in (a, b)
    ]
    edges = parts[0].merge(parts[1], how="outer", on=["source", "target"], suffixes=("_a", "_b"), indicator="found")
    if edges.empty:
        msg = f"neither {a!r} nor {b!r} has an edge in adata.uns[{key!r}]; infer networks with weaker thresholds."
        raise ValueError(msg)
    return pd.DataFrame(
        {
            "source": pd.Categorical(edges["source"]),
            "target": pd.Categorical(edges["target"]),
            "in_a": edges["found"] != "right_only",
            "in_b": edges["found"] != "left_only",
            "weight_a": edges["weight_a"].astype(np.float64),
            "weight_b": edges["weight_b"].astype(np.float64),
        }
    ).sort_values(["source", "target"], ignore_index=True)


def _regulators(edges: pd.DataFrame) -> pd.DataFrame:
    """Numbers of edges of each regulator."""
    found = edges[["source", "in_a", "in_b"]].assign(shared=edges["in_a"] & edges["in_b"])
    sums = found.groupby("source", observed=True)[["in_a", "in_b", "shared"]].sum().astype(np.int64)
    counts = sums.rename(columns={"in_a": "n_a", "in_b": "n_b", "shared": "n_shared"}).reset_index()
    counts["jaccard"] = counts["n_shared"] / (counts["n_a"] + counts["n_b"] - counts["n_shared"])
    return counts


class _Cells(NamedTuple):
    """Genes, and their residuals in both groups in the order that the groups have in ``adata``.

    ``sign`` is -1 where this is b, a, so that the same cells are shuffled whichever is called a.
    """

    genes: NDArray[np.object_]
    residuals: tuple[Residuals, Residuals]
    sign: int
    thinned: bool

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Genes that vary in both groups."""
        return self.residuals[0].varies & self.residuals[1].varies

    def places(self, names: pd.Series[str]) -> NDArray[np.intp]:
        """Places of genes."""
        return pd.Index(self.genes).get_indexer(pd.Index(names.astype(object)))


def _read(
    adata: AnnData, key: str, a: str, b: str, edges: pd.DataFrame, seed: np.random.SeedSequence, n_threads: int
) -> _Cells:
    """Read the cells as :func:`pysces.tl.aracne` did."""
    made = _slots.read_parameters(adata, key)
    chosen = choose(adata, layer=made.get("layer"), use_raw=bool(made.get("use_raw", False)), mask_var=None)
    n_rows(chosen.x)
    missing = sorted({*edges["source"], *edges["target"]} - {*chosen.genes})
    if missing:
        msg = f"{len(missing)} genes of the networks are not in adata any more, such as {some(missing)}."
        raise ValueError(msg)
    depth = _depth(adata, made.get("depth"))
    parts = _parts(adata, key, _slots.stored_groupby(made), a, b)
    warn_of_unmeasured(
        chosen.x, codes_of(adata.n_obs, [part.rows for part in parts]), [repr(part.label) for part in parts]
    )
    first, second = (_group(chosen, part, depth) for part in parts)
    values = first.values, second.values
    thinned = first.counts and second.counts
    if thinned:
        values = equally_expressed(*values, seed)
    else:
        fractional = FRACTIONAL in {first.source, second.source}
        (warn if fractional else _log.hint)(
            "X holds no counts that could be thinned to the same expression in both groups: genes that are measured "
            "better in one of them may look rewired. Infer the networks from counts (layer=...)."
        )
    warn_of_depth([first.source, second.source], f" in {a!r} or {b!r}", depth="a column of adata.obs, in tl.aracne")
    of_first, of_second = (Residuals.of(x, of.strata, n_threads) for x, of in zip(values, (first, second), strict=True))
    return _Cells(chosen.genes, (of_first, of_second), 1 if parts[0].label == a else -1, thinned)


def _parts(adata: AnnData, key: str, groupby: GroupBy | None, a: str, b: str) -> list[Stratum]:
    """Cells of both groups, in the order of the groups."""
    if groupby is None:
        msg = "the parameters of the network name no groupby, so its cells are not known; use n_permutations=0."
        raise ValueError(msg)
    if stale := stale_groups(adata, key, groupby, "aracne(adata, ...)", [a, b]):
        msg = f"the networks are those of other cells: {stale}"
        raise ValueError(msg)
    parts = [part for part in strata(adata.obs, groupby) if part.label in (a, b)]
    n_cells = {part.label: len(part.rows) for part in parts}
    for label, argument in ((a, "a"), (b, "b")):
        if n_cells.get(label, 0) < LEAST_DETECTED:
            msg = (
                f"{argument}={label!r} has {n_cells.get(label, 0)} cells in adata.obs[{named(groupby)}]; at least "
                f"{LEAST_DETECTED} are needed to be shuffled. Infer the networks again, or use n_permutations=0."
            )
            raise ValueError(msg)
    return parts


def _depth(adata: AnnData, depth: str | None) -> NDArray[np.float64] | str | None:
    """The depth that the network was made with: ``"auto"``, a number per cell, or none."""
    if depth is None or depth == "auto":
        return depth
    if depth not in adata.obs.columns:
        msg = f"the network was made with depth={depth!r}, which is no column of adata.obs any more."
        raise KeyError(msg)
    return column(adata.obs, depth).to_numpy(dtype=np.float64)


class _Group(NamedTuple):
    """Values of the cells of a group, genes as rows, and strata of the depth of the cells."""

    values: CSR
    strata: Strata
    counts: bool
    source: str


def _group(chosen: Choice, part: Stratum, depth: NDArray[np.float64] | str | None) -> _Group:
    """Read a group: counts if the depth is that of counts, else the values that are there."""
    n_cells = len(part.rows)
    values = columns(chosen.x, part.rows, np.arange(len(chosen.genes)), allow_negative=False)
    if isinstance(depth, str):
        counts, found, source = CellsOfDepth.of(values, n_cells)
        whole = counts is not None and source != FRACTIONAL
        return _Group(values if counts is None else counts, found.technical, whole, source)
    whole = bool((values.data == np.rint(values.data)).all())
    if depth is None:
        return _Group(values, Depth.none(n_cells).technical, whole, UNUSED)
    return _Group(values, Depth.given(depth[part.rows]).technical, whole, GIVEN)


def _tested(regulators: pd.DataFrame, cells: _Cells, min_targets: int) -> NDArray[np.bool_]:
    """Regulators with enough edges that vary in both groups."""
    n_edges = regulators["n_a"] + regulators["n_b"] - regulators["n_shared"]
    tested = (n_edges >= min_targets).to_numpy() & cells.varies[cells.places(regulators["source"])]
    if not tested.any():
        msg = (
            f"no regulator has min_targets={min_targets} edges and varies in both groups; the largest of "
            f"{len(regulators)} has {n_edges.max()}. Lower min_targets, or use n_permutations=0."
        )
        raise ValueError(msg)
    return np.asarray(tested)
