package main

// `apikey import`: copies the keys of djangorestframework-api-key.

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type apiKeyImport struct {
	databaseFlags
	User     string        `arg:"" help:"The username of the account that gets the keys, such as that of a client."`
	Prefix   []string      `arg:"" optional:"" help:"The prefixes of the keys, the part before the dot. Default: all."`
	Scope    []string      `required:"" placeholder:"SCOPE" help:"What the keys may be used for, such as orders:read; several are separated by commas or spaces."`
	Networks []string      `placeholder:"NETWORK" help:"The addresses and networks from which they may be used. Default: any."`
	Lifetime time.Duration `placeholder:"TIME" help:"They expire after this time at the latest. Default: when they expire in Django, which may be never."`
	Table    string        `default:"rest_framework_api_key_apikey" placeholder:"NAME" help:"Django's table: a site can have a model of its own."`
}

// Help is shown below the usage line.
func (apiKeyImport) Help() string {
	return `    jotgate client create partners --scope orders:read
    jotgate apikey import partners --scope orders:read
    jotgate apikey import carrier XyzAbc12 --scope orders:write --lifetime 180d
    jotgate serve --imported-api-keys on

Their programs send the same keys as before. Keys that are revoked or expired, and those
that were imported before, are skipped. Django's table does not change: revoke imported
keys with jotgate apikey revoke.`
}

// Run imports the keys.
func (c *apiKeyImport) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		list, err := store.DjangoAPIKeys(a.ctx, db, c.Table)
		if err != nil {
			return err
		}
		for _, prefix := range c.Prefix {
			if !slices.ContainsFunc(list, func(k apikey.Key) bool { return k.ID == prefix }) {
				return fmt.Errorf("%s has no key with the prefix %s", c.Table, prefix)
			}
		}
		now := time.Now()
		var imported, ended, before int
		for _, k := range list {
			if len(c.Prefix) > 0 && !slices.Contains(c.Prefix, k.ID) {
				continue
			}
			if !k.Live(now) {
				ended++
				continue
			}
			switch err := c.add(a, db, account.ID, k, now); {
			case errors.Is(err, jotgate.ErrTaken):
				before++
			case errors.Is(err, apikey.ErrLimit):
				return fmt.Errorf("imported %s; %s has %d keys now, the most that an account can have: import the others for another account, by their prefixes",
					plural(imported, "API key"), c.User, apikey.MaxKeys)
			case err != nil:
				return fmt.Errorf("key %s: %w", k.ID, err)
			default:
				imported++
			}
		}
		a.print(fmt.Sprintf("imported %s; skipped %d revoked or expired, %d imported before", plural(imported, "API key"), ended, before))
		return nil
	})
}

// add imports one key.
func (c *apiKeyImport) add(a *app, db *store.Store, owner record.UserID, k apikey.Key, now time.Time) error {
	r := apikey.Request{Name: k.Name, Scopes: scopesOf(c.Scope), Networks: c.Networks, Lifetime: -1}
	if c.Lifetime > 0 {
		r.Lifetime = c.Lifetime
	}
	key, err := apikey.Settings{MaxLifetime: -1}.NewKey(owner, r, now)
	if err != nil {
		return err
	}
	key.ID, key.Digest, key.Created = k.ID, k.Digest, k.Created
	if !k.Expires.IsZero() && (key.Expires.IsZero() || k.Expires.Before(key.Expires)) {
		key.Expires = k.Expires
	}
	return db.APIKeys().Add(a.recording(record.Event{Name: "api_key", User: owner, Detail: "imported " + key.ID + " " + key.Name}), key.Key)
}
