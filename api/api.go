// Package api serves the HTTP endpoints of a gate: sign-up, login, refresh, logout,
// and the management of accounts, sessions and second factors. Most are those of
// SimpleJWT, djoser and Django REST framework's token view, so a front end written
// for Django works with them once its base URL is changed.
//
// The two calls to make are [New], which creates the endpoints, and [Server], which
// serves them with limits against slow and greedy clients:
//
//	endpoints, err := api.New(gate, api.Settings{BaseURL: "https://api.example.com"})
//	err = api.Server("127.0.0.1:8000", endpoints).ListenAndServe()
//
// [Mount] adds the endpoints, with the default settings, to a mux that also has the
// program's handlers. The zero Settings is the safe choice: the rates of logins,
// sign-ups and e-mails are limited, no other origin may call the API, and a request
// for an e-mail does not reveal whether an account has the address. Settings that
// give up a protection begin with Insecure.
//
// All routes are listed in routes.go, and each endpoint has a file. One function
// (serve.go) handles every request: it authenticates, checks permission and rate,
// decodes the body, acts, encodes, and reports errors with Django REST
// framework's wording and status codes. No input causes a response with status 500.
//
// openapi.yaml describes every endpoint; it is served at /api/schema/, with a
// page at /api/docs/. docs/http-api.md explains them, and
// api/testdata/differences.json lists every point in which a response differs
// from Django's on purpose. From 1.0 on, paths, methods, fields, status codes and
// error bodies do not change.
package api

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
)

// API serves the endpoints of one gate. Create it with New. It is safe for
// concurrent use.
type API struct {
	gate      *jotgate.Gate
	settings  Settings
	loginName string // Settings.LoginField of the gate
	// userFields are further columns of the user table, see fields.go.
	userFields []record.UserField
	shell      *web.Shell
	mux        func() *http.ServeMux // made for the first request
	unknown    http.Handler          // handles paths that are not an endpoint's

	eventWaiters atomic.Int32 // requests that wait for an event
}

// New returns the endpoints of a gate, or an error that names the invalid setting.
// An API is an http.Handler; API.Mount registers its endpoints on another mux. If
// sign-ups cannot succeed, because the user table has a required column that they
// do not fill, New logs a warning and closes the sign-up, as Settings.NoSignup does.
func New(gate *jotgate.Gate, s Settings) (*API, error) {
	if err := s.fill(); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if err := gate.Accounts().MayRegister(); err != nil && !s.NoSignup {
		gate.Settings().Logger.Warn("sign-up is closed: " + err.Error())
		s.NoSignup = true
	}
	a := &API{
		gate: gate, settings: s, loginName: gate.Settings().LoginField,
		userFields: gate.Accounts().UserFields(),
	}
	languages, err := s.languages()
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if a.shell, err = web.New(gate, s.shell(languages)); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	a.reserveSeries()
	a.unknown = a.shell.Wrap(web.Endpoint{CORS: true}, http.HandlerFunc(a.notFound))
	a.mux = sync.OnceValue(func() *http.ServeMux {
		mux := http.NewServeMux()
		a.Mount(mux)
		mux.Handle("/", a.unknown)
		return mux
	})
	return a, nil
}

// Mount registers every endpoint of the gate on the mux, with the default
// settings. Like mux.Handle, it panics if a path is already registered.
func Mount(mux *http.ServeMux, gate *jotgate.Gate) {
	a, err := New(gate, Settings{})
	if err != nil {
		panic(err.Error()) // unreachable: the defaults are valid
	}
	a.Mount(mux)
}

// reserveSeries creates the series of the routes that matter most, so that requests
// for others cannot use up the series that package metrics allows.
func (a *API) reserveSeries() {
	for _, route := range []string{"POST /api/token", "POST /api/token/refresh", "POST /auth/jwt/create", "POST /auth/jwt/refresh", "POST /api/token/mfa", "POST /auth/logout", "GET /auth/check", "GET /auth/users/me", "GET /auth/revocations"} {
		method, path, _ := strings.Cut(route, " ")
		a.gate.Settings().Metrics.Series(metrics.HTTPDuration, a.settings.Prefix+path, method)
	}
}

// Shell returns the HTTP layer around the endpoints. It is for packages pages and
// admin, which share its rates and delays (pages.Options.API); other programs have
// no use for it.
func (a *API) Shell() *web.Shell { return a.shell }

// Mount registers every endpoint on the mux, with and without the trailing slash,
// under Settings.Prefix; /livez and /readyz also without it, for probes. It panics
// if a path is already registered. The mux handles all other paths; http.ServeMux
// redirects //x to /x.
func (a *API) Mount(mux *http.ServeMux) {
	for _, r := range a.routes() {
		web.Handle(mux, a.settings.Prefix+r.path, a.handler(&r))
		if r.probe && a.settings.Prefix != "" {
			web.Handle(mux, r.path, a.handler(&r))
		}
		for _, path := range a.insertedPaths(&r) {
			web.Handle(mux, path, a.handler(&r))
		}
	}
}

// handler returns the handler of a route, wrapped in the HTTP layer.
func (a *API) handler(r *route) http.Handler {
	if r.fast != nil {
		return a.shell.WrapFast(r.endpoint(), func(w http.ResponseWriter, req *http.Request) (*jotgate.User, error) { return r.fast(a, w, req) })
	}
	return a.shell.Wrap(r.endpoint(), http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { a.serve(w, req, r) }))
}

// endpoint returns what the HTTP layer needs to know about the route.
func (r *route) endpoint() web.Endpoint {
	e := web.Endpoint{Allow: r.allow(), CORS: true, AnyHost: r.anyHost(), Scope: r.scope, Render: r.render}
	if r.fast != nil {
		e.Headers = noIdentity
	}
	return e
}

// anyHost reports whether the route responds whatever the Host header is: probes
// and gateways send their own. Such a route makes no link and sets no cookie.
func (r *route) anyHost() bool { return r.raw != nil && !r.page || r.fast != nil }

// ServeHTTP serves the endpoints, and responds with 404 to any other path. As in
// Django, //x and /y/../x are not the same path as /x.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isClean(r.URL) {
		a.unknown.ServeHTTP(w, r)
		return
	}
	a.mux().ServeHTTP(w, r)
}

// isClean reports whether a mux serves the path as it is and does not redirect it.
// The first check is enough for most paths and avoids the call of path.Clean.
func isClean(u *url.URL) bool {
	if strings.HasPrefix(u.Path, "/") && !strings.Contains(u.Path, "//") && !strings.Contains(u.Path, "/.") {
		return true
	}
	p := u.EscapedPath() // the form that a mux compares
	clean := path.Clean(p)
	return strings.HasPrefix(p, "/") && (p == clean || clean != "/" && p == clean+"/")
}

func (a *API) notFound(w http.ResponseWriter, r *http.Request) {
	a.shell.Respond(w, r, jotgate.ErrNotFound, "")
}
