# make runs everything that a change must pass; make help lists the other targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# The tools, built from the Go module proxy into their own folder.
LINT_VERSION := v2.15.0
VULNCHECK_VERSION := v1.6.0
BENCHSTAT_VERSION := v0.0.0-20260908200009-22c9c6c9d4da
BIN := $(CURDIR)/.tmp/bin
LINT := $(BIN)/golangci-lint-$(LINT_VERSION)
VULNCHECK := $(BIN)/govulncheck-$(VULNCHECK_VERSION)
BENCHSTAT := $(BIN)/benchstat-$(BENCHSTAT_VERSION)

# Every package of every module in go.work.
PACKAGES ?= work
FUZZTIME ?= 10s
BENCH ?= .
MUTANT ?=
COUNT ?= 6
# The folders of these modules.
MODULES = $(shell go list -m -f {{.Dir}})
CASE ?= .
CLIENT ?= .

.PHONY: all
all: test lint ## Test and lint, the default

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## Run all tests
	go test $(PACKAGES)

.PHONY: race
race: ## Run all tests with the race detector, in random order
	go test -race -shuffle=on -timeout 20m $(PACKAGES)

.PHONY: migrations
migrations: ## Migrate a million rows under load, and print the longest stall
	OAUTHKIT_TEST_ROWS=1000000 go test -count=1 -v -run TestMigrateInUse ./store/gormstore

.PHONY: lint
lint: $(LINT) ## Check formatting, go vet, golangci-lint and go.mod
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
		if [ -n "$$unformatted" ]; then echo "not formatted with gofmt:"; echo "$$unformatted"; exit 1; fi
	go vet $(PACKAGES)
	$(LINT) run $(MODULES:%=%/...)
	@for module in $(MODULES); do (cd $$module && go mod tidy -diff); done

.PHONY: lowest
lowest: ## Build and test what a host requires, with the lowest versions of go.mod
	bash .ci/lowest

.PHONY: vulncheck
vulncheck: $(VULNCHECK) ## Look for known vulnerabilities that the code of each module reaches
	@for module in $(MODULES); do \
		echo "$$module"; \
		GOWORK=off $(VULNCHECK) -C $$module ./... 2>&1 | tee .tmp/vulncheck.txt || { \
			grep -q 'fetching vulnerabilities' .tmp/vulncheck.txt || exit 1; \
			echo "not checked: the database of vulnerabilities cannot be reached"; break; \
		}; \
	done

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s, or 1000x for a number of inputs)
	@go test -list '^Fuzz' $(PACKAGES) | awk '/^Fuzz/ { names[++n] = $$1 } /^ok/ { while (n) print $$2, names[n--] }' | \
		while read -r package name; do \
			echo "$$name ($$package)"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
		done

.PHONY: bench
bench: $(BENCHSTAT) ## Run the benchmarks matching BENCH COUNT times, and compare with .tmp/bench/old.txt
	@mkdir -p .tmp/bench
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $(PACKAGES) | tee .tmp/bench/new.txt
	@if [ -e .tmp/bench/old.txt ]; then cd .tmp/bench && $(BENCHSTAT) old.txt new.txt; \
		else echo "To compare: mv .tmp/bench/new.txt .tmp/bench/old.txt, make the change, and run make bench again."; fi

.PHONY: nemesis
nemesis: ## Run the fault injection cases matching the regular expression CASE; WRITE=yes updates the figures in docs/
	NEMESIS=long NEMESIS_CASE='$(CASE)' NEMESIS_WRITE=$(WRITE) go test -count=1 -v -timeout 60m -run '^TestNemesis$$' ./internal/nemesis

.PHONY: clients
clients: ## Sign in with the relying parties whose name matches CLIENT, on SQLite and PostgreSQL, and print a table
	OAUTHKIT_CLIENTS='$(CLIENT)' go test -count=1 -v -timeout 60m -run '^TestClients$$' ./internal/clientmatrix

.PHONY: mutants
mutants: ## Check that tests fail for each mutation of security-critical code whose name matches MUTANT
	go run ./internal/mutants '$(MUTANT)'

.PHONY: setup
setup: ## Install the npm packages of the tests, and list the other programs that they use
	@if command -v npm >/dev/null; then npm ci; else echo "Node:        not found; the clients from npm are skipped"; fi
	@postgres=$$(command -v postgres || ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | tail -n 1 || true); \
		echo "PostgreSQL:  $${OAUTHKIT_TEST_POSTGRES:+the server of OAUTHKIT_TEST_POSTGRES, or }$${postgres:-not found (Debian: apt-get install postgresql)}"
	@pgbouncer=$$(command -v pgbouncer || ls /usr/sbin/pgbouncer 2>/dev/null || true); \
		echo "PgBouncer:   $${pgbouncer:-not found (Debian: apt-get install pgbouncer)}"
	@chromium=$$(command -v chromium || command -v chromium-browser || command -v google-chrome || true); \
		echo "Chromium:    $${chromium:-not found (Debian: apt-get install chromium)}"

.PHONY: clean
clean: ## Remove the tools and their output
	rm -rf .tmp node_modules

$(LINT):
	@mkdir -p $(BIN)/build
	GOBIN=$(BIN)/build go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(BIN)/build/golangci-lint $@

$(VULNCHECK):
	@mkdir -p $(BIN)/build
	GOBIN=$(BIN)/build go install golang.org/x/vuln/cmd/govulncheck@$(VULNCHECK_VERSION)
	@mv $(BIN)/build/govulncheck $@

$(BENCHSTAT):
	@mkdir -p $(BIN)/build
	GOBIN=$(BIN)/build go install golang.org/x/perf/cmd/benchstat@$(BENCHSTAT_VERSION)
	@mv $(BIN)/build/benchstat $@
