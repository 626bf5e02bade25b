package pages

import (
	"net/http"

	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/internal/web"
)

// access says who may see a page.
type access int

const (
	open   access = iota
	guest         // a signed-in user is sent home
	member        // anyone else is sent to the login
)

// route is one page: show fills it, act does what its form asks for.
type route struct {
	path     string // below Options.Path
	template string
	title    string // id of a message
	access   access
	scope    string // of the rates, for act
	token    bool   // the address holds a token: scope also limits show, which checks it
	protect  bool   // a user with a second factor must have presented it recently
	form     string // without a template: the page that has the form
	json     bool   // for scripts: errors are JSON
	acting   bool   // a member of staff who acts for the user may send the form
	show     func(*visit) error
	act      func(*visit) error
	cors     bool               // pages of api.Settings.CORSOrigins may call act
	external bool               // it is for a form or a link of another site, and only redirects
	repeat   bool               // act does nothing that counts, and its response is for one browser alone
	check    func(*visit) error // in place of show and act: for a gateway, by any method
}

// routes are all pages.
var routes = []route{
	{path: "login", template: "login.html", title: "login.title", access: guest, scope: "login", show: loginShow, act: login},
	{path: "login/code", template: "code.html", title: "code.title", scope: "login", show: stepShow, act: code},
	{path: "login/passkey", template: "passkey.html", title: "passkey.title", scope: "login", show: passkeyShow, act: passkeyStep},
	{path: "login/password", template: "step-password.html", title: "step-password.title", scope: "login", show: loginPasswordShow, act: loginPassword},
	{path: "login/recovery", template: "recovery.html", title: "recovery.title", scope: "login", show: stepShow, act: recoveryCode},
	{path: "login/enrol", template: "enrol.html", title: "enrol.title", scope: "login", show: enrolShow, act: enrol},
	{path: "login/enrol-passkey", template: "enrol-passkey.html", title: "enrol.title", scope: "login", show: enrolPasskeyShow, act: enrolPasskey},
	{path: "login/new-password", template: "new-password.html", title: "new-password.title", scope: "login", show: stepShow, act: newPassword},
	{path: "code", template: "email-code.html", title: "email-code.title", access: guest, scope: "email", show: emailCodeShow, act: emailCodeSend},
	{path: "code/confirm", template: "email-code-confirm.html", title: "email-code-confirm.title", access: guest, scope: "login", token: true, show: emailCodeEnter, act: emailCodeConfirm},
	{path: "provider", template: "provider.html", title: "provider.title", scope: "login", show: providerShow, act: providerBegin, repeat: true},
	{path: "provider/{provider}/callback", template: "provider.html", title: "provider.title", scope: "login", token: true, external: true, show: providerCallback, act: providerForward},
	{path: "provider/{provider}/logout", external: true, json: true, act: providerLogout},
	{path: "provider/start", external: true, json: true, cors: true, scope: "login", act: providerStart},
	{path: "provider/app", template: "provider.html", title: "provider.title", scope: "login", token: true, external: true, show: providerApp},
	{path: "provider/signup", template: "provider-signup.html", title: "provider-signup.title", access: guest, scope: "register", show: providerSignupShow, act: providerSignup},
	{path: "signup", template: "signup.html", title: "signup.title", access: guest, scope: "register", show: signupShow, act: signup},
	{path: "invitation", template: "invitation.html", title: "invitation.title", scope: "links", token: true, show: invitationShow, act: acceptInvitation},
	{path: "activate", template: "confirm.html", title: "activate.title", scope: "links", token: true, show: activateShow, act: activate},
	{path: "resend", template: "resend.html", title: "resend.title", access: guest, scope: "email", act: resend},
	{path: "reset", template: "reset.html", title: "reset.title", scope: "email", act: reset},
	{path: "reset/confirm", template: "reset-confirm.html", title: "reset-confirm.title", scope: "links", token: true, show: resetConfirmShow, act: resetConfirm},
	{path: "email/confirm", template: "confirm.html", title: "email-confirm.title", scope: "links", token: true, show: emailConfirmShow, act: emailConfirm},
	{path: "email/undo", template: "confirm.html", title: "email-undo.title", scope: "links", token: true, show: emailUndoShow, act: emailUndo},
	{path: "username/confirm", template: "confirm.html", title: "username-confirm.title", scope: "links", token: true, show: usernameConfirmShow, act: usernameConfirm},
	{path: "delete/undo", template: "confirm.html", title: "delete-undo.title", scope: "links", token: true, show: deleteUndoShow, act: deleteUndo},
	{path: "logout", template: "logout.html", title: "logout.title", show: logoutShow, act: logout, acting: true},
	{path: "done", template: "done.html", title: "done.title", show: doneShow},

	{path: "", template: "profile.html", title: "profile.title", access: member, scope: "email", show: profileShow, act: profile},
	{path: "password", template: "password.html", title: "password.title", access: member, scope: "login", protect: true, act: password},
	{path: "emails", template: "emails.html", title: "emails.title", access: member, scope: "email", protect: true, show: emailsShow, act: emails},
	{path: "security", template: "security.html", title: "security.title", access: member, scope: "login", show: securityShow, act: security},
	{path: "security/app", template: "app.html", title: "app.title", access: member, scope: "login", show: appShow, act: app},
	{path: "security/passkey", template: "new-passkey.html", title: "new-passkey.title", access: member, scope: "login", show: newPasskeyShow, act: newPasskey},
	{path: "again", template: "again.html", title: "again.title", access: member, scope: "login", show: againShow, act: again},
	{path: "sessions", template: "sessions.html", title: "sessions.title", access: member, scope: "login", show: sessionsShow, act: sessionsEnd},
	{path: "activity", template: "activity.html", title: "activity.title", access: member, show: activityShow},
	{path: "data", template: "data.html", title: "data.title", access: member, show: dataShow, scope: "login", protect: true, act: dataDelete},
	{path: "data/export", form: "data", access: member, scope: "login", act: dataExport},

	{path: "token", act: token, json: true, acting: true},
	{path: "passkey/options", act: passkeyOptions, json: true},
	{path: "passkey/signals", access: member, act: passkeySignals, json: true},
	{path: "check", check: check, json: true},
}

// handler returns the handler of a page within the HTTP layer.
func (p *Pages) handler(r *route) http.Handler {
	return p.shell.Wrap(p.endpoint(r), http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { p.serve(w, req, r) }))
}

// endpoint returns what the HTTP layer needs to know about the page.
func (p *Pages) endpoint(r *route) web.Endpoint {
	allow := ""
	switch {
	case r.act != nil && (r.template != "" || r.form != ""):
		allow = "GET, HEAD, POST"
	case r.act != nil:
		allow = "POST"
	case r.template != "":
		allow = "GET, HEAD"
	}
	e := web.Endpoint{Allow: allow, Headers: layout.Headers, Render: p.renderError}
	if r.json {
		e.Render = nil
	}
	e.CORS = r.cors
	return e
}
