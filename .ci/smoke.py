"""What an installed wheel must do."""

from pathlib import Path

import pysces as ps

assert Path(ps.__file__).is_relative_to(Path.cwd() / "venv")
adata = ps.datasets.pbmc68k()
ps.tl.aracne(adata, regulators="human_tfs", n_subnetworks=2)
ps.tl.viper(adata, min_targets=10)
ps.tl.rank_regulators(adata, "cell_type")
ps.pl.rank_regulators(adata)
print(f"pysces {ps.__version__}: activities of {adata.n_obs} cells x {adata.obsm['viper'].shape[1]} regulators")
