# The front door: `make demo` and `make test` need nothing but make and a Python 3.12 or newer.
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?=
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint clean

demo: $(VENV)/installed
	$(BIN)/python examples/demo.py demo

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

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

clean:
	rm -rf $(VENV) demo
