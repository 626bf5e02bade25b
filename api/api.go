// Package api puts a gate's endpoints on your mux: those of SimpleJWT, Django
// REST framework's token view and djoser, and a few of jotgate's own, so that a
// front end written for Django works by changing its base address.
//
//	api.Mount(mux, gate)                        // with the defaults
//	handler, err := api.New(gate, api.Settings{…}) // or with a choice
//
// All routes are in one list, routes.go; one endpoint is one file; one function
// (serve.go) handles every request: it authenticates, checks permission and rate,
// decodes the body, acts, encodes, and reports errors with Django REST
// framework's wording and status codes. No input leads to a 500.
//
// openapi.yaml describes every endpoint; it is served at /api/schema/, with a
// page at /api/docs/. docs/http-api.md tells the story, and
// api/testdata/differences.json lists every point in which an answer differs
// from Django's on purpose.
//
// What is promised: paths, methods, fields, statuses and error bodies are
// Django's and stay as they are from 1.0 on.
package api

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/web"
)

// API answers the endpoints of one gate. Make it with New and share it. Safe
// for concurrent use.
type API struct {
	gate      *jotgate.Gate
	settings  Settings
	loginName string // Settings.LoginField of the gate
	shell     *web.Shell
	mux       *http.ServeMux
	unknown   http.Handler // for paths that are not an endpoint's
}

// New returns the endpoints of a gate, or an error that names the setting at
// fault. It is an http.Handler of its own; with Mount it becomes part of a mux.
func New(gate *jotgate.Gate, s Settings) (*API, error) {
	if err := s.fill(); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	a := &API{gate: gate, settings: s, loginName: gate.Settings().LoginField, mux: http.NewServeMux()}
	var err error
	if a.shell, err = web.New(gate, s.shell()); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	a.Mount(a.mux)
	a.unknown = a.shell.Wrap(web.Endpoint{CORS: true}, http.HandlerFunc(a.notFound))
	a.mux.Handle("/", a.unknown)
	return a, nil
}

// Mount puts every endpoint of the gate on the mux, with default settings.
// It panics as mux.Handle does when a path is taken.
func Mount(mux *http.ServeMux, gate *jotgate.Gate) {
	a, err := New(gate, Settings{})
	if err != nil {
		panic(err.Error()) // unreachable: the defaults contradict nothing
	}
	a.Mount(mux)
}

// Mount puts every endpoint on the mux, with and without the trailing slash. What
// is said to other paths is the mux's business: http.ServeMux redirects //x to /x.
func (a *API) Mount(mux *http.ServeMux) {
	for _, r := range a.routes() {
		web.Handle(mux, r.path, a.handler(&r))
	}
}

// handler is a route with the HTTP layer around it.
func (a *API) handler(r *route) http.Handler {
	if r.fast != nil {
		return a.shell.WrapFast(r.endpoint(), func(w http.ResponseWriter, req *http.Request) error { return r.fast(a, w, req) })
	}
	return a.shell.Wrap(r.endpoint(), http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { a.serve(w, req, r) }))
}

// endpoint says what the HTTP layer does for the route.
func (r *route) endpoint() web.Endpoint {
	return web.Endpoint{Allow: r.allow(), CORS: true, Scope: r.scope}
}

// ServeHTTP answers the endpoints, and 404 for any other path. //x and /y/../x are
// other paths than /x, as in Django.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isClean(r.URL) {
		a.unknown.ServeHTTP(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// isClean reports whether a mux serves the path as it stands, where it would
// redirect others. Most paths cannot be otherwise and are not compared.
func isClean(u *url.URL) bool {
	if strings.HasPrefix(u.Path, "/") && !strings.Contains(u.Path, "//") && !strings.Contains(u.Path, "/.") {
		return true
	}
	p := u.EscapedPath() // by which a mux goes
	clean := path.Clean(p)
	return strings.HasPrefix(p, "/") && (p == clean || clean != "/" && p == clean+"/")
}

func (a *API) notFound(w http.ResponseWriter, _ *http.Request) {
	jotgate.ErrNotFound.Respond(w, "")
}
