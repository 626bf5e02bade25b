package pages

// The steps of a login after the first one, and the same steps for a user who
// authenticates again.

import (
	"errors"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
)

// loginCookie holds the login in progress.
const loginCookie = "jotgate-login"

// pending is the content of loginCookie: a pending token, which is sealed, and
// what the pages need to know about it, which decides nothing.
type pending struct {
	token string
	step  jotgate.Step
	flows []string
	kind  string // of "k" (stay signed in) and "a" (authenticate again)
}

func (p pending) String() string {
	return strings.Join([]string{p.kind, string(p.step), strings.Join(p.flows, "-"), p.token}, "~")
}

// readPending returns the login in progress, or nil.
func (v *visit) readPending() *pending {
	parts := strings.SplitN(v.p.cookie(v.r, loginCookie), "~", 4)
	if len(parts) != 4 {
		return nil
	}
	return &pending{kind: parts[0], step: jotgate.Step(parts[1]), flows: strings.Split(parts[2], "-"), token: parts[3]}
}

// ways are the pages that complete a step, each with its flow. The first one that is
// possible is shown; the setup of a passkey is not the first, because it needs a script.
var ways = map[jotgate.Step][][2]string{
	jotgate.StepFirst:    {{"email", "code/confirm"}},
	jotgate.StepSecond:   {{"passkey", "login/passkey"}, {"totp", "login/code"}, {"recovery", "login/recovery"}, {"password", "login/password"}},
	jotgate.StepEnrol:    {{"totp", "login/enrol"}, {"passkey", "login/enrol-passkey"}},
	jotgate.StepPassword: {{"password", "login/new-password"}},
}

// pages returns the pages that complete the step, the one to show first.
func (p *pending) pages() (list []string) {
	for _, way := range ways[p.step] {
		if slices.Contains(p.flows, way[0]) {
			list = append(list, way[1])
		}
	}
	return list
}

// page returns the first page of the step.
func (p *pending) page() string { return append(p.pages(), "login")[0] }

// loginTime is how long a login may take: that of a pending token.
const loginTime = 15 * time.Minute

// advance ends a step: it sends the browser to the next one or, after the last,
// starts the session and sends the user home.
func (v *visit) advance(state jotgate.LoginState, kind jotgate.PageLogin) error {
	if state.Page == nil {
		next := pending{token: state.Pending, step: state.Next, flows: state.Flows}
		if kind.Keep {
			next.kind = "k"
		}
		if kind.Replaces != nil {
			next.kind += "a"
		}
		v.p.setCookie(v.w, v.r, loginCookie, next.String(), loginTime)
		return v.redirect(v.address(next.page(), v.Next))
	}
	v.forgetPending()
	v.p.keep(v.w, v.r, state.Page)
	v.session, v.User = state.Page, state.Page.User
	connected := v.connectHeld()
	if len(state.RecoveryCodes) > 0 {
		return v.showCodes(state.RecoveryCodes)
	}
	if connected && v.Next == "" {
		return v.to("security", "connected")
	}
	return v.goHome()
}

// stepData is the Data of the step pages.
type stepData struct {
	Again  bool     // a signed-in user authenticates again
	Others []string // other pages that complete the step
	New    *jotgate.NewTOTP
	SVG    template.HTML // the QR code of New

	Ceremony  *ceremony // with a passkey
	Username  string    // on the page for the password
	Providers []providerButton
}

// stepShow shows a step, or sends the browser to the step that is due.
func stepShow(v *visit) error {
	p := v.readPending()
	switch {
	case p == nil && v.session != nil:
		return v.goHome()
	case p == nil:
		return v.redirect(v.address("login", v.Next))
	}
	pages := p.pages()
	i := slices.Index(pages, v.route.path)
	if i < 0 { // of another step
		return v.redirect(v.address(p.page(), v.Next))
	}
	v.Data = stepData{Again: strings.Contains(p.kind, "a"), Others: slices.Delete(pages, i, i+1)}
	return nil
}

// OtherText returns the id of the link to a page that completes the step, too.
func (v *view) OtherText(page string) string {
	return "step." + strings.TrimPrefix(page, "login/")
}

