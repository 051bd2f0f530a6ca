# The front door: `make demo` and `make test` need nothing but make and a Python 3.12 or newer.
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?=
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Tests of kernels that are quick enough without compilation.
KERNEL_TESTS := tests/enrich $(addprefix tests/infer/test_,copula.py correlation.py information.py partition.py pruning.py ranks.py)

# One process of tests per core.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: demo test test-interpreted lint tutorials clean

demo: $(VENV)/installed
	$(BIN)/python examples/demo.py demo

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PARALLEL)

test-interpreted: $(VENV)/installed-test
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(PARALLEL) $(KERNEL_TESTS)

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tutorials: $(VENV)/installed-tutorials
	$(BIN)/python -m pytest --nbmake tutorials

$(VENV)/installed: pyproject.toml
	python=$$(PYTHON="$(PYTHON)" .ci/find-python) && "$$python" -m venv --clear $(VENV)
	$(INSTALL) --upgrade 'pip>=25.1'
	$(INSTALL) --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(INSTALL) --group test
	touch $@

$(VENV)/installed-lint: $(VENV)/installed-test
	$(INSTALL) --group lint
	touch $@

$(VENV)/installed-tutorials: $(VENV)/installed-test
	$(INSTALL) --group tutorials
	touch $@

clean:
	rm -rf $(VENV) demo
