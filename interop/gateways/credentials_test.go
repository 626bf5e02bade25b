package gateways

// Every kind of credential, through every gateway.

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/credentials"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

const (
	cheapHasher = "pbkdf2_sha256:1500"
	passwordOf  = "correct horse battery"
)

// TestCredentials sends every kind of credential, in each way in which a client can send
// it, through every gateway, and compares the responses with the rows of
// docs/credentials.md about what the gateway asks: GET /auth/check, or jotgate as a proxy.
// The API receives the accepted requests, with an identity, and no other one.
func TestCredentials(t *testing.T) {
	rows := documented(t)
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			s, f := g.issuing(t)
			n := f.sendAll(t, s, rows, credentials.Kinds())
			s, f = g.issuing(t, "--authtokens", "on")
			n += f.sendAll(t, s, rows, credentials.Accepted())
			t.Logf("%d requests", n)
		})
	}
}

// documented returns the cells of the rows of docs/credentials.md, by column.
func documented(t *testing.T) map[string]map[credentials.Column]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/credentials.md")
	if err != nil {
		t.Fatal(err)
	}
	var columns []credentials.Column
	rows := map[string]map[credentials.Column]string{}
	_, text, _ := strings.Cut(string(page), "<!-- table -->")
	text, _, _ = strings.Cut(text, "<!-- end of table -->")
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		for c := range credentials.Columns {
			if len(rows) == 0 && strings.Contains(line, "| "+c.String()+" |") {
				columns = append(columns, c)
			}
		}
		if len(columns) > 0 && len(cells) == len(columns)+1 {
			rows[cells[0]] = map[credentials.Column]string{}
			for i, c := range columns {
				rows[cells[0]][c] = cells[i+1]
			}
		}
	}
	return rows
}

