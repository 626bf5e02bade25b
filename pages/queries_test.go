package pages_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/store/sqlite"
)

// countingSite is a site that counts its queries.
type countingSite struct {
	*providerSite
	counted *metrics.Registry
}

func newCountingSite(t *testing.T, page string) *countingSite {
	t.Helper()
	s := &countingSite{twiceSite(t, page), metrics.New()}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "counted.db"), sqlite.Options{Metrics: s.counted, Now: s.gate.Clock.Now, BusyTimeout: wait.Limit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if s.gate.Gate, err = jotgate.New(s.gate.Settings(), db); err != nil {
		t.Fatal(err)
	}
	if s.pages, err = pages.New(s.gate.Gate, pages.Options{DeletionDelay: 7 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = s.pages
	return s
}

// operations returns how many the database has carried out.
func (s *countingSite) operations() (n float64) {
	for _, sample := range s.counted.Samples(s.Context()) {
		if sample.Name == "jotgate_db_query_duration_seconds_count" {
			n += sample.Value
		}
	}
	return n
}

// shows opens a page, which must make at most this many queries.
func (s *countingSite) shows(state, path string, most float64) {
	s.Helper()
	s.operations() // what is read for the figures themselves is read again after ten seconds of the clock
	before := s.operations()
	got := s.get(path)
	if n := s.operations() - before; got.status != 200 || n > most {
		s.Errorf("%s, %s: %d, %v queries, want at most %v", path, state, got.status, n, most)
	}
}

// equip gives the user who is signed in an app, a passkey and an account at a provider,
// and signs in with two factors.
func (s *countingSite) equip() {
	s.Helper()
	alice, err := s.gate.Accounts().ByID(s.Context(), "1")
	if err != nil {
		s.Fatal(err)
	}
	s.user("1", "ada@example.com", true)
	s.provide("use", "connect")
	a := s.enrol(s.get("/account/security/app"))
	if got := a.add(a.code()); !strings.Contains(got.body, "Save your recovery codes") {
		s.Fatal(got.body)
	}
	s.register(newDevice(s.T, alice, true), alice, jotgate.PasskeyUse{Passwordless: true, SecondFactor: true})
	s.gate.Clock.Advance(time.Minute)
	s.fresh()
	s.post("/account/login", "username", "alice", "password", "correct horse battery staple")
	code, err := totp.Code(a.fields["secret"], totp.Step(s.gate.Clock.Now()))
	if err != nil {
		s.Fatal(err)
	}
	s.is(s.post("/account/login/code", "code", code), 200, "/account/", "Profile")
}

// Every page makes at most one query: as a form leads to it, for a user with every kind of
// factor and a provider, and when the cookie of the session must be renewed. Two pages list
// rows of which there are many, and renew the cookie by a query of its own.
func TestQueriesOfAPage(t *testing.T) {
	renewing := map[string]float64{"sessions": 2, "activity": 2}
	none := map[string]bool{"": false, "login": true, "signup": true, "resend": true, "reset": true, "logout": true, "done": true, "password": false}
	for _, page := range pages.AllPages() {
		if page.JSON || page.External { // these act, or finish what another site has begun
			continue
		}
		t.Run(page.Path, func(t *testing.T) {
			t.Parallel()
			s := newCountingSite(t, page.Path)
			prepare := forms[page.Path]
			if prepare == nil {
				prepare = member(page.Path)
			}
			form := prepare(s.providerSite)
			most := 1.0
			if none[page.Path] {
				most = 0
			}
			s.shows("as its form leads to it", form.path, most)
			if !page.Member {
				return
			}
			s = newCountingSite(t, page.Path)
			member("")(s.providerSite)
			s.equip()
			path := "/account/" + page.Path
			if page.Path == "security/app" { // there is one already
				return
			}
			s.shows("with every kind of factor", path, most)
			s.gate.Clock.Advance(6 * time.Minute)
			s.shows("with an old cookie", path, max(1, renewing[page.Path]))
		})
	}
}
