package api

// Logins with a code by e-mail.

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/emailcode"
	"github.com/jotgate/jotgate/internal/equaltime"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

var codesOn = change{gate: func(g *jotgate.Settings) { g.LoginCodes = true }}

// requestCode requests a code a minute later and returns the pending token.
func (s *site) requestCode(email string) string {
	s.t.Helper()
	s.now.turn(time.Minute)
	a := s.ask("POST", "/api/token/code/", object("email", email))
	if a.Status != http.StatusAccepted || a.member("pending") == "" {
		s.t.Fatalf("%s: %d %s", email, a.Status, a.Body)
	}
	return a.member("pending")
}

// sentCode returns the code that is sent to the user.
func (s *site) sentCode(name string) string {
	s.t.Helper()
	_, code := s.link(record.MessageLoginCode, name)
	if emailcode.Normalize(code) != code || code == "" {
		s.t.Fatalf("%s gets the code %q", name, code)
	}
	return code
}

func (s *site) confirmCode(pending, code string) answer {
	return s.ask("POST", "/api/token/code/confirm/", object("pending", pending, "code", code))
}

// wrongCode is a code that is not this one.
func wrongCode(code string) string {
	if code[0] == 'B' {
		return "C" + code[1:]
	}
	return "B" + code[1:]
}

func TestTokenCode(t *testing.T) {
	s := newSite(t, codesOn)
	pending := s.requestCode("ALICE@example.com")
	if sent := s.told(); sent != "login_code alice@example.com " {
		t.Fatalf("wrote %q", sent)
	}
	code := s.sentCode("alice")
	a := s.confirmCode(pending, strings.ToLower(strings.Replace(code, "-", " ", 1)))
	want(t, "confirm", a, 200, `"username":"alice"`)
	session, err := s.db.Sessions().List(t.Context(), s.account("alice").ID, s.now.Now())
	if err != nil || len(session) != 1 || session[0].AMR != "mail" {
		t.Errorf("sessions %+v, %v", session, err)
	}
	want(t, "used twice", s.confirmCode(pending, code), 401, "login_not_valid")
}

// The fourth attempt fails, whatever the code; before it each wrong code gets the same
// response as for an address without an account.
func TestTokenCodeAttempts(t *testing.T) {
	s := newSite(t, codesOn)
	known, unknown := s.requestCode("alice@example.com"), s.requestCode("nobody@example.com")
	code := s.sentCode("alice")
	for i := range 4 {
		try := []string{wrongCode(code), "", "x", code}[i]
		if try == "" {
			try = "BCDF"
		}
		a, b := s.confirmCode(known, try), s.confirmCode(unknown, try)
		same(t, fmt.Sprint("attempt ", i+1), a, b)
		want(t, fmt.Sprint("attempt ", i+1), a, 401, []string{"code_not_valid", "code_not_valid", "code_not_valid", "login_not_valid"}[i])
	}
	// A third attempt may be right.
	known = s.requestCode("alice@example.com")
	for range 2 {
		want(t, "wrong", s.confirmCode(known, wrongCode(code)), 401, "code_not_valid")
	}
	want(t, "third", s.confirmCode(known, s.sentCode("alice")), 200, "access")
}

// A code works with the pending token of its request alone, until it is replaced, and
// for ten minutes.
func TestTokenCodeIsBound(t *testing.T) {
	s := newSite(t, codesOn)
	first := s.requestCode("alice@example.com")
	old := s.sentCode("alice")
	second := s.requestCode("alice@example.com")
	code := s.sentCode("alice")
	if old == code {
		t.Fatal("two requests have one code")
	}
	other := s.requestCode("carol@example.com")
	for name, a := range map[string]answer{
		"replaced": s.confirmCode(first, old), "of the first request": s.confirmCode(first, code),
	} {
		want(t, name, a, 401, "login_not_valid")
	}
	want(t, "of another user", s.confirmCode(other, code), 401, "code_not_valid")
	want(t, "the older code", s.confirmCode(second, old), 401, "code_not_valid")
	want(t, "without a token", s.confirmCode("p1.AAAA", code), 401, "login_not_valid")
	s.now.turn(time.Minute)
	browser, err := s.gate.Sessions().Pages().RequestCode(t.Context(), "carol@example.com", jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "a browser's token", s.confirmCode(browser, s.sentCode("carol")), 401, "login_not_valid")
	password := s.ask("POST", "/api/token/mfa/", object("pending", second, "code", "000000"))
	want(t, "as a second factor", password, 401, "login_not_valid")
	s.now.turn(8*time.Minute - time.Microsecond) // two minutes have passed
	want(t, "in time", s.confirmCode(second, code), 200, "access")
	late := s.requestCode("alice@example.com")
	code = s.sentCode("alice")
	s.now.turn(10 * time.Minute)
	want(t, "late", s.confirmCode(late, code), 401, "login_not_valid")
	if _, code := s.link(record.MessageLoginCode, "alice"); code != "" {
		t.Errorf("the code %q is sent after it has expired", code)
	}
}