// issuing starts the gateway before an API, and jotgate with these flags, on a database on
// which the test makes credentials.
func (g gateway) issuing(t *testing.T, flags ...string) (*credentials.Site, *front) {
	t.Helper()
	file := sqlitetest.File(t)
	s := &credentials.Site{TB: t, Secret: secret, Password: passwordOf, Advance: pass, AuthToken: authTokens(t, file)}
	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	hasher, err := passwd.New(cheapHasher)
	if err != nil {
		t.Fatal(err)
	}
	s.Store = db
	if s.Gate, err = jotgate.New(jotgate.Settings{SecretKey: secret, Hasher: hasher, Audience: []string{credentials.Audience}, ServeRevocations: true, Logger: slog.New(slog.DiscardHandler)}, db); err != nil {
		t.Fatal(err)
	}
	if s.Keys, err = apikey.New(s.Gate, db.APIKeys(), apikey.Settings{}); err != nil {
		t.Fatal(err)
	}
	s.Clients = oauth.New(s.Gate, db.Clients())
	encoded, err := s.Gate.Accounts().MakePassword(t.Context(), passwordOf)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "carol"} {
		a := &record.Account{Username: name, Email: name + "@example.com", IsActive: true, IsStaff: true, IsSuperuser: true, Password: encoded, DateJoined: time.Now()}
		if err := db.Accounts().Create(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	api := newAPI(t)
	f := &front{name: g.name, behind: api.address, api: api}
	f.options.Database = "sqlite:" + file
	f.options.Args = append(flags, "--hasher", cheapHasher, "--audience", credentials.Audience, "--serve-revocations", "--rate", "login=1000000/min;revocations=1000000/min")
	g.start(t, f)
	address, err := url.Parse(f.jotgate.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.Endpoints = httputil.NewSingleHostReverseProxy(address)
	return s, f
}

// pass waits until the clock of both processes has advanced by d.
func pass(d time.Duration) { time.Sleep(d) }

// authTokens creates Django's table, and returns a function that adds a token of alice.
func authTokens(t *testing.T, file string) func() string {
	t.Helper()
	raw, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := raw.ExecContext(context.WithoutCancel(t.Context()), "PRAGMA busy_timeout = "+strconv.Itoa(int(wait.Limit/time.Millisecond))+"; "+statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE authtoken_token (key varchar(40) NOT NULL PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED)")
	n := 0
	return func() string {
		n++
		token := strings.Repeat("0", 38) + strconv.Itoa(10+n)
		exec("INSERT INTO authtoken_token (key, created, user_id) SELECT $1, $2, id FROM auth_user WHERE username = 'alice'", token, time.Now().UTC().Format(time.DateTime)+"+00:00")
		return token
	}
}

// sendAll sends the kinds to the frontend for everyone and to that for staff, and returns
// how many requests that were.
func (f *front) sendAll(t *testing.T, s *credentials.Site, rows map[string]map[credentials.Column]string, kinds []credentials.Kind) (n int) {
	everyone := "GET `/auth/check`"
	if f.staff == "" {
		everyone = "proxy: a protected path"
	}
	fronts := map[string]string{everyone: f.address}
	if f.staff != "" {
		fronts["GET `/auth/check?staff=true`"] = f.staff
	}
	for _, k := range kinds {
		for _, headers := range k.Present(s) {
			for row, address := range fronts {
				n++
				f.expect(t, k, row, rows[row], address, headers)
			}
		}
	}
	return n
}

// expect sends a request and compares the response with the row.
func (f *front) expect(t *testing.T, k credentials.Kind, name string, row map[credentials.Column]string, address string, headers []string) {
	t.Helper()
	column := k.Column
	if _, found := row[column]; !found { // a cookie
		column = credentials.None
	}
	want, known := map[string]int{"yes": 200, "no": 401, "403": 403}[row[column]]
	if !known {
		t.Fatalf("%s: %q in the column %q", name, row[column], column)
	}
	head := "GET /api/things HTTP/1.1"
	for i := 0; i < len(headers); i += 2 {
		head += "\n" + headers[i] + ": " + headers[i+1]
	}
	f.api.take()
	status, _, body := send(t, address, head, "")
	got := f.api.take()
	if status != want || (len(got) == 1) != (want == 200) || len(got) > 1 || len(got) == 1 && got[0].identity()["id"] == "" {
		t.Errorf("%s: %s (%.30s …): %d %s, want %d; the API saw %v", name, k.Name, strings.Join(headers, ": "), status, body, want, got)
	}
}

// A key that may be used from one network is accepted from there alone, whatever the
// client states about its address. The gateway is at 127.0.0.1, and so is one client.
func TestNetworksOfAKey(t *testing.T) {
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			s, f := g.issuing(t)
			key, err := s.Keys.Create(t.Context(), s.Account("alice"), apikey.Request{Name: "office", Scopes: []string{"orders:read"}, Networks: []string{"127.0.0.2/32"}}, jotgate.Client{})
			if err != nil {
				t.Fatal(err)
			}
			for _, header := range []string{"Authorization: Bearer ", "X-Api-Key: "} {
				head := "GET /api/things HTTP/1.1\n" + header + key.Secret
				for _, c := range []struct {
					client, claim string
					status        int
				}{
					{"127.0.0.2", "", 200},
					{"127.0.0.1", "", 403},
					{"127.0.0.1", "\nX-Forwarded-For: 127.0.0.2", 403},
					{"127.0.0.1", "\nX-Forwarded-For: 127.0.0.2, 127.0.0.1", 403},
					{"127.0.0.1", "\nForwarded: for=127.0.0.2\nX-Real-IP: 127.0.0.2", 403},
					{"127.0.0.2", "\nX-Forwarded-For: 127.0.0.1", 200},
				} {
					f.api.take()
					status, _, body := sendFrom(t, c.client, f.address, head+c.claim, "")
					if got := f.api.take(); status != c.status || (len(got) == 1) != (c.status == 200) {
						t.Errorf("%s… from %s%q: %d %s, want %d", header, c.client, c.claim, status, body, c.status)
					}
				}
			}
		})
	}
}
