# The commands of this project. "make check" is exactly what CI runs.

GO      ?= go
BIN     := bin
LINT    := $(BIN)/golangci-lint

.PHONY: build demo servers test check lint vet docs docs-check vulncheck bench fuzz replay clean help

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## build bin/kubelts
	$(GO) build -trimpath -o $(BIN)/kubelts ./cmd/kubelts

demo: build ## the whole road on a small repository made on the spot
	$(BIN)/kubelts demo

servers: ## the programs of Kubernetes that tests start (minutes once; kept below the user's cache directory)
	@echo 'building kube-apiserver and kubectl for the tests: up to 10 minutes the first time, a second afterwards'
	$(GO) test -count=1 -timeout=60m -run='^TestServersAreBuilt$$' -v ./internal/clustertest

test: servers ## all tests, with the race detector, in random order
	$(GO) test -race -shuffle=on -timeout=30m ./...

check: lint vet test docs-check ## what CI runs

lint: $(LINT) ## golangci-lint, pinned in tools/go.mod
	$(LINT) run ./...

vet:
	$(GO) vet ./...
	$(GO) mod verify

$(LINT): tools/go.mod
	$(GO) build -C tools -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $(LINT)

$(BIN)/benchstat: tools/go.mod
	$(GO) build -C tools -o ../$(BIN)/benchstat golang.org/x/perf/cmd/benchstat
	@touch $@

docs: build ## write docs/cli anew from the commands
	rm -rf docs/cli && $(BIN)/kubelts docs markdown --dir docs/cli

docs-check: build ## fail when docs/cli is not what the commands say
	@rm -rf $(BIN)/cli-docs && $(BIN)/kubelts docs markdown --dir $(BIN)/cli-docs
	@diff -r docs/cli $(BIN)/cli-docs || { echo 'docs/cli is out of date: run "make docs"' >&2; exit 1; }

vulncheck: ## known vulnerabilities of our dependencies (its database is out of reach in some places)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

bench: $(BIN)/benchstat ## benchmarks; compare two runs with benchstat
	$(GO) test -run='^$$' -bench=. -benchmem -count=$(or $(COUNT),3) ./... | tee $(BIN)/bench.txt
	$(BIN)/benchstat $(BIN)/bench.txt

# With about forty targets, a minute and a half each make an hour.
FUZZTIME ?= 90s
fuzz: ## every fuzz target for FUZZTIME (all: about an hour)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; $(GO) test -run='^$$' -fuzz="^$$target$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=10x $$pkg; done; done

replay: build ## pick real backports again: make replay REPO=clone.git PAIRS=pairs.json
	$(BIN)/kubelts replay --repo "$(REPO)" --pairs "$(PAIRS)" $(REPLAYFLAGS)

clean: ## remove what was built
	rm -rf $(BIN)
