# Everything from here: `make help` lists it. Set-up says what it is about to install.
#
# PYTHON  the interpreter that .venv is made with (3.11 or later)
# JOBS    parallel compile jobs

PYTHON ?= python3
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)

export JOBS

.DEFAULT_GOAL := build
.PHONY: build demo test check bench fuzz clean help

build: ## build and install into .venv: .venv/bin/armi, and a .venv/bin/python that imports armillaria
	@tools/setup.sh $(PYTHON) build

demo: ## set up what is missing, build, and show the main job on real data
	@tools/setup.sh $(PYTHON) demo
	@.venv/bin/python examples/demo.py

test: ## the same set-up, then every test
	@tools/setup.sh $(PYTHON) test
	@.venv/bin/python tools/run_tests.py

check: ## format, layers, gcc and clang with -Werror, sanitizers, fuzzers for a minute each, crash states
	@tools/setup.sh $(PYTHON) check
	@.venv/bin/python tools/run_checks.py

bench: ## compare with deltalake, pyarrow and DuckDB in one run, then the Parquet codec with five others
	@tools/setup.sh $(PYTHON) bench
	@.venv/bin/python bench/run.py
	@.venv/bin/python bench/parquet/run.py

clean: ## remove what was built (not .venv)
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
