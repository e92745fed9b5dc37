# After any target `.venv/bin/covenant` is the command.
PY := .venv/bin/python

.PHONY: setup test
setup: .venv/.stamp
.venv/.stamp: requirements.lock pyproject.toml
	python3 -m venv .venv
	$(PY) -m pip install --quiet --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

test: setup
	$(PY) -m pytest
