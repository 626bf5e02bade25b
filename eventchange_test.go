package jotgate_test

// The events of the inventory that go with a change of the database are written in the
// transaction of that change.

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
	"github.com/jotgate/jotgate/webhook"
)

// withoutChange are the kinds of events without a change of the database, and why.
var withoutChange = map[string]string{
	"login_failed":       "a failure is counted in memory, and in jotgate_failure for names without an account, too",
	"factor_refused":     "nothing but the count of attempts changes",
	"provider_refused":   "nothing changes",
	"password_refused":   "nothing but the count of attempts changes",
	"password_unchecked": "what follows has an event of its own",
	"throttled":          "nothing changes",
	"link_requested":     "it is recorded for addresses without an account, too",
	"link_refused":       "nothing changes",
	"token_refused":      "nothing changes",
	"forbidden":          "nothing changes",
}

// byCommand are the kinds of events that only the program records.
var byCommand = map[string]string{"role": "TestCommandsAreRecorded in cmd/jotgate"}

// elsewhere are the functions with a record.Event which does not go with a change.
var elsewhere = map[string]string{
	"Gate.confirmActive":   "only a line of the log: Sessions.ConfirmActive has stored the event",
	"Gate.confirmPassword": "only a line of the log: Sessions.ConfirmPassword has stored the event",
	"Gate.refresh":         "only a line of the log: Sessions.Rotate has stored the event",
	"Gate.createSession":   "only a line of the log: Sessions.Create has stored the event",
	"Events.RecordRefusal": "a request was rejected",
	"trailKey":             "the key of a counter",
	"trail.others":         "the key of a counter",
	"Webhooks.Test":        "the body of a message",
	"Types":                "the types of webhooks",
	"withDjango":           "entries of Django's own log, for the administration",
}

// eventWorld is a database with gates, and what changes it.
type eventWorld struct {
	*bench
	*testing.T
	raw    *sql.DB
	lite   bool
	strict *bench // all users must have a second factor
	issuer *instantIssuer
	keys   *apikey.Keys
	hooks  *webhook.Webhooks
	oauth  *oauth.Server
	admin  *admin.Admin
	users  int
}

