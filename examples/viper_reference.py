"""Values of R viper, NaRnEA and pyviper, the data they are of, and a table of how far pysces is from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

import pysces as ps
from pysces._csr import as_csr
from pysces._enrich.area import farthest_rank, normalised_scores
from pysces._network import code_network, in_network

if TYPE_CHECKING:
    from pathlib import Path

    from pysces._regulons import Regulons

EXACT = 1e-9
NAMES = ("__rn", "__cn", "__regs")
EDGE = ["source", "target", "weight", "likelihood"]


class Reference:
    """The values of a folder, and how far pysces is from them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.failed, self.values = folder, 0, {}
        for name, prefix in (
            ("r_reference", ""), ("r_reference_pleio", "pleio/"), ("r_reference_narnea", "narnea/"),
            ("pyviper_reference", "pyviper/"),
        ):  # fmt: skip
            file = np.load(folder / f"{name}.npz", allow_pickle=True)
            self.values |= {prefix + key: file[key] for key in file.files}
        self.unseen = {key for key in self.values if not key.endswith(NAMES)}
        self.unseen |= {path.name for path in folder.glob("r_*.t*")}

    def __getitem__(self, key: str) -> pd.DataFrame:
        """Samples x regulators (or whatever R has in columns and rows)."""
        if key.startswith("pyviper/"):
            return pd.DataFrame(self.values[key], columns=self.values[f"{key}__regs"].astype(str))
        return pd.DataFrame(self.values[key].T, columns=self.values[f"{key}__rn"].astype(str))

    def table(self, name: str, columns: list[str]) -> pd.DataFrame:
        """A file of tab-separated values without a header."""
        return pd.read_csv(self.folder / name, sep="\t", header=None, names=columns)

    def check(
        self, key: str, what: str, found: Any, wanted: Any = None, *, limit: float = EXACT, why: str = ""
    ) -> None:
        """Print how far ``found`` is from the value; only with ``why`` it may be."""
        wanted = self[key] if wanted is None else wanted
        if isinstance(found, pd.DataFrame) and isinstance(wanted, pd.DataFrame):
            found = found[wanted.columns]
        distance = np.abs(np.asarray(found, np.float64) - np.asarray(wanted, np.float64)).max()
        failed = not distance <= limit and not why
        self.failed += failed
        self.say(key, what, f"{distance:.1e}", "FAILED" if failed else why)

    def say(self, key: str, what: str, found: str = "-", why: str = "") -> None:
        """Print a line for a value."""
        self.unseen.discard(key)
        print(f"{key:30s} {what:54s} {found:>8s}  {why}".rstrip())


class Data:
    """Expression and networks."""

    def __init__(self, folder: Path) -> None:
        inputs = np.load(folder / "inputs.npz", allow_pickle=True)
        self.x, self.tied, self.reference = inputs["expr"], inputs["tied"], inputs["ref_idx"]
        self.x_pleiotropy = np.load(folder / "inputs_pleio.npz", allow_pickle=True)["expr"]
        self.genes = inputs["genes"].astype(str).astype(object)
        self.network, self.network2, self.edge, self.pleiotropy = (
            pd.read_csv(folder / f"{name}.tsv", sep="\t").set_axis(EDGE, axis=1)
            for name in ("net1", "net2", "net1_edge", "net_pleio")
        )

    def adata(self) -> AnnData:
        """Expression above 0, which changes no signature but ``none``."""
        obs = pd.DataFrame({"side": np.repeat(["reference", "test"], [20, 40]), "third": np.repeat([*"abc"], 20)})
        return AnnData(self.x - self.x.min(), obs.set_axis(obs.index.astype(str)), pd.DataFrame(index=self.genes))

    def nes(self, network: pd.DataFrame, x: Any, field: str = "nes", **options: Any) -> pd.DataFrame:
        """Scores by the public class."""
        of_fit, of_score = ({key: options.pop(key) for key in (name,) if key in options} for name in ("null", "rows"))
        model = ps.VIPER(network, **options).fit(x, self.genes, **of_fit)
        return pd.DataFrame(getattr(model.score(x, **of_score), field), columns=model.regulators_)

    def coded(self, *, filtered: bool = True) -> tuple[list[str], Regulons, np.ndarray]:
        """Names of regulators, regulons, and the genes in which their targets are."""
        kept = np.flatnonzero(in_network(self.network, self.genes) | (not filtered))
        names, regulons = code_network(self.network, self.genes)
        return list(names), regulons.restrict(kept, len(self.genes)), kept

    def of_matrix(self, x: np.ndarray, *, filtered: bool) -> pd.DataFrame:
        """Scores with one tail measured from the farthest rank of all cells."""
        names, regulons, kept = self.coded(filtered=filtered)
        block, zero = as_csr(x[:, kept]), np.zeros(len(kept))
        scores = normalised_scores(block, zero, regulons, 1, least_far=farthest_rank(block, zero))
        return pd.DataFrame(scores, columns=names)


def alike(found: pd.DataFrame, wanted: pd.DataFrame) -> str:
    """Correlation of scores."""
    return f"r = {np.corrcoef(found[wanted.columns].to_numpy().ravel(), wanted.to_numpy().ravel())[0, 1]:.4f}"
