package main

// `apikey`: creates, lists, rotates and revokes the API keys of programs. Keys that
// sign tokens are those of `key`.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/authtoken"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// apiKeyFlags are apikey.Settings.
type apiKeyFlags struct {
	APIKeyLifetime    time.Duration `group:"apikeys" name:"api-key-lifetime" default:"90d" placeholder:"TIME" help:"How long a new API key is valid if its creator does not say."`
	APIKeyMaxLifetime time.Duration `group:"apikeys" name:"api-key-max-lifetime" default:"366d" placeholder:"TIME" help:"The longest time that a creator may ask for. 0 is unlimited."`
}

func (f *apiKeyFlags) settings() apikey.Settings {
	s := apikey.Settings{Lifetime: f.APIKeyLifetime, MaxLifetime: f.APIKeyMaxLifetime}
	if s.MaxLifetime == 0 {
		s.MaxLifetime = -1
	}
	return s
}

// serveAPIKeyFlags are those of serve.
type serveAPIKeyFlags struct {
	APIKeys    string `group:"apikeys" name:"api-keys" default:"on" enum:"on,off" placeholder:"on|off" help:"Accept API keys (jgk_…), and let users create them for their programs."`
	AuthTokens string `group:"apikeys" name:"authtokens" default:"off" enum:"on,off" placeholder:"on|off" help:"Accept the tokens of Django REST framework's authtoken_token (Authorization: Token …), as good as a login, while clients move."`
	Imported   string `group:"apikeys" name:"imported-api-keys" default:"off" enum:"on,off" placeholder:"on|off" help:"Also accept the keys of djangorestframework-api-key that apikey import copied."`
	OAuth      string `group:"apikeys" name:"oauth" default:"on" enum:"on,off" placeholder:"on|off" help:"Let service accounts (jotgate client) get access tokens at /o/token/."`
	apiKeyFlags
}

// acceptAuthTokens makes the gate accept the tokens of Django REST framework, with
// --authtokens.
func (f *serveFlags) acceptAuthTokens(ctx context.Context, gate *jotgate.Gate) error {
	db, ok := gate.Store().(*store.Store) // not in a rehearsal
	if f.AuthTokens != "on" || !ok {
		return nil
	}
	tokens, err := store.AuthTokens(ctx, db)
	if err != nil {
		return fmt.Errorf("--authtokens: %w", err)
	}
	authtoken.Accept(gate, tokens)
	return nil
}

// newAPIKeys makes the gate accept API keys, unless they are off.
func (f *serveFlags) newAPIKeys(gate *jotgate.Gate) (*apikey.Keys, error) {
	if f.APIKeys == "off" {
		return nil, nil
	}
	var keys apikey.Store // nil in a rehearsal
	if db, ok := gate.Store().(*store.Store); ok {
		keys = db.APIKeys()
	}
	s := f.apiKeyFlags.settings()
	s.TrustedProxies, s.ForwardedHeader, s.Imported = f.TrustedProxies, f.ForwardedHeader, f.Imported == "on"
	return apikey.New(gate, keys, s)
}

type apiKeyCommands struct {
	Create apiKeyCreate `cmd:"" help:"Create an API key for a user, and print it once."`
	List   apiKeyList   `cmd:"" help:"List a user's API keys."`
	Rotate apiKeyRotate `cmd:"" help:"Replace an API key by a new one, and print that."`
	Revoke apiKeyRevoke `cmd:"" help:"Revoke API keys; they are refused within a second."`
	Import apiKeyImport `cmd:"" help:"Copy the keys of djangorestframework-api-key in the database."`
}

type apiKeyCreate struct {
	databaseFlags
	listFlags
	apiKeyFlags
	User     string        `arg:"" help:"The username."`
	Scope    []string      `required:"" placeholder:"SCOPE" help:"What the key may be used for, such as orders:read; several are separated by commas or spaces."`
	Name     string        `default:"command line" placeholder:"NAME" help:"What the key is for."`
	Networks []string      `placeholder:"NETWORK" help:"The addresses and networks from which it may be used. Default: any."`
	Lifetime time.Duration `placeholder:"TIME" help:"How long it is valid. Default: --api-key-lifetime."`
}

// Help is shown below the usage line.
func (apiKeyCreate) Help() string {
	return `    jotgate apikey create alice --scope orders:read --name ci
    jotgate apikey create alice --scope orders:read,orders:write --networks 192.0.2.0/24 --lifetime 30d

Standard output is the key alone. It is not stored and cannot be shown again.`
}

// scopesOf splits what --scope got at spaces, as OAuth writes scopes; commas have
// already separated it.
func scopesOf(list []string) []string { return strings.Fields(strings.Join(list, " ")) }

