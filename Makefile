# What a person does with this repository, one word each. `make` prints the list.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

# Without .ONESHELL, as in the make of macOS, a target with several lines would do something else.
ifeq ($(filter oneshell,$(.FEATURES)),)
ifneq ($(filter-out help run setup test steady,$(MAKECMDGOALS)),)
$(error GNU make $(MAKE_VERSION) is too old for this target, which needs 3.82; on macOS: brew install make, then gmake $(MAKECMDGOALS))
endif
endif

# Modules besides the main one. Their tests need programs that jotgate itself never needs.
JUDGES := oteljotgate interop interop/differential interop/openapi interop/faults interop/matrix interop/browser interop/manifests examples/frameworks bench
TOOL   := go tool -modfile=tools/go.mod

.PHONY: help
help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

.PHONY: run
run: ## run the main job: a server with a demo user
	go run ./cmd/jotgate serve --demo

# Three tags leave out what the program never uses, and only packages whose speed a request with a token depends on are
# compiled with inlining (docs/decisions/0006-footprint.md); a plain `go build` works as well.
TAGS := nopgxregisterdefaulttypes,gomailnotpl,nethttpomithttp2
HOT := bufio bytes context crypto crypto/aes crypto/cipher crypto/ecdsa crypto/ed25519 crypto/hmac crypto/internal/... \
	crypto/md5 crypto/pbkdf2 crypto/rand crypto/sha1 crypto/sha256 crypto/sha512 crypto/subtle encoding/base64 \
	encoding/binary encoding/json errors hash/... internal/... io maps math math/bits net/http \
	net/http/internal/... net/netip net/url reflect runtime/... slices sort strconv strings sync/... syscall time unicode/... \
	unique golang.org/x/crypto/... golang.org/x/sync/... golang.org/x/sys/... modernc.org/... github.com/jotgate/jotgate \
	$(addprefix github.com/jotgate/jotgate/,internal/revocation internal/keyring internal/web jwt \
	metrics passwd proxy record throttle)

