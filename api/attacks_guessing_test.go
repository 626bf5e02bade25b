package api

// Rows H004 to H022 of testdata/attacks.json: who has an account, and what is
// the password. Times are measured in timing_test.go.

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestH004InactiveUserLooksLikeAny(t *testing.T) {
	s := newSite(t, change{})
	wrong := s.try("alice", "wrong password 12")
	want(t, "wrong password", wrong, 401, "No active account found with the given credentials")
	same(t, "inactive user, right password", s.try("bob", goodPassword), wrong)
	same(t, "no such user", s.try("nobody", goodPassword), wrong)
	same(t, "unusable password", s.try("dave", goodPassword), wrong)
}

func TestH005SignUpDoesNotDiscloseAddresses(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.SendActivationEmail = true }})
	sign := func(name, email string) answer {
		return s.ask("POST", "/auth/users/", object("username", name, "email", email, "password", "a fine passphrase 42"))
	}
	taken, free := sign("newbie1", "alice@example.com"), sign("newbie2", "free@example.com")
	taken.Body = strings.NewReplacer("alice@example.com", "?", "newbie1", "?", "5", "?").Replace(taken.Body)
	free.Body = strings.NewReplacer("free@example.com", "?", "newbie2", "?", "6", "?").Replace(free.Body)
	taken.Header.Del("Content-Length")
	free.Header.Del("Content-Length")
	want(t, "a taken address", taken, 201, `"email":"?"`)
	same(t, "a taken and a free address", taken, free)
}

func TestH006ResetDoesNotDiscloseAddresses(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.SendActivationEmail = true }})
	for _, path := range []string{"reset_password", "reset_username", "resend_activation"} {
		known := s.ask("POST", "/auth/users/"+path+"/", object("email", "alice@example.com"))
		want(t, path, known, 204, "")
		for _, email := range []string{"nobody@example.com", "bob@example.com", "dave@example.com"} {
			same(t, path+" "+email, s.ask("POST", "/auth/users/"+path+"/", object("email", email)), known)
		}
	}
	if n := len(s.messages()); n != 2 { // to alice; bob is inactive, but awaits no activation
		t.Errorf("%d messages", n)
	}
}

// The mail server is not asked while the client waits: the message lies in the
// outbox, and no sender is at work here at all.
func TestH008MailFailureIsNotSeen(t *testing.T) {
	s := newSite(t, change{})
	known := s.ask("POST", "/auth/users/reset_password/", object("email", "alice@example.com"))
	same(t, "known and unknown", s.ask("POST", "/auth/users/reset_password/", object("email", "nobody@example.com")), known)
	if n := len(s.messages()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestH009DelaysDoNotDiscloseAccounts(t *testing.T) {
	s := newSite(t, change{})
	for i := range 20 {
		known, unknown := s.try("alice", "wrong password 12"), s.try("nobody", "wrong password 12")
		same(t, fmt.Sprint("try ", i), unknown, known)
		if i >= 5 && known.Status != http.StatusTooManyRequests {
			t.Fatalf("try %d: %d", i, known.Status)
		}
	}
}

func TestH011IdsCannotBeCounted(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		body := ""
		if method != "GET" {
			body = object("current_password", goodPassword)
		}
		there := s.ask(method, "/auth/users/3/", body, alice.header()...)
		absent := s.ask(method, "/auth/users/999/", body, alice.header()...)
		same(t, method, there, absent)
		if there.Status != 403 && there.Status != 404 {
			t.Errorf("%s: %d", method, there.Status)
		}
		same(t, method+" without a token", s.ask(method, "/auth/users/3/", body), s.ask(method, "/auth/users/999/", body))
	}
}

func TestH012BruteForce(t *testing.T) {
	s := newSite(t, change{})
	admitted := 0
	for range 200 { // in ten minutes
		if a := s.try("alice", "wrong password 12"); a.Status == 401 {
			admitted++
		} else if a.Status != 429 || a.Header.Get("Retry-After") == "" {
			t.Fatalf("%d %v", a.Status, a.Header)
		}
		s.now.turn(3 * time.Second)
	}
	if admitted > 20 {
		t.Errorf("%d of 200 guesses were admitted", admitted)
	}
	want(t, "the right password", s.try("alice", goodPassword), 429, "Request was throttled.")
	s.now.turn(15 * time.Minute)
	want(t, "the right password, later", s.try("alice", goodPassword), 200, "access")
}

func TestH013DistributedBruteForce(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.TrustedProxies = []string{"10.0.0.1"} }})
	admitted := 0
	for i := range 150 {
		if a := s.try("alice", "wrong password 12", "from", "10.0.0.1:1", "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i)); a.Status == 401 {
			admitted++
		}
	}
	if admitted > 40 {
		t.Errorf("%d of 150 guesses from 150 addresses were admitted", admitted)
	}
}

func TestH014CredentialStuffing(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { delete(a.Rates, "login") }}) // the default
	admitted := 0
	for i := range 200 {
		if s.try(fmt.Sprint("user", i), "wrong password 12").Status == 401 {
			admitted++
		}
	}
	if admitted != 60 {
		t.Errorf("%d of 200 accounts were tried from one address, want 60 a minute", admitted)
	}
	want(t, "another address", s.try("alice", goodPassword, "from", "198.51.100.7:1"), 200, "access")
}

