// Package webhook notifies other systems of events by HTTP, as Standard Webhooks
// (https://www.standardwebhooks.com) describes it: an account was created, deleted, and so
// on. The two calls to make are [New], with Webhooks.Run in a goroutine, and Webhooks.Add:
//
//	hooks, err := webhook.New(gate, store.Webhooks(db), webhook.Settings{})
//	go hooks.Run(ctx)
//
//	created, err := hooks.Add(ctx, webhook.Request{URL: "https://app.example.com/hooks"}, client)
//	fmt.Println(created.Secret) // whsec_…, which cannot be shown again
//
// The zero Settings is the safe choice: endpoints need https and a public address. The
// receiver must verify the signature of each message with the secret, and expect a message
// more than once.
//
// An event is marked for delivery by the statement that stores it, in the transaction of
// the change that it is about (see jotgate.Events.RecordWith). So a message is not lost if
// the process ends after that, and there is none if the change is rolled back. Without an
// endpoint the mark costs nothing.
//
// A message is sent at least once, and again with the same webhook-id until the endpoint
// responds with 2xx: after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h, each with up to
// 20 % more or less. Each attempt has its own webhook-timestamp and signature. Messages
// have no order. Any number of nodes may call Run on one database.
//
// An endpoint is disabled, with an event, if it responds with 410 Gone, or if every attempt
// has failed for the duration Settings.DisableAfter. Its messages wait until it is enabled
// again, for the duration Settings.Retention at most. Webhooks.Replay sends messages again
// that were given up.
//
// The body has the type, the time and the ids of the event: never a secret, a token, a
// link, an address or a name. docs/webhooks.md describes it, and how to verify it.
package webhook

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/egress"
	"github.com/jotgate/jotgate/internal/keyring"
	"github.com/jotgate/jotgate/record"
)

// Settings holds the options of webhooks. The zero value of each is the safe choice.
type Settings struct {
	// Networks are networks that are not public in which endpoints may be, such as
	// 127.0.0.0/8 or 10.0.0.0/8. Only there may a URL begin with http. Default: none,
	// endpoints have public addresses and https. Link-local addresses and metadata
	// services of cloud providers are never reached. Django: none.
	Networks []netip.Prefix
	// Timeout limits an attempt, from resolving the name to the end of the response.
	// Default: 15 seconds. Django: none.
	Timeout time.Duration
	// DisableAfter is how long every attempt must have failed before an endpoint is
	// disabled: 1 hour to 366 days. Default: 5 days. Django: none.
	DisableAfter time.Duration
	// Retention is how long messages are kept, also those for a disabled endpoint, so that
	// Replay can send them again: 4 to 366 days. Default: 30 days. Django: none.
	Retention time.Duration
	// TLS is for endpoints whose certificate is from a private authority. Default: the
	// system's authorities, TLS 1.2 or newer. Django: none.
	TLS *tls.Config
}

// fill sets the defaults and rejects settings that are out of range.
func (s *Settings) fill() error {
	s.Timeout = cmp.Or(s.Timeout, 15*time.Second)
	s.DisableAfter = cmp.Or(s.DisableAfter, 5*24*time.Hour)
	s.Retention = cmp.Or(s.Retention, 30*24*time.Hour)
	for _, limit := range []struct {
		name                  string
		value, least, longest time.Duration
	}{
		{"Timeout", s.Timeout, time.Second, time.Minute},
		{"DisableAfter", s.DisableAfter, time.Hour, 366 * 24 * time.Hour},
		{"Retention", s.Retention, 4 * 24 * time.Hour, 366 * 24 * time.Hour},
	} {
		if limit.value < limit.least || limit.value > limit.longest {
			return fmt.Errorf("%s: %v is not between %v and %v", limit.name, limit.value, limit.least, limit.longest)
		}
	}
	return nil
}

