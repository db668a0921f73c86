# Carnet. `make` alone lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes
export PIP_ROOT_USER_ACTION := ignore

.PHONY: help demo demo-reset test test-long bench lint format lock assets test-assets system-packages
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/runtime assets ## the product, working, on http://127.0.0.1:8000 (PORT=)
	@exec $(BIN)/python -m demo --port $(PORT)

demo-reset: $(VENV)/runtime assets ## the same from a fresh start
	@exec $(BIN)/python -m demo --port $(PORT) --reset

test: $(VENV)/dev system-packages test-assets ## install what the tests need and run all of them
	@exec $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests

test-long: $(VENV)/dev system-packages test-assets ## what takes hours; results stand in docs/quality/
	$(BIN)/python -m tests.payments.histories.killed
	ALL_STEPS=1 $(BIN)/python -m pytest tests/payments/test_stripe_triggers.py
	LONG=1 $(BIN)/python -m pytest tests/browser/test_every_page.py
	SCANNER_RUNS=20 $(BIN)/python -m pytest tests/browser/test_scanner_kinds.py
	API_EXAMPLES=400 API_RESULT=docs/quality/api.md $(BIN)/python -m pytest tests/services/test_schemathesis.py
	$(BIN)/python -m tests.payments.histories.long --histories 20000 --seed 1000 --progress build/histories.jsonl
	$(BIN)/python -m tests.mutating

bench: $(VENV)/dev system-packages assets ## how fast, beside something measured in the same run: benchmarks/results.md
	@exec $(BIN)/python -m benchmarks

lint: $(VENV)/dev ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/dev ## pin requirements*.in anew, with hashes
	@for name in requirements requirements-dev requirements-node; do \
	  $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-annotate --no-header --quiet $$name.in -o $$name.txt; done

assets: $(VENV)/runtime
	@command -v npm >/dev/null || test -x $(BIN)/npm || $(PIP) -r requirements-node.txt
	@$(BIN)/python make/assets.py

test-assets: $(VENV)/runtime
	@command -v npm >/dev/null || test -x $(BIN)/npm || $(PIP) -r requirements-node.txt
	@$(BIN)/python make/assets.py --tests

system-packages:
	@sh make/system_packages.sh

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Carnet needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment here. On Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/runtime: $(VENV)/bin/python requirements.txt
	@echo "Installing what Carnet runs on ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev: $(VENV)/runtime requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@
