package jotgate_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// nextStep returns the next step of a login with the password.
func (b *bench) nextStep(t testing.TB, name string) jotgate.Step {
	t.Helper()
	state, err := b.Logins().Begin(t.Context(), jotgate.Password(name, password), jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return state.Next
}

// messages counts the e-mails by kind, and returns the details of one kind.
func (b *bench) messages(t testing.TB, kind record.MessageKind) (details []string) {
	t.Helper()
	due, err := b.db.Outbox().Due(t.Context(), b.clock.Now(), 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range due {
		if m.Kind == kind {
			details = append(details, m.Detail)
		}
	}
	return details
}

// Who must have a second factor sets one up in the next login; others do not.
func TestWhoMustHaveASecondFactor(t *testing.T) {
	for _, c := range []struct {
		policy jotgate.MFAPolicy
		groups []string
		must   string // the users, of those below
	}{
		{jotgate.MFANone, nil, ""},
		{jotgate.MFAStaff, nil, "staff super"},
		{jotgate.MFAAll, nil, "staff super member plain"},
		{jotgate.MFANone, []string{"finance"}, "member"},
		{jotgate.MFAStaff, []string{"finance", "no such group"}, "staff super member"},
		{jotgate.MFANone, []string{"Finance"}, ""}, // names of groups are exact, as in Django
	} {
		b := newGate(t, func(s *jotgate.Settings) { s.RequireMFA, s.RequireMFAGroups = c.policy, c.groups })
		b.user(t, "plain", nil)
		b.user(t, "staff", func(a *record.Account) { a.IsStaff = true })
		b.user(t, "super", func(a *record.Account) { a.IsSuperuser = true })
		member := b.user(t, "member", nil)
		if _, err := b.db.Groups().Create(t.Context(), "finance"); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Groups().AddMember(t.Context(), member.ID, "finance"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"plain", "staff", "super", "member"} {
			want := jotgate.StepDone
			if strings.Contains(" "+c.must+" ", " "+name+" ") {
				want = jotgate.StepEnrol
			}
			if got := b.nextStep(t, name); got != want {
				t.Errorf("%s %q: the next step of %s is %q, want %q", c.policy, c.groups, name, got, want)
			}
		}
		b.enrol(t, member)
		if got := b.nextStep(t, "member"); got != jotgate.StepSecond {
			t.Errorf("%s %q: with a factor: %q", c.policy, c.groups, got)
		}
	}
}

// The grace period begins with the first login that finds no factor, and is not
// prolonged by later ones.
func TestGracePeriod(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.RequireMFA, s.MFAGrace = jotgate.MFAAll, 72*time.Hour })
	b.user(t, "alice", nil)
	b.user(t, "bob", nil)
	b.clock.Advance(30 * 24 * time.Hour) // the age of the account does not count
	for range 3 {
		if got := b.nextStep(t, "alice"); got != jotgate.StepDone {
			t.Fatalf("in the grace period: %q", got)
		}
		b.clock.Advance(24*time.Hour - time.Second)
	}
	b.clock.Advance(2 * time.Second)
	if got := b.nextStep(t, "alice"); got != jotgate.StepDone {
		t.Errorf("a second before the end: %q", got)
	}
	b.clock.Advance(time.Second)
	if got := b.nextStep(t, "alice"); got != jotgate.StepEnrol {
		t.Errorf("at the end: %q", got)
	}
	if got := b.nextStep(t, "bob"); got != jotgate.StepDone {
		t.Errorf("the first login of another user: %q", got)
	}
}

