# Most targets call the console command `goodwill VERB`. COMPANY=path.toml chooses the company (default:
# the sample), CUSTOMERS and SEED the size and the random seed of the sample.

SHELL := /bin/bash
.DEFAULT_GOAL := help

export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export OMP_WAIT_POLICY := PASSIVE
export PYTHONPATH := $(CURDIR)/src
export GOODWILL_HOME := $(CURDIR)
# Container images often set this; without byte code, each process compiles 1,900 modules, for ten seconds.
unexport PYTHONDONTWRITEBYTECODE

COMPANY ?= data/sample.toml
CUSTOMERS ?= 5000
SEED ?= 7
SERVE ?= 1
PORT ?= 3000
MINUTES ?= 10
ACCEPT_LOSS ?=
REASON ?=
UV_VERSION := 0.13.9
# Three processes on two cores: tests of servers wait more than they compute.
PARALLEL := -n 3 --dist worksteal --durations=25

BASE_PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Tables whose loss of rows is accepted in this run, and why.
ACCEPTED = $(foreach table,$(ACCEPT_LOSS),--accept-loss $(table)) $(if $(REASON),--reason "$$REASON")
export REASON
PY := .venv/bin/python
GOODWILL := .venv/bin/goodwill
# Changes with the lock and with the folder: scripts and the editable install hold its path.
READY := .venv/ready-$(shell echo "$(CURDIR)" | cat - requirements.lock pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: help setup spark demo clean init data quality features leakage tune train retrain mlflow score \
        nonresponse reasons evaluate report notebooks serve bento lint test test-slow chaos test-all \
        check docs bench court population

##@ Set up

help:  ## Show this list
	@awk -F':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "make exits with 2 for any failure. goodwill itself exits with 0 done, 3 refused,"
	@echo "4 gate, 5 running, 6 nothing trained, 7 part missing, 9 disk, database or port."
	@echo "COMPANY=data/NAME.toml chooses the company, now $(COMPANY)"

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

spark: setup  ## Install Spark for `--engine spark` (needs Java 17)
	@.venv/bin/uv pip install --python $(PY) --only-binary :all: --no-binary pyspark \
	  --no-deps -r requirements-spark.lock

demo: setup  ## Run everything on sample data and serve it (SERVE=0: do not)
	@$(GOODWILL) demo --company $(COMPANY) --customers $(CUSTOMERS) --seed $(SEED) --port $(PORT) \
	  $(if $(filter 0,$(SERVE)),--no-stay,--stay)

clean:  ## Remove results that a retrain can make again (ALL=1: all)
	@test ! -x $(GOODWILL) || $(GOODWILL) clean $(if $(ALL),--all)
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

##@ Data

init: setup  ## Propose a company file for your own tables (FROM=folder)
	@$(GOODWILL) init --from $(FROM) $(if $(NAME),--name $(NAME)) $(if $(YES),--yes) $(if $(FORCE),--force)

data: setup  ## Import the tables (of the sample: makes them first)
	@$(GOODWILL) data --company $(COMPANY) --customers $(CUSTOMERS) --seed $(SEED) $(ACCEPTED)

quality: setup  ## Report data quality; writes data/NAME/data-quality.html
	@$(GOODWILL) quality --company $(COMPANY)

features: setup  ## Build the training sets and the snapshot of all customers
	@$(GOODWILL) features --company $(COMPANY)

leakage: setup  ## Check the training sets and the history for leakage
	@$(GOODWILL) leakage --company $(COMPANY)

##@ Models

tune: setup  ## Search for better hyperparameters (MINUTES=10)
	@$(GOODWILL) tune --company $(COMPANY) --minutes $(MINUTES)

train: setup  ## Train each target; promote models that beat their champion
	@$(GOODWILL) train --company $(COMPANY)

retrain: setup  ## Run everything from the import to the report
	@$(GOODWILL) retrain --company $(COMPANY) $(ACCEPTED)

mlflow: setup  ## Show the experiments in MLflow; prints their address
	@echo "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"
	@echo "Where MLflow shows GenAI, choose Model training at the top left once; the browser remembers it."
	@$(PY) -m mlflow server --host 127.0.0.1 --port 5000 \
	  --backend-store-uri sqlite:///mlruns/mlflow.db --default-artifact-root mlruns/artifacts

##@ Results

score: setup  ## Score each customer and explain the scores
	@$(GOODWILL) score --reasons --company $(COMPANY)

nonresponse: setup  ## Estimate non-response-corrected NPS and CSAT
	@$(GOODWILL) nonresponse --company $(COMPANY)

reasons: setup  ## Explain each customer's scores, in English and Chinese
	@$(GOODWILL) reasons --company $(COMPANY)

evaluate: setup  ## Evaluate the scored customers: indicators, tiers, segments
	@$(GOODWILL) evaluate --company $(COMPANY)

report: setup  ## Write the report as an HTML file (LANG_REPORT=zh: Chinese)
	@$(GOODWILL) report --company $(COMPANY)

notebooks: setup  ## Open the notebooks in JupyterLab on 127.0.0.1
	@GOODWILL_COMPANY=$(abspath $(COMPANY)) $(PY) -m jupyter lab --ip 127.0.0.1 notebooks

##@ Serve

serve: setup  ## Serve scores over HTTP on 127.0.0.1 until Ctrl-C
	@$(GOODWILL) serve --company $(COMPANY) --port $(PORT)

bento: setup  ## Build the service as a Bento in dist/bento
	@$(GOODWILL) bento

##@ Develop

lint: setup
	@$(PY) -m ruff format --check src tests notebooks benchmarks docs
	@$(PY) -m ruff check src tests notebooks benchmarks docs
	@$(PY) -m mypy
	@$(PY) -c "from importlinter.cli import lint_imports_command as c; c()"

test: setup  ## Run the tests (about 8 minutes on two cores)
	@$(PY) -m pytest -m "not slow and not chaos" $(PARALLEL)

test-slow: setup  ## Run only the tests that `make test` leaves out
	@$(PY) -m pytest -m "slow and not chaos" $(PARALLEL)

chaos: setup  ## Test a real service with faults, load and fuzzing
	@$(PY) -m pytest -m chaos --durations=15

test-all: docs  ## Run all tests, also slow ones, with faults and load
	@$(PY) -m pytest -m "not chaos" $(PARALLEL)
	@$(PY) -m pytest -m chaos --durations=15

check: lint test  ## Check format, lint, types and imports, then run the tests

docs: setup  ## Build the documentation site in build/site, with notebooks
	@$(PY) docs/generators reference pages notebooks
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict
	@echo "wrote build/site/index.html"

bench: setup  ## Measure speed and accuracy, into benchmarks/results
	@$(PY) -m benchmarks

# Old names of targets, for one more release.
court:
	@echo "make court is now make leakage" >&2
	@$(MAKE) --no-print-directory leakage

population:
	@echo "make population is now make nonresponse" >&2
	@$(MAKE) --no-print-directory nonresponse
