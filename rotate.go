package jotgate

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// Rotate makes the changes that are due by Settings.KeyRotation, and deletes retired
// keys after all tokens that they signed have expired. Run calls it. Any number of
// nodes may call it concurrently, since each step is one conditional statement in the
// database. A key passes through these states:
//
//	published as next → KeyPublishTime → current → KeyRotation → retired →
//	RefreshTokenLifetime → deleted
//
// The first key of a database becomes current immediately, if no public key was
// published before, because then no verifier has a cached key set without it.
func (ks Keys) Rotate(ctx context.Context) error {
	ks.gate.runs.Store(true)
	store := ks.gate.db.Keys()
	if store == nil {
		return nil
	}
	keys, err := store.List(ctx)
	if err != nil {
		return err
	}
	if err := ks.gate.deleteOld(ctx, keys); err != nil {
		return err
	}
	if ks.gate.settings.KeyRotation <= 0 {
		return nil
	}
	if ks.gate.isFirst(keys) {
		return ks.gate.startKeys(ctx, keys)
	}
	return ks.gate.advance(ctx, keys)
}

// isFirst reports whether no public key has ever signed here: the secret
// signs, and the keys of the database, if there are any, wait to become
// current.
func (g *Gate) isFirst(keys []record.Key) bool {
	for _, key := range keys {
		if key.State != record.KeyNext {
			return false
		}
	}
	return g.keys.OnlySecrets()
}

// startKeys creates the first key, unless another node has, and makes the
// oldest one current. Every node selects the same key, and one of them
// switches.
func (g *Gate) startKeys(ctx context.Context, keys []record.Key) error {
	if len(keys) == 0 {
		if _, err := g.Keys().Add(ctx, cmp.Or(g.settings.KeyAlgorithm, jwt.ES256)); err != nil {
			return err
		}
		store, err := g.keyStore()
		if err != nil {
			return err
		}
		if keys, err = store.List(ctx); err != nil || len(keys) == 0 || !g.isFirst(keys) {
			return err
		}
	}
	return g.switchTo(ctx, keys[0].ID)
}

// switchTo is Keys.Switch, except that it returns nil if another node switched
// first.
func (g *Gate) switchTo(ctx context.Context, id string) error {
	if err := g.Keys().Switch(ctx, id); !errors.Is(err, ErrNotFound) {
		return err
	}
	return g.readKeys(ctx)
}

// advance publishes the next key KeyPublishTime before it is due, and
// switches to it when it is due.
func (g *Gate) advance(ctx context.Context, keys []record.Key) error {
	var current, next *record.Key
	for i := range keys {
		switch keys[i].State {
		case record.KeyCurrent:
			current = &keys[i]
		case record.KeyNext:
			if next == nil {
				next = &keys[i]
			}
		}
	}
	now := g.now()
	due := now // without a current key, as soon as one has been published for long enough
	if current != nil {
		due = current.Switched.Add(g.settings.KeyRotation)
	}
	switch {
	case next == nil && !now.Before(due.Add(-KeyPublishTime)):
		_, err := g.Keys().Add(ctx, cmp.Or(g.settings.KeyAlgorithm, jwt.ES256))
		return err
	case next != nil && !now.Before(due) && !now.Before(next.Created.Add(KeyPublishTime)):
		return g.switchTo(ctx, next.ID)
	}
	return nil
}

// deleteOld deletes retired keys after the last token that they signed has
// expired.
func (g *Gate) deleteOld(ctx context.Context, keys []record.Key) error {
	keep := g.settings.RefreshTokenLifetime + g.settings.Leeway + time.Hour
	for _, key := range keys {
		if key.State != record.KeyRetired || g.now().Before(key.Retired.Add(keep)) {
			continue
		}
		if err := g.Keys().Delete(ctx, key.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}
