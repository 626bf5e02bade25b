package web

// Hosts and origins.

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"

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
	host = sentHost(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(s.settings.AllowedHosts, func(allowed string) bool {
		domain, below := strings.CutPrefix(allowed, ".")
		return host == domain || below && strings.HasSuffix(host, "."+domain)
	})
}

// fillHosts writes AllowedHosts as clients send them, and rejects what would be
// listed in vain.
func (s *Settings) fillHosts() error {
	s.AllowedHosts = slices.Clone(s.AllowedHosts)
	for i, host := range s.AllowedHosts {
		sent := sentHost(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(host, "."), "["), "]"))
		_, err := netip.ParseAddr(sent)
		if sent == "" || strings.Contains(sent, "*") || err != nil && strings.ContainsAny(sent, ":/[] ") {
			return fmt.Errorf("AllowedHosts: %q is not a name such as api.example.com, .example.com or [::1], without a port; without the setting every host is allowed", host)
		}
		if strings.HasPrefix(host, ".") {
			sent = "." + sent
		}
		s.AllowedHosts[i] = sent
	}
	return nil
}

// sentHost returns the host of a URL as clients send it: in lower case, ASCII only,
// addresses in their shortest form. IPv6 addresses have no brackets.
func sentHost(host string) string {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.String()
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	return strings.ToLower(host)
}

// CheckOwnOrigin rejects a request that a browser sent from any other origin, also
// from one of CORSOrigins. Pages call it.
func (s *Shell) CheckOwnOrigin(r *http.Request) error { return s.own.Check(r) }

// CheckOrigin rejects a request that a browser sent from another site, unless
// its origin is one of CORSOrigins. An endpoint that reads a cookie calls it.
func (s *Shell) CheckOrigin(r *http.Request) error { return s.origins.Check(r) }

// IsForeign reports whether a page of another origin sent the request, other than by a
// link. check decides about the origin, as CheckOwnOrigin does. Every method counts as one
// that changes something: a GET may open a WebSocket (RFC 6455 section 10.2), be a script
// whose text the page can use, or be a gateway's question about another method.
func IsForeign(r *http.Request, check func(*http.Request) error) bool {
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return false
	}
	unsafe := *r
	unsafe.Method = http.MethodPost
	return check(&unsafe) != nil
}

// newOrigins trusts the listed origins, and the public URL's: behind a gateway
// that changes the Host header, a browser's own origin differs from it.
func newOrigins(s *Settings, trusted []string) (*http.CrossOriginProtection, error) {
	origins := http.NewCrossOriginProtection()
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
