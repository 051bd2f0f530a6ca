"""All that a call could change."""

from __future__ import annotations

from collections.abc import Mapping

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp


def state(x: object) -> object:
    """All that could change in x, to the bit and comparable."""
    match x:
        case ad.AnnData():
            names = ("X", "layers", "obs", "var", "obsm", "varm", "obsp", "uns")
            return {name: state(getattr(x, name)) for name in names}
        case pd.DataFrame():
            columns = [(str(x[name].dtype), repr(x[name].tolist())) for name in x]
            return (list(x.index), list(x.columns), columns, repr(x.attrs))
        case np.ndarray():
            return (str(x.dtype), x.shape, repr(x.tolist()) if x.dtype == object else x.tobytes())
        case sp.csr_matrix() | sp.csc_matrix() | sp.csr_array() | sp.csc_array():
            return (x.format, state(x.data), state(x.indices.astype(np.int64)), state(x.indptr.astype(np.int64)))
        case Mapping():
            return {key: state(value) for key, value in x.items() if key is not None}
        case _:
            return repr(x)