// Whoever cannot log in gets no code: with the same response, header for header.
func TestTokenCodeRefused(t *testing.T) {
	s := newSite(t, codesOn)
	shared := &record.Account{Username: "shared1", Email: "shared@example.com", Password: s.account("alice").Password, IsActive: true, DateJoined: s.now.Now()}
	for _, name := range []string{"shared1", "shared2"} {
		shared.Username = name
		if err := s.db.Accounts().Create(t.Context(), shared); err != nil {
			t.Fatal(err)
		}
	}
	squatter := *shared
	squatter.Username, squatter.Email = "squatter", "victim@example.com"
	if err := s.db.Addresses().SignUp(t.Context(), &squatter, nil); err != nil {
		t.Fatal(err)
	}
	s.messages()
	length := len(s.requestCode("alice@example.com"))
	s.now.turn(time.Minute)
	known := s.ask("POST", "/api/token/code/", object("email", "alice@example.com"))
	if sent := s.told(); sent != "login_code alice@example.com login_code alice@example.com " {
		t.Fatalf("wrote %q", sent)
	}
	for name, email := range map[string]string{
		"unknown": "nobody@example.com", "inactive": "bob@example.com", "no usable password": "dave@example.com",
		"of two accounts": "shared@example.com", "not verified": "victim@example.com",
	} {
		a := s.ask("POST", "/api/token/code/", object("email", email))
		pending := a.member("pending")
		if len(pending) != length {
			t.Errorf("%s: a token of %d bytes instead of %d", name, len(pending), length)
		}
		a.Body = strings.Replace(a.Body, pending, known.member("pending"), 1)
		same(t, name, a, known)
		if sent := s.told(); sent != "" {
			t.Errorf("%s: wrote %q", name, sent)
		}
	}
	// The account loses its right after the code was sent.
	pending := s.requestCode("alice@example.com")
	code, address := s.sentCode("alice"), "elsewhere@example.com"
	if err := s.db.Accounts().Change(t.Context(), s.account("alice").ID, record.Change{Email: &address, At: s.now.Now()}); err != nil {
		t.Fatal(err)
	}
	want(t, "another address", s.confirmCode(pending, code), 401, "login_not_valid")
	pending = s.requestCode("carol@example.com")
	code, inactive := s.sentCode("carol"), false
	if err := s.db.Accounts().Change(t.Context(), s.account("carol").ID, record.Change{IsActive: &inactive, At: s.now.Now()}); err != nil {
		t.Fatal(err)
	}
	want(t, "deactivated", s.confirmCode(pending, code), 401, "code_not_valid")
}

// Five e-mails an hour go to an address, in whatever spelling; the sixth request gets
// the same response and leaves the fifth code valid.
func TestTokenCodeLimit(t *testing.T) {
	s := newSite(t, codesOn)
	var last string
	for i := range 9 {
		pending := s.requestCode([]string{"alice@example.com", "Alice@Example.com"}[i%2])
		if i < 5 {
			last = pending
		} else {
			want(t, "a code that was not sent", s.confirmCode(pending, s.sentCode("alice")), 401, "code_not_valid")
		}
	}
	if sent := s.told(); strings.Count(sent, "login_code") != 5 {
		t.Errorf("wrote %q", sent)
	}
	want(t, "the fifth", s.confirmCode(last, s.sentCode("alice")), 200, "access")
	s.now.turn(time.Hour)
	s.requestCode("alice@example.com")
	if sent := s.told(); sent != "login_code alice@example.com " {
		t.Errorf("after an hour: wrote %q", sent)
	}
}

// Requests are limited for each network, by the rate email.
func TestTokenCodeNetworkLimit(t *testing.T) {
	s := newSite(t, change{gate: codesOn.gate, api: func(a *Settings) { a.Rates = map[string]string{"email": "20/hour"} }})
	for i := range 21 {
		a := s.ask("POST", "/api/token/code/", object("email", fmt.Sprint("user", i, "@example.com")))
		if status := []int{202, 429}[i/20]; a.Status != status {
			t.Errorf("request %d: %d, want %d", i+1, a.Status, status)
		}
	}
}

