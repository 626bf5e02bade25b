package web

// Hosts and origins.

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rs/cors"

	"github.com/jotgate/jotgate"
)

// errHost is the response for a host that is not in Settings.AllowedHosts.
var errHost = &jotgate.Error{Status: http.StatusBadRequest, Detail: "Invalid Host header."}

// hostAllowed reports whether the Host header is one of AllowedHosts.
func (s *Shell) hostAllowed(host string) bool {
	if len(s.settings.AllowedHosts) == 0 {
		return true
	}
	if u, err := url.Parse("//" + host); err == nil {
		host = u.Hostname()
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return slices.ContainsFunc(s.settings.AllowedHosts, func(allowed string) bool {
		domain, below := strings.CutPrefix(strings.ToLower(allowed), ".")
		return host == domain || below && strings.HasSuffix(host, "."+domain)
	})
}

// allowedHeaders are those that a page may send: what django-cors-headers allows
// by default (corsheaders/defaults.py), and a request id.
var allowedHeaders = []string{"Accept", "Authorization", "Content-Type", "User-Agent", "X-CSRFToken", "X-Requested-With", RequestID}

// CORS returns a middleware that lets pages of the origins call a handler: by
// name, never by "*". Without origins it changes nothing.
func CORS(origins []string, credentials bool) func(http.Handler) http.Handler {
	if len(origins) == 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	return cors.New(cors.Options{
		AllowedOrigins:   origins,
		AllowedMethods:   []string{"GET", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders:   allowedHeaders,
		ExposedHeaders:   []string{"Retry-After", "WWW-Authenticate", RequestID},
		AllowCredentials: credentials,
		MaxAge:           600,
	}).Handler
}

// CheckOrigin rejects a request that a browser sent from another site, unless
// its origin is one of CORSOrigins. An endpoint that reads a cookie calls it.
func (s *Shell) CheckOrigin(r *http.Request) error { return s.origins.Check(r) }

func newOrigins(trusted []string) (*http.CrossOriginProtection, error) {
	origins := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORSOrigins: %w", err)
		}
	}
	return origins, nil
}
