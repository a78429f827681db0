# The project's commands. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup demo down test check drill soak lint format docs lock
BIN := .venv/bin

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv, fetch the Java artifacts, build the job's ingest stage (cheap when nothing changed)
	@scripts/bootstrap

demo: setup ## Start everything and show where it is; Ctrl-C stops it
	@$(BIN)/ctr up

down: ## Stop a stack that runs in the background
	@$(BIN)/ctr down

test: setup ## Lint, check types and run all tests, on services of their own
	@scripts/test

check: setup ## Lint, check types and run the tests that need no service: about a minute
	@scripts/test -m "not stack and not browser and not drill"

drill: setup ## Long drills: faults on a real stack, and their report; a million simulated schedules; planted bugs: some hours
	@$(BIN)/pytest -m drill -s --drill-report docs/drill-report.md

soak: HOURS ?= 0.5
soak: RATE ?= 500
soak: setup ## Random faults under traffic: HOURS=0.5 SEED=7 RATE=500; its records are in soak-records/
	@$(BIN)/python -m tests.drills.soak --hours $(HOURS) --rate $(RATE) $(if $(SEED),--seed $(SEED))

lint: ## Ruff, mypy, and the arrows between the rooms
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: ## Let ruff format and repair what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

docs: ## Write docs/reference anew from the code
	@$(BIN)/python -W ignore -m scripts.reference

lock: ## Choose the newest allowed versions again: Python packages (needs uv) and Java artifacts
	uv lock --upgrade
	uv export --quiet --format requirements-txt --extra embedded --group dev --no-emit-project \
		--no-header --no-annotate --output-file requirements/dev.txt
	uv export --quiet --frozen --format requirements-txt --no-dev --no-emit-project \
		--no-header --no-annotate --output-file requirements/platform.txt
	uv export --quiet --frozen --format requirements-txt --only-group taskmanager \
		--no-header --no-annotate --output-file requirements/taskmanager.txt
	uv export --quiet --frozen --format requirements-txt --only-group build \
		--no-header --no-annotate --output-file requirements/build.txt
	@scripts/bootstrap
	$(BIN)/python -m ctr_platform.artifacts.lock
