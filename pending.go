package jotgate

// The pending login: what a client keeps between two steps. Nothing is stored
// until the login is complete, except that a pending login was used.

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/jotgate/jotgate/record"
)

const (
	pendingPrefix  = "p1."
	pendingPurpose = "jotgate pending login"
)

// kind returns what a pending token is bound to: one for a browser's cookie
// is not accepted in a request body, nor the other way round.
func (c *Client) kind() string {
	if c.Browser {
		return "browser"
	}
	return "app"
}

// sealPending encrypts a pending login, so that the client can neither read nor
// change it.
func (g *Gate) sealPending(p *pendingLogin, client *Client) (string, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	sealed, err := g.keys.Seal(plain, "pending|"+client.kind(), pendingPurpose)
	return pendingPrefix + sealed, err
}

// openPending decrypts a pending login. The error is ErrLoginNotValid.
func (g *Gate) openPending(token string, client *Client) (*pendingLogin, error) {
	text, ok := strings.CutPrefix(token, pendingPrefix)
	if !ok {
		return nil, ErrLoginNotValid
	}
	plain, ok := g.keys.Open(text, "pending|"+client.kind(), pendingPurpose)
	if !ok {
		return nil, ErrLoginNotValid
	}
	p := new(pendingLogin)
	if err := json.Unmarshal(plain, p); err != nil {
		return nil, ErrLoginNotValid.Because(err)
	}
	if !g.now().Before(p.expires()) {
		return nil, ErrLoginNotValid.Because(errors.New("the pending login has expired"))
	}
	return p, nil
}

// passwordMark returns a keyed digest of the stored password, with which a
// pending login ends when the password changes.
func (g *Gate) passwordMark(a *record.Account) string {
	mac := hmac.New(sha256.New, []byte(g.settings.SecretKey))
	_, _ = mac.Write([]byte("jotgate pending password: " + a.Password))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}