# Embedded texts that the production binary holds compressed (internal/packed).
PACKED := api/openapi.yaml $(wildcard internal/catalog/messages/*.txt admin/catalog/*.txt store/*/schema/*.sql pages/templates/*.html admin/templates/*.html \
	internal/layout/templates/*.html internal/layout/static/* admin/static/*) passwd/names/confusables.txt pages/static/passkey-page.js factor/passkey/passkey.js api/docs.css api/docs.js api/docs.html

.PHONY: build
build: ## the binary for production, as small as it gets (BINARY=file, default ./jotgate)
	packed=$$(mktemp -d); trap 'rm -rf "$$packed"' EXIT
	env -u GOOS -u GOARCH go run -C tools ./pack -o "$$packed" $(PACKED:%=../%)
	CGO_ENABLED=0 go build -overlay "$$packed/overlay.json" -trimpath -tags $(TAGS) -gcflags=all=-l $(HOT:%=-gcflags=%=) -ldflags='-s -w -funcalign=8 $(if $(VERSION),-X main.release=$(VERSION))' -o "$(or $(BINARY),jotgate)" ./cmd/jotgate

.PHONY: release
release: ## archives, Debian and RPM packages, OCI images, SBOMs and checksums in dist/ (PLATFORMS=linux/amd64 for one)
	tools/release/build

.PHONY: lifecycle
lifecycle: ## as root: install, start, upgrade and remove the Debian and RPM packages of dist/ in root folders of their own
	tools/release/lifecycle dist/jotgate_*_$$(dpkg --print-architecture).deb
	tools/release/lifecycle dist/jotgate-*.$$(uname -m).rpm

.PHONY: setup
setup: ## install what the tests need (Debian packages when root, npm modules), or say what is missing
	tools/setup

.PHONY: test
test: ## every test, with the real Django, PyJWT, Node, PostgreSQL and others as judges
	go run -C tools ./runtests -setup tools/setup . $(JUDGES)

.PHONY: steady
steady: ## the tests of the main module 20 times on a busy machine and 5 times on a slow one (STEADY="-n 2 -s 1 ./store")
	tools/steady $(STEADY)

# SQLite (translated from C, with locks of its own) and the password hashes of x/crypto are compiled without the race
# detector: they took most of its time, and it is to watch the code of this repository.
RACE := -race -short $(patsubst %,-gcflags=%=-race=false,modernc.org/sqlite/lib modernc.org/libc/... golang.org/x/crypto/...)

.PHONY: check
check: ## formatting, vet, staticcheck, known vulnerabilities, race detector, a minute of fuzzing
	unformatted=$$($(TOOL) gofumpt -l .); if [ -n "$$unformatted" ]; then echo "not formatted (make fmt mends it):"; echo "$$unformatted"; exit 1; fi
	go mod tidy -diff
	go vet ./...
	$(TOOL) staticcheck ./...
	for module in $(JUDGES); do echo "== $$module"; (cd $$module && go mod tidy -diff && go vet ./...); done
	tools/vulncheck
	go run -C tools ./runtests -flags '$(RACE)' .
	tools/fuzz $(or $(FUZZTIME),1m) ./jwt

.PHONY: cover
cover: ## what the tests of the pure packages reach, in per cent of the statements; under 95 fails
	go test -count=1 -cover ./jwt ./signing ./passwd/... | awk '/^ok/ && !/coverage: (9[5-9]|100)\./ { low = 1 } /^ok|FAIL/ { print } END { exit low }'

.PHONY: mutation
mutation: ## change one operator at a time and see whether a test notices; PACKAGE=jwt for one package (long: docs/mutation.md)
	tools/mutation/run $(PACKAGE)

.PHONY: fmt
fmt: ## format all Go files
	$(TOOL) gofumpt -w .

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 1m), those of a package side by side
	tools/fuzz $(or $(FUZZTIME),1m)

# Judges that take files of your own.

.PHONY: vectors
vectors: ## VECTORS=file: test tokens of the form of jwt/testdata/vectors, against the package and the command line
	@test -n "$(VECTORS)" || { echo "say which file: make vectors VECTORS=file.json"; exit 2; }
	VECTORS="$$(realpath "$(VECTORS)")" go test -count=1 -v -run 'Vectors' ./jwt ./cmd/jotgate | grep -vE '^=== '

.PHONY: golden
golden: ## GOLDEN=folder: recordings of a Django (passwords, signatures, schemas, HTTP exchanges), replayed
	@test -n "$(GOLDEN)" || { echo "say which folder: make golden GOLDEN=folder"; exit 2; }
	GOLDEN="$$(realpath "$(GOLDEN)")" go test -count=1 -v -run 'Golden' ./jwt ./passwd/... ./signing ./store/... ./api | grep -vE '^=== |^ *--- PASS|no tests to run'

.PHONY: interop
interop: setup ## the judges at length: 2,000 passwords for every hasher, both ways
	cd interop && INTEROP_FULL=1 go test -count=1 -timeout 60m ./...

.PHONY: pictures
pictures: setup ## a picture of every page in every state, in the folder PICTURES (default /tmp/pictures)
	mkdir -p "$(or $(PICTURES),/tmp/pictures)"
	pictures=$$(realpath "$(or $(PICTURES),/tmp/pictures)")
	cd interop/pages && PICTURES="$$pictures" go test -count=1 -timeout=60m -v -run TestPictures . | grep -vE '^=== '

.PHONY: pages
pages: setup ## every page in a browser at length: axe, html-validate, light, dark, 320 pixels, right to left, pseudo-language
	cd interop/pages && PAGES=long go test -count=1 -v -timeout 30m . | grep -vE '^=== '

.PHONY: spreadsheet
spreadsheet: ## an export of hostile names, opened in LibreOffice (Debian's libreoffice-calc-nogui): no cell is a formula
	cd interop && SPREADSHEET=long go test -count=1 -v ./spreadsheet | grep -vE '^=== '

.PHONY: differential
differential: setup ## TOKENS tokens (default 1,000,000), valid and damaged, judged by six other libraries beside jotgate
	cd interop/differential && TOKENS=$(or $(TOKENS),1000000) go test -count=1 -timeout 90m -v . | grep -vE '^=== '

.PHONY: bench
bench: ## jotgate beside its peers, interleaved, with ratios and allocations; also built with GOEXPERIMENT=jsonv2
	cd bench && go run ./jwt && GOEXPERIMENT=jsonv2 go run ./jwt -only 'verify HS256' && go run ./middleware

# Long runs. Their short forms are part of `make test`.

.PHONY: long
long: setup ## every long form, one after the other: all rounds of the main module, then what follows here (hours)
	LONG=1 go run -C tools ./runtests -flags -count=1 .
	for target in $(LONG_FORMS); do echo "== make $$target ($$SECONDS s)"; make --no-print-directory $$target || failed="$${failed-} $$target"; done
	if [ -n "$${failed-}" ]; then echo "failed:$$failed"; exit 1; fi

LONG_FORMS := crash timing scale faults ha soak pages spreadsheet interop differential

.PHONY: crash
crash: ## kill -9 a working gate 1,000 times on SQLite and 200 times on PostgreSQL (CRASHES=a/b)
	CRASHES=$(or $(CRASHES),1000/200) go test -count=1 -v -timeout 60m -run TestCrash . | grep -vE '^=== '

.PHONY: timing
timing: ## 500 + 500 interleaved tries of login, signup, reset and resend: medians within 3 % (10 % between kinds of hash)
	TIMING=full go test -count=1 -v -timeout 60m -run 'Timing' ./api | grep -vE '^=== '

.PHONY: scale
scale: ## SCALE users, sessions and revocations (default 1000000), 1,000 guards, a million refreshes and API keys, on both databases: work, times, bytes
	cd bench && SCALE=$(or $(SCALE),1000000) go test -count=1 -v -timeout 3h ./scale | grep -vE "^=== "
	JOTGATE_USERS=$(or $(SCALE),1000000) JOTGATE_REFRESHES=1000000 go test -count=1 -v -timeout 60m -run "TestMany(Users|Refreshes)" -bench "ManyUsers|Rotate|Admin" ./store | grep -vE "^=== "
	JOTGATE_KEYS=1000000 go test -count=1 -v -timeout 60m -run TestManyKeys -bench Require ./apikey | grep -vE "^=== "

.PHONY: faults
faults: setup ## break the wire, PostgreSQL, the disk and the server under load, at length
	cd interop/faults && FAULTS=long go test -count=1 -v -timeout 60m . | grep -vE '^=== '

.PHONY: ha
ha: setup ## failover behind HAProxy and PgBouncer under load, and 20 rounds of simultaneous starts, at length
	cd interop && HA=long go test -count=1 -v -timeout 60m ./ha | grep -vE '^=== '
	LONG=1 go test -count=1 -v -timeout 60m -run 'SimultaneousStarts' ./store/postgres | grep -vE '^=== '

.PHONY: soak
soak: setup ## SOAK (default 30m) of mixed load with restarts and new keys: what grows is told
	cd interop/faults && SOAK=$(or $(SOAK),30m) go test -count=1 -v -timeout 90m -run TestSoak . | grep -vE '^=== '

.PHONY: django
django: setup ## beside a real Django with SimpleJWT under gunicorn: reads, refreshes, logins, on both databases
	cd bench && go run ./django

.PHONY: load
load: setup ## the binary beside bare handlers and proxies; one reader during a flood and a siege; start and memory
	cd bench && go run ./load && go run ./flood && go run ./hostile && go run ./footprint
