# Each target sets up .venv first, if need be, and says what it does while it does it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SEED ?=
TARGETS ?= reference
CHECKS ?= checks
WORKERS ?= 3
KAFKA ?= 4.3.1
MINUTES ?= 30
KILLS ?= 1000
NIGHTLY_SEEDS ?= 1 2 3
COMPILED := $(CURDIR)/build/compiled
CHECK_OPTIONS := $(foreach target,$(TARGETS),--target $(target)) $(if $(SEED),--seed $(SEED))

# Hundreds of processes of Python are started: each module is compiled once, not by each of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: check clusters test nightly soak lint bench compiled fuzz image report generate clean

check: $(READY)  ## every check that asks for one node against $(TARGETS), but for those that take long (make nightly has all)
	$(BIN)/python -m pytest $(CHECKS) -n $(WORKERS) -m "not several_nodes and not long" $(CHECK_OPTIONS)

clusters: $(READY)  ## every check that asks for several nodes, but for those that take minutes (make nightly has all)
	$(BIN)/python -m pytest $(CHECKS) -n $(WORKERS) -m "several_nodes and not long" $(CHECK_OPTIONS)

test: $(READY)  ## the project's own tests
	$(BIN)/python -m pytest tests -q -n $(WORKERS) --dist loadgroup

nightly: $(READY)  ## all of it: every check on every kind of target, three seeds, all profiles, all known pairs of releases
	TESTS=all $(BIN)/python -m pytest tests -q -n $(WORKERS) --dist loadgroup
	$(BIN)/python -m harness simulate --seeds 0..4999 --jobs $(WORKERS)
	for seed in $(NIGHTLY_SEEDS); do \
	  $(BIN)/python -m pytest checks -n $(WORKERS) --recorded --seed $$seed --require java,docker,root,fuse \
	    --target reference --target kafka@$(KAFKA) --target docker@local/kafka:$(KAFKA) || exit 1; \
	  $(BIN)/python -m harness account reports/out/latest --strict || exit 1; \
	done
	for seed in $(NIGHTLY_SEEDS); do \
	  $(BIN)/python -m pytest checks -n $(WORKERS) --recorded --seed $$seed --target simulated || exit 1; \
	done
	for seed in $(NIGHTLY_SEEDS); do \
	  for first in mixed:reference,kafka@$(KAFKA) mixed:kafka@$(KAFKA),reference; do \
	    $(BIN)/python -m pytest checks -m several_nodes --seed $$seed --require java,root,fuse --target $$first || exit 1; \
	  done; \
	done
	for profile in 4.0 4.1 4.2 4.4; do \
	  $(BIN)/python -m pytest checks -n $(WORKERS) --target reference@$$profile || exit 1; \
	done
	$(BIN)/python -m harness lockstep --target reference --target kafka@$(KAFKA) --seconds 300
	$(BIN)/python -m harness lockstep --target reference --target kafka@$(KAFKA) --nodes 3 --seconds 300
	$(MAKE) compiled
	PYTHONPATH=$(COMPILED) $(BIN)/python -m pytest tests/unit -q -n $(WORKERS) --dist loadgroup
	PYTHONPATH=$(COMPILED) $(BIN)/python -m harness simulate --seeds 0..999 --jobs $(WORKERS)
	PYTHONPATH=$(COMPILED) $(BIN)/python -m pytest checks -n $(WORKERS) --target reference --sample 20%

soak: $(READY)  ## long: MINUTES of steady load on $(TARGETS), sampled and drawn; KILLS kills; then searches and every check under load
	SOAK_MINUTES=$(MINUTES) $(BIN)/python -m pytest checks/durability/test_flat_under_load.py $(CHECK_OPTIONS)
	KILLS=$(KILLS) $(BIN)/python -m pytest checks/durability/test_kills_at_any_moment.py $(CHECK_OPTIONS)
	$(BIN)/python -m harness lockstep --target reference --target kafka@$(KAFKA) --seconds 600
	$(BIN)/python -m pytest checks --recorded --duration 60 --target reference --target kafka@$(KAFKA) $(if $(SEED),--seed $(SEED))

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## measurements, beside Apache Kafka where Java is there
	$(BIN)/python -m bench

compiled: $(READY)  ## the hottest modules of the reference compiled by mypyc, where a C compiler is there (compiled/README.md)
	$(BIN)/python -m compiled $(COMPILED)

fuzz: $(READY)  ## a million mutated frames against the codec and a running broker
	$(BIN)/python -m bench.fuzz --frames 1000000

image: $(READY)  ## local Docker images: Kafka of a published release, the reference, and the anchor
	$(BIN)/python -m harness image

report: $(READY)  ## the HTML report of the last run
	$(BIN)/python -m harness report reports/out/latest

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.11" % sys.version_info[:2])'
	@echo "environment   creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@echo "environment   installing $$(grep -c '==' constraints.txt) packages pinned in constraints.txt (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 10 --timeout 60 \
	  --editable '.[harness,dev]' --constraint constraints.txt
	@if pkg-config --exists fuse3 2>/dev/null; then \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 10 --timeout 60 \
	    --editable '.[fuse]' --constraint constraints.txt \
	    || echo "pyfuse3 could not be built (a C compiler, Python's headers): checks that need fuse are skipped"; fi
	@touch $@
	@echo "environment   ready"

clean:  ## remove the environment and what runs have left
	rm -rf $(VENV) reports/out .pytest_cache .mypy_cache .ruff_cache .hypothesis
