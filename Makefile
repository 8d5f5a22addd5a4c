# What people do with this project: `make help`.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := pixy_grpc client tests benchmarks
STUBS := pixy_grpc/v1
PROTO := protos/pixy/v1/image_service.proto
MARIADB := mariadb-server-core mariadb-client-core
# protoc looks for its plugins on the PATH; Debian keeps servers where a plain user's
# does not look.
export PATH := $(CURDIR)/$(BIN):$(PATH):/usr/sbin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run setup test check lint types protos protos-check bench-db bench-create bench-bytes demo lock mariadb nginx clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run ## Serve on the embedded default, after setting up what that needs
	@$(BIN)/pixy-grpc serve

setup: .venv/.dev ## Make .venv with all that developing needs

test: .venv/.dev mariadb ## Run every test, after setting up all they need
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder --cov --cov-report=term

check: lint types protos-check test ## All that has to be green: lint, format, types, protos, tests

lint: .venv/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: .venv/.dev
	$(BIN)/mypy

define generate
	$(BIN)/python -m grpc_tools.protoc -I$(STUBS)=protos/pixy/v1 --python_out=$(1) \
	  --grpc_python_out=$(1) --mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) $(STUBS)/image_service.proto
endef

protos: .venv/.dev ## Make the stubs anew from the contract
	$(call generate,.)

protos-check: .venv/.dev
	$(BIN)/buf lint protos
	$(BIN)/buf format --diff --exit-code protos
	test -s protos/released/pixy/v1/image_service.proto
	$(BIN)/buf breaking protos --against protos/released
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && mkdir -p "$$fresh/$(STUBS)" && \
	$(call generate,"$$fresh") && \
	cp $(STUBS)/__init__.py "$$fresh/$(STUBS)/" && \
	diff -r -x __pycache__ $(STUBS) "$$fresh/$(STUBS)" || \
	{ echo "The committed stubs are not those of the contract: run 'make protos'."; exit 1; }

bench-db: .venv/.dev mariadb ## Measure details and lists at a million rows
	@$(BIN)/python -m benchmarks.db

bench-create: .venv/.dev mariadb ## Measure what a creation adds to the provider's time
	@$(BIN)/python -m benchmarks.create

bench-bytes: .venv/.dev nginx ## Measure the delivery of bytes beside grpcio, FastAPI and nginx
	@$(BIN)/python -m benchmarks.bytes

demo: .venv/.run ## Start a server, create, list, search, download, verify, stop
	@$(BIN)/python client/demo.py

lock: .venv/.dev ## Pin the requirements anew, with hashes and without addresses
	$(call compile,--extra server --extra cli --group build -o requirements/run.txt)
	$(call compile,--all-extras --group build --group dev -c requirements/run.txt -o requirements/dev.txt)

# Extras stay in the names: pip looks a required extra up among the locked names, and takes
# one that is missing there for a requirement without hashes once a newer version is out.
compile = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-strip-extras --no-emit-index-url --no-header --no-annotate pyproject.toml $(1)

# What the package manager has to have installed, by the program that shows it.
define installed
	@command -v $(1) >/dev/null || { \
	  install="apt-get install --yes --no-install-recommends $(2)"; \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && $$install; \
	  elif sudo -n true 2>/dev/null; then sudo apt-get update -qq && sudo $$install; \
	  else echo "$(3): install $(2)"; exit 1; fi; }
endef

mariadb:
	$(call installed,mariadbd,$(MARIADB),The tests need MariaDB)

nginx:
	$(call installed,nginx,nginx-light,bench-bytes is measured beside nginx)

clean: ## Remove what the targets made, but no image and no database
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .coverage*

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "PixyProxy needs Python 3.11 or later: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	$(PIP) install --require-hashes -r $<
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	$(PIP) install --require-hashes -r $<
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ .venv/.run
