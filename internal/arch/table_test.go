// The rules: packages and their imports, limits, forbidden calls, exceptions.

package arch

// module is this module's path.
const module = "github.com/jotgate/jotgate"

// Sizes. Function lengths are counted over a package's code without its tests,
// from "func" to the closing brace; generated files are left out everywhere.
const (
	maxFileLines      = 400 // of any Go file, tests too
	maxFunctionMedian = 10  // lines
	maxFunctionP90    = 40  // lines
	maxExported       = 15  // top-level names; constants of the package's own types, and errors in one block, count once
)

// row says what one package may do. Paths are relative to the module; "..." at
// the end means every package below. A row whose package does not exist
// yet is allowed; a package without a row is not.
type row struct {
	path      string
	may       []string // the module's packages it may import, outside its tests
	libraries string   // what it may import in addition to the standard library: any, golang.org/x or none
	exported  int      // how many exported names it may have; 0 means maxExported
	kind      kind
}

type kind int

const (
	library  kind = iota
	pure          // a library that knows nothing of jotgate but its own folder, nor do its tests
	testOnly      // imported by tests and other testOnly packages alone
	program       // a main package
)

const (
	anything = ""
	golangX  = "golang.org/x/"
	none     = "none"
)

var rows = []row{
	{path: ".", may: []string{"record", "jwt", "passwd", "passwd/names", "passwd/breached", "passwd/strength", "signing", "throttle", "internal/keyring", "internal/revocation", "factor/passkey", "factor/totp", "factor/recovery", "factor/emailcode", "provider", "metrics", "trace"}, exported: 84}, // Gate is divided by noun; CredentialSource and Credential are the seam for other credentials
	{path: "record", may: []string{"jwt"}, exported: 69}, // the contract with databases: rows and questions

	{path: "metrics", kind: pure, libraries: none},
	{path: "trace", libraries: none, may: []string{"metrics"}},

	{path: "jwt", kind: pure, libraries: none, exported: 20},
	{path: "jwt/jwks", kind: pure, libraries: none, may: []string{"jwt"}},
	{path: "passwd", kind: pure, libraries: golangX},
	{path: "passwd/names", kind: pure, libraries: golangX, may: []string{"passwd/internal/python"}},
	{path: "passwd/strength", kind: pure, libraries: golangX, may: []string{"passwd/internal/python"}},
	{path: "passwd/breached", kind: pure, libraries: none},
	{path: "passwd/internal/python", kind: pure, libraries: golangX},
	{path: "signing", kind: pure, libraries: golangX},
	{path: "throttle", libraries: golangX, may: []string{"passwd/names"}},
	{path: "throttle/shared", libraries: golangX, may: []string{"throttle"}},
	{path: "factor/passkey", kind: pure, exported: 20},
	{path: "factor/totp", kind: pure, libraries: anything},
	{path: "factor/recovery", kind: pure, libraries: none},
	{path: "factor/emailcode", kind: pure, libraries: none},
	{path: "provider", libraries: golangX, may: []string{"jwt", "jwt/jwks"}},

	{path: "admin/adminstore", may: []string{"record"}, exported: 25}, // the contract with databases
	{path: "admin", may: []string{".", "apikey", "provider", "metrics", "record", "mail", "jwt", "passwd", "passwd/names", "admin/adminstore", "pages", "throttle", "internal/catalog", "internal/form", "internal/layout", "internal/packed", "internal/web"}},

	{path: "apikey", may: []string{".", "record", "throttle", "internal/form"}},
	{path: "oauth", may: []string{".", "record", "jwt", "passwd", "internal/form"}, exported: 20},
	{path: "webhook", may: []string{".", "record", "metrics", "trace", "internal/egress", "internal/hooksign", "internal/form", "internal/keyring", "internal/queue"}},
	{path: "claimhook", may: []string{".", "record", "jwt", "internal/egress", "internal/hooksign"}},
	{path: "authtoken", may: []string{".", "record"}},
	{path: "store", may: []string{"authtoken", "throttle/shared", ".", "record", "apikey", "oauth", "webhook", "passwd/names", "admin/adminstore", "metrics", "trace", "store/internal/migration"}, exported: 22}, // Store is divided by noun
	{path: "store/sqlite", may: []string{".", "internal/packed", "metrics", "record", "store", "store/internal/migration"}},
	{path: "store/postgres", may: []string{".", "internal/packed", "metrics", "record", "store", "store/internal/migration"}},
	{path: "store/internal/migration"},

	{path: "mail", may: []string{"internal/catalog", "internal/queue", ".", "metrics", "record", "trace", "passwd/names"}},
	{path: "internal/certfile", libraries: none},
	{path: "internal/egress", kind: pure, libraries: none},
	{path: "internal/hooksign", kind: pure, libraries: none},
	{path: "internal/queue", kind: pure, libraries: none},
	{path: "internal/keyring", may: []string{"record", "jwt"}},
	{path: "internal/revocation", may: []string{"record", "jwt", "internal/stopping"}},
	{path: "internal/stopping", kind: pure, libraries: none},
	{path: "internal/form", may: []string{".", "record", "passwd/names"}},
	{path: "internal/timezone", kind: pure, libraries: none},
	{path: "internal/packed", kind: pure, libraries: none},
	{path: "internal/useragent", kind: pure, libraries: none},
	{path: "internal/catalog", may: []string{"internal/packed"}, libraries: golangX},
	{path: "internal/resubmit"},
	{path: "internal/layout", may: []string{".", "internal/catalog", "internal/packed", "internal/useragent"}},
	{path: "internal/gauge", may: []string{".", "record", "passwd", "api"}},
	{path: "internal/lockout", may: []string{".", "metrics", "record", "throttle"}},
	{path: "internal/web", may: []string{"throttle/shared", "trace", ".", "metrics", "record", "throttle", "internal/catalog", "internal/form", "internal/lockout"}},
	// proxy, because forward auth must write the identity headers as the proxy does.
	{path: "api", may: []string{"throttle/shared", "metrics", "factor/passkey", "factor/totp", ".", "record", "apikey", "oauth", "throttle", "mail", "internal/catalog", "internal/form", "internal/packed", "internal/stopping", "internal/useragent", "internal/web", "proxy"}},
	{path: "pages", may: []string{".", "record", "passwd/names", "apikey", "provider", "throttle", "mail", "passwd/strength", "factor/passkey", "factor/totp", "factor/emailcode", "internal/catalog", "internal/form", "internal/layout", "internal/packed", "internal/resubmit", "internal/useragent", "internal/web", "proxy"}},
	{path: "proxy", may: []string{"trace", ".", "record", "throttle", "internal/web"}},
	{path: "jotgatetest", may: []string{".", "record", "jwt", "passwd", "store", "store/sqlite"}},

	{path: "cmd/jotgate", kind: program, may: []string{
		"factor/passkey", ".", "metrics", "record", "apikey", "oauth", "webhook", "claimhook", "jwt", "jwt/jwks", "passwd", "provider", "signing", "throttle", "throttle/shared", "authtoken", "mail", "store", "store/sqlite", "store/postgres", "api", "pages", "admin", "proxy",
		"passwd/names", "passwd/breached", "passwd/strength", "internal/catalog", "internal/certfile", "internal/timezone", "trace", "internal/stopping", "internal/web", "internal/gauge",
	}},
	{path: "examples/...", kind: program, may: []string{
		".", "record", "apikey", "oauth", "jwt", "jwt/jwks", "passwd", "throttle", "mail", "store/sqlite", "store/postgres", "api", "pages", "admin", "proxy", "jotgatetest",
	}},

	{path: "store/storetest", kind: testOnly, may: []string{".", "record", "apikey", "oauth", "store", "internal/rounds"}},
	{path: "passwd/internal/golden", kind: testOnly},
	{path: "internal/settingsdoc", kind: program},
	{path: "internal/capture", kind: testOnly},
	{path: "internal/credentials", kind: testOnly, may: []string{".", "record", "admin/adminstore", "apikey", "factor/totp", "internal/tamper", "jwt", "oauth", "store"}},
	{path: "internal/freeport", kind: testOnly},
	{path: "internal/testcert", kind: testOnly},
	{path: "internal/pgtest", kind: testOnly, may: []string{"internal/freeport", "internal/tempdir", "internal/wait"}},
	{path: "internal/program", kind: testOnly, may: []string{"internal/tempdir"}},
	{path: "internal/tempdir", kind: testOnly, may: []string{"internal/wait"}},
	{path: "internal/sqlitetest", kind: testOnly, may: []string{"internal/tempdir", "internal/wait", "store", "store/sqlite"}},
	{path: "internal/postgrestest", kind: testOnly, may: []string{"internal/pgtest", "internal/wait", "store", "store/postgres"}},
	{path: "internal/equaltime", kind: testOnly},
	{path: "internal/tamper", kind: testOnly},
	{path: "internal/wait", kind: testOnly},
	{path: "internal/hostile", kind: testOnly},
	{path: "internal/leak", kind: testOnly},
	{path: "internal/alone", kind: testOnly},
	{path: "internal/allocs", kind: testOnly},
	{path: "internal/rounds", kind: testOnly},
	{path: "internal/arch", kind: testOnly},
}

