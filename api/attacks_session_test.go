package api

// Rows H054 to H070: tokens and sessions over HTTP. The store's own races are
// tried in store/storetest.

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

func TestH054RefreshReplay(t *testing.T) {
	s := newSite(t, change{})
	first := s.login("alice")
	second := s.refresh(first.refresh)
	want(t, "first use", second, 200, "access")
	s.now.turn(11 * time.Second) // past the grace time
	want(t, "replay", s.refresh(first.refresh), 401, "Token is blacklisted")
	want(t, "the family", s.refresh(second.member("refresh")), 401, "Token is blacklisted")
	want(t, "its access token", s.me(tokens{access: second.member("access")}), 401, "token_not_valid")
	if !strings.Contains(s.logs.String(), "msg=reuse") {
		t.Error("no event tells of the reuse")
	}
}

func TestH055RefreshRace(t *testing.T) {
	for name, grace := range map[string]time.Duration{"with grace": 0, "without": -1} {
		s := newSite(t, change{gate: func(g *jotgate.Settings) { g.RefreshGrace = grace }})
		first := s.login("alice")
		var mu sync.Mutex
		won, refused := map[string]int{}, 0
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				a := s.refresh(first.refresh)
				mu.Lock()
				defer mu.Unlock()
				if a.Status == 200 {
					won[a.member("refresh")]++
				} else {
					refused++
				}
			})
		}
		all.Wait()
		if len(won) != 1 || grace == 0 && refused != 0 || grace < 0 && refused != 49 {
			t.Errorf("%s: %d different winners, %d refused", name, len(won), refused)
		}
	}
}

func TestH057RefreshEnds(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	days := 0
	for ; days < 365; days++ {
		s.now.turn(24*time.Hour - time.Second)
		a := s.refresh(alice.refresh)
		if a.Status != 200 {
			want(t, "the end", a, 401, "Token is expired")
			break
		}
		alice = tokens{a.member("access"), a.member("refresh")}
	}
	if days != 30 {
		t.Errorf("the session was refreshed for %d days, want 30", days)
	}
	want(t, "a new login", s.try("alice", goodPassword), 200, "access")
}

func TestH058TokensOfOneKindOnly(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	want(t, "refresh as access", s.me(tokens{access: alice.refresh}), 401, "Token has wrong type")
	want(t, "access as refresh", s.refresh(alice.access), 401, "Token has wrong type")
	want(t, "access at logout", s.ask("POST", "/api/token/blacklist/", object("refresh", alice.access)), 401, "Token has wrong type")
	_, reset := s.link(record.MessagePasswordReset, "alice")
	want(t, "reset token as refresh", s.refresh(reset), 401, "Token is invalid")
}

func TestH059RefreshOfADisabledUser(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	s.disable("alice")
	want(t, "refresh", s.refresh(alice.refresh), 401, "")
}

func (s *site) disable(name string) {
	s.t.Helper()
	no := false
	if err := s.db.Accounts().Change(s.t.Context(), s.account(name).ID, record.Change{IsActive: &no, At: s.now.Now()}); err != nil {
		s.t.Fatal(err)
	}
}

func TestH060AccessOfADisabledUser(t *testing.T) {
	s := newSite(t, change{})
	alice, carol := s.login("alice"), s.login("carol")
	s.disable("alice")
	want(t, "disabled behind the gate's back", s.me(alice), 401, "User is inactive")
	want(t, "deleted through the API", s.ask("DELETE", me, object("current_password", goodPassword), carol.header()...), 204, "")
	want(t, "deleted", s.me(carol), 401, "token_not_valid")
}

func TestH061StaffRoutesReadTheRow(t *testing.T) {
	s := newSite(t, change{})
	carol := s.login("carol")
	want(t, "as staff", s.ask("GET", "/auth/users/", "", carol.header()...), 200, "alice")
	no := false
	if err := s.db.Accounts().Change(t.Context(), s.account("carol").ID, record.Change{IsStaff: &no}); err != nil {
		t.Fatal(err)
	}
	if a := s.ask("GET", "/auth/users/", "", carol.header()...); strings.Contains(a.Body, "alice") {
		t.Errorf("no longer staff: %s", a.Body)
	}
	want(t, "another's row", s.ask("GET", "/auth/users/1/", "", carol.header()...), 404, "Not found.")
}

func TestH062DeletedIdsAreNotUsedAgain(t *testing.T) {
	s := newSite(t, change{})
	want(t, "signup", s.ask("POST", "/auth/users/", object("username", "last", "password", goodPassword)), 201, `"id":5`)
	last := s.login("last")
	want(t, "delete", s.ask("DELETE", me, object("current_password", goodPassword), last.header()...), 204, "")
	want(t, "signup", s.ask("POST", "/auth/users/", object("username", "next", "password", goodPassword)), 201, `"id":6`)
	want(t, "the old token", s.me(last), 401, "")
}

func TestH063PasswordChangeEndsOtherSessions(t *testing.T) {
	s := newSite(t, change{})
	here, there := s.login("alice"), s.login("alice")
	want(t, "change", s.ask("POST", "/auth/users/set_password/", object("current_password", goodPassword, "new_password", "a brand new pass 77"), here.header()...), 204, "")
	want(t, "here", s.me(here), 200, "alice")
	want(t, "there", s.me(there), 401, "token_not_valid")
	want(t, "refresh there", s.refresh(there.refresh), 401, "Token is blacklisted")
	want(t, "refresh here", s.refresh(here.refresh), 200, "access")
}

