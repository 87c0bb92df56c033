# Everything a person or a machine does with this checkout. `make` alone explains itself.

PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2
ARGS ?=

PY := .venv/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-compile
LOCK := --generate-hashes --universal --no-emit-index-url --no-emit-find-links --no-header --quiet

# A stamp names the content of its lock file, so an install that is up to date costs nothing.
digest = $(shell cksum < $(1) | cut -d ' ' -f 1)
RUN := .venv/.stamp-run-$(call digest,requirements.lock)
DEV := .venv/.stamp-dev-$(call digest,requirements-dev.lock)
# What tests need includes what running needs: once it is there, `make run` leaves it alone.
INSTALLED := $(if $(wildcard $(DEV)),$(DEV),$(RUN))

.DEFAULT_GOAL := help
.PHONY: help run test check lint types contracts dependencies containers bench mutation lock clean browser programs

help: ## explain the targets
	@echo 'Exolotl: lots, quality control and certificates for EV products'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile
	@echo 'With: PORT=8000 (run), ARGS="-k fill" (test, bench), WORKERS=2 (test), PYTHON=python3.12 (first time)'

run: $(INSTALLED) ## set up, then serve with demo data in data/ at http://127.0.0.1:8000 (PORT=…)
	@mkdir -p data
	@set -e; \
	export EXOLOTL_DEMO=1; \
	export EXOLOTL_DATABASE_URL="$${EXOLOTL_DATABASE_URL:-sqlite:///data/exolotl.db}"; \
	export EXOLOTL_DOCUMENTS_URL="$${EXOLOTL_DOCUMENTS_URL:-data/documents}"; \
	export EXOLOTL_BASE_URL="$${EXOLOTL_BASE_URL:-http://127.0.0.1:$(PORT)}"; \
	.venv/bin/exolotl migrate; \
	.venv/bin/exolotl demo; \
	exec .venv/bin/exolotl serve --host 127.0.0.1 --port $(PORT)

test: $(DEV) browser programs ## set up, then run every test on SQLite and PostgreSQL and in a browser
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: lint types contracts dependencies containers ## lint, types, import contracts, dependencies, lock files, container files

lint: $(DEV)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(DEV)
	$(PY) -m mypy

contracts: $(DEV)
	.venv/bin/lint-imports

dependencies: $(DEV)
	.venv/bin/deptry .
	$(PY) -m pip check --disable-pip-version-check
	$(PY) -m pytest -q tests/laws/test_locks.py

# hadolint comes as a wheel for this one platform; Compose is asked where Docker has it.
containers: $(DEV)
	$(PY) -m pytest -q tests/laws/test_containers.py
	case "$$(uname -sm)" in 'Linux x86_64') .venv/bin/hadolint Dockerfile ;; esac
	! docker compose version >/dev/null 2>&1 || { mkdir -p build && sed 's/=$$/=checked/' .env.example > build/check.env \
	  && docker compose --env-file build/check.env config --quiet; }

bench: $(DEV) ## measure: a table, and build/bench.json
	@mkdir -p build
	@$(PY) -m benchmarks $(ARGS)

mutation: $(DEV) ## change the deciding modules, line by line, and see which changes no test notices (docs/mutation.md)
	@$(PY) -c 'import mutmut' 2>/dev/null || $(PY) -m pip install -qq --disable-pip-version-check --no-input 'mutmut>=3.8'
	@rm -rf mutants && $(PY) -m mutmut run $(ARGS) && $(PY) -m mutmut results

lock: ## pin the newest allowed versions into the lock files (asks the package index)
	@command -v uv >/dev/null || { echo 'make lock needs uv: pipx install uv' >&2; exit 1; }
	uv pip compile pyproject.toml --upgrade --extra build $(LOCK) -o requirements.lock
	uv pip compile pyproject.toml --upgrade --extra build --extra dev -c requirements.lock $(LOCK) -o requirements-dev.lock

clean: ## remove what was installed, built and cached; data/ stays
	rm -rf .venv build mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(RUN): .venv/.stamp-venv
	@echo 'Installing what running needs (requirements.lock) …'
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --editable .
	@rm -f .venv/.stamp-run-* .venv/.stamp-dev-* && touch $@

$(DEV): .venv/.stamp-venv
	@echo 'Installing what tests need (requirements-dev.lock) …'
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-build-isolation --editable .
	@rm -f .venv/.stamp-run-* .venv/.stamp-dev-* && touch $@

.venv/.stamp-venv:
	@command -v $(PYTHON) >/dev/null || { echo 'Exolotl needs Python 3.11 or newer: apt-get install python3' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Exolotl needs Python 3.11 or newer; $(PYTHON) is {v[0]}.{v[1]}. Type `make … PYTHON=python3.12` with a newer one.")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo 'Installing python3-venv …'; \
	    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-venv; } >/dev/null; \
	  else echo 'Python lacks its venv module. Type as root: apt-get install python3-venv' >&2; exit 1; fi; }
	@.venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { rm -rf .venv && $(PYTHON) -m venv .venv; }
	@touch $@

# A browser from PATH, else Debian's, else Playwright's; without one the run fails and says what to type.
browser: $(DEV)
	@if ! $(PY) -m tests.servers chromium 2>/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	    echo 'Installing Chromium …'; \
	    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >/dev/null || true; \
	  fi; \
	  $(PY) -m tests.servers chromium 2>/dev/null || .venv/bin/playwright install chromium || true; \
	  $(PY) -m tests.servers chromium; \
	fi

# Other people's programs that the tests check PDF files and keys with; without them the run fails and says what to type.
programs: $(DEV)
	@if ! $(PY) -m tests.programs 2>/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	    missing="$$($(PY) -m tests.programs --packages)"; \
	    echo "Installing $$missing …"; \
	    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing; } >/dev/null || true; \
	  fi; \
	  $(PY) -m tests.programs; \
	fi
