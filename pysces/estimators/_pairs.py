"""The full ranking: every pair of a regulator and a gene, as matrices or streamed as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class PairScores(NamedTuple):
    """Every pair of a regulator and a gene, on all cells; NaN where no pair is tested.

    The three matrices take 24 bytes per pair; :meth:`tables` adds one regulator at a time.
    """

    sources: NDArray[np.object_]
    """Names of the regulators, the rows."""
    targets: NDArray[np.object_]
    """Names of the genes, the columns."""
    mi: NDArray[np.float64]
    """Mutual information in nats."""
    log_pvalue: NDArray[np.float64]
    """Natural log of the p-value."""
    log_qvalue: NDArray[np.float64]
    """Natural log of the Benjamini-Hochberg adjusted p-value over all pairs tested."""

    def tables(self) -> Iterator[pd.DataFrame]:
        r"""One table per regulator with the columns source, target, mi, log_pvalue, log_qvalue, by falling mi.

        Examples
        --------
        >>> import io, numpy as np, pysces as ps
        >>> X = np.random.default_rng(0).poisson(2.0, (100, 5))
        >>> file = io.StringIO()
        >>> for table in ps.ARACNe().score(X, regulators=[0, 1]).tables():
        ...     table.to_csv(file, sep="\t", header=file.tell() == 0, index=False)
        >>> len(file.getvalue().splitlines())
        9
        """
        for row, source in enumerate(self.sources):
            order = np.argsort(-self.mi[row], kind="stable")
            order = order[~np.isnan(self.mi[row, order])]
            yield pd.DataFrame(
                {
                    "source": pd.Series(np.repeat(source, len(order)), dtype="str"),
                    "target": pd.Series(self.targets[order], dtype="str"),
                    "mi": self.mi[row, order],
                    "log_pvalue": self.log_pvalue[row, order],
                    "log_qvalue": self.log_qvalue[row, order],
                }
            )
