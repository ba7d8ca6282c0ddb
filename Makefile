# Everyday work; `make` lists it. PYTHON makes the environment in .venv, in which all else runs.
PYTHON ?= python3
PYTEST = .venv/bin/python -m pytest -q
WORKERS ?= auto
# Slow or outside the core: the app, real readers, terminals and processes. NEWER and UNIT leave them out.
APART = tui real faults installed
UNIT = --ignore=tests/cli/test_serve.py $(filter-out $(APART:%=tests/%),$(patsubst %/,%,$(dir $(wildcard tests/*/__init__.py)))) $(wildcard tests/test_*.py)
NEWER ?= 3.12 3.13 3.14
WHEEL = dist/vmci_tui-*.whl
# Imports every module of the package.
define EVERYTHING
import importlib, pkgutil, vmci_tui
for module in pkgutil.walk_packages(vmci_tui.__path__, "vmci_tui."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
endef
export EVERYTHING

.PHONY: help env unit test long lint format docs samples pictures wheel pyz installed newer clean ci

help: ## Say what can be made
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

env: ## Make .venv, with all that tests and lint need
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -q 'pip>=25.1'
	.venv/bin/pip install -q -e '.[test,real]' --group lint

unit: ## The unit tests of the core
	$(PYTEST) -n $(WORKERS) $(UNIT)

test: ## All tests but the long ones
	$(PYTEST) -n $(WORKERS)

long: ## The campaigns that take minutes each
	$(PYTEST) -n $(WORKERS) -m long

lint: ## ruff, its formatter, mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: ## Let ruff mend what it can
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: ## Make the generated pages of docs/ anew
	.venv/bin/python docs/make.py

samples: ## Make sample_dumps/ anew; needs the real readers
	.venv/bin/python sample_dumps/make.py

pictures: ## Make screenshots/ anew
	.venv/bin/python screenshots/make.py

wheel: ## Build the wheel into dist/
	rm -rf dist
	.venv/bin/pip wheel -q --no-deps -w dist .

pyz: wheel ## Build the wheel and dist/vmci.pyz
	.venv/bin/python release/make_pyz.py $(WHEEL)

installed: pyz ## Test the wheel in an empty environment, and vmci.pyz without one
	$(PYTHON) -m venv --clear build/installed
	build/installed/bin/pip install -q "$$(echo $(WHEEL))[web]"
	VMCI_INSTALLED=build/installed VMCI_PYZ=dist/vmci.pyz $(PYTEST) tests/installed

newer: ## The unit tests of the core with every newer Python of NEWER that is here
	@for version in $(NEWER); do \
	    for python in python$$version ~/.pyenv/versions/$$version.*/bin/python false; do \
	        "$$python" -c '' 2>/dev/null && break; \
	    done; \
	    [ "$$python" != false ] || { echo "Python $$version is not here"; continue; }; \
	    "$$python" -m venv build/python$$version && \
	    build/python$$version/bin/pip install -q -e '.[test]' && \
	    build/python$$version/bin/python -c "$$EVERYTHING" && \
	    build/python$$version/bin/python -m pytest -q -n $(WORKERS) $(UNIT) || exit 1; \
	done

clean: ## Remove what was built
	rm -rf build dist

ci: ## All that CI does, on Debian 12 as root
	.ci/run
