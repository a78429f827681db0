# The project's commands. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup demo down test drill lint format lock
BIN := .venv/bin

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv, fetch the Java artifacts, build the job's front (cheap when nothing changed)
	@scripts/bootstrap

demo: setup ## Start everything and show where it is; Ctrl-C stops it
	@$(BIN)/ctr up

down: ## Stop a stack that runs in the background
	@$(BIN)/ctr down

test: setup lint ## Lint, check types and run all tests, on services of their own
	@scripts/test

drill: setup ## Long fault drills on a real stack, and their report: more than an hour
	@$(BIN)/pytest -m drill -s --drill-report docs/drill-report.md

lint: ## Ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: ## Let ruff format and repair what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

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
