package store

import (
	"context"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Signing keys. Every change is announced to the other nodes.

// List implements record.Keys.
func (ks keys) List(ctx context.Context) (list []record.Key, err error) {
	return ask(ctx, ks.db, func(ctx context.Context, q Queryer) ([]record.Key, error) {
		return all(ctx, q, scanKey, "SELECT id, algorithm, state, created, switched, retired, sealed FROM jotgate_key ORDER BY created, id")
	})
}

func scanKey(rows rowScanner) (k record.Key, err error) {
	err = rows.Scan(&k.ID, &k.Algorithm, &k.State, instant{&k.Created}, instant{&k.Switched}, instant{&k.Retired}, &k.Sealed)
	return k, err
}

// Add implements record.Keys. The error is also ErrTaken if the key
// is to be current and there already is a current one.
func (ks keys) Add(ctx context.Context, key record.Key) error {
	return ks.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error { return ks.db.addKey(ctx, q, key) })
}

func (s *Store) addKey(ctx context.Context, q Queryer, key record.Key) error {
	_, err := run(ctx, q, `INSERT INTO jotgate_key (id, algorithm, state, created, switched, retired, sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7)`, key.ID, key.Algorithm, string(key.State), key.Created.UnixMicro(),
		micros(key.Switched), micros(key.Retired), key.Sealed)
	if err != nil {
		return s.taken(err, jotgate.ErrTaken)
	}
	return s.announce(ctx, q)
}

// Switch implements record.Keys.
func (ks keys) Switch(ctx context.Context, id string, now time.Time) error {
	return ks.db.changeKeys(ctx, id, func(ctx context.Context, q Queryer) (int, error) { return ks.db.switchKey(ctx, q, id, now) })
}

func (s *Store) switchKey(ctx context.Context, q Queryer, id string, now time.Time) (int, error) {
	found, err := one(ctx, q, []any{new(int)}, "SELECT 1 FROM jotgate_key WHERE id = $1 AND state = 'next'"+s.driver.lock("UPDATE"), id)
	if err != nil || !found {
		return 0, err
	}
	// First the key that steps down: only one key may be current.
	if _, err := run(ctx, q, "UPDATE jotgate_key SET state = 'retired', retired = $1 WHERE state = 'current'", now.UnixMicro()); err != nil {
		return 0, err
	}
	return run(ctx, q, "UPDATE jotgate_key SET state = 'current', switched = $1 WHERE id = $2 AND state = 'next'", now.UnixMicro(), id)
}

// Retire implements record.Keys. It returns ErrNotFound if there is
// no such key. A key that is already retired keeps its time.
func (ks keys) Retire(ctx context.Context, id string, now time.Time) error {
	return ks.db.changeKeys(ctx, id, func(ctx context.Context, q Queryer) (int, error) { return retireKey(ctx, q, id, now) })
}

func retireKey(ctx context.Context, q Queryer, id string, now time.Time) (int, error) {
	return run(ctx, q, "UPDATE jotgate_key SET state = 'retired', retired = COALESCE(retired, $1) WHERE id = $2", now.UnixMicro(), id)
}

// Delete implements record.Keys. It returns ErrNotFound if there is
// no such key or if it is not retired.
func (ks keys) Delete(ctx context.Context, id string) error {
	return ks.db.changeKeys(ctx, id, func(ctx context.Context, q Queryer) (int, error) { return deleteKey(ctx, q, id) })
}

func deleteKey(ctx context.Context, q Queryer, id string) (int, error) {
	return run(ctx, q, "DELETE FROM jotgate_key WHERE id = $1 AND state = 'retired'", id)
}

// changeKeys runs one change of keys and announces it. A change that affects
// no row is ErrNotFound.
func (s *Store) changeKeys(ctx context.Context, id string, change func(context.Context, Queryer) (int, error)) error {
	if !storable(id) {
		return jotgate.ErrNotFound
	}
	return s.writeRecorded(ctx, func(ctx context.Context, q Queryer) error { return s.changeKey(ctx, q, change) })
}

func (s *Store) changeKey(ctx context.Context, q Queryer, change func(context.Context, Queryer) (int, error)) error {
	n, err := change(ctx, q)
	if err != nil {
		return err
	}
	if n == 0 {
		return jotgate.ErrNotFound
	}
	return s.announce(ctx, q)
}
