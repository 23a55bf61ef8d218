# What a newcomer, a developer and CI type. Everything it installs goes into .venv; prepared models go into
# the user's cache folder (or $CARI_MODEL_CACHE).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INDEX ?= index
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help run test check format bench relevance clean

help: ## say what there is to run
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: $(VENV)/.run ## set up, index the sample articles, serve them on http://127.0.0.1:8000
	$(BIN)/cari build corpus/sample --index $(INDEX)
	$(BIN)/cari serve --index $(INDEX) --port $(PORT)

test: $(VENV)/.dev ## set up and run every test
	$(BIN)/python -m pytest

check: $(VENV)/.dev ## format, lint, types, import order
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml

format: $(VENV)/.dev ## put the code into the form that check wants
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## measure what each step is worth; about 20 minutes
	$(BIN)/python bench/relevance/ablation.py
	$(BIN)/python bench/relevance/calibrate.py

relevance: $(VENV)/.dev ## every set of ../shared/eval: is hybrid at least as good as its best arm? hours, then minutes
	$(BIN)/python bench/relevance/gate.py

clean: ## remove what these commands made here
	rm -rf $(VENV) $(INDEX) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