// drivers must not be linked by a program that imports only the root.
var drivers = []string{"modernc.org/", "github.com/jackc/", "github.com/pressly/", "github.com/lib/pq", "github.com/mattn/go-sqlite3"}

// ban forbids a name of a package, or a whole package if name is empty, in the
// code (not the tests) of some packages. With calls only, the name may be used
// as a value: `clock: time.Now` is how a clock is injected.
type ban struct {
	pkg, name string
	callsOnly bool
	in        []string // packages; nil means all
	notIn     []kind
	instead   string // what to do, as a sentence
}

var (
	readsUntrusted = []string{".", "jwt", "api", "internal/form", "internal/revocation", "proxy", "throttle"}
	hasClock       = []string{".", "apikey", "oauth", "webhook", "internal/keyring", "internal/revocation", "jwt", "signing", "throttle", "store", "store/sqlite", "store/postgres"}
)

var bans = []ban{
	{pkg: "encoding/json", name: "Unmarshal", in: readsUntrusted, instead: strictJSON},
	{pkg: "encoding/json", name: "NewDecoder", in: readsUntrusted, instead: strictJSON},

	{pkg: "time", name: "Now", callsOnly: true, in: hasClock, instead: injectClock},
	{pkg: "time", name: "Since", callsOnly: true, in: hasClock, instead: injectClock},
	{pkg: "time", name: "Until", callsOnly: true, in: hasClock, instead: injectClock},

	{pkg: "net/http", name: "DefaultClient", instead: ownClient},
	{pkg: "net/http", name: "Get", instead: ownClient},
	{pkg: "net/http", name: "Head", instead: ownClient},
	{pkg: "net/http", name: "Post", instead: ownClient},
	{pkg: "net/http", name: "PostForm", instead: ownClient},
	{pkg: "net/http", name: "DefaultServeMux", instead: "Take the mux from the caller: anybody can add routes to the default one."},

	{pkg: "math/rand", instead: secureRandom},
	{pkg: "math/rand/v2", instead: secureRandom},
	{pkg: "unsafe", instead: "Write it without: no speed is worth memory errors in a package that guards logins."},

	{pkg: "fmt", name: "Print", notIn: []kind{program}, instead: returnIt},
	{pkg: "fmt", name: "Printf", notIn: []kind{program}, instead: returnIt},
	{pkg: "fmt", name: "Println", notIn: []kind{program}, instead: returnIt},
	{pkg: "log", notIn: []kind{program}, instead: "Log with log/slog, to the logger from the settings."},
	{pkg: "os", name: "Exit", notIn: []kind{program}, instead: "Return an error; main alone decides how the program ends."},
}

