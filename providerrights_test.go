package jotgate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// Logins with a provider give the groups and roles of the mapping, update and end them,
// and leave others as they are.
func TestProviderRights(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		issuer, p := newInstant(t, clock, func(s *provider.Settings) {
			s.Groups = map[string]string{"ed": "Editors", "press": "Editors", "fin-1": "Accounting", "none": "Missing"}
			s.Staff, s.Claims = []string{"it", "ops"}, map[string]string{"groups": "access.roles"}
		})
		gate, err := jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(strings.Repeat("secret", 8)), Now: clock, Claims: []string{"role", "groups"}, Providers: []*provider.Provider{p}}, db)
		if err != nil {
			t.Fatal(err)
		}
		a := &record.Account{Username: "alice", Email: "alice@example.com", Password: "!", IsActive: true, DateJoined: now}
		if err := db.Accounts().Create(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		row := &record.SocialAccount{Provider: "instant", UID: "alice-there", Data: "{}", LastLogin: now, Joined: now}
		if err := db.SocialAccounts().ChangeSocial(t.Context(), record.SocialChange{User: a.ID, Connect: row, At: now}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Editors", "Accounting", "Own"} {
			if _, err := db.Groups().Create(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Groups().AddMember(t.Context(), a.ID, "Own"); err != nil {
			t.Fatal(err)
		}
		superuser := false
		for _, c := range []struct {
			name  string
			claim any // of the ID token
			want  string
		}{
			{"no claim", nil, "Own"},
			{"first", map[string]any{"roles": []string{"ed", "unknown"}}, "Editors Own"},
			{"the same", map[string]any{"roles": []string{"ed"}}, "Editors Own"},
			{"another value of the group", map[string]any{"roles": []string{"press"}}, "Editors Own"},
			{"two, and one that does not exist", map[string]any{"roles": []string{"fin-1", "ed", "none"}}, "Accounting Editors Own"},
			{"one ends", map[string]any{"roles": []string{"fin-1"}}, "Accounting Own"},
			{"one text", map[string]any{"roles": "ed"}, "Editors Own"},
			{"staff", map[string]any{"roles": []string{"ops"}}, "Own staff"},
			{"not a list of texts", map[string]any{"roles": []any{1, map[string]any{"ed": true}}}, "Own"},
			{"case", map[string]any{"roles": []string{"ED", "It"}}, "Own"},
			{"names of roles here", map[string]any{"roles": []string{"Editors", "staff", "superuser", "admin"}}, "Own"},
			{"another claim", "ed", "Own"},
			{"all", map[string]any{"roles": []string{"ed", "fin-1", "it"}}, "Accounting Editors Own staff"},
			{"none", map[string]any{"roles": []string{}}, "Own"},
			{"given here", map[string]any{"roles": []string{}}, "Own superuser"},
			{"all again", map[string]any{"roles": []string{"ed", "it"}}, "Editors Own staff superuser"},
			{"claim missing", nil, "Own superuser"},
		} {
			now = now.Add(time.Minute)
			issuer.extra = map[string]any{"access": c.claim}
			if c.name == "given here" {
				superuser = true
				if err := db.Accounts().Change(t.Context(), a.ID, record.Change{IsSuperuser: &superuser, At: now}); err != nil {
					t.Fatal(err)
				}
			}
			l := signInThere(t, gate.Logins().Providers(), jotgate.ProviderFlow{})
			state, err := gate.Logins().Begin(t.Context(), l.Proof(), jotgate.Client{})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			user, err := gate.VerifyAccess(state.Tokens.Access)
			if err != nil {
				t.Fatalf("%s: the new token: %v", c.name, err)
			}
			if got := rightsOf(t, db, a.ID); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
			slices.Sort(user.Groups)
			if got := strings.Join(user.Groups, " "); !strings.HasPrefix(c.want, got) || got == "" {
				t.Errorf("%s: the token has the groups %q", c.name, got)
			}
		}
	})
}

// A user whom the provider makes staff, or a member of a group, sets up the second factor
// that the policy demands of such users before there is a session; a user who has one
// presents it. Who loses the role is not asked.
func TestProviderRightsDemandFactors(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, nil)
		now := b.clock.Now
		issuer, p := newInstant(t, now, func(s *provider.Settings) {
			s.Groups, s.Staff, s.Superuser = map[string]string{"ed": "Editors"}, []string{"it"}, []string{"root"}
		})
		alice := b.user(t, "alice", nil)
		row := &record.SocialAccount{Provider: "instant", UID: "alice-there", Data: "{}", LastLogin: now(), Joined: now()}
		if err := db.SocialAccounts().ChangeSocial(t.Context(), record.SocialChange{User: alice.ID, Connect: row, At: now()}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Groups().Create(t.Context(), "Editors"); err != nil {
			t.Fatal(err)
		}
		with := gateOn(t, db, func(s *jotgate.Settings) {
			s.Now, s.Providers, s.RequireMFA, s.RequireMFAGroups = now, []*provider.Provider{p}, jotgate.MFAStaff, []string{"Editors"}
		})
		try := func(name string, claim any, want jotgate.Step) {
			t.Helper()
			issuer.extra = map[string]any{"groups": claim}
			l := signInThere(t, with.Logins().Providers(), jotgate.ProviderFlow{})
			state, err := with.Logins().Begin(t.Context(), l.Proof(), jotgate.Client{})
			if err != nil || state.Next != want || (state.Tokens.Access == "") != (want != jotgate.StepDone) {
				t.Errorf("%s: the next step is %q, %v, want %q", name, state.Next, err, want)
			}
		}
		try("no role", nil, jotgate.StepDone)
		for _, role := range []string{"it", "ed", "root"} {
			try("becomes "+role, []string{role}, jotgate.StepEnrol)
			try("is "+role, []string{role}, jotgate.StepEnrol)
			try("was "+role, []string{"other"}, jotgate.StepDone)
		}
		b.enrol(t, alice)
		try("with a factor", []string{"it"}, jotgate.StepSecond)
	})
}

// rightsOf lists the groups and roles of an account.
func rightsOf(t *testing.T, db *store.Store, id record.UserID) string {
	t.Helper()
	a, err := db.Accounts().ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	groups, _, err := db.Accounts().Grants(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, g := range groups {
		words = append(words, g.Name)
	}
	slices.Sort(words)
	if a.IsStaff {
		words = append(words, "staff")
	}
	if a.IsSuperuser {
		words = append(words, "superuser")
	}
	return strings.Join(words, " ")
}
