package jotgate_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
)

// farGuard follows the gate's feed behind a server that can be cut off. waits
// receives, for each request, the time that it may wait, preceded by "cut
// off" if the request was not served.
func farGuard(t *testing.T, b *bench, change func(*jotgate.GuardSettings)) (guard *jotgate.Guard, cut func(bool), waits chan string) {
	t.Helper()
	waits = make(chan string, 1000)
	var down atomic.Bool
	feed := b.Sessions().RevocationFeed()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			waits <- "cut off " + r.URL.Query().Get("wait")
			http.Error(w, "cut off", http.StatusBadGateway)
			return
		}
		waits <- r.URL.Query().Get("wait")
		feed.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	s := jotgate.GuardSettings{Keys: key(t), Now: b.clock.Now, RevocationsURL: server.URL}
	if change != nil {
		change(&s)
	}
	guard, err := jotgate.NewGuard(s)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = guard.Run(t.Context()) }()
	return guard, func(is bool) {
		down.Store(is)
		server.CloseClientConnections()
	}, waits
}

func TestFeed(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations = true })
	go func() { _ = b.Run(t.Context()) }()
	b.user(t, "alice", nil)
	before, after, lives := b.login(t, "alice"), b.login(t, "alice"), b.login(t, "alice")
	if err := b.Logout(t.Context(), before.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	guard, _, _ := farGuard(t, b, nil)
	refused := func(tokens jotgate.Tokens) func() bool {
		return func() bool { _, err := guard.VerifyAccess(tokens.Access); return err != nil }
	}
	eventually(t, refused(before)) // revoked before the guard started
	if refused(after)() {
		t.Fatal("refused before its logout")
	}
	if err := b.Logout(t.Context(), after.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, refused(after))
	if refused(lives)() {
		t.Error("another session is refused, too")
	}
	account, err := b.Accounts().ByID(t.Context(), lives.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	django := jotgate.Tokens{Access: accessToken(t, func(c map[string]any) {
		c["user_id"] = string(account.ID)
		delete(c, "sid")
	})}
	if refused(django)() {
		t.Error("a token without a session is refused")
	}
	b.clock.Advance(time.Second)
	if err := b.Accounts().Delete(t.Context(), account, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return refused(lives)() && refused(django)() }) // the session's, and the user's
}

// While the feed is cut off, a guard behaves as its setting says; afterwards
// it catches up.
func TestFeedLost(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations = true })
	go func() { _ = b.Run(t.Context()) }()
	b.user(t, "alice", nil)
	one, two := b.login(t, "alice"), b.login(t, "alice")
	strict, cut, waits := farGuard(t, b, func(s *jotgate.GuardSettings) {
		s.RevocationsRequired, s.RevocationMaxAge = true, time.Minute
	})
	works := func(g *jotgate.Guard, tokens jotgate.Tokens) bool {
		_, err := g.VerifyAccess(tokens.Access)
		return err == nil
	}
	eventually(t, func() bool { return works(strict, one) })
	cut(true)
	b.clock.Advance(61 * time.Second)
	if _, err := strict.VerifyAccess(one.Access); jotgate.AsError(err).Status != 503 {
		t.Errorf("a minute without news: %v", err)
	}
	for wait.For(t, "the feed is lost", waits) != "cut off 0" {
	}
	cut(false)
	eventually(t, func() bool { return works(strict, one) && works(strict, two) })
	first := "cut off"
	for strings.HasPrefix(first, "cut off") {
		first = <-waits
	}
	if first != "0" {
		t.Errorf("the first request after the feed was lost waits %s s, want an immediate response", first)
	}
	cut(true)
	b.clock.Advance(61 * time.Second)
	if err := b.Logout(t.Context(), two.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	cut(false)
	eventually(t, func() bool { return works(strict, one) && !works(strict, two) })
}

