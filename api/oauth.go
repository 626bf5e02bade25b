package api

// The endpoints of OAuth 2 (package oauth): their bodies are forms, and their errors
// those of RFC 6749 section 5.2.

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/throttle"
)

func hasOAuth(a *API) bool { return a.settings.OAuth != nil }

// oauthAction makes an action of a client. Its fields are those that the response to
// OPTIONS and the schema describe.
func oauthAction(fields func(*API) []form.Field, act func(*call, oauth.Call) (any, error)) *action {
	return &action{access: open, fields: fields, run: func(c *call) (int, any, error) {
		body, err := c.shell.ReadBody(c.w, c.r)
		if err != nil {
			return 0, nil, err
		}
		values, err := oauth.ParseForm(c.r.Header, body)
		if err != nil {
			return 0, nil, err
		}
		out, err := act(c, oauth.Call{
			Header: c.r.Header, Form: values, Audience: c.oauthNames(), Client: c.client,
			Limit: func() error { return c.shell.Limit(c.network, "login") },
		})
		c.w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1
		return http.StatusOK, out, err
	}}
}

// oauthNames lists what the assertion of a client may be addressed to (RFC 7523 section
// 3): the issuer, and the URLs of the endpoints. Without Settings.BaseURL and an issuer
// there is none, since no name is taken from a request.
func (a *API) oauthNames() (names []string) {
	if issuer := a.gate.Settings().Issuer; issuer != "" {
		names = append(names, issuer)
	}
	if base := a.settings.BaseURL; base != "" {
		names = append(names, base)
		for _, path := range []string{"/o/token/", "/o/introspect/", "/o/revoke/"} {
			names = append(names, base+path, base+strings.TrimSuffix(path, "/"))
		}
	}
	return names
}

// renderOAuth writes an error as RFC 6749 section 5.2 has it.
func renderOAuth(w http.ResponseWriter, _ *http.Request, e *jotgate.Error) {
	out := struct {
		Error       string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{e.Code, strings.ReplaceAll(e.Detail, `"`, "'")} // which a description must not have
	switch {
	case e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError:
		out.Error = "temporarily_unavailable"
	case out.Error == "":
		out.Error = "invalid_request"
	}
	body, _ := json.Marshal(out) // of two strings
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if e.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="api"`)
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", throttle.RetryAfter(e.RetryAfter))
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}

// optional returns text fields that a body may have.
func optional(names ...string) (fields []form.Field) {
	for _, name := range names {
		fields = append(fields, form.Text(name, new(string)).OrNot(new(bool)))
	}
	return fields
}

// clientFields are those of client authentication in the body.
func clientFields() []form.Field {
	return optional("client_id", "client_secret", "client_assertion_type", "client_assertion")
}

func tokenFields(*API) []form.Field {
	return append(append([]form.Field{form.Text("grant_type", new(string))}, optional("scope", "resource")...), clientFields()...)
}

// oauthToken is POST /o/token/.
func oauthToken(c *call, in oauth.Call) (any, error) { return c.settings.OAuth.Token(c.ctx, in) }

func introspectFields(*API) []form.Field {
	return append(append([]form.Field{form.Text("token", new(string))}, optional("token_type_hint")...), clientFields()...)
}

// oauthIntrospect is POST /o/introspect/.
func oauthIntrospect(c *call, in oauth.Call) (any, error) {
	return c.settings.OAuth.Introspect(c.ctx, in)
}

// oauthRevoke is POST /o/revoke/.
func oauthRevoke(c *call, in oauth.Call) (any, error) {
	return bare(http.StatusOK), c.settings.OAuth.Revoke(c.ctx, in)
}