// Endpoint is a URL that receives events.
type Endpoint struct {
	ID      string    `json:"id"`
	URL     string    `json:"url"`
	Types   []string  `json:"types"` // of events, such as user.deleted or user.*; empty: the default
	Created time.Time `json:"created"`
	// Failing is the time of the first failure after the last success, and Reason the
	// reason of the last failure. Zero and empty: the last attempt succeeded, or there was
	// none.
	Failing  time.Time `json:"failing_since,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	Disabled time.Time `json:"disabled,omitzero"` // zero: it is enabled
	// Waiting is the number of messages that are not delivered yet, and GivenUp the number
	// of those that were given up. Only List sets them.
	Waiting int `json:"waiting"`
	GivenUp int `json:"given_up"`

	Sealed        string    `json:"-"` // the secret, encrypted with the secret of the gate
	Previous      string    `json:"-"` // the former secret, encrypted, which also signs until PreviousUntil
	PreviousUntil time.Time `json:"previous_secret_until,omitzero"`
}

// Delivery is a message to an endpoint.
type Delivery struct {
	ID        string    `json:"id"`       // the value of the header webhook-id
	Endpoint  string    `json:"endpoint"` // Endpoint.ID
	Event     int64     `json:"event_id"` // the id of the event in the audit trail
	Type      string    `json:"type"`     // the type of the event, such as user.deleted
	Body      string    `json:"-"`        // JSON
	Created   time.Time `json:"created"`
	Due       time.Time `json:"due,omitzero"` // of the next attempt; zero: there is none
	Attempts  int       `json:"attempts"`
	Status    int       `json:"status,omitempty"` // of the last response
	Reason    string    `json:"reason,omitempty"` // of the last failure
	Done      time.Time `json:"done,omitzero"`    // when it was delivered or given up; zero: it waits
	Delivered bool      `json:"delivered"`
}

// Outcome is the outcome of an attempt to deliver a message.
type Outcome struct {
	Delivered bool
	Status    int    // 0 without a response
	Reason    string // of a failure
	// Retry is the time of the next attempt after a failure. Zero: the message is given up.
	Retry time.Time
	// Disable disables the endpoint, because it responded with 410. If it is false, a
	// failure disables the endpoint if Endpoint.Failing is before DisableIf.
	Disable   bool
	DisableIf time.Time
}

// MaxEndpoints is the largest number of endpoints of a gate.
const MaxEndpoints = 50

// Store keeps endpoints and messages. Every method may be called concurrently, honors
// its context's deadline and is atomic. jotgate.ErrUnavailable is the error if the
// database cannot respond. Function store.Webhooks returns one.
type Store interface {
	// Add inserts an endpoint. The error is ErrLimit if there are MaxEndpoints.
	Add(ctx context.Context, e Endpoint) error
	// Find returns an endpoint, or jotgate.ErrNotFound.
	Find(ctx context.Context, id string) (*Endpoint, error)
	// List lists the endpoints, oldest first.
	List(ctx context.Context) ([]Endpoint, error)
	// Change replaces the URL and the types of an endpoint, or returns
	// jotgate.ErrNotFound.
	Change(ctx context.Context, id, url string, types []string) error
	// Rotate replaces the sealed secret; the former one signs until a time. The error is
	// jotgate.ErrNotFound if no endpoint has this id and the sealed secret from.
	Rotate(ctx context.Context, id, from, sealed string, until time.Time) error
	// SetDisabled disables an endpoint, or enables it and forgets its failures if at is
	// zero. The error is jotgate.ErrNotFound if this changes nothing.
	SetDisabled(ctx context.Context, id string, at time.Time) error
	// Remove deletes an endpoint and its messages, or returns jotgate.ErrNotFound.
	Remove(ctx context.Context, id string) error

	// Relay takes at most limit events that are marked for delivery, the oldest first,
	// calls route with them and the endpoints, and inserts the messages that route returns.
	// It returns the number of events. No event is taken twice.
	Relay(ctx context.Context, limit int, route func([]record.Event, []Endpoint) []Delivery) (int, error)
	// Waiting lists the enabled endpoints with messages that are due.
	Waiting(ctx context.Context, now time.Time) ([]string, error)
	// Due returns the oldest messages to the endpoint that are due, at most limit, and
	// hides them from other senders for the duration of the lease.
	Due(ctx context.Context, endpoint string, now time.Time, limit int, lease time.Duration) ([]Delivery, error)
	// Record records the outcome of an attempt, unless another sender has recorded one
	// since Due returned d. If this disables the endpoint, Record returns true and also
	// stores the event about it.
	Record(ctx context.Context, d Delivery, o Outcome, now time.Time) (disabled bool, err error)
	// Deliveries lists at most limit messages to the endpoint, newest first; if failed is
	// true, only those that were not delivered.
	Deliveries(ctx context.Context, endpoint string, failed bool, limit int) ([]Delivery, error)
	// Replay makes the messages to the endpoint that were created at or after since due
	// now, as if they had not been sent; if failed is true, only those that were not
	// delivered. It returns their number, and puts it before the detail of the event in
	// the context (record.AttachedTo).
	Replay(ctx context.Context, endpoint string, since, now time.Time, failed bool) (int, error)
	// Purge deletes at most limit messages that were created before a time.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
}

// Webhooks manages the endpoints of a gate and sends messages to them. Create it with
// New. It is safe for concurrent use.
type Webhooks struct {
	gate     *jotgate.Gate
	store    Store
	settings Settings
	ring     *keyring.Ring // seals the secrets
	egress   egress.Client
	client   *http.Client
	busy     busy
}

// New returns the webhooks of the gate, or an error that names the setting at fault.
// store.Webhooks returns the Store.
func New(gate *jotgate.Gate, store Store, s Settings) (*Webhooks, error) {
	if err := s.fill(); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	g := gate.Settings()
	secrets := keyring.Settings{Secret: string(g.SecretKey), InsecureShort: true} // the gate has checked it
	for _, secret := range g.SecretKeyFallbacks {
		secrets.Fallbacks = append(secrets.Fallbacks, string(secret))
	}
	ring, err := keyring.New(secrets)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	w := &Webhooks{gate: gate, store: store, settings: s, ring: ring}
	w.egress = egress.Client{Networks: s.Networks, Setting: "--webhook-networks", Timeout: s.Timeout, TLS: s.TLS}
	w.client = w.egress.New()
	return w, nil
}

func (w *Webhooks) now() time.Time {
	return w.gate.Settings().Now().UTC().Truncate(time.Microsecond)
}
