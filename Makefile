# Everything here needs Go, make, git and sh. Modules are fetched on first use.

.DEFAULT_GOAL := check
.PHONY: check build vet fmt lint test race bench bench-long faults fuzz golden reproduce demo-live prove help clean

# Tests and `make reproduce` read the recordings if they lie beside the
# checkout or in the folder that EEVEE_RECORDINGS names.
EEVEE_RECORDINGS ?= $(abspath $(wildcard ../shared/recordings))
export EEVEE_RECORDINGS

# The version of the sources is stamped into the binary where git knows it.
BUILDVCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)
FUZZTIME ?= 30s
OUT      ?= out

check: build vet fmt lint test ## build, vet, fmt, lint and test (the default)

build: ## compile everything; the program is bin/eevee
	go build ./...
	go build -buildvcs=$(BUILDVCS) -o bin/eevee .

vet: ## go vet
	go vet ./...

fmt: ## fail on files that gofmt would change
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt -w $$files"; exit 1; fi

lint: ## staticcheck, and the rules of the house (internal/lint)
	go tool staticcheck ./...
	go test ./internal/lint

test: ## every test; under 6 minutes on 2 cores
	go test -timeout 6m ./...

race: ## the tests of packages with goroutines under the race detector, those that heed -short cut down (needs a C compiler)
	@packages=$$(sh internal/lint/concurrent.sh); echo "go test -race -short" $$packages; \
	go test -race -short -timeout 15m $$packages

bench: ## run every benchmark
	go test -run '^$$' -bench . -benchmem ./...

bench-long: ## the simulator under loads of 100 million invocations, and a million executions of ml
	go test -run '^$$' -bench 'W[123]$$|ML' -benchtime 1x -timeout 30m ./sim -invocations 100000000

fuzz: ## run every fuzz target for FUZZTIME (default 30s)
	@list=$$(go test -list '^Fuzz' ./...) || { echo "$$list"; exit 1; }; \
	echo "$$list" | awk '/^Fuzz/ { t[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, t[i]; n = 0 }' | \
	while read -r package target; do \
		echo "$$package $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package" </dev/null || exit 1; \
	done

faults: ## let every call of the live mode to the emulated AWS fail in every way (minutes)
	go test -timeout 30m -run "Faults|Killed" ./live -all-faults

prove: ## sweeps against other people's systems: the Kubernetes API, Apache Arrow, and Slurm where it is installed (root)
	cd experiments/sweep/prove && go vet ./... && go test ./...
	@if PATH=$$PATH:/usr/sbin command -v slurmctld >/dev/null; then experiments/sweep/prove/slurm.sh; else echo "prove: no Slurm here; apt-get install slurm-wlm munge"; fi

golden: ## rewrite the golden files from what the program prints now
	go test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -n1 dirname | sort -u) -update

reproduce: build ## build the program and redraw the papers' figures and tables into OUT (default out)
	bin/eevee reproduce -o $(OUT)

demo-live: ## profile, fit, solve and validate three real functions on an emulated AWS, into OUT/demo-live
	go test -count=1 -timeout 60m -run '^TestLoop$$' ./live -demo $(abspath $(OUT))/demo-live -v

clean: ## remove what the targets built
	rm -rf bin $(OUT)

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
