"""The only module that knows the key names inside an AnnData."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from pysces._check import some, warn
from pysces._frame import check_anndata, in_memory, is_lazy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import scipy.sparse as sp
    from anndata import AnnData
    from numpy.typing import NDArray

ARACNE = "aracne"
VIPER = "viper"
SIMILARITY = "similarity"
MSVIPER = "msviper"
RANK_REGULATORS = "rank_regulators"
METACELLS = "metacells"
PATHWAYS = "pathways"
COMPARE_NETWORKS = "compare_networks"
CONSERVATION = "regulator_conservation"
REGULATOR = "regulator"
NETWORK, PARAMS, REGULONS = "network", "params", "regulons"
CELLS, MEMBERSHIP = "cells", "membership"
SD, PES, OF_NETWORK = "_sd", "_pes", "_network"
OF_FIELD = {"nes": "", "sd": SD, "pes": PES}
NULL_SPREADS = ("null_shift", "null_spread", "null_coupling")
EDGES, REGULATORS = "edges", "regulators"
RESULTS, LEADING_EDGE, SIGNATURE = "results", "leading_edge", "signature"
SHADOW, COMBINATIONS = "shadow", "combinations"
TABLE = "table"
N_TARGETS = "n_targets"
UNFIT_KEY, UNFIT_COLUMN = re.compile(r"^\.{0,2}$|[/\\\0]"), re.compile(r"^(\.{0,2}|_index)$|[/\0]")
"""Names that HDF5 or zarr take for a path, or anndata for itself."""


def params(**values: Any) -> dict[str, Any]:
    """Parameters that h5ad and zarr can hold: no None, tuple or huge int; versions of what computed are added."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        match value:
            case None:
                continue
            case bool() | str() | float():
                kept[name] = value
            case np.bool_() | np.floating():
                kept[name] = value.item()
            case int() | np.integer() if abs(int(value)) < 2**63:
                kept[name] = int(value)
            case list() | tuple() | np.ndarray():
                kept[name] = np.asarray(value)
            case _:
                kept[name] = repr(value)
    for name in ("pysces-grn", "numba", "numpy"):
        kept[f"version_{name.split('-')[0]}"] = version(name)
    return kept


def is_part_of_file(adata: AnnData) -> bool:
    """Whether ``adata`` is a view of a backed file, to which anndata cannot write."""
    return bool(adata.isbacked and adata.is_view)


def target(adata: AnnData, *, copy: bool) -> AnnData:
    """Where results go: ``adata`` or a copy of it."""
    check_anndata(adata)
    if is_part_of_file(adata):
        msg = (
            "adata is a part (a view) of a backed file, to which nothing can be written. Read it into memory "
            "(adata.to_memory()), or run this on the whole file; functions with groupby= and groups= then take some of "
            "its cells, and tl.viper(out='...') writes scores of a view to a file of their own."
        )
        raise ValueError(msg)
    if copy and (adata.isbacked or is_lazy(adata.obs)):
        msg = "copy=True would read the whole backed file; use copy=False, or adata.to_memory() first."
        raise ValueError(msg)
    return adata.copy() if copy else adata


def warn_of_key(key: str) -> None:
    """Warn of a key that no file can hold when it is made, not after all work when it is saved."""
    if UNFIT_KEY.search(key):
        warn(
            f"key_added={key!r} cannot be saved: keys in files of anndata (h5ad, zarr) are not empty, '.' or '..', and "
            "hold no '/' or '\\'. Choose another key_added, or rename the key before you save."
        )


def warn_of_columns(names: Iterable[object], where: str) -> None:
    """The same of columns of a table."""
    unfit = sorted(name for name in map(str, names) if UNFIT_COLUMN.search(name))
    if unfit:
        warn(
            f"{where} has columns that cannot be saved: {some(unfit)}. Columns in files of anndata (h5ad, zarr) are "
            "not empty, '.', '..' or '_index', and hold no '/'. Rename these before you save."
        )