// onBothRaw runs a test on both databases, with a connection that is not the store's.
func onBothRaw(t *testing.T, schema store.Schema, before string, test func(t *testing.T, db *store.Store, raw *sql.DB, lite bool)) {
	t.Run("sqlite", func(t *testing.T) {
		path := sqlitetest.File(t)
		raw := openRaw(t, "sqlite", "file:"+path+"?_pragma=busy_timeout(180000)", before)
		db, err := sqlite.Open(t.Context(), path, sqlite.Options{Schema: schema, BusyTimeout: wait.Limit})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		test(t, db, raw, true)
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := postgrestest.Database(t)
		raw := openRaw(t, "pgx", dsn, before)
		db, err := postgres.Open(t.Context(), dsn, postgrestest.Limits(postgres.Options{Schema: schema}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		test(t, db, raw, false)
	})
}

func openRaw(t *testing.T, driver, dsn, before string) *sql.DB {
	t.Helper()
	raw, err := sql.Open(driver, dsn)
	if err == nil {
		_, err = raw.Exec(before)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw
}

func newEventWorld(t *testing.T, db *store.Store, raw *sql.DB, lite bool) *eventWorld {
	t.Helper()
	w := &eventWorld{T: t, raw: raw, lite: lite}
	var p *provider.Provider
	c := &clock{now: noon}
	w.issuer, p = newInstant(t, c.Now, func(s *provider.Settings) {
		s.Groups, s.Claims = map[string]string{"ed": "Editors"}, map[string]string{"groups": "roles"}
	})
	w.bench = gateOn(t, db, func(s *jotgate.Settings) {
		withPasskeys(s)
		s.Now, s.Providers = c.Now, []*provider.Provider{p}
	})
	w.clock = c
	w.strict = gateOn(t, db, func(s *jotgate.Settings) { mustHaveFactors(s); s.Now, s.ImmediateEmailChange = c.Now, true })
	var err error
	w.keys, err = apikey.New(w.Gate, db.APIKeys(), apikey.Settings{})
	w.must(err)
	w.hooks, err = webhook.New(w.Gate, store.Webhooks(db), webhook.Settings{})
	w.must(err)
	w.oauth = oauth.New(w.Gate, db.Clients())
	w.admin, err = admin.NewActions(w.Gate, admin.Options{})
	w.must(err)
	return w
}

func (w *eventWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// someone creates an account with a name that no other one has.
func (w *eventWorld) someone(change func(*record.Account)) *record.Account {
	w.Helper()
	w.users++
	return w.user(w.T, fmt.Sprintf("user%d", w.users), change)
}

func (w *eventWorld) exec(text string) {
	w.Helper()
	_, err := w.raw.Exec(text)
	w.must(err)
}

// refuseEvents makes the database refuse events of a kind.
func (w *eventWorld) refuseEvents(kind string) {
	w.Helper()
	if w.lite {
		w.exec("CREATE TRIGGER stop BEFORE INSERT ON jotgate_event WHEN NEW.event = '" + kind + "' BEGIN SELECT RAISE(ABORT, 'stop'); END")
	} else {
		w.exec("ALTER TABLE jotgate_event ADD CONSTRAINT stop CHECK (event <> '" + kind + "') NOT VALID")
	}
}

func (w *eventWorld) acceptEvents() {
	w.Helper()
	if w.lite {
		w.exec("DROP TRIGGER stop")
	} else {
		w.exec("ALTER TABLE jotgate_event DROP CONSTRAINT stop")
	}
}

// content is all rows of all tables, except the events and the counts of attempts.
func (w *eventWorld) content() string {
	w.Helper()
	content := pgtest.Content
	if w.lite {
		content = sqlitetest.Content
	}
	return content(w.T, w.raw, "jotgate_event", "jotgate_failure")
}

func (w *eventWorld) events(kind string) (n int) {
	w.Helper()
	w.must(w.raw.QueryRow("SELECT COUNT(*) FROM jotgate_event WHERE event = $1", kind).Scan(&n))
	return n
}

// An eventCase makes a change with an event of a kind.
type eventCase struct {
	kind string
	at   string // the functions with the record.Event
	// prepare returns the change, which is made twice: first without effect, because its
	// event is refused.
	prepare func(w *eventWorld) func(ctx context.Context) error
}

// A change and its event are stored together, or neither is, for each kind of event.
func TestEventsOfChanges(t *testing.T) {
	schema := store.Schema{Fields: []store.Field{{Name: "shoe"}}}
	onBothRaw(t, schema, "ALTER TABLE auth_user ADD COLUMN shoe varchar(10) NULL", func(t *testing.T, db *store.Store, raw *sql.DB, lite bool) {
		w := newEventWorld(t, db, raw, lite)
		for _, c := range eventCases() {
			t.Run(c.kind+" "+strings.Fields(c.at)[0], func(t *testing.T) {
				w.T = t
				change := c.prepare(w)
				before, events := w.content(), w.events(c.kind)
				w.refuseEvents(c.kind)
				err := change(t.Context())
				w.acceptEvents()
				if err == nil {
					t.Error("the change succeeds without its event")
				}
				if after := w.content(); after != before {
					t.Errorf("the change is stored without its event:\n%s", difference(before, after))
				}
				w.must(change(t.Context()))
				if n := w.events(c.kind) - events; n < 1 {
					t.Errorf("%d events", n)
				}
				if w.lite && w.content() == before {
					t.Error("there is no change")
				}
			})
		}
	})
}

// difference returns the lines that are only in one of the texts.
func difference(before, after string) string {
	var b strings.Builder
	old, now := strings.Split(before, "\n"), strings.Split(after, "\n")
	for sign, pair := range map[string][2][]string{"-": {old, now}, "+": {now, old}} {
		for _, line := range pair[0] {
			if !slices.Contains(pair[1], line) {
				fmt.Fprintln(&b, sign, line)
			}
		}
	}
	return b.String()
}

// Each kind of event, and each place in the source that makes one, is in a case, or has
// a reason why it goes without a change.
func TestEveryEventHasACase(t *testing.T) {
	kinds, places := map[string]bool{}, map[string]bool{}
	for _, c := range eventCases() {
		kinds[c.kind] = true
		for _, place := range strings.Fields(c.at) {
			places[place] = true
		}
	}
	for _, kind := range record.EventKinds {
		n := 0
		for _, there := range []bool{kinds[kind.Name], withoutChange[kind.Name] != "", byCommand[kind.Name] != ""} {
			if there {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is in %d of the lists eventCases, withoutChange and byCommand", kind.Name, n)
		}
		if (withoutChange[kind.Name] != "") != kind.Bounded {
			t.Errorf("%s: an event with a change is not Bounded, and one without is", kind.Name)
		}
	}
	found := eventPlaces(t)
	for _, place := range found {
		if !places[place] && elsewhere[place] == "" {
			t.Errorf("%s makes an event: add a case that shows that it is stored in the transaction of its change", place)
		}
	}
	for _, place := range append(slices.Collect(maps.Keys(places)), slices.Collect(maps.Keys(elsewhere))...) {
		if !slices.Contains(found, place) {
			t.Errorf("%s makes no event", place)
		}
	}
}
