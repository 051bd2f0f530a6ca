"""What holds for the package as a whole: import cost, names, signatures."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import subprocess
import sys

import anndata
import pytest

import pysces as ps
from pysces import _check, _jit

LISTED = "import sys, json; import {}; print(json.dumps(sorted(sys.modules)))"
FUNCTIONS = [
    ps.tl.aracne,
    ps.tl.compare_networks,
    ps.tl.msviper,
    ps.tl.pathways,
    ps.tl.rank_regulators,
    ps.tl.regulator_conservation,
    ps.tl.similarity,
    ps.tl.viper,
    ps.pp.regulators,
]
OTHERS = [
    *(getattr(ps.pp, name) for name in ps.pp.__all__ if name != "regulators"),
    ps.datasets.census,
    ps.datasets.simulated,
    ps.get.comparison,
    ps.get.conservation,
    ps.get.metacells,
    ps.get.msviper,
    ps.get.pvalues,
    ps.get.regulators,
    ps.get.regulons,
    ps.get.similarity,
    *(getattr(ps.io, name) for name in ps.io.__all__),
    ps.ARACNe,
    ps.VIPER,
]
PLOTS = [getattr(ps.pl, name) for name in ps.pl.__all__]


def imported(package: str) -> set[str]:
    """Modules loaded by an import in a fresh interpreter."""
    out = subprocess.run([sys.executable, "-c", LISTED.format(package)], capture_output=True, text=True, check=True)
    return set(json.loads(out.stdout.splitlines()[-1]))


def test_import_brings_in_no_heavy_package_that_anndata_does_not() -> None:
    own = imported("pysces") - imported("anndata")
    for heavy in ("scanpy", "matplotlib", "dask", "sklearn", "scipy.stats", "tqdm", "igraph", "networkx"):
        assert heavy not in own


def test_version_is_that_of_the_distribution() -> None:
    assert ps.__version__ == importlib.metadata.version("pysces-grn")


def test_name_clash_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    _check.warn_of_name_clash()  # silent: nothing else provides the package here
    monkeypatch.setattr(_check, "distribution", lambda name: name)
    with pytest.warns(UserWarning, match="separate environments"):
        _check.warn_of_name_clash()


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions_have_the_signature_of_scanpy(function) -> None:
    parameters = list(inspect.signature(function, eval_str=False).parameters.values())
    positional = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert parameters[0].name == "adata"
    assert len(positional) <= 3
    assert inspect.signature(function).parameters["copy"].default is False
    assert str(inspect.signature(function).return_annotation) == "AnnData | None"


@pytest.mark.parametrize("plot", PLOTS, ids=lambda f: f.__name__)
def test_plots_take_adata_first_and_axes(plot) -> None:
    parameters = inspect.signature(plot).parameters
    positional = [p for p in parameters.values() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert next(iter(parameters)) == "adata"
    assert len(positional) <= 3
    assert parameters["ax"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["ax"].default is None
    assert not {"save", "show"} & set(parameters)
    assert str(inspect.signature(plot).return_annotation) == "Axes"


@pytest.mark.parametrize("public", [*FUNCTIONS, *OTHERS, *PLOTS], ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_every_parameter_is_documented(public) -> None:
    documented = inspect.getdoc(public).split("Parameters\n")[1].split("\nReturns")[0]
    for name in inspect.signature(public).parameters:
        assert any(name in line.replace(",", " ").split() for line in documented.splitlines()), name


def test_class_and_function_share_parameter_names_and_defaults() -> None:
    for function, estimator in ((ps.tl.aracne, ps.ARACNe), (ps.tl.viper, ps.VIPER)):
        outer, inner = inspect.signature(function).parameters, inspect.signature(estimator).parameters
        for name, parameter in inner.items():
            assert name in outer
            if name != "network":
                assert outer[name].default == parameter.default


def test_kernels_compile_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    numba_njit = _jit.numba.njit

    def without_locator(*args, **options):
        if options.get("cache"):
            msg = "cannot cache function: no locator available"
            raise RuntimeError(msg)
        return numba_njit(*args, **options)

    monkeypatch.setattr(_jit.numba, "njit", without_locator)
    assert _jit.kernel(lambda x: x + 1)(2) == 3


def test_all_names_exist() -> None:
    for module in (ps, ps.pp, ps.tl, ps.pl, ps.get, ps.io, ps.datasets):
        assert all(hasattr(module, name) for name in module.__all__)
    assert isinstance(ps.datasets.pbmc68k(), anndata.AnnData)
