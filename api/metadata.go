package api

// The well-known documents of OAuth 2, and where they are served.

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/oauth"
)

// issuer returns the issuer in the metadata: that of the tokens, or Settings.BaseURL if
// they have none. It is empty if clients could not find the metadata: without BaseURL,
// or if the issuer of the tokens is not a URL.
func (a *API) issuer() string {
	issuer := a.gate.Settings().Issuer
	if issuer == "" || a.settings.BaseURL == "" {
		return a.settings.BaseURL
	}
	if u, err := url.Parse(issuer); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	return issuer
}

// authorizationServer is GET /.well-known/oauth-authorization-server (RFC 8414).
func authorizationServer(a *API) http.Handler {
	return a.metadata(func() any { return oauth.Metadata(a.issuer(), a.settings.BaseURL) })
}

// protectedResource is GET /.well-known/oauth-protected-resource (RFC 9728), about this
// API.
func protectedResource(a *API) http.Handler {
	return a.metadata(func() any { return oauth.Resource(a.settings.BaseURL, a.issuer(), jotgate.ScopeAccount) })
}

// metadata serves a document, which every page may read. Without a URL for it the
// response is 404: none is taken from the request.
func (a *API) metadata(document func() any) http.Handler {
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		if a.issuer() == "" {
			a.notFound(w, r)
			return
		}
		body, err := json.Marshal(document())
		if err != nil {
			a.shell.Respond(w, r, jotgate.AsError(err), "")
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=3600")
		if h.Get("Access-Control-Allow-Origin") == "" { // as in jwks
			h.Set("Access-Control-Allow-Origin", "*")
		}
		serveText(w, r, "application/json", body)
	})
}

// inserted returns the path of a well-known document of a URL with a path, which is
// inserted after that of the document (RFC 8414 section 3.1), or "".
func inserted(document, of string) string {
	u, err := url.Parse(of)
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return ""
	}
	return document + strings.TrimRight(u.Path, "/")
}

// insertedPaths returns the further paths at which the route is served.
func (a *API) insertedPaths(r *route) []string {
	if r.inserted == nil {
		return nil
	}
	path := inserted(r.path, r.inserted(a))
	if path == "" || path == a.settings.Prefix+r.path || path != (&url.URL{Path: path}).EscapedPath() || strings.ContainsAny(path, "{}") {
		return nil
	}
	return []string{path}
}

func (a *API) baseURL() string { return a.settings.BaseURL }
