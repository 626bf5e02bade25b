package web

// Hosts and origins.

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

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

// CheckOrigin rejects a request that a browser sent from another site, unless
// its origin is one of CORSOrigins. An endpoint that reads a cookie calls it.
func (s *Shell) CheckOrigin(r *http.Request) error { return s.origins.Check(r) }

// newOrigins trusts the listed origins, and the public URL's: behind a gateway
// that changes the Host header, a browser's own origin differs from it.
func newOrigins(s *Settings) (*http.CrossOriginProtection, error) {
	origins := http.NewCrossOriginProtection()
	trusted := s.CORS.Origins
	if u, err := url.Parse(s.BaseURL); err == nil && u.Host != "" {
		trusted = append(slices.Clone(trusted), originOf(u))
	}
	for _, origin := range trusted {
		if err := origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORSOrigins: %w", err)
		}
	}
	return origins, nil
}
