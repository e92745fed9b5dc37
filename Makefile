# After any target `.venv/bin/covenant` is the command.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
COVENANT := .venv/bin/covenant
# Tests run two at once, each half with servers of its own; a broker that is given is one for all, so then one at a time.
JOBS ?= $(if $(COVENANT_TEST_KAFKA),0,2)

.PHONY: help setup demo test check bench serve
help:
	@echo "make demo    load the example company and explain what was found"
	@echo "make test    bring up Kafka, PostgreSQL, OPA and Chromium, and pass every test"
	@echo "make check   format, lint, types, import rules, policies"
	@echo "make bench   measure events a second (QUICK=1: in under two minutes)"
	@echo "make serve   the console on loopback"

setup: .venv/.stamp .tools/.stamp

.venv/.stamp: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# OPA from PATH, else built here once (some minutes).
.tools/.stamp: .venv/.stamp engine/policy/opa_binary.py
	@mkdir -p .tools
	$(PY) -m engine.policy.opa_binary
	@touch $@

demo: setup
	$(COVENANT) demo

test: setup
	$(PY) -m tests.services
	$(PY) -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder $(TESTS)

check: setup
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(COVENANT) policy check
	$(COVENANT) policy test

bench: setup
	$(PY) -m tests.services
	$(PY) -m tests.bench

serve: setup
	$(COVENANT) serve
