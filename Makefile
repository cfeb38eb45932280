# The commands a visitor needs: `make demo`, `make runbook`, `make test`. All set up everything.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready
TESTED  = $(VENV)/.ready-for-tests
MUTATED = $(VENV)-mutants/.ready
MUTANTS =
OURS    = incamail_lib notebooks tests benchmarks examples
# Which tests, and how: make test T=tests/routing, make test T="-k suffix -x"
T      ?=
N      ?= 100

.PHONY: demo runbook test coverage lint format catalogs docs sample bench pins sbom fuzz mutants clean

demo: $(READY)
	@"$(BIN)/incamail" demo

runbook: $(READY)
	@"$(BIN)/incamail" start

test: $(TESTED)
	$(CLOCK) "$(BIN)/python" -m pytest -n auto $(T)

# Told, not enforced. What runs in processes of its own (kernels, commands) is not counted.
coverage: $(TESTED)
	"$(BIN)/python" -m pytest -n auto --cov --cov-report=term:skip-covered --cov-report=html $(T)
	@echo "Line by line: build/coverage/index.html"

lint: $(TESTED)
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

format: $(TESTED)
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

catalogs: $(READY)
	"$(BIN)/python" -m incamail_lib.tools.catalogs extract

docs: $(READY)
	"$(BIN)/python" -m incamail_lib.tools.docs docs

sample: $(READY)
	"$(BIN)/python" -m incamail_lib.tools.docs sample reports/sample

bench: $(TESTED)
	"$(BIN)/python" -m benchmarks

# Not in CI: as many times the drawn inputs of a usual test run as N says.
fuzz: $(TESTED)
	INCAMAIL_FUZZ=$(N) "$(BIN)/python" -m pytest -n auto -m hypothesis $(T)

# Not in CI: minutes to hours. MUTANTS='--number 50 --seed 7 checks probe', see docs/mutants.md
mutants: $(MUTATED)
	cd tests && "../$(VENV)-mutants/bin/python" -m mutants $(MUTANTS)

pins:
	.ci/pins

sbom:
	PYTHON="$(PYTHON)" .ci/sbom

# What building, checking and testing left behind; the environment and reports/ stay.
clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	find $(OURS) -depth \( -name __pycache__ -o -name .ipynb_checkpoints \) -exec rm -rf {} +

$(READY): requirements.txt pyproject.toml
	@.ci/environment "$(PYTHON)" "$(VENV)" requirements.txt
	@touch "$@"

$(TESTED): $(READY) tests/requirements.txt
	@.ci/environment "$(PYTHON)" "$(VENV)" requirements.txt tests/requirements.txt
	@touch "$@"

$(MUTATED): requirements.txt tests/requirements.txt tests/mutants/requirements.txt
	@.ci/environment "$(PYTHON)" "$(VENV)-mutants" $^
	@touch "$@"
