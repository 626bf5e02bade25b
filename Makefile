# What a person does with this repository, one word each. `make` prints the list.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

# Modules besides the main one. Their tests need programs that jotgate itself never needs.
JUDGES := interop interop/differential
TOOL   := go tool -modfile=tools/go.mod

.PHONY: help
help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

.PHONY: run
run: ## run the main job: a server with a demo user
	go run ./cmd/jotgate serve --demo

.PHONY: setup
setup: ## install what the tests need (Debian packages when root, npm modules), or say what is missing
	tools/setup

.PHONY: test
test: setup ## every test, with the real Django, PyJWT, Node, PostgreSQL and others as judges
	go test ./...
	for module in $(JUDGES); do echo "== $$module"; (cd $$module && go test ./...); done

.PHONY: check
check: ## formatting, vet, staticcheck, known vulnerabilities, race detector
	unformatted=$$($(TOOL) gofumpt -l .); if [ -n "$$unformatted" ]; then echo "not formatted (make fmt mends it):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...
	for module in $(JUDGES) bench; do echo "== $$module"; (cd $$module && go vet ./...); done
	tools/vulncheck
	go test -race -short ./...

.PHONY: fmt
fmt: ## format all Go files
	$(TOOL) gofumpt -w .

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each (default 1m)
	tools/fuzz $(or $(FUZZTIME),1m)
