package jotgate_test

import (
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// Disconnecting an account at a provider ends the sessions that began with it, except the
// one in which that is done, and no others.
func TestDisconnectEndsSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		now := noon
		gate, alice := appSite(t, db, func() time.Time { return now })
		encoded, err := gate.Accounts().MakePassword(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Accounts().Change(t.Context(), alice.ID, record.Change{Password: &encoded}); err != nil {
			t.Fatal(err)
		}
		ps := gate.Logins().Providers()
		there := func() jotgate.Tokens {
			t.Helper()
			now = now.Add(time.Second)
			state, err := gate.Logins().Begin(t.Context(), signInThere(t, ps, jotgate.ProviderFlow{}).Proof(), jotgate.Client{})
			if err != nil || state.Next != jotgate.StepDone {
				t.Fatalf("%+v, %v", state, err)
			}
			return state.Tokens
		}
		thief, own := there(), there()
		page, err := gate.Sessions().Pages().Begin(t.Context(), signInThere(t, ps, jotgate.ProviderFlow{}).Proof(), jotgate.PageLogin{}, jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		local, err := gate.Login(t.Context(), "alice", password, jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		code := appCode(t, ps)
		if alice, err = gate.Accounts().ByID(t.Context(), alice.ID); err != nil {
			t.Fatal(err)
		}
		list, err := ps.Connected(t.Context(), alice)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := ps.Disconnect(t.Context(), alice, list[0].ID, jotgate.Client{Session: own.User.Session}); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			tokens jotgate.Tokens
			works  bool
		}{"another session": {thief, false}, "the session of the change": {own, true}, "a session with the password": {local, true}} {
			_, access := gate.VerifyAccess(c.tokens.Access)
			_, refresh := gate.Refresh(t.Context(), c.tokens.Refresh, jotgate.Client{})
			if c.works != (access == nil) || c.works != (refresh == nil) {
				t.Errorf("%s: access %v, refresh %v", name, access, refresh)
			}
		}
		if _, err := gate.Sessions().Pages().Open(t.Context(), page.Page.Cookie); err == nil {
			t.Error("a page that was opened with the provider stays open")
		}
		if l, err := ps.Exchange(t.Context(), code, appVerifier, appURI, jotgate.Client{}); err == nil {
			if _, err := gate.Logins().Begin(t.Context(), l.Proof(), jotgate.Client{}); err == nil {
				t.Error("a code from before logs in")
			}
		}
	})
}
