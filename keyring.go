package jotgate

// The keys that sign and verify.

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// keyRing holds the key that signs and the keys that verify. Both are
// replaced atomically when keys rotate: a request sees the old ring or the
// new one, never a mixture. It is the jwt.Keys of the gate's Guard.
type keyRing struct {
	base    []*jwt.Key // from the settings: they always verify
	sign    *jwt.Key   // from the settings: signs while the database has no current key
	secrets []Secret   // SecretKey first, then the fallbacks
	current atomic.Pointer[ring]
}

type ring struct {
	sign *jwt.Key
	set  *jwt.KeySet
	keys []record.Key // from the database
}

// KeySet returns the current set of keys that verify.
func (k *keyRing) KeySet() *jwt.KeySet { return k.current.Load().set }

// signing returns the current signing key.
func (k *keyRing) signing() *jwt.Key { return k.current.Load().sign }

// newKeyRing returns a ring with only the keys of the settings: SecretKey as
// HS256, the fallbacks, SigningKey and VerifyingKeys.
func newKeyRing(s *Settings) (*keyRing, error) {
	k := &keyRing{secrets: append([]Secret{s.SecretKey}, s.SecretKeyFallbacks...)}
	newSecret := jwt.NewHMAC
	if s.InsecureShortSecret {
		newSecret = jwt.InsecureHMAC
	}
	for i, secret := range k.secrets {
		key, err := newSecret(jwt.HS256, []byte(secret))
		if err != nil && i == 0 {
			return nil, fmt.Errorf("SecretKey: %w", err)
		} else if err != nil {
			return nil, fmt.Errorf("SecretKeyFallbacks[%d]: %w", i-1, err)
		}
		k.base = append(k.base, key)
	}
	k.sign = k.base[0]
	if s.SigningKey != nil {
		if !s.SigningKey.CanSign() {
			return nil, errors.New("SigningKey is a public key")
		}
		k.sign = s.SigningKey
		k.base = append([]*jwt.Key{s.SigningKey}, k.base...)
	}
	k.base = append(k.base, s.VerifyingKeys...)
	return k, k.install(nil)
}

// install replaces the ring by one with the keys of the settings and of the
// database. The current key of the database signs; all verify.
func (k *keyRing) install(stored []record.Key) error {
	r := &ring{sign: k.sign, keys: stored}
	var keys []*jwt.Key
	for _, s := range stored {
		key, err := openKey(s, k.secrets)
		if err != nil {
			return err
		}
		keys = append(keys, key)
		if s.State == record.KeyCurrent {
			r.sign = key
		}
	}
	var err error
	if r.set, err = jwt.NewKeySet(append(keys, k.base...)...); err != nil {
		return err
	}
	k.current.Store(r)
	return nil
}
