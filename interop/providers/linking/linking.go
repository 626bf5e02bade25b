// Package linking is the table of account linking of docs/providers.md, and a site with a certified provider at which a
// browser can try each of its cells.
package linking

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/interop/allauth"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// Secret is the client secret of jotgate at the provider.
const Secret = `a secret of the client: 100 % "safe"`

// A Cell is an account at the provider, what is here, and what happens when its user signs in.
type Cell struct {
	User  string // at the provider: verified, unverified, none (no address)
	Local string // one of Locals
	Link  bool   // jotgate.Settings.LinkVerifiedEmails
	Want  Outcome
}

// What is here before. The owner has the user's address, except in NoAddress.
const (
	Nobody     = "nobody"
	Verified   = "owner, verified"
	Unverified = "owner, not verified"
	NoAddress  = "owner without an address"
	Known      = "connected to another than the owner"
	SignedIn   = "the owner is signed in and connects"
	Taken      = "the owner is signed in and connects what is another's"
)

// An Outcome is where the browser is in the end, up to a question mark that is followed by something that differs, and a
// text of that page.
type Outcome struct{ Path, Text string }

// The outcomes.
var (
	SignUp    = Outcome{"/account/provider/signup", "Create your account"}
	In        = Outcome{"/account/", `value="owner"`}
	InAsKnown = Outcome{"/account/", `value="known"`}
	SignIn    = Outcome{"/account/login?done=connect", "Sign in to it once"}
	Connected = Outcome{"/account/security?done=connected", "Certified"}
	Reset     = Outcome{"/account/provider/certified/callback?", "Reset its password"}
	Elsewhere = Outcome{"/account/provider/certified/callback?", "is connected to another account here"}
)

// Cells returns the table.
func Cells() (list []Cell) {
	for _, user := range []string{"verified", "unverified", "none"} {
		for _, link := range []bool{false, true} {
			owner, squatter := SignIn, SignIn
			switch {
			case user == "none":
				owner, squatter = SignUp, SignUp
			case user == "verified" && link:
				owner, squatter = In, Reset
			case user == "verified":
				squatter = Reset
			}
			list = append(list, Cell{user, Nobody, link, SignUp}, Cell{user, Verified, link, owner}, Cell{user, Unverified, link, squatter}, Cell{user, NoAddress, link, SignUp})
		}
		list = append(list, Cell{user, Known, true, InAsKnown}, Cell{user, SignedIn, true, Connected}, Cell{user, Taken, true, Elsewhere})
	}
	return list
}

// A Database moves a gate to an empty database.
type Database func(*testing.T, *jotgatetest.Gate)

// SQLite leaves the gate where it is.
func SQLite(*testing.T, *jotgatetest.Gate) {}

// PostgreSQL moves it to a new one.
func PostgreSQL(t *testing.T, g *jotgatetest.Gate) { t.Helper(); At(pgtest.Database(t))(t, g) }

// At moves it to the address.
func At(address string) Database {
	return func(t *testing.T, g *jotgatetest.Gate) {
		t.Helper()
		var db *store.Store
		var err error
		if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
			db, err = sqlite.Open(t.Context(), path, sqlitetest.Options)
		} else {
			db, err = postgres.Open(t.Context(), address, postgrestest.Options)
		}
		check(t, err)
		t.Cleanup(func() { _ = db.Close() })
		g.Gate, err = jotgate.New(g.Settings(), db)
		check(t, err)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A Site is jotgate's pages and the provider of judge.mjs. Issuer decides which user signs in at the provider next.
type Site struct {
	URL       string
	Issuer    *peer.Process
	IssuerURL string

	provider *provider.Provider
	handler  atomic.Pointer[pages.Pages]
}

// Issuer starts the provider for a jotgate at a URL, and for allauth, and returns it with its own URL.
func Issuer(t testing.TB, url string) (*peer.Process, string) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	judge := exec.Command("node", "judge.mjs")
	judge.Dir = filepath.Join(filepath.Dir(file), "..")
	issuer := peer.Start(t, judge)
	return issuer, "http://127.0.0.1:" + issuer.Ask(t, `["`+url+`/account/provider/certified/callback","`+allauth.Callback+`"]`)
}

// patient sends requests without the limits of time that they have.
type patient struct{}

// RoundTrip implements http.RoundTripper.
func (patient) RoundTrip(r *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(&http.Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body, ContentLength: r.ContentLength})
}

// Start starts a site without accounts: Open adds them. change may be nil.
func Start(t testing.TB, change func(*provider.Settings)) *Site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	s := &Site{URL: "http://" + listener.Addr().String()}
	s.Issuer, s.IssuerURL = Issuer(t, s.URL)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.Load().ServeHTTP(w, r) })}}
	settings := provider.Settings{ID: "certified", Name: "Certified", Issuer: s.IssuerURL, ClientID: "jotgate", ClientSecret: Secret, TrustEmail: true, Transport: patient{}}
	if change != nil {
		change(&settings)
	}
	s.provider, err = provider.New(settings)
	check(t, err)
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// Serve opens a gate with an empty database behind the site.
func (s *Site) Serve(t *testing.T, on Database, changes ...func(*jotgate.Settings)) *jotgatetest.Gate {
	t.Helper()
	gate := jotgatetest.New(t, append(changes, func(o *jotgate.Settings) { o.Providers = []*provider.Provider{s.provider} })...)
	on(t, gate)
	handler, err := pages.New(gate.Gate, pages.Options{})
	check(t, err)
	s.handler.Store(handler)
	return gate
}

// Open opens a gate with the accounts of a cell behind the site, and has its user sign in at the provider.
func (s *Site) Open(t *testing.T, c Cell, on Database) *jotgatetest.Gate {
	t.Helper()
	gate := s.Serve(t, on, func(o *jotgate.Settings) { o.LinkVerifiedEmails = c.Link })
	if got := s.Issuer.Ask(t, c.User); got != "ok" {
		t.Fatal(got)
	}
	if c.Local == Nobody {
		return gate
	}
	password, err := gate.Accounts().MakePassword(t.Context(), jotgatetest.Password)
	check(t, err)
	owner := &record.Account{Username: "owner", Email: c.User + "@example.com", Password: password, IsActive: true}
	if c.Local == NoAddress {
		owner.Email = ""
	}
	db := gate.Store()
	check(t, db.Addresses().SignUp(t.Context(), owner, nil))
	if c.Local == Verified || c.Local == Known || c.Local == SignedIn || c.Local == Taken {
		check(t, db.Accounts().Change(t.Context(), owner.ID, record.Change{VerifyEmail: true}))
	}
	if c.Local == Known || c.Local == Taken {
		connect := &record.SocialAccount{Provider: "certified", UID: c.User, Data: "{}"}
		check(t, db.SocialAccounts().ChangeSocial(t.Context(), record.SocialChange{User: gate.User("known").ID, Connect: connect, At: time.Unix(1, 0)}))
	}
	return gate
}