// code takes the step by the code of an authenticator app.
func code(v *visit) error {
	var code string
	if err := v.read(field{"code", &code, true}); err != nil {
		return err
	}
	return v.next(jotgate.TOTP(strings.Join(strings.Fields(code), "")), "code", "problem.code")
}

// recoveryCode takes the step by a recovery code.
func recoveryCode(v *visit) error {
	var code string
	if err := v.read(field{"recovery_code", &code, true}); err != nil {
		return err
	}
	return v.next(jotgate.RecoveryCode(code), "recovery_code", "problem.recovery")
}

// next takes a step. A login that has expired, or was completed in another tab,
// begins again.
func (v *visit) next(proof jotgate.Proof, name, wrong string) error {
	return v.nextOf("", proof, name, wrong)
}

// nextOf is next with the token of a ceremony that the login has begun; "" is the
// token of the cookie.
func (v *visit) nextOf(token string, proof jotgate.Proof, name, wrong string) error {
	p, kind, ok := v.stepKind()
	switch {
	case p == nil:
		return stepShow(v)
	case !ok:
		return v.restart()
	case token != "":
		p.token = token
	}
	err := v.take(p.token, proof, kind)
	switch {
	case errors.Is(err, jotgate.ErrCodeNotValid), errors.Is(err, jotgate.ErrPasskeyNotValid), errors.Is(err, jotgate.ErrPasskeyUnknown):
		return v.wrong(name, v.T(wrong))
	case errors.Is(err, jotgate.ErrLoginNotValid), errors.Is(err, jotgate.ErrNoActiveAccount):
		return v.restart()
	}
	return err
}

// stepKind returns the login in progress and its kind; ok is false without one, and
// if the session that it was to replace has ended.
func (v *visit) stepKind() (p *pending, kind jotgate.PageLogin, ok bool) {
	if p = v.readPending(); p == nil {
		return nil, kind, false
	}
	kind.Keep = strings.Contains(p.kind, "k")
	if strings.Contains(p.kind, "a") {
		kind.Replaces = v.session
		return p, kind, v.session != nil
	}
	return p, kind, true
}

// take takes a step of a login and sends the browser to the next one.
func (v *visit) take(token string, proof jotgate.Proof, kind jotgate.PageLogin) error {
	state, err := v.p.gate.Sessions().Pages().Continue(v.ctx, token, proof, kind, v.client)
	v.refused(err)
	if err != nil {
		return err
	}
	return v.proceed(state, kind)
}

// proceed continues after a step that succeeded. If it was the last one, earlier failures
// are forgiven, and the user is notified of a new network.
func (v *visit) proceed(state jotgate.LoginState, kind jotgate.PageLogin) error {
	if state.Page != nil {
		account := state.Page.Account
		newNetwork, err := v.p.shell.Lockout().Forgive(v.ctx, account.Username, v.network, account.ID)
		if err != nil {
			return err
		}
		v.noticeSignIn(newNetwork, account)
	}
	return v.advance(state, kind)
}

// forgetPending deletes the cookie of a login in progress, if there is one.
func (v *visit) forgetPending() {
	if v.p.cookie(v.r, loginCookie) != "" {
		v.p.setCookie(v.w, v.r, loginCookie, "", -time.Second)
	}
}

// restart sends the browser to the first step, or home if another tab has
// completed the login.
func (v *visit) restart() error {
	v.forgetPending()
	if v.session != nil {
		return v.goHome()
	}
	address := v.address("login", v.Next)
	if strings.Contains(address, "?") {
		return v.redirect(address + "&done=expired")
	}
	return v.redirect(address + "?done=expired")
}

// loginPassword takes the step by the password, after a passkey whose device has
// not verified the user.
func loginPassword(v *visit) error {
	var password string
	if err := v.read(field{"password", &password, true}); err != nil {
		return err
	}
	username, err := v.pendingUsername()
	if err != nil || v.done {
		return err
	}
	p, kind, ok := v.stepKind()
	if !ok {
		return v.restart()
	}
	err = v.tryPassword(username, kind, func() (jotgate.LoginState, error) {
		return v.p.gate.Sessions().Pages().Continue(v.ctx, p.token, jotgate.Password(username, password), kind, v.client)
	})
	switch {
	case errors.Is(err, jotgate.ErrNoActiveAccount):
		return v.wrong("password", v.T("problem.password"))
	case errors.Is(err, jotgate.ErrLoginNotValid):
		return v.restart()
	}
	return err
}

