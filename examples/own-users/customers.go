package main

// customers implements jotgate.Users with a table that is not Django's:
//
//	customer(number, login, secret, blocked)

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

type customers struct {
	db     *sql.DB
	hasher passwd.Hasher
	slots  chan struct{} // limits concurrent password checks, each of which needs 19 MiB
}

func openCustomers(ctx context.Context, file string) (*customers, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)") // the driver comes with store/sqlite
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS customer(
		number INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never given to somebody else
		login TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, blocked BOOL NOT NULL DEFAULT false)`)
	return &customers{db: db, slots: make(chan struct{}, 2)}, err
}

// add creates a customer.
func (c *customers) add(ctx context.Context, login, password string) error {
	secret, err := c.hasher.Make(password)
	if err != nil {
		return err
	}
	_, err = c.db.ExecContext(ctx, "INSERT INTO customer(login, secret) VALUES(?, ?)", login, secret)
	return err
}

// UserByLogin implements jotgate.Users.
func (c *customers) UserByLogin(ctx context.Context, login string) (*record.Account, error) {
	return c.find(ctx, "login = ?", login)
}

// UserByID finds a customer by the ID that find has returned.
func (c *customers) UserByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	return c.find(ctx, "CAST(number AS TEXT) = ?", string(id))
}

// CheckPassword takes equally long for an account that does not exist.
func (c *customers) CheckPassword(ctx context.Context, account *record.Account, password string) (bool, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return false, jotgate.ErrBusy
	}
	if account == nil {
		c.hasher.Check(password, "")
		return false, nil
	}
	ok, _ := c.hasher.Check(password, account.Password)
	return ok, nil
}

func (c *customers) find(ctx context.Context, where, value string) (*record.Account, error) {
	var a record.Account
	row := c.db.QueryRowContext(ctx, "SELECT CAST(number AS TEXT), login, secret, NOT blocked FROM customer WHERE "+where, value)
	switch err := row.Scan(&a.ID, &a.Username, &a.Password, &a.IsActive); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, jotgate.ErrNotFound
	case err != nil:
		return nil, jotgate.ErrUnavailable.Because(err)
	}
	return &a, nil
}
