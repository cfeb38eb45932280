# The commands a visitor needs: `make demo`, `make runbook`, `make test`. All set up everything.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready
TESTED  = $(VENV)/.ready-for-tests
T      ?=

.PHONY: demo runbook test lint catalogs docs sample bench pins clean

demo: $(READY)
	@"$(BIN)/incamail" demo

runbook: $(READY)
	@"$(BIN)/incamail" start

test: $(TESTED)
	$(CLOCK) "$(BIN)/python" -m pytest -n auto $(T)

lint: $(TESTED)
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

catalogs: $(READY)
	"$(BIN)/python" -m incamail_lib.catalogs extract

docs: $(READY)
	"$(BIN)/python" -m incamail_lib.docs docs

sample: $(READY)
	"$(BIN)/python" -m incamail_lib.docs sample reports/sample

bench: $(TESTED)
	"$(BIN)/python" -m benchmarks

pins:
	.ci/pins

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): requirements.txt pyproject.toml
	@.ci/environment "$(PYTHON)" "$(VENV)" requirements.txt
	@touch "$@"

$(TESTED): $(READY) tests/requirements.txt
	@.ci/environment "$(PYTHON)" "$(VENV)" requirements.txt tests/requirements.txt
	@touch "$@"
