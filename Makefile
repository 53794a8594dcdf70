# Every target makes the virtual environment first when it is missing or out of date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup run test check format e2e bench clean
.DEFAULT_GOAL := help

help:
	@echo "make run     start Hookyard with sample messages on http://127.0.0.1:8000"
	@echo "make test    the default tests (under a minute)"
	@echo "make check   format, lint, types, import rules, routes.yaml"
	@echo "make e2e     real processes, real clients, kill -9"
	@echo "make bench   speed and memory, as ratios within one run"

setup: $(STAMP)

$(STAMP): pyproject.toml
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hookyard needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $(STAMP)

run: $(STAMP)
	@$(BIN)/hookyard dev --demo

test: $(STAMP)
	$(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hookyard check

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

e2e: $(STAMP)
	$(BIN)/python -m pytest -m "e2e or faults"

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .hookyard .mypy_cache .ruff_cache .pytest_cache .hypothesis