def write_tables(
    adata: AnnData,
    key: str,
    tables: Mapping[str, pd.DataFrame],
    parameters: Mapping[str, Any],
    cells: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Store tables by their names, the parameters, and what tells the cells of groups again, in ``uns[key]``."""
    warn_of_key(key)
    adata.uns[key] = {**tables, **_known(cells), PARAMS: dict(parameters)}


def _known(cells: Mapping[str, NDArray[Any]] | None) -> dict[str, dict[str, NDArray[Any]]]:
    return {CELLS: dict(cells)} if cells else {}


def read_cells(adata: AnnData, key: str) -> dict[str, NDArray[Any]]:
    """By what the cells are told again that ``uns[key]`` was made of; empty if it is not known."""
    known = adata.uns[key].get(CELLS, {}) if key in adata.uns else {}
    return {name: np.asarray(in_memory(value)) for name, value in known.items()}


def has_table(adata: AnnData, key: str, name: str) -> bool:
    """Whether ``uns[key]`` holds the table ``name``."""
    check_anndata(adata)
    return hasattr(adata.uns.get(key), "keys") and name in adata.uns[key]


def read_table(adata: AnnData, key: str, name: str, what: str, made_by: str) -> pd.DataFrame:
    """A table in ``uns[key]``; the error says ``what`` it would be, and which call of pysces.tl makes it."""
    if not has_table(adata, key, name):
        hint = ""
        if name == NETWORK and hasattr(adata.uns.get(key), "columns"):
            hint = f" It is a table: give the table itself, network=adata.uns[{key!r}]."
        elif holders := [other for other in adata.uns if has_table(adata, other, name)]:
            hint = f" Keys of uns that hold such: {some(holders)}."
        if key in adata.obs.columns:
            hint += f" {key!r} is a column of adata.obs, which groupby names."
        msg = f"adata.uns[{key!r}] holds no {what}; run pysces.tl.{made_by} first.{hint}"
        raise KeyError(msg)
    return cast("pd.DataFrame", in_memory(adata.uns[key][name]))


def read_network(adata: AnnData, key: str) -> pd.DataFrame:
    """The network in ``uns[key]``."""
    return read_table(adata, key, NETWORK, "network", "aracne(adata, ...)")


def given_network(adata: AnnData, network: str | pd.DataFrame) -> pd.DataFrame:
    """A network that a call was given: the one in ``uns[network]``, or the table itself."""
    check_anndata(adata)
    return read_network(adata, network) if isinstance(network, str) else network


def read_ranking(adata: AnnData, key: str) -> pd.DataFrame:
    """The regulators of groups of cells in ``uns[key]``."""
    return read_table(adata, key, TABLE, "ranked regulators", "rank_regulators(adata, ...)")


def write_activity(
    adata: AnnData,
    key: str,
    tables: Mapping[str, pd.DataFrame],
    network: pd.Categorical[str] | None,
    regulons: pd.DataFrame,
    parameters: Mapping[str, Any],
    cells: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Store activities in ``obsm`` under ``key`` and the names of ``tables``, and what they come from in ``uns[key]``.

    What a run with other options left under these keys goes.
    """
    warn_of_key(key)
    if tables:
        warn_of_columns(next(iter(tables.values())).columns, f"adata.obsm[{key!r}]")
    for name in OF_FIELD.values():
        adata.obsm.pop(key + name, None)
    obs: Any = adata.obs
    if key + OF_NETWORK in obs.columns:
        adata.obs = obs[[name for name in obs if name != key + OF_NETWORK]]
    for name, table in tables.items():
        adata.obsm[key + name] = table
    if network is not None:
        adata.obs[key + OF_NETWORK] = network
    adata.uns[key] = {REGULONS: regulons, **_known(cells), PARAMS: dict(parameters)}


def read_activity(adata: AnnData, key: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The activities in ``obsm[key]`` and their regulons."""
    check_anndata(adata)
    if key not in adata.obsm and key in adata.uns and PARAMS in adata.uns[key] and "out" in adata.uns[key][PARAMS]:
        out = read_parameters(adata, key)["out"]
        msg = f"the activities of adata.uns[{key!r}] are in {out!r}; open this with anndata.read_h5ad or read_zarr."
        raise KeyError(msg)
    if key not in adata.obsm:
        have = some(adata.obsm.keys()) or "nothing"
        msg = f"adata.obsm[{key!r}] holds no activities (obsm has: {have}); run pysces.tl.viper(adata, ...) first."
        raise KeyError(msg)
    if not has_table(adata, key, REGULONS):
        msg = (
            f"adata.uns[{key!r}] is missing or lacks the regulons of adata.obsm[{key!r}], which pysces.tl.viper(adata, "
            "...) writes with the scores and anndata.concat drops by default. Score all cells together: activities of "
            "separate runs cannot be compared. For scores of another program use scanpy, for example scanpy.tl."
            f"rank_genes_groups of anndata.AnnData(adata.obsm[{key!r}], obs=adata.obs)."
        )
        raise KeyError(msg)
    return in_memory(adata.obsm[key]), in_memory(adata.uns[key][REGULONS])


def read_beside(adata: AnnData, key: str) -> dict[str, pd.DataFrame]:
    """What was stored of the activities in ``obsm[key]`` beside the scores, by field."""
    keys = {field: key + name for field, name in OF_FIELD.items() if name}
    return {field: in_memory(adata.obsm[name]) for field, name in keys.items() if name in adata.obsm}


def activity_table(data: AnnData, key: str, argument: str) -> pd.DataFrame:
    """The activities in ``obsm[key]``, or else those in X of what :func:`pysces.get.activity` gave."""
    check_anndata(data, argument)
    if key in data.obsm:
        table = in_memory(data.obsm[key])
        if not hasattr(table, "columns"):
            msg = f"{argument}.obsm[{key!r}] is {type(table).__name__}, not a table of activities; name another key."
            raise TypeError(msg)
        return cast("pd.DataFrame", table)
    if N_TARGETS in data.var.columns:
        x: Any = data.X
        return pd.DataFrame(in_memory(x[:]), index=data.obs_names, columns=data.var_names)
    have = some(data.obsm.keys()) or "nothing"
    msg = (
        f"{argument}.obsm[{key!r}] holds no activities (obsm has: {have}), and {argument} is not what "
        f"pysces.get.activity gives; run pysces.tl.viper({argument}, ...) first."
    )
    raise KeyError(msg)


def comparison(adata: AnnData, key: str) -> dict[str, Any]:
    """With what the activities under ``key`` were compared, for what is made of them."""
    made = read_parameters(adata, key) if key in adata.uns else {}
    return {name: made[name] for name in ("groupby", "reference", "signature") if name in made}


def similarity_key(key: str) -> str:
    """Where the similarities of cells by the activities ``key`` go, unless told otherwise."""
    return f"{key}_{SIMILARITY}"


def write_similarity(adata: AnnData, key: str, similarity: NDArray[np.float32], parameters: Mapping[str, Any]) -> None:
    """Store similarities of cells in ``obsp[key]``, and the parameters in ``uns[key]``."""
    warn_of_key(key)
    adata.obsp[key] = similarity
    adata.uns[key] = {PARAMS: dict(parameters)}


def read_similarity(adata: AnnData, key: str) -> NDArray[np.float32]:
    """The similarities of cells in ``obsp[key]``."""
    check_anndata(adata)
    if key not in adata.obsp:
        have = some(adata.obsp.keys()) or "nothing"
        msg = f"adata.obsp[{key!r}] holds no similarities (obsp has: {have}); run pysces.tl.similarity(adata) first."
        raise KeyError(msg)
    return cast("NDArray[np.float32]", in_memory(adata.obsp[key]))


def has_ranking(adata: AnnData, key: str) -> bool:
    """Whether ``uns[key]`` holds the regulators of groups of cells."""
    return has_table(adata, key, TABLE)


def has_parameters(adata: AnnData, key: str) -> bool:
    """Whether ``uns[key]`` holds the parameters of a call."""
    return has_table(adata, key, PARAMS)


def read_parameters(adata: AnnData, key: str) -> dict[str, Any]:
    """The parameters in ``uns[key]``."""
    if not has_parameters(adata, key):
        msg = f"adata.uns[{key!r}] lacks the parameters of the call that made it ('params'); run that call again."
        raise KeyError(msg)
    return {name: in_memory(value) for name, value in adata.uns[key][PARAMS].items()}


def stored_groupby(parameters: Mapping[str, Any]) -> str | list[str] | None:
    """The column or columns of groups that a call was given; files hold lists as arrays."""
    groupby = parameters.get("groupby")
    return groupby if groupby is None or isinstance(groupby, str) else [str(name) for name in groupby]


def write_metacells(
    adata: AnnData, membership: sp.csr_matrix[np.bool_], cells: NDArray[np.object_], parameters: Mapping[str, Any]
) -> None:
    """Store which cells each metacell pools in ``obsm``, and their names and the parameters in ``uns``."""
    adata.obsm[MEMBERSHIP] = membership
    adata.uns[METACELLS] = {CELLS: cells, PARAMS: dict(parameters)}


def read_metacells(adata: AnnData) -> tuple[sp.csr_matrix[np.bool_], NDArray[np.object_]]:
    """Which cells each metacell pools, and the names of the cells."""
    check_anndata(adata)
    if MEMBERSHIP not in adata.obsm or CELLS not in adata.uns.get(METACELLS, {}):
        msg = f"adata has no metacells (obsm[{MEMBERSHIP!r}] and uns[{METACELLS!r}]); make them: pp.metacells(adata)."
        raise KeyError(msg)
    return in_memory(adata.obsm[MEMBERSHIP]), np.asarray(in_memory(adata.uns[METACELLS][CELLS]), object)
