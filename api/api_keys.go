// The caller's API keys: /auth/api-keys/.

package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/form"
)

func hasAPIKeys(a *API) bool { return a.settings.APIKeys != nil }

// apiKeyList is GET /auth/api-keys/.
func apiKeyList(c *call) (any, error) {
	list, err := c.settings.APIKeys.List(c.ctx, c.account.ID)
	return append([]apikey.Key{}, list...), err
}

type apiKeyIn struct {
	name, lifetime   string
	scopes, networks []string
}

func apiKeyFields(_ *API, in *apiKeyIn) []form.Field {
	lifetime := form.Text("expires_in", &in.lifetime).OrNot(new(bool))
	lifetime.Check = checkSeconds
	return []form.Field{
		form.Text("name", &in.name), form.Words("scopes", &in.scopes), form.Words("networks", &in.networks).OrNot(new(bool)), lifetime,
	}
}

// checkSeconds accepts a whole number of seconds that a time.Duration can hold.
func checkSeconds(text string) []string {
	if n, err := strconv.ParseInt(text, 10, 33); err != nil || n < 0 {
		return []string{"A valid integer is required."}
	}
	return nil
}

// lifetimeOf converts a text that checkSeconds accepts; "" is 0.
func lifetimeOf(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 33)
	return time.Duration(n) * time.Second
}

// apiKeyCreate is POST /auth/api-keys/. The response is the only one that has the
// key.
func apiKeyCreate(c *call, in *apiKeyIn) (any, error) {
	if err := c.protect(); err != nil {
		return nil, err
	}
	r := apikey.Request{Name: in.name, Scopes: in.scopes, Networks: in.networks, Lifetime: lifetimeOf(in.lifetime)}
	return c.settings.APIKeys.Create(c.ctx, c.account, r, c.client)
}

// apiKeyRevoke is DELETE /auth/api-keys/{id}/.
func apiKeyRevoke(c *call) (any, error) {
	return bare(http.StatusNoContent), c.settings.APIKeys.Revoke(c.ctx, c.account.ID, c.r.PathValue("id"), c.client)
}

type rotateIn struct{ overlap string }

func rotateFields(_ *API, in *rotateIn) []form.Field {
	overlap := form.Text("overlap", &in.overlap).OrNot(new(bool))
	overlap.Check = checkSeconds
	return []form.Field{overlap}
}

// apiKeyRotate is POST /auth/api-keys/{id}/rotate/.
func apiKeyRotate(c *call, in *rotateIn) (any, error) {
	if err := c.protect(); err != nil {
		return nil, err
	}
	return c.settings.APIKeys.Rotate(c.ctx, c.account.ID, c.r.PathValue("id"), lifetimeOf(in.overlap), c.client)
}

// apiKeyExchange is POST /auth/api-keys/token/: it exchanges the key in the headers for
// the token with which a guard in another process verifies it. Which network the request
// comes from does not matter: the guard checks the networks of the key.
func apiKeyExchange(c *call) (any, error) {
	token, lifetime, err := c.settings.APIKeys.Exchange(c.r)
	return exchangeOut{token, int64(lifetime / time.Second)}, err
}

type exchangeOut struct {
	Token     string `json:"token"`
	ExpiresIn int64  `json:"expires_in"`
}