// A page is accepted only if it is signed, for this request, over this body.
func TestFeedIsSigned(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations = true })
	go func() { _ = b.Run(t.Context()) }()
	b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	victim := tokens.User.Session
	eventually(t, func() bool { return b.RevocationAge() < time.Second })
	for name, forge := range map[string]func(w http.ResponseWriter, real *httptest.ResponseRecorder){
		"another body": func(w http.ResponseWriter, real *httptest.ResponseRecorder) {
			w.Header().Set("Jotgate-Signature", real.Header().Get("Jotgate-Signature"))
			_, _ = w.Write([]byte(strings.Replace(real.Body.String(), `"revoked":[]`, `"revoked":[{"sid":"`+victim+`","at":9999999999}]`, 1)))
		},
		"no signature": func(w http.ResponseWriter, real *httptest.ResponseRecorder) { _, _ = w.Write(real.Body.Bytes()) },
		"another question's": func(w http.ResponseWriter, real *httptest.ResponseRecorder) {
			other := httptest.NewRecorder()
			b.Sessions().RevocationFeed().ServeHTTP(other, httptest.NewRequest("GET", "/?nonce=other", nil))
			w.Header().Set("Jotgate-Signature", other.Header().Get("Jotgate-Signature"))
			_, _ = w.Write(other.Body.Bytes())
		},
	} {
		var asked atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			real := httptest.NewRecorder()
			b.Sessions().RevocationFeed().ServeHTTP(real, r)
			forge(w, real)
		}))
		guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key(t), Now: b.clock.Now, RevocationsURL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = guard.Run(t.Context()) }()
		eventually(t, func() bool { return asked.Load() >= 2 })
		if guard.RevocationAge() < time.Hour {
			t.Errorf("%s was taken", name)
		}
		if _, err := guard.VerifyAccess(tokens.Access); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		server.CloseClientConnections()
		server.Close()
	}
}

// A query in the URL is sent with every request.
func TestFeedAddressKeepsItsQuery(t *testing.T) {
	asked := make(chan url.Values, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Query() }))
	defer server.Close()
	guard := newGuard(t, func(s *jotgate.GuardSettings) { s.RevocationsURL = server.URL + "/feed?tenant=a%26b&since=x" })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = guard.Run(ctx) }()
	if q := <-asked; q.Get("tenant") != "a&b" || len(q["since"]) != 1 || q.Get("since") != "" || q.Get("nonce") == "" {
		t.Errorf("asked with %v", q)
	}
}

// A request waits for a revocation as long as it asks to, and no longer.
func TestFeedWaits(t *testing.T) { synctest.Test(t, feedWaits) }

func feedWaits(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations = true })
	go func() { _ = b.Run(t.Context()) }()
	b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	time.Sleep(time.Minute)
	type page struct {
		Cursor   string
		Complete bool
		Revoked  []struct{ Sid string }
	}
	ask := func(query string) (p page, took time.Duration) {
		began, w := time.Now(), httptest.NewRecorder()
		b.Sessions().RevocationFeed().ServeHTTP(w, httptest.NewRequest("GET", "/?"+query, nil))
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 200 {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
		return p, time.Since(began)
	}
	first, _ := ask("wait=20")
	if !first.Complete || first.Cursor == "" {
		t.Fatalf("%+v", first)
	}
	for _, query := range []string{"", "&wait=0", "&wait=-5", "&wait=x"} {
		if p, took := ask("since=" + first.Cursor + query); p.Complete || len(p.Revoked) > 0 || p.Cursor != first.Cursor || took > 0 {
			t.Errorf("%q: %+v after %v", query, p, took)
		}
	}
	if p, took := ask("since=" + first.Cursor + "&wait=1"); len(p.Revoked) > 0 || took != time.Second {
		t.Errorf("%+v after %v, want nothing after a second", p, took)
	}
	go func() { _ = b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}) }()
	if p, _ := ask("since=" + first.Cursor + "&wait=20"); p.Complete || len(p.Revoked) != 1 || p.Revoked[0].Sid != tokens.User.Session || p.Cursor == first.Cursor {
		t.Errorf("%+v, want the session that was ended", p)
	}
}