func TestH064LogoutEndsTheToken(t *testing.T) {
	s := newSite(t, change{})
	for _, out := range []func(tokens) answer{
		func(tk tokens) answer { return s.ask("POST", "/api/token/blacklist/", object("refresh", tk.refresh)) },
		func(tk tokens) answer { return s.ask("POST", "/auth/logout/", "", tk.header()...) },
		func(tk tokens) answer { return s.ask("DELETE", "/auth/sessions/", "", tk.header()...) },
	} {
		alice := s.login("alice")
		if a := out(alice); a.Status != 200 && a.Status != 204 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		want(t, "access", s.me(alice), 401, "token_not_valid")
		want(t, "refresh", s.refresh(alice.refresh), 401, "Token is blacklisted")
	}
}

func TestH066ReencodedTokensAreRefused(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	want(t, "logout", s.ask("POST", "/api/token/blacklist/", object("refresh", alice.refresh)), 200, "{}")
	cut := len(alice.refresh) - 5
	for _, token := range []string{alice.refresh + "=", alice.refresh[:cut] + "\r\n" + alice.refresh[cut:], alice.refresh[:cut] + "\n" + alice.refresh[cut:], flipped(alice.refresh), alice.refresh + ".", " " + alice.refresh} {
		if a := s.refresh(token); a.Status != 401 {
			t.Errorf("%q: %d", token[cut:], a.Status)
		}
	}
}

// flipped changes the bit of the last base64 character that carries nothing.
func flipped(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + alphabet[last^1:last^1+1]
}

func TestH067TruncatedTokens(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for n := range alice.refresh {
		if a := s.refresh(alice.refresh[:n]); a.Status != 401 && n > 0 {
			t.Fatalf("%d bytes: %d", n, a.Status)
		}
	}
	want(t, "whole", s.refresh(alice.refresh), 200, "access")
}

func TestH068OtherAudience(t *testing.T) {
	with := func(issuer string, audience ...string) *site {
		return newSite(t, change{gate: func(g *jotgate.Settings) { g.Issuer, g.Audience = issuer, audience }})
	}
	own := with("https://a.example", "api")
	want(t, "own", own.me(own.login("alice")), 200, "alice")
	for _, other := range []*site{with("https://b.example", "api"), with("https://a.example", "other"), with("", "api"), with("https://a.example"), with("")} {
		alice := other.login("alice")
		want(t, "access", own.me(alice), 401, "Token is invalid")
		want(t, "refresh", own.refresh(alice.refresh), 401, "Token is invalid")
	}
}

func TestH069WholeTokenIsVerified(t *testing.T) {
	s := newSite(t, change{})
	alice, carol := s.login("alice"), s.login("carol")
	for range 3 { // again and again, so that anything remembered would show
		want(t, "alice", s.me(alice), 200, `"username":"alice"`)
		want(t, "carol", s.me(carol), 200, `"username":"carol"`)
		mixed := alice.access[:strings.LastIndex(alice.access, ".")] + carol.access[strings.LastIndex(carol.access, "."):]
		want(t, "mixed", s.me(tokens{access: mixed}), 401, "Token is invalid")
	}
	s.now.turn(5 * time.Minute)
	want(t, "expired", s.me(alice), 401, "Token is expired")
}

func TestH070ClockSteps(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for _, step := range []struct {
		by     time.Duration
		status int
	}{
		{299 * time.Second, 200}, {time.Second, 401}, {-time.Second, 200}, {-time.Hour, 401}, {2 * time.Hour, 401}, {12 * 365 * 24 * time.Hour, 401}, {68 * 365 * 24 * time.Hour, 401},
	} {
		s.now.turn(step.by)
		if a := s.me(alice); a.Status != step.status {
			t.Errorf("after %v: %d", step.by, a.Status)
		}
	}
	if _, err := jotgate.New(jotgate.Settings{SecretKey: siteSecret, Leeway: 11 * time.Minute}, s.db); err == nil {
		t.Error("a leeway of 11 minutes is allowed")
	}
}

func TestSessionsEndpoint(t *testing.T) {
	s := newSite(t, change{})
	here, there, carol := s.login("alice"), s.login("alice"), s.login("carol")
	list := s.ask("GET", "/auth/sessions/", "", here.header()...)
	want(t, "list", list, 200, `"address":"192.0.2.1"`)
	if n := strings.Count(list.Body, `"current":true`); n != 1 || strings.Count(list.Body, `"id":`) != 2 {
		t.Errorf("%s", list.Body)
	}
	theirs := s.ask("GET", "/auth/sessions/", "", carol.header()...)
	id := theirs.Body[strings.Index(theirs.Body, `"id":"`)+6:][:32]
	want(t, "H102: another's session", s.ask("DELETE", "/auth/sessions/"+id+"/", "", here.header()...), 404, "Not found.")
	want(t, "the others", s.ask("DELETE", "/auth/sessions/?others=true", "", here.header()...), 204, "")
	want(t, "there", s.me(there), 401, "")
	want(t, "here", s.me(here), 200, "")
	want(t, "carol", s.me(carol), 200, "")
	want(t, "one's own", s.ask("DELETE", "/auth/sessions/"+fmt.Sprint(id)+"/", "", carol.header()...), 204, "")
	want(t, "carol, afterwards", s.me(carol), 401, "")
}
