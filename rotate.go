package jotgate

import (
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// RotateKeys does what is due of the schedule in Settings.KeyRotation, and
// removes retired keys that no living token was signed with. Run calls it; any
// number of nodes may, for each step is one conditional statement in the
// database. A key passes through these times:
//
//	published as next → KeyPublishTime → current → KeyRotation → retired →
//	RefreshTokenLifetime → deleted
//
// The first key of a database becomes current immediately, if no public key was
// published before it: no verifier can have a copy that lacks it.
func (g *Gate) RotateKeys(ctx context.Context) error {
	g.runs.Store(true)
	store, ok := g.db.(record.Keys)
	if !ok {
		return nil
	}
	keys, err := store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	if err := g.deleteOld(ctx, keys); err != nil {
		return err
	}
	if g.settings.KeyRotation <= 0 {
		return nil
	}
	if g.isFirst(keys) {
		return g.startKeys(ctx, keys)
	}
	return g.advance(ctx, keys)
}

// isFirst reports whether no public key has ever signed here: the secret signs,
// and the keys of the database, if there are any, wait to become current.
func (g *Gate) isFirst(keys []record.Key) bool {
	for _, key := range keys {
		if key.State != record.KeyNext {
			return false
		}
	}
	for _, key := range g.keys.base {
		if !key.IsSecret() {
			return false
		}
	}
	return true
}

// startKeys makes the first key, unless another node has, and lets the oldest one
// sign. Every node picks the same, and one of them switches.
func (g *Gate) startKeys(ctx context.Context, keys []record.Key) error {
	if len(keys) == 0 {
		if _, err := g.AddKey(ctx, or(g.settings.KeyAlgorithm, jwt.ES256)); err != nil {
			return err
		}
		store, err := g.keyStore()
		if err != nil {
			return err
		}
		if keys, err = store.SigningKeys(ctx); err != nil || len(keys) == 0 || !g.isFirst(keys) {
			return err
		}
	}
	return g.switchTo(ctx, keys[0].ID)
}

// switchTo is SwitchKey; that another node was faster is not an error.
func (g *Gate) switchTo(ctx context.Context, id string) error {
	if err := g.SwitchKey(ctx, id); !errors.Is(err, ErrNotFound) {
		return err
	}
	return g.readKeys(ctx)
}

// advance publishes the next key in time, and switches to it when it is time.
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
	due := now // without a current key, as soon as one has been published
	if current != nil {
		due = current.Switched.Add(g.settings.KeyRotation)
	}
	switch {
	case next == nil && !now.Before(due.Add(-KeyPublishTime)):
		_, err := g.AddKey(ctx, or(g.settings.KeyAlgorithm, jwt.ES256))
		return err
	case next != nil && !now.Before(due) && !now.Before(next.Created.Add(KeyPublishTime)):
		return g.switchTo(ctx, next.ID)
	}
	return nil
}

// deleteOld removes retired keys once the last token they signed has expired.
func (g *Gate) deleteOld(ctx context.Context, keys []record.Key) error {
	keep := g.settings.RefreshTokenLifetime + g.settings.Leeway + time.Hour
	for _, key := range keys {
		if key.State != record.KeyRetired || g.now().Before(key.Retired.Add(keep)) {
			continue
		}
		if err := g.DeleteKey(ctx, key.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}
