# make demo: look at it.  make test: everything.  make help: the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# What the tests need beside Python, as Debian calls it.
PACKAGES := mmdebstrap openssh-client openssh-server iproute2 nftables ethtool gcc libc6-dev tcsh dash tmux procps mount

.PHONY: help venv lint check test-fast test needs readme cluster cluster-down demo bench clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

venv: $(STAMP) ## the development environment in .venv, versions pinned by constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mleconsole needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || bash tests/needs.sh python3-venv
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,check]'
	@touch $@

lint: $(STAMP) ## style, types and import contracts
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## lint, unit tests and contracts: what every change must pass, in a minute
	$(BIN)/python tests/run.py unit contracts

test-fast: lint ## check, agent, transport, journeys and pictures
	$(BIN)/python tests/run.py unit contracts agent transport screen

test: needs lint ## everything, with a real Slurm cluster on this machine (root on Debian)
	$(BIN)/python tests/run.py unit contracts agent transport screen cluster bench

needs:
	@bash tests/needs.sh $(PACKAGES)

cluster: $(STAMP) ## stand up the real test cluster: 1 login host, 4 nodes (root on Debian)
	PYTHONPATH=tests/cluster $(BIN)/python -m testbed up

cluster-down: $(STAMP) ## take the test cluster down
	PYTHONPATH=tests/cluster $(BIN)/python -m testbed down

demo: $(STAMP) ## the console on this very machine
	$(BIN)/mleconsole connect local

readme: $(STAMP) ## the README's tables of panes, actions and what is proven
	$(BIN)/python tests/readme.py

bench: $(STAMP) ## the benchmarks; ARGS="--only keys", --small, --readme
	cd tests/bench && ../../$(BIN)/python -m bench $(ARGS)

clean: ## what tools left behind (not .venv)
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache snapshot_report.html
	find console widgets plugins tests -name __pycache__ -type d -prune -exec rm -rf {} +
