package jotgate

import (
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// reloadKeys reads the changes of the keys by another node or the command
// line. If that fails, the gate keeps the keys that it has.
func (g *Gate) reloadKeys(ctx context.Context) {
	if err := g.readKeys(ctx); err != nil {
		g.log.WarnContext(ctx, "signing keys could not be read", "cause", err)
	}
}

// readKeys installs the keys of the database. It reads them for one caller at a time, so that a
// list that was read earlier never replaces one that was read later.
func (g *Gate) readKeys(ctx context.Context) error {
	store := g.db.Keys()
	if store == nil {
		return nil
	}
	g.reading.Lock()
	defer g.reading.Unlock()
	stored, err := store.List(ctx)
	if err != nil {
		return err
	}
	return g.keys.Install(stored)
}

// List lists the signing keys in the database, oldest first, without their private
// keys. The error is ErrUnavailable.
func (ks Keys) List(ctx context.Context) ([]record.Key, error) {
	store, err := ks.gate.keyStore()
	if err != nil {
		return nil, err
	}
	keys, err := store.List(ctx)
	for i := range keys {
		keys[i].Sealed = nil
	}
	return keys, err
}

// Add creates a key for the algorithm (RS…, PS…, ES… or EdDSA) and stores it as the
// next key: its public key is published immediately, and it signs after Switch. Errors:
// one that names an algorithm for which there are no keys; ErrUnavailable.
func (ks Keys) Add(ctx context.Context, alg jwt.Algorithm) (record.Key, error) {
	if _, err := ks.gate.keyStore(); err != nil {
		return record.Key{}, err
	}
	key, err := ks.gate.keys.NewKey(alg, ks.gate.now())
	if err != nil {
		return record.Key{}, err
	}
	if err := ks.gate.changeKey(ctx, "added", key.ID, func(ctx context.Context, s record.Keys) error { return s.Add(ctx, key) }); err != nil {
		return record.Key{}, err
	}
	key.Sealed = nil
	return key, nil
}

// Switch makes the next key with this id the current one, which signs; the previous one
// then only verifies. Call it when all verifiers have the key: clients may cache a JWKS
// response, so wait for KeyPublishTime after Add. Errors: ErrNotFound if the key is not
// the next one, ErrUnavailable.
func (ks Keys) Switch(ctx context.Context, id string) error {
	return ks.gate.changeKey(ctx, "switched", id, func(ctx context.Context, s record.Keys) error { return s.Switch(ctx, id, ks.gate.now()) })
}

// Retire makes a key retired, whatever its state: it only verifies. If there is no
// current key then, Settings.SigningKey or SecretKey signs again. Errors: ErrNotFound,
// ErrUnavailable.
func (ks Keys) Retire(ctx context.Context, id string) error {
	return ks.gate.changeKey(ctx, "retired", id, func(ctx context.Context, s record.Keys) error { return s.Retire(ctx, id, ks.gate.now()) })
}

// Delete removes a retired key. Within seconds, all nodes reject the tokens that it has
// signed. Errors: ErrNotFound if the key is not retired, ErrUnavailable.
func (ks Keys) Delete(ctx context.Context, id string) error {
	return ks.gate.changeKey(ctx, "deleted", id, func(ctx context.Context, s record.Keys) error { return s.Delete(ctx, id) })
}

func (g *Gate) changeKey(ctx context.Context, what, id string, change func(context.Context, record.Keys) error) error {
	store, err := g.keyStore()
	if err != nil {
		return err
	}
	e := record.Event{Name: "key", Detail: what + " " + id}
	if err := g.recorded(ctx, &e, Client{}, func(ctx context.Context) error { return change(ctx, store) }); err != nil {
		return err
	}
	g.reloadKeys(ctx)
	return nil
}

func (g *Gate) keyStore() (record.Keys, error) {
	if store := g.db.Keys(); store != nil {
		return store, nil
	}
	return nil, errors.New("jotgate: this store keeps no signing keys")
}

// KeyPublishTime is how long a new key should be published before it signs: 10 minutes,
// which is twice the time for which clients may cache a JWKS response, because their
// clocks may be slow.
const KeyPublishTime = 2 * jwksMaxAge

// jwksMaxAge is the max-age with which /.well-known/jwks.json is sent.
const jwksMaxAge = 5 * time.Minute

// Public returns the keys to publish: all public keys that verify tokens, and never a
// secret.
func (ks Keys) Public() []*jwt.Key {
	var public []*jwt.Key
	for _, key := range ks.gate.keys.KeySet().Keys() {
		if p, err := key.Public(); err == nil {
			public = append(public, p)
		}
	}
	return public
}
