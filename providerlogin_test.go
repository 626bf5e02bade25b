package jotgate_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// instantLogins returns logins with a provider that answers immediately, and the
// provider.
func instantLogins(t testing.TB) (login func(), issuer *instantIssuer) {
	clock := func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }
	issuer, p := newInstant(t, clock, nil)
	db := sqlitetest.Open(t)
	gate, err := jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(strings.Repeat("secret", 8)), Now: clock, Logger: slog.New(slog.DiscardHandler), Providers: []*provider.Provider{p}}, db)
	if err != nil {
		t.Fatal(err)
	}
	a := &record.Account{Username: "alice", Password: "!", IsActive: true, DateJoined: clock()}
	if err := db.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	row := &record.SocialAccount{Provider: "instant", UID: "alice-there", Data: "{}", LastLogin: clock(), Joined: clock()}
	if err := db.SocialAccounts().ChangeSocial(t.Context(), record.SocialChange{User: a.ID, Connect: row, At: clock()}); err != nil {
		t.Fatal(err)
	}
	return func() {
		l := signInThere(t, gate.Logins().Providers(), jotgate.ProviderFlow{})
		if _, err := gate.Logins().Begin(t.Context(), l.Proof(), jotgate.Client{}); err != nil {
			t.Fatal(err)
		}
	}, issuer
}

// Logins fetch the metadata and the keys of a provider once.
func TestProviderIsCached(t *testing.T) {
	login, issuer := instantLogins(t)
	login()
	asked := issuer.asked.Load()
	for range 20 {
		login()
	}
	if got := issuer.asked.Load(); got != asked || asked > 2 {
		t.Errorf("%d requests for the first login, %d for 21", asked, got)
	}
}

// jotgate's part of a login with a provider: to the provider and back, with the
// verification of its ID token, and the session in SQLite. The signature of the token,
// which is the provider's part, is included.
func BenchmarkProviderLogin(b *testing.B) {
	login, _ := instantLogins(b)
	for b.Loop() {
		login()
	}
}