// loginPasswordShow shows the page of that step.
func loginPasswordShow(v *visit) error {
	if err := stepShow(v); err != nil || v.done {
		return err
	}
	username, err := v.pendingUsername()
	d := v.Data.(stepData)
	d.Username = username
	v.Data = d
	return err
}

// pendingUsername returns the username of the login in progress, or begins again
// if there is none.
func (v *visit) pendingUsername() (string, error) {
	p := v.readPending()
	if p == nil {
		return "", v.restart()
	}
	username, err := v.p.gate.Sessions().Pages().PendingUsername(v.ctx, p.token, v.client)
	v.refused(err)
	if errors.Is(err, jotgate.ErrLoginNotValid) {
		return "", v.restart()
	}
	return username, err
}

// againShow offers a passkey if the user has one that is enough by itself.
func againShow(v *visit) error {
	var d stepData
	wanted := v.r.URL.Query().Get("acr") == levelTwo
	if v.p.hasPasskeys() || wanted {
		factors, err := v.factors()
		if err != nil {
			return err
		}
		if wanted && len(factors) == 0 { // the password would lead back here
			return v.redirect(v.Path + "security?done=second")
		}
		if slices.ContainsFunc(factors, func(f jotgate.FactorInfo) bool { return f.Passkey != nil && f.Passkey.Passwordless }) {
			if d.Ceremony, err = v.ceremony(forAgain); err != nil {
				return err
			}
		}
	}
	if len(v.p.providerButtons()) > 0 {
		account, err := v.account()
		if err != nil {
			return err
		}
		if d.Providers, err = v.connectedButtons(account); err != nil {
			return err
		}
	}
	v.Data = d
	return nil
}

// again asks a signed-in user for the password once more, or for a passkey, before
// a change that a stolen session must not make.
func again(v *visit) error {
	var password, token, credential string
	if err := v.read(field{"password", &password, false}, field{"pending", &token, false}, field{"credential", &credential, false}); err != nil {
		return err
	}
	if credential != "" {
		return v.passkeyLogin(token, credential, jotgate.PageLogin{Keep: v.session.Keep, Replaces: v.session})
	}
	if password == "" {
		return v.wrong("password", v.T("problem.required.password"))
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	return v.signIn(account.Username, password, jotgate.PageLogin{Keep: v.session.Keep, Replaces: v.session})
}

// freshTime is how long ago the user may have authenticated before a change of
// the second factors.
const freshTime = 10 * time.Minute

// fresh is isFresh; if the user must authenticate again, it sends the browser to do
// so, and back to the page.
func (v *visit) fresh() (bool, error) {
	recent, err := v.isFresh()
	if err != nil || recent {
		return recent, err
	}
	return false, v.redirect(v.address("again", v.Path+v.route.path))
}

// isFresh reports whether the user has authenticated recently and, if it has a
// second factor, with two.
func (v *visit) isFresh() (bool, error) {
	factors, err := v.factors()
	if err != nil {
		return false, err
	}
	return v.Now.Sub(v.session.AuthTime) < freshTime && (!asksSecond(factors) || v.session.ACR == levelTwo), nil
}

// asksSecond reports whether a password asks for one of these factors.
func asksSecond(factors []jotgate.FactorInfo) bool {
	return slices.ContainsFunc(factors, func(f jotgate.FactorInfo) bool { return f.Passkey == nil || f.Passkey.SecondFactor })
}

// protected is fresh for a user who has a second factor, and otherwise true: a
// password alone must not change what two factors protect. It is
// jotgate.Factors.Protect for pages.
func (v *visit) protected() (bool, error) {
	factors, err := v.factors()
	if err != nil || len(factors) == 0 {
		return err == nil, err
	}
	return v.fresh()
}
