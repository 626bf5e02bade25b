// The login: POST /api/token/ and /auth/jwt/create/.

package api

import (
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/internal/useragent"
	"github.com/jotgate/jotgate/record"
)

type loginIn struct{ username, password string }

// loginFields are SimpleJWT's. The login name is renamed to Settings.LoginField of
// the gate; "username" is also accepted.
func loginFields(a *API, in *loginIn) []form.Field {
	return []form.Field{form.Text(a.loginName, &in.username).Or("username"), form.Text("password", &in.password)}
}

// tokenObtain is the login: POST /api/token/ and /auth/jwt/create/.
func tokenObtain(c *call, in *loginIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	tokens, err := c.login(in)
	if err != nil {
		return nil, err
	}
	tokens.Refresh = c.handOut(tokens.Refresh)
	return tokens, nil
}

// login checks a username and a password, unless there were too many failures.
func (c *call) login(in *loginIn) (tokens jotgate.Tokens, err error) {
	newNetwork, err := c.shell.Lockout().TryLogin(c.ctx, in.username, c.network, func() (record.UserID, error) {
		tokens, err = c.gate.Login(c.ctx, in.username, in.password, c.client)
		if err != nil {
			return "", err
		}
		return tokens.User.ID, nil
	})
	if err == nil && newNetwork && c.settings.NewSignInEmail {
		c.noticeSignIn(tokens.User)
	}
	return tokens, err
}

// noticeSignIn notifies the account's owner of a login from a new network.
func (c *call) noticeSignIn(user *jotgate.User) {
	if account, err := c.gate.Accounts().ByID(c.ctx, user.ID); err == nil {
		c.gate.Accounts().Notify(c.ctx, record.MessageNewSignIn, account, useragent.Origin(c.client.Address, c.client.UserAgent))
	}
}

// sameSite refuses requests from pages of another site if Settings.RefreshCookie
// is set.
func (c *call) sameSite() error {
	if !c.settings.RefreshCookie {
		return nil
	}
	err := c.shell.CheckOrigin(c.r)
	if c.settings.RefreshCookieSameSite != "none" && c.r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		err = errCrossSite // also from a listed origin: it would lose the session silently
	}
	if err != nil {
		return (&jotgate.Error{Status: http.StatusForbidden, Detail: "Cross-origin request refused."}).Because(err)
	}
	return nil
}
