package pages

// Signing in with providers: the way there and back, signing up, and connecting.

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

const (
	// flowCookie begins the names of the cookies of flows: one for each, so that a
	// second tab does not disturb the first.
	flowCookie = "jotgate-flow-"
	// maxFlows is how many bytes of such cookies a browser may send: gateways
	// reject a header of 8 KiB.
	maxFlows = 5 << 10
	// heldCookie has the identity of a user who must sign up or sign in first.
	heldCookie = "jotgate-provider"
)

// providerButton is a provider that a page offers.
type providerButton struct{ ID, Name string }

// providerButtons returns the providers of the gate.
func (p *Pages) providerButtons() (list []providerButton) {
	for _, known := range p.gate.Logins().Providers().List() {
		list = append(list, providerButton{known.ID(), known.Name()})
	}
	return list
}

// providerData is the Data of provider.html: where the user is sent, or why it is not
// signed in.
type providerData struct {
	Name    string
	URL     template.URL // of a provider, or of an application
	Problem string
	Reset   bool // the password of the account must be reset first
}

// providerShow is for a browser that goes back to the page between the login and the
// provider.
func providerShow(v *visit) error {
	if v.Data != nil {
		return nil
	}
	if v.session != nil {
		return v.redirect(v.Path + "security")
	}
	return v.redirect(v.address("login", v.Next))
}

// providerBegin sends the browser to a provider.
func providerBegin(v *visit) error {
	var id, use string
	if err := v.read(field{"provider", &id, true}, field{"use", &use, false}); err != nil {
		return err
	}
	flow := jotgate.ProviderFlow{Next: v.Next}
	switch {
	case use == "":
	case v.session == nil:
		return v.redirect(v.address("login", v.Next))
	case use == "connect":
		flow.Connect = true
		recent, err := v.isFresh()
		if err != nil {
			return err
		}
		if !recent {
			return v.redirect(v.address("again", v.Path+"security"))
		}
		fallthrough
	default:
		flow.Session, flow.Keep = v.session.User.Session, v.session.Keep
	}
	return v.toProvider(id, flow)
}

// providerName returns the name of a provider for users.
func (v *visit) providerName(id string) string {
	for _, b := range v.p.providerButtons() {
		if b.ID == id {
			return b.Name
		}
	}
	return id
}

// dropFlows deletes the cookies of other flows if they are large together: most of
// them were given up.
func (v *visit) dropFlows() {
	var names []string
	size := 0
	for _, c := range v.r.Cookies() {
		if name := strings.TrimPrefix(c.Name, "__Host-"); strings.HasPrefix(name, flowCookie) {
			names = append(names, name)
			size += len(c.Name) + len(c.Value)
		}
	}
	if size < maxFlows {
		return
	}
	for _, name := range names {
		v.p.setCookie(v.w, v.r, name, "", -time.Second)
	}
}

// providerForward receives the form that some providers post (form_post). The
// browser sends no cookies with it, because it comes from another site, so the
// parameters are sent on by a GET. Nothing else happens: such a form can come from
// anywhere.
func providerForward(v *visit) error {
	var state, code, iss, failure, user string
	err := v.read(field{"state", &state, false}, field{"code", &code, false}, field{"iss", &iss, false}, field{"error", &failure, false}, field{"user", &user, false})
	if err != nil {
		return err
	}
	query := url.Values{}
	for name, value := range map[string]string{"state": state, "code": code, "iss": iss, "error": failure, "user": user} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return v.redirect(v.Path + v.callbackPath() + "?" + query.Encode())
}

func (v *visit) callbackPath() string {
	return "provider/" + url.PathEscape(v.r.PathValue("provider")) + "/callback"
}

// providerCallback finishes a flow.
func providerCallback(v *visit) error {
	providers, id := v.p.gate.Logins().Providers(), v.r.PathValue("provider")
	callback := v.r.URL.Query()
	name := flowCookie + providers.FlowName(callback)
	value := v.p.cookie(v.r, name)
	if value != "" {
		v.p.setCookie(v.w, v.r, name, "", -time.Second)
	}
	l, err := providers.Finish(v.ctx, id, value, callback, v.client)
	switch {
	case err != nil && l != nil && l.Use.App != nil:
		v.refused(err)
		return v.toApp(l.Use.App, l.Use.App.Refusal(err))
	case err != nil:
		return v.flowProblem(id, err)
	}
	v.Next = v.p.safeNext(l.Use.Next)
	if !l.Use.Connect {
		return v.providerLogin(l)
	}
	switch err := providers.Connect(v.ctx, l, v.session, v.client); {
	case errors.Is(err, jotgate.ErrConnected):
		return v.showProblem(http.StatusForbidden, "provider.elsewhere", l.ProviderName())
	case err != nil:
		return v.flowProblem(id, err)
	}
	return v.to("security", "connected")
}

