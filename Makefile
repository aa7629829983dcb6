# `make help` lists the targets. ARGS passes options on: make test ARGS="-k chain -x"
SHELL := bash
.DEFAULT_GOAL := help
ARGS ?=
PY := .venv/bin/python
# A process for each processor; a file's tests stay together and in their order. One process: ARGS="-n 0"
PYTEST := $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# Where it is set, every process that is started would compile all of the source anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup setup-dev run test test-browser test-all lint format types check bench lock

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  \033[1mmake %-14s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## Start Earshot (API, worker, dashboard), with demo data the first time
	@exec .venv/bin/earshot up $(ARGS)

test: setup-dev ## Run the tests, all but those in a browser
	@exec $(PYTEST) -m "not browser" $(ARGS)

setup: ## Make .venv with what running needs
	@bin/setup

setup-dev: ## Make .venv with what tests, lint and benches need too
	@bin/setup dev

test-browser: setup-dev ## Run the tests that drive Chromium
	@exec $(PYTEST) -m browser $(ARGS)

test-all: setup-dev ## Run every test
	@exec $(PYTEST) $(ARGS)

lint: setup-dev ## Check style and formatting
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: setup-dev ## Put the code into its format
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: setup-dev ## Check types, strictly in models/ and api/
	$(PY) -m mypy

check: lint types test ## Lint, types and tests

bench: setup-dev ## Measure throughput on this machine, beside a naive baseline
	@exec $(PY) -m bench $(ARGS)

lock: ## Resolve pyproject.toml into the two lock files (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-find-links pyproject.toml --group build -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-find-links pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock
