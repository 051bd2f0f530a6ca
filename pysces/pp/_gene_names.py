"""Gene names in another alphabet, by a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd
from anndata import AnnData

from pysces import _log
from pysces._check import some, unique
from pysces._frame import is_lazy

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSIONED = re.compile(r"(ENS[A-Z]*[0-9]{11})\.[0-9]+")
"""An Ensembl identifier with a version."""

ENDS = ["source", "target"]


@overload
def translate_genes(data: AnnData, table: pd.DataFrame | Mapping[str, str]) -> AnnData: ...


@overload
def translate_genes(data: pd.DataFrame, table: pd.DataFrame | Mapping[str, str]) -> pd.DataFrame: ...


def translate_genes(data: AnnData | pd.DataFrame, table: pd.DataFrame | Mapping[str, str]) -> AnnData | pd.DataFrame:
    """Name genes in another alphabet, one to one: Ensembl and symbols, human and mouse.

    Translated are names that have one translation in the table, which is that of no other name there. All others are
    dropped, and the log line counts and names them: those not in the table, those with several translations, and those
    that share their translation. The rule looks at the table alone, so that all data are translated alike; give the
    rows of genes in the data (see the examples) where names that share a translation are not all measured, such as
    genes of the MHC, which Ensembl also has on alternative haplotypes.

    Versions of Ensembl identifiers, as in ``ENSG00000141510.17``, do not count, in the data and in the first column of
    the table; where the data hold two versions of one, both are dropped.

    Parameters
    ----------
    data
        Annotated data in memory or dask, whose ``var_names`` are translated; or a network, whose ``source`` and
        ``target`` are. It is left as it is.
    table
        Two columns of strings, names in the data and their translations; rows with a missing or empty name do not
        count. Or a mapping from the one to the other.

    Returns
    -------
    A new AnnData with the genes that were translated; ``raw``, ``obsm`` and ``uns`` stay as they are, with what they
    hold of the former names. Or a new table with the edges whose two genes were translated, in their order, numbered
    from 0, and all its columns.

    Raises
    ------
    ValueError
        If no name is translated, ``var_names`` are not unique, the table has not two columns, or the data are backed.
    TypeError
        If the data or the table are something else, or names are not strings.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> net = pd.DataFrame({"source": "SPI1", "target": ["LYZ", "CD14"], "weight": 1.0})
    >>> mouse = {"SPI1": "Spi1", "CD14": "Cd14", "LYZ": "Lyz2"}
    >>> ps.pp.translate_genes(net, mouse)
      source target  weight
    0   Spi1   Lyz2     1.0
    1   Spi1   Cd14     1.0

    Genes by Ensembl identifier, with a table that scanpy fetches; the former names stay in a column:

    >>> adata.var["ensembl"] = adata.var_names  # doctest: +SKIP
    >>> names = ["ensembl_gene_id", "external_gene_name"]  # doctest: +SKIP
    >>> table = sc.queries.biomart_annotations("hsapiens", names)  # doctest: +SKIP
    >>> table = table[table["ensembl_gene_id"].isin(adata.var_names)]  # doctest: +SKIP
    >>> adata = ps.pp.translate_genes(adata, table)  # doctest: +SKIP

    A human network for cells of mice; genes with several orthologs, and those that share one, are dropped:

    >>> names = ["external_gene_name", "mmusculus_homolog_associated_gene_name"]  # doctest: +SKIP
    >>> table = sc.queries.biomart_annotations("hsapiens", names)  # doctest: +SKIP
    >>> net = ps.pp.translate_genes(ps.get.network(adata), table)  # doctest: +SKIP
    """
    pairs = _pairs(table)
    if isinstance(data, AnnData):
        return _translated_data(data, pairs)
    if isinstance(data, pd.DataFrame):
        return _translated_network(data, pairs)
    msg = f"data is {type(data).__name__}; give an AnnData, or a network with the columns source and target."
    raise TypeError(msg)


def _translated_data(adata: AnnData, pairs: pd.DataFrame) -> AnnData:
    if adata.isbacked or is_lazy(adata.obs):
        msg = (
            "data are backed, and a copy with other genes would read the whole file; translate the network to the "
            "names of the data instead, or give data.to_memory()."
        )
        raise ValueError(msg)
    unique(adata.var_names.to_numpy(), "var_names", "Make them unique first: adata.var_names_make_unique().")
    since = _log.start(f"translating {adata.n_vars} genes")
    new, dropped = _translate(adata.var_names.to_numpy(dtype=object), pairs)
    translated = adata[:, adata.var_names.isin(list(new))].copy()
    translated.var_names = [new[name] for name in translated.var_names]
    _log.done(since, f"translated {translated.n_vars} genes{_told(dropped)}")
    return translated


def _translated_network(network: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in ENDS if name not in network.columns]
    if missing:
        msg = f"data lack the columns {some(missing)}; a network has source and target, this has: {some(network)}."
        raise ValueError(msg)
    genes = pd.unique(np.concatenate([network[name].to_numpy(dtype=object) for name in ENDS]))
    since = _log.start(f"translating {len(genes)} genes of a network")
    new, dropped = _translate(genes, pairs)
    translated = network[network[ENDS].isin(list(new)).all(axis=1)].reset_index(drop=True)
    if translated.empty:
        msg = f"table translates both genes of none of the {len(network)} edges: {dropped}."
        raise ValueError(msg)
    for name in ENDS:
        names = translated[name].astype(object).map(new)
        of_network = network[name].dtype  # the categories are other ones
        translated[name] = pd.Categorical(names) if isinstance(of_network, pd.CategoricalDtype) else names
    _log.done(since, f"translated {len(translated)} of {len(network)} edges{_told(dropped)}")
    return translated


def _translate(names: NDArray[np.object_], pairs: pd.DataFrame) -> tuple[dict[str, str], str]:
    """Translations of those of distinct names that have one, and why the others have none."""
    _check_strings(names, "data hold names of genes", "drop these or convert them")
    plain = _without_version(pd.Series(names, dtype=object))
    known = plain.isin(pairs["name"])
    several = plain.isin(pairs.loc[pairs.duplicated("name", keep=False), "name"])
    shared = plain.isin(pairs.loc[pairs.duplicated("translation", keep=False), "name"]) | plain.duplicated(keep=False)
    reasons = {
        "are not in the table": ~known,
        "have several translations": several,
        "share a translation": known & ~several & shared,
    }
    dropped = "; ".join(
        f"{mask.sum()} {reason} ({some(names[mask])})" for reason, mask in reasons.items() if mask.any()
    )
    good = known & ~several & ~shared
    if not good.any():
        turned = plain.isin(_without_version(pairs["translation"])).sum()
        remedy = (
            f"{turned} are in its second column: exchange the columns."
            if turned
            else f"It translates names such as {some(pairs['name'])}; give one for the names in the data."
        )
        msg = f"table translates none of the {len(names)} genes: {dropped}. {remedy}"
        raise ValueError(msg)
    translation = dict(zip(pairs["name"], pairs["translation"], strict=True))
    return dict(zip(names[good], plain[good].map(translation), strict=True)), dropped


def _pairs(table: pd.DataFrame | Mapping[str, str]) -> pd.DataFrame:
    """Distinct pairs of names, in the columns ``name`` and ``translation``."""
    if isinstance(table, Mapping):
        pairs = pd.DataFrame({"name": list(table.keys()), "translation": list(table.values())}, dtype=object)
    elif isinstance(table, pd.DataFrame):
        if table.shape[1] != 2:
            msg = (
                f"table has {table.shape[1]} columns ({some(table)}); give two, the names in the data and their "
                "translations: table[[name, translation]]."
            )
            raise ValueError(msg)
        pairs = table.astype(object).set_axis(["name", "translation"], axis=1)
    else:
        msg = f"table is {type(table).__name__}; give a DataFrame with two columns, or a dict of names."
        raise TypeError(msg)
    pairs = pairs[~(pairs.isna() | (pairs == "")).any(axis=1)]
    _check_strings(pairs.to_numpy().ravel(), "table holds names", "convert them: table.dropna().astype(str)")
    return pairs.assign(name=_without_version(pairs["name"])).drop_duplicates()


def _check_strings(names: NDArray[np.object_], what: str, remedy: str) -> None:
    strange = [name for name in names if not isinstance(name, str)]
    if strange:
        msg = f"{what} that are not strings ({some(strange)}); {remedy}."
        raise TypeError(msg)


def _without_version(names: pd.Series[str]) -> pd.Series[str]:
    return names.astype(object).map(lambda name: match[1] if (match := VERSIONED.fullmatch(name)) else name)


def _told(dropped: str) -> str:
    return f"\n    dropped: {dropped}" if dropped else ""
