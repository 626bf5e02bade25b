// Package keyring holds the keys of a gate: the one that signs, those that
// verify, and the secrets that seal what only gates may read.
package keyring

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// Ring holds the key that signs and the keys that verify. Both are replaced
// atomically when keys rotate: a request sees the old keys or the new ones, never
// a mixture. It implements jwt.Keys and is safe for concurrent use.
type Ring struct {
	base    []*jwt.Key // from the settings: they always verify
	sign    *jwt.Key   // from the settings: signs while the database has no current key
	secrets []string
	current atomic.Pointer[keys]
}

// keys are the keys of the settings and of the database.
type keys struct {
	sign   *jwt.Key
	typed  sync.Map // the same key by its typ: string → *jwt.Key
	verify *jwt.KeySet
	stored []record.Key
}

// Settings holds the keys that a program configures.
type Settings struct {
	Secret    string   // signs (HS256) unless there is another key, and seals
	Fallbacks []string // earlier secrets, which only verify and open
	// InsecureShort allows secrets of less than 32 bytes.
	InsecureShort bool
	Signing       *jwt.Key   // signs instead of Secret, if not nil
	Verifying     []*jwt.Key // only verify
}

// New returns a ring with the keys of the settings. An error names the setting
// of package jotgate.
func New(s Settings) (*Ring, error) {
	r := &Ring{secrets: append([]string{s.Secret}, s.Fallbacks...)}
	newSecret := jwt.NewHMAC
	if s.InsecureShort {
		newSecret = jwt.InsecureHMAC
	}
	for i, secret := range r.secrets {
		key, err := newSecret(jwt.HS256, []byte(secret))
		if err != nil && i == 0 {
			return nil, fmt.Errorf("SecretKey: %w", err)
		} else if err != nil {
			return nil, fmt.Errorf("SecretKeyFallbacks[%d]: %w", i-1, err)
		}
		r.base = append(r.base, key)
	}
	r.sign = r.base[0]
	if s.Signing != nil {
		if !s.Signing.CanSign() {
			return nil, errors.New("SigningKey is a public key")
		}
		r.sign = s.Signing
		r.base = append([]*jwt.Key{s.Signing}, r.base...)
	}
	r.base = append(r.base, s.Verifying...)
	return r, r.Install(nil)
}

// KeySet returns the current set of keys that verify.
func (r *Ring) KeySet() *jwt.KeySet { return r.current.Load().verify }

// Signing returns the current signing key.
func (r *Ring) Signing() *jwt.Key { return r.current.Load().sign }

// SigningAs returns the current signing key for tokens with this typ.
func (r *Ring) SigningAs(typ string) *jwt.Key {
	current := r.current.Load()
	key, ok := current.typed.Load(typ)
	if !ok {
		key, _ = current.typed.LoadOrStore(typ, current.sign.WithType(typ))
	}
	return key.(*jwt.Key)
}

// Stored returns the keys of the database that were installed last.
func (r *Ring) Stored() []record.Key { return r.current.Load().stored }

// Secrets returns the secret and the fallbacks.
func (r *Ring) Secrets() []string { return slices.Clone(r.secrets) }

// OnlySecrets reports whether the settings contain no key but the secrets.
func (r *Ring) OnlySecrets() bool {
	return !slices.ContainsFunc(r.base, func(k *jwt.Key) bool { return !k.IsSecret() })
}

// Install replaces the keys by those of the settings and of the database. The
// current key of the database signs; all verify. If the keys of the database are
// the installed ones, nothing changes. An error names a key that cannot be
// opened.
func (r *Ring) Install(stored []record.Key) error {
	if last := r.current.Load(); last != nil && same(stored, last.stored) {
		return nil
	}
	next := &keys{sign: r.sign, stored: stored}
	var list []*jwt.Key
	for _, s := range stored {
		key, err := r.open(s)
		if err != nil {
			return err
		}
		list = append(list, key)
		if s.State == record.KeyCurrent {
			next.sign = key
		}
	}
	var err error
	if next.verify, err = jwt.NewKeySet(append(list, r.base...)...); err != nil {
		return err
	}
	r.current.Store(next)
	return nil
}

// same reports whether both lists have the same keys in the same states.
func same(a, b []record.Key) bool {
	return slices.EqualFunc(a, b, func(x, y record.Key) bool { return x.ID == y.ID && x.State == y.State })
}
