# Every target sets up .venv by itself. PYTHON chooses the interpreter.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# What makes graphs or computes with them.
WITHOUT_DGL := $(addprefix tests/,models layers featurizers learners training tasks commands inference test_cli.py \
	test_factory.py test_training.py test_without_dgl.py)

.PHONY: quickstart test test-without-dgl lint notebooks docs bench dist clean help
help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

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

test-without-dgl: $(STAMP) ## Run the tests as where DGL is not installed
	MOLZOO_BLOCK_DGL=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 $(WITHOUT_DGL)

lint: $(STAMP) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

notebooks: $(STAMP) ## Run the notebooks and keep their outputs
	$(BIN)/python notebooks/execute.py

docs: $(STAMP) ## Build the documentation site in site/, with warnings as errors
	NO_MKDOCS_2_WARNING=1 OMP_NUM_THREADS=1 $(BIN)/mkdocs build --strict

bench: $(STAMP) ## Run the benchmarks (JSON lines)
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

dist: $(STAMP) ## Build the source distribution and the wheel, and check them
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents --ignore W002 --toplevel zoo,optim,featurizers,molzoo_runner dist/*.whl

clean: ## Remove the environment and build products
	rm -rf $(VENV) build dist *.egg-info
