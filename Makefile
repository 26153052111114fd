# Every target sets up .venv by itself. PYTHON chooses the interpreter (3.10 or 3.11).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: quickstart test lint bench clean help
help: ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

quickstart: $(STAMP) ## Train grover with GraphSAM on the embedded B3DB data
	$(BIN)/molzoo train

test: $(STAMP) ## Run the whole test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: $(STAMP) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: $(STAMP) ## Run the benchmarks (JSON lines)
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean: ## Remove the environment and build products
	rm -rf $(VENV) build dist *.egg-info
