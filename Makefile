# chef-backend-cockpit. `make help` lists the targets.
GO    ?= go
RACE  ?=
SPEED ?= 1
SCENARIO ?= follower-wal-gap
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
export CGO_ENABLED = $(if $(RACE),1,0)

.PHONY: help test-ssh test-safety test-safety-ssh test-safety-million test-rehearsals fuzz test-scenarios demo lab test test-lab build lint manual screens dist test-dist soak bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-8s %s\n", $$1, $$2}'

demo: ## open the cockpit on a simulated cluster (SCENARIO=name, SPEED=n)
	@$(GO) run ./cmd/chef-backend-cockpit demo --scenario $(SCENARIO) --speed $(SPEED)

lab: ## open the cockpit on three real hosts on this machine (Linux, root); faults: bin/chef-backend-lab fault
	$(GO) build -trimpath -o bin/ ./cmd/chef-backend-lab ./cmd/chef-backend-cockpit
	@bin/chef-backend-lab up && { trap 'bin/chef-backend-lab down' EXIT; trap 'exit 1' INT TERM HUP; \
	bin/chef-backend-cockpit --config /var/tmp/chef-backend-lab/cockpit.yaml; }

# The packages whose tests take longest come first: what is started last must
# not keep one core busy alone.
LONGEST = ./cmd/chef-backend-cockpit ./cluster/scenario

# Values and questions about them: nothing in these runs beside anything else,
# so that there is no race to detect.
VALUES = ./cluster ./cluster/failure ./cluster/catalogue

test: ## run all tests (RACE=1: with the race detector, needs a C compiler)
ifdef RACE
	CGO_ENABLED=0 $(GO) test $(VALUES)
	$(GO) test -race $(LONGEST) $(filter-out $(VALUES:.%=chef-backend-cockpit%),$(shell $(GO) list ./...))
else
	$(GO) test $(LONGEST) ./...
endif

test-ssh: ## compare what opens and what is refused with OpenSSH, against a real sshd; prints the count
	$(GO) test -count=1 -v -run '^TestDecisionsAreThoseOfOpenSSH$$' ./remote

test-scenarios: ## try every row of the scenario table on the simulation (ROWS=regexp)
	CHEF_BACKEND_SCENARIOS=1 $(GO) test -count=1 -v -timeout 20m \
		-run '$(if $(ROWS),^TestScenariosOnTheSimulation$$/^table$$/$(ROWS),^(TestScenariosOnTheSimulation|TestTableCoversTheCatalogue)$$)' ./cluster/scenario

# Tests of what must not happen to data; each prints how often it was tried.
SAFETY = ^(TestKilledAtEveryBoundary|TestCutInEveryStep|TestPlanIsTakenUpAgain|TestWhatBecameOfAStep|TestRacesOfTwoCockpits|TestIncidentsHoldTheInvariants|TestOracleTells|TestHostile.*)$$

# One package after another: in the second one time runs faster than the clock
# on the wall, and what shares its cores makes looks too old to act on. It wants
# two cores for itself; the others do on any machine.
SAFETY_IN = ./cluster/recovery ./cluster/scenario ./cmd/chef-backend-cockpit

test-safety: ## kills, cuts, races, changed facts, made-up incidents, hostile bytes; each prints its count
	CHEF_BACKEND_SAFETY=1 $(GO) test -p 1 -count=1 -v -timeout 15m -run '$(SAFETY)' $(SAFETY_IN)

test-safety-ssh: ## make up incidents over SSH, with the race detector (MANY=number, FROM=number of the first)
	CGO_ENABLED=1 CHEF_BACKEND_SAFETY=1 CHEF_BACKEND_INCIDENTS=$(or $(MANY),200):$(or $(FROM),0) $(GO) test -race -count=1 -v -timeout 40m \
		-run '^TestIncidentsOverSSH$$' ./cluster/scenario

