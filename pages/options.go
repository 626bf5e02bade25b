package pages

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jotgate/jotgate/internal/layout"
)

// checkOptions sets the defaults and rejects invalid options.
func (p *Pages) checkOptions() error {
	o := &p.options
	if o.Path == "" {
		o.Path = "/account/"
	}
	for _, origin := range o.Next {
		if !isOrigin(origin) {
			//lint:ignore ST1005 Next is the name of the setting
			return fmt.Errorf("Next: %q is not an origin such as https://app.example.com", origin)
		}
	}
	p.nexts = o.Next
	if o.BaseURL != "" {
		u, err := url.Parse(o.BaseURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return errors.New("BaseURL must be an absolute URL such as https://example.com")
		}
		p.nexts = append(p.nexts[:len(p.nexts):len(p.nexts)], u.Scheme+"://"+u.Host)
	}
	if o.Home != "" && p.safeNext(o.Home) == "" {
		//lint:ignore ST1005 Home is the name of the setting
		return fmt.Errorf("Home: %q must be a path, or a URL whose origin is in Next", o.Home)
	}
	if o.DeletionDelay == 0 {
		o.DeletionDelay = 7 * 24 * time.Hour
	}
	if o.Accent != "" && !layout.IsColor(o.Accent) {
		//lint:ignore ST1005 Accent is the name of the setting
		return fmt.Errorf("Accent: %q is not a color such as #0a7d4f", o.Accent)
	}
	return nil
}

// isOrigin reports whether the text is a scheme and a host, and nothing else.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && text == u.Scheme+"://"+u.Host
}

// safeNext returns next if a user may be sent there after signing in: a path of
// this origin, or a URL of a listed one. Otherwise it returns "". It is the only
// place that decides this. A path with a backslash or a control character is
// rejected, because browsers read \ as / and skip tabs and line breaks: /\t/x
// would lead to the host x.
func (p *Pages) safeNext(next string) string {
	if len(next) > 2048 || strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f || r == '\ufffd' }) {
		return ""
	}
	u, err := url.Parse(next)
	switch {
	case err != nil || u.User != nil:
		return ""
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "//"):
		return next
	}
	for _, origin := range p.nexts {
		if u.Host != "" && u.Scheme+"://"+u.Host == origin {
			return next
		}
	}
	return ""
}
