# The front door: `make demo` and `make test` need nothing but make and a Python 3.12 or newer.
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?=
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Tests of kernels that are quick enough without compilation.
KERNEL_TESTS := tests/enrich $(addprefix tests/infer/test_,copula.py correlation.py information.py partition.py pruning.py ranks.py)

# Tests of what other packages see, for their oldest versions.
MINIMUM_TESTS := tests/io tests/pp tests/tl tests/test_decoupler.py tests/test_get.py tests/test_scanpy.py
MINIMUM := $(VENV)-minimum

# One process of tests per core.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: demo test quick test-interpreted test-minimum test-census lint tutorials docs wheel clean

demo: $(VENV)/installed
	$(BIN)/python examples/demo.py demo

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PARALLEL)

# What the change at hand needs, in about a minute: a few cases of each of its tests.
quick: $(VENV)/installed-test
	$(BIN)/python .ci/quick.py $(PARALLEL)

test-interpreted: $(VENV)/installed-test
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(PARALLEL) $(KERNEL_TESTS)

# The oldest versions that pyproject.toml allows, which have wheels for Python 3.12 only: make test-minimum PYTHON=python3.12.
# What they import is new and warns of their age.
test-minimum: $(MINIMUM)/installed-test
	NUMBA_CACHE_DIR=$(abspath $(MINIMUM))/numba $(MINIMUM)/bin/python -m pytest \
		$(PARALLEL) --override-ini filterwarnings=default --disable-warnings $(MINIMUM_TESTS)

# The client of the CELLxGENE Census needs pandas 2: an environment of its own.
test-census:
	$(MAKE) VENV=$(VENV)-census $(VENV)-census/installed-census
	$(VENV)-census/bin/python -m pytest tests/census

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tutorials: $(VENV)/installed-tutorials
	$(BIN)/python -m pytest --nbmake tutorials

# DOCS_OFFLINE= make docs: with links to the pages of other projects.
docs: export DOCS_OFFLINE ?= 1
docs: $(VENV)/installed-docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build/html

# Source and wheel, and the wheel at work in an empty environment.
wheel: $(VENV)/installed-release
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	.ci/smoke $(BIN)/python dist/*.whl

$(VENV)/installed: pyproject.toml
	python=$$(PYTHON="$(PYTHON)" .ci/find-python) && "$$python" -m venv --clear $(VENV)
	$(INSTALL) --upgrade 'pip>=25.1'
	$(INSTALL) --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(INSTALL) --group test
	touch $@

$(MINIMUM)/installed-test: $(VENV)/installed
	$(INSTALL) --group minimum
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(MINIMUM)
	UV_SYSTEM_CERTS=1 $(BIN)/uv pip install --quiet --python $(MINIMUM) --resolution lowest-direct --group test --editable .
	touch $@

$(VENV)/installed-census: $(VENV)/installed
	$(INSTALL) --editable '.[census]' --group census
	touch $@

$(VENV)/installed-lint: $(VENV)/installed-test
	$(INSTALL) --group lint
	touch $@

$(VENV)/installed-tutorials: $(VENV)/installed-test
	$(INSTALL) --group tutorials
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(INSTALL) --group docs
	touch $@

$(VENV)/installed-release: $(VENV)/installed
	$(INSTALL) --group release
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-census $(MINIMUM) demo dist docs/_build docs/api/generated docs/tutorials
