package pages_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

// TestEveryPageAsksTheSecondFactor sends every form, rightly filled in by who has the
// password and the mailbox of a user with a second factor: none signs in, and no
// session exists. Without the factor the same forms sign in. A page that is added later
// takes part by itself.
func TestEveryPageAsksTheSecondFactor(t *testing.T) {
	proves := []string{"login/code", "login/recovery", "login/passkey", "login/password", "security"} // the forms have the second factor
	var entered []string
	for _, page := range pages.AllPages() {
		if !page.Form || page.JSON || page.External || slices.Contains(proves, page.Path) {
			continue
		}
		for _, enrolled := range []bool{false, true} {
			s := twiceSite(t, page.Path)
			form := forms[page.Path](s)
			if _, err := s.gate.Accounts().ByID(s.Context(), "1"); err != nil {
				continue // the form creates the account
			}
			if enrolled {
				s.addFactor("1")
				s.gate.Clock.Advance(time.Minute)
			}
			s.endAll()
			s.submit(form)
			in := s.state()["sessions"] > 0 || !strings.HasPrefix(s.get("/account/").path, "/account/login")
			switch {
			case in && enrolled:
				t.Errorf("%s signs in without the second factor", page.Path)
			case in:
				entered = append(entered, page.Path)
			}
		}
	}
	for _, want := range []string{"login", "login/enrol", "login/enrol-passkey", "login/new-password", "code/confirm", "activate"} {
		if !slices.Contains(entered, want) {
			t.Errorf("%s does not sign in without a second factor: only %v do", want, entered)
		}
	}
}

// addFactor gives an account an authenticator app.
func (s *site) addFactor(user record.UserID) {
	s.Helper()
	f := &record.Factor{Type: record.FactorTOTP, Data: totp.Data{Secret: totp.NewSecret()}.String(), Created: s.gate.Clock.Now()}
	if err := s.gate.Store().Factors().ChangeFactors(s.Context(), record.FactorChange{User: user, Add: []*record.Factor{f}}); err != nil {
		s.Fatal(err)
	}
}
