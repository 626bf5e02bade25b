package apikey

// Creating, listing, rotating and revoking keys.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// Keys manages and verifies the API keys of a gate. Create it with New. It is safe for
// concurrent use, and implements jotgate.CredentialSource for the gate.
type Keys struct {
	gate     *jotgate.Gate
	store    Store
	settings Settings
	proxies  throttle.Proxies
	hashing  chan struct{} // has room for one slow hash of an imported key at a time

	mu   sync.Mutex
	uses map[string]Use // that are not stored yet, by id of the key
}

var _ jotgate.CredentialSource = (*Keys)(nil)

// New makes the gate accept API keys (Logins.Accept), or returns an error that names
// the setting at fault. Call it before the gate handles the first request, and Run in
// a goroutine.
func New(gate *jotgate.Gate, store Store, s Settings) (*Keys, error) {
	if err := s.fill(); err != nil {
		return nil, fmt.Errorf("apikey: %w", err)
	}
	proxies, err := throttle.ParseProxies(s.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("apikey: TrustedProxies: %w", err)
	}
	proxies.Forwarded = s.ForwardedHeader
	k := &Keys{gate: gate, store: store, settings: s, proxies: proxies, hashing: make(chan struct{}, 1), uses: map[string]Use{}}
	gate.Logins().Accept(k)
	return k, nil
}

// Create creates a key for the account and records an event. client is the client that
// asked for it, for the event. Errors: 400 with the field, ErrLimit,
// jotgate.ErrUnavailable.
func (k *Keys) Create(ctx context.Context, owner *record.Account, r Request, client jotgate.Client) (Created, error) {
	c, err := k.settings.NewKey(owner.ID, r, k.now())
	if err == nil {
		err = k.recorded(ctx, owner.ID, "created "+c.ID+" "+c.Name, client, func(ctx context.Context) error { return k.store.Add(ctx, c.Key) })
	}
	if err != nil {
		return Created{}, err
	}
	return c, nil
}

// List lists the account's keys that are not revoked, newest first, at most 1000.
// Expired keys are in the list for 90 days.
func (k *Keys) List(ctx context.Context, owner record.UserID) ([]Key, error) {
	return k.store.List(ctx, owner)
}

// A key that was rotated continues to work for MinOverlap to MaxOverlap, or not at all
// if the overlap is 0.
const (
	MaxOverlap = 30 * 24 * time.Hour
	MinOverlap = 10 * time.Minute
)

// Rotate creates a key with the same name, scopes, networks and lifetime as the
// account's key id. The former key continues to work for overlap; if that is 0, it is
// revoked. Errors: 400 if overlap is out of range, jotgate.ErrNotFound (also if the key
// was rotated already), jotgate.ErrUnavailable.
func (k *Keys) Rotate(ctx context.Context, owner record.UserID, id string, overlap time.Duration, client jotgate.Client) (Created, error) {
	c, err := k.settings.RotateIn(ctx, k.store, owner, id, overlap, k.now(), func(detail string, change func(ctx context.Context) error) error {
		return k.recorded(ctx, owner, detail, client, change)
	})
	if err != nil {
		return Created{}, err
	}
	if overlap == 0 {
		k.sync(ctx)
	}
	return c, nil
}

// RotateIn does what Keys.Rotate does, for a program without a Gate: recorded must call
// change with a context to which an event with this detail is attached.
func (s Settings) RotateIn(ctx context.Context, store Store, owner record.UserID, id string, overlap time.Duration, now time.Time, recorded func(detail string, change func(ctx context.Context) error) error) (Created, error) {
	c, err := s.next(ctx, store, owner, id, overlap, now)
	if err != nil {
		return Created{}, err
	}
	return c, recorded("rotated "+id+" to "+c.ID, func(ctx context.Context) error { return store.Rotate(ctx, id, c.Key, c.Created.Add(overlap)) })
}

// next makes the key that takes the place of another one.
func (s Settings) next(ctx context.Context, store Store, owner record.UserID, id string, overlap time.Duration, now time.Time) (Created, error) {
	if overlap != 0 && (overlap < MinOverlap || overlap > MaxOverlap) {
		return Created{}, form.FieldError("overlap", fmt.Sprintf("Ensure this value is 0, or between %d and %d.", MinOverlap/time.Second, MaxOverlap/time.Second))
	}
	old, err := store.Find(ctx, id)
	if err == nil && old.User != owner {
		err = jotgate.ErrNotFound
	}
	if err != nil {
		return Created{}, err
	}
	if err := s.fill(); err != nil {
		return Created{}, err
	}
	return s.NewKey(owner, s.successor(old), now)
}

// successor returns the request for a key like old.
func (s Settings) successor(old *Key) Request {
	r := Request{Name: old.Name, Scopes: old.Scopes, Lifetime: s.lifetimeOf(old)}
	for _, network := range old.Networks {
		r.Networks = append(r.Networks, network.String())
	}
	return r
}

// lifetimeOf returns the lifetime of a key, or MaxLifetime if that is shorter.
func (s Settings) lifetimeOf(old *Key) time.Duration {
	if !old.Expires.IsZero() && (s.MaxLifetime <= 0 || old.Expires.Sub(old.Created) <= s.MaxLifetime) {
		return old.Expires.Sub(old.Created)
	}
	return max(-1, s.MaxLifetime)
}

// Revoke revokes a key of the account. From then on this node refuses it, and within a
// second the others do. Errors: jotgate.ErrNotFound if the account has no such key, or
// if it is revoked already; jotgate.ErrUnavailable.
func (k *Keys) Revoke(ctx context.Context, owner record.UserID, id string, client jotgate.Client) error {
	err := k.recorded(ctx, owner, "revoked "+id, client, func(ctx context.Context) error { return k.store.Revoke(ctx, owner, id, k.now()) })
	if err == nil {
		k.sync(ctx)
	}
	return err
}

// sync makes this node read the revocation. If that fails, Gate.Run reads it.
func (k *Keys) sync(ctx context.Context) {
	if err := k.gate.Sync(ctx); err != nil {
		k.gate.Settings().Logger.WarnContext(ctx, "revocations could not be read", "cause", err)
	}
}

// recorded makes a change, with its event.
func (k *Keys) recorded(ctx context.Context, owner record.UserID, detail string, client jotgate.Client, change func(ctx context.Context) error) error {
	return k.gate.Events().RecordWith(ctx, &record.Event{Name: "api_key", User: owner, Detail: detail}, client, change)
}

func (k *Keys) now() time.Time { return k.gate.Settings().Now() }

// ErrLimit rejects a new key of an account that has MaxKeys live ones.
var ErrLimit = &jotgate.Error{
	Status: http.StatusBadRequest, Code: "api_key_limit", Detail: fmt.Sprintf("An account can have %d API keys. Revoke one first.", MaxKeys),
}

// errNotValid rejects a key that is unknown, expired or revoked: which of these is
// the cause, which the client does not see.
var errNotValid = &jotgate.Error{Status: http.StatusUnauthorized, Code: "api_key_not_valid", Detail: "The API key is not valid."}

// errNetwork rejects a valid key.
var errNetwork = &jotgate.Error{Status: http.StatusForbidden, Code: "api_key_network", Detail: "The API key may not be used from this network."}

var (
	errForm    = errors.New("its form or its checksum is wrong: it was not copied completely")
	errUnknown = errors.New("there is no such key")
	errSecret  = errors.New("its secret is wrong")
	errEnded   = errors.New("it has expired or was revoked")
)
