# The front door: `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
UV := VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip --quiet
WAREHOUSE ?= warehouse
VARS ?= {}
SQL := 'models/*.sql' 'analyses/*.sql' 'macros/*.sql'
# Looking for garbage takes a quarter of sqlfluff's time, and there is none to speak of.
SQLFLUFF := TIERING_WAREHOUSE=target/lint $(BIN)/python -c 'import gc; gc.disable(); from sqlfluff.cli.commands import cli; cli()'
LINTED := $(shell find models analyses -name '*.sql')
# What tells of all files: they are rendered by it, or judged.
MACROS := $(shell find macros -name '*.sql')
LINTED_BY := .sqlfluff .sqlfluffignore dbt_project.yml requirements.txt $(MACROS)
LINT_MACROS := $(BIN)/python tests/python/lint_macros.py
MACROS_LINTED_BY := .sqlfluff macros/.sqlfluff requirements.txt tests/python/lint_macros.py
FAST_TESTS := $(addprefix tests/python/,test_configuration.py test_docs.py test_laws.py test_manifest.py test_oracle*.py test_reading.py test_sample.py)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: .venv/.installed ## Make .venv from the pinned, hashed requirements (needs Python 3.11 and make)

.venv/.installed: requirements.txt pyproject.toml
	@command -v $(PYTHON) > /dev/null || { echo "No $(PYTHON) found: install Python 3.11, or say PYTHON=/path/to/python3.11."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' requirements.txt)"
	$(UV) sync --compile-bytecode --require-hashes requirements.txt
	$(UV) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m customer_tiering.overview.bundle
	touch $@

setup-postgres: .venv/.installed-postgres ## Add what building on PostgreSQL needs to .venv

.venv/.installed-postgres: .venv/.installed requirements-postgres.txt
	$(UV) install --compile-bytecode --require-hashes --requirement requirements-postgres.txt
	touch $@

lock: ## Compile requirements.txt, requirements-postgres.txt and bench/requirements.txt anew from the .in files
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" requirements.in --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --constraints requirements.txt requirements-postgres.in --output-file requirements-postgres.txt
	$(BIN)/uv pip compile --no-config --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" bench/requirements.in --output-file bench/requirements.txt

demo: setup ## Build the sample company's warehouse and show its tiers
	$(BIN)/tiering refresh --raw sample --warehouse $(WAREHOUSE) --vars '$(VARS)'
	@echo "The sample has the faults of a real extract (sample/README.md): what is rejected, and what is worth a look, is meant to be."

build: setup ## Run plain dbt build on the sample
	umask 077 && $(BIN)/dbt build

check: setup ## Check the configuration: vars and seeds
	$(BIN)/tiering check --vars '$(VARS)'

example: setup ## Map and build a public data set: make example NAME=online_retail DATA=folder
	$(BIN)/tiering example $(NAME) $(if $(DATA),--data $(DATA)) --warehouse $(WAREHOUSE)/$(NAME) --vars '$(VARS)'

lint: setup ## Check the style and types of Python, and the style of all SQL that has not passed since it changed; FILES=path... for some of it alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(SQLFLUFF) lint customer_tiering/sql --templater placeholder --disable-progress-bar
	$(SQLFLUFF) lint sources examples --templater raw --config sources/.sqlfluff --disable-progress-bar
	@mkdir -p target/lint
	$(if $(FILES),,@$(MAKE) --no-print-directory target/lint/macros target/lint/passed)
	$(if $(filter macros/%,$(FILES)),$(LINT_MACROS) $(filter macros/%,$(FILES)))
	$(if $(filter-out macros/% sources/% examples/%,$(FILES)),$(SQLFLUFF) lint $(filter-out macros/% sources/% examples/%,$(FILES)) --disable-progress-bar)

target/lint/macros: $(MACROS) $(MACROS_LINTED_BY)
	@touch target/lint/macros_begun
	$(LINT_MACROS) $(if $(filter $(MACROS_LINTED_BY),$?),$(MACROS),$?)
	@mv target/lint/macros_begun $@

target/lint/passed: $(LINTED) $(LINTED_BY)
	@touch target/lint/begun  # what is edited meanwhile is newer
	$(SQLFLUFF) lint $(if $(filter $(LINTED_BY),$?),models analyses,$?) --disable-progress-bar
	@mv target/lint/begun $@

lint-changed: setup ## Check the style and types of Python, and the style of the SQL that differs from the last commit
	@changed="$$({ git diff --name-only --diff-filter=d HEAD -- $(SQL); git ls-files --others --exclude-standard -- $(SQL); } | tr '\n' ' ')"; \
	if [ -n "$$changed" ]; then $(MAKE) --no-print-directory lint FILES="$$changed"; \
	else $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy; fi

dbt-tests: setup ## Build the sample company by plain dbt, with dbt's own tests and unit tests; WITHOUT=test leaves out the former
	@mkdir -p target/test_warehouse
	TIERING_WAREHOUSE=target/test_warehouse $(BIN)/dbt build --quiet $(addprefix --exclude-resource-type ,$(WITHOUT))

oracle-tests: setup ## The oracle, laws, configuration and reading by pytest
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist loadfile $(FAST_TESTS)

test-fast: setup ## What to run after every edit: style of what changed, dbt's tests, the oracle, laws
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint-changed oracle-tests dbt-tests

python-tests: setup ## Everything against an independent oracle, by pytest; says at its end what took longest
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 15 tests/python

# dbt's own tests of the sample run in its refresh, which python-tests need.
test: setup ## Prove it: style, dbt's own tests, and everything against an independent oracle
	@$(MAKE) --no-print-directory --jobs 2 dbt-tests lint python-tests WITHOUT=test

test-postgres: setup-postgres ## Prove it on PostgreSQL, on a server of the tests' own
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --durations 10 tests/postgres

test-engines-full: setup-postgres ## Build whole companies twice on both engines and compare them, and kill refreshes on PostgreSQL (half an hour)
	$(BIN)/python -m pytest tests/postgres/full_parity.py tests/postgres/full_faults.py

dagster: setup ## Open Dagster's web page on the schedule (http://localhost:3000)
	$(BIN)/dbt parse --quiet
	mkdir -p $(WAREHOUSE)/dagster
	echo 'telemetry: {enabled: false}' > $(WAREHOUSE)/dagster/dagster.yaml
	DAGSTER_HOME=$(abspath $(WAREHOUSE)/dagster) TIERING_RAW=$${TIERING_RAW:-sample} TIERING_WAREHOUSE=$(abspath $(WAREHOUSE)) \
	TIERING_VARS='$(VARS)' $(BIN)/dagster dev --module-name customer_tiering.schedule --attribute defs

bench: setup $(if $(findstring --peers,$(OPTIONS)),setup-bench) ## Measure refreshes beside a hand-written script: make bench SIZE=100k, 1m or 10m; OPTIONS=--peers for RFM alone beside other tools, OPTIONS=--help for all
	$(BIN)/python -m bench.run $(or $(SIZE),1m) $(OPTIONS)

bench-docs: setup ## Write the figures of docs/benchmarks.md, and its plots, from bench/results.json
	$(BIN)/python -m bench.report

setup-bench: bench/.venv/.installed ## Make bench/.venv with what the benchmark measures beside this project

bench/.venv/.installed: .venv/.installed bench/requirements.txt
	test -x bench/.venv/bin/python || $(PYTHON) -m venv --without-pip bench/.venv
	VIRTUAL_ENV=$(CURDIR)/bench/.venv $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes bench/requirements.txt
	touch $@

pictures: setup ## Draw the README's pictures of Online Retail (needs Chromium and a Chinese font): make pictures DATA=folder
	@command -v chromium > /dev/null || { echo "No Chromium found: apt-get install chromium fonts-noto-cjk."; exit 1; }
	@fc-list :lang=zh family | grep -q . || { echo "No Chinese font found: apt-get install fonts-noto-cjk."; exit 1; }
	$(BIN)/tiering example online_retail $(if $(DATA),--data $(DATA)) --warehouse $(WAREHOUSE)/online_retail
	$(BIN)/python tests/python/pictures.py $(WAREHOUSE)/online_retail/overview.html docs

sample: setup ## Make the sample company anew
	$(BIN)/python -m customer_tiering.sample --out sample

docs: setup ## Write docs/raw-contract.md from the source YAML
	$(BIN)/python -m customer_tiering.raw_contract

clean: ## Remove everything that was built, .venv too
	rm -rf .venv warehouse/* target logs bench/data bench/.venv

.PHONY: help setup setup-postgres lock demo build check example lint lint-changed dbt-tests oracle-tests python-tests test-fast test test-postgres test-engines-full dagster bench bench-docs setup-bench pictures sample docs clean
