package main

// --demo: serve creates a user and sends the three requests that it prints to
// itself, so that the responses are real.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

const (
	demoName  = "demo"
	demoEmail = "demo@example.com"
)

// demonstrate creates the user and shows the three requests.
func (c *serveCommand) demonstrate(a *app, listener net.Listener, gate *jotgate.Gate, db *store.Store) error {
	level := a.logLevel.Level()
	a.logLevel.Set(max(level, slog.LevelWarn)) // the demo's own login is not logged between its steps
	defer a.logLevel.Set(level)
	base := c.baseOf(listener)
	password, err := demoUser(a.ctx, gate, db)
	if err != nil {
		return err
	}
	if c.Pages == "on" {
		a.printf("\nOpen %s%s and sign in as %s with the password %s\n", c.pagesBase(listener), c.PagesPath, demoName, password)
	}
	form := url.Values{"username": {demoName}, "password": {password}}
	a.printf("\n1. Log in. The response is a pair of tokens and the user.\n\n  curl -d username=%s -d password=%s %s/api/token/\n\n", demoName, password, base)
	body, err := show(a, http.MethodPost, base+"/api/token/", strings.NewReader(form.Encode()), "")
	if err != nil {
		return err
	}
	var tokens struct{ Access string }
	if err := json.Unmarshal(body, &tokens); err != nil {
		return fmt.Errorf("the response to the login was %q", body)
	}
	a.printf("2. Call a protected address with the access token; it works for %.0f minutes.\n\n  curl -H \"Authorization: Bearer %s\" %s/auth/users/me/\n\n", c.AccessTokenLifetime.Minutes(), tokens.Access, base)
	if _, err := show(a, http.MethodGet, base+"/auth/users/me/", nil, tokens.Access); err != nil {
		return err
	}
	a.printf("3. Without a token it is refused.\n\n  curl -i %s/auth/users/me/\n\n", base)
	if _, err := show(a, http.MethodGet, base+"/auth/users/me/", nil, ""); err != nil {
		return err
	}
	a.printf("The demo user is %s with the password %s. Stop with Ctrl-C.\n", demoName, password)
	return nil
}

// show sends a request and prints the response.
func show(a *app, method, address string, body io.Reader, token string) ([]byte, error) {
	request, err := http.NewRequestWithContext(a.ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := (&http.Client{Timeout: 5 * time.Minute}).Do(request) // a machine may be slow, and Ctrl-C ends it
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	received, err := io.ReadAll(io.LimitReader(response.Body, maxInput))
	if err != nil {
		return nil, err
	}
	a.printf("  %s\n", response.Status)
	if challenge := response.Header.Get("WWW-Authenticate"); challenge != "" {
		a.printf("  WWW-Authenticate: %s\n", challenge)
	}
	a.printf("  %s\n\n", received)
	return received, nil
}

// demoAlphabet has no characters that a shell interprets or that are easily
// confused.
const demoAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// demoUser creates the user, or gives the user of an earlier demo a new
// password. Another user of that name is left unchanged.
func demoUser(ctx context.Context, gate *jotgate.Gate, db *store.Store) (password string, err error) {
	password = randomText(16, demoAlphabet)
	encoded, err := gate.Accounts().MakePassword(ctx, password)
	if err != nil {
		return "", err
	}
	account, err := db.Accounts().ByLogin(ctx, demoName)
	switch {
	case errors.Is(err, jotgate.ErrNotFound):
		return password, db.Accounts().Create(ctx, &record.Account{
			Username: demoName, Email: demoEmail, Password: encoded, IsActive: true, DateJoined: time.Now(),
		})
	case err != nil:
		return "", err
	case account.Email != demoEmail || account.IsStaff || account.IsSuperuser:
		return "", errors.New("--demo: the user \"demo\" already exists and was not created by --demo; use another database")
	}
	active := true
	return password, db.Accounts().Change(ctx, account.ID, record.Change{Password: &encoded, IsActive: &active})
}
