# Throughline: the two commands are `make run` and `make test`. Nothing here needs more than Rust, Node 20, Python 3,
# make and a shell on a Debian machine; what else a target wants it installs first, and only if it is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# On CI the build lives outside the clone, so that the next fresh clone finds the dependencies built.
ifdef CI
export CARGO_TARGET_DIR ?= $(HOME)/.cache/throughline/target
# The same commit meets the same random cases there; anywhere else they are drawn anew.
export PROPTEST_RNG_SEED ?= 20240430
endif
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/release/throughline
# One profile for all tests, the program they start and the lints: dependencies are built once. Sums that overflow stop a
# test there (Cargo.toml).
CARGO := cargo
CHECKED := --profile ci --locked
CHECKED_BIN := $(TARGET)/ci/throughline
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
STORE ?= var/throughline.gpkg
DENY_VERSION := 0.20.2
FUZZ_VERSION := 0.13.2
export THROUGHLINE_TEST_DATA ?= $(abspath ../shared/data)

.PHONY: help run build build-checked web test browser conformance lint types api-types fmt bench bench-peers docs data fuzz tools-fuzz tools-lint tools-test tools-browser tools-bench

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: web ## Build the program with its map
	$(CARGO) build --release --locked --bin throughline

build-checked: web
	$(CARGO) build $(CHECKED) --bin throughline

# The map application is built before any cargo command, so that all of them embed the same files.
web: static/dist/index.html ## Build the map application

static/node_modules/.installed: static/package.json static/package-lock.json static/build/types/package.json
	cd static && npm ci --no-audit --no-fund --loglevel=error
	touch $@

static/dist/index.html: static/node_modules/.installed static/index.html static/vite.config.ts static/tsconfig.json \
  data/reference/land.topojson $(shell find static/src static/build static/help -name node_modules -prune -o -type f -print)
	cd static && npm run --silent build
	touch $@

run: build ## Build and serve the map at http://127.0.0.1:8080/
	$(BIN) serve --demo $(STORE)

test: tools-test tools-bench build-checked ## Run every test
	$(CARGO) test $(CHECKED) --lib --test architecture --test store --test golden --test api
	$(CARGO) test $(CHECKED) --doc
	$(CARGO) test $(CHECKED) --test instructions
	cd static && npm run --silent test
	$(MAKE) --no-print-directory browser

browser: tools-browser build-checked ## Run the tests of the map in a browser
	THROUGHLINE_BIN=$(abspath $(CHECKED_BIN)) node tests/browser/run.mjs

conformance: web ## Run the tests of each OGC requirement
	$(CARGO) test $(CHECKED) --test conformance

lint: tools-lint web ## Check format, lints, types, dependencies and documentation
	$(CARGO) fmt --check
	$(CARGO) clippy $(CHECKED) --all-targets -- -D warnings
	$(MAKE) --no-print-directory api-types OUT=$(abspath $(TARGET))/schema.gen.ts
	diff -u static/src/api/schema.gen.ts $(abspath $(TARGET))/schema.gen.ts || { echo "run make types"; exit 1; }
	cd static && npm run --silent check
	cargo deny --log-level error check licenses bans sources
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(CHECKED) --no-deps --quiet

types: ## Generate the map's types of answers from the OpenAPI document
	$(MAKE) --no-print-directory api-types OUT=$(abspath static/src/api/schema.gen.ts)

# The document is printed by a program of the tests: no server is needed.
api-types: web
	$(CARGO) test $(CHECKED) --quiet --test openapi > $(abspath $(TARGET))/openapi.json
	cd static && npm run --silent generate --workspace build/types -- $(abspath $(TARGET))/openapi.json --array-length --output $(OUT) >/dev/null

fmt: ## Format the code
	$(CARGO) fmt

data: ## Derive the reference facts anew from their sources, which takes minutes and the network
	data/derive/make.sh

bench: tools-bench web ## Measure opening, memory, writes, instructions, encoding, filters, views, and answers beside a bare server
	$(CARGO) bench --locked --bench spine --bench write --bench encode --bench filter --bench views --bench serve

bench-peers: build ## Measure beside Martin, TiPg and a bare server; PEERS_DIR= a folder for what that makes
	python3 tests/bench/peers.py $(BIN)

# A minute each unless SECONDS_EACH says otherwise. What is found stands in tests/fuzz/artifacts; mended, it becomes a seed.
fuzz: tools-fuzz web ## Feed readers and addresses with random bytes; SECONDS_EACH= for each of them, TARGETS= which
	for target in $(or $(TARGETS),csv geojson geopackage tile query); do \
	  mkdir -p $(TARGET)/fuzz/corpus/$$target; \
	  CARGO_TARGET_DIR=$(abspath $(TARGET))/fuzz $(CARGO) fuzz run --fuzz-dir tests/fuzz --sanitizer none $$target \
	    $(abspath $(TARGET))/fuzz/corpus/$$target tests/fuzz/seeds/$$target -- \
	    -max_total_time=$(or $(SECONDS_EACH),60) -timeout=20 -rss_limit_mb=4096; \
	done

docs: web ## Build the code's documentation
	$(CARGO) doc $(CHECKED) --no-deps

tools-lint:
	@cargo deny --version 2>/dev/null | grep -q ' $(DENY_VERSION)$$' || \
	  CARGO_TARGET_DIR="$(abspath $(TARGET))/tools" $(CARGO) install --locked --debug --version $(DENY_VERSION) cargo-deny

tools-fuzz:
	@cargo fuzz --version 2>/dev/null | grep -q ' $(FUZZ_VERSION)$$' || \
	  CARGO_TARGET_DIR="$(abspath $(TARGET))/tools" $(CARGO) install --locked --debug --version $(FUZZ_VERSION) cargo-fuzz

tools-test:
	@command -v ogrinfo >/dev/null || { $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends gdal-bin >/dev/null; }

tools-browser:
	@command -v chromium >/dev/null || { $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

tools-bench:
	@command -v valgrind >/dev/null || { $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends valgrind libc6-dbg >/dev/null; }
