package main

// serve --upstream: the gate in front of an API in any language. jotgate
// serves requests for its own endpoints and passes every other one to the
// API.

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/proxy"
)

type upstreamFlags struct {
	Upstream        string            `group:"upstream" placeholder:"URL" secret:"url" help:"Protect the API at this URL, or at the socket unix:PATH. Default: serve only jotgate's own endpoints."`
	Protect         []string          `group:"upstream" placeholder:"PREFIX" help:"Paths of that API which need a token. Default: / (all)."`
	StepUp          map[string]string `group:"upstream" mapsep:";" placeholder:"PREFIX=DEMAND" help:"Paths of that API that demand more than a token: aal2 (two factors), 10m (an authentication at most that old) or both, such as /payments/=aal2+10m;/admin/=1h. Default: none."`
	UpstreamOnly    bool              `group:"upstream" help:"Pass every path to that API, including jotgate's own (/api/token/, /auth/, /livez, …)."`
	UpstreamTimeout time.Duration     `group:"upstream" default:"1m" placeholder:"TIME" help:"How long that API may take to begin a response."`
	ClientTimeout   time.Duration     `group:"upstream" default:"1m" placeholder:"TIME" aliases:"send-timeout" help:"How long a client may pause while it sends a request to that API, or stop reading the response."`
	PassPreflights  bool              `group:"upstream" help:"Pass preflights of origins other than --cors-origins to that API, which responds to them, without a token. Default: they need one like any request."`
	DropToken       bool              `group:"upstream" help:"Do not pass the token to that API, which reads X-Auth-Id and similar headers. Default: it is passed."`
	LoginPages      bool              `group:"upstream" help:"Send browsers without a session to the login page and back; that API reads who is signed in from X-Auth-User and similar headers. Other clients get 401 as before."`
	DropHeaders     []string          `group:"upstream" placeholder:"NAME" help:"Further request headers that never reach that API. Default: those that docs/proxy.md lists."`
	PassHeaders     []string          `group:"upstream" placeholder:"NAME" help:"Request headers that reach that API although docs/proxy.md lists them, such as X-Auth-Token. Default: none."`
}

// front returns the handler that passes requests to the upstream, or own if
// there is no upstream.
func (f *upstreamFlags) front(own *ownHandler, gate *jotgate.Gate, requests *requestFlags) (http.Handler, error) {
	if f.Upstream == "" {
		if len(f.Protect) > 0 || f.UpstreamOnly || f.PassPreflights || f.LoginPages || f.DropToken || len(f.StepUp) > 0 || len(f.DropHeaders) > 0 || len(f.PassHeaders) > 0 {
			return nil, usage("--protect, --step-up, --upstream-only, --pass-preflights, --login-pages, --drop-token, --drop-headers and --pass-headers need --upstream")
		}
		return own, nil
	}
	s := proxy.Settings{
		Upstream: f.Upstream, Protect: f.Protect, DropToken: f.DropToken, PassPreflights: f.PassPreflights, DropHeaders: f.DropHeaders, PassHeaders: f.PassHeaders,
		TrustedProxies: requests.TrustedProxies, ForwardedHeader: requests.ForwardedHeader,
		CORSOrigins: requests.CORSOrigins, CORSHeaders: requests.CORSHeaders, CORSExposeHeaders: requests.CORSExposeHeaders,
		CORSCredentials: requests.CORSCredentials || requests.RefreshCookie,
		Timeout:         f.UpstreamTimeout, ClientTimeout: f.ClientTimeout, Logger: gate.Settings().Logger,
	}
	if len(s.Protect) == 0 {
		s.Protect = []string{"/"}
	}
	var err error
	if s.StepUp, err = f.demands(); err != nil {
		return nil, err
	}
	if f.LoginPages {
		if own.pages == nil || f.UpstreamOnly {
			return nil, usage("--login-pages needs the pages: leave out --pages=off and --upstream-only")
		}
		s.Browsers = own.pages
	}
	behind, err := proxy.New(gate.Guard, s)
	if err != nil {
		return nil, inFlags("proxy", err)
	}
	if f.UpstreamOnly {
		return behind, nil
	}
	mux := own.mux()
	prefixes := f.Protect
	for prefix := range f.StepUp {
		prefixes = append(prefixes, prefix)
	}
	for _, prefix := range prefixes {
		if _, pattern := mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: prefix}}); pattern != "" {
			return nil, usage("--protect and --step-up are for paths of --upstream: jotgate itself serves %s", prefix)
		}
	}
	return beside(mux, own, behind), nil
}

// demands returns what --step-up says, by prefix.
func (f *upstreamFlags) demands() (map[string][]jotgate.Requirement, error) {
	all := map[string][]jotgate.Requirement{}
	for prefix, text := range f.StepUp {
		for word := range strings.SplitSeq(text, "+") {
			age, err := parseDuration(word)
			switch {
			case word == "aal2":
				all[prefix] = append(all[prefix], jotgate.ACR(word))
			case err == nil && age >= time.Second:
				all[prefix] = append(all[prefix], jotgate.Fresh(age))
			default:
				return nil, usage("--step-up: %q must be aal2, a time such as 10m, or both: %s=aal2+10m", prefix+"="+text, prefix)
			}
		}
	}
	return all, nil
}

// beside serves jotgate's endpoints with own and all others with behind. The
// mux is used only to look up the pattern: serving through it would redirect
// //x to /x, which is for the API to decide.
func beside(mux *http.ServeMux, own, behind http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" && isClean(r.URL.Path) {
			own.ServeHTTP(w, r)
			return
		}
		behind.ServeHTTP(w, r)
	})
}

// isClean reports whether a mux would serve the path without a redirect.
func isClean(p string) bool {
	clean := path.Clean(p)
	return strings.HasPrefix(p, "/") && (p == clean || p == clean+"/")
}
