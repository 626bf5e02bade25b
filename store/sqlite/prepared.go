package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// prepared is a store.Queryer that prepares each statement once. The
// statements are those of package store: there are few, and none is built
// from a client's input.
type prepared struct {
	prepare func(ctx context.Context, text string) (*sql.Stmt, error)

	mu   sync.RWMutex
	list map[string]*sql.Stmt
}

// statementLimit bounds the cache: the UPDATE of an account lists the columns
// it changes, so there may be some hundreds of statements in theory.
const statementLimit = 256

func newPrepared(prepare func(context.Context, string) (*sql.Stmt, error)) *prepared {
	return &prepared{prepare: prepare, list: map[string]*sql.Stmt{}}
}

// statement returns the prepared statement of a text.
func (p *prepared) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.RLock()
	s := p.list[text]
	p.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.list[text]; s != nil {
		return s, nil
	}
	s, err := p.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	p.evict()
	p.list[text] = s
	return s, nil
}

// evict drops an arbitrary statement if there are too many.
func (p *prepared) evict() {
	for text, s := range p.list {
		if len(p.list) < statementLimit {
			return
		}
		delete(p.list, text)
		_ = s.Close()
	}
}

// ExecContext implements store.Queryer.
func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	s, err := p.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext implements store.Queryer.
func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// close closes the statements.
func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for text, s := range p.list {
		errs = append(errs, s.Close())
		delete(p.list, text)
	}
	return errors.Join(errs...)
}
