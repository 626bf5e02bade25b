package store

import (
	"context"
	"sync"
	"time"

	"github.com/jotgate/jotgate/record"
)

// New usernames before the index is complete: the first start beside a large user
// table. They are compared with the names of all accounts that have no rows yet, so
// that no caller has to wait for the index. One pass over the accounts serves all
// requests that wait for it.

const (
	scanPageSize = 5000            // accounts in a page of a pass
	scanTimeout  = 5 * time.Minute // of a pass
)

// nameScans are the names that wait for the next pass.
type nameScans struct {
	mu      sync.Mutex
	running bool
	waiting []*scannedName
}

// scannedName is a new name; other and err are valid after done is closed.
type scannedName struct {
	folds  []string
	except record.UserID
	other  record.UserID // a user with a similar name, or ""
	err    error
	done   chan struct{}
}

// scan returns another user than except who has no rows in jotgate_name yet and a
// name similar to the given one, or "".
func (s *Store) scan(ctx context.Context, name string, except record.UserID) (record.UserID, error) {
	n := &scannedName{folds: folds(name), except: except, done: make(chan struct{})}
	q := &s.scans
	q.mu.Lock()
	q.waiting = append(q.waiting, n)
	start := !q.running
	q.running = true
	q.mu.Unlock()
	if start {
		go s.scanWaiting(context.WithoutCancel(ctx))
	}
	select {
	case <-n.done:
		return n.other, n.err
	case <-ctx.Done():
		return "", s.driver.unavailable(ctx.Err())
	}
}

// scanWaiting makes passes until no name waits. The names that arrive during a pass
// are compared in the next one.
func (s *Store) scanWaiting(ctx context.Context) {
	q := &s.scans
	for {
		q.mu.Lock()
		batch := q.waiting
		q.waiting, q.running = nil, len(batch) > 0
		q.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		err := s.scanPass(ctx, batch)
		for _, n := range batch {
			n.err = err
			close(n.done)
		}
	}
}

// scanPass compares the names with those of all accounts after the position of the
// index.
func (s *Store) scanPass(ctx context.Context, batch []*scannedName) error {
	ctx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	wanted := map[string][]*scannedName{}
	for _, n := range batch {
		for _, fold := range n.folds {
			wanted[fold] = append(wanted[fold], n)
		}
	}
	position, err := s.indexPosition(ctx)
	for after := record.UserID(position); err == nil && position != finished; {
		var page []named
		if page, err = s.accountsAfter(ctx, after, scanPageSize); err != nil || len(page) == 0 {
			return err
		}
		for _, account := range page {
			for _, fold := range folds(account.name) {
				for _, n := range wanted[fold] {
					if account.id != n.except {
						n.other = account.id
					}
				}
			}
		}
		after = page[len(page)-1].id
	}
	return err
}

// comparedKey is the key of the name that beforeName has compared, in a context.
type comparedKey struct{}

// beforeName prepares for a new name of a user, or of a new account ("", ""). It is
// called before the transaction that writes the name, so that a pass over many
// accounts does not hold one; the context is for that transaction.
func (s *Store) beforeName(ctx context.Context, name string, user record.UserID) (context.Context, error) {
	if s.tables.schema.SimilarNames {
		return ctx, nil
	}
	done, err := s.catchUp(ctx)
	if err != nil || done || name == "" || !storable(name) {
		return ctx, err
	}
	if other, err := s.scan(ctx, name, user); err != nil || other != "" {
		return ctx, similarTo(other, err)
	}
	return context.WithValue(ctx, comparedKey{}, name), nil
}

// compared compares a name that beforeName has not seen, such as one of an
// administrator's change, in the transaction that writes it.
func (s *Store) compared(ctx context.Context, id record.UserID, name string) error {
	if s.indexed.Load() || ctx.Value(comparedKey{}) == name {
		return nil
	}
	other, err := s.scan(ctx, name, id)
	if err != nil || other != "" {
		return similarTo(other, err)
	}
	return nil
}