// flowProblem shows an error of the gate's providers, which has recorded it.
func (v *visit) flowProblem(id string, err error) error {
	e := jotgate.AsError(err)
	if e.Status == http.StatusServiceUnavailable {
		return v.showProblem(e.Status, "provider.unavailable", v.providerName(id))
	}
	if message, ok := flowProblems[e.Code]; ok {
		return v.showProblem(e.Status, message, v.providerName(id))
	}
	return err
}

// flowProblems are the messages about the errors of Providers.Finish, by their codes.
var flowProblems = map[string]string{
	"provider_denied": "provider.denied", "provider_expired": "provider.expired", "provider_invalid": "provider.invalid",
}

// providerProblem records that signing in with a provider failed, and shows the
// message about it.
func (v *visit) providerProblem(l *jotgate.ProviderLogin, message, detail string) error {
	e := record.Event{Name: "provider_refused", Detail: l.Identity().Provider + ": " + detail}
	if v.session != nil {
		e.User = v.session.Owner
	}
	v.p.gate.Events().Record(v.ctx, e, v.client)
	return v.showProblem(http.StatusForbidden, message, l.ProviderName())
}

// showProblem shows a message about a provider.
func (v *visit) showProblem(status int, message string, args ...any) error {
	v.route = providerRoute
	v.Page, v.Title = v.route.path, v.route.title
	v.Data = providerData{Problem: v.T(message, args...), Reset: message == "provider.reset"}
	return v.render(status)
}

// providerRoute is the route of provider.html.
var providerRoute = &route{path: "provider", template: "provider.html", title: "provider.title"}

// providerLogin takes the first step of a login with a provider, or authenticates the
// user again.
func (v *visit) providerLogin(l *jotgate.ProviderLogin) error {
	if l.Use.App != nil {
		return v.appLogin(l)
	}
	kind := jotgate.PageLogin{Keep: l.Use.Keep}
	if l.Use.Session != "" {
		if v.session == nil || v.session.User.Session != l.Use.Session {
			return v.providerProblem(l, "provider.expired", "the session is another one")
		}
		kind.Replaces = v.session
	}
	state, err := v.p.gate.Sessions().Pages().Begin(v.ctx, l.Proof(), kind, v.client)
	switch {
	case errors.Is(err, jotgate.ErrNotConnected) && kind.Replaces == nil:
		return v.providerLink(l)
	case errors.Is(err, jotgate.ErrLoginNotValid) && kind.Replaces == nil: // the provider has ended its session since
		return v.providerProblem(l, "provider.expired", err.Error())
	case errors.Is(err, jotgate.ErrNotConnected), errors.Is(err, jotgate.ErrLoginNotValid):
		return v.providerProblem(l, "provider.other", "the user is another one: "+err.Error())
	case errors.Is(err, jotgate.ErrNoActiveAccount):
		return v.showProblem(http.StatusForbidden, "provider.inactive") // recorded as login_failed
	case err != nil:
		return err
	}
	return v.proceed(state, kind)
}

// providerLink does what must happen before an account at a provider logs in.
func (v *visit) providerLink(l *jotgate.ProviderLogin) error {
	link, held, err := v.p.gate.Logins().Providers().Link(v.ctx, l, v.client)
	if err != nil {
		return v.flowProblem(l.Identity().Provider, err)
	}
	switch {
	case link == jotgate.LinkLogin:
		return v.providerLogin(l)
	case link == jotgate.LinkReset:
		return v.providerProblem(l, "provider.reset", "an account has the address, but its owner has not proved that")
	case l.Use.App != nil && v.session != nil: // the pages for guests would lead back to the provider
		return v.providerProblem(l, "provider.other", "the user is signed in with an account that is not connected")
	case link == jotgate.LinkSignUp && v.p.options.NoSignup:
		return v.providerProblem(l, "provider.closed", "no account is connected, and sign-up is closed")
	}
	v.p.setCookie(v.w, v.r, heldCookie, held, loginTime)
	if link == jotgate.LinkSignUp {
		return v.redirect(v.address("provider/signup", v.Next))
	}
	address := v.address("login", v.Next)
	if strings.Contains(address, "?") {
		return v.redirect(address + "&done=connect")
	}
	return v.redirect(address + "?done=connect")
}