const (
	strictJSON   = "It folds the case of member names and takes the last of duplicates; use the strict reader that this package has."
	injectClock  = "Use the clock from the settings, so that tests can turn it."
	ownClient    = "Make an http.Client with a Timeout: the default one waits for ever."
	secureRandom = "Use crypto/rand: what is guessable here opens accounts."
	returnIt     = "Write to an io.Writer that the caller gives, or return the text."
)

// exceptions lift one rule for one file, each with its reason. The key is the
// file and the name as the finding prints them. One that is not needed any more
// is itself a finding.
var exceptions = map[string]string{
	"trust.go: encoding/json.Unmarshal":                      "the text is a gate's own: it was decrypted and authenticated before it is read",
	"pending.go: encoding/json.Unmarshal":                    "the text is a gate's own: it was decrypted and authenticated before it is read",
	"internal/equaltime/equaltime.go: math/rand/v2":          "the order in which responses are measured is no secret",
	"providers.go: encoding/json.Unmarshal":                  "the text is a gate's own: it was decrypted and authenticated before it is read",
	"connect.go: encoding/json.Unmarshal":                    "the text is a gate's own: it was decrypted and authenticated before it is read",
	"providerapp.go: encoding/json.Unmarshal":                "the text is a gate's own: it was decrypted and authenticated before it is read",
	"pagecookie.go: encoding/json.Unmarshal":                 "the text was sealed by this gate and its seal has been verified",
	"passkeys.go: encoding/json.Unmarshal":                   "the text is a token of the gate's own: unsealed before it is read",
	"user.go: encoding/json.Unmarshal":                       "the text is a claim of a verified token, in which package jwt refuses duplicate names",
	"internal/revocation/follow.go: encoding/json.Unmarshal": "the text is a gate's own: its digest has been verified under the gate's key before it is read",
}
