"""Care of networks: likelihoods that compare, regulons of one size, edges that are given once."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from pysces._check import flag, no_effect, one_of, some, whole_number
from pysces._network import check_network, numbers


def prune_regulons(
    network: pd.DataFrame,
    max_targets: int = 50,
    *,
    adaptive: bool = False,
    eliminate: bool = False,
    min_targets: int = 1,
) -> pd.DataFrame:
    """Keep the most likely targets of every regulator, so that regulons of different sizes compare.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target``, ``weight`` and, perhaps, ``likelihood`` (by default 1) and
        ``group``, each of which is pruned on its own. It is left as it is.
    max_targets
        Most targets of a regulator.
    adaptive
        Keep targets, in the order of falling likelihood :math:`l`, as long as the sum of :math:`(l / l_{max})^2` over
        those kept, the size that VIPER normalises by, is at most ``max_targets``.
    eliminate
        Drop regulators with fewer than ``max_targets`` targets, so that all have as many.
    min_targets
        Drop regulators with fewer targets left.

    Returns
    -------
    A new table of the edges kept, in their order and numbered from 0. Of equally likely targets those with the larger
    absolute weight go first, then by name.

    Raises
    ------
    ValueError
        If the network is not valid, no regulator has enough targets, or ``eliminate`` is given with ``adaptive``, whose
        regulons differ in number of targets.
    TypeError
        If ``network`` is not a DataFrame.

    References
    ----------
    Alvarez et al. 2016, doi:10.1038/ng.3593.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> net = pd.DataFrame({"source": list("AAAB"), "target": list("wxyz"), "weight": 1.0})
    >>> net["likelihood"] = [0.2, 0.9, 0.5, 0.7]
    >>> ps.pp.prune_regulons(net, max_targets=2)
      source target  weight  likelihood
    0      A      x     1.0         0.9
    1      A      y     1.0         0.5
    2      B      z     1.0         0.7
    """
    max_targets = whole_number(max_targets, "max_targets", least=1)
    min_targets = whole_number(min_targets, "min_targets", least=1)
    adaptive, eliminate = flag(adaptive, "adaptive"), flag(eliminate, "eliminate")
    if adaptive and eliminate:
        msg = "eliminate=True has no meaning with adaptive=True, where regulons differ in size; use min_targets."
        raise ValueError(msg)
    if eliminate:
        no_effect({"min_targets": (min_targets, 1)}, "eliminate=True, where all regulators keep max_targets")
    table = check_network(network)
    likelihood, weight = (table[name].to_numpy(np.float64) for name in ("likelihood", "weight"))
    order = np.lexsort((table["target"].astype(str), -np.abs(weight), -likelihood))
    regulon = table.iloc[order].groupby(_regulon(table), observed=True, sort=False)
    if adaptive:
        kept = regulon["likelihood"].transform(lambda falling: ((falling / falling.max()) ** 2).cumsum()) <= max_targets
    else:
        kept = regulon.cumcount() < max_targets
    pruned = network.iloc[np.sort(order[kept.to_numpy()])]
    n_targets = pruned.groupby(_regulon(table), observed=True)["target"].transform("size")
    least = max(min_targets, max_targets if eliminate else 1)
    if n_targets.max() < least:
        msg = f"no regulator has {least} targets left (the largest has {n_targets.max()}); ask for fewer."
        raise ValueError(msg)
    return _renumbered(pruned[(n_targets >= least).to_numpy()])


def normalise_likelihood(
    network: pd.DataFrame, *, within: Literal["regulator", "network"] = "regulator"
) -> pd.DataFrame:
    """Divide likelihoods by the largest: of each regulator, as is the convention of ARACNe3, or of the network.

    Within regulators the likeliest target of each gets 1, so that regulators with weak edges compare with others; aREA
    does this itself, and gives the same scores. Within the network, regulators keep their differences.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target``, ``weight`` and ``likelihood``, which may be any finite numbers
        above 0, such as mutual information; and perhaps ``group``, each of which is a network of its own. It is left
        as it is.
    within
        Whose largest likelihood becomes 1: ``"regulator"`` or ``"network"``.

    Returns
    -------
    A copy of the table with the float64 column ``likelihood`` in (0, 1].

    Raises
    ------
    ValueError
        If the network is not valid, or a likelihood is missing, infinite or not above 0.
    TypeError
        If ``network`` is not a DataFrame.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> net = pd.DataFrame({"source": list("AAB"), "target": list("xyz"), "weight": 1.0, "likelihood": [4.0, 2.0, 1.0]})
    >>> ps.pp.normalise_likelihood(net)["likelihood"].tolist()
    [1.0, 0.5, 1.0]
    """
    one_of(within, ("regulator", "network"), "within")
    table = checked(network, likelihood=1.0)
    if "likelihood" not in network.columns:
        msg = f"network lacks the column 'likelihood'; it has: {some(network.columns)}. Rename the one that holds it."
        raise ValueError(msg)
    likelihood = network["likelihood"].astype(np.float64)
    bad = ~(np.isfinite(likelihood) & (likelihood > 0))
    if bad.any():
        msg = (
            f"network['likelihood'] must be finite and above 0; {bad.sum()} of {len(bad)} values are not (such as "
            f"{likelihood[bad].iloc[0]:g}). Drop these edges."
        )
        raise ValueError(msg)
    keys = [name for name in _regulon(table) if name == "group" or within == "regulator"]
    if not keys:
        return network.assign(likelihood=likelihood / likelihood.max())
    largest = table.assign(likelihood=likelihood).groupby(keys, observed=True)["likelihood"].transform("max")
    return network.assign(likelihood=likelihood / largest)


def scale_weights(network: pd.DataFrame) -> pd.DataFrame:
    r"""Turn strengths of edges, such as coefficients or importances, into the weights and likelihoods of VIPER.

    The ``weight`` of an edge is its mode of regulation: 1 for a target that is surely activated, -1 for one that is
    surely repressed, 0 if the direction is not known. Strengths :math:`s` divided by the largest would be near 0 for
    most edges and make their directions unknown. Their signs become weights, and their sizes likelihoods:

    .. math:: \text{weight} = \operatorname{sgn}(s), \qquad \text{likelihood} = |s| / \max |s|.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target`` and ``weight``, which may be any finite numbers, and perhaps
        ``group``, each of which is a network of its own. It is left as it is.

    Returns
    -------
    A new table, rows in their order and numbered from 0, with the float64 columns ``weight``, 1 or -1, and
    ``likelihood`` in (0, 1]. Edges of strength 0 are left out.

    Raises
    ------
    ValueError
        If the network is not valid, a weight is missing or infinite, all are 0, or the network has likelihoods already.
    TypeError
        If ``network`` is not a DataFrame.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> net = pd.DataFrame({"source": "A", "target": list("xyz"), "weight": [8.0, -2.0, 0.4]})
    >>> ps.pp.scale_weights(net)
      source target  weight  likelihood
    0      A      x     1.0        1.00
    1      A      y    -1.0        0.25
    2      A      z     1.0        0.05
    """
    table = checked(network, weight=0.0)
    if "weight" not in network.columns or "likelihood" in network.columns:
        found = some(network.columns)
        msg = (
            f"network needs a column 'weight' with the strengths of the edges and none called 'likelihood', which is "
            f"made of them; it has: {found}. Rename the column of strengths to 'weight', or drop 'likelihood'."
        )
        raise ValueError(msg)
    strength = numbers(network["weight"])
    if not np.isfinite(strength).all():
        bad = ~np.isfinite(strength)
        msg = f"network['weight'] must be finite; {bad.sum()} of {len(bad)} values are not. Drop these edges."
        raise ValueError(msg)
    size = pd.Series(np.abs(strength), index=table.index)
    largest = size.groupby(table["group"], observed=True).transform("max") if "group" in table else size.max()
    likelihood = np.maximum((size / largest).to_numpy(), np.finfo(np.float64).tiny)
    kept = strength != 0
    if not kept.any():
        msg = "network['weight'] is 0 for every edge; give the strengths of the edges."
        raise ValueError(msg)
    return _renumbered(network.assign(weight=np.sign(strength), likelihood=likelihood).loc[kept])


def merge_duplicates(network: pd.DataFrame, how: Literal["first", "mean", "max_likelihood"] = "first") -> pd.DataFrame:
    """Make one edge of all that have the same regulator and target (and group), as the other functions expect.

    Parameters
    ----------
    network
        Table with the columns ``source``, ``target``, ``weight`` and, perhaps, ``likelihood`` and ``group``. It is left
        as it is.
    how
        ``"first"`` keeps the first; ``"max_likelihood"`` the likeliest, the first of several; ``"mean"`` the first with
        the means of ``weight``, ``likelihood`` and all other floating-point columns.

    Returns
    -------
    A new table, in the order of the edges kept and numbered from 0.

    Raises
    ------
    ValueError
        If the network is not valid, but for its duplicates.
    TypeError
        If ``network`` is not a DataFrame.

    Examples
    --------
    >>> import pandas as pd, pysces as ps
    >>> net = pd.DataFrame({"source": list("AAB"), "target": list("xxy"), "weight": [1.0, 0.5, -1.0]})
    >>> ps.pp.merge_duplicates(net, "mean")
      source target  weight
    0      A      x    0.75
    1      B      y   -1.00
    """
    one_of(how, ("first", "mean", "max_likelihood"), "how")
    # each edge in a group of its own: none is twice there; then the groups themselves
    table = checked(network, group=lambda edges: np.arange(len(edges)))
    edge = [*_regulon(network), "target"]
    check_network(network.drop_duplicates(edge))
    order = np.arange(len(network))
    if how == "max_likelihood":
        order = np.argsort(-table["likelihood"].to_numpy(np.float64), kind="stable")
    if how == "mean":
        averaged = [name for name in network if name in {"weight", "likelihood"} or network[name].dtype.kind == "f"]
        network = network.assign(**network.groupby(edge, observed=True)[averaged].transform("mean"))
    return _renumbered(network.iloc[np.sort(order[~network.iloc[order].duplicated(edge).to_numpy()])])


def checked(network: object, **instead: Any) -> pd.DataFrame:
    """The network if it is valid with these columns in place of its own."""
    return check_network(network.assign(**instead) if isinstance(network, pd.DataFrame) else network)


def _regulon(network: pd.DataFrame) -> list[str]:
    """The columns that name a regulon."""
    return [name for name in ("group", "source") if name in network.columns]


def _renumbered(network: pd.DataFrame) -> pd.DataFrame:
    """Numbered from 0, without names of regulators and targets that are gone."""
    table = network.reset_index(drop=True)
    for name in ("source", "target"):
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            table[name] = table[name].cat.remove_unused_categories()
    return table