// A feed that is down gets at most two requests per second, with a warning in
// the log; one that responds gets requests with the time that they may wait,
// and there is no warning.
func TestFeedPauses(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations = true })
	go func() { _ = b.Run(t.Context()) }()
	eventually(t, func() bool { return b.RevocationAge() < time.Second })
	for _, down := range []bool{true, false} {
		var warned atomic.Int64
		asked := make(chan question, 100)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked <- (question{time.Now(), r.URL.Query().Get("wait")}); down {
				w.WriteHeader(502)
				return
			}
			b.Sessions().RevocationFeed().ServeHTTP(w, r)
		}))
		ctx, cancel := context.WithCancel(t.Context())
		guard, err := jotgate.NewGuard(jotgate.GuardSettings{
			Keys: key(t), Now: b.clock.Now, RevocationsURL: server.URL,
			Logger: slog.New(slog.NewTextHandler(counter{&warned}, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() { ended <- guard.Run(ctx) }()
		first := wait.For(t, "the feed is asked", asked)
		second := wait.For(t, "the feed is asked again", asked)
		if pause := second.at.Sub(first.at); down && pause < 500*time.Millisecond {
			t.Errorf("asked again after %v", pause)
		}
		if first.wait != "0" || (second.wait == "20") == down {
			t.Errorf("down: %v, asked to wait %s s, then %s s", down, first.wait, second.wait)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
		if (warned.Load() > 0) != down {
			t.Errorf("down: %v, %d warnings", down, warned.Load())
		}
		server.CloseClientConnections()
		server.Close()
	}
}

// question is a request to the feed.
type question struct {
	at   time.Time
	wait string
}

// counter counts the lines that a log writes.
type counter struct{ lines *atomic.Int64 }

func (c counter) Write(b []byte) (int, error) {
	c.lines.Add(1)
	return len(b), nil
}

func TestRevocationsURL(t *testing.T) {
	for address, ok := range map[string]bool{"http://gate.example/feed": true, "feed": false, "http:///feed": false, "http://[": false} {
		if _, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key(t), RevocationsURL: address}); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestFeedIsOffByDefault(t *testing.T) {
	w := httptest.NewRecorder()
	newGate(t, nil).Sessions().RevocationFeed().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
}

// While a request waits for a revocation, the guard's list ages. So a strict
// guard waits at most half of its maximum age; otherwise it would reject
// requests now and then while the feed has nothing new.
func TestFeedQuiet(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations = true })
	go func() { _ = b.Run(t.Context()) }()
	eventually(t, func() bool { return b.RevocationAge() < time.Second })
	for _, c := range []struct {
		required bool
		age      time.Duration
		want     int // seconds
	}{{false, 4 * time.Second, 20}, {true, 0, 20}, {true, 4 * time.Second, 2}, {true, 3 * time.Second, 1}} {
		var asked, longest atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seconds, err := strconv.ParseInt(r.URL.Query().Get("wait"), 10, 64)
			if err != nil {
				t.Error(err)
			}
			longest.Store(max(longest.Load(), seconds))
			asked.Add(1)
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "wait=", "waited=", 1) // do not wait
			b.Sessions().RevocationFeed().ServeHTTP(w, r)
		}))
		guard, err := jotgate.NewGuard(jotgate.GuardSettings{
			Keys: key(t), Now: b.clock.Now, RevocationsURL: server.URL, RevocationsRequired: c.required, RevocationMaxAge: c.age,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = guard.Run(ctx) }()
		eventually(t, func() bool { return asked.Load() >= 5 })
		cancel()
		server.CloseClientConnections()
		server.Close()
		if got := int(longest.Load()); got != c.want {
			t.Errorf("%+v: it waits for %d seconds", c, got)
		}
	}
}

func TestRevocationMaxAgeHasABound(t *testing.T) {
	for _, age := range []time.Duration{3 * time.Second, 3*time.Second - 1} {
		_, err := jotgate.NewGuard(jotgate.GuardSettings{
			Keys: key(t), RevocationsURL: "http://127.0.0.1", RevocationsRequired: true, RevocationMaxAge: age,
		})
		if (err == nil) != (age == 3*time.Second) {
			t.Errorf("%v: %v", age, err)
		}
	}
}
