"""How the site is built: ``make docs``. With ``DOCS_OFFLINE`` set, nothing is fetched from other sites."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

import pysces

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

HERE = Path(__file__).parent
OFFLINE = bool(os.environ.get("DOCS_OFFLINE"))

# Sources lie within the folder of the site, and links of git are files on Windows: so the notebooks are copied.
shutil.rmtree(HERE / "tutorials", ignore_errors=True)
shutil.copytree(HERE.parent / "tutorials", HERE / "tutorials", ignore=shutil.ignore_patterns(".*"))

project = "pysces"
author = "The pysces developers"
copyright = author
release = version = version_of("pysces-grn")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_autodoc_typehints",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.katex",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_merge_streams = True

autosummary_imported_members = True
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
always_use_bars_union = True
typehints_defaults = "braces"

nitpicky = not OFFLINE
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "anndata": ("https://anndata.readthedocs.io/en/stable", None),
    "dask": ("https://docs.dask.org/en/stable", None),
    "distributed": ("https://distributed.dask.org/en/stable", None),
    "matplotlib": ("https://matplotlib.org/stable", None),
    "numpy": ("https://numpy.org/doc/stable", None),
    "pandas": ("https://pandas.pydata.org/docs", None),
    "scanpy": ("https://scanpy.readthedocs.io/en/stable", None),
    "scipy": ("https://docs.scipy.org/doc/scipy", None),
}
if OFFLINE:
    intersphinx_mapping = {}

html_theme = "sphinx_book_theme"
html_title = "pysces"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],  # the search field is in the side bar
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}


def check_api(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that have no page."""
    from sphinx.util import logging

    documented = env.domains.python_domain.objects
    for name in pysces.__all__:
        public = getattr(pysces, name)
        names = [f"{name}.{inner}" for inner in getattr(public, "__all__", [])] or [name]
        for missing in {f"pysces.{n}" for n in names} - set(documented) - {"pysces.__version__"}:
            logging.getLogger(__name__).warning("%s is public and has no page", missing)


def setup(app: Sphinx) -> None:
    """Check the API when all pages were read."""
    app.connect("env-check-consistency", check_api)