// A reset by staff has a reason and an e-mail, and takes effect after its delay,
// unless the user logs in with a factor before.
func TestResetOfFactors(t *testing.T) {
	b := newGate(t, nil)
	alice, staff := b.user(t, "alice", nil), b.user(t, "staff", func(a *record.Account) { a.IsStaff = true })
	reset := func(a *record.Account, reason string) error {
		return b.Factors().RequestReset(t.Context(), a, staff.ID, reason, 24*time.Hour, jotgate.Client{})
	}
	if err := reset(alice, "lost the telephone"); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("without a factor: %v", err)
	}
	phone, _ := b.enrol(t, alice)
	for _, bad := range []string{"", "too short", "    lost it      ", "lost the\ntelephone", strings.Repeat("a", 501)} {
		if err := reset(alice, bad); jotgate.AsError(err).Status != 400 {
			t.Errorf("the reason %.20q: %v", bad, err)
		}
	}
	if n := len(b.messages(t, record.MessageFactorsReset)); n != 0 {
		t.Errorf("%d e-mails about resets that were rejected", n)
	}
	for _, prevented := range []bool{true, false} {
		if err := reset(alice, "lost the telephone"); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(24*time.Hour - time.Second)
		if got := b.nextStep(t, "alice"); got != jotgate.StepSecond {
			t.Errorf("before the end of the delay: %q", got)
		}
		if prevented {
			if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(phone.at(t, b.clock.Now())), jotgate.Client{}); err != nil {
				t.Fatal(err)
			}
		}
		b.clock.Advance(time.Second)
		want := jotgate.StepDone
		if prevented {
			want = jotgate.StepSecond
		}
		if got := b.nextStep(t, "alice"); got != want {
			t.Errorf("after the delay, prevented %v: %q, want %q", prevented, got, want)
		}
	}
	if left := b.factors(t, alice); len(left) != 0 || b.sessions(t, alice) != 1 {
		t.Errorf("%d rows and %d sessions are left after a reset", len(left), b.sessions(t, alice))
	}
	told, recorded := b.messages(t, record.MessageFactorsReset), 0
	for _, e := range b.events(t) {
		if e.Name == "factor" && e.User == alice.ID && strings.Contains(e.Detail, "lost the telephone") && strings.Contains(e.Detail, string(staff.ID)) {
			recorded++
		}
	}
	if len(told) != 2 || !strings.Contains(told[0], "29 November 2026") && !strings.Contains(told[0], "2026") || recorded != 2 {
		t.Errorf("e-mails %q, %d events", told, recorded)
	}
}

// The owner gets an e-mail for a used recovery code and for each change of a factor.
func TestMessagesAboutFactors(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	_, codes := b.enrol(t, alice)
	if n := len(b.messages(t, record.MessageFactorAdded)); n != 1 {
		t.Errorf("%d e-mails about a new factor", n)
	}
	if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.RecoveryCode(codes[0]), jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if got := b.messages(t, record.MessageRecoveryUsed); len(got) != 1 || got[0] != "9" {
		t.Errorf("e-mails about a used recovery code: %q", got)
	}
	list, err := b.Factors().List(t.Context(), alice.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Factors().Remove(t.Context(), alice, list[0].ID, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if n := len(b.messages(t, record.MessageFactorRemoved)); n != 1 {
		t.Errorf("%d e-mails about a removed factor", n)
	}
}

// RequireAuth refuses as RFC 9470 says, and what it does not refuse reaches the
// handler.
func TestRequireAuth(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.AccessTokenLifetime = time.Hour })
	alice := b.user(t, "alice", nil)
	plain := b.login(t, "alice").Access // without the claims
	phone, _ := b.enrol(t, alice)
	state, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(phone.at(t, b.clock.Now())), jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	strong := state.Tokens.Access
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	try := func(access string, requirements ...jotgate.Requirement) (int, string) {
		r := httptest.NewRequest("GET", "/pay", nil)
		if access != "" {
			r.Header.Set("Authorization", "Bearer "+access)
		}
		w := httptest.NewRecorder()
		b.RequireAuth(requirements...)(ok).ServeHTTP(w, r)
		return w.Code, w.Header().Get("WWW-Authenticate")
	}
	fresh, aal2 := jotgate.Fresh(10*time.Minute), jotgate.ACR("aal2")
	const refused = `Bearer realm="api", error="insufficient_user_authentication"`
	for _, c := range []struct {
		name, access string
		after        time.Duration
		requirements []jotgate.Requirement
		status       int
		challenge    string
	}{
		{"both", strong, 0, []jotgate.Requirement{fresh, aal2}, 204, ""},
		{"exactly fresh", strong, 10 * time.Minute, []jotgate.Requirement{fresh}, 204, ""},
		{"a second too old", strong, time.Second, []jotgate.Requirement{fresh, aal2}, 401, refused + `, acr_values="aal2", max_age="600"`},
		{"the level alone", strong, 0, []jotgate.Requirement{aal2}, 204, ""},
		{"the stricter of two ages", strong, 0, []jotgate.Requirement{jotgate.Fresh(time.Hour), fresh}, 401, refused + `, max_age="600"`},
		{"another level", strong, 0, []jotgate.Requirement{jotgate.ACR("aal3")}, 401, refused + `, acr_values="aal3"`},
		{"no requirement", plain, 0, nil, 204, ""},
		{"a level below", plain, 0, []jotgate.Requirement{jotgate.ACR("aal1")}, 204, ""},
		{"without the claims", plain, 0, []jotgate.Requirement{aal2}, 401, refused + `, acr_values="aal2"`},
		{"without the time", plain, 0, []jotgate.Requirement{fresh}, 401, refused + `, max_age="600"`},
		{"no token", "", 0, []jotgate.Requirement{aal2}, 401, `Bearer realm="api"`},
	} {
		b.clock.Advance(c.after)
		if status, challenge := try(c.access, c.requirements...); status != c.status || challenge != c.challenge {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, challenge, c.status, c.challenge)
		}
	}
}
