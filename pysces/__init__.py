"""Regulatory networks and regulator activity from single-cell data, in a scanpy workflow."""

from __future__ import annotations

from importlib.metadata import version

from pysces import datasets, get, io, pl, pp, tl
from pysces._check import warn_of_name_clash
from pysces._compile import compile_kernels
from pysces._log import announce_compilation
from pysces.estimators import VIPER, ARACNe

__version__ = version("pysces-grn")
__all__ = ["VIPER", "ARACNe", "__version__", "compile_kernels", "datasets", "get", "io", "pl", "pp", "tl"]

announce_compilation()
warn_of_name_clash()
del announce_compilation, version, warn_of_name_clash
