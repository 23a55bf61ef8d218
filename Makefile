# What a newcomer, a developer and CI type. Everything it installs goes into .venv; prepared models go into
# the user's cache folder (or $CARI_MODEL_CACHE).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INDEX ?= index
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help run test check format fuzz torture audit bench bench-quick relevance load peers clean

help: ## say what there is to run
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# The tests of the pages drive Debian's Chromium, and are skipped by name where there is none.
$(VENV)/.browser: $(VENV)/.python
	@if command -v chromium >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get install -y -qq --no-install-recommends chromium >/dev/null \
		|| { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
		|| echo 'chromium could not be installed: the browser tests are skipped' >&2; \
	else echo 'no chromium: the browser tests are skipped; install it with: sudo apt-get install chromium' >&2; fi
	@command -v chromium >/dev/null && touch $@ || true

run: $(VENV)/.run ## set up, index the sample articles, serve them on http://127.0.0.1:8000
	$(BIN)/cari build corpus/sample --index $(INDEX)
	$(BIN)/cari serve --index $(INDEX) --port $(PORT)

# In two halves: Schemathesis gives all its tests one name, by which two processes cannot share them out.
test: $(VENV)/.dev $(VENV)/.browser ## set up and run every test
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/api/test_conformance.py
	$(BIN)/python -m pytest tests/api/test_conformance.py

fuzz: $(VENV)/.dev ## at least 10,000 requests that fit the API's description or do not, other ones every time
	FUZZ_EXAMPLES=2400 FUZZ_CASES=10000 $(BIN)/python -m pytest tests/api/test_conformance.py --timeout 3600

torture: $(VENV)/.dev ## the bad days in full: builds killed, bytes flipped, disks full, hostile input; about an hour
	TORTURE=1 $(BIN)/python -m pytest tests/torture --timeout 7200

check: $(VENV)/.dev ## format, lint, types, import order
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml

# In an environment of its own: what it needs is no part of what is pinned.
$(VENV)/audit/.ready:
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit==2.10.1'
	@touch $@

audit: $(VENV)/audit/.ready ## ask the package index for known holes in the versions of constraints.txt; needs a network
	$(VENV)/audit/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip --progress-spinner off

format: $(VENV)/.dev ## put the code into the form that check wants
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev load peers ## measure everything, and keep the figures beside the scripts; about two hours
	$(BIN)/python bench/relevance/ablation.py
	$(BIN)/python bench/relevance/calibrate.py
	$(BIN)/python bench/encoding/encoders.py --out bench/encoding/encoders.txt --plot bench/encoding/encoders.png
	$(BIN)/python bench/encoding/start.py --out bench/encoding/start.txt
	$(BIN)/python bench/build/stages.py --out bench/build/stages.txt --plot bench/build/stages.png
	$(BIN)/python bench/build/rebuild.py --out bench/build/rebuild.txt --plot bench/build/rebuild.png
	$(BIN)/python bench/search/stages.py --out bench/search/stages.txt
	$(BIN)/python bench/growth/kinds.py --out bench/growth/kinds.txt
	$(BIN)/python bench/growth/growth.py --out bench/growth/growth.txt --plot bench/growth/growth.png

bench-quick: $(VENV)/.dev ## did something become slower? ratios next to those of bench/quick.txt; under 3 minutes
	$(BIN)/python bench/quick.py

relevance: $(VENV)/.dev ## every set of ../shared/eval: is hybrid at least as good as its best arm? hours, then minutes
	$(BIN)/python bench/relevance/gate.py

load: $(VENV)/.dev ## latencies at 1, 8 and 32 clients, 50 clients while generations are swapped, workers; about 7 minutes
	$(BIN)/python bench/service/latency.py --out bench/service/latency.txt --plot bench/service/latency.png
	$(BIN)/python bench/service/swap.py --out bench/service/swap.txt
	$(BIN)/python bench/service/workers.py --out bench/service/workers.txt

peers: $(VENV)/.dev ## Cari beside txtai, Haystack, Chroma, LanceDB and Semantra; installs them (4 GB), then 20 minutes
	$(BIN)/python bench/peers/compare.py --out bench/peers

clean: ## remove what these commands made here
	rm -rf $(VENV) $(INDEX) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
