# Every target first makes the virtual environment when it is missing or older than pyproject.toml.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(if \
	$(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))) python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SDKS := tests/e2e/sdk/node_modules/.package-lock.json
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help setup run test check format e2e bench clean
.DEFAULT_GOAL := help

help:
	@echo "make run     start Hookyard with sample messages on http://127.0.0.1:8000"
	@echo "make test    the default tests (a minute or two)"
	@echo "make check   format, lint, types, import rules, routes.yaml"
	@echo "make format  put the code into the form that check asks for"
	@echo "make e2e     real processes, real clients (Node and Chromium where installed), kill -9"
	@echo "make bench   speed and memory, as ratios within one run"
	@echo "make setup   only the virtual environment; make clean removes it and the caches (not .hookyard/)"

setup: $(STAMP)

# A venv without pip is what Debian leaves behind when python3-venv is not installed.
$(STAMP): pyproject.toml
	@echo "Setting up $(VENV) with $(PYTHON) (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Hookyard needs Python 3.11 or newer, and $(PYTHON) is not; try: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
		echo "Python could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --editable . --group dev
	@touch $(STAMP)

run: $(STAMP)
	@$(BIN)/hookyard dev --demo

# One process more than there are cores: many tests wait for Valkey, sockets and clocks.
test: $(STAMP)
	$(BIN)/python -m pytest -n $$(($$(nproc) + 1))

# The shipped routes.yaml names this secret; its value does not matter to the check.
check: export SEGMENT_SECRET := $(or $(SEGMENT_SECRET),only-for-make-check)
check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hookyard check

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

e2e: $(STAMP) $(SDKS)
	$(BIN)/python -m pytest -n auto -m "e2e or faults"

# Segment's libraries for Node and browsers. Without npm their tests are skipped, and say so.
$(SDKS): tests/e2e/sdk/package-lock.json
	@! command -v npm >/dev/null || { npm ci --prefix $(<D) --ignore-scripts --loglevel=error && touch $@; }

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) tests/e2e/sdk/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
