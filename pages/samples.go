package pages

// Samples: every page in every state that it has, with invented data, to check
// templates and to look at them.

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/record"
)

// sample is a page in one state.
type sample struct {
	name, path string // path is that of its route
	set        func(*view)
}

var sampleTime = time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)

const (
	sampleBrowser = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"
	samplePhone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_2 like Mac OS X) Version/19.2 Mobile/15E148 Safari/604.1"
)

var samplePasskeys = []*jotgate.PasskeyInfo{
	{ID: 3, Name: "iCloud Keychain", Synced: true, Created: sampleTime.Add(-90 * time.Hour), LastUsed: sampleTime.Add(-2 * time.Hour)},
	{ID: 4, Name: "Firefox on Linux", Created: sampleTime.Add(-900 * time.Hour)},
}

var sampleProviders = []providerButton{{"google", "Google"}, {"github", "GitHub"}}

func sampleCeremony(kind string) *ceremony {
	return &ceremony{For: kind, PublicKey: `{"challenge":"AAAA","rpId":"localhost"}`}
}

var samples = []sample{
	{"login", "login", func(v *view) { v.Data = loginData{Ceremony: sampleCeremony(forLogin)} }},
	{"login-plain", "login", func(v *view) { v.Data = loginData{} }},
	{"login-providers", "login", func(v *view) { v.Data = loginData{sampleCeremony(forLogin), sampleProviders, true} }},
	{"email-code", "code", nil},
	{"email-code-confirm", "code/confirm", func(v *view) { v.Data = emailCodeData{} }},
	{"email-code-wrong", "code/confirm", func(v *view) {
		v.Data = emailCodeData{}
		v.Values["email_code"] = "QWXK-TRBN"
		v.Errors = []layout.Problem{{Field: "email_code", Text: v.T("problem.email_code")}}
	}},
	{"email-code-elsewhere", "code/confirm", func(v *view) { v.Data = emailCodeData{"QWXK-TRBN"} }},
	{"provider", "provider", func(v *view) {
		v.Data = providerData{Name: "Google", URL: "https://accounts.google.com/o/oauth2/v2/auth?client_id=1"}
	}},
	{"provider-denied", "provider", func(v *view) { v.Data = providerData{Problem: v.T("provider.denied", "Google")} }},
	{"provider-reset", "provider", func(v *view) { v.Data = providerData{Problem: v.T("provider.reset", "Google"), Reset: true} }},
	{"provider-signup", "provider/signup", func(v *view) {
		v.Data = providerSignupData{Name: "Google", Email: "alice@example.com"}
		v.Values["username"] = "alice"
	}},
	{"provider-signup-taken", "provider/signup", func(v *view) {
		v.Data = providerSignupData{Name: "GitHub"}
		v.Errors = []layout.Problem{{Field: "username", Text: v.T("error.username.taken")}}
	}},
	{"again-provider", "again", func(v *view) { v.Data = stepData{Providers: sampleProviders[:1]} }},
	{"security-providers", "security", func(v *view) {
		v.Data = securityData{Providers: sampleProviders, Connected: []jotgate.ConnectedAccount{{ID: 5, Provider: "Google", Joined: sampleTime.Add(-90 * time.Hour), LastLogin: sampleTime.Add(-2 * time.Hour)}}}
	}},
	{"security-last-way", "security", func(v *view) {
		v.Data = securityData{Connected: []jotgate.ConnectedAccount{{ID: 5, Provider: "Google", Joined: sampleTime, LastLogin: sampleTime}}}
		v.Errors = []layout.Problem{{Field: "", Text: v.T("problem.last_way")}}
	}},
	{"login-wrong", "login", func(v *view) {
		v.Data = loginData{Ceremony: sampleCeremony(forLogin)}
		v.Values["username"] = "alice"
		v.Errors = []layout.Problem{{Field: "", Text: v.T("problem.login")}}
	}},
	{"login-empty", "login", func(v *view) {
		v.Data = loginData{}
		v.Errors = []layout.Problem{
			{Field: "username", Text: v.T("problem.required.username")}, {Field: "password", Text: v.T("problem.required.password")},
		}
	}},
	{"login-slow", "login", func(v *view) {
		v.Data = loginData{}
		v.Errors = []layout.Problem{{Field: "", Text: v.T("problem.slow", 8)}}
	}},
	{"login-notice", "login", func(v *view) { v.Data, v.Notice = loginData{Ceremony: sampleCeremony(forLogin)}, "notice.reset" }},
	{"code", "login/code", func(v *view) { v.Data = stepData{Others: []string{"login/recovery"}} }},
	{"code-wrong", "login/code", func(v *view) {
		v.Data = stepData{Again: true}
		v.Errors = []layout.Problem{{Field: "code", Text: v.T("problem.code")}}
	}},
	{"passkey", "login/passkey", func(v *view) {
		v.Data = stepData{Ceremony: sampleCeremony(forStep), Others: []string{"login/code", "login/recovery"}}
	}},
	{"recovery", "login/recovery", func(v *view) { v.Data = stepData{Others: []string{"login/code"}} }},
	{"step-password", "login/password", func(v *view) { v.Data = stepData{Username: "alice"} }},
	{"again", "again", func(v *view) { v.Data = stepData{} }},
	{"again-passkey", "again", func(v *view) { v.Data = stepData{Ceremony: sampleCeremony(forAgain)} }},
	{"new-passkey", "security/passkey", func(v *view) { v.Data = newPasskeyData{sampleCeremony(forNew), true} }},
	{"new-passkey-limit", "security/passkey", func(v *view) {
		v.Data = newPasskeyData{}
		v.Errors = []layout.Problem{{Field: "", Text: v.T("passkey.limit")}}
	}},
	{"security", "security", func(v *view) { v.Data = securityData{HasPasskeys: true} }},
	{"security-plain", "security", func(v *view) { v.Data = securityData{} }},
	{"security-passkeys", "security", func(v *view) { v.Data = securityData{HasPasskeys: true, Passkeys: samplePasskeys} }},
	{"security-rename-wrong", "security", func(v *view) {
		v.Data = securityData{HasPasskeys: true, Passkeys: samplePasskeys, Renamed: "4"}
		v.Errors = []layout.Problem{{Field: "passkey_name4", Text: v.T("problem.passkey_name")}}
	}},
	{"new-password", "login/new-password", func(v *view) { v.Data = stepData{} }},
	{"new-password-wrong", "login/new-password", func(v *view) {
		v.Data = stepData{}
		v.Errors = []layout.Problem{{Field: "new_password", Text: v.T("problem.password_breached")}}
	}},
	{"security-app", "security", func(v *view) {
		v.Data = securityData{
			HasPasskeys: true, Passkeys: samplePasskeys[:1],
			App:   &jotgate.FactorInfo{ID: 1, Created: sampleTime.Add(-72 * time.Hour), LastUsed: sampleTime.Add(-time.Hour)},
			Codes: &jotgate.FactorInfo{ID: 2, Left: 3}, Few: true,
		}
	}},
	{"app", "security/app", func(v *view) {
		secret := jotgate.NewTOTP{Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", URL: "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Example"}
		shown := &visit{}
		_ = shown.showApp(secret) // a URL of this length fits into a QR code
		v.Data = shown.Data
	}},
	{"enrol", "login/enrol", func(v *view) {
		shown := &visit{view: view{View: layout.View{Data: stepData{Others: []string{"login/enrol-passkey"}}}}}
		_ = shown.showApp(jotgate.NewTOTP{Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", URL: "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"})
		v.Data = shown.Data
	}},
	{"enrol-passkey", "login/enrol-passkey", func(v *view) {
		v.Data = stepData{Ceremony: sampleCeremony(forEnrol), Others: []string{"login/enrol"}}
	}},
	{"codes", "codes", func(v *view) {
		v.Data = codesData{[]string{"K7QF4-9XW2M", "7R2MD-QH8VN", "C5XZT-3KJ9P", "W8DGN-6FY4B", "2MVQK-H7RTX", "9PJCF-4ZGDW", "T6NXB-8QKMH", "F3YRD-5VWJC", "H9ZKG-2TPNQ", "B4MWX-7CDFR"}, "/account/security"}
	}},
	{"signup", "signup", func(v *view) { v.Data = signupData{} }},
	{"signup-email", "signup", func(v *view) { v.Data = signupData{ByEmail: true} }},
	{"signup-closed", "signup", func(v *view) { v.Data = signupData{Closed: true} }},
	{"signup-wrong", "signup", func(v *view) {
		v.Data = signupData{}
		v.Values["username"], v.Values["email"] = "alice", "alice@example.com"
		v.Errors = []layout.Problem{{Field: "username", Text: v.T("error.username.taken")}, {Field: "password", Text: v.T("problem.password_too_common")}}
	}},
	{"activate", "activate", func(v *view) { v.Data = confirmData{Valid: true, Kind: "activate", Username: "alice", Ask: "password"} }},
	{"activate-invalid", "activate", func(v *view) { v.Data = confirmData{Kind: "activate", Resend: "resend"} }},
	{"resend", "resend", nil},
	{"reset", "reset", nil},
	{"invitation", "invitation", func(v *view) { v.Data = invitationData{Email: "alice@example.com"} }},
	{"invitation-wrong", "invitation", func(v *view) {
		v.Data = invitationData{Email: "alice@example.com"}
		v.Values["username"] = "alice"
		v.Errors = []layout.Problem{{Field: "username", Text: v.T("error.username.taken")}}
	}},
	{"invitation-email", "invitation", func(v *view) { v.Data = invitationData{Email: "alice@example.com", ByEmail: true} }},
	{"invitation-invalid", "invitation", func(v *view) { v.Data = invitationData{} }},
	{"reset-confirm", "reset/confirm", func(v *view) { v.Data = resetData{true, "alice"} }},
	{"reset-confirm-wrong", "reset/confirm", func(v *view) {
		v.Data = resetData{true, "alice"}
		v.Errors = []layout.Problem{{Field: "new_password", Text: v.T("problem.password_too_short", 8)}}
	}},
	{"reset-confirm-invalid", "reset/confirm", func(v *view) { v.Data = resetData{} }},
	{"email-confirm", "email/confirm", func(v *view) { v.Data = confirmData{Valid: true, Kind: "email-confirm", Username: "alice"} }},
	{"email-confirm-stranger", "email/confirm", func(v *view) {
		v.Data = confirmData{Valid: true, Kind: "email-confirm", Username: "alice", Ask: "password"}
	}},
	{"email-undo", "email/undo", func(v *view) { v.Data = confirmData{Valid: true, Kind: "email-undo", Ask: "username"} }},
	{"username-confirm", "username/confirm", func(v *view) { v.Data = confirmData{Valid: true, Kind: "username-confirm", Ask: "username"} }},
	{"done", "done", func(v *view) { v.Data = doneData{"done.reset"} }},
	{"done-activation", "done", func(v *view) { v.Data = doneData{"done.activation"} }},
	{"logout", "logout", nil},
	{"profile", "", func(v *view) {
		v.Data = signupData{}
		v.Values["username"], v.Values["first_name"], v.Values["last_name"] = "alice", "Alice", "Liddell"
	}},
	{"profile-saved", "", func(v *view) {
		v.Data = signupData{}
		v.Values["username"], v.Notice = "alice", "notice.saved"
	}},
	{"password", "password", nil},
	{"password-wrong", "password", func(v *view) { v.Errors = []layout.Problem{{Field: "password", Text: v.T("problem.password")}} }},
	{"emails", "emails", func(v *view) { v.Data = emailsData{"alice@example.com", true} }},
	{"emails-none", "emails", func(v *view) { v.Data = emailsData{} }},
	{"emails-sent", "emails", func(v *view) { v.Data, v.Notice = emailsData{"alice@example.com", false}, "notice.email" }},
	{"sessions", "sessions", func(v *view) {
		v.Data = sessionsData{&record.Session{ID: "a", UserAgent: sampleBrowser, Address: "192.0.2.7", Created: sampleTime.Add(-time.Hour)}, []record.Session{
			{ID: "b", UserAgent: samplePhone, Address: "2001:db8::42", Created: sampleTime.Add(-50 * time.Hour), LastSeen: sampleTime.Add(-20 * time.Minute)},
			{ID: "c", Address: "198.51.100.4", LastSeen: sampleTime.Add(-400 * time.Hour)},
		}}
	}},
	{"sessions-one", "sessions", func(v *view) {
		v.Data = sessionsData{Current: &record.Session{ID: "a", UserAgent: sampleBrowser, Address: "192.0.2.7", Created: sampleTime}}
	}},
	{"activity", "activity", func(v *view) {
		d := activityData{Older: 7}
		for i, kind := range record.EventKinds {
			d.Events = append(d.Events, record.Event{Name: kind.Name, Time: sampleTime.Add(-time.Duration(i) * time.Hour), Address: "192.0.2.7", UserAgent: sampleBrowser})
		}
		v.Data = d
	}},
	{"activity-none", "activity", func(v *view) { v.Data = activityData{} }},
	{"data", "data", func(v *view) { v.Data = dataData{7} }},
	{"data-wrong", "data", func(v *view) {
		v.Data = dataData{}
		v.Errors = []layout.Problem{{Field: "password", Text: v.T("problem.password")}}
	}},
	{"delete-undo", "delete/undo", func(v *view) { v.Data = confirmData{Valid: true, Kind: "delete-undo", Ask: "username"} }},
	{"login-closed", "login", func(v *view) { v.Data, v.Notice = loginData{}, "notice.closed" }},
	{"welcome", "welcome", func(v *view) { v.Data = welcomeData{"/api/docs/", welcomeSteps} }},
	{"error", "error", func(v *view) { v.Data, v.Request = "problem.busy", "JBSWY3DPEHPK3PXPABCDEFGHIJ" }},
	{"error-notfound", "error", func(v *view) { v.Data, v.Request = "problem.notfound", "JBSWY3DPEHPK3PXPABCDEFGHIJ" }},
}

// writeSample writes one of the samples in a language.
func (p *Pages) writeSample(w io.Writer, name string, l *catalog.Catalog) error {
	i := slices.IndexFunc(samples, func(s sample) bool { return s.name == name })
	if i < 0 {
		return fmt.Errorf("there is no sample %q", name)
	}
	page := routeOf(samples[i].path)
	v := p.newView(page, l)
	v.Site, v.Now = "Example", sampleTime
	if name == "codes" {
		page = codesRoute
		v.Page, v.Title = "security", page.title
	}
	if page.access == member || page.path == "logout" {
		v.User = &jotgate.User{ID: "1", Username: "alice", Email: "alice@example.com"}
	}
	if samples[i].set != nil {
		samples[i].set(&v)
	}
	text, err := p.theme.Render(page.template, &v)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// routeOf returns the route with this path, or that of the error page.
func routeOf(path string) *route {
	if path == "welcome" {
		return welcomeRoute
	}
	for i := range routes {
		if routes[i].path == path {
			return &routes[i]
		}
	}
	return &route{template: "error.html", title: "problem.title"}
}

// Check renders every page in every state and every language. It returns the first
// error, which names the file and the line of the template that fails.
func (p *Pages) Check() error { return p.check(p.catalogs.List) }

func (p *Pages) check(languages []*catalog.Catalog) error {
	for _, s := range samples {
		for _, l := range languages {
			if err := p.writeSample(io.Discard, s.name, l); err != nil {
				return err
			}
		}
	}
	return nil
}
