# The words of this project; .ci/run and the README use the same ones.
#   make run                     the whole product on this machine; Ctrl-C ends it
#   make test ARGS="-k ledger"   the tests, on a database and broker of their own
#   make check                   every other gate
#   make manage ARGS="reconcile" a management command against the running stack

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := wevion creative_hub credits assets workspaces dev bench tests
PACKAGES := $(patsubst %/__init__.py,%,$(wildcard $(SOURCES:%=%/__init__.py))) \
	manage.py gunicorn.conf.py
# For every Python from 3.11.0 on, not only the one that happens to run here.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11.0 --generate-hashes --no-header \
	--no-emit-index-url

# What the checks read in place of a deployment; nothing listens on these addresses.
CHECK_ENV := env ENV_FILE= DEBUG=0 SITE_URL=https://hub.example ALLOWED_HOSTS=hub.example \
	SECRET_KEY=only-for-the-checks-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789 \
	DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0

.PHONY: install run test check manage fakes bench lock fmt
.DEFAULT_GOAL := run

install: $(STAMP)

$(STAMP): requirements/dev.txt
	@$(PYTHON) -m dev.install

run: $(STAMP)
	@$(BIN)/python -m dev.stack run

test: $(STAMP)
	@$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@echo mypy --strict $(PACKAGES)
	@$(CHECK_ENV) $(BIN)/mypy $(PACKAGES)
	$(BIN)/lint-imports --no-cache
	@echo djade --check
	@find templates $(PACKAGES) -name '*.html' -exec $(BIN)/djade --target-version 5.2 --check {} +
	@echo django-upgrade --check
	@find $(PACKAGES) -name '*.py' -exec $(BIN)/django-upgrade --target-version 5.2 --check {} +
	@echo manage.py makemigrations --check
	@# It compares models with files; the history in a database, which it also asks for, is not
	@# needed for that.
	@$(CHECK_ENV) $(BIN)/python -W "ignore:Got an error checking a consistent migration history" \
		manage.py makemigrations --check --dry-run
	@echo manage.py check --deploy
	@$(CHECK_ENV) $(BIN)/python manage.py check --deploy --fail-level WARNING

manage: $(STAMP)
	@$(BIN)/python -m dev.stack manage $(ARGS)

fakes: $(STAMP)
	@$(BIN)/python -m tests.providers.fakes $(ARGS)

bench: $(STAMP)
	@$(BIN)/python -m bench $(ARGS)

lock: $(STAMP)
	$(LOCK) requirements/base.in --output-file requirements/base.txt
	$(LOCK) --allow-unsafe requirements/dev.in --output-file requirements/dev.txt

fmt: $(STAMP)
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@find templates $(PACKAGES) -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} +