func TestH015OtherClientsCannotLockOut(t *testing.T) {
	s := newSite(t, change{})
	want(t, "alice at home", s.try("alice", goodPassword), 200, "access")
	for i := range 300 {
		s.try("alice", "wrong password 12", "from", fmt.Sprintf("203.0.113.%d:1", i%250))
		s.now.turn(time.Second)
	}
	want(t, "a stranger", s.try("alice", goodPassword, "from", "203.0.113.1:1"), 429, "")
	want(t, "alice at home, meanwhile", s.try("alice", goodPassword), 200, "access")
	s.now.turn(5 * time.Minute)
	want(t, "alice elsewhere, a little later", s.try("alice", goodPassword, "from", "198.51.100.7:1"), 200, "access")
}

func TestH016NameVariantsShareACounter(t *testing.T) {
	s := newSite(t, change{})
	for _, name := range []string{"alice", "ALICE", " alice", "alice ", "ａｌｉｃｅ"} {
		want(t, name, s.try(name, "wrong password 12"), 401, "")
	}
	for _, name := range []string{"alice", "Alice", "aLICE\u00a0"} {
		want(t, name+", the sixth", s.try(name, "wrong password 12"), 429, "")
	}
	want(t, "carol", s.try("carol", goodPassword), 200, "")
}

func TestH017ForwardedHeadersAreNotBelieved(t *testing.T) {
	s := newSite(t, change{})
	for i := range 8 {
		var headers []string
		for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"} {
			headers = append(headers, name, fmt.Sprintf("203.0.113.%d", i))
		}
		a := s.try("alice", "wrong password 12", append(headers, "Forwarded", fmt.Sprintf("for=203.0.113.%d", i))...)
		if limited := a.Status == 429; limited != (i >= 5) {
			t.Errorf("try %d: %d", i, a.Status)
		}
	}
	if n := strings.Count(s.logs.String(), "a forwarded client address is ignored"); n != 1 {
		t.Errorf("the operator was told %d times", n)
	}
	if strings.Contains(s.logs.String(), "address=203.0.113") {
		t.Error("a forged address stands in the log")
	}
}

func TestH018UnparsableAddresses(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.TrustedProxies = []string{"10.0.0.0/24"} }})
	forged := []string{"a", "", ",", strings.Repeat("x", 10_000), "fe80::1%eth0, a", "1.2.3.4.5", "::ffff:999.0.0.1", "[::1", "a"}
	for i, value := range forged {
		a := s.try("alice", "wrong password 12", "from", "10.0.0.1:1", "X-Forwarded-For", value)
		if limited := a.Status == 429; limited != (i >= 5) {
			t.Errorf("%.20q: %d", value, a.Status)
		}
	}
}

func TestH019IPv6IsCountedByNetwork(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.TrustedProxies = []string{"10.0.0.1"} }})
	admitted := 0
	for i := range 200 {
		if s.try("alice", "wrong password 12", "from", "10.0.0.1:1", "X-Forwarded-For", fmt.Sprintf("2001:db8::%x", i)).Status == 401 {
			admitted++
		}
	}
	if admitted != 5 {
		t.Errorf("%d guesses from one /64 were admitted", admitted)
	}
}

func TestH020LimiterRace(t *testing.T) {
	s := newSite(t, change{})
	var admitted atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if s.try("alice", "wrong password 12").Status == 401 {
				admitted.Add(1)
			}
		})
	}
	all.Wait()
	if n := admitted.Load(); n > 5 {
		t.Errorf("%d of 100 parallel guesses reached the hasher, want 5", n)
	}
}

func TestH021SiblingRoutesShareTheLimit(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	guess := map[string]func() answer{
		"/api/token/": func() answer { return s.try("alice", "wrong password 12") },
		"/auth/jwt/create/": func() answer {
			return s.ask("POST", "/auth/jwt/create/", object("username", "alice", "password", "wrong password 12"))
		},
		"/api-token-auth/": func() answer {
			return s.ask("POST", "/api-token-auth/", object("username", "alice", "password", "wrong password 12"))
		},
		"set_password": func() answer {
			return s.ask("POST", "/auth/users/set_password/", object("current_password", "x", "new_password", "a brand new pass 77"), alice.header()...)
		},
		"set_username": func() answer {
			return s.ask("POST", "/auth/users/set_username/", object("current_password", "x", "new_username", "alice2"), alice.header()...)
		},
		"DELETE /users/me/": func() answer {
			return s.ask("DELETE", "/auth/users/me/", object("current_password", "x"), alice.header()...)
		},
		"DELETE /users/{id}": func() answer {
			return s.ask("DELETE", "/auth/users/1/", object("current_password", "x"), alice.header()...)
		},
	}
	tries := 0
	for range 2 {
		for path, try := range guess {
			if a := try(); (a.Status == 429) != (tries >= 5) {
				t.Errorf("try %d, %s: %d %s", tries, path, a.Status, a.Body)
			}
			tries++
		}
	}
}

func TestH022RestartKeepsCounters(t *testing.T) {
	s := newSite(t, change{})
	for range 5 {
		s.try("alice", "wrong password 12")
	}
	s.API = s.reopen(change{}) // a new process on the same database
	want(t, "after a restart", s.try("alice", "wrong password 12"), 429, "")
}
