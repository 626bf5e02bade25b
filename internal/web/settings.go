package web

import (
	"fmt"
	"net/url"
	"time"

	"github.com/jotgate/jotgate/throttle"
)

// Settings are the options of a Shell. The fields mean what those of the same
// name in api.Settings mean.
type Settings struct {
	Rates           map[string]string // a rate such as "5/min" for each scope; "" is no limit
	Lockout         throttle.Lockout
	TrustedProxies  []string
	ForwardedHeader bool
	AllowedHosts    []string
	CORSOrigins     []string
	CORSCredentials bool // pages of CORSOrigins may send cookies
	MaxBody         int64
	BodyTimeout     time.Duration
	Timeout         time.Duration
}

// fill sets the defaults and rejects what is not an origin.
func (s *Settings) fill() error {
	if s.MaxBody <= 0 {
		s.MaxBody = 64 << 10
	}
	if s.BodyTimeout <= 0 {
		s.BodyTimeout = 10 * time.Second
	}
	if s.Timeout <= 0 {
		s.Timeout = 30 * time.Second
	}
	for _, origin := range s.CORSOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return fmt.Errorf("CORSOrigins: %q is not an origin such as https://app.example.com", origin)
		}
	}
	return nil
}
