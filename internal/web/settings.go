package web

import (
	"fmt"
	"time"

	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/throttle/shared"
)

// Settings are the options of a Shell. The fields mean what those of the same
// name in api.Settings mean.
type Settings struct {
	Rates           map[string]string // a rate such as "5/min" for each scope; "" is no limit
	SharedRates     *shared.Counter   // counts the requests of all nodes; nil: each counts its own
	Lockout         throttle.Lockout
	TrustedProxies  []string
	ForwardedHeader bool
	AllowedHosts    []string
	CORS            CORSSettings
	BaseURL         string   // where clients reach the endpoints; "": unknown
	Prefix          string   // of the paths of all endpoints; "": none
	Endpoints       []string // paths that CheckPath rejects, each with a slash at its end
	MaxBody         int64
	BodyTimeout     time.Duration
	Timeout         time.Duration
	Languages       *catalog.Catalogs // of errors, chosen by Accept-Language; nil: English
}

// fill sets the defaults and rejects a malformed prefix or host.
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
	if err := checkPrefix(s.Prefix); err != nil {
		return fmt.Errorf("Prefix: %q %w", s.Prefix, err)
	}
	return s.fillHosts()
}