// Run creates the key.
func (c *apiKeyCreate) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		r := apikey.Request{Name: c.Name, Scopes: scopesOf(c.Scope), Networks: c.Networks, Lifetime: c.Lifetime}
		created, err := c.apiKeyFlags.settings().NewKey(account.ID, r, time.Now())
		if err == nil {
			ctx := a.recording(record.Event{Name: "api_key", User: created.User, Detail: "created " + created.ID + " " + created.Name})
			err = db.APIKeys().Add(ctx, created.Key)
		}
		if err != nil {
			return err
		}
		return c.printKey(a, created)
	})
}

// printKey prints a new key on standard output, and what belongs to it on standard
// error.
func (f *listFlags) printKey(a *app, created apikey.Created) error {
	if f.JSON {
		return a.json(created)
	}
	a.print(created.Secret)
	a.warn("%s: scopes %s, expires %s; the key above cannot be shown again", created.ID, strings.Join(created.Scopes, " "), expiry(created.Expires))
	return nil
}

func expiry(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return when(t)
}

type apiKeyList struct {
	databaseFlags
	listFlags
	User string `arg:"" help:"The username."`
}

// Help is shown below the usage line.
func (apiKeyList) Help() string {
	return `    jotgate apikey list alice
    jotgate apikey list alice --json`
}

// Run lists the keys that are not revoked, newest first.
func (c *apiKeyList) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		keys, err := db.APIKeys().List(a.ctx, account.ID)
		if err != nil {
			return err
		}
		var rows [][]string
		for i := range keys {
			k := &keys[i]
			networks := make([]string, len(k.Networks))
			for i, network := range k.Networks {
				networks[i] = network.String()
			}
			rows = append(rows, []string{k.ID, k.Name, strings.Join(k.Scopes, " "), strings.Join(networks, " "), when(k.Created), expiry(k.Expires), when(k.Used), k.UsedAddress})
		}
		return c.show(a, append([]apikey.Key{}, keys...), c.User+" has no API key", "ID NAME SCOPES NETWORKS CREATED EXPIRES LAST-USED ADDRESS", rows)
	})
}

type apiKeyRotate struct {
	databaseFlags
	listFlags
	apiKeyFlags
	User    string        `arg:"" help:"The username."`
	ID      string        `arg:"" help:"The key, as apikey list shows it."`
	Overlap time.Duration `default:"1d" placeholder:"TIME" help:"How long the former key continues to work: 0, or 10m to 30d."`
}

// Help is shown below the usage line.
func (apiKeyRotate) Help() string {
	return `    jotgate apikey rotate alice 0Pz5vOq2Xa --overlap 1h

The new key has the name, scopes, networks and lifetime of the former one.`
}

// Run rotates the key.
func (c *apiKeyRotate) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		recorded := func(detail string, change func(ctx context.Context) error) error {
			return change(a.recording(record.Event{Name: "api_key", User: account.ID, Detail: detail}))
		}
		created, err := c.apiKeyFlags.settings().RotateIn(a.ctx, db.APIKeys(), account.ID, c.ID, c.Overlap, time.Now(), recorded)
		if errors.Is(err, jotgate.ErrNotFound) {
			return fmt.Errorf("%s has no live API key %s that was not rotated yet", c.User, c.ID)
		}
		if err != nil {
			return err
		}
		return c.printKey(a, created)
	})
}

type apiKeyRevoke struct {
	databaseFlags
	User string   `arg:"" help:"The username."`
	ID   []string `arg:"" optional:"" help:"The keys to revoke, as apikey list shows them."`
	All  bool     `help:"Revoke all of them."`
}

// Help is shown below the usage line.
func (apiKeyRevoke) Help() string {
	return `    jotgate apikey revoke alice 0Pz5vOq2Xa
    jotgate apikey revoke alice --all`
}

// Run revokes the keys.
func (c *apiKeyRevoke) Run(a *app) error {
	if c.All == (len(c.ID) > 0) {
		return usage("name the keys to revoke, or give --all")
	}
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		ids := c.ID
		if c.All {
			keys, err := db.APIKeys().List(a.ctx, account.ID)
			if err != nil {
				return err
			}
			for _, k := range keys {
				ids = append(ids, k.ID)
			}
		}
		for _, id := range ids {
			ctx := a.recording(record.Event{Name: "api_key", User: account.ID, Detail: "revoked " + id})
			err := db.APIKeys().Revoke(ctx, account.ID, id, time.Now())
			if errors.Is(err, jotgate.ErrNotFound) {
				return fmt.Errorf("%s has no API key %s", c.User, id)
			}
			if err != nil {
				return err
			}
		}
		a.print("revoked " + plural(len(ids), "API key"))
		return nil
	})
}
