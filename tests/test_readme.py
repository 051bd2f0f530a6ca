"""What the README shows runs."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.filterwarnings("ignore:invalid value encountered in log2")  # scanpy's fold changes of scores
@pytest.mark.filterwarnings("ignore:.*(fewer than min_cells|groups get no scores|no edge is significant)")
@pytest.mark.filterwarnings("ignore:.*non-interactive")
def test_code_blocks_run_in_order() -> None:
    mpl.use("Agg")
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 1
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    adata = names["adata"]
    assert {"aracne", "viper"} <= set(adata.uns)
    assert adata.obsm["viper"].shape[0] == adata.n_obs
    assert "rank_genes_groups" in names["act"].uns