// A code is one factor: the second one is still due, and a code is never that.
func TestTokenCodeSecondFactor(t *testing.T) {
	s := newSite(t, codesOn)
	app, _ := s.enrol(t, s.login("alice").access)
	pending := s.requestCode("alice@example.com")
	code := s.sentCode("alice")
	a := s.confirmCode(pending, code)
	want(t, "confirm", a, 401, `"code":"mfa_required"`)
	if list, err := s.db.Sessions().List(t.Context(), s.account("alice").ID, s.now.Now()); err != nil || len(list) != 1 {
		t.Errorf("%d sessions, %v", len(list), err)
	}
	want(t, "twice", s.confirmCode(pending, code), 401, "login_not_valid")
	next := a.member("pending")
	s.requestCode("alice@example.com")
	want(t, "a code as the second factor", s.confirmCode(next, s.sentCode("alice")), 401, "login_not_valid")
	done := s.ask("POST", "/api/token/mfa/", object("pending", next, "code", app.code(t)))
	want(t, "second factor", done, 200, `"amr":["mail","otp","mfa"]`)
}

// Of concurrent confirmations of one code one logs in, on both databases.
func TestTokenCodeOneWinner(t *testing.T) {
	race := func(t *testing.T, s *site) {
		password, err := s.gate.Accounts().MakePassword(t.Context(), goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		alice := &record.Account{Username: "alice", Email: "alice@example.com", Password: password, IsActive: true, DateJoined: s.now.Now()}
		if err := s.db.Accounts().Create(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		for round := range 4 {
			pending := s.requestCode("alice@example.com")
			code := s.sentCode("alice")
			answers := make([]answer, 8)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() { answers[i] = s.confirmCode(pending, code) })
			}
			all.Wait()
			won := 0
			for _, a := range answers {
				if a.Status == 200 {
					won++
				} else {
					want(t, "loser", a, 401, "login_not_valid")
				}
			}
			list, err := s.db.Sessions().List(t.Context(), alice.ID, s.now.Now())
			if won != 1 || err != nil || len(list) != round+1 {
				t.Errorf("round %d: %d logged in, %d sessions, %v", round, won, len(list), err)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { race(t, siteOn(t, sqlitetest.File(t), store.Schema{}, codesOn)) })
	t.Run("postgresql", func(t *testing.T) {
		db, err := postgres.Open(context.WithoutCancel(t.Context()), pgtest.Database(t), postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		race(t, siteAt(t, db, codesOn))
	})
}

// withoutCodes is a store that keeps no codes.
type withoutCodes struct{ record.Store }

func (w withoutCodes) Addresses() record.Addresses {
	return struct{ record.Addresses }{w.Store.Addresses()}
}

// Without the setting there are no such endpoints, and a code logs nobody in.
func TestTokenCodeOff(t *testing.T) {
	s := newSite(t, codesOn)
	pending := s.requestCode("alice@example.com")
	code := s.sentCode("alice")
	s.API = s.reopen(change{})
	for _, path := range []string{"/api/token/code/", "/api/token/code/confirm/"} {
		want(t, path, s.ask("POST", path, object("email", "alice@example.com")), 404, "")
	}
	if _, err := s.gate.Logins().Continue(t.Context(), pending, jotgate.EmailCode(code), jotgate.Client{}); jotgate.AsError(err).Code != "login_not_valid" {
		t.Errorf("Continue: %v", err)
	}
	if _, err := jotgate.New(jotgate.Settings{SecretKey: siteSecret, LoginCodes: true}, withoutCodes{s.db}); err == nil {
		t.Error("a store that keeps no codes is accepted")
	}
}

// Request and wrong confirmation take the same time for an address with and without an
// account, and for one that has had its five e-mails. With TIMING=full (make timing)
// there are 500 rounds of requests and 3,000 of confirmations, which take a hundredth of
// the time, and the floor is 3 %.
func TestTokenCodeTiming(t *testing.T) {
	rounds, confirmations, floor := 30, 30, 0.1
	if os.Getenv("TIMING") == "full" {
		rounds, confirmations, floor = 500, 3000, 0.03
	}
	t.Run("request", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, change{gate: func(g *jotgate.Settings) { g.LoginCodes = true }})
		ask := func(email string) func(int) { return func(int) { s.requestCode(email) } }
		equaltime.Check(t, rounds, floor, map[string]func(int){"known": ask("alice@example.com"), "unknown": ask("nobody@example.com"), "inactive": ask("bob@example.com")})
	})
	t.Run("confirm", func(t *testing.T) { // before the requests, which run in parallel with other tests
		s := newSite(t, change{gate: func(g *jotgate.Settings) { g.LoginCodes, g.EmailLimit = true, -1 }})
		pending := map[string]string{"alice@example.com": "", "nobody@example.com": ""}
		prepare := func(i int) {
			if i%3 == 0 { // each code allows three attempts
				for email := range pending {
					pending[email] = s.requestCode(email)
				}
			}
		}
		confirm := func(email string) func(int) { return func(int) { s.confirmCode(pending[email], "BBBB-BBBB") } }
		equaltime.CheckPrepared(t, confirmations, floor, prepare, map[string]func(int){"known": confirm("alice@example.com"), "unknown": confirm("nobody@example.com")})
	})
}
