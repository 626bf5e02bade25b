package admin

// Actions on what else lets a user in: connected accounts at providers, and API keys.

import (
	"context"
	"errors"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/record"
)

// userOf finds the user to whom the target belongs, and checks that the actor may touch
// that user.
func (c *change) userOf(id record.UserID) (*adminstore.User, error) {
	u, err := c.tx.Users.Find(c.ctx, id)
	if err != nil {
		return nil, err
	}
	c.event.User, c.result.user = u.ID, u.ID
	return u, c.above(u)
}

// connectedTo finds an account at a provider by its id.
func (a *Admin) connectedTo(ctx context.Context, target string) (*record.SocialAccount, error) {
	id, err := strconv.ParseInt(target, 10, 64)
	if err != nil || len(a.gate.Settings().Providers) == 0 {
		return nil, jotgate.ErrNotFound
	}
	return a.store.Social(ctx, id)
}

func findConnected(a *Admin, ctx context.Context, target string, _ Fields) (any, error) {
	return a.connectedTo(ctx, target)
}

var errLastWay = &jotgate.Error{Status: 400, Code: jotgate.ErrLastWay.Code, Detail: "This is the only way in which the user can log in. The user must set a password or add another way first."}

// providerDisconnect does what Providers.Disconnect does for the user.
func providerDisconnect(c *change) error {
	row := c.ready.(*record.SocialAccount)
	u, err := c.userOf(row.User)
	if err != nil {
		return err
	}
	if u.Related, err = c.tx.Users.Related(c.ctx, u.ID); err != nil {
		return err
	}
	connected, change, err := c.gate.Logins().Providers().Disconnection(c.ctx, &u.Account, row.ID, jotgate.Client{Session: c.who.session})
	if errors.Is(err, jotgate.ErrLastWay) {
		err = errLastWay
	}
	if err == nil {
		change.At = c.now
		err = c.tx.Users.Disconnect(c.ctx, change)
	}
	if err != nil {
		return err
	}
	c.event.Target = "provider " + c.target
	c.changes["provider"] = [2]any{connected.Provider + " " + connected.UID, nil}
	c.logUser(u, "Disconnected the account at "+connected.Provider+".")
	return c.sendDetail(&u.Account, record.MessageProviderDisconnected, connected.Provider)
}

// keys returns the storage of API keys, or nil if the store has none.
func (a *Admin) keys() apikey.Store {
	if s, ok := a.gate.Store().(interface{ APIKeys() apikey.Store }); ok {
		return s.APIKeys()
	}
	return nil
}

// apiKey finds an API key that is not revoked.
func (a *Admin) apiKey(ctx context.Context, id string) (*apikey.Key, error) {
	keys := a.keys()
	if keys == nil {
		return nil, jotgate.ErrNotFound
	}
	k, err := keys.Find(ctx, id)
	if err == nil && !k.Revoked.IsZero() {
		err = jotgate.ErrNotFound
	}
	return k, err
}

func findAPIKey(a *Admin, ctx context.Context, target string, _ Fields) (any, error) {
	return a.apiKey(ctx, target)
}

// apiKeyRevoke does what Keys.Revoke of package apikey does for the user.
func apiKeyRevoke(c *change) error {
	k := c.ready.(*apikey.Key)
	u, err := c.userOf(k.User)
	if errors.Is(err, jotgate.ErrNotFound) { // of jotgate.Settings.Users
		c.event.User, err = k.User, nil
	}
	if err != nil {
		return err
	}
	if err := c.tx.Users.RevokeAPIKey(c.ctx, k.User, k.ID, c.now); err != nil {
		return err
	}
	c.event.Target = "apikey " + k.ID
	c.changes["api_key"] = [2]any{k.Name, nil}
	if u != nil {
		c.logUser(u, "Revoked the API key "+k.ID+".")
	}
	return nil
}
