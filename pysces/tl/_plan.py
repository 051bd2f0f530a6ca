"""How all cells are scored: models that have learned from the cells to compare with, each for the cells of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pysces import _log, _slots
from pysces._cluster import on_workers
from pysces._matrix import checked_blocks, lazy_units
from pysces._parallel import consume, resolve_threads
from pysces.tl._panel import Panel, Scored, Single

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pysces._strata import Stratum
    from pysces.estimators import VIPER
    from pysces.estimators._remarks import Remarks

    type Write = Callable[[NDArray[np.intp], Scored], None]


class Plan(NamedTuple):
    """What scores the cells of each group. It needs one block of cells at a time."""

    regulators: NDArray[np.object_]
    part_of: NDArray[np.int32]
    """For every cell the number of its scorer, -1 for cells that are not scored."""
    scorers: list[Single | Panel]
    networks: list[NDArray[np.intp] | int]
    """For every scorer the numbers, in ``labels``, of its networks, or of its only one."""
    labels: list[str]
    """Of networks, if a cell may be scored with several; else empty."""
    regulons: pd.DataFrame
    """One row per regulon: ``source``, ``n_targets``, the spreads of its null, ``group`` if there are groups, and
    ``network`` if a cell may be scored with several."""
    remarks: dict[str, Remarks]
    """What is to be said of each model, by its group or network; by "" of the only one."""

    def score(self, rows: NDArray[np.intp], block: Any) -> Scored:
        """Scores of some cells, given in memory, under all regulators; float32, NaN where there are none."""
        shape = len(rows), len(self.regulators)
        found: dict[str, NDArray[np.float32]] = {}
        network, empty = np.full(len(rows), -1, np.intp), np.zeros(len(rows), np.bool_)
        part_of = self.part_of[rows]
        for part in np.unique(part_of):
            cells = np.flatnonzero(part_of == part)
            scorer, numbers = self.scorers[part], self.networks[part]
            scored = scorer.score(block if len(cells) == len(rows) else block[cells])
            columns = np.searchsorted(self.regulators, scorer.regulators)
            for name in ("nes", "sd", "pes"):
                if (values := getattr(scored, name)) is not None:
                    into = found.setdefault(name, np.full(shape, np.nan, np.float32))
                    into[np.ix_(cells, columns)] = values
            empty[cells] = scored.empty
            if scored.network is None:
                network[cells] = np.where(scored.empty, -1, numbers)
            else:
                network[cells] = np.where(scored.network < 0, -1, np.asarray(numbers)[scored.network])
        return Scored(found["nes"], found.get("sd"), found.get("pes"), empty, network if self.labels else None)


class Run(NamedTuple):
    """A plan, and what X may hold."""

    plan: Plan
    allow_negative: bool
    allow_missing: bool

    def here(self, x: Any, n_threads: int, write: Write) -> int:
        """Score all cells that can be scored, and hand the scores of a block at a time to ``write``, with a bar.

        The number of cells that are empty is returned.
        """
        rows = self.rows
        n_empty: list[int] = []

        def score(item: tuple[slice, Any]) -> None:
            place, block = item
            scored = self.plan.score(rows[place], block)
            n_empty.append(int(scored.empty.sum()))
            write(rows[place], scored)
            done(len(rows[place]))

        with _log.progress(len(rows), "cells") as done:
            consume(score, self._blocks(x, rows), resolve_threads(n_threads))
        return sum(n_empty)

    def on_cluster(self, x: Any, client: Any, write: Write) -> int:
        """The same, by the workers of a cluster, of what is read together of a dask array."""
        items = ((self.rows[places], part) for places, part in lazy_units(x, self.rows))
        n_empty = 0
        try:
            with _log.progress(len(self.rows), "cells") as done:
                for rows, scored in on_workers(client, _score_unit, self, items, "the scores of some cells"):
                    n_empty += int(scored.empty.sum())
                    write(rows, scored)
                    done(len(rows))
        except ValueError:
            for _ in self._blocks(x, self.rows):  # tells where in X the value is
                pass
            raise
        return n_empty

    @property
    def rows(self) -> NDArray[np.intp]:
        """Cells that can be scored."""
        return np.flatnonzero(self.plan.part_of >= 0)

    def _blocks(self, x: Any, rows: NDArray[np.intp]) -> Iterator[tuple[slice, Any]]:
        return checked_blocks(x, rows, allow_negative=self.allow_negative, allow_missing=self.allow_missing)


def _score_unit(run: Run, rows: NDArray[np.intp], part: Any) -> tuple[NDArray[np.intp], Scored]:
    """Scores of ``rows``, which begin with the first row of ``part``."""
    blocks = [run.plan.score(rows[place], block) for place, block in run._blocks(part, rows - rows[0])]
    joined = (None if of[0] is None else np.concatenate(of) for of in zip(*blocks, strict=True))
    return rows, Scored(*joined)  # type: ignore[arg-type]


class Use(NamedTuple):
    """A model, the label of its network, and the cells that it scores, alone or with others (``weights``)."""

    part: Stratum
    network: str
    model: VIPER | None


def regulons_of(uses: list[Use], names: NDArray[np.object_], *, grouped: bool, several: bool) -> pd.DataFrame:
    """The regulons of all models, in their order."""
    known = [(part.label, network, model) for part, network, model in uses if model is not None]
    sizes = [len(model.regulators_) for _, _, model in known]
    table = pd.DataFrame(
        {
            "source": pd.Categorical(np.concatenate([m.regulators_ for *_, m in known]), categories=names.tolist()),
            "n_targets": np.concatenate([model.n_targets_ for *_, model in known]),
        }
    )
    table[list(_slots.NULL_SPREADS)] = np.concatenate([model.null_spreads_ for *_, model in known])
    if grouped:
        table["group"] = _repeated([label for label, *_ in known], sizes)
        table = table[["group", *table.columns[:-1]]]
    if several:
        table = table.assign(network=_repeated([network for _, network, _ in known], sizes))
    return table


def _repeated(labels: list[str], sizes: list[int]) -> pd.Categorical[str]:
    return pd.Categorical(np.repeat(np.array(labels, dtype=object), sizes), categories=list(dict.fromkeys(labels)))
