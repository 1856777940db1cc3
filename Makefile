# The project's commands. Everything runs from a virtual environment that is made here when it is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## Make the virtual environment, with everything the lock file names

demo: $(READY) ## Run the connector with an emulated AWS behind it, on http://127.0.0.1:8080; ARGS="--port 9090" for another port
	@$(BIN)/idc-connector demo $(ARGS)

test: lint types imports tests ## Run every check and every test

lint: $(READY) ## Check style, and for weaknesses
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive connector spec

types: $(READY) ## Check types
	$(BIN)/mypy

imports: $(READY) ## Check who imports whom
	@PYTHONWARNINGS=ignore $(BIN)/lint-imports --no-logo 2>/dev/null || PYTHONWARNINGS=ignore $(BIN)/lint-imports

# Four, also on two cores: half of a test's time is waiting for clocks and leases.
tests: $(READY) ## Run the tests alone; ARGS="-k name" narrows them
	$(BIN)/pytest -n 4 --dist loadfile -m "not slow" $(ARGS)

slow: $(READY) ## Run the tests that take long
	$(BIN)/pytest -m slow $(ARGS)

audit: $(READY) ## Ask PyPI's database for known weaknesses of the libraries in requirements.lock
	$(BIN)/uv tool run pip-audit@2.10.1 --strict --require-hashes --disable-pip -r requirements.lock

chaos: $(READY) ## Change, fail and kill for a minute, then check that nothing was lost; ARGS="--seconds 600 --seed 7"
	$(BIN)/python -m tests.chaos $(ARGS)

bench: $(READY) ## Measure, into docs/performance.md; ARGS="cold-S-20 --times 3" names parts
	$(BIN)/python -m tests.bench $(ARGS)

format: $(READY) ## Put the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY) ## Renew the lock files from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
		--extra postgres -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
		--extra postgres --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml

isc: $(READY) ## Build the bundle for Identity Security Cloud, spec/isc/dist/*.zip (Node 18 or newer); SOURCE=name for one source
	@$(BIN)/python spec/isc/bundle.py $(SOURCE)

clean: ## Remove what was made here
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist var

.PHONY: help setup demo test lint types imports tests slow audit chaos bench format lock isc clean