test-rehearsals: ## rehearse and run; bring a simulation into the state of every row of the scenario table and look again (ROWS=regexp)
	CHEF_BACKEND_SAFETY=1 $(GO) test -p 1 -count=1 -v -timeout 15m -run '^TestRehearsal(InTheScreen|ForetellsTheRun|HoldsTheRun)$$' ./cluster/scenario ./cmd/chef-backend-cockpit
	CHEF_BACKEND_REHEARSALS=1 $(GO) test -count=1 -v -timeout 60m \
		-run '^TestRehearsalIsBroughtIntoEveryState$$/$(or $(ROWS),.)' ./cluster/scenario

test-safety-million: ## make up a million incidents (FOR=duration at most, FROM=number of the first)
	CHEF_BACKEND_MILLION=$(or $(FOR),1h) CHEF_BACKEND_FROM=$(or $(FROM),0) $(GO) test -count=1 -v -timeout 0 \
		-run '^TestMillionIncidents$$' ./cluster/recovery

fuzz: ## run each fuzzer of what comes from nodes and files (FOR=duration of each)
	@for p in remote cluster/observe cluster/logs cluster/journal cluster/recovery; do \
	for f in $$($(GO) test -list '^Fuzz' ./$$p | grep '^Fuzz'); do \
	$(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(or $(FOR),20s) -fuzzminimizetime 10x ./$$p || exit 1; done; done

test-lab: ## try the core scenarios on real hosts (Linux, root; ALL=1, ROWS=regexp, AT_ONCE=n labs side by side)
	CHEF_BACKEND_LAB=$(if $(ROWS)$(ALL),all,1) CHEF_BACKEND_LAB_AT_ONCE=$(AT_ONCE) $(GO) test -count=1 -v -timeout $(if $(ROWS)$(ALL),90m,25m) \
		-run '$(if $(ROWS),^TestScenariosOnTheLab$$/$(ROWS),.)' ./cmd/chef-backend-lab

build: ## build the one binary, without cgo
	$(GO) build -trimpath -o bin/chef-backend-cockpit ./cmd/chef-backend-cockpit

lint: ## vet, gofmt, staticcheck
	$(GO) vet ./...
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) run $(STATICCHECK) ./...

manual: ## write the manual's table of failures and procedures anew
	@sed '/^|/,$$d' assets/manual/guide.md > assets/manual/guide.md.new
	@$(GO) run ./cmd/chef-backend-cockpit catalogue guide >> assets/manual/guide.md.new
	@mv assets/manual/guide.md.new assets/manual/guide.md

screens: ## take the pictures of the screen in README and manual anew, from the simulated cluster
	$(GO) test -count=1 -run '^TestScreensInTheTexts$$' ./cmd/chef-backend-cockpit -update

dist: ## make the release in dist/: static binaries, deb and rpm, SHA256SUMS (VERSION=, PLATFORMS="linux/amd64 …")
	@GO="$(GO)" VERSION="$(VERSION)" assets/packaging/dist.sh dist $(PLATFORMS)

test-dist: ## make the release twice, install and remove its packages (Linux, root; PLATFORMS="linux/amd64 …", else this machine's)
	GO="$(GO)" CHEF_BACKEND_DIST="$(or $(PLATFORMS),own)" $(GO) test -count=1 -v -timeout 30m -run '^TestDist$$' ./cmd/chef-backend-cockpit

soak: ## 3 x 10,000 lines/s (FOR=10m), an idle minute, a folder of collected logs (SIZE=10 GB in bytes); SLACK=3 on a busy machine
	CHEF_BACKEND_FLOOD=$(or $(FOR),10m) CHEF_BACKEND_BIG=$(or $(SIZE),10000000000) CHEF_BACKEND_SLACK=$(SLACK) \
		$(GO) test -p 1 -count=1 -v -timeout 90m -run '^(TestFloodIsBounded|TestFloodHoldsTheBudgets|TestBigFolder)$$' ./cluster/logs ./cmd/chef-backend-cockpit

bench: ## benchmarks, each prints its figure
	$(GO) test -run '^$$' -bench . -benchmem ./...

clean: ## remove what was built
	rm -rf bin dist
