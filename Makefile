# Two commands set everything up: `make demo` and `make test`. They need python3 (3.11 or newer), pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check wheel bench bench-training clean help

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 18

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "claimsieve needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	@touch $@

demo: $(VENV)/.installed ## Train three models on the starter corpus and label the demo claims
	$(BIN)/claimsieve demo

test: $(VENV)/.test ## Run the test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.dev ## Format, lint, types, import layers, configs
	$(BIN)/ruff format --check src tests experiments
	$(BIN)/ruff check src tests experiments
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/claimsieve configs check $$($(BIN)/python -c 'from claimsieve.config import shipped; print(*shipped())')

wheel: $(VENV)/.dev ## Build the wheel and try it in an empty environment
	BIN=$(BIN) bash tests/try_wheel.sh

bench: $(VENV)/.installed ## Ratios against other ways of inference, within one run; also: claimsieve bench MODEL
	$(PIP) --editable '.[bench]'
	$(BIN)/claimsieve bench

bench-training: $(VENV)/.installed ## Ratios against transformers' own Trainer, and the demo's time
	$(BIN)/python experiments/speed/training.py

clean: ## Remove what was built (not runs/ and not mlflow.db)
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .import_linter_cache
