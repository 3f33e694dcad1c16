.PHONY: demo demo-cluster demo-survey test test-later test-long env lint docs sbom release deb bench bench-long help
PYTHON ?= python3
BIN := .venv/bin
SECONDS ?=
# Tests sync thousands of files: where there is room for them in memory, that costs nothing. TMPDIR says another place.
ROOM := $(shell test "$$(df --output=avail -m /dev/shm 2>/dev/null | tail -1)" -gt 6000 2>/dev/null && echo /dev/shm)
TMPDIR ?= $(or $(ROOM),/tmp)
# Hundreds of processes are started: who forbids Python to keep what it compiled has each of them compile its libraries anew.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo    eleven cameras on real footage (SECONDS=n ends it by itself)"
	@echo "make demo-cluster  eleven cameras on three hosts with a broker and PostgreSQL, one host is killed (SECONDS=n; needs nats-server; as root each in a network namespace)"
	@echo "make demo-survey   a simulated town is asked how safe it feels, and the report shown beside the truth (SECONDS=n)"
	@echo "make test    all tests, with the real peers"
	@echo "make test-later  tests that are near to one of those; before a change is taken over"
	@echo "make test-long   all of them with more footage, languages and examples drawn by chance"
	@echo "make env     only the set-up"
	@echo "make lint    style, types, contracts"
	@echo "make docs    handbook and reference as a site with search, in var/site"
	@echo "make sbom    what is installed, as CycloneDX (the set-up makes it too)"
	@echo "make release wheels of the product and of the Python client, list of what it was tested with and checksums, in dist"
	@echo "make deb     the same with the bundle for machines without a network and the Debian package"
	@echo "make bench   all benchmarks, with their peers side by side"
	@echo "make bench-long   a thousand rounds of faults"

env:
	@$(PYTHON) scripts/set_up.py env

demo:
	@$(PYTHON) scripts/set_up.py demo
	@$(BIN)/blickschutz demo $(if $(SECONDS),--seconds $(SECONDS))

demo-cluster:
	@$(PYTHON) scripts/set_up.py demo
	@$(BIN)/python -m blickschutz.demo.cluster $(if $(SECONDS),--seconds $(SECONDS))

demo-survey:
	@$(PYTHON) scripts/set_up.py env
	@$(BIN)/stimmungsbild demo $(if $(SECONDS),--seconds $(SECONDS))

test: export TMPDIR := $(TMPDIR)
test:
	@$(PYTHON) scripts/set_up.py test
	@$(BIN)/python -m scripts.test

test-later: export TMPDIR := $(TMPDIR)
test-later:
	@$(PYTHON) scripts/set_up.py test
	@$(BIN)/python -m scripts.test --later

test-long: export TMPDIR := $(TMPDIR)
test-long: export BLICKSCHUTZ_LONG := 1
test-long:
	@$(PYTHON) scripts/set_up.py test
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not alone" --ignore tests/live --timeout 900
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not alone" tests/live --timeout 900
	@$(BIN)/python -m pytest -m alone

lint:
	@$(PYTHON) scripts/set_up.py test
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

docs:
	@$(PYTHON) scripts/set_up.py test
	@$(BIN)/python -m scripts.docs

sbom:
	@$(PYTHON) scripts/set_up.py env
	@$(BIN)/python -m scripts.sbom -

release:
	@$(PYTHON) scripts/set_up.py test
	@$(BIN)/python -m scripts.release

deb: release
	@$(BIN)/blickschutz bundle dist --wheel dist/blickschutz-*.whl --client dist/blickschutz_client-*.whl
	@$(BIN)/python -m scripts.deb dist/blickschutz-*.tar dist

bench:
	@$(PYTHON) scripts/set_up.py bench
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python -m benchmarks.enrolment
	@$(BIN)/python -m benchmarks.tamper
	@$(BIN)/python -m benchmarks.things
	@$(BIN)/python -m benchmarks.density
	@$(BIN)/python -m benchmarks.attack
	@$(BIN)/python -m benchmarks.later
	@$(BIN)/python -m benchmarks.recording
	@$(BIN)/python -m benchmarks.crashes
	@$(BIN)/python -m benchmarks.floods
	@$(BIN)/python -m benchmarks.survey
	@$(BIN)/python -m benchmarks.survey_paper
	@$(BIN)/python -m benchmarks.survey_kills
	@$(BIN)/python -m benchmarks.survey_coverage
	@$(BIN)/python -m benchmarks.survey_evaluation
	@$(BIN)/python -m benchmarks.streams
	@$(BIN)/python -m benchmarks.zones
	@$(BIN)/python -m benchmarks.pages
	@$(BIN)/python -m benchmarks.mutations
	@$(BIN)/python -m benchmarks.faults --rounds 200

bench-long:
	@$(BIN)/python scripts/set_up.py bench
	@$(BIN)/python -m benchmarks.faults --rounds 1000