// held returns the identity that the browser keeps, or nil.
func (v *visit) held() *jotgate.ProviderLogin {
	value := v.p.cookie(v.r, heldCookie)
	if value == "" {
		return nil
	}
	l, err := v.p.gate.Logins().Providers().Resume(value)
	if err != nil {
		return nil
	}
	return l
}

func (v *visit) forgetHeld() {
	if v.p.cookie(v.r, heldCookie) != "" {
		v.p.setCookie(v.w, v.r, heldCookie, "", -time.Second)
	}
}

// connectHeld connects the account at a provider for which the user has signed in. It
// reports whether it has.
func (v *visit) connectHeld() bool {
	l := v.held()
	v.forgetHeld()
	if l == nil || l.SignsUp() {
		return false
	}
	err := v.p.gate.Logins().Providers().ConnectHeld(v.ctx, l, v.session, v.client)
	if err != nil {
		v.refused(err)
	}
	return err == nil
}

// providerSignupData is the Data of provider-signup.html.
type providerSignupData struct {
	Name, Email string
	ByEmail     bool
}

// providerSignupShow shows the account that would be created.
func providerSignupShow(v *visit) error {
	l := v.held()
	if l == nil || !l.SignsUp() || v.p.options.NoSignup {
		return v.redirect(v.address("login", v.Next))
	}
	i := l.Identity()
	d := providerSignupData{Name: l.ProviderName(), ByEmail: v.byEmail()}
	if i.Vouched || !v.p.options.SendActivationEmail {
		d.Email = i.Email
	}
	if v.Values["username"] == "" && len(v.Errors) == 0 {
		local, _, _ := strings.Cut(i.Email, "@")
		v.Values["username"] = local
		if i.Username != "" && !strings.Contains(i.Username, "@") {
			v.Values["username"] = i.Username
		}
	}
	v.Data = d
	return nil
}

// providerSignup creates the account and signs in.
func providerSignup(v *visit) error {
	if v.p.options.NoSignup {
		return jotgate.ErrForbidden
	}
	var username string
	if err := v.read(field{"username", &username, !v.byEmail()}); err != nil {
		return err
	}
	l := v.held()
	if l == nil {
		v.p.gate.Events().Record(v.ctx, record.Event{Name: "provider_refused", Detail: "sign-up: the identity is not valid any more"}, v.client)
		return v.restart()
	}
	err := v.p.gate.Logins().Providers().SignUp(v.ctx, l, username, !v.p.options.SendActivationEmail, v.client)
	switch {
	case errors.Is(err, jotgate.ErrConnected): // by another tab
	case err != nil && jotgate.AsError(err).Is(jotgate.ErrTaken), err != nil && len(jotgate.AsError(err).List) > 0:
		return v.wrong("username", v.T("error.username.taken"))
	case err != nil && jotgate.AsError(err).Code == "provider_expired":
		v.refused(err)
		v.forgetHeld()
		return v.restart()
	case err != nil:
		return v.namedAfterLogin(err)
	}
	v.forgetHeld()
	return v.providerLogin(l)
}

// disconnect removes an account at a provider.
func (v *visit) disconnect(account *record.Account, text string) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return jotgate.ErrNotFound
	}
	client := v.client
	client.Session = v.session.User.Session
	err = v.p.gate.Logins().Providers().Disconnect(v.ctx, account, id, client)
	switch {
	case errors.Is(err, jotgate.ErrLastWay):
		return v.wrong("", v.T("problem.last_way"))
	case err != nil && !errors.Is(err, jotgate.ErrNotFound):
		return err
	}
	return v.to("security", "saved")
}

// connectedButtons returns the providers with which a user can authenticate again.
func (v *visit) connectedButtons(account *record.Account) (list []providerButton, err error) {
	connected, err := v.p.gate.Logins().Providers().Connected(v.ctx, account)
	for _, b := range v.p.providerButtons() {
		if slices.ContainsFunc(connected, func(c jotgate.ConnectedAccount) bool { return c.Provider == b.Name }) {
			list = append(list, b)
		}
	}
	return list, err
}
