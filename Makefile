# The commands a visitor needs: `make demo`, `make runbook`, `make test`. All set up everything.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready

.PHONY: demo runbook test lint catalogs docs sample bench

demo: $(READY)
	@$(BIN)/incamail demo

runbook: $(READY)
	@$(BIN)/incamail start

test: $(READY)
	$(BIN)/pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

catalogs: $(READY)
	$(BIN)/python -m incamail_lib.catalogs extract

docs: $(READY)
	$(BIN)/python -m incamail_lib.docs docs

sample: $(READY)
	$(BIN)/python -m incamail_lib.docs sample reports/sample

bench: $(READY)
	$(BIN)/python -m benchmarks

# --no-deps: requirements.txt is the complete set; pip must not add rfc3987-syntax, which an
# extra of jsonschema asks for and which doubles the start-up time of every notebook.
$(READY): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@
