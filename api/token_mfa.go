// The further steps of a login: POST /api/token/mfa/, /api/token/enrol/ and
// /api/token/password/.

package api

import (
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

type mfaIn struct{ pending, code string }

func mfaFields(_ *API, in *mfaIn) []form.Field {
	return []form.Field{form.Text("pending", &in.pending), form.Text("code", &in.code)}
}

// proofOf returns the proof of a code: six digits are of an authenticator app,
// anything else is a recovery code.
func proofOf(code string) jotgate.Proof {
	if totp.IsCode(code) {
		return jotgate.TOTP(code)
	}
	return jotgate.RecoveryCode(code)
}

// tokenMFA is POST /api/token/mfa/: it completes a login with a code.
func tokenMFA(c *call, in *mfaIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	state, err := c.gate.Logins().Continue(c.ctx, in.pending, proofOf(in.code), c.client)
	return c.loggedIn(state, err)
}

// loggedIn responds with the tokens of a login that is complete, and with the
// error for its next step otherwise.
func (c *call) loggedIn(state jotgate.LoginState, err error) (any, error) {
	if err == nil && state.Next != jotgate.StepDone {
		err = &jotgate.StepError{State: state}
	}
	if err != nil {
		return nil, err
	}
	user := state.Tokens.User
	newNetwork, err := c.shell.Lockout().Forgive(c.ctx, user.Username, c.network, user.ID)
	if err != nil { // the login is complete
		c.log(c.ctx, "failures were not forgotten after a login", "user_id", user.ID, "cause", err)
	} else if newNetwork && c.settings.NewSignInEmail {
		c.noticeSignIn(user)
	}
	state.Tokens.Refresh = c.handOut(state.Tokens.Refresh)
	return loginOut{state.Tokens, state.RecoveryCodes}, nil
}

// loginOut is the response to a complete login.
type loginOut struct {
	jotgate.Tokens
	RecoveryCodes []string `json:"recovery_codes,omitempty"`
}

type enrolIn struct{ pending string }

func enrolFields(_ *API, in *enrolIn) []form.Field {
	return []form.Field{form.Text("pending", &in.pending)}
}

// tokenEnrol is POST /api/token/enrol/: it makes a secret for an authenticator app
// in a login that must set one up.
func tokenEnrol(c *call, in *enrolIn) (any, error) {
	return c.gate.Logins().BeginEnrolment(c.ctx, in.pending, c.client)
}

type enrolConfirmIn struct{ pending, token, code string }

func enrolConfirmFields(_ *API, in *enrolConfirmIn) []form.Field {
	return []form.Field{form.Text("pending", &in.pending), form.Text("token", &in.token), form.Text("code", &in.code)}
}

// tokenEnrolConfirm is POST /api/token/enrol/confirm/: it completes such a login
// with the app's first code.
func tokenEnrolConfirm(c *call, in *enrolConfirmIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	state, err := c.gate.Logins().Continue(c.ctx, in.pending, jotgate.EnrolTOTP(in.token, in.code), c.client)
	return c.loggedIn(state, err)
}

type newPasswordIn struct{ pending, password string }

func newPasswordFields(_ *API, in *newPasswordIn) []form.Field {
	return []form.Field{form.Text("pending", &in.pending), form.Text("new_password", &in.password)}
}

// tokenPassword is POST /api/token/password/: it replaces the password in a login
// that must do so, and completes it.
func tokenPassword(c *call, in *newPasswordIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	state, err := c.gate.Logins().Continue(c.ctx, in.pending, jotgate.NewPassword(in.password), c.client)
	if err != nil {
		return nil, renamed(err, "password", "new_password")
	}
	if account, err := c.gate.Accounts().ByID(c.ctx, state.Tokens.User.ID); err == nil {
		c.noticePassword(account)
	}
	return c.loggedIn(state, nil)
}

type againIn struct {
	password, code       string
	hasPassword, hasCode bool
}

func againFields(_ *API, in *againIn) []form.Field {
	return []form.Field{form.Text("password", &in.password).OrNot(&in.hasPassword), form.Text("code", &in.code).OrNot(&in.hasCode)}
}

// again is POST /auth/again/: the caller authenticates again, and a new session
// replaces the caller's.
func again(c *call, in *againIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	if in.hasPassword == in.hasCode {
		return nil, form.NonField("Send either a password or a code.")
	}
	if in.hasCode {
		state, err := c.gate.Logins().Reauthenticate(c.ctx, c.user, proofOf(in.code), c.client)
		return c.loggedIn(state, err)
	}
	var state jotgate.LoginState
	_, err := c.shell.Lockout().Try(c.ctx, c.account.Username, c.network, func() (id record.UserID, err error) {
		state, err = c.gate.Logins().Reauthenticate(c.ctx, c.user, jotgate.Password(c.account.Username, in.password), c.client)
		return c.account.ID, err
	})
	return c.loggedIn(state, err)
}

// noSecondStep returns the response of Django REST framework's token view, which
// has no second step, for a login that needs one.
func noSecondStep(step *jotgate.StepError) error {
	return (&jotgate.Error{Status: http.StatusBadRequest, Fields: []jotgate.FieldError{
		{Field: "non_field_errors", Messages: []string{step.Error() + " Log in at /api/token/."}},
	}}).Because(step)
}
