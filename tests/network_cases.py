"""Networks of groups, for figures of whole networks, and what they share by definition."""

from __future__ import annotations

from itertools import pairwise, permutations

import anndata as ad
import numpy as np
import pandas as pd

from pysces import _slots

SIZES = {"nk": {"A": 30, "B": 4, "C": 1}, "CD8+/CD45RA+ Naive Cytotoxic": {"A": 25, "B": 24}, "b": {"C": 2}}
"""Numbers of targets by group, not in the order of the alphabet."""


def edges(sizes, **columns) -> pd.DataFrame:
    """Regulators with so many targets each: the first genes."""
    source = np.repeat(list(sizes), list(sizes.values()))
    target = [f"g{i}" for n in sizes.values() for i in range(n)]
    return pd.DataFrame({"source": source, "target": target, "weight": 0.5, **columns})


def table(sizes=SIZES) -> pd.DataFrame:
    """A network with groups."""
    joined = pd.concat([edges(own).assign(group=label) for label, own in sizes.items()], ignore_index=True)
    rng = np.random.default_rng(0)
    joined["mi"] = rng.exponential(0.1, len(joined))
    joined["support"] = rng.integers(1, 9, len(joined))
    joined["group"] = pd.Categorical(joined["group"], categories=list(sizes))
    return joined.astype({"source": "category", "target": "category"})


def many(n_groups, n_regulators=6) -> pd.DataFrame:
    """Many groups with long names."""
    rng = np.random.default_rng(1)
    labels = [f"tissue of the body {i % 5} | cell type number {i}" for i in range(n_groups)]
    return table({label: {f"R{r}": int(rng.integers(1, 60)) for r in range(n_regulators)} for label in labels})


def stored(network, **parameters) -> ad.AnnData:
    """Data with a network, as tl.aracne stores it."""
    adata = ad.AnnData(np.ones((3, 2), np.float32), uns={"title": "T"})
    _slots.write_tables(adata, "aracne", {"network": network}, _slots.params(**parameters))
    return adata


def reread(adata, path) -> ad.AnnData:
    """What a file gives back."""
    getattr(adata, f"write_{path.suffix[1:]}")(path)
    return getattr(ad, f"read_{path.suffix[1:]}")(path)


def overlap(network, columns, measure) -> pd.DataFrame:
    """The overlap of every two groups by sets."""
    sets = {label: set(map(tuple, own[columns].to_numpy())) for label, own in network.groupby("group", observed=False)}
    found = pd.DataFrame(np.nan, index=list(sets), columns=list(sets))
    for (a, in_a), (b, in_b) in permutations(sets.items(), 2):
        if in_a and in_b:
            whole = len(in_a | in_b) if measure == "jaccard" else min(len(in_a), len(in_b))
            found.loc[a, b] = len(in_a & in_b) / whole
    return found


def fits(figure) -> bool:
    """Whether all that is drawn is within the figure."""
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    return box.x0 > -0.02 and box.y0 > -0.02 and box.x1 < width + 0.02 and box.y1 < height + 0.02


def apart(labels) -> bool:
    """Whether names from above to below do not meet."""
    boxes = [label.get_window_extent() for label in labels]
    return all(above.y0 >= below.y1 for above, below in pairwise(boxes))
