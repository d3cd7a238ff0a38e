# Everything here runs on a laptop without Azure. Start with `make demo`.
.DEFAULT_GOAL := help
.PHONY: help setup demo up start check lint unit test support infra infra-write bench proof peers package lock clean

RUN := .venv/bin/python
COMPILE := .venv/bin/uv pip compile --quiet --universal --python $(RUN) --generate-hashes --no-header --no-annotate
PURE := $(addprefix tests/unit/,decisions document ledger timing) $(wildcard tests/unit/test_*.py)
PEER := sh tests/peers/install.sh
SAMPLED := tests/e2e/test_demo.py tests/system/test_months_of_a_pool.py tests/contract/infra/test_alerts.py
# Begun first, so that no worker is left with one of them at the end.
LONG := tests/proof tests/e2e $(addprefix tests/contract/,passes recur infra)
export PYTHONUNBUFFERED := 1
# Empty counts as not set: what tests start by the hundred is compiled once.
export PYTHONDONTWRITEBYTECODE :=

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is needed into .venv and folders node_modules
	@sh local/setup.sh

demo: setup ## two runs, from the timer to their outputs; one fails, and says why
	@$(RUN) -m local demo

up: setup ## Azurite and the Batch emulator, until Ctrl-C
	@$(RUN) -m local up

start: setup ## the timer functions against what `make up` runs, until Ctrl-C
	@$(RUN) -m local start

check: lint unit ## the quick half of `make test`: lint and unit

lint: setup ## linters, types and layers
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/pyright
	.venv/bin/lint-imports

unit: setup ## unit tests, and how much of the pure packages their own tests cover
	.venv/bin/pytest -n 2 $(PURE) --cov
	.venv/bin/pytest -n 2 tests/unit $(PURE:%=--ignore=%)

infra: setup ## the Bicep files: lint, format, and that what is compiled from them is up to date
	@$(RUN) -m infra.check

infra-write: setup ## compile the Bicep files and write the templates and snapshots that are committed
	@$(RUN) -m infra.check --write

test: setup ## all tests: unit, Bicep, processes, contract and the whole job
	@$(MAKE) --no-print-directory -j 2 lint unit infra
	.venv/bin/pytest -n 6 --dist loadfile --no-loadscope-reorder $(LONG) tests/system tests/contract

support: setup ## write the two tables of batch_emulator/SUPPORT.md from what the emulator does
	@$(RUN) -m batch_emulator.support_matrix

bench: setup ## what a tick costs, and how fast the emulator answers, beside bare calls; many minutes
	@$(RUN) -m bench.idle_tick
	@$(RUN) -m bench.submit_many
	@$(RUN) -m bench.collect_many
	@$(RUN) -m bench.emulator_rate
	@$(RUN) -m bench.task_file
	@$(RUN) -m bench.outputs
	@$(RUN) -m bench.growth
	@$(RUN) -m bench.status
	@$(RUN) -m bench.pool_bill

proof: setup ## the kill table, the model test and all else that `make test` samples, with nothing left out
	.venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder tests/proof tests/unit $(SAMPLED) --proof

peers: setup ## clients of others against the emulator: azure-cli, Airflow, JavaScript, Microsoft's tests
	@$(PEER) .venv-peers tests/peers/requirements.txt
	@$(PEER) .venv-peers-airflow tests/peers/requirements-airflow.txt
	@$(PEER) .venv-peers-live tests/peers/requirements-live-tests.txt
	@cd tests/peers/npm && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	.venv/bin/pytest -s tests/peers

package: setup ## what is deployed, as dist/recur.zip
	@$(RUN) -m local package

lock: setup ## write the requirements.txt of app, development and azd anew, and those of the peers
	$(COMPILE) --group app -o requirements.txt
	$(COMPILE) pyproject.toml --group dev --constraint requirements.txt -o requirements-dev.txt
	$(COMPILE) pyproject.toml --constraint requirements-dev.txt -o infra/hooks/requirements.txt
	$(COMPILE) tests/peers/requirements-airflow.in -o tests/peers/requirements-airflow.txt
	$(COMPILE) tests/peers/requirements-live-tests.in -o tests/peers/requirements-live-tests.txt

clean: ## remove what was built, installed or kept by `make up`
	rm -rf .venv .venv-peers* infra/hooks/hooks_env local/azurite/node_modules tests/peers/npm/node_modules tests/alerts/kusto/node_modules .local dist
	rm -rf .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
