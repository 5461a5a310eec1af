# Every target is a thin call of the console command `goodwill VERB`. COMPANY=path.toml chooses the
# company (default: the sample), CUSTOMERS and SEED the size and the draw of the sample.

SHELL := /bin/bash
.DEFAULT_GOAL := help

export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export OMP_WAIT_POLICY := PASSIVE
export PYTHONPATH := $(CURDIR)/src
export GOODWILL_HOME := $(CURDIR)

COMPANY ?= data/sample.toml
CUSTOMERS ?= 5000
SEED ?= 7
SERVE ?= 1
PORT ?= 3000
MINUTES ?= 10
UV_VERSION := 0.13.9
# Three processes on two cores: tests of servers wait more than they compute.
PARALLEL := -n 3 --dist worksteal --durations=25

BASE_PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
GOODWILL := .venv/bin/goodwill
# Changes with the lock and with the folder: scripts and the editable install hold its path.
READY := .venv/ready-$(shell echo "$(CURDIR)" | cat - requirements.lock pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: help setup spark demo data quality features court tune train retrain score population reasons evaluate report \
        serve notebooks mlflow bento test test-all test-slow chaos check lint bench docs clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /|/' | \
	  awk -F'|' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo "  COMPANY=data/NAME.toml chooses the company, now $(COMPANY)"

$(READY): requirements.lock pyproject.toml
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "goodwill needs Python 3.11, found: $$($(BASE_PYTHON) --version); set BASE_PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(PY) || $(BASE_PYTHON) -m venv .venv
	@echo "installing the pinned packages into .venv (wheels only) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --only-binary :all: uv==$(UV_VERSION)
	@.venv/bin/uv pip install --python $(PY) --only-binary :all: -r requirements.lock
	@.venv/bin/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@rm -f .venv/ready-*; touch $@

setup: $(READY)  ## Install everything into .venv from requirements.lock

spark: setup  ## Install Spark for `--engine spark` (source package; needs Java 17)
	@.venv/bin/uv pip install --python $(PY) --only-binary :all: --no-binary pyspark \
	  --no-deps -r requirements-spark.lock

demo: setup  ## From nothing to scores over HTTP in one go (SERVE=0 ends after the answers)
	@$(GOODWILL) demo --company $(COMPANY) --customers $(CUSTOMERS) --seed $(SEED) --port $(PORT) \
	  $(if $(filter 0,$(SERVE)),--no-stay,--stay)

data: setup  ## Make the sample company if chosen, check the tables, store the history
	@$(GOODWILL) data --company $(COMPANY) --customers $(CUSTOMERS) --seed $(SEED)

quality: setup  ## Say how usable the company's tables are; writes data/NAME/data-quality.html
	@$(GOODWILL) quality --company $(COMPANY)

features: setup  ## Build the training set of each target and the snapshot of all customers
	@$(GOODWILL) features --company $(COMPANY)

court: setup  ## Look for leaks in the training sets and in what they are made of
	@$(GOODWILL) court --company $(COMPANY)

tune: setup  ## Search better parameters for this company (MINUTES=10)
	@$(GOODWILL) tune --company $(COMPANY) --minutes $(MINUTES)

train: setup  ## Train, judge and register every target; promote what is better
	@$(GOODWILL) train --company $(COMPANY)

retrain: setup  ## The whole chain; exit 0 promoted or kept, 3 data, 4 gate, 5 already running
	@$(GOODWILL) retrain --company $(COMPANY)

score: setup  ## Write scores and reasons of every customer; goes on after a kill
	@$(GOODWILL) score --reasons --company $(COMPANY)

population: setup  ## Say what everybody would have answered, and whom to ask next
	@$(GOODWILL) population --company $(COMPANY)

reasons: setup  ## Write why every customer got his scores, in English and Chinese
	@$(GOODWILL) reasons --company $(COMPANY)

evaluate: setup  ## Work out indicators, tiers, stars, segments and causes of complaints
	@$(GOODWILL) evaluate --company $(COMPANY)

report: setup  ## Write the report as one HTML file (LANG_REPORT=zh: in Chinese)
	@$(GOODWILL) report --company $(COMPANY)

serve: setup  ## Serve scores over HTTP on 127.0.0.1 until Ctrl-C
	@$(GOODWILL) serve --company $(COMPANY) --port $(PORT)

notebooks: setup  ## Open the notebooks in JupyterLab on 127.0.0.1
	@GOODWILL_COMPANY=$(abspath $(COMPANY)) $(PY) -m jupyter lab --ip 127.0.0.1 notebooks

mlflow: setup  ## Look at the experiments on http://127.0.0.1:5000
	@$(PY) -m mlflow server --host 127.0.0.1 --port 5000 \
	  --backend-store-uri sqlite:///mlruns/mlflow.db --default-artifact-root mlruns/artifacts

bento: setup  ## Build the service as a Bento in dist/bento, to run without this project
	@$(GOODWILL) bento

test: setup  ## Run the tests (ten minutes on two cores)
	@$(PY) -m pytest -m "not slow and not chaos" $(PARALLEL)

test-all: setup  ## Run every test, the slow ones and those with faults and load as well
	@$(PY) -m pytest -m "not chaos" $(PARALLEL)
	@$(PY) -m pytest -m chaos --durations=15

test-slow: setup  ## Run only what `make test` leaves out
	@$(PY) -m pytest -m "slow and not chaos" $(PARALLEL)

chaos: setup  ## Test faults, load and fuzzing against a real service
	@$(PY) -m pytest -m chaos --durations=15

lint: setup
	@$(PY) -m ruff format --check src tests notebooks benchmarks
	@$(PY) -m ruff check src tests notebooks benchmarks
	@$(PY) -m mypy
	@$(PY) -c "from importlinter.cli import lint_imports_command as c; c()"

check: lint test  ## Format, lint, types, import contracts, tests

docs: setup  ## Build the documents as a site in build/site, with the notebooks executed
	@$(PY) docs/generators reference pages notebooks
	@$(PY) -m mkdocs build --quiet --strict
	@echo "wrote build/site/index.html"

bench: setup  ## Measure speed and accuracy; tables go to benchmarks/results
	@$(PY) -m benchmarks

clean:  ## Remove everything generated; keeps .venv, company files, feedback, keys and audit
	@find data -mindepth 2 -maxdepth 2 ! -name feedback ! -name audit.key -exec rm -rf {} +
	@find data -mindepth 1 -maxdepth 1 -type d -empty -delete
	@find mlruns -mindepth 1 -maxdepth 1 ! -name README.md ! -name audit -exec rm -rf {} +
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@echo "removed what was generated in data/ and mlruns/, and the caches; kept feedback and audit"
