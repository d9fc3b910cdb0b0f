# Atelier: two commands on a fresh machine are `make run` and `make test`.
# Other Python: make run PYTHON=/path/to/python3.12. Other place: VENV=/path/to/venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TESTS ?=
# 2 processes; more fight for memory with TensorFlow in each.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS)

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) \
	  | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: run
run: $(STAMP)  ## The main job: draw the sample collection, run the notebooks, leave pages in build/
	@$(BIN)/atelier data sample
	@$(BIN)/atelier notebooks run

.PHONY: app
app: $(STAMP)  ## The web application, on this machine alone
	@$(BIN)/atelier app

.PHONY: test
test: lint  ## Everything: lint, all tests on TensorFlow, then on JAX what depends on the backend
	KERAS_BACKEND=tensorflow $(PYTEST)
	KERAS_BACKEND=jax $(PYTEST) -m "not once and not notebook"

.PHONY: lint
lint: $(STAMP)  ## Check code and notebooks with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: $(STAMP)  ## Rewrite code and notebooks as ruff wants them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(STAMP)  ## Print the measured comparisons of benchmarks/
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

.PHONY: report
report: $(STAMP)  ## ProjectReport.pdf and ProjectSlides.pdf, from the results that are there
	@$(BIN)/python -m atelier.report

.PHONY: install
install: $(STAMP)  ## Make .venv and install the pinned packages

.PHONY: lock
lock: $(STAMP)  ## Pin anew what pyproject.toml and requirements.txt ask for
	$(BIN)/uv pip compile pyproject.toml --extra jax --extra dev --universal \
	  --python-version 3.11 --fork-strategy fewest --upgrade --no-annotate --no-emit-index-url \
	  --custom-compile-command "make lock" --quiet --output-file requirements.lock

.PHONY: clean
clean:  ## Remove build/ and caches; keeps .venv, data/ and models/
	rm -rf build dist .pytest_cache .ruff_cache .coverage htmlcov
	find src tests benchmarks notebooks -depth \
	  \( -name __pycache__ -o -name .ipynb_checkpoints \) -exec rm -rf {} +

$(STAMP): requirements.lock requirements.txt pyproject.toml
	@python="$$(.ci/find-python $(PYTHON))"; \
	echo "Installing with $$python into $(VENV): a few minutes, once."; \
	"$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@
