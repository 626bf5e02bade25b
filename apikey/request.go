package apikey

// New keys: what may be asked for.

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// Settings holds the options of API keys. The zero value of each is the safe choice.
type Settings struct {
	// Lifetime is how long a new key is valid if Request.Lifetime is 0. At least a
	// minute. Default: 90 days.
	Lifetime time.Duration
	// MaxLifetime is the longest lifetime that a request may ask for. Negative:
	// there is no maximum, and a request with a negative Lifetime makes a key that does
	// not expire. Default: 366 days, or Lifetime if that is longer.
	MaxLifetime time.Duration
	// TrustedProxies are the proxies whose X-Forwarded-For header states the client's
	// address, as in api.Settings. That address is compared with the networks of a key.
	// Default: none, the address is that of the connection.
	TrustedProxies []string
	// ForwardedHeader reads Forwarded (RFC 7239) of those proxies instead.
	// Default: false.
	ForwardedHeader bool
	// Imported also accepts the keys of djangorestframework-api-key that were imported
	// (jotgate apikey import), as Authorization: Api-Key and X-Api-Key.
	// Default: false.
	Imported bool
}

// fill sets the defaults and rejects settings that contradict each other.
func (s *Settings) fill() error {
	s.Lifetime = cmp.Or(s.Lifetime, 90*24*time.Hour)
	s.MaxLifetime = cmp.Or(s.MaxLifetime, max(366*24*time.Hour, s.Lifetime))
	if s.Lifetime < time.Minute {
		//lint:ignore ST1005 Lifetime is the name of the setting
		return fmt.Errorf("Lifetime: %v is under a minute", s.Lifetime)
	}
	if s.MaxLifetime > 0 && s.Lifetime > s.MaxLifetime {
		//lint:ignore ST1005 Lifetime is the name of the setting
		return fmt.Errorf("Lifetime: %v is longer than MaxLifetime, %v", s.Lifetime, s.MaxLifetime)
	}
	return nil
}

// Request describes a key to create. Name and Scopes are required.
type Request struct {
	Name     string   // 1 to 100 characters, by which the owner recognizes the key
	Scopes   []string // 1 to 50
	Networks []string // at most 20 addresses and networks, such as 192.0.2.0/24; empty: the key may be used anywhere
	// Lifetime is how long the key is valid, at least a minute. 0: Settings.Lifetime.
	Lifetime time.Duration
}

// Created is a new key and its secret, which is not stored and cannot be shown again.
type Created struct {
	Key
	Secret string `json:"key"`
}

// NewKey makes a key for the account, for a program without a Gate, which adds it with
// Store.Add. Errors: *jotgate.Error with status 400 and the field, or that of an
// invalid setting.
func (s Settings) NewKey(owner record.UserID, r Request, now time.Time) (c Created, err error) {
	if err := s.fill(); err != nil {
		return c, err
	}
	if c.Name, err = nameOf(r.Name); err != nil {
		return c, err
	}
	if c.Scopes, err = form.Scopes(r.Scopes); err != nil {
		return c, err
	}
	if c.Networks, err = networksOf(r.Networks); err != nil {
		return c, err
	}
	c.Created = now.UTC().Truncate(time.Microsecond)
	lifetime := cmp.Or(r.Lifetime, s.Lifetime)
	switch {
	case lifetime < 0 && s.MaxLifetime > 0, s.MaxLifetime > 0 && lifetime > s.MaxLifetime:
		return c, form.FieldError("expires_in", fmt.Sprintf("Ensure this value is less than or equal to %d.", int64(s.MaxLifetime/time.Second)))
	case lifetime >= 0 && lifetime < time.Minute:
		return c, form.FieldError("expires_in", "Ensure this value is greater than or equal to 60.")
	case lifetime > 0:
		c.Expires = c.Created.Add(lifetime)
	}
	c.User = owner
	c.ID, c.Secret = newSecret()
	c.Digest = digestOf(c.Secret)
	return c, nil
}

func nameOf(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", form.FieldError("name", "This field may not be blank.")
	case utf8.RuneCountInString(text) > 100:
		return "", form.FieldError("name", "Ensure this field has no more than 100 characters.")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }):
		return "", form.FieldError("name", "Not a valid string.")
	}
	return text, nil
}

// networksOf parses addresses and networks.
func networksOf(list []string) (networks []netip.Prefix, err error) {
	networks = []netip.Prefix{} // JSON: [], not null
	for _, text := range list {
		p, err := throttle.ParseProxies([]string{text})
		if err != nil || len(p.Networks) == 0 {
			return nil, form.FieldError("networks", fmt.Sprintf("%.64q is not an address or a network, such as 192.0.2.0/24.", text))
		}
		networks = append(networks, p.Networks...)
	}
	if len(networks) > 20 {
		return nil, form.FieldError("networks", "Ensure this field has no more than 20 networks.")
	}
	return networks, nil
}
