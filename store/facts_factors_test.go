package store_test

import (
	"strings"
	"testing"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// The doctor says who has which second factor, who could not log in after losing a
// device, which staff has none, and how secrets are kept.
func TestFactsOfFactors(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		facts := func(want ...string) {
			t.Helper()
			list := w.facts(s)
			var text strings.Builder
			for _, f := range list {
				text.WriteString(f.About + ": " + f.Found + " (" + f.Fix + ")\n")
			}
			for _, line := range want {
				if !strings.Contains(text.String(), line) {
					t.Errorf("no %q in\n%s", line, text.String())
				}
			}
		}
		facts("second factors: 0 of 0 users: 0 with an authenticator app, 0 with passkeys ()", "recovery codes: 0 of 0", "staff without a second factor: 0 ()", "secrets sealed with SECRET_KEY ()")
		add := func(id record.UserID, kinds ...record.FactorType) {
			t.Helper()
			change := record.FactorChange{User: id}
			for _, kind := range kinds {
				change.Add = append(change.Add, &record.Factor{Type: kind, Data: `{"secret": "S"}`, Created: noon})
			}
			w.must(s.Factors().ChangeFactors(w.ctx, change))
		}
		ann, bob, cleo := w.account(s, "ann"), w.account(s, "bob"), w.account(s, "cleo")
		add(ann.ID, record.FactorTOTP, record.FactorPasskey, record.FactorPasskey, record.FactorRecovery)
		add(bob.ID, record.FactorPasskey)
		for _, a := range []*record.Account{ann, cleo, w.account(s, "gone")} {
			w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{IsStaff: new(true), IsActive: new(a.Username != "gone"), At: noon}))
		}
		facts("second factors: 2 of 4 users: 1 with an authenticator app, 2 with passkeys ()",
			"recovery codes: 1 of 2 users with a second factor (who has none needs jotgate user factors remove",
			"staff without a second factor: 1 (--require-mfa=staff")
		w.exec("DELETE FROM jotgate_setting")
		facts("mfa_authenticator: plain secrets, as allauth stores them (who reads the table")
		w.exec("DROP TABLE jotgate_setting")
		facts("jotgate_setting: not there (a migration that has run made it: restore a backup)", "mfa_authenticator: there ()")
		// Django's tables alone, before jotgate migrate, with second factors of allauth.
		for _, f := range w.facts(s) {
			if f.OK && strings.HasPrefix(f.About, "jotgate_") && f.About != "jotgate_user_email" { // an index
				w.exec("DROP TABLE " + f.About)
			}
		}
		facts("second factors: 2 of 4 users", "staff without a second factor: 1")
		w.must(s.Close())
		w.exec("DROP TABLE mfa_authenticator")
		s2, err := w.dial(store.Schema{}, true)
		w.must(err)
		s = s2
		defer s.Close()
		facts("mfa_authenticator: not there, or not of auth_user (nobody can have a second factor")
	})
}
